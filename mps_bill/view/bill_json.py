"""Bills as JSON, format `mps-bill/bills/1`: amounts and quantities are strings, times carry the billing offset."""

from __future__ import annotations

import dataclasses
from typing import Any

from mps_bill.core.decimals import plain, stripped
from mps_bill.core.times import iso
from mps_bill.core.units import in_unit
from mps_bill.pipeline import BillRun
from mps_bill.rating.bills import Amounts, Bill, StatementMonth, sum_amounts
from mps_bill.rating.lines import LineItem

FORMAT = "mps-bill/bills/1"


def bill_json(bill: Bill) -> dict[str, Any]:
    """One bill. `unit_price` keeps the digits of the price sheet; every other number is without trailing zeros."""
    cycle = bill.cycle
    offset = cycle.sheet.billing.calendar.offset
    discounted = bool(cycle.contract.discounts)
    return {
        "product": cycle.product,
        "cycle_start": iso(cycle.start, offset),
        "cycle_end": iso(cycle.end, offset),
        "issued_at": iso(cycle.issued_at, offset),
        **({} if cycle.correction_at is None else {"correction": True}),
        "price_sheet": cycle.sheet.ref,
        "lines": [line_json(line, discounted=discounted) for line in bill.lines],
        **amounts_json(bill.amounts, discounted=discounted),
    }


def line_json(line: LineItem, *, discounted: bool = False) -> dict[str, Any]:
    unit = line.item.unit
    return {
        "item": line.item.code,
        "family": line.item.family,
        "spec": line.spec,
        "region": line.region,
        "records": line.records,
        "quantity": plain(in_unit(line.micros, unit)),
        "unit": unit.name,
        "tier": line.tier,
        "plan_quantity": plain(in_unit(line.plan_micros, unit)),
        "billed_quantity": plain(in_unit(line.billed_micros, unit)),
        "unit_price": plain(line.unit_price),
        "amount": stripped(line.amount),
        **({"discount": stripped(line.discount)} if discounted else {}),
    }


def month_json(month: StatementMonth, *, discounted: bool = False) -> dict[str, Any]:
    return {
        "product": month.sheet.product,
        "month": month.month,
        "issued_at": iso(month.issued_at, month.sheet.billing.calendar.offset),
        **amounts_json(month.amounts, discounted=discounted),
    }


def amounts_json(amounts: Amounts, *, discounted: bool = False) -> dict[str, str]:
    """The sums of a bill, a statement or a run. `discount` is there where the account has discounts."""
    return {name: stripped(value) for name, value in amounts.figures(discounted=discounted).items()}


def bill_run_json(run: BillRun) -> dict[str, Any]:
    """The whole result of `bill`. `months` stands there only under monthly settlement, `pending` only with `--as-of`."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "currency": run.currency,
        "control_totals": dataclasses.asdict(run.control_totals),
        "bills": [bill_json(bill) for bill in run.bills],
        "total": amounts_json(sum_amounts(run.bills, run.months), discounted=run.has_discounts),
    }
    if run.months:
        document["months"] = [month_json(month, discounted=run.has_discounts) for month in run.months]
    if run.pending:
        document["pending"] = [bill_json(bill) for bill in run.pending]
    return document
