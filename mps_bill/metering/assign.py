"""Finding the product, cycle, item, spec and sheet that a usage key is billed under, or the reasons why it cannot be billed.

Unknown values are refused here: a record whose item, region, unit, spec, size or time has no price never reaches rating. The
groups of every engine and all rows of the exact reader pass through the same function, so the decision about a row does not
depend on the engine that read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mps_bill.core.diagnostics import expected, near_miss, one_of, quoted, unknown
from mps_bill.core.times import iso
from mps_bill.core.units import UNITS, same_dimension
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.records import ValueProblem
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.usage_columns import UsageKey
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Item, PriceSheet, Unpriced
from mps_bill.price_sheet.spec import CODEC, RESOLUTION, bucket, codecs, is_constant, join_spec, split_spec


@dataclass(frozen=True, slots=True)
class Assignment:
    """The place where a record is billed."""

    sheet: PriceSheet
    item: Item
    spec: str
    region: str
    cycle_start: int


def assign(key: UsageKey, book: PriceBook, scheme: MeteringScheme) -> Assignment | tuple[ValueProblem, ...]:
    """The assignment of a successful record, or all problems that can be found at once."""
    refusals = list(check_words(key, scheme))
    if key.item not in book.product_of:
        return (*refusals, *_unpriced_item(key, book))
    product = book.product_of[key.item]
    calendar = book.calendar(product)
    cycle_start = calendar.cycle_start(key.slot)
    sheet = book.sheet_at(product, cycle_start)
    if sheet is None:
        at = iso(cycle_start, calendar.offset)
        message = f"no price sheet of {product} is in force at {at}, the start of the cycle; {_periods(book, product)}"
        return (*refusals, ValueProblem("completed_at", kinds.NO_PRICE_SHEET, message))
    item = sheet.items.get(key.item)
    if item is None:
        message = f"item {quoted(key.item)} is not in {sheet.ref}, the sheet in force at the start of the cycle"
        found = next((entry for entry in sheet.unpriced if entry.holds_item(key.item, key.region)), None)
        note = f"{_limited(found, key)}: {found.note}" if found else ""
        return (*refusals, ValueProblem("item", kinds.UNKNOWN_ITEM, message + note))

    refusals += _check_unit(key, item)
    spec = _spec(key, item, sheet)
    if isinstance(spec, ValueProblem):
        refusals.append(spec)
    elif not refusals:
        refusals += _check_price(key, item, spec, sheet, cycle_start)
    if refusals or isinstance(spec, ValueProblem):
        return tuple(refusals)
    return Assignment(sheet, item, spec, key.region, cycle_start)


def _check_price(key: UsageKey, item: Item, spec: str, sheet: PriceSheet, cycle_start: int) -> list[ValueProblem]:
    """Check that the spec has a price in the region, and had one when the cycle began."""
    found = sheet.price(item, spec, key.region)
    if found is None:
        priced = one_of(list(item.prices.get(spec, ())))
        message = f"{item.code} {quoted(spec)} has no price in {quoted(key.region)} in {sheet.ref}; priced: {priced}"
        return [_explained(ValueProblem("region", kinds.NO_PRICE, message), key, item, spec, sheet)]
    if not found.charged_at(cycle_start) and (late := found.not_before) and late.before is not None:
        since = iso(late.before, sheet.billing.calendar.offset)
        message = (
            f"{item.code} {quoted(spec)} has no price in {quoted(key.region)} before {since} in {sheet.ref}:"
            f" {late.note} ({late.place})"
        )
        return [ValueProblem("completed_at", kinds.NO_PRICE, message)]
    return []


def _explained(refusal: ValueProblem, key: UsageKey, item: Item, spec: str, sheet: PriceSheet) -> ValueProblem:
    """The problem of a spec. If the sheet explains why it has no price for it, the explanation and where to add a price."""
    found = sheet.unpriced_as(item.code, spec, key.region)
    if found is None or found.before is not None:
        return refusal
    where = f"{_limited(found, key)} in {sheet.ref}"
    message = f"{item.code} {quoted(spec)} has no price{where}: {found.note}; {_as_price_of(item)}"
    return ValueProblem(refusal.column, kinds.NO_PRICE, message)


def _limited(found: Unpriced, key: UsageKey) -> str:
    """` in "cn-hongkong"`, if other regions may have a price."""
    return f" in {quoted(key.region)}" if found.regions else ""


def _as_price_of(item: Item) -> str:
    return f"add it to your own sheet, as a price of {item.code} ({item.place})"


def _unpriced_item(key: UsageKey, book: PriceBook) -> tuple[ValueProblem, ...]:
    """Why an item that the provider is known to bill has no price; nothing if no sheet knows the item."""
    sheet = book.unpriced.get(key.item)
    if sheet is None:
        return ()
    entries = [entry for entry in sheet.unpriced if key.item in entry.items]
    found = next((entry for entry in entries if entry.holds_item(key.item, key.region)), None)
    if found is None:
        message = f"no price sheet of this run has item {quoted(key.item)}; {sheet.ref} has prices for it in other regions only"
        return (ValueProblem("item", kinds.UNKNOWN_ITEM, message),)
    message = (
        f"item {quoted(key.item)} has no price{_limited(found, key)} in {sheet.ref}: {found.note}; add it to your own"
        f" sheet, with the other items of {sheet.product} ({found.place})"
    )
    return (ValueProblem("item", kinds.NO_PRICE, message),)


def check_words(key: UsageKey, scheme: MeteringScheme) -> tuple[ValueProblem, ...]:
    """Check that item and region are known, which is required even of records that are not billable."""
    refusals = []
    items, regions = scheme.words["item"], scheme.words["region"]
    if key.item not in items:
        message = f"unknown item {quoted(key.item)}; no price sheet of this run has it{near_miss(key.item, items)}"
        refusals.append(ValueProblem("item", kinds.UNKNOWN_ITEM, message))
    if key.region not in regions:
        message = unknown("region", key.region, sorted(regions))
        refusals.append(ValueProblem("region", kinds.UNKNOWN_REGION, message))
    return tuple(refusals)


def _periods(book: PriceBook, product: str) -> str:
    """`mps-china@... until ...` for each version, so that a gap is visible."""
    parts = []
    for sheet in book.versions[product]:
        end = "open" if sheet.effective_to is None else iso(sheet.effective_to, sheet.billing.calendar.offset)
        parts.append(f"{sheet.ref} until {end}")
    return "the run has " + ", ".join(parts)


def _check_unit(key: UsageKey, item: Item) -> list[ValueProblem]:
    unit = UNITS.get(key.unit)
    convertible = [other.name for other in same_dimension(item.unit)]
    if unit is None:
        message = unknown("unit", key.unit, convertible, where=f" of {item.code}")
        return [ValueProblem("unit", kinds.UNKNOWN_UNIT, message)]
    if unit.dimension != item.unit.dimension:
        message = (
            f"unit {unit.name} does not convert to {item.unit.name}, the unit of {item.code}{expected(convertible)}"
        )
        return [ValueProblem("unit", kinds.UNIT_MISMATCH, message)]
    return []


def _spec(key: UsageKey, item: Item, sheet: PriceSheet) -> str | ValueProblem:
    """The spec that the record names or that is derived. A given spec must agree with all other given values."""
    template = item.template
    if key.spec:
        spec = item.spec_of(key.spec)
        if spec not in item.prices:
            message = unknown("spec", spec, (*item.prices, *item.aliases), where=f" of {item.code}")
            return _explained(ValueProblem("spec", kinds.UNKNOWN_SPEC, message), key, item, spec, sheet)
        return (_disagreement(key, item, template, spec) if template else None) or spec
    if template is None:
        message = f"{item.code} needs a spec{expected(list(item.prices))}"
        return ValueProblem("spec", kinds.MISSING_VALUE, message)
    if is_constant(template):
        return template
    derived = _derived(key, item, template, sheet)
    if isinstance(derived, str) and derived not in item.prices:
        message = f"codec and size give the spec {quoted(derived)}, and {item.code} has no price for it; priced: "
        refusal = ValueProblem("width", kinds.NO_PRICE, message + one_of(list(item.prices)))
        return _explained(refusal, key, item, derived, sheet)
    return derived


def _derived(key: UsageKey, item: Item, template: str, sheet: PriceSheet) -> str | ValueProblem:
    """The spec from codec and size, if the template needs them."""
    if CODEC in template:
        if not key.codec:
            return ValueProblem(
                "codec", kinds.MISSING_VALUE, f"{item.code} derives its spec from the codec, which is empty"
            )
        known = codecs(item)
        if key.codec not in known:
            message = f"codec {quoted(key.codec)} has no price under {item.code}; priced: {one_of(known)}"
            refusal = ValueProblem("codec", kinds.UNKNOWN_CODEC, message + near_miss(key.codec, known))
            return _explained(refusal, key, item, key.codec, sheet)
    resolution = ""
    if RESOLUTION in template:
        if not key.long:
            return ValueProblem(
                "width", kinds.MISSING_VALUE, f"{item.code} derives its spec from the size, which is empty"
            )
        found = bucket(item.resolutions, key.long, key.short)
        if found is None:
            largest = item.resolutions[-1]
            message = (
                f"the picture, {key.long}x{key.short}, is larger than {largest.name}, the largest size of {item.code}"
                f" ({largest.long}x{largest.short}); it has no price"
            )
            return ValueProblem("width", kinds.NO_BUCKET, message + _larger(key, item, template, sheet))
        resolution = found.name
    return join_spec(template, key.codec, resolution)


def _larger(key: UsageKey, item: Item, template: str, sheet: PriceSheet) -> str:
    """Why larger sizes of the codec have no price, if the sheet names one: `; H265.8K: the provider bills this, ...`."""
    sizes = [resolution.name for resolution in item.resolutions]
    for entry in sheet.unpriced:
        for spec in entry.specs:
            parts = split_spec(template, spec)
            larger = parts is not None and parts.codec in (None, key.codec) and parts.resolution not in sizes
            if larger and entry.before is None and entry.holds(item.code, spec, key.region):
                return f"; {spec}{_limited(entry, key)}: {entry.note}; {_as_price_of(item)}"
    return ""


def _disagreement(key: UsageKey, item: Item, template: str, spec: str) -> ValueProblem | None:
    """The problem if codec or size do not agree with a given spec, or None."""
    parts = split_spec(template, spec)
    if parts is None:
        return None
    if parts.codec is not None and key.codec and key.codec != parts.codec:
        message = f"codec {quoted(key.codec)} does not agree with spec {quoted(spec)}"
        return ValueProblem("codec", kinds.SPEC_MISMATCH, message)
    if parts.resolution is not None and key.long:
        found = bucket(item.resolutions, key.long, key.short)
        if found is None or found.name != parts.resolution:
            size = f"{found.name}" if found else "above the largest size"
            message = f"a picture of {key.long}x{key.short} is {size}, which does not agree with spec {quoted(spec)}"
            return ValueProblem("width", kinds.SPEC_MISMATCH, message)
    return None
