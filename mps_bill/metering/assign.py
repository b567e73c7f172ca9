"""From a usage key to the product, cycle, item, spec and sheet that it is billed under, or the reasons why it cannot be.

This is where the unknown is refused: a record whose item, region, unit, spec, size or time has no price never reaches
rating. Every engine's groups and every row of the exact reader pass through the same function, so the verdict on a row
does not depend on who read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mps_bill.core.diagnostics import Kind, near_miss, one_of, quoted
from mps_bill.core.times import iso
from mps_bill.core.units import UNITS, same_dimension
from mps_bill.metering import kinds
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.usage import UsageKey
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Item, PriceSheet
from mps_bill.price_sheet.spec import CODEC, RESOLUTION, bucket, codecs, is_constant, join_spec, split_spec


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a record is billed."""

    sheet: PriceSheet
    item: Item
    spec: str
    region: str
    cycle_start: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record cannot be billed, and the column whose value is to blame."""

    column: str
    kind: Kind
    message: str


def assign(key: UsageKey, book: PriceBook, scheme: MeteringScheme) -> Assignment | tuple[Refusal, ...]:
    """The assignment of a successful record, or every reason against it that can be told at once."""
    refusals = list(check_words(key, scheme))
    if key.item not in book.product_of:
        return tuple(refusals)
    product = book.product_of[key.item]
    calendar = book.calendar(product)
    cycle_start = calendar.cycle_start(key.slot)
    sheet = book.sheet_at(product, cycle_start)
    if sheet is None:
        at = iso(cycle_start, calendar.offset)
        message = f"no price sheet of {product} is in force at {at}, the start of the cycle; {_periods(book, product)}"
        return (*refusals, Refusal("completed_at", kinds.NO_PRICE_SHEET, message))
    item = sheet.items.get(key.item)
    if item is None:
        message = f"item {quoted(key.item)} is not in {sheet.ref}, the sheet in force at the start of the cycle"
        return (*refusals, Refusal("item", kinds.UNKNOWN_ITEM, message))

    refusals += _check_unit(key, item)
    spec = _spec(key, item)
    if isinstance(spec, Refusal):
        refusals.append(spec)
    elif not refusals and sheet.price(item, spec, key.region) is None:
        priced = one_of(list(item.prices.get(spec, ())))
        message = f"{item.code} {quoted(spec)} has no price in {quoted(key.region)} in {sheet.ref}; priced: {priced}"
        refusals.append(Refusal("region", kinds.NO_PRICE, message))
    if refusals or isinstance(spec, Refusal):
        return tuple(refusals)
    return Assignment(sheet, item, spec, key.region, cycle_start)


def check_words(key: UsageKey, scheme: MeteringScheme) -> tuple[Refusal, ...]:
    """Whether item and region are known at all, which even a record that is not billable must hold to."""
    refusals = []
    if key.item not in scheme.items:
        message = f"item {quoted(key.item)} is in no price sheet of the run{near_miss(key.item, scheme.items)}"
        refusals.append(Refusal("item", kinds.UNKNOWN_ITEM, message))
    if key.region not in scheme.regions:
        message = f"region {quoted(key.region)} is not known{near_miss(key.region, scheme.regions)}"
        refusals.append(Refusal("region", kinds.UNKNOWN_REGION, message))
    return tuple(refusals)


def _periods(book: PriceBook, product: str) -> str:
    """`mps-china@... until ...` for each version, so that the gap is plain."""
    parts = []
    for sheet in book.versions[product]:
        end = "open" if sheet.effective_to is None else iso(sheet.effective_to, sheet.billing.calendar.offset)
        parts.append(f"{sheet.ref} until {end}")
    return "the run has " + ", ".join(parts)


def _check_unit(key: UsageKey, item: Item) -> list[Refusal]:
    unit = UNITS.get(key.unit)
    convertible = one_of([other.name for other in same_dimension(item.unit)])
    if unit is None:
        message = f"unit {quoted(key.unit)} is not known{near_miss(key.unit, UNITS)}; {item.code} takes {convertible}"
        return [Refusal("unit", kinds.UNKNOWN_UNIT, message)]
    if unit.dimension != item.unit.dimension:
        message = (
            f"unit {unit.name} does not convert to {item.unit.name}, the unit of {item.code}; it takes {convertible}"
        )
        return [Refusal("unit", kinds.UNIT_MISMATCH, message)]
    return []


def _spec(key: UsageKey, item: Item) -> str | Refusal:
    """The spec that the record names or derives. A spec that is given must agree with all that is given beside it."""
    template = item.template
    if key.spec:
        if key.spec not in item.prices:
            message = f"{item.code} has no spec {quoted(key.spec)}{near_miss(key.spec, item.prices)}"
            return Refusal("spec", kinds.UNKNOWN_SPEC, message)
        return (_disagreement(key, item, template) if template else None) or key.spec
    if template is None:
        message = f"{item.code} is priced by spec, and the spec is empty; it is one of {one_of(list(item.prices))}"
        return Refusal("spec", kinds.MISSING_VALUE, message)
    if is_constant(template):
        return template
    derived = _derived(key, item, template)
    if isinstance(derived, str) and derived not in item.prices:
        message = f"codec and size make {quoted(derived)}, and {item.code} has no price for it; priced: "
        return Refusal("width", kinds.NO_PRICE, message + one_of(list(item.prices)))
    return derived


def _derived(key: UsageKey, item: Item, template: str) -> str | Refusal:
    """The spec from codec and size, where the template wants them."""
    if CODEC in template:
        if not key.codec:
            return Refusal("codec", kinds.MISSING_VALUE, f"{item.code} derives its spec from the codec, which is empty")
        known = codecs(item)
        if key.codec not in known:
            message = f"codec {quoted(key.codec)} has no price under {item.code}; priced: {one_of(known)}"
            return Refusal("codec", kinds.UNKNOWN_CODEC, message + near_miss(key.codec, known))
    resolution = ""
    if RESOLUTION in template:
        if not key.long:
            return Refusal("width", kinds.MISSING_VALUE, f"{item.code} derives its spec from the size, which is empty")
        found = bucket(item.resolutions, key.long, key.short)
        if found is None:
            largest = item.resolutions[-1]
            message = (
                f"a picture of {key.long}x{key.short} is above {largest.name}, the largest size of {item.code}"
                f" ({largest.long}x{largest.short}); it has no price"
            )
            return Refusal("width", kinds.NO_BUCKET, message)
        resolution = found.name
    return join_spec(template, key.codec, resolution)


def _disagreement(key: UsageKey, item: Item, template: str) -> Refusal | None:
    """What is wrong with codec or size beside a given spec, or None where they agree with it."""
    parts = split_spec(template, key.spec)
    if parts is None:
        return None
    if parts.codec is not None and key.codec and key.codec != parts.codec:
        message = f"codec {quoted(key.codec)} does not agree with spec {quoted(key.spec)}"
        return Refusal("codec", kinds.SPEC_MISMATCH, message)
    if parts.resolution is not None and key.long:
        found = bucket(item.resolutions, key.long, key.short)
        if found is None or found.name != parts.resolution:
            size = f"{found.name}" if found else "above the largest size"
            message = (
                f"a picture of {key.long}x{key.short} is {size}, which does not agree with spec {quoted(key.spec)}"
            )
            return Refusal("width", kinds.SPEC_MISMATCH, message)
    return None
