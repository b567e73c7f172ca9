"""The program as a library: `from mps_bill import bill, settle, load_prices, load_account, InputRejected`.

It is a thin layer over `pipeline`: file names in, values out. Amounts and quantities are `Decimal`, times are `datetime` with
the offset of the billing clock. Nothing is printed, and no file is written.
"""

from __future__ import annotations

import decimal
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from datetime import timezone as fixed_zone
from decimal import Decimal
from typing import Any, TypeVar, get_args

from mps_bill.core.decimals import EXACT
from mps_bill.core.diagnostics import InputRejected, Problem, accepted, one_of, quoted
from mps_bill.core.times import parse_offset
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource, usage_sources
from mps_bill.pipeline import BillRun, SettleRun, Settling, bill_usage, settle_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Amounts
from mps_bill.rating.contract import LIST_PRICES
from mps_bill.render.cells import as_data
from mps_bill.settlement.account import Account
from mps_bill.view.columns import Kind, Moment, Record, Value
from mps_bill.view.tables import Records

__all__ = ["Account", "BillResult", "InputRejected", "PriceBook", "Problem", "SettleResult", "bill", "load_account",
           "load_prices", "settle"]  # fmt: skip

#: The name of a file or a folder.
Name = str | os.PathLike[str]
#: A value of a row.
Cell = str | int | Decimal | datetime | None
#: The precision of prices, amounts and quantities in Arrow. None has more than ten decimal places.
_PRECISION, _SCALE = 38, 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_ERRORS = 1000
Run = TypeVar("Run")


def load_prices(*sheets: Name) -> PriceBook:
    """Return the price sheets for bills.

    Args:
        sheets: Files, folders, globs, or ids of shipped sheets such as `mps-china`.

    Raises:
        InputRejected: with every problem of every sheet.
    """
    from mps_bill.price_sheet.load_sheets import load_price_book

    return accepted(*load_price_book([os.fspath(sheet) for sheet in sheets]))


def load_account(file: Name, prices: PriceBook) -> Account:
    """Return the account in a file, checked against the price sheets. The file is not locked and never written.

    Raises:
        InputRejected: with every problem of the file.
    """
    from mps_bill.settlement.save import open_account

    with open_account(os.fspath(file), prices, lock=False) as found:
        return found.account


def bill(
    usage: Name | Sequence[Name],
    prices: PriceBook,
    *,
    account: Account | None = None,
    as_of: datetime | None = None,
    timezone: str | None = None,
    ignore_extra_columns: bool = False,
    bill_good_rows: bool = False,
    max_errors: int = _MAX_ERRORS,
    engine: EngineName = "auto",
) -> BillResult:
    """Return itemised bills for the usage files of one account, one for each billing cycle.

    Args:
        usage: One or several usage files: CSV, compressed CSV, Parquet, or globs.
        account: Bill by the contract of this account; nothing is paid.
        as_of: Bills issued after this time are pending, and not in the sums. It must have an offset.
        timezone: The offset of times that are written without one, such as `+08:00`.
        ignore_extra_columns: Ignore unknown columns, which are refused otherwise.
        bill_good_rows: Bill the valid rows even if others are rejected; `problems` of the result are those of the others.
        max_errors: The maximum number of problems that are listed one by one.
        engine: The engine that reads the usage; `auto` chooses by size.

    Raises:
        InputRejected: with the problems of the usage; nothing is billed.
        ValueError: `as_of` or `timezone` has no offset, or there is no such engine.
        TypeError: `prices` is not a price book, or `as_of` is not a datetime.
    """
    _check_book(prices)
    until, contract = _second(as_of), account.contract if account else LIST_PRICES
    options = _options(timezone, ignore_extra_columns, bill_good_rows, max_errors, engine)
    return BillResult(*_run(usage, options, lambda sources, how: bill_usage(sources, prices, how, until, contract)))


def settle(
    usage: Name | Sequence[Name],
    prices: PriceBook,
    account: Account,
    *,
    as_of: datetime | None = None,
    close_months: bool = False,
    timezone: str | None = None,
    ignore_extra_columns: bool = False,
    bill_good_rows: bool = False,
    max_errors: int = _MAX_ERRORS,
    engine: EngineName = "auto",
) -> SettleResult:
    """Return bills for usage files, each paid from the account when it is issued. The given account is not changed; `account` of
    the result is the account after the run, with which the next run can continue.

    Usage of cycles that the account has settled is late: it is listed, but not charged.

    Args:
        close_months: Under monthly settlement, let time pass until the statements of all months are issued.
        usage, as_of, timezone, ignore_extra_columns, bill_good_rows, max_errors, engine: As for `bill`.

    Raises:
        InputRejected, ValueError, TypeError: as `bill`.
    """
    _check_book(prices)
    until = _second(as_of)
    options = _options(timezone, ignore_extra_columns, bill_good_rows, max_errors, engine)

    def run(sources: Sequence[UsageSource], how: MeterOptions) -> SettleRun:
        return settle_usage(sources, prices, how, account, Settling(until, close_months=close_months))

    return SettleResult(*_run(usage, options, run))


@dataclass(frozen=True, slots=True, repr=False)
class _Result:
    """The result of a run: its sums, its rows, and where every row of the usage went. `notices` are messages for people about how
    the usage was read, such as the encoding of a file."""

    _run: Any
    notices: tuple[str, ...]

    def __repr__(self) -> str:
        rows = self.control_totals["rows_read"]
        return f"<{type(self).__name__}: payable {self.payable} {self.currency}, {rows} rows read>"

    @property
    def currency(self) -> str:
        return str(self._run.currency)

    @property
    def _amounts(self) -> Amounts:
        with decimal.localcontext(EXACT):
            amounts: Amounts = self._run.amounts
            return amounts

    def _records(self) -> Records:
        raise NotImplementedError

    @property
    def list_amount(self) -> Decimal:
        """The exact sum of all lines at list prices."""
        return _decimal(self._amounts.list_amount)

    @property
    def discount(self) -> Decimal:
        """The discounts of the contract."""
        return _decimal(self._amounts.discount)

    @property
    def rounding_adjustment(self) -> Decimal:
        """The sum of the roundings of bills, usually below zero."""
        return _decimal(self._amounts.rounding_adjustment)

    @property
    def payable(self) -> Decimal:
        """`list_amount` - `discount` + `rounding_adjustment`."""
        with decimal.localcontext(EXACT):
            return _decimal(self._amounts.payable)

    @property
    def control_totals(self) -> dict[str, int]:
        """The number of rows by what became of them; `rows_read` is the sum of the others."""
        return asdict(self._run.control_totals)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of rejected rows, with `bill_good_rows`."""
        return tuple(self._run.problems.shown)

    def to_dicts(self) -> list[dict[str, Cell]]:
        """Return the rows of `--format csv`: one for each line, discount and rounding, so that `amount` adds up to `payable`. For
        a settlement there is also one for each deduction, so that `paid` does, too. Every row has all keys; missing values are
        None."""
        with decimal.localcontext(EXACT):
            records = self._records()
            return [
                {column.key: _cell(row.get(column.key), column.kind, row) for column in records.columns}
                for row in records.rows
            ]

    def to_arrow(self) -> Any:
        """Return the rows of `to_dicts` as a `pyarrow.Table` or, if only Polars is installed, as a `polars.DataFrame`. Prices,
        amounts and quantities are decimal128(38, 10), times are in UTC, counts are int64.

        Raises:
            ImportError: neither PyArrow nor Polars is installed.
        """
        rows = self.to_dicts()
        keys = {column.key: column.kind for column in self._records().columns}
        return _arrow({key: (kind, [row[key] for row in rows]) for key, kind in keys.items()})


@dataclass(frozen=True, slots=True, repr=False)
class BillResult(_Result):
    """The bills of a run. Issued bills are in the sums and the rows, pending bills (`as_of`) only in the rows."""

    _run: BillRun

    def _records(self) -> Records:
        from mps_bill.view.bill_view import BillView

        return BillView(self._run).records()


@dataclass(frozen=True, slots=True, repr=False)
class SettleResult(_Result):
    """The bills of a run and their payments: `payable` is the sum of `paid`, `outstanding` and `frozen`."""

    _run: SettleRun

    @property
    def account(self) -> Account:
        """The account after the run."""
        return self._run.settled.closing

    @property
    def paid(self) -> dict[str, Decimal]:
        """The payments of each payment source, in the order of payment."""
        return {source: _decimal(amount) for source, amount in self._run.totals.paid.items()}

    @property
    def outstanding(self) -> Decimal:
        """The outstanding amount, which no source has paid."""
        return _decimal(self._run.totals.outstanding)

    @property
    def frozen(self) -> Decimal:
        """The frozen amount, which is held until the monthly statement, under monthly settlement."""
        return _decimal(self._run.totals.frozen)

    def _records(self) -> Records:
        from mps_bill.view.settle_view import SettleView

        return SettleView(self._run).records()


def _options(
    timezone: str | None, ignore_extra_columns: bool, bill_good_rows: bool, max_errors: int, engine: EngineName
) -> MeterOptions:
    if engine not in get_args(EngineName):
        raise ValueError(f"{quoted(engine)} is not {one_of(get_args(EngineName))}")
    return MeterOptions(
        assumed_offset=None if timezone is None else parse_offset(timezone),
        ignore_extra_columns=ignore_extra_columns,
        bill_good_rows=bill_good_rows,
        max_errors=max_errors,
        engine=engine,
    )


def _run(usage: Name | Sequence[Name], options: MeterOptions, run: Callable[..., Run]) -> tuple[Run, tuple[str, ...]]:
    """Open the usage files and run on them; return the result, and the notices about the files."""
    names = [usage] if isinstance(usage, str | os.PathLike) else usage
    notices: list[str] = []
    with usage_sources([os.fspath(name) for name in names]) as (sources, problems):
        if problems:
            raise InputRejected(problems)
        return run(sources, replace(options, notify=notices.append)), tuple(notices)


def _check_book(prices: object) -> None:
    """Refuse the name of a price sheet instead of a price book, the most common mistake."""
    if not isinstance(prices, PriceBook):
        raise TypeError("prices must come from load_prices, such as load_prices('mps-china')")


def _second(time: datetime | None) -> int | None:
    if time is not None and not isinstance(time, datetime):
        raise TypeError("a time must be a datetime, such as datetime.fromisoformat('2023-11-10T14:00:00+08:00')")
    if time is not None and time.tzinfo is None:
        raise ValueError("a time must have an offset, such as datetime.fromisoformat('2023-11-10T14:00:00+08:00')")
    return None if time is None else (time - _EPOCH) // timedelta(seconds=1)


def _cell(value: Value, kind: Kind, row: Record) -> Cell:
    """Return a value of a row as a Python value."""
    if isinstance(value, Moment):
        return datetime.fromtimestamp(value.second, _zone(value))
    issued = row["issued_at"]
    if kind == "time" and isinstance(value, str) and isinstance(issued, Moment):
        # The row of a monthly statement has its month as its cycle.
        return datetime.fromisoformat(f"{value}-01").replace(tzinfo=_zone(issued))
    return value if value is None or isinstance(value, str | int) else _decimal(value, kind)


def _decimal(value: Value, kind: Kind = "amount") -> Decimal:
    """Return a number with the same digits as in data formats."""
    return Decimal(as_data(value, kind))


def _zone(moment: Moment) -> fixed_zone:
    return fixed_zone(timedelta(seconds=moment.offset))


def _arrow(columns: Mapping[str, tuple[Kind, list[Cell]]]) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        return _polars(columns)
    types = {"text": pa.string(), "count": pa.int64(), "time": pa.timestamp("us", "UTC")}
    number = pa.decimal128(_PRECISION, _SCALE)
    return pa.table({key: pa.array(cells, types.get(kind, number)) for key, (kind, cells) in columns.items()})


def _polars(columns: Mapping[str, tuple[Kind, list[Cell]]]) -> Any:
    try:
        import polars as pl
    except ImportError:
        raise ImportError("to_arrow needs PyArrow or Polars; run: pip install pyarrow") from None
    types = {"text": pl.String(), "count": pl.Int64(), "time": pl.Datetime("us", "UTC")}
    number = pl.Decimal(_PRECISION, _SCALE)
    return pl.DataFrame([pl.Series(key, cells, types.get(kind, number)) for key, (kind, cells) in columns.items()])
