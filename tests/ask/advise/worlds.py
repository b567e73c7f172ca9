"""Packs on sale for tests, and usage to buy them for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from mps_bill.ask.advise.packs import Pack, PackType, Purchase, Validity
from mps_bill.ask.advise.simulate import Outcome, Simulator
from mps_bill.core.units import MICROS, UNITS
from mps_bill.rating.bills import Cycle
from mps_bill.settlement.sources.resource_plans import ResourcePlan
from tests.settlement.worlds import HOUR, at

OFFSET = 8 * HOUR
VIDEO = {"video": {"HD": "3", "SD": "1.5"}}


def packs_of(
    sizes: Mapping[str, str],
    covers: Mapping[str, Mapping[str, str]] | None = None,
    *,
    id_: str = "video",
    unit: str = "minute",
    valid_for: Validity | None = None,
    regions: Sequence[str] | None = None,
) -> list[Pack]:
    """Packs of one type: size to price; both, and the coefficients, as text."""
    type_ = PackType(
        id=id_,
        name="",
        unit=UNITS[unit],
        valid_for=valid_for or Validity(6, "month"),
        regions=None if regions is None else frozenset(regions),
        covers={
            item: {spec: Decimal(rate) for spec, rate in specs.items()} for item, specs in (covers or VIDEO).items()
        },
        sources=(),
        notes=(),
        unknown=(),
    )
    return [Pack(type_, int(Decimal(size) * MICROS), Decimal(price)) for size, price in sizes.items()]


def simulator(cycles: Sequence[Cycle], *plans: ResourcePlan, start: int | None = None) -> Simulator:
    """The cycles with these plans, and purchases at `start` (by default on 2023-11-01)."""
    return Simulator(cycles, plans, {}, at("11-01") if start is None else start, OFFSET)


def bought(sim: Simulator, *purchase: tuple[Pack, int]) -> Outcome:
    return sim.buy(purchase)


def sizes_of(purchase: Purchase) -> list[tuple[str, Decimal, int]]:
    return [(pack.type.id, Decimal(pack.units) / MICROS, count) for pack, count in purchase]
