"""The mapping format: what the names on the provider's bills stand for."""

from __future__ import annotations

from mps_bill.core.diagnostics import near_miss, one_of, quoted
from mps_bill.core.units import UNITS, Unit
from mps_bill.documents.shapes import Choice, Field, ListOf, MapOf, Record, Text, matching
from mps_bill.price_sheet.regions import REGION_ID, looks_like_region
from mps_bill.price_sheet.sheet_definition import SOURCE
from mps_bill.reconcile import export_problems as kinds

FORMAT_NAME = "mps-bill/bill-mapping/1"
#: Between the name of a billing item and the special value of its instance ID.
SPECIAL = ";"

_LINE = r"\S([^\r\n]{0,198}\S)?"
_WORDS = r"[a-z0-9]+([_-][a-z0-9]+)*"
_SPEC = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"


def _parse_region(text: str) -> str:
    if not looks_like_region(text):
        raise ValueError(f"{quoted(text)} is not a region id; write one such as cn-shanghai")
    return text


def _parse_unit(text: str) -> Unit:
    if text not in UNITS:
        raise ValueError(
            f"{quoted(text)} is not a unit{near_miss(text, UNITS) or '; known: ' + one_of(list(UNITS), 20)}"
        )
    return UNITS[text]


def _line(name: str) -> Text[str]:
    return Text(name, matching(_LINE, name, "one line of text"), _LINE, kinds.BAD_NAME)


_words = matching(_WORDS, "a name", "lower-case words joined by - or _")
_word = Text("a name", _words, _WORDS, kinds.BAD_NAME)
_spec = Text("a spec", matching(_SPEC, "a spec", "parts joined by points, such as H264.HD"), _SPEC, kinds.BAD_NAME)

FORMAT = Field(
    "format", Choice("a format that this program reads", (FORMAT_NAME,), kinds.UNKNOWN_FORMAT), f"always {FORMAT_NAME}"
)
ID = Field("id", _word, "the mapping's name")
SOURCES = Field("sources", ListOf("the sources", SOURCE), "where the names were found", required=False)
PRODUCTS = Field(
    "products",
    MapOf("the products", _word, ListOf("a product's names", _line("a product's name"), unique=True)),
    "for each product of the price sheets, the codes and names that bills call it by",
    required=False,
)
REGIONS = Field(
    "regions",
    MapOf("the regions", _line("a region's name"), Text("a region id", _parse_region, REGION_ID, kinds.BAD_REGION)),
    "region names on bills, and the region id that each stands for",
    required=False,
)
UNITS_FIELD = Field(
    "units",
    MapOf("the units", _line("a unit's name"), Text("a unit", _parse_unit, "|".join(UNITS), kinds.UNKNOWN_UNIT)),
    "unit names on bills, and the unit that each stands for",
    required=False,
)
ITEM = Field("item", _word, "the item of the price sheet")
SPEC = Field("spec", _spec, "the spec of the item")
ITEMS = Field(
    "items",
    MapOf("the billing items", _line("a billing item"), Record("a billing item", (ITEM, SPEC))),
    "billing items on bills (code, name or instance spec; `CODE;SPECIAL` with a special value of the instance ID)",
    required=False,
)
MAPPING = Record("a bill mapping", (FORMAT, ID, SOURCES, PRODUCTS, REGIONS, UNITS_FIELD, ITEMS))
