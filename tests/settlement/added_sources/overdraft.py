"""An overdraft: what may be owed beyond the credit line, which can pay hour by hour when bills are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.documents.fields import optional
from mps_bill.settlement.entries import money
from mps_bill.settlement.sources.payment_source import Due, Holding, MoneyDeduction, MoneySource, TakenIn

OVERDRAFT = optional("overdraft", money, "how much may be owed beyond the credit line", ZERO, name="limit")
OVERDRAWN = optional("overdrawn", money, "how much of it is used", ZERO, name="used")


@dataclass(frozen=True, slots=True)
class Overdraft(MoneySource):
    limit: Decimal = ZERO
    used: Decimal = ZERO

    name = pool = "overdraft"
    title = pool_title = "Overdraft"
    words = "overdraft"
    in_books = "what is overdrawn"
    has_ids = False
    is_owed = True
    counts_as_credit = True
    may_pay_at_billing = True
    taken_in = TakenIn("overdraft_restored", "Overdraft restored", "{amount} restores the overdraft")
    column = "cash"
    keys = (OVERDRAFT,)
    kept_keys = (OVERDRAWN,)

    def holdings(self) -> tuple[Holding, ...]:
        return (Holding("", self.limit - self.used, self.limit),)

    def figures(self) -> Mapping[str, object]:
        return {"overdraft": self.limit, "overdrawn": self.used}

    def pay(self, _due: Due, left: Decimal) -> tuple[Sequence[MoneyDeduction], Overdraft]:
        paid = min(left, self.limit - self.used)
        if not paid:
            return (), self
        after = Overdraft(self.limit, self.used + paid)
        return (MoneyDeduction(self.name, None, paid, after.limit - after.used),), after

    def refilled(self, amount: Decimal) -> tuple[Decimal, Overdraft]:
        restored = min(amount, self.used)
        return restored, Overdraft(self.limit, self.used - restored)
