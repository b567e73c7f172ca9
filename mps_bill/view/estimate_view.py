"""The cost of some usage: the regions in one table, and how each amount was calculated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mps_bill.ask.estimates import Estimate
from mps_bill.core.decimals import stripped
from mps_bill.core.language import tr
from mps_bill.core.times import date_text, offset_text, time_text
from mps_bill.core.units import UNITS, in_unit
from mps_bill.price_sheet.words import quantity_words
from mps_bill.view import reasons
from mps_bill.view.bill_records import LINE, bill_json, line_record
from mps_bill.view.columns import Quantity, Record, pick
from mps_bill.view.reasons import Step
from mps_bill.view.tables import Block, table

FORMAT = "mps-bill/estimate/1"


@dataclass(frozen=True, slots=True)
class EstimateView:
    """The result of `estimate`: an estimate for each region."""

    estimates: Sequence[Estimate]
    currency: str

    def printed(self) -> Iterator[Block]:
        """Yield a table with a row for each region and tier, the steps that all regions share, then those of each region."""
        item = self.estimates[0].assignment.item
        keys = ("region", "spec", "tier", "quantity", "billed_quantity", "unit_price", "amount")
        columns = pick(LINE, *keys, unit=self.currency, titles={"billed_quantity": "Billed"})
        rows = (row for one in self.estimates for row in _rows(one))
        yield table(tr("Estimate of {item}", item=reasons.item_title(item)), columns, rows).without_empty("tier")
        every = [steps(one, self.currency) for one in self.estimates]
        shared = [step for step in every[0] if all(step in other for other in every[1:])]
        yield reasons.as_table(tr("How it was calculated"), shared)
        for one, own in zip(self.estimates, every, strict=True):
            if rest := [step for step in own if step not in shared]:
                yield reasons.as_table(tr("How it was calculated in {region}", region=one.assignment.region), rest)

    def document(self) -> dict[str, Any]:
        """Return the estimates. Each has a `bill` in the form of the command `bill`, for only the usage in question."""
        return {
            "format": FORMAT,
            "currency": self.currency,
            "estimates": [
                {
                    "region": one.assignment.region,
                    "item": one.assignment.item.code,
                    "spec": one.assignment.spec,
                    "records": one.lines[0].records,
                    "record_quantity": Quantity(one.record_micros, one.assignment.item.unit),
                    "amount": one.bill.amounts.list_amount,
                    "steps": reasons.as_json(steps(one, self.currency)),
                    "bill": bill_json(one.bill),
                }
                for one in self.estimates
            ],
        }


def _rows(one: Estimate) -> Iterator[Record]:
    """Yield a row for each line, the first with the quantity in question, and their sum if there are several."""
    item = one.assignment.item
    asked = in_unit(one.record.micros * UNITS[one.key.unit].factor * one.lines[0].records, item.unit)
    for number, line in enumerate(one.lines):
        first = {"region": None, "spec": None, "quantity": None} if number else {"quantity": asked}
        yield {**line_record(line), "billed_quantity": in_unit(line.billed_micros, item.unit), **first}
    if len(one.lines) > 1:
        billed = in_unit(sum(line.billed_micros for line in one.lines), item.unit)
        yield {"tier": tr("all"), "billed_quantity": billed, "amount": one.bill.amounts.list_amount}


def steps(one: Estimate, currency: str) -> list[Step]:
    sheet, item = one.assignment.sheet, one.assignment.item
    cycle, charge = one.bill.cycle, one.lines[0].charge
    offset = sheet.billing.calendar.offset
    start, end = time_text(cycle.start, offset), time_text(cycle.end, offset)
    used = tr(
        "assumed use in {month} before this: {quantity}; see --month-used",
        month=date_text(sheet.billing.calendar.month(cycle.start)),
        quantity=quantity_words(one.used_micros, item.unit),
    )
    amounts = one.bill.amounts
    why = "" if one.key.spec else reasons.of_spec(one.key, item)
    return [
        (
            tr("Completed"),
            tr("in the billing cycle {start} to {end} (UTC{offset})", start=start, end=end, offset=offset_text(offset)),
        ),
        *reasons.assigned(one.assignment, why, one.record.micros, one.key, one.record_micros),
        (tr("Charge"), reasons.of_charge(charge)),
        *([(tr("Month"), used)] if charge.accumulates else []),
        (tr("Price"), reasons.of_price(charge, currency)),
        *reasons.sources(item),
        *((tr("Line", sense="bill"), reasons.of_line(line, currency)) for line in one.lines),
        (
            tr("Bill"),
            tr(
                "alone on its bill: list amount {list_amount}, rounding adjustment {rounding_adjustment}, payable {payable}"
                " {currency}; with other lines only the sum is rounded",
                **{name: stripped(value) for name, value in amounts.figures(discounted=False).items()},
                currency=currency,
            ),
        ),
    ]
