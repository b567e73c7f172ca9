"""The account's memory of charged cycles, so that no usage is charged twice by mistake.

For the month that a product has reached and the month before, it has a digest of each cycle's usage, which identifies the same
usage when it comes again. For older months it only records which cycles were charged, so the account grows by the month and not
by the hour.
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
#: The earlier charge of a late cycle: for the `same` usage as now, by its sums; for `other` usage, part of which may now be
#: charged again; or for `unknown` usage, long ago.
Before = Literal["same", "other", "unknown"]


def cycle_key(cycle: Cycle) -> CycleKey:
    return (cycle.product, cycle.start)


def charged_before(cycles: Iterable[Cycle], account: Account) -> Mapping[CycleKey, Before]:
    """The earlier charges of these cycles that the account knows."""
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
    """The cycles whose usage counts as charged, because its sums equal those that were charged. Since other records can have the
    same sums, with `twice` only cycles charged by such a run count: a file that is given again is not charged again."""
    if not twice:
        return {key for key, before in charged_before(cycles, account).items() if before == "same"}
    days = account.charged
    return {
        cycle_key(cycle) for cycle in cycles if digest(cycle, twice=True) in days.get((cycle.product, _day(cycle)), ())
    }


def remember(account: Account, cycles: Sequence[Cycle], *, twice: bool = False) -> Account:
    """Record in the account that these cycles were charged, corrections perhaps `twice`: how far each product is settled, and the
    charged usage."""
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
        # A digest reads every line, and of older months only the hour is kept.
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
    """Add the cycles of these days to the months, by product and month."""
    hours = dict(months)
    for (product, day), digests in days.items():
        for text in digests:
            hours[product, day[:7]] = hours.get((product, day[:7]), 0) | _bit(day, text)
    return dict(sorted(hours.items()))


def charged_beyond(there: Account, account: Account) -> list[str]:
    """The days (`2023-11-10`) or months of cycles that the state `there` of an account has charged and `account` has not.

    If one of the two no longer knows which usage of a cycle was charged, only the fact that it was charged is compared.
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
    """The digest of a cycle, such as `10-3f2a91bb07`: the hour of the billing clock at which it begins, and 10 hexadecimal digits
    of the sums of its usage. A cycle that was charged regardless of earlier charges (`twice`) has other digits.

    Prices make no difference. The dash prevents YAML from reading a number.
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
    """The bit of `Account.charged_months` for a cycle that begins on `day` at the hour with which `text` begins."""
    return 1 << (int(day[8:]) - 1) * 24 + int(text[:2])


def _day(cycle: Cycle) -> str:
    return cycle.sheet.billing.calendar.day(cycle.start)
