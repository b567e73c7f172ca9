"""A run on two pages of paper, for those who sign it: figures, costs by time, by item and by tags, who paid, what is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mps_bill.ask.summaries import Summary, largest, period_at
from mps_bill.core.language import tr
from mps_bill.core.times import date_text
from mps_bill.pipeline import BillRun, SettleRun
from mps_bill.rating.bills import Bill
from mps_bill.view.run_report import run_report
from mps_bill.view.run_selection import selection_text
from mps_bill.view.summary_view import summary_table
from mps_bill.view.tables import Figure, Report, Table

#: Rows for items, and for each of one, two or three other groupings, so that each page of paper holds its tables.
_ITEMS, _ROWS = 16, (12, 5, 3)
#: Groupings that are on the first page anyway.
_SHOWN = (("day",), ("item",))


def two_pages(
    run: BillRun | SettleRun,
    bills: Sequence[Bill],
    figures: Sequence[Figure],
    account: str | None,
    by: Sequence[tuple[str, ...]],
    summary: Callable[[tuple[str, ...]], Summary],
    behind: Sequence[Table] = (),
) -> Report:
    """The report of a run in short: costs by time and by item, and on the next page those by other groupings, then the tables
    `behind` them. A page without tables is left out."""
    report = run_report(tr("Costs"), run, bills, (), figures, account)
    others = [one for one in by if one not in _SHOWN]
    names = {line.item.code: line.item.label for bill in bills for line in bill.lines}
    items = [summary_table(largest(summary(("item",)), _ITEMS), run.currency, names)] if bills else []
    parts = [summary_table(largest(summary(one), _ROWS[len(others) - 1]), run.currency) for one in others]
    return replace(
        report,
        title=_title(bills),
        facts=[(tr("Price sheet"), ref) for ref in sorted({bill.cycle.sheet.ref for bill in bills})],
        tables=(),
        notes=(*_what_is_shown(run), *report.notes),
        charts=report.charts[:1],
        pages=[page for page in (items, [*parts, *behind]) if page],
    )


def _title(bills: Sequence[Bill]) -> str:
    """Costs, with the month or the day that the bills are of where it is one."""
    for period in ("day", "month"):
        found = {period_at(bill.cycle.start, bill.cycle.sheet.billing.calendar, period) for bill in bills}
        if len(found) == 1:
            return tr("{name}: {value}", name=tr("Costs"), value=date_text(found.pop()))
    return tr("Costs")


def _what_is_shown(run: BillRun | SettleRun) -> list[str]:
    """That a part of the run is shown, and what of it is in no total."""
    notes = [] if run.selection.is_everything else [selection_text(run.selection, run.offset)]
    pending = run.pending if isinstance(run, BillRun) else run.settled.pending
    if pending:
        notes.append(tr("Pending bills, not issued yet and in no total: {n}.", n=len(pending)))
    if not isinstance(run, BillRun) and run.settled.late:
        notes.append(tr("Late bills, not charged and in no total: {n}.", n=len(run.settled.late)))
    return notes
