"""What usage costs with packs bought: the cycles are settled once more with the plans that the packs become.

Plans take quantity by `take_from_plans` and bills are made by `make_bill`, the same functions that settle an account; only
who pays what is left does not matter here.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.ask.advise.packs import Pack, Purchase, price_of, units_of
from mps_bill.core.units import MICROS
from mps_bill.rating.bills import Amounts, Bill, Cycle, make_bill, statement_months, sum_amounts
from mps_bill.rating.lines import MonthUsage
from mps_bill.rating.month_use import month_use
from mps_bill.settlement.sources.resource_plans import PlanDeduction, ResourcePlan, take_from_plans


@dataclass(frozen=True, slots=True)
class Run:
    """The bills of all cycles, and for each what plans took from it."""

    bills: tuple[Bill, ...]
    deductions: tuple[tuple[PlanDeduction, ...], ...]

    @property
    def amounts(self) -> Amounts:
        return sum_amounts(self.bills, statement_months(self.bills))


@dataclass(frozen=True, slots=True)
class Cover:
    """What a pack covered of an item and spec: `micros` of the item for `units` (millionths) of the pack."""

    pack: Pack
    item: str
    spec: str
    micros: int
    units: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A purchase held against the usage.

    `covered_list_amount` is what it takes off the list amounts, `worth` what it takes off the net amounts of the bills, and
    `amounts` is what they come to then. `saving` is what they are lower by in payable money, less the `price`; below zero
    where the purchase costs more than it saves.
    """

    purchase: Purchase
    price: Decimal
    amounts: Amounts
    covered_list_amount: Decimal
    worth: Decimal
    saving: Decimal
    covers: tuple[Cover, ...]

    @property
    def cost(self) -> Decimal:
        """The packs and the bills together."""
        return self.price + self.amounts.payable

    @property
    def covered_micros(self) -> int:
        return sum(cover.micros for cover in self.covers)

    def covered(self, pack: Pack) -> int:
        """Micros that the packs of one size cover, however many they are."""
        return sum(cover.micros for cover in self.covers if cover.pack is pack)

    def unused(self, pack: Pack, count: int) -> int:
        """Millionths that are left of `count` packs of a purchase when the usage is over or the packs have expired."""
        return pack.units * count - sum(cover.units for cover in self.covers if cover.pack is pack)

    @property
    def break_even_units(self) -> int | None:
        """The plan units (whole ones, rounded up) whose list amount is the price, at the mix that is covered here: 87 for
        5,000 units that are used on HD at 0.0651 / 3 is earned with 4,010 of them.

        None where nothing is saved, or packs of several types stand together, whose units do not add up.
        """
        if self.worth <= 0 or len(units_of(self.purchase)) != 1:
            return None
        used = sum(cover.units for cover in self.covers)
        return -(-Fraction(self.price) * used // (Fraction(self.worth) * MICROS))


class Simulator:
    """Cycles to be settled again and again, with the plans that are there anyway and others bought at the second `start`.

    Most purchases cover most cycles wholly or not at all, so a bill is kept by all that it depends on: what is covered of
    its charges, and what the month has used before.
    """

    def __init__(
        self, cycles: Sequence[Cycle], plans: tuple[ResourcePlan, ...], used: MonthUsage, start: int, offset: int
    ) -> None:
        self.cycles = tuple(cycles)
        self.plans = plans
        self.start = start
        self.offset = offset
        self._used = used
        self._kept: dict[Hashable, Bill] = {}
        #: What the bills come to without buying anything.
        self.now = self.run(plans).amounts

    def run(self, plans: tuple[ResourcePlan, ...]) -> Run:
        """The cycles settled in their order with these plans alone."""
        used = self._used
        bills = []
        deductions = []
        for number, cycle in enumerate(self.cycles):
            cover = take_from_plans(cycle, plans)
            plans = cover.plans
            before, after = month_use(cycle.charges, cover.covered, used)
            key = (number, cover.covered, before)
            if key not in self._kept:
                self._kept[key], _ = make_bill(cycle, cover.covered, used)
            bill = self._kept[key]
            used = after
            bills.append(bill)
            deductions.append(cover.deductions)
        return Run(tuple(bills), tuple(deductions))

    def buy(self, purchase: Purchase) -> Outcome:
        """What comes of the purchase, with the plans that are there anyway."""
        bought: dict[str, Pack] = {}
        plans = list(self.plans)
        for pack, count in purchase:
            for number in range(count):
                # No plan of an account has a space in its id.
                id_ = f"{pack.type.id} {pack.units} {number:06}"
                bought[id_] = pack
                plans.append(pack.type.plan(id_, pack.units, self.start, self.offset))
        run = self.run(tuple(plans))
        covered: dict[tuple[Pack, str, str], tuple[int, int]] = {}
        for cycle, deductions in zip(self.cycles, run.deductions, strict=True):
            for deduction in deductions:
                covering = bought.get(deduction.plan.id)
                if covering:
                    charge = cycle.charges[deduction.charge]
                    key = (covering, charge.item.code, charge.spec)
                    micros, units = covered.get(key, (0, 0))
                    covered[key] = (micros + deduction.micros, units + deduction.units)
        amounts = run.amounts
        price = price_of(purchase)
        return Outcome(
            purchase,
            price,
            amounts,
            covered_list_amount=self.now.list_amount - amounts.list_amount,
            worth=self.now.net - amounts.net,
            saving=self.now.payable - amounts.payable - price,
            covers=tuple(Cover(*key, *sums) for key, sums in covered.items()),
        )
