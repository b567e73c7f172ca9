"""Tiers whose bounds differ from others by a factor that suggests a mistake: terabytes for gigabytes, a zero too many or too few.

Other bounds are a matter of contract and get no warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Kind, Problem, counted, quoted
from mps_bill.core.units import in_unit
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.price_cells import CheckedSheet
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet_model import Item

#: Factors of typical mistakes: decimal points, steps of 1024 and of 1000, minutes and hours.
_FACTORS_OF_MISTAKES = {
    Fraction(times) ** sign for times in (10, 60, 100, 1000, 1024, 3600, 10**6, 1024**2) for sign in (1, -1)
}
#: Bounds may be rounded by this share of them: 1,048,576 is 1,048 thousands.
_ROUNDED = Fraction(1, 200)
#: This many prices of the same kind show that a price of another kind is a mistake.
_MIN_ALIKE = 3

#: The upper bounds of a price's tiers, in micros of its dimension.
Bounds = tuple[int, ...]


def bounds_of(price: Price) -> Bounds:
    return tuple(bound for bound, _ in price.figures() if bound is not None)


def bound_words(price: Price) -> str:
    """Return `10240, 51200`, in the unit of the price."""
    return ", ".join(plain(in_unit(bound, price.unit)) for bound in bounds_of(price))


def odd_bounds(sheet: CheckedSheet) -> Iterator[Problem]:
    """Yield at most one finding for each item that is not in the version before, where changed bounds are a changed rule."""
    items = sheet.draft.sheet.items if sheet.draft else {}
    for table in sheet.tables:
        item = items.get(table.code.value)
        if item is None or table.derived:
            continue
        prices = [(spec, region, price) for spec, row in item.prices.items() for region, price in row.items()]
        tiered = [one for one in prices if bounds_of(one[2])]
        if tiered and not (sheet.before and item.code in sheet.before.sheet.items):
            found = _unlike_references(sheet, item, tiered) or _unlike_others_of_item(tiered)
            if found:
                (spec, region, price), why, kind = found[0]
                more = f", and {counted(len(found) - 1, 'more price')} look{'s' if len(found) == 2 else ''} odd as well"
                of = f"the tiers of {quoted(spec)} in {region}"
                places = tuple(one.place for (_, _, one), _, _ in found[1:])
                message = f"{of} {why}{more if places else ''}; is that right?"
                yield Problem(price.place, kind, message, f"{item.code} tiers", also=places)


_Tiered = tuple[str, str, Price]
_Found = list[tuple[_Tiered, str, Kind]]


def _unlike_references(sheet: CheckedSheet, item: Item, tiered: Sequence[_Tiered]) -> _Found:
    """Return the prices whose bounds differ by a typical mistake from all that a reference has for their spec."""
    found: _Found = []
    for spec, region, price in tiered:
        for reference in sheet.references:
            listed = reference.items.get(item.code)
            theirs = list(listed.prices.get(listed.spec_of(spec), {}).values()) if listed else []
            if theirs and all(_looks_mistyped(price, other) for other in theirs):
                why = f"end at {bound_words(price)}, but at {bound_words(theirs[0])} in {reference.id} ({theirs[0].place})"
                found.append(((spec, region, price), why, kinds.FAR_FROM_REFERENCE))
                break
    return found


def _unlike_others_of_item(tiered: Sequence[_Tiered]) -> _Found:
    """Return the prices whose bounds differ by a typical mistake from those of most prices of the item, that lack one of those
    bounds, or that are of another kind."""
    counts = Counter(bounds_of(price) for *_, price in tiered)
    forms = Counter(type(price) for *_, price in tiered)
    (bounds, number), (form, alike) = counts.most_common(1)[0], forms.most_common(1)[0]
    _, where, usual = next(one for one in tiered if bounds_of(one[2]) == bounds)
    found: _Found = []
    for one in tiered:
        price = one[2]
        lacks = number >= _MIN_ALIKE and set(bounds_of(price)) < set(bounds) and len(counts) == 2
        if _looks_mistyped(price, usual) or (lacks and number == len(tiered) - 1):
            why = f"end at {bound_words(price)}, but at {bound_words(usual)} in {where} ({usual.place})"
            found.append((one, why, kinds.PRICE_OUTLIER))
        elif type(price) is not form and alike == len(tiered) - 1 >= _MIN_ALIKE:
            same = next(other for *_, other in tiered if type(other) is form)
            why = f"are {price.kind_words()}, but all others of the item are {same.kind_words()}"
            found.append((one, why, kinds.PRICE_OUTLIER))
    return found


def _looks_mistyped(price: Price, other: Price) -> bool:
    return price.unit.dimension == other.unit.dimension and look_mistyped(bounds_of(price), bounds_of(other))


def look_mistyped(own: Bounds, theirs: Bounds) -> bool:
    """Whether all bounds that differ do so by the factor of a typical mistake."""
    if own == theirs or len(own) != len(theirs):
        return False
    off = [Fraction(one, other) for one, other in zip(own, theirs, strict=True) if one != other]
    return all(
        any(factor * (1 - _ROUNDED) < times < factor * (1 + _ROUNDED) for factor in _FACTORS_OF_MISTAKES)
        for times in off
    )
