"""Usage of cycles that have not ended yet: a date that is wrong, or a cycle of which more is to come."""

from __future__ import annotations

from collections.abc import Iterable

from mps_bill.metering.usage import UsageGroup
from mps_bill.price_sheet.book import PriceBook


def unfinished_cycles(
    groups: Iterable[UsageGroup], book: PriceBook, now: int, as_of: int | None = None
) -> tuple[tuple[int, str], ...]:
    """The cycles (start and product, in order) of usage that is billed which end after `now`, in seconds since the epoch.

    Where `as_of` is given, cycles whose bills are issued later are left out: they are held back.
    """
    longest = max(sheet.billing.calendar.cycle_seconds for sheet in book.sheets)
    slots = {
        (group.key.slot, book.product_of[group.key.item])
        for group in groups
        if group.key.slot + longest > now and not group.key.failed
    }
    found = set()
    for slot, product in slots:
        calendar = book.calendar(product)
        start = calendar.cycle_start(slot)
        end, sheet = calendar.cycle_end(start), book.sheet_at(product, start)
        held_back = as_of is not None and sheet is not None and end + sheet.billing.issue_after > as_of
        if end > now and not held_back:
            found.add((start, product))
    return tuple(sorted(found))
