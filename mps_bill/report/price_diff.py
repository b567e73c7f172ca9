"""What changed between two price sheets, as a document and as JSON."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from mps_bill.ask.comparison import Comparison
from mps_bill.core.decimals import EXACT, amount_text, divide, plain, scaled, stripped
from mps_bill.pipeline import control_totals
from mps_bill.price_sheet.sheet_diff import ItemChange, RateChange, SheetDiff, WordChange
from mps_bill.report.document import Document, Heading, Note, Row, Table, number, text

FORMAT = "mps-bill/prices-diff/1"


def diff_document(diff: SheetDiff, usage: Comparison | None) -> Document:
    """The words that changed, the figures by item, and the effect on usage."""
    blocks: list[Table | Note] = [Note(f"From {diff.old.ref} to {diff.new.ref}, in {diff.new.currency}.")]
    if not diff:
        blocks.append(Note("Nothing changed."))
    elif not diff.items:
        blocks.append(Note("No price changed."))
    rows = [_words_row("the sheet", change) for change in diff.words]
    for item in diff.items:
        rows += _item_rows(item)
    if rows:
        blocks.append(Table("What changed", (text("Where"), text("What"), text("Before"), text("After")), tuple(rows)))
    if any(item.rates for item in diff.items):
        blocks.append(_rates_table(diff))
    if usage:
        blocks += _effect(usage, diff)
    return Document(tuple(blocks))


def _words_row(where: str, change: WordChange) -> Row:
    return (where, change.what, change.old or "-", change.new or "-")


def _item_rows(item: ItemChange) -> list[Row]:
    if item.old is None or item.new is None:
        return [(item.code, "item", "-" if item.old is None else "priced", "-" if item.new is None else "priced")]
    return [_words_row(item.code, change) for change in item.words]


def _rates_table(diff: SheetDiff) -> Table:
    tiered = any(rate.tier for rate in diff.rates)
    columns = [text("Spec"), text("Region"), *([text("Tier")] if tiered else [])]
    columns += [number("Before"), number("After"), number("Difference"), number("Percent")]
    rows: list[Row | Heading] = []
    for item in diff.items:
        shown = item.new or item.old
        if item.rates and shown:
            rows.append(Heading(f"{shown.name} ({item.code}), per {shown.unit.name}"))
        for rate in item.rates:
            cells = [rate.spec, rate.regions, *([rate.tier] if tiered else [])]
            rows.append((*cells, *_figures(rate)))
    return Table("Prices", tuple(columns), tuple(rows))


def _figures(rate: RateChange) -> Row:
    """Before, after, difference and percent of a price that may be added or removed."""
    if rate.old is None or rate.new is None:
        return (_price(rate.old), _price(rate.new), "added" if rate.old is None else "removed", "")
    percent = "" if rate.ratio is None else percent_text(rate.ratio)
    return (_price(rate.old), _price(rate.new), _signed(rate.new - rate.old), percent)


def _price(price: Decimal | None) -> str:
    return "-" if price is None else plain(price)


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{stripped(amount)}"


def percent_text(ratio: Fraction) -> str:
    """`+12.5 %` for a ratio of new to old, at most two decimals; `~` where it is rounded (half up)."""
    change = (ratio - 1) * 10_000
    whole = divide(abs(change.numerator), change.denominator, "half-up")
    sign = "+" if change > 0 else "-" if change < 0 else ""
    return f"{'~' if whole != abs(change) else ''}{sign}{stripped(scaled(whole, 2))} %"


def _effect(usage: Comparison, diff: SheetDiff) -> list[Table | Note]:
    """The amounts of the usage under both sheets, by item and in total."""
    columns = (text("Item"), number("Before"), number("After"), number("Difference"), number("Percent"))
    here, there = usage.here.amounts, usage.there.amounts
    rows = tuple((code, *_amounts(*usage.amounts(code))) for code in _items(usage))
    totals = (
        ("List amount", *_amounts(here.list_amount, there.list_amount)),
        ("Rounding adjustment", *_amounts(here.rounding_adjustment, there.rounding_adjustment)[:3], ""),
        ("Payable", *_amounts(here.payable, there.payable)),
    )
    records = _records(usage)
    note = (
        f"{records} usage record{'' if records == 1 else 's'} billed under each sheet as if it had been in force all the time,"
        " whatever its period; no plans, vouchers or discounts."
    )
    return [Table(f"Effect on usage, {diff.new.currency}", columns, rows, totals), Note(note)]


def _items(usage: Comparison) -> list[str]:
    """The items in the order of the new sheet."""
    return list(dict.fromkeys([*usage.there.items, *usage.here.items]))


def _records(usage: Comparison) -> int:
    return control_totals(usage.usage).rows_billed


def _amounts(old: Decimal, new: Decimal) -> Row:
    percent = percent_text(Fraction(new) / Fraction(old)) if old else ""
    return (amount_text(old), amount_text(new), _signed(EXACT.subtract(new, old)), percent)


def diff_json(diff: SheetDiff, usage: Comparison | None) -> dict[str, Any]:
    """The same as JSON; prices and amounts are text, and a percentage has at most two decimals."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "old": diff.old.ref,
        "new": diff.new.ref,
        "currency": diff.new.currency,
        "changes": [_word_json(change) for change in diff.words],
        "items": [
            {
                "item": item.code,
                "status": "added" if item.old is None else "removed" if item.new is None else "changed",
                "changes": [_word_json(change) for change in item.words],
                "prices": [_rate_json(rate) for rate in item.rates],
            }
            for item in diff.items
        ],
    }
    if usage:
        document["usage"] = {
            "records": _records(usage),
            "items": [{"item": code, **_amounts_json(*usage.amounts(code))} for code in _items(usage)],
            "list_amount": _amounts_json(usage.here.amounts.list_amount, usage.there.amounts.list_amount),
            "payable": _amounts_json(usage.here.amounts.payable, usage.there.amounts.payable),
        }
    return document


def _word_json(change: WordChange) -> dict[str, str]:
    return {"what": change.what, "old": change.old, "new": change.new}


def _rate_json(rate: RateChange) -> dict[str, str | None]:
    difference = rate.difference
    return {
        "spec": rate.spec,
        "regions": rate.regions,
        "tier": rate.tier or None,
        "old": None if rate.old is None else plain(rate.old),
        "new": None if rate.new is None else plain(rate.new),
        "difference": None if difference is None else stripped(difference),
        "percent": None if rate.ratio is None else percent_text(rate.ratio),
    }


def _amounts_json(old: Decimal, new: Decimal) -> dict[str, str]:
    return {"old": stripped(old), "new": stripped(new), "difference": stripped(EXACT.subtract(new, old))}
