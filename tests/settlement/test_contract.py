"""The contract of an account: discounts, settlement by the month from a date on, and vouchers that pay at billing."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest

from mps_bill.core.diagnostics import InputRejected
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.contract import Contract, Discount
from mps_bill.settlement.account import Account
from mps_bill.settlement.account_writer import afresh, edited
from mps_bill.settlement.closing import closing_rows, totals
from mps_bill.settlement.settle_cycles import Settled, settle
from mps_bill.view.bill_records import month_json
from tests.settlement.worlds import (
    HOUR,
    SHEET,
    Usage,
    account,
    at,
    balance_of,
    book,
    card,
    changed,
    hours,
    plan,
    reread,
    top_up,
    video,
    voucher,
    vouchers_of,
)

HEAD = "format: mps-bill/account/1\nid: a-1\ncurrency: CNY\nbalance: 100\n"
EIGHT = Discount("d-1", Decimal(8), frozenset({"video"}))


def settled(usage: Usage, of: Account, prices: PriceBook | None = None) -> Settled:
    found = settle(hours(usage, prices), of, prices or book())
    totals(found)
    closing_rows(found)
    return found


def amounts(found: Settled) -> list[tuple[str, str, str, str]]:
    """List amount, discount, rounding adjustment and payable of each bill."""
    return [
        tuple(str(value.normalize()) for value in step.bill.amounts.figures(discounted=True).values())  # type: ignore[misc]
        for step in found.settlements
    ]


def test_a_discount_is_taken_off_before_the_bill_is_rounded() -> None:
    found = settled({at("11-10 11"): video("10")}, account("5", contract=Contract((EIGHT,))))
    assert amounts(found) == [("0.651", "0.05208", "-0.00892", "0.59")]
    assert balance_of(found.closing) == Decimal("4.41")


def test_the_largest_discount_that_holds_counts_and_none_is_added() -> None:
    discounts = (
        EIGHT,
        Discount("d-2", Decimal("12.5"), None, frozenset({"cn-beijing"})),
        Discount("d-3", Decimal(10), frozenset({"frames"})),
    )
    usage = {
        at("11-10 11"): {**video("10"), **video("10", region="cn-beijing"), ("frames", "std", "cn-shanghai"): "100"},
    }
    (step,) = settled(usage, account("5", contract=Contract(discounts))).settlements
    found = [(line.item.code, line.region, line.discounted_by, line.discount) for line in step.bill.lines]
    assert found == [
        ("video", "cn-beijing", discounts[1], Decimal("0.081375")),
        ("video", "cn-shanghai", EIGHT, Decimal("0.05208")),
        ("frames", "cn-shanghai", discounts[2], Decimal("0.05")),
    ]


def test_a_discount_holds_for_cycles_that_start_in_its_period() -> None:
    discount = Discount("d-1", Decimal(50), None, None, at("11-10 11:30"), at("11-10 13:00"))
    usage = {at(f"11-10 {hour}"): video("10") for hour in (11, 12, 13)}
    found = amounts(settled(usage, account("5", contract=Contract((discount,)))))
    assert [discount for _, discount, _, _ in found] == ["0", "0.3255", "0"]


def test_a_discount_is_rounded_half_up_at_ten_decimals() -> None:
    assert Discount("d", Decimal("33.3333333333")).of(Decimal("0.0000000003")) == Decimal("0.0000000001")
    assert Discount("d", Decimal(50)).of(Decimal("0.0000000001")) == Decimal("0.0000000001")
    assert Discount("d", Decimal(100)).of(Decimal("0.651")) == Decimal("0.651")
    # Every digit counts, also where there are more than the 28 of a usual decimal context.
    long = Decimal("12345678901234567890.0123456789")
    assert Discount("d", Decimal("33.3333333333")).of(long) == Decimal("4115226300407407403.7037037037")


def test_vouchers_are_limited_by_net_amounts_and_measured_on_them() -> None:
    usage = {at("11-10 11"): {**video("100"), ("frames", "std", "cn-shanghai"): "1000"}}
    # 6.51 less 8 % is 5.9892: the voucher takes 5.98 of it, and one that asks for 6.00 takes nothing.
    limited = voucher("v-1", "10", items=["video"])
    found = settled(usage, account("9", contract=Contract((EIGHT,)), vouchers=(limited,)))
    assert vouchers_of(found.closing)[0].remaining == Decimal("4.02")
    strict = voucher("v-1", "10", items=["video"], minimum="6")
    found = settled(usage, account("99", contract=Contract((EIGHT,)), vouchers=(strict,)))
    assert vouchers_of(found.closing)[0].remaining == Decimal("10")


PRICE = SHEET.replace('HD: {"*": 0.0651}', 'HD: {"*": 5.3567}').replace("2023-11-01", "2023-01-01")
MARCH: Usage = {at("03-10 09"): video("1"), at("03-10 10"): video("1"), at("04-02 09"): video("1")}
FIVE = voucher("v-1", "5.00", start="03-01 00", end="03-20 00")


def test_a_voucher_at_billing_pays_the_hour_and_the_month_asks_for_the_rest() -> None:
    prices = book(PRICE)
    contract = Contract(settlement="monthly", vouchers_at="billing")
    found = settled(MARCH, account("100", contract=contract, vouchers=(FIVE,)), prices)
    first, second, third = found.settlements
    assert [step.payment.paid for step in (first, second, third)] == [Decimal("5.00"), 0, 0]
    assert first.frozen == Decimal("0.3567")
    (march,) = found.statements
    assert (march.statement.amounts.list_amount, march.statement.amounts.payable) == (
        Decimal("10.7134"),
        Decimal("10.71"),
    )
    assert (march.paid_at_billing, march.released) == (Decimal("5.00"), Decimal("5.7134"))
    assert march.payment.paid_by("balance") == Decimal("5.71")
    assert balance_of(found.closing) == Decimal("94.29")


def test_a_voucher_at_settlement_is_lost_when_the_month_is_paid_after_its_expiry() -> None:
    prices = book(PRICE)
    found = settled(MARCH, account("100", contract=Contract(settlement="monthly"), vouchers=(FIVE,)), prices)
    assert found.statements[0].payment.paid_by("voucher") == 0
    assert balance_of(found.closing) == Decimal("89.29")


def test_a_voucher_at_billing_pays_no_statement() -> None:
    prices = book(PRICE)
    late = voucher("v-1", "5.00", start="03-31 00", end="05-01 00")
    contract = Contract(settlement="monthly", vouchers_at="billing")
    found = settled(MARCH, account("100", contract=contract, vouchers=(late,)), prices)
    assert found.statements[0].payment.paid_by("voucher") == 0
    assert [step.payment.paid for step in found.settlements] == [0, 0, Decimal("5.00")]


def test_a_voucher_at_billing_takes_no_more_than_the_whole_cents_of_the_hour() -> None:
    prices = book(PRICE)
    contract = Contract(settlement="monthly", vouchers_at="billing")
    rich = voucher("v-1", "50", start="03-01 00", end="05-20 00")
    found = settled(MARCH, account("100", contract=contract, vouchers=(rich,)), prices)
    assert [step.payment.paid for step in found.settlements] == [Decimal("5.35")] * 3
    assert [step.frozen for step in found.settlements] == [Decimal("0.0067")] * 3
    # 10.7134 is rounded to 10.71; 10.70 of it is paid.
    assert found.statements[0].payment.paid_by("balance") == Decimal("0.01")


def test_settlement_of_the_account_wins_from_its_month_on() -> None:
    contract = Contract(settlement="monthly", settlement_from=at("12-01 00"))
    usage = {at("11-30 22"): video("10"), at("12-01 09"): video("10")}
    found = settled(usage, account("5", contract=contract))
    assert [step.bill.cycle.is_monthly for step in found.settlements] == [False, True]
    assert [step.frozen for step in found.settlements] == [0, Decimal("0.651")]
    hourly = Contract(settlement="hourly")
    monthly_sheet = book(SHEET.replace("settlement: hourly", "settlement: monthly"))
    found = settled(usage, account("5", contract=hourly), monthly_sheet)
    assert [step.payment.paid for step in found.settlements] == [Decimal("0.65"), Decimal("0.65")]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("discounts: [{id: d, percent: 0}]", (5, 30), "must be above zero"),
        ("discounts: [{id: d, percent: 100.00001}]", (5, 30), "is above 100"),
        ("discounts: [{id: d, percent: 8, items: [vido]}]", (5, 41), 'unknown item "vido"; no price sheet of this run'),
        ("discounts: [{id: d, percent: 8, regions: [cn-shangai]}]", (5, 43), 'unknown region "cn-shangai"'),
        ("discounts: [{id: d, percent: 8}, {id: d, percent: 9}]", (5, 39), "duplicate"),
        (
            "discounts: [{id: d, percent: 8, effective_from: 2023-11-02T00:00:00+08:00, expires_at: 2023-11-02T00:00:00+08:00}]",
            (5, 88),
            "must be after effective_from",
        ),
        ("settlement: monthly\nsettlement_from: 2023-11-02T00:00:00+08:00", (6, 18), "at the start of a month"),
        ("settlement: monthly\nsettlement_from: 2023-11-01T00:00:00+00:00", (6, 18), "at the start of a month"),
        ("settlement_from: 2023-11-01T00:00:00+08:00", (5, 1), 'which needs "settlement"'),
        ("settlement: weekly", (5, 13), "weekly"),
        ("vouchers_at: never", (5, 14), "never"),
    ],
)
def test_a_wrong_contract_is_refused_at_its_place(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(InputRejected) as rejected:
        reread(f"{HEAD}{text}\n")
    (problem,) = rejected.value.report.shown
    assert words in problem.message
    assert (problem.place.line, problem.place.column) == place


FULL = f"""{HEAD}discounts:
  - {{id: d-1, percent: 8, items: [video], regions: [cn-shanghai], effective_from: 2023-11-10T12:00:00+08:00}}
  - {{id: d-2, percent: 2.50, expires_at: 2024-11-10T12:00:00+08:00}}
settlement: monthly
settlement_from: 2023-12-01T00:00:00+08:00
vouchers_at: billing
frozen:
  - {{product: mps, month: 2023-11, items: {{video: 5.5}}, discount: 0.125, vouchers: 1.00}}
"""


def test_a_contract_is_read_and_written() -> None:
    found = reread(FULL)
    assert found.contract == Contract(
        (
            Discount("d-1", Decimal(8), frozenset({"video"}), frozenset({"cn-shanghai"}), at("11-10 12"), None),
            Discount("d-2", Decimal("2.50"), None, None, None, at("11-10 12") + 366 * 24 * HOUR),
        ),
        "monthly",
        at("12-01 00"),
        "billing",
    )
    assert (found.frozen_amount, found.frozen[0].net) == (Decimal("4.5"), Decimal("5.5"))
    assert reread(afresh(found, 8 * HOUR)) == found
    assert edited(FULL, found, found, 8 * HOUR) == FULL


def test_more_vouchers_than_was_frozen_are_refused() -> None:
    with pytest.raises(InputRejected) as rejected:
        reread(FULL.replace("vouchers: 1.00", "vouchers: 6.00"))
    (problem,) = rejected.value.report.shown
    assert problem.message == "vouchers, 6.00, is above the month's amounts, 5.5"


def random_contract(source: random.Random) -> Contract:
    discounts = tuple(
        Discount(
            f"d-{number}",
            Decimal(source.choice(["8", "12.5", "0.01", "100", "33.3333"])),
            source.choice([None, frozenset({"video"}), frozenset({"frames", "review"})]),
            source.choice([None, frozenset({"cn-shanghai"})]),
            source.choice([None, at("11-10 03"), at("11-29 12:30")]),
            source.choice([None, at("11-30 20"), at("12-01 02")]),
        )
        for number in range(source.randrange(3))
    )
    settlement = source.choice([None, "hourly", "monthly"])
    start = source.choice([None, at("11-01 00"), at("12-01 00")]) if settlement else None
    return Contract(discounts, settlement, start, source.choice(["billing", "settlement"]))  # type: ignore[arg-type]


def random_usage(source: random.Random) -> Usage:
    starts = sorted(
        source.sample([at(f"{day} {hour:02}") for day in ("11-10", "11-30", "12-01") for hour in range(24)], 14)
    )
    kinds = [
        ("video", "HD", "cn-shanghai"),
        ("video", "SD", "cn-beijing"),
        ("frames", "std", "cn-shanghai"),
        ("review", "porn", "cn-shanghai"),
        ("traffic", "out", "cn-beijing"),
    ]
    return {
        start: {kind: f"{source.randrange(1, 9000) / 100:.2f}" for kind in source.sample(kinds, source.randrange(1, 5))}
        for start in starts
    }


def random_account(source: random.Random) -> Account:
    vouchers = tuple(
        voucher(
            f"v-{number}",
            str(source.randrange(1, 2000) / 100),
            start=source.choice(["11-01 00", "11-10 05"]),
            end=source.choice(["11-30 22", "12-20 00"]),
            items=source.choice([None, ["video"], ["frames", "review"]]),
            minimum=source.choice(["0", "1.50"]),
        )
        for number in range(source.randrange(4))
    )
    plans = (plan("rp-1", str(source.randrange(200)), end=source.choice(["11-30 21", "12-20 00"])),)
    return changed(
        account(str(source.randrange(40)), credit=str(source.randrange(20))),
        contract=random_contract(source),
        vouchers=vouchers,
        plans=plans,
        cards=(card("c-1", str(source.randrange(1, 9)), end="12-20 00"),),
        top_ups=(top_up("11-10 12:30", "3.21"), top_up("12-01 05", "8")),
        voucher_order=source.choice(["earliest-expiry", "largest-balance"]),
    )


@pytest.mark.parametrize("seed", range(120))
def test_every_law_holds_and_split_runs_equal_the_whole_run(seed: int) -> None:
    source = random.Random(seed)
    usage, before = random_usage(source), random_account(source)
    whole = settled(usage, before)
    parts, reached = [], before
    starts = sorted(usage)
    cut = source.randrange(1, len(starts))
    for some in (starts[:cut], starts[cut:]):
        part = settled({start: usage[start] for start in some}, reached)
        parts.append(part)
        reached = reread(afresh(part.closing, 8 * HOUR))
        assert reached == part.closing
    assert reached == whole.closing
    both = [step for part in parts for step in part.settlements]
    assert [step.bill.amounts for step in both] == [step.bill.amounts for step in whole.settlements]
    for step in whole.settlements:
        bill = step.bill
        assert bill.amounts.discount == sum((line.discount for line in bill.lines), Decimal(0))
        assert all(0 <= line.discount <= line.amount for line in bill.lines)
        paid = step.payment.paid + step.payment.outstanding + step.frozen
        assert bill.amounts.list_amount - bill.amounts.discount + bill.amounts.rounding_adjustment == paid
    for statement in whole.statements:
        amounts = statement.statement.amounts
        paid = statement.paid_at_billing + statement.payment.paid + statement.payment.outstanding
        assert amounts.list_amount - amounts.discount + amounts.rounding_adjustment == amounts.payable == paid


def test_hours_that_cost_nothing_are_in_the_statement() -> None:
    free = Discount("d-1", Decimal(100), expires_at=at("03-10 10"))
    contract = Contract((free,), "monthly")
    found = settled(MARCH, account("100", contract=contract), book(PRICE))
    (march,) = found.statements
    assert march.statement.amounts.figures(discounted=True) == {
        "list_amount": Decimal("10.7134"),
        "discount": Decimal("5.3567"),
        "rounding_adjustment": Decimal("-0.0067"),
        "payable": Decimal("5.35"),
    }


def test_a_discount_that_ends_before_the_statement_is_still_shown() -> None:
    of_march = settled(
        {start: MARCH[start] for start in list(MARCH)[:2]}, monthly_account((EIGHT_OF_ALL,)), book(PRICE)
    )
    after = replace(of_march.closing, contract=Contract((), "monthly"))
    (march,) = settled({start: MARCH[start] for start in list(MARCH)[2:]}, after, book(PRICE)).statements
    assert march.statement.amounts.discount == Decimal("0.857072")
    assert month_json(march.statement)["discount"] == Decimal("0.857072")


EIGHT_OF_ALL = Discount("d-1", Decimal(8))


def monthly_account(discounts: tuple[Discount, ...]) -> Account:
    return account("100", contract=Contract(discounts, "monthly"))


def test_months_are_closed_where_whole_months_are_compared() -> None:
    usage = {start: MARCH[start] for start in list(MARCH)[:2]}
    cycles = hours(usage, book(PRICE))
    closed = settle(cycles, monthly_account(()), book(PRICE), close_months=True)
    assert [step.statement.amounts.payable for step in closed.statements] == [Decimal("10.71")]
    assert not settle(cycles, monthly_account(()), book(PRICE)).statements
