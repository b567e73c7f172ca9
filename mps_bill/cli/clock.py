"""The clock of the machine, and usage of cycles that have not ended by it. The package reads the clock here only."""

from __future__ import annotations

import time
from operator import itemgetter
from typing import TYPE_CHECKING

from mps_bill.cli.output import say
from mps_bill.core.diagnostics import InputRejected, Place, Problem, printable
from mps_bill.core.times import clock

if TYPE_CHECKING:
    from mps_bill.metering.groups import Metered
    from mps_bill.price_sheet.book import PriceBook


def now() -> int:
    """Return the current time in seconds since the epoch."""
    return int(time.time())


def check_cycles(metered: Metered, book: PriceBook, as_of: int | None, *, charged: str | None, quiet: bool) -> None:
    """Warn about usage of cycles that have not ended, except those that `as_of` holds back.

    Raises:
        InputRejected: the account `charged` would be charged for such usage and saved.
    """
    time_now = now()
    assignments = (group.assignment for group in metered.groups)
    sheets = {(assignment.cycle_start, assignment.sheet.product): assignment.sheet for assignment in assignments}
    found = []
    for (start, product), sheet in sorted(sheets.items(), key=itemgetter(0)):
        end = sheet.billing.calendar.cycle_end(start)
        held_back = as_of is not None and end + sheet.billing.issue_after > as_of
        if end > time_now and not held_back:
            found.append((start, product))
    if not found:
        return
    offset = book.calendar(found[0][1]).offset
    names = [f"{product} {clock(start, offset)}" for start, product in found]
    which = f"the cycle {names[0]} has" if len(names) == 1 else f"{len(names)} cycles, {names[0]} to {names[-1]}, have"
    unfinished = f"{which} not ended: it is {clock(time_now, offset)}"
    if charged is None:
        say(f"Warning: {unfinished}.", quiet=quiet)
        return
    from mps_bill.settlement.account_problems import UNFINISHED_CYCLE

    message = (
        f"{unfinished}. If it is charged now, later usage of the cycle will be late; if its date is wrong, so will all usage"
        " before that date. Correct the date, hold the cycle back with --as-of, or confirm it with --allow-future. Nothing"
        " was charged."
    )
    raise InputRejected([Problem(Place(printable(charged)), UNFINISHED_CYCLE, message)])
