"""The changes between price sheets and their cost, for a reviewer: a sentence, then tables with the largest changes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from mps_bill.ask.comparison import Comparison, Unbilled
from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, divide, plain, scaled, stripped
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.price_sheet.rises import Crossed
from mps_bill.price_sheet.sheet_diff import ItemChange, RateChange, SheetDiff, WordChange
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.sheet_sets import SetDiff
from mps_bill.view.columns import Column, Record, Row, Value, change, columns_of, pick
from mps_bill.view.price_diff_json import crossed_json, sets_json, usage_json
from mps_bill.view.price_diff_words import counts_of, diff_sentence, ended_words, records_billed, usage_items
from mps_bill.view.tables import Block, Details, Heading, Mark, Note, Section, Table, table

#: The format of the document. CI also finds its comment on a pull request by this text, to update it.
FORMAT = "mps-bill/prices-diff/1"
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
    """The result of `prices diff`.

    `usage` is some usage under both sides. It is None if none was given or if one side does not bill it; `unbilled` is then the
    usage for which the new side has no price. `crossed` describes what rises by more than `limit` percent.
    """

    diff: SetDiff
    usage: Comparison | None
    unbilled: Sequence[Unbilled] = ()
    limit: Decimal | None = None
    crossed: Sequence[Crossed] = ()

    def printed(self) -> Iterator[Block]:
        """Yield what was compared, the result in a sentence, the effect on usage, the prices and the other changes."""
        diff = self.diff
        yield Mark(FORMAT)
        yield Note(self._compared())
        yield Note(diff_sentence(diff, self.usage, self.unbilled))
        yield from (Note(ended_words(ended)) for ended in diff.ended)
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
    def _currency(self) -> str:
        pairs = (*self.diff.pairs, *self.diff.following)
        return self.usage.currency if self.usage else pairs[0].new.currency if pairs else ""

    def _effect(self, usage: Comparison) -> Iterator[Block]:
        """Yield the amounts of the usage under both sides: by item, the largest change first, and in total."""
        old, new = usage.here.amounts, usage.there.amounts
        totals = (
            (tr("List amount"), *change(old.list_amount, new.list_amount)),
            (tr("Rounding adjustment"), *change(old.rounding_adjustment, new.rounding_adjustment)[:3], None),
            (tr("Payable"), *change(old.payable, new.payable)),
        )
        columns = (Column("Item"), Column("Before", "amount"), Column("After", "amount"), _SIGNED, _PERCENT)
        changes = {code: change(*usage.amounts(code)) for code in usage_items(usage)}
        rows = tuple((code, *changes[code]) for code in sorted(changes, key=lambda code: -abs(changes[code][2])))
        yield Table(tr("Effect on usage, {currency}", currency=self._currency), columns, rows, totals)
        how = tr_many(
            "{n} usage record billed under each sheet as if it had been in force all the time, whatever its period; no plans,"
            " vouchers or discounts.",
            "{n} usage records billed under each sheet as if it had been in force all the time, whatever its period; no plans,"
            " vouchers or discounts.",
            records_billed(usage),
        )
        yield Note(how)

    def document(self) -> dict[str, Any]:
        """Return the changes and the effect on usage, with exact prices and amounts; `percent` and `regions` are for people,
        `change_percent` and `region_ids` for programs."""
        document: dict[str, Any] = {"format": FORMAT, **sets_json(self.diff)}
        if self.usage:
            document["usage"] = usage_json(self.usage)
        if self.unbilled:
            document["unbilled"] = list(map(asdict, self.unbilled))
        if self.limit is not None:
            document["limit"] = {
                "percent": self.limit,
                "crossed": [one.text for one in self.crossed],
                "reasons": [crossed_json(one) for one in self.crossed],
            }
        return document


def _sheet_blocks(diff: SheetDiff) -> Iterator[Block]:
    """Yield the prices of a sheet that changed, and the other changes; each folded if the format can fold."""
    if any(item.rates for item in diff.items):
        yield Details(tr("Prices: {counts}", counts=counts_of([diff])), (_rates_table(diff),))
    words = [_words_row(tr("the sheet"), word) for word in diff.words]
    words += [row for item in diff.items for row in _item_rows(item)]
    if words:
        columns = (Column("Where"), Column("What"), Column("Before"), Column("After"))
        what = tr("What else changed")
        yield Details(f"{what}: {len(words)}", (Table(what, columns, words),))


def _rates_table(diff: SheetDiff) -> Table:
    """Return the changed prices by item, the largest change first; prices taken from another item share one row."""
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
    """Return a key that sorts items by their largest change, items that follow another one last."""
    largest = max((rate.size for rate in item.rates), default=(False, Fraction(0)))
    return not item.follows, *largest


def _folded_row(item: ItemChange) -> Row:
    """Return `30 prices`, why they changed, and the percentage if it is the same for all."""
    ratios = {rate.ratio for rate in item.rates}
    by = next(iter(ratios)) if len(ratios) == 1 else None
    return (tr_many("{n} price", "{n} prices", len(item.rates)), _because(item), None, None, None, None, by)


def _because(item: ItemChange) -> str:
    """Return `because times went 2.8 -> 3`."""
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
    """Return the old and new price, the difference and the percentage; a price may be added or removed."""
    if rate.old is None:
        return ("-", rate.new, tr("added"), None)
    if rate.new is None:
        return (rate.old, "-", tr("removed"), None)
    return (rate.old, _in_old_unit(rate), rate.difference, rate.ratio)


def _in_old_unit(rate: RateChange) -> Value:
    """Return the new price per unit of the old sheet; a price with endless decimals is rounded and marked with `~`."""
    exact = rate.new_in_old_unit
    if exact is not None or rate.new is None:
        return exact
    rounded = Fraction(rate.new) * rate.factor * 10**AMOUNT_PLACES
    return f"~{stripped(scaled(divide(rounded.numerator, rounded.denominator, 'half-up'), AMOUNT_PLACES))}"
