"""Warnings about changes from the version before: rules that changed, and prices that were lost."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mps_bill.core.diagnostics import Fact, Place, Problem, all_of, near_miss, quoted
from mps_bill.documents.fields import Fields
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet import words
from mps_bill.price_sheet.checks.price_cells import CheckedSheet
from mps_bill.price_sheet.checks.tier_bounds import bound_words, bounds_of
from mps_bill.price_sheet.sheet import SheetDraft
from mps_bill.price_sheet.sheet_diff import ItemChange, diff_sheets
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Item, PriceSheet


def version_warnings(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield changes from the version before that look odd: changed rules, and lost prices. The same change in several items is
    one finding. Items with errors are left out, since what they seem to lack may only be wrong."""
    draft, before = sheet.draft, sheet.before
    if draft is None or before is None:
        return
    old, new, invalid = before.sheet, draft.sheet, sheet.invalid_items()
    for field, what, one, other in (
        (d.ROUNDING, "bills are rounded", words.rounding_words(old.billing), words.rounding_words(new.billing)),
        (d.SETTLEMENT, "bills are settled", old.billing.settlement, new.billing.settlement),
    ):
        if one != other:
            at, was = (billing.place_of(field) for both in (draft, before) if (billing := both.fields.get(d.BILLING)))
            message = f"{what} {other}, but {one} in the version before ({was}); is that intended?"
            yield Problem(at, kinds.CHANGED_RULE, message)
    changes = [change for change in diff_sheets(old, new, added=False).items if change.code not in invalid]
    yield from _changed_rules(draft, before, changes)
    yield from _ended_items(draft, old, [change.old for change in changes if change.old and not change.new])
    # Derived prices end with those of their base.
    own = [change for change in changes if not change.factors or change.factors[0].base in invalid]
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
            priced = new.price(after, after.spec_of(spec), region)
            if priced is None and new.unpriced_as(before.code, spec, region) is None:
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
