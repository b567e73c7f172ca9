"""What changed between price sheets, and what it would have cost, for a reviewer: a sentence, then the largest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from mps_bill.ask.comparison import Comparison, Unbilled
from mps_bill.core.decimals import (
    AMOUNT_PLACES,
    EXACT,
    ZERO,
    amount_text,
    divide,
    percent,
    percent_text,
    plain,
    scaled,
    stripped,
)
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import date_text
from mps_bill.core.units import in_unit
from mps_bill.pipeline import control_totals
from mps_bill.price_sheet.rises import Crossed, Lost, Rise, rises
from mps_bill.price_sheet.sheet_diff import ItemChange, RateChange, SheetDiff, WordChange
from mps_bill.price_sheet.sheet_model import Item, PriceSheet
from mps_bill.price_sheet.sheet_sets import Ended, SetDiff
from mps_bill.price_sheet.words import time_words
from mps_bill.view.columns import Column, Moment, Record, Row, Value, attributes, change, columns_of, moment, pick
from mps_bill.view.tables import Block, Details, Heading, Mark, Note, Section, Table, table

#: The format of the document, and by which a comment of a pull request is found again and updated.
FORMAT = "mps-bill/prices-diff/1"
T = TypeVar("T")
#: What the document has of a source.
_SOURCE = ("url", "read_on", "covers")
#: Of the items, specs and regions without a price, so many are named in the sentence.
_NAMED = 3
_SIGNED = Column("difference", "signed")
_PERCENT = Column("percent", "percent")
UNBILLED = (
    *columns_of("item", "spec", "region"),
    Column("rows", "count"),
    Column("amount", "amount", "Amount under the old sheet"),
    Column("reason"),
)


@dataclass(frozen=True, slots=True)
class PriceDiffView:
    """`usage` is some usage under both sides; None where none was given, or where one of them does not bill it: `unbilled`
    is then what the new one has no price for. `crossed` says in words what rises by more than `limit` percent."""

    diff: SetDiff
    usage: Comparison | None
    unbilled: Sequence[Unbilled] = ()
    limit: Decimal | None = None
    crossed: Sequence[Crossed] = ()

    def printed(self) -> Iterator[Block]:
        """What was compared and what came of it in a sentence; the effect on usage; the figures; what else changed."""
        diff = self.diff
        yield Mark(FORMAT)
        yield Note(self._compared())
        yield Note(self.sentence)
        yield from (Note(_ended_words(ended)) for ended in diff.ended)
        if self.crossed:
            yield Note("\n".join(tr("A limit was crossed: {what}", what=one.text) for one in self.crossed))
        if self.usage:
            yield from self._effect(self.usage)
        if self.unbilled:
            columns = pick(UNBILLED, "item", "spec", "region", "rows", "amount", "reason", unit=self._currency)
            amount = sum((one.amount for one in self.unbilled), ZERO)
            total: Record = {"item": tr("Total"), "rows": sum(one.rows for one in self.unbilled), "amount": amount}
            title = tr("Usage that has no price under the new sheet")
            yield table(title, columns, map(asdict, self.unbilled), [total])
        for one in diff.changed:
            if diff.lone is None:
                before = _named(one.old) if one.old.ref != one.new.ref else one.old.place.file
                yield Section(tr("{sheet}, compared with {other}", sheet=one.new.ref, other=before))
            yield from _sheet_blocks(one)
        if diff.added or diff.removed:
            rows = [(sheet.ref, sheet.place.file, tr("added")) for sheet in diff.added]
            rows += [(sheet.ref, sheet.place.file, tr("deleted")) for sheet in diff.removed]
            yield Table(tr("Sheets"), columns_of("sheet", "file", "change"), rows)

    def _compared(self) -> str:
        lone = self.diff.lone
        if lone is None:
            return tr("Price sheets: {new} compared with {old}.", new=self.diff.new_name, old=self.diff.old_name)
        head = mark("From {old} to {new}, in {currency}.")
        return tr(head, old=_named(lone.old), new=_named(lone.new), currency=lone.new.currency)

    @property
    def sentence(self) -> str:
        """`12 prices up, 3 down; most: H264.HD of transcoding in mainland +100 %; on this usage +35.00 CNY, +1.91 %.`"""
        diff = self.diff
        if not diff:
            return tr("Nothing changed.")
        parts = [*_figures_and_rules(diff.changed)]
        for second, shifted in diff.shifted:
            text = mark("from {day} on {new} is in force and not {old}: {what}")
            what = tr("; ").join(_figures_and_rules([shifted]))
            day = date_text(shifted.new.billing.calendar.day(second))
            if what:
                parts.append(tr(text, day=day, new=shifted.new.ref, old=shifted.old.ref, what=what))
        if not parts and not diff.ended:
            parts.append(tr("No price changed"))
            text = mark("{what} is {new} instead of {old}")
            for word in (word for pair in diff.pairs for word in pair.period):
                parts.append(tr(text, what=word.what, new=word.new, old=word.old))
        if diff.added:
            parts.append(tr_many("{n} sheet added", "{n} sheets added", len(diff.added)))
        if diff.removed:
            parts.append(tr_many("{n} sheet deleted", "{n} sheets deleted", len(diff.removed)))
        if diff.ended:
            first = diff.ended[0]
            since = date_text(first.old.billing.calendar.day(first.since))
            text = mark("{what} without a price from {day} on")
            # What several versions lose alike is said once.
            names = dict.fromkeys(one.words(_NAMED) for one in diff.ended)
            parts.append(tr(text, what=tr("; ").join(names), day=since))
        if self.usage:
            parts.append(_on_usage(self.usage))
        if self.unbilled:
            rows = sum(one.rows for one in self.unbilled)
            parts.append(
                tr_many("{n} usage record without a price any more", "{n} usage records without a price any more", rows)
            )
        return tr("{parts}.", parts=tr("; ").join(parts))

    @property
    def _currency(self) -> str:
        pairs = (*self.diff.pairs, *self.diff.following)
        return self.usage.currency if self.usage else pairs[0].new.currency if pairs else ""

    def _effect(self, usage: Comparison) -> Iterator[Block]:
        """The amounts of the usage under both sides, by item, the largest change first, and in total."""
        old, new = usage.here.amounts, usage.there.amounts
        totals = (
            (tr("List amount"), *change(old.list_amount, new.list_amount)),
            (tr("Rounding adjustment"), *change(old.rounding_adjustment, new.rounding_adjustment)[:3], None),
            (tr("Payable"), *change(old.payable, new.payable)),
        )
        columns = (Column("Item"), Column("Before", "amount"), Column("After", "amount"), _SIGNED, _PERCENT)
        changes = {code: change(*usage.amounts(code)) for code in _items(usage)}
        rows = tuple((code, *changes[code]) for code in sorted(changes, key=lambda code: -abs(changes[code][2])))
        yield Table(tr("Effect on usage, {currency}", currency=self._currency), columns, rows, totals)
        how = tr_many(
            "{n} usage record billed under each sheet as if it had been in force all the time, whatever its period; no plans,"
            " vouchers or discounts.",
            "{n} usage records billed under each sheet as if it had been in force all the time, whatever its period; no plans,"
            " vouchers or discounts.",
            _records(usage),
        )
        yield Note(how)

    def document(self) -> dict[str, Any]:
        """Prices and amounts are text without marks; `percent` and `regions` are as people read them, and `change_percent` and
        `region_ids` for programs. Of one sheet its changes stand in the document itself, of several under `sheets`."""
        diff, usage = self.diff, self.usage
        document: dict[str, Any] = {"format": FORMAT, "compared": {"old": diff.old_name, "new": diff.new_name}}
        if diff.lone:
            document |= _sheet_json(diff.lone)
        else:
            document["sheets"] = [_sheet_json(one) for one in (*diff.pairs, *diff.following)]
            document["added"] = [_named_json(sheet) for sheet in diff.added]
            document["removed"] = [_named_json(sheet) for sheet in diff.removed]
        if diff.ended:
            document["ended"] = [_ended_json(one) for one in diff.ended]
        document["summary"] = _summary_json(diff)
        if usage:
            old, new = usage.here.amounts, usage.there.amounts
            document["usage"] = {
                "records": _records(usage),
                "months": _months(usage),
                "items": [{"item": code, **_amounts_json(*usage.amounts(code))} for code in _items(usage)],
                "list_amount": _amounts_json(old.list_amount, new.list_amount),
                "payable": _amounts_json(old.payable, new.payable),
            }
        if self.unbilled:
            document["unbilled"] = list(map(asdict, self.unbilled))
        if self.limit is not None:
            document["limit"] = {
                "percent": self.limit,
                "crossed": [one.text for one in self.crossed],
                "reasons": [_crossed_json(one) for one in self.crossed],
            }
        return document


# ---- The sentence ----------------------------------------------------------------------------------------------------


def _figures_and_rules(diffs: Sequence[SheetDiff]) -> Iterator[str]:
    """How many prices changed, and the one that changed most; and the same of rules."""
    if counts := _counts(diffs):
        yield counts
    yield from _most(diffs)
    rules = [(_effect_of(diff, code), code, word) for diff in diffs for code, word in diff.rules]
    if rules:
        (dearer, ratio), code, word = max(rules, key=lambda rule: rule[0])
        by = tr("{percent} at most", percent=percent_text(ratio)) if ratio else tr("dearer for some usage")
        text = mark('{what} of {where} from "{old}" to "{new}"')
        what = tr(text, what=word.what, where=code or tr("the sheet"), old=word.old or "-", new=word.new or "-")
        most = tr("{what}, {effect}", what=what, effect=by) if dearer else what
        yield tr_many("{n} rule changed: {most}", "{n} rules changed, most: {most}", len(rules), most=most)


def _effect_of(diff: SheetDiff, code: str) -> tuple[bool, Fraction]:
    """Whether rules of the item make it dearer, and how many times at most where that is known, else 0."""
    found = [rise for rise in rises(diff) if rise.item == code and not rise.in_figures]
    return bool(found), max((rise.ratio for rise in found if rise.ratio), default=Fraction(0))


def _counts(diffs: Sequence[SheetDiff]) -> str:
    """`12 prices up, 3 down, 2 added, 4 that follow others`; empty where none changed."""
    rates = [rate for diff in diffs for rate in diff.moved]
    following = sum(len(item.rates) for diff in diffs for item in diff.items if item.follows)
    up, down, added, removed = _numbers(rates).values()
    found = (
        (up, tr_many("{n} price up", "{n} prices up", up), tr("{n} up", n=up)),
        (down, tr_many("{n} price down", "{n} prices down", down), tr("{n} down", n=down)),
        (added, tr_many("{n} price added", "{n} prices added", added), tr("{n} added", n=added)),
        (removed, tr_many("{n} price removed", "{n} prices removed", removed), tr("{n} removed", n=removed)),
        (following, "", tr_many("{n} that follows another item", "{n} that follow another item", following)),
    )
    counts = [(first, then) for number, first, then in found if number]
    return tr(", ").join(then if place else first for place, (first, then) in enumerate(counts))


def _numbers(rates: Sequence[RateChange]) -> dict[str, int]:
    return {
        "up": sum(rate.rises for rate in rates),
        "down": sum(rate.falls for rate in rates),
        "added": sum(rate.old is None for rate in rates),
        "removed": sum(rate.new is None for rate in rates),
    }


def _most(diffs: Sequence[SheetDiff]) -> Iterator[str]:
    """`most: H264.HD of transcoding in mainland +100 %`: the price that changed most, up or down."""
    largest = _largest_change(diffs)
    if largest:
        rate, item = largest
        from_to = mark("from {old} to {new}")
        by = percent_text(rate.ratio) if rate.ratio else tr(from_to, old=_shown(rate.old), new=_shown(rate.new))
        where = tr(rate.regions) + (f", {rate.tier}" if rate.tier else "")
        yield tr("most: {spec} of {item} in {where} {by}", spec=rate.spec, item=item.code, where=where, by=by)


def _largest_change(diffs: Sequence[SheetDiff]) -> tuple[RateChange, ItemChange] | None:
    every = ((rate, item) for one in diffs for item in one.items if not item.follows for rate in item.rates)
    moved = [pair for pair in every if pair[0].rises or pair[0].falls]
    return max(moved, key=lambda pair: (pair[0].size, pair[0].rises), default=None)


def _ended_words(ended: Ended) -> str:
    """From when on what has no price any more, and why."""
    old = ended.old
    start, end = time_words(ended.since, old), time_words(ended.until, old)
    when = tr("from {start} on" if ended.until is None else "from {start} until {end}", start=start, end=end)
    if ended.instead is None:
        text = mark("No sheet of {product} ({site}) is in force {when}: there is no price for {what}.")
        return tr(text, product=old.product, site=old.site, when=when, what=ended.words())
    if ended.instead.ref == old.ref:
        return tr("There is no price {when} for {what} in {new} any more.", when=when, what=ended.words(), new=old.ref)
    text = mark("{new} is in force {when} and not {old}: there is no price for {what}.")
    return tr(text, new=ended.instead.ref, old=old.ref, when=when, what=ended.words())


def _ended_json(ended: Ended) -> dict[str, Any]:
    return {
        "since": Moment(ended.since, ended.old.billing.calendar.offset),
        "until": moment(ended.until, ended.old.billing.calendar.offset),
        "product": ended.old.product,
        "site": ended.old.site,
        "old": ended.old.ref,
        "new": ended.instead.ref if ended.instead else None,
        "items": list(ended.items),
        "regions": list(ended.regions),
        "prices": [_lost_json(one) for one in ended.lost],
    }


def _lost_json(lost: Lost) -> dict[str, Any]:
    return {**attributes(lost, "item", "spec", "regions"), "size": lost.size or None}


def _crossed_json(crossed: Crossed) -> dict[str, Any]:
    """A reason as values; of one that counts several rises each of them is in `rises`."""
    rises = [crossed.rise] if crossed.rise else crossed.others
    return {"text": crossed.text, "rises": list(map(_rise_json, rises)), "lost": list(map(_lost_json, crossed.lost))}


def _rise_json(rise: Rise) -> dict[str, Any]:
    """`percent` is None where the rise is none, and `exact` says whether it was not rounded."""
    return {
        "what": rise.what,
        "item": rise.item or None,
        "spec": rise.spec or None,
        "regions": list(rise.regions),
        **attributes(rise, "old", "new"),
        "old_unit": rise.units[0] or None,
        "new_unit": rise.units[1] or None,
        "percent": rise.ratio,
        "exact": _is_exact(rise.ratio),
    }


def _is_exact(ratio: Fraction | None) -> bool | None:
    """Whether the percentage of a ratio was not rounded."""
    return None if ratio is None else percent(ratio) == (ratio - 1) * 100


def _on_usage(usage: Comparison) -> str:
    _, _, difference, ratio = change(usage.here.amounts.payable, usage.there.amounts.payable)
    months = _months(usage)
    sign = "+" if difference >= 0 else "-"
    amount = f"{sign}{amount_text(abs(difference))} {usage.currency}"
    when = tr("in {month}", month=months[0]) if len(months) == 1 else tr("in {n} months", n=len(months))
    by = f", {percent_text(ratio)}" if ratio is not None else ""
    return tr("on this usage {amount} {when}", amount=amount, when=when) + by


def _months(usage: Comparison) -> list[str]:
    """The calendar months that the usage is of, on the billing clock."""
    return sorted({cycle.sheet.billing.calendar.month(cycle.start) for cycle in usage.usage.cycles})


def _shown(price: Decimal | None) -> str:
    return "-" if price is None else plain(price)


# ---- One sheet -------------------------------------------------------------------------------------------------------


def _sheet_blocks(diff: SheetDiff) -> Iterator[Block]:
    """The prices of a sheet that changed, and what else did; each folded where the format can."""
    if any(item.rates for item in diff.items):
        yield Details(tr("Prices: {counts}", counts=_counts([diff])), (_rates_table(diff),))
    words = [_words_row(tr("the sheet"), word) for word in diff.words]
    words += [row for item in diff.items for row in _item_rows(item)]
    if words:
        columns = (Column("Where"), Column("What"), Column("Before"), Column("After"))
        what = tr("What else changed")
        yield Details(f"{what}: {len(words)}", (Table(what, columns, words),))


def _rates_table(diff: SheetDiff) -> Table:
    """The prices, the largest change first, by item; those that come from another item in one row."""
    prices = (Column("before", "price"), Column("after", "price"))
    columns = (Column("Spec"), Column("Region"), Column("tier"), *prices, _SIGNED, _PERCENT)
    rows: list[Row | Heading] = []
    for item in sorted(diff.items, key=_largest, reverse=True):
        shown = item.old or item.new
        if item.rates and shown:
            heading = mark("{name} ({code}), per {unit}")
            rows.append(Heading(tr(heading, name=shown.label, code=item.code, unit=tr(shown.unit.name))))
            if item.folds:
                rows.append(_folded_row(item))
                continue
            ordered = sorted(item.rates, key=lambda rate: rate.size, reverse=True)
            rows += [(rate.spec, tr(rate.regions), rate.tier, *_figures(rate)) for rate in ordered]
    return Table(tr("Prices"), columns, rows).without_empty("tier")


def _largest(item: ItemChange) -> tuple[bool, bool, Fraction]:
    """Items by their largest change; those that follow another one after all that moved by themselves."""
    largest = max((rate.size for rate in item.rates), default=(False, Fraction(0)))
    return not item.follows, *largest


def _folded_row(item: ItemChange) -> Row:
    """`30 prices`, why they changed, and by how much, where all of them alike."""
    ratios = {rate.ratio for rate in item.rates}
    by = next(iter(ratios)) if len(ratios) == 1 else None
    return (tr_many("{n} price", "{n} prices", len(item.rates)), _because(item), None, None, None, None, by)


def _because(item: ItemChange) -> str:
    """`because times went 2.8 -> 3`."""
    factors = item.factors
    if factors is None or item.follows:
        return tr("because {item} changed", item=factors[0].base) if factors else ""
    before, after = factors
    return tr("because times went {old} -> {new}", old=plain(before.times), new=plain(after.times))


def _named(sheet: PriceSheet) -> str:
    return f"{sheet.ref} ({sheet.place.file})"


def _words_row(where: str, word: WordChange) -> Row:
    return (where, word.what, word.old or "-", word.new or "-")


def _item_rows(item: ItemChange) -> list[Row]:
    if item.old is None or item.new is None:
        before, after = (tr("priced") if side else "-" for side in (item.old, item.new))
        return [(item.code, tr("item"), before, after)]
    return [_words_row(item.code, word) for word in item.words]


def _figures(rate: RateChange) -> Row:
    """Before, after, difference and percent of a price that may be added or removed."""
    if rate.old is None:
        return ("-", rate.new, tr("added"), None)
    if rate.new is None:
        return (rate.old, "-", tr("removed"), None)
    return (rate.old, _in_old_unit(rate), rate.difference, rate.ratio)


def _in_old_unit(rate: RateChange) -> Value:
    """The new price per unit of the old sheet; one that does not end has a `~`."""
    exact = rate.new_in_old_unit
    if exact is not None or rate.new is None:
        return exact
    rounded = Fraction(rate.new) * rate.factor * 10**AMOUNT_PLACES
    return f"~{stripped(scaled(divide(rounded.numerator, rounded.denominator, 'half-up'), AMOUNT_PLACES))}"


# ---- Usage -----------------------------------------------------------------------------------------------------------


def _items(usage: Comparison) -> list[str]:
    """The items in the order of the new sheet."""
    return list(dict.fromkeys([*usage.there.items, *usage.here.items]))


def _records(usage: Comparison) -> int:
    return control_totals(usage.usage.metered).rows_billed


# ---- The document ----------------------------------------------------------------------------------------------------


def _sheet_json(diff: SheetDiff) -> dict[str, Any]:
    sources = ({source.id or source.url: source for source in sheet.sources} for sheet in (diff.old, diff.new))
    return {
        "old": diff.old.ref,
        "new": diff.new.ref,
        "currency": diff.new.currency,
        "files": {"old": diff.old.place.file, "new": diff.new.place.file},
        "changes": [attributes(word, "what", "old", "new") for word in diff.words],
        "groups": [
            {"group": name, "old": None if old is None else list(old), "new": None if new is None else list(new)}
            for name, old, new in _changed(diff.old.region_groups, diff.new.region_groups)
        ],
        "sources": [
            {"source": name, "old": old and attributes(old, *_SOURCE), "new": new and attributes(new, *_SOURCE)}
            for name, old, new in _changed(*sources)
        ],
        "billing": {"old": _billing_json(diff.old), "new": _billing_json(diff.new)},
        "items": [_item_json(item) for item in diff.items],
    }


def _item_json(item: ItemChange) -> dict[str, Any]:
    factors = item.factors
    derived = (
        {"item": factors[0].base, "old_times": factors[0].times, "new_times": factors[1].times} if factors else None
    )
    return {
        "item": item.code,
        "status": "added" if item.old is None else "removed" if item.new is None else "changed",
        "old_unit": item.old.unit.name if item.old else None,
        "new_unit": item.new.unit.name if item.new else None,
        "prices_from": derived,
        "changes": [attributes(word, "what", "old", "new") for word in item.words],
        "prices": [_rate_json(rate) for rate in item.rates],
        "rules": {"old": _rules_json(item.old), "new": _rules_json(item.new)},
        "kinds": [
            {**attributes(kind, "spec", "region_ids"), "old": kind.old.as_json(), "new": kind.new.as_json()}
            for kind in item.kinds
        ],
    }


def _billing_json(sheet: PriceSheet) -> dict[str, Any]:
    """How a sheet bills; lengths in seconds."""
    billing, calendar = sheet.billing, sheet.billing.calendar
    return {
        "effective_from": moment(sheet.effective_from, calendar.offset),
        "effective_to": moment(sheet.effective_to, calendar.offset),
        "cycle_seconds": calendar.cycle_seconds,
        "utc_offset_seconds": calendar.offset,
        "issue_after_seconds": billing.issue_after,
        "settlement": billing.settlement,
        "rounding": {"places": billing.places, "mode": billing.mode},
    }


def _rules_json(item: Item | None) -> dict[str, Any] | None:
    """How an item is billed; quantities in its unit."""
    if item is None:
        return None
    metering = item.metering
    return {
        "unit": item.unit.name,
        "spec": item.template,
        "resolutions": [attributes(one, "name", "long", "short") for one in item.resolutions],
        "metering": {
            "per": metering.per,
            "step": in_unit(metering.step, item.unit),
            "rounding": metering.rounding,
            "minimum": in_unit(metering.minimum, item.unit),
        },
        "spec_aliases": dict(item.aliases),
    }


def _changed(old: Mapping[str, T], new: Mapping[str, T]) -> Iterator[tuple[str, T | None, T | None]]:
    """What was added, removed or is otherwise."""
    every = ((name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new]))
    return (one for one in every if one[1] != one[2])


def _named_json(sheet: PriceSheet) -> dict[str, Any]:
    return {"price_sheet": sheet.ref, "file": sheet.place.file}


def _summary_json(diff: SetDiff) -> dict[str, Any]:
    largest = _largest_change(diff.changed)
    return {
        **_numbers(list(diff.moved)),
        "following": sum(len(item.rates) for one in diff.changed for item in one.items if item.follows),
        "rules": sum(1 for one in diff.changed for _ in one.rules),
        "largest": None if largest is None else {**_rate_json(largest[0]), "item": largest[1].code},
    }


def _rate_json(rate: RateChange) -> dict[str, Any]:
    return {
        **attributes(rate, "spec", "regions", "region_ids"),
        "tier": rate.tier or None,
        "old": None if rate.old is None else plain(rate.old),
        "new": None if rate.new is None else plain(rate.new),
        "difference": rate.difference,
        "percent": None if rate.ratio is None else percent_text(rate.ratio),
        "change_percent": rate.ratio,
        "change_exact": _is_exact(rate.ratio),
        "tier_from": rate.low,
        "tier_to": rate.high,
    }


def _amounts_json(old: Decimal, new: Decimal) -> dict[str, Decimal]:
    return {"old": old, "new": new, "difference": EXACT.subtract(new, old)}
