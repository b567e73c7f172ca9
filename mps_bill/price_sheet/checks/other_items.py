"""Warnings from comparing an item with other items of the sheet: its prices, and the factor of prices that come from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from mps_bill.core.decimals import ZERO, plain, significant
from mps_bill.core.diagnostics import Problem
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.price_cells import QUESTION, ROUGH, CheckedSheet, ItemTable, Row
from mps_bill.price_sheet.spec import CODEC

#: Published factors are from 1 to 4.5.
MIN_FACTOR, MAX_FACTOR = Fraction(1, 2), 8
#: How many times another item's prices the prices of an item may be, for the same codecs and resolutions; published: 4.5.
MAX_ITEM_TIMES = 8
#: The rows of an item without tiers, by codec and resolution.
_Level = Mapping[tuple[str, str], Row]


def odd_items(tables: Sequence[ItemTable]) -> dict[ItemTable, Problem]:
    """Return items with many times the prices of most others for the same codecs and resolutions; of two, the later."""
    levels = {table: level for table in tables if (level := _level(table))}
    odd: dict[ItemTable, Problem] = {}
    for number, table in enumerate(levels):
        compared = [
            (other, by, at)
            for at, other in enumerate(levels)
            if other is not table and (by := _times(table, other, levels))
        ]
        far = [(other, by, at) for other, by, at in compared if by > MAX_ITEM_TIMES or MAX_ITEM_TIMES * by < 1]
        if 2 * len(far) > len(compared) and (len(compared) > 1 or number > far[0][2]):
            other, by, _ = far[0]
            message = (
                f"{table.code.value} costs {significant(by)} times as much as {other.code.value} for the same"
                f" codecs and resolutions; {QUESTION}"
            )
            odd[table] = Problem(table.code.place, kinds.PRICE_OUTLIER, message)
    return odd


def _level(table: ItemTable) -> _Level:
    by_codec = table.rows_by_codec if table.unit and CODEC in (table.template or "") else {}
    return {
        (codec, size): row
        for codec, rows in by_codec.items()
        for size, row in rows.items()
        if all(len(cell.rates) == 1 for cell in row.values())
    }


def _times(table: ItemTable, other: ItemTable, levels: Mapping[ItemTable, _Level]) -> Fraction:
    """Return the factor by which all prices of an item are above (the least) or below (the largest) those of another item, in the
    first region that both have; 1 if some are above and some below, and 0 if they cannot be compared."""
    if table.unit is None or other.unit is None or table.unit.dimension != other.unit.dimension:
        return Fraction(0)
    ratios = []
    for key, row in levels[table].items():
        theirs = levels[other].get(key, {})
        region = next((region for region in row if region in theirs), None)
        price = theirs[region].rates[0].price.value if region else ZERO
        if region and price:
            ratios.append(ROUGH.divide(row[region].rates[0].price.value, price))
    if len(ratios) < 3:
        return Fraction(0)
    scale = Fraction(other.unit.micros, table.unit.micros)
    low, high = Fraction(min(ratios)) * scale, Fraction(max(ratios)) * scale
    return low if low > 1 else min(high, Fraction(1))


def odd_factors(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield factors of derived prices that are as large as a mistake would be, unless their prices have a finding already."""
    for table in sheet.tables:
        derivation = table.fields.get(d.PRICES_FROM)
        times = derivation.get(d.TIMES) if derivation and table.derived and sheet.odd.isdisjoint(table.rates) else None
        if times and not MIN_FACTOR <= Fraction(times.value) <= MAX_FACTOR:
            message = (
                f"the prices of {table.code.value} are {plain(times.value)} times those of {table.base}; {QUESTION}"
            )
            yield Problem(times.place, kinds.PRICE_OUTLIER, message)
