"""The most that a purchase can save, found without settling anything.

A search for the best purchase may skip purchases that cannot be better than the best one so far, so a bound must never be too
low. It starts from the bills without any plan. A contract only lowers them, so bounds at list prices are valid, too:

* A unit of a pack saves at most the list price of the most valuable quantity that it can cover. The units of a type together
  are therefore worth at most a concave curve, which begins with the most valuable quantity.
* If prices fall with the quantity, covering a part never makes the rest cheaper. If a price rises, the whole amount of its
  lines is added to the bound.
* Packs can save no more than the amounts of the lines that they can cover.
* Every bill (under monthly settlement every month) is rounded to money once, by less than the last place of money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.ask.advise.packs import ENDLESS, PackType
from mps_bill.ask.advise.simulate import Run, Simulator
from mps_bill.core.decimals import AMOUNT_PLACES
from mps_bill.core.laws import BrokenLaw
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.rating.bills import statement_months, sum_amounts
from mps_bill.rating.lines import LineItem
from mps_bill.settlement.sources.resource_plans import ResourcePlan, unit_rate

#: The number of a charge's cycle, and of the charge in the cycle.
ChargeKey = tuple[int, int]
#: The amount of a line and its discount are each rounded to ten decimals.
_LINE_ROUNDING = Fraction(2, 10**AMOUNT_PLACES)


@dataclass(frozen=True, slots=True)
class Curve:
    """The most that units of a plan can be worth: (units, worth of one), in millionths of the unit, the most valuable first."""

    steps: tuple[tuple[Fraction, Fraction], ...]

    @property
    def best(self) -> Fraction:
        return self.steps[0][1] if self.steps else Fraction(0)

    def worth(self, owned: int, price: Fraction | None) -> Fraction:
        """Return the worth of `owned` units. With a `price`, add the gain from buying all further units that are worth more."""
        total = Fraction(0)
        left = Fraction(owned)
        for units, worth in self.steps:
            had = min(left, units)
            left -= had
            total += had * worth
            if price is not None and worth > price:
                total += (units - had) * (worth - price)
        return total


@dataclass(frozen=True, slots=True)
class Part:
    """The bound of types that share charges with one another, or with the same plan of the account: the sum of the curves and
    `slack`, and at most `cap`."""

    curves: Mapping[PackType, Curve]
    slack: Fraction
    cap: Fraction


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that purchases can save: the sum of the parts, which share no charges, and `slack`."""

    parts: tuple[Part, ...]
    slack: Fraction

    def saving(self, owned: Mapping[PackType, int], price: Decimal, more: Mapping[PackType, Fraction]) -> Fraction:
        """Return the most that `owned` units bought for `price` can save, possibly with any number of further units of the types
        in `more`, at these prices per millionth."""
        total = self.slack - Fraction(price)
        for part in self.parts:
            worth = (curve.worth(owned.get(type_, 0), more.get(type_)) for type_, curve in part.curves.items())
            total += min(sum(worth, part.slack), part.cap)
        return total


@dataclass(slots=True)
class _Group:
    """Types and plans with overlapping charges, under construction."""

    touched: set[ChargeKey]
    curves: dict[PackType, Curve]
    held: Fraction
    #: The highest worth of a unit on any of the curves.
    best: Fraction


def bounds(simulator: Simulator, types: Sequence[PackType]) -> Bounds:
    gross, now = simulator.run(()), simulator.run(simulator.plans)
    gross_lines, lines = _lines_by_charge(simulator, gross), _lines_by_charge(simulator, now)
    groups: list[_Group] = []
    for type_ in types:
        plan = type_.plan("", ENDLESS, simulator.start, simulator.offset)
        touched, curve = _reach(simulator, plan, gross_lines)
        groups = _joined(groups, _Group(touched, {type_: curve}, Fraction(0), curve.best))
    for plan in simulator.plans:
        # With packs, a plan of the account may cover other usage than now, but never more than it could alone.
        touched, curve = _reach(simulator, plan, gross_lines)
        groups = _joined(groups, _Group(touched, {}, curve.worth(plan.remaining, None), curve.best))
    parts = []
    for group in groups:
        listed, left = (
            sum(map(_net, map(every.__getitem__, group.touched)), Fraction(0)) for every in (gross_lines, lines)
        )
        parts.append(Part(group.curves, slack=group.held - (listed - left), cap=left))
    rising = sum((_net(found) for found in gross_lines.values() if found[0].charge.price.rises), Fraction(0))
    return Bounds(tuple(parts), rising + _roundings(simulator, now, groups))


def _joined(groups: Sequence[_Group], new: _Group) -> list[_Group]:
    """Return the groups with a new one, which is joined with the groups that it overlaps."""
    disjoint = [group for group in groups if group.touched.isdisjoint(new.touched)]
    for group in groups:
        if group not in disjoint:
            new = _Group(
                group.touched | new.touched,
                {**group.curves, **new.curves},
                group.held + new.held,
                max(group.best, new.best),
            )
    return [*disjoint, new]


def _lines_by_charge(simulator: Simulator, run: Run) -> dict[ChargeKey, list[LineItem]]:
    found: dict[ChargeKey, list[LineItem]] = {}
    for number, (cycle, bill) in enumerate(zip(simulator.cycles, run.bills, strict=True)):
        places = {id(charge): place for place, charge in enumerate(cycle.charges)}
        for line in bill.lines:
            found.setdefault((number, places[id(line.charge)]), []).append(line)
    return found


def _reach(
    simulator: Simulator, plan: ResourcePlan, lines: Mapping[ChargeKey, Sequence[LineItem]]
) -> tuple[set[ChargeKey], Curve]:
    """Return the charges that an unlimited plan could cover, and what its units can be worth there."""
    touched: set[ChargeKey] = set()
    units: dict[Fraction, Fraction] = {}
    for number, deductions in enumerate(simulator.run((replace(plan, remaining=ENDLESS),)).deductions):
        for deduction in deductions:
            charge = simulator.cycles[number].charges[deduction.charge]
            key = (number, deduction.charge)
            touched.add(key)
            rate = unit_rate(plan, charge)
            if rate is None:
                raise BrokenLaw("a plan covers only what it has a rate for")
            lot = charge.price.lot()
            worth = Fraction(_highest(charge.price, lines[key])) / (lot * rate) if lot else Fraction(0)
            units[worth] = units.get(worth, Fraction(0)) + deduction.micros * rate
    return touched, Curve(tuple((units[worth], worth) for worth in sorted(units, reverse=True)))


def _highest(price: Price, lines: Iterable[LineItem]) -> Decimal:
    """Return the highest price of a part of a charge; if prices rise, the highest that it could have."""
    if not price.rises:
        return max(line.unit_price for line in lines)
    return max(unit_price for _, unit_price in price.figures())


def _net(lines: Iterable[LineItem]) -> Fraction:
    return sum((Fraction(line.net) for line in lines), Fraction(0))


def _roundings(simulator: Simulator, now: Run, groups: Iterable[_Group]) -> Fraction:
    """Return what roundings can add. The amount of a line is rounded before and after, and the units of a deduction by at most
    one millionth. Each bill that packs may change has its present rounding, and then one of at most the last place of money."""
    total = sum((len(group.touched) * (2 * _LINE_ROUNDING + group.best) for group in groups), Fraction(0))
    changing = {number for group in groups for number, _ in group.touched}
    bills_of: dict[tuple[str, int | str], list[int]] = {}
    for number, cycle in enumerate(simulator.cycles):
        billing = cycle.sheet.billing
        when = billing.calendar.month(cycle.start) if cycle.is_monthly else cycle.start
        bills_of.setdefault((cycle.product, when), []).append(number)
        if any(charge.accumulates for charge in cycle.charges):
            changing.add(number)
    for numbers in bills_of.values():
        if changing.intersection(numbers):
            bills = [now.bills[number] for number in numbers]
            cut = sum_amounts(bills, statement_months(bills)).rounding_adjustment
            total += Fraction(cut) + Fraction(1, 10 ** bills[-1].cycle.sheet.billing.places)
    return total
