"""The split of payments over the lines of a bill.

A bill is paid as a whole. If lines are shown one by one, the payments of each source are split over them, and no line is paid
more than its net amount:

* Payments limited to items are split first, whenever they were made. They take the same parts of their lines as when they paid
  (`take_from_lines`), so there is always enough: if other money were split before, these lines could already be paid.
* All other payments, and the outstanding and frozen amounts, are split in the order of payment, in proportion to the unpaid
  parts of the lines.

A bill that is rounded up amounts to more than its lines: the last payment pays the rounding, which belongs to no line. A bill
that is rounded down leaves that much of its lines unpaid. The parts of a payment add up to it.
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

#: The payments by source, the outstanding and the frozen amount, except those that are 0.
Paid = Mapping[str, Decimal]


def paid_of(step: Settlement | StatementSettlement) -> Paid:
    """The payments of a bill or statement. A statement releases what its bills froze: its frozen amount is negative."""
    paid: dict[str, Decimal] = {}
    for source, amount, _ in _parts_of(step):
        paid[source] = paid.get(source, ZERO) + amount
    return paid


def paid_by_line(settlement: Settlement) -> Sequence[Paid]:
    """The payments of each line of a bill; and, last, of the part of a rounding up that belongs to no line."""
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
    """The sources that paid, with the amounts and the items to which they are limited."""
    frozen = step.frozen if isinstance(step, Settlement) else -step.released
    parts = [(taken.source, taken.amount, taken.items) for taken in step.payment.deductions]
    parts += [("outstanding", step.payment.outstanding, None), ("frozen", frozen, None)]
    return [part for part in parts if part[1]]
