"""Price tables, the price history of a sheet's versions, the coverage of specs and regions, and the list of shipped sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mps_bill.core.decimals import plain
from mps_bill.core.language import mark, tr, tr_many
from mps_bill.core.times import date_text
from mps_bill.price_sheet.sheet_model import EVERY_REGION, PriceSheet, Unpriced
from mps_bill.price_sheet.table import Coverage, Grid, HistoryRow, PastPrice, PriceRow
from mps_bill.price_sheet.words import by_group, cycle_words, length_words, metering_words, rounding_words, time_words
from mps_bill.view.columns import Column, Moment, Record, Row, Value, attributes, columns_of, moment, pick, select
from mps_bill.view.tables import Block, Heading, Note, Records, Table, records_of, table

FORMAT = "mps-bill/prices/1"
_SETTLEMENTS = {"hourly": mark("hourly"), "monthly": mark("monthly")}
COVERAGE_FORMAT = "mps-bill/prices-coverage/1"
LIST_FORMAT = "mps-bill/prices-list/1"
HISTORY_FORMAT = "mps-bill/prices-history/1"

PRICE = (
    *columns_of("price_sheet", "item", "spec", "region", "tiers", "per"),
    Column("up_to", "quantity"),
    Column("unit_price", "price"),
    *columns_of("currency", "unit"),
)
UNPRICED = (*columns_of("items", "specs", "regions", "before"), Column("note", "text", "Why"))
COVERAGE = (
    *columns_of("price_sheet", "item", "region"),
    *columns_of("priced", "missing", kind="count"),
    Column("missing_specs", "text", "Without a price"),
)
GRID = (
    *columns_of("item"),
    *columns_of("codecs", "resolutions", "regions", "cells", "priced", kind="count"),
    Column("holes", "text", "Without a price"),
)
HISTORY = (
    *columns_of("price_sheet", "item", "spec", "region", "tier"),
    Column("effective_from", "time", "In force from"),
    Column("unit_price", "price"),
    *columns_of("currency", "unit"),
    Column("change", "percent"),
)
SHEET = (
    *columns_of("id", "site", "product", "currency"),
    Column("effective_from", "time", "In force from"),
    Column("effective_to", "time", "In force until"),
    Column("items", "count"),
    Column("sources"),
)


@dataclass(frozen=True, slots=True)
class PriceView:
    """Sheets, each with the prices to show and the usage that it declares to be unpriced."""

    sheets: Sequence[tuple[PriceSheet, Sequence[PriceRow], Sequence[Unpriced]]]

    def printed(self) -> Iterator[Block]:
        """Yield for each sheet a description, its prices by item, and its unpriced usage."""
        for sheet, rows, unpriced in self.sheets:
            yield Note(_sheet_note(sheet))
            yield _price_table(sheet, rows)
            if unpriced:
                yield table(tr("Without a price"), UNPRICED, (_unpriced_record(sheet, entry) for entry in unpriced))

    def records(self) -> Records:
        """Return a row for each spec, region and tier."""
        shown = (
            (sheet.ref, row.item.code, row.spec, region, *figures, sheet.currency, row.item.unit.name)
            for sheet, rows, _ in self.sheets
            for row in rows
            for region in row.regions
            for figures in row.price.csv_rows()
        )
        return records_of(PRICE, shown)

    def document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "sheets": [
                {
                    "price_sheet": sheet.ref,
                    **attributes(sheet, "product", "site", "currency"),
                    **_period_json(sheet),
                    "prices": [
                        {
                            "item": row.item.code,
                            "name": row.item.name,
                            "unit": row.item.unit.name,
                            "metering": metering_words(row.item.metering, row.item.unit),
                            "spec": row.spec,
                            "regions": list(row.regions),
                            **row.price.as_json(),
                        }
                        for row in rows
                    ],
                    **_unpriced_json(sheet, unpriced),
                }
                for sheet, rows, unpriced in self.sheets
            ],
        }


def _unpriced_json(sheet: PriceSheet, unpriced: Sequence[Unpriced]) -> dict[str, Any]:
    if not unpriced:
        return {}
    return {
        "unpriced": [
            {
                **attributes(entry, "items", "specs", "regions"),
                "before": moment(entry.before, sheet.billing.calendar.offset),
                "note": entry.note,
            }
            for entry in unpriced
        ]
    }


def _unpriced_record(sheet: PriceSheet, entry: Unpriced) -> Record:
    return {
        "items": ", ".join(entry.items),
        "specs": ", ".join(entry.specs) or None,
        "regions": ", ".join(by_group(entry.regions, sheet.region_groups)) or None,
        "before": None if entry.before is None else time_words(entry.before, sheet),
        "note": entry.note,
    }


def _price_table(sheet: PriceSheet, rows: Sequence[PriceRow]) -> Table:
    cells: list[Row | Heading] = []
    for _, members in groupby(rows, key=lambda row: row.item.code):
        of_item = list(members)
        item = of_item[0].item
        metered = metering_words(item.metering, item.unit)
        heading = mark("{name} ({code}), per {unit}: {metering}")
        cells.append(Heading(tr(heading, name=item.label, code=item.code, unit=tr(item.unit.name), metering=metered)))
        for row in of_item:
            head: Row = (row.spec, _regions_text(row.regions))
            for figure_for, unit_price in row.price.table_rows():
                cells.append((*head, figure_for, unit_price))
                head = (None, None)
    columns = (Column("Spec"), Column("Regions"), Column("tier"), Column(sheet.currency, "price"))
    return Table("", columns, cells).without_empty("tier")


def _sheet_note(sheet: PriceSheet) -> str:
    billing = sheet.billing
    return "\n".join(
        (
            tr(
                "{sheet}: {product}, {site}, {currency}, tax not included",
                sheet=sheet.id,
                product=sheet.product,
                site=sheet.site,
                currency=sheet.currency,
            ),
            tr(
                "In force from {start} on." if sheet.effective_to is None else "In force from {start} until {end}.",
                start=time_words(sheet.effective_from, sheet),
                end=time_words(sheet.effective_to, sheet),
            ),
            tr(
                "A bill every {cycle}, issued {lag} later; its sum rounded {rounding}; settled {settlement}.",
                cycle=cycle_words(billing),
                lag=length_words(billing.issue_after),
                rounding=rounding_words(billing),
                settlement=tr(_SETTLEMENTS[billing.settlement]),
            ),
        )
    )


def _regions_text(regions: Sequence[str], every: str = mark("every region")) -> str:
    return tr(", ").join(tr(every) if region == "*" else region for region in regions)


def _period_json(sheet: PriceSheet) -> Record:
    offset = sheet.billing.calendar.offset
    return {"effective_from": Moment(sheet.effective_from, offset), "effective_to": moment(sheet.effective_to, offset)}


@dataclass(frozen=True, slots=True)
class CoverageView:
    """Sheets, each with the specs that have a price in each region, and the share of codecs x resolutions x regions with one."""

    sheets: Sequence[tuple[PriceSheet, Sequence[Coverage], Sequence[Grid]]]

    def printed(self) -> Iterator[Block]:
        columns = (Column("Item"), Column("Regions"), Column("Priced", "count"), Column("Without a price"))
        for sheet, rows, grids in self.sheets:
            cells: list[Row] = []
            others = any(region != EVERY_REGION for row in rows for region in row.regions)
            every = mark("every other region") if others else mark("every region")
            for _, members in groupby(rows, key=lambda row: row.item.code):
                for number, row in enumerate(members):
                    priced = tr("{n} of {all}", n=len(row.priced), all=len(row.priced) + len(row.missing))
                    missing = ", ".join(row.missing) if row.priced else tr("everything")
                    cells.append(
                        (None if number else row.item.code, _regions_text(row.regions, every), priced, missing)
                    )
            yield Table(f"{sheet.ref}, {sheet.currency}", columns, cells)
            if grids:
                yield table(tr("Codecs x resolutions x regions"), GRID, map(_grid_record, grids))

    def records(self) -> Records:
        """Return a row for each item and region or group, with the number of specs with and without a price."""
        shown = (
            (sheet.ref, row.item.code, region, len(row.priced), len(row.missing), " ".join(row.missing))
            for sheet, rows, _ in self.sheets
            for row in rows
            for region in row.regions
        )
        return records_of(COVERAGE, shown)

    def document(self) -> dict[str, Any]:
        return {
            "format": COVERAGE_FORMAT,
            "sheets": [
                {
                    "price_sheet": sheet.ref,
                    "coverage": [
                        {"item": row.item.code, **attributes(row, "regions", "priced", "missing")} for row in rows
                    ],
                    "grids": [
                        {
                            "item": grid.item.code,
                            **attributes(grid, "codecs", "resolutions", "regions", "cells", "priced"),
                            "holes": [{"spec": spec, "regions": list(regions)} for spec, regions in grid.holes],
                        }
                        for grid in grids
                    ],
                }
                for sheet, rows, grids in self.sheets
            ],
        }


def _grid_record(grid: Grid) -> Record:
    hole = mark("{spec} in {regions}")
    holes = (tr(hole, spec=spec, regions=_regions_text(regions)) for spec, regions in grid.holes)
    return {
        "item": grid.item.code,
        "codecs": max(len(grid.codecs), 1),
        "resolutions": len(grid.resolutions),
        "regions": len(grid.regions),
        "cells": grid.cells,
        "priced": grid.priced,
        "holes": "; ".join(holes) or None,
    }


@dataclass(frozen=True, slots=True)
class SheetListView:
    """Price sheets and the sources of their prices."""

    sheets: Sequence[PriceSheet]

    def printed(self) -> Iterator[Block]:
        columns = pick(SHEET, "id", "site", "product", "currency", "effective_from", "items")
        yield table(
            tr("Price sheets"), columns, ({**_sheet_record(sheet), **_in_force(sheet)} for sheet in self.sheets)
        )
        rows = tuple(
            (None if number else sheet.id, date_text(source.read_on), source.url, source.covers)
            for sheet in self.sheets
            for number, source in enumerate(sheet.sources)
        )
        yield Table(tr("Sources"), columns_of("Sheet", "Read on", "Source", "What was read there"), rows)

    def records(self) -> Records:
        return Records(SHEET, map(_sheet_record, self.sheets))

    def document(self) -> dict[str, Any]:
        return {
            "format": LIST_FORMAT,
            "sheets": [
                {
                    "id": sheet.id,
                    "price_sheet": sheet.ref,
                    **select(_sheet_record(sheet), "site", "product", "currency", "effective_from", "effective_to"),
                    "items": list(sheet.items),
                    "sources": [attributes(source, "url", "read_on", "covers", "product") for source in sheet.sources],
                }
                for sheet in self.sheets
            ],
        }


def _sheet_record(sheet: PriceSheet) -> Record:
    return {
        **attributes(sheet, "id", "site", "product", "currency"),
        **_period_json(sheet),
        "items": len(sheet.items),
        "sources": " ".join(dict.fromkeys(source.url for source in sheet.sources)),
    }


def _in_force(sheet: PriceSheet) -> Record:
    """Return the period as one cell for people."""
    start = date_text(sheet.billing.calendar.day(sheet.effective_from))
    if sheet.effective_to is None:
        return {"effective_from": start}
    return {"effective_from": tr("{start} until {end}", start=start, end=time_words(sheet.effective_to, sheet))}


@dataclass(frozen=True, slots=True)
class PriceHistoryView:
    """The versions of an id, earliest first, and the history of each price."""

    versions: Sequence[PriceSheet]
    rows: Sequence[HistoryRow]

    def printed(self) -> Iterator[Block]:
        """Yield a table with a column for each version, and the last change of each price."""
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
        """Return a row for each price, region and version; `change` is relative to the previous version with that price."""
        rows = (
            (sheet.ref, row.item.code, row.spec, region, row.tier or None, _period_json(sheet)["effective_from"], one.price,
             sheet.currency, one.unit.name, one.ratio)
            for row in self.rows
            for region in row.region_ids
            for sheet, one in zip(self.versions, row.past, strict=True)
            if one.price is not None and one.unit
        )  # fmt: skip
        return records_of(HISTORY, rows)

    def document(self) -> dict[str, Any]:
        return {
            "format": HISTORY_FORMAT,
            "id": self.versions[-1].id,
            "currency": self.versions[-1].currency,
            "versions": [{"price_sheet": sheet.ref, **_period_json(sheet)} for sheet in self.versions],
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


def _shown(one: PastPrice, row: HistoryRow) -> Value:
    """Return a price, with its unit if it differs from the one in the heading."""
    if one.price is None:
        return "-"
    if one.unit and one.unit != row.item.unit:
        return tr("{price} per {unit}", price=plain(one.price), unit=tr(one.unit.name))
    return one.price
