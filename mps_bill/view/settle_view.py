"""Settlements: each bill with its deductions, what is late, pending, overdue, and the closing statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from mps_bill.ask.selected import bills_of, selected_settlement
from mps_bill.ask.summaries import Billed, Summary, summarise
from mps_bill.config.books import STANDARD_BOOKS, Books
from mps_bill.core.decimals import amount_text
from mps_bill.core.diagnostics import counted
from mps_bill.core.times import DAY, clock, offset_text
from mps_bill.pipeline import SettleRun
from mps_bill.rating.bills import Amounts, Bill, Cycle, sum_amounts
from mps_bill.rating.selection import Selection
from mps_bill.settlement.attribution import paid_by_line, paid_of
from mps_bill.settlement.charged import Before, cycle_key
from mps_bill.settlement.closing import POOLS as PAYABLE_FROM
from mps_bill.settlement.forecast import Forecast
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.overdue import cleared_by
from mps_bill.settlement.settle_cycles import Settlement, Step
from mps_bill.settlement.sources import MONEY_SOURCES
from mps_bill.settlement.sources.balance import Balance
from mps_bill.settlement.sources.resource_plans import PlanDeduction, ResourcePlans
from mps_bill.settlement.waterfall import Arrival
from mps_bill.view.bill_records import BILL
from mps_bill.view.bill_view import (
    BillView,
    bill_table,
    bills_in_full,
    default_groupings,
    pending_table,
    selection_text,
    spans_days,
    sum_columns,
    total_rows,
)
from mps_bill.view.reading_report import control_totals_text
from mps_bill.view.settle_records import (
    CLOSING,
    POOLS,
    SETTLED,
    closing_record,
    credits_of,
    debt_name,
    deductions,
    settle_records,
    settle_run_json,
)
from mps_bill.view.summary_view import payment_table, summary_json, summary_records, summary_table
from mps_bill.view.tables import (
    As,
    Block,
    Column,
    Kind,
    Moment,
    Note,
    Record,
    Records,
    Report,
    Row,
    Table,
    pick,
    row_of,
)

if TYPE_CHECKING:
    from mps_bill.view.journal import Journal

#: What pays, by its name: for people, and for programs.
PAYERS = {
    **{source.name: source.pool_title for source in MONEY_SOURCES},
    "outstanding": "Outstanding",
    "frozen": "Frozen",
}
_POOL_OF = dict(zip(PAYERS, PAYABLE_FROM, strict=True))
#: Late cycles that are listed one by one.
_LATE_IN_FULL = 24
#: Cycles that a warning names.
_NAMED = 6
#: What was charged of a late cycle before, as far as the account knows.
_BEFORE: dict[Before | None, str] = {
    None: "",
    "same": "the same",
    "other": "other usage",
    "unknown": "yes, long ago",
}
#: Amounts in money or in a plan's unit.
_TOOK = (
    Column("From"),
    Column("For"),
    Column("Took", "amount"),
    Column("Left", "amount"),
    Column("Unit"),
)


@dataclass(frozen=True, slots=True)
class SettleView:
    """What `settle` found: `by` are the groupings of its summaries, of which tags are among `tags`, those that the usage was
    split by; `in_full` are the steps printed in full (None: as many as the length of the run lets); `account` is the
    provider's id of the account, where it is not that of the account file; `books` are those of journals."""

    run: SettleRun
    by: Sequence[tuple[str, ...]] = ()
    in_full: int | None = None
    account: str | None = None
    tags: Sequence[str] = ()
    books: Books = STANDARD_BOOKS

    @property
    def amounts(self) -> Amounts:
        """What is shown comes to."""
        return self.run.totals.amounts

    def printed(self) -> Iterator[Block]:
        run, settled = self.run, self.run.settled
        is_long = spans_days([step.bill for step in settled.settlements])
        if not run.selection.is_everything:
            yield Note(selection_text(run.selection, run.offset))
        if is_long:
            yield _total_table(run)
        shown = settled.steps[: bills_in_full(self.in_full, is_long=is_long)]
        for step in shown:
            yield from _step_blocks(step, run)
        if rest := settled.steps[len(shown) :]:
            counted = _counted(rest, "more " if shown else "")
            yield Note(f"{counted} summarised in the closing statement; --all prints every bill in full.")
        if not is_long and (settled.settlements or settled.statements):
            yield _total_table(run)
        if settled.charged_again:
            yield Note(charged_again_text(run))
        yield _closing_table(run)
        for by in self.by or (default_groupings(is_long=is_long) if is_long else ()):
            yield from self._summary_tables(by)
        yield from _overdue_blocks(run)
        if settled.late:
            yield from _late_blocks(settled.late, run, self.in_full)
        if settled.pending:
            yield pending_table(settled.pending, run.currency)
        if run.forecast:
            yield from _forecast_blocks(run.forecast, run.offset)
        yield Note(control_totals_text(run.control_totals))

    def _summary(self, by: tuple[str, ...], *, split: bool = True) -> Summary:
        """A summary, which splits payments over the lines of bills only where it is asked to, because that takes time."""
        settled = self.run.settled
        billed = [
            Billed(
                step.bill if isinstance(step, Settlement) else step.statement,
                paid_of(step),
                partial(paid_by_line, step, settled.opening) if split and isinstance(step, Settlement) else tuple,
            )
            for step in settled.steps
            if not isinstance(step, Arrival)
        ]
        return summarise(billed, by, self.tags)

    def _summary_tables(self, by: tuple[str, ...]) -> Iterator[Table]:
        summary = self._summary(by, split=bool(self.by))
        yield summary_table(summary, self.run.currency)
        if self.by or summary.of_bills:
            yield payment_table(summary, self.run.currency, PAYERS)

    def records(self) -> Records:
        """The summaries, where some were asked for; else the lines and what paid them."""
        if self.by:
            return summary_records([self._summary(by) for by in self.by], self.run.currency, _POOL_OF)
        return Records(SETTLED, settle_records(self.run))

    def document(self) -> dict[str, Any]:
        document = settle_run_json(self.run)
        if self.by:
            document["summaries"] = [summary_json(self._summary(by), _POOL_OF) for by in self.by]
        return document

    def tables(self) -> Report:
        from mps_bill.view.settle_report import settle_report

        notes = (charged_again_text(self.run),) if self.run.settled.charged_again else ()
        sums = [self._summary(by) for by in self.by]
        tables = [table for summary in sums for table in self._report_tables(summary)]
        return settle_report(self.run, self.account, notes, tables)

    def _report_tables(self, summary: Summary) -> Iterator[Table]:
        yield summary_table(summary, self.run.currency)
        yield payment_table(summary, self.run.currency, PAYERS)

    page = tables

    def charts(self) -> Report:
        from mps_bill.view.settle_report import with_payments

        return with_payments(self.tables())

    def journal(self) -> Journal:
        from mps_bill.view.journal import journal, journal_by

        return journal(self.run, self.books, journal_by(self.by))

    def focus(self) -> Records:
        from mps_bill.view.focus_view import focus_records

        settled = self.run.settled
        charged = []
        for step in settled.settlements:
            parts: dict[int, list[PlanDeduction]] = {}
            for deduction, line in zip(step.plan_deductions, step.plan_lines, strict=True):
                parts.setdefault(line, []).append(deduction)
            charged.append((step.bill, parts, credits_of(step)))
        months = ((step.statement, credits_of(step)) for step in settled.statements)
        return focus_records(charged, months, self.run.currency, self.account or settled.closing.id)


def shown_of(
    run: SettleRun,
    selection: Selection,
    by: Sequence[tuple[str, ...]],
    in_full: int | None,
    account: str | None = None,
    books: Books = STANDARD_BOOKS,
) -> SettleView | BillView:
    """What a selection has of a settlement: of a period its bills and what paid them; of lines the parts of bills, which
    nothing pays as such."""
    if selection.only:
        return BillView(bills_of(run, selection), by, in_full, account)
    return SettleView(selected_settlement(run, selection.period), by, in_full, account, selection.tags, books)


def _counted(steps: Sequence[Step], more: str) -> str:
    """`719 more bills and 2 top-ups are`."""
    names = {Settlement: f"{more}bill", StatementSettlement: f"{more}statement", Arrival: f"{more}top-up"}
    counts = [(sum(isinstance(step, kind) for step in steps), name) for kind, name in names.items()]
    parts = [counted(count, name) for count, name in counts if count]
    return f"{' and '.join(parts)} {'is' if len(steps) == 1 else 'are'}"


def _step_blocks(step: Step, run: SettleRun) -> Iterator[Block]:
    match step:
        case Settlement():
            yield bill_table(step.bill, run.currency)
            cycle = step.bill.cycle
            if rows := _paid_rows(step, run.currency):
                yield _paid_table(f"Paid: {cycle.product} {clock(cycle.start, run.offset)}", rows)
        case StatementSettlement():
            statement, amounts = step.statement, step.statement.amounts
            issued = clock(statement.issued_at, run.offset)
            figures: list[tuple[str, Decimal]] = [
                ("List amount of the month", amounts.list_amount),
                *([("Discount", -amounts.discount)] if amounts.discount else []),
                ("Rounding adjustment", amounts.rounding_adjustment),
                ("Payable", amounts.payable),
                *([("Paid by vouchers when the hours were billed", step.vouchers)] if step.vouchers else []),
            ]
            rows = [(name, None, amount, None, run.currency) for name, amount in figures]
            title = f"Statement of {statement.sheet.product} for {statement.month}, issued {issued}"
            yield _paid_table(title, [*rows, *_paid_rows(step, run.currency)])
        case Arrival():
            yield Note(arrival_text(step, run))


def _paid_table(title: str, rows: Sequence[Row]) -> Table:
    """Rows under `_TOOK`, of which "For" is left out where money alone has paid."""
    if any(row[1] for row in rows):
        return Table(title, _TOOK, rows)
    return Table(title, (_TOOK[0], *_TOOK[2:]), [(row[0], *row[2:]) for row in rows])


def _paid_rows(step: Settlement | StatementSettlement, currency: str) -> list[Row]:
    """What each source took: plans in their unit, the others in money; what is outstanding and what is frozen."""
    rows = [_took(record) for record in deductions(step, currency)]
    if step.payment.outstanding:
        rows.append(("Outstanding", None, step.payment.outstanding, None, currency))
    if isinstance(step, Settlement) and step.frozen:
        rows.append(("Frozen", "until the month is over", step.frozen, None, currency))
    return rows


def _took(record: Record) -> Row:
    covered = None
    if quantity := record.get("plan_quantity"):
        covered = f"{quantity} {record['unit']} {record['spec']} {record['region']}"
    name = f"{record['name']} {record['source_id'] or ''}".rstrip()
    took = record.get("units") or record.get("paid")
    return (name, covered, took, record["remaining"], record["remaining_in"])


def arrival_text(arrival: Arrival, run: SettleRun) -> str:
    """`Top-up of 500.00 CNY at 2023-11-10 12:30: 3.20 repays mps 2023-11-10 10:00, 496.80 to the balance.`"""
    parts = [
        f"{amount_text(part)} repays {debt_name(debt, run.offset)}"
        + (f" ({amount_text(rest)} is left)" if rest else "")
        for debt, part in arrival.repaid
        for rest in (debt.amount - part,)
    ]
    if arrival.credit_restored:
        parts.append(f"{amount_text(arrival.credit_restored)} restores the credit line")
    if arrival.to_balance:
        parts.append(f"{amount_text(arrival.to_balance)} to the balance")
    name = "Top-up" if arrival.top_up.id is None else f"Top-up {arrival.top_up.id}"
    text = f"{name} of {amount_text(arrival.amount)} {run.currency} at {clock(arrival.at, run.offset)}"
    if arrival.at != arrival.top_up.at:
        text += f" (entered afterwards for {clock(arrival.top_up.at, run.offset)})"
    return f"{text}: {', '.join(parts) or 'nothing'}."


def _total_table(run: SettleRun) -> Table:
    sums = run.totals
    rows = total_rows(sums.amounts)
    paid = (
        *((POOLS[source], amount) for source, amount in sums.paid.items()),
        ("Outstanding", sums.outstanding),
        ("Frozen", sums.frozen),
    )
    rows += [(f"  {name}", amount) for name, amount in paid if amount]
    bills, statements = len(run.settled.settlements), len(run.settled.statements)
    title = f"Total of {counted(bills, 'bill')}"
    if statements:
        title += f" and {counted(statements, 'monthly statement')}"
    return Table(title, sum_columns(run.currency), rows)


def _closing_table(run: SettleRun) -> Table:
    settled = run.settled
    shown = [
        row for row in run.closing_rows if row.id or row.source == Balance.name or row.opening or row.added or row.taken
    ]
    used_up = ("used_up",) if any(row.used_up_at is not None for row in shown) else ()
    columns = pick(CLOSING, "source", "unit", "opening", "added", "taken", "closing", *used_up)
    rows = []
    for row in shown:
        record = dict(closing_record(row, run.offset))
        record["source"] = f"{record['source']} {row.id}".rstrip()
        record |= {name: None for name in ("added", "taken") if not getattr(row, name)}
        rows.append(row_of(columns, record))
    before, after = (As(account.available_credit, "amount") for account in (settled.opening, settled.closing))
    available: Record = {"source": "Available credit", "unit": run.currency, "opening": before, "closing": after}
    at = "" if settled.until is None else f", {clock(settled.until, run.offset)} (UTC{offset_text(run.offset)})"
    return Table(f"Account {settled.closing.id}{at}", columns, rows, (row_of(columns, available),))


def _overdue_blocks(run: SettleRun) -> Iterator[Block]:
    if not run.overdue:
        return
    rows = [
        (
            debt_name(bill.debt, run.offset),
            Moment(bill.debt.issued_at, run.offset),
            bill.debt.amount,
            "still overdue" if bill.cleared_at is None else Moment(bill.cleared_at, run.offset),
            bill.left or None,
        )
        for bill in run.overdue
    ]
    columns = (
        Column("Bill"),
        Column("Overdue since", "time"),
        Column("Outstanding", "amount"),
        Column("Repaid at", "time"),
        Column("Still owed", "amount", unit=run.currency),
    )
    yield Table("Overdue bills", columns, rows)
    account = run.settled.closing
    if account.outstanding:
        oldest = account.outstanding[0]
        since = f"{amount_text(account.owed)} {run.currency} is outstanding, the oldest of it since"
        since += f" {clock(oldest.issued_at, run.offset)} ({debt_name(oldest, run.offset)})"
        at = cleared_by(account)
        how = "no top-up in the account clears it" if at is None else f"the top-up of {clock(at, run.offset)} clears it"
        yield Note(f"The account is overdue: {since}; {how}.")


def _late_blocks(late: Sequence[Bill], run: SettleRun, in_full: int | None) -> Iterator[Block]:
    shown = late if in_full is None else late[:_LATE_IN_FULL]
    before = run.settled.charged_before
    rows: list[Row] = [
        (
            Moment(bill.cycle.start, run.offset),
            bill.cycle.product,
            *_late_cells([bill]),
            _BEFORE[before.get(cycle_key(bill.cycle))],
        )
        for bill in shown
    ]
    if rest := late[len(shown) :]:
        rows.append((f"and {len(rest)} more", None, *_late_cells(rest), None))
    figures = pick(BILL, "records", "list_amount", unit=run.currency)
    columns = (Column("Cycle", "time"), Column("Product"), *figures, Column("Charged before"))
    total = ("Total", None, *_late_cells(late), None)
    yield Table("Late usage of settled cycles, not charged", columns, rows, (total,))
    if all(before.get(cycle_key(bill.cycle)) == "same" for bill in late):
        yield Note("All of it counts as charged: the usage of every cycle adds up to what was charged of it.")
    else:
        yield Note(
            "--charge-late bills late usage as corrections, but for cycles of which the same was charged before. Give it"
            " files that hold only what was missed."
        )


def charged_again_text(run: SettleRun, maximum: int = _NAMED) -> str:
    """The warning that corrections can hold records which are charged already, with the first `maximum` of their cycles."""
    cycles = [settlement.bill.cycle for settlement in run.settled.charged_again]
    many = len(cycles) > 1
    known = all(run.settled.charged_before[cycle_key(cycle)] == "other" for cycle in cycles)
    return (
        f"{len(cycles)} correction{'s are of cycles' if many else ' is of a cycle'} charged before"
        f"{' with other usage' if known else ''}"
        f" ({_named_cycles(cycles, run, maximum)}). The account does not remember single records: a record that was charged"
        " then and is in these files too is charged twice."
    )


def _named_cycles(cycles: Sequence[Cycle], run: SettleRun, maximum: int = _NAMED) -> str:
    named = [f"{cycle.product} {clock(cycle.start, run.offset)}" for cycle in cycles[:maximum]]
    return ", ".join(named + ([f"{len(cycles) - maximum} more"] if len(cycles) > maximum else []))


def _late_cells(bills: Sequence[Bill]) -> Row:
    return sum(line.records for bill in bills for line in bill.lines), sum_amounts(bills).list_amount


def _forecast_blocks(forecast: Forecast, offset: int) -> Iterator[Block]:
    columns = (
        Column("Source"),
        Column("Unit"),
        Column("Left", "amount"),
        Column("A day", "amount"),
        Column("Runs out", "time"),
    )
    rows: list[Row] = []
    for row in forecast.rows:
        out = "not at this rate" if row.runs_out is None else Moment(row.runs_out, offset)
        kind: Kind = "quantity" if row.source == ResourcePlans.name else "amount"
        left, a_day = As(row.left, kind), As(row.a_day, kind)
        rows.append((POOLS[row.source], row.unit, left, a_day, out if row.left else "is used up"))
    span = f"{clock(forecast.start, offset)} to {clock(forecast.end, offset)} ({_span(forecast.end - forecast.start)})"
    yield Table(f"Forecast at the rate of {span}", columns, rows)
    yield Note(
        "It assumes that usage goes on so, that plans of a unit follow one another and what they cover is paid at list"
        " price when they have run out, and that any voucher pays any bill."
    )


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, DAY)
    hours = f"{rest // 3600} h"
    return f"{days} d {hours}" if days and rest else f"{days} d" if days else hours


def _why_not_charged(run: SettleRun) -> str:
    """Why --charge-late has not charged late usage, and in which cycles."""
    if not run.settled.charge_late:
        return ""
    cycles = [bill.cycle for bill in run.settled.late]
    return (
        f": it adds up to what was charged of {'these cycles' if len(cycles) > 1 else 'this cycle'}"
        f" ({_named_cycles(cycles, run)}), and counts as charged. Other records with the same sums are charged with"
        " --charge-late --charge-twice, once"
    )


def notices(run: SettleRun) -> Iterator[str]:
    """What a person should know of a run beside its result, whatever the format."""
    if count := len(run.settled.overtaken):
        yield (
            f"{'1 bill was' if count == 1 else f'{count} bills were'} issued before the time that the account had reached,"
            " and paid as of that time; where products have other lags or cycles, --as-of keeps them in step."
        )
    if run.settled.late:
        rows = run.control_totals.rows_late
        yield f"{rows} row{' is' if rows == 1 else 's are'} late usage of settled cycles and not charged{_why_not_charged(run)}."
    if run.settled.charged_again:
        yield charged_again_text(run)
