"""Settling: a fold over cycles in the order in which their bills are issued, `(account, cycle) -> (settlement, account)`.

Time moves from issue time to issue time. In between, top-ups arrive and monthly statements fall due. At the same moment top-ups
come first, then bills, then statements, so that the last hour of a month is in its statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from mps_bill.core.decimals import ZERO, round_money
from mps_bill.core.laws import BrokenLaw, law
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill, Cycle, StatementMonth, make_bill, under_contract
from mps_bill.settlement.account import Account, FrozenMonth
from mps_bill.settlement.charged import Before, CycleKey, charged_before, cycle_key, known, remember
from mps_bill.settlement.monthly import StatementSettlement, due_statements, freeze, settle_statement
from mps_bill.settlement.sources.payment_source import Due, PaidLine, QuantityDeduction
from mps_bill.settlement.waterfall import NOTHING_PAID, Arrival, Payment, cover, pay, pay_at_billing, receive


# Not frozen, for the same reason as lines (`rating.lines`).
@dataclass(slots=True)
class Settlement:
    """A bill and its payment: list amount - discount + rounding adjustment = deductions + outstanding + `frozen`.

    `covers` has each deduction of quantity with the number of the bill's line that shows the covered quantity.
    """

    bill: Final[Bill]
    covers: Final[tuple[tuple[QuantityDeduction, int], ...]]
    payment: Final[Payment]
    frozen: Final[Decimal]


#: An event of the account, in order of time.
Step = Settlement | StatementSettlement | Arrival


@dataclass(frozen=True, slots=True)
class Settled:
    """The result of settling: every step, the account before and after, and the cycles that were not charged.

    `late` are bills at list price of cycles that were settled before; `pending` are estimates of bills not issued yet.
    `charged_before` has every late cycle, charged now or not, that the account knows it charged before. With `charge_late` the
    late bills are those whose usage counts as charged. `until` is the time that the account has reached (None: nothing happened).
    """

    opening: Account
    closing: Account
    steps: tuple[Step, ...]
    late: tuple[Bill, ...]
    pending: tuple[Bill, ...]
    charged_before: Mapping[CycleKey, Before]
    charge_late: bool
    until: int | None

    @property
    def charged_again(self) -> tuple[Settlement, ...]:
        """Corrections of cycles that were charged before: part of their usage may now be charged twice."""
        return tuple(step for step in self.settlements if cycle_key(step.bill.cycle) in self.charged_before)

    @property
    def settlements(self) -> tuple[Settlement, ...]:
        return tuple(step for step in self.steps if isinstance(step, Settlement))

    @property
    def statements(self) -> tuple[StatementSettlement, ...]:
        return tuple(step for step in self.steps if isinstance(step, StatementSettlement))

    @property
    def overtaken(self) -> tuple[Bill, ...]:
        """Bills that were issued before the time that the account had already reached, and were paid as of that time."""
        reached = self.opening.settled_at
        bills = (settlement.bill for settlement in self.settlements)
        return tuple(bill for bill in bills if reached is not None and bill.cycle.issued_at < reached)

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        return tuple(step for step in self.steps if isinstance(step, Arrival))


def settle(
    cycles: Sequence[Cycle],
    account: Account,
    book: PriceBook,
    as_of: int | None = None,
    charge_late: bool = False,
    charge_twice: bool = False,
    *,
    close_months: bool = False,
) -> Settled:
    """Pay the bill of every cycle that is issued by `as_of` (seconds; None: all) and not settled yet.

    `cycles` are in the order of issue, each once, at list prices: the contract of the account is applied here. A cycle that is
    already settled is late: it is only reported. With `charge_late` it is billed as a correction at the product's next issue
    time, unless it is `known` to be charged; with `charge_twice` even if an earlier charge has the same sums. `close_months` lets
    time pass until the statements of all months that have a bill are issued.
    """
    law(len(set(map(cycle_key, cycles))) == len(cycles), "a cycle is given twice, and would be charged twice")
    cycles = under_contract(cycles, account.contract, book)
    late, due = _split_late(cycles, account)
    before = charged_before(late, account)
    if charge_late:
        done = known(late, account, twice=charge_twice)
        missed = [_as_correction(cycle, account) for cycle in late if cycle_key(cycle) not in done]
        late = [cycle for cycle in late if cycle_key(cycle) in done]
        due = in_issue_order([*due, *missed])
    due, held = _hold_back(due, as_of)
    steps, closing, until = _pay_all(due, account, book, as_of, charge_twice, close_months)
    return Settled(
        account,
        closing,
        steps,
        tuple(make_bill(cycle, (0,) * len(cycle.charges), closing.month_used)[0] for cycle in late),
        tuple(_estimates(held, closing)),
        before,
        charge_late,
        until,
    )


def _pay_all(
    due: Sequence[Cycle],
    account: Account,
    book: PriceBook,
    as_of: int | None,
    charge_twice: bool,
    close_months: bool,
) -> tuple[tuple[Step, ...], Account, int | None]:
    """Pay the bills of cycles one after another, with everything else that happens until `as_of` (None: until the last of them is
    issued). Return the steps, the account after them, and the time that it has reached."""
    run = _Run(account, book)
    if account.settled_at is not None:
        # Top-ups entered since the last run for a time that the account has passed.
        run.advance(account.settled_at, statements_too=True)
    until = as_of
    if as_of is None:
        until = due[-1].issued_at if due else account.settled_at if run.steps else None
    for cycle in due:
        run.advance(cycle.issued_at, statements_too=False)
        settlement, run.account = settle_cycle(cycle, run.account)
        run.steps.append(settlement)
    if close_months:
        until = max((statement.issued_at for _, statement in due_statements(run.account, book)), default=until)
    if until is not None:
        run.advance(until, statements_too=True)
        until = max(until, account.settled_at or until)
    closing = remember(run.closing(), due, twice=charge_twice)
    if until is not None:
        closing = replace(closing, settled_at=until)
    closing.check()
    return tuple(run.steps), closing, until


class _Run:
    """An account on its way through time, and its steps so far."""

    def __init__(self, account: Account, book: PriceBook) -> None:
        self.account = account
        self.book = book
        self.steps: list[Step] = []
        #: The top-ups that have not arrived, the next one last.
        self._to_come = sorted((one for one in account.top_ups if not one.arrived), key=lambda one: one.at)[::-1]

    def advance(self, until: int, *, statements_too: bool) -> None:
        """Let time pass: top-ups up to `until` arrive, statements before it are paid (with `statements_too` also those at it)."""
        last_statement = until if statements_too else until - 1
        while True:
            top_up = self._to_come[-1] if self._to_come and self._to_come[-1].at <= until else None
            held, statement = self._next_statement(last_statement)
            step: Step
            if top_up and not (statement and statement.issued_at < top_up.at):
                step, self.account = receive(self._to_come.pop(), self.account)
            elif held and statement:
                step, self.account = settle_statement(held, statement, self.account)
            else:
                return
            self.steps.append(step)

    def closing(self) -> Account:
        """The account with the arrived top-ups marked, all at once, because there can be thousands."""
        arrived = {id(step.top_up) for step in self.steps if isinstance(step, Arrival)}
        marked = (replace(one, arrived=True) if id(one) in arrived else one for one in self.account.top_ups)
        return replace(self.account, top_ups=tuple(marked))

    def _next_statement(self, until: int) -> tuple[FrozenMonth, StatementMonth] | tuple[None, None]:
        if not self.account.frozen:
            return None, None
        held, statement = next(due_statements(self.account, self.book))
        return (held, statement) if statement.issued_at <= until else (None, None)


def settle_cycle(cycle: Cycle, account: Account) -> tuple[Settlement, Account]:
    """Pay the bill of one cycle at its issue time. The account after it does not `remember` the cycle yet: doing that once for
    all cycles of a run keeps a long run linear."""
    taken = cover(cycle, account.sources)
    bill, used = make_bill(cycle, taken.covered, account.month_used)
    if taken.deductions:
        account = account.with_sources(taken.sources)
    if used is not account.month_used:
        account = replace(account, month_used=used)
    payment, frozen = NOTHING_PAID, ZERO
    payable = bill.amounts.payable
    if cycle.is_monthly and bill.amounts.list_amount:
        if payable and account.contract.vouchers_at == "billing":
            payment, account = pay_at_billing(_due(bill, account), account)
        frozen, account = payable - payment.paid, freeze(bill, payment, account)
    elif payable:
        payment, account = pay(_due(bill, account), account)
    settlement = Settlement(bill, _with_lines(bill, taken.deductions), payment, frozen)
    _check(settlement)
    return settlement, account


def _due(bill: Bill, account: Account) -> Due:
    cycle = bill.cycle

    def lines() -> list[PaidLine]:
        return [(line.item.code, line.net) for line in bill.lines]

    issued_at = cycle.issued_at
    paid_at = max(issued_at, account.settled_at or 0)
    payable = bill.amounts.payable
    if cycle.closing_sheet is not None:
        # Payments are whole cents, and for the hours never more than the rounded month will ask for.
        payable = round_money(payable, min(cycle.sheet.billing.places, cycle.closing_sheet.billing.places), "down")
    return Due(cycle.product, cycle.start, None, issued_at, paid_at, lines, payable)


def _check(settlement: Settlement) -> None:
    """Check the invariant of a bill: list amount - discount + rounding adjustment = payments + outstanding + frozen."""
    payment, amounts = settlement.payment, settlement.bill.amounts
    accounted = payment.paid + payment.outstanding + settlement.frozen
    due = amounts.list_amount - amounts.discount + amounts.rounding_adjustment
    law(accounted == due, "{} is accounted for of {}", accounted, due)


def _with_lines(bill: Bill, deductions: Sequence[QuantityDeduction]) -> tuple[tuple[QuantityDeduction, int], ...]:
    """Each deduction with the number of the first line of the charge that it covers."""
    if not deductions:
        return ()
    first: dict[int, int] = {}
    for number, line in enumerate(bill.lines):
        first.setdefault(id(line.charge), number)
    return tuple((one, first[id(bill.cycle.charges[one.charge])]) for one in deductions)


def _split_late(cycles: Iterable[Cycle], account: Account) -> tuple[list[Cycle], list[Cycle]]:
    late: list[Cycle] = []
    due: list[Cycle] = []
    for cycle in cycles:
        settled = account.settled(cycle.product)
        (late if settled is not None and cycle.end <= settled else due).append(cycle)
    return late, due


def _as_correction(cycle: Cycle, account: Account) -> Cycle:
    """Make a correction of the cycle, issued with the bill of the first unsettled cycle of its product."""
    settled = account.settled(cycle.product)
    if settled is None:
        raise BrokenLaw("only a settled cycle can be late")
    calendar = cycle.sheet.billing.calendar
    next_end = calendar.cycle_end(calendar.cycle_start(settled))
    return replace(cycle, correction_at=next_end + cycle.sheet.billing.issue_after)


def _hold_back(due: list[Cycle], as_of: int | None) -> tuple[list[Cycle], list[Cycle]]:
    """Separate the cycles whose bills are issued by `as_of` from the others. No cycle is issued before an earlier one of its
    product (`Cycle.not_before`), so `settled_through` skips none."""
    if as_of is None:
        return due, []
    issued = [cycle for cycle in due if cycle.issued_at <= as_of]
    return issued, [cycle for cycle in due if cycle.issued_at > as_of]


def in_issue_order(cycles: Iterable[Cycle]) -> list[Cycle]:
    return sorted(cycles, key=lambda cycle: (cycle.issued_at, cycle.start, cycle.product))


def _estimates(cycles: Iterable[Cycle], account: Account) -> Iterator[Bill]:
    """Yield the bills of the cycles as if nothing else happened: plans cover what they can, tiers continue."""
    for cycle in cycles:
        settlement, account = settle_cycle(cycle, account)
        yield settlement.bill
