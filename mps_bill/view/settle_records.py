"""What a settlement took and left, spelled once: deductions, and sources from the start of the run to its end."""

from __future__ import annotations

from collections.abc import Iterator

from mps_bill.core.decimals import scaled
from mps_bill.core.times import clock
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.pipeline import SettleRun
from mps_bill.settlement.account import Debt
from mps_bill.settlement.closing import ClosingRow
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settlement
from mps_bill.settlement.sources import SOURCES
from mps_bill.settlement.sources.resource_plans import ResourcePlans
from mps_bill.view.bill_records import (
    RECORDS,
    adjustment_record,
    bill_record,
    charge_records,
    head_of,
    statement_record,
)
from mps_bill.view.tables import As, Column, Kind, Quantity, Record, columns_of, moment, pick

#: What the closing statement calls each of its rows.
_CLOSING_TITLES = {
    **{source.name: source.left_title or source.title for source in SOURCES},
    "outstanding": "Outstanding",
    "frozen": "Frozen",
}
_TITLES = {source.name: source.title for source in SOURCES}
#: Sources by what all of one is called.
POOLS = {source.name: source.pool_title for source in SOURCES}
#: What a source took of a bill or statement, as `deductions` spells it; `name` is the source for people.
DEDUCTION = (
    Column("source"),
    Column("name", "text", "Source"),
    Column("source_id", "text", "Id"),
    *columns_of("item", "spec", "region"),
    Column("plan_quantity", "quantity", "Covered quantity"),
    Column("unit"),
    Column("units", "quantity", "Plan units"),
    Column("paid", "amount", "Amount", summed=True),
    Column("remaining", "quantity"),
    Column("remaining_in"),
)
#: For programs: the rows of bills, and a row per deduction, so that `amount` and `paid` both sum to payable.
SETTLED = (*RECORDS, *pick(DEDUCTION, "source", "source_id", "units", "paid", "remaining"))
#: A source in the closing statement, as `closing_record` spells it.
CLOSING = (
    *columns_of("source", "id", "unit"),
    *columns_of("opening", "added", "taken", "closing", kind="quantity"),
    Column("used_up", "time"),
)


def deductions(step: Settlement | StatementSettlement, currency: str) -> Iterator[Record]:
    """What each source took, in that order: plans in their unit of a `line` of the bill, the others in money."""
    if isinstance(step, Settlement):
        for taken, number in zip(step.plan_deductions, step.plan_lines, strict=True):
            line = step.bill.lines[number]
            yield {
                "source": ResourcePlans.name,
                "name": ResourcePlans.title,
                "source_id": taken.plan.id,
                "line": number,
                "item": line.item.code,
                "spec": line.spec,
                "region": line.region,
                "plan_quantity": Quantity(taken.micros, line.item.unit),
                "unit": line.item.unit.name,
                "units": As(scaled(taken.units, QUANTITY_PLACES), "quantity"),
                "remaining": As(scaled(taken.remaining, QUANTITY_PLACES), "quantity"),
                "remaining_in": taken.plan.unit.name,
            }
    for paid in step.payment.deductions:
        yield {
            "source": paid.source,
            "name": _TITLES[paid.source],
            "source_id": paid.id,
            "paid": paid.amount,
            "remaining": As(paid.remaining, "amount"),
            "remaining_in": currency,
        }


def closing_record(row: ClosingRow, offset: int) -> Record:
    kind: Kind = "amount" if row.of_money else "quantity"
    return {
        "source": _CLOSING_TITLES[row.source],
        "id": row.id or None,
        "unit": row.unit,
        **{name: As(getattr(row, name), kind) for name in ("opening", "added", "taken", "closing")},
        "used_up": moment(row.used_up_at, offset),
    }


def debt_name(debt: Debt, offset: int) -> str:
    return f"{debt.product} {debt.month or clock(debt.cycle_start, offset)}"


def settle_records(run: SettleRun) -> Iterator[Record]:
    """The rows under `SETTLED`. The status is issued, correction, late or pending."""
    settled, currency = run.settled, run.currency
    for settlement in settled.settlements:
        bill = settlement.bill
        status = "issued" if bill.cycle.correction_at is None else "correction"
        yield from charge_records(bill, status, currency)
        head = {**head_of(bill_record(bill, status)), "currency": currency}
        yield from _payment_records(settlement, head, currency)
        if settlement.frozen:
            yield {**head, "row": "frozen", "paid": settlement.frozen}
    for step in settled.statements:
        statement = statement_record(step.statement)
        yield adjustment_record(statement, currency)
        head = {**head_of(statement), "currency": currency}
        yield {**head, "row": "frozen", "paid": -step.released}
        yield from _payment_records(step, head, currency)
    for status, bills in (("late", settled.late), ("pending", settled.pending)):
        for bill in bills:
            yield from charge_records(bill, status, currency)


def _payment_records(step: Settlement | StatementSettlement, head: Record, currency: str) -> Iterator[Record]:
    for taken in deductions(step, currency):
        yield {**head, "row": "deduction", **taken}
    if step.payment.outstanding:
        yield {**head, "row": "outstanding", "paid": step.payment.outstanding}
