"""Settlements as JSON: format `mps-bill/bills/1` with the keys that paying adds."""

from __future__ import annotations

import dataclasses
from typing import Any

from mps_bill.core.decimals import plain, scaled, stripped
from mps_bill.core.times import iso
from mps_bill.core.units import QUANTITY_PLACES, in_unit
from mps_bill.pipeline import SettleRun
from mps_bill.rating.bills import Bill
from mps_bill.settlement.account import Account, Debt
from mps_bill.settlement.charged import cycle_key
from mps_bill.settlement.closing import ClosingRow, overdue_since
from mps_bill.settlement.forecast import Forecast
from mps_bill.settlement.overdue import cleared_by
from mps_bill.settlement.settle_cycles import Settled, Settlement
from mps_bill.settlement.sources.credit_line import CreditLine
from mps_bill.settlement.sources.payment_source import MoneyDeduction
from mps_bill.settlement.sources.resource_plans import ResourcePlans
from mps_bill.settlement.waterfall import Arrival, Payment
from mps_bill.view.bill_json import FORMAT, amounts_json, bill_json, month_json


def settle_run_json(run: SettleRun) -> dict[str, Any]:
    """The whole result of `settle`. Keys for what did not happen (`months`, `late`, `pending`, ...) are left out."""
    settled = run.settled
    sums = run.totals
    discounted = bool(settled.opening.contract.discounts)
    document: dict[str, Any] = {
        "format": FORMAT,
        "currency": run.currency,
        "control_totals": dataclasses.asdict(run.control_totals),
        "bills": [
            {**settlement_json(settlement), **_before_json(settlement.bill, settled)}
            for settlement in settled.settlements
        ],
        "total": {
            **amounts_json(sums.amounts, discounted=discounted),
            "plan": {id_: _units(units) for id_, units in sums.plans.items()},
            **{name: stripped(amount) for name, amount in sums.by_pool.items()},
        },
        "account": account_json(settled.closing, run.offset),
        "closing_statement": [_closing_json(row, run.offset) for row in run.closing_rows],
    }
    if settled.statements:
        document["months"] = [
            {
                **month_json(step.statement, discounted=discounted),
                **({"vouchers_at_billing": stripped(step.vouchers)} if step.vouchers else {}),
                **_payment_json(step.payment),
            }
            for step in settled.statements
        ]
    if settled.arrivals:
        document["top_ups"] = [_arrival_json(arrival, run.offset) for arrival in settled.arrivals]
    overdue = [
        {
            **_debt_json(bill.debt, run.offset),
            "left": stripped(bill.left),
            "cleared_at": None if bill.cleared_at is None else iso(bill.cleared_at, run.offset),
        }
        for bill in run.overdue
    ]
    if overdue:
        document["overdue"] = overdue
    if settled.late:
        document["late"] = [{**bill_json(bill), **_before_json(bill, settled)} for bill in settled.late]
    if settled.pending:
        document["pending"] = [bill_json(bill) for bill in settled.pending]
    if run.forecast:
        document["forecast"] = _forecast_json(run.forecast, run.offset)
    return document


def settlement_json(settlement: Settlement) -> dict[str, Any]:
    """A bill with its deductions in the order in which they were made: plans, then money."""
    lines = settlement.bill.lines
    plans = [
        {
            "source": ResourcePlans.name,
            "id": deduction.plan.id,
            "line": number,
            "quantity": plain(in_unit(deduction.micros, lines[number].item.unit)),
            "units": _units(deduction.units),
            "amount": None,
            "remaining": _units(deduction.remaining),
        }
        for deduction, number in zip(settlement.plan_deductions, settlement.plan_lines, strict=True)
    ]
    document = {**bill_json(settlement.bill), **_payment_json(settlement.payment)}
    document["deductions"] = [*plans, *document["deductions"]]
    if settlement.frozen:
        document["frozen"] = stripped(settlement.frozen)
    return document


def _before_json(bill: Bill, settled: Settled) -> dict[str, str]:
    """Of late usage, charged now or not, what the account charged of its cycle before: the `same` or `other` usage."""
    before = settled.charged_before.get(cycle_key(bill.cycle))
    return {} if before is None else {"charged_before": before}


def account_json(account: Account, offset: int) -> dict[str, Any]:
    """The account after the run: what is left of everything, and what it owes."""
    through = {product: iso(second, offset) for product, second in sorted(account.settled_through.items())}
    earliest = min(account.settled_through.values(), default=None)
    since, at = overdue_since(account), cleared_by(account) if account.outstanding else None
    credit = account.of(CreditLine)
    return {
        "balance": stripped(account.balance),
        **{
            source.pool: {one.id: stripped(one.left) for one in source.holdings()}
            for source in account.sources
            if source.has_ids
        },
        "settled_through": None if earliest is None else iso(earliest, offset),
        "settled_through_by_product": through,
        "credit_line": stripped(credit.limit),
        "credit_used": stripped(credit.used),
        "outstanding": stripped(account.owed),
        "overdue_since": None if since is None else iso(since, offset),
        "cleared_by_top_up_at": None if at is None else iso(at, offset),
        "frozen": stripped(account.frozen_amount),
        "available_credit": stripped(account.available_credit),
    }


def _payment_json(payment: Payment) -> dict[str, Any]:
    return {
        "deductions": [_deduction_json(deduction) for deduction in payment.deductions],
        "outstanding": stripped(payment.outstanding),
    }


def _deduction_json(deduction: MoneyDeduction) -> dict[str, Any]:
    return {
        "source": deduction.source,
        "id": deduction.id,
        "line": None,
        "quantity": None,
        "units": None,
        "amount": stripped(deduction.amount),
        "remaining": stripped(deduction.remaining),
    }


def _closing_json(row: ClosingRow, offset: int) -> dict[str, Any]:
    return {
        "source": row.source,
        "id": row.id or None,
        "unit": row.unit,
        "opening": stripped(row.opening),
        "added": stripped(row.added),
        "taken": stripped(row.taken),
        "closing": stripped(row.closing),
        **({} if row.used_up_at is None else {"used_up_at": iso(row.used_up_at, offset)}),
    }


def _arrival_json(arrival: Arrival, offset: int) -> dict[str, Any]:
    return {
        **({} if arrival.top_up.id is None else {"id": arrival.top_up.id}),
        "at": iso(arrival.at, offset),
        "amount": stripped(arrival.amount),
        "repaid": [{**_debt_json(debt, offset), "amount": stripped(part)} for debt, part in arrival.repaid],
        "credit_restored": stripped(arrival.credit_restored),
        "to_balance": stripped(arrival.to_balance),
    }


def _debt_json(debt: Debt, offset: int) -> dict[str, Any]:
    return {
        "product": debt.product,
        "cycle_start": iso(debt.cycle_start, offset),
        "month": debt.month,
        "issued_at": iso(debt.issued_at, offset),
        "amount": stripped(debt.amount),
    }


def _forecast_json(forecast: Forecast, offset: int) -> dict[str, Any]:
    return {
        "from": iso(forecast.start, offset),
        "to": iso(forecast.end, offset),
        "sources": [
            {
                "source": row.source,
                "unit": row.unit,
                "left": stripped(row.left),
                "a_day": stripped(row.a_day),
                "runs_out": None if row.runs_out is None else iso(row.runs_out, offset),
            }
            for row in forecast.rows
        ],
    }


def _units(units: int) -> str:
    return stripped(scaled(units, QUANTITY_PLACES))
