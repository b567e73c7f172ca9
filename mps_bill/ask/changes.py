"""Why one bill is higher than another: the change between bills, split into the effects of quantity and price, and into new
and gone usage.

The split is made for each item, spec and region, which have one price (and for each value of a requested tag), and then
summed. If the net amount was `before` for the quantity `q`, and is `after` for the quantity `Q`, the quantity effect is
`before` x (`Q` - `q`) / `q`: the change of the quantity at the old average price, rounded once, half up at ten decimals. The
rest is the price effect, so the two always add up. If nothing was used before, the whole amount is new; if nothing is used
after, it is gone.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Final

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, ZERO, nearest
from mps_bill.core.laws import law
from mps_bill.core.times import ALWAYS, Period
from mps_bill.pipeline import BillRun
from mps_bill.rating.bills import Bill, StatementMonth, sum_amounts
from mps_bill.rating.selection import Selection, parts_by

#: The values of the requested groupings.
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeSide:
    """One side of a change: its bills in one part, or in days whose average counts; and the monthly statements that are entirely
    in it. `label` is its text on the command line, or the first of several days."""

    label: str
    parts: tuple[tuple[Bill, ...], ...]
    months: tuple[StatementMonth, ...] = ()
    period: Period | None = None

    @property
    def bills(self) -> tuple[Bill, ...]:
        return tuple(bill for part in self.parts for bill in part)


@dataclass(frozen=True, slots=True)
class Change:
    """Net amounts before and after. `change` is the sum of the four fields after it; `gone` is never above zero."""

    before: Decimal = ZERO
    after: Decimal = ZERO
    change: Decimal = ZERO
    quantity_effect: Decimal = ZERO
    price_effect: Decimal = ZERO
    new: Decimal = ZERO
    gone: Decimal = ZERO

    def __add__(self, other: Change) -> Change:
        return Change(*map(EXACT.add, _amounts(self), _amounts(other)))


_amounts = attrgetter(*(one.name for one in fields(Change)))
NO_CHANGE: Final = Change()


@dataclass(frozen=True, slots=True)
class Standout:
    """A value that cost more, or less, than on any day before; with the lowest and highest cost of these days."""

    name: str
    after: Decimal
    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed. `rows` are by the values of `by`, the largest change first. `total` is the change of the payable amount, and
    `rounding` the part of it that the net amounts do not have. `standouts` are values of the first grouping, if days are
    compared."""

    before: ChangeSide
    after: ChangeSide
    by: tuple[str, ...]
    rows: tuple[tuple[Key, Change], ...]
    rounding: Change
    total: Change
    standouts: tuple[Standout, ...]


@dataclass(slots=True)
class _Use:
    """A quantity in micros and its net amount."""

    micros: int = 0
    net: Decimal = ZERO


#: The keys are item, spec, region and dimension of the quantity, then the values of the groupings.
_Uses = dict[Key, _Use]
_FIXED = 4


def billed_in(run: BillRun, selection: Selection, label: str) -> ChangeSide:
    """Return the side with the bills and statements of a run that are in a selection."""
    period = None if selection.period == ALWAYS else selection.period
    return ChangeSide(label, (selection.bills(run.bills),), tuple(filter(selection.has_month, run.months)), period)


def changes(before: ChangeSide, after: ChangeSide, by: Sequence[str], tags: Sequence[str]) -> Changes:
    """Return what changed from one side to the other, by groupings. Tags in `by` are also in the run's `tags`. `after` has one
    part."""
    with decimal.localcontext(EXACT):
        days = len(before.parts)
        uses, new_uses = _uses(before.bills, by, tags), _uses(after.bills, by, tags)
        rows: dict[Key, Change] = {}
        for finest in dict.fromkeys((*uses, *new_uses)):
            change = _change(uses.get(finest, _Use()), new_uses.get(finest, _Use()), days)
            key = finest[_FIXED:]
            rows[key] = rows.get(key, NO_CHANGE) + change
        net = sum(rows.values(), NO_CHANGE)
        old, new = (sum_amounts(side.bills, side.months) for side in (before, after))
        rounding = NO_CHANGE
        # A part of a bill is not rounded, so there is no payable amount.
        if not (old.is_part or new.is_part):
            payable = nearest(Fraction(old.payable) / days, AMOUNT_PLACES)
            rounding = _by_price(payable - net.before, new.payable - net.after)
        return Changes(
            before,
            after,
            tuple(by),
            tuple(sorted(rows.items(), key=lambda row: (-abs(row[1].change), row[0]))),
            rounding,
            net + rounding,
            tuple(_standouts([_uses(part, by, tags) for part in before.parts], new_uses)) if days > 1 else (),
        )


def _uses(bills: Iterable[Bill], by: Sequence[str], tags: Sequence[str]) -> _Uses:
    """Return the quantities and net amounts of bills by item, spec and region, split by the values of the groupings."""
    found: _Uses = {}
    total = ZERO
    parts = parts_by(by, tags)
    for bill in bills:
        total += bill.amounts.net
        for line in bill.lines:
            item = line.item
            fixed = (item.code, line.spec, line.region, item.unit.dimension)
            for key, part in parts(line):
                use = found.setdefault((*fixed, *key), _Use())
                use.micros += part.micros
                use.net += part.net
    parted = sum((use.net for use in found.values()), ZERO)
    law(parted == total, "the parts of bills do not add up to their net amounts")
    return found


def _change(use: _Use, new_use: _Use, days: int) -> Change:
    """Return the change to `new_use` from the average of `days` days, whose sum is `use`."""
    before, after = nearest(Fraction(use.net) / days, AMOUNT_PLACES), new_use.net
    change = after - before
    if not use.micros and new_use.micros:
        return Change(before, after, change, new=change)
    if use.micros and not new_use.micros:
        return Change(before, after, change, gone=change)
    if not use.micros:
        return _by_price(before, after)
    quantity = Fraction(use.micros)
    more = Fraction(new_use.micros) * days - quantity
    by_quantity = nearest(Fraction(use.net) / days * more / quantity, AMOUNT_PLACES)
    return Change(before, after, change, by_quantity, change - by_quantity)


def _by_price(before: Decimal, after: Decimal) -> Change:
    """Return a change that no quantity explains."""
    return Change(before, after, after - before, price_effect=after - before)


def _standouts(days: Sequence[_Uses], new_uses: _Uses) -> Iterable[Standout]:
    """Return the values whose cost is outside the range of the days before, the furthest first."""
    by_day = [_by_first(day) for day in days]
    now = _by_first(new_uses)
    found = []
    for name in dict.fromkeys(name for day in (now, *by_day) for name in day):
        amounts = [day.get(name, ZERO) for day in by_day]
        standout = Standout(name, now.get(name, ZERO), min(amounts), max(amounts))
        if not standout.lowest <= standout.after <= standout.highest:
            found.append(standout)
    return sorted(found, key=lambda one: (-max(one.after - one.highest, one.lowest - one.after), one.name))


def _by_first(uses: _Uses) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for key, use in uses.items():
        sums[key[_FIXED]] = sums.get(key[_FIXED], ZERO) + use.net
    return sums
