"""The balance: cash. It pays what vouchers and cards leave, and takes top-ups when nothing is owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO, plain
from mps_bill.core.language import mark
from mps_bill.documents.fields import Field, Fields
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.entries import Reading, money
from mps_bill.settlement.sources.payment_source import Due, Holding, MoneyDeduction, MoneySource, TakenIn

BALANCE = Field("balance", money, "cash", name="amount")


@dataclass(frozen=True, slots=True)
class Balance(MoneySource):
    """The cash of an account."""

    amount: Decimal = ZERO

    name = pool = "balance"
    title = pool_title = mark("Balance", "paid")
    words = mark("balance")
    in_books = "the prepaid balance"
    has_ids = False
    counts_as_credit = True
    taken_in = TakenIn("to_balance", mark("To the balance"), mark("{amount} to the balance"))
    column = "cash"
    keys = (BALANCE,)

    @classmethod
    def check(cls, fields: Fields, reading: Reading) -> None:
        """Report a balance while bills are outstanding: it would have repaid them."""
        balance = fields.get(BALANCE)
        if balance and balance.value and reading.has_debts:
            message = (
                f"the balance is {plain(balance.value)} while bills are outstanding; write money that was paid in"
                " under top_ups, which repay what is outstanding first"
            )
            reading.report(balance.place, kinds.UNREPAID_BALANCE, message)

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
