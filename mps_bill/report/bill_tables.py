"""Bills as tables: each bill itemised, summaries, totals and control totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

from mps_bill.core.decimals import ZERO, amount_text, plain
from mps_bill.core.shares import split_amount
from mps_bill.core.times import Calendar, clock, offset_text
from mps_bill.core.units import ends_in_unit, in_unit
from mps_bill.metering.usage import TAG_PREFIX
from mps_bill.pipeline import BillRun
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.rating.bills import Bill, Cycle, StatementMonth, sum_amounts
from mps_bill.rating.lines import LineItem
from mps_bill.report.control_totals import control_totals_text
from mps_bill.report.document import Columns, Document, Heading, Note, Row, Table, number, text

T = TypeVar("T")

PERIODS = ("hour", "day", "month")
_MANY_HOURS = 48


def bill_document(run: BillRun, by: Sequence[str], in_full: int | None) -> Document:
    """The whole printed report of `bill`: the first `in_full` bills (None: all), summaries, totals."""
    shown = run.bills[:in_full]
    blocks: list[Table | Note] = [bill_table(bill, run.currency) for bill in shown]
    if len(shown) < len(run.bills):
        rest = len(run.bills) - len(shown)
        bills = f"{rest} {'more ' if shown else ''}{'bill is' if rest == 1 else 'bills are'}"
        blocks.append(Note(f"{bills} in the summary; --all prints every bill in full."))
    blocks += summaries(run.bills, run.months, run.currency, run.tags, by)
    if run.pending:
        blocks.append(pending_table(run.pending, run.currency))
    blocks.append(Note(control_totals_text(run.control_totals)))
    return Document(tuple(blocks))


def bill_table(bill: Bill, currency: str) -> Table:
    """One bill, its lines under their items. Where plans cover anything a column says how much of the quantity."""
    with_plans = any(line.plan_micros for line in bill.lines)
    columns = (
        text("Spec"),
        text("Region"),
        number("Records"),
        number("Quantity"),
        *((number("Plans"),) if with_plans else ()),
        number("Unit price"),
        number(f"Amount {currency}"),
    )
    rows: list[Row | Heading] = []
    item: Item | None = None
    for line in bill.lines:
        if item is None or line.item.code != item.code:
            item = line.item
            rows.append(Heading(item_heading(item)))
        rows.append(
            (
                f"  {line.spec}" + (f" ({line.tier})" if line.tier else ""),
                line.region,
                str(line.records) if line.records else "",
                quantity(line.micros, line),
                *((quantity(line.plan_micros, line) if line.plan_micros else "",) if with_plans else ()),
                plain(line.unit_price),
                amount_text(line.amount),
            )
        )
    return Table(bill_title(bill.cycle), columns, tuple(rows), tuple(_closing_rows(bill, len(columns))))


def item_heading(item: Item) -> str:
    return f"{item.code}: {item.name}, per {item.unit.name}"


def quantity(micros: int, line: LineItem) -> str:
    """A quantity in the line's unit; one that does not end is marked as shown at ten decimals."""
    shown = plain(in_unit(micros, line.item.unit))
    return shown if ends_in_unit(micros, line.item.unit) else f"{shown}~"


def bill_title(cycle: Cycle) -> str:
    """`mps 2023-11-10 11:00 to 12:00 (UTC+08:00), issued 13:00` and the sheet."""
    offset = cycle.sheet.billing.calendar.offset
    start, end, issued = (clock(second, offset) for second in (cycle.start, cycle.end, cycle.issued_at))
    day = start[:10]
    end, issued = (moment.removeprefix(f"{day} ") for moment in (end, issued))
    name = "Bill" if cycle.correction_at is None else "Correction"
    return f"{name} of {cycle.product}: {start} to {end} (UTC{offset_text(offset)}), issued {issued}\n{cycle.sheet.ref}"


def _closing_rows(bill: Bill, width: int) -> Iterator[Row]:
    blank = ("",) * (width - 2)
    if bill.cycle.sheet.billing.settlement == "monthly":
        yield ("List amount, cut with the month", *blank, amount_text(bill.amounts.list_amount))
        return
    yield ("List amount", *blank, amount_text(bill.amounts.list_amount))
    # Beside a column of plans the longer word would not fit 80 columns.
    rounding = "Rounding adjustment" if len(blank) == 4 else "Rounding"
    yield (rounding, *blank, amount_text(bill.amounts.rounding_adjustment))
    yield ("Payable", *blank, amount_text(bill.amounts.payable))


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
    columns = (text(period.capitalize()), number("Bills"), number("Records"), *_money_columns(currency))
    rows = []
    for name, members in _grouped(bills, lambda bill: period_name(bill.cycle, period)):
        rows.append((name, str(len(members)), str(_records(members)), *_money(members)))
    total = ("Total", str(len(bills)), str(_records(bills)), *_money(bills))
    return Table(f"By {period}", columns, tuple(rows), (total,))


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
    by_item = grouping == "item"
    columns = (
        text("Item" if by_item else "Region"),
        number("Records"),
        *((number("Quantity"), text("Unit")) if by_item else ()),
        number(f"List amount {currency}"),
    )
    groups = dict(_grouped(lines, lambda line: line.item.code if by_item else line.region))
    order = item_order(bills) if by_item else sorted(groups)
    rows = []
    for name, members in ((name, groups[name]) for name in order if name in groups):
        records = str(sum(line.records for line in members))
        measured: Row = ()
        if by_item:
            units = {line.item.unit.name: line.item.unit for line in members}
            micros = sum(line.micros for line in members)
            one = next(iter(units.values())) if len(units) == 1 else None
            measured = (plain(in_unit(micros, one)), one.name) if one else ("", "several")
        rows.append((name, records, *measured, amount_text(_amount(members))))
    blank = ("", "") if by_item else ()
    total = ("Total", str(sum(line.records for line in lines)), *blank, amount_text(_amount(lines)))
    return Table(f"By {grouping}", columns, tuple(rows), (total,))


def tag_table(bills: Sequence[Bill], position: int, tag: str, currency: str) -> Table:
    """The list amount by the values of a tag, each line split by the quantities that carry them."""
    amounts: dict[str, Decimal] = {}
    for bill in bills:
        for line in bill.lines:
            values = [(tags[position], micros) for tags, micros in line.charge.shares]
            for value, amount in split_amount(line.amount, values):
                amounts[value] = amounts.get(value, ZERO) + amount
    rows = tuple((value or "(none)", amount_text(amount)) for value, amount in sorted(amounts.items()))
    total = ("Total", amount_text(sum(amounts.values(), ZERO)))
    return Table(f"By {tag}", (text(tag), number(f"List amount {currency}")), rows, (total,))


def total_table(bills: Sequence[Bill], months: Sequence[StatementMonth], currency: str) -> Table:
    total = sum_amounts(bills, months)
    rows = [
        (
            f"{month.sheet.product} statement of {month.month}, rounding adjustment",
            amount_text(month.amounts.rounding_adjustment),
        )
        for month in months
    ]
    rows += [
        ("List amount", amount_text(total.list_amount)),
        ("Rounding adjustments", amount_text(total.rounding_adjustment)),
    ]
    return Table(
        f"Total of {len(bills)} bill{'' if len(bills) == 1 else 's'}",
        (text(""), number(currency)),
        tuple(rows),
        (("Payable", amount_text(total.payable)),),
    )


def pending_table(pending: Sequence[Bill], currency: str) -> Table:
    """Bills that are not issued yet, and in no total."""
    rows = []
    for bill in pending:
        offset = bill.cycle.sheet.billing.calendar.offset
        issued = clock(bill.cycle.issued_at, offset)
        rows.append((clock(bill.cycle.start, offset), bill.cycle.product, issued, *_money([bill])))
    columns = (text("Cycle"), text("Product"), text("To be issued"), *_money_columns(currency))
    return Table("Pending, in no total: not issued yet", columns, tuple(rows))


def _money_columns(currency: str) -> Columns:
    return (number("List amount"), number("Rounding"), number(f"Payable {currency}"))


def _money(bills: Iterable[Bill]) -> tuple[str, str, str]:
    amounts = sum_amounts(bills)
    return amount_text(amounts.list_amount), amount_text(amounts.rounding_adjustment), amount_text(amounts.payable)


def item_order(bills: Iterable[Bill]) -> list[str]:
    """The items as the price sheets list them."""
    sheets = {bill.cycle.sheet.ref: bill.cycle.sheet for bill in bills}
    return list(dict.fromkeys(code for _, sheet in sorted(sheets.items()) for code in sheet.items))


def _records(bills: Iterable[Bill]) -> int:
    return sum(line.records for bill in bills for line in bill.lines)


def _amount(lines: Iterable[LineItem]) -> Decimal:
    return sum((line.amount for line in lines), ZERO)


def _grouped(values: Iterable[T], name: Callable[[T], str]) -> Iterator[tuple[str, list[T]]]:
    """The values under their names, in order of first appearance."""
    groups: dict[str, list[T]] = {}
    for value in values:
        groups.setdefault(name(value), []).append(value)
    yield from groups.items()
