"""What paid each line of a bill.

A bill is paid as a whole. Where its lines are looked at one by one, what each source paid is split over them by what is still
unpaid of their net amounts, in the order in which the sources paid; what is limited to items is split over these alone. The
parts of what a source paid add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, scaled
from mps_bill.core.shares import split_whole
from mps_bill.core.units import ticks_of
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settlement

#: What each source paid, what is outstanding and what is frozen; nothing that is 0.
Paid = Mapping[str, Decimal]


def paid_of(step: Settlement | StatementSettlement) -> Paid:
    """What paid a bill or statement; a statement releases what its bills froze, which is below zero."""
    paid: dict[str, Decimal] = {}
    for source, amount, _ in _parts_of(step):
        paid[source] = paid.get(source, ZERO) + amount
    return paid


def paid_by_line(settlement: Settlement) -> Sequence[Paid]:
    """What paid each line of a bill."""
    lines = settlement.bill.lines
    found: list[dict[str, Decimal]] = [{} for _ in lines]
    unpaid = [line.ticks - ticks_of(line.discount) for line in lines]
    for source, amount, only in _parts_of(settlement):
        weights = [
            left if only is None or line.item.code in only else 0 for line, left in zip(lines, unpaid, strict=True)
        ]
        shares = split_whole(ticks_of(amount), weights)
        for number, share in enumerate(shares):
            if share:
                unpaid[number] = max(0, unpaid[number] - share)
                found[number][source] = found[number].get(source, ZERO) + scaled(share, AMOUNT_PLACES)
    return found


def _parts_of(step: Settlement | StatementSettlement) -> list[tuple[str, Decimal, frozenset[str] | None]]:
    """Who paid, how much, and of which items alone."""
    frozen = step.frozen if isinstance(step, Settlement) else -step.released
    parts = [(taken.source, taken.amount, taken.items) for taken in step.payment.deductions]
    parts += [("outstanding", step.payment.outstanding, None), ("frozen", frozen, None)]
    return [part for part in parts if part[1]]
