"""A settlement as double-entry bookkeeping: a transaction for each bill, statement and top-up, from expenses to payment sources,
between the opening and closing balances. Amounts are exact; every transaction and the whole journal add up to zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Literal

from mps_bill.core.decimals import ZERO, strip_zeros
from mps_bill.core.diagnostics import counted
from mps_bill.core.laws import law
from mps_bill.core.times import DAY, Calendar, clock
from mps_bill.pipeline import SettleRun
from mps_bill.settlement.account import Account
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settlement, Step
from mps_bill.settlement.waterfall import Arrival, Payment
from mps_bill.view.books import Books, usage_key

#: A transaction is made for each bill or statement, or for all of a day or a month on the billing clock.
JournalBy = Literal["bill", "day", "month"]


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount of a commodity (the currency, or a unit of quantity) that an account receives; a negative amount is given."""

    account: str
    amount: Decimal
    commodity: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """Postings that add up to zero, on a date (`2023-11-10`)."""

    date: str
    text: str
    postings: Sequence[Posting]


@dataclass(frozen=True, slots=True)
class Journal:
    """Transactions in chronological order between asserted balances.

    `opens` is the opening transaction, if the journal opens the books. The `opening` balances are those before everything on the
    date `start`, the `closing` balances those after everything on the date `end`; `after` is the next day. For an account that
    has never had a transaction there are no dates and nothing to assert.
    """

    title: str
    currency: str
    opens: Transaction | None
    opening: Sequence[Posting]
    transactions: Sequence[Transaction]
    closing: Sequence[Posting]
    start: str = ""
    end: str = ""
    after: str = ""

    @property
    def all_transactions(self) -> Sequence[Transaction]:
        return (*((self.opens,) if self.opens else ()), *self.transactions)

    @property
    def accounts(self) -> Sequence[str]:
        """All accounts in the journal, in alphabetical order."""
        posted = {posting.account for one in self.all_transactions for posting in one.postings}
        return sorted(posted | {posting.account for posting in (*self.opening, *self.closing)})

    @property
    def places(self) -> Mapping[str, int]:
        """The maximum number of decimal places of each commodity's amounts, at least two."""
        found: dict[str, int] = {}
        posted = (posting for one in self.all_transactions for posting in one.postings)
        for posting in (*posted, *self.opening):
            exponent = strip_zeros(posting.amount).as_tuple().exponent
            found[posting.commodity] = max(found.get(posting.commodity, 2), -int(exponent))
        return found


def journal(run: SettleRun, books: Books, by: JournalBy = "bill") -> Journal:
    settled, ledger = run.settled, _Ledger(run, books)
    transactions = sorted(_transactions(settled.steps, ledger, by), key=lambda one: one.date)
    opening, closing = ledger.balances(settled.opening), ledger.balances(settled.closing)
    _check(opening, transactions, closing)
    title = f"Account {settled.closing.id}, settled by mps-bill"
    dates = [one.date for one in transactions] or ledger.reached(settled.until)
    if not dates:
        return Journal(title, run.currency, None, (), (), ())
    start, end = dates[0], dates[-1]
    opens = None
    if books.opening:
        held = [posting for posting in opening if posting.amount]
        equity = [Posting(books.account("opening_balances"), -one.amount, one.commodity) for one in held]
        opens = Transaction(_days(start, -1), "Opening balances", (*held, *_merged(equity)))
    return Journal(title, run.currency, opens, opening, transactions, closing, start, end, _days(end, 1))


def journal_by(groupings: Sequence[tuple[str, ...]]) -> JournalBy:
    """Return the period of a transaction: the day or month if the only summary is by it, otherwise a single bill."""
    return "day" if groupings == (("day",),) else "month" if groupings == (("month",),) else "bill"


def _days(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


class _Ledger:
    """The accounts to which the steps of a run are posted."""

    def __init__(self, run: SettleRun, books: Books) -> None:
        self._books = books
        self._currency = run.currency
        self._offset = run.offset
        self._reached = run.settled.opening.settled_at
        self._sources: dict[tuple[str, str], str] = {}
        for source in run.settled.opening.sources:
            parent = books.account(source.pool)
            names = _components([one.id for one in source.holdings()])
            for id_, name in names.items():
                self._sources[source.name, id_] = f"{parent}:{name}" if id_ else parent
        bills = [step.bill for step in run.settled.settlements]
        items = {(line.charge.sheet.product, line.item.code): None for bill in bills for line in bill.lines}
        products, codes = _components([product for product, _ in items]), _components([code for _, code in items])
        parent = books.account("expenses")
        self._items = {
            (product, code): books.items.get(code) or f"{parent}:{products[product]}:{codes[code]}"
            for product, code in items
        }

    @property
    def expenses(self) -> Collection[str]:
        """The accounts of items. A bill shows them even at zero, when the whole quantity is covered."""
        return self._items.values()

    def balances(self, account: Account) -> Sequence[Posting]:
        """Return the balances in the books of everything that an account has, owes or has frozen."""
        found = []
        for source in account.sources:
            for one in source.holdings():
                amount = one.left - (one.whole or ZERO) if source.is_owed else one.left
                commodity = self._currency if one.unit is None else one.unit.upper()
                found.append(Posting(self._sources[source.name, one.id], amount, commodity))
        found.append(self._posting("outstanding", -account.owed))
        found.append(self._posting("frozen", -account.frozen_amount))
        return _merged(found)

    def day(self, step: Step) -> str:
        """Return the day of a cycle, the last day of a statement's month, or the day of a top-up, but never a day that the
        account had already passed: a journal must not change what an earlier one has closed."""
        match step:
            case Settlement():
                cycle = step.bill.cycle
                day = cycle.sheet.billing.calendar.day(cycle.start)
            case StatementSettlement():
                calendar = step.statement.sheet.billing.calendar
                day = calendar.day(calendar.month_end(step.statement.month) - 1)
            case Arrival():
                day = Calendar(DAY, self._offset).day(step.at)
        return day if self._reached is None else max(day, Calendar(DAY, self._offset).day(self._reached + 1))

    def reached(self, until: int | None) -> list[str]:
        """Return the day that the account has reached, if known."""
        second = until or self._reached
        return [] if second is None else [Calendar(DAY, self._offset).day(second)]

    def postings(self, step: Step) -> Iterator[Posting]:
        match step:
            case Settlement():
                amounts = step.bill.amounts
                for line in step.bill.lines:
                    account = self._items[line.charge.sheet.product, line.item.code]
                    yield Posting(account, line.amount, self._currency)
                yield self._posting("discounts", -amounts.discount)
                yield self._posting("rounding", amounts.rounding_adjustment)
                for taken, _ in step.covers:
                    unit = taken.unit.name.upper()
                    yield Posting(self._books.account(usage_key(taken.source)), taken.taken, unit)
                    yield Posting(self._sources[taken.source.name, taken.id], -taken.taken, unit)
                yield from self._paid(step.payment)
                yield self._posting("frozen", -step.frozen)
            case StatementSettlement():
                yield self._posting("frozen", step.released)
                yield self._posting("rounding", step.statement.amounts.rounding_adjustment)
                yield from self._paid(step.payment)
            case Arrival():
                yield self._posting("outstanding", sum((part for _, part in step.repaid), ZERO))
                for name, amount in step.added.items():
                    yield Posting(self._sources[name, ""], amount, self._currency)
                yield self._posting("top_ups", -step.amount)

    def _paid(self, payment: Payment) -> Iterator[Posting]:
        for paid in payment.deductions:
            yield Posting(self._sources[paid.source, paid.id or ""], -paid.amount, self._currency)
        yield self._posting("outstanding", -payment.outstanding)

    def _posting(self, key: str, amount: Decimal) -> Posting:
        return Posting(self._books.account(key), amount, self._currency)

    def text(self, step: Step) -> str:
        match step:
            case Settlement():
                cycle = step.bill.cycle
                what = "Bill" if cycle.correction_at is None else "Correction"
                return f"{what} of {cycle.product} {clock(cycle.start, self._offset)}"
            case StatementSettlement():
                return f"Statement of {step.statement.sheet.product} for {step.statement.month}"
            case Arrival():
                return "Top-up" if step.top_up.id is None else f"Top-up {step.top_up.id}"


def _transactions(steps: Iterable[Step], ledger: _Ledger, by: JournalBy) -> Iterator[Transaction]:
    """Yield a transaction for each step, or one for all steps of a period, dated on the last of their days."""
    periods: dict[object, list[Step]] = {}
    for number, step in enumerate(steps):
        periods.setdefault(_period(step, by) or number, []).append(step)
    for period, members in periods.items():
        postings = _merged(posting for step in members for posting in ledger.postings(step))
        text = ledger.text(members[0]) if isinstance(period, int) else _text(period, members)
        shown = [one for one in postings if one.amount or one.account in ledger.expenses]
        if shown:
            yield Transaction(max(map(ledger.day, members)), text, shown)


def _text(period: object, steps: Sequence[Step]) -> str:
    """Return `24 bills of 2023-11-10`."""
    bills = sum(isinstance(step, Settlement) for step in steps)
    parts = [counted(count, name) for count, name in ((bills, "bill"), (len(steps) - bills, "statement")) if count]
    return f"{' and '.join(parts)} of {period}"


def _period(step: Step, by: JournalBy) -> str | None:
    """Return the day or month of a bill's cycle, or the month of a statement; None for a step with its own transaction."""
    match step:
        case Settlement() if by != "bill":
            calendar = step.bill.cycle.sheet.billing.calendar
            return calendar.day(step.bill.cycle.start) if by == "day" else calendar.month(step.bill.cycle.start)
        case StatementSettlement() if by == "month":
            return step.statement.month
    return None


def _merged(postings: Iterable[Posting]) -> list[Posting]:
    """Add up the postings for each account and commodity, in the order of first use."""
    sums: dict[tuple[str, str], Decimal] = {}
    for one in postings:
        key = one.account, one.commodity
        sums[key] = sums.get(key, ZERO) + one.amount
    return [Posting(account, amount, commodity) for (account, commodity), amount in sums.items()]


def _check(opening: Sequence[Posting], transactions: Sequence[Transaction], closing: Sequence[Posting]) -> None:
    """Check the invariants: every transaction adds up to zero, and opening balances plus postings give the closing balances."""
    for transaction in transactions:
        sums: dict[str, Decimal] = {}
        for one in transaction.postings:
            sums[one.commodity] = sums.get(one.commodity, ZERO) + one.amount
        law(not any(sums.values()), "the transaction {} does not balance", transaction.text)
    moved = _merged((*opening, *(one for transaction in transactions for one in transaction.postings)))
    for after, reached in zip(closing, moved, strict=False):
        law(after == reached, "{} has {} instead of {}", after.account, reached.amount, after.amount)


def _components(names: Iterable[str]) -> dict[str, str]:
    """Turn names into components of account names. Names that would become equal get a part of their digest."""
    plain = {name: _component(name) for name in names}
    count = Counter(plain.values())
    return {
        name: text if count[text] == 1 else f"{text}-{sha256(name.encode()).hexdigest()[:8]}"
        for name, text in plain.items()
    }


def _component(name: str) -> str:
    """Turn `super_resolution` into `Super-resolution`."""
    text = "".join(letter if letter.isalnum() else "-" for letter in name)
    return text[:1].upper() + text[1:]
