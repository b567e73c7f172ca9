"""Changes of a sheet that make bills higher, and prices that it no longer has, for `prices diff --fail-if-up`.

Each function in `_CHECKS` looks for one cause and yields a `Rise` for each change. Prices are compared per equal quantity. A
changed rule (rounding, minimum, cycle) is a rise if it can make a bill higher. The rise is not measured if its size depends
on the usage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import RoundingMode, percent_text, plain
from mps_bill.core.language import tr
from mps_bill.core.units import TICKS
from mps_bill.price_sheet import words
from mps_bill.price_sheet.price_kinds.price_kind import Price
from mps_bill.price_sheet.sheet_diff import ItemChange, SheetDiff
from mps_bill.price_sheet.sheet_model import Item, Metering, PriceSheet
from mps_bill.price_sheet.spec import CODEC, RESOLUTION, bucket, codecs, join_spec


@dataclass(frozen=True, slots=True)
class Rise:
    """A change that makes bills higher. `item` is the code of the item, empty for the whole bill.

    `ratio` is the highest new / old; None if old is zero, or if the rise is not `measured`, because it depends on the usage.
    """

    item: str
    what: str
    old: str
    new: str
    ratio: Fraction | None
    measured: bool = True
    #: Whether `old` and `new` are amounts and not words.
    in_figures: bool = False
    #: The part of the item, if it is not the whole item.
    spec: str = ""
    regions: tuple[str, ...] = ()
    #: The units of `old` and `new` if they differ, and the start of the change in words.
    units: tuple[str, str] = ("", "")
    when: str = ""

    def exceeds(self, percent: Decimal) -> bool:
        """Whether the rise is, or may be, more than `percent`."""
        return self.ratio is None or (self.ratio - 1) * 100 > Fraction(percent)

    @property
    def size(self) -> tuple[bool, Fraction]:
        """The sort key: a rise from zero is larger than any percentage."""
        return self.ratio is None, self.ratio or Fraction(0)

    def __str__(self) -> str:
        """`the price of H264.HD of transcoding in mainland rises from 0.0099 to 0.0105 (~+6.06 %)`."""
        by = "" if self.ratio is None else f" ({percent_text(self.ratio)})"
        verb = "rises" if self.in_figures else "changes"
        old, new = (
            f"{value} per {unit}" if unit else value
            for value, unit in zip((self.old, self.new), self.units, strict=True)
        )
        return f"{self.what} {verb} from {old} to {new}{self.when}{by}"


@dataclass(frozen=True, slots=True)
class Crossed:
    """The reason why a limit was crossed: in words, and the rise, the `others` counted in it, or the `lost` prices."""

    text: str
    rise: Rise | None = None
    others: Sequence[Rise] = ()
    lost: Sequence[Lost] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """A spec (or another spelling) that lost its price in `regions`; with a `size`, only for pictures of that size."""

    item: str
    spec: str
    regions: tuple[str, ...]
    size: str = ""

    @property
    def name(self) -> str:
        return f"{self.spec} ({self.size})" if self.size else self.spec


def lost(diff: SheetDiff) -> Iterator[Lost]:
    """Yield the usage that the old sheet bills and the new one does not, by its spec or by the spec of its codec and size."""
    for code, old, new in ((item.code, item.old, item.new) for item in diff.items):
        if old is None:
            continue
        gone: dict[str, Lost] = {}
        for name in (*old.prices, *old.aliases):
            if regions := _unpriced(diff, code, old.spec_of(name), new.spec_of(name) if new else name):
                gone[name] = Lost(code, name, regions)
        for codec in codecs(old) or ("",):
            for long, short in [(size.long, size.short) for size in old.resolutions] or [(0, 0)]:
                spec, other = (_spec(item, codec, long, short) if item else None for item in (old, new))
                if spec and spec not in gone and (regions := _unpriced(diff, code, spec, other or "")):
                    gone[spec] = Lost(code, spec, regions, f"{long}x{short}" if long else tr("made of codec and size"))
        yield from gone.values()


def _unpriced(diff: SheetDiff, code: str, spec: str, other: str) -> tuple[str, ...]:
    """Return the regions in which the old sheet has a price for `spec` and the new sheet has none for `other`."""
    regions = diff.old.regions(code, spec) | diff.new.regions(code, other)
    priced = (region for region in regions if diff.old.price_in(code, spec, region))
    return tuple(region for region in priced if not diff.new.price_in(code, other, region))


def rises(diff: SheetDiff) -> tuple[Rise, ...]:
    """Return all rises, the largest first; those that are not measured come last."""
    found = [rise for check in _CHECKS for rise in check(diff)]
    return tuple(sorted(found, key=lambda rise: (rise.measured, *rise.size), reverse=True))


# ---- Prices ----------------------------------------------------------------------------------------------------------


def _prices(diff: SheetDiff) -> Iterator[Rise]:
    for item, old, new in _alike(diff):
        units = ("", "") if old.unit == new.unit else (old.unit.name, new.unit.name)
        # Prices that follow another item rise by the same percentage as that item's.
        for rate in () if item.follows else item.rates:
            if rate.rises:
                tier = f" ({rate.tier})" if rate.tier else ""
                what = f"the price of {rate.spec} of {old.code} in {rate.regions}{tier}"
                figures = str(rate.old), str(rate.new)
                yield Rise(old.code, what, *figures, rate.ratio, True, True, rate.spec, rate.region_ids, units)


def _units(diff: SheetDiff) -> Iterator[Rise]:
    """Yield units that do not convert, so that no price of the item can be compared."""
    for item in diff.items:
        if item.old and item.new and item.old.unit.dimension != item.new.unit.dimension:
            yield Rise(item.code, f"the unit of {item.code}", item.old.unit.name, item.new.unit.name, None, False)


def _tier_models(diff: SheetDiff) -> Iterator[Rise]:
    """Yield prices whose kind changed, with the ratio at the quantity where the rise is highest."""
    for item, _, _ in _alike(diff):
        for kind in item.kinds:
            old, new = kind.old, kind.new
            # A price does not show which quantities are counted together, so such a change is not measured.
            measured = old.across_item == new.across_item
            ratio = _highest(old, new) if measured else None
            dearer = ratio is None or ratio > 1 if measured else not _never_above(old, new)
            if dearer:
                what = f"the price of {kind.spec} of {item.code} in {kind.regions}"
                both = old.kind_words(), new.kind_words()
                yield Rise(item.code, what, *both, ratio, measured, spec=kind.spec, regions=kind.region_ids)


def _never_above(old: Price, new: Price) -> bool:
    """Whether no unit price of the new price is above any of the old price, however quantities are counted."""
    highest = max(Fraction(price) / (new.lot() or 1) for _, price in new.figures())
    return highest <= min(Fraction(price) / (old.lot() or 1) for _, price in old.figures())


def _highest(old: Price, new: Price) -> Fraction | None:
    """Return the highest new / old cost over all quantities and all use before them; None if something that was free now has a
    cost. Since cost is linear between bounds, the ratio is highest at the bound of a tier or just above it."""
    bounds = {bound for price in (old, new) for bound, _ in price.figures() if bound is not None}
    points = sorted({0, *bounds, *(bound + 1 for bound in bounds), 2 * max(bounds, default=old.unit.micros) + 2})
    highest = Fraction(0)
    for number, used in enumerate(points):
        for reached in points[number + 1 :]:
            before, after = _cost(old, reached - used, used), _cost(new, reached - used, used)
            if before:
                highest = max(highest, after / before)
            elif after:
                return None
    return highest


def _cost(price: Price, micros: int, used: int) -> Fraction:
    """Return the cost of a quantity, before any rounding."""
    cost = Fraction(0)
    for part, unit_price, _, ticks in price.parts(micros, used):
        lot = None if price.counted(part) else price.lot()
        cost += Fraction(unit_price) * part / lot if lot else Fraction(ticks, TICKS)
    return cost


# ---- Which price applies ---------------------------------------------------------------------------------------------


def _sizes_and_specs(diff: SheetDiff) -> Iterator[Rise]:
    """Yield pictures and spellings that are billed as another spec, such as after a bucket was made smaller; one per item."""
    for _, old, new in _alike(diff):
        found = [rise for rise in _rerouted(diff.old, diff.new, old, new) if rise.ratio is None or rise.ratio > 1]
        if found:
            yield max(found, key=lambda rise: rise.size)


def _rerouted(old: PriceSheet, new: PriceSheet, before: Item, after: Item) -> Iterator[Rise]:
    if (before.template, before.resolutions, before.aliases) == (after.template, after.resolutions, after.aliases):
        return
    named = [(f"the spelling {alias}", before.spec_of(alias), after.spec_of(alias)) for alias in before.aliases]
    for what, one, other in dict.fromkeys([*_pictures(before, after), *named]):
        if one == other:
            continue
        for region in old.regions(before.code, one) | old.regions(before.code, other):
            was, is_ = old.price_in(before.code, one, region), new.price_in(after.code, other, region)
            if was and is_:
                both = (f"{one} ({_shown(was)})", f"{other} ({_shown(is_)})")
                where = f"{what} of {before.code} in {region}"
                yield Rise(before.code, where, *both, _highest(was, is_), spec=one, regions=(region,))


def _pictures(before: Item, after: Item) -> Iterator[tuple[str, str, str]]:
    """Yield the spec before and after of every codec and every size at which a bucket ends, if it had a price."""
    sizes = [*before.resolutions, *after.resolutions]
    corners = {(size.long, size.short) for size in sizes} or {(0, 0)}
    corners |= {(long, short) for long, _ in corners for _, short in corners if short <= long}
    for codec in dict.fromkeys([*codecs(before), *codecs(after)]) or ("",):
        for long, short in sorted(corners, reverse=True):
            one, other = (_spec(item, codec, long, short) for item in (before, after))
            if one and other and one in before.prices:
                size = f"of {long}x{short}" if long else "of any size"
                yield f"the spec of {codec or 'output'} {size}", one, other


def _spec(item: Item, codec: str, long: int, short: int) -> str | None:
    """Return the spec of a picture; None if the item has none for it."""
    if item.template is None or (CODEC in item.template and not codec):
        return None
    found = bucket(item.resolutions, long, short) if RESOLUTION in item.template else None
    if RESOLUTION in item.template and found is None:
        return None
    return join_spec(item.template, codec, found.name if found else "")


def _shown(price: Price) -> str:
    return " to ".join(dict.fromkeys(plain(figure) for _, figure in price.figures()))


# ---- Rules of quantities and of bills --------------------------------------------------------------------------------


def _metering(diff: SheetDiff) -> Iterator[Rise]:
    for item, old, new in _alike(diff):
        if not (_never_bills_more(old.metering, new.metering) or _only_in_larger_units(item, old, new)):
            before, after = (words.metering_words(one.metering, one.unit) for one in (old, new))
            yield Rise(old.code, f"the metering of {old.code}", f'"{before}"', f'"{after}"', None, False)


def _only_in_larger_units(item: ItemChange, old: Item, new: Item) -> bool:
    """Whether a larger unit has no higher numbers in the metering rule and no higher unit prices, such as minute to hour."""
    one, other = (
        replace(metering, step=metering.step * unit, minimum=metering.minimum * unit)
        for metering, unit in ((old.metering, new.unit.micros), (new.metering, old.unit.micros))
    )
    figures = all(
        not rate.tier and (rate.old is None or rate.new is None or rate.new <= rate.old) for rate in item.rates
    )
    return figures and new.unit.micros > old.unit.micros and _never_bills_more(one, other)


def _never_bills_more(old: Metering, new: Metering) -> bool:
    """Whether no usage has a larger billed quantity under the new rule."""
    if old == new:
        return True
    smallest = max(old.minimum, old.step if (old.per, old.rounding) == ("record", "up") else 0)
    if new.minimum > smallest:
        return False
    if not never_more(old.rounding, old.step, new.rounding, new.step):
        return False
    if old.per == "record" and new.per == "cycle":
        return old.rounding == "up"
    if old.per == "cycle" and new.per == "record":
        return new.rounding == "down"
    return True


def never_more(old: RoundingMode, old_step: int, new: RoundingMode, new_step: int) -> bool:
    """Whether rounding to the new step never gives more than rounding to the old one; a step of 0 does not round."""
    up_to_these = old == "up" and old_step > 0 and (not new_step or old_step % new_step == 0)
    if not new_step:
        return not old_step or old == "up"
    if new == "down":
        return not old_step or old == "up" or new_step % old_step == 0
    return up_to_these or (new == "half-up" == old and old_step == new_step)


def _bill_rounding(diff: SheetDiff) -> Iterator[Rise]:
    old, new = diff.old.billing, diff.new.billing
    places = max(old.places, new.places)
    if not never_more(old.mode, 10 ** (places - old.places), new.mode, 10 ** (places - new.places)):
        before, after = words.rounding_words(old), words.rounding_words(new)
        yield Rise("", "the rounding of a bill", f'"{before}"', f'"{after}"', None, False)


def _calendar(diff: SheetDiff) -> Iterator[Rise]:
    """Yield changes of the billing cycle and the settlement: how much is rounded at once, and over what period tiers count."""
    old, new = diff.old.billing, diff.new.billing
    if old.calendar != new.calendar:
        before, after = words.cycle_words(old), words.cycle_words(new)
        yield Rise("", "the billing cycle", before, after, None, False)
    if old.settlement != new.settlement:
        at_once = new.settlement == "monthly"
        if not (old.mode == new.mode == ("up" if at_once else "down")):
            yield Rise("", "the settlement", old.settlement, new.settlement, None, False)


_CHECKS: tuple[Callable[[SheetDiff], Iterator[Rise]], ...] = (
    _prices,
    _units,
    _tier_models,
    _sizes_and_specs,
    _metering,
    _bill_rounding,
    _calendar,
)


def _alike(diff: SheetDiff) -> Iterator[tuple[ItemChange, Item, Item]]:
    """Yield the items that both sheets have in units that convert."""
    for item in diff.items:
        if item.old and item.new and item.old.unit.dimension == item.new.unit.dimension:
            yield item, item.old, item.new
