"""The balance: cash. It pays what vouchers and cards have left, and a top-up goes there when nothing is owed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO, amount_text
from mps_bill.core.language import mark
from mps_bill.documents.shapes import Field, Fields
from mps_bill.settlement.entries import Reading, money
from mps_bill.settlement.sources.payment_source import (
    Due,
    Holding,
    MoneyDeduction,
    MoneySource,
    Written,
)

BALANCE = Field("balance", money, "cash")


@dataclass(frozen=True, slots=True)
class Balance(MoneySource):
    """The cash of an account."""

    amount: Decimal = ZERO

    name = pool = "balance"
    title = pool_title = mark("Balance", "paid")
    has_ids = False
    column = "cash"
    keys = (BALANCE,)

    @classmethod
    def read(cls, fields: Fields, reading: Reading) -> Balance:
        return cls(fields.value_of(BALANCE, ZERO))

    def written(self, offset: int) -> Mapping[str, Written | None]:
        return {"balance": amount_text(self.amount)}

    def holdings(self) -> tuple[Holding, ...]:
        return (Holding("", self.amount),)

    def pay(self, due: Due, left: Decimal) -> tuple[Sequence[MoneyDeduction], Balance]:
        paid = min(left, self.amount)
        if not paid:
            return (), self
        after = Balance(self.amount - paid)
        return (MoneyDeduction(self.name, None, paid, after.amount),), after

    def refilled(self, amount: Decimal) -> tuple[Decimal, Balance]:
        return amount, Balance(self.amount + amount)
