"""The same usage billed in two ways: by item, in total, and by payment source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from mps_bill.ask.comparison import Comparison, ItemCost, Side
from mps_bill.core.decimals import ZERO
from mps_bill.core.language import mark, tr
from mps_bill.pipeline import control_totals
from mps_bill.view.columns import Column, Quantity, Row, Value, attributes, change, columns_of, pick
from mps_bill.view.reading_report import begin_json, control_totals_text, selection_text
from mps_bill.view.run_report import control_totals_table
from mps_bill.view.tables import Block, Note, Records, Report, Table, figures_of, table

FORMAT = "mps-bill/comparison/1"
COLUMNS = (
    *columns_of("row", "item", "name"),
    Column("quantity_here", "quantity", "Current quantity"),
    Column("quantity_there", "quantity", "Alternative quantity"),
    Column("unit"),
    Column("here", "amount", "Current", summed=True),
    Column("there", "amount", "Alternative", summed=True),
    Column("difference", "signed amount", summed=True),
    Column("percent", "percent"),
    Column("currency"),
)
_FIGURES = ("here", "there", "difference", "percent")


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """The result of `compare` for the same usage."""

    comparison: Comparison

    @property
    def _sides(self) -> tuple[Side, Side]:
        return self.comparison.here, self.comparison.there

    @property
    def _control_totals(self) -> Any:
        return control_totals(self.comparison.usage.metered)

    @property
    def _is_part(self) -> bool:
        """Whether parts of bills are compared, which have no payable amount and no rounding."""
        return bool(self.comparison.selection.only)

    def printed(self) -> Iterator[Block]:
        here, there = self._sides
        yield Note(tr("Current:     {here}\nAlternative: {there}", here=tr(here.label), there=tr(there.label)))
        if not self.comparison.selection.is_everything:
            yield Note(selection_text(self.comparison.selection, self.comparison.offset))
        rows = tuple((code, *change(*self.comparison.amounts(code))) for code in self.comparison.items)
        adjustments = (here.amounts.rounding_adjustment, there.amounts.rounding_adjustment)
        rounding = () if self._is_part else ((tr("Rounding"), *change(*adjustments)[:3], None),)
        discounts = (here.amounts.discount, there.amounts.discount)
        payable = tr("Net amount") if self._is_part else tr("Payable")
        totals = (
            (tr("List amount"), *change(here.amounts.list_amount, there.amounts.list_amount)),
            *([(tr("Discount"), *change(*(-one for one in discounts))[:3], None)] if any(discounts) else []),
            *rounding,
            (payable, *change(here.amounts.payable, there.amounts.payable)),
        )
        columns = pick(COLUMNS, "item", *_FIGURES)
        title = tr("The same usage, {currency}", currency=self.comparison.currency)
        yield Table(title, columns, rows, totals)
        if there.paid:
            yield self._paid_table()
        for side in (here, there):
            if side.settled_before:
                again = mark(
                    "The {side} has settled {n} of these bills before; this comparison pays all of them again."
                )
                yield Note(tr(again, side=tr(side.label), n=side.settled_before))
        yield Note(control_totals_text(self._control_totals))

    def _paid_table(self) -> Table:
        """Return how both sides pay. A side without an account pays the whole amount itself."""
        from mps_bill.view.settle_records import PAYERS_IN_WORDS

        here, there = self._sides
        rows: list[Row] = [
            (tr(PAYERS_IN_WORDS[source]), *change(here.paid.get(source, ZERO), amount)[:3])
            for source, amount in there.paid.items()
        ]
        if not here.paid:
            rows.append((tr("no account"), *change(here.amounts.payable, ZERO)[:3]))
        total = (tr("Payable"), *change(here.amounts.payable, there.amounts.payable)[:3])
        columns = (Column("Paid by"), *pick(COLUMNS, *_FIGURES[:3]))
        title = tr("How it is paid, {currency}", currency=self.comparison.currency)
        return Table(title, columns, rows, (total,))

    def records(self) -> Records:
        """Return a row for each item, the discounts and the rounding; `here`, `there` and `difference` add up to payable."""
        return Records(COLUMNS, self._records())

    def _records(self) -> Iterator[dict[str, Value]]:
        currency = self.comparison.currency
        for code in self.comparison.items:
            cost = self._cost(code)
            quantities = (self._quantity(side, code) for side in self._sides)
            figures = change(*self.comparison.amounts(code))
            row = ("item", code, cost.item.label, *quantities, tr(cost.item.unit.name), *figures, currency)
            yield dict(zip((column.key for column in COLUMNS), row, strict=True))
        here, there = (side.amounts for side in self._sides)
        if here.discount or there.discount:
            yield {"row": "discount", **_pair(-here.discount, -there.discount), "currency": currency}
        if not self._is_part:
            rounding = _pair(here.rounding_adjustment, there.rounding_adjustment)
            yield {"row": "rounding_adjustment", **rounding, "currency": currency}

    def tables(self) -> Report:
        """Return the report with the records as a table, and the payments."""
        here, there = self._sides
        columns = tuple(column for column in COLUMNS if column.key not in ("percent", "currency"))
        control = control_totals_text(self._control_totals)
        sides = tr("Current: {here}; alternative: {there}", here=tr(here.label), there=tr(there.label))
        payable = tr("Current payable"), tr("Alternative payable")
        if self._is_part:
            payable = tr("Current net amount"), tr("Alternative net amount")
        listed = table(tr("Comparison"), columns, self._records())
        return Report(
            title=tr("The same usage"),
            date=max((cycle.issued_at for cycle in self.comparison.usage.cycles), default=0),
            facts=[
                (tr("Currency"), self.comparison.currency),
                (tr("Current"), tr(here.label)),
                (tr("Alternative"), tr(there.label)),
            ],
            figures=figures_of(listed, (payable[0], "here"), (payable[1], "there"), (tr("Difference"), "difference")),
            tables=[
                listed,
                *([replace(self._paid_table(), title=tr("How it is paid"))] if there.paid else []),
                control_totals_table(self._control_totals),
            ],
            currency=self.comparison.currency,
            about=[sides],
            notes=(control,),
        )

    page = tables

    def document(self) -> dict[str, Any]:
        """Return both sides. A percentage is null if the old amount is zero."""
        here, there = self._sides
        document: dict[str, Any] = {
            **begin_json(FORMAT, self.comparison.currency, self.comparison.selection, self.comparison.offset),
            "here": attributes(here, "label", "bills", "settled_before"),
            "there": attributes(there, "label", "bills", "settled_before"),
            "items": [self._item_json(code) for code in self.comparison.items],
            "total": self._total(),
            "control_totals": asdict(self._control_totals),
        }
        if there.paid:
            document["paid"] = {source: _pair(here.paid.get(source, ZERO), there.paid[source]) for source in there.paid}
        return document

    def _total(self) -> dict[str, Any]:
        amounts = [side.amounts for side in self._sides]
        discounted = any(one.discount for one in amounts)
        # A side without any selected lines counts as parts of bills too, like the other side.
        here, there = (replace(one, is_part=self._is_part).figures(discounted=discounted) for one in amounts)
        return {name: _pair(here[name], there[name]) for name in here}

    def _item_json(self, code: str) -> dict[str, Any]:
        cost = self._cost(code)
        here, there = self._sides
        return {
            "item": code,
            "name": cost.item.name,
            "unit": cost.item.unit.name,
            "quantity": {"here": self._quantity(here, code), "there": self._quantity(there, code)},
            **_pair(*self.comparison.amounts(code)),
        }

    def _cost(self, code: str) -> ItemCost:
        return self.comparison.there.items.get(code) or self.comparison.here.items[code]

    def _quantity(self, side: Side, code: str) -> Value:
        cost = side.items.get(code)
        return Quantity(cost.micros, cost.item.unit) if cost else ZERO


def _pair(here: Decimal, there: Decimal) -> dict[str, Value]:
    return dict(zip(_FIGURES, change(here, there), strict=True))
