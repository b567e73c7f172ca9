"""Rows and columns of a price table that seem to have changed places: beside another sheet, and beside the other rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Kind, Problem, quoted
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.other_sheets import Compared
from mps_bill.price_sheet.checks.price_cells import ItemTable, Rate

#: Prices of other sheets that differ by less say nothing of an order.
_APART = Fraction(21, 20)
#: So near to one another are the shares of two prices that have changed back.
_ALIKE = Fraction(26, 25)
#: So many other rows, whose ratios do not differ by more than this, show the order of two columns.
_MIN_ROWS, _STEADY = 3, Fraction(3, 2)
#: In a wider table only columns beside one another are compared.
_MAX_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Swap:
    """The rates of two rows or columns that seem to have changed places."""

    problem: Problem
    rates: frozenset[Rate]


def swapped_beside(
    table: ItemTable, compared: Iterable[tuple[Rate, Sequence[Compared]]], where: str, kind: Kind
) -> Iterator[Swap]:
    """Rows and columns whose prices have the shares of another sheet's that others have only once they are changed back."""
    beside = {rate: found[0] for rate, found in compared if found[0].ratio}
    usual = sorted(one.ratio for one in beside.values())[len(beside) // 2] if beside else Fraction(1)
    # Nearly all prices of a large sheet are as they are elsewhere, and quickly done with.
    off = {rate for rate, one in beside.items() if one.ratio != usual and not _are_alike(one.ratio, usual, _ALIKE)}
    swaps: list[tuple[Fraction, Swap]] = []
    for rows in (True, False) if off else ():
        lines: dict[str, dict[tuple[str, object], Rate]] = {}
        for rate in beside:
            line, across = (rate.spec, rate.region) if rows else (rate.region, rate.spec)
            lines.setdefault(line, {})[across, rate.bound] = rate
        changed = {line for line, rates in lines.items() if not off.isdisjoint(rates.values())}
        for one, other in combinations(lines, 2):
            if changed.isdisjoint((one, other)):
                continue
            pairs = [(rate, lines[other][key]) for key, rate in lines[one].items() if key in lines[other]]
            if share := _share_once_swapped(pairs, beside):
                why = f"{where} ({beside[pairs[0][0]].price.place}) has them the other way"
                far = max(share, usual) / min(share, usual)
                swaps.append((far, _swap(table, one, other, pairs, why, kind)))
    taken: set[Rate] = set()
    for _, swap in sorted(swaps, key=lambda one: one[0]):
        if taken.isdisjoint(swap.rates):
            taken |= swap.rates
            yield swap


def _share_once_swapped(pairs: Sequence[tuple[Rate, Rate]], beside: Mapping[Rate, Compared]) -> Fraction | None:
    """The share of the other sheet's prices that two lines have alike once they are changed back; None where they do not."""
    found = None
    for one, other in pairs:
        # The prices of the other sheet, in the unit of this one.
        theirs, others = (Fraction(rate.price.value) / beside[rate].ratio for rate in (one, other))
        if _are_alike(theirs, others, _APART):
            continue
        share = Fraction(other.price.value) / theirs
        if not _are_alike(share, Fraction(one.price.value) / others, _ALIKE):
            return None
        found = found or share
    return found


def _are_alike(one: Fraction, other: Fraction, times: Fraction) -> bool:
    return max(one, other) < times * min(one, other)


def swapped_in_a_row(table: ItemTable) -> Iterator[Swap]:
    """Two prices of a row in the other order than those of every other row, by as much as these."""
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
        alike = _are_alike(min(others), max(others), _STEADY)
        if (
            alike
            and not _are_alike(ratio, Fraction(1), _APART)
            and min(others) <= _ALIKE / ratio <= max(others) * _ALIKE**2
        ):
            spec = few[0][0].spec
            yield _swap(
                table,
                left,
                right,
                few,
                f"the other rows than {quoted(spec)} have them the other way",
                kinds.PRICE_OUTLIER,
            )


def _swap(table: ItemTable, one: str, other: str, pairs: Sequence[tuple[Rate, Rate]], why: str, kind: Kind) -> Swap:
    first, second = pairs[0]
    message = (
        f"the prices of {table.code.value} for {quoted(one)} and {quoted(other)}, such as {plain(first.price.value)} and"
        f" {plain(second.price.value)}, seem to have changed places; {why}"
    )
    rates = frozenset(rate for pair in pairs for rate in pair)
    places = sorted(rate.price.place for rate in rates)
    return Swap(
        Problem(places[0], kind, message, f"{one} {other} swapped", also=tuple(places[1:]), facts=tuple(places)), rates
    )
