"""Restricting the bills that a run shows and totals to a selection. The whole usage is still metered, tiered and settled."""

from __future__ import annotations

import decimal
from dataclasses import replace
from typing import TYPE_CHECKING

from mps_bill.core.decimals import EXACT
from mps_bill.core.times import ALWAYS, Period
from mps_bill.pipeline import BillRun, SettleRun
from mps_bill.rating.selection import Selection

if TYPE_CHECKING:
    from mps_bill.settlement.settle_cycles import Settled, Step


def selected_bills(run: BillRun, selection: Selection) -> BillRun:
    """Return the run with the bills of the selection, and the monthly statements that are entirely in it."""
    if selection.is_everything:
        return run
    with decimal.localcontext(EXACT):
        return replace(
            run,
            bills=selection.bills(run.bills),
            pending=selection.bills(run.pending),
            months=tuple(filter(selection.has_month, run.months)),
            selection=selection,
        )


def selected_settlement(run: SettleRun, period: Period) -> SettleRun:
    """Return the run with the settlements, arrivals, late and pending bills of a period. The account and the amount that it owes
    are those of the whole run."""
    if period == ALWAYS:
        return run
    from mps_bill.settlement.closing import totals

    selection = Selection(period)
    with decimal.localcontext(EXACT):
        settled = settled_in(run.settled, selection)
        return replace(run, settled=settled, totals=totals(settled), selection=selection)


def settled_in(settled: Settled, selection: Selection) -> Settled:
    """Return the settlements, arrivals, late and pending bills in the period of a selection."""
    return replace(
        settled,
        steps=tuple(step for step in settled.steps if _is_in(step, selection)),
        late=selection.bills(settled.late),
        pending=selection.bills(settled.pending),
    )


def bills_of(run: SettleRun, selection: Selection) -> BillRun:
    """Return the parts of settled bills that are in a selection of lines, with the quantities that plans cover. They have no
    payments, because money pays whole bills."""
    settled = run.settled
    bills = BillRun(
        currency=run.currency,
        offset=run.offset,
        tags=selection.tags,
        bills=tuple(step.bill for step in settled.settlements),
        pending=settled.pending,
        months=tuple(step.statement for step in settled.statements),
        control_totals=run.control_totals,
        problems=run.problems,
        has_discounts=bool(settled.opening.contract.discounts),
    )
    return selected_bills(bills, selection)


def _is_in(step: Step, selection: Selection) -> bool:
    # `bill` needs none of these modules, and start-up takes most of the time of a small run.
    from mps_bill.settlement.settle_cycles import Settlement
    from mps_bill.settlement.waterfall import Arrival

    if isinstance(step, Settlement):
        return step.bill.cycle.start in selection.period
    return step.at in selection.period if isinstance(step, Arrival) else selection.has_month(step.statement)
