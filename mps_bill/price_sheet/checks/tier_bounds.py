"""Tiers that end elsewhere than those beside them, by a factor that shows a slip: terabytes for gigabytes, a zero more or less.

Other bounds are a matter of agreement, and said nothing of.
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

#: Times that bounds are off by: decimal points, steps of 1024 and of 1000, minutes and hours.
_SLIPS = {Fraction(times) ** sign for times in (10, 60, 100, 1000, 1024, 3600, 10**6, 1024**2) for sign in (1, -1)}
#: Bounds are rounded to so much of them: 1,048,576 is 1,048 thousands.
_ROUNDED = Fraction(1, 200)
#: So many prices of one form show that another one has not just another form.
_MIN_ALIKE = 3

#: Where the tiers of a price end, in micros of its dimension.
Bounds = tuple[int, ...]


def bounds_of(price: Price) -> Bounds:
    return tuple(bound for bound, _ in price.figures() if bound is not None)


def bound_words(price: Price) -> str:
    """`10240, 51200`, in the unit of the price."""
    return ", ".join(plain(in_unit(bound, price.unit)) for bound in bounds_of(price))


def odd_bounds(sheet: CheckedSheet) -> Iterator[Problem]:
    """One finding for each item. What is as it was in the version before is no news, and what is not is a changed rule."""
    items = sheet.draft.sheet.items if sheet.draft else {}
    for table in sheet.tables:
        item = items.get(table.code.value)
        if item is None or table.derived:
            continue
        prices = [(spec, region, price) for spec, row in item.prices.items() for region, price in row.items()]
        tiered = [one for one in prices if bounds_of(one[2])]
        if tiered and not (sheet.before and item.code in sheet.before.sheet.items):
            found = _beside_lists(sheet, item, tiered) or _beside_one_another(tiered)
            if found:
                (spec, region, price), why, kind = found[0]
                more = f", and so {'is' if len(found) == 2 else 'are'} {counted(len(found) - 1, 'price')} more"
                of = f"the tiers of {quoted(spec)} in {region}"
                places = tuple(one.place for (_, _, one), _, _ in found[1:])
                message = f"{of} {why}{more if places else ''}; is that so?"
                yield Problem(price.place, kind, message, f"{item.code} tiers", also=places)


_Tiered = tuple[str, str, Price]
_Found = list[tuple[_Tiered, str, Kind]]


def _beside_lists(sheet: CheckedSheet, item: Item, tiered: Sequence[_Tiered]) -> _Found:
    """The prices whose bounds are off from all that a list has for their spec."""
    found: _Found = []
    for spec, region, price in tiered:
        for reference in sheet.references:
            listed = reference.items.get(item.code)
            theirs = list(listed.prices.get(listed.spec_of(spec), {}).values()) if listed else []
            if theirs and all(_is_slip(price, other) for other in theirs):
                why = f"end at {bound_words(price)}, and at {bound_words(theirs[0])} in {reference.id} ({theirs[0].place})"
                found.append(((spec, region, price), why, kinds.FAR_FROM_REFERENCE))
                break
    return found


def _beside_one_another(tiered: Sequence[_Tiered]) -> _Found:
    """The prices whose bounds are off from those that most of the item have, that lack one of these, or are of another kind."""
    counts = Counter(bounds_of(price) for *_, price in tiered)
    forms = Counter(type(price) for *_, price in tiered)
    (bounds, number), (form, alike) = counts.most_common(1)[0], forms.most_common(1)[0]
    _, where, usual = next(one for one in tiered if bounds_of(one[2]) == bounds)
    found: _Found = []
    for one in tiered:
        price = one[2]
        lacks = number >= _MIN_ALIKE and set(bounds_of(price)) < set(bounds) and len(counts) == 2
        if _is_slip(price, usual) or (lacks and number == len(tiered) - 1):
            why = f"end at {bound_words(price)}, and at {bound_words(usual)} in {where} ({usual.place})"
            found.append((one, why, kinds.PRICE_OUTLIER))
        elif type(price) is not form and alike == len(tiered) - 1 >= _MIN_ALIKE:
            same = next(other for *_, other in tiered if type(other) is form)
            why = f"are {price.kind_words()}, and {same.kind_words()} for all others of the item"
            found.append((one, why, kinds.PRICE_OUTLIER))
    return found


def _is_slip(price: Price, other: Price) -> bool:
    return price.unit.dimension == other.unit.dimension and are_slips(bounds_of(price), bounds_of(other))


def are_slips(own: Bounds, theirs: Bounds) -> bool:
    """Whether some of the bounds are a slip of the others, and all else are the same."""
    if own == theirs or len(own) != len(theirs):
        return False
    off = [Fraction(one, other) for one, other in zip(own, theirs, strict=True) if one != other]
    return all(any(slip * (1 - _ROUNDED) < times < slip * (1 + _ROUNDED) for slip in _SLIPS) for times in off)
