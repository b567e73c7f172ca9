"""Charges, which gather usage groups by cycle, item, spec and region; and line items: a charge, less its covered quantity, at its
price, in the parts into which the price splits it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, divide, scaled
from mps_bill.core.laws import BrokenLaw
from mps_bill.core.units import amount_of
from mps_bill.metering.assign import Assignment
from mps_bill.metering.groups import Group
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet_model import Item, Metering, PriceInForce, PriceSheet
from mps_bill.rating.contract import Discount

#: The start of a segment -> micros.
Segments = tuple[tuple[int, int], ...]


class TagShare(NamedTuple):
    """The usage of the records with these values of the run's tags."""

    tags: tuple[str, ...]
    micros: int
    records: int


TagShares = tuple[TagShare, ...]


# Charges and lines are made by the hundred thousand, and making frozen ones takes four times as long; with `Final` the type
# checker forbids the same.
@dataclass(slots=True)
class Charge:
    """The usage of one item and spec in one region in a cycle: `records` usage records, together `metered`, each counted by the
    item's record rule; `shares` splits that by tag values, in order of the values. `micros` is the quantity after every metering
    rule, which may be covered and to which prices apply."""

    sheet: Final[PriceSheet]
    item: Final[Item]
    spec: Final[str]
    region: Final[str]
    cycle_start: Final[int]
    records: Final[int]
    metered: Final[int]
    micros: Final[int]
    in_force: Final[PriceInForce]
    #: Whether the month's use of the item must be kept, because the run has a price of it that is tiered by the month.
    accumulates: Final[bool]
    shares: Final[TagShares]
    #: The micros by the starts of the segments of the cycle with usage, in order; empty if the run has no cuts.
    segments: Final[Segments] = ()

    def has_usage_of(self, of: Assignment) -> bool:
        """Whether the usage of an assignment in the charge's cycle is part of the charge."""
        return (self.item.code, self.spec, self.region) == (of.item.code, of.spec, of.region)

    @property
    def price(self) -> Price:
        return self.in_force.price


@dataclass(slots=True)
class LineItem:
    """One line of a bill. All quantities are micros: `micros` = `covered_micros` (by sources of quantity) + `billed_micros`.

    If its price splits a charge, the first line has the records and the covered quantity. `amount`, which is kept in ticks, is
    exact to ten decimal places; `discount` is the discount of `discounted_by` on it.
    """

    charge: Final[Charge]
    records: Final[int]
    covered_micros: Final[int]
    billed_micros: Final[int]
    tier: Final[str | None]
    unit_price: Final[Decimal]
    ticks: Final[int]
    discount: Final[Decimal] = ZERO
    discounted_by: Final[Discount | None] = None
    #: The micros of the month that filled its tiers before the charge.
    month_used: Final[int] = 0

    @property
    def amount(self) -> Decimal:
        return scaled(self.ticks, AMOUNT_PLACES)

    @property
    def net(self) -> Decimal:
        return self.amount - self.discount

    @property
    def item(self) -> Item:
        return self.charge.item

    @property
    def spec(self) -> str:
        return self.charge.spec

    @property
    def region(self) -> str:
        return self.charge.region

    @property
    def micros(self) -> int:
        return self.covered_micros + self.billed_micros

    @property
    def lot(self) -> int | None:
        """The micros that the unit price is for; None if the price does not depend on the quantity."""
        return self.charge.price.lot()

    def listed(self, micros: int) -> Decimal:
        """The cost of a part of the quantity, such as a covered part, at the line's unit price."""
        lot = self.lot
        return ZERO if lot is None else amount_of(micros, lot, self.unit_price)


#: The month's use so far, in billed micros: (product, month, item, spec, region) -> micros.
MonthKey = tuple[str, str, str, str, str]
MonthUsage = Mapping[MonthKey, int]
NO_USAGE: MonthUsage = MappingProxyType({})


_NO_SHARE = TagShare((), 0, 0)


def gather(groups: Iterable[Group], book: PriceBook, cuts: Sequence[int] = ()) -> tuple[Charge, ...]:
    """Gather all groups into charges, in the order of bills: by cycle, product, item and spec as the sheet lists them, and
    region. `cuts` are the seconds, in order, at which cycles are cut into segments; the groups were metered with them."""
    shares: dict[tuple[int, str, int, int, str], dict[tuple[str, ...], TagShare]] = {}
    segments: dict[tuple[int, str, int, int, str], dict[int, int]] = {}
    heads: dict[tuple[int, str, int, int, str], Assignment] = {}
    ranks: dict[int, tuple[dict[str, int], dict[str, dict[str, int]]]] = {}
    for group in groups:
        assignment = group.assignment
        sheet, item = assignment.sheet, assignment.item
        items, specs = ranks.get(id(sheet)) or ranks.setdefault(id(sheet), _ranks(sheet))
        key = (
            assignment.cycle_start,
            sheet.product,
            items[item.code],
            specs[item.code][assignment.spec],
            assignment.region,
        )
        heads[key] = assignment
        by_tag = shares.setdefault(key, {})
        _, micros, counted = by_tag.get(group.key.tags, _NO_SHARE)
        by_tag[group.key.tags] = TagShare(group.key.tags, micros + group.micros, counted + group.records)
        if cuts:
            by_segment = segments.setdefault(key, {})
            start = segment_start(group.key.slot, assignment.cycle_start, cuts)
            by_segment[start] = by_segment.get(start, 0) + group.micros
    return tuple(
        charge_for(
            heads[key], tuple(sorted(shares[key].values())), tuple(sorted(segments[key].items())) if cuts else (), book
        )
        for key in sorted(heads)
    )


def segment_start(second: int, cycle_start: int, cuts: Sequence[int]) -> int:
    """The start of the segment of a cycle that contains a second."""
    cut = bisect_right(cuts, second)
    return max(cycle_start, cuts[cut - 1]) if cut else cycle_start


def _ranks(sheet: PriceSheet) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """The positions of every item, and of every spec of an item, in the sheet."""
    items = {code: number for number, code in enumerate(sheet.items)}
    specs = {code: {spec: number for number, spec in enumerate(item.prices)} for code, item in sheet.items.items()}
    return items, specs


def charge_for(of: Assignment, shares: TagShares, segments: Segments, book: PriceBook) -> Charge:
    """Make the charge of usage from its shares and segments: `per: cycle` items are rounded here, on the cycle's sum."""
    metered = sum([share.micros for share in shares])
    in_force = of.sheet.price(of.item, of.spec, of.region)
    if in_force is None:
        raise BrokenLaw("assignment lets no unpriced usage through")
    return Charge(
        of.sheet,
        of.item,
        of.spec,
        of.region,
        of.cycle_start,
        sum([share.records for share in shares]),
        metered,
        _rounded(metered, of.item.metering),
        in_force,
        of.item.code in book.month_tiered,
        shares,
        _billed_segments(segments, of.item.metering),
    )


def _rounded(micros: int, metering: Metering) -> int:
    """Round a sum of a cycle by the rule for cycles."""
    return divide(micros, metering.step, metering.rounding) * metering.step if metering.per == "cycle" else micros


def _billed_segments(segments: Segments, metering: Metering) -> Segments:
    """The billed quantity of each segment: the difference of the running totals at its ends, each rounded by the item's rule, so
    that segments add up to the charge."""
    found = []
    running = billed = 0
    for start, micros in segments:
        running += micros
        after = _rounded(running, metering)
        found.append((start, after - billed))
        billed = after
    return tuple(found)


def month_key(charge: Charge) -> MonthKey:
    """The key of the month's use of a charge. The month is that of the cycle's start on the billing clock."""
    month = charge.sheet.billing.calendar.month(charge.cycle_start)
    return (charge.sheet.product, month, charge.item.code, charge.spec, charge.region)


def rate(charge: Charge, covered_micros: int, used: int, discount: Discount | None = None) -> list[LineItem]:
    """Make the lines of a charge of which `covered_micros` are covered, after `used` micros that fill the month's tiers."""
    if not 0 <= covered_micros <= charge.micros:
        raise BrokenLaw("a source never covers more than the line")
    parts = charge.in_force.price.parts(charge.micros - covered_micros, used)
    lines = []
    records = charge.records
    for micros, unit_price, tier, ticks in parts:
        off = ZERO if discount is None else discount.of(scaled(ticks, AMOUNT_PLACES))
        lines.append(LineItem(charge, records, covered_micros, micros, tier, unit_price, ticks, off, discount, used))
        records = covered_micros = 0
    return lines
