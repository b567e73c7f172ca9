"""A sheet's prices as the rows of a table, its regions with a price, and prices over the versions of a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.units import Unit
from mps_bill.price_sheet.price_kinds.price_kind import Price, quantity_ranges, units_per_unit
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Item, PriceSheet, Unpriced
from mps_bill.price_sheet.spec import RESOLUTION, codecs, join_spec
from mps_bill.price_sheet.words import by_group, regions_words


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The price that a spec has in each of `regions`, which are regions, groups or "*"."""

    item: Item
    spec: str
    regions: tuple[str, ...]
    price: Price


@dataclass(frozen=True, slots=True)
class Coverage:
    """Regions that have a price for the same specs of an item. `missing` are the item's other specs."""

    item: Item
    regions: tuple[str, ...]
    priced: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The number of an item's codecs x resolutions x regions with a price. `holes` are the specs without one, each with its
    regions or groups."""

    item: Item
    codecs: tuple[str, ...]
    resolutions: tuple[str, ...]
    regions: tuple[str, ...]
    priced: int
    holes: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def cells(self) -> int:
        return max(len(self.codecs), 1) * len(self.resolutions) * len(self.regions)


@dataclass(frozen=True, slots=True)
class Selection:
    """The items, regions and specs to show; an empty tuple means all. `at` (seconds) omits prices not yet charged then."""

    items: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    at: int | None = None


def price_rows(sheet: PriceSheet, selection: Selection) -> Iterator[PriceRow]:
    """Yield the rows in the order of the sheet; regions or groups with the same price share a row.

    Selected regions are named individually, each with its own price, its group's or that of "*".
    """
    for item in _items(sheet, selection):
        for spec in _specs(item, selection):
            by_price: dict[Price, list[str]] = {}
            for region in selection.regions or item.prices[spec]:
                if price := _price(sheet, item, spec, region, selection):
                    by_price.setdefault(price, []).append(region)
            for price, regions in by_price.items():
                yield PriceRow(item, spec, tuple(regions), price)


def coverage(sheet: PriceSheet, selection: Selection) -> Iterator[Coverage]:
    """Group the regions of the sheet, for each item, by the specs that they have a price for; those without any come last."""
    for item in _items(sheet, selection):
        specs = _specs(item, selection)
        alike: dict[tuple[str, ...], list[str]] = {}
        for region in selection.regions or regions_of(sheet):
            priced = tuple(spec for spec in specs if _price(sheet, item, spec, region, selection) is not None)
            alike.setdefault(priced, []).append(region)
        for priced, regions in sorted(alike.items(), key=lambda pair: -len(pair[0])):
            missing = tuple(spec for spec in specs if spec not in priced)
            yield Coverage(item, tuple(by_group(regions, sheet.region_groups)), priced, missing)


def grids(sheet: PriceSheet, selection: Selection) -> Iterator[Grid]:
    """Yield the grid of each item whose specs have a resolution, over all regions for which it has a price."""
    for item in _items(sheet, selection):
        if item.template is None or RESOLUTION not in item.template:
            continue
        of_item, sizes = codecs(item), tuple(size.name for size in item.resolutions)
        named = (region for spec in item.prices for region in sheet.regions(item.code, spec))
        regions = selection.regions or tuple(dict.fromkeys(named))
        holes = []
        for spec in (join_spec(item.template, codec, size) for codec in of_item or ("",) for size in sizes):
            without = [region for region in regions if _price(sheet, item, spec, region, selection) is None]
            if without:
                holes.append((spec, tuple(without)))
        missing = sum(len(without) for _, without in holes)
        cells = max(len(of_item), 1) * len(sizes) * len(regions)
        named_holes = ((spec, tuple(by_group(without, sheet.region_groups))) for spec, without in holes)
        yield Grid(item, of_item, sizes, regions, cells - missing, tuple(named_holes))


def _price(sheet: PriceSheet, item: Item, spec: str, region: str, selection: Selection) -> Price | None:
    """Return the price in a region, or in a group if it is charged in some region of the group at the selected time."""
    found = sheet.price(item, spec, region)
    if found is None or selection.at is None:
        return found.price if found else None
    of_members = (sheet.price(item, spec, member) for member in sheet.members(region))
    return found.price if any(one.charged_at(selection.at) for one in of_members if one) else None


def unpriced_rows(sheet: PriceSheet, selection: Selection) -> Iterator[Unpriced]:
    """Yield the selected entries of the sheet's unpriced usage, in its order."""
    for entry in sheet.unpriced:
        items = not selection.items or set(selection.items) & set(entry.items)
        regions = not (selection.regions and entry.regions) or set(selection.regions) & set(entry.regions)
        past = selection.at is not None and entry.before is not None and selection.at >= entry.before
        if items and regions and not past:
            yield entry


def regions_of(sheet: PriceSheet) -> tuple[str, ...]:
    """Return every region that the sheet names, in a group or with a price; also "*" if some price is for every region."""
    members = [region for group in sheet.region_groups.values() for region in group]
    keys = [key for item in sheet.items.values() for prices in item.prices.values() for key in prices]
    named = [key for key in keys if key not in sheet.region_groups and key != EVERY_REGION]
    everywhere = [EVERY_REGION] if EVERY_REGION in keys else []
    return tuple(dict.fromkeys([*members, *named, *everywhere]))


def _specs(item: Item, selection: Selection) -> Sequence[str]:
    """Return the selected specs of an item; another spelling may select them."""
    selected = set(map(item.spec_of, selection.specs))
    return [spec for spec in item.prices if not selected or spec in selected]


def _items(sheet: PriceSheet, selection: Selection) -> Sequence[Item]:
    return [item for code, item in sheet.items.items() if not selection.items or code in selection.items]


# ---- Over versions ---------------------------------------------------------------------------------------------------


def side_by_side(
    sheets: Sequence[PriceSheet], item: str
) -> Iterator[tuple[str, tuple[Price | None, ...], tuple[str, ...]]]:
    """Yield each spec of the item, in the order of the last sheet that has it, with its price in each sheet (None if the sheet
    has none) and the regions with these prices."""
    for spec in dict.fromkeys(
        spec for sheet in reversed(sheets) if item in sheet.items for spec in sheet.items[item].prices
    ):
        alike: dict[tuple[Price | None, ...], list[str]] = {}
        for region in dict.fromkeys(region for sheet in sheets for region in sheet.regions(item, spec)):
            alike.setdefault(tuple(sheet.price_in(item, spec, region) for sheet in sheets), []).append(region)
        for prices, regions in alike.items():
            yield spec, prices, tuple(regions)


@dataclass(frozen=True, slots=True)
class PastPrice:
    """A unit price in one version, per `unit`; None if it has none. `ratio` is new / old per equal quantity, where old is the
    previous version with a price."""

    price: Decimal | None
    unit: Unit | None
    ratio: Fraction | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A unit price of an item, in regions that have always had the same prices: `regions` in words, and their ids. `tier` is
    empty for a flat price. `past` has an entry for each version, earliest first."""

    item: Item
    spec: str
    regions: str
    region_ids: tuple[str, ...]
    tier: str
    past: tuple[PastPrice, ...]


def price_history(versions: Sequence[PriceSheet], items: Sequence[str] = ()) -> Iterator[HistoryRow]:
    """Yield every unit price (of `items`) over versions, earliest first, in the order of the latest version with it."""
    groups = {name: members for sheet in versions for name, members in sheet.region_groups.items()}
    latest: dict[str, Item] = {}
    for sheet in reversed(versions):
        for code, item in sheet.items.items():
            latest.setdefault(code, item)
    for code, item in latest.items():
        if items and code not in items:
            continue
        for spec, prices, regions in side_by_side(versions, code):
            names = regions_words(regions, groups)
            # Tiers are in the unit of the latest version.
            for tier, high in quantity_ranges(reversed(prices)):
                yield HistoryRow(item, spec, names, regions, tier, past_prices(prices, high))


def past_prices(prices: Sequence[Price | None], high: int | None) -> tuple[PastPrice, ...]:
    """Return the unit prices for the range of quantity that ends at `high`."""
    past: list[PastPrice] = []
    before: tuple[Price, Decimal] | None = None
    for price in prices:
        figure, ratio = price.at(high) if price else None, None
        if price and figure is not None:
            factor = units_per_unit(before[0], price) if before and before[1] else None
            ratio = Fraction(figure) * factor / Fraction(before[1]) if before and factor else None
            before = price, figure
        past.append(PastPrice(figure, price.unit if price else None, ratio))
    return tuple(past)
