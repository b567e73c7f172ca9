"""The clock. It is read here and nowhere else, to find usage of cycles that have not ended."""

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
    """The time, in seconds since the epoch."""
    return int(time.time())


def check_cycles(metered: Metered, book: PriceBook, as_of: int | None, *, charged: str | None, quiet: bool) -> None:
    """Warns of usage of cycles that have not ended, but for those that `as_of` holds back. `charged` is the account that would
    be charged for them and saved.

    Raises:
        InputRejected: such usage would be charged.
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
        f"{unfinished}. Further usage of such a cycle would be late, and so would all usage before a wrong date. Correct the"
        " date, leave the cycle out with --as-of, or confirm it with --allow-future; nothing is charged."
    )
    raise InputRejected([Problem(Place(printable(charged)), UNFINISHED_CYCLE, message)])
