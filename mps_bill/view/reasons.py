"""Why a quantity and an amount are what they are, in words: the steps that explanations and estimates share."""

from __future__ import annotations

from collections.abc import Iterable

from mps_bill.core.decimals import AMOUNT_PLACES, plain, scaled, stripped
from mps_bill.core.diagnostics import counted
from mps_bill.core.units import UNITS, Unit, ends_in_unit, exact_amount_text, in_unit
from mps_bill.metering.assign import Assignment
from mps_bill.metering.usage import UsageKey
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Item
from mps_bill.price_sheet.spec import CODEC, RESOLUTION, bucket, is_constant
from mps_bill.rating.lines import Charge, LineItem
from mps_bill.view.tables import Column, Table

#: What was done, and what came of it.
Step = tuple[str, str]


def spec_reason(key: UsageKey, item: Item, written: str = "") -> str:
    """Why usage has its spec: the row names it (`written`), or codec and size derive it."""
    if written:
        other = f"the row names {written}, which the sheet spells {item.spec_of(written)}"
        return other if written in item.aliases else "named by the row"
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


def assigned_steps(found: Assignment, why: str, micros: int, key: UsageKey, metered: int) -> list[Step]:
    """The sheet and item of a record, its spec (and `why` it is that), and its quantity as written and as metered."""
    item, sheet = found.item, found.sheet
    return [
        ("Price sheet", f"{sheet.ref}, in force at the start of the cycle ({sheet.place})"),
        ("Item", f"{item.code}: {item.name}, family {item.family}, per {item.unit.name}"),
        ("Spec", f"{found.spec}{why}"),
        ("Quantity", _quantity_reason(micros, UNITS[key.unit], item.unit)),
        ("Metering", _metering_reason(metered, item)),
    ]


def _quantity_reason(micros: int, given: Unit, unit: Unit) -> str:
    """A quantity as written (`micros` millionths of the unit `given`), and converted to the item's unit."""
    written = f"{plain(scaled(micros, 6))} {given.name}"
    return written if given == unit else f"{written} = {shown(micros * given.factor, unit)}"


def _metering_reason(micros: int, item: Item) -> str:
    """The metering rule, and the `micros` that it makes of one record."""
    metering = item.metering
    least = f", at least {shown(metering.minimum, item.unit)}" if metering.minimum else ""
    if metering.per == "record":
        step = shown(metering.step, item.unit)
        return f"each record is rounded {metering.rounding} to {step}{least}: {shown(micros, item.unit)}"
    if metering.per == "cycle":
        return f"the cycle's sum is rounded, not the record{least}: {shown(micros, item.unit)}"
    return f"pro rata, not rounded{least}: {shown(micros, item.unit)}"


def price_reason(charge: Charge, currency: str) -> str:
    """The price, the region or group that it is for, and where it stands."""
    if charge.in_force.scope == charge.region:
        scope = f"region {charge.region}"
    elif charge.in_force.scope == EVERY_REGION:
        scope = f'"{EVERY_REGION}", every region'
    else:
        scope = f"region group {charge.in_force.scope}, which holds {charge.region}"
    return f"{charge.price.reason(currency)}, for {scope} ({charge.price.place})"


def source_steps(item: Item) -> list[Step]:
    """Where the prices of an item were read."""
    found = []
    for source in item.sources:
        product = f", of {source.product}" if source.product else ""
        found.append(("Source", f"{source.url}, read on {source.read_on}{product}: {source.covers}"))
    return found


def charge_reason(charge: Charge) -> str:
    """What the records of a cycle make together, after the rounding of the cycle's sum where there is one."""
    unit = charge.item.unit
    text = f"{counted(charge.records, 'record')} of the cycle with this item, spec and region: "
    text += shown(charge.metered, unit)
    if charge.item.metering.per == "cycle":
        metering = charge.item.metering
        text += f", rounded {metering.rounding} to whole steps of {shown(metering.step, unit)}: {shown(charge.micros, unit)}"
    return text


def line_reason(line: LineItem, currency: str) -> str:
    """A line's amount as the product that it is, with what was rounded where it has more than ten decimals."""
    unit = line.item.unit
    plans = f" after {shown(line.plan_micros, unit)} covered by plans" if line.plan_micros else ""
    counted = line.charge.price.counted(line.billed_micros)
    quantity = f"{plain(counted[0])} {counted[1]}" if counted else shown(line.billed_micros, unit)
    tier = f"tier {line.tier}: " if line.tier and not counted else ""
    price = f"{plain(line.unit_price)} {currency}"
    amount = stripped(line.amount)
    exact = amount if counted else exact_amount_text(line.billed_micros, unit, line.unit_price)
    if exact != amount:
        # The zeros of the ten decimals are shown: they say where the amount was rounded.
        amount = f"{exact}, rounded to {line.amount:.{AMOUNT_PLACES}f}"
    return f"{tier}{quantity}{plans} x {price} = {amount} {currency}"


def shown(micros: int, unit: Unit) -> str:
    """Micros in a unit; three points stand where the decimals do not end."""
    value = plain(in_unit(micros, unit))
    return f"{value} {unit.name}" if ends_in_unit(micros, unit) else f"{value}... {unit.name}"


def step_table(title: str, steps: Iterable[Step]) -> Table:
    return Table(title, (Column("Step"), Column("")), tuple(steps))


def steps_json(steps: Iterable[Step]) -> list[dict[str, str]]:
    return [{"step": name, "text": text} for name, text in steps]
