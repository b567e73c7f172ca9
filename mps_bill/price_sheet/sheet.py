"""Building one price sheet from its document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Any

from mps_bill.core.diagnostics import Place, Problem, in_order, quoted
from mps_bill.core.times import HOUR, Calendar, clock, iso, offset_text
from mps_bill.documents.fields import Field, Fields, Located, Many
from mps_bill.documents.read_document import ReadDocument
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.items import read_items
from mps_bill.price_sheet.prices import unknown_region
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Billing, PriceSheet, Unpriced, scope_in_force
from mps_bill.price_sheet.sheet_parts import SheetParts


@dataclass(frozen=True, slots=True)
class SheetDraft:
    """A sheet whose head is valid, so that it can be compared with other sheets; wrong items may have been left out.

    `fields` are the values as read, each with its place.
    """

    sheet: PriceSheet
    fields: Fields

    def place(self, field: Field[Any]) -> Place:
        return self.fields.place_of(field)


def parts_of(document: ReadDocument[Fields]) -> tuple[SheetDraft | None, SheetParts | None, tuple[Problem, ...]]:
    """Return the sheet of a document (None if its head is not valid), its readable parts (None if it is not a sheet at all), and
    every problem in order of place."""
    problems, fields = list(document.problems), document.fields
    if fields is None:
        return None, None, document.problems
    parts = SheetParts(fields)
    draft = _draft(parts, problems)
    return draft, parts, in_order(problems)


def _draft(parts: SheetParts, problems: list[Problem]) -> SheetDraft | None:
    fields = parts.fields
    table = fields.get(d.ITEMS)
    items = read_items(table, parts, problems) if table else {}
    billing_fields = fields.get(d.BILLING)
    calendar = _calendar(billing_fields) if billing_fields else None
    start, end = fields.get(d.EFFECTIVE_FROM), fields.get(d.EFFECTIVE_TO)
    period_problems = list(_check_period(start, end, calendar))
    problems += period_problems
    billing = _billing(billing_fields, calendar) if billing_fields and calendar else None
    id_, site = fields.value_of(d.ID), fields.value_of(d.SITE)
    product, currency = fields.value_of(d.PRODUCT), fields.value_of(d.CURRENCY)
    whole = not period_problems and not fields.wrong(d.EFFECTIVE_TO)
    if not (whole and id_ and site and product and currency and start and billing):
        return None
    sheet = PriceSheet(
        id=id_,
        site=site,
        product=product,
        currency=currency,
        effective_from=start.value,
        effective_to=end.value if end else None,
        billing=billing,
        region_groups=parts.groups,
        items=items,
        sources=parts.sources,
        place=fields.place,
    )
    if unpriced := fields.get(d.UNPRICED):
        sheet = replace(sheet, unpriced=_unpriced(unpriced, sheet, parts, problems))
    return SheetDraft(sheet, fields)


def _calendar(fields: Fields) -> Calendar | None:
    cycle, offset = fields.value_of(d.CYCLE), fields.value_of(d.TIMEZONE)
    return None if cycle is None or offset is None else Calendar(cycle, offset)


def _billing(fields: Fields, calendar: Calendar) -> Billing | None:
    issue_after, settlement, rounding = fields.get(d.ISSUE_AFTER), fields.get(d.SETTLEMENT), fields.get(d.ROUNDING)
    places, mode = (rounding.get(d.PLACES), rounding.get(d.MODE)) if rounding else (None, None)
    if not (issue_after and settlement and places and mode):
        return None
    return Billing(calendar, issue_after.value, settlement.value, places.value, mode.value)


def _check_period(start: Located[int] | None, end: Located[int] | None, calendar: Calendar | None) -> Iterator[Problem]:
    offset = calendar.offset if calendar else 0
    if start and end and end.value <= start.value:
        message = f"effective_to, {iso(end.value, offset)}, must be after effective_from, {iso(start.value, offset)}"
        yield Problem(end.place, kinds.EMPTY_PERIOD, message)
    edge = "an hour" if calendar and calendar.cycle_seconds == HOUR else "a day"
    for time in (start, end):
        if time and calendar and calendar.cycle_start(time.value) != time.value:
            message = (
                f"{clock(time.value, offset)} at {offset_text(offset)}, the billing clock, is not the start of {edge};"
                " prices change between two billing cycles"
            )
            yield Problem(time.place, kinds.OFF_CYCLE_TIME, message, "the billing clock")


# ---- Unpriced usage -------------------------------------------------------------------------------------------------


def _unpriced(
    table: Many[Fields], sheet: PriceSheet, parts: SheetParts, problems: list[Problem]
) -> tuple[Unpriced, ...]:
    """Return the entries without mistakes, in the order of the sheet. `sheet` has the items and prices."""
    entries = []
    counts = Counter(region for members in parts.groups.values() for region in members)
    # A region in two groups is a mistake of its own.
    shared = {region for region, count in counts.items() if count > 1}
    for fields in table.parts:
        written = fields.parts(d.UNPRICED_REGIONS)
        problems += [unknown_region(region, parts) for region in written if region.value not in parts.region_keys]
        before, note = fields.value_of(d.BEFORE), fields.value_of(d.NOTE)
        if not fields.valid or note is None:
            continue
        regions = (one for region in written for one in sheet.members(region.value))
        entry = Unpriced(
            items=tuple(item.value for item in fields.parts(d.UNPRICED_ITEMS)),
            specs=tuple(spec.value for spec in fields.parts(d.UNPRICED_SPECS)),
            regions=tuple(dict.fromkeys(regions)),
            before=before,
            note=note,
            place=fields.place,
        )
        problems += _check_no_price(entry, sheet, shared) if before is None else _check_before(fields, entry, sheet)
        entries.append(entry)
    return tuple(entries)


def _check_no_price(entry: Unpriced, sheet: PriceSheet, shared: Set[str]) -> Iterator[Problem]:
    """Check that nothing in the entry has a price; the first price found shows the mistake."""
    for item, spec, region in _priced(entry, sheet):
        if region in shared:
            continue
        message = f"{item} {quoted(spec)} has a price in {region}, and is listed as unpriced; remove one of the two"
        yield Problem(entry.place, kinds.PRICED_ANYWAY, message)
        return


def _check_before(fields: Fields, entry: Unpriced, sheet: PriceSheet) -> Iterator[Problem]:
    before, calendar = fields.get(d.BEFORE), sheet.billing.calendar
    assert before is not None
    when = iso(before.value, calendar.offset)
    if calendar.cycle_start(before.value) != before.value:
        message = f"{when} is not the start of a billing cycle; prices change between two of them"
        yield Problem(before.place, kinds.OFF_CYCLE_TIME, message)
    elif before.value <= sheet.effective_from or (
        sheet.effective_to is not None and before.value >= sheet.effective_to
    ):
        message = f"{when} is not inside the period of the sheet, so `before` has no effect"
        yield Problem(before.place, kinds.NEEDLESS_BEFORE, message)
    elif next(_priced(entry, sheet), None) is None:
        message = "the sheet has no price for the usage of this entry, so `before` has no effect; remove it"
        yield Problem(before.place, kinds.NEEDLESS_BEFORE, message)


def _priced(entry: Unpriced, sheet: PriceSheet) -> Iterator[tuple[str, str, str]]:
    """Yield the item, spec and region (or group, or "*") of each price that the entry includes."""
    for item in (sheet.items[code] for code in entry.items if code in sheet.items):
        for spec, prices in item.prices.items():
            for region in entry.regions or prices:
                scope = scope_in_force(prices, region, sheet.region_groups) if entry.regions else region
                if scope and entry.holds(item.code, spec, region if entry.regions else ""):
                    yield item.code, spec, "every region" if region == EVERY_REGION else region
