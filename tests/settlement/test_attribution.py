"""What paid each line of a bill adds up to what paid the bill, and a limited voucher pays its items alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.laws import BrokenLaw
from mps_bill.core.times import HOUR
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.contract import Contract, Discount
from mps_bill.settlement.account import Account
from mps_bill.settlement.attribution import paid_by_line, paid_of
from mps_bill.settlement.settle_cycles import settle
from mps_bill.settlement.sources.money_pots import MoneyPot
from mps_bill.settlement.sources.payment_source import take_from_lines
from mps_bill.settlement.sources.vouchers import Vouchers
from tests.settlement.added_sources.grants import Grants
from tests.settlement.worlds import SHEET, account, at, book, card, hours, plan, voucher

START = at("11-10 09")
LINES = (
    ("video", "HD", "cn-shanghai"), ("video", "SD", "cn-shanghai"), ("frames", "std", "cn-shanghai"),
    ("frames", "std", "cn-beijing"), ("review", "porn", "cn-beijing"),
)  # fmt: skip
#: Many records of a few frames; a frame costs half a cent.
AMOUNTS = st.one_of(st.integers(1, 3), st.integers(1, 900)).map(str)
QUANTITIES = st.dictionaries(st.sampled_from(LINES), AMOUNTS, min_size=1)
MONEY = st.one_of(st.integers(0, 9), st.integers(0, 4000)).map(lambda cents: str(Decimal(cents) / 100))


#: Sheets whose bills are rounded down to cents, up to cents, half up to whole money, and up to whole money.
ROUNDINGS = ("{places: 2, mode: down}", "{places: 2, mode: up}", "{places: 0, mode: half-up}", "{places: 0, mode: up}")
CODES = st.one_of(st.none(), st.sets(st.sampled_from(["video", "frames", "review"]), min_size=1).map(sorted))
POTS = st.lists(st.tuples(MONEY, CODES, st.sampled_from(["11-20 00", "11-25 00"])), max_size=4)


def pots(kind: str, drawn: list[tuple[str, list[str] | None, str]]) -> tuple[MoneyPot, ...]:
    return tuple(voucher(f"{kind}-{n}", money, items=items, end=end) for n, (money, items, end) in enumerate(drawn))


class Campaigns(Grants):
    __slots__ = ()
    name = "campaign"


@given(
    st.lists(QUANTITIES, min_size=1, max_size=3),
    st.sampled_from(ROUNDINGS),
    st.booleans(),
    st.tuples(POTS, POTS, POTS),
    st.tuples(MONEY, MONEY),
    st.sampled_from(["0", "10", "33.3333", "99.99"]),
)
def test_no_line_is_paid_more_than_its_net_whatever_paid_in_whatever_order(
    usage: list[dict[tuple[str, str, str], str]],
    rounding: str,
    is_monthly: bool,
    drawn: tuple[list[Any], list[Any], list[Any]],
    rest: tuple[str, str],
    percent: str,
) -> None:
    first, second, last = drawn
    prices = book(SHEET.replace("{places: 2, mode: down}", rounding))
    payer = account(rest[1], vouchers=pots("v", second), cards=(card(remaining=rest[0]),), plans=(plan(remaining="5"),))
    payer = payer.with_sources((Campaigns(pots("c", first)), *payer.sources, Grants(pots("g", last))))
    discounts = (Discount("d-1", Decimal(percent), frozenset({"video", "frames"})),)
    payer = replace(payer, contract=Contract(discounts, "monthly" if is_monthly else "hourly", vouchers_at="billing"))
    settled = settle(hours({START + n * HOUR: one for n, one in enumerate(usage)}, prices), payer, prices)
    for settlement in settled.settlements:
        *by_line, beyond = paid_by_line(settlement)
        amounts = settlement.bill.amounts
        total: dict[str, Decimal] = {}
        for paid in (*by_line, beyond):
            for source, amount in paid.items():
                assert amount > 0
                total[source] = total.get(source, Decimal(0)) + amount
        assert total == dict(paid_of(settlement))
        assert sum(total.values(), Decimal(0)) == amounts.payable
        assert sum(beyond.values(), Decimal(0)) == max(amounts.rounding_adjustment, Decimal(0))
        for line, paid in zip(settlement.bill.lines, by_line, strict=True):
            assert sum(paid.values(), Decimal(0)) <= line.net
        for item in ("video", "frames", "review"):
            of_item = (
                paid for line, paid in zip(settlement.bill.lines, by_line, strict=True) if line.item.code == item
            )
            for source in ("campaign", "voucher", "grant"):
                could = [one for one in settlement.payment.deductions if one.source == source]
                could = [one for one in could if one.items is None or item in one.items]
                assert sum(paid.get(source, 0) for paid in of_item) <= sum(one.amount for one in could)


TWO_LINES = {START: {("video", "HD", "cn-shanghai"): "40", ("review", "porn", "cn-beijing"): "11"}}


def by_line_of(payer: Account, prices: PriceBook | None = None) -> list[dict[str, Decimal]]:
    """What paid 2.604 of video and 1.10 of review, and behind them what is of no line."""
    (settlement,) = settle(hours(TWO_LINES, prices or book()), payer, prices or book()).settlements
    return [dict(paid) for paid in paid_by_line(settlement)]


def test_a_voucher_for_several_items_is_on_the_lines_that_it_took() -> None:
    both = voucher("v-1", "1", items=["video", "review"])
    payer = account("10", vouchers=(both, voucher("v-2", "5", items=["review"], end="12-30 00")))
    assert by_line_of(payer) == [
        {"voucher": Decimal("1"), "balance": Decimal("1.60")},
        {"voucher": Decimal("1.10")},
        {},
    ]


def test_money_for_anything_leaves_the_lines_of_limited_money_that_pays_later() -> None:
    payer = account("0.50", vouchers=(voucher("v-1", "1.50", items=["review"]),))
    payer = payer.with_sources((Campaigns((voucher("k-1", "2"),)), *payer.sources))
    assert by_line_of(payer) == [
        {"campaign": Decimal("2"), "balance": Decimal("0.50"), "outstanding": Decimal("0.10")},
        {"voucher": Decimal("1.10")},
        {},
    ]


def test_the_amount_of_rounding_up_belongs_to_no_line() -> None:
    prices = book(SHEET.replace("{places: 2, mode: down}", "{places: 0, mode: up}"))
    payer = account("10", vouchers=(voucher("v-1", "3"),))
    *lines, beyond = by_line_of(payer, prices)
    assert [sum(paid.values()) for paid in lines] == [Decimal("2.604"), Decimal("1.10")]
    assert beyond == {"balance": Decimal("0.296")}


def test_a_source_that_pays_more_than_the_lines_of_its_items_breaks_a_law() -> None:
    with pytest.raises(BrokenLaw, match="money limited to items pays more than their lines"):
        take_from_lines(["video", "review"], [100, 50], ["review"], 51)


def test_a_voucher_limited_to_items_is_on_their_lines_alone() -> None:
    prices = book()
    usage = {START: {("video", "HD", "cn-shanghai"): "100", ("review", "porn", "cn-beijing"): "65"}}
    payer = account("0", vouchers=(voucher("v-1", "4", items=["review"]),), cards=(card(remaining="100"),))
    (settlement,) = settle(hours(usage, prices), payer, prices).settlements
    # 100 x 0.0651 and 65 x 0.1; the voucher pays 4 of the review, and the card the rest in proportion to what is unpaid.
    assert settlement.bill.amounts.payable == Decimal("13.01")
    assert [dict(paid) for paid in paid_by_line(settlement)] == [
        {"stored_value_card": Decimal("6.51")},
        {"voucher": Decimal("4"), "stored_value_card": Decimal("2.50")},
        {},
    ]


def granted(payer: Account, amount: str, items: list[str]) -> Account:
    """The account with a grant for some items, which pays before all that it has."""
    return payer.with_sources((Grants((voucher("g-1", amount, items=items),)), *payer.sources))


def test_money_limited_to_items_is_on_their_lines_whatever_source_it_is_of() -> None:
    prices = book()
    usage = {START: {("video", "HD", "cn-shanghai"): "100", ("review", "porn", "cn-beijing"): "65"}}
    payer = granted(account("100"), "4", ["review"])
    (settlement,) = settle(hours(usage, prices), payer, prices).settlements
    assert [dict(paid) for paid in paid_by_line(settlement)] == [
        {"balance": Decimal("6.51")},
        {"grant": Decimal("4"), "balance": Decimal("2.50")},
        {},
    ]


def test_two_sources_limited_to_an_item_pay_no_more_than_its_lines() -> None:
    prices = book()
    usage = {START: {("video", "HD", "cn-shanghai"): "100", ("review", "porn", "cn-beijing"): "65"}}
    payer = granted(account("100", vouchers=(voucher("v-1", "9", items=["review"]),)), "4", ["review"])
    (settlement,) = settle(hours(usage, prices), payer, prices).settlements
    # The review costs 6.50; the grant has paid 4 of it.
    assert [(one.source, one.amount) for one in settlement.payment.deductions] == [
        ("grant", Decimal("4")), ("voucher", Decimal("2.50")), ("balance", Decimal("6.51")),
    ]  # fmt: skip


class EarlyVouchers(Vouchers):
    __slots__ = ()


def test_an_account_returns_its_vouchers_and_not_a_subclass() -> None:
    payer = account("0", vouchers=(voucher("v-1", "4"),))
    payer = payer.with_sources((EarlyVouchers(), *payer.sources))
    assert [one.id for one in payer.of(Vouchers).pots] == ["v-1"]
