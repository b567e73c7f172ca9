"""A settlement as tables of typed values: the tables of bills, with what paid each, and the account."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mps_bill.core.decimals import ZERO, scaled
from mps_bill.core.units import QUANTITY_PLACES, in_unit
from mps_bill.pipeline import SettleRun
from mps_bill.report.control_totals import control_totals_text
from mps_bill.report.data_tables import (
    BILL_FIELDS,
    Coverage,
    DataTable,
    Field,
    Moment,
    PlanPart,
    RunData,
    Value,
    bill_row,
    bills_table,
    clock_name,
    control_totals_table,
    lines_table,
    month_row,
    run_summary,
)
from mps_bill.report.settle_tables import SOURCE_NAMES, charged_again_text, debt_name
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle import Settlement
from mps_bill.settlement.waterfall import MONEY_SOURCES, Arrival, Payment

_PAID_NAMES = {
    "voucher": "Vouchers",
    "stored_value_card": "Stored-value cards",
    "balance": "Balance",
    "credit_line": "Credit line",
}
_PAID_FIELDS = tuple(
    Field(title, "amount", summed=True, may_hide=True)
    for title in (*(_PAID_NAMES[source] for source in MONEY_SOURCES), "Outstanding", "Frozen")
)
_DEDUCTION_FIELDS = (
    Field("Product"),
    Field("Kind"),
    Field("From", "time"),
    Field("Clock"),
    Field("Source"),
    Field("Id"),
    Field("Item"),
    Field("Spec"),
    Field("Region"),
    Field("Covered quantity", "quantity"),
    Field("Unit"),
    Field("Plan units", "quantity"),
    Field("Amount", "amount", summed=True),
    Field("Remaining", "quantity"),
    Field("Remaining in"),
)
_ACCOUNT_FIELDS = (
    Field("Source"),
    Field("Id"),
    Field("Unit"),
    Field("Opening", "quantity"),
    Field("Added", "quantity"),
    Field("Taken", "quantity"),
    Field("Closing", "quantity"),
    Field("Used up", "time"),
)
_TOP_UP_FIELDS = (
    Field("Arrived", "time"),
    Field("Amount", "amount", summed=True),
    Field("Repaid", "amount", summed=True),
    Field("Bills repaid"),
    Field("Credit restored", "amount", summed=True),
    Field("To the balance", "amount", summed=True),
)


def settle_run_data(run: SettleRun, account: str | None = None) -> RunData:
    """What `settle` found. `account` is the provider's id of the account, where it is not that of the account file."""
    settled = run.settled
    steps = [step for step in settled.steps if not isinstance(step, Arrival)]
    bills = tuple(settlement.bill for settlement in settled.settlements)
    months = tuple(step.statement for step in settled.statements)
    rows = tuple(_settled_row(step) for step in steps)
    deductions = tuple(row for step in steps for row in _deduction_rows(step, run.currency))
    tables = [
        DataTable("Bills", BILL_FIELDS + _PAID_FIELDS, rows),
        lines_table(bills),
        DataTable("Deductions", _DEDUCTION_FIELDS, deductions, "" if deductions else "Nothing was deducted."),
        _account_table(run),
    ]
    if settled.arrivals:
        top_ups = tuple(_top_up_row(arrival, run.offset) for arrival in settled.arrivals)
        tables.append(DataTable("Top-ups", _TOP_UP_FIELDS, top_ups))
    if settled.late:
        remark = "Late usage of settled cycles, at list price; it was not charged and is in no total."
        tables.append(bills_table(settled.late, title="Late bills", remark=remark))
    if settled.pending:
        tables.append(bills_table(settled.pending, title="Pending bills", remark="Not issued yet, and in no total."))
    tables.append(control_totals_table(run.control_totals))
    titles = ["List amount", "Rounding adjustment", "Payable"]
    paid = tables[0]
    titles += [field.title for field in _PAID_FIELDS if paid.total(paid.index(field.title))]
    if "Outstanding" not in titles:
        titles.append("Outstanding")
    again = (charged_again_text(run),) if settled.charged_again else ()
    summary = run_summary("Settlement", run.currency, bills, tuple((title, "Bills", title) for title in titles))
    return RunData(
        summary=summary,
        currency=run.currency,
        account=account or settled.closing.id,
        charged=tuple((settlement.bill, _coverage(settlement)) for settlement in settled.settlements),
        months=months,
        tables=tuple(tables),
        notes=(*again, control_totals_text(run.control_totals)),
    )


def _coverage(settlement: Settlement) -> Coverage:
    parts: dict[int, list[PlanPart]] = {}
    for deduction, line in zip(settlement.plan_deductions, settlement.plan_lines, strict=True):
        part = PlanPart(deduction.plan.id, deduction.plan.name, deduction.micros)
        parts.setdefault(line, []).append(part)
    return parts


def _settled_row(step: Settlement | StatementSettlement) -> tuple[Value, ...]:
    """A bill or statement, and what paid it: its payable is the sum of what follows it. A statement releases what its
    bills froze, which therefore stands there below zero."""
    if isinstance(step, Settlement):
        head, frozen = bill_row(step.bill), step.frozen
    else:
        head, frozen = month_row(step.statement), -step.statement.amounts.list_amount
    paid: list[Decimal] = [step.payment.paid_by(source) for source in MONEY_SOURCES]
    return (*head, *paid, step.payment.outstanding, frozen)


def _deduction_rows(step: Settlement | StatementSettlement, currency: str) -> Iterator[tuple[Value, ...]]:
    if isinstance(step, StatementSettlement):
        calendar = step.statement.sheet.billing.calendar
        start = Moment(calendar.month_start(step.statement.month), calendar.offset)
        statement = (step.statement.sheet.product, f"statement {step.statement.month}", start, clock_name(calendar))
        yield from _payment_rows(step.payment, statement, currency)
        return
    product, kind, start_of, *_ = bill_row(step.bill)
    head = (product, kind, start_of, clock_name(step.bill.cycle.sheet.billing.calendar))
    for deduction, number in zip(step.plan_deductions, step.plan_lines, strict=True):
        line, plan = step.bill.lines[number], deduction.plan
        took, left = (scaled(units, QUANTITY_PLACES) for units in (deduction.units, deduction.remaining))
        covered = (in_unit(deduction.micros, line.item.unit), line.item.unit.name, took)
        what = (SOURCE_NAMES["resource_plan"], plan.id, line.item.code, line.spec, line.region)
        yield (*head, *what, *covered, None, left, plan.unit.name)
    yield from _payment_rows(step.payment, head, currency)


def _payment_rows(payment: Payment, head: tuple[Value, ...], currency: str) -> Iterator[tuple[Value, ...]]:
    for deduction in payment.deductions:
        source = SOURCE_NAMES[deduction.source].removesuffix(" left")
        blank = (None,) * 6
        yield (*head, source, deduction.id, *blank, deduction.amount, deduction.remaining, currency)


def _account_table(run: SettleRun) -> DataTable:
    rows = tuple(
        (
            SOURCE_NAMES[row.source],
            row.id or None,
            row.unit,
            row.opening,
            row.added,
            row.taken,
            row.closing,
            None if row.used_up_at is None else Moment(row.used_up_at, run.offset),
        )
        for row in run.closing_rows
    )
    account = run.settled.closing
    remark = f"Account {account.id}. Opening + added - taken = closing."
    return DataTable("Account", _ACCOUNT_FIELDS, rows, remark)


def _top_up_row(arrival: Arrival, offset: int) -> tuple[Value, ...]:
    repaid = sum((part for _, part in arrival.repaid), ZERO)
    names = ", ".join(debt_name(debt, offset) for debt, _ in arrival.repaid)
    at = Moment(arrival.at, offset)
    return (at, arrival.amount, repaid, names or None, arrival.credit_restored, arrival.to_balance)
