"""Bills, their lines and statements, spelled once: for tables, for rows of programs, and for JSON, which picks from the
records what its contract has (format `mps-bill/bills/1`)."""

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

#: A bill or a statement, as `bill_record` and `month_record` spell it.
BILL = (
    *columns_of("product", "status", "kind"),
    Column("cycle_start", "time", "From"),
    Column("cycle_end", "time", "To"),
    Column("issued_at", "time", "Issued"),
    *columns_of("clock", "price_sheet"),
    Column("records", "count", summed=True),
    *columns_of("list_amount", "discount", "rounding_adjustment", "payable", kind="amount", summed=True),
    # Of a part of a bill in the place of the last two.
    Column("net_amount", "amount", summed=True),
)
#: A line of a bill, as `line_record` spells it.
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
#: What programs are shown of a line.
_FOR_PROGRAMS = (
    *("item", "family", "spec", "region", "records", "quantity", "unit", "tier"),
    *("plan_quantity", "billed_quantity", "unit_price", "amount"),
)
#: For programs: a row per line, per discount and per rounding adjustment, so that `amount` sums to payable.
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
    """A monthly statement, of which only the rounding is its own."""
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
    """Whether tables of these bills have a column of discounts."""
    return any(bill.amounts.discount for bill in bills)


def bill_columns(*, discounted: bool, is_part: bool = False) -> Columns:
    """The columns of bills in a table, which has discounts only where there are some; of parts of bills those of parts."""
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
        "plan_quantity": Quantity(line.plan_micros, item.unit),
        "billed_quantity": Quantity(line.billed_micros, item.unit),
        "unit_price": line.unit_price,
        "amount": line.amount,
        "discount": line.discount,
    }


#: What says of a discount which line it is of.
_WHERE = frozenset(("item", "family", "spec", "region", "tier"))


def charge_records(bill: Bill, status: str, currency: str) -> Iterator[Record]:
    """The rows of a bill under `RECORDS`: its lines, and the rounding where there is any."""
    record = bill_record(bill, status)
    head = {**head_of(record), "row": "line", "currency": currency}
    for line in bill.lines:
        yield {**head, **line_record(line)}
        if line.discount:
            of = {key: value for key, value in line_record(line).items() if key in _WHERE}
            yield {**head, "row": "discount", **of, "amount": -line.discount}
    if bill.amounts.rounding_adjustment:
        yield adjustment_record(record, currency)


def head_of(record: Record) -> Record:
    """What every row of a bill or statement begins with."""
    return {column.key: record[column.key] for column in RECORDS[:6]}


def adjustment_record(record: Record, currency: str) -> Record:
    """The row of the rounding of a bill or a statement."""
    adjustment = record["rounding_adjustment"]
    return {**head_of(record), "row": "rounding_adjustment", "amount": adjustment, "currency": currency}


def statement_record(month: StatementMonth) -> Record:
    """A statement in a row for programs, which names its month where a bill has the start of its cycle."""
    return {**month_record(month), "cycle_start": month.month}


def bill_json(bill: Bill) -> dict[str, Any]:
    """One bill, with its discounts where the account has some."""
    discounted = bool(bill.cycle.contract.discounts)
    return {
        **select(bill_record(bill), "product", "cycle_start", "cycle_end", "issued_at"),
        **({} if bill.cycle.correction_at is None else {"correction": True}),
        "price_sheet": bill.cycle.sheet.ref,
        "lines": [line_json(line, discounted=discounted) for line in bill.lines],
        **bill.amounts.figures(discounted=discounted),
    }


def line_json(line: LineItem, *, discounted: bool = False) -> dict[str, Any]:
    """A line, whose `unit_price` keeps the digits of the price sheet; every other number is without trailing zeros."""
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
