"""The format of pack files: resource packs on sale, their prices, and the plans that they become."""

from __future__ import annotations

import re
from typing import Any

from mps_bill.ask.advise.packs import Validity
from mps_bill.core.diagnostics import Kind, quoted
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.documents.read_document import Document
from mps_bill.documents.shapes import Field, ListOf, MapOf, Object, Text, optional
from mps_bill.documents.values import format_field, line, lower_case, number
from mps_bill.price_sheet.sheet_definition import CURRENCY, PRODUCT, SITE, SOURCE
from mps_bill.settlement.entries import MONEY_PLACES
from mps_bill.settlement.sources.resource_plans import COVERS, REGIONS, UNIT

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
