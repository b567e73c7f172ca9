"""What plans cover and take: worked numbers, order, scope, rounding."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.laws import BrokenLaw
from mps_bill.core.units import MICROS
from mps_bill.settlement.sources.payment_source import QuantitySource, Uncovered
from mps_bill.settlement.sources.resource_plans import ResourcePlans
from mps_bill.settlement.waterfall import cover as cover_from
from tests.settlement.worlds import at, covered_by, hours, plan, video


def cover(plans, usage, start="11-10 09"):
    (cycle,) = hours({at(start): usage})
    found = covered_by(cycle, *plans)
    return cycle, found


def taken(found):
    return [
        (one.id, Decimal(one.micros) / (60 * MICROS), Decimal(one.units) / MICROS, Decimal(one.remaining) / MICROS)
        for one in found.deductions
    ]


def test_a_plan_of_5000_at_3_covers_1666_66_minutes() -> None:
    _, found = cover([plan(remaining="5000")], video("2000"))
    assert taken(found) == [("rp-1", Decimal("1666.66"), Decimal("4999.98"), Decimal("0.02"))]


def test_a_plan_covers_no_more_than_the_line() -> None:
    _, found = cover([plan(remaining="100")], video("10"))
    assert taken(found) == [("rp-1", 10, 30, 70)]


def test_less_than_a_step_covers_nothing() -> None:
    _, found = cover([plan(remaining="0.02")], video("10"))
    assert taken(found) == []
    assert found.sources[0].plans[0].remaining == 20_000


def test_lines_in_the_order_of_the_sheet_and_each_at_its_coefficient() -> None:
    _, found = cover([plan(remaining="40")], {**video("10", "SD"), **video("10", "HD")})
    assert taken(found) == [("rp-1", 10, 30, 10), ("rp-1", Decimal("6.66"), Decimal("9.99"), Decimal("0.01"))]


def test_regions_and_specs_limit_a_plan() -> None:
    narrow = plan(regions=["cn-beijing"], covers={"video": {"HD": "1"}})
    _, found = cover([narrow], {**video("1"), **video("1", region="cn-beijing"), **video("1", "SD", "cn-beijing")})
    assert [(one.charge, one.micros) for one in found.deductions] == [(0, 60 * MICROS)]


@pytest.mark.parametrize(
    ("start", "end", "covers"),
    [
        ("11-10 09:30", "12-01", True),  # bought inside the cycle: offsets all of it
        ("11-10 09:59", "12-01", True),
        ("11-10 10:00", "12-01", False),  # from the next cycle on
        ("11-01", "11-10 09:00", False),  # expired as the cycle began
        ("11-01", "11-10 09:01", True),
    ],
)
def test_a_plan_offsets_cycles_that_it_overlaps(start: str, end: str, covers: bool) -> None:
    _, found = cover([plan(start=start, end=end)], video("1"))
    assert bool(found.deductions) is covers


def test_order_is_expiry_then_smallest_then_earliest_start_then_id() -> None:
    plans = [
        plan("z", "3", end="12-01"),
        plan("late", "3", end="12-02"),
        plan("small", "1.5", end="12-01"),
        plan("early", "3", start="10-31", end="12-01"),
        plan("soon", "3", end="11-30"),
        plan("a", "3", end="12-01"),
    ]
    _, found = cover(plans, video("10"))
    assert [one.id for one in found.deductions] == ["soon", "small", "early", "a", "z", "late"]
    assert [one.id for one in found.sources[0].plans] == [one.id for one in plans]


def test_a_plan_in_another_unit_of_the_dimension_takes_the_same_time() -> None:
    """At 3 a plan of 2 hours gives 40 minutes, as one of 120 minutes does."""
    _, found = cover([plan(remaining="2", unit="hour")], video("50"))
    assert taken(found) == [("rp-1", 40, 2, 0)]


def test_two_plans_take_what_one_would() -> None:
    """Frames in millionths at 1.5: 1 and 1 millionths take 2 and 1 millionths of the plans, as 2 take 3 of one."""
    covers = {"frames": {"std": "1.5"}}
    usage = {("frames", "std", "cn-shanghai"): "0.000002"}
    _, whole = cover([plan(remaining="1", unit="frame", covers=covers)], usage)
    first = plan("one", "0.000002", unit="frame", covers=covers, end="11-30")
    _, parts = cover([first, plan("two", "1", unit="frame", covers=covers)], usage)
    assert [one.units for one in whole.deductions] == [3]
    assert [(one.id, one.micros, one.units) for one in parts.deductions] == [("one", 1, 2), ("two", 1, 1)]


@given(
    remaining=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    quantities=st.lists(st.integers(1, 30), min_size=1, max_size=3),
    coefficient=st.sampled_from(["0.000001", "0.3", "0.333333", "0.5", "1", "1.5", "3", "7.0000001"]),
)
def test_plans_never_cover_more_than_lines_nor_go_below_zero(remaining, quantities, coefficient) -> None:
    """Millionths of frames against millionths of plans, where every rounding shows."""
    covers = {"frames": {"std": coefficient}}
    plans = [
        plan(f"p{number}", str(Decimal(left).scaleb(-6)), unit="frame", covers=covers, end=f"12-0{number + 1}")
        for number, left in enumerate(remaining)
    ]
    regions = ["cn-beijing", "cn-hangzhou", "cn-shanghai"]
    usage = {
        ("frames", "std", region): str(Decimal(quantity).scaleb(-6))
        for region, quantity in zip(regions, quantities, strict=False)
    }
    cycle, found = cover(plans, usage)
    for charge, covered in zip(cycle.charges, found.covered, strict=True):
        assert 0 <= covered <= charge.micros
    for before, after in zip(plans, found.sources[0].plans, strict=True):
        spent = sum(one.units for one in found.deductions if one.id == before.id)
        assert 0 <= after.remaining == before.remaining - spent
    # All units together are the covered quantity at the coefficient, rounded once.
    exact = Fraction(sum(found.covered)) * Fraction(coefficient)
    assert sum(one.units for one in found.deductions) == (2 * exact.numerator + exact.denominator) // (
        2 * exact.denominator
    )
    # A later plan is used only when what is left of an earlier one covers nothing more.
    if sum(found.covered) < sum(charge.micros for charge in cycle.charges):
        for after in found.sources[0].plans:
            assert Fraction(after.remaining) < Fraction(coefficient)


@pytest.mark.parametrize(
    ("takes", "says"), [(1, None), (None, 1), (2, 1), (-1, -1), (60 * MICROS * 11, 60 * MICROS * 11)]
)
def test_a_source_that_covers_another_quantity_than_it_says_breaks_a_law(takes: int | None, says: int | None) -> None:
    """What it takes from the 10 minutes of the charge must be what its deductions say, and no more than there is."""

    class Liar(QuantitySource):
        def cover(self, uncovered: Uncovered):
            if takes is not None:
                uncovered.left(0)[uncovered.cycle.start] -= takes
            found, _ = ResourcePlans((plan(),)).cover(Uncovered(uncovered.cycle))
            return [replace(found[0], micros=says)] if says is not None else [], self

    (cycle,) = hours({at("11-10 09"): video("10")})
    with pytest.raises(BrokenLaw, match="covers another quantity than it says"):
        cover_from(cycle, (Liar(),))
