"""What paid each line of a bill.

A bill is paid as a whole. Where its lines are looked at one by one, what each source paid is split over them, and no line is
paid more than its net amount:

* What is limited to items comes first, whenever it paid. It takes from its lines what it took when it paid
  (`take_from_lines`), so it always finds them: had other money been split before it, they could be paid already.
* All else, with what is outstanding and frozen, is split in the order in which it paid, by what is still unpaid of the lines.

A bill that is rounded up comes to more than its lines: what pays last pays the rounding, which is of no line. One that is
rounded down leaves that much of its lines unpaid. The parts of what a source paid add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, scaled
from mps_bill.core.laws import law
from mps_bill.core.shares import split_whole
from mps_bill.core.units import ticks_of
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settlement
from mps_bill.settlement.sources.payment_source import take_from_lines

#: What each source paid, what is outstanding and what is frozen; nothing that is 0.
Paid = Mapping[str, Decimal]


def paid_of(step: Settlement | StatementSettlement) -> Paid:
    """What paid a bill or statement; a statement releases what its bills froze, which is below zero."""
    paid: dict[str, Decimal] = {}
    for source, amount, _ in _parts_of(step):
        paid[source] = paid.get(source, ZERO) + amount
    return paid


def paid_by_line(settlement: Settlement) -> Sequence[Paid]:
    """What paid each line of a bill; and behind them, what paid the part of a rounding up that is of no line."""
    bill = settlement.bill
    found: list[dict[str, Decimal]] = [{} for _ in range(len(bill.lines) + 1)]
    unpaid = [line.ticks - ticks_of(line.discount) for line in bill.lines]
    beyond = 0

    def add(number: int, source: str, ticks: int) -> None:
        found[number][source] = found[number].get(source, ZERO) + scaled(ticks, AMOUNT_PLACES)

    parts = _parts_of(settlement)
    for source, amount, only in parts:
        if only is not None:
            codes = (line.item.code for line in bill.lines)
            for number, share in take_from_lines(codes, unpaid, only, ticks_of(amount)):
                add(number, source, share)
    for source, amount, only in parts:
        if only is None:
            ticks = ticks_of(amount)
            of_lines = min(ticks, sum(unpaid))
            for number, share in enumerate(split_whole(of_lines, unpaid)):
                if share:
                    unpaid[number] -= share
                    add(number, source, share)
            if ticks > of_lines:
                beyond += ticks - of_lines
                add(-1, source, ticks - of_lines)
    law(min(unpaid, default=0) >= 0, "a line is paid more than its net amount")
    law(not beyond or beyond == ticks_of(bill.amounts.rounding_adjustment), "{} ticks are paid of no line", beyond)
    return found


def _parts_of(step: Settlement | StatementSettlement) -> list[tuple[str, Decimal, frozenset[str] | None]]:
    """Who paid, how much, and of which items alone."""
    frozen = step.frozen if isinstance(step, Settlement) else -step.released
    parts = [(taken.source, taken.amount, taken.items) for taken in step.payment.deductions]
    parts += [("outstanding", step.payment.outstanding, None), ("frozen", frozen, None)]
    return [part for part in parts if part[1]]
