"""Line items: a charge, less what resource plans cover, at its price, in the parts that the price makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, divide, scaled
from mps_bill.core.laws import BrokenLaw
from mps_bill.core.units import amount_of
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet_model import Item, Metering, PriceInForce, PriceSheet
from mps_bill.rating.contract import Discount
from mps_bill.rating.totals import Segments, TagShares, UsageTotal


# Charges and lines are made by the hundred thousand, and frozen they would take four times as long to make; `Final` lets the
# type checker forbid what frozen forbids.
@dataclass(slots=True)
class Charge:
    """A total after every metering rule: `micros` is the quantity that plans may cover and prices apply to."""

    sheet: Final[PriceSheet]
    item: Final[Item]
    spec: Final[str]
    region: Final[str]
    cycle_start: Final[int]
    records: Final[int]
    metered: Final[int]
    micros: Final[int]
    in_force: Final[PriceInForce]
    #: Whether the month's use of the item must be kept, because a price of it in the run is tiered by the month.
    accumulates: Final[bool]
    shares: Final[TagShares]
    #: The micros by the starts of the segments of the cycle; empty where it is not cut.
    segments: Final[Segments] = ()

    @property
    def price(self) -> Price:
        return self.in_force.price


@dataclass(slots=True)
class LineItem:
    """One line of a bill. All quantities are micros: `micros` = `plan_micros` (covered by plans) + `billed_micros`.

    Of a charge that its price splits, the first line carries the records and the plan's part. `amount`, which is kept in
    ticks, is exact to ten decimals; `discount` is what the contract takes off it, by `discounted_by`.
    """

    charge: Final[Charge]
    records: Final[int]
    plan_micros: Final[int]
    billed_micros: Final[int]
    tier: Final[str | None]
    unit_price: Final[Decimal]
    ticks: Final[int]
    discount: Final[Decimal] = ZERO
    discounted_by: Final[Discount | None] = None
    #: The micros that filled the month's tiers before the charge.
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
        return self.plan_micros + self.billed_micros

    @property
    def lot(self) -> int | None:
        """The micros that the unit price pays for; None where it does not depend on the quantity."""
        return self.charge.price.lot()

    def listed(self, micros: int) -> Decimal:
        """What a part of the quantity would cost at the line's unit price, such as a part that a plan covers."""
        lot = self.lot
        return ZERO if lot is None else amount_of(micros, lot, self.unit_price)


#: What a month has used so far, in micros after plans: (product, month, item, spec, region) -> micros.
MonthKey = tuple[str, str, str, str, str]
MonthUsage = Mapping[MonthKey, int]
NO_USAGE: MonthUsage = MappingProxyType({})


def charge_for(total: UsageTotal, book: PriceBook) -> Charge:
    """The charge of a total: `per: cycle` items are rounded here, on the cycle's sum."""
    micros = _rounded(total.micros, total.item.metering)
    in_force = total.sheet.price(total.item, total.spec, total.region)
    if in_force is None:
        raise BrokenLaw("assignment lets no unpriced usage through")
    return Charge(
        total.sheet,
        total.item,
        total.spec,
        total.region,
        total.cycle_start,
        total.records,
        total.micros,
        micros,
        in_force,
        total.item.code in book.month_tiered,
        total.shares,
        _segments(total),
    )


def _rounded(micros: int, metering: Metering) -> int:
    """A sum of a cycle under the rule for cycles."""
    return divide(micros, metering.step, metering.rounding) * metering.step if metering.per == "cycle" else micros


def _segments(total: UsageTotal) -> Segments:
    """What each segment is billed for: the difference of the running totals at its ends, each by the item's rule, so that
    they add up to the charge."""
    found = []
    running = billed = 0
    for start, micros in total.segments:
        running += micros
        after = _rounded(running, total.item.metering)
        found.append((start, after - billed))
        billed = after
    return tuple(found)


def month_key(charge: Charge) -> MonthKey:
    """Where the month's use of a charge is kept. The month is that of the cycle's start on the billing clock."""
    month = charge.sheet.billing.calendar.month(charge.cycle_start)
    return (charge.sheet.product, month, charge.item.code, charge.spec, charge.region)


def rate(charge: Charge, plan_micros: int, used: int, discount: Discount | None = None) -> list[LineItem]:
    """The lines of a charge of which plans cover `plan_micros`, after `used` micros that fill the month's tiers."""
    if not 0 <= plan_micros <= charge.micros:
        raise BrokenLaw("a plan never covers more than the line")
    parts = charge.in_force.price.parts(charge.micros - plan_micros, used)
    lines = []
    records = charge.records
    for micros, unit_price, tier, ticks in parts:
        off = ZERO if discount is None else discount.of(scaled(ticks, AMOUNT_PLACES))
        lines.append(LineItem(charge, records, plan_micros, micros, tier, unit_price, ticks, off, discount, used))
        records = plan_micros = 0
    return lines
