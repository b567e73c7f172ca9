"""Gathering sheets into the price book of a run: periods, products and currencies must be consistent."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from mps_bill.core.diagnostics import Problem, in_order
from mps_bill.core.times import HOUR, Calendar, iso, offset_text
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet import SheetDraft
from mps_bill.price_sheet.sheet_model import PriceSheet

K = TypeVar("K", bound=Hashable)


def gather(drafts: Sequence[SheetDraft]) -> tuple[PriceBook | None, tuple[Problem, ...]]:
    """Return the book of one or more sheets; None and problems if sheets contradict one another.

    A version without `effective_to` ends when the next version of its id starts.
    """
    by_product = versions_by(lambda sheet: sheet.product, drafts)
    problems = [*_check_currencies(drafts), *_check_ids(drafts), *_check_items(drafts)]
    versions: dict[str, tuple[PriceSheet, ...]] = {}
    for product in dict.fromkeys(draft.sheet.product for draft in drafts):
        closed = _closed(by_product[product])
        problems += _check_calendars(closed)
        problems += _check_periods(closed)
        versions[product] = tuple(draft.sheet for draft in closed)
    if problems or not drafts:
        return None, tuple(problems)
    product_of = {code: draft.sheet.product for draft in drafts for code in draft.sheet.items}
    return PriceBook(drafts[0].sheet.currency, versions, product_of), ()


def versions_by(key: Callable[[PriceSheet], K], drafts: Iterable[SheetDraft]) -> dict[K, list[SheetDraft]]:
    """Group sheets by a key, earliest first."""
    found: dict[K, list[SheetDraft]] = {}
    for draft in sorted(drafts, key=lambda draft: draft.sheet.effective_from):
        found.setdefault(key(draft.sheet), []).append(draft)
    return found


def check_together(drafts: Sequence[SheetDraft]) -> tuple[Problem, ...]:
    """Check the sheets of a folder together, each site as a separate run: sites sell the same in different currencies."""
    problems = [*_check_ids(drafts)]
    by_site: dict[str, list[SheetDraft]] = {}
    for draft in drafts:
        by_site.setdefault(draft.sheet.site, []).append(draft)
    for members in by_site.values():
        problems += gather(members)[1]
    return in_order(problems)


def _closed(drafts: list[SheetDraft]) -> list[SheetDraft]:
    """Return the versions of a product (earliest first); one without an end ends when the next of its id starts."""
    starts: dict[str, list[int]] = {}
    for draft in drafts:
        starts.setdefault(draft.sheet.id, []).append(draft.sheet.effective_from)
    closed = []
    for draft in drafts:
        sheet = draft.sheet
        later = starts[sheet.id][bisect_right(starts[sheet.id], sheet.effective_from) :]
        end = later[0] if sheet.effective_to is None and later else sheet.effective_to
        closed.append(replace(draft, sheet=replace(sheet, effective_to=end)))
    return closed


def _check_currencies(drafts: Sequence[SheetDraft]) -> Iterator[Problem]:
    for draft in drafts[1:]:
        first = drafts[0].sheet
        if draft.sheet.currency != first.currency:
            message = (
                f"{draft.sheet.id} is in {draft.sheet.currency}, but {first.id} ({first.place.file}) is in"
                f" {first.currency}; a run has one currency"
            )
            yield Problem(draft.place(d.CURRENCY), kinds.MIXED_CURRENCIES, message)


def _check_ids(drafts: Sequence[SheetDraft]) -> Iterator[Problem]:
    """Check that versions of one id have the same product and site."""
    first: dict[str, SheetDraft] = {}
    for draft in drafts:
        other = first.setdefault(draft.sheet.id, draft)
        for field in (d.PRODUCT, d.SITE):
            ours, theirs = draft.fields.value_of(field), other.fields.value_of(field)
            if ours != theirs:
                message = (
                    f"{draft.sheet.id} has the {field.key} {ours} here and {theirs} at {other.place(field)};"
                    f" versions of an id share one {field.key}"
                )
                yield Problem(draft.place(field), kinds.SHARED_ID, message)


def _check_items(drafts: Sequence[SheetDraft]) -> Iterator[Problem]:
    first: dict[str, SheetDraft] = {}
    for draft in drafts:
        for code, item in draft.sheet.items.items():
            other = first.setdefault(code, draft)
            # Versions of one id in two products are reported as that.
            if other.sheet.product != draft.sheet.product and other.sheet.id != draft.sheet.id:
                message = (
                    f"the item {code} belongs to {draft.sheet.product} here and to {other.sheet.product} at"
                    f" {other.sheet.items[code].place}; usage names only the item, so give each its own code"
                )
                cause = f"{draft.sheet.product} {other.sheet.product}"
                yield Problem(item.place, kinds.SHARED_ITEM, message, cause)


def _check_calendars(drafts: list[SheetDraft]) -> Iterator[Problem]:
    first = drafts[0]
    for draft in drafts[1:]:
        ours, theirs = draft.sheet.billing.calendar, first.sheet.billing.calendar
        if ours != theirs:
            message = (
                f"{draft.sheet.ref} bills by {_calendar_text(ours)}, but {first.sheet.ref}"
                f" ({first.place(d.BILLING)}) by {_calendar_text(theirs)}; versions of {first.sheet.product} share one"
                " billing cycle"
            )
            yield Problem(draft.place(d.BILLING), kinds.CALENDAR_MISMATCH, message)


def _calendar_text(calendar: Calendar) -> str:
    return f"{'hour' if calendar.cycle_seconds == HOUR else 'day'} at {offset_text(calendar.offset)}"


def _check_periods(drafts: list[SheetDraft]) -> Iterator[Problem]:
    """Check that each version of a product (earliest first) ends before the next starts."""
    longest = drafts[0]
    for draft in drafts[1:]:
        if _end(longest) > (False, draft.sheet.effective_from):
            yield from _overlap(longest, draft)
        longest = max(longest, draft, key=_end)


def _end(draft: SheetDraft) -> tuple[bool, int]:
    """Return the end of a version for comparison; an open version ends last."""
    end = draft.sheet.effective_to
    return end is None, end or 0


def _overlap(before: SheetDraft, draft: SheetDraft) -> Iterator[Problem]:
    sheet, earlier = draft.sheet, before.sheet
    at = iso(sheet.effective_from, sheet.billing.calendar.offset)
    if earlier.currency != sheet.currency:
        return  # Different currencies in one run have been reported.
    if earlier.id != sheet.id:
        message = (
            f"{earlier.id} ({before.place(d.EFFECTIVE_FROM)}) is still in force at {at}, when {sheet.id} starts;"
            f" both price {sheet.product}: use one of them, or end the first with `effective_to`"
        )
        yield Problem(draft.place(d.EFFECTIVE_FROM), kinds.COMPETING_SHEETS, message)
    elif earlier.effective_from == sheet.effective_from:
        message = f"{sheet.id} already has a version from {at}, at {before.place(d.EFFECTIVE_FROM)}; keep one"
        yield Problem(draft.place(d.EFFECTIVE_FROM), kinds.DUPLICATE_VERSION, message)
    else:
        message = (
            f"this version of {sheet.id} ends after another one starts, {at} at {draft.place(d.EFFECTIVE_FROM)};"
            " remove `effective_to`, or end the version by then"
        )
        yield Problem(before.place(d.EFFECTIVE_TO), kinds.OVERLAPPING_VERSIONS, message)
