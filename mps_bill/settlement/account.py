"""An account as values: what bills are paid from, and what the program must remember from run to run.

Times are whole seconds since the epoch. Money is Decimal with at most two decimals, but for frozen amounts, which are
exact. A plan's units are whole millionths of its unit, so that a saved account loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import ZERO
from mps_bill.core.laws import law
from mps_bill.core.units import Unit
from mps_bill.rating.lines import MonthUsage

VoucherOrder = Literal["earliest-expiry", "largest-balance"]

#: Money in an account has at most the currency's decimals.
MONEY_PLACES = 2
#: Stands for every product that is not named in `Account.settled_through`.
EVERY_PRODUCT = "*"


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """Prepaid quantity: `total` and `remaining` are millionths of `unit`.

    `covers` says for an item and spec how many of its units the plan gives for one: a coefficient of 3 takes 3 plan
    minutes for a billed minute. `regions` is None where the plan holds in every region.
    """

    id: str
    name: str
    unit: Unit
    total: int
    remaining: int
    effective_from: int
    expires_at: int
    regions: frozenset[str] | None
    covers: Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Voucher:
    """Money for bills issued from `effective_from` until before `expires_at`; `items` is None where it pays for any."""

    id: str
    face_value: Decimal
    remaining: Decimal
    effective_from: int
    expires_at: int
    items: frozenset[str] | None
    minimum_amount: Decimal


@dataclass(frozen=True, slots=True)
class StoredValueCard:
    """Money for bills issued from `effective_from` until before `expires_at`."""

    id: str
    face_value: Decimal
    remaining: Decimal
    effective_from: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money paid in at a time. Once it has `arrived` it is in the balance (or has repaid) and never counts again.

    `id` tells it from another of the same time and amount.
    """

    at: int
    amount: Decimal
    arrived: bool = False
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Debt:
    """What is still outstanding of a bill (by the start of its cycle) or of a monthly statement (`month` is set)."""

    product: str
    cycle_start: int
    month: str | None
    issued_at: int
    amount: Decimal


def debt_order(debt: Debt) -> tuple[int, bool, int, str]:
    """The order in which debts are repaid, kept and read: by issue time; of one time, bills before statements, as they are
    paid; then by cycle and product."""
    return (debt.issued_at, debt.month is not None, debt.cycle_start, debt.product)


@dataclass(frozen=True, slots=True)
class FrozenMonth:
    """Exact amounts of a month that is settled as a whole, by item, in order of first use."""

    product: str
    month: str
    items: tuple[tuple[str, Decimal], ...]

    @property
    def amount(self) -> Decimal:
        return sum((amount for _, amount in self.items), ZERO)


@dataclass(frozen=True, slots=True)
class Charged:
    """The cycles charged that begin on a day of the billing clock (`2023-11-10`), in order of charging.

    A digest (`settlement.charged.digest`) tells the same usage of a cycle when it comes again.
    """

    product: str
    day: str
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChargedMonth:
    """The cycles of a month that were charged, of which only that is still known: bit n of `hours` stands for the cycle
    that begins with the hour n of the month (from 0) on the billing clock."""

    product: str
    month: str
    hours: int


@dataclass(frozen=True, slots=True)
class Account:
    """`settled_through` maps a product (or `*`) to the end of its last settled cycle; `outstanding` is oldest first.

    `settled_at` is the time that the account has reached: nothing is paid before it any more. A cycle that was charged is in
    `charged`, or when it is long past in `charged_months`, which are ordered by product and month.
    """

    id: str
    currency: str
    balance: Decimal = ZERO
    credit_line: Decimal = ZERO
    credit_used: Decimal = ZERO
    plans: tuple[ResourcePlan, ...] = ()
    vouchers: tuple[Voucher, ...] = ()
    cards: tuple[StoredValueCard, ...] = ()
    top_ups: tuple[TopUp, ...] = ()
    voucher_order: VoucherOrder = "earliest-expiry"
    settled_through: Mapping[str, int] = field(default_factory=dict)
    settled_at: int | None = None
    outstanding: tuple[Debt, ...] = ()
    frozen: tuple[FrozenMonth, ...] = ()
    month_used: MonthUsage = field(default_factory=dict)
    charged: tuple[Charged, ...] = ()
    charged_months: tuple[ChargedMonth, ...] = ()

    def settled(self, product: str) -> int | None:
        """The end of the last settled cycle of `product`, or None where nothing is settled."""
        return self.settled_through.get(product, self.settled_through.get(EVERY_PRODUCT))

    @property
    def credit_left(self) -> Decimal:
        return self.credit_line - self.credit_used

    @property
    def owed(self) -> Decimal:
        return sum((debt.amount for debt in self.outstanding), ZERO)

    @property
    def frozen_amount(self) -> Decimal:
        return sum((month.amount for month in self.frozen), ZERO)

    @property
    def available_credit(self) -> Decimal:
        """Balance + credit line - amounts unsettled. Source: the provider's definition of available credit."""
        return self.balance + self.credit_left - self.owed - self.frozen_amount

    def check(self) -> None:
        """The law that no source is ever below zero, and credit at most its line."""
        law(self.balance >= 0, "balance {} below zero", self.balance)
        law(0 <= self.credit_used <= self.credit_line, "credit {} of {}", self.credit_used, self.credit_line)
        law(all(0 <= plan.remaining <= plan.total for plan in self.plans), "a plan is out of its bounds")
        law(all(0 <= voucher.remaining <= voucher.face_value for voucher in self.vouchers), "a voucher out of bounds")
        law(all(0 <= card.remaining <= card.face_value for card in self.cards), "a card is out of its bounds")
        law(all(debt.amount > 0 for debt in self.outstanding), "an outstanding amount is not above zero")
