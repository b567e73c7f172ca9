"""What charts plot: the payable amount by hour, day or month, and the list amount by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.core.times import DAY, HOUR, offset_text
from mps_bill.rating.bills import Bill
from mps_bill.report.bill_tables import PERIODS, item_order, period_at, period_name
from mps_bill.report.data_tables import RunData

#: As many bars as a chart can hold and still be read.
_MOST_BARS = {"hour": 48, "day": 62}
_STEPS = {"hour": HOUR, "day": DAY, "month": DAY}


@dataclass(frozen=True, slots=True)
class Bar:
    """`name` tells bars apart; `label` is what a person reads."""

    name: str
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """Bars in the order in which they are drawn, none below zero."""

    title: str
    bars: tuple[Bar, ...]

    def share(self, bar: Bar) -> float:
        """How much of the longest bar this one has, from 0 to 1: a length to draw, never an amount to show."""
        most = max(bar.amount for bar in self.bars)
        return float(bar.amount) / float(most) if most > 0 else 0.0


def cost_by_period(bills: Sequence[Bill]) -> Series:
    """Payable by hour, or by day or month of a longer run, with empty bars where nothing was billed in between."""
    if not bills:
        return Series("Payable by hour", ())
    calendar = bills[0].cycle.sheet.billing.calendar
    first, last = (bound(bill.cycle.start for bill in bills) for bound in (min, max))
    for period in PERIODS:
        names = {period_at(second, calendar, period) for second in range(first, last + 1, _STEPS[period])}
        if len(names) <= _MOST_BARS.get(period, len(names)):
            break
    amounts = dict.fromkeys(names, ZERO)
    for bill in bills:
        name = period_name(bill.cycle, period)
        amounts[name] = amounts.get(name, ZERO) + bill.amounts.payable
    bars = tuple(Bar(name, name, amounts[name]) for name in sorted(amounts))
    return Series(f"Payable by {period} (UTC{offset_text(calendar.offset)})", bars)


def cost_by_item(bills: Sequence[Bill]) -> Series:
    """List amount by item, as the price sheets list them; rounding adjustments belong to whole bills, not to items."""
    amounts: dict[str, Decimal] = {}
    names: dict[str, str] = {}
    for bill in bills:
        for line in bill.lines:
            amounts[line.item.code] = amounts.get(line.item.code, ZERO) + line.amount
            names[line.item.code] = line.item.name
    bars = tuple(Bar(code, names[code], amounts[code]) for code in item_order(bills) if code in amounts)
    return Series("List amount by item", bars)


def paid_from(data: RunData) -> Series | None:
    """What a settlement was paid from, and what is outstanding or frozen; None for bills, which nothing has paid."""
    bars = []
    for label, title, field in data.summary.sums:
        table = data.table(title)
        index = table.index(field)
        amount = table.total(index)
        if table.fields[index].may_hide and amount > 0:
            bars.append(Bar(field, label, amount))
    return Series("Paid from", tuple(bars)) if bars else None
