"""The prices of a sheet's id over its versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.units import Unit
from mps_bill.price_sheet import words
from mps_bill.price_sheet.price_kinds.price_kind import Price, stretches
from mps_bill.price_sheet.sheet_model import Item, PriceSheet
from mps_bill.price_sheet.table import side_by_side


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
        for spec, prices, regions in side_by_side(versions, code):
            names = words.regions_words(regions, groups)
            # In the unit of the latest.
            for tier, high in stretches(reversed(prices)):
                yield HistoryRow(item, spec, names, regions, tier, _past(prices, high))


def _past(prices: Sequence[Price | None], high: int | None) -> tuple[PastPrice, ...]:
    """The figures of the stretch of quantity that ends at `high`."""
    past: list[PastPrice] = []
    before = None
    for price in prices:
        figure = price.at(high) if price else None
        past.append(PastPrice(figure, price.unit if price else None, _ratio(before, price, figure)))
        before = past[-1] if price else before
    return tuple(past)


def _ratio(before: PastPrice | None, price: Price | None, figure: Decimal | None) -> Fraction | None:
    if price is None or figure is None or before is None or not before.price or before.unit is None:
        return None
    if before.unit.dimension != price.unit.dimension:
        return None
    return Fraction(figure) / (price.lot() or 1) / (Fraction(before.price) / before.unit.micros)
