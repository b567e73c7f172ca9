"""A month settled as a whole remembers the amount paid for each item when its hours were billed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest

from mps_bill.core.diagnostics import InputRejected
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.contract import Contract, VouchersAt
from mps_bill.settlement.account import Account
from mps_bill.settlement.account_writer import afresh, edited
from mps_bill.settlement.closing import closing_rows, totals
from mps_bill.settlement.settle_cycles import Settled, settle
from mps_bill.settlement.sources.money_pots import MoneyPot
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
    reread,
    top_up,
    video,
    voucher,
    vouchers_of,
)

OFFSET = 8 * HOUR
COARSE = SHEET.replace("places: 2", "places: 0")
DECEMBER = at("12-03")
FRAMES = ("frames", "std", "cn-shanghai")
#: 2.604 of video and 2.80 of frames, in two hours.
USAGE: Usage = {at("11-10 11"): {**video("40"), FRAMES: "224"}, at("11-10 12"): {FRAMES: "336"}}
LATE = "12-30 00"


def by_month(pays: VouchersAt) -> Contract:
    return Contract(settlement="monthly", vouchers_at=pays)


def settled(usage: Usage, of: Account, prices: PriceBook | None = None, until: int | None = DECEMBER) -> Settled:
    prices = prices or book()
    found = settle(hours(usage, prices), of, prices, until)
    totals(found)
    closing_rows(found)
    return found


def later(found: Settled, prices: PriceBook | None = None, **parts: object) -> Account:
    """The account after a run, saved and read again, with what a person then changed in it."""
    after = reread(afresh(found.closing, OFFSET), prices)
    assert after == found.closing
    return changed(after, **parts)


def paid(found: Settled) -> list[tuple[str, Decimal]]:
    (statement,) = found.statements
    return [(one.id or one.source, one.amount) for one in statement.payment.deductions]


def billed(*vouchers: MoneyPot, usage: Usage = USAGE) -> Settled:
    """A run of the hours, whose vouchers pay when they are billed; the month is not over."""
    return settled(usage, account("100", contract=by_month("billing"), vouchers=vouchers), until=None)


def test_an_amount_paid_for_an_item_at_billing_is_not_paid_again() -> None:
    first = billed(voucher("v-1", "1.50", items=["frames"], end=LATE))
    assert [step.payment.paid for step in first.settlements] == [Decimal("1.12"), Decimal("0.38")]
    new = voucher("v-2", "5", items=["frames"], end=LATE)
    found = settled({}, later(first, contract=by_month("settlement"), vouchers=(new,)))
    # Of frames 2.80 - 1.50 are unpaid, and the balance pays the rest of 5.40.
    assert paid(found) == [("v-2", Decimal("1.30")), ("balance", Decimal("2.60"))]


def test_vouchers_for_any_item_leave_all_items_to_others() -> None:
    first = billed(voucher("v-1", "1.50", end=LATE))
    new = voucher("v-2", "5", items=["frames"], end=LATE)
    found = settled({}, later(first, contract=by_month("settlement"), vouchers=(new,)))
    assert paid(found) == [("v-2", Decimal("2.80")), ("balance", Decimal("1.10"))]


def test_amounts_paid_belong_to_the_lines_of_their_hour() -> None:
    # The first hour has hardly any frames, so v-1 paid for video in the second, and v-2 pays all of frames.
    usage: Usage = {
        at("11-10 11"): {FRAMES: "0.2"},
        at("11-10 12"): video("40"),
        at("11-10 13"): {FRAMES: "400"},
    }
    both = voucher("v-1", "2.60", items=["frames", "video"], end="11-10 14:30")
    frames = voucher("v-2", "2.00", items=["frames"], start="11-10 14:30", end=LATE)
    first = billed(both, frames, usage=usage)
    assert [[one.id for one in step.payment.deductions] for step in first.settlements] == [[], ["v-1"], ["v-2"]]
    assert first.closing.frozen[0].limited == (("video", Decimal("2.60")), ("frames", Decimal("2.00")))
    new = voucher("v-3", "5", items=["video", "frames"], end=LATE)
    found = settled({}, later(first, contract=by_month("settlement"), vouchers=(new,)))
    assert not found.statements[0].payment.deductions
    assert found.statements[0].statement.amounts.payable == Decimal("4.60")


def test_pots_that_share_items_pay_them_once() -> None:
    both = voucher("v-1", "2.00", items=["frames", "video"], end=LATE)
    first = billed(both)
    assert first.closing.frozen[0].limited == (("video", Decimal("2.00")),)
    new = (
        voucher("v-2", "9", items=["video"], end="12-20 00"),
        voucher("v-3", "9", items=["frames"], end="12-21 00", minimum="2.80"),
        voucher("v-4", "9", items=["frames"], end="12-19 00", minimum="2.81"),
        voucher("v-5", "9", items=["video", "frames"], end="12-22 00"),
    )
    found = settled({}, later(first, contract=by_month("settlement"), vouchers=new))
    # A minimum is measured on all of the month, paid or not.
    assert paid(found) == [("v-2", Decimal("0.60")), ("v-3", Decimal("2.80"))]


def test_each_product_remembers_its_own() -> None:
    other = SHEET.replace("product: mps", "product: vod").replace("id: test-mps", "id: test-vod")
    for item in ("video", "frames", "review", "traffic"):
        other = other.replace(f"  {item}:", f"  other_{item}:")
    prices = book(SHEET, other)
    usage: Usage = {at("11-10 11"): {FRAMES: "224", ("other_frames", "std", "cn-shanghai"): "100"}}
    first_voucher = voucher("v-1", "1.00", items=["frames", "other_frames"], end=LATE)
    before = account("100", contract=by_month("billing"), vouchers=(first_voucher,))
    first = settled(usage, before, prices, until=None)
    new = voucher("v-2", "9", items=["frames", "other_frames"], end=LATE)
    found = settled({}, later(first, prices, contract=by_month("settlement"), vouchers=(new,)), prices)
    took = [step.payment.paid_by("voucher") for step in found.statements]
    assert took == [Decimal("0.12"), Decimal("0.50")]


def test_a_statement_that_rounds_coarser_asks_for_nothing_more_than_was_paid() -> None:
    first = billed(voucher("v-1", "15", end=LATE))
    assert first.closing.frozen[0].paid_at_billing == Decimal("5.40")
    found = settled({}, later(first), book(COARSE))
    (statement,) = found.statements
    # Rounded to 5 it would be below what is paid of it already, which nobody gives back.
    assert statement.statement.amounts.payable == statement.paid_at_billing == Decimal("5.40")
    assert statement.statement.amounts.rounding_adjustment == Decimal("-0.004")
    assert (statement.payment.deductions, statement.payment.outstanding) == ((), 0)
    assert (balance_of(found.closing), found.closing.frozen) == (Decimal("100"), ())


def test_a_statement_that_rounds_coarser_is_rounded_where_less_was_paid() -> None:
    first = billed(voucher("v-1", "4.90", end=LATE))
    found = settled({}, later(first), book(COARSE))
    assert found.statements[0].statement.amounts.payable == Decimal(5)
    assert paid(found) == [("balance", Decimal("0.10"))]


HEAD = "format: mps-bill/account/1\nid: a-1\ncurrency: CNY\nbalance: 100\n"
FROZEN = "frozen:\n  - {product: mps, month: 2023-11, items: {video: 2.604, frames: 2.8}, vouchers: 1.50"
KEPT = f"{HEAD}{FROZEN}, limited_vouchers: {{frames: 1.5}}}}\n"


def test_it_is_read_and_written() -> None:
    found = reread(KEPT)
    assert found.frozen[0].limited == (("frames", Decimal("1.5")),)
    assert edited(KEPT, found, found, OFFSET) == KEPT
    first = billed(voucher("v-1", "1.50", items=["frames"], end=LATE))
    assert f"{FROZEN}, limited_vouchers: {{frames: 1.5}}}}\n" in afresh(first.closing, OFFSET)
    # An older file lacks the key, and a month in which no limited voucher paid needs none.
    old = reread(f"{HEAD}{FROZEN}}}\n")
    assert (old.frozen[0].limited, old.frozen[0].paid_at_billing) == ((), Decimal("1.50"))
    assert "limited_vouchers" not in afresh(old, OFFSET)


@pytest.mark.parametrize(
    ("limited", "place", "message"),
    [
        ("{frames: 1.6}", (6, 115), "limited_vouchers, 1.6, is above vouchers, 1.50"),
        ("{frames: 0.1, video: 2.6041}", (6, 124), "of video vouchers paid 2.6041, which is above its amount, 2.604"),
        ("{review: 1}", (6, 115), "of review vouchers paid 1, which is above its amount, 0"),
    ],
)
def test_more_than_an_item_has_or_vouchers_paid_is_refused(limited: str, place: tuple[int, int], message: str) -> None:
    text = KEPT.replace("{frames: 1.5}", limited)
    with pytest.raises(InputRejected) as rejected:
        reread(text if "video" not in limited else text.replace("vouchers: 1.50", "vouchers: 3"))
    (problem,) = rejected.value.report.shown
    assert (problem.message, (problem.place.line, problem.place.column)) == (message, place)


@pytest.mark.parametrize("wrong", [("2.8}", "2,8}"), ("vouchers: 1.50", "vouchers: 1.505")])
def test_an_invalid_value_is_one_problem(wrong: tuple[str, str]) -> None:
    with pytest.raises(InputRejected) as rejected:
        reread(KEPT.replace(*wrong))
    assert len(rejected.value.report.shown) == 1


ITEMS = ("video", "frames", "review")


def random_vouchers(source: random.Random, name: str) -> tuple[MoneyPot, ...]:
    return tuple(
        voucher(
            f"{name}-{number}",
            str(source.randrange(1, 600) / 100),
            end=source.choice(["11-10 12", "11-20 00", LATE]),
            items=source.choice([None, *(list(some) for size in (1, 2, 3) for some in combinations(ITEMS, size))]),
            minimum=source.choice(["0", "0", "1.50"]),
        )
        for number in range(source.randrange(1, 6))
    )


def random_usage(source: random.Random) -> Usage:
    kinds = [("video", "HD", "cn-shanghai"), ("video", "SD", "cn-beijing"), FRAMES, ("review", "porn", "cn-shanghai")]
    starts = source.sample([at(f"{day} {hour:02}") for day in ("11-10", "11-30") for hour in range(24)], 8)
    return {
        start: {kind: f"{source.randrange(1, 9000) / 100:.2f}" for kind in source.sample(kinds, source.randrange(1, 4))}
        for start in sorted(starts)
    }


def check_items(runs: Sequence[Settled]) -> None:
    """Vouchers limited to some items never pay more than these items cost in the month, whichever items they share."""
    net = dict.fromkeys(ITEMS, Decimal(0))
    taken: list[tuple[frozenset[str], Decimal]] = []
    for found in runs:
        for step in found.settlements:
            for line in step.bill.lines:
                net[line.item.code] += line.net
        for each in (*found.settlements, *found.statements):
            taken += [(one.items, one.amount) for one in each.payment.deductions if one.items is not None]
    for size in (1, 2, 3):
        for some in combinations(ITEMS, size):
            amounts = [amount for items, amount in taken if items <= set(some)]
            assert sum(amounts) <= sum(net[item] for item in some)


@pytest.mark.parametrize("seed", range(150))
def test_items_are_paid_once_in_a_month_continued_under_another_contract(seed: int) -> None:
    source = random.Random(seed)
    usage = random_usage(source)
    starts = sorted(usage)
    cut = source.randrange(1, len(starts))
    times: list[VouchersAt] = ["billing", source.choice(["billing", "settlement"]), "settlement"]
    reached = changed(
        account(str(source.randrange(4)), credit=str(source.randrange(3))),
        vouchers=random_vouchers(source, "v"),
        cards=(card("c-1", str(source.randrange(1, 5)), end=LATE),),
        top_ups=(top_up("11-10 12:30", "0.21"), top_up("12-01 05", "2")),
    )
    runs = []
    parts = (starts[:cut], starts[cut:], [])
    for number, (some, pays) in enumerate(zip(parts, times, strict=True)):
        prices = book(source.choice([SHEET, COARSE]))
        more = random_vouchers(source, f"w{number}")
        reached = changed(reached, contract=by_month(pays), vouchers=(*vouchers_of(reached), *more))
        found = settled({start: usage[start] for start in some}, reached, prices, None if some else DECEMBER)
        runs.append(found)
        reached = reread(afresh(found.closing, OFFSET))
        assert reached == found.closing
    check_items(runs)
    (statement,) = (one for found in runs for one in found.statements)
    amounts = statement.statement.amounts
    assert amounts.payable == statement.paid_at_billing + statement.payment.paid + statement.payment.outstanding
    assert amounts.payable >= statement.paid_at_billing


@pytest.mark.parametrize("seed", range(40))
def test_a_month_saved_in_the_middle_is_that_of_one_run(seed: int) -> None:
    source = random.Random(seed)
    usage = random_usage(source)
    before = changed(
        account("3", credit="2", contract=by_month("billing")),
        vouchers=random_vouchers(source, "v"),
        top_ups=(top_up("11-10 12:30", "0.21"),),
    )
    whole, reached = settled(usage, before), before
    for number, start in enumerate(usage, 1):
        last = number == len(usage)
        part = settled({start: usage[start]}, reached, until=DECEMBER if last else None)
        reached = reread(afresh(part.closing, OFFSET))
    assert reached == whole.closing
    assert replace(part.statements[0], statement=whole.statements[0].statement) == whole.statements[0]
