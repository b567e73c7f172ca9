"""Warnings that come from laying a sheet beside another one: the version of its id before it, and a sheet for reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import plain, significant
from mps_bill.core.diagnostics import Problem, one_of, quoted
from mps_bill.core.units import Unit, to_micros
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet import words
from mps_bill.price_sheet.checks.checked_sheet import CheckedSheet
from mps_bill.price_sheet.checks.price_cells import Groups, ItemTable, Odd, Rate
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet import SheetDraft
from mps_bill.price_sheet.sheet_diff import ItemChange, diff_sheets
from mps_bill.price_sheet.sheet_model import EVERY_REGION, Item, PriceSheet

#: A price of the next version changes less than this many times.
MAX_JUMP = 5
#: A contract takes no more of a list price than this many times, and leaves at least one part of so many.
MAX_OF_LIST, MIN_OF_LIST = Fraction(5, 2), Fraction(1, 8)
#: How far a price may be from the usual share of the list price.
MAX_FROM_USUAL = 6


# ---- The version before ----------------------------------------------------------------------------------------------


def version_warnings(draft: SheetDraft, before: SheetDraft, unsound: Set[str]) -> Iterator[Problem]:
    """What looks odd in a version of a sheet beside the one before it: what has no price any more, and rules that changed.
    Items that are `unsound` in the new one may lack what is only wrong."""
    old, new = before.sheet, draft.sheet
    for field, what, one, other in (
        (d.BILLING, "bills are made by", words.cycle_words(old.billing), words.cycle_words(new.billing)),
        (d.BILLING, "bills are rounded", words.rounding_words(old.billing), words.rounding_words(new.billing)),
        (d.BILLING, "bills are settled", old.billing.settlement, new.billing.settlement),
    ):
        if one != other:
            message = f"{what} {other}, and {one} in the version before ({before.place(field)}); is that meant?"
            yield Problem(draft.place(field), kinds.CHANGED_RULE, message)
    for change in diff_sheets(old, new, added=False).items:
        if change.code in unsound:
            continue
        if change.old and not change.new:
            if not any(change.code in entry.items for entry in new.unpriced):
                message = (
                    f"{change.code} has a price in the version before ({change.old.place}) and none in this one; if that is"
                    " meant, list it under `unpriced`"
                )
                yield Problem(draft.place(d.ITEMS), kinds.ENDED_PRICE, message)
        elif change.old and change.new:
            yield from _changed_rules(change.old, change.new)
            yield from _changed_models(change)
            yield from _ended(old, new, change.old, change.new)


def _changed_rules(old: Item, new: Item) -> Iterator[Problem]:
    for what, one, other in (
        ("unit", old.unit.name, new.unit.name),
        ("metering", words.metering_words(old.metering, old.unit), words.metering_words(new.metering, new.unit)),
        ("spec", words.spec_words(old), words.spec_words(new)),
    ):
        if one != other and (what != "metering" or old.unit == new.unit):
            message = f'the {what} of {new.code} is "{other}", and "{one}" in the version before ({old.place}); is that meant?'
            yield Problem(new.place, kinds.CHANGED_RULE, message)


def _changed_models(change: ItemChange) -> Iterator[Problem]:
    """One warning for all prices of an item that apply otherwise, because they change together."""
    if change.kinds and change.new:
        first = change.kinds[0].words
        more = f", and so for {len(change.kinds) - 1} more" if len(change.kinds) > 1 else ""
        message = f'the {first.what} is "{first.new}", and "{first.old}" in the version before{more}; is that meant?'
        yield Problem(change.new.place, kinds.CHANGED_RULE, message)


def _ended(old: PriceSheet, new: PriceSheet, before: Item, after: Item) -> Iterator[Problem]:
    """Regions and specs that had a price: each named once, a region that ends for all specs as a region."""
    ended: dict[str, list[str]] = {}
    for spec, by_region in before.prices.items():
        regions = dict.fromkeys(region for key in by_region for region in old.region_groups.get(key, (key,)))
        for region in regions:
            explained = new.unpriced_as(before.code, spec, region)
            if region != EVERY_REGION and new.price(after, spec, region) is None and explained is None:
                ended.setdefault(region, []).append(spec)
            elif region == EVERY_REGION and EVERY_REGION not in after.prices.get(spec, {}) and explained is None:
                ended.setdefault("every other region", []).append(spec)
    alike: dict[tuple[str, ...], list[str]] = {}
    for region, specs in ended.items():
        alike.setdefault(tuple(specs), []).append(region)
    for gone, where in alike.items():
        shown = "everything" if len(gone) == len(before.prices) else one_of([quoted(spec) for spec in gone], 6)
        regions_ = one_of(words.by_group(where, {**new.region_groups, **old.region_groups}))
        message = (
            f"{after.code} has a price for {shown} in {regions_} in the version before ({before.place}) and none in this one;"
            " if that is meant, list it under `unpriced`"
        )
        yield Problem(after.place, kinds.ENDED_PRICE, message.replace(" or ", " and "))


def jumps(table: ItemTable, old: PriceSheet, groups: Groups) -> list[Odd]:
    """The rates of an item that are many times those of the version before, or free."""
    before = old.items.get(table.code.value)
    odd = []
    for rate, compared in _compared(table, old, before, groups) if before else ():
        one = compared[0]
        since = f"in the version before ({one.price.place})"
        if one.figure and not rate.price.value:
            odd.append(Odd(rate, f"is free, and cost {plain(one.figure)} {since}", kinds.PRICE_JUMP))
        elif one.figure and not 1 <= one.ratio * MAX_JUMP <= MAX_JUMP**2:
            odd.append(Odd(rate, f"{_costs(rate, one)} {since}", kinds.PRICE_JUMP))
    return odd


# ---- A sheet for reference -------------------------------------------------------------------------------------------


def far_from_reference(table: ItemTable, sheet: PriceSheet, references: Sequence[PriceSheet]) -> list[Odd]:
    """The rates of an item that are far from those of a reference sheet: from the list price where both have one currency, and
    from the share that most of the item's prices have of theirs."""
    for reference in references:
        item = reference.items.get(table.code.value)
        if item is None or table.unit is None or table.unit.dimension != item.unit.dimension:
            continue
        found = list(_compared(table, reference, item, sheet.region_groups, anywhere=True))
        usual = _middle([one.ratio for _, compared in found for one in compared[:1] if one.ratio])
        same_currency = reference.currency == sheet.currency
        return [
            Odd(
                rate,
                f"{_costs(rate, compared[0])} in {reference.id} ({compared[0].price.place})",
                kinds.FAR_FROM_REFERENCE,
            )
            for rate, compared in found
            if rate.price.value and _is_far([one.ratio for one in compared if one.ratio], usual, same_currency)
        ]
    return []


def _is_far(ratios: Sequence[Fraction], usual: Fraction | None, same_currency: bool) -> bool:
    """Whether a price is far from each of those that it may be compared with."""
    if not ratios:
        return False
    low, high = min(ratios), max(ratios)
    if same_currency and (low > MAX_OF_LIST or high < MIN_OF_LIST):
        return True
    return usual is not None and (low > usual * MAX_FROM_USUAL or high * MAX_FROM_USUAL < usual)


def _middle(ratios: Sequence[Fraction]) -> Fraction | None:
    return sorted(ratios)[(len(ratios) - 1) // 2] if len(ratios) > 2 else None


def other_units(sheet: CheckedSheet) -> Iterator[Problem]:
    """Items in a unit that does not convert to that of a sheet for reference, so that no price can be compared."""
    for table in sheet.tables:
        units = [item.unit for item in sheet.in_references(table.code.value)]
        if table.unit and units and all(unit.dimension != table.unit.dimension for unit in units):
            message = f"{table.code.value} is billed by {table.unit.name}, and by {units[0].name} on the price list; is that so?"
            yield Problem(table.code.place, kinds.FAR_FROM_REFERENCE, message)


# ---- Figure by figure ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Compared:
    """A figure of another sheet, the price that it belongs to, and what it is compared with per equal quantity."""

    figure: Decimal
    price: Price
    ratio: Fraction


def _costs(rate: Rate, one: _Compared) -> str:
    """`costs 0.651, 10 times the 0.0651`."""
    return f"costs {plain(rate.price.value)}, {significant(one.ratio)} times the {plain(one.figure)}"


def _compared(
    table: ItemTable, other: PriceSheet, item: Item, groups: Groups, *, anywhere: bool = False
) -> Iterator[tuple[Rate, list[_Compared]]]:
    """Every rate of an item with the figures that another sheet has for the same spec, quantity and region, of which `groups`
    has the groups; with `anywhere`, those of every region where it has none for the region."""
    for rate in table.rates:
        spec = item.spec_of(rate.spec)
        regions = groups.get(rate.region, (rate.region,))
        prices = [found.price for region in regions if (found := other.price(item, spec, region))]
        if not prices and anywhere:
            prices = list(item.prices.get(spec, {}).values())
        compared = [one for price in dict.fromkeys(prices) if (one := _figure(rate, table.unit, price, table.derived))]
        if compared:
            yield rate, compared


def _figure(rate: Rate, unit: Unit | None, price: Price, derived: bool) -> _Compared | None:
    """The figure of a price for the quantities that a rate is for."""
    lot = price.lot()
    if unit is None or not lot or unit.dimension != price.unit.dimension:
        return None
    bound = rate.bound
    high = (
        bound if derived and isinstance(bound, int) else to_micros(bound, unit) if isinstance(bound, Decimal) else None
    )
    figure = next(found for up_to, found in price.figures() if up_to is None or (high is not None and high <= up_to))
    ratio = Fraction(rate.price.value) / unit.micros / (Fraction(figure) / lot) if figure else Fraction(0)
    return _Compared(figure, price, ratio)
