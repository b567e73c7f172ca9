"""The deductions of a settlement and its closing statement, defined once for the tables of a report, for CSV rows and for JSON
(format `mps-bill/bills/1` with the keys that payment adds)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from mps_bill.core.decimals import ZERO
from mps_bill.core.language import mark, tr
from mps_bill.core.times import date_text, time_text
from mps_bill.pipeline import SettleRun
from mps_bill.rating.bills import Bill
from mps_bill.settlement.account import Account, Debt
from mps_bill.settlement.charged import cycle_key
from mps_bill.settlement.closing import POOLS as PAYABLE_FROM
from mps_bill.settlement.closing import ClosingRow, OverdueBill, cleared_by, overdue_since
from mps_bill.settlement.forecast import Forecast
from mps_bill.settlement.monthly import StatementSettlement
from mps_bill.settlement.settle_cycles import Settled, Settlement
from mps_bill.settlement.sources import MONEY_SOURCES, QUANTITY_SOURCES, SOURCES, TAKEN_IN
from mps_bill.settlement.sources.payment_source import PaymentSource
from mps_bill.settlement.waterfall import Arrival
from mps_bill.view import bill_records
from mps_bill.view.columns import (
    As,
    Column,
    Kind,
    Moment,
    Quantity,
    Record,
    attributes,
    columns_of,
    moment,
    pick,
    select,
)
from mps_bill.view.reading_report import begin_json
from mps_bill.view.tables import BILLS, Bar, Figure, Report, Series, Table, table

#: The names of the rows of the closing statement.
_CLOSING_TITLES = {
    **{source.name: source.left_title or source.title for source in SOURCES},
    "outstanding": mark("Outstanding"),
    "frozen": mark("Frozen"),
}
TITLES = {source.name: source.title for source in SOURCES}
#: The payers of money: source -> title for people.
PAYERS = {
    **{source.name: source.pool_title for source in MONEY_SOURCES},
    "outstanding": mark("Outstanding"),
    "frozen": mark("Frozen"),
}
#: The names of payers within a sentence.
PAYERS_IN_WORDS = {
    **{source.name: source.words for source in MONEY_SOURCES},
    "outstanding": mark("outstanding"),
    "frozen": mark("frozen"),
}
#: The names of payers for programs.
PAYER_POOLS = dict(zip(PAYERS, PAYABLE_FROM, strict=True))
_GRANTED = {source.name for source in MONEY_SOURCES if source.is_granted}
#: The collective names of sources.
POOLS = {source.name: source.pool_title for source in SOURCES}
#: A deduction from a bill or statement, made by `deductions`; `name` is the source for people.
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
#: For programs: the rows of bills and a row for each deduction; `amount` and `paid` both add up to payable.
SETTLED = (*bill_records.RECORDS, *pick(DEDUCTION, "source", "source_id", "units", "paid", "remaining"))
#: A source in the closing statement, made by `closing_record`.
CLOSING = (
    *columns_of("source", "id", "unit"),
    *columns_of("opening", "added", "taken", "closing", kind="quantity"),
    Column("used_up", "time"),
    Column("expires", "time"),
)
#: The payers of a bill or statement.
PAID = tuple(Column(key, "amount", title, summed=True, may_hide=True, sense="paid") for key, title in PAYERS.items())
_DEDUCTION_COLUMNS = (
    *pick(bill_records.BILL, "product", "kind", "cycle_start", "clock"),
    *(column for column in DEDUCTION if column.key != "source"),
)
_TOP_UP = (
    Column("arrived", "time"),
    *columns_of("amount", "repaid", kind="amount", summed=True),
    Column("bills_repaid"),
    *(Column(one.key, "amount", one.title, summed=True) for one in TAKEN_IN.values()),
)


def bills_of_steps(run: SettleRun) -> list[Bill]:
    return [settlement.bill for settlement in run.settled.settlements]


def deductions(step: Settlement | StatementSettlement, currency: str) -> Iterator[Record]:
    """Yield the deductions in order: sources of quantity from a `line` of the bill, in their unit; then the others, in money."""
    if isinstance(step, Settlement):
        for taken, number in step.covers:
            line = step.bill.lines[number]
            yield {
                "source": taken.source.name,
                "name": tr(taken.source.title),
                "source_id": taken.id,
                "line": number,
                "item": line.item.code,
                "spec": line.spec,
                "region": line.region,
                "plan_quantity": Quantity(taken.micros, line.item.unit),
                "unit": tr(line.item.unit.name),
                "units": As(taken.taken, "quantity"),
                "remaining": As(taken.left, "quantity"),
                "remaining_in": tr(taken.unit.name),
            }
    for paid in step.payment.deductions:
        yield {
            "source": paid.source,
            "name": tr(TITLES[paid.source]),
            "source_id": paid.id,
            "paid": paid.amount,
            "remaining": As(paid.remaining, "amount"),
            "remaining_in": currency,
        }


def credits_of(step: Settlement | StatementSettlement) -> list[tuple[str, Decimal]]:
    """Return the part of the payment that the provider granted: the name and amount of each voucher. Cards and balance were
    bought, so they are payments and not credits."""
    return [
        (f"{TITLES[paid.source]} {paid.id or ''}".rstrip(), paid.amount)
        for paid in step.payment.deductions
        if paid.source in _GRANTED
    ]


def closing_record(row: ClosingRow, offset: int) -> Record:
    kind: Kind = "amount" if row.of_money else "quantity"
    return {
        "source": tr(_CLOSING_TITLES[row.source]),
        "id": row.id or None,
        "unit": tr(row.unit),
        **{name: As(getattr(row, name), kind) for name in ("opening", "added", "taken", "closing")},
        "used_up": moment(row.used_up_at, offset),
        "expires": moment(row.expires_at, offset),
    }


def debt_name(debt: Debt, offset: int) -> str:
    return f"{debt.product} {date_text(debt.month) if debt.month else time_text(debt.cycle_start, offset)}"


def _head(step: Settlement | StatementSettlement) -> Record:
    return (
        bill_records.bill_record(step.bill)
        if isinstance(step, Settlement)
        else bill_records.month_record(step.statement)
    )


def _paid_record(step: Settlement | StatementSettlement) -> Record:
    """Return a bill or statement and its payments, which add up to payable. A statement releases the amounts that its bills
    froze, so its frozen amount is negative."""
    frozen = step.frozen if isinstance(step, Settlement) else -step.released
    paid = {source.name: step.payment.paid_by(source.name) for source in MONEY_SOURCES}
    return {**_head(step), **paid, "outstanding": step.payment.outstanding, "frozen": frozen}


def _top_up_record(arrival: Arrival, offset: int) -> Record:
    return {
        "arrived": Moment(arrival.at, offset),
        "amount": arrival.amount,
        "repaid": sum((part for _, part in arrival.repaid), ZERO),
        "bills_repaid": ", ".join(debt_name(debt, offset) for debt, _ in arrival.repaid) or None,
        **arrival.taken_in,
    }


def settle_records(run: SettleRun) -> Iterator[Record]:
    """Yield the rows for `SETTLED`. The status is issued, correction, late or pending."""
    settled, currency = run.settled, run.currency
    for settlement in settled.settlements:
        bill = settlement.bill
        status = "issued" if bill.cycle.correction_at is None else "correction"
        yield from bill_records.charge_records(bill, status, currency)
        head = {**bill_records.head_of(bill_records.bill_record(bill, status)), "currency": currency}
        yield from _payment_records(settlement, head, currency)
        if settlement.frozen:
            yield {**head, "row": "frozen", "paid": settlement.frozen}
    for step in settled.statements:
        statement = bill_records.statement_record(step.statement)
        yield bill_records.adjustment_record(statement, currency)
        head = {**bill_records.head_of(statement), "currency": currency}
        yield {**head, "row": "frozen", "paid": -step.released}
        yield from _payment_records(step, head, currency)
    for status, bills in (("late", settled.late), ("pending", settled.pending)):
        for bill in bills:
            yield from bill_records.charge_records(bill, status, currency)


def _payment_records(step: Settlement | StatementSettlement, head: Record, currency: str) -> Iterator[Record]:
    for taken in deductions(step, currency):
        yield {**head, "row": "deduction", **taken}
    if step.payment.outstanding:
        yield {**head, "row": "outstanding", "paid": step.payment.outstanding}


def settle_report(
    run: SettleRun, account: str | None, notes: Sequence[str] = (), summaries: Sequence[Table] = ()
) -> Report:
    """Return the report of `settle` with `notes` for people and the tables of the `summaries` asked for."""
    from mps_bill.view.run_report import lines_table, outside_totals, run_report

    settled = run.settled
    steps = [step for step in settled.steps if not isinstance(step, Arrival)]
    bills = bills_of_steps(run)
    taken = [{**_head(step), **record} for step in steps for record in deductions(step, run.currency)]
    closing = (closing_record(row, run.offset) for row in run.closing_rows)
    adds_up = tr("Account {id}. Opening + added - taken = closing.", id=settled.closing.id)
    columns = bill_records.bill_columns(discounted=bill_records.is_discounted(bills))
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
    report = run_report(tr("Settlement"), run, bills, tables, settlement_figures(run), account or settled.closing.id)
    return replace(report, notes=(*notes, *report.notes))


def settlement_figures(run: SettleRun) -> list[Figure]:
    """Return the sums of the bills and the payments above zero. The outstanding amount is always included."""
    from mps_bill.view.run_report import sums_of

    amounts = run.totals.by_payer
    paid = [Figure(column.key, column.label, amounts[column.key]) for column in PAID]
    return [
        *sums_of(run.totals.amounts, bills_of_steps(run)),
        *(one for one in paid if one.amount or one.key == "outstanding"),
    ]


def with_payments(report: Report) -> Report:
    """Add a chart of the payments and of the outstanding and frozen amounts; an amount of zero has no bar."""
    paid = (figure for figure in report.figures if figure.key in PAYERS)
    bars = tuple(Bar(figure.key, figure.label, figure.amount) for figure in paid if figure.amount > 0)
    return replace(report, charts=(*report.charts, Series(tr("Paid from"), bars))) if bars else report


#: The keys of a deduction in JSON -> the keys of its record.
_DEDUCTION = {
    "source": "source",
    "id": "source_id",
    "line": "line",
    "quantity": "plan_quantity",
    "units": "units",
    "amount": "paid",
    "remaining": "remaining",
}


def settle_run_json(run: SettleRun) -> dict[str, Any]:
    """Return the whole result of `settle`. Keys without content (`months`, `late`, `pending`, ...) are left out."""
    settled, currency, offset = run.settled, run.currency, run.offset
    sums = run.totals
    discounted = bool(settled.opening.contract.discounts)
    settlements = (
        {**settlement_json(settlement, currency), **_before_json(settlement.bill, settled)}
        for settlement in settled.settlements
    )
    optional = {
        "months": [_statement_json(step, currency, discounted=discounted) for step in settled.statements],
        "top_ups": [_arrival_json(arrival, offset) for arrival in settled.arrivals],
        "overdue": [_overdue_json(bill, offset) for bill in run.overdue],
        "late": [{**bill_records.bill_json(bill), **_before_json(bill, settled)} for bill in settled.late],
        "pending": list(map(bill_records.bill_json, settled.pending)),
        "forecast": run.forecast and _forecast_json(run.forecast, offset),
    }
    return {
        **begin_json(bill_records.FORMAT, currency, run.selection, offset),
        "control_totals": asdict(run.control_totals),
        "bills": list(settlements),
        "total": {
            **sums.amounts.figures(discounted=discounted),
            **{source.total_key: sums.units[source.name] for source in QUANTITY_SOURCES},
            **sums.by_pool,
        },
        "account": _account_json(settled.closing, offset),
        "closing_statement": [_closing_json(row, offset) for row in run.closing_rows],
        **{key: value for key, value in optional.items() if value},
    }


def settlement_json(settlement: Settlement, currency: str) -> dict[str, Any]:
    """Return a bill with its payments."""
    frozen = {"frozen": settlement.frozen} if settlement.frozen else {}
    return {**bill_records.bill_json(settlement.bill), **_payment_json(settlement, currency), **frozen}


def _statement_json(step: StatementSettlement, currency: str, *, discounted: bool) -> dict[str, Any]:
    return {
        **bill_records.month_json(step.statement, discounted=discounted),
        **({"vouchers_at_billing": step.paid_at_billing} if step.paid_at_billing else {}),
        **_payment_json(step, currency),
    }


def _overdue_json(bill: OverdueBill, offset: int) -> dict[str, Any]:
    return {**_debt_json(bill.debt, offset), "left": bill.left, "cleared_at": moment(bill.cleared_at, offset)}


def _before_json(bill: Bill, settled: Settled) -> dict[str, str]:
    """For late usage, charged now or not, say what the account charged for its cycle before: the `same` or `other` usage."""
    before = settled.charged_before.get(cycle_key(bill.cycle))
    return {} if before is None else {"charged_before": before}


def _account_json(account: Account, offset: int) -> dict[str, Any]:
    """Return the account after the run: what is left in every source, and what the account owes."""
    through = {product: Moment(second, offset) for product, second in sorted(account.settled_through.items())}
    return {
        **_figures(source for source in account.sources if not (source.has_ids or source.is_owed)),
        **_figures(source for source in account.sources if source.has_ids),
        "settled_through": moment(min(account.settled_through.values(), default=None), offset),
        "settled_through_by_product": through,
        **_figures(source for source in account.sources if source.is_owed),
        "outstanding": account.owed,
        "overdue_since": moment(overdue_since(account), offset),
        "cleared_by_top_up_at": moment(cleared_by(account) if account.outstanding else None, offset),
        "frozen": account.frozen_amount,
        "available_credit": account.available_credit,
    }


def _figures(sources: Iterable[PaymentSource]) -> dict[str, Any]:
    return {key: value for source in sources for key, value in source.figures().items()}


def _payment_json(step: Settlement | StatementSettlement, currency: str) -> dict[str, Any]:
    """Return the deductions in the order in which they were made: quantity, then money."""
    return {
        "deductions": [
            {key: taken.get(name) for key, name in _DEDUCTION.items()} for taken in deductions(step, currency)
        ],
        "outstanding": step.payment.outstanding,
    }


def _closing_json(row: ClosingRow, offset: int) -> dict[str, Any]:
    record = closing_record(row, offset)
    return {
        "source": row.source,
        **select(record, "id", "unit", "opening", "added", "taken", "closing"),
        **({} if row.used_up_at is None else {"used_up_at": record["used_up"]}),
    }


def _arrival_json(arrival: Arrival, offset: int) -> dict[str, Any]:
    return {
        **({} if arrival.top_up.id is None else {"id": arrival.top_up.id}),
        "at": Moment(arrival.at, offset),
        "amount": arrival.amount,
        "repaid": [{**_debt_json(debt, offset), "amount": part} for debt, part in arrival.repaid],
        **arrival.taken_in,
    }


def _debt_json(debt: Debt, offset: int) -> dict[str, Any]:
    return {
        "product": debt.product,
        "cycle_start": Moment(debt.cycle_start, offset),
        "month": debt.month,
        "issued_at": Moment(debt.issued_at, offset),
        "amount": debt.amount,
    }


def _forecast_json(forecast: Forecast, offset: int) -> dict[str, Any]:
    return {
        "from": Moment(forecast.start, offset),
        "to": Moment(forecast.end, offset),
        "sources": [
            {**attributes(row, "source", "unit", "left", "a_day"), "runs_out": moment(row.runs_out, offset)}
            for row in forecast.rows
        ],
    }
