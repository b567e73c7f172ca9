"""Paying what is due: vouchers, stored-value cards, balance, credit line; what is left then is outstanding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import ZERO
from mps_bill.core.laws import law
from mps_bill.settlement.account import Account, Debt, StoredValueCard, TopUp, debt_order
from mps_bill.settlement.vouchers import PaidLine, take_from_vouchers

MoneySource = Literal["voucher", "stored_value_card", "balance", "credit_line"]
MONEY_SOURCES: tuple[MoneySource, ...] = ("voucher", "stored_value_card", "balance", "credit_line")


@dataclass(frozen=True, slots=True)
class MoneyDeduction:
    """What a source paid; `id` names a voucher or card. `remaining` is what is left of it then."""

    source: MoneySource
    id: str | None
    amount: Decimal
    remaining: Decimal


@dataclass(frozen=True, slots=True)
class Due:
    """A bill or monthly statement (`month` is set) that is to be paid: `payable`, and the exact lines behind it.

    It is paid at `paid_at`, which is its issue time, or later where the account had passed that already.
    """

    product: str
    cycle_start: int
    month: str | None
    issued_at: int
    paid_at: int
    lines: Sequence[PaidLine]
    payable: Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    """How something due was paid: `payable` = the deductions + `outstanding`, which `pay` asserts."""

    deductions: tuple[MoneyDeduction, ...]
    outstanding: Decimal

    def paid_by(self, source: MoneySource) -> Decimal:
        return sum((deduction.amount for deduction in self.deductions if deduction.source == source), ZERO)


NOTHING_PAID = Payment((), ZERO)


def pay(due: Due, account: Account) -> tuple[Payment, Account]:
    """Pays what is due at its issue time and returns the account after it.

    Source of the order: the provider's bill columns (vouchers, stored-value card, cash, outstanding); vouchers come before
    cash by its own words, the card after vouchers by the order of the columns.
    """
    left = due.payable
    deductions: list[MoneyDeduction] = []

    taken = take_from_vouchers(due.lines, left, due.paid_at, account.vouchers, account.voucher_order)
    if taken:
        after = {voucher.id: replace(voucher, remaining=voucher.remaining - amount) for voucher, amount in taken}
        for voucher, amount in taken:
            left -= amount
            deductions.append(MoneyDeduction("voucher", voucher.id, amount, after[voucher.id].remaining))
        account = replace(account, vouchers=tuple(after.get(voucher.id, voucher) for voucher in account.vouchers))

    if left and account.cards:
        cards = {card.id: card for card in account.cards}
        for card in sorted(account.cards, key=card_order):
            if left and card.remaining and card.effective_from <= due.paid_at < card.expires_at:
                amount = min(left, card.remaining)
                left -= amount
                cards[card.id] = replace(card, remaining=card.remaining - amount)
                deductions.append(MoneyDeduction("stored_value_card", card.id, amount, cards[card.id].remaining))
        account = replace(account, cards=tuple(cards.values()))

    if left and account.balance:
        amount = min(left, account.balance)
        left -= amount
        account = replace(account, balance=account.balance - amount)
        deductions.append(MoneyDeduction("balance", None, amount, account.balance))

    if left and account.credit_left:
        amount = min(left, account.credit_left)
        left -= amount
        account = replace(account, credit_used=account.credit_used + amount)
        deductions.append(MoneyDeduction("credit_line", None, amount, account.credit_left))

    if left:
        debt = Debt(due.product, due.cycle_start, due.month, due.issued_at, left)
        outstanding = (*account.outstanding, debt)
        # A bill of a time that the account had passed already is older than what is outstanding.
        if account.outstanding and debt_order(account.outstanding[-1]) > debt_order(debt):
            outstanding = tuple(sorted(outstanding, key=debt_order))
        account = replace(account, outstanding=outstanding)
    payment = Payment(tuple(deductions), left)
    paid = sum((deduction.amount for deduction in deductions), ZERO)
    law(paid + left == due.payable, "{} paid and {} outstanding of {}", paid, left, due.payable)
    law(all(deduction.amount > 0 and deduction.remaining >= 0 for deduction in deductions), "a source below zero")
    return payment, account


def card_order(card: StoredValueCard) -> tuple[int, Decimal, int, str]:
    """Which card is used first: the earliest expiry, then the smallest remaining, then the earliest start, then the id."""
    return (card.expires_at, card.remaining, card.effective_from, card.id)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A top-up that arrived: `amount` = what it `repaid`, debt by debt + `credit_restored` + `to_balance`.

    `at` is when it was taken in: its own time, or where the account had passed that already, the time that the account had
    reached. It is never before the issue of what it repays.
    """

    top_up: TopUp
    at: int
    repaid: tuple[tuple[Debt, Decimal], ...]
    credit_restored: Decimal
    to_balance: Decimal

    @property
    def amount(self) -> Decimal:
        return self.top_up.amount


def receive(top_up: TopUp, account: Account) -> tuple[Arrival, Account]:
    """Takes a top-up in: it repays what is outstanding, oldest first, then used credit; the rest is balance."""
    left = top_up.amount
    repaid: list[tuple[Debt, Decimal]] = []
    still: list[Debt] = []
    for debt in account.outstanding:
        part = min(left, debt.amount)
        left -= part
        if part:
            repaid.append((debt, part))
        if part < debt.amount:
            still.append(replace(debt, amount=debt.amount - part))
    restored = min(left, account.credit_used)
    left -= restored
    account = replace(
        account,
        balance=account.balance + left,
        credit_used=account.credit_used - restored,
        outstanding=tuple(still),
    )
    at = max(top_up.at, account.settled_at or top_up.at, *(debt.issued_at for debt, _ in repaid))
    arrival = Arrival(top_up, at, tuple(repaid), restored, left)
    law(sum((part for _, part in repaid), restored + left) == top_up.amount, "a top-up is lost in part")
    return arrival, account
