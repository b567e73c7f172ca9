"""Settlement by the month: amounts are frozen bill by bill, and the month is rounded and paid once, when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill, Cycle, StatementMonth, statement_month
from mps_bill.settlement.account import Account, FrozenMonth
from mps_bill.settlement.sources.payment_source import Due, PaidLine, take_from_lines
from mps_bill.settlement.waterfall import Payment, pay


@dataclass(frozen=True, slots=True)
class StatementSettlement:
    """A month's statement and its payment. Its list amount is that of bills that are, or were, shown as frozen.

    `paid_at_billing` is the part of its payable that was paid when the hours were billed; `released` is the frozen part.
    """

    statement: StatementMonth
    payment: Payment
    paid_at_billing: Decimal
    released: Decimal


def freeze(bill: Bill, at_billing: Payment, account: Account) -> Account:
    """Freeze the bill's exact net amount, by item, less what was paid `at_billing`. Nothing else changes.

    Payments limited to items are kept by item, because only the lines of the bill show which items they paid: in the sums of the
    month other lines may come first. If the statement of the bill's own month has been issued, the bill goes into the month of
    the cycles whose bills are issued with it.
    """
    product, month = bill.cycle.product, _statement_of(bill.cycle, account)
    held = next((held for held in account.frozen if (held.product, held.month) == (product, month)), None)
    before = held or FrozenMonth(product, month, ())
    lines = [(line.item.code, line.net) for line in bill.lines]
    frozen = FrozenMonth(
        product,
        month,
        _added(before.items, lines),
        before.discount + bill.amounts.discount,
        before.paid_at_billing + at_billing.paid,
        _added(before.limited, _limited(lines, at_billing)) if at_billing.deductions else before.limited,
    )
    if held is None:
        return replace(account, frozen=(*account.frozen, frozen))
    return replace(account, frozen=tuple(frozen if other is held else other for other in account.frozen))


def _added(sums: Iterable[tuple[str, Decimal]], more: Iterable[tuple[str, Decimal]]) -> tuple[tuple[str, Decimal], ...]:
    found = dict(sums)
    for item, amount in more:
        found[item] = found.get(item, ZERO) + amount
    return tuple(found.items())


def _limited(lines: Sequence[PaidLine], payment: Payment) -> Iterator[tuple[str, Decimal]]:
    """Yield the parts of items that limited payments paid."""
    codes, rooms = [item for item, _ in lines], [amount for _, amount in lines]
    for one in payment.deductions:
        if one.items is not None:
            for number, part in take_from_lines(codes, rooms, one.items, one.amount):
                yield codes[number], part


def _statement_of(cycle: Cycle, account: Account) -> str:
    """The month whose statement has the bill: that of its cycle, if it is not issued yet."""
    billing = cycle.sheet.billing
    month = billing.calendar.month(cycle.start)
    reached = max(cycle.issued_at, account.settled_at or 0)
    lag = (cycle.closing_sheet or cycle.sheet).billing.issue_after
    if reached <= billing.calendar.month_end(month) + lag:
        return month
    return billing.calendar.month(reached - billing.issue_after - 1)


def due_statements(account: Account, book: PriceBook) -> Iterator[tuple[FrozenMonth, StatementMonth]]:
    """The statements of all frozen months, in order of issue; at the same time, in the order of debts."""
    statements = ((held, _statement(held, book)) for held in account.frozen)
    yield from sorted(statements, key=lambda pair: (pair[1].issued_at, _month_start(pair[1]), pair[0].product))


def _statement(held: FrozenMonth, book: PriceBook) -> StatementMonth:
    sheet = book.sheet_closing(held.product, held.month)
    return statement_month(sheet, held.month, held.net + held.discount, held.discount, held.paid_at_billing)


def _month_start(statement: StatementMonth) -> int:
    return statement.sheet.billing.calendar.month_start(statement.month)


def settle_statement(
    held: FrozenMonth, statement: StatementMonth, account: Account
) -> tuple[StatementSettlement, Account]:
    """Pay the month's sum, rounded once, at the statement's issue time, less what was paid when the hours were billed."""
    account = replace(account, frozen=tuple(other for other in account.frozen if other != held))
    start = _month_start(statement)
    paid_at = max(statement.issued_at, account.settled_at or 0)
    payable = statement.amounts.payable - held.paid_at_billing
    limited = tuple((frozenset((item,)), amount) for item, amount in held.limited)
    due = Due(held.product, start, held.month, statement.issued_at, paid_at, lambda: held.items, payable, limited)
    payment, account = pay(due, account)
    return StatementSettlement(statement, payment, held.paid_at_billing, held.amount), account
