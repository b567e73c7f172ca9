"""Estimates as a document and as JSON: the regions side by side, and how each amount came about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mps_bill.ask.estimates import Estimate
from mps_bill.core.decimals import amount_text, plain, stripped
from mps_bill.core.times import clock, offset_text
from mps_bill.core.units import UNITS, in_unit
from mps_bill.report.bill_json import bill_json
from mps_bill.report.document import Document, Note, Row, Table, number, text
from mps_bill.report.reasons import (
    Step,
    charge_reason,
    line_reason,
    metering_reason,
    price_reason,
    quantity_reason,
    shown,
    source_steps,
    spec_reason,
)

FORMAT = "mps-bill/estimate/1"


def estimate_document(estimates: Sequence[Estimate], currency: str) -> Document:
    """A table with a row per region (and tier), then the steps: those that all regions share, then those of each."""
    item = estimates[0].assignment.item
    tiered = any(line.tier for one in estimates for line in one.lines)
    columns = (
        text("Region"),
        text("Spec"),
        *((text("Tier"),) if tiered else ()),
        number("Quantity"),
        number("Billed"),
        number("Unit price"),
        number(f"Amount {currency}"),
    )
    blocks: list[Table | Note] = [
        Table(
            f"{item.code}: {item.name}, per {item.unit.name}",
            columns,
            tuple(row for one in estimates for row in _rows(one, tiered)),
        )
    ]
    every = [steps(one, currency) for one in estimates]
    shared = [step for step in every[0] if all(step in other for other in every[1:])]
    blocks.append(Table("How", (text("Step"), text("")), tuple(shared)))
    for one, own in zip(estimates, every, strict=True):
        rest = tuple(step for step in own if step not in shared)
        if rest:
            blocks.append(Table(f"In {one.assignment.region}", (text("Step"), text("")), rest))
    return Document(tuple(blocks))


def _rows(one: Estimate, tiered: bool) -> Iterator[Row]:
    unit = one.assignment.item.unit
    asked = plain(in_unit(one.record.micros * UNITS[one.key.unit].factor * one.lines[0].records, unit))
    for index, line in enumerate(one.lines):
        head = ("", "") if index else (one.assignment.region, one.assignment.spec)
        tier = (line.tier or "",) if tiered else ()
        figures = plain(in_unit(line.billed_micros, unit)), plain(line.unit_price), amount_text(line.amount)
        yield (*head, *tier, "" if index else asked, *figures)
    if len(one.lines) > 1:
        micros = sum(line.billed_micros for line in one.lines)
        yield ("", "", "all", "", plain(in_unit(micros, unit)), "", amount_text(one.bill.amounts.list_amount))


def estimate_json(estimates: Sequence[Estimate], currency: str) -> dict[str, Any]:
    """The same for a script; `bill` has the form that `bill` prints, and holds nothing but what was asked about."""
    return {
        "format": FORMAT,
        "currency": currency,
        "estimates": [
            {
                "region": one.assignment.region,
                "item": one.assignment.item.code,
                "spec": one.assignment.spec,
                "records": one.lines[0].records,
                "record_quantity": plain(in_unit(one.record_micros, one.assignment.item.unit)),
                "amount": stripped(one.bill.amounts.list_amount),
                "steps": [{"step": name, "text": said} for name, said in steps(one, currency)],
                "bill": bill_json(one.bill),
            }
            for one in estimates
        ],
    }


def steps(one: Estimate, currency: str) -> list[Step]:
    """Each step as (name, what was done)."""
    sheet, item = one.assignment.sheet, one.assignment.item
    cycle, charge = one.bill.cycle, one.lines[0].charge
    offset = sheet.billing.calendar.offset
    start, end = clock(cycle.start, offset), clock(cycle.end, offset)
    month = sheet.billing.calendar.month(cycle.start)
    used = f"{shown(one.used_micros, item.unit)} are taken as used before in {month}; --month-used changes that"
    amounts = one.bill.amounts
    return [
        ("Completed", f"in the billing cycle {start} to {end} (UTC{offset_text(offset)})"),
        ("Price sheet", f"{sheet.ref}, in force at the start of the cycle ({sheet.place})"),
        ("Item", f"{item.code}: {item.name}, family {item.family}, per {item.unit.name}"),
        ("Spec", one.assignment.spec + ("" if one.key.spec else f": {spec_reason(one.key, item)}")),
        ("Quantity", quantity_reason(one.record.micros, UNITS[one.key.unit], item.unit)),
        ("Metering", metering_reason(one.record_micros, item)),
        ("Charge", charge_reason(charge)),
        *([("Month", used)] if charge.accumulates else []),
        ("Price", price_reason(charge, currency)),
        *source_steps(item),
        *(("Line", line_reason(line, currency)) for line in one.lines),
        (
            "Bill",
            f"alone on its bill: list amount {stripped(amounts.list_amount)}, rounding adjustment"
            f" {stripped(amounts.rounding_adjustment)}, payable {stripped(amounts.payable)} {currency};"
            " with other lines only the sum is rounded",
        ),
    ]
