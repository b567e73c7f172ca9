"""A settlement as a report of named tables: those of bills, with what paid each, and the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mps_bill.core.decimals import ZERO
from mps_bill.core.language import tr
from mps_bill.pipeline import SettleRun
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settlement
from mps_bill.settlement.sources import MONEY_SOURCES, TAKEN_IN
from mps_bill.settlement.waterfall import Arrival
from mps_bill.view.bill_records import BILL, bill_columns, bill_record, is_discounted, month_record
from mps_bill.view.chart_series import paid_from
from mps_bill.view.run_report import lines_table, outside_totals, run_report, sums_of
from mps_bill.view.settle_records import CLOSING, DEDUCTION, PAYERS, closing_record, debt_name, deductions
from mps_bill.view.tables import BILLS, Column, Figure, Moment, Record, Report, Table, Value, columns_of, pick, table

#: What a bill or statement was paid from.
PAID = tuple(Column(key, "amount", title, summed=True, may_hide=True, sense="paid") for key, title in PAYERS.items())
_DEDUCTION_COLUMNS = (
    *pick(BILL, "product", "kind", "cycle_start", "clock"),
    *(column for column in DEDUCTION if column.key != "source"),
)
_TOP_UP = (
    Column("arrived", "time"),
    *columns_of("amount", "repaid", kind="amount", summed=True),
    Column("bills_repaid"),
    *(Column(one.key, "amount", one.title, summed=True) for one in TAKEN_IN.values()),
)


def settle_report(
    run: SettleRun, account: str | None, notes: Sequence[str] = (), summaries: Sequence[Table] = ()
) -> Report:
    """What `settle` found; `notes` are sentences for people, and `summaries` the tables of the summaries asked for."""
    settled = run.settled
    steps = [step for step in settled.steps if not isinstance(step, Arrival)]
    bills = tuple(settlement.bill for settlement in settled.settlements)
    taken = [{**_head(step), **record} for step in steps for record in deductions(step, run.currency)]
    closing = (closing_record(row, run.offset) for row in run.closing_rows)
    adds_up = tr("Account {id}. Opening + added - taken = closing.", id=settled.closing.id)
    columns = bill_columns(discounted=is_discounted(bills))
    tables = [
        table(tr("Bills"), (*columns, *PAID), map(_paid_record, steps), name=BILLS, of_details=True),
        *summaries,
        lines_table(bills),
        table(
            tr("Deductions"),
            _DEDUCTION_COLUMNS,
            taken,
            remark="" if taken else tr("Nothing was deducted."),
            of_details=True,
        ),
        table(tr("Account"), CLOSING, closing, remark=adds_up),
    ]
    if settled.arrivals:
        top_ups = (_top_up_record(arrival, run.offset) for arrival in settled.arrivals)
        tables.append(table(tr("Top-ups"), _TOP_UP, top_ups, of_details=True))
    tables += outside_totals(settled.late, settled.pending)
    report = run_report(tr("Settlement"), run, bills, tables, figures(run), account or settled.closing.id)
    return replace(report, notes=(*notes, *report.notes))


def figures(run: SettleRun) -> list[Figure]:
    """What the bills come to, and what paid them; what is outstanding also where it is nothing."""
    bills = (settlement.bill for settlement in run.settled.settlements)
    amounts = run.totals.by_payer
    paid = [Figure(column.key, column.label, amounts[column.key]) for column in PAID]
    return [*sums_of(run.totals.amounts, bills), *(one for one in paid if one.amount or one.key == "outstanding")]


def with_payments(report: Report) -> Report:
    """The report with a chart of what paid."""
    paid = paid_from(report, {column.key for column in PAID})
    return replace(report, charts=(*report.charts, paid)) if paid else report


def _head(step: Settlement | StatementSettlement) -> Record:
    return bill_record(step.bill) if isinstance(step, Settlement) else month_record(step.statement)


def _paid_record(step: Settlement | StatementSettlement) -> Record:
    """A bill or statement, and what paid it: its payable is the sum of what follows it. A statement releases what its
    bills froze, which therefore stands there below zero."""
    frozen = step.frozen if isinstance(step, Settlement) else -step.released
    paid: dict[str, Value] = {source.name: step.payment.paid_by(source.name) for source in MONEY_SOURCES}
    return {**_head(step), **paid, "outstanding": step.payment.outstanding, "frozen": frozen}


def _top_up_record(arrival: Arrival, offset: int) -> Record:
    return {
        "arrived": Moment(arrival.at, offset),
        "amount": arrival.amount,
        "repaid": sum((part for _, part in arrival.repaid), ZERO),
        "bills_repaid": ", ".join(debt_name(debt, offset) for debt, _ in arrival.repaid) or None,
        **arrival.taken_in,
    }
