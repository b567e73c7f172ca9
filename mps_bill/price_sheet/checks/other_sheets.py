"""Warnings from comparing a sheet with other sheets: the version of its id before it, and reference sheets."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import median_low

from mps_bill.core.decimals import plain, significant
from mps_bill.core.diagnostics import Fact, Place, Problem, all_of, near_miss, quoted
from mps_bill.core.units import Unit, to_micros
from mps_bill.documents.shapes import Fields
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet import words
from mps_bill.price_sheet.checks.price_cells import Cell, CheckedSheet, Groups, ItemTable, Odd, Rate, beyond_flat_lines
from mps_bill.price_sheet.checks.tier_bounds import bound_words, bounds_of, look_mistyped
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet import SheetDraft
from mps_bill.price_sheet.sheet_diff import ItemChange, diff_sheets
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Item, PriceSheet

#: A price changes by less than this factor from one version to the next.
MAX_JUMP = 5
#: The largest and smallest share of the list price that a contract price may be.
MAX_OF_LIST, MIN_OF_LIST = Fraction(5, 2), Fraction(1, 8)
#: How many times a price may be above or below the usual share of the list price: that of its item, and that of other items.
MAX_FROM_USUAL, MAX_FROM_OTHERS = 6, 8
_HALF = Fraction(1, 2)


# ---- The version before ----------------------------------------------------------------------------------------------


def version_warnings(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield changes from the version before that look odd: changed rules, and lost prices. The same change in several items is
    one finding. Items with errors are left out, since what they seem to lack may only be wrong."""
    draft, before = sheet.draft, sheet.before
    if draft is None or before is None:
        return
    old, new, unsound = before.sheet, draft.sheet, sheet.unsound()
    for field, what, one, other in (
        (d.ROUNDING, "bills are rounded", words.rounding_words(old.billing), words.rounding_words(new.billing)),
        (d.SETTLEMENT, "bills are settled", old.billing.settlement, new.billing.settlement),
    ):
        if one != other:
            at, was = (billing.place_of(field) for both in (draft, before) if (billing := both.fields.get(d.BILLING)))
            message = f"{what} {other}, but {one} in the version before ({was}); is that intended?"
            yield Problem(at, kinds.CHANGED_RULE, message)
    changes = [change for change in diff_sheets(old, new, added=False).items if change.code not in unsound]
    yield from _changed_rules(draft, before, changes)
    yield from _ended_items(draft, old, [change.old for change in changes if change.old and not change.new])
    # Derived prices end with those of their base.
    own = [change for change in changes if not change.factors or change.factors[0].base in unsound]
    yield from _ended(draft, old, [(change.old, change.new) for change in own if change.old and change.new])


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of an item before and after, with the place of each."""

    item: Item
    what: str
    old: str
    new: str
    place: Place
    before: Place
    of: str = ""


def _changed_rules(draft: SheetDraft, before: SheetDraft, changes: Sequence[ItemChange]) -> Iterator[Problem]:
    """Yield a finding for each change, at the first item that has it."""
    alike: dict[tuple[str, str, str], list[_Rule]] = {}
    fields, of_before = (_item_fields(sheet) for sheet in (draft, before))
    for rule in (rule for change in changes for rule in _rules_of(change, fields, of_before)):
        alike.setdefault((rule.what, rule.old, rule.new), []).append(rule)
    for rules in alike.values():
        first, count = rules[0], len(rules) - 1
        more = f", and the same for {count} more" if count else ""
        message = (
            f'the {first.what} of {first.of or first.item.code} is "{first.new}", but "{first.old}" in the version before'
            f" ({first.before}){more}; is that intended?"
        )
        # Another unit makes every price of the item wrong by the same factor.
        facts: tuple[Fact, ...] = ()
        if first.what == "unit":
            facts = tuple(rule.item.place for rule in rules)
        elif first.what == "spec":
            facts = tuple(("template" if rule.item.template else "spec", rule.item.code) for rule in rules)
        also = tuple(rule.place for rule in rules[1:])
        yield Problem(first.place, kinds.CHANGED_RULE, message, also=also, facts=facts)


def _rules_of(change: ItemChange, fields: Mapping[str, Fields], of_before: Mapping[str, Fields]) -> Iterator[_Rule]:
    old, new = change.old, change.new
    if old is None or new is None:
        return
    for field, one, other in (
        (d.UNIT, old.unit.name, new.unit.name),
        (d.METERING, words.metering_words(old.metering, old.unit), words.metering_words(new.metering, new.unit)),
        (d.SPEC, words.spec_words(old), words.spec_words(new)),
    ):
        if one != other and (field is not d.METERING or old.unit == new.unit):
            at, was = fields[new.code].place_of(field), of_before[old.code].place_of(field)
            yield _Rule(new, field.key, one, other, at, was)
    if old.unit == new.unit and not change.factors:
        yield from _bounds_of(old, new)
    for kind in change.kinds:
        of = f"{quoted(kind.spec)} in {kind.regions}"
        one, other = kind.old.kind_words(), kind.new.kind_words()
        yield _Rule(new, "price", one, other, kind.new.place or new.place, kind.old.place or old.place, of)


def _bounds_of(old: Item, new: Item) -> Iterator[_Rule]:
    """Yield tables of tiers whose bounds changed, unless tiers were only divided further."""
    for spec, row in new.prices.items():
        for region, price in row.items():
            before = old.prices.get(spec, {}).get(region)
            if before and type(before) is type(price) and not set(bounds_of(before)) <= set(bounds_of(price)):
                of, ends = f"{quoted(spec)} in {region}", (bound_words(before), bound_words(price))
                yield _Rule(new, "list of tier bounds", *ends, price.place, before.place, of)


def _item_fields(draft: SheetDraft) -> dict[str, Fields]:
    return {entry.key.value: entry.value for entry in draft.fields.parts(d.ITEMS) if entry.value}


def _ended_items(draft: SheetDraft, old: PriceSheet, items: Sequence[Item]) -> Iterator[Problem]:
    """Yield a finding for each lost item that seems to have a new code, and one for all other lost items."""
    new = draft.sheet
    added = [code for code in new.items if code not in old.items]
    gone = []
    for item in items:
        code = next((code for code in added if near_miss(item.code, [code])), None)
        if code:
            what = f"{item.code} has a price in the version before ({item.place}) but none in this one; is {code} that item?"
            yield Problem(new.items[code].place, kinds.ENDED_PRICE, what, facts=(("item", item.code),))
        elif not any(item.code in entry.items for entry in new.unpriced):
            gone.append(item)
    if gone:
        codes = all_of([item.code for item in gone], 6)
        message = (
            f"{codes} {'has' if len(gone) == 1 else 'have'} a price in the version before ({gone[0].place}) but none in this one;"
            " if that is intended, list it under `unpriced`"
        )
        after = _next_of(gone[0].code, list(old.items), new.items)
        place = new.items[after].place if after else draft.place(d.ITEMS)
        yield Problem(place, kinds.ENDED_PRICE, message, facts=tuple(("item", item.code) for item in gone))


def _next_of(word: str, order: Sequence[str], known: Container[str]) -> str | None:
    """Return the first word after a lost word that still exists."""
    return next((other for other in order[order.index(word) + 1 :] if other in known), None)


def _ended(draft: SheetDraft, old: PriceSheet, items: Sequence[tuple[Item, Item]]) -> Iterator[Problem]:
    """Yield lost prices by region and spec, once for all items; a region that all specs of an item lost is one finding."""
    new = draft.sheet
    groups = {**new.region_groups, **old.region_groups}
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[Item, Item]]] = {}
    for before, after in items:
        for gone, where in _gone(old, new, before, after).items():
            # If everything with a price in some regions lost it there, the finding names only the regions.
            region = EVERY_REGION if where[0] == "every other region" else where[0]
            every = all(old.price(before, spec, region) is None for spec in before.prices if spec not in gone)
            every = every and not after.prices.keys().isdisjoint(before.prices)
            alike.setdefault(((), where) if every else (gone, where), []).append((before, after))
    for (gone, where), pairs in alike.items():
        before, after = pairs[0]
        has = "has" if len(pairs) == 1 else f"and {len(pairs) - 1} more have"
        specs = all_of([quoted(spec) for spec in gone], 6) if gone else "everything"
        message = (
            f"{after.code} {has} a price for {specs} in {all_of(words.by_group(where, groups))} in the version before"
            f" ({before.place}) but none in this one; if that is intended, list it under `unpriced`"
        )
        place = _row_place(draft, before, after, gone[0]) if gone else _group_place(draft, old, where) or after.place
        facts: list[Fact] = [("price", one.code, spec) for _, one in pairs for spec in gone]
        facts = facts or [("region", region) for region in where]
        yield Problem(place, kinds.ENDED_PRICE, message, facts=tuple(facts))


def _gone(old: PriceSheet, new: PriceSheet, before: Item, after: Item) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return the groups of specs that lost their price in the same regions, with these regions."""
    ended: dict[str, list[str]] = {}
    for spec in before.prices:
        for region in old.regions(before.code, spec):
            if new.price(after, spec, region) is None and new.unpriced_as(before.code, spec, region) is None:
                ended.setdefault("every other region" if region == EVERY_REGION else region, []).append(spec)
    alike: dict[tuple[str, ...], tuple[str, ...]] = {}
    for region, specs in ended.items():
        alike[tuple(specs)] = (*alike.get(tuple(specs), ()), region)
    return alike


def _row_place(draft: SheetDraft, before: Item, after: Item, spec: str) -> Place:
    """Return the place of the row of a spec, or of the row after it if it no longer exists."""
    fields = _item_fields(draft).get(after.code)
    rows = {row.key.value: row.key.place for row in (fields.parts(d.PRICES) if fields else ())}
    next_ = spec if spec in rows else _next_of(spec, list(before.prices), rows)
    return rows[next_] if next_ else after.place


def _group_place(draft: SheetDraft, old: PriceSheet, where: Sequence[str]) -> Place | None:
    """Return the place of the group that lost the regions, if one did."""
    for group in draft.fields.parts(d.REGION_GROUPS):
        lost = set(old.region_groups.get(group.key.value, ())) - set(draft.sheet.region_groups[group.key.value])
        if lost >= set(where):
            return group.key.place
    return None


def jumps(table: ItemTable, before: Listed) -> list[Odd]:
    """Return the rates of an item that are many times those of the version before or a small part of them, or free, except
    for a free first tier."""
    odd = []
    cells = [cell.rates for row in table.rows.values() for cell in row.values()]
    quotas = {rates[0] for rates in cells if any(rate.price.value for rate in rates)}
    for rate, (one, *_) in before.rates:
        if one.figure and not rate.price.value:
            if rate in quotas:
                continue
            why = f"is free, but cost {plain(one.figure)} in the version before ({one.price.place})"
            odd.append(Odd(rate, why, kinds.PRICE_JUMP, high=False))
        elif one.figure and not 1 <= one.ratio * MAX_JUMP <= MAX_JUMP**2:
            odd.append(Odd(rate, _costs(rate, one, "the version before"), kinds.PRICE_JUMP, high=one.ratio > 1))
    return _but_for_flat_lines(odd, table)


def _but_for_flat_lines(odd: Sequence[Odd], table: ItemTable) -> list[Odd]:
    left = beyond_flat_lines({one.rate for one in odd}, table, _HALF)
    return [one for one in odd if one.rate in left]


# ---- Reference sheets ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The rates of an item with those of another sheet, and their usual (median) share of these."""

    reference: PriceSheet
    rates: Sequence[tuple[Rate, list[Compared]]]
    share: Fraction


def compared_with(
    tables: Sequence[ItemTable], sheet: PriceSheet, others: Sequence[PriceSheet], *, anywhere: bool = False
) -> dict[ItemTable, Listed]:
    """Compare each item with the same item of the first other sheet that has it. With `anywhere`, an item that shares no region
    with it is compared with its prices in all regions."""
    return {table: one for table in tables if (one := _listed(table, sheet, others, anywhere))}


def far_from_reference(listed: Mapping[ItemTable, Listed], sheet: PriceSheet) -> dict[ItemTable, list[Odd]]:
    """Return the rates of each item that are far from those of a reference sheet: from the list price (if both sheets have one
    currency), from the usual share of the item, and from the share of the other items; for derived prices, of their base."""
    by_code = {table.code.value: one for table, one in listed.items()}
    found = {}
    for table, one in listed.items():
        base = by_code.get(table.base or "")
        others = [
            other.share
            for at, other in listed.items()
            if at is not table and not at.derived and other.reference.currency == one.reference.currency and other.share
        ]
        if table.derived:
            bounds = [_around(base.share if base and base.reference is one.reference else None, MAX_JUMP)]
        else:
            bounds = [_around(median_low(others) if len(others) > 1 else None, MAX_FROM_OTHERS)]
        if len(one.rates) > 2:
            bounds.append(_around(one.share, MAX_FROM_USUAL))
        if one.reference.currency == sheet.currency:
            # The list price itself is not odd, however low the other prices are.
            bounds = [(min(low, Fraction(1)), max(high, Fraction(1)) if high else None) for low, high in bounds]
            bounds.append((MIN_OF_LIST, MAX_OF_LIST))
        usual = 1 if one.reference.currency == sheet.currency else one.share
        far = [
            Odd(rate, _costs(rate, by[0], one.reference.id), kinds.FAR_FROM_REFERENCE, high=by[0].ratio > usual)
            for rate, by in one.rates
            if rate.price.value and _is_far(by, bounds)
        ]
        found[table] = _but_for_flat_lines(far, table)
    return found


def _listed(table: ItemTable, sheet: PriceSheet, others: Sequence[PriceSheet], anywhere: bool) -> Listed | None:
    for reference in others:
        item = reference.items.get(table.code.value)
        if item and table.unit and table.unit.dimension == item.unit.dimension:
            groups = sheet.region_groups
            # Prices of other regions are no evidence if the reference has some for the item's regions.
            rates = list(_compared(table, table.unit, reference, item, groups, anywhere=False))
            if not rates and anywhere:
                rates = list(_compared(table, table.unit, reference, item, groups, anywhere=True))
            ratios = [compared[0].ratio for _, compared in rates if compared[0].ratio]
            return Listed(reference, rates, median_low(ratios) if ratios else Fraction(0))
    return None


def _around(share: Fraction | None, times: int) -> tuple[Fraction, Fraction | None]:
    return (share / times, share * times) if share else (Fraction(0), None)


def _is_far(compared: Sequence[Compared], bounds: Sequence[tuple[Fraction, Fraction | None]]) -> bool:
    """Whether a price is far from each price that it may be compared with."""
    ratios = [one.ratio for one in compared if one.ratio]
    return bool(ratios) and any(
        max(ratios) < lowest or (highest is not None and min(ratios) > highest) for lowest, highest in bounds
    )


def other_units(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield items whose unit does not convert to that of a reference sheet, so that no price can be compared."""
    for table in sheet.tables:
        code = table.code.value
        units = [other.items[code].unit for other in sheet.references if code in other.items]
        if table.unit and units and all(unit.dimension != table.unit.dimension for unit in units):
            message = f"{code} is billed by the {table.unit.name}, but by the {units[0].name} in the price list; is that right?"
            yield Problem(table.code.place, kinds.FAR_FROM_REFERENCE, message)


# ---- Price by price --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A unit price of another sheet, the price that it belongs to, and the ratio of this sheet's to it per equal quantity."""

    figure: Decimal
    price: Price
    ratio: Fraction


def _costs(rate: Rate, one: Compared, where: str) -> str:
    """`costs 0.651, 10 times the 0.0651 in mps-intl (sheet.yaml:9:20)`."""
    times = f"{significant(one.ratio)} times the {plain(one.figure)}"
    return f"costs {plain(rate.price.value)}, {times} in {where} ({one.price.place})"


def _compared(
    table: ItemTable, unit: Unit, other: PriceSheet, item: Item, groups: Groups, *, anywhere: bool
) -> Iterator[tuple[Rate, list[Compared]]]:
    """Yield every rate of an item with the unit prices of another sheet for the same spec, quantity and region. `groups` are the
    regions of each group. With `anywhere`, the prices of all regions are used if there is none for the region."""
    for spec, row in table.rows.items():
        of = item.spec_of(spec)
        for region, cell in row.items():
            prices = [price for one in groups.get(region, (region,)) if (price := other.price_in(item.code, of, one))]
            if not prices and anywhere:
                prices = list(item.prices.get(of, {}).values())
            figures = [(price, _figures(cell, unit, price)) for price in dict.fromkeys(prices) if price.lot()]
            for number, rate in enumerate(cell.rates if figures else ()):
                yield rate, [_compare(rate, unit, price, of_cell[number]) for price, of_cell in figures]


def _compare(rate: Rate, unit: Unit, price: Price, figure: Decimal) -> Compared:
    lot = price.lot()
    ratio = Fraction(rate.price.value) / unit.micros / (Fraction(figure) / lot) if figure and lot else Fraction(0)
    return Compared(figure, price, ratio)


def _figures(cell: Cell, unit: Unit, price: Price) -> list[Decimal]:
    """Return the unit prices of a price for the quantities of a cell's rates; tier by tier if the bounds look mistyped."""
    # Bounds of derived prices are in micros already.
    ends = [to_micros(bound, unit) if isinstance(bound, Decimal) else bound for bound in cell.bounds]
    highs = [end if isinstance(end, int) else None for end in ends]
    if look_mistyped(tuple(end for end in highs if end is not None), bounds_of(price)):
        return [figure for _, figure in price.figures()]
    return [price.at(high) for high in highs]
