"""The mapping format: what the names on the provider's bills stand for."""

from __future__ import annotations

from mps_bill.core.diagnostics import near_miss, one_of, quoted
from mps_bill.core.units import UNITS
from mps_bill.documents.read_document import Document
from mps_bill.documents.shapes import Choice, Field, ListOf, MapOf, Object, Record, Text, optional
from mps_bill.documents.values import format_field, line, word
from mps_bill.price_sheet.regions import AREAS, REGION_ID, looks_like_region
from mps_bill.price_sheet.sheet_definition import SOURCE
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ItemName
from mps_bill.reconcile.export_columns import SPELLINGS

FORMAT_NAME = "mps-bill/bill-mapping/1"
#: Between the name of a billing item and the special value of its instance ID.
SPECIAL = ";"

_WORDS = r"[a-z0-9]+([_-][a-z0-9]+)*"
_SPEC = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"


def _parse_region(text: str) -> str:
    if not looks_like_region(text):
        raise ValueError(f"{quoted(text)} is not a region id; write one such as cn-shanghai")
    return text


def _parse_column(text: str) -> str:
    if text not in SPELLINGS:
        hint = near_miss(text, SPELLINGS, priced=False) or f"; expected {one_of(tuple(SPELLINGS))}"
        raise ValueError(f"{quoted(text)} is not a column of bills{hint}")
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
    "region names on bills, and the region id that each stands for",
)
UNITS_FIELD = optional(
    "units",
    MapOf("the units", line("a unit's name", kinds.BAD_NAME), Choice("a unit", UNITS, kinds.UNKNOWN_UNIT)),
    "unit names on bills, and the unit that each stands for",
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
    "for each column that is read, the headings that exports give it, which go before those that are known",
)
MAPPING = Record("a bill mapping", (FORMAT, ID, SOURCES, PRODUCTS, REGIONS, UNITS_FIELD, ITEMS, COLUMNS))
DOCUMENT = Document("mps-bill bill mapping, version 1", MAPPING, kinds.UNREADABLE_MAPPING)
