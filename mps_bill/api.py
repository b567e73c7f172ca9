"""The program as a library: `from mps_bill import bill, settle, load_prices, load_account, InputRejected`.

A thin layer over `pipeline`: names of files in, values out. Amounts and quantities are `Decimal`, times are `datetime` with
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
from mps_bill.metering.meter_options import EngineName, MeterOptions
from mps_bill.metering.sources import UsageSource, usage_sources
from mps_bill.pipeline import BillRun, SettleRun, Settling, bill_usage, settle_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Amounts
from mps_bill.rating.contract import LIST_PRICES
from mps_bill.render.cells import as_data
from mps_bill.settlement.account import Account
from mps_bill.view.tables import Kind, Moment, Record, Records, Value

__all__ = ["Account", "BillResult", "InputRejected", "PriceBook", "Problem", "SettleResult", "bill", "load_account",
           "load_prices", "settle"]  # fmt: skip

#: The name of a file or a folder.
Name = str | os.PathLike[str]
#: A value of a row.
Cell = str | int | Decimal | datetime | None
#: The decimals of every price, amount and quantity in Arrow: none has more than ten decimal places.
_PRECISION, _SCALE = 38, 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_ERRORS = 1000
Run = TypeVar("Run")


def load_prices(*sheets: Name) -> PriceBook:
    """The price sheets that bills are made by.

    Args:
        sheets: Files, folders of them, globs, and ids of shipped sheets such as `mps-china`.

    Raises:
        InputRejected: with every problem of every sheet.
    """
    from mps_bill.price_sheet.load_sheets import load_price_book

    return accepted(*load_price_book([os.fspath(sheet) for sheet in sheets]))


def load_account(file: Name, prices: PriceBook) -> Account:
    """The account in a file, held against the price sheets. The file is not locked and never written.

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
    """Itemised bills for usage files of one account, one for each billing cycle.

    Args:
        usage: A usage file or several: CSV, packed CSV, Parquet, or globs.
        account: The account by whose contract it is billed; nothing is paid.
        as_of: Bills issued later are pending, and in no sum. It has an offset.
        timezone: The offset of times that are written without one, such as `+08:00`.
        ignore_extra_columns: Pass over unknown columns, which are refused otherwise.
        bill_good_rows: Bill the good rows where others are bad; `problems` of the result has what is wrong with those.
        max_errors: The maximum number of problems that are listed one by one.
        engine: What reads the usage: `auto` chooses by size.

    Raises:
        InputRejected: with the problems of the usage; nothing is billed then.
        ValueError: `as_of` or `timezone` has no offset, or there is no such engine.
        TypeError: `prices` is not a price book, or `as_of` not a time.
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
    """Bills for usage files, each paid from the account at the time of its issue. The account given stays as it is;
    `account` of the result is the one after the run, from which the next run can go on.

    Usage of cycles that the account has settled is late: it is listed and not charged.

    Args:
        close_months: Let time pass until the statements of all months are issued, under monthly settlement.
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
    """What a run found: its sums, where every row of the usage went, and its rows. `notices` are what a person should know of how
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
        """What the contract takes off."""
        return _decimal(self._amounts.discount)

    @property
    def rounding_adjustment(self) -> Decimal:
        """What the rounding of bills adds, mostly below zero."""
        return _decimal(self._amounts.rounding_adjustment)

    @property
    def payable(self) -> Decimal:
        """`list_amount` - `discount` + `rounding_adjustment`."""
        with decimal.localcontext(EXACT):
            return _decimal(self._amounts.payable)

    @property
    def control_totals(self) -> dict[str, int]:
        """Where every row went: `rows_read` is the sum of the others."""
        return asdict(self._run.control_totals)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the rows that were rejected, with `bill_good_rows`."""
        return tuple(self._run.problems.shown)

    def to_dicts(self) -> list[dict[str, Cell]]:
        """The rows of `--format csv`: one for each line, discount and rounding, so that `amount` adds up to `payable`; of a
        settlement also one for each deduction, so that `paid` does. Every row has all keys; what it lacks is None."""
        with decimal.localcontext(EXACT):
            records = self._records()
            return [
                {column.key: _cell(row.get(column.key), column.kind, row) for column in records.columns}
                for row in records.rows
            ]

    def to_arrow(self) -> Any:
        """The rows of `to_dicts` as a `pyarrow.Table` or, where only Polars is installed, as a `polars.DataFrame`. Prices,
        amounts and quantities are decimal128(38, 10), times are in UTC, counts are int64.

        Raises:
            ImportError: neither PyArrow nor Polars is installed.
        """
        rows = self.to_dicts()
        keys = {column.key: column.kind for column in self._records().columns}
        return _arrow({key: (kind, [row[key] for row in rows]) for key, kind in keys.items()})


@dataclass(frozen=True, slots=True, repr=False)
class BillResult(_Result):
    """The bills of a run: those that are issued are in the sums, pending ones (`as_of`) only among the rows."""

    _run: BillRun

    def _records(self) -> Records:
        from mps_bill.view.bill_view import BillView

        return BillView(self._run).records()


@dataclass(frozen=True, slots=True, repr=False)
class SettleResult(_Result):
    """The bills of a run, and what paid each: `payable` is the sum of `paid`, `outstanding` and `frozen`."""

    _run: SettleRun

    @property
    def account(self) -> Account:
        """The account after the run."""
        return self._run.settled.closing

    @property
    def paid(self) -> dict[str, Decimal]:
        """What each source of money has paid, in the order of payment."""
        return {source: _decimal(amount) for source, amount in self._run.totals.paid.items()}

    @property
    def outstanding(self) -> Decimal:
        """What no source has paid."""
        return _decimal(self._run.totals.outstanding)

    @property
    def frozen(self) -> Decimal:
        """What is held until its month is stated, under monthly settlement."""
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
    """What `run` makes of the usage files, and what was reported of them."""
    names = [usage] if isinstance(usage, str | os.PathLike) else usage
    notices: list[str] = []
    with usage_sources([os.fspath(name) for name in names]) as (sources, problems):
        if problems:
            raise InputRejected(problems)
        return run(sources, replace(options, notify=notices.append)), tuple(notices)


def _check_book(prices: object) -> None:
    """Names of sheets in the place of the book that they make are the most frequent slip."""
    if not isinstance(prices, PriceBook):
        raise TypeError("prices are what load_prices returns, such as load_prices('mps-china')")


def _second(time: datetime | None) -> int | None:
    if time is not None and not isinstance(time, datetime):
        raise TypeError("a time is a datetime, such as datetime.fromisoformat('2023-11-10T14:00:00+08:00')")
    if time is not None and time.tzinfo is None:
        raise ValueError("a time needs an offset, as datetime.fromisoformat('2023-11-10T14:00:00+08:00') has")
    return None if time is None else (time - _EPOCH) // timedelta(seconds=1)


def _cell(value: Value, kind: Kind, row: Record) -> Cell:
    """A value of a row as one of Python."""
    if isinstance(value, Moment):
        return datetime.fromtimestamp(value.second, _zone(value))
    issued = row["issued_at"]
    if kind == "time" and isinstance(value, str) and isinstance(issued, Moment):
        # The row of a monthly statement has its month for a cycle.
        return datetime.fromisoformat(f"{value}-01").replace(tzinfo=_zone(issued))
    return value if value is None or isinstance(value, str | int) else _decimal(value, kind)


def _decimal(value: Value, kind: Kind = "amount") -> Decimal:
    """A number with the digits that programs are shown."""
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
