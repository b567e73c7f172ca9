"""The price sheet format, said once: the loader reads by it, and editors get it as a JSON Schema."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from mps_bill.core.decimals import PLAIN_DECIMAL
from mps_bill.core.diagnostics import Kind, near_miss, quoted
from mps_bill.core.times import DAY, HOUR, LOCAL_TIME, OFFSET, parse_offset, parse_second
from mps_bill.core.units import UNITS
from mps_bill.documents.shapes import (
    Choice,
    Field,
    ListOf,
    MapOf,
    Record,
    Schema,
    Text,
    json_schema,
    matching,
)
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.price_kinds import PRICE_KINDS
from mps_bill.price_sheet.price_kinds.price_forms import price_shape
from mps_bill.price_sheet.price_kinds.price_kind import parse_quantity
from mps_bill.price_sheet.regions import AREAS, REGION_ID, looks_like_region
from mps_bill.price_sheet.sheet_model import FAMILIES
from mps_bill.price_sheet.spec import CODEC, RESOLUTION

FORMAT_NAME = "mps-bill/price-sheet/1"
MOST_PLACES = 10

_WORDS = r"[a-z][a-z0-9]*([_-][a-z0-9]+)*"
_SPEC_PART = r"[A-Za-z0-9][A-Za-z0-9_+-]*"
_TEMPLATE_PART = rf"(\{{codec\}}|\{{resolution\}}|{_SPEC_PART})"
_SPEC = rf"{_SPEC_PART}(\.{_SPEC_PART})*"
_TEMPLATE = rf"{_TEMPLATE_PART}(\.{_TEMPLATE_PART})*"
_SIZE = r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})"
_DURATION = r"(0|[1-9][0-9]{0,3})([mhd])"
_REGION = rf"{REGION_ID}|{'|'.join(AREAS)}"
_NAME = r"\S([^\r\n]{0,198}\S)?"
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_SECONDS = {"m": 60, "h": HOUR, "d": DAY}


def parse_date(text: str) -> str:
    """`text` where it is a day such as 2026-11-23; dates of this form stand in order as texts.

    Raises:
        ValueError: it is something else, or no such day; the message says which.
    """
    if not re.fullmatch(_DATE, text):
        raise ValueError(f"{quoted(text)} is not a date; write one such as 2026-11-23")
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} names a day that does not exist") from None
    return text


def _parse_duration(text: str) -> int:
    """Seconds of `30m`, `1h` or `1d`."""
    match = re.fullmatch(_DURATION, text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a length of time; write one such as 30m, 1h or 1d")
    return int(match[1]) * _SECONDS[match[2]]


def _parse_places(text: str) -> int:
    if not re.fullmatch(r"[0-9]|10", text):
        raise ValueError(f"{quoted(text)} is not a number of decimals; write a whole number from 0 to {MOST_PLACES}")
    return int(text)


def _parse_size(text: str) -> tuple[int, int]:
    """The long and the short side of `1920x1080`, in pixels; portrait equals landscape."""
    match = re.fullmatch(_SIZE, text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a size; write width x height in whole pixels, such as 1920x1080")
    first, second = int(match[1]), int(match[2])
    return max(first, second), min(first, second)


def _parse_group_name(text: str) -> str:
    if not re.fullmatch(_WORDS, text):
        raise ValueError(f"{quoted(text)} is not a group's name; write lower-case words joined by _")
    if looks_like_region(text):
        raise ValueError(
            f"{quoted(text)} looks like a region id; name the group otherwise, such as {_underscored(text)}"
        )
    return text


def _underscored(text: str) -> str:
    return quoted(text.replace("-", "_"))


def _parse_template(text: str) -> str:
    for placeholder in re.findall(r"\{[^{}]*\}?", text):
        if placeholder not in (CODEC, RESOLUTION):
            hint = near_miss(placeholder, (CODEC, RESOLUTION)) or f"; known: {CODEC} and {RESOLUTION}"
            raise ValueError(f"{quoted(text)} has the unknown placeholder {quoted(placeholder)}{hint}")
        if text.count(placeholder) > 1:
            raise ValueError(f"{quoted(text)} has {placeholder} twice; keep one")
    if not re.fullmatch(_TEMPLATE, text):
        raise ValueError(
            f"{quoted(text)} is not a spec; write parts joined by points, each a word or a placeholder,"
            f" such as {CODEC}.{RESOLUTION} or Audio"
        )
    return text


def _words(name: str, kind: Kind) -> Text[str]:
    return Text(name, matching(_WORDS, name, "lower-case words joined by - or _"), _WORDS, kind)


def _line(name: str) -> Text[str]:
    return Text(name, matching(_NAME, name, "one line of text, at most 200 characters"), _NAME, kinds.BAD_NAME)


def _time(name: str) -> Text[int]:
    return Text(name, parse_second, f"({LOCAL_TIME})({OFFSET})", kinds.BAD_TIME)


def _quantity(name: str) -> Text[Decimal]:
    return Text(name, parse_quantity, PLAIN_DECIMAL, kinds.BAD_QUANTITY, number=True)


_CURRENCY = r"[A-Z]{3}"
_URL = r"https?://\S+"
_MODES = ("half-up", "up", "down")
_spec = Text("a spec", matching(_SPEC, "a spec", "parts joined by points, such as H264.HD"), _SPEC, kinds.BAD_SPEC)
_region = Text("a region id", matching(_REGION, "a region id", "one such as cn-shanghai"), _REGION, kinds.BAD_REGION)
_rounding = Choice("a rounding mode", _MODES, kinds.UNKNOWN_ROUNDING)

SOURCE_ID = Field(
    "id", _words("a source's id", kinds.BAD_ID), "a name by which items refer to the source", required=False
)
SOURCE_URL = Field(
    "url",
    Text("a web address", matching(_URL, "a web address", "one such as https://..."), _URL, kinds.BAD_URL),
    "where the prices were read",
)
SOURCE_READ_ON = Field("read_on", Text("a date", parse_date, _DATE, kinds.BAD_DATE), "the day they were read")
SOURCE_COVERS = Field("covers", _line("what a source covers"), "which prices were read there")
SOURCE_PRODUCT = Field(
    "product", _line("a product's name"), "the sister product that the figures belong to", required=False
)
SOURCE = Record("a source", (SOURCE_ID, SOURCE_URL, SOURCE_READ_ON, SOURCE_COVERS, SOURCE_PRODUCT))

PLACES = Field(
    "places",
    Text("a number of decimals", _parse_places, "[0-9]|10", kinds.BAD_PLACES, number=True),
    "decimals of a bill's amount",
)
MODE = Field("mode", _rounding, "how a bill's sum is cut to these decimals")
CYCLE = Field("cycle", Choice("a billing cycle", ("hour", "day"), kinds.UNKNOWN_CYCLE), "what one bill spans")
TIMEZONE = Field(
    "timezone", Text("an offset from UTC", parse_offset, OFFSET, kinds.BAD_OFFSET), "the clock that cycles are cut on"
)
ISSUE_AFTER = Field(
    "issue_after",
    Text("a length of time", _parse_duration, _DURATION, kinds.BAD_DURATION),
    "from the end of a cycle to its bill, such as 1h",
)
SETTLEMENT = Field(
    "settlement", Choice("a settlement", ("hourly", "monthly"), kinds.UNKNOWN_SETTLEMENT), "when bills are paid"
)
ROUNDING = Field("rounding", Record("a bill's rounding", (PLACES, MODE)), "the cut of a bill's sum to money")
BILLING_RECORD = Record("billing", (CYCLE, TIMEZONE, ISSUE_AFTER, SETTLEMENT, ROUNDING))

# Whether a region or group is known depends on the sheet, so any text is read here and checked with the item.
_price_region = Text("a region or group", str, rf"\*|{_REGION}|{_WORDS}", kinds.UNKNOWN_REGION)
REGION_PRICES = MapOf("a spec's prices by region", _price_region, price_shape(PRICE_KINDS))

PER = Field(
    "per",
    Choice("a metering rule", ("record", "cycle", "none"), kinds.UNKNOWN_METERING),
    "what is rounded: each record, the cycle's sum, or nothing (default)",
    required=False,
)
STEP = Field("step", _quantity("a step"), "the quantity is a whole number of these", required=False)
STEP_ROUNDING = Field("rounding", _rounding, "how a quantity becomes whole steps", required=False)
MINIMUM = Field("minimum", _quantity("a minimum"), "smallest billed quantity of a record above zero", required=False)
METERING_RECORD = Record("a metering rule", (PER, STEP, STEP_ROUNDING, MINIMUM))

BASE = Field("item", _words("an item code", kinds.BAD_ID), "the item of this sheet whose prices are taken")
TIMES = Field(
    "times",
    Text("a factor", parse_quantity, PLAIN_DECIMAL, kinds.BAD_FACTOR, number=True),
    "what they are multiplied by",
)
DERIVATION = Record("prices_from", (BASE, TIMES))

NAME = Field("name", _line("a name"), "the item's name for people")
FAMILY = Field("family", Choice("a family", FAMILIES, kinds.UNKNOWN_FAMILY), "the family of billable items")
UNIT = Field("unit", Choice("a unit", tuple(UNITS), kinds.UNKNOWN_UNIT), "the unit that is billed and priced")
SPEC = Field(
    "spec",
    Text("a spec", _parse_template, _TEMPLATE, kinds.BAD_TEMPLATE),
    f"how the spec is derived ({CODEC}.{RESOLUTION}), or a constant; absent: usage names it",
    required=False,
)
RESOLUTION_SET = Field(
    "resolutions",
    Text("a resolution set", matching(_WORDS, "a resolution set's name", "lower-case words"), _WORDS, kinds.BAD_ID),
    "the sheet's resolution set that sizes fall into",
    required=False,
)
METERING = Field(
    "metering", METERING_RECORD, "how a metered quantity becomes the billed one; absent: as it is", required=False
)
PRICES = Field(
    "prices",
    MapOf("a price table", _spec, REGION_PRICES),
    "spec, then region, group or *, then the price",
    required=False,
)
PRICES_FROM = Field("prices_from", DERIVATION, "prices that are another item's, times a factor", required=False)
ITEM_SOURCES = Field(
    "sources",
    ListOf("the item's sources", _words("a source's id", kinds.BAD_ID), unique=True),
    "ids of the sources that the prices come from; absent: all of the sheet",
    required=False,
)
ITEM = Record(
    "an item",
    (NAME, FAMILY, UNIT, SPEC, RESOLUTION_SET, METERING, PRICES, PRICES_FROM, ITEM_SOURCES),
    one_of=(PRICES.key, PRICES_FROM.key),
)

FORMAT = Field(
    "format", Choice("a format that this program reads", (FORMAT_NAME,), kinds.UNKNOWN_FORMAT), f"always {FORMAT_NAME}"
)
ID = Field("id", _words("a sheet's id", kinds.BAD_ID), "sheets with one id are versions of it")
SITE = Field("site", _words("a site", kinds.BAD_ID), "the site that sells, such as international")
PRODUCT = Field("product", _words("a product", kinds.BAD_ID), "the product that is billed, such as mps")
CURRENCY = Field(
    "currency",
    Text(
        "a currency",
        matching(_CURRENCY, "a currency", "three capital letters such as USD"),
        _CURRENCY,
        kinds.BAD_CURRENCY,
    ),
    "the currency of every price",
)
EFFECTIVE_FROM = Field("effective_from", _time("a start"), "the first moment in force, on the edge of a cycle")
EFFECTIVE_TO = Field(
    "effective_to",
    _time("an end"),
    "the moment it is no longer in force; absent: when the id's next version starts",
    required=False,
)
SOURCES = Field("sources", ListOf("the sources", SOURCE), "where the prices were read", required=False)
BILLING = Field("billing", BILLING_RECORD, "how the product is billed")
_group = Text("a group's name", _parse_group_name, _WORDS, kinds.BAD_GROUP_NAME)
REGION_GROUPS = Field(
    "region_groups",
    MapOf("the region groups", _group, ListOf("a region group", _region, unique=True)),
    "regions that share prices",
    required=False,
)
_set_name = Text(
    "a resolution set's name", matching(_WORDS, "a resolution set's name", "lower-case words"), _WORDS, kinds.BAD_ID
)
_resolution = Text(
    "a resolution's name",
    matching(_SPEC_PART, "a resolution's name", "a word such as HD or 4K"),
    _SPEC_PART,
    kinds.BAD_SPEC,
)
_size = Text("a size", _parse_size, _SIZE, kinds.BAD_SIZE)
RESOLUTIONS = Field(
    "resolutions",
    MapOf("the resolution sets", _set_name, MapOf("a resolution set", _resolution, _size)),
    "sets of sizes, smallest first; each holds pictures whose sides are at most its own",
    required=False,
)
_code = _words("an item code", kinds.BAD_ID)
ITEMS = Field("items", MapOf("the items", _code, ITEM), "the billable items, in the order of a bill's lines")
PRICE_SHEET = Record(
    "a price sheet",
    (
        FORMAT,
        ID,
        SITE,
        PRODUCT,
        CURRENCY,
        EFFECTIVE_FROM,
        EFFECTIVE_TO,
        SOURCES,
        BILLING,
        REGION_GROUPS,
        RESOLUTIONS,
        ITEMS,
    ),
)


def price_sheet_schema() -> Schema:
    """The JSON Schema of a price sheet, for editors. What relates one key to another is left to the loader."""
    return json_schema(PRICE_SHEET, "mps-bill price sheet, version 1")
