"""Bills: each itemised, summaries, totals, control totals."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import counted
from mps_bill.core.shares import split_amount
from mps_bill.core.times import Calendar, clock
from mps_bill.core.units import in_unit
from mps_bill.metering.usage import TAG_PREFIX
from mps_bill.pipeline import BillRun
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.rating.bills import Amounts, Bill, Cycle, StatementMonth, sum_amounts
from mps_bill.rating.lines import LineItem
from mps_bill.view.bill_records import (
    BILL,
    LINE,
    RECORDS,
    adjustment_record,
    bill_record,
    bill_run_json,
    charge_records,
    clock_name,
    is_discounted,
    line_record,
    statement_record,
)
from mps_bill.view.reading_report import control_totals_text
from mps_bill.view.tables import (
    Block,
    Column,
    Columns,
    Heading,
    Note,
    Record,
    Records,
    Report,
    Row,
    Table,
    Value,
    pick,
    row_of,
)

T = TypeVar("T")

PERIODS = ("hour", "day", "month")
_MANY_HOURS = 48


@dataclass(frozen=True, slots=True)
class BillView:
    """What `bill` found: `by` are the groupings of its summaries, `in_full` the bills printed in full (None: all of them),
    `account` the provider's id of the account, where it is known."""

    run: BillRun
    by: Sequence[str] = ()
    in_full: int | None = None
    account: str | None = None

    def printed(self) -> Iterator[Block]:
        run = self.run
        shown = run.bills[: self.in_full]
        for bill in shown:
            yield bill_table(bill, run.currency)
        if rest := len(run.bills) - len(shown):
            bills = f"{rest} {'more ' if shown else ''}{'bill is' if rest == 1 else 'bills are'}"
            yield Note(f"{bills} summarised below; --all prints every bill in full.")
        yield from summaries(run.bills, run.months, run.currency, run.tags, self.by)
        if run.pending:
            yield pending_table(run.pending, run.currency)
        yield Note(control_totals_text(run.control_totals))

    def records(self) -> Records:
        return Records(RECORDS, self._records())

    def _records(self) -> Iterator[Record]:
        run = self.run
        for status, bills in (("issued", run.bills), ("pending", run.pending)):
            for bill in bills:
                yield from charge_records(bill, status, run.currency)
        for month in run.months:
            yield adjustment_record(statement_record(month), run.currency)

    def document(self) -> dict[str, Any]:
        return bill_run_json(self.run)

    def tables(self) -> Report:
        from mps_bill.view.run_report import bill_report

        return bill_report(self.run, self.account)

    page = charts = tables

    def focus(self) -> Records:
        from mps_bill.view.focus_view import focus_records

        months = ((month, ()) for month in self.run.months)
        return focus_records(((bill, {}, ()) for bill in self.run.bills), months, self.run.currency, self.account)


def bill_table(bill: Bill, currency: str) -> Table:
    """One bill, its lines under their items. Where plans cover anything a column says how much of the quantity."""
    plans = ("plan_quantity",) if any(line.plan_micros for line in bill.lines) else ()
    keys = ("spec", "region", "records", "quantity", *plans, "unit_price", "amount")
    columns = pick(LINE, *keys, unit=currency, titles={"plan_quantity": "Plans"})
    rows: list[Row | Heading] = []
    item: Item | None = None
    for line in bill.lines:
        if item is None or line.item.code != item.code:
            item = line.item
            rows.append(Heading(f"{item.code}: {item.name}, per {item.unit.name}"))
        shown = dict(line_record(line))
        shown["spec"] = f"  {line.spec}" + (f" ({line.tier})" if line.tier else "")
        shown["records"] = line.records or None
        if not line.plan_micros:
            shown["plan_quantity"] = None
        rows.append(row_of(columns, shown))
    return Table(bill_title(bill.cycle), columns, rows, tuple(_closing_rows(bill, len(columns))))


def bill_title(cycle: Cycle) -> str:
    """`mps 2023-11-10 11:00 to 12:00 (UTC+08:00), issued 13:00` and the sheet."""
    calendar = cycle.sheet.billing.calendar
    start, end, issued = (clock(second, calendar.offset) for second in (cycle.start, cycle.end, cycle.issued_at))
    day = start[:10]
    end, issued = (moment.removeprefix(f"{day} ") for moment in (end, issued))
    name = "Bill" if cycle.correction_at is None else "Correction"
    return f"{name} of {cycle.product}: {start} to {end} ({clock_name(calendar)}), issued {issued}\n{cycle.sheet.ref}"


def _closing_rows(bill: Bill, width: int) -> Iterator[Row]:
    amounts = bill.amounts
    blank = (None,) * (width - 2)
    monthly = ", monthly" if bill.cycle.is_monthly else ""
    yield (f"List amount{monthly}", *blank, amounts.list_amount)
    if amounts.discount:
        yield ("Discount", *blank, -amounts.discount)
    if bill.cycle.is_monthly:
        if amounts.discount:
            yield ("Net amount", *blank, amounts.net)
        return
    # Beside more columns the longer word would not fit 80 columns.
    yield ("Rounding adjustment" if width == 6 else "Rounding", *blank, amounts.rounding_adjustment)
    yield ("Payable", *blank, amounts.payable)


def summaries(
    bills: Sequence[Bill], months: Sequence[StatementMonth], currency: str, tags: Sequence[str], by: Sequence[str]
) -> Iterator[Table]:
    """A table for every grouping asked for; without any, by hour (or by day, of a long run) and by item."""
    if not by:
        by = ("hour" if len(bills) <= _MANY_HOURS else "day", "item")
    for grouping in by:
        if grouping in PERIODS:
            yield period_table(bills, grouping, currency)
        elif grouping.startswith(TAG_PREFIX):
            yield tag_table(bills, tags.index(grouping), grouping, currency)
        else:
            yield line_table(bills, grouping, currency)
    yield total_table(bills, months, currency)


def period_table(bills: Sequence[Bill], period: str, currency: str) -> Table:
    """Bills, records and amounts per hour, day or month of the billing clock."""
    discounted = is_discounted(bills)
    counts = (Column("Bills", "count"), *pick(BILL, "records"))
    columns = (Column(period.capitalize()), *counts, *money_columns(currency, discounted=discounted))
    groups = _grouped(bills, lambda bill: period_name(bill.cycle, period))

    def row(name: str, members: Sequence[Bill]) -> Row:
        return (name, len(members), _records(members), *money(members, discounted=discounted))

    rows = tuple(row(name, members) for name, members in groups.items())
    return Table(f"By {period}", columns, rows, (row("Total", bills),))


def period_name(cycle: Cycle, period: str) -> str:
    return period_at(cycle.start, cycle.sheet.billing.calendar, period)


def period_at(second: int, calendar: Calendar, period: str) -> str:
    """The hour, day or month that holds a second, as people read it on the billing clock."""
    if period == "month":
        return calendar.month(second)
    return calendar.day(second) if period == "day" else clock(second, calendar.offset)


def line_table(bills: Sequence[Bill], grouping: str, currency: str) -> Table:
    """Records, quantity and list amount by item or by region. Adjustments belong to whole bills and stand in the total."""
    lines = [line for bill in bills for line in bill.lines]
    measured = ("quantity", "unit") if grouping == "item" else ()
    amounts = ("amount", "discount") if is_discounted(bills) else ("amount",)
    columns = pick(LINE, grouping, "records", *measured, *amounts, unit=currency, titles={"amount": "List amount"})
    groups = _grouped(lines, lambda line: line.item.code if measured else line.region)
    order = item_order(bills) if measured else sorted(groups)
    rows = [
        (
            name,
            sum(line.records for line in groups[name]),
            *_measure(groups[name])[: len(measured)],
            *(_sum(groups[name], amount) for amount in amounts),
        )
        for name in order
        if name in groups
    ]
    total = (
        "Total",
        sum(line.records for line in lines),
        *(None for _ in measured),
        *(_sum(lines, amount) for amount in amounts),
    )
    return Table(f"By {grouping}", columns, rows, (total,))


def _measure(lines: Sequence[LineItem]) -> tuple[Value, Value]:
    """The quantity of lines and its unit, where they have one."""
    units = {line.item.unit.name: line.item.unit for line in lines}
    if len(units) > 1:
        return (None, "several")
    (unit,) = units.values()
    return (in_unit(sum(line.micros for line in lines), unit), unit.name)


def tag_table(bills: Sequence[Bill], position: int, tag: str, currency: str) -> Table:
    """List amount and discount by the values of a tag, each line split by the quantities that carry them."""
    names = {"amount": "list_amount", **({"discount": "discount"} if is_discounted(bills) else {})}
    sums: dict[str, list[Decimal]] = {}
    for bill in bills:
        for line in bill.lines:
            values = [(tags[position], micros) for tags, micros in line.charge.shares]
            for place, name in enumerate(names):
                for value, amount in split_amount(getattr(line, name), values):
                    sums.setdefault(value, [ZERO] * len(names))[place] += amount
    rows: list[Row] = [(value or "(none)", *amounts) for value, amounts in sorted(sums.items())]
    columns = (Column(tag, title=tag), *pick(BILL, *names.values(), unit=currency))
    total = [sum((amounts[place] for amounts in sums.values()), ZERO) for place in range(len(names))]
    return Table(f"By {tag}", columns, rows, (("Total", *total),))


def total_table(bills: Sequence[Bill], months: Sequence[StatementMonth], currency: str) -> Table:
    total = sum_amounts(bills, months)
    rows: list[Row] = [
        (
            f"{month.sheet.product} statement of {month.month}, rounding adjustment",
            month.amounts.rounding_adjustment,
        )
        for month in months
    ]
    rows += total_rows(total)[:-1]
    title = f"Total of {counted(len(bills), 'bill')}"
    return Table(title, sum_columns(currency), rows, (("Payable", total.payable),))


def total_rows(total: Amounts) -> list[Row]:
    """What leads from the list amount to what is payable; a discount takes off."""
    discount = [("Discount", -total.discount)] if total.discount else []
    return [
        ("List amount", total.list_amount),
        *discount,
        ("Rounding adjustments", total.rounding_adjustment),
        ("Payable", total.payable),
    ]


def sum_columns(currency: str) -> Columns:
    """The columns of sums, each in a row with its name."""
    return (Column(""), Column("", "amount", unit=currency))


def pending_table(pending: Sequence[Bill], currency: str) -> Table:
    """Bills that are not issued yet, and in no total."""
    discounted = is_discounted(pending)
    head_columns = (Column("Cycle"), Column("Product"), Column("To be issued"))
    columns = (*head_columns, *money_columns(currency, discounted=discounted))
    rows = []
    for bill in pending:
        head = bill_record(bill)
        rows.append((head["cycle_start"], head["product"], head["issued_at"], *money([bill], discounted=discounted)))
    return Table("Pending, in no total: not issued yet", columns, rows)


def money_columns(currency: str, *, discounted: bool) -> Columns:
    *others, payable = pick(BILL, *Amounts().figures(discounted=discounted), titles={"rounding_adjustment": "Rounding"})
    return (*others, dataclasses.replace(payable, unit=currency))


def money(bills: Iterable[Bill], *, discounted: bool) -> tuple[Value, ...]:
    return tuple(sum_amounts(bills).figures(discounted=discounted).values())


def item_order(bills: Iterable[Bill]) -> list[str]:
    """The items as the price sheets list them."""
    sheets = {bill.cycle.sheet.ref: bill.cycle.sheet for bill in bills}
    return list(dict.fromkeys(code for _, sheet in sorted(sheets.items()) for code in sheet.items))


def _records(bills: Iterable[Bill]) -> int:
    return sum(line.records for bill in bills for line in bill.lines)


def _sum(lines: Iterable[LineItem], amount: str) -> Decimal:
    return sum((getattr(line, amount) for line in lines), ZERO)


def _grouped(values: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    """The values under their names, in order of first appearance."""
    groups: dict[str, list[T]] = {}
    for value in values:
        groups.setdefault(name(value), []).append(value)
    return groups
