"""Resource plans, which cover quantity of the lines of a bill before prices apply.

Covered quantities are micros of the item's dimension; a plan's units are millionths of its unit. The units for a covered quantity
are in general a fraction, so everything is calculated in whole numbers with one division.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from mps_bill.core.decimals import divide, plain, scaled, stripped
from mps_bill.core.diagnostics import Place, quoted
from mps_bill.core.language import mark, tr
from mps_bill.core.laws import law
from mps_bill.core.times import iso
from mps_bill.core.units import QUANTITY_PLACES, UNITS, Unit
from mps_bill.documents.fields import Entry, Field, Fields, Located, Made, Many, optional
from mps_bill.documents.shapes import ListOf, MapOf, Object
from mps_bill.documents.values import Choice, line, words
from mps_bill.price_sheet.sheet_model import Item, specs_named
from mps_bill.price_sheet.words import quantity_words, with_unit
from mps_bill.rating.bills import Cycle
from mps_bill.rating.lines import Charge, LineItem
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement import entries
from mps_bill.settlement.entries import EFFECTIVE_FROM, EXPIRES_AT, ID, Reading, item_code, spec_code
from mps_bill.settlement.sources.payment_source import Holding, QuantityDeduction, QuantitySource, Uncovered

_NAME = optional("name", line("a name", kinds.BAD_NAME), "its name for people", "")
UNIT = Field("unit", Choice("a unit", UNITS, kinds.UNKNOWN_UNIT), "the unit that the plan counts in")
_TOTAL = Field("total", entries.quantity, "what was bought, in the plan's unit")
_REMAINING = optional("remaining", entries.quantity, "what is left of it; default: all")
REGIONS = optional(
    "regions",
    ListOf("the plan's regions", entries.region_id, unique=True),
    "where the plan can be used; default: everywhere",
    default=None,
)
COVERS = Field(
    "covers",
    MapOf("the plan's items", item_code, MapOf("an item's specs", spec_code, entries.coefficient)),
    "item, then spec, then how much of the plan one unit of it takes",
)
CoversFrom = Literal["purchase", "cycle"]
_COVERS_FROM = optional(
    "covers_from",
    Choice[CoversFrom]("what a plan covers from", words("purchase", "cycle"), kinds.BAD_NAME),
    "what it covers: what completed while it was in force (purchase), or all of every cycle in which it was (cycle);"
    " default: purchase",
    "purchase",
)


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """Prepaid quantity: `total` and `remaining` are millionths of `unit`.

    `covers` has a coefficient for each item and spec: a coefficient of 3 takes 3 plan minutes for a billed minute. `regions` is
    None if the plan applies in every region.
    """

    id: str
    name: str
    unit: Unit
    total: int
    remaining: int
    effective_from: int
    expires_at: int
    regions: frozenset[str] | None
    covers: Mapping[str, Mapping[str, Decimal]]
    covers_from: CoversFrom = "purchase"


_PLAN = Object(
    "a resource plan",
    (ID, _NAME, UNIT, _TOTAL, _REMAINING, EFFECTIVE_FROM, EXPIRES_AT, REGIONS, COVERS, _COVERS_FROM),
    make=entries.made(ResourcePlan, _TOTAL.key),
)
_PLANS = entries.list_of("resource_plans", "the resource plans", _PLAN, "prepaid quantities", ID, name="plans")


@dataclass(frozen=True, slots=True)
class ResourcePlans(QuantitySource):
    """The resource plans of an account."""

    plans: tuple[ResourcePlan, ...] = ()

    name = "resource_plan"
    title = mark("Resource plan")
    words = "plan"
    pool = "resource_plans"
    pool_title = mark("Resource plans")
    pool_words = mark("plans")
    total_key = "plan"
    in_books = "what is left of plans, in their units"
    keys = (_PLANS,)

    @classmethod
    def read(cls, fields: Fields, reading: Reading) -> ResourcePlans:
        plans = (_read_plan(entry, reading) for entry in fields.parts(_PLANS))
        return cls(tuple(plan for plan in plans if plan))

    def holdings(self) -> tuple[Holding, ...]:
        return tuple(
            Holding(
                plan.id,
                scaled(plan.remaining, QUANTITY_PLACES),
                scaled(plan.total, QUANTITY_PLACES),
                plan.unit.name,
                plan.effective_from,
                plan.expires_at,
            )
            for plan in self.plans
        )

    def bounds(self) -> Iterable[int]:
        for plan in self.plans:
            if plan.covers_from == "purchase":
                yield plan.effective_from
                yield plan.expires_at

    def cover(self, uncovered: Uncovered) -> tuple[Sequence[PlanDeduction], ResourcePlans]:
        """Cover charges from the plans that are in force, in `plan_order`; each plan covers the charges in the order of the
        price sheet.

        The units taken are differences of the rounded running total of the bill (by plan unit), so that two plans or two
        lines together take what one plan or one line would: at coefficient 1.5, 1 and 1 millionth take 2 and 1, not 2 and 2.
        """
        usable = [plan for plan in self.plans if plan.remaining and in_force(plan, uncovered.cycle)]
        if not usable:
            return (), self
        covering = _Covering(uncovered)
        after = {plan.id: covering.take_from(plan) for plan in sorted(usable, key=plan_order)}
        return covering.deductions, ResourcePlans(tuple(after.get(plan.id, plan) for plan in self.plans))


def _read_plan(plan: Made[ResourcePlan], reading: Reading) -> ResourcePlan | None:
    """Read the plan of an entry, with the specs of the price sheets; None if something in it is wrong."""
    reading.remaining(plan, _REMAINING, _TOTAL, entries.quantity_text)
    reading.validity(plan)
    reading.regions(plan.parts(REGIONS))
    covers = _read_covers(plan.parts(COVERS), plan.get(UNIT), reading)
    return replace(plan.value, covers=covers) if plan.value else None


def _read_covers(
    covers: Iterable[Entry[str, Many[Entry[str, Located[Decimal]]]]], unit: Located[Unit] | None, reading: Reading
) -> dict[str, dict[str, Decimal]]:
    found: dict[str, dict[str, Decimal]] = {}
    for entry in covers:
        code = entry.key
        items = reading.items(code)
        if items and unit and all(item.unit.dimension != unit.value.dimension for item in items):
            message = f"{code.value} is billed by {items[0].unit.name}, and {unit.value.name} does not convert to it"
            reading.report(unit.place, kinds.UNIT_MISMATCH, message)
        rates = entry.parts
        for rate in rates:
            reading.spec(rate.key, items)
        found[code.value], contradictions = rates_by_spec(rates, items)
        for place, message in contradictions:
            reading.report(place, kinds.DUPLICATE_ENTRY, message)
    return found


def rates_by_spec(
    rates: Iterable[Entry[str, Located[Decimal]]], versions: Sequence[Item]
) -> tuple[dict[str, Decimal], list[tuple[Place, str]]]:
    """The coefficients by the specs that their keys mean in the versions of an item, and the contradictions between them.

    A key that no version has is kept unchanged.
    """
    found: dict[str, Decimal] = {}
    contradictions = []
    for rate in rates:
        for spec in specs_named(rate.key.value, versions) or (rate.key.value,):
            if rate.value and found.setdefault(spec, rate.value.value) != rate.value.value:
                written = "" if rate.key.value == spec else f" (written {quoted(rate.key.value)})"
                both = f"{plain(found[spec])} and {plain(rate.value.value)}"
                message = f"spec {quoted(spec)}{written} has two coefficients: {both}"
                contradictions.append((rate.key.place, message))
    return found, contradictions


# Not frozen, for the same reason as lines (`rating.lines`).
@dataclass(slots=True)
class PlanDeduction(QuantityDeduction):
    """A deduction from a plan."""

    plan: Final[ResourcePlan]

    def explanation(self, line: LineItem, cycle: Cycle) -> str:
        return tr(
            "{id} covers {quantity} at {coefficient}{part}: takes {took}, leaves {left}",
            id=self.id,
            quantity=quantity_words(self.micros, line.item.unit),
            coefficient=plain(self.plan.covers[line.item.code][line.spec]),
            part=_part_in_force(self.plan, cycle),
            took=with_unit(stripped(self.taken), self.unit),
            left=with_unit(stripped(self.left), self.unit),
        )


def _part_in_force(plan: ResourcePlan, cycle: Cycle) -> str:
    """The part of the cycle in which the plan covers what completed, in words; empty if that is all of it."""
    if plan.covers_from == "cycle":
        return ""
    bounds = ((mark(" from {time}"), plan.effective_from), (mark(" before {time}"), plan.expires_at))
    offset = cycle.sheet.billing.calendar.offset
    when = "".join(tr(word, time=iso(at, offset)) for word, at in bounds if cycle.start < at < cycle.end)
    return tr(", of usage completed{when}", when=when) if when else ""


def in_force(plan: ResourcePlan, cycle: Cycle) -> bool:
    """Whether a plan is in force in any part of a cycle."""
    return plan.effective_from < cycle.end and cycle.start < plan.expires_at


def covers_segment(plan: ResourcePlan, start: int) -> bool:
    """Whether a plan that is in force in a cycle covers its segment that starts at `start`.

    Source: the provider's rules for applying resource plans (2026): a plan bought at 10:30:00 offsets usage from 10:30:00 on, but
    not the earlier usage of the same bill of 10:00-11:00. According to an older page it offsets the bill of 10:00-11:00, which is
    `covers_from: cycle`.
    """
    return plan.covers_from == "cycle" or plan.effective_from <= start < plan.expires_at


def plan_order(plan: ResourcePlan) -> tuple[int, int, int, str]:
    """The order in which plans are used: by expiry, remaining amount, start and id."""
    return (plan.expires_at, plan.remaining, plan.effective_from, plan.id)


class _Covering:
    """Covers the charges of a cycle from plans: the deductions so far, and the exact units taken, by unit."""

    def __init__(self, uncovered: Uncovered) -> None:
        self._uncovered = uncovered
        self.deductions: list[PlanDeduction] = []
        self._exact: dict[str, Fraction] = {}

    def take_from(self, plan: ResourcePlan) -> ResourcePlan:
        """Cover what the plan can cover, and return the plan after it."""
        law(
            plan.covers_from == "cycle"
            or all(self._uncovered.is_known(at) for at in (plan.effective_from, plan.expires_at)),
            "plan {} starts or ends within a segment",
            plan.id,
        )
        remaining = plan.remaining
        for number, charge in enumerate(self._uncovered.cycle.charges):
            rate = unit_rate(plan, charge) if remaining else None
            if rate:
                micros, units = self._take(plan, charge, self._uncovered.left(number), rate, remaining)
                remaining -= units
                law(remaining >= 0, "plan {} below zero", plan.id)
                if micros:
                    parts = (ResourcePlans, plan.id, plan.name, number, micros, units, plan.unit, remaining)
                    self.deductions.append(PlanDeduction(*parts, plan))
        return plan if remaining == plan.remaining else replace(plan, remaining=remaining)

    def _take(
        self, plan: ResourcePlan, charge: Charge, segments: dict[int, int], rate: Fraction, remaining: int
    ) -> tuple[int, int]:
        """Cover a charge from the plan, the earliest segment first; return the micros and the units taken for them."""
        covered = taken = 0
        for start, left in segments.items():
            if covers_segment(plan, start):
                micros = min(left, coverable(remaining - taken, rate, charge))
                segments[start] -= micros
                covered += micros
                taken += self._units(plan.unit, micros * rate)
        return covered, taken

    def _units(self, unit: Unit, exact: Fraction) -> int:
        """Round an exact number of units to the growth of the bill's rounded running total."""
        before = self._exact.get(unit.name, Fraction(0))
        total = self._exact[unit.name] = before + exact
        return _rounded(total) - _rounded(before)


def unit_rate(plan: ResourcePlan, charge: Charge) -> Fraction | None:
    """Millionths of the plan's unit for one micro of the charge; None if the plan does not cover it.

    The quantity is converted to the plan's unit and multiplied by the coefficient: at 3, ten minutes take 30 minutes or half an
    hour.
    """
    rate = plan.covers.get(charge.item.code, {}).get(charge.spec)
    if rate is None or charge.item.unit.dimension != plan.unit.dimension:
        return None
    if plan.regions is not None and charge.region not in plan.regions:
        return None
    numerator, denominator = rate.as_integer_ratio()
    return Fraction(numerator, denominator * plan.unit.factor)


def coverable(remaining: int, rate: Fraction, charge: Charge) -> int:
    """The maximum micros that `remaining` can cover, rounded down to the item's metering step (pro rata: to six decimal places of
    its unit): 5,000 plan minutes at 3 cover 1,666.66 minutes in steps of 0.01. Source: the provider's plan rules."""
    step = charge.item.metering.step or charge.item.unit.factor
    return remaining * rate.denominator // (rate.numerator * step) * step


def _rounded(units: Fraction) -> int:
    return divide(units.numerator, units.denominator, "half-up")
