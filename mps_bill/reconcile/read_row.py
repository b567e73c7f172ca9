"""The cells of one exported row as values. The module is pure: the reader of the file gives the place of each cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import Kind, Place, Problem, quoted
from mps_bill.core.times import parse_instant
from mps_bill.core.units import MICROS
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ABSENT, EXPORT_OFFSET, ExportRow
from mps_bill.reconcile.export_columns import PAYMENTS, SPELLINGS, fee_of

T = TypeVar("T")

#: Decimal places of a number in an export: the provider computes with ten; an API's number may show more.
_MAX_PLACES = 15
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_MONTH = re.compile(r"([0-9]{4})-?(0[1-9]|1[0-2])")
_DAY = re.compile(r"([0-9]{4})-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])")
#: Dates rewritten by a spreadsheet program: with one meaning (2026/2/3 11:00), and without a known year or order of day and
#: month (3/2/2026, Feb-26, 46056.4583).
_SLASHED = re.compile(r"([0-9]{4})/([0-9]{1,2})(?:/([0-9]{1,2})(?:[ T]([0-9]{1,2}):([0-9]{2}(?::[0-9]{2})?))?)?")
_REWRITTEN = re.compile(
    r"[0-9].*([AP]M|上午|下午).*"
    r"|[0-9]{1,2}[/-][0-9]{1,2}[/-][0-9]{2,4}\b.*|[A-Za-z]{3}-[0-9]{2}|[0-9]{1,2}-[A-Za-z]{3}(-[0-9]{2,4})?.*"
    r"|[0-9]{5}(\.[0-9]+)?|[0-9]{2}:[0-9]{2}\.[0-9]|#+|[0-9]\.[0-9]+[eE]\+[0-9]+"
)
_PREPAID = frozenset({"预付费", "subscription"})
#: The texts of a row that are used unchanged.
_TEXTS = (
    *("product_code", "product", "instance", "instance_spec", "region"),
    *("item", "item_code", "price_unit", "usage_unit"),
)
MONEY = ("list_amount", "discount", "coupon", "round_down", "payable", *PAYMENTS, "paid", "adjust")
#: Fees that need a list amount. Only the payable counts of a row with an unknown fee type.
_PRICED = ("usage", "free")


def parse_amount(text: str, *, exponent: bool) -> Decimal:
    """Parse a number of an export, which may be negative. `exponent`: JSON writes small numbers as 1.0E-4, which is exact too.

    Raises:
        ValueError: the text is not a number; the message has an example.
    """
    match = _AMOUNT.fullmatch(text)
    if not match or (match[3] and not exponent):
        hint = " without thousands separators" if "," in text else ""
        raise ValueError(f"{quoted(text)} is not a number; write plain digits such as 12, 0.65 or -0.01{hint}")
    if len(match[2] or ".") - 1 - int((match[3] or "e0")[1:]) > _MAX_PLACES:
        raise ValueError(f"{quoted(text)} has more than {_MAX_PLACES} decimal places")
    return Decimal(text)


class Rewritten(ValueError):
    """A date that cannot be read any more because a spreadsheet program has rewritten it."""


def _plain_date(text: str) -> str:
    """The date in the provider's notation, if a spreadsheet program has rewritten it."""
    if match := _SLASHED.fullmatch(text):
        date = "-".join(f"{int(part):02}" for part in match.group(1, 2, 3) if part)
        return f"{date} {int(match[4]):02}:{match[5]}" if match[4] else date
    if _REWRITTEN.fullmatch(text):
        raise Rewritten(
            f"{quoted(text)} is a date as a spreadsheet program rewrites it; give the file as the provider exported it"
        )
    return text


def _parse_month(text: str) -> str:
    match = _MONTH.fullmatch(text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a month such as 2023-11")
    return f"{match[1]}-{match[2]}"


def _parse_day(text: str) -> str:
    match = _DAY.fullmatch(text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a day such as 2023-11-10")
    day = f"{match[1]}-{match[2]}-{match[3]}"
    parse_instant(f"{day}T00:00:00", EXPORT_OFFSET)
    return day


def _parse_time(text: str) -> int:
    return parse_instant(text, EXPORT_OFFSET) // MICROS


@dataclass(frozen=True, slots=True)
class Cells:
    """The stripped cells of a row by column; `place` returns the place of a cell, or of the row for "", and `names` has the
    file's name of each column.

    `exponent`: numbers may have an exponent. Errors are added to `problems`.
    """

    texts: Mapping[str, str]
    place: Callable[[str], Place]
    exponent: bool
    problems: list[Problem]
    names: Mapping[str, str]

    def text(self, column: str) -> str:
        """The text of a cell; empty if it is missing."""
        text = self.texts.get(column, "")
        return "" if text in ABSENT else text

    def report(self, column: str, kind: Kind, message: str) -> None:
        self.problems.append(Problem(self.place(column), kind, message))

    def number(self, column: str) -> Decimal | None:
        return self._parsed(column, kinds.BAD_AMOUNT, lambda text: parse_amount(text, exponent=self.exponent))

    def amounts(self, columns: Sequence[str]) -> dict[str, Decimal]:
        """The money columns of the export; an empty cell is 0."""
        return {column: self.number(column) or ZERO for column in columns if column in self.texts}

    def money(self, columns: Sequence[str]) -> dict[str, Decimal]:
        """The money columns of the export, with cash and refunded credit together as `cash`."""
        amounts = self.amounts(columns)
        paid, adjust = amounts.pop("paid", None), amounts.pop("adjust", ZERO)
        parts = amounts["cash"] + adjust if "cash" in amounts else paid
        if parts is not None:
            amounts["cash"] = parts if paid is None else paid
            # Without a column for refunded credit, cash may lack it.
            if "adjust" in self.texts and amounts["cash"] != parts:
                amounts["cash_gap"] = amounts["cash"] - parts
        return amounts

    def time(self, column: str, parse: Callable[[str], T]) -> T | None:
        def parsed(text: str) -> T:
            plain = _plain_date(text)
            try:
                return parse(plain)
            except ValueError as error:
                # The message quotes the text of the file.
                raise ValueError(str(error).replace(quoted(plain), quoted(text))) from None

        return self._parsed(column, kinds.BAD_TIME, parsed)

    def _parsed(self, column: str, kind: Kind, parse: Callable[[str], T]) -> T | None:
        text = self.text(column)
        if not text:
            return None
        try:
            return parse(text)
        except Rewritten as error:
            self.report(column, kinds.REWRITTEN_TIME, str(error))
        except ValueError as error:
            self.report(column, kind, str(error))
        return None


def read_row(cells: Cells, currency: str) -> ExportRow | None:
    """Make a row of the cells, or return None and report problems. `currency` is that of the run."""
    before = len(cells.problems)
    fee = _fee(cells)
    for column in ("list_amount", "payable") if fee in _PRICED else ("payable",):
        if not cells.text(column):
            cells.report(column, kinds.BAD_AMOUNT, f"the row has no {cells.names.get(column, SPELLINGS[column][0])}")
    if cells.text("currency") not in ("", currency):
        message = f"the row is in {quoted(cells.text('currency'))}, and the price sheets are in {currency}"
        cells.report("currency", kinds.OTHER_CURRENCY, message)
    month, day = cells.time("month", _parse_month), cells.time("day", _parse_day)
    start, end = cells.time("start", _parse_time), cells.time("end", _parse_time)
    if len(cells.problems) == before:
        if start is None and not day and not month:
            cells.report("", kinds.NO_PERIOD, "the row has no start, no day and no month of its usage")
        if start is not None and end is not None and end <= start:
            cells.report("end", kinds.BAD_PERIOD, f"{quoted(cells.text('end'))} is not after the start of the row")
    usage, plan = _usage(cells)
    amounts = cells.money(MONEY)
    if fee not in _PRICED and not cells.text("list_amount"):
        amounts["list_amount"] = amounts.get("payable", ZERO)
    row = ExportRow(
        place=cells.place(""),
        month=month or "",
        day=day or "",
        start=start,
        end=end,
        fee=fee,
        bill_type=cells.text("bill_type") or cells.text("fee"),
        # Free usage has no price; the export writes 0.
        list_price=None if fee == "free" else cells.number("list_price"),
        usage=usage,
        plan=plan,
        amounts=amounts,
        **{column: cells.text(column) for column in _TEXTS},
    )
    return row if len(cells.problems) == before else None


def _fee(cells: Cells) -> str:
    """The fee of the row: empty for an unknown fee type; unknown bill types are usage."""
    if cells.text("subscription").casefold() in _PREPAID:
        return "prepaid"
    if cells.text("fee"):
        return fee_of(cells.text("fee")) or ""
    return fee_of(cells.text("bill_type")) or "usage"


def _usage(cells: Cells) -> tuple[Decimal | None, Decimal | None]:
    """The usage and the part that resource plans covered. The newest export has the usage before and after the deduction."""
    before, usage, plan = (cells.number(column) for column in ("usage_before", "usage", "plan"))
    if before is None:
        return usage, plan
    left = before if usage is None else usage
    if left > before:
        cells.report("usage", kinds.BAD_AMOUNT, f"{left} is more than the usage before deduction, {before}")
    return before, before - left if plan is None else plan
