"""All findings about price sheets: errors that a bill would refuse, and warnings about likely mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from mps_bill.core.diagnostics import Fact, Place, Problem, counted, in_order
from mps_bill.core.files import read_file
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks import (
    coverage,
    dates,
    neighbours,
    odd_prices,
    other_items,
    other_sheets,
    spelling,
    tier_bounds,
    version_rules,
)
from mps_bill.price_sheet.checks.price_cells import CheckedSheet, item_tables
from mps_bill.price_sheet.find import SheetFile, shipped_sheets
from mps_bill.price_sheet.gather import check_together, versions_by
from mps_bill.price_sheet.ignores import without_ignored
from mps_bill.price_sheet.load_sheets import LoadedSheet, load_file
from mps_bill.price_sheet.sheet import SheetDraft
from mps_bill.price_sheet.sheet_model import PriceSheet

#: The checks of a single sheet, each a function.
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
    other_items.odd_factors,
    version_rules.version_warnings,
)
#: The reference sheets of a sheet, by its name.
References = Mapping[str, Sequence[PriceSheet]]
_ITEM_CODE = re.compile(r"^  ([a-z][a-z0-9_]*):$", re.MULTILINE)
#: The kinds that may be consequences of others, from the closest to the cause.
_RANKS = {kind: number for number, kind in enumerate(kinds.NEAREST_TO_THE_CAUSE, 1)}


def check(sheets: Sequence[LoadedSheet], today: str, references: References | None = None) -> tuple[Problem, ...]:
    """Return every error and warning of the sheets, individually and compared with each other, in order of place.

    `today` is a date such as 2026-11-23, from which the age of sources is measured.
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
            listed = (references or {}).get(sheet.name, ())
            warnings += _warnings(CheckedSheet(sheet.parts, draft, tables, wrong, today, earlier, listed))
    # A value with an error is reported once and gets no warning.
    warnings = [warning for warning in warnings if warning.place not in wrong]
    # A file that is not a sheet has no warnings, so that all its comments would seem unused.
    texts = {sheet.name: sheet.text for sheet in sheets if sheet.parts and sheet.text is not None}
    at_groups = [
        problem for sheet in sheets if sheet.parts for problem in spelling.misspelt_groups(sheet.parts, errors)
    ]
    known = {(problem.place.file, problem.cause) for problem in at_groups}
    others = [error for error in errors if not error.cause or (error.place.file, error.cause) not in known]
    found = without_ignored(warnings, texts)
    # In a sheet with errors a comment may have nothing to suppress, because wrong values get no warnings.
    invalid = {error.place.file for error in errors}
    found = [one for one in found if one.kind != kinds.UNUSED_IGNORE or one.place.file not in invalid]
    return in_order([*at_groups, *others, *found])


def _warnings(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield the warnings of one sheet, by itself and compared with the version before it and with reference sheets."""
    found = odd_prices.compare(sheet)
    yield from (swap.problem for swap in found.swaps)
    sheet = replace(sheet, odd=found.rates, shares=found.shares)
    for check_ in CHECKS:
        yield from check_(sheet)
    yield from found.problems(sheet)


def _versions_before(drafts: Iterable[SheetDraft]) -> dict[Place, SheetDraft]:
    """Return the version before each sheet that has one, by the place of the sheet."""
    by_id = versions_by(lambda sheet: (sheet.site, sheet.product, sheet.id), drafts)
    return {
        later.sheet.place: earlier
        for versions in by_id.values()
        for earlier, later in pairwise(versions)
        if earlier.sheet.currency == later.sheet.currency
    }


def shipped_references(sheets: Sequence[LoadedSheet]) -> dict[str, tuple[PriceSheet, ...]]:
    """Return, for each sheet by its name, the shipped sheets that have one of its items, or one with a similar code: first those
    of its site, which have its regions, then those of its currency; others only for the items still missing. Shipped sheets
    themselves have no references. Only the sheets that are needed are read."""
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


# ---- Each mistake once, however much of a sheet it affects: GitHub shows only ten annotations of a step ---------------


def once_a_mistake(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems that are not consequences of others: the first of each cause, with the places of its others."""
    return tuple(_one_a_cause(_without_consequences(problems)))


def _without_consequences(problems: Iterable[Problem]) -> list[Problem]:
    """Leave out problems whose facts are all facts of problems closer to the cause."""
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
    """Return how far a problem is from the cause; 0 for errors that are never consequences."""
    return _RANKS.get(problem.kind, len(_RANKS) + 1 if kinds.is_warning(problem.kind) else 0)


def _facts(problem: Problem) -> list[object]:
    """Return the facts of a problem. For errors, and for warnings about a unit price, the default is its place."""
    facts: tuple[Fact, ...] = problem.facts
    if not facts and (problem.kind in kinds.OF_A_FIGURE or not kinds.is_warning(problem.kind)):
        facts = (problem.place,)
    return [fact if isinstance(fact, Place) else (problem.place.file, fact) for fact in facts]


def _standing_for(problem: Problem, others: Sequence[Place], more: str = "") -> Problem:
    here = tuple(place for place in others if place.file == problem.place.file and place != problem.place)
    return replace(problem, message=problem.message + more, also=tuple(dict.fromkeys((*problem.also, *here))))


def _one_a_cause(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Yield the first problem of each cause; by default one message is one cause, such as a word misspelt throughout."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        cause = problem.place.file, problem.kind.code, problem.cause or problem.message
        alike.setdefault(cause, []).append(problem)
    for first, *more in alike.values():
        others = [place for one in more for place in (one.place, *one.also)]
        also = f" (also at {counted(len(more), 'other place')}, the next on line {others[0].line})" if others else ""
        yield _standing_for(first, others, also)
