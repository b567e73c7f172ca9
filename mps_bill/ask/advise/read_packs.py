"""Packs from files, or shipped packs by id, checked against the price sheets of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from mps_bill.ask.advise import pack_definition as d
from mps_bill.ask.advise.packs import Pack, PackList, PackType
from mps_bill.core.diagnostics import Place, Problem, in_order, near_miss, one_of, printable, quoted
from mps_bill.core.files import near_file, shipped_folder
from mps_bill.documents.read_document import ReadDocument, read_document
from mps_bill.documents.shapes import Fields, Made
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_definition import CURRENCY
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.settlement.entries import millionths
from mps_bill.settlement.sources.resource_plans import COVERS, REGIONS, UNIT, rates_by_spec

#: A folder below the shipped price sheets, so that these files are not read as sheets.
_FOLDER = "packs"


def shipped_packs() -> dict[str, Path]:
    """Return the file of every shipped list of packs, sorted by id."""
    folder = shipped_folder("pricing")
    return dict(sorted((path.stem, path) for path in (folder / _FOLDER).glob("*.yaml"))) if folder else {}


def load_packs(name: str, book: PriceBook) -> tuple[PackList | None, tuple[Problem, ...]]:
    """Return the packs in the file `name` or in the shipped list with that id; or None and every problem."""
    shipped = shipped_packs()
    path, shown = Path(name), printable(name)
    if name in shipped and not path.is_file():
        path, shown = shipped[name], f"pricing/{_FOLDER}/{name}.yaml"
    if not path.exists():
        hint = near_miss(name, shipped, priced=False) or near_file(path) or f"; shipped: {one_of(tuple(shipped))}"
        message = f"{quoted(name)} is not a file or a shipped list of packs{hint}"
        return None, (Problem(Place("--packs"), d.NO_SUCH_PACKS, message),)
    return read_packs(read_document(d.DOCUMENT, path, shown), book)


def read_packs(
    document: ReadDocument[Made[dict[str, Any]]], book: PriceBook
) -> tuple[PackList | None, tuple[Problem, ...]]:
    """Return the packs of a document; or None and every problem, by place."""
    fields, problems = document.fields, list(document.problems)
    if fields is None:
        return None, document.problems
    currency = fields.get(CURRENCY)
    if currency and currency.value != book.currency:
        message = f"the packs are sold in {currency.value}, and the price sheets are in {book.currency}"
        problems.append(Problem(currency.place, d.OTHER_CURRENCY, message))
    types = ((entry.key.value, entry.value) for entry in fields.parts(d.PACKS))
    checked = {id_: _check_type(type_, book, problems) for id_, type_ in types if type_}
    if problems or fields.value is None:
        return None, in_order(problems)
    packs = [pack for id_, type_ in fields.value["packs"].items() for pack in _packs(id_, type_, checked[id_])]
    return PackList(fields.value["id"], book.currency, tuple(packs)), ()


def _packs(id_: str, on_sale: dict[str, Any], checked: _Covers) -> list[Pack]:
    """Return the packs of a type, the smallest first."""
    values = {key: value for key, value in on_sale.items() if key not in (d.SIZES.key, COVERS.key)}
    if values["regions"] is not None:
        values["regions"] = frozenset(values["regions"])
    type_ = PackType(id=id_, covers=checked.by_spec, unknown=tuple(checked.unknown), **values)
    packs = [Pack(type_, millionths(size), price) for size, price in on_sale[d.SIZES.key].items()]
    return sorted(packs, key=lambda pack: pack.units)


@dataclass(frozen=True, slots=True)
class _Covers:
    """The coverage of a type of pack by the specs of the price sheets, and the items and specs that the sheets do not have."""

    by_spec: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def _check_type(fields: Fields, book: PriceBook, problems: list[Problem]) -> _Covers:
    """Return the coverage of a type of pack, and add what contradicts the price sheets to `problems`.

    Items and specs that no sheet has are not problems: a list of packs is for all customers of a site, and a sheet may be for
    one contract. They are reported with the advice.
    """
    unit = fields.get(UNIT)
    known = book.known_regions
    for region in fields.parts(REGIONS):
        if region.value not in known:
            message = f"region {quoted(region.value)} is not known{near_miss(region.value, known)}"
            problems.append(Problem(region.place, d.UNKNOWN_REGION, message))
    by_code: dict[str, list[Item]] = {}
    for item in book.items:
        by_code.setdefault(item.code, []).append(item)
    checked = _Covers()
    for entry in fields.parts(COVERS):
        code = entry.key.value
        items = by_code.get(code, [])
        if not items:
            checked.unknown.append(f"{code}{near_miss(code, by_code)}")
        elif unit and all(item.unit.dimension != unit.value.dimension for item in items):
            message = f"{code} is billed by {items[0].unit.name}, and {unit.value.name} does not convert to it"
            problems.append(Problem(unit.place, d.UNIT_MISMATCH, message))
        rates = entry.parts
        checked.by_spec[code], contradictions = rates_by_spec(rates, items)
        problems += [Problem(place, d.DUPLICATE_SPEC, message) for place, message in contradictions]
        specs = [spec for item in items for spec in item.prices]
        for spec in checked.by_spec[code] if items else ():
            if spec not in specs:
                checked.unknown.append(f"{code} {spec}{near_miss(spec, specs)}")
    return checked
