"""The credit line: what may be owed before a bill is outstanding. A top-up restores it before it adds to the balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mps_bill.core.decimals import ZERO, plain
from mps_bill.core.language import mark
from mps_bill.documents.fields import Fields, optional
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.entries import Reading, money
from mps_bill.settlement.sources.payment_source import Due, Holding, MoneyDeduction, MoneySource, TakenIn

CREDIT_LINE = optional(
    "credit_line", money, "how much may be owed before a bill is outstanding; default: 0", ZERO, name="limit"
)
CREDIT_USED = optional("credit_used", money, "how much of the credit line is used", ZERO, name="used")


@dataclass(frozen=True, slots=True)
class CreditLine(MoneySource):
    """What an account may owe, and the used part of it."""

    limit: Decimal = ZERO
    used: Decimal = ZERO

    name = pool = "credit_line"
    title = pool_title = mark("Credit line", "paid")
    left_title = mark("Credit line left")
    words = mark("credit line")
    in_books = "what is used of the credit line"
    has_ids = False
    is_owed = True
    counts_as_credit = True
    taken_in = TakenIn("credit_restored", mark("Credit restored"), mark("{amount} restores the credit line"))
    column = "cash"
    keys = (CREDIT_LINE,)
    kept_keys = (CREDIT_USED,)

    @property
    def left(self) -> Decimal:
        return self.limit - self.used

    @classmethod
    def check(cls, fields: Fields, reading: Reading) -> None:
        used, limit = fields.get(CREDIT_USED), fields.value_of(CREDIT_LINE, ZERO)
        if used and not fields.wrong(CREDIT_LINE) and used.value > limit:
            message = (
                f"credit_used, {plain(used.value)}, is {plain(used.value - limit)} above credit_line, {plain(limit)}"
            )
            reading.report(used.place, kinds.EXCESSIVE_CREDIT, message)

    def holdings(self) -> tuple[Holding, ...]:
        return (Holding("", self.left, self.limit),)

    def figures(self) -> Mapping[str, Any]:
        return {"credit_line": self.limit, "credit_used": self.used}

    def pay(self, due: Due, left: Decimal) -> tuple[Sequence[MoneyDeduction], CreditLine]:
        paid = min(left, self.left)
        if not paid:
            return (), self
        after = CreditLine(self.limit, self.used + paid)
        return (MoneyDeduction(self.name, None, paid, after.left),), after

    def refilled(self, amount: Decimal) -> tuple[Decimal, CreditLine]:
        restored = min(amount, self.used)
        return restored, CreditLine(self.limit, self.used - restored)
