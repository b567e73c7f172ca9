"""What an account remembers of the cycles that it charged, so that no usage is charged twice by mistake.

Of the month that a product has reached and the one before it is a digest of each cycle's usage, which knows the same usage
when it comes again. Of older months it is only which cycles were charged, so that the account grows by the month and not by
the hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from mps_bill.core.times import DAY, HOUR, Calendar
from mps_bill.rating.bills import Cycle
from mps_bill.settlement.account import EVERY_PRODUCT, Account, ChargedDays, ChargedMonths

#: A cycle by its product and start.
CycleKey = tuple[str, int]
#: What was charged of a late cycle before: the `same` usage as now, by its sums; `other` usage, of which a part may be charged
#: again; or `unknown` usage, long ago.
Before = Literal["same", "other", "unknown"]


def cycle_key(cycle: Cycle) -> CycleKey:
    return (cycle.product, cycle.start)


def charged_before(cycles: Iterable[Cycle], account: Account) -> Mapping[CycleKey, Before]:
    """What the account charged before of these cycles; those of which it knows of no charge are left out."""
    found: dict[CycleKey, Before] = {}
    for cycle in cycles:
        day = _day(cycle)
        digests = account.charged.get((cycle.product, day), ())
        if digest(cycle) in digests or digest(cycle, twice=True) in digests:
            found[cycle_key(cycle)] = "same"
        elif any(one.startswith(_hour(cycle)) for one in digests):
            found[cycle_key(cycle)] = "other"
        elif account.charged_months.get((cycle.product, day[:7]), 0) & _bit(day, _hour(cycle)):
            found[cycle_key(cycle)] = "unknown"
    return found


def known(cycles: Iterable[Cycle], account: Account, *, twice: bool) -> set[CycleKey]:
    """The cycles whose usage counts as charged, since it adds up to what was charged of them. Other records can have the same
    sums, so with `twice` only those count that were charged by such a run: a file that is run again is not charged again."""
    if not twice:
        return {key for key, before in charged_before(cycles, account).items() if before == "same"}
    days = account.charged
    return {
        cycle_key(cycle) for cycle in cycles if digest(cycle, twice=True) in days.get((cycle.product, _day(cycle)), ())
    }


def remember(account: Account, cycles: Sequence[Cycle], *, twice: bool = False) -> Account:
    """The account after these cycles were charged, the corrections among them perhaps `twice`: how far each product is
    settled, and what was charged."""
    through = dict(account.settled_through)
    days = {key: dict.fromkeys(digests) for key, digests in account.charged.items()}
    calendars: dict[str, Calendar] = {}
    for cycle in cycles:
        product = cycle.product
        calendars[product] = cycle.sheet.billing.calendar
        through[product] = max(cycle.end, through.get(product, through.get(EVERY_PRODUCT, cycle.end)))
    kept_from = {product: _month_before(calendar, through[product] - 1) for product, calendar in calendars.items()}
    for cycle in cycles:
        product, day = cycle.product, _day(cycle)
        # A digest goes through every line, and of an older month only its hour is kept.
        is_kept = day[:7] >= kept_from[product]
        text = digest(cycle, twice=twice and cycle.correction_at is not None) if is_kept else _hour(cycle)
        days.setdefault((product, day), {})[text] = None
    charged = {key: tuple(digests) for key, digests in days.items()}
    old = {key: charged.pop(key) for key in days if key[1][:7] < kept_from.get(key[0], "")}
    months = _with(account.charged_months, old)
    return replace(account, settled_through=through, charged=charged, charged_months=months)


def _month_before(calendar: Calendar, second: int) -> str:
    return calendar.month(calendar.month_start(calendar.month(second)) - 1)


def _with(months: ChargedMonths, days: ChargedDays) -> ChargedMonths:
    """The months with the cycles of these days, by product and month."""
    hours = dict(months)
    for (product, day), digests in days.items():
        for text in digests:
            hours[product, day[:7]] = hours.get((product, day[:7]), 0) | _bit(day, text)
    return dict(sorted(hours.items()))


def charged_beyond(there: Account, account: Account) -> list[str]:
    """The days (`2023-11-10`) or months of cycles that the state `there` of an account has charged and `account` has not.

    Where one of the two no longer knows what was charged of a cycle, it only counts whether it was charged.
    """
    old, all_hours = account.charged_months, _with(account.charged_months, account.charged)
    days = [
        day
        for (product, day), digests in there.charged.items()
        for text in digests
        if text not in account.charged.get((product, day), ()) and not old.get((product, day[:7]), 0) & _bit(day, text)
    ]
    months = [
        month
        for (product, month), hours in there.charged_months.items()
        for _ in range((hours & ~all_hours.get((product, month), 0)).bit_count())
    ]
    return [*months, *days]


def digest(cycle: Cycle, *, twice: bool = False) -> str:
    """`10-3f2a91bb07`: the hour of the billing clock at which the cycle begins, and 10 hexadecimal digits of the sums of its
    usage; others where it was charged whatever was charged before (`twice`).

    Prices do not count. The dash keeps YAML from ever reading a number.
    """
    lines = [
        f"{charge.item.code} {charge.spec} {charge.region} {charge.records} {charge.metered}"
        for charge in cycle.charges
    ]
    text = "\n".join((cycle.product, str(cycle.start), *lines, *(["twice"] if twice else [])))
    return _hour(cycle) + hashlib.sha256(text.encode()).hexdigest()[:10]


def _hour(cycle: Cycle) -> str:
    return f"{(cycle.start + cycle.sheet.billing.calendar.offset) % DAY // HOUR:02}-"


def _bit(day: str, text: str) -> int:
    """The bit of `Account.charged_months` for a cycle that begins on a day at the hour with which `text` begins."""
    return 1 << (int(day[8:]) - 1) * 24 + int(text[:2])


def _day(cycle: Cycle) -> str:
    return cycle.sheet.billing.calendar.day(cycle.start)
