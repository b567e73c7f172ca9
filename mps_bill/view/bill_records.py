"""Bills, lines and statements as records, defined once for tables, CSV rows and JSON, which picks the values of its contract
from the records (format `mps-bill/bills/1`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from mps_bill.core.decimals import plain
from mps_bill.core.language import tr
from mps_bill.core.times import Calendar, date_text, offset_text
from mps_bill.pipeline import BillRun
from mps_bill.rating.bills import Amounts, Bill, StatementMonth
from mps_bill.rating.lines import LineItem
from mps_bill.view.columns import Column, Columns, Moment, Quantity, Record, columns_of, pick, select
from mps_bill.view.reading_report import begin_json

FORMAT = "mps-bill/bills/1"

#: A bill or a statement, made by `bill_record` and `month_record`.
BILL = (
    *columns_of("product", "status", "kind"),
    Column("cycle_start", "time", "From"),
    Column("cycle_end", "time", "To"),
    Column("issued_at", "time", "Issued"),
    *columns_of("clock", "price_sheet"),
    Column("records", "count", summed=True),
    *columns_of("list_amount", "discount", "rounding_adjustment", "payable", kind="amount", summed=True),
    # A part of a bill has this instead of the last two.
    Column("net_amount", "amount", summed=True),
)
#: A line of a bill, made by `line_record`.
LINE = (
    *columns_of("item", "item_name", "family", "spec", "tier", "region"),
    Column("records", "count", summed=True),
    Column("quantity", "quantity"),
    Column("unit"),
    Column("plan_quantity", "quantity", may_hide=True),
    Column("billed_quantity", "quantity"),
    Column("unit_price", "price"),
    Column("amount", "amount", summed=True, sense="line"),
    Column("discount", "amount", summed=True),
)
#: The columns of a line for programs.
_FOR_PROGRAMS = (
    *("item", "family", "spec", "region", "records", "quantity", "unit", "tier"),
    *("plan_quantity", "billed_quantity", "unit_price", "amount"),
)
#: For programs: a row for each line, discount and rounding adjustment, so that `amount` adds up to payable.
RECORDS = (
    *pick(BILL, "product", "status", "cycle_start", "cycle_end", "issued_at", "price_sheet"),
    Column("row"),
    *pick(LINE, *_FOR_PROGRAMS),
    Column("currency"),
)


def bill_record(bill: Bill, status: str = "issued") -> Record:
    cycle = bill.cycle
    return {
        **_head(cycle.sheet.billing.calendar, cycle.product, status, cycle.start, cycle.end, cycle.issued_at),
        "kind": tr("bill") if cycle.correction_at is None else tr("correction"),
        "price_sheet": cycle.sheet.ref,
        "records": sum(line.records for line in bill.lines),
        **bill.amounts.figures(discounted=True),
    }


def month_record(month: StatementMonth) -> Record:
    """Return the record of a monthly statement, which adds only its rounding to its bills."""
    calendar = month.sheet.billing.calendar
    start, end = calendar.month_start(month.month), calendar.month_end(month.month)
    return {
        **_head(calendar, month.sheet.product, "issued", start, end, month.issued_at),
        "kind": tr("statement {month}", month=date_text(month.month)),
        "price_sheet": month.sheet.ref,
        "records": 0,
        **Amounts(rounding_adjustment=month.amounts.rounding_adjustment).figures(discounted=True),
    }


def _head(calendar: Calendar, product: str, status: str, start: int, end: int, issued: int) -> Record:
    return {
        "product": product,
        "status": status,
        "cycle_start": Moment(start, calendar.offset),
        "cycle_end": Moment(end, calendar.offset),
        "issued_at": Moment(issued, calendar.offset),
        "clock": clock_name(calendar),
    }


def clock_name(calendar: Calendar) -> str:
    return f"UTC{offset_text(calendar.offset)}"


def is_discounted(bills: Iterable[Bill]) -> bool:
    """Return whether tables of these bills have a discount column."""
    return any(bill.amounts.discount for bill in bills)


def bill_columns(*, discounted: bool, is_part: bool = False) -> Columns:
    """Return the columns of a table of bills, with discounts only if there are any; parts of bills have a net amount."""
    sums = Amounts(is_part=is_part).figures(discounted=discounted)
    return tuple(
        column for column in BILL if column.key != "status" and (column.kind != "amount" or column.key in sums)
    )


def line_record(line: LineItem) -> Record:
    item = line.item
    return {
        "item": item.code,
        "item_name": item.label,
        "family": item.family,
        "spec": line.spec,
        "tier": line.tier,
        "region": line.region,
        "records": line.records,
        "quantity": Quantity(line.micros, item.unit),
        "unit": tr(item.unit.name),
        "plan_quantity": Quantity(line.covered_micros, item.unit),
        "billed_quantity": Quantity(line.billed_micros, item.unit),
        "unit_price": line.unit_price,
        "amount": line.amount,
        "discount": line.discount,
    }


def charge_records(bill: Bill, status: str, currency: str) -> Iterator[Record]:
    """Yield the rows of a bill for `RECORDS`: its lines, each with its discount if it has one, and its rounding if any."""
    record = bill_record(bill, status)
    head = {**head_of(record), "row": "line", "currency": currency}
    for line in bill.lines:
        shown = line_record(line)
        yield {**head, **shown}
        if line.discount:
            place = select(shown, "item", "family", "spec", "region", "tier")
            yield {**head, "row": "discount", **place, "amount": -line.discount}
    if bill.amounts.rounding_adjustment:
        yield adjustment_record(record, currency)


def head_of(record: Record) -> Record:
    """Return the values at the start of every row of a bill or statement."""
    return {column.key: record[column.key] for column in RECORDS[:6]}


def adjustment_record(record: Record, currency: str) -> Record:
    """Return the row for the rounding of a bill or a statement."""
    adjustment = record["rounding_adjustment"]
    return {**head_of(record), "row": "rounding_adjustment", "amount": adjustment, "currency": currency}


def statement_record(month: StatementMonth) -> Record:
    """Return the record of a statement for programs, with its month in the place of the start of a cycle."""
    return {**month_record(month), "cycle_start": month.month}


def bill_json(bill: Bill) -> dict[str, Any]:
    """Return a bill, with discounts if the account has any."""
    discounted = bool(bill.cycle.contract.discounts)
    return {
        **select(bill_record(bill), "product", "cycle_start", "cycle_end", "issued_at"),
        **({} if bill.cycle.correction_at is None else {"correction": True}),
        "price_sheet": bill.cycle.sheet.ref,
        "lines": [line_json(line, discounted=discounted) for line in bill.lines],
        **bill.amounts.figures(discounted=discounted),
    }


def line_json(line: LineItem, *, discounted: bool = False) -> dict[str, Any]:
    """Return a line. Its `unit_price` keeps the digits of the price sheet; other numbers have no trailing zeros."""
    record = {**line_record(line), "unit_price": plain(line.unit_price)}
    return select(record, *_FOR_PROGRAMS, *(("discount",) if discounted else ()))


def month_json(month: StatementMonth, *, discounted: bool = False) -> dict[str, Any]:
    return {
        "product": month.sheet.product,
        "month": month.month,
        "issued_at": Moment(month.issued_at, month.sheet.billing.calendar.offset),
        **month.amounts.figures(discounted=discounted or bool(month.amounts.discount)),
    }


def bill_run_json(run: BillRun) -> dict[str, Any]:
    """Return the whole result of `bill`. `months` is there only under monthly settlement, `pending` only with `--as-of`."""
    discounted = run.has_discounts
    optional = {
        "months": [month_json(month, discounted=discounted) for month in run.months],
        "pending": list(map(bill_json, run.pending)),
    }
    return {
        **begin_json(FORMAT, run.currency, run.selection, run.offset),
        "control_totals": asdict(run.control_totals),
        "bills": list(map(bill_json, run.bills)),
        "total": run.amounts.figures(discounted=discounted),
        **{key: value for key, value in optional.items() if value},
    }
