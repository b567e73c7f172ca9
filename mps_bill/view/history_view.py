"""The prices of a sheet's id over its versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mps_bill.core.decimals import plain
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.table import HistoryRow, PastPrice
from mps_bill.view.tables import (
    Block,
    Column,
    Heading,
    Moment,
    Note,
    Records,
    Row,
    Table,
    Value,
    columns_of,
    moment,
    records_of,
)

FORMAT = "mps-bill/prices-history/1"
HISTORY = (
    *columns_of("price_sheet", "item", "spec", "region", "tier"),
    Column("effective_from", "time", "In force from"),
    Column("unit_price", "price"),
    *columns_of("currency", "unit"),
    Column("change", "percent"),
)


@dataclass(frozen=True, slots=True)
class PriceHistoryView:
    """The versions of an id, earliest first, and a row for each figure."""

    versions: Sequence[PriceSheet]
    rows: Sequence[HistoryRow]

    def printed(self) -> Iterator[Block]:
        """A column for each version, and by how much its price changed last."""
        last = self.versions[-1]
        head = mark("{id}, in {currency}: {versions}.")
        count = tr_many("{n} version", "{n} versions", len(self.versions))
        yield Note(tr(head, id=last.id, currency=last.currency, versions=count))
        days = [sheet.billing.calendar.day(sheet.effective_from) for sheet in self.versions]
        columns = (Column("Spec"), Column("Region"), Column("tier"), *(Column(day, "price") for day in days))
        cells: list[Row | Heading] = []
        for _, members in groupby(self.rows, key=lambda row: row.item.code):
            of_item = list(members)
            item = of_item[0].item
            heading = mark("{name} ({code}), per {unit}")
            cells.append(Heading(tr(heading, name=item.label, code=item.code, unit=tr(item.unit.name))))
            for row in of_item:
                shown = (_shown(one, row) for one in row.past)
                change = next((one.ratio for one in reversed(row.past) if one.ratio not in (None, 1)), None)
                cells.append((row.spec, tr(row.regions), row.tier, *shown, change))
        yield Table("", (*columns, Column("change", "percent")), cells).without_empty("tier")

    def records(self) -> Records:
        """A row for each figure, region and version that has one; `change` is from the version before that has one."""
        rows = (
            (sheet.ref, row.item.code, row.spec, region, row.tier or None, _from(sheet), one.price, sheet.currency,
             one.unit.name, one.ratio)
            for row in self.rows
            for region in row.region_ids
            for sheet, one in zip(self.versions, row.past, strict=True)
            if one.price is not None and one.unit
        )  # fmt: skip
        return records_of(HISTORY, rows)

    def document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "id": self.versions[-1].id,
            "currency": self.versions[-1].currency,
            "versions": [
                {
                    "price_sheet": sheet.ref,
                    "effective_from": _from(sheet),
                    "effective_to": moment(sheet.effective_to, sheet.billing.calendar.offset),
                }
                for sheet in self.versions
            ],
            "prices": [
                {
                    "item": row.item.code,
                    "spec": row.spec,
                    "regions": list(row.region_ids),
                    "tier": row.tier or None,
                    "history": [
                        {
                            "price_sheet": sheet.ref,
                            "unit_price": None if one.price is None else plain(one.price),
                            "unit": one.unit.name if one.unit else None,
                            "change_percent": one.ratio,
                        }
                        for sheet, one in zip(self.versions, row.past, strict=True)
                    ],
                }
                for row in self.rows
            ],
        }


def _from(sheet: PriceSheet) -> Moment:
    return Moment(sheet.effective_from, sheet.billing.calendar.offset)


def _shown(one: PastPrice, row: HistoryRow) -> Value:
    """A price, with its unit where that is not the one of the heading."""
    if one.price is None:
        return "-"
    if one.unit and one.unit != row.item.unit:
        return tr("{price} per {unit}", price=plain(one.price), unit=tr(one.unit.name))
    return one.price
