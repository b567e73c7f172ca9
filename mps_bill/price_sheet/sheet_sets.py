"""The differences between two sets of sheets: files, folders, or versions of a repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mps_bill.core.diagnostics import Problem
from mps_bill.core.language import tr
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.book import version_at
from mps_bill.price_sheet.rises import Lost, lost
from mps_bill.price_sheet.sheet_diff import RateChange, SheetDiff, diff_sheets
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.words import by_group, region_words


@dataclass(frozen=True, slots=True)
class Ended:
    """Prices of the old sheet that no longer exist from the moment `since` on, because another sheet, or the changed sheet
    itself, is in force `instead`; None if no sheet is in force."""

    since: int
    until: int | None
    old: PriceSheet
    instead: PriceSheet | None
    lost: tuple[Lost, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """The codes of the items that lose a price."""
        return tuple(dict.fromkeys(one.item for one in self.lost))

    @property
    def regions(self) -> tuple[str, ...]:
        """The ids of the regions in which a price is lost."""
        return tuple(dict.fromkeys(region for one in self.lost for region in one.regions))

    @property
    def refuses(self) -> bool:
        """Whether usage is refused from then on. A temporary gap between sheets is a finding of `prices check`, and a past
        version may be removed."""
        return self.until is None or self.instead is not None

    def words(self, limit: int | None = None) -> str:
        """Return `H265.SD of transcoding and audio in mainland`, with at most `limit` items, specs or regions named."""
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
        """Return the code of the item, with the specs if other specs of it keep their prices or get new ones."""
        names = [one.name for one in self.lost if one.item == code]
        priced = self.old.items[code].prices.keys()
        instead = self.instead.items.get(code) if self.instead else None
        others = instead.prices.keys() - priced if instead else ()
        if not others and {one.spec for one in self.lost if one.item == code and not one.size} >= priced:
            return code
        return tr("{spec} of {item}", spec=_listed(names, limit), item=code)


def _listed(names: Sequence[str], limit: int | None) -> str:
    """Return the first `limit` names and the number of the others; a single further name is listed, too."""
    if limit is None or len(names) <= limit + 1:
        return tr(", ").join(names)
    return tr("{names} and {n} more", names=tr(", ").join(names[:limit]), n=len(names) - limit)


@dataclass(frozen=True, slots=True)
class SetDiff:
    """The differences between two sets. `pairs` are the sheets on both sides, compared. `added` versions are compared with the
    version before them, if there is one (`following`). `shifted` are the times from which a different version is in force
    (because one was postponed, deleted or renamed), with the two versions compared. `ended` are the prices lost because of it.

    `old_name` and `new_name` are the names of the two sides as given.
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
        """The comparisons that found differences, including those of new versions with the version before."""
        return (*(pair for pair in self.pairs if pair), *self.following)

    @property
    def lone(self) -> SheetDiff | None:
        """The only comparison, if one sheet was compared with one sheet."""
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
    """Compare the old sheets with the new ones; return None and problems if the currency of a sheet changed.

    A single sheet is compared with a single sheet, whatever their ids. Several sheets are paired by id and start, then by an id
    that is left once on each side. If both sides are `whole`, a price missing from a single sheet does not exist elsewhere.
    """
    lone = len(old) == len(new) == 1
    pairs, added, removed = ([(old[0], new[0])], list[PriceSheet](), list[PriceSheet]()) if lone else _paired(old, new)
    following = [(earlier, sheet) for sheet in added if (earlier := _version_before(sheet, old))]
    problems = [
        Problem(
            after.place,
            kinds.MIXED_CURRENCIES,
            f"{after.ref} is in {after.currency}, but {before.ref} is in {before.currency}; compare sheets of one currency",
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
            # If several consecutive versions are gone, only the first is reported.
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
    """Do the same as `_in_force` for two single sheets of any products; the versions after them are not known."""
    yield max(old.effective_from, new.effective_from), None, old, new
    if new.effective_to is not None and (old.effective_to is None or new.effective_to < old.effective_to):
        yield new.effective_to, None, old, None


def _in_force(
    old: Sequence[PriceSheet], new: Sequence[PriceSheet]
) -> Iterator[tuple[int, int | None, PriceSheet, PriceSheet | None]]:
    """Yield each pair of sheets of a product on a site that are in force at the same time on the two sides, with the start and
    end of that time; None for the new sheet if there is none."""
    found: set[tuple[int, int]] = set()
    bounds = {
        second for sheet in (*old, *new) for second in (sheet.effective_from, sheet.effective_to) if second is not None
    }
    for product in sorted({(sheet.site, sheet.product) for sheet in old}):
        # Of two sheets with the same start, the first one given counts.
        versions, others = (
            sorted((one for one in reversed(side) if (one.site, one.product) == product), key=_start)
            for side in (old, new)
        )
        in_force = [(at, version_at(versions, at), version_at(others, at)) for at in sorted(bounds)]
        for number, (second, before, after) in enumerate(in_force):
            if before and (id(before), id(after)) not in found:
                found.add((id(before), id(after)))
                until = next((at for at, _, other in in_force[number:] if other is not after), None)
                yield second, until, before, after


def _paired(
    old: Sequence[PriceSheet], new: Sequence[PriceSheet]
) -> tuple[list[tuple[PriceSheet, PriceSheet]], list[PriceSheet], list[PriceSheet]]:
    """Return the pairs of sheets, in the order of the new ones, and the sheets that are only on the new or the old side."""
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


def _version_before(sheet: PriceSheet, others: Sequence[PriceSheet]) -> PriceSheet | None:
    """Return the latest version of the sheet's id that starts before it."""
    earlier = [other for other in others if other.id == sheet.id and other.effective_from < sheet.effective_from]
    return max(reversed(earlier), key=_start, default=None)


def _start(sheet: PriceSheet) -> int:
    return sheet.effective_from
