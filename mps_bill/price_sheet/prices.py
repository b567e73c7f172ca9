"""Price tables of items: prices as written, and prices that are another item's times a factor."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import combinations

from mps_bill.core.decimals import AMOUNT_PLACES, plain
from mps_bill.core.diagnostics import Problem, near_miss, one_of, quoted
from mps_bill.core.units import Unit
from mps_bill.documents.shapes import Entry, Located, Many
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.context import Context
from mps_bill.price_sheet.price_kinds.price_forms import WrittenPrice
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet_model import RegionPrices
from mps_bill.price_sheet.spec import join_spec, split_spec

PriceEntry = Entry[str, WrittenPrice]
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
            price = entry.value.price(unit, problems) if entry.value else None
            if price:
                by_region[entry.key.value] = price
        if context.overlaps:
            problems += _check_overlaps(row.key.value, entries, context)
        prices[row.key.value] = by_region
    return prices


def _unknown_region(key: Located[str], context: Context) -> Problem:
    groups = f"groups of this sheet: {one_of(tuple(context.groups))}" if context.groups else "this sheet has no groups"
    hint = near_miss(key.value, context.region_keys) or f'; {groups}; "*" stands for every region'
    return Problem(
        key.place, kinds.UNKNOWN_REGION, f"{quoted(key.value)} is an unknown region or group{hint}", key.value
    )


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
        prices[spec] = {region: price.times(times.value) for region, price in by_region.items()}
        if not problems:
            problems += _overlong(base_spec, by_region, prices[spec], times)
    return prices, problems


def _overlong(base_spec: str, base: RegionPrices, derived: RegionPrices, times: Located[Decimal]) -> list[Problem]:
    """The first derived price with more decimal places than a price may have; one is enough to show what is wrong."""
    for region, price in derived.items():
        for (_, before), (_, after) in zip(base[region].figures(), price.figures(), strict=True):
            exponent = after.as_tuple().exponent
            if isinstance(exponent, int) and -exponent > AMOUNT_PLACES:
                message = (
                    f"{plain(times.value)} times {plain(before)}, the price of {quoted(base_spec)} in {region}, is"
                    f" {plain(after)}, which has {-exponent} decimal places; a price has at most {AMOUNT_PLACES}"
                )
                return [Problem(times.place, kinds.OVERLONG_PRICE, message)]
    return []
