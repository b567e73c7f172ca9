"""The fold over cycles: runs split anywhere equal whole runs, nothing is charged twice, time moves in order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mps_bill.core.decimals import round_money
from mps_bill.settlement.account import Account, Debt
from mps_bill.settlement.account_writer import afresh
from mps_bill.settlement.charged import cycle_key
from mps_bill.settlement.closing import cleared_by, closing_rows, overdue_bills, totals
from mps_bill.settlement.settle_cycles import Settled, Settlement, settle
from tests.kit import sheet_of
from tests.settlement.worlds import (
    HOUR,
    SHEET,
    account,
    at,
    balance_of,
    book,
    card,
    hours,
    plan,
    plans_of,
    reread,
    top_up,
    video,
    voucher,
)

OFFSET = 8 * HOUR
MONTHLY = book(SHEET.replace("settlement: hourly", "settlement: monthly"))
#: A second product by the day, whose bills are issued later than those of the hours they overlap.
DAILY_SHEET = sheet_of(
    '  keys: {name: Keys, family: related, unit: day, prices: {version: {"*": 0.035}}}\n',
    product="kms",
    currency="CNY",
    cycle="day",
    issue_after="3h",
)
TWO = book(SHEET, DAILY_SHEET)


def everything(steps: list[Settled]) -> list[object]:
    """What happened, in order, in a form in which runs can be compared."""
    return [step for run in steps for step in run.steps]


START = at("11-30 18")
quantities = st.fixed_dictionaries(
    {},
    optional={
        ("video", "HD", "cn-shanghai"): st.integers(1, 3000).map(lambda n: str(Decimal(n).scaleb(-2))),
        ("video", "SD", "cn-beijing"): st.integers(1, 3000).map(lambda n: str(Decimal(n).scaleb(-2))),
        ("frames", "std", "cn-shanghai"): st.integers(1, 2000).map(str),
        ("review", "porn", "cn-shanghai"): st.integers(1, 90).map(str),
        ("traffic", "out", "cn-shanghai"): st.integers(1, 9000).map(lambda n: str(Decimal(n).scaleb(-3))),
    },
)
usages = st.dictionaries(st.integers(0, 11), quantities, max_size=9).map(
    lambda found: {START + hour * HOUR: lines for hour, lines in found.items() if lines}
)
money = st.integers(0, 300).map(lambda n: str(Decimal(n).scaleb(-2)))
moments = st.integers(-60, 14 * 60).map(lambda minutes: START + minutes * 60)


@st.composite
def payers(draw: st.DrawFn) -> Account:
    def valid() -> dict[str, int]:
        start = draw(moments)
        return {"effective_from": start, "expires_at": start + draw(st.integers(1, 12 * 60)) * 60}

    covers = {"video": {"HD": "3", "SD": "1.5"}, "frames": {"std": "0.3"}}
    plans = tuple(
        replace(plan(f"rp-{n}", str(draw(st.integers(0, 60))), covers={"video": covers["video"]}), **valid())
        for n in range(draw(st.integers(0, 3)))
    )
    vouchers = tuple(
        replace(
            voucher(f"v-{n}", draw(money), items=draw(st.sampled_from([None, ("video",), ("review", "frames")]))),
            **valid(),
        )
        for n in range(draw(st.integers(0, 3)))
    )
    cards = tuple(replace(card(f"c-{n}", draw(money)), **valid()) for n in range(draw(st.integers(0, 2))))
    top_ups = tuple(
        replace(top_up("11-01", draw(money), f"t-{n}"), at=draw(moments)) for n in range(draw(st.integers(0, 3)))
    )
    order = draw(st.sampled_from(["earliest-expiry", "largest-balance"]))
    return account(
        draw(money),
        credit=draw(money),
        plans=plans,
        vouchers=vouchers,
        cards=cards,
        top_ups=top_ups,
        voucher_order=order,
    )


def check(settled: Settled) -> None:
    """Every law of a run."""
    settled.closing.check()
    closing_rows(settled)
    totals(settled)
    for settlement in settled.settlements:
        bill = settlement.bill
        cut = round_money(bill.amounts.list_amount, 2, "down")
        paid = sum((one.amount for one in settlement.payment.deductions), settlement.payment.outstanding)
        if settlement.frozen:
            assert (paid, settlement.frozen) == (0, bill.amounts.list_amount)
        else:
            assert paid == bill.amounts.payable == (cut if bill.cycle.sheet.billing.settlement == "hourly" else 0)
        for line in bill.lines:
            assert line.micros == line.covered_micros + line.billed_micros
        by_line: dict[int, int] = {}
        for one, number in settlement.covers:
            by_line[number] = by_line.get(number, 0) + one.micros
        assert {n: line.covered_micros for n, line in enumerate(bill.lines) if line.covered_micros} == by_line
        expiries = [one.plan.expires_at for one, _ in settlement.covers]
        assert expiries == sorted(expiries)
    for step in settled.statements:
        amounts = step.statement.amounts
        assert amounts.payable == round_money(amounts.list_amount, 2, "down")
        paid = sum((one.amount for one in step.payment.deductions), step.payment.outstanding)
        assert paid == amounts.payable


@pytest.mark.parametrize("prices", [book(), MONTHLY], ids=["hourly", "monthly"])
@settings(max_examples=60)
@given(usage=usages, payer=payers())
def test_a_run_split_at_every_hour_equals_the_whole_run(prices, usage, payer) -> None:
    """Each hour is a run of its own, and the account goes through its file in between."""
    cycles = hours(usage, prices)
    whole = settle(cycles, payer, prices)
    check(whole)
    account_ = payer
    runs = []
    for cycle in cycles:
        run = settle([cycle], account_, prices)
        check(run)
        runs.append(run)
        account_ = reread(afresh(run.closing, OFFSET), prices)
        assert account_ == run.closing
    assert everything(runs) == everything([whole])
    assert account_ == whole.closing


@settings(max_examples=60)
@given(usage=usages, payer=payers(), data=st.data())
def test_runs_by_as_of_equal_the_whole_run_also_with_two_calendars(usage, payer, data) -> None:
    keys = data.draw(st.dictionaries(st.integers(0, 2), st.integers(1, 40), max_size=3))
    days = {at("11-29") + day * 24 * HOUR: {("keys", "version", "cn-shanghai"): str(n)} for day, n in keys.items()}
    cycles = hours({**usage, **{start + 1: lines for start, lines in days.items()}}, TWO)
    last = max((cycle.issued_at for cycle in cycles), default=START)
    whole = settle(cycles, payer, TWO, as_of=last)
    account_ = payer
    runs = []
    for moment in sorted({*data.draw(st.lists(moments, max_size=5)), last}):
        if moment <= last:
            run = settle(cycles, account_, TWO, as_of=moment)
            check(run)
            assert all(bill.cycle.issued_at > moment for bill in run.pending)
            runs.append(run)
            account_ = reread(afresh(run.closing, OFFSET), TWO)
    assert everything(runs) == everything([whole])
    assert account_ == whole.closing


@settings(max_examples=60)
@given(earlier=usages, usage=usages, payer=payers(), as_of=st.none() | moments, charge_late=st.booleans())
def test_a_run_that_is_repeated_charges_nothing(earlier, usage, payer, as_of, charge_late) -> None:
    """Late usage or not, and with whatever options: what was charged once is known again, also from the saved file."""
    cycles = hours(usage)
    before = settle(hours(earlier), payer, book(), as_of)
    once = settle(cycles, before.closing, book(), as_of, charge_late)
    check(once)
    account_ = reread(afresh(once.closing, OFFSET))
    assert account_ == once.closing
    charged = {(one.bill.cycle.product, one.bill.cycle.start) for one in once.settlements}
    for late_too in (False, True):
        again = settle([cycle for cycle in cycles if cycle_key(cycle) in charged], account_, book(), as_of, late_too)
        assert (again.steps, again.closing) == ((), account_)
        assert {cycle_key(bill.cycle) for bill in again.late} == charged
        assert again.charged_before == dict.fromkeys(charged, "same")
    once_late = settle(cycles, account_, book(), as_of, charge_late=True)
    check(once_late)
    again = settle(cycles, once_late.closing, book(), as_of, charge_late=True)
    assert (again.steps, again.closing) == ((), once_late.closing)


def test_late_usage_is_held_against_what_was_charged_of_its_cycle() -> None:
    """Hour 8 was settled by no run, hour 9 with other usage, hour 10 with the same."""
    payer = account("100", settled_through={"mps": at("11-10 09")})
    first = settle(hours({at("11-10 09"): video("1"), at("11-10 10"): video("2")}), payer, book())
    cycles = hours({at("11-10 08"): video("5"), at("11-10 09"): video("1.01"), at("11-10 10"): video("2")})
    shown = settle(cycles, first.closing, book())
    known = {("mps", at("11-10 09")): "other", ("mps", at("11-10 10")): "same"}
    assert (shown.steps, len(shown.late), shown.charged_before) == ((), 3, known)
    run = settle(cycles, first.closing, book(), charge_late=True)
    assert [one.bill.cycle.start for one in run.settlements] == [at("11-10 08"), at("11-10 09")]
    assert [bill.cycle.start for bill in run.late] == [at("11-10 10")]
    assert run.charged_before == known
    found = {day: [digest[:3] for digest in digests] for day, digests in run.closing.charged.items()}
    assert found == {("mps", "2023-11-10"): ["09-", "10-", "08-", "09-"]}


def test_a_charge_is_known_by_product_cycle_and_usage_alone() -> None:
    cheaper = book(SHEET.replace("0.0651", "0.05"))
    first = settle(hours({at("11-10 09"): video("1")}), account("100"), book())
    assert not settle(hours({at("11-10 09"): video("1")}, cheaper), first.closing, cheaper, charge_late=True).steps
    for other in (video("1", "SD"), video("1", region="cn-beijing"), {**video("1"), **video("1", "SD")}):
        run = settle(hours({at("11-10 09"): other}), first.closing, book(), charge_late=True)
        assert len(run.settlements) == 1
    settled = replace(first.closing, settled_through={"*": at("11-12")})
    elsewhen = settle(hours({at("11-11 09"): video("1")}), settled, book(), charge_late=True)
    assert (len(elsewhen.settlements), elsewhen.charged_before) == (1, {})


def test_a_cycle_that_is_given_twice_is_refused() -> None:
    (cycle,) = hours({at("11-10 09"): video("1")})
    with pytest.raises(AssertionError, match="twice"):
        settle([cycle, cycle], account("100"), book())


def test_late_usage_is_billed_at_the_prices_and_the_tier_of_its_cycle() -> None:
    one = {("review", "porn", "cn-shanghai"): "90"}
    first = settle(hours({at("11-10 09"): one, at("11-10 11"): video("1")}), account("100"), book())
    late = hours({at("11-10 10"): one})
    run = settle(late, first.closing, book(), charge_late=True)
    (settlement,) = run.settlements
    assert settlement.bill.cycle.start == at("11-10 10")
    # The next bill of the product, of the cycle 12:00-13:00, is issued at 14:00.
    assert settlement.bill.cycle.issued_at == at("11-10 14")
    # 180 minutes of the month are in the second tier.
    assert [(line.tier, line.unit_price) for line in settlement.bill.lines] == [("100+", Decimal("0.07"))]
    assert balance_of(run.closing) == balance_of(first.closing) - Decimal("6.30")
    assert run.closing.settled("mps") == first.closing.settled("mps")


def test_a_correction_waits_for_its_issue_time() -> None:
    first = settle(hours({at("11-10 09"): video("1")}), account("100"), book())
    late = hours({at("11-10 09"): video("2")})
    run = settle(late, first.closing, book(), as_of=at("11-10 11:59"), charge_late=True)
    assert (run.settlements, len(run.pending), balance_of(run.closing)) == ((), 1, balance_of(first.closing))
    run = settle(late, run.closing, book(), as_of=at("11-10 12"), charge_late=True)
    assert [one.bill.cycle.issued_at for one in run.settlements] == [at("11-10 12")]


def test_each_product_is_settled_through_by_itself() -> None:
    mps = hours({at("11-10 09"): video("1")}, TWO)
    keys = hours({at("11-08"): {("keys", "version", "cn-shanghai"): "1"}}, TWO)
    first = settle(mps, account("100"), TWO)
    second = settle(keys, first.closing, TWO)
    assert not second.late
    assert second.closing.settled_through == {"mps": at("11-10 10"), "kms": at("11-09")}


def test_settled_through_alone_holds_for_every_product() -> None:
    payer = account("100", settled_through={"*": at("11-10 09")})
    run = settle(hours({at("11-10 08"): video("1"), at("11-10 09"): video("1")}), payer, book())
    assert [bill.cycle.start for bill in run.late] == [at("11-10 08")]
    assert run.closing.settled_through == {"*": at("11-10 09"), "mps": at("11-10 10")}


def test_the_order_in_time_is_top_up_then_bill_then_statement() -> None:
    """At 01:00 of December the last hour of November is billed and its statement issued."""
    payer = account("0", top_ups=(top_up("12-01 01", "50"),))
    run = settle(hours({at("11-30 23"): video("100")}, MONTHLY), payer, MONTHLY)
    assert [type(step).__name__ for step in run.steps] == ["Arrival", "Settlement", "StatementSettlement"]
    assert balance_of(run.closing) == Decimal("50") - Decimal("6.51")


def test_a_month_that_is_not_over_stays_frozen() -> None:
    usage = {at("11-30 21"): video("0.15"), at("11-30 22"): video("0.16")}
    run = settle(hours(usage, MONTHLY), account("1", credit="1"), MONTHLY)
    assert not run.statements
    assert [settlement.frozen for settlement in run.settlements] == [Decimal("0.009765"), Decimal("0.010416")]
    assert (balance_of(run.closing), run.closing.frozen_amount) == (1, Decimal("0.020181"))
    assert run.closing.available_credit == Decimal("1.979819")
    # Two hours that would each be rounded to nothing make two cents together.
    paid = settle((), run.closing, MONTHLY, as_of=at("12-01 01"))
    (step,) = paid.statements
    assert (step.statement.amounts.payable, balance_of(paid.closing)) == (Decimal("0.02"), Decimal("0.98"))
    assert paid.closing.frozen == ()


def test_a_voucher_for_items_pays_its_part_of_the_month() -> None:
    usage = {
        at("11-30 21"): {**video("10"), ("frames", "std", "cn-shanghai"): "100"},
        at("11-30 22"): video("10"),
    }
    payer = account("10", vouchers=(voucher(remaining="9", items=["video"], end="12-02"),))
    run = settle(hours(usage, MONTHLY), payer, MONTHLY, as_of=at("12-01 02"))
    (step,) = run.statements
    assert [(one.source, one.amount) for one in step.payment.deductions] == [
        ("voucher", Decimal("1.30")),
        ("balance", Decimal("0.50")),
    ]


def test_usage_of_a_month_whose_statement_is_paid_makes_a_statement_of_its_own() -> None:
    november = hours({at("11-30 22"): video("10")}, MONTHLY)
    first = settle(november, account("10"), MONTHLY, as_of=at("12-01 01"))
    late = hours({at("11-30 21"): video("20")}, MONTHLY)
    run = settle(late, first.closing, MONTHLY, as_of=at("12-01 02"), charge_late=True)
    assert [step.statement.amounts.payable for step in run.statements] == [Decimal("1.30")]


def test_overdue_from_which_bill_and_until_when() -> None:
    payer = account("0.50", top_ups=(top_up("11-10 12:30", "1"), top_up("11-10 20", "9")))
    run = settle(
        hours({at("11-10 09"): video("10"), at("11-10 10"): video("10"), at("11-10 11"): video("10")}), payer, book()
    )
    assert [(one.debt.issued_at, one.debt.amount, one.left, one.cleared_at) for one in overdue_bills(run)] == [
        (at("11-10 11"), Decimal("0.15"), 0, at("11-10 12:30")),
        (at("11-10 12"), Decimal("0.65"), 0, at("11-10 12:30")),
        (at("11-10 13"), Decimal("0.45"), Decimal("0.45"), None),
    ]
    assert cleared_by(run.closing) == at("11-10 20")
    later = settle((), run.closing, book(), as_of=at("11-10 20"))
    assert (later.closing.owed, balance_of(later.closing)) == (0, Decimal("8.55"))
    assert [(one.debt.amount, one.cleared_at) for one in overdue_bills(later)] == [(Decimal("0.45"), at("11-10 20"))]


def test_a_top_up_entered_afterwards_is_taken_in_once_at_the_time_of_the_account() -> None:
    first = settle(hours({at("11-10 09"): video("10")}), account("0"), book())
    assert [(one.debt.issued_at, one.left) for one in overdue_bills(first)] == [(at("11-10 11"), Decimal("0.65"))]
    entered = replace(first.closing, top_ups=(top_up("11-10 10", "1"), top_up("11-10 11:01", "5")))
    # No new bill, no time to go to; the second top-up lies ahead of the account.
    run = settle((), entered, book())
    assert [(one.at, one.amount) for one in run.arrivals] == [(at("11-10 11"), 1)]
    assert [(one.debt.issued_at, one.cleared_at) for one in overdue_bills(run)] == [(at("11-10 11"), at("11-10 11"))]
    assert (run.until, run.closing.settled_at) == (at("11-10 11"), at("11-10 11"))
    assert (balance_of(run.closing), run.closing.owed) == (Decimal("0.35"), 0)
    again = settle((), reread(afresh(run.closing, OFFSET)), book())
    assert (again.steps, again.until, again.closing) == ((), None, run.closing)


def test_a_top_up_entered_afterwards_comes_before_a_bill_that_the_account_has_passed() -> None:
    reached = account("0", settled_at=at("11-10 12:30"), top_ups=(top_up("11-10 12", "1"),))
    run = settle(hours({at("11-10 09"): video("10")}), reached, book())
    assert [type(step).__name__ for step in run.steps] == ["Arrival", "Settlement"]
    assert (run.arrivals[0].at, balance_of(run.closing)) == (at("11-10 12:30"), Decimal("0.35"))
    # Also where the time that is asked for is one that the account has passed.
    run = settle((), reached, book(), as_of=at("11-10 11"))
    assert [one.at for one in run.arrivals] == [at("11-10 12:30")]
    assert run.closing.settled_at == at("11-10 12:30")


def test_nothing_is_repaid_before_it_is_overdue() -> None:
    """Also where the account does not say which time it has reached."""
    debt = Debt("mps", at("11-10 09"), None, at("11-10 11"), Decimal("0.65"))
    run = settle(
        (), account("0", outstanding=(debt,), top_ups=(top_up("11-10 10", "1"),)), book(), as_of=at("11-10 12")
    )
    assert [(one.debt.issued_at, one.cleared_at) for one in overdue_bills(run)] == [(at("11-10 11"), at("11-10 11"))]


def test_tiers_go_on_in_the_month_and_begin_anew_with_the_next() -> None:
    traffic = {("traffic", "out", "cn-shanghai"): "8"}
    usage = {at("11-30 22"): traffic, at("11-30 23"): traffic, at("12-01 00"): traffic}
    run = settle(hours(usage), account("100"), book())
    tiers = [[line.tier for line in one.bill.lines] for one in run.settlements]
    assert tiers == [["0-10"], ["0-10", "10-20"], ["0-10"]]


def test_tiers_accumulate_what_plans_leave() -> None:
    payer = account("100", plans=(plan(covers={"review": {"porn": "1"}}, remaining="90"),))
    run = settle(hours({at("11-10 09"): {("review", "porn", "cn-shanghai"): "150"}}), payer, book())
    (line,) = run.settlements[0].bill.lines
    minute = 60_000_000
    assert (line.covered_micros // minute, line.billed_micros // minute, line.tier) == (90, 60, "0-100")


def test_a_cycle_behind_one_that_is_held_back_waits_too() -> None:
    """A new sheet issues its bills sooner than the old one, so the later bill would be first."""
    old = SHEET.replace("issue_after: 1h", "issue_after: 3h")
    new = SHEET.replace("2023-11-01T00", "2023-11-10T10")
    prices = book(old, new)
    cycles = hours({at("11-10 09"): video("10"), at("11-10 10"): video("10")}, prices)
    run = settle(cycles, account("10"), prices, as_of=at("11-10 12"))
    assert (len(run.settlements), len(run.pending)) == (0, 2)
    run = settle(cycles, run.closing, prices, as_of=at("11-10 13"))
    assert (len(run.settlements), len(run.late)) == (2, 0)


def test_pending_bills_are_estimated_after_plans_and_in_their_tier() -> None:
    payer = account("100", plans=(plan(remaining="30"),))
    run = settle(hours({at("11-10 09"): video("8"), at("11-10 10"): video("8")}), payer, book(), as_of=at("11-10 11"))
    (bill,) = run.pending
    assert bill.amounts.list_amount == Decimal("0.0651") * 6
    assert isinstance(run.steps[0], Settlement)
    assert plans_of(run.closing)[0].remaining == 6_000_000
