"""Settlements as CSV: the rows of `bill`, and a row per deduction, so that `amount` and `paid` both sum to payable."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO

from mps_bill.core.decimals import plain, scaled, stripped
from mps_bill.core.units import QUANTITY_PLACES, in_unit
from mps_bill.pipeline import SettleRun
from mps_bill.report.bill_csv import COLUMNS, bill_head, bill_rows, month_head, month_row, spreadsheet_text
from mps_bill.settlement.settle import Settlement
from mps_bill.settlement.waterfall import Payment

#: Behind the columns of a bill: what paid, how many units of a plan it took, how much money, and what is left of it.
DEDUCTION_COLUMNS = ("source", "source_id", "units", "paid", "remaining")
#: The header of settlements.
SETTLEMENT_COLUMNS = (*COLUMNS, *DEDUCTION_COLUMNS)
_BLANK = ("",) * len(DEDUCTION_COLUMNS)


def write_settlements_csv(stream: IO[str], run: SettleRun) -> None:
    """Writes RFC 4180 rows with `\\r\\n` line ends. The status is issued, correction, late or pending."""
    writer = csv.writer(stream)
    writer.writerow(SETTLEMENT_COLUMNS)
    writer.writerows(settlement_rows(run))


def settlement_rows(run: SettleRun) -> Iterator[tuple[str, ...]]:
    """The rows of `write_settlements_csv` without the header."""
    settled = run.settled
    for settlement in settled.settlements:
        bill = settlement.bill
        status = "issued" if bill.cycle.correction_at is None else "correction"
        yield from ((*row, *_BLANK) for row in bill_rows(bill, status, run.currency))
        head = bill_head(bill, status)
        yield from _plan_rows(settlement, head, run.currency)
        yield from _payment_rows(settlement.payment, head, run.currency)
        if settlement.frozen:
            yield _row(head, "frozen", run.currency, paid=stripped(settlement.frozen))
    for step in settled.statements:
        yield (*month_row(step.statement, run.currency), *_BLANK)
        head = month_head(step.statement)
        released = stripped(-step.statement.amounts.list_amount)
        yield _row(head, "frozen", run.currency, paid=released)
        yield from _payment_rows(step.payment, head, run.currency)
    for status, bills in (("late", settled.late), ("pending", settled.pending)):
        for bill in bills:
            yield from ((*row, *_BLANK) for row in bill_rows(bill, status, run.currency))


def _plan_rows(settlement: Settlement, head: tuple[str, ...], currency: str) -> Iterator[tuple[str, ...]]:
    for deduction, number in zip(settlement.plan_deductions, settlement.plan_lines, strict=True):
        line = settlement.bill.lines[number]
        units, left = (stripped(scaled(value, QUANTITY_PLACES)) for value in (deduction.units, deduction.remaining))
        cells = {
            "item": spreadsheet_text(line.item.code),
            "spec": spreadsheet_text(line.spec),
            "region": spreadsheet_text(line.region),
            "plan_quantity": plain(in_unit(deduction.micros, line.item.unit)),
            "unit": line.item.unit.name,
        }
        middle = tuple(cells.get(column, "") for column in COLUMNS[len(head) + 1 : -1])
        yield (*head, "deduction", *middle, currency, "resource_plan", deduction.plan.id, units, "", left)


def _payment_rows(payment: Payment, head: tuple[str, ...], currency: str) -> Iterator[tuple[str, ...]]:
    for deduction in payment.deductions:
        yield _row(
            head,
            "deduction",
            currency,
            source=deduction.source,
            source_id=deduction.id or "",
            paid=stripped(deduction.amount),
            remaining=stripped(deduction.remaining),
        )
    if payment.outstanding:
        yield _row(head, "outstanding", currency, paid=stripped(payment.outstanding))


def _row(head: tuple[str, ...], kind: str, currency: str, **cells: str) -> tuple[str, ...]:
    middle = [""] * (len(COLUMNS) - len(head) - 2)
    return (*head, kind, *middle, currency, *(cells.get(column, "") for column in DEDUCTION_COLUMNS))
