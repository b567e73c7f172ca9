"""The prices of a sheet's id over its versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.units import Unit
from mps_bill.price_sheet import words
from mps_bill.price_sheet.price_kinds.price_kind import Price, stretches, units_per_unit
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
    before: tuple[Price, Decimal] | None = None
    for price in prices:
        figure, ratio = price.at(high) if price else None, None
        if price and figure is not None:
            factor = units_per_unit(before[0], price) if before and before[1] else None
            ratio = Fraction(figure) * factor / Fraction(before[1]) if before and factor else None
            before = price, figure
        past.append(PastPrice(figure, price.unit if price else None, ratio))
    return tuple(past)
