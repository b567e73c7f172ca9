"""The prices of a sheet's id over its versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.units import Unit
from mps_bill.price_sheet import words
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet_diff import tier_text
from mps_bill.price_sheet.sheet_model import Item, PriceSheet


@dataclass(frozen=True, slots=True)
class PastPrice:
    """A figure in one version, per `unit`; None where it has none. `ratio` is to the version before, per equal quantity."""

    price: Decimal | None
    unit: Unit | None
    ratio: Fraction | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A figure of an item in regions that have had the same prices: `regions` in words, and their ids; `tier` is empty for all
    quantities. `past` has an entry for each version, earliest first."""

    item: Item
    spec: str
    regions: str
    region_ids: tuple[str, ...]
    tier: str
    past: tuple[PastPrice, ...]


def price_history(versions: Sequence[PriceSheet], items: Sequence[str] = ()) -> Iterator[HistoryRow]:
    """Every figure over the versions of an id, earliest first, in the order of the latest version that has it; with `items`,
    only theirs."""
    groups = {name: members for sheet in versions for name, members in sheet.region_groups.items()}
    latest: dict[str, Item] = {}
    for sheet in reversed(versions):
        for code, item in sheet.items.items():
            latest.setdefault(code, item)
    for code, item in latest.items():
        if items and code not in items:
            continue
        of_versions = [sheet.items.get(code) for sheet in versions]
        for spec in dict.fromkeys(spec for one in reversed(of_versions) if one for spec in one.prices):
            alike: dict[tuple[Price | None, ...], list[str]] = {}
            for region in _regions(versions, of_versions, spec):
                pairs = zip(versions, of_versions, strict=True)
                found = (sheet.price(one, spec, region) if one else None for sheet, one in pairs)
                alike.setdefault(tuple(one.price if one else None for one in found), []).append(region)
            for prices, regions in alike.items():
                for tier, past in _figures(prices):
                    yield HistoryRow(item, spec, words.regions_words(regions, groups), tuple(regions), tier, past)


def _regions(versions: Sequence[PriceSheet], items: Sequence[Item | None], spec: str) -> dict[str, None]:
    return dict.fromkeys(
        region
        for sheet, item in zip(versions, items, strict=True)
        for key in (item.prices.get(spec, {}) if item else {})
        for region in sheet.region_groups.get(key, (key,))
    )


def _figures(prices: Sequence[Price | None]) -> Iterator[tuple[str, tuple[PastPrice, ...]]]:
    """A row for each stretch of quantity between the bounds of any version, in the unit of the latest."""
    unit = next(price.unit for price in reversed(prices) if price)
    edges = sorted({bound for price in prices if price for bound, _ in price.figures() if bound is not None})
    low = 0
    for high in [*edges, None]:
        past: list[PastPrice] = []
        for price in prices:
            figure = _at(price, high) if price else None
            per = Fraction(figure) / (price.lot() or 1) if price and figure is not None else None
            before = next((one for one in reversed(past) if one.price is not None), None)
            past.append(PastPrice(figure, price.unit if price else None, _ratio(before, price, per)))
        yield tier_text(low, high, unit) if edges else "", tuple(past)
        low = high or low


def _at(price: Price, high: int | None) -> Decimal:
    """The figure of the stretch of quantity that ends at `high`."""
    return next(figure for bound, figure in price.figures() if bound is None or (high is not None and high <= bound))


def _ratio(before: PastPrice | None, price: Price | None, per: Fraction | None) -> Fraction | None:
    if before is None or not before.price or before.unit is None or price is None or per is None:
        return None
    if before.unit.dimension != price.unit.dimension:
        return None
    return per / (Fraction(before.price) / before.unit.micros)
