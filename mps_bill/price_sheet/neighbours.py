"""Warnings that come from laying a price beside its neighbours in the price table.

The neighbours of a price are: the same spec in the item's other regions; the next lower and the next higher resolution
of the same codec that has a price in the region; the tier before and after it. Prices of tiers are laid beside each
other only where both have the same bounds. A price of 0 is a gift and no neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import combinations, pairwise

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Kind, Place, Problem, quoted
from mps_bill.documents.shapes import Located, Many
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.price_kinds.price_forms import WrittenPrice
from mps_bill.price_sheet.prices import PriceEntry, PriceTable
from mps_bill.price_sheet.sheet_model import Resolution, scope_in_force
from mps_bill.price_sheet.spec import split_spec

#: A slipped decimal point makes a price ten times too high or too low; published steps are at most five times.
MAX_TIMES = 10
_SHOWN_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True, eq=False)
class _Rate:
    """A single figure of a price, such as that of one tier. Each stands once in the sheet and equals only itself."""

    price: Located[Decimal]
    spec: str
    region: str
    tier: str

    def __str__(self) -> str:
        return f"{quoted(self.spec)} in {self.region}{self.tier}"


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    """What stands in the price table for a spec and a region or group: one rate, or one for each tier."""

    rates: tuple[_Rate, ...]
    bounds: tuple[object, ...]


#: group -> its regions
Groups = Mapping[str, tuple[str, ...]]
#: region or group -> cell
_Row = Mapping[str, _Cell]


def price_warnings(
    table: PriceTable,
    template: str | None,
    resolutions: Sequence[Resolution],
    groups: Groups,
    wrong: Set[Place],
) -> list[Problem]:
    """The warnings of one item's price table, whose specs and sizes are of `template` and `resolutions`.

    Prices and tier tables with something at a place of `wrong` are left out.
    """
    rows: dict[str, _Row] = {row.key.value: _row(row.key.value, row.value, wrong) for row in table.parts if row.value}
    cells = [cell for row in rows.values() for cell in row.values()]
    warnings = [warning for cell in cells for warning in _rising_tiers(cell)]
    by_codec = _by_codec(template, resolutions, rows)
    steps = list(dict.fromkeys(_resolution_steps(groups, by_codec)))
    for low, high in steps:
        warnings += _cheaper(high, low, kinds.CHEAPER_RESOLUTION, "the price of a lower resolution")
    for older, newer in dict.fromkeys(_codec_pairs(groups, by_codec)):
        warnings += _cheaper(newer, older, kinds.CHEAPER_H265, "the price of H.264, which takes less work")
    beside = [pair for one, other in steps for pair in _comparable(one, other)]
    beside += [pair for cell in cells for pair in pairwise(cell.rates)]
    return warnings + _outliers(beside, rows)


def _row(spec: str, prices: Many[PriceEntry], wrong: Set[Place]) -> _Row:
    cells = {
        entry.key.value: _cell(entry.value, spec, entry.key.value, wrong)
        for entry in prices.parts
        if entry.key.place not in wrong
    }
    return {region: cell for region, cell in cells.items() if cell}


def _cell(written: WrittenPrice | None, spec: str, region: str, wrong: Set[Place]) -> _Cell | None:
    rates = written.rates(wrong) if written else None
    if rates is None:
        return None
    named = tuple(_Rate(rate.price, spec, region, rate.words) for rate in rates)
    return _Cell(named, tuple(rate.bound for rate in rates))


def _comparable(one: _Cell, other: _Cell) -> list[tuple[_Rate, _Rate]]:
    return list(zip(one.rates, other.rates, strict=True)) if one.bounds == other.bounds else []


# ---- Who is whose neighbour ------------------------------------------------------------------------------------------


def _by_codec(
    template: str | None, resolutions: Sequence[Resolution], rows: Mapping[str, _Row]
) -> dict[str, dict[str, _Row]]:
    """Codec to resolution to row, lowest resolution first; empty where specs do not name a resolution."""
    if template is None or not _ascend(resolutions):
        return {}
    found: dict[str, dict[str, _Row]] = {}
    for spec, row in rows.items():
        parts = split_spec(template, spec)
        if parts and parts.resolution:
            found.setdefault(parts.codec or "", {})[parts.resolution] = row
    order = [resolution.name for resolution in resolutions]
    return {codec: {name: by_name[name] for name in order if name in by_name} for codec, by_name in found.items()}


def _ascend(resolutions: Sequence[Resolution]) -> bool:
    return all(low.long <= high.long and low.short <= high.short for low, high in pairwise(resolutions))


def _resolution_steps(groups: Groups, by_codec: Mapping[str, Mapping[str, _Row]]) -> Iterator[tuple[_Cell, _Cell]]:
    """Prices of a codec in a region at one resolution and at the next higher one that is priced there."""
    for rows in by_codec.values():
        for region in _regions(groups, rows):
            priced = [_cell_in(groups, row, region) for row in rows.values()]
            yield from pairwise(cell for cell in priced if cell)


def _codec_pairs(groups: Groups, by_codec: Mapping[str, Mapping[str, _Row]]) -> Iterator[tuple[_Cell, _Cell]]:
    """Prices of H.264 and of H.265 at the same resolution in the same region."""
    older, newer = by_codec.get("H264", {}), by_codec.get("H265", {})
    for resolution in older.keys() & newer.keys():
        for region in _regions(groups, {"older": older[resolution], "newer": newer[resolution]}):
            pair = _cell_in(groups, older[resolution], region), _cell_in(groups, newer[resolution], region)
            if pair[0] and pair[1]:
                yield pair[0], pair[1]


def _region_pairs(rows: Mapping[str, _Row], at_least: int) -> Iterator[tuple[_Rate, _Rate]]:
    """Rates of a spec in two regions; only of rows in which some rate is more than `at_least` times another."""
    for row in rows.values():
        figures = [rate.price.value for cell in row.values() for rate in cell.rates if rate.price.value]
        if figures and max(figures) > at_least * min(figures):
            for one, other in combinations(row.values(), 2):
                yield from _comparable(one, other)


def _regions(groups: Groups, rows: Mapping[str, _Row]) -> list[str]:
    """Every region that a row has a price for, groups by their members."""
    keys = dict.fromkeys(key for row in rows.values() for key in row)
    return list(dict.fromkeys(region for key in keys for region in groups.get(key, (key,))))


def _cell_in(groups: Groups, row: _Row, region: str) -> _Cell | None:
    """The price in force in a region."""
    scope = scope_in_force(row, region, groups)
    return None if scope is None else row[scope]


# ---- What looks odd --------------------------------------------------------------------------------------------------


def _rising_tiers(cell: _Cell) -> list[Problem]:
    """Tiers that cost more than the one before. A first part that is free is usual, and the next one has to rise."""
    return [
        Problem(
            rate.price.place,
            kinds.RISING_TIER,
            f"{rate} costs {plain(rate.price.value)}, more than {plain(before.price.value)} in the tier before it",
        )
        for before, rate in pairwise(cell.rates)
        if before.price.value and rate.price.value > before.price.value
    ]


def _cheaper(cell: _Cell, other: _Cell, kind: Kind, why: str) -> list[Problem]:
    """A problem at each rate of `cell` that is below its counterpart in `other`."""
    return [
        Problem(
            rate.price.place,
            kind,
            f"{rate} costs {plain(rate.price.value)}, less than {plain(against.price.value)} for {against}, {why}",
        )
        for rate, against in _comparable(cell, other)
        if rate.price.value < against.price.value
    ]


def _outliers(beside: Sequence[tuple[_Rate, _Rate]], rows: Mapping[str, _Row]) -> list[Problem]:
    """Rates that are more than ten times away from a neighbour. `beside` are neighbours at the next resolution or tier.

    Of two such neighbours one is to blame: the one that is far from more of its neighbours; where that is
    equal, the one that is farther from its neighbours in the median; else the later one in the sheet.
    """
    far: dict[_Rate, dict[_Rate, None]] = {}
    for one, other in (*beside, *_region_pairs(rows, MAX_TIMES)):
        low, high = sorted((one.price.value, other.price.value))
        if low and high > MAX_TIMES * low:
            far.setdefault(one, {})[other] = None
            far.setdefault(other, {})[one] = None
    if not far:
        return []
    usual = _median_distances([*beside, *_region_pairs(rows, 0)], far.keys())
    in_order = sorted(far, key=lambda rate: (usual[rate], rate.price.place), reverse=True)
    # The most to blame stands first. Blaming it takes it from its neighbours, whose turn then comes later.
    queue = [(-len(far[rate]), number) for number, rate in enumerate(in_order)]
    heapify(queue)
    warnings = []
    while queue:
        count, number = heappop(queue)
        odd = in_order[number]
        if -count != len(far[odd]):
            heappush(queue, (-len(far[odd]), number))
        elif count:
            warnings.append(_outlier(odd, list(far[odd])))
            for neighbour in far[odd]:
                del far[neighbour][odd]
    return warnings


def _outlier(odd: _Rate, neighbours: Sequence[_Rate]) -> Problem:
    shown = ", ".join(f"{plain(near.price.value)} for {near}" for near in neighbours[:_SHOWN_NEIGHBOURS])
    more = f" and {len(neighbours) - _SHOWN_NEIGHBOURS} more" if len(neighbours) > _SHOWN_NEIGHBOURS else ""
    message = (
        f"{odd} costs {plain(odd.price.value)}, more than {MAX_TIMES} times above or below {shown}{more};"
        " is the decimal point right?"
    )
    return Problem(odd.price.place, kinds.PRICE_OUTLIER, message)


def _median_distances(pairs: Sequence[tuple[_Rate, _Rate]], wanted: Set[_Rate]) -> dict[_Rate, Fraction]:
    """How many times a rate is above or below its neighbours, in the (lower) median of all of them."""
    distances: dict[_Rate, list[Fraction]] = {rate: [] for rate in wanted}
    for pair in pairs:
        low, high = sorted(rate.price.value for rate in pair)
        for rate in pair:
            if low and rate in distances:
                distances[rate].append(Fraction(high) / Fraction(low))
    return {rate: sorted(found)[(len(found) - 1) // 2] for rate, found in distances.items()}
