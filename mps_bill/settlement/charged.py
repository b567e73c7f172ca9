"""What an account remembers of the cycles that it charged, so that the same usage is never charged twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from mps_bill.core.times import DAY, HOUR
from mps_bill.rating.bills import Cycle
from mps_bill.settlement.account import EVERY_PRODUCT, Account, Charged

#: A cycle by its product and start.
CycleKey = tuple[str, int]
#: What was charged of a late cycle before: the `same` usage as now, or `other` usage, of which now may repeat a part.
Before = Literal["same", "other"]


def cycle_key(cycle: Cycle) -> CycleKey:
    return (cycle.product, cycle.start)


def charged_before(cycles: Iterable[Cycle], account: Account) -> Mapping[CycleKey, Before]:
    """What the account charged before of these cycles; those of which it knows of no charge are left out."""
    days = {(one.product, one.day): one.digests for one in account.charged}
    found: dict[CycleKey, Before] = {}
    for cycle in cycles:
        digests = days.get((cycle.product, _day(cycle)), ())
        if digest(cycle) in digests:
            found[cycle_key(cycle)] = "same"
        elif any(one.startswith(_hour(cycle)) for one in digests):
            found[cycle_key(cycle)] = "other"
    return found


def remember(account: Account, cycles: Iterable[Cycle]) -> Account:
    """The account after these cycles were charged: how far each product is settled, and the digest of each cycle."""
    through = dict(account.settled_through)
    days = {(one.product, one.day): dict.fromkeys(one.digests) for one in account.charged}
    for cycle in cycles:
        product = cycle.product
        through[product] = max(cycle.end, through.get(product, through.get(EVERY_PRODUCT, cycle.end)))
        days.setdefault((product, _day(cycle)), {})[digest(cycle)] = None
    charged = tuple(Charged(product, day, tuple(digests)) for (product, day), digests in days.items())
    return replace(account, settled_through=through, charged=charged)


def digest(cycle: Cycle) -> str:
    """`10-3f2a91bb07`: the hour of the billing clock at which the cycle begins, and 10 hexadecimal digits of its usage.

    Prices do not count. The dash keeps YAML from ever reading a number.
    """
    lines = [
        f"{charge.item.code} {charge.spec} {charge.region} {charge.records} {charge.metered}"
        for charge in cycle.charges
    ]
    text = "\n".join((cycle.product, str(cycle.start), *lines))
    return _hour(cycle) + hashlib.sha256(text.encode()).hexdigest()[:10]


def _hour(cycle: Cycle) -> str:
    return f"{(cycle.start + cycle.sheet.billing.calendar.offset) % DAY // HOUR:02}-"


def _day(cycle: Cycle) -> str:
    return cycle.sheet.billing.calendar.day(cycle.start)
