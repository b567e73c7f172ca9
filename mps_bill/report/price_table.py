"""Price tables, coverage and the list of shipped sheets, as documents, JSON and CSV rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from mps_bill.core.times import iso
from mps_bill.price_sheet.sheet_model import Item, PriceSheet
from mps_bill.price_sheet.table import Coverage, PriceRow
from mps_bill.price_sheet.words import cycle_words, length_words, metering_words, rounding_words, time_words
from mps_bill.report.document import Document, Heading, Note, Row, Table, number, text

FORMAT = "mps-bill/prices/1"
COVERAGE_FORMAT = "mps-bill/prices-coverage/1"
LIST_FORMAT = "mps-bill/prices-list/1"


# ---- The price table -------------------------------------------------------------------------------------------------


def prices_document(tables: Sequence[tuple[PriceSheet, Sequence[PriceRow]]]) -> Document:
    """For each sheet a note of what it is, and its prices by item."""
    blocks: list[Table | Note] = []
    for sheet, rows in tables:
        tiered = any(tier for row in rows for tier, _ in row.price.table_rows())
        columns = (text("Spec"), text("Regions"), *([text("Tier")] if tiered else []), number(sheet.currency))
        cells: list[Row | Heading] = []
        for _, members in groupby(rows, key=lambda row: row.item.code):
            of_item = list(members)
            cells.append(Heading(_item_heading(of_item[0].item)))
            cells += [cell for row in of_item for cell in _price_cells(row, tiered)]
        blocks += [Note(_sheet_note(sheet)), Table("", columns, tuple(cells))]
    return Document(tuple(blocks))


def _sheet_note(sheet: PriceSheet) -> str:
    billing = sheet.billing
    return "\n".join(
        (
            f"{sheet.id}: {sheet.product}, {sheet.site}, {sheet.currency}, tax not included",
            f"In force from {time_words(sheet.effective_from, sheet)}{_until(sheet)}.",
            f"A bill every {cycle_words(billing)}, {length_words(billing.issue_after)} later;"
            f" its sum rounded {rounding_words(billing)}; settled {billing.settlement}.",
        )
    )


def _until(sheet: PriceSheet) -> str:
    return " on" if sheet.effective_to is None else f" until {time_words(sheet.effective_to, sheet)}"


def _item_heading(item: Item) -> str:
    return f"{item.name} ({item.code}), per {item.unit.name}: {metering_words(item.metering, item.unit)}"


def _price_cells(row: PriceRow, tiered: bool) -> Iterator[Row]:
    head = (row.spec, _regions_text(row.regions))
    for tier, unit_price in row.price.table_rows():
        yield (*head, *([tier] if tiered else []), unit_price)
        head = ("", "")


def _regions_text(regions: Sequence[str]) -> str:
    return ", ".join("every region" if region == "*" else region for region in regions)


def prices_json(tables: Sequence[tuple[PriceSheet, Sequence[PriceRow]]]) -> dict[str, Any]:
    """The same rows as JSON; prices are text."""
    return {
        "format": FORMAT,
        "sheets": [
            {
                "price_sheet": sheet.ref,
                "product": sheet.product,
                "site": sheet.site,
                "currency": sheet.currency,
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
            }
            for sheet, rows in tables
        ],
    }


def _period_json(sheet: PriceSheet) -> dict[str, str | None]:
    offset = sheet.billing.calendar.offset
    end = None if sheet.effective_to is None else iso(sheet.effective_to, offset)
    return {"effective_from": iso(sheet.effective_from, offset), "effective_to": end}


def prices_csv(tables: Sequence[tuple[PriceSheet, Sequence[PriceRow]]]) -> Iterator[Row]:
    """A row for each spec, region and tier."""
    yield ("price_sheet", "item", "spec", "region", "tiers", "per", "up_to", "unit_price", "currency", "unit")
    for sheet, rows in tables:
        for row in rows:
            for region in row.regions:
                for tiers in row.price.csv_rows():
                    yield (sheet.ref, row.item.code, row.spec, region, *tiers, sheet.currency, row.item.unit.name)


# ---- Coverage --------------------------------------------------------------------------------------------------------


def coverage_document(tables: Sequence[tuple[PriceSheet, Sequence[Coverage]]]) -> Document:
    """For each sheet, which specs of its items have a price where."""
    columns = (text("Item"), text("Regions"), number("Priced"), text("Without a price"))
    blocks: list[Table | Note] = []
    for sheet, rows in tables:
        cells = []
        for _, members in groupby(rows, key=lambda row: row.item.code):
            for number_, row in enumerate(members):
                every = len(row.priced) + len(row.missing)
                missing = "everything" if not row.priced else ", ".join(row.missing)
                name = "" if number_ else row.item.code
                cells.append((name, _regions_text(row.regions), f"{len(row.priced)} of {every}", missing))
        blocks.append(Table(f"{sheet.ref}, {sheet.currency}", columns, tuple(cells)))
    return Document(tuple(blocks))


def coverage_json(tables: Sequence[tuple[PriceSheet, Sequence[Coverage]]]) -> dict[str, Any]:
    return {
        "format": COVERAGE_FORMAT,
        "sheets": [
            {
                "price_sheet": sheet.ref,
                "coverage": [
                    {
                        "item": row.item.code,
                        "regions": list(row.regions),
                        "priced": list(row.priced),
                        "missing": list(row.missing),
                    }
                    for row in rows
                ],
            }
            for sheet, rows in tables
        ],
    }


def coverage_csv(tables: Sequence[tuple[PriceSheet, Sequence[Coverage]]]) -> Iterator[Row]:
    """A row for each item and region or group, with the numbers of its specs that have a price and that have none."""
    yield ("price_sheet", "item", "region", "priced", "missing", "missing_specs")
    for sheet, rows in tables:
        for row in rows:
            for region in row.regions:
                counts = (str(len(row.priced)), str(len(row.missing)))
                yield (sheet.ref, row.item.code, region, *counts, " ".join(row.missing))


# ---- The shipped sheets ----------------------------------------------------------------------------------------------


def list_document(sheets: Sequence[PriceSheet]) -> Document:
    """The sheets, and where their prices were read."""
    heads = (text("Id"), text("Site"), text("Product"), text("Currency"), text("In force from"), number("Items"))
    sources = (text("Sheet"), text("Read on"), text("Source"), text("What was read there"))
    return Document(
        (
            Table("Price sheets", heads, tuple(_list_row(sheet) for sheet in sheets)),
            Table(
                "Sources",
                sources,
                tuple(
                    (sheet.id if first else "", source.read_on, source.url, source.covers)
                    for sheet in sheets
                    for first, source in zip([True, *[False] * len(sheet.sources)], sheet.sources, strict=False)
                ),
            ),
        )
    )


def _list_row(sheet: PriceSheet) -> Row:
    until = "" if sheet.effective_to is None else _until(sheet)
    period = f"{sheet.billing.calendar.day(sheet.effective_from)}{until}"
    return (sheet.id, sheet.site, sheet.product, sheet.currency, period, str(len(sheet.items)))


def list_json(sheets: Sequence[PriceSheet]) -> dict[str, Any]:
    return {
        "format": LIST_FORMAT,
        "sheets": [
            {
                "id": sheet.id,
                "price_sheet": sheet.ref,
                "site": sheet.site,
                "product": sheet.product,
                "currency": sheet.currency,
                **_period_json(sheet),
                "items": list(sheet.items),
                "sources": [
                    {"url": source.url, "read_on": source.read_on, "covers": source.covers, "product": source.product}
                    for source in sheet.sources
                ],
            }
            for sheet in sheets
        ],
    }


def list_csv(sheets: Sequence[PriceSheet]) -> Iterator[Row]:
    yield ("id", "site", "product", "currency", "effective_from", "effective_to", "items", "sources")
    for sheet in sheets:
        period = (value or "" for value in _period_json(sheet).values())
        sources = " ".join(dict.fromkeys(source.url for source in sheet.sources))
        yield (sheet.id, sheet.site, sheet.product, sheet.currency, *period, str(len(sheet.items)), sources)
