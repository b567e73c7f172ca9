"""The view of a settlement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from mps_bill.ask.apply_selection import bills_of, selected_settlement
from mps_bill.ask.summaries import Billed, Summary, summarise
from mps_bill.core.language import tr
from mps_bill.pipeline import SettleRun
from mps_bill.rating.bills import Amounts
from mps_bill.rating.selection import Selection
from mps_bill.settlement.attribution import paid_by_line, paid_of
from mps_bill.settlement.settle_cycles import Settlement
from mps_bill.settlement.sources.payment_source import QuantityDeduction
from mps_bill.settlement.waterfall import Arrival
from mps_bill.view import bill_view
from mps_bill.view.books import STANDARD_BOOKS, Books
from mps_bill.view.reading_report import control_totals_text, selection_text
from mps_bill.view.settle_notices import charged_again_text
from mps_bill.view.settle_records import (
    PAYER_POOLS,
    PAYERS,
    SETTLED,
    bills_of_steps,
    credits_of,
    settle_records,
    settle_report,
    settle_run_json,
    settlement_figures,
    with_payments,
)
from mps_bill.view.settle_tables import (
    closing_table,
    forecast_blocks,
    late_blocks,
    overdue_blocks,
    sources_table,
    step_blocks,
    steps_not_shown,
    total_table,
)
from mps_bill.view.summary_view import payment_table, summary_json, summary_records, summary_table
from mps_bill.view.tables import Block, Note, Records, Report, Table

if TYPE_CHECKING:
    from mps_bill.view.journal import Journal

#: Rows of the closing statement on the last of two pages.
_LISTED_IN_SHORT = 12


@dataclass(frozen=True, slots=True)
class SettleView:
    """The result of `settle`.

    `by`: the groupings of the summaries; their tags must be in `tags`, by which the usage was split. `in_full`: the number of
    steps printed in full (None: depends on the length of the run). `account`: the provider's id of the account, if it differs
    from the id in the account file. `books`: the accounts of journals. With `in_short` the report fits on two pages.
    """

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
            yield total_table(run, is_long=is_long)
        shown = settled.steps[: bill_view.bills_in_full(self.in_full, is_long=is_long)]
        for step in shown:
            yield from step_blocks(step, run)
        if rest := settled.steps[len(shown) :]:
            yield Note(steps_not_shown(rest, more=bool(shown)))
        if not is_long and (settled.settlements or settled.statements):
            yield total_table(run, is_long=is_long)
        if settled.charged_again:
            yield Note(charged_again_text(run))
        yield closing_table(run)
        unasked = bill_view.default_groupings(is_long=is_long) if is_long and not self.by else ()
        for summary in (*self._summaries(*self.by), *self._summaries(*unasked, split=False)):
            yield summary_table(summary, run.currency)
            if self.by or summary.of_bills:
                yield payment_table(summary, run.currency, PAYERS)
        yield from overdue_blocks(run, self.in_full)
        if settled.late:
            yield from late_blocks(settled.late, run, self.in_full)
        if settled.pending:
            yield bill_view.pending_table(settled.pending, run.currency, self.in_full)
        yield from forecast_blocks(run)
        yield Note(control_totals_text(run.control_totals))

    def _summaries(self, *groupings: tuple[str, ...], split: bool = True) -> list[Summary]:
        """Return the summaries by these groupings. Splitting payments over the lines of bills takes time, so it is done only on
        request (`split`), and once for all summaries."""
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
        """Return the summaries if some were asked for, otherwise the lines and their payments."""
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
            further = [sources_table(run), closing_table(run, _LISTED_IN_SHORT), *_with_remarks(forecast_blocks(run))]
            account = self.account or run.settled.closing.id
            return two_pages(
                run, bills_of_steps(run), settlement_figures(run), account, self.by, self._summaries, further
            )
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
        blocks = [*overdue_blocks(self.run, self.in_full), *forecast_blocks(self.run)]
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
    """Return the selected part of a settlement: for a period, its bills and their payments; for lines, the parts of bills,
    which have no payments of their own."""
    if selection.only:
        return bill_view.BillView(bills_of(run, selection), by, in_full, account, in_short)
    selected = selected_settlement(run, selection.period)
    return SettleView(selected, by, in_full, account, selection.tags, books, in_short)


def _with_remarks(blocks: Iterable[Block]) -> list[Table]:
    """Return the tables among these blocks, each with the paragraph after it as its remark."""
    tables: list[Table] = []
    for block in blocks:
        if isinstance(block, Table):
            tables.append(block)
        elif isinstance(block, Note):
            tables[-1] = replace(tables[-1], remark=block.text)
    return tables
