"""Line items: a charge, less what resource plans cover, at its price, split where tiers split it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, assert_never

from mps_bill.core.decimals import divide, plain
from mps_bill.core.laws import BrokenLaw, law
from mps_bill.core.units import Unit, amount_of, in_unit
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import FlatPrice, Item, Price, PriceSheet, Tier, TieredPrice
from mps_bill.rating.totals import TagShares, UsageTotal


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
    price: Final[Price]
    #: Whether the month's use of the item must be kept, because a price of it in the run is tiered by the month.
    accumulates: Final[bool]
    shares: Final[TagShares]


@dataclass(slots=True)
class LineItem:
    """One line of a bill. All quantities are micros: `micros` = `plan_micros` (covered by plans) + `billed_micros`.

    Of a charge that tiers split, the first line carries the records and the plan's part. `amount` is exact to ten
    decimals.
    """

    charge: Final[Charge]
    records: Final[int]
    plan_micros: Final[int]
    billed_micros: Final[int]
    tier: Final[str | None]
    unit_price: Final[Decimal]
    amount: Final[Decimal]

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


#: What a month has used so far, in micros after plans: (product, month, item, spec, region) -> micros.
MonthKey = tuple[str, str, str, str, str]
MonthUsage = Mapping[MonthKey, int]
NO_USAGE: MonthUsage = MappingProxyType({})


def charge_for(total: UsageTotal, book: PriceBook) -> Charge:
    """The charge of a total: `per: cycle` items are rounded here, on the cycle's sum."""
    metering = total.item.metering
    micros = total.micros
    if metering.per == "cycle":
        micros = divide(micros, metering.step, metering.rounding) * metering.step
    price = total.sheet.price(total.item, total.spec, total.region)
    if price is None:
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
        price,
        total.item.code in book.month_tiered,
        total.shares,
    )


def month_key(charge: Charge) -> MonthKey:
    """Where the month's use of a charge is kept. The month is that of the cycle's start on the billing clock."""
    month = charge.sheet.billing.calendar.month(charge.cycle_start)
    return (charge.sheet.product, month, charge.item.code, charge.spec, charge.region)


def rate(charge: Charge, plan_micros: int, used: int) -> tuple[LineItem, ...]:
    """The lines of a charge of which plans cover `plan_micros`, after `used` micros of it earlier in the month."""
    law(0 <= plan_micros <= charge.micros, "a plan never covers more than the line")
    price, unit, billed = charge.price, charge.item.unit, charge.micros - plan_micros
    if isinstance(price, FlatPrice):
        amount = amount_of(billed, unit, price.unit_price)
        return (LineItem(charge, charge.records, plan_micros, billed, None, price.unit_price, amount),)
    lines: list[LineItem] = []
    for part in _parts(price, billed, used, unit):
        records, covered = (0, 0) if lines else (charge.records, plan_micros)
        amount = amount_of(part.micros, unit, part.unit_price)
        lines.append(LineItem(charge, records, covered, part.micros, part.tier, part.unit_price, amount))
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class _Part:
    """The micros of a quantity that one price applies to."""

    micros: int
    unit_price: Decimal
    tier: str | None


def _parts(price: TieredPrice, micros: int, used: int, unit: Unit) -> Iterator[_Part]:
    """A quantity split by its tiers; at least one part, which is empty when nothing is left to bill."""
    before = used if price.per == "month" else 0
    match price.model:
        case "graduated":
            yield from _graduated(price, micros, before, unit)
        case "volume":
            # The whole quantity of the cycle is at the price of the tier that the sum so far reaches with it.
            reached = before + micros
            number = next(i for i, tier in enumerate(price.tiers) if tier.up_to is None or reached <= tier.up_to)
            yield _Part(micros, price.tiers[number].unit_price, tier_name(price.tiers, number, unit))
        case _:
            assert_never(price.model)


def _graduated(price: TieredPrice, micros: int, before: int, unit: Unit) -> Iterator[_Part]:
    """Each part of the quantity at its own tier's price, as it fills the tiers from `before` up."""
    reached = before
    left = micros
    for number, tier in enumerate(price.tiers):
        if tier.up_to is not None and reached >= tier.up_to and left:
            continue
        if tier.up_to is not None and reached > tier.up_to:
            continue
        part = left if tier.up_to is None else min(left, tier.up_to - reached)
        yield _Part(part, tier.unit_price, tier_name(price.tiers, number, unit))
        reached += part
        left -= part
        if not left:
            return


def tier_name(tiers: tuple[Tier, ...], number: int, unit: Unit) -> str:
    """`0-3000`, `3000-10000` or `100000+`, in the item's unit; the upper bound belongs to the tier."""
    low = "0" if number == 0 else plain(in_unit(tiers[number - 1].up_to or 0, unit))
    high = tiers[number].up_to
    return f"{low}+" if high is None else f"{low}-{plain(in_unit(high, unit))}"
