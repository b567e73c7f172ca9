"""The cells of one exported row as values. Pure: whoever reads the file knows the place of a cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TypeVar

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import Kind, Place, Problem, quoted
from mps_bill.core.times import parse_instant
from mps_bill.core.units import MICROS
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ABSENT, EXPORT_OFFSET, ExportRow
from mps_bill.reconcile.export_columns import PAYMENTS, SPELLINGS

T = TypeVar("T")

#: Decimal places of a number in an export: the provider computes with ten; an API's number may show more.
_MAX_PLACES = 15
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_MONTH = re.compile(r"([0-9]{4})-?(0[1-9]|1[0-2])")
_DAY = re.compile(r"([0-9]{4})-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])")
_PREPAID = frozenset({"预付费", "subscription"})
MONEY = ("list_amount", "discount", "coupon", "round_down", "payable", *PAYMENTS)


def parse_amount(text: str, *, exponent: bool) -> Decimal:
    """A number of an export, which may be below zero. `exponent`: JSON writes small numbers as 1.0E-4, which is exact too.

    Raises:
        ValueError: it is not one; the message has an example.
    """
    match = _AMOUNT.fullmatch(text)
    if not match or (match[3] and not exponent):
        hint = " without thousands separators" if "," in text else ""
        raise ValueError(f"{quoted(text)} is not a number; write plain digits such as 12, 0.65 or -0.01{hint}")
    if len(match[2] or ".") - 1 - int((match[3] or "e0")[1:]) > _MAX_PLACES:
        raise ValueError(f"{quoted(text)} has more than {_MAX_PLACES} decimal places")
    return Decimal(text)


#: Numbers as CSV and as JSON write them.
plain_amount = partial(parse_amount, exponent=False)
json_amount = partial(parse_amount, exponent=True)


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
    """The cells of a row by column, without spaces around them; `place` gives the place of a cell, or of the row for "".

    `parse_number` is for numbers as the file writes them. What is wrong is added to `problems`.
    """

    texts: Mapping[str, str]
    place: Callable[[str], Place]
    parse_number: Callable[[str], Decimal]
    problems: list[Problem]

    def text(self, column: str) -> str:
        """The text of a cell; empty where it is absent."""
        text = self.texts.get(column, "")
        return "" if text in ABSENT else text

    def report(self, column: str, kind: Kind, message: str) -> None:
        self.problems.append(Problem(self.place(column), kind, message))

    def number(self, column: str) -> Decimal | None:
        return self._parsed(column, kinds.BAD_AMOUNT, self.parse_number)

    def amounts(self, columns: Sequence[str]) -> dict[str, Decimal]:
        """The columns of money that the export has; an empty cell is 0."""
        return {column: self.number(column) or ZERO for column in columns if column in self.texts}

    def time(self, column: str, parse: Callable[[str], T]) -> T | None:
        return self._parsed(column, kinds.BAD_TIME, parse)

    def _parsed(self, column: str, kind: Kind, parse: Callable[[str], T]) -> T | None:
        text = self.text(column)
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.report(column, kind, str(error))
            return None


def read_row(cells: Cells, currency: str) -> ExportRow | None:
    """The row that the cells make, or None and problems. `currency` is that of the run."""
    before = len(cells.problems)
    for column in ("list_amount", "payable"):
        if not cells.text(column):
            cells.report(column, kinds.BAD_AMOUNT, f"the row has no {SPELLINGS[column][0]}")
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
    row = ExportRow(
        place=cells.place(""),
        month=month or "",
        day=day or "",
        start=start,
        end=end,
        product_code=cells.text("product_code"),
        product=cells.text("product"),
        prepaid=cells.text("subscription").casefold() in _PREPAID,
        bill_type=cells.text("bill_type"),
        instance=cells.text("instance"),
        instance_spec=cells.text("instance_spec"),
        region=cells.text("region"),
        item=cells.text("item"),
        item_code=cells.text("item_code"),
        list_price=cells.number("list_price"),
        price_unit=cells.text("price_unit"),
        usage=cells.number("usage"),
        usage_unit=cells.text("usage_unit"),
        plan=cells.number("plan"),
        amounts=cells.amounts(MONEY),
    )
    return row if len(cells.problems) == before else None
