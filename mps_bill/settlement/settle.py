"""Settling: a fold over cycles in the order in which their bills are issued, `(account, cycle) -> (settlement, account)`.

Time moves from issue time to issue time. On the way there top-ups arrive and monthly statements fall due. At one and the
same moment top-ups come first, then bills, then statements, so that the last hour of a month is in its statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.core.laws import BrokenLaw, law
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill, Cycle, make_bill
from mps_bill.settlement.account import Account
from mps_bill.settlement.charged import Before, CycleKey, charged_before, cycle_key, remember
from mps_bill.settlement.monthly import StatementSettlement, due_statements, freeze, settle_statement
from mps_bill.settlement.plans import PlanDeduction, take_from_plans
from mps_bill.settlement.waterfall import NOTHING_PAID, Arrival, Due, Payment, pay, receive


@dataclass(frozen=True, slots=True)
class Settlement:
    """A bill and how it was paid: list amount + rounding adjustment = deductions + outstanding + `frozen`.

    `plan_lines` has for each plan deduction the number of the bill's line that shows the covered quantity.
    """

    bill: Bill
    plan_deductions: tuple[PlanDeduction, ...]
    plan_lines: tuple[int, ...]
    payment: Payment
    frozen: Decimal


#: What happened to the account, in order of time.
Step = Settlement | StatementSettlement | Arrival


@dataclass(frozen=True, slots=True)
class Settled:
    """The result of settling: every step, the account before and after, and the cycles that were not charged.

    `late` are bills at list price of cycles that were settled before; `pending` estimates of bills not issued yet.
    `charged_before` has every late cycle, charged now or not, of which the account knows that it charged it before.
    `until` is the time that the account has reached (None: nothing happened).
    """

    opening: Account
    closing: Account
    steps: tuple[Step, ...]
    late: tuple[Bill, ...]
    pending: tuple[Bill, ...]
    charged_before: Mapping[CycleKey, Before]
    until: int | None

    @property
    def charged_again(self) -> tuple[Settlement, ...]:
        """The corrections of cycles that were charged before, with other usage: a part of it may be charged twice now."""
        return tuple(step for step in self.settlements if cycle_key(step.bill.cycle) in self.charged_before)

    @property
    def settlements(self) -> tuple[Settlement, ...]:
        return tuple(step for step in self.steps if isinstance(step, Settlement))

    @property
    def statements(self) -> tuple[StatementSettlement, ...]:
        return tuple(step for step in self.steps if isinstance(step, StatementSettlement))

    @property
    def overtaken(self) -> tuple[Bill, ...]:
        """Bills that were issued before the time that the account had reached already, and were paid as of that time."""
        reached = self.opening.settled_at
        bills = (settlement.bill for settlement in self.settlements)
        return tuple(bill for bill in bills if reached is not None and bill.cycle.issued_at < reached)

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        return tuple(step for step in self.steps if isinstance(step, Arrival))


def settle(
    cycles: Sequence[Cycle], account: Account, book: PriceBook, as_of: int | None = None, charge_late: bool = False
) -> Settled:
    """Pays the bill of every cycle that is issued by `as_of` (seconds; None: all) and not settled yet.

    `cycles` are in the order of issue, each once. A cycle that is settled already is late: it is set apart, or with
    `charge_late` billed as a correction at the product's next issue time, unless the same usage was charged before.
    """
    law(len(set(map(cycle_key, cycles))) == len(cycles), "a cycle stands twice, and would be charged twice")
    opening = account
    late, due = _split_late(cycles, account)
    before = charged_before(late, account)
    if charge_late:
        missed = [_as_correction(cycle, account) for cycle in late if before.get(cycle_key(cycle)) != "same"]
        late = [cycle for cycle in late if before.get(cycle_key(cycle)) == "same"]
        due = in_issue_order([*due, *missed])
    due, held = _hold_back(due, as_of)
    steps: list[Step] = []
    if account.settled_at is not None:
        # What was entered since the last run for a time that the account has passed.
        account = _advance(account, book, account.settled_at, steps, statements_too=True)
    until = account.settled_at if steps and as_of is None else as_of
    for cycle in due:
        account = _advance(account, book, cycle.issued_at, steps, statements_too=False)
        settlement, account = settle_cycle(cycle, account)
        steps.append(settlement)
        until = cycle.issued_at if as_of is None else as_of
    if until is not None:
        account = _advance(account, book, until, steps, statements_too=True)
    account = remember(account, due)
    if until is not None:
        until = max(until, account.settled_at or until)
        account = replace(account, settled_at=until)
    account.check()
    return Settled(
        opening,
        account,
        tuple(steps),
        tuple(make_bill(cycle, (0,) * len(cycle.charges), account.month_used)[0] for cycle in late),
        tuple(_estimates(held, account)),
        before,
        until,
    )


def settle_cycle(cycle: Cycle, account: Account) -> tuple[Settlement, Account]:
    """The bill of one cycle, paid at its issue time, and the account after it, which does not `remember` the cycle yet: to
    do so once for all cycles of a run keeps a long run linear."""
    cover = take_from_plans(cycle, account.plans)
    bill, used = make_bill(cycle, cover.covered, account.month_used)
    if cover.deductions or used is not account.month_used:
        account = replace(account, plans=cover.plans, month_used=used)
    frozen = ZERO
    payment = NOTHING_PAID
    payable = bill.amounts.payable
    if cycle.sheet.billing.settlement == "monthly":
        frozen = payable
        account = freeze(bill, account) if frozen else account
    elif payable:
        # Only a voucher asks what the lines are of.
        lines = [(line.item.code, line.amount) for line in bill.lines] if account.vouchers else ()
        paid_at = max(cycle.issued_at, account.settled_at or 0)
        due = Due(cycle.product, cycle.start, None, cycle.issued_at, paid_at, lines, payable)
        payment, account = pay(due, account)
    settlement = Settlement(bill, cover.deductions, _lines(bill, cover.deductions), payment, frozen)
    _check(settlement)
    return settlement, account


def _check(settlement: Settlement) -> None:
    """The law of a bill: list amount + rounding adjustment = what paid it + outstanding + frozen."""
    payment, amounts = settlement.payment, settlement.bill.amounts
    paid = sum((deduction.amount for deduction in payment.deductions), ZERO)
    accounted = paid + payment.outstanding + settlement.frozen
    due = amounts.list_amount + amounts.rounding_adjustment
    law(accounted == due, "{} is accounted for of {}", accounted, due)


def _lines(bill: Bill, deductions: Iterable[PlanDeduction]) -> tuple[int, ...]:
    """The number of the first line of the charge that each deduction covers."""
    if not deductions:
        return ()
    first: dict[int, int] = {}
    for number, line in enumerate(bill.lines):
        first.setdefault(id(line.charge), number)
    return tuple(first[id(bill.cycle.charges[deduction.charge])] for deduction in deductions)


def _advance(account: Account, book: PriceBook, until: int, steps: list[Step], *, statements_too: bool) -> Account:
    """Lets time pass: top-ups up to `until` arrive, statements before it are paid (with `statements_too` those at it)."""
    while True:
        top_up = min((one for one in account.top_ups if not one.arrived), key=lambda one: one.at, default=None)
        held, statement = next(due_statements(account, book), (None, None)) if account.frozen else (None, None)
        statement_due = statement is not None and (
            statement.issued_at < until or (statements_too and statement.issued_at == until)
        )
        if top_up and top_up.at <= until and not (statement and statement.issued_at < top_up.at):
            arrived = tuple(replace(one, arrived=True) if one is top_up else one for one in account.top_ups)
            arrival, account = receive(top_up, replace(account, top_ups=arrived))
            steps.append(arrival)
        elif held and statement and statement_due:
            paid, account = settle_statement(held, statement, account)
            steps.append(paid)
        else:
            return account


def _split_late(cycles: Iterable[Cycle], account: Account) -> tuple[list[Cycle], list[Cycle]]:
    late: list[Cycle] = []
    due: list[Cycle] = []
    for cycle in cycles:
        settled = account.settled(cycle.product)
        (late if settled is not None and cycle.end <= settled else due).append(cycle)
    return late, due


def _as_correction(cycle: Cycle, account: Account) -> Cycle:
    """The cycle as a correction, issued with the bill of the first cycle of its product that is not settled."""
    settled = account.settled(cycle.product)
    if settled is None:
        raise BrokenLaw("only a settled cycle can be late")
    calendar = cycle.sheet.billing.calendar
    next_end = calendar.cycle_end(calendar.cycle_start(settled))
    return replace(cycle, correction_at=next_end + cycle.sheet.billing.issue_after)


def _hold_back(due: list[Cycle], as_of: int | None) -> tuple[list[Cycle], list[Cycle]]:
    """The cycles whose bills are issued by `as_of`, and the others. No cycle is issued before an earlier one of its product
    (`Cycle.not_before`), so that `settled_through` passes over none."""
    if as_of is None:
        return due, []
    issued = [cycle for cycle in due if cycle.issued_at <= as_of]
    return issued, [cycle for cycle in due if cycle.issued_at > as_of]


def in_issue_order(cycles: Iterable[Cycle]) -> list[Cycle]:
    return sorted(cycles, key=lambda cycle: (cycle.issued_at, cycle.start, cycle.product))


def _estimates(cycles: Iterable[Cycle], account: Account) -> Iterator[Bill]:
    """The bills that the cycles would make if nothing else happened: plans cover what they can, tiers go on."""
    for cycle in cycles:
        settlement, account = settle_cycle(cycle, account)
        yield settlement.bill
