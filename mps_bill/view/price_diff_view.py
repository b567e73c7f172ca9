"""What changed between two price sheets, and what it would have cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from mps_bill.ask.comparison import Comparison, Unbilled
from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, ZERO, divide, percent_text, plain, scaled, stripped
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.pipeline import control_totals
from mps_bill.price_sheet.sheet_diff import ItemChange, RateChange, SheetDiff, WordChange
from mps_bill.view.tables import (
    Block,
    Column,
    Heading,
    Note,
    Record,
    Row,
    Table,
    Value,
    change,
    columns_of,
    pick,
    table,
)

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
    """`usage` is some usage under both sheets; None where none was given, or where one of them does not bill it: `unbilled`
    is then what the new one has no price for."""

    diff: SheetDiff
    usage: Comparison | None
    unbilled: Sequence[Unbilled] = ()

    def printed(self) -> Iterator[Block]:
        """The words that changed, the figures by item, and the effect on usage."""
        diff = self.diff
        head = mark("From {old} to {new}, in {currency}.")
        yield Note(tr(head, old=diff.old.ref, new=diff.new.ref, currency=diff.new.currency))
        if not diff:
            yield Note(tr("Nothing changed."))
        elif not diff.items:
            yield Note(tr("No price changed."))
        words = [_words_row(tr("the sheet"), word) for word in diff.words]
        words += [row for item in diff.items for row in _item_rows(item)]
        if words:
            yield Table(tr("What changed"), (Column("Where"), Column("What"), Column("Before"), Column("After")), words)
        if any(item.rates for item in diff.items):
            yield self._rates_table()
        if self.usage:
            yield from self._effect(self.usage)
        if self.unbilled:
            yield self._unbilled_table()

    def _unbilled_table(self) -> Table:
        currency, rows = self.diff.old.currency, sum(one.rows for one in self.unbilled)
        total = sum((one.amount for one in self.unbilled), ZERO)
        columns = pick(UNBILLED, "item", "spec", "region", "rows", "amount", "reason", unit=currency)
        totals = [(tr("Total"), None, None, rows, total, None)]
        title = tr("Usage that has no price under the new sheet")
        return table(title, columns, map(_unbilled_record, self.unbilled), totals)

    def _rates_table(self) -> Table:
        tier = (Column("Tier"),) if any(rate.tier for rate in self.diff.rates) else ()
        prices = (Column("before", "price"), Column("after", "price"))
        columns = (Column("Spec"), Column("Region"), *tier, *prices, _SIGNED, _PERCENT)
        rows: list[Row | Heading] = []
        for item in self.diff.items:
            shown = item.old or item.new
            if item.rates and shown:
                heading = mark("{name} ({code}), per {unit}")
                rows.append(Heading(tr(heading, name=shown.label, code=item.code, unit=tr(shown.unit.name))))
            rows += [
                (rate.spec, tr(rate.regions), *((rate.tier,) if tier else ()), *_figures(rate)) for rate in item.rates
            ]
        return Table(tr("Prices"), columns, rows)

    def _effect(self, usage: Comparison) -> Iterator[Block]:
        """The amounts of the usage under both sheets, by item and in total."""
        old, new = usage.here.amounts, usage.there.amounts
        totals = (
            (tr("List amount"), *change(old.list_amount, new.list_amount)),
            (tr("Rounding adjustment"), *change(old.rounding_adjustment, new.rounding_adjustment)[:3], None),
            (tr("Payable"), *change(old.payable, new.payable)),
        )
        columns = (Column("Item"), Column("Before", "amount"), Column("After", "amount"), _SIGNED, _PERCENT)
        rows = tuple((code, *change(*usage.amounts(code))) for code in _items(usage))
        yield Table(tr("Effect on usage, {currency}", currency=self.diff.new.currency), columns, rows, totals)
        how = tr_many(
            "{n} usage record billed under each sheet as if it had been in force all the time, whatever its period; no plans,"
            " vouchers or discounts.",
            "{n} usage records billed under each sheet as if it had been in force all the time, whatever its period; no plans,"
            " vouchers or discounts.",
            _records(usage),
        )
        yield Note(how)

    def document(self) -> dict[str, Any]:
        """Prices and amounts are text, and a percentage has at most two decimals."""
        diff, usage = self.diff, self.usage
        document: dict[str, Any] = {
            "format": FORMAT,
            "old": diff.old.ref,
            "new": diff.new.ref,
            "currency": diff.new.currency,
            "changes": [_word_json(word) for word in diff.words],
            "items": [
                {
                    "item": item.code,
                    "status": "added" if item.old is None else "removed" if item.new is None else "changed",
                    "changes": [_word_json(word) for word in item.words],
                    "prices": [_rate_json(rate) for rate in item.rates],
                }
                for item in diff.items
            ],
        }
        if usage:
            old, new = usage.here.amounts, usage.there.amounts
            document["usage"] = {
                "records": _records(usage),
                "items": [{"item": code, **_amounts_json(*usage.amounts(code))} for code in _items(usage)],
                "list_amount": _amounts_json(old.list_amount, new.list_amount),
                "payable": _amounts_json(old.payable, new.payable),
            }
        if self.unbilled:
            document["unbilled"] = [_unbilled_record(one) for one in self.unbilled]
        return document


def _unbilled_record(one: Unbilled) -> Record:
    return {
        "item": one.item,
        "spec": one.spec,
        "region": one.region,
        "rows": one.rows,
        "amount": one.amount,
        "reason": one.reason,
    }


def _items(usage: Comparison) -> list[str]:
    """The items in the order of the new sheet."""
    return list(dict.fromkeys([*usage.there.items, *usage.here.items]))


def _records(usage: Comparison) -> int:
    return control_totals(usage.usage.metered).rows_billed


def _words_row(where: str, word: WordChange) -> Row:
    return (where, word.what, word.old or "-", word.new or "-")


def _item_rows(item: ItemChange) -> list[Row]:
    if item.old is None or item.new is None:
        before, after = (tr("priced") if side else "-" for side in (item.old, item.new))
        return [(item.code, tr("item"), before, after)]
    return [_words_row(item.code, word) for word in item.words]


def _figures(rate: RateChange) -> Row:
    """Before, after, difference and percent of a price that may be added or removed."""
    if rate.old is None or rate.new is None:
        return (_or_dash(rate.old), _or_dash(rate.new), tr("added") if rate.old is None else tr("removed"), None)
    return (rate.old, _in_old_unit(rate), rate.difference, rate.ratio)


def _in_old_unit(rate: RateChange) -> Value:
    """The new price per unit of the old sheet; one that does not end has a `~`."""
    exact = rate.new_in_old_unit
    if exact is not None or rate.new is None:
        return exact
    rounded = Fraction(rate.new) * rate.factor * 10**AMOUNT_PLACES
    return f"~{stripped(scaled(divide(rounded.numerator, rounded.denominator, 'half-up'), AMOUNT_PLACES))}"


def _or_dash(price: Decimal | None) -> Value:
    return "-" if price is None else price


def _word_json(word: WordChange) -> dict[str, str]:
    return {"what": word.what, "old": word.old, "new": word.new}


def _rate_json(rate: RateChange) -> dict[str, Value]:
    return {
        "spec": rate.spec,
        "regions": rate.regions,
        "tier": rate.tier or None,
        "old": None if rate.old is None else plain(rate.old),
        "new": None if rate.new is None else plain(rate.new),
        "difference": rate.difference,
        "percent": None if rate.ratio is None else percent_text(rate.ratio),
    }


def _amounts_json(old: Decimal, new: Decimal) -> dict[str, Decimal]:
    return {"old": old, "new": new, "difference": EXACT.subtract(new, old)}
