"""One price sheet from its text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mps_bill.core.diagnostics import Place, Problem, in_order
from mps_bill.core.times import HOUR, Calendar, clock, iso, offset_text
from mps_bill.documents.read_document import ReadDocument, read_text
from mps_bill.documents.shapes import Field, Fields, Located
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.context import Context, read_context
from mps_bill.price_sheet.items import read_items
from mps_bill.price_sheet.sheet_model import Billing, PriceSheet
from mps_bill.price_sheet.unpriced import read_unpriced


@dataclass(frozen=True, slots=True)
class SheetDraft:
    """A sheet with a sound head, perhaps with wrong items left out, so that it can be compared with other sheets.

    `fields` is the sheet as it was read, in which every value has its place.
    """

    sheet: PriceSheet
    fields: Fields

    def place(self, field: Field[Any]) -> Place:
        """Where the value of a key of the head stands; the sheet's own place where the key is absent."""
        value: Located[object] | Fields | None = self.fields.get(field)
        return value.place if value else self.sheet.place


@dataclass(frozen=True, slots=True)
class SheetParts:
    """What could be read of a sheet, sound or not, so that warnings can be reported beside errors."""

    fields: Fields
    context: Context


def read_sheet(text: str, file_name: str) -> tuple[PriceSheet | None, tuple[Problem, ...]]:
    """The price sheet that `text` is, or None and every problem with it, by place. `file_name` is for places only."""
    draft, problems = read_draft(text, file_name)
    return (draft.sheet if draft and not problems else None), problems


def read_draft(text: str, file_name: str) -> tuple[SheetDraft | None, tuple[Problem, ...]]:
    """As `read_sheet`, but a sheet with problems is returned too where its head is sound."""
    draft, _, problems = read_parts(text, file_name)
    return draft, problems


def read_parts(text: str, file_name: str) -> tuple[SheetDraft | None, SheetParts | None, tuple[Problem, ...]]:
    """As `read_draft`, with what could be read of a sheet whose head is not sound; None where it is not a sheet at all."""
    return parts_of(read_text(d.DOCUMENT, text, file_name))


def parts_of(document: ReadDocument[Fields]) -> tuple[SheetDraft | None, SheetParts | None, tuple[Problem, ...]]:
    """As `read_parts`, of a document that was read."""
    problems, fields = list(document.problems), document.fields
    if fields is None:
        return None, None, document.problems
    parts = SheetParts(fields, read_context(fields, problems))
    draft = _draft(parts, problems)
    return draft, parts, in_order(problems)


def _draft(parts: SheetParts, problems: list[Problem]) -> SheetDraft | None:
    fields, context = parts.fields, parts.context
    table = fields.get(d.ITEMS)
    items = read_items(table, context, problems) if table else {}
    billing_fields = fields.get(d.BILLING)
    calendar = _calendar(billing_fields) if billing_fields else None
    start, end = fields.get(d.EFFECTIVE_FROM), fields.get(d.EFFECTIVE_TO)
    period_problems = list(_check_period(start, end, calendar))
    problems += period_problems
    billing = _billing(billing_fields, calendar) if billing_fields and calendar else None
    head = fields.get(d.ID), fields.get(d.SITE), fields.get(d.PRODUCT), fields.get(d.CURRENCY)
    id_, site, product, currency = head
    if (
        period_problems
        or fields.wrong(d.EFFECTIVE_TO)
        or not (id_ and site and product and currency and start and billing)
    ):
        return None
    sheet = PriceSheet(
        id=id_.value,
        site=site.value,
        product=product.value,
        currency=currency.value,
        effective_from=start.value,
        effective_to=end.value if end else None,
        billing=billing,
        region_groups=context.groups,
        items=items,
        sources=context.sources,
        place=fields.place,
    )
    if unpriced := fields.get(d.UNPRICED):
        sheet = replace(sheet, unpriced=read_unpriced(unpriced, sheet, context, problems))
    return SheetDraft(sheet, fields)


def _calendar(fields: Fields) -> Calendar | None:
    cycle, offset = fields.get(d.CYCLE), fields.get(d.TIMEZONE)
    if cycle is None or offset is None:
        return None
    return Calendar(cycle.value, offset.value)


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
