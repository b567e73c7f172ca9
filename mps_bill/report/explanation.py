"""How one record became money, step by step, from what metering, rating and billing built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mps_bill.core.decimals import plain, scaled, stripped
from mps_bill.core.diagnostics import printable
from mps_bill.core.times import clock, iso, offset_text
from mps_bill.core.units import MICROS, UNITS, Unit, ends_in_unit, in_unit
from mps_bill.metering.usage import UsageKey
from mps_bill.pipeline import Explained
from mps_bill.price_sheet.model import EVERY_REGION, Item, PriceSheet, TieredPrice
from mps_bill.price_sheet.spec import CODEC, RESOLUTION, bucket, is_constant
from mps_bill.rating.lines import Charge, LineItem
from mps_bill.report.bill_json import bill_json, line_json
from mps_bill.report.document import Document, Table, text

FORMAT = "mps-bill/explanation/1"
Step = tuple[str, str]


def explanation_document(explained: Sequence[Explained], currency: str) -> Document:
    """A table of steps per row of the job."""
    tables = []
    for one in explained:
        record = one.placed.record
        output = f", output {record.output}" if record.output else ""
        title = f"Job {record.job_id} ({record.features.item}{output})"
        tables.append(Table(title, (text("Step"), text("")), tuple(steps(one, currency))))
    return Document(tuple(tables))


def explanation_json(explained: Sequence[Explained], currency: str) -> dict[str, Any]:
    """The same steps, with the lines and the bill in the form that `bill` prints."""
    return {"format": FORMAT, "currency": currency, "records": [_record_json(one, currency) for one in explained]}


def _record_json(one: Explained, currency: str) -> dict[str, Any]:
    placed = one.placed
    return {
        "job_id": placed.record.job_id,
        "item": placed.record.features.item,
        "output": placed.record.output,
        "file": placed.source.name,
        "line": placed.row.line,
        "billed": bool(one.bill) and one.repeats is None,
        "steps": [{"step": name, "text": said} for name, said in steps(one, currency)],
        "lines": [line_json(line) for line in one.lines],
        "bill": bill_json(one.bill) if one.bill else None,
    }


def steps(one: Explained, currency: str) -> list[Step]:
    """Each step as (name, what happened)."""
    placed = one.placed
    record = placed.record
    found: list[Step] = [
        ("Row", f"{placed.source.name}:{placed.row.line}"),
        ("As written", printable(placed.row.raw.decode("utf-8", "backslashreplace"))),
    ]
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
    found += [
        ("Completed", f"{completed}, in the billing cycle {start} to {end} ({zone})"),
        ("Price sheet", f"{sheet.ref}, in force at the start of the cycle ({sheet.place})"),
        ("Item", f"{item.code}: {item.name}, family {item.family}, per {item.unit.name}"),
        ("Spec", f"{assignment.spec}: {_spec_reason(placed.key, item)}"),
        ("Quantity", _quantity_reason(record.micros, UNITS[placed.key.unit], item.unit)),
        ("Metering", _metering_reason(one, item)),
        ("Price", _price_reason(charge, sheet, currency)),
        *_source_steps(item),
        ("Charge", _charge_reason(charge)),
        *(("Line", _line_reason(line, currency)) for line in one.lines),
        ("Bill", _bill_reason(one, currency)),
    ]
    return found


def _spec_reason(key: UsageKey, item: Item) -> str:
    if key.spec:
        return "named by the row"
    assert item.template is not None
    if is_constant(item.template):
        return f"the only spec of {item.code}"
    parts = [f"codec {key.codec}"] if CODEC in item.template else []
    if RESOLUTION in item.template:
        found = bucket(item.resolutions, key.long, key.short)
        assert found is not None
        size = f"{key.long}x{key.short} (long x short side)"
        parts.append(f"{size} fits {found.name} ({found.long}x{found.short}), the smallest that holds both sides")
    return f"{'; '.join(parts)}; template {item.template}"


def _quantity_reason(micros: int, given: Unit, unit: Unit) -> str:
    written = f"{plain(scaled(micros, 6))} {given.name}"
    return written if given == unit else f"{written} = {_shown(micros * given.factor, unit)}"


def _metering_reason(one: Explained, item: Item) -> str:
    metering = item.metering
    least = f", at least {_shown(metering.minimum, item.unit)}" if metering.minimum else ""
    if metering.per == "record":
        step = _shown(metering.step, item.unit)
        return f"each record is rounded {metering.rounding} to {step}{least}: {_shown(one.micros, item.unit)}"
    if metering.per == "cycle":
        return f"the cycle's sum is rounded, not the record{least}: {_shown(one.micros, item.unit)}"
    return f"pro rata, not rounded{least}: {_shown(one.micros, item.unit)}"


def _price_reason(charge: Charge, sheet: PriceSheet, currency: str) -> str:
    prices = charge.item.prices[charge.spec]
    if charge.region in prices:
        scope = f"region {charge.region}"
    else:
        groups = [name for name, members in sheet.region_groups.items() if charge.region in members and name in prices]
        scope = (
            f"region group {groups[0]}, which holds {charge.region}" if groups else f'"{EVERY_REGION}", every region'
        )
    price = charge.price
    if isinstance(price, TieredPrice):
        said = f"{price.model} tiers per {price.per}"
    else:
        said = f"{plain(price.unit_price)} {currency} per {charge.item.unit.name}"
    return f"{said}, for {scope} ({price.place})"


def _source_steps(item: Item) -> list[Step]:
    found = []
    for source in item.sources:
        product = f", of {source.product}" if source.product else ""
        found.append(("Source", f"{source.url}, read on {source.read_on}{product}: {source.covers}"))
    return found


def _charge_reason(charge: Charge) -> str:
    unit = charge.item.unit
    said = f"{charge.records} record{'' if charge.records == 1 else 's'} of the cycle with this item, spec and region: "
    said += _shown(charge.metered, unit)
    if charge.item.metering.per == "cycle":
        metering = charge.item.metering
        said += f", rounded {metering.rounding} to whole steps of {_shown(metering.step, unit)}: {_shown(charge.micros, unit)}"
    return said


def _line_reason(line: LineItem, currency: str) -> str:
    unit = line.item.unit
    tier = f"tier {line.tier}: " if line.tier else ""
    plans = f" after {_shown(line.plan_micros, unit)} covered by plans" if line.plan_micros else ""
    price = f"{plain(line.unit_price)} {currency}"
    return f"{tier}{_shown(line.billed_micros, unit)}{plans} x {price} = {stripped(line.amount)} {currency}"


def _bill_reason(one: Explained, currency: str) -> str:
    assert one.bill is not None
    bill = one.bill
    amounts = bill.amounts
    issued = clock(bill.cycle.issued_at, bill.cycle.sheet.billing.calendar.offset)
    said = f"{bill.cycle.product}, issued {issued}: {len(bill.lines)} line{'' if len(bill.lines) == 1 else 's'}, list amount "
    said += f"{stripped(amounts.list_amount)}, rounding adjustment {stripped(amounts.rounding_adjustment)}, "
    return said + f"payable {stripped(amounts.payable)} {currency}"


def _shown(micros: int, unit: Unit) -> str:
    value = plain(in_unit(micros, unit))
    return f"{value} {unit.name}" if ends_in_unit(micros, unit) else f"{value}... {unit.name}"
