"""The cells of one exported row as values. Pure: whoever reads the file says where a cell stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from mps_bill.core.diagnostics import Kind, Place, Problem, quoted
from mps_bill.core.times import parse_instant
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ABSENT, EXPORT_OFFSET, StatementRow
from mps_bill.reconcile.export_columns import PAYMENTS, SPELLINGS

#: Digits of a number in an export: the provider computes with ten decimals; an API's number may show more.
_MOST_PLACES = 15
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_MONTH = re.compile(r"([0-9]{4})-?(0[1-9]|1[0-2])")
_DAY = re.compile(r"([0-9]{4})-?(0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])")
_PREPAID = frozenset({"预付费", "subscription"})
MONEY = ("list_amount", "discount", "coupon", "round_down", "payable", *PAYMENTS)

#: Line and column of a cell, by the column's name ("" for the row).
Where = Callable[[str], Place]


def parse_amount(text: str, *, exponent: bool) -> Decimal:
    """A number of an export, which may be below zero. `exponent`: JSON writes small numbers as 1.0E-4, which is exact too.

    Raises:
        ValueError: it is something else; the message says what is wanted.
    """
    match = _AMOUNT.fullmatch(text)
    if not match or (match[3] and not exponent):
        hint = " without separators of thousands" if "," in text else ""
        raise ValueError(f"{quoted(text)} is not a number; write plain digits such as 12, 0.65 or -0.01{hint}")
    value = Decimal(text)
    places = value.as_tuple().exponent
    if isinstance(places, int) and places < -_MOST_PLACES:
        raise ValueError(f"{quoted(text)} has more than {_MOST_PLACES} decimals")
    return value


class RowReader:
    """Reads rows of one file; what is wrong is added to `problems`."""

    def __init__(self, problems: list[Problem], *, currency: str, exponent: bool) -> None:
        self._problems = problems
        self._currency = currency
        self._exponent = exponent

    def amounts(self, cells: Mapping[str, str], where: Where, columns: tuple[str, ...] = MONEY) -> dict[str, Decimal]:
        """The columns of money that the row has; an empty cell is 0."""
        found: dict[str, Decimal] = {}
        for column in columns:
            if column in cells:
                value = self._number(cells, column, where)
                found[column] = Decimal(0) if value is None else value
        return found

    def row(self, cells: Mapping[str, str], where: Where) -> StatementRow | None:
        """The row that the cells (without blanks around them) make, or None and problems."""
        told = len(self._problems)
        for column in ("list_amount", "payable"):
            if cells.get(column, "") in ABSENT:
                self._tell(where(column), kinds.BAD_AMOUNT, f"there is no {SPELLINGS[column][0]} in this row")
        currency = _text(cells, "currency")
        if currency and currency != self._currency:
            message = f"the row is in {quoted(currency)}, and the price sheets are in {self._currency}"
            self._tell(where("currency"), kinds.OTHER_CURRENCY, message)
        month, day = self._month(cells, where), self._day(cells, where)
        start, end = self._time(cells, "start", where), self._time(cells, "end", where)
        if len(self._problems) == told:
            if start is None and not day and not month:
                self._tell(
                    where(""), kinds.NO_PERIOD, "the row has no time: no start, no day and no month of its usage"
                )
            if start is not None and end is not None and end <= start:
                self._tell(where("end"), kinds.BAD_PERIOD, f"{quoted(cells['end'])} is not after the start of the row")
        row = StatementRow(
            place=where(""),
            month=month,
            day=day,
            start=start,
            end=end,
            product_code=_text(cells, "product_code"),
            product=_text(cells, "product"),
            prepaid=_text(cells, "subscription").casefold() in _PREPAID,
            bill_type=_text(cells, "bill_type"),
            instance=_text(cells, "instance"),
            instance_spec=_text(cells, "instance_spec"),
            region=_text(cells, "region"),
            item=_text(cells, "item"),
            item_code=_text(cells, "item_code"),
            list_price=self._number(cells, "list_price", where),
            price_unit=_text(cells, "price_unit"),
            usage=self._number(cells, "usage", where),
            usage_unit=_text(cells, "usage_unit"),
            plan=self._number(cells, "plan", where),
            amounts=self.amounts(cells, where),
        )
        return row if len(self._problems) == told else None

    def _tell(self, place: Place, kind: Kind, message: str) -> None:
        self._problems.append(Problem(place, kind, message))

    def _number(self, cells: Mapping[str, str], column: str, where: Where) -> Decimal | None:
        text = _text(cells, column)
        if not text:
            return None
        try:
            return parse_amount(text, exponent=self._exponent)
        except ValueError as error:
            self._tell(where(column), kinds.BAD_AMOUNT, str(error))
            return None

    def _time(self, cells: Mapping[str, str], column: str, where: Where) -> int | None:
        text = _text(cells, column)
        if not text:
            return None
        try:
            instant = parse_instant(text, EXPORT_OFFSET)
        except ValueError as error:
            self._tell(where(column), kinds.BAD_TIME, str(error))
            return None
        return instant // 1_000_000

    def _month(self, cells: Mapping[str, str], where: Where) -> str:
        text = _text(cells, "month")
        match = _MONTH.fullmatch(text)
        if text and not match:
            self._tell(where("month"), kinds.BAD_TIME, f"{quoted(text)} is not a month such as 2023-11")
        return f"{match[1]}-{match[2]}" if match else ""

    def _day(self, cells: Mapping[str, str], where: Where) -> str:
        text = _text(cells, "day")
        match = _DAY.fullmatch(text)
        if text and not match:
            self._tell(where("day"), kinds.BAD_TIME, f"{quoted(text)} is not a day such as 2023-11-10")
        day = f"{match[1]}-{match[2]}-{match[3]}" if match else ""
        if day:
            try:
                parse_instant(f"{day}T00:00:00", EXPORT_OFFSET)
            except ValueError as error:
                self._tell(where("day"), kinds.BAD_TIME, str(error))
        return day


def _text(cells: Mapping[str, str], column: str) -> str:
    text = cells.get(column, "")
    return "" if text in ABSENT else text
