"""Usage of cycles that have not ended yet: a date that is wrong, or a cycle of which more is to come."""

from __future__ import annotations

from collections.abc import Iterable

from mps_bill.metering.groups import Group


def unfinished_cycles(groups: Iterable[Group], now: int, as_of: int | None = None) -> tuple[tuple[int, str], ...]:
    """The cycles (start and product, in order) of usage which end after `now`, in seconds since the epoch.

    Where `as_of` is given, cycles whose bills are issued later are left out: they are held back.
    """
    assignments = (group.assignment for group in groups)
    sheets = {(assignment.cycle_start, assignment.sheet.product): assignment.sheet for assignment in assignments}
    found = set()
    for (start, product), sheet in sheets.items():
        end = sheet.billing.calendar.cycle_end(start)
        held_back = as_of is not None and end + sheet.billing.issue_after > as_of
        if end > now and not held_back:
            found.add((start, product))
    return tuple(sorted(found))
