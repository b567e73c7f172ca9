"""Packs from the text of their file, held against the price sheets of the run."""

from __future__ import annotations

from typing import Any

from mps_bill.ask.advise import pack_definition as d
from mps_bill.ask.advise import pack_problems as kinds
from mps_bill.ask.advise.packs import Pack, PackList, PackType
from mps_bill.core.diagnostics import Problem, in_order, near_miss, quoted
from mps_bill.documents.read_document import ReadDocument, read_text
from mps_bill.documents.shapes import Fields, Made
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.regions import known_regions
from mps_bill.price_sheet.sheet_definition import CURRENCY
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.settlement.entries import millionths
from mps_bill.settlement.sources.resource_plans import COVERS, REGIONS, UNIT


def read_packs(text: str, file_name: str, book: PriceBook) -> tuple[PackList | None, tuple[Problem, ...]]:
    """The packs that `text` lists, or None and every problem with it, by place. `file_name` is for places only."""
    return packs_of(read_text(d.DOCUMENT, text, file_name), book)


def packs_of(
    document: ReadDocument[Made[dict[str, Any]]], book: PriceBook
) -> tuple[PackList | None, tuple[Problem, ...]]:
    """As `read_packs`, of a document that was read."""
    fields, problems = document.fields, list(document.problems)
    if fields is None:
        return None, document.problems
    currency, types = fields.get(CURRENCY), fields.get(d.PACKS)
    if currency and currency.value != book.currency:
        message = f"the packs are sold in {currency.value}, and the price sheets are in {book.currency}"
        problems.append(Problem(currency.place, kinds.OTHER_CURRENCY, message))
    unknown = {
        entry.key.value: _check_type(entry.value, book, problems)
        for entry in (types.parts if types else ())
        if entry.value
    }
    if problems or fields.value is None:
        return None, in_order(problems)
    packs = [pack for id_, type_ in fields.value["packs"].items() for pack in _packs(id_, type_, unknown[id_])]
    return PackList(fields.value["id"], book.currency, tuple(packs)), ()


def _packs(id_: str, on_sale: dict[str, Any], unknown: tuple[str, ...]) -> list[Pack]:
    """The packs of a type, the smallest first."""
    values = {key: value for key, value in on_sale.items() if key != d.SIZES.key}
    if values["regions"] is not None:
        values["regions"] = frozenset(values["regions"])
    type_ = PackType(id=id_, unknown=unknown, **values)
    packs = [Pack(type_, millionths(size), price) for size, price in on_sale[d.SIZES.key].items()]
    return sorted(packs, key=lambda pack: pack.units)


def _check_type(fields: Fields, book: PriceBook, problems: list[Problem]) -> tuple[str, ...]:
    """Adds what contradicts the price sheets of the run; gives the items and specs that they do not have.

    Those are not a problem: a list of packs is for every customer of a site, and a price sheet perhaps for one contract. They are
    reported with the advice.
    """
    regions, covers, unit = fields.get(REGIONS), fields.get(COVERS), fields.get(UNIT)
    known = known_regions(book)
    for region in regions.parts if regions else ():
        if region.value not in known:
            message = f"region {quoted(region.value)} is not known{near_miss(region.value, known)}"
            problems.append(Problem(region.place, kinds.UNKNOWN_REGION, message))
    by_code: dict[str, list[Item]] = {}
    for item in book.items:
        by_code.setdefault(item.code, []).append(item)
    unknown: list[str] = []
    for entry in covers.parts if covers else ():
        code = entry.key.value
        items = by_code.get(code, [])
        if not items:
            unknown.append(f"{code}{near_miss(code, by_code)}")
        elif unit and all(item.unit.dimension != unit.value.dimension for item in items):
            message = f"{code} is billed by {items[0].unit.name}, and {unit.value.name} does not convert to it"
            problems.append(Problem(unit.place, kinds.UNIT_MISMATCH, message))
        specs = [spec for item in items for spec in item.prices]
        for part in entry.value.parts if entry.value and items else ():
            if part.key.value not in specs:
                unknown.append(f"{code} {part.key.value}{near_miss(part.key.value, specs)}")
    return tuple(unknown)
