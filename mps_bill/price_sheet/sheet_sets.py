"""What changed between two sets of sheets: files, folders, or versions of a repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mps_bill.core.diagnostics import Problem
from mps_bill.core.language import tr
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.rises import Lost, lost
from mps_bill.price_sheet.sheet_diff import RateChange, SheetDiff, diff_sheets
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.words import by_group, region_words


@dataclass(frozen=True, slots=True)
class Ended:
    """What the old sheet has a price for and nothing has from a moment on: because another sheet, or the same one as it is now,
    is in force `instead`, or none."""

    since: int
    until: int | None
    old: PriceSheet
    instead: PriceSheet | None
    lost: tuple[Lost, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """The codes of the items with a price that is gone."""
        return tuple(dict.fromkeys(one.item for one in self.lost))

    @property
    def regions(self) -> tuple[str, ...]:
        """The ids of the regions in which a price is gone."""
        return tuple(dict.fromkeys(region for one in self.lost for region in one.regions))

    @property
    def refuses(self) -> bool:
        """Whether usage is refused from then on. Where no sheet is in force for a time that ends, `prices check` finds the gap,
        and a version of the past may be cleared away."""
        return self.until is None or self.instead is not None

    def words(self, limit: int | None = None) -> str:
        """`H265.SD of transcoding and audio in mainland`; of many items, specs or regions `limit` are named."""
        items = [self._item_words(code, limit) for code in self.items]
        if all(code == words for code, words in zip(self.items, items, strict=True)) and self._everywhere:
            return _listed(items, limit)
        regions = map(region_words, by_group(self.regions, self.old.region_groups))
        return tr("{what} in {regions}", what=_listed(items, limit), regions=_listed(list(regions), limit))

    @property
    def _everywhere(self) -> bool:
        gone = {(one.item, one.spec, region) for one in self.lost for region in one.regions}
        priced = {
            (code, spec, region)
            for code in self.items
            for sheet in (self.old, self.instead)
            if sheet and code in sheet.items
            for spec in sheet.items[code].prices
            for region in sheet.regions(code, spec)
        }
        return gone >= priced

    def _item_words(self, code: str, limit: int | None) -> str:
        """The item, and where it has prices left of other specs, or gets some, the specs."""
        names = [one.name for one in self.lost if one.item == code]
        priced = self.old.items[code].prices.keys()
        instead = self.instead.items.get(code) if self.instead else None
        others = instead.prices.keys() - priced if instead else ()
        if not others and {one.spec for one in self.lost if one.item == code and not one.size} >= priced:
            return code
        return tr("{spec} of {item}", spec=_listed(names, limit), item=code)


def _listed(names: Sequence[str], limit: int | None) -> str:
    """The first names and how many more there are; one more is named."""
    if limit is None or len(names) <= limit + 1:
        return tr(", ").join(names)
    return tr("{names} and {n} more", names=tr(", ").join(names[:limit]), n=len(names) - limit)


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
    following = [(earlier[-1], sheet) for sheet in added if (earlier := _versions_before(sheet, old))]
    problems = [
        Problem(
            after.place,
            kinds.MIXED_CURRENCIES,
            f"{after.ref} is in {after.currency}, and {before.ref} in {before.currency}; compare sheets of one currency",
        )
        for before, after in (*pairs, *following)
        if before.currency != after.currency
    ]
    if problems:
        return None, tuple(problems)
    compared, of_versions = (tuple(diff_sheets(*pair) for pair in found) for found in (pairs, following))
    known = {(id(one.old), id(one.new)): one for one in (*compared, *of_versions)}
    shifted: list[tuple[int, SheetDiff]] = []
    ended: list[Ended] = []
    for since, until, sheet, instead in _of_files(old[0], new[0]) if lone and not whole else _in_force(old, new):
        if instead is None:
            # Of several versions in a row that are gone the first says it.
            of_product = [one for one in ended if (one.old.site, one.old.product) == (sheet.site, sheet.product)]
            said = {code for one in of_product if not one.instead and one.until == until for code in one.items}
            if not sheet.items.keys() <= said:
                ended.append(Ended(since, until, sheet, None, _all_of(sheet)))
        elif sheet.currency == instead.currency:
            diff = known.get((id(sheet), id(instead)))
            if diff is None:
                diff = diff_sheets(sheet, instead)
                shifted.append((since, diff))
            if gone := tuple(lost(diff)):
                ended.append(Ended(since, until, sheet, instead, gone))
    return SetDiff(*names, compared, tuple(added), tuple(removed), of_versions, tuple(shifted), tuple(ended)), ()


def _all_of(sheet: PriceSheet) -> tuple[Lost, ...]:
    return tuple(
        Lost(item.code, spec, tuple(sheet.regions(item.code, spec)))
        for item in sheet.items.values()
        for spec in item.prices
    )


def _of_files(old: PriceSheet, new: PriceSheet) -> Iterator[tuple[int, int | None, PriceSheet, PriceSheet | None]]:
    """As `_in_force` for one sheet and another one, whatever their products; of what follows them nothing is known."""
    yield max(old.effective_from, new.effective_from), None, old, new
    if new.effective_to is not None and (old.effective_to is None or new.effective_to < old.effective_to):
        yield new.effective_to, None, old, None


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


def _versions_before(sheet: PriceSheet, others: Sequence[PriceSheet]) -> list[PriceSheet]:
    """The versions of a sheet's id that were in force before it, earliest first."""
    earlier = [other for other in others if other.id == sheet.id and other.effective_from < sheet.effective_from]
    return sorted(earlier, key=lambda other: other.effective_from)
