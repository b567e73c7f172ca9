"""The values of a price sheet.

Times are whole seconds since the epoch. Quantities are micros (`core.units`). Prices are Decimals with the digits as
written. Every value that an explanation mentions keeps its place in the file.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import RoundingMode
from mps_bill.core.diagnostics import Place
from mps_bill.core.language import current
from mps_bill.core.times import Calendar, iso
from mps_bill.core.units import Unit
from mps_bill.price_sheet.price_kinds.price_kind import Price

Settlement = Literal["hourly", "monthly"]
RoundedPer = Literal["record", "cycle", "none"]
Family = Literal["transcoding", "enhancement", "video-ai", "related"]
FAMILIES: tuple[Family, ...] = ("transcoding", "enhancement", "video-ai", "related")
EVERY_REGION = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """The page on which prices were read. `product` names a sister product if they are not from the product's own page."""

    id: str | None
    url: str
    read_on: str
    covers: str
    product: str | None


@dataclass(frozen=True, slots=True)
class Billing:
    """How a product is billed: the calendar, the delay of the bill (seconds), and the rounding of its sum to money."""

    calendar: Calendar
    issue_after: int
    settlement: Settlement
    places: int
    mode: RoundingMode


@dataclass(frozen=True, slots=True)
class Resolution:
    """A resolution bucket: every picture whose long and short sides are at most these, in pixels."""

    name: str
    long: int
    short: int


@dataclass(frozen=True, slots=True)
class Metering:
    """How a metered quantity becomes the billed quantity. `step` and `minimum` are micros; `step` is 0 for `per: none`.

    `per: record` rounds each record to `step`; `per: cycle` rounds the cycle's sum of an item, spec and region;
    `per: none` bills pro rata. `minimum` is the smallest billed quantity of a record above zero.
    """

    per: RoundedPer
    step: int
    rounding: RoundingMode
    minimum: int


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Usage that the provider bills but for which the sheet has no price, with the reason in `note`.

    `specs` are specs or their beginnings (`H266` includes `H266.HD`); `regions` are region ids. Either is empty for all.
    `before` (seconds) is the time at which the price was first charged; None if there is no price.
    """

    items: tuple[str, ...]
    specs: tuple[str, ...]
    regions: tuple[str, ...]
    before: int | None
    note: str
    place: Place

    def holds_item(self, item: str, region: str) -> bool:
        """Whether any usage of the item in the region is included."""
        return item in self.items and (not self.regions or region in self.regions)

    def holds(self, item: str, spec: str, region: str) -> bool:
        return (not self.specs or self.names(spec)) and self.holds_item(item, region)

    def names(self, spec: str) -> bool:
        return any(f"{spec}.".startswith(f"{begin}.") for begin in self.specs)


#: region id, group or "*" -> price
RegionPrices = Mapping[str, Price]


@dataclass(frozen=True, slots=True)
class PriceInForce:
    """The price in a region, and the scope that has it in the sheet: the region itself, its group, or "*".

    `not_before` is the entry that says from when the price is charged, if that is later than the start of the sheet.
    """

    price: Price
    scope: str
    not_before: Unpriced | None = None

    def charged_at(self, second: int) -> bool:
        return self.not_before is None or self.not_before.before is None or second >= self.not_before.before


@dataclass(frozen=True, slots=True)
class Derived:
    """Prices that are those of the item `base` times a factor."""

    base: str
    times: Decimal


@dataclass(frozen=True, slots=True)
class Item:
    """A billable item. `template` derives the spec (`{codec}.{resolution}`) or is a constant; None: usage names the spec.

    `prices` maps spec -> region, group or "*" -> price, in the order of the sheet. `aliases` maps other spellings of specs to
    the spelling in the price table.
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
    aliases: Mapping[str, str] = field(default_factory=dict)
    #: The name in other languages.
    names: Mapping[str, str] = field(default_factory=dict)
    #: Set if the prices come from another item.
    derived: Derived | None = None

    @property
    def label(self) -> str:
        """The name in the current language, if the sheet has one."""
        return self.names.get(current(), self.name)

    def spec_of(self, word: str) -> str:
        """Return the spec of which the word is another spelling; otherwise the word itself."""
        return self.aliases.get(word, word)


def specs_named(word: str, versions: Iterable[Item]) -> tuple[str, ...]:
    """Return the specs that a word, perhaps another spelling, names in the versions of an item; none if no version has it."""
    named = (item.spec_of(word) for item in versions if item.spec_of(word) in item.prices)
    return tuple(dict.fromkeys(named))


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
    unpriced: tuple[Unpriced, ...] = ()
    #: Its own start, used in its name, if the sheet is treated as always in force.
    dated: int | None = None
    #: Prices found earlier, by item, spec and region, because every charge of a run needs one.
    _in_force: dict[tuple[str, str, str], PriceInForce | None] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    @property
    def ref(self) -> str:
        """The name of this version on bills: `mps-china@2024-04-01T00:00:00+08:00`."""
        start = self.effective_from if self.dated is None else self.dated
        return f"{self.id}@{iso(start, self.billing.calendar.offset)}"

    def members(self, key: str) -> tuple[str, ...]:
        """Return the regions of a group; a region or "*" is its own only member."""
        return self.region_groups.get(key, (key,))

    def regions(self, item: str, spec: str) -> dict[str, None]:
        """Return every region in which the item of this code has a price for the spec, in order, with groups expanded."""
        prices = self.items[item].prices.get(spec, {}) if item in self.items else {}
        return dict.fromkeys(region for key in prices for region in self.members(key))

    def price_in(self, item: str, spec: str, region: str) -> Price | None:
        """Return the price of the item of this code; None if the sheet does not have the item."""
        found = self.price(self.items[item], spec, region) if item in self.items else None
        return found.price if found else None

    def price(self, item: Item, spec: str, region: str) -> PriceInForce | None:
        """Return the price in `region`, with the scope that has it in the sheet."""
        key = (item.code, spec, region)
        if key not in self._in_force:
            prices = item.prices.get(spec, {})
            scope = scope_in_force(prices, region, self.region_groups)
            late = self.unpriced_as(*key)
            self._in_force[key] = None if scope is None else PriceInForce(prices[scope], scope, late)
        return self._in_force[key]

    def unpriced_as(self, item: str, spec: str, region: str) -> Unpriced | None:
        """Return the entry for usage that has no price, or not yet; of several entries the one that applies longest."""
        found = (entry for entry in self.unpriced if entry.holds(item, spec, region))
        return max(found, key=lambda entry: (entry.before is None, entry.before or 0), default=None)


def scope_in_force(scopes: Container[str], region: str, groups: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the scope that takes precedence in `region`: the region itself before its group, the group before "*"."""
    if region in scopes:
        return region
    for group, members in groups.items():
        if region in members and group in scopes:
            return group
    return EVERY_REGION if EVERY_REGION in scopes else None
