"""What a price sheet says, as values.

Times are whole seconds since the epoch. Quantities are micros (`core.units`). Prices are Decimals with the digits as
written. Every value that an explanation names keeps its place in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import RoundingMode
from mps_bill.core.diagnostics import Place
from mps_bill.core.times import Calendar, iso
from mps_bill.core.units import Unit

Family = Literal["transcoding", "enhancement", "video-ai", "related"]
FAMILIES: tuple[Family, ...] = ("transcoding", "enhancement", "video-ai", "related")
EVERY_REGION = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """Where prices were read: `product` names a sister product where the figures are not from the product's own page."""

    id: str | None
    url: str
    read_on: str
    covers: str
    product: str | None


@dataclass(frozen=True, slots=True)
class Billing:
    """How a product is billed: its calendar, the lag of the bill, and the cut of its sum to money."""

    calendar: Calendar
    issue_after: int
    settlement: Literal["hourly", "monthly"]
    places: int
    mode: RoundingMode


@dataclass(frozen=True, slots=True)
class Resolution:
    """A bucket: holds every picture whose long and short sides are at most these, in pixels."""

    name: str
    long: int
    short: int


@dataclass(frozen=True, slots=True)
class Metering:
    """How a metered quantity becomes the billed one. `step` and `minimum` are micros; `step` is 0 for `per: none`.

    `per: record` rounds each record to `step`; `per: cycle` rounds the cycle's sum of an item, spec and region;
    `per: none` bills pro rata. `minimum` is the smallest billed quantity of a record above zero.
    """

    per: Literal["record", "cycle", "none"]
    step: int
    rounding: RoundingMode
    minimum: int


@dataclass(frozen=True, slots=True)
class FlatPrice:
    """One price per unit: 10 minutes at 0.0651 make 0.651."""

    unit_price: Decimal
    place: Place


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier holds quantities up to and including `up_to` micros (None: the rest)."""

    up_to: int | None
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class TieredPrice:
    """A price by quantity; `per` says over what the quantity accumulates.

    With tiers up to 3000 at 0.1 and the rest at 0.09, 5000 minutes cost
    `graduated`: 3000 x 0.1 + 2000 x 0.09 = 480; `volume`: 5000 x 0.09 = 450.
    """

    model: Literal["graduated", "volume"]
    per: Literal["cycle", "month"]
    tiers: tuple[Tier, ...]
    place: Place


Price = FlatPrice | TieredPrice
#: region id, group or "*" -> price
RegionPrices = Mapping[str, Price]


@dataclass(frozen=True, slots=True)
class Item:
    """A billable item. `template` derives the spec (`{codec}.{resolution}`) or is a constant; None: usage names it.

    `prices` maps spec -> region, group or "*" -> price, in the order of the sheet.
    """

    code: str
    name: str
    family: Family
    unit: Unit
    template: str | None
    resolutions: tuple[Resolution, ...]
    metering: Metering
    prices: Mapping[str, RegionPrices]
    sources: tuple[Source, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """One version of a price list, in force from `effective_from` until before `effective_to` (None: open)."""

    id: str
    site: str
    product: str
    currency: str
    effective_from: int
    effective_to: int | None
    billing: Billing
    region_groups: Mapping[str, tuple[str, ...]]
    items: Mapping[str, Item]
    sources: tuple[Source, ...]
    place: Place

    @property
    def ref(self) -> str:
        """The name of this version on bills: `mps-china@2024-04-01T00:00:00+08:00`."""
        return f"{self.id}@{iso(self.effective_from, self.billing.calendar.offset)}"

    def price(self, item: Item, spec: str, region: str) -> Price | None:
        """The price in `region`: the region's own price wins over its group's, the group's over that of "*"."""
        prices = item.prices.get(spec)
        if prices is None:
            return None
        if region in prices:
            return prices[region]
        for group, members in self.region_groups.items():
            if region in members and group in prices:
                return prices[group]
        return prices.get(EVERY_REGION)
