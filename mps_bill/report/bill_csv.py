"""Bills as CSV for a spreadsheet: a row per line, and a row per rounding adjustment, so that `amount` sums to payable."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import IO

from mps_bill.core.decimals import plain, stripped
from mps_bill.core.times import iso
from mps_bill.core.units import in_unit
from mps_bill.rating.bills import Bill, StatementMonth
from mps_bill.rating.lines import LineItem

COLUMNS = (
    "product",
    "status",
    "cycle_start",
    "cycle_end",
    "issued_at",
    "price_sheet",
    "row",
    "item",
    "family",
    "spec",
    "region",
    "records",
    "quantity",
    "unit",
    "tier",
    "plan_quantity",
    "billed_quantity",
    "unit_price",
    "amount",
    "currency",
)


def write_bills_csv(
    stream: IO[str], bills: Sequence[Bill], pending: Sequence[Bill], months: Sequence[StatementMonth], currency: str
) -> None:
    """Writes RFC 4180 rows with `\\r\\n` line ends. Pending bills carry the status `pending`."""
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    writer.writerows(bills_rows(bills, pending, months, currency))


def bills_rows(
    bills: Sequence[Bill], pending: Sequence[Bill], months: Sequence[StatementMonth], currency: str
) -> Iterator[tuple[str, ...]]:
    """The rows of `write_bills_csv` without the header."""
    for status, members in (("issued", bills), ("pending", pending)):
        for bill in members:
            yield from bill_rows(bill, status, currency)
    for month in months:
        yield month_row(month, currency)


def bill_rows(bill: Bill, status: str, currency: str) -> Iterator[tuple[str, ...]]:
    """The rows of one bill, under `COLUMNS`."""
    head = bill_head(bill, status)
    for line in bill.lines:
        yield (*head, "line", *_line_cells(line), stripped(line.amount), currency)
    if bill.amounts.rounding_adjustment:
        yield (*head, *_adjustment(stripped(bill.amounts.rounding_adjustment), currency))


def bill_head(bill: Bill, status: str) -> tuple[str, ...]:
    """The cells that every row of a bill begins with, up to `price_sheet`."""
    cycle = bill.cycle
    offset = cycle.sheet.billing.calendar.offset
    times = (iso(second, offset) for second in (cycle.start, cycle.end, cycle.issued_at))
    return (cycle.product, status, *times, cycle.sheet.ref)


def _line_cells(line: LineItem) -> tuple[str, ...]:
    unit = line.item.unit
    return (
        spreadsheet_text(line.item.code),
        line.item.family,
        spreadsheet_text(line.spec),
        spreadsheet_text(line.region),
        str(line.records),
        plain(in_unit(line.micros, unit)),
        unit.name,
        line.tier or "",
        plain(in_unit(line.plan_micros, unit)),
        plain(in_unit(line.billed_micros, unit)),
        plain(line.unit_price),
    )


def month_row(month: StatementMonth, currency: str) -> tuple[str, ...]:
    """The row of a monthly statement: its rounding adjustment."""
    return (*month_head(month), *_adjustment(stripped(month.amounts.rounding_adjustment), currency))


def month_head(month: StatementMonth) -> tuple[str, ...]:
    """The cells that every row of a statement begins with, up to `price_sheet`."""
    calendar = month.sheet.billing.calendar
    end = iso(calendar.month_end(month.month), calendar.offset)
    issued = iso(month.issued_at, calendar.offset)
    return (month.sheet.product, "issued", month.month, end, issued, month.sheet.ref)


def _adjustment(amount: str, currency: str) -> tuple[str, ...]:
    return ("rounding_adjustment", *[""] * 11, amount, currency)


def spreadsheet_text(cell: str) -> str:
    """Text that a spreadsheet will not take for a formula: one that starts like a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
