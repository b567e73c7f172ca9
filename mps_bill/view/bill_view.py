"""The view of bills: itemised bills, summaries, totals and control totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from mps_bill.ask.summaries import Billed, Summary, summarise
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import DAY, date_text, time_text
from mps_bill.pipeline import BillRun
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.rating.bills import Amounts, Bill, Cycle, sum_amounts
from mps_bill.view import bill_records
from mps_bill.view.columns import MONEY_PLACES, Column, Columns, Record, Row, Value, pick
from mps_bill.view.reading_report import control_totals_text, selection_text
from mps_bill.view.reasons import item_title
from mps_bill.view.summary_view import summary_json, summary_records, summary_table
from mps_bill.view.tables import Block, Heading, Note, Records, Report, Table, table

T = TypeVar("T")
#: If bills span this many seconds, none is printed in full, and the sums come first.
_LONG = 2 * DAY
#: Bills of a shorter run that are printed in full by default.
_IN_FULL = 6
#: Bills of a list (pending, late, overdue) that are shown one by one by default.
_LISTED = 5


@dataclass(frozen=True, slots=True)
class BillView:
    """The result of `bill`.

    `by`: the groupings of the summaries. `in_full`: the number of bills printed in full (None: depends on the length of the
    run). `account`: the provider's id of the account, if known. With `in_short` the report fits on two pages.
    """

    run: BillRun
    by: Sequence[tuple[str, ...]] = ()
    in_full: int | None = None
    account: str | None = None
    in_short: bool = False

    @property
    def amounts(self) -> Amounts:
        return self.run.amounts

    def printed(self) -> Iterator[Block]:
        run = self.run
        if not run.selection.is_everything:
            yield Note(selection_text(run.selection, run.offset, run.bills))
        is_long = spans_days(run.bills)
        total = total_table(run, is_long=is_long)
        shown = run.bills[: bills_in_full(self.in_full, is_long=is_long)]
        if is_long:
            yield total
        for bill in shown:
            yield bill_table(bill, run.currency)
        if rest := len(run.bills) - len(shown):
            yield Note(_not_shown(rest, more=bool(shown)))
        for summary in self._summaries(*(self.by or default_groupings(is_long=is_long))):
            yield summary_table(summary, run.currency)
        if not is_long:
            yield total
        if run.pending:
            yield pending_table(run.pending, run.currency, self.in_full)
        yield Note(control_totals_text(run.control_totals))

    def _summaries(self, *groupings: tuple[str, ...]) -> list[Summary]:
        run = self.run
        billed = [*map(Billed, run.bills), *map(Billed, run.months)]
        return [summarise(billed, by, run.tags, is_part=bool(run.selection.only)) for by in groupings]

    def records(self) -> Records:
        """Return the summaries if some were asked for, otherwise the lines."""
        if self.by:
            return summary_records(self._summaries(*self.by), self.run.currency, {})
        return Records(bill_records.RECORDS, self._records())

    def _records(self) -> Iterator[Record]:
        run = self.run
        for status, bills in (("issued", run.bills), ("pending", run.pending)):
            for bill in bills:
                yield from bill_records.charge_records(bill, status, run.currency)
        for month in run.months:
            yield bill_records.adjustment_record(bill_records.statement_record(month), run.currency)

    def document(self) -> dict[str, Any]:
        document = bill_records.bill_run_json(self.run)
        if self.by:
            document["summaries"] = [summary_json(summary, {}) for summary in self._summaries(*self.by)]
        return document

    def tables(self) -> Report:
        from mps_bill.view.run_report import bill_report, sums_of, two_pages

        if self.in_short:
            figures = sums_of(self.run.amounts, self.run.bills)
            return two_pages(self.run, self.run.bills, figures, self.account, self.by, self._summaries)
        return bill_report(self.run, self.account, self._summaries(*self.by))

    def charts(self) -> Report:
        from mps_bill.view.run_report import charted

        return charted(self.tables(), self._summaries(*self.by))

    def page(self) -> Report:
        from mps_bill.view.run_report import bill_report, for_reading

        if self.in_short or not spans_days(self.run.bills):
            return self.tables()
        sums = self._summaries(*(self.by or default_groupings(is_long=True)))
        return for_reading(bill_report(self.run, self.account, sums), in_full=self.in_full)

    def focus(self) -> Records:
        from mps_bill.view.focus_view import focus_records

        months = ((month, ()) for month in self.run.months)
        return focus_records(((bill, {}, ()) for bill in self.run.bills), months, self.run.currency, self.account)


def _not_shown(rest: int, *, more: bool) -> str:
    if more:
        return tr_many(
            "{n} more bill is summarised below; --all prints every bill in full.",
            "{n} more bills are summarised below; --all prints every bill in full.",
            rest,
        )
    return tr_many(
        "{n} bill is summarised below; --all prints every bill in full.",
        "{n} bills are summarised below; --all prints every bill in full.",
        rest,
    )


def bill_table(bill: Bill, currency: str) -> Table:
    """Return a bill with its lines under their items. If plans cover any quantity, a column shows it."""
    plans = ("plan_quantity",) if any(line.covered_micros for line in bill.lines) else ()
    keys = ("spec", "region", "records", "quantity", *plans, "unit_price", "amount")
    columns = pick(bill_records.LINE, *keys, unit=currency, titles={"plan_quantity": "Plans"})
    rows: list[Record | Heading] = []
    item: Item | None = None
    for line in bill.lines:
        if item is None or line.item.code != item.code:
            item = line.item
            rows.append(Heading(item_title(item)))
        shown = dict(bill_records.line_record(line))
        shown["spec"] = f"  {line.spec}" + (f" ({line.tier})" if line.tier else "")
        shown["records"] = line.records or None
        if not line.covered_micros:
            shown["plan_quantity"] = None
        rows.append(shown)
    return table(_bill_title(bill.cycle), columns, rows, _closing_rows(bill, has_plans=bool(plans)))


def _bill_title(cycle: Cycle) -> str:
    """Return `Bill of mps: 2023-11-10 11:00 to 12:00 (UTC+08:00), issued 13:00` and the sheet."""
    calendar = cycle.sheet.billing.calendar
    start, end, issued = (time_text(second, calendar.offset) for second in (cycle.start, cycle.end, cycle.issued_at))
    day, _, _ = start.partition(" ")
    end, issued = (moment.removeprefix(f"{day} ") for moment in (end, issued))
    bill = mark("Bill of {product}: {start} to {end} ({clock}), issued {issued}")
    correction = mark("Correction of {product}: {start} to {end} ({clock}), issued {issued}")
    title = bill if cycle.correction_at is None else correction
    shown = tr(
        title, product=cycle.product, start=start, end=end, clock=bill_records.clock_name(calendar), issued=issued
    )
    return f"{shown}\n{cycle.sheet.ref}"


def _closing_rows(bill: Bill, *, has_plans: bool) -> list[Record]:
    amounts, is_monthly = bill.amounts, bill.cycle.is_monthly
    first = tr("List amount, monthly") if is_monthly else tr("List amount")
    # With the columns of plans, the longer text would not fit into 80 columns.
    rounding = tr("Rounding") if has_plans else tr("Rounding adjustment")
    rows = steps_to_payable(amounts, first, rounding, is_rounded=not is_monthly and not amounts.is_part)
    if not amounts.discount and (is_monthly or amounts.is_part):
        # The net amount is the list amount.
        rows = rows[:1]
    return [{"spec": name, "amount": amount} for name, amount in rows]


def steps_to_payable(amounts: Amounts, first: str, rounding: str, *, is_rounded: bool) -> list[tuple[str, Decimal]]:
    """Return the steps from the list amount, titled `first`, to the payable amount, or to the net amount if there is no
    rounding. A discount is negative."""
    discount = [(tr("Discount"), -amounts.discount)] if amounts.discount else []
    last = [(rounding, amounts.rounding_adjustment), (tr("Payable"), amounts.payable)]
    return [(first, amounts.list_amount), *discount, *(last if is_rounded else [(tr("Net amount"), amounts.net)])]


def spans_days(bills: Sequence[Bill]) -> bool:
    """Return whether the bills span two days or more: readers then want sums first, and hours only on request."""
    first, last = (bound((bill.cycle.start for bill in bills), default=0) for bound in (min, max))
    return bool(bills) and bills[-1].cycle.sheet.billing.calendar.cycle_end(last) - first >= _LONG


def bills_in_full(asked: int | None, *, is_long: bool) -> int:
    """Return the number of bills to print in full: the number asked for, or else a few of a short run and none of a long one."""
    return asked if asked is not None else 0 if is_long else _IN_FULL


def default_groupings(*, is_long: bool) -> Sequence[tuple[str, ...]]:
    return (("day" if is_long else "hour",), ("item",))


def total_table(run: BillRun, *, is_long: bool) -> Table:
    total = run.amounts
    of_month = mark("{product} statement of {month}, rounding adjustment")
    rows = [
        (tr(of_month, product=one.sheet.product, month=date_text(one.month)), one.amounts.rounding_adjustment)
        for one in run.months
    ]
    *before, last = total_rows(total)
    title = tr_many("Total of {n} bill", "Total of {n} bills", len(run.bills))
    if total.is_part:
        title = tr_many("Total of parts of {n} bill", "Total of parts of {n} bills", len(run.bills))
    return Table(title, sum_columns(run.currency, is_long=is_long), [*rows, *before], (last,))


def total_rows(total: Amounts) -> list[tuple[str, Decimal]]:
    return steps_to_payable(total, tr("List amount"), tr("Rounding adjustments"), is_rounded=not total.is_part)


def sum_columns(currency: str, *, is_long: bool) -> Columns:
    """Return the columns of a table of sums. For a long run the sums have the places of money, for a short one every digit."""
    return (Column(""), Column("", "amount", unit=currency, places=MONEY_PLACES if is_long else None))


def listed(
    things: Sequence[T], in_full: int | None, row: Callable[[T], Row], together: Callable[[Sequence[T]], Row]
) -> list[Row]:
    """Return a row for each of the first few things (at least as many as bills are printed in full), and one row with the
    number of all others and their sums, made by `together`."""
    shown = max(_LISTED, in_full or 0)
    rows = [row(one) for one in things[:shown]]
    if rest := things[shown:]:
        rows.append((tr("and {n} more", n=len(rest)), *together(rest)))
    return rows


def pending_table(pending: Sequence[Bill], currency: str, in_full: int | None) -> Table:
    """Return the bills that are not issued yet and in no total; only the first few have a row each."""
    discounted = bill_records.is_discounted(pending)
    head_columns = (Column("Cycle"), Column("Product"), Column("To be issued"))
    columns = (*head_columns, *money_columns(sum_amounts(pending), currency, discounted=discounted))

    def row(bill: Bill) -> Row:
        head = bill_records.bill_record(bill)
        return (head["cycle_start"], head["product"], head["issued_at"], *money([bill], discounted=discounted))

    rows = listed(pending, in_full, row, lambda rest: (None, None, *money(rest, discounted=discounted)))
    return Table(tr("Pending: not issued yet and in no total"), columns, rows)


def money_columns(amounts: Amounts, currency: str, *, discounted: bool) -> Columns:
    """Return the columns for amounts like these."""
    *others, last = pick(
        bill_records.BILL, *amounts.figures(discounted=discounted), titles={"rounding_adjustment": "Rounding"}
    )
    return (*others, replace(last, unit=currency))


def money(bills: Iterable[Bill], *, discounted: bool) -> tuple[Value, ...]:
    return tuple(sum_amounts(bills).figures(discounted=discounted).values())
