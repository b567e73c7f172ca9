"""The selected part of a run: the bills of a period, and perhaps only some of their lines.

The whole input is metered, tiered and settled before the selection, so that prices that depend on the month's use do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import near_miss, one_of, quoted
from mps_bill.core.shares import split_amount, split_whole
from mps_bill.core.times import ALWAYS, Calendar, Period, clock
from mps_bill.metering.assign import Assignment
from mps_bill.metering.groups import Group
from mps_bill.metering.usage_columns import UsageKey
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.regions import REGIONS
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.rating.bills import Amounts, Bill, StatementMonth
from mps_bill.rating.lines import LineItem, TagShare


@dataclass(frozen=True, slots=True)
class LineKey:
    """A property by which lines are grouped and chosen: its value `of` a line, and the values that usage of an item can have.
    Groups are in the order of the price sheets if `in_sheet_order`, or else in the order of the values."""

    of: Callable[[LineItem | Assignment], str]
    values: Callable[[Item], Iterable[str]]
    in_sheet_order: bool = True


#: The keys by which lines are grouped and chosen, in addition to tags.
LINE_KEYS: Mapping[str, LineKey] = {
    "item": LineKey(lambda line: line.item.code, lambda item: (item.code,)),
    "family": LineKey(lambda line: line.item.family, lambda item: (item.family,)),
    "spec": LineKey(lambda line: line.spec, lambda item: item.prices),
    "region": LineKey(
        lambda line: line.region, lambda item: (*REGIONS, *chain(*item.prices.values())), in_sheet_order=False
    ),
}


class SelectionError(ValueError):
    """A selection that a run cannot show: because of the bound `edge` of its period (seconds), or of its lines (None)."""

    def __init__(self, message: str, edge: int | None = None) -> None:
        super().__init__(message)
        self.edge = edge


@dataclass(frozen=True, slots=True)
class Selection:
    """The bills of cycles in a period, and their lines that have, for every key of `only`, one of its values. `tags` are those by
    which the run is split, in order."""

    period: Period = ALWAYS
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return self.period == ALWAYS and not self.only

    def bills(self, bills: Iterable[Bill]) -> tuple[Bill, ...]:
        """The bills of the period, or their selected parts."""
        within = (bill for bill in bills if bill.cycle.start in self.period)
        if not self.only:
            return tuple(within)
        parts = (self._part_of(bill) for bill in within)
        return tuple(bill for bill in parts if bill.lines)

    def has_month(self, month: StatementMonth) -> bool:
        """Whether a monthly statement is shown: the period contains the whole month, and bills are shown whole."""
        calendar = month.sheet.billing.calendar
        return calendar.month_start(month.month) in self.period and not (self.only or self._cuts(month.month, calendar))

    def cuts_month_of(self, bill: Bill) -> bool:
        """Whether a bill is settled with its month, and the period contains only part of that."""
        calendar = bill.cycle.sheet.billing.calendar
        return bill.cycle.is_monthly and self._cuts(calendar.month(bill.cycle.start), calendar)

    def _cuts(self, month: str, calendar: Calendar) -> bool:
        return self.period.edge_in(calendar.month_start(month), calendar.month_end(month)) is not None

    def _part_of(self, bill: Bill) -> Bill:
        of_lines = [(LINE_KEYS[key].of, values) for key, values in self.only.items() if key in LINE_KEYS]
        of_tags = [(self.tags.index(key), values) for key, values in self.only.items() if key not in LINE_KEYS]
        lines = tuple(
            part
            for line in bill.lines
            if all(read(line) in values for read, values in of_lines)
            for part in part_of_line(line, lambda share: all(share.tags[at] in values for at, values in of_tags))
        )
        listed = sum([line.amount for line in lines], ZERO)
        discount = sum([line.discount for line in lines], ZERO)
        return Bill(bill.cycle, lines, Amounts(listed, discount, is_part=True), bill.item_use)

    def has_record(self, key: UsageKey, assignment: Assignment | None) -> bool:
        """Whether a record is selected. One that is not billed, such as a failed job, has only a time and tags."""
        second = assignment.cycle_start if assignment else key.slot
        if second not in self.period or (assignment is None and not LINE_KEYS.keys().isdisjoint(self.only)):
            return False
        return all(_value(assignment, name, self.tags, key.tags) in values for name, values in self.only.items())

    def check(self, groups: Iterable[Group], book: PriceBook) -> None:
        """Check the selection against the usage of a run and its price book.

        Raises:
            SelectionError: a value of `only` is neither priced nor used, or a bound of the period is inside a billing cycle,
                whose bill cannot be split.
        """
        found: dict[str, set[str]] = {key: set() for key in self.only}
        for group in groups:
            assignment = group.assignment
            calendar = assignment.sheet.billing.calendar
            start, end = assignment.cycle_start, calendar.cycle_end(assignment.cycle_start)
            edge = self.period.edge_in(start, end)
            if edge is not None:
                first, last, inside = (clock(second, calendar.offset) for second in (start, end, edge))
                message = f"{inside} is inside the billing cycle {first} to {last}, and a bill is whole"
                raise SelectionError(f"{message}; give a time at which a cycle begins", edge)
            for key, values in found.items():
                values.add(_value(assignment, key, self.tags, group.key.tags))
        for key, wanted in self.only.items():
            used = sorted(found[key])
            known = (
                {value for item in book.items for value in LINE_KEYS[key].values(item)} if key in LINE_KEYS else set()
            )
            for value in sorted(wanted - found[key] - known):
                hint = near_miss(value, used, priced=False) or (f"; used: {one_of(used)}" if used else "")
                raise SelectionError(f"no usage has {key} {quoted(value)}{hint}")


EVERYTHING = Selection()


def part_of_line(line: LineItem, is_wanted: Callable[[TagShare], bool]) -> Iterator[LineItem]:
    """Yield the part of a line that belongs to wanted tag shares, if any: quantities and amounts are split by the micros of all
    shares, so that the parts of a line add up to it."""
    shares = line.charge.shares
    kept = [number for number, share in enumerate(shares) if is_wanted(share)]
    if len(kept) == len(shares):
        yield line
    elif kept:
        yield _Split(line).part(kept)


def parts_by(
    by: Sequence[str], tags: Sequence[str]
) -> Callable[[LineItem], Iterator[tuple[tuple[str, ...], LineItem]]]:
    """What gives a line with its values of some groupings; in the parts that its tag shares make, where one of the `tags` of the
    run is among them."""
    # Every line of a run comes here.
    read = [(None, tags.index(key)) if key in tags else (LINE_KEYS[key].of, 0) for key in by]
    by_tags = any(key in tags for key in by)

    def parts(line: LineItem) -> Iterator[tuple[tuple[str, ...], LineItem]]:
        for values, part in split_by_tags(line) if by_tags else (((), line),):
            yield tuple([key(line) if key else values[place] for key, place in read]), part

    return parts


def _value(of: Assignment | None, key: str, tags: Sequence[str], values: Sequence[str]) -> str:
    """The value for a key of lines, if the usage is billed, or else for a tag, from `values`."""
    return LINE_KEYS[key].of(of) if of and key in LINE_KEYS else values[tags.index(key)]


def split_by_tags(line: LineItem) -> Iterator[tuple[tuple[str, ...], LineItem]]:
    """Yield the parts of a line by its tag shares, each with the values of the tags."""
    shares = line.charge.shares
    if len(shares) == 1:
        yield shares[0].tags, line
        return
    split = _Split(line)
    for number, share in enumerate(shares):
        yield share.tags, split.part([number])


class _Split:
    """The parts of a line by tag shares, calculated once, because there can be many."""

    def __init__(self, line: LineItem) -> None:
        self._line = line
        weights = [share.micros for share in line.charge.shares]
        wholes = (line.charge.metered, line.charge.micros, line.covered_micros, line.billed_micros, line.ticks)
        self._wholes = [tuple(split_whole(number, weights)) for number in wholes]
        self._discounts = split_amount(line.discount, weights)

    def part(self, kept: Sequence[int]) -> LineItem:
        """The part of the line that belongs to the shares with the numbers `kept`."""
        line, shares = self._line, [self._line.charge.shares[number] for number in kept]
        metered, micros, plan, billed, ticks = (sum(parts[number] for number in kept) for parts in self._wholes)
        records = sum(share.records for share in shares)
        charge = replace(
            line.charge, records=records, metered=metered, micros=micros, shares=tuple(shares), segments=()
        )
        return replace(
            line,
            charge=charge,
            records=records if line.records else 0,
            covered_micros=plan,
            billed_micros=billed,
            ticks=ticks,
            discount=sum((self._discounts[number] for number in kept), ZERO),
        )
