"""How one record became money, step by step, from what metering, rating and billing built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mps_bill.ask.job_history import Explained
from mps_bill.core.decimals import plain, scaled, stripped
from mps_bill.core.diagnostics import counted, printable
from mps_bill.core.times import clock, iso, offset_text
from mps_bill.core.units import MICROS
from mps_bill.rating.lines import Charge
from mps_bill.settlement.sources.resource_plans import ResourcePlan
from mps_bill.view.bill_records import bill_json, line_json
from mps_bill.view.reasons import (
    Step,
    assigned_steps,
    charge_reason,
    line_reason,
    price_reason,
    shown,
    source_steps,
    spec_reason,
    step_table,
    steps_json,
)
from mps_bill.view.settle_records import TITLES, settlement_json
from mps_bill.view.tables import Block

FORMAT = "mps-bill/explanation/1"


@dataclass(frozen=True, slots=True)
class ExplanationView:
    explained: Sequence[Explained]
    currency: str

    def printed(self) -> Iterator[Block]:
        """A table of steps per row of the job."""
        for one in self.explained:
            record = one.placed.record
            output = f", output {record.output}" if record.output else ""
            title = f"Job {record.job_id} ({record.features.item}{output})"
            yield step_table(title, steps(one, self.currency))

    def document(self) -> dict[str, Any]:
        """The same steps, with the lines and the bill in the form that `bill` prints."""
        records = [_record_json(one, self.currency) for one in self.explained]
        return {"format": FORMAT, "currency": self.currency, "records": records}


def _record_json(one: Explained, currency: str) -> dict[str, Any]:
    placed = one.placed
    return {
        "job_id": placed.record.job_id,
        "item": placed.record.features.item,
        "output": placed.record.output,
        **({"account_id": placed.record.features.account} if placed.record.features.account else {}),
        "file": placed.source.name,
        "line": placed.row.line,
        "billed": bool(one.bill) and one.repeats is None and not one.late,
        "steps": steps_json(steps(one, currency)),
        "lines": [line_json(line, discounted=_is_discounted(one)) for line in one.lines],
        "bill": _bill_json(one, currency),
    }


def _is_discounted(one: Explained) -> bool:
    return one.bill is not None and bool(one.bill.cycle.contract.discounts)


def _bill_json(one: Explained, currency: str) -> dict[str, Any] | None:
    if one.settlement:
        return settlement_json(one.settlement, currency)
    return bill_json(one.bill) if one.bill else None


def steps(one: Explained, currency: str) -> list[Step]:
    """Each step as (name, what happened)."""
    placed = one.placed
    record = placed.record
    found: list[Step] = [
        ("Row", f"{placed.source.name}:{placed.row.line}"),
        ("As written", printable(placed.row.raw.decode("utf-8", "backslashreplace"))),
    ]
    if record.features.account:
        found.append(("Account", record.features.account))
    if one.repeats:
        found.append(("Duplicate", f"repeats {one.repeats} in every value; billed once, there"))
        return found
    if not one.bill or not placed.assignment:
        found.append(("Not billable", "the job failed, and failed jobs are free"))
        return found

    assignment = placed.assignment
    item, sheet = assignment.item, assignment.sheet
    charge = one.lines[0].charge
    calendar = sheet.billing.calendar
    cycle = one.bill.cycle
    zone = f"UTC{offset_text(calendar.offset)}"
    completed = iso(record.completed_at // MICROS, calendar.offset)
    start, end = clock(cycle.start, calendar.offset), clock(cycle.end, calendar.offset)
    why = spec_reason(placed.key, item, record.features.written_spec)
    found += [
        ("Completed", f"{completed}, in the billing cycle {start} to {end} ({zone})"),
        *assigned_steps(assignment, f": {why}", record.micros, placed.key, one.micros),
        ("Price", price_reason(charge, currency)),
        *source_steps(item),
        ("Charge", charge_reason(charge)),
        *_month_steps(one, charge),
        *(("Line", line_reason(line, currency)) for line in one.lines),
        *_discount_steps(one, currency),
        *_plan_steps(one),
        ("Bill", _bill_reason(one, currency)),
        *_payment_steps(one, currency),
    ]
    return found


def _discount_steps(one: Explained, currency: str) -> Iterator[Step]:
    """What the contract takes off the row's lines: the largest discount that holds for them."""
    for line in one.lines:
        if line.discounted_by:
            rate = f"{line.discounted_by.id}, {stripped(line.discounted_by.percent)} % of {stripped(line.amount)}"
            yield ("Discount", f"{rate} = {stripped(line.discount)}; net {stripped(line.net)} {currency}")


def _plan_steps(one: Explained) -> Iterator[Step]:
    """What plans covered of the row's charge."""
    if one.settlement is None:
        return
    for deduction, number in zip(one.settlement.plan_deductions, one.settlement.plan_lines, strict=True):
        line = one.settlement.bill.lines[number]
        if line in one.lines:
            plan = deduction.plan
            took, left = (stripped(scaled(units, 6)) for units in (deduction.units, deduction.remaining))
            coefficient = plain(plan.covers[line.item.code][line.spec])
            covered = f"{plan.id} covers {shown(deduction.micros, line.item.unit)} at {coefficient}"
            yield ("Resource plan", f"{covered}{_in_force(plan, one)}: takes {took} {plan.unit.name}, {left} are left")


def _in_force(plan: ResourcePlan, one: Explained) -> str:
    """Where a plan covers what completed in a part of the cycle: that part."""
    assert one.bill is not None
    cycle, words = one.bill.cycle, ""
    if plan.covers_from == "cycle":
        return words
    for word, moment in (("from", plan.effective_from), ("before", plan.expires_at)):
        if cycle.start < moment < cycle.end:
            words += f" {word} {iso(moment, cycle.sheet.billing.calendar.offset)}"
    return f", of what completed{words}" if words else ""


def _payment_steps(one: Explained, currency: str) -> Iterator[Step]:
    """What paid the bill, in order; a bill is paid as a whole, not line by line."""
    if one.late:
        yield ("Late usage", "the cycle was settled before; it is not charged, and the bill is an estimate")
    if one.settlement is None:
        return
    for deduction in one.settlement.payment.deductions:
        source = f"{TITLES[deduction.source].lower()} {deduction.id or ''}".strip()
        took, left = stripped(deduction.amount), stripped(deduction.remaining)
        yield ("Paid", f"{source}: {took} {currency}, {left} is left")
    if one.settlement.payment.outstanding:
        yield ("Outstanding", f"{stripped(one.settlement.payment.outstanding)} {currency}")
    if one.settlement.frozen:
        yield ("Frozen", f"{stripped(one.settlement.frozen)} {currency}, until the month is over and paid as a whole")


def _month_steps(one: Explained, charge: Charge) -> list[Step]:
    """Where the tiers of a month began for this charge."""
    if one.month_used is None:
        return []
    month = charge.sheet.billing.calendar.month(charge.cycle_start)
    unit, of = charge.item.unit, "it"
    if charge.price.across_item:
        of = f"{charge.item.code}, counted over all its regions and specs"
    text = f"before this bill {month} had used {shown(one.month_used, unit)} of {of}, and tiers go on there"
    if charge.price.across_item and (others := _across_the_bill(one, charge)):
        whole = charge.price.whole_cycle
        text += f"; {'other lines' if whole else 'lines before it'} on this bill count {shown(others, unit)}"
    return [("Month", text)]


def _across_the_bill(one: Explained, charge: Charge) -> int:
    """What other charges of the bill count across the item: those before this one, or all where its price counts the cycle
    as a whole."""
    assert one.bill is not None
    micros, past = 0, False
    for line in one.bill.lines:
        past = past or line.charge is charge
        counts = line.item is charge.item and line.charge.price.across_item and line.charge is not charge
        if counts and (charge.price.whole_cycle or not past):
            micros += line.billed_micros
    return micros


def _bill_reason(one: Explained, currency: str) -> str:
    assert one.bill is not None
    bill = one.bill
    amounts = bill.amounts
    issued = clock(bill.cycle.issued_at, bill.cycle.sheet.billing.calendar.offset)
    text = f"{bill.cycle.product}, issued {issued}: {counted(len(bill.lines), 'line')}, list amount "
    text += f"{stripped(amounts.list_amount)}, "
    if amounts.discount:
        text += f"discount {stripped(amounts.discount)}, "
    text += f"rounding adjustment {stripped(amounts.rounding_adjustment)}, "
    return text + f"payable {stripped(amounts.payable)} {currency}"
