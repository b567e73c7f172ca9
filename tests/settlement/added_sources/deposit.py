"""A deposit: an amount without an id, which pays last, and which a top-up fills up to 2.00 before anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.documents.fields import optional
from mps_bill.settlement.entries import money
from mps_bill.settlement.sources.payment_source import Due, Holding, MoneyDeduction, MoneySource, TakenIn

DEPOSIT = optional("deposit", money, "money held", ZERO, name="amount")


@dataclass(frozen=True, slots=True)
class Deposit(MoneySource):
    amount: Decimal = ZERO

    name = pool = "deposit"
    title = pool_title = "Deposit"
    words = "deposit"
    in_books = "the deposit"
    has_ids = False
    counts_as_credit = True
    taken_in = TakenIn("to_deposit", "To the deposit", "{amount} to the deposit")
    column = "cash"
    keys = (DEPOSIT,)

    def holdings(self) -> tuple[Holding, ...]:
        return (Holding("", self.amount),)

    def pay(self, _due: Due, left: Decimal) -> tuple[Sequence[MoneyDeduction], Deposit]:
        paid = min(left, self.amount)
        if not paid:
            return (), self
        after = Deposit(self.amount - paid)
        return (MoneyDeduction(self.name, None, paid, after.amount),), after

    def refilled(self, amount: Decimal) -> tuple[Decimal, Deposit]:
        taken = min(amount, max(ZERO, 2 - self.amount))
        return taken, Deposit(self.amount + taken)
