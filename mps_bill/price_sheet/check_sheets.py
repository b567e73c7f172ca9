"""Every finding about price sheets: what a bill would refuse, and what looks like a mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from mps_bill.core.diagnostics import Fact, Place, Problem, counted, in_order, near_miss, quoted
from mps_bill.core.files import read_file
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks import coverage, dates, neighbours, other_sheets, spelling, swapped, tier_bounds
from mps_bill.price_sheet.checks.other_sheets import Listed
from mps_bill.price_sheet.checks.price_cells import CheckedSheet, ItemTable, Odd, Shares, folded, item_tables
from mps_bill.price_sheet.find import SheetFile, shipped_sheets
from mps_bill.price_sheet.gather import check_together, versions_by
from mps_bill.price_sheet.ignores import without_ignored
from mps_bill.price_sheet.load_sheets import LoadedSheet, load_file
from mps_bill.price_sheet.sheet import SheetDraft, SheetParts
from mps_bill.price_sheet.sheet_model import PriceSheet

#: What is checked of a sheet by itself. A check is a function and its line here.
CHECKS: tuple[Callable[[CheckedSheet], Iterable[Problem]], ...] = (
    spelling.unknown_currency,
    dates.future_sheet,
    dates.not_at_midnight,
    dates.source_dates,
    spelling.misspelt_regions,
    spelling.unused_groups,
    spelling.duplicate_names,
    spelling.misspelt_items,
    spelling.missing_specs,
    spelling.misspelt_specs,
    coverage.missing_resolutions,
    coverage.coverage_holes,
    other_sheets.other_units,
    tier_bounds.odd_bounds,
    neighbours.price_warnings,
    other_sheets.version_warnings,
)
#: Of so many items that are wrong as a whole, and no other, the sheet is wrong.
MIN_ITEMS = 3
#: The sheets for reference of a sheet, by its name.
References = Mapping[str, Sequence[PriceSheet]]
_ITEM_CODE = re.compile(r"^  ([a-z][a-z0-9_]*):$", re.MULTILINE)
#: The kinds that may be consequences of others, the nearest to the cause first.
_RANKS = {kind: number for number, kind in enumerate(kinds.NEAREST_TO_THE_CAUSE, 1)}


def check(sheets: Sequence[LoadedSheet], today: str, references: References | None = None) -> tuple[Problem, ...]:
    """Every error and warning of sheets, each for itself and beside one another, by place.

    `today` is a date such as 2026-11-23; sources grow old by it.
    """
    drafts = [sheet.draft for sheet in sheets if sheet.draft]
    errors = [problem for sheet in sheets for problem in sheet.problems]
    errors += check_together(drafts)
    wrong = {place for error in errors for place in (error.place, *error.also)}
    before = _versions_before(drafts)
    warnings = dates.period_gaps(drafts)
    for sheet in sheets:
        if sheet.parts:
            draft = sheet.draft
            earlier = before.get(draft.sheet.place) if draft else None
            tables = item_tables(sheet.parts, draft.sheet if draft else None, wrong)
            beside = (references or {}).get(sheet.name, ())
            warnings += _warnings(CheckedSheet(sheet.parts, draft, tables, wrong, today, earlier, beside))
    # What is wrong is reported once, and is not judged.
    warnings = [warning for warning in warnings if warning.place not in wrong]
    # A file that is not a sheet has no warnings, and its comments would all seem unused.
    texts = {sheet.name: sheet.text for sheet in sheets if sheet.parts and sheet.text is not None}
    at_groups = [problem for sheet in sheets if sheet.parts for problem in _misspelt_groups(sheet.parts, errors)]
    known = {(problem.place.file, problem.cause) for problem in at_groups}
    others = [error for error in errors if not error.cause or (error.place.file, error.cause) not in known]
    found = without_ignored(warnings, texts)
    # In a sheet with errors a comment may have nothing to suppress, because what is wrong is not judged.
    unsound = {error.place.file for error in errors}
    found = [one for one in found if one.kind != kinds.UNUSED_IGNORE or one.place.file not in unsound]
    return in_order([*at_groups, *others, *found])


def _misspelt_groups(parts: SheetParts, errors: Sequence[Problem]) -> Iterator[Problem]:
    """Regions that prices name and nobody knows, where a group that no price names is nearly that: one mistake at the group."""
    file, groups = parts.fields.place.file, parts.fields.get(d.REGION_GROUPS)
    unknown: dict[str, list[Place]] = {}
    for error in errors:
        if error.kind == kinds.UNKNOWN_REGION and error.place.file == file:
            unknown.setdefault(error.cause, []).append(error.place)
    if not unknown or not groups:
        return
    used = spelling.named_regions(parts)
    for group in groups.parts:
        name = group.key.value
        word = next((word for word in unknown if near_miss(name, [word])), None)
        if name not in used and word:
            places = unknown[word]
            count = "a price names" if len(places) == 1 else f"{len(places)} prices name"
            message = f"the group is {quoted(name)} here, and {count} {quoted(word)}; write both alike"
            yield Problem(group.key.place, kinds.UNKNOWN_REGION, message, word, tuple(places))


def _warnings(sheet: CheckedSheet) -> Iterator[Problem]:
    """The warnings of one sheet, by itself and beside the version before it and sheets for reference."""
    draft, tables = sheet.draft, sheet.tables
    odd: dict[ItemTable, list[Odd]] = {}
    if draft:
        listed = other_sheets.laid_beside(tables, draft.sheet, sheet.references, anywhere=True)
        versions = other_sheets.laid_beside(tables, draft.sheet, [sheet.before.sheet]) if sheet.before else {}
        swaps = [swap for table in tables if not table.derived for swap in _swaps(table, versions, listed)]
        yield from (swap.problem for swap in swaps)
        changed_places = {rate for swap in swaps for rate in swap.rates}
        rates = [rate for beside in (listed, versions) for one in beside.values() for rate in one.rates]
        shares = {rate: found[0].ratio for rate, found in rates if found[0].ratio}
        if sheet.before or listed:
            odd = _odd_beside_others(tables, draft.sheet, versions, listed, shares)
        odd = {table: [one for one in found if one.rate not in changed_places] for table, found in odd.items()}
        rates_of_odd = {one.rate for found in odd.values() for one in found} | changed_places
        sheet = replace(sheet, odd=rates_of_odd, shares=shares)
    for check_ in CHECKS:
        yield from check_(sheet)
    whole = [table for table, found in odd.items() if found and len(found) == len(list(table.rates))]
    if draft and len(whole) >= MIN_ITEMS and len(whole) == sum(1 for found in odd.values() if found):
        # What is wrong with the whole sheet, such as its currency, is one mistake.
        more, places = f", and every price of {len(whole)} items is off alike", tuple(one.code.place for one in whole)
        yield odd[whole[0]][0].problem(more, "is the currency right?", draft.place(d.CURRENCY), facts=places)
        return
    yield from _odd_columns(odd)
    for table, found in odd.items():
        yield from folded(found, table)


def _odd_columns(odd: dict[ItemTable, list[Odd]]) -> Iterator[Problem]:
    """One finding for a region or group in which every price of several items is off, and of no other; taken out of `odd`."""
    columns: dict[tuple[str, bool], list[Odd]] = {}
    for one in (one for table in odd for one in odd[table] if not table.derived):
        columns.setdefault((one.rate.region, one.high), []).append(one)
    for (region, _), members in columns.items():
        rates = {one.rate for one in members}
        of_items = [[rate for rate in table.rates if rate.region == region and rate.price.value] for table in odd]
        touched = [of_item for of_item in of_items if not rates.isdisjoint(of_item)]
        if len(touched) >= MIN_ITEMS and all(rates.issuperset(of_item) for of_item in touched):
            places = tuple(one.rate.price.place for one in members[1:])
            yield members[0].problem(f", and every price in {region} of {len(touched)} items is off alike", also=places)
            for table in odd:
                odd[table] = [one for one in odd[table] if one not in members]


def _swaps(
    table: ItemTable, versions: Mapping[ItemTable, Listed], listed: Mapping[ItemTable, Listed]
) -> list[swapped.Swap]:
    """Rows and columns that have changed places, by what shows it best: the version before, the list, the other rows."""
    found: list[swapped.Swap] = []
    if table in versions:
        found += swapped.swapped_beside(table, versions[table].rates, "the version before", kinds.PRICE_JUMP)
    elif table in listed:
        one = listed[table]
        found += swapped.swapped_beside(table, one.rates, one.reference.id, kinds.FAR_FROM_REFERENCE)
    return found or list(swapped.swapped_in_a_row(table))


def _odd_beside_others(
    tables: Sequence[ItemTable],
    sheet: PriceSheet,
    versions: Mapping[ItemTable, Listed],
    listed: Mapping[ItemTable, Listed],
    shares: Shares,
) -> dict[ItemTable, list[Odd]]:
    """Of each item the rates that are odd beside the version before, and those that only the reference shows to be so."""
    found: dict[ItemTable, list[Odd]] = {}
    beside_lists = other_sheets.far_from_reference(listed, sheet)
    for table in tables:
        jumped = other_sheets.jumps(table, versions[table]) if table in versions else []
        far = beside_lists.get(table, [])
        if far and not table.derived:
            # Where the sheet shows the slip by itself, its own figures say so.
            shown = {one.rate: one for one in neighbours.outliers(table, shares) if one.by_figures}
            far = [shown.get(one.rate, one) for one in far]
        rates = len(list(table.rates))
        if len(far) < rates or len(jumped) == rates:
            known = {one.rate for one in jumped}
            far = [*jumped, *(one for one in far if one.rate not in known)]
        found[table] = far
    by_code = {table.code.value: table for table in tables}
    for table in tables:
        # Prices of another item are odd where that one's are, unless it is the factor.
        base = by_code.get(table.base or "")
        if base and (len(found[table]) < len(list(table.rates)) or len(found[base]) == len(list(base.rates))):
            found[table] = []
    return found


def _versions_before(drafts: Iterable[SheetDraft]) -> dict[Place, SheetDraft]:
    """Of each sheet that has one the version before it, by the place of the sheet."""
    by_id = versions_by(lambda sheet: (sheet.site, sheet.product, sheet.id), drafts)
    return {
        later.sheet.place: earlier
        for versions in by_id.values()
        for earlier, later in pairwise(versions)
        if earlier.sheet.currency == later.sheet.currency
    }


def shipped_references(sheets: Sequence[LoadedSheet]) -> dict[str, tuple[PriceSheet, ...]]:
    """For each sheet by its name the shipped ones that have an item of its own, or one whose code is nearly that: those of its
    site first, which have its regions, then those of its currency; others only for what these lack. The shipped sheets themselves
    have none, and none that nobody needs is read."""
    texts = {_text_of(file): file for file in shipped_sheets().values()}
    read = {sheet.text: sheet.draft.sheet for sheet in sheets if sheet.draft and sheet.text in texts}
    found: dict[str, tuple[PriceSheet, ...]] = {}
    for sheet in sheets:
        if sheet.draft is None or sheet.text in texts:
            continue
        own = sheet.draft.sheet
        left, head = set(own.items), (f"\nsite: {own.site}\n", f"\ncurrency: {own.currency}\n")
        for text in sorted(texts, key=lambda text: [line not in text for line in head]):
            codes = _ITEM_CODE.findall(text)
            met = {code for code in left if code in codes or spelling.nearest(code, codes, letters_only=True)}
            if met:
                left -= met
                if text not in read and (draft := load_file(texts[text]).draft):
                    read[text] = draft.sheet
                found[sheet.name] = (*found.get(sheet.name, ()), read[text])
    return found


def _text_of(file: SheetFile) -> str:
    try:
        return read_file(file.path).decode()
    except OSError:
        return ""


# ---- Each mistake once, however much of a sheet it touches: GitHub shows ten annotations of a step --------------------


def once_a_mistake(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without those that only follow from others, and of those of one cause the first. One that stands for others
    has their places."""
    return tuple(_one_a_cause(_without_consequences(problems)))


def _without_consequences(problems: Iterable[Problem]) -> list[Problem]:
    """Without those that are about nothing but what problems nearer to the cause are about."""
    found = list(problems)
    said: dict[object, int] = {}
    others: dict[int, list[Place]] = {}
    for number in sorted(range(len(found)), key=lambda number: _rank(found[number])):
        problem = found[number]
        facts = _facts(problem)
        if _rank(problem) and facts and all(fact in said for fact in facts):
            others.setdefault(said[facts[0]], []).append(problem.place)
        else:
            others.setdefault(number, [])
            for fact in facts:
                said.setdefault(fact, number)
    return [_standing_for(found[number], others[number]) for number in sorted(others)]


def _rank(problem: Problem) -> int:
    """0 for errors that are never consequences."""
    return _RANKS.get(problem.kind, len(_RANKS) + 1 if kinds.is_warning(problem.kind) else 0)


def _facts(problem: Problem) -> list[object]:
    """What a problem is about. An error, and what says of a figure that it looks wrong, is about what stands at its place."""
    facts: tuple[Fact, ...] = problem.facts
    if not facts and (problem.kind in kinds.OF_A_FIGURE or not kinds.is_warning(problem.kind)):
        facts = (problem.place,)
    return [fact if isinstance(fact, Place) else (problem.place.file, fact) for fact in facts]


def _standing_for(problem: Problem, others: Sequence[Place], more: str = "") -> Problem:
    here = tuple(place for place in others if place.file == problem.place.file and place != problem.place)
    return replace(problem, message=problem.message + more, also=tuple(dict.fromkeys((*problem.also, *here))))


def _one_a_cause(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Where no cause is given, problems of one sentence have one: a word that is misspelt throughout a sheet."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        cause = problem.place.file, problem.kind.code, problem.cause or problem.message
        alike.setdefault(cause, []).append(problem)
    for first, *more in alike.values():
        others = [place for one in more for place in (one.place, *one.also)]
        also = f" (also at {counted(len(more), 'other place')}, the next on line {others[0].line})" if others else ""
        yield _standing_for(first, others, also)
