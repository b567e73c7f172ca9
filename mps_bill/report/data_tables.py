"""A run as tables of typed values, for renderers that need more than text: the workbook and the web page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import ZERO
from mps_bill.core.times import Calendar, offset_text
from mps_bill.core.units import in_unit
from mps_bill.metering.usage import ControlTotals
from mps_bill.pipeline import BillRun
from mps_bill.rating.bills import Amounts, Bill, StatementMonth
from mps_bill.rating.lines import LineItem
from mps_bill.report.bill_tables import item_order
from mps_bill.report.control_totals import control_totals_text


@dataclass(frozen=True, slots=True)
class Moment:
    """A second since the epoch, to be shown on the clock `offset` seconds east of UTC."""

    second: int
    offset: int


#: None is an empty cell.
Value = str | int | Decimal | Moment | None
Kind = Literal["text", "count", "quantity", "price", "amount", "time"]


@dataclass(frozen=True, slots=True)
class Field:
    """A column. `summed`: its values add up to something that a reader wants. `may_hide`: of no interest where it is 0 in
    every row."""

    title: str
    kind: Kind = "text"
    summed: bool = False
    may_hide: bool = False


@dataclass(frozen=True, slots=True)
class DataTable:
    """Rows of values under fields. `remark` says what the table holds, or why it is empty."""

    title: str
    fields: tuple[Field, ...]
    rows: tuple[tuple[Value, ...], ...]
    remark: str = ""

    def total(self, index: int) -> Decimal:
        """The exact sum of a column of numbers; empty cells count nothing."""
        return sum((Decimal(value) for row in self.rows if isinstance(value := row[index], int | Decimal)), ZERO)

    @property
    def titles(self) -> list[str]:
        return [field.title for field in self.fields]

    def index(self, title: str) -> int:
        """Where the field with this title stands."""
        return self.titles.index(title)


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands before the tables. `date` (seconds since the epoch) is that of the newest thing reported, so that a
    report does not change with the day on which it is made."""

    title: str
    date: int
    facts: tuple[tuple[str, Value], ...]
    #: label, title of a table, field of it of which the total is shown
    sums: tuple[tuple[str, str, str], ...]
    #: item code, its name: the items to sum the lines by
    items: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PlanPart:
    """The micros of a line that one resource plan covers."""

    plan_id: str
    plan_name: str
    micros: int


#: The parts of the lines of a bill that plans cover: line number -> parts.
Coverage = Mapping[int, Sequence[PlanPart]]


@dataclass(frozen=True, slots=True)
class RunData:
    """Everything that reports show of a run: bills, each with what plans cover of it, monthly statements, tables.

    `account` is the id of the account that pays, where it is known; `notes` are sentences for people.
    """

    summary: Summary
    currency: str
    account: str | None
    charged: tuple[tuple[Bill, Coverage], ...]
    months: tuple[StatementMonth, ...]
    tables: tuple[DataTable, ...]
    notes: tuple[str, ...]

    @property
    def bills(self) -> tuple[Bill, ...]:
        return tuple(bill for bill, _ in self.charged)

    def table(self, title: str) -> DataTable:
        return next(table for table in self.tables if table.title == title)


BILL_FIELDS = (
    Field("Product"),
    Field("Kind"),
    Field("From", "time"),
    Field("To", "time"),
    Field("Issued", "time"),
    Field("Clock"),
    Field("Price sheet"),
    Field("Records", "count", summed=True),
    Field("List amount", "amount", summed=True),
    Field("Rounding adjustment", "amount", summed=True),
    Field("Payable", "amount", summed=True),
)
LINE_FIELDS = (
    Field("Product"),
    Field("Cycle start", "time"),
    Field("Clock"),
    Field("Item"),
    Field("Item name"),
    Field("Family"),
    Field("Spec"),
    Field("Tier"),
    Field("Region"),
    Field("Records", "count", summed=True),
    Field("Quantity", "quantity"),
    Field("Unit"),
    Field("Plan quantity", "quantity", may_hide=True),
    Field("Billed quantity", "quantity"),
    Field("Unit price", "price"),
    Field("Amount", "amount", summed=True),
)


def bills_table(
    bills: Sequence[Bill], months: Sequence[StatementMonth] = (), title: str = "Bills", remark: str = ""
) -> DataTable:
    """A row per bill, then a row per monthly statement, which holds only the cut that is the statement's own."""
    rows = [bill_row(bill) for bill in bills]
    rows += [month_row(month) for month in months]
    return DataTable(title, BILL_FIELDS, tuple(rows), remark)


def bill_row(bill: Bill) -> tuple[Value, ...]:
    cycle = bill.cycle
    records = sum(line.records for line in bill.lines)
    start, end = cycle.start, cycle.end
    return _bill_cells(
        cycle.sheet.billing.calendar,
        (cycle.product, "bill" if cycle.correction_at is None else "correction"),
        (start, end, cycle.issued_at),
        cycle.sheet.ref,
        records,
        bill.amounts,
    )


def month_row(month: StatementMonth) -> tuple[Value, ...]:
    calendar = month.sheet.billing.calendar
    adjustment = Amounts(ZERO, month.amounts.rounding_adjustment)
    times = (calendar.month_start(month.month), calendar.month_end(month.month), month.issued_at)
    return _bill_cells(
        calendar, (month.sheet.product, f"statement {month.month}"), times, month.sheet.ref, 0, adjustment
    )


def _bill_cells(
    calendar: Calendar, head: tuple[str, str], times: tuple[int, int, int], sheet: str, records: int, amounts: Amounts
) -> tuple[Value, ...]:
    moments = (Moment(second, calendar.offset) for second in times)
    money = (amounts.list_amount, amounts.rounding_adjustment, amounts.payable)
    return (*head, *moments, clock_name(calendar), sheet, records, *money)


def lines_table(bills: Sequence[Bill]) -> DataTable:
    """A row per line of every bill; the amounts add up to the list amount."""
    return DataTable("Lines", LINE_FIELDS, tuple(line_row(bill, line) for bill in bills for line in bill.lines))


def line_row(bill: Bill, line: LineItem) -> tuple[Value, ...]:
    calendar = bill.cycle.sheet.billing.calendar
    unit = line.item.unit
    return (
        bill.cycle.product,
        Moment(bill.cycle.start, calendar.offset),
        clock_name(calendar),
        line.item.code,
        line.item.name,
        line.item.family,
        line.spec,
        line.tier,
        line.region,
        line.records,
        in_unit(line.micros, unit),
        unit.name,
        in_unit(line.plan_micros, unit),
        in_unit(line.billed_micros, unit),
        line.unit_price,
        line.amount,
    )


def control_totals_table(totals: ControlTotals) -> DataTable:
    """Rows read first; the others add up to it."""
    counts = dataclasses.asdict(totals)
    rows = tuple((name.replace("_", " ").capitalize(), count) for name, count in counts.items())
    remark = "Rows read = billed + not billable + duplicate + rejected + late + pending."
    return DataTable("Control totals", (Field("Rows"), Field("Count", "count")), rows, remark)


def clock_name(calendar: Calendar) -> str:
    return f"UTC{offset_text(calendar.offset)}"


def bill_run_data(run: BillRun, account: str | None = None) -> RunData:
    """What `bill` found. It has the same tables as a settlement, so that what reads them need not ask which it is."""
    unsettled = "No account was given: `mps-bill settle --account FILE` fills this table."
    tables: tuple[DataTable, ...] = (
        bills_table(run.bills, run.months),
        lines_table(run.bills),
        DataTable("Deductions", (Field("Remark"),), (), unsettled),
        DataTable("Account", (Field("Remark"),), (), unsettled),
    )
    if run.pending:
        tables += (bills_table(run.pending, title="Pending bills", remark="Not issued yet, and in no total."),)
    sums = tuple((title, "Bills", title) for title in ("List amount", "Rounding adjustment", "Payable"))
    summary = run_summary("Bills", run.currency, run.bills, sums)
    return RunData(
        summary=summary,
        currency=run.currency,
        account=account,
        charged=tuple((bill, {}) for bill in run.bills),
        months=run.months,
        tables=(*tables, control_totals_table(run.control_totals)),
        notes=(control_totals_text(run.control_totals),),
    )


def run_summary(title: str, currency: str, bills: Sequence[Bill], sums: tuple[tuple[str, str, str], ...]) -> Summary:
    facts: list[tuple[str, Value]] = [("Currency", currency), ("Number of bills", len(bills))]
    if bills:
        first = min(bills, key=lambda bill: bill.cycle.start)
        last = max(bills, key=lambda bill: bill.cycle.end)
        facts += [
            ("First cycle starts", Moment(first.cycle.start, first.cycle.sheet.billing.calendar.offset)),
            ("Last cycle ends", Moment(last.cycle.end, last.cycle.sheet.billing.calendar.offset)),
            ("Clock", clock_name(first.cycle.sheet.billing.calendar)),
        ]
    facts += [("Price sheet", ref) for ref in sorted({bill.cycle.sheet.ref for bill in bills})]
    names = {line.item.code: line.item.name for bill in bills for line in bill.lines}
    items = tuple((code, names[code]) for code in item_order(bills) if code in names)
    return Summary(title, max((bill.cycle.issued_at for bill in bills), default=0), tuple(facts), sums, items)
