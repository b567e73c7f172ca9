"""The reasons for a quantity and an amount in words: the steps that explanations and estimates share."""

from __future__ import annotations

from collections.abc import Iterable

from mps_bill.core.decimals import AMOUNT_PLACES, plain, scaled, stripped
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import date_text
from mps_bill.core.units import UNITS, exact_amount_text
from mps_bill.metering.assign import Assignment
from mps_bill.metering.usage_columns import UsageKey
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Item
from mps_bill.price_sheet.spec import CODEC, RESOLUTION, bucket, is_constant
from mps_bill.price_sheet.words import metering_words, quantity_words, with_unit
from mps_bill.rating.lines import Charge, LineItem
from mps_bill.view.columns import Column
from mps_bill.view.tables import Table

#: The title of a step, and what was done.
Step = tuple[str, str]


def of_spec(key: UsageKey, item: Item, written: str = "") -> str:
    """Say why usage has its spec: the row names it (`written`), or it is derived from codec and size."""
    if written:
        if written in item.aliases:
            return tr(
                "the row names {written}, which the sheet spells {spec}", written=written, spec=item.spec_of(written)
            )
        return tr("named by the row")
    assert item.template is not None
    if is_constant(item.template):
        return tr("the only spec of {item}", item=item.code)
    parts = [tr("codec {codec}", codec=key.codec)] if CODEC in item.template else []
    if RESOLUTION in item.template:
        found = bucket(item.resolutions, key.long, key.short)
        assert found is not None
        fits = mark("{size} (long x short side) fits {name} ({bounds}), the smallest that holds both sides")
        size, bounds = f"{key.long}x{key.short}", f"{found.long}x{found.short}"
        parts.append(tr(fits, size=size, name=found.name, bounds=bounds))
    return tr("; ").join([*parts, tr("template {template}", template=item.template)])


def assigned(found: Assignment, why: str, micros: int, key: UsageKey, metered: int) -> list[Step]:
    """Return the steps for the sheet and item of a record, its spec (and `why`), and its quantity as written and as metered."""
    item, sheet, given = found.item, found.sheet, UNITS[key.unit]
    of_item = mark("{code}: {name}, family {family}, per {unit}")
    quantity = with_unit(plain(scaled(micros, 6)), given)
    if given != item.unit:
        quantity += f" = {quantity_words(micros * given.factor, item.unit)}"
    return [
        (
            tr("Price sheet"),
            tr("{sheet}, in force at the start of the cycle ({place})", sheet=sheet.ref, place=sheet.place),
        ),
        (tr("Item"), tr(of_item, code=item.code, name=item.label, family=item.family, unit=tr(item.unit.name))),
        (tr("Spec"), tr("{name}: {value}", name=found.spec, value=why) if why else found.spec),
        (tr("Quantity"), quantity),
        (tr("Metering"), _metering_reason(metered, item)),
    ]


def item_title(item: Item) -> str:
    """Return `review: Automated review, per minute`."""
    return tr("{code}: {name}, per {unit}", code=item.code, name=item.label, unit=tr(item.unit.name))


def _metering_reason(micros: int, item: Item) -> str:
    """Return the metering rule and the `micros` that it counts for one record."""
    rule, quantity = metering_words(item.metering, item.unit), quantity_words(micros, item.unit)
    return tr("{rule}; this record counts {quantity}", rule=rule, quantity=quantity)


def of_price(charge: Charge, currency: str) -> str:
    """Return the price, its region or region group, and its place in the price sheet."""
    if charge.in_force.scope == charge.region:
        scope = tr("region {region}", region=charge.region)
    elif charge.in_force.scope == EVERY_REGION:
        scope = tr('"*", every region')
    else:
        group, region = charge.in_force.scope, charge.region
        scope = tr("region group {group}, which contains {region}", group=group, region=region)
    price = charge.price.reason(currency)
    return tr("{price}, for {scope} ({place})", price=price, scope=scope, place=charge.price.place)


def sources(item: Item) -> list[Step]:
    """Return the sources of an item's prices."""
    found = []
    for source in item.sources:
        where = tr("{url}, read on {day}", url=source.url, day=date_text(source.read_on))
        where += tr(", of {product}", product=source.product) if source.product else ""
        found.append((tr("Source"), tr("{name}: {value}", name=where, value=source.covers)))
    return found


def of_charge(charge: Charge) -> str:
    """Return the quantity of the cycle's records together, rounded if the cycle's sum is rounded."""
    unit = charge.item.unit
    text = tr_many(
        "{n} record of the cycle with this item, spec and region: {quantity}",
        "{n} records of the cycle with this item, spec and region: {quantity}",
        charge.records,
        quantity=quantity_words(charge.metered, unit),
    )
    metering = charge.item.metering
    if metering.per == "cycle":
        rounded = mark(", rounded {mode} to whole steps of {step}: {quantity}")
        step, quantity = quantity_words(metering.step, unit), quantity_words(charge.micros, unit)
        text += tr(rounded, mode=tr(metering.rounding), step=step, quantity=quantity)
    return text


def of_line(line: LineItem, currency: str) -> str:
    """Return a line's amount as a product, with the exact product if it has more than ten decimals and was rounded."""
    unit = line.item.unit
    plans = (
        tr(" after {quantity} covered by plans", quantity=quantity_words(line.covered_micros, unit))
        if line.covered_micros
        else ""
    )
    counted = line.charge.price.counted(line.billed_micros)
    quantity = f"{plain(counted[0])} {counted[1]}" if counted else quantity_words(line.billed_micros, unit)
    tier = tr("tier {tier}: ", tier=line.tier) if line.tier and not counted else ""
    price = f"{plain(line.unit_price)} {currency}"
    amount = stripped(line.amount)
    exact = amount if counted else exact_amount_text(line.billed_micros, unit, line.unit_price)
    if exact != amount:
        # All ten decimals are shown, with zeros, to show where the amount was rounded.
        amount = tr("{exact}, rounded to {amount}", exact=exact, amount=f"{line.amount:.{AMOUNT_PLACES}f}")
    return f"{tier}{quantity}{plans} x {price} = {amount} {currency}"


def as_table(title: str, steps: Iterable[Step]) -> Table:
    return Table(title, (Column("Step"), Column("What was done")), tuple(steps))


def as_json(steps: Iterable[Step]) -> list[dict[str, str]]:
    return [{"step": name, "text": text} for name, text in steps]
