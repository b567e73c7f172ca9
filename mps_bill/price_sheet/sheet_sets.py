"""What changed between two sets of sheets: files, folders, or versions of a repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mps_bill.core.diagnostics import Problem
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.sheet_diff import RateChange, SheetDiff, diff_sheets
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.table import regions_of


@dataclass(frozen=True, slots=True)
class Ended:
    """What the old sheet has a price for and nothing has from a moment on: because another sheet is in force `instead`, or none.
    `items` are the codes and `regions` the ids of regions of the prices that are gone."""

    since: int
    until: int | None
    old: PriceSheet
    instead: PriceSheet | None
    items: tuple[str, ...]
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetDiff:
    """The sheets that are on both sides, each pair compared. Versions that are `added` or `removed` are compared with none but
    the version before them, where there is one (`following`). `shifted` are the times from which another version is in force than
    one that it is compared with there: a version that was put off, deleted, or renamed. `ended` is what has no price any more
    because of that.

    `old_name` and `new_name` are what was compared, as it was named.
    """

    old_name: str
    new_name: str
    pairs: tuple[SheetDiff, ...]
    added: tuple[PriceSheet, ...] = ()
    removed: tuple[PriceSheet, ...] = ()
    following: tuple[SheetDiff, ...] = ()
    shifted: tuple[tuple[int, SheetDiff], ...] = ()
    ended: tuple[Ended, ...] = ()

    @property
    def changed(self) -> tuple[SheetDiff, ...]:
        """The comparisons that found something; a new version is compared with the one before it."""
        return (*(pair for pair in self.pairs if pair), *self.following)

    @property
    def lone(self) -> SheetDiff | None:
        """The comparison where one sheet was compared with one."""
        return self.pairs[0] if len(self.pairs) == 1 and not (self.added or self.removed) else None

    @property
    def moved(self) -> Iterator[RateChange]:
        for diff in self.changed:
            yield from diff.moved

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed or self.ended)


def diff_sets(
    names: tuple[str, str], old: Sequence[PriceSheet], new: Sequence[PriceSheet], *, whole: bool = False
) -> tuple[SetDiff | None, tuple[Problem, ...]]:
    """What changed from the old sheets to the new ones; None and problems where a sheet has another currency than before.

    One sheet is compared with one, whatever their ids. Of several, sheets belong together that have one id and start; then
    those of an id that is left over once on each side. Both sides being `whole`, what one of a single sheet lacks is nowhere.
    """
    lone = len(old) == len(new) == 1
    pairs, added, removed = ([(old[0], new[0])], list[PriceSheet](), list[PriceSheet]()) if lone else _paired(old, new)
    before = [(_before(sheet, old), sheet) for sheet in added]
    following = [(one, other) for one, other in before if one]
    problems = [_other_currency(*pair) for pair in (*pairs, *following) if pair[0].currency != pair[1].currency]
    if problems:
        return None, tuple(problems)
    compared, of_versions = (tuple(diff_sheets(*pair) for pair in found) for found in (pairs, following))
    known = {(id(before), id(after)) for before, after in (*pairs, *following)}
    shifted: list[tuple[int, SheetDiff]] = []
    ended: list[Ended] = []
    for since, until, sheet, instead in [] if lone and not whole else _in_force(old, new):
        if instead is None:
            # Of several versions in a row that are gone the first says it.
            of_product = [one for one in ended if (one.old.site, one.old.product) == (sheet.site, sheet.product)]
            said = {code for one in of_product if not one.instead and one.until == until for code in one.items}
            if not sheet.items.keys() <= said:
                ended.append(Ended(since, until, sheet, None, tuple(sheet.items), regions_of(sheet)))
        elif (id(sheet), id(instead)) not in known and sheet.currency == instead.currency:
            shifted.append((since, diff_sheets(sheet, instead)))
            ended += _ended(since, until, shifted[-1][1])
    return SetDiff(*names, compared, tuple(added), tuple(removed), of_versions, tuple(shifted), tuple(ended)), ()


def _ended(since: int, until: int | None, diff: SheetDiff) -> Iterator[Ended]:
    """What another sheet that is in force has no price for."""
    gone = [(item.code, rate.region_ids) for item in diff.items for rate in item.rates if rate.new is None]
    if gone:
        items, regions = dict.fromkeys(code for code, _ in gone), dict.fromkeys(one for _, ids in gone for one in ids)
        yield Ended(since, until, diff.old, diff.new, tuple(items), tuple(regions))


def _in_force(
    old: Sequence[PriceSheet], new: Sequence[PriceSheet]
) -> Iterator[tuple[int, int | None, PriceSheet, PriceSheet | None]]:
    """Which sheets of a product on a site are in force on both sides, each pair with the first time of it, and when that ends;
    None for the new one where there is none any more."""
    found: set[tuple[int, int]] = set()
    bounds = {
        second for sheet in (*old, *new) for second in (sheet.effective_from, sheet.effective_to) if second is not None
    }
    for product in sorted({(sheet.site, sheet.product) for sheet in old}):
        sides = [[sheet for sheet in side if (sheet.site, sheet.product) == product] for side in (old, new)]
        in_force = [(second, _sheet_at(sides[0], second), _sheet_at(sides[1], second)) for second in sorted(bounds)]
        for number, (second, before, after) in enumerate(in_force):
            if before and (id(before), id(after)) not in found:
                found.add((id(before), id(after)))
                until = next((at for at, _, other in in_force[number:] if other is not after), None)
                yield second, until, before, after


def _sheet_at(sheets: Sequence[PriceSheet], second: int) -> PriceSheet | None:
    """The sheet in force at a moment: a version holds until it ends or the next begins."""
    begun = [sheet for sheet in sheets if sheet.effective_from <= second]
    sheet = max(begun, key=lambda sheet: sheet.effective_from, default=None)
    return None if sheet is None or (sheet.effective_to is not None and sheet.effective_to <= second) else sheet


def _paired(
    old: Sequence[PriceSheet], new: Sequence[PriceSheet]
) -> tuple[list[tuple[PriceSheet, PriceSheet]], list[PriceSheet], list[PriceSheet]]:
    """Sheets that belong together, in the order of the new ones, and what is only on one side."""
    by_start = {(sheet.id, sheet.effective_from): sheet for sheet in old}
    matched = {id(sheet): by_start.pop((sheet.id, sheet.effective_from), None) for sheet in new}
    left, rest = list(by_start.values()), [sheet for sheet in new if matched[id(sheet)] is None]
    for sheet in rest:
        same = [other for other in left if other.id == sheet.id]
        if len(same) == 1 and sum(other.id == sheet.id for other in rest) == 1:
            matched[id(sheet)] = same[0]
            left.remove(same[0])
    pairs = [(before, sheet) for sheet in new if (before := matched[id(sheet)])]
    return pairs, [sheet for sheet in new if matched[id(sheet)] is None], left


def _before(sheet: PriceSheet, others: Sequence[PriceSheet]) -> PriceSheet | None:
    """The version of a sheet's id that was in force before it."""
    earlier = [other for other in others if other.id == sheet.id and other.effective_from < sheet.effective_from]
    return max(earlier, key=lambda other: other.effective_from, default=None)


def _other_currency(before: PriceSheet, after: PriceSheet) -> Problem:
    message = (
        f"{after.ref} is in {after.currency}, and {before.ref} in {before.currency}; compare sheets of one currency"
    )
    return Problem(after.place, kinds.MIXED_CURRENCIES, message)
