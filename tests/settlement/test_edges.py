"""Ties and edges of paying, each small enough to work out by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mps_bill.core.decimals import amount_text
from mps_bill.rating.bills import Cycle
from mps_bill.settlement.account import Account, Debt, FrozenMonth
from mps_bill.settlement.closing import cleared_by, closing_rows, overdue_bills, overdue_since, totals
from mps_bill.settlement.forecast import forecast
from mps_bill.settlement.settle_cycles import settle
from mps_bill.settlement.sources.payment_source import Due
from mps_bill.settlement.waterfall import pay, receive
from tests.kit import sheet_of
from tests.settlement.test_settle import DAILY_SHEET
from tests.settlement.worlds import (
    HOUR,
    SHEET,
    VALID_AT_NOON,
    account,
    at,
    balance_of,
    book,
    card,
    covered_by,
    hours,
    plan,
    taken_from,
    top_up,
    video,
    voucher,
)

MONTHLY_SHEET = SHEET.replace("settlement: hourly", "settlement: monthly")
MONTHLY = book(MONTHLY_SHEET)
#: What another product has: an item at the price of video.
FILMS = '  films: {name: F, family: related, unit: minute, prices: {HD: {"*": 0.0651}}}\n'
TWO = book(SHEET, DAILY_SHEET)
NOON = at("11-10 12")


def due(payable: str, *, issued: str = "11-10 12", paid: str | None = None, product: str = "mps") -> Due:
    amount = Decimal(payable)
    issued_at = at(issued)
    return Due(product, issued_at - 2 * HOUR, None, issued_at, at(paid or issued), lambda: (("video", amount),), amount)


# Plans


def test_a_pro_rata_item_is_covered_to_six_decimals_of_its_unit() -> None:
    """10 plan GB at 3 cover 3.333333 GB, which take 9.999999; not a part of a millionth more."""
    (cycle,) = hours({at("11-10 09"): {("traffic", "out", "cn-shanghai"): "5"}})
    found = covered_by(cycle, plan(remaining="10", unit="GB", covers={"traffic": {"out": "3"}}))
    assert [(one.micros, one.units, one.remaining) for one in found.deductions] == [(3_333_333 * 1024, 9_999_999, 1)]


def test_a_plan_of_minutes_never_covers_frames() -> None:
    """A plan may name an item that another version of the sheet bills by the frame."""
    (cycle,) = hours({at("11-10 09"): {("frames", "std", "cn-shanghai"): "10"}})
    found = covered_by(cycle, plan(covers={"frames": {"std": "1"}}))
    assert (found.covered, found.deductions) == ((0,), ())


def test_units_of_plans_are_rounded_by_unit() -> None:
    """1 x 1.5 = 1.5 millionths of frames, rounded 2; 10,000 x 0.33335 = 3,333.5 of minutes, rounded 3,334. The running total is
    kept by unit: on one of both the minutes would take 3,335 - 2 = 3,333."""
    usage = {("frames", "std", "cn-shanghai"): "0.000001", **video("0.01")}
    frames = plan("f", "1", unit="frame", covers={"frames": {"std": "1.5"}}, end="11-30")
    minutes = plan("m", "1", covers={"video": {"HD": "0.33335"}})
    (cycle,) = hours({at("11-10 09"): usage})
    found = covered_by(cycle, minutes, frames)
    assert {one.id: one.units for one in found.deductions} == {"f": 2, "m": 3334}


def test_a_plan_is_deducted_from_the_first_line_of_a_split() -> None:
    """2 of 15 GB; of the 13 that are left 10 are in the first tier and 3 in the second."""
    payer = account("9", plans=(plan(remaining="2", unit="GB", covers={"traffic": {"out": "1"}}),))
    usage = {**video("1"), ("traffic", "out", "cn-shanghai"): "15"}
    (one,) = settle(hours({at("11-10 09"): usage}), payer, book()).settlements
    assert [(line.tier, line.micros, line.covered_micros) for line in one.bill.lines[1:]] == [
        ("0-10", 12 * 1024 * 10**6, 2 * 1024 * 10**6),
        ("10-20", 3 * 1024 * 10**6, 0),
    ]
    assert [number for _, number in one.covers] == [1]


# Vouchers


def test_the_minimum_of_a_limited_voucher_counts_what_others_took_from_its_lines() -> None:
    """The line costs 0.65, which still reaches 0.60 after another voucher has paid 0.40 of it."""
    vouchers = [voucher("a", "0.40", items=["video"]), voucher("b", "5", items=["video"], minimum="0.60", end="12-02")]
    found = taken_from(vouchers, [("video", Decimal("0.651"))], Decimal("0.65"))
    assert found == [("a", Decimal("0.40")), ("b", Decimal("0.25"))]


def test_the_rest_of_lines_is_rounded_down_to_cents() -> None:
    """0.70 take 0.656 of video and 0.044 of frames; of frames (0.655, rounded to 0.65) 0.606 are left: 0.60 and not 0.61."""
    lines = [("video", Decimal("0.656")), ("frames", Decimal("0.655"))]
    vouchers = [voucher("a", "0.70", items=["video", "frames"]), voucher("b", "5", items=["frames"], end="12-02")]
    found = taken_from(vouchers, lines, Decimal("1.31"))
    assert found == [("a", Decimal("0.70")), ("b", Decimal("0.60"))]


def test_a_minimum_is_reached_by_its_own_amount() -> None:
    vouchers = [voucher("a", "5", items=["video"], minimum="0.65")]
    found = taken_from(vouchers, [("video", Decimal("0.65"))], Decimal("0.65"))
    assert [amount for _, amount in found] == [Decimal("0.65")]


def test_limited_vouchers_pay_no_more_than_the_bill() -> None:
    """A sheet with bills in whole units rounds 0.651 + 0.655 down to 1: 0.65 from the first and the rest, 0.35."""
    lines = [("video", Decimal("0.651")), ("frames", Decimal("0.655"))]
    vouchers = [voucher("a", "5", items=["video"]), voucher("b", "5", items=["frames"], end="12-02")]
    found = taken_from(vouchers, lines, Decimal("1"))
    assert [amount for _, amount in found] == [Decimal("0.65"), Decimal("0.35")]


# Cards, and who pays a bill that comes late


@pytest.mark.parametrize(("start", "end", "pays"), VALID_AT_NOON)
def test_a_card_is_valid_from_its_start_until_before_its_end(start: str, end: str, pays: bool) -> None:
    payment, _ = pay(due("1"), account(cards=(card(start=start, end=end),)))
    assert bool(payment.deductions) is pays


def test_cards_and_vouchers_are_valid_when_a_bill_is_paid_and_not_when_it_was_issued() -> None:
    """Issued at 12:00, but the account has reached 14:00 already: vouchers and cards that expired at 13:00 pay nothing."""
    payer = account(
        "5",
        vouchers=(voucher("gone", end="11-10 13"), voucher("new", "1", start="11-10 13")),
        cards=(card("past", end="11-10 13"), card("now", "2", start="11-10 13")),
    )
    payment, _ = pay(due("4", paid="11-10 14"), payer)
    assert [(one.source, one.id, one.amount) for one in payment.deductions] == [
        ("voucher", "new", 1),
        ("stored_value_card", "now", 2),
        ("balance", None, 1),
    ]


def test_an_outstanding_amount_is_as_old_as_its_bill() -> None:
    """The bill of 12:00 that is paid at 14:00 is repaid before that of 13:00."""
    _, payer = pay(due("3", issued="11-10 13"), account())
    _, payer = pay(due("2", issued="11-10 12", paid="11-10 14"), payer)
    assert [(debt.issued_at, debt.amount) for debt in payer.outstanding] == [(NOON, 2), (NOON + HOUR, 3)]
    arrival, payer = receive(top_up("11-10 15", "4"), payer)
    assert [part for _, part in arrival.repaid] == [2, 2]
    assert [debt.amount for debt in payer.outstanding] == [1]


def test_debts_of_one_second_and_start_are_in_order_of_the_product() -> None:
    _, payer = pay(due("3", product="mps"), account())
    _, payer = pay(due("2", product="aaa", paid="11-10 14"), payer)
    assert [(debt.product, debt.amount) for debt in payer.outstanding] == [("aaa", 2), ("mps", 3)]


def test_cards_by_expiry_then_smallest_then_start_then_id() -> None:
    """The soonest expiry is first, then the smallest, then the earliest start: 0.5 + 0.5 + 1 + 1 + 1 of the 4.5."""
    cards = (
        card("b", "1"),
        card("a", "1"),
        card("c", "1", start="10-31"),
        card("small", "0.5"),
        card("soon", "0.5", end="11-30"),
        card("large", "2", start="10-30"),
    )
    payment, _ = pay(due("4.5"), account(cards=cards))
    assert [(one.id, str(one.amount)) for one in payment.deductions] == [
        ("soon", "0.5"),
        ("small", "0.5"),
        ("c", "1"),
        ("a", "1"),
        ("b", "1"),
        ("large", "0.5"),
    ]


# Late usage


def test_a_product_that_is_settled_by_itself_does_not_depend_on_the_others() -> None:
    payer = account("9", settled_through={"*": at("11-10 12"), "mps": at("11-10 09")})
    run = settle(hours({at("11-10 08"): video("10"), at("11-10 09"): video("10")}), payer, book())
    assert [bill.cycle.start for bill in run.late] == [at("11-10 08")]
    assert [one.bill.cycle.start for one in run.settlements] == [at("11-10 09")]


def test_a_correction_of_a_day_is_issued_with_the_bill_of_the_day_that_is_not_settled() -> None:
    """Everything is settled up to 9 o'clock of the 10th, so the day of the 10th, issued at 3 o'clock of the 11th, is next."""
    payer = account("9", settled_through={"*": at("11-10 09")})
    run = settle(hours({at("11-08"): {("keys", "version", "CN"): "100"}}, TWO), payer, TWO, charge_late=True)
    assert [one.bill.cycle.issued_at for one in run.settlements] == [at("11-11 03")]


def test_a_correction_is_paid_with_the_bills_of_its_second_in_order_of_start_and_then_product() -> None:
    """Issued at 12:00: the correction of 8 o'clock, then the bills of 10 o'clock of aaa and of mps. 0.70 pay the first, 0.65,
    and 0.05 of the second; 0.60 and 0.65 stay outstanding."""
    prices = book(SHEET, sheet_of(FILMS, product="aaa", currency="CNY"))
    usage = {at("11-10 08"): video("10"), at("11-10 10"): {**video("10"), ("films", "HD", "CN"): "10"}}
    payer = account("0.70", settled_through={"mps": at("11-10 10"), "aaa": at("11-10 10")})
    run = settle(hours(usage, prices), payer, prices, charge_late=True)
    assert [
        (one.bill.cycle.product, one.bill.cycle.start, amount_text(one.payment.outstanding)) for one in run.settlements
    ] == [("mps", at("11-10 08"), "0.00"), ("aaa", at("11-10 10"), "0.60"), ("mps", at("11-10 10"), "0.65")]


def test_a_correction_and_a_bill_of_one_start_are_paid_in_order_of_the_product() -> None:
    """Both begin at 8 and are issued at 12 o'clock: the correction of mps, and the bill of zzz after three hours."""
    prices = book(SHEET, sheet_of(FILMS, product="zzz", currency="CNY", issue_after="3h"))
    usage = {at("11-10 08"): {**video("10"), ("films", "HD", "CN"): "10"}}
    run = settle(hours(usage, prices), account(settled_through={"mps": at("11-10 10")}), prices, charge_late=True)
    assert [(one.bill.cycle.product, one.bill.cycle.issued_at) for one in run.settlements] == [
        ("mps", at("11-10 12")),
        ("zzz", at("11-10 12")),
    ]


def test_top_ups_before_and_after_the_time_that_the_account_has_reached_arrive_in_one_run() -> None:
    """1 of 11:00 was entered after the account had reached 12:00; 2 are of 14:00, and the run ends at 15:00."""
    payer = account(settled_at=at("11-10 12"), top_ups=(top_up("11-10 11", "1"), top_up("11-10 14", "2")))
    run = settle((), payer, book(), as_of=at("11-10 15"))
    assert ([arrival.at for arrival in run.arrivals], balance_of(run.closing), run.until) == (
        [at("11-10 12"), at("11-10 14")],
        3,
        at("11-10 15"),
    )


def test_a_cycle_of_nothing_freezes_nothing() -> None:
    """Half a minute of review is billed as no minute."""
    run = settle(hours({at("11-10 09"): {("review", "porn", "CN"): "0.5"}}, MONTHLY), account("9"), MONTHLY)
    assert (len(run.settlements), run.closing.frozen) == (1, ())


def test_late_usage_that_is_not_charged_is_shown_after_what_the_run_used() -> None:
    """60 + 60 minutes of the month make 120, so the late 60 are shown in the tier above 100: 60 x 0.07 = 4.2."""
    review = {("review", "porn", "cn-shanghai"): "60"}
    first = settle(hours({at("11-10 10"): video("1")}), account("9"), book())
    run = settle(hours({at("11-10 09"): review, at("11-10 11"): review}), first.closing, book())
    assert [bill.amounts.list_amount for bill in run.late] == [Decimal("4.2")]
    assert [one.bill.amounts.list_amount for one in run.settlements] == [6]


def test_a_bill_of_the_second_that_the_account_has_reached_is_not_behind_it() -> None:
    payer = account("9", settled_at=at("11-10 12"))
    for hour, overtaken in (("11-10 09", 1), ("11-10 10", 0)):
        assert len(settle(hours({at(hour): video("10")}), payer, book()).overtaken) == overtaken


def test_the_same_minutes_in_another_number_of_records_are_other_usage() -> None:
    """Ten records of a minute instead of one of ten: a part may be charged twice, so it is said."""
    (cycle,) = hours({at("11-10 09"): video("10")})
    first = settle([cycle], account("9"), book())
    run = settle([with_records(cycle, 10)], first.closing, book(), charge_late=True)
    assert run.charged_before == {("mps", at("11-10 09")): "other"}
    assert run.charged_again == run.settlements


def with_records(cycle: Cycle, records: int) -> Cycle:
    charges = tuple(replace(charge, records=records) for charge in cycle.charges)
    return replace(cycle, charges=charges)


def test_a_correction_does_not_take_back_how_far_a_product_is_settled() -> None:
    """All is settled up to 12 o'clock. After the correction of 8 o'clock so is mps, and 10 o'clock stays late."""
    payer = account("9", settled_through={"*": at("11-10 12")})
    run = settle(hours({at("11-10 08"): video("10")}), payer, book(), charge_late=True)
    assert run.closing.settled_through == {"*": at("11-10 12"), "mps": at("11-10 12")}
    assert len(settle(hours({at("11-10 10"): video("10")}), run.closing, book()).late) == 1


def test_usage_is_other_usage_also_where_the_cycle_rounds_it_to_the_same() -> None:
    """9.5 and 9.2 minutes are both billed as 9."""
    key = ("review", "porn", "cn-shanghai")
    first = settle(hours({at("11-10 09"): {key: "9.5"}}), account("9"), book())
    for minutes, expected in (("9.5", "same"), ("9.2", "other")):
        late = hours({at("11-10 09"): {key: minutes}})
        assert settle(late, first.closing, book()).charged_before == {("mps", at("11-10 09")): expected}


def test_the_same_spec_of_another_item_is_other_usage() -> None:
    prices = book(SHEET + '  films: {name: F, family: related, unit: minute, prices: {HD: {"*": 0.0651}}}\n')
    first = settle(hours({at("11-10 09"): video("10")}, prices), account("9"), prices)
    late = hours({at("11-10 09"): {("films", "HD", "cn-shanghai"): "10"}}, prices)
    assert settle(late, first.closing, prices).charged_before == {("mps", at("11-10 09")): "other"}


# Months


def test_all_bills_of_the_statement_s_second_are_in_the_statement() -> None:
    """The bills of 22:00 and 23:00 of November: 0.651 + 0.651 = 1.302 are paid once, at 01:00, after the second of them."""
    run = settle(hours({at("11-30 22"): video("10"), at("11-30 23"): video("10")}, MONTHLY), account("9"), MONTHLY)
    assert [type(step).__name__ for step in run.steps] == ["Settlement", "Settlement", "StatementSettlement"]
    assert (run.statements[0].statement.amounts.payable, balance_of(run.closing)) == (Decimal("1.30"), Decimal("7.70"))


def test_a_correction_of_the_statement_s_second_is_in_the_statement() -> None:
    """November is settled up to 23:00, so late usage of 21:00 is billed with the hour from 23:00, at 01:00 of December."""
    first = settle(hours({at("11-30 22"): video("10")}, MONTHLY), account("9"), MONTHLY)
    late = hours({at("11-30 21"): video("20")}, MONTHLY)
    run = settle(late, first.closing, MONTHLY, as_of=at("12-01 01"), charge_late=True)
    # 0.651 + 1.302 = 1.953
    assert [(one.statement.month, one.statement.amounts.payable) for one in run.statements] == [
        ("2023-11", Decimal("1.95"))
    ]


def test_a_correction_follows_the_lag_of_the_sheet_that_states_the_month() -> None:
    """Bills were issued after an hour until noon of the 30th, then after four: the statement comes at 04:00 of December. The
    correction of the 10th is issued at 04:00 too, with the hour from 02:00 of its own sheet, and is in it."""
    new = MONTHLY_SHEET.replace("2023-11-01T00", "2023-11-30T12").replace("issue_after: 1h", "issue_after: 4h")
    prices = book(MONTHLY_SHEET, new)
    late = hours({at("11-10 09"): video("10")}, prices)
    for settled_through, as_of, months in (("12-01 02", "12-01 04", ["2023-11"]), ("12-01 03", "12-01 05", [])):
        payer = account("9", settled_through={"mps": at(settled_through)})
        run = settle(late, payer, prices, as_of=at(as_of), charge_late=True)
        assert [one.statement.month for one in run.statements] == months
        assert [one.month for one in run.closing.frozen] == ([] if months else ["2023-12"])


def test_a_correction_after_the_account_has_passed_the_statement_is_in_the_next() -> None:
    """mps is settled up to 23:00 on 30 November, but because of other bills the account has reached 5 December."""
    payer = account("9", settled_through={"mps": at("11-30 23")}, settled_at=at("12-05"))
    run = settle(hours({at("11-30 21"): video("10")}, MONTHLY), payer, MONTHLY, charge_late=True)
    assert [(one.month, one.amount) for one in run.closing.frozen] == [("2023-12", Decimal("0.651"))]


def test_each_product_freezes_for_itself_and_a_statement_leaves_the_next_month_frozen() -> None:
    """0.651 of mps and 0.651 of oss in November; 1.302 of mps in December, which stay when November is paid: 0.65 each."""
    prices = book(MONTHLY_SHEET, sheet_of(FILMS, product="oss", currency="CNY", settlement="monthly"))
    usage = {
        at("11-30 22"): {**video("10"), ("films", "HD", "CN"): "10"},
        at("12-01 00"): video("20"),
    }
    run = settle(hours(usage, prices), account("9"), prices)
    assert [(one.statement.sheet.product, one.statement.amounts.payable) for one in run.statements] == [
        ("mps", Decimal("0.65")),
        ("oss", Decimal("0.65")),
    ]
    assert [(one.product, one.month, one.amount) for one in run.closing.frozen] == [
        ("mps", "2023-12", Decimal("1.302"))
    ]


def test_the_statement_of_a_month_leaves_the_next_frozen() -> None:
    """Both are frozen at once where a new sheet issues the bills of December before the old one states November."""
    held = [FrozenMonth("mps", month, (("video", Decimal("0.651")),)) for month in ("2023-11", "2023-12")]
    run = settle((), account("9", frozen=tuple(held)), MONTHLY, as_of=at("12-01 02"))
    assert (run.closing.frozen, balance_of(run.closing)) == ((held[1],), Decimal("8.35"))


@pytest.mark.parametrize(
    ("months", "lags", "expected"),
    [
        # At one second, of one month: by product, in whatever order the account has them.
        ([("mps", "2023-11"), ("aaa", "2023-11")], ("1h", "1h"), ["aaa", "mps"]),
        # Of two months, where the lag of one is a month more: the earlier month.
        ([("aaa", "2023-12"), ("mps", "2023-11")], ("745h", "1h"), ["mps", "aaa"]),
        ([("mps", "2023-12"), ("aaa", "2023-11")], ("1h", "745h"), ["aaa", "mps"]),
        # Of one month with another lag: by time.
        ([("aaa", "2023-11"), ("mps", "2023-11")], ("1h", "2h"), ["mps", "aaa"]),
        ([("mps", "2023-11"), ("aaa", "2023-11")], ("2h", "1h"), ["aaa", "mps"]),
    ],
)
def test_statements_are_paid_in_order_of_issue_then_month_then_product(
    months: list[tuple[str, str]], lags: tuple[str, str], expected: list[str]
) -> None:
    """Each is 0.65, and the balance of 0.65 pays the first."""
    mps_lag, aaa_lag = lags
    mps = MONTHLY_SHEET.replace("issue_after: 1h", f"issue_after: {mps_lag}")
    aaa = sheet_of(FILMS, product="aaa", currency="CNY", settlement="monthly", issue_after=aaa_lag)
    held = tuple(FrozenMonth(product, month, (("video", Decimal("0.65")),)) for product, month in months)
    run = settle((), account("0.65", frozen=held), book(mps, aaa), as_of=at("12-31 23") + 2 * HOUR)
    assert [one.statement.sheet.product for one in run.statements] == expected
    assert [one.payment.outstanding for one in run.statements] == [0, Decimal("0.65")]


def test_a_statement_that_the_account_has_passed_is_paid_as_of_now() -> None:
    """The voucher was valid on 1 December, when the statement was issued; the account has reached 5 December."""
    november = FrozenMonth("mps", "2023-11", (("video", Decimal("0.651")),))
    payer = account("9", frozen=(november,), settled_at=at("12-05"), vouchers=(voucher(end="12-03"),))
    run = settle((), payer, MONTHLY, as_of=at("12-05"))
    assert [one.source for step in run.statements for one in step.payment.deductions] == ["balance"]


# Totals of a run


def test_a_credit_line_that_is_free_again_is_not_used_up() -> None:
    """The bill of 11:00 takes its last 0.65, which a top-up of 12:00 gives back."""
    payer = account(credit="0.65", top_ups=(top_up("11-10 12", "0.65"),))
    for as_of, expected in (("11-10 11", at("11-10 11")), ("11-10 12", None)):
        run = settle(hours({at("11-10 09"): video("10")}), payer, book(), as_of=at(as_of))
        assert {row.source: row.used_up_at for row in closing_rows(run)}["credit_line"] == expected


def test_a_statement_is_outstanding_by_its_month_and_cleared() -> None:
    """0.65 of November from 01:00 of December on, repaid at 05:00."""
    payer = account(top_ups=(top_up("12-01 05", "1"),))
    usage = hours({at("11-30 23"): video("10")}, MONTHLY)
    owing = settle(usage, payer, MONTHLY, as_of=at("12-01 01")).closing
    assert owing.outstanding == (Debt("mps", at("11-01"), "2023-11", at("12-01 01"), Decimal("0.65")),)
    run = settle(usage, payer, MONTHLY, as_of=at("12-01 05"))
    assert [(one.debt, amount_text(one.left), one.cleared_at) for one in overdue_bills(run)] == [
        (owing.outstanding[0], "0.00", at("12-01 05"))
    ]


def test_units_of_plans_are_added_up_over_bills() -> None:
    run = settle(hours({at("11-10 09"): video("10"), at("11-10 10"): video("5")}), account(plans=(plan(),)), book())
    assert totals(run).units == {"resource_plan": {"rp-1": 45}}


def test_the_closing_statement_says_what_went_and_what_is_left() -> None:
    """10 minutes at 3 take 30 of 100 plan minutes; 10 more of SD, which the plan does not cover, cost 0.326 -> 0.32: 0.10
    from a voucher, 0.10 from a card, 0.05 from the balance, 0.05 from credit, and 0.02 stay outstanding."""
    payer = account(
        "0.05",
        credit="0.05",
        plans=(plan(covers={"video": {"HD": "3"}}),),
        vouchers=(voucher(remaining="0.10"),),
        cards=(card(remaining="0.10"),),
    )
    run = settle(hours({at("11-10 09"): {**video("10"), **video("10", "SD")}}), payer, book())
    assert [
        (row.source, amount_text(row.opening), amount_text(row.added), amount_text(row.taken), amount_text(row.closing))
        for row in closing_rows(run)
    ] == [
        ("resource_plan", "100.00", "0.00", "30.00", "70.00"),
        ("voucher", "0.10", "0.00", "0.10", "0.00"),
        ("stored_value_card", "0.10", "0.00", "0.10", "0.00"),
        ("balance", "0.05", "0.00", "0.05", "0.00"),
        ("credit_line", "0.05", "0.00", "0.05", "0.00"),
        ("outstanding", "0.00", "0.02", "0.00", "0.02"),
        ("frozen", "0.00", "0.00", "0.00", "0.00"),
    ]


def test_the_amount_that_a_statement_releases_was_frozen_before() -> None:
    """0.651 from an earlier run and 0.651 of this one are frozen; the statement releases 1.302 and takes 1.30."""
    first = settle(hours({at("11-30 21"): video("10")}, MONTHLY), account("9"), MONTHLY)
    run = settle(hours({at("11-30 23"): video("10")}, MONTHLY), first.closing, MONTHLY)
    found = {
        row.source: [amount_text(one) for one in (row.opening, row.added, row.taken, row.closing)]
        for row in closing_rows(run)
    }
    assert found["frozen"] == ["0.651", "0.651", "1.302", "0.00"]
    assert found["balance"] == ["9.00", "0.00", "1.30", "7.70"]


def test_outstanding_is_cleared_by_the_earliest_top_ups_that_reach_it() -> None:
    """0.65 at 11:00; 0.30 at 14:00 and 0.35 at 16:00 are enough, in whatever order the file has them."""
    tops = (top_up("11-10 20", "9"), top_up("11-10 16", "0.35"), top_up("11-10 14", "0.30"))
    for top_ups in (tops, tops[::-1]):
        run = settle(hours({at("11-10 09"): video("10")}), account(top_ups=top_ups), book())
        assert cleared_by(run.closing) == at("11-10 16")


def test_a_bill_that_is_repaid_in_part_is_not_cleared() -> None:
    """0.65 and 0.65 are outstanding from 11:00 and 12:00; 0.40 and then 0.40 repay the first and 0.15 of the second."""
    payer = account(top_ups=(top_up("11-10 13", "0.40"), top_up("11-10 14", "0.40")))
    usage = {at("11-10 09"): video("10"), at("11-10 10"): video("10")}
    for as_of, expected in (
        ("11-10 12", [("0.65", None), ("0.65", None)]),
        ("11-10 13", [("0.25", None), ("0.65", None)]),
        ("11-10 14", [("0.00", at("11-10 14")), ("0.50", None)]),
    ):
        run = settle(hours(usage), payer, book(), as_of=at(as_of))
        assert [(amount_text(one.left), one.cleared_at) for one in overdue_bills(run)] == expected
        assert overdue_since(run.closing) == at("11-10 12" if as_of == "11-10 14" else "11-10 11")


def test_two_corrections_of_one_cycle_are_overdue_as_one_bill() -> None:
    """0.65 of the bill; then 1.30 and 0.32 of corrections of the same hour, both issued at 12:00; 1.00 pays the bill and 0.35."""
    first = settle(hours({at("11-10 09"): video("10")}), account(), book())
    second = settle(hours({at("11-10 09"): video("20")}), first.closing, book(), charge_late=True)
    third = settle(hours({at("11-10 09"): video("5")}), second.closing, book(), charge_late=True)
    assert [
        (one.debt.issued_at, amount_text(one.debt.amount), amount_text(one.left)) for one in overdue_bills(third)
    ] == [
        (at("11-10 11"), "0.65", "0.65"),
        (at("11-10 12"), "1.62", "1.62"),
    ]
    payer = replace(third.closing, top_ups=(top_up("11-10 13", "1.00"),))
    paid = settle((), payer, book(), as_of=at("11-10 13"))
    assert [amount_text(one.left) for one in overdue_bills(paid)] == ["0.00", "1.27"]
    assert amount_text(paid.closing.owed) == "1.27"


# When things run out


def rows(
    payer: Account, usage: dict[str, str], days: int = 7, **options: bool
) -> dict[str, tuple[str, str, int | None]]:
    """What is left, goes in a day, and when the last of it goes, by source, after bills of so many minutes of HD."""
    run = settle(hours({at(when): video(minutes) for when, minutes in usage.items()}), payer, book(), **options)
    found = forecast(run, days)
    assert found
    return {row.source: (amount_text(row.left), amount_text(row.a_day), row.runs_out) for row in found.rows}


def test_the_rate_is_of_whole_cycles_from_the_first_second_of_the_days() -> None:
    """A day before 12:00 of the 10th begins at 12:00 of the 9th: 0.65 + 0.65 in it, and 6.51 before it."""
    usage = {"11-09 11": "100", "11-09 12": "10", "11-10 11": "10"}
    assert rows(account("100"), usage, days=1)["balance"][:2] == ("92.19", "1.30")
    # 0.65 + 0.65 in the eleven hours from 9 to 20 o'clock: 1.3 / 11 x 24 = 2.836 a day.
    assert rows(account("100"), {"11-10 09": "10", "11-10 19": "10"})["balance"][1] == "2.84"


def test_corrections_are_not_how_usage_goes_on() -> None:
    """0.65 in the hour from 11 o'clock, and 1.30 of late usage, which comes once."""
    payer = account("100", settled_through={"mps": at("11-10 10")})
    assert rows(payer, {"11-10 08": "20", "11-10 11": "10"}, charge_late=True)["balance"][:2] == ("98.05", "15.60")


def test_when_plans_are_gone_already_all_usage_is_paid() -> None:
    """The hour took the last 30 plan minutes; from its issue at 13:00 on 10 minutes an hour are 0.651: 15.624 a day."""
    found = rows(account("0.651", plans=(plan(remaining="30"),)), {"11-10 11": "10"})
    assert found["balance"] == ("0.651", "15.62", at("11-10 14"))


def test_plans_are_used_one_after_the_other_by_expiry() -> None:
    """30 an hour: 10 that expire first last until 13:20, then 10 that begin at that second until 13:40."""
    plans = (plan("b", "10", start="11-10 13:20"), plan("a", "40", end="11-30"))
    assert rows(account(plans=plans), {"11-10 11": "10"})["resource_plan"] == ("20.00", "720.00", at("11-10 13:40"))
    # 40 expire at 13:30, 15 of them used by then; then the 10 last until 13:50.
    plans = (plan("b", "10"), plan("a", "70", end="11-10 13:30"))
    assert rows(account(plans=plans), {"11-10 11": "10"})["resource_plan"] == ("50.00", "720.00", at("11-10 13:50"))


def test_a_source_is_used_up_when_the_last_of_its_kind_is() -> None:
    """Two hours of 10 minutes, 30 units or 0.65 each, issued at 11:00 and at 12:00."""
    usage = {"11-10 09": "10", "11-10 10": "10"}
    one, other = plan("a", "30", end="11-30"), plan("b", "30")
    assert rows(account(plans=(one, other)), usage)["resource_plan"] == ("0.00", "720.00", at("11-10 12"))
    # Of 60 in the other 30 are left, for an hour.
    assert rows(account(plans=(one, plan("b", "60"))), usage)["resource_plan"] == ("30.00", "720.00", at("11-10 13"))
    first, second = voucher("a", "0.65", end="11-30"), voucher("b", "0.65")
    assert rows(account("9", vouchers=(first, second)), usage)["voucher"] == ("0.00", "15.60", at("11-10 12"))
    more = (first, voucher("b", "1.30"))
    assert rows(account("9", vouchers=more), usage)["voucher"] == ("0.65", "15.60", at("11-10 13"))


def test_units_of_all_bills_count() -> None:
    """30 in each of two hours, so the 30 of 90 that are left last an hour from 14:00."""
    found = rows(account(plans=(plan(remaining="90"),)), {"11-10 11": "10", "11-10 12": "10"})
    assert found["resource_plan"] == ("30.00", "720.00", at("11-10 15"))


def test_a_source_that_expires_as_the_forecast_begins_is_not_in_it() -> None:
    ends = "11-10 13"
    payer = account("9", plans=(plan(end=ends),), vouchers=(voucher(end=ends),), cards=(card(end=ends),))
    assert rows(payer, {"11-10 11": "10"})["resource_plan"][:1] == ("0.00",)
    assert set(rows(payer, {"11-10 11": "10"})) == {"resource_plan", "balance"}
    later = account("9", plans=(plan(end="11-10 13:01"),), vouchers=(voucher(end="11-10 13:01"),))
    assert set(rows(later, {"11-10 11": "10"})) == {"resource_plan", "voucher", "balance"}


@pytest.mark.parametrize(("left", "never"), [("569400", False), ("569400.01", True)])
def test_a_hundred_years_are_the_horizon(left: str, never: bool) -> None:
    """0.65 an hour are 15.60 a day and 569,400 in 36,500 days."""
    found = rows(account(str(Decimal(left) + Decimal("0.65"))), {"11-10 11": "10"})
    assert found["balance"][2] == (None if never else at("11-10 13") + 36_500 * 86_400)


@pytest.mark.parametrize(
    ("credit", "left", "runs_out"),
    [("1.30", "0.65", "11-10 14"), ("0.65", "0.00", "11-10 13"), ("0", None, None)],
)
def test_credit_that_is_left_runs_out_after_the_balance(credit: str, left: str | None, runs_out: str | None) -> None:
    """0.65 an hour, the first from the credit line. A credit line that is used up is still listed."""
    found = rows(account(credit=credit), {"11-10 11": "10"})
    assert found.get("credit_line") == (None if left is None else (left, "15.60", at(runs_out or "")))


def test_pending_bills_are_estimated_one_after_the_other() -> None:
    """Of 30 plan minutes the first 8 minutes take 24; the other 6 cover 2 of the next 8 and none of the last 8."""
    usage = {at(f"11-10 {hour}"): video("8") for hour in ("09", "10", "11")}
    run = settle(hours(usage), account("9", plans=(plan(remaining="30"),)), book(), as_of=at("11-10 11"))
    assert [bill.amounts.list_amount for bill in run.pending] == [Decimal("0.3906"), Decimal("0.5208")]
