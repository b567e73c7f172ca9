"""Reading the items of a sheet: each item by itself, then prices that come from another item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import Problem, near_miss, quoted, unknown
from mps_bill.core.units import Unit, to_micros
from mps_bill.documents.fields import Entry, Fields, Located, Many
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.prices import PriceTable, check_overlaps, derive_prices, read_prices
from mps_bill.price_sheet.sheet_model import Item, Metering, RegionPrices, Source
from mps_bill.price_sheet.sheet_parts import ResolutionSet, SheetParts
from mps_bill.price_sheet.spec import CODEC, RESOLUTION, is_constant, split_spec

PRO_RATA = Metering("none", 0, "half-up", 0)


class _Draft:
    """The readable part of an item; None represents a value whose problem has been reported."""

    def __init__(self, code: Located[str], fields: Fields, sheet: SheetParts, problems: list[Problem]) -> None:
        self.code, self.fields = code, fields
        spec, table = fields.get(d.SPEC), fields.get(d.PRICES)
        self.unit, self.template = fields.value_of(d.UNIT), fields.value_of(d.SPEC)
        # If the item has `resolutions` and no `spec` that uses them, the `spec` is missing.
        self.template_wrong = fields.wrong(d.SPEC) or (spec is None and fields.has(d.RESOLUTION_SET))
        self.resolutions = None if fields.wrong(d.SPEC) else _resolutions(fields, spec, sheet, problems)
        self.metering = _metering(fields, self.unit)
        #: Its own prices; None if they come from another item.
        self.prices = read_prices(table, self.unit, sheet, problems) if table else None
        self.sources = _sources(fields, sheet, problems)
        if table and spec:
            problems += _check_specs(table, spec, fields.get(d.RESOLUTION_SET), self.resolutions)


def read_items(table: Many[Entry[str, Fields]], sheet: SheetParts, problems: list[Problem]) -> dict[str, Item]:
    """Return the items by code, in the order of the sheet. An item with a mistake may be missing or lack prices."""
    drafts = {entry.key.value: _Draft(entry.key, entry.value, sheet, problems) for entry in table.parts if entry.value}
    codes = frozenset(entry.key.value for entry in table.parts)
    items: dict[str, Item] = {}
    for code, draft in drafts.items():
        prices = draft.prices
        derivation = draft.fields.get(d.PRICES_FROM)
        if prices is None and derivation:
            prices = _derived(draft, derivation, drafts, codes | table.left_out, problems)
        item = _item(draft, prices or {}, problems)
        if item:
            items[code] = item
    price_tables = (draft.fields.get(d.PRICES) for draft in drafts.values())
    problems += check_overlaps(filter(None, price_tables), sheet)
    return items


def _item(draft: _Draft, prices: dict[str, RegionPrices], problems: list[Problem]) -> Item | None:
    name, family, derivation = (
        draft.fields.value_of(d.NAME),
        draft.fields.value_of(d.FAMILY),
        draft.fields.get(d.PRICES_FROM),
    )
    if name is None or family is None or draft.unit is None or draft.metering is None:
        return None
    return Item(
        code=draft.code.value,
        name=name,
        family=family,
        unit=draft.unit,
        template=draft.template,
        resolutions=draft.resolutions.resolutions if draft.resolutions else (),
        metering=draft.metering,
        prices=prices,
        sources=draft.sources,
        place=draft.code.place,
        aliases=_aliases(draft, prices, problems),
        names={entry.key.value: entry.value.value for entry in draft.fields.parts(d.NAMES) if entry.value},
        derived=derivation.value if derivation and draft.prices is None else None,
    )


def _aliases(draft: _Draft, prices: dict[str, RegionPrices], problems: list[Problem]) -> dict[str, str]:
    """Return the spec of each other spelling. A spelling must not be a spec of the price table itself."""
    aliases: dict[str, str] = {}
    for entry in draft.fields.parts(d.ALIASES) if prices else ():
        alias, spec = entry.key, entry.value
        if alias.value in prices:
            message = f"{quoted(alias.value)} has its own price and cannot be another spelling"
            problems.append(Problem(alias.place, kinds.WRONG_ALIAS, message))
        elif spec and spec.value not in prices:
            message = unknown("spec", spec.value, prices)
            problems.append(Problem(spec.place, kinds.WRONG_ALIAS, message))
        elif spec:
            aliases[alias.value] = spec.value
    return aliases


def _resolutions(
    fields: Fields, spec: Located[str] | None, sheet: SheetParts, problems: list[Problem]
) -> ResolutionSet | None:
    """Return the item's resolution set; None if its spec does not depend on the size."""
    wanted = spec is not None and RESOLUTION in spec.value
    name = fields.get(d.RESOLUTION_SET)
    if spec and wanted and not fields.has(d.RESOLUTION_SET):
        message = f"{quoted(spec.value)} needs `resolutions`, the name of the set that sizes fall into"
        problems.append(Problem(spec.place, kinds.MISSING_RESOLUTIONS, message))
    if name is None:
        return None
    if not wanted:
        message = (
            f"`resolutions` is not used here, since the item's `spec` has no {RESOLUTION}"
            if spec
            else f"the item has `resolutions` but no `spec` that uses them, such as {quoted(f'{CODEC}.{RESOLUTION}')}; is `spec`"
            " missing?"
        )
        problems.append(Problem(name.place, kinds.NEEDLESS_RESOLUTIONS, message))
    if name.value in sheet.resolution_sets:
        return sheet.resolution_sets[name.value] if wanted else None
    sets = tuple(known for known, read in sheet.resolution_sets.items() if read)
    message = unknown("resolution set", name.value, sets)
    problems.append(Problem(name.place, kinds.UNKNOWN_RESOLUTION_SET, message))
    return None


def _check_specs(
    table: PriceTable, spec: Located[str], set_name: Located[str] | None, resolutions: ResolutionSet | None
) -> Iterator[Problem]:
    """Check that the price table has the specs that the template derives. Other specs are allowed: usage may name them."""
    template = spec.value
    specs = [row.key for row in table.parts]
    if is_constant(template):
        if table.whole and all(row.value != template for row in specs):
            message = f"the price table has no {quoted(template)}, the spec of the item"
            near = next((row for row in specs if near_miss(template, [row.value])), None)
            if near:
                message += f", but it has {quoted(near.value)} on line {near.place.line}; spell both the same way"
            yield Problem(spec.place, kinds.UNPRICED_TEMPLATE, message, also=(near.place,) if near else ())
        return
    matched = False
    for row in specs:
        parts = split_spec(template, row.value)
        matched = matched or parts is not None
        if parts and parts.resolution and resolutions and set_name and parts.resolution not in resolutions.names:
            known = tuple(resolution.name for resolution in resolutions.resolutions)
            where = f" of the set {set_name.value} in {quoted(row.value)}"
            message = unknown("resolution", parts.resolution, known, where=where)
            yield Problem(row.place, kinds.UNKNOWN_RESOLUTION, message, parts.resolution)
    if not matched and table.whole:
        message = f"no spec of the price table has the form {quoted(template)}"
        yield Problem(spec.place, kinds.UNPRICED_TEMPLATE, message)


def _metering(fields: Fields, unit: Unit | None) -> Metering | None:
    """Return the metering rule in micros; None if it or the unit is wrong."""
    rule = fields.get(d.METERING)
    if rule is None:
        return None if fields.wrong(d.METERING) else PRO_RATA
    if not rule.valid or unit is None:
        return None
    return Metering(
        rule.value_of(d.PER, PRO_RATA.per),
        to_micros(rule.value_of(d.STEP, ZERO), unit),
        rule.value_of(d.STEP_ROUNDING, PRO_RATA.rounding),
        to_micros(rule.value_of(d.MINIMUM, ZERO), unit),
    )


def _sources(fields: Fields, sheet: SheetParts, problems: list[Problem]) -> tuple[Source, ...]:
    named = fields.get(d.ITEM_SOURCES)
    if named is None:
        return sheet.sources
    known = sheet.sources_by_id
    for id_ in named.parts:
        if id_.value not in known and sheet.sources_whole:
            message = unknown("source", id_.value, known)
            problems.append(Problem(id_.place, kinds.UNKNOWN_SOURCE, message, id_.value if known else "no sources"))
    found = (known.get(id_.value) for id_ in named.parts)
    return tuple(source for source in found if source)


def _derived(
    draft: _Draft, derivation: Fields, drafts: dict[str, _Draft], codes: frozenset[str], problems: list[Problem]
) -> dict[str, RegionPrices]:
    """Return the prices taken from another item; empty if there is a mistake."""
    base_code, times = derivation.get(d.BASE), derivation.get(d.TIMES)
    if base_code is None:
        return {}
    if base_code.value not in codes:
        message = unknown("item", base_code.value, sorted(codes))
        lost = (("item", base_code.value),)
        problems.append(Problem(base_code.place, kinds.UNKNOWN_BASE, message, base_code.value, facts=lost))
        return {}
    base = drafts.get(base_code.value)
    if base is None:
        return {}
    if base.fields.has(d.PRICES_FROM) and not base.fields.has(d.PRICES):
        message = (
            f"{quoted(base_code.value)} has no prices of its own"
            f" (they come from another item, line {base.code.place.line}); name an item that has `prices`"
        )
        problems.append(Problem(base_code.place, kinds.DERIVED_BASE, message))
        return {}
    found = list(_check_pair(draft, base, base_code, Counter(one.unit for one in drafts.values())))
    problems += found
    if found or times is None or draft.template_wrong or base.template_wrong:
        return {}
    prices, overlong = derive_prices(base.prices or {}, base.template, draft.template, times)
    problems += overlong
    problems += _check_derived_resolutions(draft, base, base_code)
    return prices


def _check_pair(
    draft: _Draft, base: _Draft, base_code: Located[str], common: Mapping[Unit | None, int]
) -> Iterator[Problem]:
    """Check that units and specs of `base` mean the same in `draft`. Of two units, the one that fewer items have is wrong."""
    if draft.unit and base.unit and draft.unit != base.unit:
        units = f"{base_code.value} is priced per {base.unit.name}, {draft.code.value} per {draft.unit.name}"
        at = base_code.place
        if common[base.unit] != common[draft.unit]:
            unit = min((base, draft), key=lambda one: common[one.unit]).fields.get(d.UNIT)
            at = unit.place if unit else at
        yield Problem(at, kinds.UNIT_MISMATCH, f"{units}; use one unit for both", base_code.value)
    if not draft.template_wrong and not base.template_wrong and _parts(draft.template) != _parts(base.template):
        made = ".".join(part for part in (CODEC, RESOLUTION) if part in (draft.template or ""))
        if base.template is None and any(split_spec(made, spec) for spec in base.prices or {}):
            message = (
                f"{base_code.value} has no `spec`, but {draft.code.value}, which takes its prices with `prices_from`, has"
                f" {quoted(draft.template or '')}; give {base_code.value} a `spec` with the same placeholders"
            )
            yield Problem(base.code.place, kinds.TEMPLATE_MISMATCH, message, base_code.value)
            return
        message = (
            f"{_shown(draft.template)} and {_shown(base.template)} of {base_code.value} must have the same placeholders"
        )
        yield Problem(base_code.place, kinds.TEMPLATE_MISMATCH, message, base_code.value)


def _parts(template: str | None) -> tuple[bool, bool] | None:
    return None if template is None else (CODEC in template, RESOLUTION in template)


def _shown(template: str | None) -> str:
    return "no `spec`" if template is None else f"`spec` {quoted(template)}"


def _check_derived_resolutions(draft: _Draft, base: _Draft, base_code: Located[str]) -> list[Problem]:
    """Check that the item's own set has every resolution that the base prices; a price of another could never be used."""
    if draft.resolutions is None or base.resolutions is None or draft.resolutions == base.resolutions:
        return []
    priced = {
        parts.resolution: spec
        for spec in base.prices or {}
        if base.template and (parts := split_spec(base.template, spec)) and parts.resolution in base.resolutions.names
    }
    message = "{} of {} names {}, which is not in this item's resolution set"
    return [
        Problem(base_code.place, kinds.UNKNOWN_RESOLUTION, message.format(quoted(spec), base_code.value, quoted(name)))
        for name, spec in priced.items()
        if name not in draft.resolutions.names
    ]
