"""How one record became an amount, step by step, from the values that metering, rating and billing produced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mps_bill.ask.job_history import Explained
from mps_bill.core.decimals import stripped
from mps_bill.core.diagnostics import printable
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import date_text, iso, offset_text, time_text
from mps_bill.core.units import MICROS
from mps_bill.price_sheet.words import quantity_words
from mps_bill.rating.lines import Charge
from mps_bill.view import reasons
from mps_bill.view.bill_records import bill_json, line_json
from mps_bill.view.reasons import Step
from mps_bill.view.settle_records import TITLES, settlement_json
from mps_bill.view.tables import Block

FORMAT = "mps-bill/explanation/1"


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """The result of `explain`: the rows of a job, explained one by one."""

    explained: Sequence[Explained]
    currency: str

    def printed(self) -> Iterator[Block]:
        for one in self.explained:
            record = one.placed.record
            output = tr(", output {output}", output=record.output) if record.output else ""
            title = tr(
                "How job {job} was billed ({item}{output})", job=record.job_id, item=record.features.item, output=output
            )
            yield reasons.as_table(title, steps(one, self.currency))

    def document(self) -> dict[str, Any]:
        """Return the same steps, with the lines and the bill in the form of the command `bill`."""
        records = [_record_json(one, self.currency) for one in self.explained]
        return {"format": FORMAT, "currency": self.currency, "records": records}


def _record_json(one: Explained, currency: str) -> dict[str, Any]:
    placed, is_discounted = one.placed, bool(one.bill and one.bill.cycle.contract.discounts)
    bill = settlement_json(one.settlement, currency) if one.settlement else bill_json(one.bill) if one.bill else None
    return {
        "job_id": placed.record.job_id,
        "item": placed.record.features.item,
        "output": placed.record.output,
        **({"account_id": placed.record.features.account} if placed.record.features.account else {}),
        "file": placed.source.name,
        "line": placed.row.line,
        "billed": bool(one.bill) and one.repeats is None and not one.late,
        "steps": reasons.as_json(steps(one, currency)),
        "lines": [line_json(line, discounted=is_discounted) for line in one.lines],
        "bill": bill,
    }


def steps(one: Explained, currency: str) -> list[Step]:
    placed = one.placed
    record = placed.record
    found: list[Step] = [
        (tr("Row"), f"{placed.source.name}:{placed.row.line}"),
        (tr("As written"), printable(placed.row.raw.decode("utf-8", "backslashreplace"))),
    ]
    if record.features.account:
        found.append((tr("Account"), record.features.account))
    if one.repeats:
        repeats = tr("repeats {place} with equal values; billed only there", place=one.repeats)
        found.append((tr("Duplicate"), repeats))
        return found
    if not one.bill or not placed.assignment:
        found.append((tr("Not billable"), tr("the job failed, and failed jobs are free")))
        return found

    assignment = placed.assignment
    item, sheet = assignment.item, assignment.sheet
    charge = one.lines[0].charge
    calendar = sheet.billing.calendar
    cycle = one.bill.cycle
    zone = f"UTC{offset_text(calendar.offset)}"
    completed = iso(record.completed_at // MICROS, calendar.offset)
    start, end = time_text(cycle.start, calendar.offset), time_text(cycle.end, calendar.offset)
    why = reasons.of_spec(placed.key, item, record.features.written_spec)
    found += [
        (
            tr("Completed"),
            tr("{at}, in the billing cycle {start} to {end} ({clock})", at=completed, start=start, end=end, clock=zone),
        ),
        *reasons.assigned(assignment, why, record.micros, placed.key, one.micros),
        (tr("Price"), reasons.of_price(charge, currency)),
        *reasons.sources(item),
        (tr("Charge"), reasons.of_charge(charge)),
        *_month_steps(one, charge),
        *((tr("Line", sense="bill"), reasons.of_line(line, currency)) for line in one.lines),
        *_discount_steps(one, currency),
        *_covering_steps(one),
        (tr("Bill"), _bill_reason(one, currency)),
        *_payment_steps(one, currency),
    ]
    return found


def _discount_steps(one: Explained, currency: str) -> Iterator[Step]:
    """Yield the contract's discounts on the row's lines: for each line the largest one that applies."""
    for line in one.lines:
        if line.discounted_by:
            text = tr(
                "{id}, {percent} % of {amount} = {discount}; net {net} {currency}",
                id=line.discounted_by.id,
                percent=stripped(line.discounted_by.percent),
                amount=stripped(line.amount),
                discount=stripped(line.discount),
                net=stripped(line.net),
                currency=currency,
            )
            yield (tr("Discount"), text)


def _covering_steps(one: Explained) -> Iterator[Step]:
    """Yield what sources of quantity covered of the row's charge."""
    if one.settlement is None:
        return
    for deduction, number in one.settlement.covers:
        line = one.settlement.bill.lines[number]
        if line in one.lines:
            yield (tr(deduction.source.title), deduction.explanation(line, one.settlement.bill.cycle))


def _payment_steps(one: Explained, currency: str) -> Iterator[Step]:
    """Yield the payments of the bill in order. A bill is paid as a whole, not line by line."""
    if one.late:
        late = tr("the cycle was settled before; it is not charged, and the bill is an estimate")
        yield (tr("Late usage"), late)
    if one.settlement is None:
        return
    for deduction in one.settlement.payment.deductions:
        source = f"{tr(TITLES[deduction.source]).lower()} {deduction.id or ''}".strip()
        took, left = stripped(deduction.amount), stripped(deduction.remaining)
        text = mark("{source}: {took} {currency}, {left} left")
        yield (tr("Paid"), tr(text, source=source, took=took, currency=currency, left=left))
    if one.settlement.payment.outstanding:
        yield (tr("Outstanding"), f"{stripped(one.settlement.payment.outstanding)} {currency}")
    if one.settlement.frozen:
        text = mark("{amount} {currency}, until the month is over and paid as a whole")
        yield (tr("Frozen"), tr(text, amount=stripped(one.settlement.frozen), currency=currency))


def _month_steps(one: Explained, charge: Charge) -> list[Step]:
    """Return the month's use from which the tiers of this charge continue, if it has monthly tiers."""
    if not charge.price.by_month:
        return []
    month = date_text(charge.sheet.billing.calendar.month(charge.cycle_start))
    line, unit, others = one.lines[0], charge.item.unit, 0
    text = mark("use in {month} before this bill: {quantity}; the tiers continue from there")
    if charge.price.across_item:
        assert one.bill is not None
        others = line.month_used - one.bill.item_use[charge.item.code]
        text = mark(
            "use of {item} in {month} before this bill, in all regions and specs: {quantity}; the tiers continue from there"
        )
    used = quantity_words(line.month_used - others, unit)
    text = tr(text, month=month, quantity=used, item=charge.item.code)
    if others:
        before = mark("; lines before it on this bill count {quantity}")
        whole = mark("; other lines on this bill count {quantity}")
        text += tr(whole if charge.price.whole_cycle else before, quantity=quantity_words(others, unit))
    return [(tr("Month"), text)]


def _bill_reason(one: Explained, currency: str) -> str:
    assert one.bill is not None
    bill = one.bill
    amounts = bill.amounts
    issued = time_text(bill.cycle.issued_at, bill.cycle.sheet.billing.calendar.offset)
    return tr_many(
        "{product}, issued {issued}: {n} line, list amount {list_amount}, {discount}rounding adjustment"
        " {rounding_adjustment}, payable {payable} {currency}",
        "{product}, issued {issued}: {n} lines, list amount {list_amount}, {discount}rounding adjustment"
        " {rounding_adjustment}, payable {payable} {currency}",
        len(bill.lines),
        product=bill.cycle.product,
        issued=issued,
        list_amount=stripped(amounts.list_amount),
        discount=tr("discount {amount}, ", amount=stripped(amounts.discount)) if amounts.discount else "",
        rounding_adjustment=stripped(amounts.rounding_adjustment),
        payable=stripped(amounts.payable),
        currency=currency,
    )
