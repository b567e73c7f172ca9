"""The best purchase: against every purchase there is, and that no bound is ever too low."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.ask.advise.bounds import bounds
from mps_bill.ask.advise.packs import Validity, price_of, units_of
from mps_bill.ask.advise.search import best_purchase
from mps_bill.core.decimals import EXACT
from tests.settlement.worlds import SHEET, at, book, bought, hours, packs_of, plan, simulator, sizes_of, video

REVIEW = {"review": {"porn": "1"}}
TRAFFIC = {"traffic": {"out": "1"}}
#: Prices that fall with the quantity, as published; and that rise, so that covering a part makes the rest cheaper.
FALLING = SHEET
RISING = SHEET.replace("{100: 0.1, rest: 0.07}", "{100: 0.07, rest: 0.1}").replace(
    "10: 0.5, 20: 0.25", "10: 0.1, 20: 0.3"
)


def test_three_of_20000_beat_one_of_100000_for_60000() -> None:
    """3 x 304 = 912 for 1,302 of list amount; 20,000 minutes at 3 are 60,000 units."""
    packs = packs_of({"5000": "87", "20000": "304", "100000": "1302"})
    sim = simulator(hours({at("11-10 09"): video("20000")}))
    found = best_purchase(sim, packs)
    # Each pack of 20,000 covers 6,666.66 minutes; the 0.02 that are left over cost less than a cent.
    assert sizes_of(found.best.purchase) == [("video", 20000, 3)]
    assert found.best.amounts.payable == 0
    assert found.best.saving == Decimal("390.00")
    assert found.gap == 0


def test_one_large_pack_beats_what_it_leaves_unused() -> None:
    """4 x 304 + 2 x 87 = 1,390 for 90,000 units and 100,000 for 1,302: the larger is cheaper though 10,000 expire."""
    packs = packs_of({"5000": "87", "20000": "304", "100000": "1302"})
    found = best_purchase(simulator(hours({at("11-10 09"): video("30000")})), packs)
    assert sizes_of(found.best.purchase) == [("video", 100000, 1)]
    assert found.best.saving == Decimal("651.00")


def test_nothing_is_bought_that_only_earns_its_price() -> None:
    """1,000 minutes of HD take 3,000 units, 65.10 of list amount."""
    sim = simulator(hours({at("11-10 09"): video("1000")}))
    assert best_purchase(sim, packs_of({"3000": "65.10"})).best.purchase == ()
    assert sizes_of(best_purchase(sim, packs_of({"3000": "65.09"})).best.purchase) == [("video", 3000, 1)]


def test_types_are_bought_together() -> None:
    packs = packs_of({"3000": "60"}) + packs_of({"100": "5"}, REVIEW, id_="review")
    usage = {at("11-10 09"): {**video("1000"), ("review", "porn", "cn-shanghai"): "100"}}
    found = best_purchase(simulator(hours(usage)), packs)
    assert sizes_of(found.best.purchase) == [("video", 3000, 1), ("review", 100, 1)]
    assert found.best.saving == Decimal("10.10")


def test_no_usage_needs_no_packs() -> None:
    found = best_purchase(simulator(()), packs_of({"5000": "87"}))
    assert (found.best.purchase, found.settled, found.gap) == ((), 0, 0)


def test_a_search_that_is_cut_short_says_what_may_be_missed() -> None:
    packs = packs_of({"5000": "87", "20000": "304"})
    sim = simulator(hours({at("11-10 09"): video("20000")}))
    best = best_purchase(sim, packs).best.saving
    for limits in ({"max_settled": 0}, {"max_steps": 3}):
        found = best_purchase(sim, packs, **limits)
        assert found.gap > 0
        assert found.best.saving + found.gap >= best


def test_a_purchase_tried_before_need_not_be_found_again() -> None:
    packs = packs_of({"20000": "304"})
    sim = simulator(hours({at("11-10 09"): video("20000")}))
    tried = bought(sim, (packs[0], 3))
    assert best_purchase(sim, packs, [tried]).best is tried


WORLDS = st.fixed_dictionaries(
    {
        "sheet": st.sampled_from([FALLING, RISING]),
        "settlement": st.sampled_from(["hourly", "monthly"]),
        "rounding": st.sampled_from(["down", "half-up", "up"]),
        "video": st.lists(st.tuples(st.sampled_from(["HD", "SD"]), st.decimals("0.01", "40", places=2)), max_size=4),
        "review": st.lists(st.integers(1, 90), max_size=4),
        "traffic": st.lists(st.decimals("0.01", "15", places=2), max_size=4),
        "held": st.sampled_from([None, "20", "400"]),
        "held_until": st.sampled_from(["11-30 23", "12-01 02"]),
        "valid_days": st.sampled_from([30, 31]),
        "prices": st.lists(st.decimals("0.20", "4", places=2), min_size=4, max_size=4),
    }
)


def world(drawn):
    """A simulator, and packs with prices near what they are worth."""
    text = drawn["sheet"].replace("hourly", drawn["settlement"])
    prices = book(text.replace("mode: down", f"mode: {drawn['rounding']}"))
    usage = {}
    start = at("11-30 22")
    for number, (spec, quantity) in enumerate(drawn["video"]):
        usage.setdefault(start + number * 3600, {})["video", spec, "cn-shanghai"] = str(quantity)
    for number, minutes in enumerate(drawn["review"]):
        usage.setdefault(start + number * 3600, {})["review", "porn", "cn-shanghai"] = str(minutes)
    for number, quantity in enumerate(drawn["traffic"]):
        usage.setdefault(start + number * 3600, {})["traffic", "out", "cn-shanghai"] = str(quantity)
    plans = []
    if drawn["held"]:
        both = {"video": {"HD": "1", "SD": "1"}, "review": {"porn": "2"}}
        plans.append(plan(remaining=drawn["held"], covers=both, end=drawn["held_until"]))
    valid = Validity(drawn["valid_days"], "day")
    first, second, third, fourth = map(str, drawn["prices"])
    packs = packs_of({"20": first, "70": second}, valid_for=valid)
    packs += packs_of({"50": third}, REVIEW, id_="review", valid_for=valid)
    packs += packs_of({"8": fourth}, TRAFFIC, id_="traffic", unit="GB", valid_for=valid)
    return simulator(hours(usage, prices), *plans), packs


@given(drawn=WORLDS)
def test_no_purchase_saves_more_than_its_bound_nor_than_the_best(drawn) -> None:
    """Against every purchase of up to two of each pack: hours around the end of a month, in which packs expire. Where prices
    rise with the quantity the bounds are too wide to end every search, which then says what it may miss."""
    with decimal.localcontext(EXACT):
        sim, packs = world(drawn)
        limits = bounds(sim, tuple(dict.fromkeys(pack.type for pack in packs)))
        found = best_purchase(sim, packs)
        if drawn["sheet"] == FALLING:
            assert found.gap == 0
        for counts in product(range(3), repeat=len(packs)):
            purchase = tuple((pack, count) for pack, count in zip(packs, counts, strict=True) if count)
            outcome = bought(sim, *purchase)
            bound = limits.saving(units_of(purchase), price_of(purchase), {})
            assert Fraction(outcome.saving) <= bound, (counts, outcome.saving, float(bound))
            assert outcome.saving <= found.best.saving + found.gap, (counts, sizes_of(found.best.purchase))


@pytest.mark.parametrize("count", [1, 5])
def test_a_bound_with_more_to_come_is_not_lower(count: int) -> None:
    packs = packs_of({"20": "0.3", "70": "0.7"})
    sim = simulator(hours({at("11-10 09"): video("100")}))
    limits = bounds(sim, (packs[0].type,))
    purchase = ((packs[0], count),)
    more = {packs[0].type: Fraction(1, 100) / 1_000_000}
    now = limits.saving(units_of(purchase), price_of(purchase), {})
    assert limits.saving(units_of(purchase), price_of(purchase), more) > now
