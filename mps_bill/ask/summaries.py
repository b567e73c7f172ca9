"""What bills come to by hour, day, month, item, family, spec, region or tag, or by several of these at once.

A rounding belongs to a whole bill, and a payment too. Where a summary is by something that a bill has several of, the
roundings stand in a row of their own, so that every column adds up to that of the bills; payments are split over the lines
(`settlement/attribution.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import repeat

from mps_bill.core.decimals import ZERO
from mps_bill.core.shares import split_amount
from mps_bill.core.times import Calendar, clock
from mps_bill.core.units import Unit
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.rating.bills import Amounts, Bill, StatementMonth
from mps_bill.rating.lines import LineItem
from mps_bill.rating.selection import LINE_KEYS, parts_by

PERIODS = ("hour", "day", "month")
#: What a summary can be by, beside tags.
GROUPINGS = (*PERIODS, *LINE_KEYS)
#: What the figures of a row are of: lines (or whole bills), the roundings of bills, or monthly statements.
SUM, ROUNDING, STATEMENT = "sum", "rounding_adjustment", "statement"
#: Where only the largest are shown: all other values.
OTHERS = "others"

#: Amounts by what paid them, `outstanding` and `frozen` among it.
Paid = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Billed:
    """A bill or a monthly statement, what paid it, and, of a bill, what paid each of its lines and,
    behind them, a rounding up."""

    bill: Bill | StatementMonth
    paid: Paid = field(default_factory=dict)
    paid_by_line: Callable[[], Sequence[Paid]] = tuple


@dataclass(slots=True)
class SummaryRow:
    """What the lines or bills with the same values come to. `keys` has a value for every grouping, None where the row is of
    whole bills and the grouping is of lines. `micros` is the quantity by unit."""

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
    def comes_to(self) -> Decimal:
        """The part of what is payable, or, of parts of bills, of the net amount."""
        return self.list_amount - self.discount + self.rounding

    @property
    def quantity(self) -> tuple[int, Unit] | None:
        """The quantity, where everything is of one unit."""
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
    """The rows in order, and what they add up to. `of_bills`: it is by periods alone, so that every row is of whole bills.
    `items` are those of the price sheets, by code."""

    by: tuple[str, ...]
    rows: tuple[SummaryRow, ...]
    total: SummaryRow
    amounts: Amounts
    of_bills: bool
    has_discounts: bool
    items: Mapping[str, Item]


def summarise(billed: Sequence[Billed], by: tuple[str, ...], tags: Sequence[str], *, is_part: bool = False) -> Summary:
    """The summary by some groupings, of which tags are among the `tags` of the run, in its order. `is_part`: the bills are
    parts of bills."""
    of_lines = [grouping for grouping in by if grouping not in PERIODS]
    of_bills, by_tags = not of_lines, any(grouping in tags for grouping in by)
    parts = parts_by(of_lines, tags)
    places = [[*(one for one in by if one in PERIODS), *of_lines].index(grouping) for grouping in by]
    rows: dict[tuple[str, tuple[str | None, ...]], SummaryRow] = {}

    def row(kind: str, keys: tuple[str | None, ...]) -> SummaryRow:
        return rows.get((kind, keys)) or rows.setdefault((kind, keys), SummaryRow(kind, keys))

    for one in billed:
        bill = one.bill
        if isinstance(bill, StatementMonth):
            keys = tuple(bill.month if grouping == "month" else None for grouping in by)
            kept = row(SUM if keys == (bill.month,) else STATEMENT, keys)
            kept.rounding += bill.amounts.rounding_adjustment
            kept.add_paid(one.paid)
            continue
        calendar, start = bill.cycle.sheet.billing.calendar, bill.cycle.start
        periods = {grouping: period_at(start, calendar, grouping) for grouping in by if grouping in PERIODS}
        if of_bills:
            kept = row(SUM, tuple(periods[grouping] for grouping in by))
            kept.add_bill(bill)
            kept.add_paid(one.paid)
            continue
        paid = one.paid_by_line()
        for number, line in enumerate(bill.lines):
            shares = _shares(paid[number], line, split=by_tags) if paid else repeat({})
            for (values, part), share in zip(parts(line), shares, strict=False):
                found = (*periods.values(), *values)
                kept = row(SUM, tuple([found[place] for place in places]))
                kept.add_line(part)
                kept.add_paid(share)
        if bill.amounts.rounding_adjustment:
            kept = row(ROUNDING, tuple(map(periods.get, by)))
            kept.rounding += bill.amounts.rounding_adjustment
            kept.add_paid(paid[-1] if paid else {})
    items = listed_items(one.bill for one in billed if isinstance(one.bill, Bill))
    total = SummaryRow(SUM, tuple(None for _ in by))
    for one_row in rows.values():
        total.add(one_row)
    return Summary(
        by,
        tuple(sorted(rows.values(), key=_order(by, items))),
        total,
        Amounts(total.list_amount, total.discount, total.rounding, is_part),
        of_bills,
        any(row.discount for row in rows.values()),
        {item.code: item for item in items},
    )


def largest(summary: Summary, maximum: int) -> Summary:
    """The summary with a row for each of at most so many values, the largest, and one row for all others; roundings and
    statements keep theirs."""
    values = sorted((row for row in summary.rows if row.kind == SUM), key=lambda row: -abs(row.comes_to))
    if len(values) <= maximum:
        return summary
    others = SummaryRow(OTHERS, tuple(None for _ in summary.by))
    small = {id(row) for row in values[maximum - 1 :]}
    for row in values[maximum - 1 :]:
        others.add(row)
    kept = [row for row in summary.rows if id(row) not in small]
    number = sum(row.kind == SUM for row in kept)
    return replace(summary, rows=(*kept[:number], others, *kept[number:]))


def _shares(paid: Paid, line: LineItem, *, split: bool) -> Sequence[Paid]:
    """What paid a line, or each part of one that is `split` by its tags."""
    weights = [("", share.micros) for share in line.charge.shares]
    if not split or len(weights) == 1:
        return [paid]
    shares = {source: [part for _, part in split_amount(amount, weights)] for source, amount in paid.items()}
    return [{source: amounts[number] for source, amounts in shares.items()} for number in range(len(weights))]


def listed_items(bills: Iterable[Bill]) -> list[Item]:
    """The items of the price sheets of bills, in the order of the sheets; of several versions of a sheet those of each."""
    sheets = {bill.cycle.sheet.ref: bill.cycle.sheet for bill in bills}
    return [item for _, sheet in sorted(sheets.items()) for item in sheet.items.values()]


def _order(by: tuple[str, ...], items: Sequence[Item]) -> Callable[[SummaryRow], tuple[tuple[bool, int, str], ...]]:
    """Periods by time; items, families and specs as the price sheets list them; regions and tags by name; roundings and
    statements behind what they belong to."""
    listed: Mapping[str, Iterable[str]] = {
        "item": (item.code for item in items),
        "family": (item.family for item in items),
        "spec": (spec for item in items for spec in item.prices),
    }
    ranks = {name: {value: rank for rank, value in enumerate(dict.fromkeys(values))} for name, values in listed.items()}

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
    """The hour, day or month that holds a second, as people read it on the billing clock."""
    if period == "month":
        return calendar.month(second)
    return calendar.day(second) if period == "day" else clock(second, calendar.offset)
