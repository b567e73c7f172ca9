"""The clock. It is read here and nowhere else, to find usage of cycles that have not ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
    """Warns of usage of cycles that have not ended. `charged` is the account that would be charged for them and saved.

    Raises:
        InputRejected: such usage would be charged.
    """
    from mps_bill.metering.unfinished import unfinished_cycles

    time_now = now()
    found = unfinished_cycles(metered.groups, time_now, as_of)
    if not found:
        return
    unfinished = _unfinished(found, time_now, book.calendar(found[0][1]).offset)
    if charged is None:
        say(f"Warning: {unfinished}.", quiet=quiet)
        return
    from mps_bill.settlement.account_problems import UNFINISHED_CYCLE

    message = (
        f"{unfinished}. Further usage of such a cycle would be late, and so would all usage before a wrong date. Correct the"
        " date, leave the cycle out with --as-of, or confirm it with --allow-future; nothing is charged."
    )
    raise InputRejected([Problem(Place(printable(charged)), UNFINISHED_CYCLE, message)])


def _unfinished(cycles: Sequence[tuple[int, str]], time_now: int, offset: int) -> str:
    names = [f"{product} {clock(start, offset)}" for start, product in cycles]
    one, several = f"the cycle {names[0]} has", f"{len(names)} cycles, {names[0]} to {names[-1]}, have"
    return f"{one if len(names) == 1 else several} not ended: it is {clock(time_now, offset)}"
