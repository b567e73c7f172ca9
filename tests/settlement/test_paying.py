"""The waterfall: which source pays what, in which order, to the cent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.decimals import round_money
from mps_bill.settlement.account import Account
from mps_bill.settlement.sources.credit_line import CreditLine
from mps_bill.settlement.sources.money_pots import MoneyPot
from mps_bill.settlement.sources.payment_source import Due
from mps_bill.settlement.sources.stored_value_cards import StoredValueCards
from mps_bill.settlement.sources.vouchers import Vouchers
from mps_bill.settlement.waterfall import pay, receive
from tests.settlement.worlds import (
    VALID_AT_NOON,
    account,
    at,
    balance_of,
    card,
    cards_of,
    changed,
    taken_from,
    top_up,
    voucher,
    vouchers_of,
)

LINES = (("video", Decimal("0.651")), ("frames", Decimal("0.655")), ("review", Decimal("0.0049")))
NOON = at("11-10 12")


def take(vouchers, lines=LINES, payable=None, order="earliest-expiry"):
    if payable is None:
        payable = round_money(sum(amount for _, amount in lines), 2, "down")
    return taken_from(vouchers, lines, payable, order)


def test_a_limited_voucher_pays_its_lines_rounded_down() -> None:
    assert take([voucher(items=["video"])]) == [("v-1", Decimal("0.65"))]
    assert take([voucher(items=["video", "frames"])]) == [("v-1", Decimal("1.30"))]
    assert take([voucher(items=["review"])]) == []


def test_less_what_other_vouchers_took_from_those_lines() -> None:
    found = take([voucher("a", "0.40", items=["video"]), voucher("b", "5", items=["video"])])
    assert found == [("a", Decimal("0.40")), ("b", Decimal("0.25"))]


def test_overlapping_limits_take_from_lines_in_the_order_of_the_bill() -> None:
    wide = voucher("a", "0.70", items=["video", "frames"])
    found = take([wide, voucher("b", "5", items=["frames"], end="12-02")])
    # "a" takes all of video (0.651) and 0.049 of frames; of frames, rounded down to 0.65, 0.601 is then left.
    assert found == [("a", Decimal("0.70")), ("b", Decimal("0.60"))]


@pytest.mark.parametrize(("minimum", "pays"), [("0.65", True), ("0.66", False)])
def test_the_minimum_of_a_limited_voucher_is_measured_on_its_lines(minimum: str, pays: bool) -> None:
    assert bool(take([voucher(items=["video"], minimum=minimum)])) is pays


@pytest.mark.parametrize(("minimum", "pays"), [("1.31", True), ("1.32", False)])
def test_the_minimum_of_an_unlimited_voucher_is_measured_on_the_payable(minimum: str, pays: bool) -> None:
    """The lines add up to 1.3109, the payable is 1.31."""
    assert bool(take([voucher(minimum=minimum)])) is pays


def test_the_minimum_counts_what_other_vouchers_have_paid() -> None:
    found = take([voucher("a", "1", items=["video", "frames"]), voucher("b", minimum="1.31")])
    assert found == [("a", Decimal("1")), ("b", Decimal("0.31"))]


@pytest.mark.parametrize(("start", "end", "pays"), VALID_AT_NOON)
def test_validity_is_half_open_at_the_issue_time(start: str, end: str, pays: bool) -> None:
    assert bool(take([voucher(start=start, end=end)])) is pays


def test_earliest_expiry_then_smallest_then_earliest_start_then_id() -> None:
    vouchers = [
        voucher("z", "0.10"),
        voucher("a", "0.10"),
        voucher("early", "0.10", start="10-31"),
        voucher("small", "0.09"),
        voucher("soon", "0.50", end="11-30"),
        voucher("limited", "0.20", end="12-05", items=["video"]),
    ]
    assert [id_ for id_, _ in take(vouchers)] == ["limited", "soon", "small", "early", "a", "z"]


def test_largest_balance_then_earliest_expiry_then_earliest_start_then_id() -> None:
    vouchers = [
        voucher("z", "0.10"),
        voucher("a", "0.10"),
        voucher("early", "0.10", start="10-31"),
        voucher("soon", "0.10", end="11-30"),
        voucher("large", "0.50", end="12-05"),
        voucher("limited", "0.05", items=["video"]),
    ]
    found = take(vouchers, order="largest-balance")
    assert [id_ for id_, _ in found] == ["limited", "large", "soon", "early", "a", "z"]


def due(payable: str, when: int = NOON) -> Due:
    return Due("mps", when - 7200, None, when, when, lambda: (("video", Decimal(payable)),), Decimal(payable))


def test_vouchers_then_cards_then_balance_then_credit_then_outstanding() -> None:
    payer = account(
        "3", credit="4", vouchers=(voucher(remaining="1"),), cards=(card("late", "5", end="12-02"), card("soon", "2"))
    )
    payment, after = pay(due("20"), payer)
    assert [(one.source, one.id, one.amount, one.remaining) for one in payment.deductions] == [
        ("voucher", "v-1", 1, 0),
        ("stored_value_card", "soon", 2, 0),
        ("stored_value_card", "late", 5, 0),
        ("balance", None, 3, 0),
        ("credit_line", None, 4, 0),
    ]
    assert payment.outstanding == 5
    assert (balance_of(after), after.of(CreditLine).used, after.owed, after.available_credit) == (0, 4, 5, -5)


def test_a_card_that_is_not_valid_at_the_issue_time_does_not_pay() -> None:
    payment, after = pay(
        due("1"), account("5", cards=(card("gone", end="11-10 12:00"), card("next", start="11-10 13:00")))
    )
    assert [(one.source, one.amount) for one in payment.deductions] == [("balance", 1)]
    assert [one.remaining for one in cards_of(after)] == [10, 10]


def test_a_top_up_repays_the_oldest_first_then_credit_then_is_balance() -> None:
    payer = account(credit="2")
    _, payer = pay(due("5"), payer)
    _, payer = pay(due("4", NOON + 3600), payer)
    assert [debt.amount for debt in payer.outstanding] == [3, 4]
    arrival, payer = receive(top_up("11-10 14", "5"), payer)
    assert [(debt.issued_at, part) for debt, part in arrival.repaid] == [(NOON, 3), (NOON + 3600, 2)]
    assert [debt.amount for debt in payer.outstanding] == [2]
    arrival, payer = receive(top_up("11-10 15", "10"), payer)
    assert arrival.taken_in == {"credit_restored": 2, "to_balance": 6}
    assert (balance_of(payer), payer.of(CreditLine).used, payer.outstanding) == (6, 0, ())


#: Amounts whose sums lie dense around half a cent and a cent.
near_cents = st.integers(0, 60).map(lambda units: Decimal(units) * Decimal("0.0025") + Decimal("0.0049999999"))
cents = st.integers(0, 40).map(lambda units: Decimal(units).scaleb(-2))
items = st.sampled_from([None, ("video",), ("frames",), ("review",), ("video", "frames"), ("frames", "review")])


@st.composite
def payers(draw: st.DrawFn) -> Account:
    vouchers = tuple(
        replace(
            voucher(
                f"v-{number}",
                str(draw(cents)),
                end=draw(st.sampled_from(["11-10 12:00", "11-30", "12-01"])),
                items=draw(items),
            ),
            minimum_amount=draw(st.sampled_from([Decimal(0), Decimal("0.05"), Decimal("0.10")])),
        )
        for number in range(draw(st.integers(0, 4)))
    )
    cards = tuple(card(f"c-{number}", str(draw(cents))) for number in range(draw(st.integers(0, 2))))
    order = draw(st.sampled_from(["earliest-expiry", "largest-balance"]))
    return account(str(draw(cents)), credit=str(draw(cents)), vouchers=vouchers, cards=cards, voucher_order=order)


@given(
    payer=payers(),
    bills=st.lists(
        st.tuples(st.sampled_from([NOON - 7200, NOON, at("11-30"), at("12-01")]), near_cents, near_cents), max_size=6
    ),
)
def test_the_order_kept_from_bill_to_bill_equals_a_fresh_one(
    payer: Account, bills: list[tuple[int, Decimal, Decimal]]
) -> None:
    """Vouchers and cards that have paid before pay what equal ones pay that have never paid, whatever the time."""
    for source in (payer.of(Vouchers), payer.of(StoredValueCards)):
        for paid_at, video, frames in bills:
            lines = (("video", video), ("frames", frames))
            payable = round_money(video + frames, 2, "down")
            due = Due("mps", NOON - 7200, None, NOON, paid_at, lambda lines=lines: lines, payable)
            fresh = replace(source, _queue=None)
            taken, source = source.pay(due, payable)
            assert (list(taken), source) == (list(fresh.pay(due, payable)[0]), fresh.pay(due, payable)[1])


def test_a_bill_looks_at_the_vouchers_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    usable = MoneyPot.usable
    monkeypatch.setattr(MoneyPot, "usable", lambda one, moment: (asked.append(one.id), usable(one, moment))[1])
    source = Vouchers(tuple(voucher(f"v-{number:03}", "1") for number in range(500)))
    for _ in range(250):
        due = Due("mps", NOON - 7200, None, NOON, NOON, lambda: (("video", Decimal("0.5")),), Decimal("0.5"))
        _, source = source.pay(due, due.payable)
    assert sum(pot.remaining for pot in source.pots) == 375
    assert len(asked) == 250


@given(payer=payers(), amounts=st.tuples(near_cents, near_cents, near_cents))
def test_law_what_is_due_is_paid_to_the_cent_and_nothing_is_below_zero(
    payer: Account, amounts: tuple[Decimal, ...]
) -> None:
    lines = tuple(zip(("video", "frames", "review"), amounts, strict=True))
    payable = round_money(sum(amounts, Decimal(0)), 2, "down")
    payment, after = pay(Due("mps", NOON - 7200, None, NOON, NOON, lambda: lines, payable), payer)
    after.check()
    assert sum((one.amount for one in payment.deductions), payment.outstanding) == payable
    if payment.outstanding:
        assert not balance_of(after)
        assert after.of(CreditLine).used == after.of(CreditLine).limit
    by_id = {one.id: one for one in vouchers_of(payer)}
    taken = [(by_id[one.id], one.amount) for one in payment.deductions if one.source == "voucher"]
    # Vouchers that are limited to the same lines, or to fewer, never pay more than these lines together.
    for scope in ({"video"}, {"frames"}, {"review"}, {"video", "frames"}, {"frames", "review"}):
        inside = sum((amount for one, amount in taken if one.items is not None and one.items <= scope), Decimal(0))
        assert inside <= round_money(sum(amount for item, amount in lines if item in scope), 2, "down")


@given(payer=payers(), amounts=st.tuples(near_cents, near_cents, near_cents), data=st.data())
def test_the_order_of_vouchers_and_cards_in_the_file_does_not_matter(
    payer: Account, amounts: tuple[Decimal, ...], data: st.DataObject
) -> None:
    lines = tuple(zip(("video", "frames", "review"), amounts, strict=True))
    payable = round_money(sum(amounts, Decimal(0)), 2, "down")
    shuffled = changed(
        payer,
        vouchers=tuple(data.draw(st.permutations(vouchers_of(payer)))),
        cards=tuple(data.draw(st.permutations(cards_of(payer)))),
    )
    one = Due("mps", NOON - 7200, None, NOON, NOON, lambda: lines, payable)
    assert pay(one, payer)[0] == pay(one, shuffled)[0]
