"""Moments that are equal: which of two comes first, and on which side of an edge the edge itself lies."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from mps_bill.settlement.account import Debt
from mps_bill.settlement.account_writer import afresh
from mps_bill.settlement.closing import cleared_by, overdue_bills
from mps_bill.settlement.forecast import forecast
from mps_bill.settlement.settle_cycles import Settled, settle
from tests.kit import sheet_of
from tests.settlement.test_settle import MONTHLY, OFFSET
from tests.settlement.worlds import (
    SHEET,
    account,
    at,
    balance_of,
    book,
    changed,
    hours,
    reread,
    top_up,
    video,
    voucher,
    vouchers_of,
)

#: A product whose hours are billed an hour later than those of mps, and whose name comes behind.
SLOW = sheet_of(
    '  keys: {name: Keys, family: related, unit: minute, prices: {one: {"*": 0.1}}}\n',
    product="slow",
    currency="CNY",
    issue_after="2h",
)
TWO = book(SHEET, SLOW)
#: Both are issued at 13:00: 1 CNY of the hour 10 of the slow product, 0.65 of the hour 11 of mps.
TIE = hours({at("11-10 10"): {("keys", "one", "cn-shanghai"): "10"}, at("11-10 11"): video("10")}, TWO)


def test_bills_of_one_second_come_by_their_cycle_and_then_by_product() -> None:
    assert [(cycle.product, cycle.issued_at) for cycle in TIE] == [("slow", at("11-10 13")), ("mps", at("11-10 13"))]
    run = settle(TIE, account("1"), TWO)
    # So the older cycle has the money.
    assert [(one.bill.cycle.product, one.payment.outstanding) for one in run.settlements] == [
        ("slow", 0),
        ("mps", Decimal("0.65")),
    ]


def test_debts_of_one_second_come_by_their_cycle_and_then_by_product() -> None:
    run = settle(TIE, account("0"), TWO)
    debts = run.closing.outstanding
    assert [debt.product for debt in debts] == ["slow", "mps"]
    text = afresh(run.closing, OFFSET)
    assert reread(text, TWO) == run.closing
    # Also where someone has written them in another order.
    first, second = (line for line in text.splitlines() if "amount" in line and "issued_at" in line)
    swapped = text.replace(first, "*").replace(second, first).replace("*", second)
    assert swapped != text
    assert reread(swapped, TWO).outstanding == debts
    paid = settle((), replace(run.closing, top_ups=(top_up("11-10 14", "1.2"),)), TWO, as_of=at("11-10 14"))
    assert [(debt.product, part) for debt, part in paid.arrivals[0].repaid] == [("slow", 1), ("mps", Decimal("0.2"))]


def test_an_older_bill_that_is_paid_later_is_the_older_debt() -> None:
    """Hour 9 comes when the account has passed its issue, and is outstanding before what is there."""
    keys, mps = TIE
    late = hours({at("11-10 09"): video("10")}, TWO)
    run = settle(late, settle([keys], account("0"), TWO).closing, TWO)
    assert [(debt.product, debt.issued_at) for debt in run.closing.outstanding] == [
        ("mps", at("11-10 11")),
        ("slow", at("11-10 13")),
    ]
    assert reread(afresh(run.closing, OFFSET), TWO) == run.closing
    # Of equal issue times the cycle decides, whichever was paid first.
    run = settle([keys], settle([mps], account("0"), TWO).closing, TWO)
    assert [debt.product for debt in run.closing.outstanding] == ["slow", "mps"]


def frozen(start: str = "11-10 11") -> Settled:
    """A month with 0.651 frozen; its statement is not issued yet."""
    return settle(hours({at(start): video("10")}, MONTHLY), account("0"), MONTHLY)


def test_a_top_up_of_the_statement_s_second_pays_it() -> None:
    payer = replace(frozen().closing, top_ups=(top_up("12-01 01", "1"),))
    run = settle((), payer, MONTHLY, as_of=at("12-01 01"))
    assert [type(step).__name__ for step in run.steps] == ["Arrival", "StatementSettlement"]
    assert (balance_of(run.closing), run.closing.outstanding) == (Decimal("0.35"), ())
    # A second later it repays what is outstanding.
    payer = replace(payer, top_ups=(replace(payer.top_ups[0], at=at("12-01 01") + 1),))
    run = settle((), payer, MONTHLY, as_of=at("12-01 01") + 1)
    assert [type(step).__name__ for step in run.steps] == ["StatementSettlement", "Arrival"]
    assert [one.cleared_at for one in overdue_bills(run)] == [at("12-01 01") + 1]


def test_statements_of_one_second_come_by_their_month_and_then_by_product() -> None:
    """October of the slow product is issued with November of mps, since it waits for 30 days and an hour."""
    monthly = SHEET.replace("settlement: hourly", "settlement: monthly")
    slow = SLOW.replace("settlement: hourly", "settlement: monthly").replace("issue_after: 2h", "issue_after: 721h")
    prices = book(monthly, slow.replace("2023-11-01T00", "2023-10-01T00"))
    usage = {at("10-20 10"): {("keys", "one", "cn-shanghai"): "10"}, at("11-20 10"): video("10")}
    run = settle(hours(usage, prices), account("1"), prices, as_of=at("12-01 01"))
    assert [(one.statement.month, one.statement.issued_at) for one in run.statements] == [
        ("2023-10", at("12-01 01")),
        ("2023-11", at("12-01 01")),
    ]
    assert [(debt.product, debt.amount) for debt in run.closing.outstanding] == [("mps", Decimal("0.65"))]


def test_the_statement_is_issued_in_its_second_and_not_before() -> None:
    payer = frozen().closing
    assert settle((), payer, MONTHLY, as_of=at("12-01 01") - 1).statements == ()
    assert len(settle((), payer, MONTHLY, as_of=at("12-01 01")).statements) == 1


def test_a_time_that_the_account_has_passed_moves_nothing_back() -> None:
    reached = settle(hours({at("11-10 09"): video("10")}), account("1"), book(), as_of=at("11-10 15"))
    run = settle(hours({at("11-10 10"): video("10")}), reached.closing, book(), as_of=at("11-10 12"))
    assert (len(run.settlements), run.until, run.closing.settled_at) == (1, at("11-10 15"), at("11-10 15"))
    run = settle((), reached.closing, book(), as_of=at("11-10 12"))
    assert (run.steps, run.until, run.closing) == ((), at("11-10 15"), reached.closing)


def test_the_sheet_of_the_next_month_does_not_round_the_month_before_it() -> None:
    monthly = SHEET.replace("settlement: hourly", "settlement: monthly")
    up = monthly.replace("mode: down", "mode: up").replace("2023-11-01T00", "2023-12-01T00")
    prices = book(monthly, up)
    usage = {at("11-30 23"): video("10"), at("12-01 00"): video("10")}
    run = settle(hours(usage, prices), account("10"), prices, as_of=at("12-31 23") + 2 * 3600)
    assert [(one.statement.month, one.statement.amounts.payable) for one in run.statements] == [
        ("2023-11", Decimal("0.65")),
        ("2023-12", Decimal("0.66")),
    ]


def test_a_top_up_of_all_that_is_owed_clears_it() -> None:
    debt = Debt("mps", at("11-10 09"), None, at("11-10 11"), Decimal("0.65"))
    owing = account("0", outstanding=(debt,), settled_at=at("11-10 11"))
    assert cleared_by(replace(owing, top_ups=(top_up("11-11", "0.65"),))) == at("11-11")
    assert cleared_by(replace(owing, top_ups=(top_up("11-11", "0.64"),))) is None
    two = (top_up("11-12", "0.35"), top_up("11-11", "0.30"), top_up("11-13", "9"))
    assert cleared_by(replace(owing, top_ups=two)) == at("11-12")


def test_a_correction_issued_with_the_month_s_last_hour_is_in_the_month() -> None:
    """The last hour of November is not settled, so corrections are issued with it, in the second of the statement."""
    payer = changed(frozen("11-30 22").closing, balance=Decimal(10))
    late = hours({at("11-30 21"): video("10")}, MONTHLY)
    run = settle(late, payer, MONTHLY, charge_late=True)
    assert [one.bill.cycle.issued_at for one in run.settlements] == [at("12-01 01")]
    assert [(one.statement.month, one.statement.amounts.list_amount) for one in run.statements] == [
        ("2023-11", Decimal("1.302"))
    ]
    assert run.closing.frozen == ()


def test_a_correction_of_a_stated_month_is_in_the_month_of_the_hour_it_is_issued_with() -> None:
    """October is stated. Corrections of it are issued with the last hour of November, or with the first of December."""
    monthly = SHEET.replace("settlement: hourly", "settlement: monthly").replace("2023-11-01T00", "2022-11-01T00")
    prices = book(monthly)
    late = hours({at("10-31 23"): video("10")}, prices)
    for settled, month in (("11-30 23", "2023-11"), ("12-01 00", "2023-12")):
        payer = account("10", settled_through={"mps": at(settled)}, settled_at=at(settled))
        run = settle(late, payer, prices, as_of=at("12-01 00"), charge_late=True)
        assert run.settlements == ()
        run = settle(late, run.closing, prices, charge_late=True)
        stated = [one.statement.month for one in run.statements]
        assert stated + [one.month for one in run.closing.frozen] == [month]


def test_a_voucher_that_is_not_valid_yet_pays_nothing_in_the_forecast() -> None:
    """0.65 an hour from 13:00 on: an hour from the voucher, an hour from the balance, nothing from the one of the 20th."""
    now, late = voucher("now", "1.30"), voucher("late", "10", start="11-20", end="11-30")
    run = settle(hours({at("11-10 11"): video("10")}), account("0.65", vouchers=(late, now)), book())
    found = forecast(run, 7)
    assert found
    rows = {row.source: row for row in found.rows}
    assert rows["voucher"].left == Decimal("10.65")
    assert (rows["voucher"].runs_out, rows["balance"].runs_out) == (at("11-10 14"), at("11-10 15"))
    # A voucher that begins in the second in which it is needed pays.
    begins = replace(late, effective_from=at("11-10 13"), remaining=Decimal("0.65"))
    run = settle(
        hours({at("11-10 11"): video("10")}), account("1.30", vouchers=(begins,)), book(), as_of=at("11-10 13")
    )
    assert vouchers_of(run.closing)[0].remaining == 0
