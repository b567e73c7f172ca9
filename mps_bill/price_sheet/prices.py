"""Price tables of items: flat and tiered prices as written, and prices that are another item's times a factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import Literal, cast

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, plain, strip_zeros
from mps_bill.core.diagnostics import Problem, near_miss, one_of, quoted
from mps_bill.core.shape import Entry, Fields, Located, Many
from mps_bill.core.units import Unit, to_micros
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.context import Context
from mps_bill.price_sheet.sheet_model import FlatPrice, Price, RegionPrices, Tier, TieredPrice
from mps_bill.price_sheet.spec import join_spec, split_spec

#: As the definition reads a price: one decimal, or the fields of a tier table.
PriceEntry = Entry[str, Located[Decimal] | Fields]
PriceTable = Many[Entry[str, Many[PriceEntry]]]


def read_prices(
    table: PriceTable, unit: Unit | None, context: Context, problems: list[Problem]
) -> dict[str, RegionPrices]:
    """Spec to region to price, without what is wrong. Without a unit, tiers are checked and left out."""
    prices: dict[str, RegionPrices] = {}
    for row in table.parts:
        by_region: dict[str, Price] = {}
        entries = row.value.parts if row.value else ()
        for entry in entries:
            if entry.key.value not in context.region_keys:
                problems.append(_unknown_region(entry.key, context))
            price = _price(entry.value, unit, problems)
            if price:
                by_region[entry.key.value] = price
        if context.overlaps:
            problems += _check_overlaps(row.key.value, entries, context)
        prices[row.key.value] = by_region
    return prices


def _unknown_region(key: Located[str], context: Context) -> Problem:
    groups = f"groups of this sheet: {one_of(tuple(context.groups))}" if context.groups else "this sheet has no groups"
    hint = near_miss(key.value, context.region_keys) or f'; {groups}; "*" stands for every region'
    return Problem(key.place, kinds.UNKNOWN_REGION, f"{quoted(key.value)} is an unknown region or group{hint}")


def _check_overlaps(spec: str, entries: tuple[PriceEntry, ...], context: Context) -> list[Problem]:
    """Two groups that hold one region may not both price a spec: neither price would win."""
    problems = []
    groups = [entry.key for entry in entries if entry.key.value in context.groups]
    for first, second in combinations(groups, 2):
        shared = context.overlaps.get(frozenset((first.value, second.value)))
        if shared:
            message = (
                f"{quoted(spec)} has a price for {first.value} and one for {second.value}, and {shared} is in both"
                " groups; take it out of one of them"
            )
            problems.append(Problem(second.place, kinds.OVERLAPPING_GROUPS, message))
    return problems


def _price(value: Located[Decimal] | Fields | None, unit: Unit | None, problems: list[Problem]) -> Price | None:
    match value:
        case Located():
            return FlatPrice(value.value, value.place)
        case Fields():
            return _tiered_price(value, unit, problems)
        case None:
            return None


def _tiered_price(fields: Fields, unit: Unit | None, problems: list[Problem]) -> TieredPrice | None:
    model, per, table = fields.get(d.TIERS), fields.get(d.TIER_PER), fields.get(d.UP_TO)
    if table is None:
        return None
    found = _check_tiers(table)
    problems += found
    tiers = [
        Tier(None if entry.key.value is None else to_micros(entry.key.value, unit), entry.value.value)
        for entry in table.parts
        if unit and entry.value
    ]
    if found or model is None or per is None or not table.whole or len(tiers) != len(table.parts):
        return None
    return TieredPrice(
        cast("Literal['graduated', 'volume']", model.value),
        cast("Literal['cycle', 'month']", per.value),
        tuple(tiers),
        fields.place,
    )


def _check_tiers(table: Many[Entry[Decimal | None, Located[Decimal]]]) -> list[Problem]:
    problems = []
    bounds = [entry.key for entry in table.parts]
    at_rest = next((index for index, bound in enumerate(bounds) if bound.value is None), None)
    if at_rest is None:
        if table.whole:
            message = f"the tiers must end in `{d.REST}`, the price of what is above the last bound"
            problems.append(Problem(table.place, kinds.MISSING_REST, message))
    elif at_rest < len(bounds) - 1:
        message = f"`{d.REST}` must stand last; the bounds after it belong before it"
        problems.append(Problem(bounds[at_rest].place, kinds.MISPLACED_REST, message))
    elif at_rest == 0 and table.whole:
        message = f"`{d.REST}` alone makes no tiers; write its price in place of the table, or add a bound before it"
        problems.append(Problem(bounds[0].place, kinds.LONE_REST, message))
    highest = Decimal(0)
    for bound in bounds:
        if bound.value is None:
            continue
        if bound.value <= highest:
            message = f"the bound {plain(bound.value)} is not above {plain(highest)} before it; write bounds ascending"
            problems.append(Problem(bound.place, kinds.UNORDERED_TIERS, message))
        highest = max(highest, bound.value)
    return problems


def derive_prices(
    base: Mapping[str, RegionPrices], base_template: str | None, template: str | None, times: Located[Decimal]
) -> tuple[dict[str, RegionPrices], list[Problem]]:
    """The prices of `base` times a factor, under the specs that the same codec and resolution have in `template`.

    Specs of the base that its own template does not make are left out. Without templates, specs stay as they are.
    """
    prices: dict[str, RegionPrices] = {}
    problems: list[Problem] = []
    for base_spec, by_region in base.items():
        spec: str | None = base_spec
        if base_template is not None and template is not None:
            parts = split_spec(base_template, base_spec)
            spec = join_spec(template, parts.codec or "", parts.resolution or "") if parts else None
        if spec is None:
            continue
        prices[spec] = {region: _times(price, times.value) for region, price in by_region.items()}
        if not problems:
            problems += _overlong(base_spec, by_region, prices[spec], times)
    return prices, problems


def _times(price: Price, factor: Decimal) -> Price:
    match price:
        case FlatPrice():
            return replace(price, unit_price=_product(price.unit_price, factor))
        case TieredPrice():
            tiers = (replace(tier, unit_price=_product(tier.unit_price, factor)) for tier in price.tiers)
            return replace(price, tiers=tuple(tiers))


def _product(unit_price: Decimal, factor: Decimal) -> Decimal:
    return strip_zeros(EXACT.multiply(unit_price, factor))


def unit_prices(price: Price) -> tuple[Decimal, ...]:
    """Every unit price of `price`, in the order of its tiers."""
    match price:
        case FlatPrice():
            return (price.unit_price,)
        case TieredPrice():
            return tuple(tier.unit_price for tier in price.tiers)


def _overlong(base_spec: str, base: RegionPrices, derived: RegionPrices, times: Located[Decimal]) -> list[Problem]:
    """The first derived price with more decimals than a price may have; one is enough to show what is wrong."""
    for region, price in derived.items():
        for before, after in zip(unit_prices(base[region]), unit_prices(price), strict=True):
            exponent = after.as_tuple().exponent
            if isinstance(exponent, int) and -exponent > AMOUNT_PLACES:
                message = (
                    f"{plain(times.value)} times {plain(before)}, the price of {quoted(base_spec)} in {region}, is"
                    f" {plain(after)}, which has {-exponent} decimals; a price has at most {AMOUNT_PLACES}"
                )
                return [Problem(times.place, kinds.OVERLONG_PRICE, message)]
    return []
