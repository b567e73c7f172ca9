"""What paid each line of a bill adds up to what paid the bill, and a limited voucher pays its items alone."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.times import HOUR
from mps_bill.settlement.account import Account
from mps_bill.settlement.attribution import paid_by_line, paid_of
from mps_bill.settlement.settle_cycles import settle
from mps_bill.settlement.sources.vouchers import Vouchers
from tests.settlement.added_sources.grants import Grants
from tests.settlement.worlds import account, at, book, card, hours, plan, voucher

START = at("11-10 09")
ITEMS = {("video", "HD", "cn-shanghai"), ("frames", "std", "cn-shanghai"), ("review", "porn", "cn-beijing")}
QUANTITIES = st.dictionaries(st.sampled_from(sorted(ITEMS)), st.integers(1, 900).map(str), min_size=1)
MONEY = st.integers(0, 4000).map(lambda cents: str(Decimal(cents) / 100))


@given(st.lists(QUANTITIES, min_size=1, max_size=4), MONEY, MONEY, MONEY, MONEY)
def test_the_lines_of_a_bill_are_paid_what_the_bill_is(
    usage: list[dict[tuple[str, str, str], str]], limited: str, free: str, on_card: str, balance: str
) -> None:
    payer = account(
        balance,
        credit="5",
        plans=(plan(remaining="50"),),
        vouchers=(voucher("v-1", limited, items=["video"]), voucher("v-2", free)),
        cards=(card(remaining=on_card),),
    )
    prices = book()
    settled = settle(hours({START + n * HOUR: one for n, one in enumerate(usage)}, prices), payer, prices)
    for settlement in settled.settlements:
        by_line = paid_by_line(settlement)
        total: dict[str, Decimal] = {}
        for paid in by_line:
            for source, amount in paid.items():
                assert amount > 0
                total[source] = total.get(source, Decimal(0)) + amount
        assert total == dict(paid_of(settlement))
        assert sum(total.values(), Decimal(0)) == settlement.bill.amounts.payable
        for line, paid in zip(settlement.bill.lines, by_line, strict=True):
            assert sum(paid.values(), Decimal(0)) <= line.net


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
    ]


def test_two_sources_limited_to_an_item_pay_no_more_than_its_lines() -> None:
    prices = book()
    usage = {START: {("video", "HD", "cn-shanghai"): "100", ("review", "porn", "cn-beijing"): "65"}}
    payer = granted(account("100", vouchers=(voucher("v-1", "9", items=["review"]),)), "4", ["review"])
    (settlement,) = settle(hours(usage, prices), payer, prices).settlements
    # 6.50 of the review, of which the grant has paid 4.
    assert [(one.source, one.amount) for one in settlement.payment.deductions] == [
        ("grant", Decimal("4")), ("voucher", Decimal("2.50")), ("balance", Decimal("6.51")),
    ]  # fmt: skip


class EarlyVouchers(Vouchers):
    __slots__ = ()


def test_an_account_has_a_source_itself_and_not_one_that_is_made_of_it() -> None:
    payer = account("0", vouchers=(voucher("v-1", "4"),))
    payer = payer.with_sources((EarlyVouchers(), *payer.sources))
    assert [one.id for one in payer.of(Vouchers).pots] == ["v-1"]
