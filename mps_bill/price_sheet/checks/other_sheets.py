"""Comparing the prices of a sheet with those of other sheets: the version before it, and reference sheets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import median_low

from mps_bill.core.decimals import plain, significant
from mps_bill.core.diagnostics import Problem
from mps_bill.core.units import Unit, to_micros
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.price_cells import Cell, CheckedSheet, Groups, ItemTable, Odd, Rate, beyond_flat_lines
from mps_bill.price_sheet.checks.tier_bounds import bounds_of, look_mistyped
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet_model import Item, PriceSheet

#: A price changes by less than this factor from one version to the next.
MAX_JUMP = 5
#: The largest and smallest share of the list price that a contract price may be.
MAX_OF_LIST, MIN_OF_LIST = Fraction(5, 2), Fraction(1, 8)
#: How many times a price may be above or below the usual share of the list price: that of its item, and that of other items.
MAX_FROM_USUAL, MAX_FROM_OTHERS = 6, 8
_HALF = Fraction(1, 2)


def jumps(table: ItemTable, before: Listed) -> list[Odd]:
    """Return rates that are many times the version before, a small part of it, or free without being a first tier."""
    odd = []
    cells = [cell.rates for row in table.rows.values() for cell in row.values()]
    quotas = {rates[0] for rates in cells if any(rate.price.value for rate in rates)}
    for rate, (one, *_) in before.rates:
        if one.figure and not rate.price.value:
            if rate in quotas:
                continue
            why = f"is free, but cost {plain(one.figure)} in the version before ({one.price.place})"
            odd.append(Odd(rate, why, kinds.PRICE_JUMP, high=False))
        elif one.figure and not 1 <= one.ratio * MAX_JUMP <= MAX_JUMP**2:
            odd.append(Odd(rate, _costs(rate, one, "the version before"), kinds.PRICE_JUMP, high=one.ratio > 1))
    return _but_for_flat_lines(odd, table)


def _but_for_flat_lines(odd: Sequence[Odd], table: ItemTable) -> list[Odd]:
    left = beyond_flat_lines({one.rate for one in odd}, table, _HALF)
    return [one for one in odd if one.rate in left]


# ---- Reference sheets ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The rates of an item with those of another sheet, and their usual (median) share of these."""

    reference: PriceSheet
    rates: Sequence[tuple[Rate, list[Compared]]]
    share: Fraction


def compared_with(
    tables: Sequence[ItemTable], sheet: PriceSheet, others: Sequence[PriceSheet], *, anywhere: bool = False
) -> dict[ItemTable, Listed]:
    """Compare each item with the same item of the first other sheet that has it. With `anywhere`, an item that shares no region
    with it is compared with its prices in all regions."""
    return {table: one for table in tables if (one := _listed(table, sheet, others, anywhere))}


def far_from_reference(listed: Mapping[ItemTable, Listed], sheet: PriceSheet) -> dict[ItemTable, list[Odd]]:
    """Return the rates of each item that are far from those of a reference sheet: from the list price (if both sheets have one
    currency), from the usual share of the item, and from the share of the other items; for derived prices, of their base."""
    by_code = {table.code.value: one for table, one in listed.items()}
    found = {}
    for table, one in listed.items():
        base = by_code.get(table.base or "")
        others = [
            other.share
            for at, other in listed.items()
            if at is not table and not at.derived and other.reference.currency == one.reference.currency and other.share
        ]
        if table.derived:
            bounds = [_around(base.share if base and base.reference is one.reference else None, MAX_JUMP)]
        else:
            bounds = [_around(median_low(others) if len(others) > 1 else None, MAX_FROM_OTHERS)]
        if len(one.rates) > 2:
            bounds.append(_around(one.share, MAX_FROM_USUAL))
        if one.reference.currency == sheet.currency:
            # The list price itself is not odd, however low the other prices are.
            bounds = [(min(low, Fraction(1)), max(high, Fraction(1)) if high else None) for low, high in bounds]
            bounds.append((MIN_OF_LIST, MAX_OF_LIST))
        usual = 1 if one.reference.currency == sheet.currency else one.share
        far = [
            Odd(rate, _costs(rate, by[0], one.reference.id), kinds.FAR_FROM_REFERENCE, high=by[0].ratio > usual)
            for rate, by in one.rates
            if rate.price.value and _is_far(by, bounds)
        ]
        found[table] = _but_for_flat_lines(far, table)
    return found


def _listed(table: ItemTable, sheet: PriceSheet, others: Sequence[PriceSheet], anywhere: bool) -> Listed | None:
    for reference in others:
        item = reference.items.get(table.code.value)
        if item and table.unit and table.unit.dimension == item.unit.dimension:
            groups = sheet.region_groups
            # Prices of other regions are no evidence if the reference has some for the item's regions.
            rates = list(_compared(table, table.unit, reference, item, groups, anywhere=False))
            if not rates and anywhere:
                rates = list(_compared(table, table.unit, reference, item, groups, anywhere=True))
            ratios = [compared[0].ratio for _, compared in rates if compared[0].ratio]
            return Listed(reference, rates, median_low(ratios) if ratios else Fraction(0))
    return None


def _around(share: Fraction | None, times: int) -> tuple[Fraction, Fraction | None]:
    return (share / times, share * times) if share else (Fraction(0), None)


def _is_far(compared: Sequence[Compared], bounds: Sequence[tuple[Fraction, Fraction | None]]) -> bool:
    """Whether a price is far from each price that it may be compared with."""
    ratios = [one.ratio for one in compared if one.ratio]
    return bool(ratios) and any(
        max(ratios) < lowest or (highest is not None and min(ratios) > highest) for lowest, highest in bounds
    )


def other_units(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield items whose unit does not convert to that of a reference sheet, so that no price can be compared."""
    for table in sheet.tables:
        code = table.code.value
        units = [other.items[code].unit for other in sheet.references if code in other.items]
        if table.unit and units and all(unit.dimension != table.unit.dimension for unit in units):
            message = f"{code} is billed by the {table.unit.name}, but by the {units[0].name} in the price list; is that right?"
            yield Problem(table.code.place, kinds.FAR_FROM_REFERENCE, message)


# ---- Price by price --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A unit price of another sheet, the price that it belongs to, and the ratio of this sheet's to it per equal quantity."""

    figure: Decimal
    price: Price
    ratio: Fraction


def _costs(rate: Rate, one: Compared, where: str) -> str:
    """`costs 0.651, 10 times the 0.0651 in mps-intl (sheet.yaml:9:20)`."""
    times = f"{significant(one.ratio)} times the {plain(one.figure)}"
    return f"costs {plain(rate.price.value)}, {times} in {where} ({one.price.place})"


def _compared(
    table: ItemTable, unit: Unit, other: PriceSheet, item: Item, groups: Groups, *, anywhere: bool
) -> Iterator[tuple[Rate, list[Compared]]]:
    """Yield every rate of an item with the unit prices of another sheet for the same spec, quantity and region. `groups` are the
    regions of each group. With `anywhere`, the prices of all regions are used if there is none for the region."""
    for spec, row in table.rows.items():
        of = item.spec_of(spec)
        for region, cell in row.items():
            prices = [price for one in groups.get(region, (region,)) if (price := other.price_in(item.code, of, one))]
            if not prices and anywhere:
                prices = list(item.prices.get(of, {}).values())
            figures = [(price, _figures(cell, unit, price)) for price in dict.fromkeys(prices) if price.lot()]
            for number, rate in enumerate(cell.rates if figures else ()):
                yield rate, [_compare(rate, unit, price, of_cell[number]) for price, of_cell in figures]


def _compare(rate: Rate, unit: Unit, price: Price, figure: Decimal) -> Compared:
    lot = price.lot()
    ratio = Fraction(rate.price.value) / unit.micros / (Fraction(figure) / lot) if figure and lot else Fraction(0)
    return Compared(figure, price, ratio)


def _figures(cell: Cell, unit: Unit, price: Price) -> list[Decimal]:
    """Return the unit prices of a price for the quantities of a cell's rates; tier by tier if the bounds look mistyped."""
    # Bounds of derived prices are in micros already.
    ends = [to_micros(bound, unit) if isinstance(bound, Decimal) else bound for bound in cell.bounds]
    highs = [end if isinstance(end, int) else None for end in ends]
    if look_mistyped(tuple(end for end in highs if end is not None), bounds_of(price)):
        return [figure for _, figure in price.figures()]
    return [price.at(high) for high in highs]
