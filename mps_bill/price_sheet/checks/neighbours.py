"""Warnings from comparing a price with its neighbours in the sheet.

The neighbours of a price are: the same spec in the item's other regions; the next lower and the next higher resolution
of the same codec with a price in the region; the other codec of H.264 and H.265; the tier before and after it. Prices in
tiers are compared only if both have the same bounds. Prices of 0 are not compared.

If two rows or columns have at least three prices in common, the ratios are compared, too: a ratio out of line with the others
shows a mistake that is still within the range of the neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import combinations, pairwise
from statistics import median_low

from mps_bill.core.decimals import plain, significant
from mps_bill.core.diagnostics import Kind, Problem, counted, quoted
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks import other_items, price_cells
from mps_bill.price_sheet.checks.price_cells import ROUGH, Cell, CheckedSheet, ItemTable, Odd, Rate, Row, Shares
from mps_bill.price_sheet.sheet_model import scope_in_force

#: A misplaced decimal point makes a price ten times too high or too low; published resolutions differ at most five times,
#: regions six.
MAX_TIMES = 8
#: Each resolution has up to four times the pixels of the one before.
MAX_SIZES = 4
#: Published prices of H.265 are five times those of H.264.
MAX_CODEC_TIMES = 20
#: How far a ratio of neighbours may be from that of other rows or columns; published ratios differ up to three times.
MAX_RATIO = 6
#: Two ratios are the same in two sheets if they differ less than this many times: contract prices are over half the list price.
MAX_FROM_OTHERS = 5
_SHOWN_NEIGHBOURS = 3
_LOWER = "less than {} for {}, the price of a lower resolution"
_LESS_WORK = "less than {} for {}, the price of H.264, which takes less work"
_NEARLY_ALL = Fraction(99, 100)

_Pair = tuple[Rate, Rate]
#: The neighbours that each rate is far from, with the price that would be in line; None if the price itself is far away.
_Far = dict[Rate, dict[Rate, "Fraction | None"]]


def price_warnings(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield warnings for the price tables, without the rates that are odd by other sheets, which are reported by themselves."""
    own = [_without(table, sheet.odd) for table in sheet.tables if not table.derived]
    odd_items = other_items.odd_items(own)
    yield from odd_items.values()
    for table in own:
        if table not in odd_items:
            yield from _table_warnings(table, sheet.shares)


def _without(table: ItemTable, odd: Set[Rate]) -> ItemTable:
    if not odd or odd.isdisjoint(table.rates):
        return table
    rows = {
        spec: {region: cell for region, cell in row.items() if odd.isdisjoint(cell.rates)}
        for spec, row in table.rows.items()
    }
    return replace(table, rows={spec: row for spec, row in rows.items() if row})


def _table_warnings(table: ItemTable, shares: Shares) -> Iterator[Problem]:
    near = _neighbours(table)
    odd = _outliers(near, table, shares)
    blamed = {one.rate for one in odd}
    # A free first tier is common, and the next price must be higher.
    rising = [pair for pair in near.tiers if 0 < pair[0].price.value < pair[1].price.value]
    newer = _judged_by_line(_falling(near.codecs), table)
    cheap = [
        *_against(rising, kinds.RISING_TIER, "more than {} in the tier before it", blamed, high=True),
        *_against(_falling(near.steps), kinds.CHEAPER_RESOLUTION, _LOWER, blamed),
        *_against(newer, kinds.CHEAPER_H265, _LESS_WORK, blamed),
    ]
    # A price with a more specific warning is not also reported as out of line.
    said = {one.rate for one in cheap}
    left = [*cheap, *(one for one in odd if one.by_figures or one.rate not in said)]
    alone: list[Odd] = []
    while left:
        common, members = _commonest_cause(left)
        left = [one for one in left if one not in members]
        of_kind = all(one.kind == kinds.PRICE_OUTLIER and _is_of(one.rate, common) for one in members)
        if of_kind or len({one.rate for one in members}) == 1:
            # `folded` combines odd prices of one row or column, and only the strongest warning of a price is reported.
            alone += members
        else:
            yield _of_one_cause(members, common, table)
    yield from price_cells.folded([one for one in alone if one.kind == kinds.PRICE_OUTLIER], table)
    for one in alone:
        if one.kind != kinds.PRICE_OUTLIER:
            cause = f"{table.code.value} {one.rate.spec} in"
            yield Problem(one.rate.price.place, one.kind, f"{one.rate} {one.why}", cause)


#: A spec, or an empty text and a region, and whether its prices seem too high.
_Cause = tuple[str, str, bool]


def _causes(one: Odd) -> Iterator[_Cause]:
    """Yield the specs and regions that would explain an odd rate if they were wrong as a whole: those on one side of it only."""
    specs, regions = {near.spec for near in one.near}, {near.region for near in one.near}
    if one.rate.spec not in specs:
        yield one.rate.spec, "", one.high
        if len(specs) == 1:
            yield min(specs), "", not one.high
    if one.rate.region not in regions:
        yield "", one.rate.region, one.high
        if len(regions) == 1:
            yield "", min(regions), not one.high


def _is_of(rate: Rate, cause: _Cause) -> bool:
    return cause[:2] in ((rate.spec, ""), ("", rate.region))


def _commonest_cause(odd: Sequence[Odd]) -> tuple[_Cause, list[Odd]]:
    """Return the cause that explains the most odd rates, and these rates. Without a cause it is the rate's own spec. The
    rates' own specs and regions take precedence over those of their neighbours."""
    causes = {number: set(_causes(one)) or {(one.rate.spec, "", one.high)} for number, one in enumerate(odd)}
    counts = Counter(cause for one in causes.values() for cause in one)
    own = Counter(cause for number, one in causes.items() for cause in one if _is_of(odd[number].rate, cause))
    cause = max(counts, key=lambda cause: (counts[cause], own[cause]))
    return cause, [odd[number] for number, one in causes.items() if cause in one]


def _of_one_cause(odd: Sequence[Odd], cause: _Cause, table: ItemTable) -> Problem:
    """Return one finding at the cause: a single price, the row, or the first price of the column."""
    spec, region, _ = cause
    own = [one for one in odd if _is_of(one.rate, cause)]
    first = min(own or odd, key=lambda one: (one.kind != kinds.PRICE_OUTLIER, one.rate.price.place))
    blamed = {rate.price.place for one in odd for rate in (one.rate, *one.near) if _is_of(rate, cause)}
    place = table.spec_places[spec] if spec and len(blamed) > 1 else min(blamed)
    others = counted(len(odd) - 1, "more price")
    more = f", and {others} near {quoted(spec) if spec else region} look{'s' if len(odd) == 2 else ''} odd"
    places = tuple(one.rate.price.place for one in odd)
    return first.problem(more, place=place, also=places, facts=places)


def outliers(table: ItemTable, shares: Shares) -> list[Odd]:
    """Return the rates of an item that are odd compared with its other rates."""
    return _outliers(_neighbours(table), table, shares)


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Pairs of neighbouring rates: a resolution and the next, H.264 and H.265, a tier and the next."""

    steps: Sequence[_Pair]
    codecs: Sequence[_Pair]
    tiers: Sequence[_Pair]


def _neighbours(table: ItemTable) -> _Neighbours:
    by_codec = table.rows_by_codec
    older, newer = by_codec.get("H264", {}), by_codec.get("H265", {})
    return _Neighbours(
        list(_in_lines(table, [list(rows.values()) for rows in by_codec.values()])),
        list(_in_lines(table, [(older[size], newer[size]) for size in older if size in newer])),
        [pair for row in table.rows.values() for cell in row.values() for pair in pairwise(cell.rates)],
    )


def _in_lines(table: ItemTable, lines: Iterable[Sequence[Row]]) -> Iterator[_Pair]:
    """Yield pairs of rates of consecutive rows in a line, in the same region; rows without a price there are skipped."""
    pairs: dict[tuple[Cell, Cell], None] = {}
    for rows in lines:
        keys = dict.fromkeys(key for row in rows for key in row)
        for region in dict.fromkeys(region for key in keys for region in table.groups.get(key, (key,))):
            scopes = ((row, scope_in_force(row, region, table.groups)) for row in rows)
            priced = [row[scope] for row, scope in scopes if scope is not None]
            pairs.update(dict.fromkeys(pairwise(priced)))
    for cells in pairs:
        yield from _comparable(*cells)


def _comparable(one: Cell, other: Cell) -> list[_Pair]:
    if one.bounds != other.bounds:
        return []
    # Most prices are single figures, and a large sheet has thousands.
    return [(one.rates[0], other.rates[0])] if len(one.rates) == 1 else list(zip(one.rates, other.rates, strict=True))


# ---- Which prices are neighbours -------------------------------------------------------------------------------------


def _region_pairs(rows: Mapping[str, Row], at_least: int) -> Iterator[_Pair]:
    """Yield rates of a spec in two regions, from rows in which some rate is `at_least` times another."""
    for row in rows.values():
        figures = [rate.price.value for cell in row.values() for rate in cell.rates if rate.price.value]
        if figures and max(figures) >= at_least * min(figures):
            for one, other in combinations(row.values(), 2):
                yield from _comparable(one, other)


# ---- What looks odd --------------------------------------------------------------------------------------------------


def _against(pairs: Sequence[_Pair], kind: Kind, than: str, blamed: Set[Rate], *, high: bool = False) -> Iterator[Odd]:
    """Yield the second rate of each pair as odd, unless the first rate is odd itself; `than` has placeholders for the price and
    the name of the first rate."""
    for against, rate in pairs:
        if against not in blamed:
            why = f"costs {plain(rate.price.value)}, {than.format(plain(against.price.value), against)}"
            yield Odd(rate, why, kind, high=high, near=(against,))


def _falling(pairs: Sequence[_Pair]) -> list[_Pair]:
    return [pair for pair in pairs if pair[1].price.value < pair[0].price.value]


def _judged_by_line(pairs: Sequence[_Pair], table: ItemTable) -> list[_Pair]:
    """Return the pairs, except those that touch a flat line, unless nearly all of the line is in such pairs."""
    if not pairs:
        return []
    left = price_cells.beyond_flat_lines({rate for pair in pairs for rate in pair}, table, _NEARLY_ALL)
    return [pair for pair in pairs if left.issuperset(pair)]


def _outliers(near: _Neighbours, table: ItemTable, shares: Shares) -> list[Odd]:
    """Return rates that differ at least eight times from a neighbour, or are out of line with the ratios around them, unless
    another sheet has the same ratio.

    Of two such neighbours one is to blame: the one that is far from more of its neighbours; if that is equal, the one with the
    larger median distance to its neighbours; otherwise the later one in the sheet.
    """
    rows = table.rows
    far: _Far = {}
    expected = {(one, other): price for one, other, price in _out_of_line(rows)}
    for one, other in _judged_by_line(_unlike_others(expected, shares), table):
        price = expected[one, other]
        far.setdefault(one, {})[other] = price
        far.setdefault(other, {})[one] = Fraction(one.price.value) * Fraction(other.price.value) / price
    steps = [pair for pair in _far_apart(near.steps, MAX_TIMES) if not _as_sizes_are(pair, table)]
    regions = _far_apart(_region_pairs(rows, MAX_TIMES), MAX_TIMES)
    _add_far(far, _unlike_others([*_far_apart(near.tiers, MAX_TIMES), *steps], shares))
    _add_far(far, _judged_by_line(_unlike_others(regions, shares), table))
    codecs = [pair for pair in near.codecs if not (far and far.keys() & set(pair))]
    _add_far(far, _judged_by_line(_unlike_others(_far_apart(codecs, MAX_CODEC_TIMES), shares), table))
    if not far:
        return []
    # In a row that is off as a whole, the regions are as far apart as usual, so they are not counted here.
    usual = _median_distances([*near.steps, *near.codecs, *near.tiers], far.keys())
    in_order = sorted(far, key=lambda rate: (usual[rate], rate.price.place), reverse=True)
    # The rate most to blame comes first. It then no longer counts against its neighbours, which move back in the queue.
    queue = [(-len(far[rate]), number) for number, rate in enumerate(in_order)]
    heapify(queue)
    odd = []
    while queue:
        count, number = heappop(queue)
        rate = in_order[number]
        if -count != len(far[rate]):
            heappush(queue, (-len(far[rate]), number))
        elif count:
            high = rate.price.value > (next(iter(far[rate].values())) or next(iter(far[rate])).price.value)
            why, by_figures = _why(rate, far[rate]), None in far[rate].values()
            odd.append(Odd(rate, why, kinds.PRICE_OUTLIER, by_figures, high, near=tuple(far[rate])))
            for neighbour in far[rate]:
                del far[neighbour][rate]
    return odd


def _far_apart(pairs: Iterable[_Pair], times: int) -> list[_Pair]:
    return [
        (one, other)
        for one, other in pairs
        if (price := one.price.value)
        and (near := other.price.value)
        and (price >= times * near or near >= times * price)
    ]


def _unlike_others(pairs: Iterable[_Pair], shares: Shares) -> list[_Pair]:
    """Return the pairs, except those with about the same ratio in another sheet."""
    return [
        (one, other)
        for one, other in pairs
        if not (one in shares and other in shares)
        or max(shares[one], shares[other]) >= MAX_FROM_OTHERS * min(shares[one], shares[other])
    ]


def _as_sizes_are(step: _Pair, table: ItemTable) -> bool:
    """Whether two resolutions, perhaps with others between them, differ as much as their prices."""
    pixels = {size.name: size.long * size.short for size in table.resolutions}
    parts = [table.spec_parts[rate.spec] for rate in step]
    low, high = (pixels[part.resolution or ""] if part else 1 for part in parts)
    before, after = (rate.price.value for rate in step)
    return before < after and after * low * MAX_SIZES < before * high * MAX_TIMES


def _add_far(far: _Far, pairs: Iterable[_Pair]) -> None:
    for one, other in pairs:
        far.setdefault(one, {})[other] = None
        far.setdefault(other, {})[one] = None


def _why(odd: Rate, far: Mapping[Rate, Fraction | None]) -> str:
    simply = [near for near, expected in far.items() if expected is None]
    if not simply:
        near, expected = next(iter(far.items()))
        in_line = significant(expected or Fraction(0))
        return (
            f"costs {plain(odd.price.value)}, but about {in_line} would be in line with {plain(near.price.value)} for"
            f" {near} and with the ratios of the other prices"
        )
    shown = ", ".join(f"{plain(near.price.value)} for {near}" for near in simply[:_SHOWN_NEIGHBOURS])
    more = f" and {len(simply) - _SHOWN_NEIGHBOURS} more" if len(simply) > _SHOWN_NEIGHBOURS else ""
    return f"costs {plain(odd.price.value)}, at least {MAX_TIMES} times above or below {shown}{more}"


def _median_distances(pairs: Sequence[_Pair], wanted: Set[Rate]) -> dict[Rate, Fraction]:
    """Return how many times each rate is above or below its neighbours, as the (lower) median."""
    distances: dict[Rate, list[Fraction]] = {rate: [] for rate in wanted}
    for pair in pairs:
        low, high = sorted(rate.price.value for rate in pair)
        for rate in pair:
            if low and rate in distances:
                distances[rate].append(Fraction(high) / Fraction(low))
    return {rate: median_low(found) if found else Fraction(0) for rate, found in distances.items()}


# ---- Ratios of rows and columns --------------------------------------------------------------------------------------


def _out_of_line(rows: Mapping[str, Row]) -> Iterator[tuple[Rate, Rate, Fraction]]:
    """Yield neighbours whose ratio is far from that of the other prices in their two rows, columns or tiers, with the price of
    the first that would be in line with the others."""
    every = list(rows.values())
    for one, other in pairwise(every):
        yield from _deviating([pair for key in one if key in other for pair in _comparable(one[key], other[key])])
    keys = dict.fromkeys(key for row in every for key in row)
    for left, right in pairwise(keys):
        both = [row for row in every if left in row and right in row]
        yield from _deviating([pair for row in both for pair in _comparable(row[left], row[right])])
    for row in every:
        by_bounds: dict[tuple[object, ...], list[Cell]] = {}
        for cell in row.values() if any(len(cell.rates) > 1 for cell in row.values()) else ():
            by_bounds.setdefault(cell.bounds, []).append(cell)
        for cells in by_bounds.values():
            # Compare each tier of the tables with these bounds with the next tier.
            for low, high in pairwise(zip(*(cell.rates for cell in cells), strict=True)):
                yield from _deviating(list(zip(low, high, strict=True)))


def _deviating(pairs: Sequence[_Pair]) -> Iterator[tuple[Rate, Rate, Fraction]]:
    priced = [(one, other) for one, other in pairs if one.price.value and other.price.value]
    if len(priced) < 3:
        return
    # Rounded ratios show quickly that thousands of pairs are fine.
    rough = [ROUGH.divide(one.price.value, other.price.value) for one, other in priced]
    if max(rough) <= MAX_RATIO * min(rough):
        return
    middle = median_low(rough)
    for (one, other), ratio in zip(priced, rough, strict=True):
        if ratio > MAX_RATIO * middle or middle > MAX_RATIO * ratio:
            yield one, other, Fraction(middle) * Fraction(other.price.value)
