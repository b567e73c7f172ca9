"""What a run comes to: the closing statement of every source, and the totals of all bills and statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from mps_bill.core.decimals import ZERO, scaled
from mps_bill.core.laws import law
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.rating.bills import Amounts, sum_amounts
from mps_bill.settlement.account import Account
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle import Settled, Settlement
from mps_bill.settlement.waterfall import MONEY_SOURCES, Arrival, MoneySource


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """A source from the start of the run to its end: `opening` + `added` - `taken` = `closing`, in `unit`.

    `used_up_at` is set where the run took the last of it: when the bill or statement that did was issued.
    """

    source: str
    id: str
    unit: str
    opening: Decimal
    added: Decimal
    taken: Decimal
    used_up_at: int | None = None

    @property
    def closing(self) -> Decimal:
        return self.opening + self.added - self.taken


def closing_rows(settled: Settled) -> tuple[ClosingRow, ...]:
    """Every plan, voucher and card, the balance, the credit line's free part, and what is outstanding or frozen.

    Under `outstanding` what is added is new and what is taken is repaid; under `frozen` what is taken is released.
    """
    times = used_up(settled)
    rows = tuple(replace(row, used_up_at=times.get((row.source, row.id))) for row in _rows(settled))
    closing = settled.closing
    found = {(row.source, row.id): row.closing for row in rows}
    law(found["balance", ""] == closing.balance, "the balance's movements do not add up")
    law(found["credit_line", ""] == closing.credit_left, "the credit line's movements do not add up")
    law(found["outstanding", ""] == closing.owed, "what is outstanding does not add up")
    law(found["frozen", ""] == closing.frozen_amount, "what is frozen does not add up")
    return rows


def used_up(settled: Settled) -> dict[tuple[str, str], int]:
    """The sources of which the run took the last, by kind and id: when the bill or statement that did was issued."""
    last: dict[tuple[str, str], tuple[int, Decimal | int]] = {}
    for step in settled.steps:
        match step:
            case Settlement():
                issued_at = step.bill.cycle.issued_at
                for taken in step.plan_deductions:
                    last["resource_plan", taken.plan.id] = (issued_at, taken.remaining)
            case StatementSettlement():
                issued_at = step.statement.issued_at
            case Arrival():
                if step.to_balance:
                    last.pop(("balance", ""), None)
                if step.credit_restored:
                    last.pop(("credit_line", ""), None)
                continue
        for deduction in step.payment.deductions:
            last[deduction.source, deduction.id or ""] = (issued_at, deduction.remaining)
    return {source: issued_at for source, (issued_at, remaining) in last.items() if not remaining}


def _rows(settled: Settled) -> Iterator[ClosingRow]:
    opening, closing, currency = settled.opening, settled.closing, settled.opening.currency
    for plan, plan_after in zip(opening.plans, closing.plans, strict=True):
        before, after = (scaled(one.remaining, QUANTITY_PLACES) for one in (plan, plan_after))
        yield ClosingRow("resource_plan", plan.id, plan.unit.name, before, ZERO, before - after)
    for voucher, voucher_after in zip(opening.vouchers, closing.vouchers, strict=True):
        taken = voucher.remaining - voucher_after.remaining
        yield ClosingRow("voucher", voucher.id, currency, voucher.remaining, ZERO, taken)
    for card, card_after in zip(opening.cards, closing.cards, strict=True):
        taken = card.remaining - card_after.remaining
        yield ClosingRow("stored_value_card", card.id, currency, card.remaining, ZERO, taken)
    sums = totals(settled)
    to_balance = sum((arrival.to_balance for arrival in settled.arrivals), ZERO)
    restored = sum((arrival.credit_restored for arrival in settled.arrivals), ZERO)
    repaid = sum((part for arrival in settled.arrivals for _, part in arrival.repaid), ZERO)
    released = sum((step.statement.amounts.list_amount for step in settled.statements), ZERO)
    yield ClosingRow("balance", "", currency, opening.balance, to_balance, sums.paid["balance"])
    yield ClosingRow("credit_line", "", currency, opening.credit_left, restored, sums.paid["credit_line"])
    yield ClosingRow("outstanding", "", currency, opening.owed, sums.outstanding, repaid)
    yield ClosingRow("frozen", "", currency, opening.frozen_amount, sums.frozen + released, released)


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all bills and statements: the payable of `amounts` = what each source `paid` + `outstanding` + `frozen`.

    `frozen` is what the run froze less what its statements released. `plans` has the units (millionths) taken, by plan.
    """

    amounts: Amounts
    plans: dict[str, int]
    paid: dict[MoneySource, Decimal]
    outstanding: Decimal
    frozen: Decimal


def totals(settled: Settled) -> Totals:
    """The totals of a run; they add up, which is a law."""
    amounts = sum_amounts((step.bill for step in settled.settlements), (step.statement for step in settled.statements))
    payments = [step.payment for step in settled.settlements] + [step.payment for step in settled.statements]
    plans = dict.fromkeys((plan.id for plan in settled.opening.plans), 0)
    for settlement in settled.settlements:
        for deduction in settlement.plan_deductions:
            plans[deduction.plan.id] += deduction.units
    paid = {source: sum((payment.paid_by(source) for payment in payments), ZERO) for source in MONEY_SOURCES}
    outstanding = sum((payment.outstanding for payment in payments), ZERO)
    released = sum((step.statement.amounts.list_amount for step in settled.statements), ZERO)
    frozen = sum((step.frozen for step in settled.settlements), ZERO) - released
    law(sum(paid.values(), outstanding + frozen) == amounts.payable, "the totals do not add up")
    return Totals(amounts, plans, paid, outstanding, frozen)


def overdue_since(account: Account) -> int | None:
    """The issue time of the oldest bill that is outstanding; None where none is."""
    return min((debt.issued_at for debt in account.outstanding), default=None)
