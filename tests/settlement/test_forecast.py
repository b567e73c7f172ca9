"""When things run out: worked by hand, to the second."""

from __future__ import annotations

from decimal import Decimal

from mps_bill.settlement.closing import closing_rows
from mps_bill.settlement.forecast import ForecastRow, forecast
from mps_bill.settlement.settle_cycles import settle
from tests.settlement.added_sources.deposit import Deposit
from tests.settlement.worlds import SHEET, account, at, book, card, hours, plan, top_up, video, voucher


def rows(payer, usage, days: int = 7, as_of: int | None = None) -> dict[str, ForecastRow]:
    found = forecast(settle(hours(usage), payer, book(), as_of), days)
    assert found
    return {row.source: row for row in found.rows}


def test_the_balance_goes_at_the_rate_of_what_was_payable() -> None:
    """0.65 in one hour of ten leave 9.35, which last 9.35 / 0.65 hours from the issue at 13: 14 h 23 min 4 s."""
    row = rows(account("10"), {at("11-10 11"): video("10")})["balance"]
    assert (row.left, row.a_day, row.runs_out) == (Decimal("9.35"), Decimal("15.6"), at("11-11 03:23") + 4)


def test_money_goes_faster_when_plans_have_run_out() -> None:
    """30 of 40 plan minutes in the hour: the other 10 last 20 minutes, and then 0.651 an hour is paid from 1 CNY."""
    found = rows(account("1", plans=(plan(remaining="40"),)), {at("11-10 11"): video("10")})
    assert found["resource_plan"].runs_out == at("11-10 13:20")
    assert found["balance"].a_day == 0
    assert found["balance"].runs_out == at("11-10 13:20") + int(3600 / Decimal("0.651"))


def test_a_plan_that_expires_first_runs_out_when_it_expires() -> None:
    found = rows(account("1", plans=(plan(remaining="4000", end="11-10 13:30"),)), {at("11-10 11"): video("10")})
    assert found["resource_plan"].runs_out == at("11-10 13:30")


def test_vouchers_then_cards_then_balance_then_credit() -> None:
    """0.65 an hour, the first from the voucher: 0.65, 1.30, 0.65 and 1.30 are left, for 1, 2, 1 and 2 h."""
    payer = account("0.65", credit="1.30", vouchers=(voucher(remaining="1.30"),), cards=(card(remaining="1.30"),))
    found = rows(payer, {at("11-10 11"): video("10")})
    outs = [at("11-10 14"), at("11-10 16"), at("11-10 17"), at("11-10 19")]
    assert [row.runs_out for row in found.values()] == outs


USED_UP = {at("11-10 11"): video("10"), at("11-10 12"): video("10"), at("11-10 13"): video("10")}


def test_a_used_up_source_ran_out_when_its_last_bill_was_issued() -> None:
    """10 of 30 minutes in each hour: the plan ends with the first bill, the voucher and the card with the second."""
    payer = account(
        "0.80",
        credit="5",
        plans=(plan(remaining="30"),),
        vouchers=(voucher("a", "0.10"), voucher("b", "0.20"), voucher("empty", "0")),
        cards=(card(remaining="0.05"),),
    )
    settled = settle(hours(USED_UP), payer, book())
    used = {(row.source, row.id): row.used_up_at for row in closing_rows(settled) if row.used_up_at is not None}
    assert used == {
        ("resource_plan", "rp-1"): at("11-10 13"),
        ("voucher", "a"): at("11-10 14"),
        ("voucher", "b"): at("11-10 14"),
        ("stored_value_card", "c-1"): at("11-10 14"),
        ("balance", ""): at("11-10 15"),
    }
    found = rows(payer, USED_UP)
    outs = {name: row.runs_out for name, row in found.items() if not row.left}
    assert outs == {
        "resource_plan": at("11-10 13"),
        "voucher": at("11-10 14"),
        "stored_value_card": at("11-10 14"),
        "balance": at("11-10 15"),
    }


def test_sources_of_a_kind_ran_out_with_the_last_of_them() -> None:
    payer = account("9", vouchers=(voucher("b", "0.65", end="12-02"), voucher("a", "0.65")))
    assert rows(payer, USED_UP)["voucher"].runs_out == at("11-10 14")


def test_a_source_that_was_filled_again_is_not_used_up() -> None:
    """Two bills of 0.65 take all, the top-up in between fills it; the third is paid from credit."""
    payer = account("0.65", credit="1", top_ups=(top_up("11-10 13:30", "0.65"),))
    settled = settle(hours(USED_UP), payer, book(), as_of=at("11-10 13"))
    assert {row.used_up_at for row in closing_rows(settled) if row.source == "balance"} == {at("11-10 13")}
    settled = settle(hours(USED_UP), payer, book(), as_of=at("11-10 13:30"))
    assert {row.used_up_at for row in closing_rows(settled)} == {None}
    settled = settle(hours(USED_UP), payer, book())
    assert {row.used_up_at for row in closing_rows(settled) if row.source == "balance"} == {at("11-10 14")}


def test_a_statement_uses_up_what_it_pays_with() -> None:
    monthly = book(SHEET.replace("settlement: hourly", "settlement: monthly"))
    settled = settle(hours({at("11-10 11"): video("10")}, monthly), account("0.65"), monthly, as_of=at("12-01 02"))
    assert {row.used_up_at for row in closing_rows(settled) if row.source == "balance"} == {at("12-01 01")}


def test_nothing_runs_out_before_the_time_that_the_account_has_reached() -> None:
    """A day after the usage, which the plan that expired since had covered: 40 minutes at 30 an hour last 1 h 20 min."""
    plans = (plan(remaining="40"), plan("old", remaining="4000", end="11-11 11:30"))
    payer = account("0.651", plans=plans, vouchers=(voucher(remaining="5", end="11-11 11:30"),))
    found = rows(payer, {at("11-10 11"): video("10")}, as_of=at("11-11 12"))
    assert {name: row.left for name, row in found.items()} == {
        "resource_plan": Decimal(40),
        "balance": Decimal("0.651"),
    }
    assert found["resource_plan"].runs_out == at("11-11 13:20")
    assert found["balance"].runs_out == at("11-11 14:20")


def test_only_the_last_days_count() -> None:
    """0.65 in two days, or 33.20 in all 97 hours."""
    usage = {at("11-06 11"): video("500"), at("11-10 11"): video("10")}
    assert rows(account("100"), usage, days=2)["balance"].a_day == Decimal("0.33")
    assert rows(account("100"), usage, days=7)["balance"].a_day == Decimal("8.21")


def test_a_source_that_is_not_used_never_runs_out() -> None:
    found = rows(
        account("1", plans=(plan(covers={"frames": {"std": "1"}}, unit="frame"),)), {at("11-10 11"): video("0.01")}
    )
    assert [row.runs_out for row in found.values()] == [None, None]


def test_a_source_that_the_account_does_not_have_is_left_out() -> None:
    """A deposit has no id and no parts: it is there while there is money, and where the run took the last of it."""
    usage = {at("11-10 11"): video("10")}
    payer = account("10")
    assert list(rows(payer.with_sources((Deposit(), *payer.sources)), usage)) == ["balance"]
    found = rows(payer.with_sources((Deposit(Decimal("0.65")), *payer.sources)), usage)
    assert (found["deposit"].left, found["deposit"].runs_out) == (0, at("11-10 13"))
    assert list(rows(account("0"), usage)) == ["balance"]


def test_no_bills_no_forecast() -> None:
    assert forecast(settle((), account("1"), book()), 7) is None


def test_a_source_that_is_not_valid_yet_runs_out_after_it_has_begun() -> None:
    """0.65 an hour: a voucher of 1.30 from 18:00 on lasts two hours, and the balance pays from now on."""
    later = voucher(remaining="1.30", start="11-10 18")
    found = rows(account("10", vouchers=(later,)), {at("11-10 11"): video("10")})
    assert (found["voucher"].left, found["voucher"].runs_out) == (Decimal("1.30"), at("11-10 20"))
    assert found["balance"].runs_out == rows(account("10"), {at("11-10 11"): video("10")})["balance"].runs_out
    # What is to come is no part of what runs out first, and an empty one that has begun pays nothing.
    pool = (
        voucher("a", "0"),
        voucher("b", "1.30", start="11-10 18", end="11-10 19"),
        voucher("c", "1", start="11-20 11"),
    )
    assert rows(account("10", vouchers=pool), {at("11-10 11"): video("10")})["voucher"].runs_out == at("11-10 19")


def test_a_plan_that_is_not_valid_yet_runs_out_after_it_has_begun() -> None:
    """30 plan minutes an hour, all of a plan that ends; the next of 60 from 18:00 on lasts two hours."""
    plans = (plan("a", remaining="30"), plan("b", remaining="60", start="11-10 18"))
    found = rows(account("1", plans=plans), {at("11-10 11"): video("10")})
    assert found["resource_plan"].runs_out == at("11-10 20")
    # Nothing covers usage until then, and money goes.
    assert found["balance"].runs_out == at("11-10 13") + int(3600 / Decimal("0.651"))
