"""The cost of usage with purchased packs: the cycles are settled again with the plans that the packs become.

`cover` and `make_bill` are the functions that also settle an account. Only the payment of the remaining amount does not matter
here.
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
from mps_bill.settlement.sources.payment_source import PaymentSource, QuantityDeduction
from mps_bill.settlement.sources.resource_plans import ResourcePlan, ResourcePlans
from mps_bill.settlement.waterfall import cover


@dataclass(frozen=True, slots=True)
class Run:
    """The bills of all cycles, and the plan deductions of each."""

    bills: tuple[Bill, ...]
    deductions: tuple[tuple[QuantityDeduction, ...], ...]

    @property
    def amounts(self) -> Amounts:
        return sum_amounts(self.bills, statement_months(self.bills))


@dataclass(frozen=True, slots=True)
class Cover:
    """The part of an item and spec that a pack covered: `micros` of the item for `units` (millionths) of the pack."""

    pack: Pack
    item: str
    spec: str
    micros: int
    units: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The effect of a purchase on the usage.

    `covered_list_amount` is the reduction of the list amounts, `worth` that of the net amounts of the bills, and `amounts` are
    their sums with the purchase. `saving` is the reduction of the payable amount less the `price`; it is below zero if the
    purchase costs more than it saves.
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
        """The cost of the packs and the bills together."""
        return self.price + self.amounts.payable

    @property
    def covered_micros(self) -> int:
        return sum(cover.micros for cover in self.covers)

    def covered(self, pack: Pack) -> int:
        """Return the micros that all packs of one size cover."""
        return sum(cover.micros for cover in self.covers if cover.pack is pack)

    def unused(self, pack: Pack, count: int) -> int:
        """Return the millionths left of `count` packs of a purchase when the usage ends or the packs expire."""
        return pack.units * count - sum(cover.units for cover in self.covers if cover.pack is pack)

    @property
    def break_even_units(self) -> int | None:
        """The number of whole plan units, rounded up, whose list amount equals the price, at the mix covered here. For example, a
        pack of 5,000 units for 87, used on HD at 0.0651 / 3, pays off with 4,010 units.

        None if nothing is saved, or if there are packs of several types, whose units cannot be added.
        """
        if self.worth <= 0 or len(units_of(self.purchase)) != 1:
            return None
        used = sum(cover.units for cover in self.covers)
        return -(-Fraction(self.price) * used // (Fraction(self.worth) * MICROS))


class Simulator:
    """Cycles that are settled repeatedly, with the plans of the account and with others bought at the second `start`.

    Most purchases cover most cycles completely or not at all, so bills are cached by everything that they depend on: the
    covered quantities of the charges, and the earlier usage of the month.
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
        #: The sums of the bills without a purchase.
        self.now = self.run(plans).amounts

    def run(self, plans: tuple[ResourcePlan, ...]) -> Run:
        """Settle the cycles in order with only these plans."""
        used = self._used
        sources: tuple[PaymentSource, ...] = (ResourcePlans(plans),)
        bills = []
        deductions = []
        for number, cycle in enumerate(self.cycles):
            taken = cover(cycle, sources)
            sources = taken.sources
            month = month_use(cycle.charges, taken.covered, used)
            key = (number, taken.covered, month.before_charges)
            if key not in self._kept:
                self._kept[key], _ = make_bill(cycle, taken.covered, used)
            bill = self._kept[key]
            used = month.after
            bills.append(bill)
            deductions.append(taken.deductions)
        return Run(tuple(bills), tuple(deductions))

    def buy(self, purchase: Purchase) -> Outcome:
        """Return the outcome of a purchase in addition to the plans of the account."""
        bought: dict[str, Pack] = {}
        plans = list(self.plans)
        for pack, count in purchase:
            for number in range(count):
                # Ids of an account's plans never have spaces.
                id_ = f"{pack.type.id} {pack.units} {number:06}"
                bought[id_] = pack
                plans.append(pack.type.plan(id_, pack.units, self.start, self.offset))
        run = self.run(tuple(plans))
        covered: dict[tuple[Pack, str, str], tuple[int, int]] = {}
        for cycle, deductions in zip(self.cycles, run.deductions, strict=True):
            for deduction in deductions:
                covering = bought.get(deduction.id)
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
