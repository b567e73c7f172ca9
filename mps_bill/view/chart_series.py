"""What charts plot: the payable amount by hour, day or month, and the list amount by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from mps_bill.ask.summaries import PERIODS, SUM, Summary, listed_items, period_at
from mps_bill.core.decimals import ZERO
from mps_bill.core.language import mark, tr
from mps_bill.core.times import DAY, HOUR, date_text, offset_text
from mps_bill.rating.bills import Bill
from mps_bill.view.summary_view import summary_title
from mps_bill.view.tables import Bar, Report, Series

#: As many bars as a chart can hold and still be read.
_MOST_BARS = {"hour": 48, "day": 62}
_BY = {"hour": mark("Payable by hour"), "day": mark("Payable by day"), "month": mark("Payable by month")}
_PARTS_BY = {
    "hour": mark("Net amount by hour"),
    "day": mark("Net amount by day"),
    "month": mark("Net amount by month"),
}
_STEPS = {"hour": HOUR, "day": DAY, "month": DAY}


def cost_by_period(bills: Sequence[Bill]) -> Series:
    """Payable by hour, or by day or month of a longer run, with empty bars where nothing was billed in between."""
    if not bills:
        return Series(tr("Payable by hour"), ())
    calendar = bills[0].cycle.sheet.billing.calendar
    first, last = (bound(bill.cycle.start for bill in bills) for bound in (min, max))
    for period in PERIODS:
        names = {period_at(second, calendar, period) for second in range(first, last + 1, _STEPS[period])}
        if len(names) <= _MOST_BARS.get(period, len(names)):
            break
    amounts = dict.fromkeys(names, ZERO)
    for bill in bills:
        name = period_at(bill.cycle.start, calendar, period)
        amounts[name] = amounts.get(name, ZERO) + bill.amounts.payable
    bars = tuple(Bar(name, date_text(name), amounts[name]) for name in sorted(amounts))
    is_part = any(bill.amounts.is_part for bill in bills)
    title = tr((_PARTS_BY if is_part else _BY)[period])
    return Series(f"{title} (UTC{offset_text(calendar.offset)})", bars)


def cost_by_item(bills: Sequence[Bill]) -> Series:
    """List amount by item, as the price sheets list them; rounding adjustments belong to whole bills, not to items."""
    amounts: dict[str, Decimal] = {}
    for bill in bills:
        for line in bill.lines:
            amounts[line.item.code] = amounts.get(line.item.code, ZERO) + line.amount
    labels = {item.code: item.label for item in listed_items(bills)}
    bars = tuple(Bar(code, label, amounts[code]) for code, label in labels.items() if code in amounts)
    return Series(tr("List amount by item"), bars)


def charted(report: Report, summaries: Sequence[Summary]) -> Report:
    """The report with a chart of each summary, where there are any, in the place of those by period and by item. What is not
    above 0, such as a rounding, has no bar."""
    if not summaries:
        return report
    charts = []
    for summary in summaries:
        rows = [row for row in summary.rows if row.kind == SUM and row.comes_to > 0]
        names = [" / ".join(key or tr("(none)") for key in row.keys) for row in rows]
        charts.append(Series(summary_title(summary), tuple(map(Bar, names, names, (row.comes_to for row in rows)))))
    return replace(report, charts=charts)
