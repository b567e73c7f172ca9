"""Warnings that come from laying a sheet beside another one: the version of its id before it, and a sheet for reference."""

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
from mps_bill.price_sheet.checks.tier_bounds import are_slips, bound_words, bounds_of
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet import SheetDraft
from mps_bill.price_sheet.sheet_diff import ItemChange, diff_sheets
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Item, PriceSheet

#: A price of the next version changes less than this many times.
MAX_JUMP = 5
#: A contract takes no more of a list price than this many times, and leaves at least one part of so many.
MAX_OF_LIST, MIN_OF_LIST = Fraction(5, 2), Fraction(1, 8)
#: How far a price may be from the usual share of the list price that the item has, and the other items.
MAX_FROM_USUAL, MAX_FROM_OTHERS = 6, 8
_HALF = Fraction(1, 2)


# ---- The version before ----------------------------------------------------------------------------------------------


def version_warnings(sheet: CheckedSheet) -> Iterator[Problem]:
    """What looks odd in a version of a sheet beside the one before it: rules that changed, and what has no price any more. What
    changed alike in several items is one finding. Items that are unsound in the new one may lack what is only wrong."""
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
            message = f"{what} {other}, and {one} in the version before ({was}); is that meant?"
            yield Problem(at, kinds.CHANGED_RULE, message)
    changes = [change for change in diff_sheets(old, new, added=False).items if change.code not in unsound]
    yield from _changed_rules(draft, before, changes)
    yield from _ended_items(draft, old, [change.old for change in changes if change.old and not change.new])
    # What follows from another item ends where that one's does.
    own = [change for change in changes if not change.factors or change.factors[0].base in unsound]
    yield from _ended(draft, old, [(change.old, change.new) for change in own if change.old and change.new])


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of an item before and after, and where each stands."""

    item: Item
    what: str
    old: str
    new: str
    place: Place
    before: Place
    of: str = ""


def _changed_rules(draft: SheetDraft, before: SheetDraft, changes: Sequence[ItemChange]) -> Iterator[Problem]:
    """A finding for each change, at the first item that has it."""
    alike: dict[tuple[str, str, str], list[_Rule]] = {}
    fields, of_before = (_item_fields(sheet) for sheet in (draft, before))
    for rule in (rule for change in changes for rule in _rules_of(change, fields, of_before)):
        alike.setdefault((rule.what, rule.old, rule.new), []).append(rule)
    for rules in alike.values():
        first, count = rules[0], len(rules) - 1
        more = f", and so for {count} more" if count else ""
        message = (
            f'the {first.what} of {first.of or first.item.code} is "{first.new}", and "{first.old}" in the version before'
            f" ({first.before}){more}; is that meant?"
        )
        # What follows from another unit is off by as much at every price of the item.
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
    """Tiers that end elsewhere. Those that are only divided further are no surprise."""
    for spec, row in new.prices.items():
        for region, price in row.items():
            before = old.prices.get(spec, {}).get(region)
            if before and type(before) is type(price) and not set(bounds_of(before)) <= set(bounds_of(price)):
                of, ends = f"{quoted(spec)} in {region}", (bound_words(before), bound_words(price))
                yield _Rule(new, "list of tier bounds", *ends, price.place, before.place, of)


def _item_fields(draft: SheetDraft) -> dict[str, Fields]:
    return {entry.key.value: entry.value for entry in draft.fields.parts(d.ITEMS) if entry.value}


def _ended_items(draft: SheetDraft, old: PriceSheet, items: Sequence[Item]) -> Iterator[Problem]:
    """Items that are gone: a finding for each that seems to have another code now, and one for all others."""
    new = draft.sheet
    added = [code for code in new.items if code not in old.items]
    gone = []
    for item in items:
        code = next((code for code in added if near_miss(item.code, [code])), None)
        if code:
            what = f"{item.code} has a price in the version before ({item.place}) and none in this one; is {code} that item?"
            yield Problem(new.items[code].place, kinds.ENDED_PRICE, what, facts=(("item", item.code),))
        elif not any(item.code in entry.items for entry in new.unpriced):
            gone.append(item)
    if gone:
        codes = all_of([item.code for item in gone], 6)
        message = (
            f"{codes} {'has' if len(gone) == 1 else 'have'} a price in the version before ({gone[0].place}) and none in this one;"
            " if that is meant, list it under `unpriced`"
        )
        after = _next_of(gone[0].code, list(old.items), new.items)
        place = new.items[after].place if after else draft.place(d.ITEMS)
        yield Problem(place, kinds.ENDED_PRICE, message, facts=tuple(("item", item.code) for item in gone))


def _next_of(word: str, order: Sequence[str], known: Container[str]) -> str | None:
    """What stood behind a word that is gone and is known still."""
    return next((other for other in order[order.index(word) + 1 :] if other in known), None)


def _ended(draft: SheetDraft, old: PriceSheet, items: Sequence[tuple[Item, Item]]) -> Iterator[Problem]:
    """Regions and specs that had a price: each once for all items, and a region that ends for all specs as a region."""
    new = draft.sheet
    groups = {**new.region_groups, **old.region_groups}
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[Item, Item]]] = {}
    for before, after in items:
        for gone, where in _gone(old, new, before, after).items():
            # What ends in some regions for all that had a price there ends as these.
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
            f" ({before.place}) and none in this one; if that is meant, list it under `unpriced`"
        )
        place = _row_place(draft, before, after, gone[0]) if gone else _group_place(draft, old, where) or after.place
        facts: list[Fact] = [("price", one.code, spec) for _, one in pairs for spec in gone]
        facts = facts or [("region", region) for region in where]
        yield Problem(place, kinds.ENDED_PRICE, message, facts=tuple(facts))


def _gone(old: PriceSheet, new: PriceSheet, before: Item, after: Item) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The specs that have no price any more, with the regions where."""
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
    """Where the row of a spec stands, or what follows it where the row is gone."""
    fields = _item_fields(draft).get(after.code)
    rows = {row.key.value: row.key.place for row in (fields.parts(d.PRICES) if fields else ())}
    next_ = spec if spec in rows else _next_of(spec, list(before.prices), rows)
    return rows[next_] if next_ else after.place


def _group_place(draft: SheetDraft, old: PriceSheet, where: Sequence[str]) -> Place | None:
    """The group that has lost the regions, where it is one."""
    for group in draft.fields.parts(d.REGION_GROUPS):
        lost = set(old.region_groups.get(group.key.value, ())) - set(draft.sheet.region_groups[group.key.value])
        if lost >= set(where):
            return group.key.place
    return None


def jumps(table: ItemTable, before: Listed) -> list[Odd]:
    """The rates of an item that are many times those of the version before, or free, but for what is free before other tiers."""
    odd = []
    cells = [cell.rates for row in table.rows.values() for cell in row.values()]
    quotas = {rates[0] for rates in cells if any(rate.price.value for rate in rates)}
    for rate, (one, *_) in before.rates:
        if one.figure and not rate.price.value:
            if rate in quotas:
                continue
            why = f"is free, and cost {plain(one.figure)} in the version before ({one.price.place})"
            odd.append(Odd(rate, why, kinds.PRICE_JUMP, high=False))
        elif one.figure and not 1 <= one.ratio * MAX_JUMP <= MAX_JUMP**2:
            odd.append(Odd(rate, _costs(rate, one, "the version before"), kinds.PRICE_JUMP, high=one.ratio > 1))
    return _but_for_flat_lines(odd, table)


def _but_for_flat_lines(odd: Sequence[Odd], table: ItemTable) -> list[Odd]:
    left = beyond_flat_lines({one.rate for one in odd}, table, _HALF)
    return [one for one in odd if one.rate in left]


# ---- A sheet for reference -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The rates of an item beside those of a reference sheet, and the share of these that they have as a rule."""

    reference: PriceSheet
    rates: Sequence[tuple[Rate, list[Compared]]]
    share: Fraction


def laid_beside(
    tables: Sequence[ItemTable], sheet: PriceSheet, others: Sequence[PriceSheet], *, anywhere: bool = False
) -> dict[ItemTable, Listed]:
    """Each item that one of the other sheets has, beside the first of them; with `anywhere`, one that has none
    of its regions beside those of every region."""
    return {table: one for table in tables if (one := _listed(table, sheet, others, anywhere))}


def far_from_reference(listed: Mapping[ItemTable, Listed], sheet: PriceSheet) -> dict[ItemTable, list[Odd]]:
    """The rates of each item that are far from those of a reference sheet: from the list price where both have one currency,
    from the share that most of the item's prices have of theirs, and from that of the other items, of derived prices that of
    the item that they come from."""
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
            # The list price itself is not odd, however far below it the others are.
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
            # Prices of one region say nothing of those of another, where the list has some for the regions of the item.
            rates = list(_compared(table, table.unit, reference, item, groups, anywhere=False))
            if not rates and anywhere:
                rates = list(_compared(table, table.unit, reference, item, groups, anywhere=True))
            ratios = [compared[0].ratio for _, compared in rates if compared[0].ratio]
            return Listed(reference, rates, median_low(ratios) if ratios else Fraction(0))
    return None


def _around(share: Fraction | None, times: int) -> tuple[Fraction, Fraction | None]:
    return (share / times, share * times) if share else (Fraction(0), None)


def _is_far(compared: Sequence[Compared], bounds: Sequence[tuple[Fraction, Fraction | None]]) -> bool:
    """Whether a price is far from each of those that it may be compared with."""
    ratios = [one.ratio for one in compared if one.ratio]
    return bool(ratios) and any(
        max(ratios) < lowest or (highest is not None and min(ratios) > highest) for lowest, highest in bounds
    )


def other_units(sheet: CheckedSheet) -> Iterator[Problem]:
    """Items in a unit that does not convert to that of a sheet for reference, so that no price can be compared."""
    for table in sheet.tables:
        code = table.code.value
        units = [other.items[code].unit for other in sheet.references if code in other.items]
        if table.unit and units and all(unit.dimension != table.unit.dimension for unit in units):
            message = f"{code} is billed by {table.unit.name}, and by {units[0].name} on the price list; is that so?"
            yield Problem(table.code.place, kinds.FAR_FROM_REFERENCE, message)


# ---- Figure by figure ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of another sheet, the price that it belongs to, and what it is compared with per equal quantity."""

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
    """Every rate of an item with the figures that another sheet has for the same spec, quantity and region, of which `groups`
    has the groups; with `anywhere`, those of every region where it has none for the region."""
    for spec, row in table.rows.items():
        of = item.spec_of(spec)
        for region, cell in row.items():
            prices = [price for one in groups.get(region, (region,)) if (price := other.price_in(item.code, of, one))]
            if not prices and anywhere:
                prices = list(item.prices.get(of, {}).values())
            figures = [(price, _figures(cell, unit, price)) for price in dict.fromkeys(prices) if price.lot()]
            for number, rate in enumerate(cell.rates if figures else ()):
                yield rate, [_beside(rate, unit, price, of_cell[number]) for price, of_cell in figures]


def _beside(rate: Rate, unit: Unit, price: Price, figure: Decimal) -> Compared:
    lot = price.lot()
    ratio = Fraction(rate.price.value) / unit.micros / (Fraction(figure) / lot) if figure and lot else Fraction(0)
    return Compared(figure, price, ratio)


def _figures(cell: Cell, unit: Unit, price: Price) -> list[Decimal]:
    """The figures of a price for the quantities that those of a cell are for; tier by tier where the bounds are a slip."""
    # Bounds of derived prices are in micros already.
    ends = [to_micros(bound, unit) if isinstance(bound, Decimal) else bound for bound in cell.bounds]
    highs = [end if isinstance(end, int) else None for end in ends]
    if are_slips(tuple(end for end in highs if end is not None), bounds_of(price)):
        return [figure for _, figure in price.figures()]
    return [price.at(high) for high in highs]
