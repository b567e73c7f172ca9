"""Resource packs on sale, and the resource plans that they become when they are bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import counted
from mps_bill.core.times import DAY, HOUR, Calendar
from mps_bill.core.units import Unit
from mps_bill.price_sheet.sheet_model import Source
from mps_bill.settlement.sources.resource_plans import ResourcePlan

#: Units (millionths) of a plan that no usage can exhaust.
ENDLESS = 10**40


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a pack is valid from the moment it is bought."""

    count: int
    unit: Literal["day", "month"]

    def end(self, start: int, offset: int) -> int:
        """Return the second from which a pack bought at the second `start` can no longer be used.

        Months run to the same day and time on the clock of `offset`, or to the last day of a month that is too short:
        6 months from 2023-08-31 10:30 end on 2024-02-29 10:30.
        """
        if self.unit == "day":
            return start + self.count * DAY
        calendar = Calendar(HOUR, offset)
        month = calendar.month(start)
        days, time = divmod(start - calendar.month_start(month), DAY)
        year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + self.count, 12)
        last = f"{year:04}-{number + 1:02}"
        days_of_last = (calendar.month_end(last) - calendar.month_start(last)) // DAY
        return calendar.month_start(last) + min(days, days_of_last - 1) * DAY + time

    def __str__(self) -> str:
        return counted(self.count, self.unit)


@dataclass(frozen=True, slots=True, eq=False)
class PackType:
    """Packs that differ only in size and price. `covers` and `regions` are as in `ResourcePlan`.

    `unknown` are the items and specs of `covers` that are in no price sheet of the run, so they cannot be billed or covered.
    """

    id: str
    name: str
    unit: Unit
    valid_for: Validity
    regions: frozenset[str] | None
    covers: Mapping[str, Mapping[str, Decimal]]
    sources: tuple[Source, ...]
    notes: tuple[str, ...]
    unknown: tuple[str, ...]

    def plan(self, id_: str, units: int, start: int, offset: int) -> ResourcePlan:
        """Return the resource plan that a pack of `units` millionths becomes if it is bought at the second `start`."""
        end = self.valid_for.end(start, offset)
        return ResourcePlan(id_, self.name, self.unit, units, units, start, end, self.regions, self.covers)


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """A pack on sale: `units` are millionths of its type's unit."""

    type: PackType
    units: int
    price: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class PackList:
    """The packs of a file, grouped by type, the smallest first."""

    id: str
    currency: str
    packs: tuple[Pack, ...]

    @property
    def types(self) -> tuple[PackType, ...]:
        return tuple(dict.fromkeys(pack.type for pack in self.packs))


#: Packs with the number of each.
Purchase = tuple[tuple[Pack, int], ...]


def price_of(purchase: Purchase) -> Decimal:
    return sum((pack.price * count for pack, count in purchase), ZERO)


def units_of(purchase: Purchase) -> dict[PackType, int]:
    """Return the millionths bought, by type."""
    units: dict[PackType, int] = {}
    for pack, count in purchase:
        units[pack.type] = units.get(pack.type, 0) + pack.units * count
    return units


def is_outdone(pack: Pack, count: int, packs: Sequence[Pack]) -> bool:
    """Whether one larger pack has at least the same units for no more money: 20,000 for 304 instead of 4 x 5,000 for 348."""
    return any(
        other.type is pack.type and other.units >= count * pack.units and other.price <= count * pack.price
        for other in packs
        if other is not pack
    )
