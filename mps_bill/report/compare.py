"""A comparison of the same usage twice, as a document, as JSON and as CSV."""

from __future__ import annotations

import csv
import dataclasses
from decimal import Decimal
from fractions import Fraction
from typing import IO, Any

from mps_bill.ask.comparison import Comparison, ItemCost, Side, percent
from mps_bill.core.decimals import EXACT, ZERO, amount_text, plain, stripped
from mps_bill.core.units import in_unit
from mps_bill.pipeline import control_totals
from mps_bill.report.bill_csv import spreadsheet_text
from mps_bill.report.control_totals import control_totals_text
from mps_bill.report.document import Document, Note, Row, Table, number, text
from mps_bill.report.price_diff import percent_text

FORMAT = "mps-bill/comparison/1"


def comparison_document(comparison: Comparison) -> Document:
    """Both sides by item, their sums, and, where an account pays, how."""
    here, there = comparison.here, comparison.there
    columns = (text("Item"), number("Here"), number("There"), number("Difference"), number("Percent"))
    rows = tuple((code, *_figures(*comparison.amounts(code))) for code in comparison.items)
    totals = (
        ("List amount", *_figures(here.amounts.list_amount, there.amounts.list_amount)),
        ("Rounding", *_figures(here.amounts.rounding_adjustment, there.amounts.rounding_adjustment)[:3], ""),
        ("Payable", *_figures(here.amounts.payable, there.amounts.payable)),
    )
    blocks: list[Table | Note] = [
        Note(f"Here:  {here.label}\nThere: {there.label}"),
        Table(f"The same usage, {comparison.currency}", columns, rows, totals),
    ]
    if there.paid:
        blocks.append(_paid_table(comparison))
    blocks += [
        Note(f"The {side.label} has settled {side.settled_before} of these bills before; it pays all of them here.")
        for side in (here, there)
        if side.settled_before
    ]
    blocks.append(Note(control_totals_text(control_totals(comparison.usage))))
    return Document(tuple(blocks))


def _paid_table(comparison: Comparison) -> Table:
    """How both sides pay. A side without an account would pay all of it."""
    columns = (text("Paid by"), number("Here"), number("There"), number("Difference"))
    rows: list[Row] = []
    for source in comparison.there.paid:
        here, there = comparison.here.paid.get(source, ZERO), comparison.there.paid[source]
        rows.append((source.replace("_", " "), *_figures(here, there)[:3]))
    if not comparison.here.paid:
        rows.append(("no account", *_figures(comparison.here.amounts.payable, ZERO)[:3]))
    total = ("Payable", *_figures(comparison.here.amounts.payable, comparison.there.amounts.payable)[:3])
    return Table(f"How it is paid, {comparison.currency}", columns, tuple(rows), (total,))


def _figures(here: Decimal, there: Decimal) -> tuple[str, str, str, str]:
    change = percent_text(Fraction(there) / Fraction(here)) if here else ""
    return amount_text(here), amount_text(there), _signed(EXACT.subtract(there, here)), change


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{amount_text(amount)}"


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Both sides; amounts are strings, a percentage has at most two decimals and is null where nothing was before."""
    here, there = comparison.here, comparison.there
    document: dict[str, Any] = {
        "format": FORMAT,
        "currency": comparison.currency,
        "here": {"label": here.label, "bills": here.bills, "settled_before": here.settled_before},
        "there": {"label": there.label, "bills": there.bills, "settled_before": there.settled_before},
        "items": [_item_json(comparison, code) for code in comparison.items],
        "total": {
            "list_amount": _pair(here.amounts.list_amount, there.amounts.list_amount),
            "rounding_adjustment": _pair(here.amounts.rounding_adjustment, there.amounts.rounding_adjustment),
            "payable": _pair(here.amounts.payable, there.amounts.payable),
        },
        "control_totals": dataclasses.asdict(control_totals(comparison.usage)),
    }
    if there.paid:
        document["paid"] = {source: _pair(here.paid.get(source, ZERO), there.paid[source]) for source in there.paid}
    return document


def _item_json(comparison: Comparison, code: str) -> dict[str, Any]:
    cost = _either(comparison, code)
    return {
        "item": code,
        "name": cost.name,
        "unit": cost.unit.name,
        "quantity": {side: _quantity(one, code) for side, one in _sides(comparison)},
        **_pair(*comparison.amounts(code)),
    }


def _pair(here: Decimal, there: Decimal) -> dict[str, str | None]:
    change = percent(here, there)
    return {
        "here": stripped(here),
        "there": stripped(there),
        "difference": stripped(EXACT.subtract(there, here)),
        "percent": None if change is None else stripped(change),
    }


def _sides(comparison: Comparison) -> tuple[tuple[str, Side], tuple[str, Side]]:
    return (("here", comparison.here), ("there", comparison.there))


def _either(comparison: Comparison, code: str) -> ItemCost:
    return comparison.there.items.get(code) or comparison.here.items[code]


def _quantity(side: Side, code: str) -> str:
    cost = side.items.get(code)
    return plain(in_unit(cost.micros, cost.unit)) if cost else "0"


def write_comparison_csv(stream: IO[str], comparison: Comparison) -> None:
    """A row per item, then one for the rounding, so that `here`, `there` and `difference` sum to the payables."""
    writer = csv.writer(stream)
    writer.writerow(
        (
            "row",
            "item",
            "name",
            "quantity_here",
            "quantity_there",
            "unit",
            "here",
            "there",
            "difference",
            "percent",
            "currency",
        )
    )
    for code in comparison.items:
        cost = _either(comparison, code)
        quantities = (_quantity(side, code) for _, side in _sides(comparison))
        named = (spreadsheet_text(code), spreadsheet_text(cost.name), *quantities, cost.unit.name)
        writer.writerow(("item", *named, *_cells(*comparison.amounts(code)), comparison.currency))
    here, there = comparison.here.amounts, comparison.there.amounts
    cells = _cells(here.rounding_adjustment, there.rounding_adjustment)
    writer.writerow(("rounding_adjustment", "", "", "", "", "", *cells, comparison.currency))


def _cells(here: Decimal, there: Decimal) -> list[str]:
    return [value or "" for value in _pair(here, there).values()]
