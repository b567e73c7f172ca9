"""Bills as a report of named tables, for a workbook and a page; a settlement has the same tables and more."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from mps_bill.metering.usage import ControlTotals
from mps_bill.pipeline import BillRun, SettleRun
from mps_bill.rating.bills import Amounts, Bill
from mps_bill.view.bill_records import (
    BILL,
    LINE,
    bill_columns,
    bill_record,
    is_discounted,
    line_record,
    month_record,
)
from mps_bill.view.bill_view import item_order
from mps_bill.view.chart_series import cost_by_item, cost_by_period
from mps_bill.view.reading_report import control_totals_text
from mps_bill.view.tables import Column, Columns, Report, Table, Value, pick, table

LINE_COLUMNS = (
    *pick(BILL, "product", "cycle_start", "clock", titles={"cycle_start": "Cycle start"}),
    *LINE,
)


def bill_report(run: BillRun, account: str | None) -> Report:
    """What `bill` found. It has the same tables as a settlement, so that what reads them need not ask which it is."""
    unsettled = "No account was given: `mps-bill settle --account FILE` fills this table."
    columns = bill_columns(discounted=is_discounted(run.bills))
    bills = table("Bills", columns, [*map(bill_record, run.bills), *map(month_record, run.months)])
    empty = (Table(title, (Column("remark"),), (), remark=unsettled) for title in ("Deductions", "Account"))
    tables = (bills, lines_table(run.bills), *empty, *outside_totals(pending=run.pending))
    return run_report("Bills", run, run.bills, tables, sums_of(columns), account)


def sums_of(columns: Columns) -> Columns:
    """Of the columns of bills those of the sums that lead to what is payable."""
    names = Amounts().figures(discounted=True)
    return tuple(column for column in columns if column.key in names)


def outside_totals(late: Sequence[Bill] = (), pending: Sequence[Bill] = ()) -> Iterable[Table]:
    """The bills that are in no total."""
    if late:
        remark = "Late usage of settled cycles, at list price; it was not charged and is in no total."
        yield table("Late bills", bill_columns(discounted=is_discounted(late)), map(bill_record, late), remark=remark)
    if pending:
        remark = "Not issued yet, and in no total."
        columns = bill_columns(discounted=is_discounted(pending))
        yield table("Pending bills", columns, map(bill_record, pending), remark=remark)


def lines_table(bills: Sequence[Bill]) -> Table:
    """A row per line of every bill; the amounts add up to the list amount."""
    heads = ((bill_record(bill), bill) for bill in bills)
    discounted = is_discounted(bills)
    columns = tuple(column for column in LINE_COLUMNS if discounted or column.key != "discount")
    return table("Lines", columns, ({**head, **line_record(line)} for head, bill in heads for line in bill.lines))


def run_report(
    title: str,
    run: BillRun | SettleRun,
    bills: Sequence[Bill],
    tables: Sequence[Table],
    sums: Sequence[Column],
    account: str | None,
) -> Report:
    """The report of a run that has these bills and these tables, control totals behind them."""
    facts: list[tuple[str, Value]] = [("Currency", run.currency), ("Number of bills", len(bills))]
    if bills:
        first = bill_record(min(bills, key=lambda bill: bill.cycle.start))
        last = bill_record(max(bills, key=lambda bill: bill.cycle.end))
        facts += [
            ("First cycle starts", first["cycle_start"]),
            ("Last cycle ends", last["cycle_end"]),
            ("Clock", first["clock"]),
        ]
    facts += [("Price sheet", ref) for ref in sorted({bill.cycle.sheet.ref for bill in bills})]
    names = {line.item.code: line.item.name for bill in bills for line in bill.lines}
    return Report(
        title=title,
        date=max((bill.cycle.issued_at for bill in bills), default=0),
        facts=facts,
        sums=[(column.label, column.key) for column in sums],
        tables=(*tables, control_totals_table(run.control_totals)),
        items=[(code, names[code]) for code in item_order(bills) if code in names],
        currency=run.currency,
        account=account,
        notes=(control_totals_text(run.control_totals),),
        charts=(cost_by_period(bills), cost_by_item(bills)),
    )


def control_totals_table(totals: ControlTotals) -> Table:
    """Rows read first; the others add up to it."""
    counts = dataclasses.asdict(totals)
    rows = tuple((name.replace("_", " ").capitalize(), count) for name, count in counts.items())
    remark = "Rows read = billed + not billable + duplicate + rejected + late + pending."
    return Table("Control totals", (Column("rows"), Column("count", "count")), rows, remark=remark)
