"""Covering quantity and paying what is due from each source in turn; what is left then is outstanding. And what a top-up
repays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from mps_bill.core.decimals import ZERO
from mps_bill.core.growing import Growing
from mps_bill.core.laws import law
from mps_bill.rating.bills import Cycle
from mps_bill.settlement.account import Account, Debt, TopUp, debt_order
from mps_bill.settlement.sources import TAKEN_IN
from mps_bill.settlement.sources.payment_source import (
    Due,
    MoneyDeduction,
    MoneySource,
    PaymentSource,
    QuantityDeduction,
    QuantitySource,
    Uncovered,
)


# Not frozen, for the same reason as lines (`rating.lines`).
@dataclass(slots=True)
class Cover:
    """The micros `covered` of each charge of a cycle, by which deductions, and the sources after them."""

    covered: Final[tuple[int, ...]]
    deductions: Final[tuple[QuantityDeduction, ...]]
    sources: Final[tuple[PaymentSource, ...]]


def cover(cycle: Cycle, sources: tuple[PaymentSource, ...]) -> Cover:
    """Cover the charges of a cycle from the sources of quantity among `sources`, each from what the ones before it have left."""
    uncovered = Uncovered(cycle)
    deductions: list[QuantityDeduction] = []
    after = list(sources)
    for number, source in enumerate(sources):
        if isinstance(source, QuantitySource):
            taken, after[number] = source.cover(uncovered)
            deductions += taken
    if not uncovered.looked_at and not deductions:
        return Cover((0,) * len(cycle.charges), (), sources)
    covered = [0] * len(cycle.charges)
    for one in deductions:
        covered[one.charge] += one.micros
    for number, covers in enumerate(covered):
        left = uncovered.left(number).values()
        is_valid = covers >= 0 and min(left) >= 0 and sum(left) + covers == cycle.charges[number].micros
        law(is_valid, "a source covers another quantity than it says")
    return Cover(tuple(covered), tuple(deductions), tuple(after))


# Not frozen, for the same reason as lines (`rating.lines`).
@dataclass(slots=True)
class Payment:
    """A payment: `payable` = the deductions + `outstanding`, which is kept as a `debt`."""

    deductions: Final[tuple[MoneyDeduction, ...]]
    outstanding: Final[Decimal]
    debt: Final[Debt | None] = None

    @property
    def paid(self) -> Decimal:
        return sum([deduction.amount for deduction in self.deductions], ZERO)

    def paid_by(self, source: str) -> Decimal:
        return sum((deduction.amount for deduction in self.deductions if deduction.source == source), ZERO)


NOTHING_PAID = Payment((), ZERO)


def pay(due: Due, account: Account) -> tuple[Payment, Account]:
    """Pay what is due at its issue time and return the account after it.

    Source of the order: the provider's bill columns (vouchers, stored-value card, cash, outstanding). The provider states that
    vouchers come before cash; that the card comes after vouchers follows from the order of the columns.
    """
    at_billing = due.month is not None and account.contract.vouchers_at == "billing"
    payment, account = _take(due, account, lambda source: not (at_billing and source.may_pay_at_billing))
    if payment.outstanding:
        debt = Debt(due.product, due.cycle_start, due.month, due.issued_at, payment.outstanding)
        payment = Payment(payment.deductions, debt.amount, debt)
        account = replace(account, outstanding=_with_debt(account.outstanding, debt))
    return payment, account


def pay_at_billing(due: Due, account: Account) -> tuple[Payment, Account]:
    """Pay what is possible of a bill that is settled with its month, from the sources that pay when a bill is made. The rest is
    not outstanding. Source: the China site's vouchers since 2024-07-15."""
    payment, account = _take(due, account, lambda source: source.may_pay_at_billing)
    return replace(payment, outstanding=ZERO), account


def _take(due: Due, account: Account, may_pay: Callable[[MoneySource], bool]) -> tuple[Payment, Account]:
    """Pay from the sources that `may_pay`, each of what the ones before it have left."""
    left = due.payable
    deductions: list[MoneyDeduction] = []
    after = list(account.sources)
    for number, source in enumerate(after):
        if not left:
            break
        if isinstance(source, MoneySource) and may_pay(source):
            taken, after[number] = source.pay(due, left)
            deductions += taken
            for one in taken:
                left -= one.amount
                if one.items is not None:
                    due = replace(due, limited=(*due.limited, (one.items, one.amount)))
    payment = Payment(tuple(deductions), left)
    _check(payment, due)
    return payment, account.with_sources(tuple(after))


def _with_debt(outstanding: Sequence[Debt], debt: Debt) -> Sequence[Debt]:
    # A bill of a time that the account had already passed is older than the outstanding ones.
    if outstanding and debt_order(outstanding[-1]) > debt_order(debt):
        return tuple(sorted((*outstanding, debt), key=debt_order))
    # An account without money owes bill after bill.
    return (outstanding if isinstance(outstanding, Growing) else Growing(outstanding)).plus(debt)


def _check(payment: Payment, due: Due) -> None:
    paid, left = payment.paid, payment.outstanding
    law(paid + left == due.payable, "{} paid and {} outstanding of {}", paid, left, due.payable)
    is_valid = all(deduction.amount > 0 and deduction.remaining >= 0 for deduction in payment.deductions)
    law(left >= 0 and is_valid, "a source below zero")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A top-up that arrived: `amount` = the parts `repaid` of debts + the parts `added` to sources, by name.

    It arrived `at` its own time, or, if the account had already passed that, at the time that the account had reached; never
    before the issue of a bill that it repays.
    """

    top_up: TopUp
    at: int
    repaid: tuple[tuple[Debt, Decimal], ...]
    added: Mapping[str, Decimal]

    @property
    def amount(self) -> Decimal:
        return self.top_up.amount

    @property
    def taken_in(self) -> dict[str, Decimal]:
        """The amounts added to sources that take top-ups, by the keys of `TAKEN_IN`."""
        return {one.key: self.added.get(name, ZERO) for name, one in TAKEN_IN.items()}


def receive(top_up: TopUp, account: Account) -> tuple[Arrival, Account]:
    """Receive a top-up: it repays outstanding bills, oldest first, then used credit; the rest is balance."""
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
    added, account = _refill(left, replace(account, outstanding=tuple(still)))
    at = max(top_up.at, account.settled_at or top_up.at, *(debt.issued_at for debt, _ in repaid))
    arrival = Arrival(top_up, at, tuple(repaid), added)
    taken_in = sum((part for _, part in repaid), sum(added.values(), ZERO))
    law(taken_in == top_up.amount, "a top-up is lost in part")
    return arrival, account


def _refill(amount: Decimal, account: Account) -> tuple[Mapping[str, Decimal], Account]:
    """Give money to the sources that take it, from the last to the first; return the amounts by their names."""
    added: dict[str, Decimal] = {}
    after = []
    for source in reversed(account.sources):
        taken, refilled = source.refilled(amount)
        amount -= taken
        after.append(refilled)
        if taken:
            law(source.taken_in is not None, "a top-up adds to {}, which does not say so", source.name)
            added[source.name] = taken
    return added, account.with_sources(tuple(reversed(after)))
