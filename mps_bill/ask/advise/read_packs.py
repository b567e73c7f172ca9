"""The format of pack files, and reading them: from files, or shipped ones by id, checked against the price sheets of the run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from mps_bill.ask.advise.packs import Pack, PackList, PackType, Validity
from mps_bill.core.diagnostics import Kind, Place, Problem, in_order, near_miss, one_of, printable, quoted, unknown
from mps_bill.core.files import near_file, shipped_folder
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.documents.fields import Field, Fields, Made, optional
from mps_bill.documents.read_document import Document, ReadDocument, read_document
from mps_bill.documents.shapes import ListOf, MapOf, Object
from mps_bill.documents.values import Text, format_field, line, lower_case, number
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_definition import CURRENCY, PRODUCT, SITE, SOURCE
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.settlement.entries import MONEY_PLACES, millionths
from mps_bill.settlement.sources.resource_plans import COVERS, REGIONS, UNIT, rates_by_spec

#: The kinds of problem in pack files. K1xx: the file; K2xx: single values; K3xx: values that contradict each other.
NO_SUCH_PACKS = Kind("K101", "no-such-packs")

UNKNOWN_FORMAT = Kind("K201", "unknown-format")
BAD_VALIDITY = Kind("K202", "bad-validity")
BAD_SIZE = Kind("K203", "bad-pack-size")
BAD_PRICE = Kind("K204", "bad-pack-price")
BAD_ID = Kind("K205", "bad-id")
BAD_LINE = Kind("K206", "bad-text")

OTHER_CURRENCY = Kind("K301", "other-currency")
UNKNOWN_REGION = Kind("K302", "unknown-region")
UNIT_MISMATCH = Kind("K303", "unit-mismatch")
DUPLICATE_SIZE = Kind("K304", "duplicate-pack-size")
DUPLICATE_SPEC = Kind("K305", "duplicate-spec")

FORMAT_NAME = "mps-bill/packs/1"

_VALIDITY = r"([1-9][0-9]{0,3}) (day|month)s?"


def _parse_validity(text: str) -> Validity:
    match = re.fullmatch(_VALIDITY, text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a validity; write one such as 6 months or 365 days")
    return Validity(int(match[1]), "month" if match[2] == "month" else "day")


_size = number("a pack's size", BAD_SIZE, QUANTITY_PLACES, above_zero=True)
_price = number("a pack's price", BAD_PRICE, MONEY_PLACES, above_zero=True)
_id = lower_case("an id", BAD_ID)
_line = line("a line", BAD_LINE, 500)

ID = Field("id", _id, "identifier of the list")
NAME = Field("name", _line, "name of the packs")

VALID_FOR = Field(
    "valid_for",
    Text("a validity", _parse_validity, _VALIDITY, BAD_VALIDITY),
    "how long a pack can be used from the moment it is bought, such as 6 months",
)
SIZES = Field(
    "sizes",
    MapOf("the sizes", _size, _price, repeated=DUPLICATE_SIZE),
    "size of a pack in its unit, and its price",
)
SOURCES = Field("sources", ListOf("the sources", SOURCE), "where sizes, prices and coefficients were read, and when")
NOTES = optional("notes", ListOf("the notes", _line), "conditions of purchase; printed with every advice", default=())
PACK_TYPE: Object[dict[str, Any]] = Object(
    "a type of pack", (NAME, UNIT, VALID_FOR, REGIONS, COVERS, SIZES, SOURCES, NOTES), make=dict
)

FORMAT = format_field(FORMAT_NAME, UNKNOWN_FORMAT)
PACKS = Field(
    "packs", MapOf("the packs", _id, PACK_TYPE), "the types of packs; packs of one type differ in size and price"
)
PACK_LIST: Object[dict[str, Any]] = Object("a pack file", (FORMAT, ID, SITE, PRODUCT, CURRENCY, PACKS), make=dict)
DOCUMENT = Document("mps-bill resource packs, version 1", PACK_LIST, NO_SUCH_PACKS)


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
        return None, (Problem(Place("--packs"), NO_SUCH_PACKS, message),)
    return read_packs(read_document(DOCUMENT, path, shown), book)


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
        problems.append(Problem(currency.place, OTHER_CURRENCY, message))
    types = ((entry.key.value, entry.value) for entry in fields.parts(PACKS))
    checked = {id_: _check_type(type_, book, problems) for id_, type_ in types if type_}
    if problems or fields.value is None:
        return None, in_order(problems)
    packs = [pack for id_, type_ in fields.value["packs"].items() for pack in _packs(id_, type_, checked[id_])]
    return PackList(fields.value["id"], book.currency, tuple(packs)), ()


def _packs(id_: str, on_sale: dict[str, Any], checked: _Covers) -> list[Pack]:
    """Return the packs of a type, the smallest first."""
    values = {key: value for key, value in on_sale.items() if key not in (SIZES.key, COVERS.key)}
    if values["regions"] is not None:
        values["regions"] = frozenset(values["regions"])
    type_ = PackType(id=id_, covers=checked.by_spec, unknown=tuple(checked.unknown), **values)
    packs = [Pack(type_, millionths(size), price) for size, price in on_sale[SIZES.key].items()]
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
            message = unknown("region", region.value, sorted(known))
            problems.append(Problem(region.place, UNKNOWN_REGION, message))
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
            problems.append(Problem(unit.place, UNIT_MISMATCH, message))
        rates = entry.parts
        checked.by_spec[code], contradictions = rates_by_spec(rates, items)
        problems += [Problem(place, DUPLICATE_SPEC, message) for place, message in contradictions]
        specs = [spec for item in items for spec in item.prices]
        for spec in checked.by_spec[code] if items else ():
            if spec not in specs:
                checked.unknown.append(f"{code} {spec}{near_miss(spec, specs)}")
    return checked
