"""Vouchers. An account file can choose their order, and that they pay when bills are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mps_bill.core.language import mark
from mps_bill.documents.fields import optional
from mps_bill.documents.values import Choice, words
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.sources.money_pots import MoneyPot, MoneyPots, list_of_pots

VoucherOrder = Literal["earliest-expiry", "largest-balance"]
VOUCHER_ORDER = optional(
    "voucher_order",
    Choice[VoucherOrder]("an order of vouchers", words("earliest-expiry", "largest-balance"), kinds.UNKNOWN_ORDER),
    "which voucher is used first; default: earliest-expiry",
    "earliest-expiry",
    name="order",
)


@dataclass(frozen=True, slots=True)
class Vouchers(MoneyPots):
    """The vouchers of an account and the order in which they pay."""

    order: VoucherOrder = "earliest-expiry"

    name = "voucher"
    title = mark("Voucher")
    pool = "vouchers"
    pool_title = mark("Vouchers", "paid")
    words = mark("voucher")
    in_books = "what is left of vouchers"
    column = "voucher"
    is_granted = True
    may_pay_at_billing = True
    entries = list_of_pots("vouchers", "vouchers", "a voucher", limited=True)
    keys = (entries, VOUCHER_ORDER)

    def pot_order(self, pot: MoneyPot) -> tuple[Any, ...]:
        """The order of use; those limited to items come first, also with `largest-balance`."""
        if self.order == "earliest-expiry":
            return MoneyPots.pot_order(self, pot)
        return (pot.items is None, -pot.remaining, pot.expires_at, pot.effective_from, pot.id)
