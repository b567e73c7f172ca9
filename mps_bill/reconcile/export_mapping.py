"""The meanings of names on a bill: the format of mappings, and mappings from YAML, each taking precedence over earlier ones."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from mps_bill.core.diagnostics import Place, Problem, in_order, printable, quoted, unknown
from mps_bill.core.units import UNITS, Unit
from mps_bill.documents.fields import Field, Fields, Located, optional
from mps_bill.documents.read_document import Document, ReadDocument, read_document
from mps_bill.documents.shapes import ListOf, MapOf, Object, Record
from mps_bill.documents.values import Choice, Text, format_field, line, word
from mps_bill.documents.yaml_tree import defined_at
from mps_bill.price_sheet.regions import AREAS, KNOWN, REGION_ID, looks_like_region
from mps_bill.price_sheet.sheet_definition import SOURCE
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ExportRow, ItemName
from mps_bill.reconcile.export_columns import SPELLINGS, heading

T = TypeVar("T")

FORMAT_NAME = "mps-bill/bill-mapping/1"
#: Separates the name of a billing item from the special value of its instance ID.
SPECIAL = ";"

_WORDS = r"[a-z0-9]+([_-][a-z0-9]+)*"
_SPEC = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"


def _parse_region(text: str) -> str:
    if not looks_like_region(text):
        raise ValueError(f"{quoted(text)} is not a region id; write one such as cn-shanghai")
    return text


def _parse_column(text: str) -> str:
    if text not in SPELLINGS:
        raise ValueError(unknown("column of bills", text, SPELLINGS, priced=False))
    return text


_word = word("a name", _WORDS, kinds.BAD_NAME, "lower-case words joined by - or _")
_spec = word("a spec", _SPEC, kinds.BAD_NAME, "parts joined by points, such as H264.HD")

FORMAT = format_field(FORMAT_NAME, kinds.UNKNOWN_FORMAT)
ID = Field("id", _word, "the mapping's name")
SOURCES = optional("sources", ListOf("the sources", SOURCE), "where the names were found")
PRODUCTS = optional(
    "products",
    MapOf("the products", _word, ListOf("a product's names", line("a product's name", kinds.BAD_NAME), unique=True)),
    "for each product of the price sheets, the codes and names that bills call it by",
)
REGIONS = optional(
    "regions",
    MapOf(
        "the regions",
        line("a region's name", kinds.BAD_NAME),
        Text("a region id", _parse_region, rf"{REGION_ID}|{'|'.join(AREAS)}", kinds.BAD_REGION),
    ),
    "region names on bills, and the region id of each",
)
UNITS_FIELD = optional(
    "units",
    MapOf("the units", line("a unit's name", kinds.BAD_NAME), Choice("a unit", UNITS, kinds.UNKNOWN_UNIT)),
    "unit names on bills, and the unit of each",
)
ITEM_NAME = Object(
    "a billing item",
    (Field("item", _word, "the item of the price sheet"), Field("spec", _spec, "the spec of the item")),
    make=ItemName,
)
ITEMS = optional(
    "items",
    MapOf("the billing items", line("a billing item", kinds.BAD_NAME), ITEM_NAME),
    "billing items on bills (code, name or instance spec; `CODE;SPECIAL` with a special value of the instance ID)",
)
COLUMNS = optional(
    "columns",
    MapOf(
        "the columns",
        Text("a column", _parse_column, "|".join(SPELLINGS), kinds.UNKNOWN_COLUMN),
        ListOf("a column's headings", line("a heading", kinds.BAD_NAME), unique=True),
    ),
    "for each column that is read, the headings that exports give it, which take precedence over the known ones",
)
MAPPING = Record("a bill mapping", (FORMAT, ID, SOURCES, PRODUCTS, REGIONS, UNITS_FIELD, ITEMS, COLUMNS))
DOCUMENT = Document("mps-bill bill mapping, version 1", MAPPING, kinds.UNREADABLE_MAPPING)


@dataclass(frozen=True, slots=True)
class BillMapping:
    """The meanings of names on bills, normalised by `folded`; and the columns of headings, normalised by `heading`."""

    products: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    items: Mapping[str, ItemName] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    def over(self, other: BillMapping) -> BillMapping:
        """Both mappings together; where both have a name, this one takes precedence."""
        return BillMapping(*({**getattr(other, one.name), **getattr(self, one.name)} for one in fields(self)))

    def product(self, row: ExportRow) -> str | None:
        return _get(self.products, row.product_code) or _get(self.products, row.product)

    def region(self, row: ExportRow) -> str | None:
        """The region of the row: from its own column, as a name or an id, or else from its instance ID."""
        if row.region:
            return row.region if row.region in KNOWN else _get(self.regions, row.region)
        return next((part for part in instance_parts(row.instance) if part in KNOWN), None)

    def item(self, row: ExportRow) -> ItemName | None:
        """Look up the item by code, then name, then instance spec, with the special value of the instance ID if it has one."""
        special = special_value(row.instance)
        ending = SPECIAL + special if special else ""
        names = [name + ending for name in (row.item_code, row.item, row.instance_spec) if name]
        return next((found for name in names if (found := _get(self.items, name))), None)

    def unit(self, name: str) -> Unit | None:
        return _get(self.units, name)


@lru_cache(maxsize=10_000)
def folded(name: str) -> str:
    """A name in the form used for look-up: case, surrounding spaces and full-width forms (`华东2（上海）`) make no difference."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def instance_parts(instance: str) -> list[str]:
    return [part.strip() for part in instance.split(SPECIAL)]


def special_value(instance: str) -> str:
    """The part that distinguishes rows of one billing item: `5x` of `17**42;cn-beijing;ram-23**88;5x`; empty if there is none.

    Source: the provider's page on querying MPS bills: the instance ID has the service instance, the region, since May 2023
    the account that used it (`admin-...` or `ram-...`), and a special value such as the tier of high-speed transcoding.
    """
    rest = [part for part in instance_parts(instance)[1:] if part and part not in KNOWN]
    return SPECIAL.join(part for part in rest if not part.startswith(("admin-", "ram-")))


def load_mapping(names: Sequence[str]) -> tuple[BillMapping | None, tuple[Problem, ...]]:
    """The shipped mapping and the files of the user, each taking precedence over earlier ones."""
    mapping = BillMapping()
    problems: list[Problem] = []
    shipped = sorted(Path(__file__).with_name("shipped").glob("*.yaml"))
    files = [(path, f"reconcile/{path.name}") for path in shipped] + [(Path(name), printable(name)) for name in names]
    for path, called in files:
        one, found = mapping_of(read_document(DOCUMENT, path, called))
        problems += found
        mapping = one.over(mapping) if one else mapping
    return (None if problems else mapping), in_order(problems)


def mapping_of(document: ReadDocument[Fields]) -> tuple[BillMapping | None, tuple[Problem, ...]]:
    """The mapping in a document, or None and every problem with it."""
    found, problems = document.fields, list(document.problems)
    if found is None or problems:
        return None, document.problems
    products, columns = (
        [(name, entry.key) for entry in found.parts(many) if entry.value for name in entry.value.parts]
        for many in (PRODUCTS, COLUMNS)
    )
    items = [
        (entry.key, Located(meant, entry.key.place))
        for entry in found.parts(ITEMS)
        if entry.value and (meant := entry.value.value)
    ]
    regions = [(entry.key, entry.value) for entry in found.parts(REGIONS) if entry.value]
    units = [(entry.key, entry.value) for entry in found.parts(UNITS_FIELD) if entry.value]
    mapping = BillMapping(
        _meanings(products, problems),
        _meanings(regions, problems),
        _meanings(units, problems),
        _meanings(items, problems),
        _meanings(columns, problems, heading),
    )
    return (None if problems else mapping), in_order(problems)


def _meanings(
    pairs: Iterable[tuple[Located[str], Located[T]]], problems: list[Problem], fold: Callable[[str], str] = folded
) -> dict[str, T]:
    """The meanings by normalised name. Equal normalised names with different meanings are a problem."""
    meanings: dict[str, T] = {}
    places: dict[str, Place] = {}
    for name, meaning in pairs:
        key = fold(name.value)
        first = places.setdefault(key, name.place)
        if meanings.setdefault(key, meaning.value) != meaning.value:
            message = f"duplicate name {quoted(name.value)} with another meaning; {defined_at(first)}"
            problems.append(Problem(name.place, kinds.REPEATED_NAME, message))
    return meanings


def _get(meanings: Mapping[str, T], name: str) -> T | None:
    return meanings.get(folded(name)) if name else None
