"""Warnings about a settlement, which people need in every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mps_bill.core.diagnostics import counted
from mps_bill.core.language import tr, tr_many
from mps_bill.core.times import time_text
from mps_bill.pipeline import SettleRun
from mps_bill.rating.bills import Cycle
from mps_bill.settlement.charged import cycle_key

#: How many cycles a warning names.
_NAMED = 6


def notices(run: SettleRun) -> Iterator[str]:
    """Yield what people should know about a run in addition to its result."""
    if overtaken := run.settled.overtaken:
        yield (
            f"{counted(len(overtaken), 'bill was', 'bills were')} issued before the account's current time and paid as of that"
            " time; if products have different lags or cycles, use --as-of."
        )
    if run.settled.late:
        rows = counted(run.control_totals.rows_late, "row is", "rows are")
        yield f"{rows} late usage of settled cycles and not charged{_why_not_charged(run)}."
    if run.settled.charged_again:
        yield charged_again_text(run)


def charged_again_text(run: SettleRun, maximum: int = _NAMED) -> str:
    """Warn that corrections can contain records that are already charged, and name the first `maximum` of their cycles."""
    cycles = [settlement.bill.cycle for settlement in run.settled.charged_again]
    known = all(run.settled.charged_before[cycle_key(cycle)] == "other" for cycle in cycles)
    return tr_many(
        "{n} correction is for a cycle charged before{usage} ({cycles}). The account does not remember individual records: a"
        " record that was charged then and is also in these files is charged twice.",
        "{n} corrections are for cycles charged before{usage} ({cycles}). The account does not remember individual records: a"
        " record that was charged then and is also in these files is charged twice.",
        len(cycles),
        usage=tr(" with other usage") if known else "",
        cycles=_named_cycles(cycles, run, maximum),
    )


def _why_not_charged(run: SettleRun) -> str:
    """Say why --charge-late has not charged late usage, and in which cycles."""
    if not run.settled.charge_late:
        return ""
    cycles = [bill.cycle for bill in run.settled.late]
    return (
        f": it equals what was charged for {'these cycles' if len(cycles) > 1 else 'this cycle'}"
        f" ({_named_cycles(cycles, run)}), and counts as charged. To charge other records with the same sums, use"
        " --charge-late --charge-twice once"
    )


def _named_cycles(cycles: Sequence[Cycle], run: SettleRun, maximum: int = _NAMED) -> str:
    named = [f"{cycle.product} {time_text(cycle.start, run.offset)}" for cycle in cycles[:maximum]]
    more = [tr("{n} more", n=len(cycles) - maximum)] if len(cycles) > maximum else []
    return tr(", ").join(named + more)
