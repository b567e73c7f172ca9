"""The sums of bills by hour, day, month, item, family, spec, region or tag, or by a combination of these.

Roundings and payments belong to whole bills. If a summary splits bills, the roundings have rows of their own, so that every
column adds up to the sum of the bills; payments are split over the lines (`settlement/attribution.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import repeat

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, scaled
from mps_bill.core.shares import split_whole
from mps_bill.core.times import Calendar, clock
from mps_bill.core.units import Unit, ticks_of
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.rating.bills import Amounts, Bill, StatementMonth
from mps_bill.rating.lines import LineItem
from mps_bill.rating.selection import LINE_KEYS, parts_by

PERIODS = ("hour", "day", "month")
#: The groupings of summaries, except tags.
GROUPINGS = (*PERIODS, *LINE_KEYS)
#: The kinds of rows: sums of lines or whole bills, roundings of bills, monthly statements.
SUM, ROUNDING, STATEMENT = "sum", "rounding_adjustment", "statement"
#: The kind of the row for all other values, if only the largest are shown.
OTHERS = "others"

#: Amounts by payment source, including `outstanding` and `frozen`.
Paid = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Billed:
    """A bill or a monthly statement with its payments. For a bill, `paid_by_line` returns the payments of each line, and after
    them those of a rounding up."""

    bill: Bill | StatementMonth
    paid: Paid = field(default_factory=dict)
    paid_by_line: Callable[[], Sequence[Paid]] = tuple


@dataclass(slots=True)
class SummaryRow:
    """The sum of the lines or bills with the same values. `keys` has a value for every grouping; None for groupings of lines in a
    row of whole bills. `micros` is the quantity by unit."""

    kind: str
    keys: tuple[str | None, ...]
    bills: int = 0
    records: int = 0
    micros: dict[Unit, int] = field(default_factory=dict)
    list_amount: Decimal = ZERO
    discount: Decimal = ZERO
    rounding: Decimal = ZERO
    paid: dict[str, Decimal] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        """The part of the payable amount; for parts of bills the part of the net amount."""
        return self.list_amount - self.discount + self.rounding

    @property
    def quantity(self) -> tuple[int, Unit] | None:
        """The quantity, if all of it has one unit."""
        return next(((micros, unit) for unit, micros in self.micros.items()), None) if len(self.micros) == 1 else None

    def add_line(self, line: LineItem) -> None:
        self.records += line.records
        self.micros[line.item.unit] = self.micros.get(line.item.unit, 0) + line.micros
        self.list_amount += line.amount
        self.discount += line.discount

    def add_bill(self, bill: Bill) -> None:
        self.bills += 1
        self.rounding += bill.amounts.rounding_adjustment
        for line in bill.lines:
            self.add_line(line)

    def add_paid(self, paid: Paid) -> None:
        for source, amount in paid.items():
            self.paid[source] = self.paid.get(source, ZERO) + amount

    def add(self, other: SummaryRow) -> None:
        self.bills += other.bills
        self.records += other.records
        for unit, micros in other.micros.items():
            self.micros[unit] = self.micros.get(unit, 0) + micros
        self.list_amount += other.list_amount
        self.discount += other.discount
        self.rounding += other.rounding
        self.add_paid(other.paid)


@dataclass(frozen=True, slots=True)
class Summary:
    """The rows in order, and their sum. `of_bills`: it is by periods only, so that every row is a sum of whole bills. `items` are
    those of the price sheets, by code."""

    by: tuple[str, ...]
    rows: tuple[SummaryRow, ...]
    total: SummaryRow
    amounts: Amounts
    of_bills: bool
    has_discounts: bool
    items: Mapping[str, Item]


def summarise(billed: Sequence[Billed], by: tuple[str, ...], tags: Sequence[str], *, is_part: bool = False) -> Summary:
    """Return the summary by some groupings. Those that are tags are in `tags`, the tags of the run in their order. `is_part`: the
    bills are parts of bills."""
    rows = _Rows(by, tags)
    for one in billed:
        if isinstance(one.bill, StatementMonth):
            rows.add_statement(one.bill, one.paid)
        elif rows.of_bills:
            row = rows.row(SUM, tuple(rows.periods(one.bill).values()))
            row.add_bill(one.bill)
            row.add_paid(one.paid)
        else:
            rows.add_lines(one.bill, one.paid_by_line())
    items = listed_items(one.bill for one in billed if isinstance(one.bill, Bill))
    total = SummaryRow(SUM, tuple(None for _ in by))
    for row in rows.found.values():
        total.add(row)
    return Summary(
        by,
        tuple(sorted(rows.found.values(), key=_order(by, items))),
        total,
        Amounts(total.list_amount, total.discount, total.rounding, is_part),
        rows.of_bills,
        any(row.discount for row in rows.found.values()),
        {item.code: item for item in items},
    )


class _Rows:
    """The rows of a summary under construction, by kind and keys."""

    def __init__(self, by: tuple[str, ...], tags: Sequence[str]) -> None:
        of_lines = [grouping for grouping in by if grouping not in PERIODS]
        self.found: dict[tuple[str, tuple[str | None, ...]], SummaryRow] = {}
        self.of_bills = not of_lines
        self._by = by
        self._parts = parts_by(of_lines, tags)
        #: Where each grouping is among the values of a line: periods first.
        self._places = [[*(one for one in by if one in PERIODS), *of_lines].index(grouping) for grouping in by]

    def row(self, kind: str, keys: tuple[str | None, ...]) -> SummaryRow:
        return self.found.get((kind, keys)) or self.found.setdefault((kind, keys), SummaryRow(kind, keys))

    def periods(self, bill: Bill) -> dict[str, str]:
        calendar, start = bill.cycle.sheet.billing.calendar, bill.cycle.start
        return {grouping: period_at(start, calendar, grouping) for grouping in self._by if grouping in PERIODS}

    def add_statement(self, month: StatementMonth, paid: Paid) -> None:
        keys = tuple(month.month if grouping == "month" else None for grouping in self._by)
        row = self.row(SUM if keys == (month.month,) else STATEMENT, keys)
        row.rounding += month.amounts.rounding_adjustment
        row.add_paid(paid)

    def add_lines(self, bill: Bill, paid: Sequence[Paid]) -> None:
        """Add the lines of a bill, and its rounding in a row of its own; `paid` is as in `Billed`."""
        periods = self.periods(bill)
        for number, line in enumerate(bill.lines):
            parts = list(self._parts(line))
            shares = _shares(paid[number], [part for _, part in parts]) if paid else repeat({})
            for (values, part), share in zip(parts, shares, strict=False):
                found = (*periods.values(), *values)
                row = self.row(SUM, tuple([found[place] for place in self._places]))
                row.add_line(part)
                row.add_paid(share)
        if bill.amounts.rounding_adjustment:
            row = self.row(ROUNDING, tuple(map(periods.get, self._by)))
            row.rounding += bill.amounts.rounding_adjustment
            row.add_paid(paid[-1] if paid else {})


def largest(summary: Summary, maximum: int) -> Summary:
    """Return the summary with at most `maximum` rows of values: the largest, and one row for all others. Roundings and statements
    keep their rows."""
    values = sorted((row for row in summary.rows if row.kind == SUM), key=lambda row: -abs(row.amount))
    if len(values) <= maximum:
        return summary
    others = SummaryRow(OTHERS, tuple(None for _ in summary.by))
    small = {id(row) for row in values[maximum - 1 :]}
    for row in values[maximum - 1 :]:
        others.add(row)
    kept = [row for row in summary.rows if id(row) not in small]
    number = sum(row.kind == SUM for row in kept)
    return replace(summary, rows=(*kept[:number], others, *kept[number:]))


def _shares(paid: Paid, parts: Sequence[LineItem]) -> Sequence[Paid]:
    """Return the payments of each part of a line. Each payment is split in proportion to what is unpaid of the parts, so that the
    payments of a part add up to its net amount if the line is fully paid."""
    if len(parts) == 1:
        return [paid]
    unpaid = [ticks_of(part.net) for part in parts]
    shares: list[dict[str, Decimal]] = [{} for _ in parts]
    for source, amount in paid.items():
        for number, ticks in enumerate(split_whole(ticks_of(amount), unpaid)):
            unpaid[number] -= ticks
            shares[number][source] = scaled(ticks, AMOUNT_PLACES) if ticks else ZERO
    return shares


def listed_items(bills: Iterable[Bill]) -> list[Item]:
    """Return the items of the price sheets of bills, in the order of the sheets. Every version of a sheet has its own items."""
    sheets = {bill.cycle.sheet.ref: bill.cycle.sheet for bill in bills}
    return [item for _, sheet in sorted(sheets.items()) for item in sheet.items.values()]


def _order(by: tuple[str, ...], items: Sequence[Item]) -> Callable[[SummaryRow], tuple[tuple[bool, int, str], ...]]:
    """Return the sort key of rows: periods by time; keys of lines in the order of the price sheets, if they have it; other keys
    and tags by their values; roundings and statements after the rows they belong to."""
    listed = {
        name: dict.fromkeys(value for item in items for value in LINE_KEYS[name].values(item))
        for name in by
        if name in LINE_KEYS and LINE_KEYS[name].in_sheet_order
    }
    ranks = {name: {value: rank for rank, value in enumerate(values)} for name, values in listed.items()}

    def key(row: SummaryRow) -> tuple[tuple[bool, int, str], ...]:
        places = [
            (
                value is None,
                ranks[grouping].get(value, 0) if grouping in ranks and value is not None else 0,
                value or "",
            )
            for grouping, value in zip(by, row.keys, strict=True)
        ]
        return (*places, (row.kind != SUM, 0, row.kind))

    return key


def period_at(second: int, calendar: Calendar, period: str) -> str:
    """Return the hour, day or month of a second on the billing clock, for people."""
    if period == "month":
        return calendar.month(second)
    return calendar.day(second) if period == "day" else clock(second, calendar.offset)
