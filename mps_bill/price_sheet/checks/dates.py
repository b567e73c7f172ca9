"""Warnings about dates: the sheet's period and its sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from mps_bill.core.diagnostics import Problem
from mps_bill.core.times import DAY, HOUR, Calendar, clock, iso, offset_text
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.price_cells import CheckedSheet
from mps_bill.price_sheet.gather import versions_by
from mps_bill.price_sheet.sheet import SheetDraft
from mps_bill.price_sheet.words import length_words

#: The number of days after today on which a source may have been read: clocks differ, and a reading may be planned.
DAYS_AHEAD = 7


def period_gaps(drafts: Sequence[SheetDraft]) -> list[Problem]:
    """Return the gaps between versions of a product on a site, during which no version is in force."""
    warnings = []
    for (product, site), versions in versions_by(lambda sheet: (sheet.product, sheet.site), drafts).items():
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
                " usage in that time has no price"
            )
            facts = (draft.place(d.EFFECTIVE_FROM),)
            warnings.append(Problem(last.place(d.EFFECTIVE_TO), kinds.PERIOD_GAP, message, facts=facts))
            last = draft
    return warnings


def future_sheet(sheet: CheckedSheet) -> Iterator[Problem]:
    start = sheet.parts.fields.get(d.EFFECTIVE_FROM)
    if start is None:
        return
    day = Calendar(HOUR, _offset(sheet) or 0).day(start.value)
    if day > sheet.today:
        message = f"the sheet comes into force on {day}, after today, {sheet.today}; until then it prices nothing"
        yield Problem(start.place, kinds.FUTURE_SHEET, message, facts=(start.place,))


def not_at_midnight(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield starts and ends that are not midnight on the billing clock; most are midnight on another clock."""
    billing, offset = sheet.parts.fields.get(d.BILLING), _offset(sheet)
    if billing is None or offset is None or billing.place in sheet.wrong:
        return
    both = (sheet.parts.fields.get(d.EFFECTIVE_FROM), sheet.parts.fields.get(d.EFFECTIVE_TO))
    times = [time for time in both if time and (time.value + offset) % DAY]
    places = tuple(time.place for time in times)
    zone = billing.get(d.TIMEZONE)
    if len({(time.value + offset) % DAY for time in times}) < len(times) and zone:
        message = (
            f"the sheet starts at {clock(times[0].value, offset)} and ends at {clock(times[1].value, offset)} at"
            f" {offset_text(offset)}, the billing clock, not at the start of a day; is this offset right, or are both times"
            " wrong?"
        )
        yield Problem(zone.place, kinds.NOT_AT_MIDNIGHT, message, also=places, facts=places)
        return
    for time in times:
        message = (
            f"this is {clock(time.value, offset)} at {offset_text(offset)}, the billing clock, not the start of a day;"
            " is the offset right?"
        )
        yield Problem(time.place, kinds.NOT_AT_MIDNIGHT, message, facts=(time.place,))


def _offset(sheet: CheckedSheet) -> int | None:
    billing = sheet.parts.fields.get(d.BILLING)
    return billing.value_of(d.TIMEZONE) if billing else None


def source_dates(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield sources that were read more than a year ago, or in the future."""
    latest = (date.fromisoformat(sheet.today) + timedelta(days=DAYS_AHEAD)).isoformat()
    for source in sheet.parts.fields.parts(d.SOURCES):
        read_on = source.get(d.SOURCE_READ_ON)
        # Dates of this form sort as text, so that adding a year needs no calendar.
        if read_on and f"{int(read_on.value[:4]) + 1:04}{read_on.value[4:]}" < sheet.today:
            message = f"this source was read on {read_on.value}, over a year before {sheet.today}; read it again"
            # The place as the cause makes each source a separate mistake.
            yield Problem(read_on.place, kinds.STALE_SOURCE, message, str(read_on.place))
        elif read_on and read_on.value > latest:
            message = f"{read_on.value} is after today, {sheet.today}; write the day on which the source was read"
            yield Problem(read_on.place, kinds.READ_IN_FUTURE, message, read_on.value)
