"""Resource plans take quantity from the lines of a bill before prices apply.

Covered quantities are micros of the item's dimension; a plan's units are millionths of its unit. How many units a covered
quantity takes is in general a fraction, so all of it is done on whole numbers with one division.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from mps_bill.core.decimals import divide
from mps_bill.core.laws import law
from mps_bill.rating.bills import Cycle
from mps_bill.rating.lines import Charge
from mps_bill.settlement.account import ResourcePlan


@dataclass(frozen=True, slots=True)
class PlanDeduction:
    """What a plan took: `micros` of a charge covered by `units` of the plan, of which `remaining` are left then.

    `charge` is the number of the charge in its cycle.
    """

    plan: ResourcePlan
    charge: int
    micros: int
    units: int
    remaining: int


@dataclass(frozen=True, slots=True)
class PlanCover:
    """`covered` micros charge by charge, how they were covered, and the plans after it."""

    covered: tuple[int, ...]
    deductions: tuple[PlanDeduction, ...]
    plans: tuple[ResourcePlan, ...]


def take_from_plans(cycle: Cycle, plans: tuple[ResourcePlan, ...]) -> PlanCover:
    """Covers the charges of a cycle from the plans whose validity overlaps it, first the one that comes first in
    `plan_order`, the charges in the order of the price sheet.

    The units taken are differences of the rounded running total of the bill (by plan unit), so that two plans or two
    lines together take what one plan or one line would: at coefficient 1.5, 1 and 1 millionth take 2 and 1, not 2 and 2.

    Source: the provider's resource plan rules: a plan that expires first is used first; a plan bought inside a cycle
    offsets the whole cycle and never an earlier one.
    """
    start, end = cycle.start, cycle.end
    usable = [plan for plan in plans if plan.remaining and plan.effective_from < end and start < plan.expires_at]
    if not usable:
        return PlanCover((0,) * len(cycle.charges), (), plans)
    left = [charge.micros for charge in cycle.charges]
    deductions: list[PlanDeduction] = []
    after = {plan.id: plan for plan in plans}
    exact: dict[str, Fraction] = {}
    for plan in sorted(usable, key=plan_order):
        remaining = plan.remaining
        for number, charge in enumerate(cycle.charges):
            if not left[number] or not remaining or charge.spec not in plan.covers.get(charge.item.code, ()):
                continue
            rate = unit_rate(plan, charge)
            if rate is None:
                continue
            micros = min(left[number], coverable(remaining, rate, charge))
            if not micros:
                continue
            before = exact.get(plan.unit.name, Fraction(0))
            total = exact[plan.unit.name] = before + micros * rate
            units = _rounded(total) - _rounded(before)
            remaining -= units
            law(remaining >= 0, "plan {} below zero", plan.id)
            left[number] -= micros
            deductions.append(PlanDeduction(plan, number, micros, units, remaining))
        if remaining != plan.remaining:
            after[plan.id] = replace(plan, remaining=remaining)
    covered = tuple(charge.micros - rest for charge, rest in zip(cycle.charges, left, strict=True))
    return PlanCover(covered, tuple(deductions), tuple(after[plan.id] for plan in plans))


def plan_order(plan: ResourcePlan) -> tuple[int, int, int, str]:
    """Which plan is used first: the earliest expiry, then the smallest remaining, then the earliest start, then the id."""
    return (plan.expires_at, plan.remaining, plan.effective_from, plan.id)


def unit_rate(plan: ResourcePlan, charge: Charge) -> Fraction | None:
    """Millionths of the plan's unit for one micro of the charge; None where the plan does not cover it.

    The quantity is taken in the plan's unit and then by the coefficient: at 3, ten minutes take 30 minutes or half an hour.
    """
    coefficient = plan.covers.get(charge.item.code, {}).get(charge.spec)
    if coefficient is None or charge.item.unit.dimension != plan.unit.dimension:
        return None
    if plan.regions is not None and charge.region not in plan.regions:
        return None
    numerator, denominator = coefficient.as_integer_ratio()
    return Fraction(numerator, denominator * plan.unit.factor)


def coverable(remaining: int, rate: Fraction, charge: Charge) -> int:
    """The most micros that `remaining` can cover, cut down to the item's metering step (pro rata: to six decimals of its
    unit): 5,000 plan minutes at 3 cover 1,666.66 minutes in steps of 0.01. Source: the provider's plan rules."""
    step = charge.item.metering.step or charge.item.unit.factor
    return remaining * rate.denominator // (rate.numerator * step) * step


def _rounded(units: Fraction) -> int:
    return divide(units.numerator, units.denominator, "half-up")
