"""When the account was overdue: bills that were left outstanding, what repaid them, and when the rest is cleared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.settlement.account import Account, Debt
from mps_bill.settlement.settle_cycles import Settled
from mps_bill.settlement.waterfall import Arrival


@dataclass(frozen=True, slots=True)
class OverdueBill:
    """A bill that was overdue from its issue time on: `debt.amount` was outstanding, of which `left` still is.

    `cleared_at` is when a top-up repaid the last of it.
    """

    debt: Debt
    left: Decimal
    cleared_at: int | None


def overdue_bills(settled: Settled) -> tuple[OverdueBill, ...]:
    """Every bill or statement that is or was outstanding, oldest first; from earlier runs with what was left of it."""
    found: dict[tuple[str, int, str | None, int], OverdueBill] = {}
    for debt in settled.opening.outstanding:
        _add(found, debt)
    for step in settled.steps:
        if isinstance(step, Arrival):
            for repaid, part in step.repaid:
                bill = found[_key(repaid)]
                left = bill.left - part
                found[_key(repaid)] = replace(bill, left=left, cleared_at=None if left else step.at)
        elif step.payment.debt:
            _add(found, step.payment.debt)
    return tuple(found.values())


def cleared_by(account: Account) -> int | None:
    """When the top-ups that are still to arrive will have repaid all that is outstanding; None where they do not."""
    received = ZERO
    for top_up in sorted(account.top_ups, key=lambda top_up: top_up.at):
        if not top_up.arrived:
            received += top_up.amount
            if received >= account.owed:
                return top_up.at
    return None


def _add(found: dict[tuple[str, int, str | None, int], OverdueBill], debt: Debt) -> None:
    """Adds a debt; two corrections of one cycle can be issued at one time, and count as one."""
    same = found.get(_key(debt))
    if same:
        debt = replace(debt, amount=debt.amount + same.debt.amount)
    found[_key(debt)] = OverdueBill(
        debt, debt.amount if same is None else same.left + debt.amount - same.debt.amount, None
    )


def _key(debt: Debt) -> tuple[str, int, str | None, int]:
    return (debt.product, debt.cycle_start, debt.month, debt.issued_at)
