"""The hint that a difference comes of an excluded product: one that no mapping names has just what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from mps_bill.core.diagnostics import quoted
from mps_bill.core.language import said
from mps_bill.core.times import Calendar
from mps_bill.reconcile.differences import BillComparison, Difference
from mps_bill.reconcile.export import ExportRow
from mps_bill.reconcile.export_mapping import BillMapping
from mps_bill.reconcile.match import NO_MAPPING, ExcludedRows
from mps_bill.reconcile.periods import BillPeriod, grain_of, period_of, row_second

#: What a row has: an item and its spec, or without them its payable.
_Content = tuple[str, str] | Decimal


class ExcludedHints:
    """The rows of products that no mapping names, by what they have."""

    def __init__(self, excluded: Iterable[ExcludedRows], mapping: BillMapping, calendar: Calendar) -> None:
        self.rows: dict[_Content, list[tuple[BillPeriod, ExportRow]]] = {}
        for row in (row for one in excluded if one.reason == NO_MAPPING for row in one.rows):
            item = mapping.item(row)
            if item or (row.payable and not (row.item or row.item_code)):
                content = (item.item, item.spec) if item else row.payable
                span = period_of(row_second(row, calendar), grain_of((row,), calendar), calendar)
                self.rows.setdefault(content, []).append((span, row))

    def added(self, bill: BillComparison) -> BillComparison:
        """The bill, with the hint in the notes of what is missing there."""
        if not self.rows or not any(one.category == "missing-there" for one in bill.differences):
            return bill
        return replace(bill, differences=tuple(self._with_hint(one, bill) for one in bill.differences))

    def _with_hint(self, one: Difference, bill: BillComparison) -> Difference:
        contents: list[_Content] = [] if bill.rows else [bill.ours]
        if one.line:
            contents.append((one.line.item, one.line.spec))
        if one.category != "missing-there" or not (row := self._row(contents, bill.period)):
            return one
        product = quoted(row.product or row.product_code)
        hint = said("excluded: a product that no mapping names, {product} ({place})", product=product, place=row.place)
        return replace(one, note=said("{one}, {other}", one=one.note, other=hint) if one.note else hint)

    def _row(self, contents: Sequence[_Content], period: BillPeriod) -> ExportRow | None:
        spans = (pair for content in contents for pair in self.rows.get(content, ()))
        return next((row for span, row in spans if span.start < period.end and period.start < span.end), None)
