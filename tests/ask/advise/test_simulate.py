"""Purchases compared with usage: worked numbers, and that settling with the same plans gives the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.times import DAY
from mps_bill.core.units import MICROS
from mps_bill.settlement.closing import totals
from mps_bill.settlement.settle_cycles import settle
from tests.settlement.worlds import OFFSET, SHEET, account, at, book, bought, hours, packs_of, plan, simulator, video

D = Decimal
REVIEW = {"review": {"porn": "1"}}


def test_5000_units_at_3_cover_1666_66_minutes_of_hd() -> None:
    """2,000 minutes at 0.0651 are 130.20; 1,666.66 are covered, 108.499566 of list amount; 333.34 are left at 21.700434,
    rounded to 21.70. The price is earned by 87 x 4999.98 / 108.499566 = 4009.22 units."""
    (pack,) = packs_of({"5000": "87"})
    sim = simulator(hours({at("11-10 09"): video("2000")}))
    outcome = bought(sim, (pack, 1))
    assert sim.now.payable == D("130.20")
    assert outcome.covered_micros == D("1666.66") * 60 * MICROS
    assert outcome.worth == D("108.499566")
    assert outcome.amounts.payable == D("21.70")
    assert outcome.saving == D("21.50")
    assert outcome.cost == D("108.70")
    assert outcome.unused(pack, 1) == D("0.02") * MICROS
    assert outcome.break_even_units == 4010


def test_break_even_is_at_the_mix_that_is_covered() -> None:
    """SD gives 0.0326 / 1.5 for a unit: 1,000 minutes take 1,500 units for 32.60, so 87 is earned by 4,003.07 units."""
    (pack,) = packs_of({"5000": "87"})
    outcome = bought(simulator(hours({at("11-10 09"): video("1000", "SD")})), (pack, 1))
    assert outcome.worth == D("32.60")
    assert outcome.saving == D("-54.40")
    assert outcome.break_even_units == 4004


def test_a_break_even_that_is_whole_is_not_raised() -> None:
    (pack,) = packs_of({"5000": "6.51"})
    assert bought(simulator(hours({at("11-10 09"): video("2000")})), (pack, 1)).break_even_units == 300


def test_a_purchase_that_covers_nothing_has_no_break_even() -> None:
    (pack,) = packs_of({"5000": "87"}, regions=["cn-beijing"])
    outcome = bought(simulator(hours({at("11-10 09"): video("2000")})), (pack, 1))
    assert (outcome.worth, outcome.saving, outcome.covers, outcome.break_even_units) == (0, -87, (), None)
    assert outcome.unused(pack, 1) == pack.units


def test_units_of_two_types_have_no_common_break_even() -> None:
    video_pack, review_pack = packs_of({"5000": "87"}) + packs_of({"10": "0.5"}, REVIEW, id_="review")
    usage = {at("11-10 09"): {**video("2000"), ("review", "porn", "cn-shanghai"): "20"}}
    both = bought(simulator(hours(usage)), (video_pack, 1), (review_pack, 1))
    assert both.worth == D("108.499566") + 1
    assert both.break_even_units is None
    assert {cover.item: cover.units for cover in both.covers} == {"video": 4_999_980_000, "review": 10_000_000}


def test_packs_hold_from_the_moment_at_which_they_are_bought_until_they_expire() -> None:
    (pack,) = packs_of({"5000": "87"})
    moments = ("11-10 08", "11-10 09", "11-10 10")
    sim = simulator(hours({at(moment): video("1") for moment in moments}), start=at("11-10 09:00"))
    assert bought(sim, (pack, 1)).covered_micros == 2 * 60 * MICROS
    expiring = simulator(hours({at("11-10 08"): video("1")}), start=at("05-10 08"))
    assert bought(expiring, (pack, 1)).covers == ()


def test_covering_a_part_can_make_the_rest_dearer() -> None:
    """200 minutes of review are 14 at 0.07. With 100 covered the other 100 are 10 at 0.1: 100 minutes took off 4."""
    (pack,) = packs_of({"100": "5"}, REVIEW)
    outcome = bought(simulator(hours({at("11-10 09"): {("review", "porn", "cn-shanghai"): "200"}})), (pack, 1))
    assert (outcome.worth, outcome.saving) == (4, -1)


def test_existing_plans_are_not_a_saving() -> None:
    (pack,) = packs_of({"5000": "87"})
    sim = simulator(hours({at("11-10 09"): video("2000")}), plan(remaining="3000"))
    assert sim.now.payable == D("65.10")
    outcome = bought(sim, (pack, 1))
    assert (outcome.worth, outcome.saving) == (D("65.10"), D("-21.90"))


@pytest.mark.parametrize("settlement", ["hourly", "monthly"])
@given(
    quantities=st.lists(st.decimals("0.01", "90", places=2), min_size=1, max_size=4),
    reviewed=st.lists(st.integers(1, 90), min_size=1, max_size=4),
    counts=st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
    held=st.sampled_from(["0", "33.33", "5000"]),
)
def test_an_account_with_these_plans_pays_the_same(settlement, quantities, reviewed, counts, held) -> None:
    prices = book(SHEET.replace("hourly", settlement))
    usage: dict[int, dict[tuple[str, str, str], str]] = {}
    for number, quantity in enumerate(quantities):
        usage.setdefault(at("11-30 21") + number * 3600, {}).update(video(str(quantity)))
    for number, minutes in enumerate(reviewed):
        key = ("review", "porn", "cn-shanghai")
        usage.setdefault(at("11-30 21") + number * 3600, {})[key] = str(minutes)
    cycles = hours(usage, prices)
    packs = packs_of({"10": "1", "100.01": "2"}) + packs_of({"50": "3"}, REVIEW, id_="review")
    purchase = tuple((pack, count) for pack, count in zip(packs, counts, strict=True) if count)
    own = plan(remaining=held, end="12-31")
    outcome = bought(simulator(cycles, own), *purchase)

    plans = [own]
    for pack, count in purchase:
        for number in range(count):
            plans.append(pack.type.plan(f"{pack.type.id} {pack.units} {number}", pack.units, at("11-01"), OFFSET))
    settled = settle(cycles, account("100000", plans=tuple(plans)), prices, at("12-01") + 60 * DAY)
    paid = totals(settled)
    assert outcome.amounts == paid.amounts
    assert sum(cover.units for cover in outcome.covers) == MICROS * sum(
        used for id_, used in paid.units["resource_plan"].items() if id_ != "rp-1"
    )
    assert outcome.price == sum(pack.price * count for pack, count in purchase)
