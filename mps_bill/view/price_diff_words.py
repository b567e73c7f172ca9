"""The changes between price sheets as a sentence: how many prices changed, the largest change, and other important changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from mps_bill.ask.comparison import Comparison, Unbilled
from mps_bill.core.decimals import amount_text, percent_text, plain
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import date_text
from mps_bill.pipeline import control_totals
from mps_bill.price_sheet.rises import rises
from mps_bill.price_sheet.sheet_diff import ItemChange, RateChange, SheetDiff
from mps_bill.price_sheet.sheet_sets import Ended, SetDiff
from mps_bill.price_sheet.words import time_words
from mps_bill.view.columns import change

#: How many of the items, specs and regions without a price the sentence names.
_NAMED = 3


def diff_sentence(diff: SetDiff, usage: Comparison | None, unbilled: Sequence[Unbilled]) -> str:
    """Return `12 prices up, 3 down; most: H264.HD of transcoding in mainland +100 %; on this usage +35.00 CNY, +1.91 %.`"""
    if not diff:
        return tr("Nothing changed.")
    parts = [*_figures_and_rules(diff.changed)]
    for second, shifted in diff.shifted:
        text = mark("from {day} on, {new} is in force instead of {old}: {what}")
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
        # Versions that lose the same prices are named once.
        names = dict.fromkeys(one.words(_NAMED) for one in diff.ended)
        parts.append(tr(text, what=tr("; ").join(names), day=since))
    if usage:
        parts.append(_on_usage(usage))
    if unbilled:
        rows = sum(one.rows for one in unbilled)
        parts.append(
            tr_many("{n} usage record no longer has a price", "{n} usage records no longer have a price", rows)
        )
    return tr("{parts}.", parts=tr("; ").join(parts))


def _figures_and_rules(diffs: Sequence[SheetDiff]) -> Iterator[str]:
    """Count the prices that changed and name the largest change; then do the same for rules."""
    if counts := counts_of(diffs):
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
    """Return whether changed rules make the item dearer, and the largest known ratio of new to old cost, or 0."""
    found = [rise for rise in rises(diff) if rise.item == code and not rise.in_figures]
    return bool(found), max((rise.ratio for rise in found if rise.ratio), default=Fraction(0))


def counts_of(diffs: Sequence[SheetDiff]) -> str:
    """Return `12 prices up, 3 down, 2 added, 4 that follow others`; an empty text if none changed."""
    rates = [rate for diff in diffs for rate in diff.moved]
    following = sum(len(item.rates) for diff in diffs for item in diff.items if item.follows)
    up, down, added, removed = numbers_of(rates).values()
    found = (
        (up, tr_many("{n} price up", "{n} prices up", up), tr("{n} up", n=up)),
        (down, tr_many("{n} price down", "{n} prices down", down), tr("{n} down", n=down)),
        (added, tr_many("{n} price added", "{n} prices added", added), tr("{n} added", n=added)),
        (removed, tr_many("{n} price removed", "{n} prices removed", removed), tr("{n} removed", n=removed)),
        (following, "", tr_many("{n} that follows another item", "{n} that follow another item", following)),
    )
    counts = [(first, then) for number, first, then in found if number]
    return tr(", ").join(then if place else first for place, (first, then) in enumerate(counts))


def numbers_of(rates: Sequence[RateChange]) -> dict[str, int]:
    return {
        "up": sum(rate.rises for rate in rates),
        "down": sum(rate.falls for rate in rates),
        "added": sum(rate.old is None for rate in rates),
        "removed": sum(rate.new is None for rate in rates),
    }


def _most(diffs: Sequence[SheetDiff]) -> Iterator[str]:
    """Name the price that changed most, up or down: `most: H264.HD of transcoding in mainland +100 %`."""
    largest = largest_change(diffs)
    if largest:
        rate, item = largest
        old, new = (plain(price) for price in (rate.old, rate.new) if price is not None)
        by = percent_text(rate.ratio) if rate.ratio else tr("from {old} to {new}", old=old, new=new)
        where = tr(rate.regions) + (f", {rate.tier}" if rate.tier else "")
        yield tr("most: {spec} of {item} in {where} {by}", spec=rate.spec, item=item.code, where=where, by=by)


def largest_change(diffs: Sequence[SheetDiff]) -> tuple[RateChange, ItemChange] | None:
    every = ((rate, item) for one in diffs for item in one.items if not item.follows for rate in item.rates)
    moved = [pair for pair in every if pair[0].rises or pair[0].falls]
    return max(moved, key=lambda pair: (pair[0].size, pair[0].rises), default=None)


def ended_words(ended: Ended) -> str:
    """Say what no longer has a price, from when on, and why."""
    old = ended.old
    start, end = time_words(ended.since, old), time_words(ended.until, old)
    when = tr("from {start} on" if ended.until is None else "from {start} until {end}", start=start, end=end)
    if ended.instead is None:
        text = mark("No sheet of {product} ({site}) is in force {when}: there is no price for {what}.")
        return tr(text, product=old.product, site=old.site, when=when, what=ended.words())
    if ended.instead.ref == old.ref:
        return tr("{new} no longer has a price {when} for {what}.", when=when, what=ended.words(), new=old.ref)
    text = mark("{new} is in force {when} instead of {old}: there is no price for {what}.")
    return tr(text, new=ended.instead.ref, old=old.ref, when=when, what=ended.words())


def _on_usage(usage: Comparison) -> str:
    _, _, difference, ratio = change(usage.here.amounts.payable, usage.there.amounts.payable)
    months = months_of(usage)
    sign = "+" if difference >= 0 else "-"
    amount = f"{sign}{amount_text(abs(difference))} {usage.currency}"
    when = tr("in {month}", month=months[0]) if len(months) == 1 else tr("in {n} months", n=len(months))
    by = f", {percent_text(ratio)}" if ratio is not None else ""
    return tr("on this usage {amount} {when}", amount=amount, when=when) + by


def months_of(usage: Comparison) -> list[str]:
    """Return the calendar months of the usage on the billing clock."""
    return sorted({cycle.sheet.billing.calendar.month(cycle.start) for cycle in usage.usage.cycles})


def usage_items(usage: Comparison) -> list[str]:
    """Return the items in the order of the new sheet."""
    return list(dict.fromkeys([*usage.there.items, *usage.here.items]))


def records_billed(usage: Comparison) -> int:
    return control_totals(usage.usage.metered).rows_billed
