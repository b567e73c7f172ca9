"""The definition of the price sheet format, for the loader and, as a JSON Schema, for editors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from mps_bill.core.decimals import EXACT, RoundingMode, plain
from mps_bill.core.diagnostics import Problem, one_of, quoted, unknown
from mps_bill.core.language import LANGUAGES
from mps_bill.core.times import DAY, HOUR
from mps_bill.core.units import QUANTITY_PLACES, UNITS
from mps_bill.documents.fields import Entry, Field, Fields, Located, Many, optional
from mps_bill.documents.read_document import Document
from mps_bill.documents.shapes import ListOf, MapOf, Object, Record, Unique
from mps_bill.documents.values import (
    LOWER_CASE,
    Choice,
    Text,
    currency,
    format_field,
    line,
    lower_case,
    matching,
    moment,
    number,
    offset,
    word,
    words,
)
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.price_kinds import price_shape
from mps_bill.price_sheet.regions import AREAS, REGION_ID, looks_like_region
from mps_bill.price_sheet.sheet_model import FAMILIES, Derived, Family, RoundedPer, Settlement, Source
from mps_bill.price_sheet.spec import CODEC, RESOLUTION

FORMAT_NAME = "mps-bill/price-sheet/1"
MAX_PLACES = 10

_SPEC_PART = r"[A-Za-z0-9][A-Za-z0-9_+-]*"
_TEMPLATE_PART = rf"(\{{codec\}}|\{{resolution\}}|{_SPEC_PART})"
_SPEC = rf"{_SPEC_PART}(\.{_SPEC_PART})*"
_TEMPLATE = rf"{_TEMPLATE_PART}(\.{_TEMPLATE_PART})*"
_SIZE = r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})"
_DURATION = r"(0|[1-9][0-9]{0,3})([mhd])"
_REGION = rf"{REGION_ID}|{'|'.join(AREAS)}"
#: Words that are not region ids.
_GROUP = rf"(?!({REGION_ID})$){LOWER_CASE}"
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_SECONDS = {"m": 60, "h": HOUR, "d": DAY}


_is_date = matching(_DATE, "a date", "one such as 2026-11-23")
_is_duration = matching(_DURATION, "a duration", "one such as 30m, 1h or 1d")
_is_places = matching("[0-9]|10", "a number of decimal places", f"a whole number from 0 to {MAX_PLACES}")
_is_size = matching(_SIZE, "a size", "width x height in whole pixels, such as 1920x1080")
_is_group = matching(LOWER_CASE, "a group's name", "lower-case words joined by _")


def parse_date(text: str) -> str:
    """Return `text` if it is a day such as 2026-11-23; dates of this form sort as text.

    Raises:
        ValueError: it is not a date, or the day does not exist; the message says which.
    """
    _is_date(text)
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} names a day that does not exist") from None
    return text


def _parse_duration(text: str) -> int:
    """Return the seconds of `30m`, `1h` or `1d`."""
    return int(_is_duration(text)[:-1]) * _SECONDS[text[-1]]


def _parse_places(text: str) -> int:
    return int(_is_places(text))


def _parse_size(text: str) -> tuple[int, int]:
    """Return the long and the short side of `1920x1080`, in pixels; portrait equals landscape."""
    short, long = sorted(map(int, _is_size(text).split("x")))
    return long, short


def _parse_group_name(text: str) -> str:
    if looks_like_region(_is_group(text)):
        other = quoted(text.replace("-", "_"))
        raise ValueError(f"{quoted(text)} looks like a region id; choose another name for the group, such as {other}")
    return text


def _parse_template(text: str) -> str:
    for placeholder in re.findall(r"\{[^{}]*\}?", text):
        if placeholder not in (CODEC, RESOLUTION):
            raise ValueError(unknown("placeholder", placeholder, (CODEC, RESOLUTION), where=f" in {quoted(text)}"))
        if text.count(placeholder) > 1:
            raise ValueError(f"{quoted(text)} has {placeholder} twice; keep one")
    if not re.fullmatch(_TEMPLATE, text):
        raise ValueError(
            f"{quoted(text)} is not a spec; write parts joined by points, each a word or a placeholder,"
            f" such as {CODEC}.{RESOLUTION} or Audio"
        )
    return text


_spec = word("a spec", _SPEC, kinds.BAD_SPEC, "parts joined by points, such as H264.HD")
_region = word("a region id", _REGION, kinds.BAD_REGION, "one such as cn-shanghai")
_id = lower_case("a source's id", kinds.BAD_ID)
_code = lower_case("an item code", kinds.BAD_ID)
_set_name = word("a resolution set's name", LOWER_CASE, kinds.BAD_ID, "lower-case words")
_rounding = Choice[RoundingMode]("a rounding mode", words("half-up", "up", "down"), kinds.UNKNOWN_ROUNDING)

SOURCE_ID = optional("id", _id, "the name that items use for the source", default=None)
SOURCE_READ_ON = Field("read_on", Text("a date", parse_date, _DATE, kinds.BAD_DATE), "the day they were read")
_url = word("a web address", r"https?://\S+", kinds.BAD_URL, "one such as https://...")
_sister = line("a product's name", kinds.BAD_NAME)
SOURCE_URL = Field("url", _url, "where the prices were read")
SOURCE_COVERS = Field("covers", line("what a source covers", kinds.BAD_NAME), "which prices were read there")
SOURCE_PRODUCT = optional("product", _sister, "the sister product that the figures belong to", default=None)
SOURCE = Object("a source", (SOURCE_ID, SOURCE_URL, SOURCE_READ_ON, SOURCE_COVERS, SOURCE_PRODUCT), make=Source)

_bounds = {"minimum": 0, "maximum": MAX_PLACES}
_places = Text("a number of decimal places", _parse_places, "[0-9]|10", kinds.BAD_PLACES, _bounds)
_cycle = Choice("a billing cycle", {"hour": HOUR, "day": DAY}, kinds.UNKNOWN_CYCLE)
_duration = Text("a duration", _parse_duration, _DURATION, kinds.BAD_DURATION)
_settlement = Choice[Settlement]("a settlement", words("hourly", "monthly"), kinds.UNKNOWN_SETTLEMENT)
PLACES = Field("places", _places, "decimal places of a bill's amount")
MODE = Field("mode", _rounding, "how a bill's sum is rounded to these decimal places")
CYCLE = Field("cycle", _cycle, "the period of one bill")
TIMEZONE = Field("timezone", offset(kinds.BAD_OFFSET), "the clock on which cycles begin and end")
ISSUE_AFTER = Field("issue_after", _duration, "the time from the end of a cycle to its bill, such as 1h")
SETTLEMENT = Field("settlement", _settlement, "when bills are paid")
ROUNDING = Field("rounding", Record("a bill's rounding", (PLACES, MODE)), "how a bill's sum is rounded to money")
BILLING_RECORD = Record("billing", (CYCLE, TIMEZONE, ISSUE_AFTER, SETTLEMENT, ROUNDING))

# Whether a region or group is known depends on the sheet, so any text is accepted here and checked with the item.
_price_region = Text("a region or group", str, rf"\*|{_REGION}|{LOWER_CASE}", kinds.UNKNOWN_REGION)
_unpriced_region = Text("a region or group", str, rf"{_REGION}|{LOWER_CASE}", kinds.UNKNOWN_REGION)
REGION_PRICES = MapOf("a spec's prices by region", _price_region, price_shape())

_rule = Choice[RoundedPer]("a metering rule", words("record", "cycle", "none"), kinds.UNKNOWN_METERING)
PER = optional("per", _rule, "what is rounded: each record, the cycle's sum, or nothing (default)")
_step = number("a step", kinds.BAD_QUANTITY, QUANTITY_PLACES, above_zero=True)
_minimum = number("a minimum", kinds.BAD_QUANTITY, QUANTITY_PLACES, above_zero=True)
STEP = optional("step", _step, "the billed quantity is a multiple of this")
STEP_ROUNDING = optional("rounding", _rounding, "how a quantity is rounded to the step")
MINIMUM = optional("minimum", _minimum, "the smallest billed quantity of a record above zero")


def _check_metering(rule: Fields) -> Iterator[Problem]:
    per, step, minimum = rule.get(PER), rule.get(STEP), rule.get(MINIMUM)
    pro_rata = per.value == "none" if per else not rule.has(PER)
    if pro_rata:
        for field in (STEP, STEP_ROUNDING):
            if rule.has(field) and not rule.wrong(field):
                message = (
                    f"`per: none` (the default) bills the exact quantity and has no `{field.key}`; write `per: record` or"
                    " `per: cycle`"
                )
                yield Problem(rule.place_of(field), kinds.NEEDLESS_STEP, message)
        return
    if per and not rule.has(STEP):
        message = f"`per: {per.value}` needs a `step`, such as 0.01"
        yield Problem(per.place, kinds.MISSING_STEP, message)
    if step and not rule.has(STEP_ROUNDING):
        message = "a `step` needs a `rounding`: half-up, up or down"
        yield Problem(step.place, kinds.MISSING_ROUNDING, message)
    if step and minimum and EXACT.remainder(minimum.value, step.value):
        message = f"the minimum {plain(minimum.value)} is not a multiple of the step {plain(step.value)}"
        yield Problem(minimum.place, kinds.UNEVEN_MINIMUM, message)


_metering = Record("a metering rule", (PER, STEP, STEP_ROUNDING, MINIMUM), check=_check_metering)

BASE = Field("item", _code, "the item of this sheet whose prices are taken", name="base")
_factor = number("a factor", kinds.BAD_FACTOR, QUANTITY_PLACES, above_zero=True)
TIMES = Field("times", _factor, "the factor that multiplies them")
DERIVATION = Object("prices_from", (BASE, TIMES), make=Derived)

_name = line("a name", kinds.BAD_NAME)
_language = word("a language", "|".join(LANGUAGES[1:]), kinds.UNKNOWN_LANGUAGE, one_of(LANGUAGES[1:]))
_names = MapOf("the names in other languages", _language, _name)
_family = Choice[Family]("a family", words(*FAMILIES), kinds.UNKNOWN_FAMILY)
_template = Text("a spec", _parse_template, _TEMPLATE, kinds.BAD_TEMPLATE)
_of_spec = f"how the spec is derived ({CODEC}.{RESOLUTION}), or a constant; default: usage names the spec"
NAME = Field("name", _name, "the item's name for people")
NAMES = optional("names", _names, "the item's name in other languages, such as zh, as the provider writes it")
FAMILY = Field("family", _family, "the family of billable items")
UNIT = Field("unit", Choice("a unit", UNITS, kinds.UNKNOWN_UNIT), "the unit that is billed and priced")
SPEC = optional("spec", _template, _of_spec)
RESOLUTION_SET = optional("resolutions", _set_name, "the sheet's resolution set that sizes fall into")
METERING = optional("metering", _metering, "how the metered quantity becomes the billed one; default: unchanged")
_prices = MapOf("a price table", _spec, REGION_PRICES)
_aliases = MapOf("other spellings of specs", _spec, _spec)
_sources = ListOf("the item's sources", _id, unique=True)
PRICES = optional("prices", _prices, "spec, then region, group or *, then the price")
PRICES_FROM = optional("prices_from", DERIVATION, "prices that are another item's times a factor")
ALIASES = optional("spec_aliases", _aliases, "another spelling of a spec, then the spec of the price table")
ITEM_SOURCES = optional("sources", _sources, "ids of the sources of the prices; default: all sources of the sheet")
ITEM = Record(
    "an item",
    (NAME, NAMES, FAMILY, UNIT, SPEC, RESOLUTION_SET, METERING, PRICES, PRICES_FROM, ALIASES, ITEM_SOURCES),
    one_of=(PRICES.key, PRICES_FROM.key),
)

UNPRICED_ITEMS = Field("items", ListOf("the items without a price", _code, unique=True), "codes of items")
_specs = ListOf("the specs without a price", _spec, unique=True)
_regions = ListOf("the regions without a price", _unpriced_region, unique=True)
_of_specs = "specs, or their beginnings (H266 includes H266.HD and all others); default: every spec"
UNPRICED_SPECS = optional("specs", _specs, _of_specs)
UNPRICED_REGIONS = optional("regions", _regions, "regions and groups; default: everywhere")
BEFORE = optional(
    "before",
    moment("a time", kinds.BAD_TIME),
    "when the price was first charged, at the start of a cycle; usage before it is refused; default: no price",
)
NOTE = Field("note", line("a note", kinds.BAD_NAME), "why there is no price; shown when usage is refused")
_unpriced = Record("what has no price", (UNPRICED_ITEMS, UNPRICED_SPECS, UNPRICED_REGIONS, BEFORE, NOTE))
UNPRICED = optional(
    "unpriced",
    ListOf("what has no price", _unpriced),
    "usage that the provider bills but for which the sheet has no price, or none at its start",
)

FORMAT = format_field(FORMAT_NAME, kinds.UNKNOWN_FORMAT)
ID = Field("id", lower_case("a sheet's id", kinds.BAD_ID), "sheets with one id are versions of it")
SITE = Field("site", lower_case("a site", kinds.BAD_ID), "the provider's site that sells, such as international")
PRODUCT = Field("product", lower_case("a product", kinds.BAD_ID), "the product that is billed, such as mps")
CURRENCY = Field("currency", currency(kinds.BAD_CURRENCY), "the currency of every price")
_start, _end = moment("a start", kinds.BAD_TIME), moment("an end", kinds.BAD_TIME)
_until = "the moment from which it is no longer in force; default: the start of the id's next version"
_list_of_sources = ListOf("the sources", SOURCE, unique=Unique(kinds.DUPLICATE_SOURCE, (SOURCE_ID.key,)))
EFFECTIVE_FROM = Field("effective_from", _start, "the first moment in force, at the start of a cycle")
EFFECTIVE_TO = optional("effective_to", _end, _until)
SOURCES = optional("sources", _list_of_sources, "where the prices were read")
BILLING = Field("billing", BILLING_RECORD, "how the product is billed")
_group = Text("a group's name", _parse_group_name, _GROUP, kinds.BAD_GROUP_NAME)
_groups = MapOf("the region groups", _group, ListOf("a region group", _region, unique=True))
REGION_GROUPS = optional("region_groups", _groups, "regions that share prices")
_resolution = word("a resolution's name", _SPEC_PART, kinds.BAD_SPEC, "a word such as HD or 4K")
_size = Text("a size", _parse_size, _SIZE, kinds.BAD_SIZE)


def _check_order(sizes: Many[Entry[str, Located[tuple[int, int]]]]) -> Iterator[Problem]:
    """Check that each size is larger than the one before it: a picture belongs to the first size that is large enough."""
    read = ((size.key.value, size.value) for size in sizes.parts if size.value)
    for (name_before, before), (name, size) in pairwise(read):
        (long, short), (long_before, short_before) = size.value, before.value
        if long < long_before or short < short_before or size.value == before.value:
            message = (
                f"{name}, {long}x{short}, is not larger than {name_before}, {long_before}x{short_before}, before it;"
                " write sizes in ascending order of both sides, each once"
            )
            yield Problem(size.place, kinds.UNORDERED_RESOLUTIONS, message)


RESOLUTIONS = optional(
    "resolutions",
    MapOf("the resolution sets", _set_name, MapOf("a resolution set", _resolution, _size, check=_check_order)),
    "sets of sizes, smallest first; a size is for pictures whose sides are no longer than its own",
)
ITEMS = Field("items", MapOf("the items", _code, ITEM), "the billable items, in the order of a bill's lines")
_head = (FORMAT, ID, SITE, PRODUCT, CURRENCY, EFFECTIVE_FROM, EFFECTIVE_TO)
PRICE_SHEET = Record("a price sheet", (*_head, SOURCES, BILLING, REGION_GROUPS, RESOLUTIONS, ITEMS, UNPRICED))

DOCUMENT = Document("mps-bill price sheet, version 1", PRICE_SHEET, kinds.UNREADABLE_FILE)
