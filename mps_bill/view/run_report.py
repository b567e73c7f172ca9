"""Bills as a report of named tables and charts, for a workbook and a web page, or on two pages of paper for the people who sign
it. The report of a settlement has the same tables and more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from mps_bill.ask.summaries import PERIODS, SUM, Summary, largest, listed_items, period_at
from mps_bill.core.decimals import ZERO
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import DAY, HOUR, date_text, offset_text, time_text
from mps_bill.metering.groups import ControlTotals
from mps_bill.pipeline import BillRun, SettleRun
from mps_bill.rating.bills import Amounts, Bill
from mps_bill.view import bill_records
from mps_bill.view.columns import Column, Value, columns_of, pick
from mps_bill.view.reading_report import control_totals_text, selection_text
from mps_bill.view.summary_view import summary_table, summary_title
from mps_bill.view.tables import BILLS, LINES, Bar, Figure, Report, Series, Table, table

#: In the report of a long run, a longer table of details is not printed on paper.
_ON_PAPER = 40
#: Rows for items, and rows for each table if there are one, two or three other groupings, so that the tables fit on their page.
_ITEMS, _ROWS = 16, (12, 5, 3)
#: Groupings that are always on the first page.
_SHOWN = (("day",), ("item",))
#: The number of bars at which a chart is still readable.
_MOST_BARS = {"hour": 48, "day": 62}
_BY = {"hour": mark("Payable by hour"), "day": mark("Payable by day"), "month": mark("Payable by month")}
_PARTS_BY = {
    "hour": mark("Net amount by hour"),
    "day": mark("Net amount by day"),
    "month": mark("Net amount by month"),
}
_STEPS = {"hour": HOUR, "day": DAY, "month": DAY}

CONTROL_TOTALS = columns_of(
    "rows_read",
    "rows_billed",
    "rows_not_billable",
    "rows_duplicate",
    "rows_rejected",
    "rows_late",
    "rows_pending",
    kind="count",
)
LINE_COLUMNS = (
    *pick(bill_records.BILL, "product", "cycle_start", "clock", titles={"cycle_start": "Cycle start"}),
    *bill_records.LINE,
)


def bill_report(run: BillRun, account: str | None, summaries: Sequence[Summary] = ()) -> Report:
    """Return the report of `bill`. It has the same tables as a settlement, so that programs can read both alike."""
    unsettled = tr("No account was given: `mps-bill settle --account FILE` fills this table.")
    columns = bill_records.bill_columns(discounted=bill_records.is_discounted(run.bills), is_part=run.amounts.is_part)
    records = [*map(bill_records.bill_record, run.bills), *map(bill_records.month_record, run.months)]
    bills = table(tr("Bills"), columns, records, name=BILLS, of_details=True)
    empty = (Table(title, (Column("remark"),), (), remark=unsettled) for title in (tr("Deductions"), tr("Account")))
    sums = (summary_table(summary, run.currency) for summary in summaries)
    tables = (bills, *sums, lines_table(run.bills), *empty, *outside_totals(pending=run.pending))
    return run_report(tr("Bills"), run, run.bills, tables, sums_of(run.amounts, run.bills), account)


def sums_of(amounts: Amounts, bills: Iterable[Bill]) -> list[Figure]:
    """Return the sums that lead to the payable amount."""
    sums = amounts.figures(discounted=bill_records.is_discounted(bills))
    return [Figure(column.key, column.label, sums[column.key]) for column in pick(bill_records.BILL, *sums)]


def for_reading(report: Report, in_full: int | None) -> Report:
    """Put the report of a long run into reading order: the summaries, then the details. Tables with more details than a person
    wants `in_full` are left out on paper."""
    maximum = max(_ON_PAPER, in_full or 0)
    tables = [
        replace(table, on_paper=not table.of_details or len(table.rows) <= maximum)
        for table in sorted(report.tables, key=lambda table: table.of_details)
    ]
    return replace(report, tables=tables)


def outside_totals(late: Sequence[Bill] = (), pending: Sequence[Bill] = ()) -> Iterable[Table]:
    """Yield tables of the bills that are in no total."""
    for title, remark, bills in (
        (
            tr("Late bills"),
            tr("Late usage of settled cycles, at list price; it was not charged and is in no total."),
            late,
        ),
        (tr("Pending bills"), tr("Not issued yet, and in no total."), pending),
    ):
        if bills:
            columns = bill_records.bill_columns(discounted=bill_records.is_discounted(bills))
            yield table(title, columns, map(bill_records.bill_record, bills), remark=remark, of_details=True)


def lines_table(bills: Sequence[Bill]) -> Table:
    """Return a table with every line of every bill; the amounts add up to the list amount."""
    heads = ((bill_records.bill_record(bill), bill) for bill in bills)
    discounted = bill_records.is_discounted(bills)
    columns = tuple(column for column in LINE_COLUMNS if discounted or column.key != "discount")
    records = ({**head, **bill_records.line_record(line)} for head, bill in heads for line in bill.lines)
    return table(tr("Lines"), columns, records, name=LINES, of_details=True)


def run_report(
    title: str,
    run: BillRun | SettleRun,
    bills: Sequence[Bill],
    tables: Sequence[Table],
    figures: Sequence[Figure],
    account: str | None,
) -> Report:
    """Return the report of a run with these bills and these tables, followed by the control totals."""
    facts: list[tuple[str, Value]] = [(tr("Currency"), run.currency), (tr("Number of bills"), len(bills))]
    if not run.selection.is_everything:
        facts.append((tr("Selection"), selection_text(run.selection, run.offset)))
    about = [
        *([tr("account {id}", id=account)] if account else []),
        tr_many("{n} bill in {currency}", "{n} bills in {currency}", len(bills), currency=run.currency),
    ]
    if bills:
        first = min(bills, key=lambda bill: bill.cycle.start)
        last = max(bills, key=lambda bill: bill.cycle.end)
        calendar = first.cycle.sheet.billing.calendar
        start, end = (time_text(second, calendar.offset) for second in (first.cycle.start, last.cycle.end))
        facts += [
            (tr("First cycle starts"), bill_records.bill_record(first)["cycle_start"]),
            (tr("Last cycle ends"), bill_records.bill_record(last)["cycle_end"]),
            (tr("Clock"), bill_records.clock_name(calendar)),
        ]
        about.insert(0, tr("{start} to {end} ({clock})", start=start, end=end, clock=bill_records.clock_name(calendar)))
    facts += [(tr("Price sheet"), ref) for ref in sorted({bill.cycle.sheet.ref for bill in bills})]
    used = {line.item.code for bill in bills for line in bill.lines}
    labels = {item.code: item.label for item in listed_items(bills)}
    return Report(
        title=title,
        date=max((bill.cycle.issued_at for bill in bills), default=0),
        facts=facts,
        figures=figures,
        tables=(*tables, control_totals_table(run.control_totals)),
        items=[(code, label) for code, label in labels.items() if code in used],
        currency=run.currency,
        about=about,
        notes=(control_totals_text(run.control_totals),),
        charts=(cost_by_period(bills), cost_by_item(bills)),
    )


def control_totals_table(totals: ControlTotals) -> Table:
    """Return the control totals as a table: the rows read, then the counts that add up to them."""
    rows = tuple((column.label, getattr(totals, column.key)) for column in CONTROL_TOTALS)
    remark = tr("Rows read = billed + not billable + duplicate + rejected + late + pending.")
    return Table(tr("Control totals"), (Column("rows"), Column("count", "count")), rows, remark=remark)


def cost_by_period(bills: Sequence[Bill]) -> Series:
    """Return payable by hour, or by day or month for a longer run; periods in between without bills have empty bars."""
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
    """Return the list amount by item, in the order of the price sheets; rounding belongs to whole bills, not to items."""
    amounts: dict[str, Decimal] = {}
    for bill in bills:
        for line in bill.lines:
            amounts[line.item.code] = amounts.get(line.item.code, ZERO) + line.amount
    labels = {item.code: item.label for item in listed_items(bills)}
    bars = tuple(Bar(code, label, amounts[code]) for code, label in labels.items() if code in amounts)
    return Series(tr("List amount by item"), bars)


def charted(report: Report, summaries: Sequence[Summary]) -> Report:
    """Replace the charts by period and by item with a chart for each summary, if there are any. Only amounts above zero have a
    bar, so roundings usually have none."""
    if not summaries:
        return report
    charts = []
    for summary in summaries:
        rows = [row for row in summary.rows if row.kind == SUM and row.amount > 0]
        names = [" / ".join(key or tr("(none)") for key in row.keys) for row in rows]
        charts.append(Series(summary_title(summary), tuple(map(Bar, names, names, (row.amount for row in rows)))))
    return replace(report, charts=charts)


def two_pages(
    run: BillRun | SettleRun,
    bills: Sequence[Bill],
    figures: Sequence[Figure],
    account: str | None,
    by: Sequence[tuple[str, ...]],
    summaries: Callable[..., Sequence[Summary]],
    further: Sequence[Table] = (),
) -> Report:
    """Return the short report of a run: costs by time and by item, on the next page those by other groupings, then the
    `further` tables. A page without tables is left out."""
    report = run_report(tr("Costs"), run, bills, (), figures, account)
    others = [one for one in by if one not in _SHOWN]
    names = {line.item.code: line.item.label for bill in bills for line in bill.lines}
    by_item, *by_others = summaries(("item",), *others)
    items = [summary_table(largest(by_item, _ITEMS), run.currency, names)] if bills else []
    parts = [summary_table(largest(one, _ROWS[len(others) - 1]), run.currency) for one in by_others]
    return replace(
        report,
        title=_title(bills),
        facts=[(tr("Price sheet"), ref) for ref in sorted({bill.cycle.sheet.ref for bill in bills})],
        tables=(),
        notes=(*_what_is_shown(run), *report.notes),
        charts=report.charts[:1],
        pages=[page for page in (items, [*parts, *further]) if page],
    )


def _title(bills: Sequence[Bill]) -> str:
    """Return `Costs`, with the day or the month if all bills belong to one."""
    for period in ("day", "month"):
        found = {period_at(bill.cycle.start, bill.cycle.sheet.billing.calendar, period) for bill in bills}
        if len(found) == 1:
            return tr("{name}: {value}", name=tr("Costs"), value=date_text(found.pop()))
    return tr("Costs")


def _what_is_shown(run: BillRun | SettleRun) -> list[str]:
    """Say whether only a part of the run is shown, and how many bills are in no total."""
    notes = [] if run.selection.is_everything else [selection_text(run.selection, run.offset)]
    pending = run.pending if isinstance(run, BillRun) else run.settled.pending
    if pending:
        notes.append(tr("Pending bills, not issued yet and in no total: {n}.", n=len(pending)))
    if not isinstance(run, BillRun) and run.settled.late:
        notes.append(tr("Late bills, not charged and in no total: {n}.", n=len(run.settled.late)))
    return notes
