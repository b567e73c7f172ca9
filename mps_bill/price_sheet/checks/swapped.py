"""Rows and columns of a price table that seem to be swapped, compared with another sheet or with the other rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from statistics import median_high

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Kind, Problem, quoted
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.other_sheets import Compared
from mps_bill.price_sheet.checks.price_cells import ItemTable, Rate

#: Prices of other sheets that differ by less are no evidence of an order.
_APART = Fraction(21, 20)
#: Two shares that differ by less are equal except for rounded prices, if the prices themselves differ by more than `_FAR`: a
#: discount on one of those would look different.
_ROUNDED, _FAR = Fraction(201, 200), Fraction(11, 10)
#: Two lines are a large part of this many lines.
_FEW = 4
#: This many other rows, whose ratios differ by no more than this, show the order of two columns.
_MIN_ROWS, _STEADY = 3, Fraction(53, 50)
#: In a table with more columns, only adjacent columns are compared.
_MAX_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Swap:
    """The rates of two rows or columns that seem to be swapped."""

    problem: Problem
    rates: frozenset[Rate]


def swapped_by_other_sheet(
    table: ItemTable, compared: Iterable[tuple[Rate, Sequence[Compared]]], where: str, kind: Kind
) -> Iterator[Swap]:
    """Yield two rows or columns, or single prices in them, each of which has the other's price in another sheet times the item's
    usual share. A discount on one of them is not a swap, even if it changes their order."""
    by_rate = {rate: found[0] for rate, found in compared if found[0].ratio}
    # In nearly all items of a large sheet, all prices have the usual share.
    usual = median_high(one.ratio for one in by_rate.values()) if by_rate else Fraction(1)
    if all(_are_alike(one.ratio, usual, _ROUNDED) for one in by_rate.values()):
        return
    taken: set[Rate] = set()
    for rows in (True, False):
        lines: dict[str, dict[tuple[str, object], Rate]] = {}
        for rate in by_rate:
            line, across = (rate.spec, rate.region) if rows else (rate.region, rate.spec)
            lines.setdefault(line, {})[across, rate.bound] = rate
        for one, other in combinations(lines, 2):
            shares = {Fraction(1), usual}
            if len(lines) <= _FEW:
                # The two lines that may be wrong would hide the usual share.
                left = [rate for line in lines if line not in (one, other) for rate in lines[line].values()]
                shares |= {median_high(by_rate[rate].ratio for rate in left)} if left else set()
            pairs = [(rate, lines[other][key]) for key, rate in lines[one].items() if key in lines[other]]
            # Specs with the same codec or the same resolution are related.
            related = not rows or not set(one.split(".")).isdisjoint(other.split("."))
            swapped = next((found for share in shares if (found := _swapped(pairs, by_rate, share, related))), None)
            if swapped and taken.isdisjoint(rate for pair in swapped for rate in pair):
                why = f"{where} ({by_rate[swapped[0][0]].price.place}) has them the other way round"
                swap = _swap(table, one, other, swapped, why, kind)
                taken |= swap.rates
                yield swap


def _swapped(
    pairs: Sequence[tuple[Rate, Rate]], by_rate: Mapping[Rate, Compared], share: Fraction, related: bool
) -> list[tuple[Rate, Rate]]:
    """Return the swapped pairs of two lines if the other pairs are in their own places; none if some pair is neither. Lines
    that are not `related` must have exactly the other's price."""
    found = []
    for one, other in pairs:
        own = (by_rate[one].ratio / share, by_rate[other].ratio / share)
        # The prices of the other sheet in the unit of this sheet.
        theirs, others = (Fraction(rate.price.value) / by_rate[rate].ratio for rate in (one, other))
        changed = (own[0] * theirs / others, own[1] * others / theirs)
        if _are_alike(theirs, others, _APART):
            continue
        rounded = related and not _are_alike(theirs, others, _FAR)
        if all(ratio == 1 or (rounded and _are_alike(ratio, Fraction(1), _ROUNDED)) for ratio in changed):
            found.append((one, other))
        elif not all(_are_alike(ratio, Fraction(1), _ROUNDED) for ratio in own):
            return []
    return found


def _are_alike(one: Fraction, other: Fraction, times: Fraction) -> bool:
    return max(one, other) < times * min(one, other)


def swapped_in_a_row(table: ItemTable) -> Iterator[Swap]:
    """Yield two prices of a row whose order is the reverse of that in every other row, at the same ratio."""
    keys = dict.fromkeys(key for row in table.rows.values() for key in row)
    for left, right in combinations(keys, 2) if len(keys) <= _MAX_COLUMNS else pairwise(keys):
        pairs = [
            (row[left].rates[0], row[right].rates[0])
            for row in table.rows.values()
            if left in row and right in row and len(row[left].rates) == len(row[right].rates) == 1
        ]
        rising = [pair for pair in pairs if pair[0].price.value < pair[1].price.value]
        falling = [pair for pair in pairs if pair[0].price.value > pair[1].price.value > 0]
        few, many = sorted((rising, falling), key=len)
        if len(few) != 1 or len(many) < _MIN_ROWS or len(many) + 1 != len(pairs):
            continue
        ratio, *others = (Fraction(one.price.value) / Fraction(other.price.value) for one, other in (*few, *many))
        steady = _are_alike(min(others), max(others), _STEADY) and not _are_alike(ratio, Fraction(1), _APART)
        if steady and min(others) <= _ROUNDED / ratio <= max(others) * _ROUNDED**2:
            why = f"all rows except {quoted(few[0][0].spec)} have them the other way round"
            yield _swap(table, left, right, few, why, kinds.PRICE_OUTLIER)


def _swap(table: ItemTable, one: str, other: str, pairs: Sequence[tuple[Rate, Rate]], why: str, kind: Kind) -> Swap:
    first, second = pairs[0]
    message = (
        f"the prices of {table.code.value} for {quoted(one)} and {quoted(other)}, such as {plain(first.price.value)} and"
        f" {plain(second.price.value)}, seem to be swapped; {why}"
    )
    rates = frozenset(rate for pair in pairs for rate in pair)
    places = tuple(sorted(rate.price.place for rate in rates))
    return Swap(Problem(places[0], kind, message, f"{one} {other} swapped", also=places[1:], facts=places), rates)
