"""The differences between two sheets as a customer sees them: prices are compared by region and reported by group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, scaled
from mps_bill.core.language import mark, tr
from mps_bill.core.units import in_unit
from mps_bill.price_sheet import words
from mps_bill.price_sheet.price_kinds.price_kind import Price, quantity_ranges, units_per_unit
from mps_bill.price_sheet.sheet_model import Derived, Item, PriceSheet
from mps_bill.price_sheet.table import past_prices, side_by_side


@dataclass(frozen=True, slots=True)
class WordChange:
    """A change of something other than a price; `old` or `new` is empty if it was added or removed."""

    what: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RateChange:
    """A unit price before and after: `old` or `new` is None if a spec or region was added or removed.

    `regions` is a text such as `mainland, us-west-1`; `tier` is empty for a flat price. `ratio` is new / old per equal
    quantity, None if the two cannot be compared (added, removed, from 0, units that do not convert). `new` is per unit of the
    new sheet; `new` x `factor` is per unit of the old sheet.
    """

    spec: str
    regions: str
    tier: str
    old: Decimal | None
    new: Decimal | None
    ratio: Fraction | None
    region_ids: tuple[str, ...] = ()
    factor: Fraction = Fraction(1)
    #: The bounds of the tier, in units of the old sheet if it has the price; None if the tier has no such bound.
    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def new_in_old_unit(self) -> Decimal | None:
        """The exact new price per unit of the old sheet; None if there is none or if its decimals do not end."""
        if self.new is None or self.factor == 1:
            return self.new
        return ended(Fraction(self.new) * self.factor)

    @property
    def difference(self) -> Decimal | None:
        """The price increase for a unit of the old sheet."""
        new = self.new_in_old_unit
        return None if self.old is None or new is None else EXACT.subtract(new, self.old)

    @property
    def rises(self) -> bool:
        """Whether the price goes up, also from 0 or in another unit."""
        if self.old is None or self.new is None:
            return False
        return self.new > 0 if self.ratio is None else self.ratio > 1

    @property
    def falls(self) -> bool:
        return self.ratio is not None and self.ratio < 1

    @property
    def size(self) -> tuple[bool, Fraction]:
        """The size of the change, up or down; from 0 or in another unit it is larger than any percentage."""
        if self.old is None or self.new is None:
            return False, Fraction(0)
        return (True, Fraction(0)) if not self.ratio else (False, max(self.ratio, 1 / self.ratio))


@dataclass(frozen=True, slots=True)
class KindChange:
    """A price that changed its kind, or how quantities accumulate in its tiers."""

    spec: str
    regions: str
    old: Price
    new: Price
    region_ids: tuple[str, ...]

    @property
    def words(self) -> WordChange:
        what = tr("price of {spec} in {regions}", spec=self.spec, regions=tr(self.regions))
        return WordChange(what, self.old.kind_words(), self.new.kind_words())


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item that was added or removed (`old` or `new` is None), or whose words or prices changed."""

    code: str
    old: Item | None
    new: Item | None
    rates: tuple[RateChange, ...]
    kinds: tuple[KindChange, ...] = ()

    @property
    def words(self) -> tuple[WordChange, ...]:
        own = _changed(_words_of(self.old), _words_of(self.new)) if self.old and self.new else ()
        return (*own, *(kind.words for kind in self.kinds))

    @property
    def rules(self) -> tuple[WordChange, ...]:
        """The changed words that affect how usage is billed."""
        return tuple(word for word in self.words if word.what not in (tr("name"), tr("family")))

    @property
    def factors(self) -> tuple[Derived, Derived] | None:
        """How the prices are derived before and after, if they come from the same item both times."""
        before, after = (item.derived if item else None for item in (self.old, self.new))
        return (before, after) if before and after and before.base == after.base else None

    @property
    def follows(self) -> bool:
        """Whether its prices changed only because those of another item changed."""
        return self.folds and self.factors is not None and self.factors[0].times == self.factors[1].times

    @property
    def folds(self) -> bool:
        """Whether all price changes have one cause: the base item or the factor. Renamed specs are other prices."""
        if self.old is None or self.new is None or self.factors is None:
            return False
        return self.old.template == self.new.template


@dataclass(frozen=True, slots=True)
class SheetDiff:
    """Everything that changed between two sheets; false if nothing did."""

    old: PriceSheet
    new: PriceSheet
    items: tuple[ItemChange, ...]

    @property
    def words(self) -> tuple[WordChange, ...]:
        return tuple(_changed(_head_words(self.old), _head_words(self.new)))

    @property
    def period(self) -> tuple[WordChange, ...]:
        return tuple(_changed(_period_words(self.old), _period_words(self.new)))

    @property
    def rules(self) -> Iterator[tuple[str, WordChange]]:
        """The changed rules of billing, except unit prices, each with the code of its item; empty for the sheet."""
        yield from (("", word) for word in _changed(_billing_words(self.old), _billing_words(self.new)))
        for item in self.items:
            yield from ((item.code, word) for word in item.rules)

    @property
    def rates(self) -> Iterator[RateChange]:
        for item in self.items:
            yield from item.rates

    @property
    def moved(self) -> Iterator[RateChange]:
        """The unit prices that changed, without those that follow other items."""
        for item in self.items:
            if not item.follows:
                yield from item.rates

    def __bool__(self) -> bool:
        return bool(self.words or self.items)


def diff_sheets(old: PriceSheet, new: PriceSheet, *, added: bool = True) -> SheetDiff:
    """Compare two sheets of one currency. Items are in the order of the new sheet, removed items last. Without `added`, items
    that only the new sheet has are left out."""
    changes = []
    for code in [*new.items, *(code for code in old.items if code not in new.items)]:
        if not added and code not in old.items:
            continue
        before, after = old.items.get(code), new.items.get(code)
        kinds, rates = _price_changes(old, new, code)
        change = ItemChange(code, before, after, rates, kinds)
        if before is None or after is None or change.words or change.rates:
            changes.append(change)
    return SheetDiff(old, new, tuple(changes))


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[WordChange]:
    for what in dict.fromkeys([*old, *new]):
        before, after = old.get(what, ""), new.get(what, "")
        if before != after:
            yield WordChange(what, before, after)


def _head_words(sheet: PriceSheet) -> dict[str, str]:
    head = {tr("id"): sheet.id, tr("site"): sheet.site, tr("product"): sheet.product}
    head |= {**_period_words(sheet), **_billing_words(sheet)}
    for name, members in sheet.region_groups.items():
        head[tr("group {name}", name=name)] = ", ".join(members)
    for source in sheet.sources:
        product = f" ({source.product})" if source.product else ""
        read = mark("read on {date} at {url}: {covers}")
        covers = tr(read, date=source.read_on, url=source.url, covers=f"{source.covers}{product}")
        head[tr("source {name}", name=source.id or source.url)] = covers
    for entry in sheet.unpriced:
        what = " ".join(", ".join(part) for part in (entry.items, entry.specs, entry.regions) if part)
        since = "" if entry.before is None else words.time_words(entry.before, sheet)
        note = tr("before {time}: {note}", time=since, note=entry.note) if since else entry.note
        head[tr("without a price: {what}", what=what)] = note
    return head


def _period_words(sheet: PriceSheet) -> dict[str, str]:
    return {
        tr("in force from"): words.time_words(sheet.effective_from, sheet),
        tr("in force until"): words.time_words(sheet.effective_to, sheet),
    }


def _billing_words(sheet: PriceSheet) -> dict[str, str]:
    billing = sheet.billing
    return {
        tr("billing cycle"): words.cycle_words(billing),
        tr("bill issued after"): words.length_words(billing.issue_after),
        tr("settlement"): tr(billing.settlement),
        tr("bill rounded"): words.rounding_words(billing),
    }


def _words_of(item: Item) -> dict[str, str]:
    return {
        tr("name"): item.name,
        tr("family"): item.family,
        tr("unit"): tr(item.unit.name),
        tr("spec"): words.spec_words(item),
        tr("sizes"): words.sizes_words(item),
        tr("metering"): words.metering_words(item.metering, item.unit),
        tr("other spellings"): tr(", ").join(
            tr("{other} is {spec}", other=alias, spec=spec) for alias, spec in item.aliases.items()
        ),
    }


def _price_changes(
    old: PriceSheet, new: PriceSheet, code: str
) -> tuple[tuple[KindChange, ...], tuple[RateChange, ...]]:
    """Return the changes in kind and the changes in unit price of an item, each with the regions that have the same change."""
    groups = {**old.region_groups, **new.region_groups}
    kinds: list[KindChange] = []
    rates: list[RateChange] = []
    for spec, (one, other), regions in side_by_side((old, new), code):
        if one == other:
            continue
        names = words.regions_words(regions, groups)
        if one and other and one.kind_words() != other.kind_words():
            kinds.append(KindChange(spec, names, one, other, regions))
        rates += _rate_changes(spec, names, regions, one, other)
    return tuple(kinds), tuple(rates)


def _rate_changes(
    spec: str, names: str, regions: tuple[str, ...], old: Price | None, new: Price | None
) -> Iterator[RateChange]:
    """Yield a change for each range of quantity, between bounds of either price, in which the unit prices differ."""
    factor = units_per_unit(old, new) if old and new else None
    unit = next(price.unit for price in (old, new) if price)
    start: Decimal | None = Decimal(0)
    for tier, high in quantity_ranges((old, new)):
        end = None if high is None else in_unit(high, unit)
        before, after = past_prices((old, new), high)
        if before.price != after.price or after.ratio not in (None, 1):
            figures = before.price, after.price, after.ratio
            yield RateChange(spec, names, tier, *figures, regions, factor or Fraction(1), start, end)
        start = end


def ended(value: Fraction) -> Decimal | None:
    """Return a fraction as a decimal, if it ends within the decimal places that a price may have; otherwise None."""
    scaled_ = value * 10**AMOUNT_PLACES
    return scaled(scaled_.numerator, AMOUNT_PLACES) if scaled_.denominator == 1 else None
