"""Warnings of price sheets: what a bill would take, and a person should look at before it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from mps_bill.core.diagnostics import Place, Problem, one_of, quoted
from mps_bill.core.times import HOUR, Calendar, iso
from mps_bill.documents.shapes import Entry, Fields
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.neighbours import price_warnings
from mps_bill.price_sheet.prices import PriceTable
from mps_bill.price_sheet.sheet import SheetDraft, SheetParts
from mps_bill.price_sheet.sheet_model import EVERY_REGION
from mps_bill.price_sheet.words import by_group, length_words


def lint(parts: SheetParts, wrong: Set[Place], today: str) -> list[Problem]:
    """The warnings of one sheet by itself, sound or not. `today` is a date, such as 2026-11-23.

    What is at a place of `wrong` is reported as an error already and is not checked.
    """
    warnings = [*_future_sheet(parts.fields, today), *_stale_sources(parts.fields, today)]
    groups, sets = parts.context.groups, parts.context.resolution_sets
    items = parts.fields.get(d.ITEMS)
    entries: Sequence[Entry[str, Fields]] = items.parts if items else ()
    for entry in entries:
        # Prices that come from another item have nothing of their own that could look odd.
        table = entry.value.get(d.PRICES) if entry.value else None
        if entry.value is None or table is None:
            continue
        spec, set_name = entry.value.get(d.SPEC), entry.value.get(d.RESOLUTION_SET)
        resolutions = sets.get(set_name.value) if set_name else None
        warnings += _coverage_holes(entry.key.value, table, groups, wrong)
        warnings += price_warnings(
            table, spec.value if spec else None, resolutions.resolutions if resolutions else (), groups, wrong
        )
    return warnings


def period_gaps(drafts: Sequence[SheetDraft]) -> list[Problem]:
    """Times between two versions of a product on a site in which none is in force."""
    warnings = []
    by_market: dict[tuple[str, str], list[SheetDraft]] = {}
    for draft in sorted(drafts, key=lambda draft: draft.sheet.effective_from):
        by_market.setdefault((draft.sheet.product, draft.sheet.site), []).append(draft)
    for (product, site), versions in by_market.items():
        last = versions[0]
        for draft in versions[1:]:
            end, start = last.sheet.effective_to, draft.sheet.effective_from
            if end is None or end >= start:
                # An open version ends where the next one starts.
                last = max(last, draft, key=lambda version: version.sheet.effective_to or version.sheet.effective_from)
                continue
            offset = draft.sheet.billing.calendar.offset
            message = (
                f"no sheet of {product} ({site}) is in force from {iso(end, offset)} until {iso(start, offset)},"
                f" {length_words(start - end)}, when {draft.sheet.id} starts at {draft.place(d.EFFECTIVE_FROM)};"
                " usage of that time has no price"
            )
            warnings.append(Problem(last.place(d.EFFECTIVE_TO), kinds.PERIOD_GAP, message))
            last = draft
    return warnings


def _future_sheet(sheet: Fields, today: str) -> list[Problem]:
    start, billing = sheet.get(d.EFFECTIVE_FROM), sheet.get(d.BILLING)
    if start is None:
        return []
    offset = billing.get(d.TIMEZONE) if billing else None
    day = Calendar(HOUR, offset.value if offset else 0).day(start.value)
    if day <= today:
        return []
    message = f"the sheet is in force from {day} on and not today, {today}; until then it prices nothing"
    return [Problem(start.place, kinds.FUTURE_SHEET, message)]


def _stale_sources(sheet: Fields, today: str) -> list[Problem]:
    """Sources that were read more than a year before `today`."""
    warnings = []
    sources = sheet.get(d.SOURCES)
    for source in sources.parts if sources else ():
        read_on = source.get(d.SOURCE_READ_ON)
        # Dates of this form stand in order as texts, so a year later needs no calendar.
        if read_on and f"{int(read_on.value[:4]) + 1:04}{read_on.value[4:]}" < today:
            message = f"this source was read on {read_on.value}, over a year before {today}; read it again"
            warnings.append(Problem(read_on.place, kinds.STALE_SOURCE, message))
    return warnings


def _coverage_holes(
    code: str, table: PriceTable, groups: Mapping[str, tuple[str, ...]], wrong: Set[Place]
) -> list[Problem]:
    """Specs without a price in a region in which another spec of the item has one."""
    rows = [
        (row.key, [entry.key.value for entry in row.value.parts])
        for row in table.parts
        # Where a region is misspelt, it is not known which one the row lacks.
        if row.value and row.value.whole and not any(entry.key.place in wrong for entry in row.value.parts)
    ]
    everywhere = any(EVERY_REGION in keys for _, keys in rows)
    priced = {region for _, keys in rows for key in keys for region in groups.get(key, (key,))} - {EVERY_REGION}
    warnings = []
    for spec, keys in rows:
        if EVERY_REGION in keys:
            continue
        own = {region for key in keys for region in groups.get(key, (key,))}
        missing = sorted(priced - own)
        if missing or everywhere:
            where = [*by_group(missing, groups), *(["every other region"] if everywhere else [])]
            message = (
                f"{code} {quoted(spec.value)} has no price in {one_of(where)}, where other specs of the item have one"
            )
            warnings.append(Problem(spec.place, kinds.COVERAGE_HOLE, message.replace(" or ", " and ")))
    return warnings
