"""Settlements: each bill with its deductions, what is late, pending, overdue, and the closing statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from mps_bill.ask.apply_selection import bills_of, selected_settlement
from mps_bill.ask.summaries import Billed, Summary, summarise
from mps_bill.core.decimals import ZERO, amount_text
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import DAY, date_text, offset_text, time_text
from mps_bill.pipeline import SettleRun
from mps_bill.price_sheet.words import with_unit
from mps_bill.rating.bills import Amounts, Bill, Cycle, sum_amounts
from mps_bill.rating.selection import Selection
from mps_bill.settlement.attribution import paid_by_line, paid_of
from mps_bill.settlement.charged import Before, cycle_key
from mps_bill.settlement.closing import OverdueBill, cleared_by, is_held
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settlement, Step
from mps_bill.settlement.sources import MONEY_SOURCES, QUANTITY_SOURCES, TAKEN_IN
from mps_bill.settlement.sources.payment_source import QuantityDeduction
from mps_bill.settlement.waterfall import Arrival
from mps_bill.view import bill_view
from mps_bill.view.bill_records import BILL
from mps_bill.view.books import STANDARD_BOOKS, Books
from mps_bill.view.columns import As, Column, Kind, Moment, Quantity, Record, Row, columns_of, pick
from mps_bill.view.reading_report import control_totals_text, selection_text
from mps_bill.view.settle_records import (
    AT_BILLING,
    CLOSING,
    PAYER_POOLS,
    PAYERS,
    POOLS,
    SETTLED,
    closing_record,
    credits_of,
    debt_name,
    deductions,
    figures,
    settle_records,
    settle_report,
    settle_run_json,
    with_payments,
)
from mps_bill.view.summary_view import payment_table, summary_json, summary_records, summary_table
from mps_bill.view.tables import Block, Note, Records, Report, Table, table

if TYPE_CHECKING:
    from mps_bill.view.journal import Journal

#: Rows of the closing statement on the last of two pages.
_LISTED_IN_SHORT = 12
#: Cycles that a warning names.
_NAMED = 6
#: What was charged of a late cycle before, as far as the account knows.
_BEFORE: dict[Before | None, str] = {
    None: "",
    "same": mark("the same"),
    "other": mark("other usage"),
    "unknown": mark("yes, long ago"),
}
#: Amounts in money, or in the unit of a source of quantity.
_TOOK = (Column("From", sense="source"), Column("for"), *columns_of("Took", "Left", kind="amount"), Column("Unit"))


@dataclass(frozen=True, slots=True)
class SettleView:
    """What `settle` found: `by` are the groupings of its summaries, of which tags are among `tags`, those that the usage was
    split by; `in_full` are the steps printed in full (None: as many as the length of the run lets); `account` is the
    provider's id of the account, where it is not that of the account file; `books` are those of journals. One `in_short` is
    on two pages."""

    run: SettleRun
    by: Sequence[tuple[str, ...]] = ()
    in_full: int | None = None
    account: str | None = None
    tags: Sequence[str] = ()
    books: Books = STANDARD_BOOKS
    in_short: bool = False

    @property
    def amounts(self) -> Amounts:
        return self.run.totals.amounts

    def printed(self) -> Iterator[Block]:
        run, settled = self.run, self.run.settled
        is_long = bill_view.spans_days(bills_of_steps(run))
        if not run.selection.is_everything:
            part = selection_text(run.selection, run.offset, bills_of_steps(run))
            yield Note(tr("{part} The account is shown as it is after the whole run.", part=part))
        if is_long:
            yield _total_table(run, is_long=is_long)
        shown = settled.steps[: bill_view.bills_in_full(self.in_full, is_long=is_long)]
        for step in shown:
            yield from _step_blocks(step, run)
        if rest := settled.steps[len(shown) :]:
            yield Note(_not_shown(rest, more=bool(shown)))
        if not is_long and (settled.settlements or settled.statements):
            yield _total_table(run, is_long=is_long)
        if settled.charged_again:
            yield Note(charged_again_text(run))
        yield _closing_table(run)
        unasked = bill_view.default_groupings(is_long=is_long) if is_long and not self.by else ()
        for summary in (*self._summaries(*self.by), *self._summaries(*unasked, split=False)):
            yield summary_table(summary, run.currency)
            if self.by or summary.of_bills:
                yield payment_table(summary, run.currency, PAYERS)
        yield from _overdue_blocks(run, self.in_full)
        if settled.late:
            yield from _late_blocks(settled.late, run, self.in_full)
        if settled.pending:
            yield bill_view.pending_table(settled.pending, run.currency, self.in_full)
        yield from _forecast(run)
        yield Note(control_totals_text(run.control_totals))

    def _summaries(self, *groupings: tuple[str, ...], split: bool = True) -> list[Summary]:
        """The summaries by some groupings. Payments are split over the lines of bills, once for all summaries, only where
        that is asked for, because it takes time."""
        settled = self.run.settled
        billed = [
            Billed(
                step.bill if isinstance(step, Settlement) else step.statement,
                paid_of(step),
                cache(partial(paid_by_line, step)) if split and isinstance(step, Settlement) else tuple,
            )
            for step in (settled.steps if groupings else ())
            if not isinstance(step, Arrival)
        ]
        return [summarise(billed, by, self.tags) for by in groupings]

    def records(self) -> Records:
        """The summaries, where some were asked for; else the lines and what paid them."""
        if self.by:
            return summary_records(self._summaries(*self.by), self.run.currency, PAYER_POOLS)
        return Records(SETTLED, settle_records(self.run))

    def document(self) -> dict[str, Any]:
        document = settle_run_json(self.run)
        if self.by:
            document["summaries"] = [summary_json(summary, PAYER_POOLS) for summary in self._summaries(*self.by)]
        return document

    def tables(self) -> Report:
        from mps_bill.view.run_report import two_pages

        run = self.run
        if self.in_short:
            behind = [_sources_table(run), _closing_table(run, _LISTED_IN_SHORT), *_with_remarks(_forecast(run))]
            account = self.account or run.settled.closing.id
            return two_pages(run, bills_of_steps(run), figures(run), account, self.by, self._summaries, behind)
        notes = (charged_again_text(run),) if run.settled.charged_again else ()
        tables: list[Table] = []
        for summary in self._summaries(*self.by):
            tables += summary_table(summary, run.currency), payment_table(summary, run.currency, PAYERS)
        return settle_report(run, self.account, notes, tables)

    def page(self) -> Report:
        from mps_bill.view.run_report import for_reading

        if self.in_short or not bill_view.spans_days(bills_of_steps(self.run)):
            return self.tables()
        whole = self if self.by else replace(self, by=bill_view.default_groupings(is_long=True))
        blocks = [*_overdue_blocks(self.run, self.in_full), *_forecast(self.run)]
        report = whole.tables()
        return for_reading(replace(report, tables=[*report.tables, *_with_remarks(blocks)]), self.in_full)

    def charts(self) -> Report:
        from mps_bill.view.run_report import charted

        return with_payments(charted(self.tables(), self._summaries(*self.by)))

    def journal(self) -> Journal:
        from mps_bill.view.journal import journal, journal_by

        return journal(self.run, self.books, journal_by(self.by))

    def focus(self) -> Records:
        from mps_bill.view.focus_view import focus_records

        settled = self.run.settled
        charged = []
        for step in settled.settlements:
            parts: dict[int, list[QuantityDeduction]] = {}
            for deduction, line in step.covers:
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
    *,
    in_short: bool = False,
) -> SettleView | bill_view.BillView:
    """What a selection has of a settlement: of a period its bills and what paid them; of lines the parts of bills, which
    nothing pays as such."""
    if selection.only:
        return bill_view.BillView(bills_of(run, selection), by, in_full, account, in_short)
    selected = selected_settlement(run, selection.period)
    return SettleView(selected, by, in_full, account, selection.tags, books, in_short)


def _not_shown(steps: Sequence[Step], *, more: bool) -> str:
    """`719 more bills and 2 more top-ups are summarised ...`."""
    bills, statements, top_ups = (
        sum(isinstance(step, kind) for step in steps) for kind in (Settlement, StatementSettlement, Arrival)
    )
    if more:
        texts = (
            (bills, tr_many("{n} more bill", "{n} more bills", bills)),
            (statements, tr_many("{n} more statement", "{n} more statements", statements)),
            (top_ups, tr_many("{n} more top-up", "{n} more top-ups", top_ups)),
        )
    else:
        texts = (
            (bills, tr_many("{n} bill", "{n} bills", bills)),
            (statements, tr_many("{n} statement", "{n} statements", statements)),
            (top_ups, tr_many("{n} top-up", "{n} top-ups", top_ups)),
        )
    parts = [text for number, text in texts if number]
    return tr_many(
        "{steps} is summarised in the closing statement; --all prints every bill in full.",
        "{steps} are summarised in the closing statement; --all prints every bill in full.",
        len(steps),
        steps=tr(" and ").join(parts),
    )


def _step_blocks(step: Step, run: SettleRun) -> Iterator[Block]:
    match step:
        case Settlement():
            yield bill_view.bill_table(step.bill, run.currency)
            cycle = step.bill.cycle
            if rows := _paid_rows(step, run.currency):
                title = tr("Paid: {product} {start}", product=cycle.product, start=time_text(cycle.start, run.offset))
                yield Table(title, _TOOK, rows).without_empty("for")
        case StatementSettlement():
            statement = step.statement
            issued = time_text(statement.issued_at, run.offset)
            first, rounding = tr("List amount of the month"), tr("Rounding adjustment")
            sums = bill_view.to_payable(statement.amounts, first, rounding, is_rounded=True)
            if step.paid_at_billing:
                payers = tr(", ").join(tr(payer, sense="paid").lower() for payer in AT_BILLING)
                sums.append((tr("Paid by {payers} when the hours were billed", payers=payers), step.paid_at_billing))
            rows = [(name, None, amount, None, run.currency) for name, amount in sums]
            title = tr(
                "Statement of {product} for {month}, issued {issued}",
                product=statement.sheet.product,
                month=date_text(statement.month),
                issued=issued,
            )
            yield Table(title, _TOOK, [*rows, *_paid_rows(step, run.currency)]).without_empty("for")
        case Arrival():
            yield Note(arrival_text(step, run))


def _paid_rows(step: Settlement | StatementSettlement, currency: str) -> list[Row]:
    """The rows of what each source took (quantity in its unit, or money), of the outstanding and of the frozen amount."""
    rows: list[Row] = []
    for record in deductions(step, currency):
        covered = None
        if isinstance(quantity := record.get("plan_quantity"), Quantity):
            covered = f"{with_unit(str(quantity), quantity.unit)} {record['spec']} {record['region']}"
        name = f"{record['name']} {record['source_id'] or ''}".rstrip()
        took = record.get("units") or record.get("paid")
        rows.append((name, covered, took, record["remaining"], record["remaining_in"]))
    if step.payment.outstanding:
        rows.append((tr("Outstanding"), None, step.payment.outstanding, None, currency))
    if isinstance(step, Settlement) and step.frozen:
        rows.append((tr("Frozen"), tr("until the month is over"), step.frozen, None, currency))
    return rows


def arrival_text(arrival: Arrival, run: SettleRun) -> str:
    """`Top-up of 500.00 CNY at 2023-11-10 12:30: 3.20 repays mps 2023-11-10 10:00, 496.80 to the balance.`"""
    parts = []
    for debt, part in arrival.repaid:
        rest = debt.amount - part
        whole = mark("{amount} repays {bill}")
        text = mark("{amount} repays {bill} ({rest} is left)") if rest else whole
        parts.append(tr(text, amount=amount_text(part), bill=debt_name(debt, run.offset), rest=amount_text(rest)))
    parts += [tr(TAKEN_IN[name].text, amount=amount_text(amount)) for name, amount in arrival.added.items()]
    afterwards = ""
    if arrival.at != arrival.top_up.at:
        afterwards = tr(" (entered afterwards for {time})", time=time_text(arrival.top_up.at, run.offset))
    return tr(
        "Top-up{id} of {amount} {currency} at {time}{afterwards}: {parts}.",
        id="" if arrival.top_up.id is None else f" {arrival.top_up.id}",
        amount=amount_text(arrival.amount),
        currency=run.currency,
        time=time_text(arrival.at, run.offset),
        afterwards=afterwards,
        parts=tr(", ", sense="of parts").join(parts) or tr("nothing"),
    )


def _total_table(run: SettleRun, *, is_long: bool) -> Table:
    sums = run.totals
    rows = bill_view.total_rows(sums.amounts)
    rows += [(f"  {tr(PAYERS[name], sense='paid')}", amount) for name, amount in sums.by_payer.items() if amount]
    bills, statements = len(run.settled.settlements), len(run.settled.statements)
    title = tr_many("Total of {n} bill", "Total of {n} bills", bills)
    if statements:
        title += tr_many(" and {n} monthly statement", " and {n} monthly statements", statements)
    return Table(title, bill_view.sum_columns(run.currency, is_long=is_long), rows)


def bills_of_steps(run: SettleRun) -> list[Bill]:
    return [settlement.bill for settlement in run.settled.settlements]


def _sources_table(run: SettleRun) -> Table:
    """What paid, which comes to what is payable."""
    rows = [(tr(PAYERS[name], sense="paid"), amount) for name, amount in run.totals.by_payer.items() if amount]
    columns = (Column("source"), Column("amount", "amount", unit=run.currency, summed=True))
    return Table(tr("Paid from"), columns, rows, ((tr("Total"), run.totals.amounts.payable),))


def _with_remarks(blocks: Iterable[Block]) -> list[Table]:
    """The tables of blocks, each with the paragraph behind it as its remark."""
    tables: list[Table] = []
    for block in blocks:
        if isinstance(block, Table):
            tables.append(block)
        elif isinstance(block, Note):
            tables[-1] = replace(tables[-1], remark=block.text)
    return tables


def _closing_table(run: SettleRun, maximum: int | None = None) -> Table:
    """The closing statement. One of a `maximum` of rows also has when plans, vouchers and cards expire."""
    settled = run.settled
    shown = [row for row in run.closing_rows if is_held(row.source, row.id, row.opening, row.added, row.taken)]
    expires = ("expires",) if maximum else ()
    columns = pick(CLOSING, "source", "unit", "opening", "added", "taken", "closing", "used_up", *expires)
    rows: list[Record] = []
    listed = shown if maximum is None or len(shown) <= maximum else shown[: maximum - 1]
    for row in listed:
        record = dict(closing_record(row, run.offset))
        record["source"] = f"{record['source']} {row.id}".rstrip()
        record |= {name: None for name in ("added", "taken") if not getattr(row, name)}
        rows.append(record)
    if rest := len(shown) - len(listed):
        rows.append({"source": tr("and {n} more", n=rest)})
    before, after = (As(account.available_credit, "amount") for account in (settled.opening, settled.closing))
    available: Record = {"source": tr("Available credit"), "unit": run.currency, "opening": before, "closing": after}
    title = tr("Account {id}", id=settled.closing.id)
    if settled.until is not None:
        at, offset = time_text(settled.until, run.offset), offset_text(run.offset)
        title = tr("Account {id}, {time} (UTC{offset})", id=settled.closing.id, time=at, offset=offset)
    return table(title, columns, rows, [available]).without_empty("used_up", "expires")


def _overdue_blocks(run: SettleRun, in_full: int | None) -> Iterator[Block]:
    if not run.overdue:
        return

    def row(bill: OverdueBill) -> Row:
        cleared = tr("still overdue") if bill.cleared_at is None else Moment(bill.cleared_at, run.offset)
        issued = Moment(bill.debt.issued_at, run.offset)
        return (debt_name(bill.debt, run.offset), issued, bill.debt.amount, cleared, bill.left or None)

    def together(bills: Sequence[OverdueBill]) -> Row:
        left = sum((bill.left for bill in bills), ZERO)
        return (None, sum((bill.debt.amount for bill in bills), ZERO), None, left or None)

    rows = bill_view.listed(run.overdue, in_full, row, together)
    columns = (
        Column("Bill"),
        Column("Overdue since", "time"),
        Column("Outstanding", "amount"),
        Column("Repaid at", "time"),
        Column("Still owed", "amount", unit=run.currency),
    )
    yield Table(tr("Overdue bills"), columns, rows)
    account = run.settled.closing
    if account.outstanding:
        oldest = account.outstanding[0]
        at = cleared_by(account)
        how = tr("no top-up in the account clears it")
        if at is not None:
            how = tr("the top-up of {time} clears it", time=time_text(at, run.offset))
        text = tr(
            "The account is overdue: {amount} {currency} is outstanding, the oldest of it since {time} ({bill}); {how}.",
            amount=amount_text(account.owed),
            currency=run.currency,
            time=time_text(oldest.issued_at, run.offset),
            bill=debt_name(oldest, run.offset),
            how=how,
        )
        yield Note(text)


def _late_blocks(late: Sequence[Bill], run: SettleRun, in_full: int | None) -> Iterator[Block]:
    before = run.settled.charged_before

    def row(bill: Bill) -> Row:
        was_charged = tr(_BEFORE[before.get(cycle_key(bill.cycle))])
        return (Moment(bill.cycle.start, run.offset), bill.cycle.product, *_late_cells([bill]), was_charged)

    def together(bills: Sequence[Bill]) -> Row:
        return (None, *_late_cells(bills), None)

    rows = bill_view.listed(late, in_full, row, together)
    figures = pick(BILL, "records", "list_amount", unit=run.currency)
    columns = (Column("Cycle", "time"), Column("Product"), *figures, Column("Charged before"))
    total = (tr("Total"), *together(late))
    yield Table(tr("Late usage of settled cycles, not charged"), columns, rows, (total,))
    if all(before.get(cycle_key(bill.cycle)) == "same" for bill in late):
        yield Note(tr("All of it counts as charged: the usage of every cycle equals what was charged for it."))
    else:
        how = tr(
            "--charge-late bills late usage as corrections, except for cycles for which the same was charged before. Use it with"
            " files that have only the missed usage."
        )
        yield Note(how)


def charged_again_text(run: SettleRun, maximum: int = _NAMED) -> str:
    """The warning that corrections can hold records which are charged already, with the first `maximum` of their cycles."""
    cycles = [settlement.bill.cycle for settlement in run.settled.charged_again]
    known = all(run.settled.charged_before[cycle_key(cycle)] == "other" for cycle in cycles)
    return tr_many(
        "{n} correction is of a cycle charged before{usage} ({cycles}). The account does not remember single records: a record"
        " that was charged then and is in these files too is charged twice.",
        "{n} corrections are of cycles charged before{usage} ({cycles}). The account does not remember single records: a record"
        " that was charged then and is in these files too is charged twice.",
        len(cycles),
        usage=tr(" with other usage") if known else "",
        cycles=_named_cycles(cycles, run, maximum),
    )


def _named_cycles(cycles: Sequence[Cycle], run: SettleRun, maximum: int = _NAMED) -> str:
    named = [f"{cycle.product} {time_text(cycle.start, run.offset)}" for cycle in cycles[:maximum]]
    more = [tr("{n} more", n=len(cycles) - maximum)] if len(cycles) > maximum else []
    return tr(", ").join(named + more)


def _late_cells(bills: Sequence[Bill]) -> Row:
    return sum(line.records for bill in bills for line in bill.lines), sum_amounts(bills).list_amount


def _forecast(run: SettleRun) -> Iterator[Block]:
    forecast, offset = run.forecast, run.offset
    if forecast is None:
        return
    columns = (*columns_of("Source", "Unit"), *columns_of("Left", "A day", kind="amount"), Column("Runs out", "time"))
    rows: list[Row] = []
    for row in forecast.rows:
        out = tr("not at this rate") if row.runs_out is None else Moment(row.runs_out, offset)
        kind: Kind = "amount" if row.source in PAYERS else "quantity"
        left, a_day = As(row.left, kind), As(row.a_day, kind)
        rows.append((tr(POOLS[row.source]), tr(row.unit), left, a_day, out if row.left else tr("is used up")))
    start, end = time_text(forecast.start, offset), time_text(forecast.end, offset)
    title = mark("Forecast at the rate of {start} to {end} ({span})")
    yield Table(tr(title, start=start, end=end, span=_span(forecast.end - forecast.start)), columns, rows)
    limited = tr(" and ").join(tr(source.title).lower() for source in MONEY_SOURCES if source.may_be_limited())
    assumptions = tr(
        "Assumptions: usage continues at this rate; {quantities} with the same unit are used one after another, then usage is"
        " paid at list price; every {limited} can pay every bill.",
        quantities=tr(" and ").join(tr(source.pool_words) for source in QUANTITY_SOURCES),
        limited=limited,
    )
    yield Note(assumptions)


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, DAY)
    hours = tr("{n} h", n=rest // 3600)
    whole_days = tr("{n} d", n=days)
    return f"{whole_days} {hours}" if days and rest else whole_days if days else hours


def _why_not_charged(run: SettleRun) -> str:
    """Why --charge-late has not charged late usage, and in which cycles."""
    if not run.settled.charge_late:
        return ""
    cycles = [bill.cycle for bill in run.settled.late]
    return (
        f": it equals what was charged for {'these cycles' if len(cycles) > 1 else 'this cycle'}"
        f" ({_named_cycles(cycles, run)}), and counts as charged. To charge other records with the same sums, use"
        " --charge-late --charge-twice once"
    )


def notices(run: SettleRun) -> Iterator[str]:
    """What a person should know of a run beside its result, whatever the format."""
    if count := len(run.settled.overtaken):
        yield (
            f"{'1 bill was' if count == 1 else f'{count} bills were'} issued before the account's current time and paid as of"
            " that time; with products of different lags or cycles use --as-of."
        )
    if run.settled.late:
        rows = run.control_totals.rows_late
        yield f"{rows} row{' is' if rows == 1 else 's are'} late usage of settled cycles and not charged{_why_not_charged(run)}."
    if run.settled.charged_again:
        yield charged_again_text(run)
