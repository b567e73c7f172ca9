"""The price tables of items: written prices, and prices that are another item's times a factor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Any

from mps_bill.core.decimals import AMOUNT_PLACES, plain
from mps_bill.core.diagnostics import Place, Problem, foreign_letter, near_miss, one_of, quoted
from mps_bill.core.units import Unit
from mps_bill.documents.fields import Entry, Located, Many
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.price_kinds.price_kind import Price, Written
from mps_bill.price_sheet.sheet_model import RegionPrices
from mps_bill.price_sheet.sheet_parts import SheetParts
from mps_bill.price_sheet.spec import join_spec, split_spec

PriceEntry = Entry[str, Written[Any]]
PriceTable = Many[Entry[str, Many[PriceEntry]]]


def read_prices(
    table: PriceTable, unit: Unit | None, sheet: SheetParts, problems: list[Problem]
) -> dict[str, RegionPrices]:
    """Return spec -> region -> price, without wrong entries; without a unit there are no prices."""
    prices: dict[str, RegionPrices] = {}
    for row in table.parts:
        by_region: dict[str, Price] = {}
        for entry in row.parts:
            if entry.key.value not in sheet.region_keys:
                problems.append(unknown_region(entry.key, sheet, '; "*" stands for every region'))
            price = entry.value.price(unit) if entry.value and unit else None
            if price:
                by_region[entry.key.value] = price
        prices[row.key.value] = by_region
    return prices


def unknown_region(key: Located[str], sheet: SheetParts, others: str = "") -> Problem:
    """Return the problem of a key that is neither a region nor a group; `others` names what else is allowed."""
    groups = f"groups of this sheet: {one_of(tuple(sheet.groups))}" if sheet.groups else "this sheet has no groups"
    message = f"unknown region or group {quoted(key.value)}"
    hint = near_miss(key.value, sheet.region_keys) or f"; {groups}{others}"
    return Problem(key.place, kinds.UNKNOWN_REGION, message + hint + foreign_letter(key.value), key.value)


def check_overlaps(tables: Iterable[PriceTable], sheet: SheetParts) -> Iterator[Problem]:
    """Check that no two groups that share a region both price a spec, since neither takes precedence; once for two groups."""
    if not sheet.overlaps:
        return
    both: dict[frozenset[str], list[tuple[str, str, str, Place]]] = {}
    for row in (row for table in tables for row in table.parts):
        groups = [entry.key for entry in row.parts if entry.key.value in sheet.groups]
        for first, second in combinations(groups, 2):
            pair = frozenset((first.value, second.value))
            if pair in sheet.overlaps:
                both.setdefault(pair, []).append((row.key.value, first.value, second.value, second.place))
    for pair, rows in both.items():
        shared, places = sheet.overlaps[pair], tuple(place for *_, place in rows)
        spec, one, other, _ = rows[0]
        more = f" and {len(rows) - 1} more specs have" if len(rows) > 1 else " has"
        message = (
            f"{shared.value} is in the groups {one} and {other}, and {quoted(spec)}{more} a price for both; remove the region"
            " from one of them"
        )
        lone = len(rows) == 1
        yield Problem(
            places[0] if lone else shared.place, kinds.OVERLAPPING_GROUPS, message, also=() if lone else places
        )


def derive_prices(
    base: Mapping[str, RegionPrices], base_template: str | None, template: str | None, times: Located[Decimal]
) -> tuple[dict[str, RegionPrices], list[Problem]]:
    """Return the prices of `base` times a factor, by the specs that `template` derives from the same codec and resolution.

    Specs of the base that its own template does not derive are left out. Without templates, specs remain the same.
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
    """Return a problem for the first derived price with too many decimal places; one is enough to show the mistake."""
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
