"""The format of pack files, said once: resource packs on sale, with their prices, and what a plan bought so covers."""

from __future__ import annotations

import re
from decimal import Decimal

from mps_bill.ask.advise import pack_problems as kinds
from mps_bill.ask.advise.packs import Validity
from mps_bill.core.decimals import PLAIN_DECIMAL, parse_plain_decimal
from mps_bill.core.diagnostics import quoted
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.documents.shapes import Choice, Field, ListOf, MapOf, Record, Text, matching
from mps_bill.price_sheet.sheet_definition import CURRENCY, PRODUCT, SITE, SOURCE
from mps_bill.settlement.entries import MONEY_PLACES
from mps_bill.settlement.sources.resource_plans import COVERS, REGIONS, UNIT

FORMAT_NAME = "mps-bill/packs/1"

_ID = r"[a-z][a-z0-9]*([_-][a-z0-9]+)*"
_VALIDITY = r"([1-9][0-9]{0,3}) (day|month)s?"
_LINE = r"\S([^\r\n]{0,498}\S)?"


def _parse_validity(text: str) -> Validity:
    match = re.fullmatch(_VALIDITY, text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a validity; write one such as 6 months or 365 days")
    return Validity(int(match[1]), "month" if match[2] == "month" else "day")


def _above_zero(text: str, places: int) -> Decimal:
    value = parse_plain_decimal(text, places=places)
    if not value:
        raise ValueError(f"{quoted(text)} must be above zero")
    return value


def _parse_size(text: str) -> Decimal:
    return _above_zero(text, QUANTITY_PLACES)


def _parse_price(text: str) -> Decimal:
    return _above_zero(text, MONEY_PLACES)


_size = Text("a pack's size", _parse_size, PLAIN_DECIMAL, kinds.BAD_SIZE, number=True)
_price = Text("a pack's price", _parse_price, PLAIN_DECIMAL, kinds.BAD_PRICE, number=True)
_id = Text("an id", matching(_ID, "an id", "lower-case words joined by - or _"), _ID, kinds.BAD_ID)
_line = Text("a line", matching(_LINE, "a line", "one line of text, at most 500 characters"), _LINE, kinds.BAD_LINE)

ID = Field("id", _id, "the name of the list")
NAME = Field("name", _line, "the packs' name for people")

VALID_FOR = Field(
    "valid_for",
    Text("a validity", _parse_validity, _VALIDITY, kinds.BAD_VALIDITY),
    "how long a pack can be used from the moment it is bought, such as 6 months",
)
SIZES = Field("sizes", MapOf("the sizes", _size, _price), "size in the packs' unit, and the price of a pack of it")
SOURCES = Field("sources", ListOf("the sources", SOURCE), "where sizes, prices and coefficients were read, and when")
NOTES = Field("notes", ListOf("the notes", _line), "what a buyer must know; printed with every advice", required=False)
PACK_TYPE = Record("a type of pack", (NAME, UNIT, VALID_FOR, REGIONS, COVERS, SIZES, SOURCES, NOTES))

FORMAT = Field(
    "format", Choice("a format that this program reads", (FORMAT_NAME,), kinds.UNKNOWN_FORMAT), f"always {FORMAT_NAME}"
)
PACKS = Field(
    "packs", MapOf("the packs", _id, PACK_TYPE), "the types of pack; those of one type differ in size and price"
)
PACK_LIST = Record("a pack file", (FORMAT, ID, SITE, PRODUCT, CURRENCY, PACKS))
