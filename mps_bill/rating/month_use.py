"""The month's use before a charge, which fills its tiers.

It is kept separately for each spec and region of an item. A price that counts across the item adds up the specs and regions that
its sheet counts together, so that a sheet (or a newer version) that introduces `across: item` continues from the month's use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from mps_bill.rating.lines import Charge, MonthUsage, month_key

_accumulates = attrgetter("accumulates")
#: Of a bill without prices that count across an item.
_NO_ITEMS: Mapping[str, int] = MappingProxyType({})


class MonthUse(NamedTuple):
    """The month's use at a bill.

    `before_charges` fills the month's tiers before each charge. `after` is the use after the bill. `of_items` is the use before
    the bill of every item whose price counts across the item.
    """

    before_charges: tuple[int, ...]
    after: MonthUsage
    of_items: Mapping[str, int]


def month_total(charge: Charge, used: MonthUsage) -> int:
    """The month's use that counts for a charge: that of its spec and region, or of the item."""
    key = month_key(charge)
    if not charge.price.across_item:
        return used.get(key, 0)
    # Use that no longer has a price counts too.
    alike = [(other, charge.sheet.price(charge.item, *other[3:])) for other in used if other[:3] == key[:3]]
    return sum(used[other] for other, found in alike if found is None or found.price.across_item)


def month_use(charges: Sequence[Charge], covered: Sequence[int], used: MonthUsage) -> MonthUse:
    """Return the month's use at the bill of a cycle, of whose charges `covered` micros are covered. The use after it is `used`
    itself if nothing needs to be kept."""
    if not any(map(_accumulates, charges)):
        return MonthUse((0,) * len(charges), used, _NO_ITEMS)
    after = dict(used)
    for charge, covered_micros in zip(charges, covered, strict=True):
        if charge.accumulates:
            key = month_key(charge)
            after[key] = used.get(key, 0) + charge.micros - covered_micros
    before, of_items = _used_before(charges, covered, used)
    return MonthUse(before, after, of_items or _NO_ITEMS)


def _used_before(
    charges: Sequence[Charge], covered: Sequence[int], used: MonthUsage
) -> tuple[tuple[int, ...], Mapping[str, int]]:
    """Return the use that fills the month's tiers before each charge, and the use before the bill of the items whose price counts
    across the item.

    The use before a charge includes the charges of this bill that count across the same item: those before it, in the order of
    the bill, or all others if its price counts the cycle as a whole.
    """
    across: dict[str, int] = {}
    for charge, covered_micros in zip(charges, covered, strict=True):
        if charge.price.across_item:
            across[charge.item.code] = across.get(charge.item.code, 0) + charge.micros - covered_micros
    of_items: dict[str, int] = {}
    reached: dict[str, int] = {}
    before = []
    for charge, covered_micros in zip(charges, covered, strict=True):
        code, billed = charge.item.code, charge.micros - covered_micros
        if not charge.price.across_item:
            before.append(used.get(month_key(charge), 0) if charge.accumulates else 0)
            continue
        if code not in reached:
            of_items[code] = reached[code] = month_total(charge, used)
            across[code] += reached[code]
        before.append(across[code] - billed if charge.price.whole_cycle else reached[code])
        reached[code] += billed
    return tuple(before), of_items
