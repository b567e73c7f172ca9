"""The shipped price sheets hold exactly the provider's published prices: every one, as written, and nothing else.

The tables below are a second transcription, typed from the published tables and shaped like them, so that a person can
lay a page beside them. They are compared with `pricing/*.yaml` cell by cell. This file reads the YAML by itself (every
scalar as text) and resolves region groups by itself, so that it does not lean on the program's own loader.

A mark stands beside every figure: `M`, the provider's page of the sheet's own product says it; `A`, the price list of a
sister product on the same engine says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

PRICING = Path(__file__).resolve().parents[2] / "pricing"
SHEETS = sorted(path.stem for path in PRICING.glob("*.yaml") if not path.name.endswith(".cases.yaml"))

# ---- The published tables -------------------------------------------------------------------------------------------

MAINLAND = ["cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-hangzhou", "cn-shanghai", "cn-shenzhen"]
HONG_KONG_US_EUROPE = ["cn-hongkong", "us-west-1", "eu-central-1", "eu-west-1"]
SINGAPORE_JAPAN_INDONESIA = ["ap-southeast-1", "ap-northeast-1", "ap-southeast-5"]
RIYADH = ["me-central-1"]
SINGAPORE = ["ap-southeast-1"]
VIRGINIA = ["us-east-1"]
CDN_MAINLAND = ["CN"]
EVERYWHERE = ["*"]

#: International site, USD per minute, standard transcoding.
INTL_REGIONS = (MAINLAND, HONG_KONG_US_EUROPE, SINGAPORE_JAPAN_INDONESIA, RIYADH)
INTL_TRANSCODING = """
    H264.4K   0.0427 M   0.0450 M   0.0500 M   0.0600 M
    H264.2K   0.0213 M   0.0338 M   0.0375 M   0.0450 M
    H264.HD   0.0099 M   0.0225 M   0.0250 M   0.0300 M
    H264.SD   0.0050 M   0.0113 M   0.0125 M   0.0150 M
    H264.LD   0.0033 M   0.0033 M   0.0094 M   0.0113 M
    H265.4K   0.2134 M   0.2250 M   0.2500 M   0.3000 M
    H265.2K   0.1083 M   0.1688 M   0.1875 M   0.2250 M
    H265.HD   0.0496 M   0.1125 M   0.1250 M   0.1500 M
    H265.SD   0.0248 M   0.0563 M   0.0625 M   0.0750 M
    H265.LD   0.0165 M   -      -   0.0469 A   -      -
"""

#: International site, USD per minute, basic editing.
INTL_EDITING_REGIONS = (
    MAINLAND,
    ["cn-hongkong", "eu-central-1"],
    ["ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-5"],
)
INTL_EDITING_BASIC = """
    H264.4K   .0427 A   .045  A   .05   A
    H264.2K   .0213 A   .0338 A   .0375 A
    H264.HD   .0099 A   .0225 A   .025  A
    H264.SD   .005  A   .0113 A   .0125 A
    H264.LD   .0033 A   .0084 A   .0094 A
"""

#: China site, CNY per minute, mainland: standard, Narrowband HD 1.0, editing basic, editing advanced.
CHINA_COLUMNS = ("standard", "narrowband_hd_1", "editing_basic", "editing_advanced")
CHINA_MINUTES = """
    H264.4K        0.2800 A   0.84   A   .2800 A   1.2600 A
    H264.2K        0.1400 M   0.42   A   .1400 A    .6300 A
    H264.HD        0.0651 M   0.1953 A   .0651 A    .2930 A
    H264.SD        0.0326 M   0.0978 A   .0326 A    .1467 A
    H264.LD        0.0217 M   0.0651 A   .0217 A    .0977 A
    H265.4K        1.4000 A   4.2    A  1.4000 A   6.3000 A
    H265.2K        0.7000 A   2.1    A   .7000 A   3.1500 A
    H265.HD        0.3255 A   0.9765 A   .3255 A   1.4648 A
    H265.SD        0.1630 A   0.489  A   .1628 A    .7326 A
    H265.LD        0.1085 A   0.3255 A   .1085 A    .4883 A
    Audio          0.0056 M   -      -   .0056 A    .0252 A
    Segmentation   0.0070 A   -      -   -     -    -     -
"""

#: China site, CNY per output frame.
ENHANCEMENT_COLUMNS = ("HD", "2K", "4K", "8K")
CHINA_ENHANCEMENT = [
    ("super_resolution_standard", "SuperResolution.Standard", MAINLAND, "0.003255 0.007 0.014 0.049"),
    ("super_resolution_standard", "SuperResolution.Standard", SINGAPORE, "0.007811 0.0175 0.042 0.147"),
    ("super_resolution_pro", "SuperResolution.Pro", MAINLAND, "0.05 0.08 0.12 0.42"),
    ("hdr_standard", "HDR.Standard", MAINLAND, "0.00217 0.0047 0.0093 0.032667"),
]

#: Prices that stand alone: sheet, item, spec, regions, price, of how many units, mark.
SINGLE = [
    ("mps-china", "dolby", "Dolby", MAINLAND, "3.5", 1, "M"),
    ("mps-china", "virtual_surround", "VirtualSurround", MAINLAND, "2.0", 1, "M"),
    ("mps-china", "sound_enhancement", "SoundEnhancement", MAINLAND, "2.0", 1, "M"),
    ("mps-china", "volume_normalisation_pro", "VolumeNormalisation.Pro", MAINLAND, "0.1", 1, "M"),
    ("mps-china", "video_dna", "VideoDNA", MAINLAND, "0.05", 1, "M"),
    ("mps-china", "smart_tag", "SmartTag", MAINLAND, "0.3", 1, "A"),
    ("mps-china", "drm_licence", "DRMLicence", ["cn-beijing", "cn-shanghai"], "0.008", 1, "A"),
    # "Elsewhere" is, in the list: Singapore, India, Indonesia, Japan, Germany.
    (
        "mps-china",
        "drm_licence",
        "DRMLicence",
        ["ap-southeast-1", "ap-south-1", "ap-southeast-5", "ap-northeast-1", "eu-central-1"],
        "0.01",
        1,
        "A",
    ),
    ("mps-intl", "caption_extraction", "CaptionExtraction", SINGAPORE, "0.023665", 1, "M"),
    ("mps-intl", "audio_transcoding", "Audio", SINGAPORE_JAPAN_INDONESIA, "0.0031", 1, "A"),
    ("mps-intl", "transmuxing", "Segmentation", SINGAPORE_JAPAN_INDONESIA, "0.0021", 1, "A"),
    ("oss-china", "oss_storage_standard_lrs", "Storage", MAINLAND, "0.12", 1, "M"),
    ("oss-china", "oss_storage_standard_zrs", "StorageZRS", MAINLAND, "0.15", 1, "M"),
    ("oss-china", "oss_storage_ia_lrs", "ChargedDatasize", MAINLAND, "0.08", 1, "M"),
    ("oss-china", "oss_put_requests", "PutRequest", MAINLAND, "0.01", 10_000, "M"),
    ("oss-china", "oss_get_requests", "GetRequest", MAINLAND, "0.01", 10_000, "M"),
    ("oss-china", "oss_outbound_internet", "NetworkOut.Peak", MAINLAND, "0.50", 1, "M"),
    ("oss-china", "oss_outbound_internet", "NetworkOut.OffPeak", MAINLAND, "0.25", 1, "M"),
    ("oss-china", "oss_back_to_origin", "CdnOut", MAINLAND, "0.15", 1, "M"),
    ("oss-intl", "oss_storage_standard_lrs", "Storage", MAINLAND, "0.0173", 1, "M"),
    ("oss-intl", "oss_outbound_internet", "NetworkOut", VIRGINIA, "0.076", 1, "M"),
    ("kms-china", "kms_calls", "basic", MAINLAND, "0.6", 10_000, "M"),
    ("kms-china", "kms_calls", "advanced", MAINLAND, "1.8", 10_000, "M"),
    ("kms-intl", "kms_calls", "basic", MAINLAND, "0.08", 10_000, "M"),
    ("kms-intl", "kms_calls", "advanced", MAINLAND, "0.24", 10_000, "M"),
    ("kms-intl", "kms_instance", "software", EVERYWHERE, "4.5", 1, "M"),
    ("kms-intl", "kms_instance", "hardware", EVERYWHERE, "9", 1, "M"),
    ("kms-intl", "kms_key_version", "KeyVersion", EVERYWHERE, "0.03", 1, "M"),
    ("kms-intl", "kms_secret", "Secret", EVERYWHERE, "0.013", 1, "M"),
    ("mns-intl", "mns_queue", "Queue", MAINLAND, "0.08", 1, "M"),
    ("mns-intl", "mns_topic", "Topic", MAINLAND, "0.32", 1, "M"),
]

TB = 1024  # GB
PB = 1024 * TB

#: Prices by tier: sheet, item, spec, regions, model, of how many units, then (up to and including, price, mark).
REVIEW_TIERS = [(3000, "0.1", "A"), (10_000, "0.09", "A"), (100_000, "0.08", "A"), ("rest", "0.07", "A")]
TIERED: list[tuple[str, str, str, list[str], str, int, list[tuple[int | str, str, str]]]] = [
    ("mps-china", "review", "porn", MAINLAND, "volume", 1, REVIEW_TIERS),
    ("mps-china", "review", "terrorism", MAINLAND, "volume", 1, REVIEW_TIERS),
    ("mps-china", "review", "ad", MAINLAND, "volume", 1, REVIEW_TIERS),
    (
        "cdn-china",
        "cdn_traffic",
        "Traffic",
        CDN_MAINLAND,
        "graduated",
        1,
        [
            (10 * TB, "0.24", "M"),
            (50 * TB, "0.23", "M"),
            (100 * TB, "0.21", "M"),
            (1 * PB, "0.18", "A"),
            ("rest", "0.15", "M"),
        ],
    ),
    (
        "cdn-intl",
        "cdn_traffic",
        "Traffic",
        CDN_MAINLAND,
        "graduated",
        1,
        [(50 * TB, "0.04", "M"), (100 * TB, "0.03", "M"), (1 * PB, "0.03", "M"), ("rest", "0.02", "M")],
    ),
    (
        "mns-china",
        "mns_requests",
        "Request",
        MAINLAND,
        "graduated",
        1_000_000,
        [(20_000_000, "0", "M"), ("rest", "2.00", "M")],
    ),
]

PER_OUTPUT = {"per": "record", "step": "0.01", "rounding": "half-up", "minimum": "0.02"}
WHOLE_MINUTES = {"per": "cycle", "step": "1", "rounding": "down"}
PRO_RATA = {"per": "none"}

#: What each item is metered in, and how.
METERED: dict[str, tuple[str, str, dict[str, str]]] = {
    "transcoding": ("transcoding", "minute", PER_OUTPUT),
    "audio_transcoding": ("transcoding", "minute", PER_OUTPUT),
    "transmuxing": ("transcoding", "minute", PER_OUTPUT),
    "narrowband_hd_1": ("transcoding", "minute", PER_OUTPUT),
    "editing_basic": ("transcoding", "minute", PER_OUTPUT),
    "editing_advanced": ("transcoding", "minute", PER_OUTPUT),
    "super_resolution_standard": ("enhancement", "frame", PRO_RATA),
    "super_resolution_pro": ("enhancement", "frame", PRO_RATA),
    "hdr_standard": ("enhancement", "frame", PRO_RATA),
    "dolby": ("enhancement", "minute", PRO_RATA),
    "virtual_surround": ("enhancement", "minute", PRO_RATA),
    "sound_enhancement": ("enhancement", "minute", PRO_RATA),
    "volume_normalisation_pro": ("enhancement", "minute", PRO_RATA),
    "video_dna": ("video-ai", "minute", PRO_RATA),
    "smart_tag": ("video-ai", "minute", PRO_RATA),
    "caption_extraction": ("video-ai", "minute", PRO_RATA),
    "review": ("video-ai", "minute", WHOLE_MINUTES),
    "drm_licence": ("related", "request", PRO_RATA),
    "oss_storage_standard_lrs": ("related", "GB-month", PRO_RATA),
    "oss_storage_standard_zrs": ("related", "GB-month", PRO_RATA),
    "oss_storage_ia_lrs": ("related", "GB-month", PRO_RATA),
    "oss_put_requests": ("related", "request", PRO_RATA),
    "oss_get_requests": ("related", "request", PRO_RATA),
    "oss_outbound_internet": ("related", "GB", PRO_RATA),
    "oss_back_to_origin": ("related", "GB", PRO_RATA),
    "cdn_traffic": ("related", "GB", PRO_RATA),
    "kms_calls": ("related", "request", PRO_RATA),
    "kms_instance": ("related", "day", PRO_RATA),
    "kms_key_version": ("related", "day", PRO_RATA),
    "kms_secret": ("related", "day", PRO_RATA),
    "mns_requests": ("related", "request", PRO_RATA),
    "mns_queue": ("related", "day", PRO_RATA),
    "mns_topic": ("related", "day", PRO_RATA),
}

#: id: site, product, currency, billing cycle.
HEADERS = {
    "mps-china": ("china", "mps", "CNY", "hour"),
    "mps-intl": ("international", "mps", "USD", "hour"),
    "oss-china": ("china", "oss", "CNY", "hour"),
    "oss-intl": ("international", "oss", "USD", "hour"),
    "cdn-china": ("china", "cdn", "CNY", "hour"),
    "cdn-intl": ("international", "cdn", "USD", "hour"),
    "kms-china": ("china", "kms", "CNY", "day"),
    "kms-intl": ("international", "kms", "USD", "day"),
    "mns-china": ("china", "mns", "CNY", "day"),
    "mns-intl": ("international", "mns", "USD", "day"),
}

# ---- Cells: the tables above, and the sheets, flattened to the same shape -------------------------------------------


class Place(NamedTuple):
    sheet: str
    item: str
    spec: str
    region: str
    tier: str  # "" | "graduated month <= 10240" | "graduated month rest"


class Published(NamedTuple):
    price: str  # digits as published, with the leading zero that a sheet asks for
    mark: str
    derived: bool  # the sheet derives it from another item, so that only the value can be compared


def table_rows(table: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for line in table.strip().splitlines():
        spec, *rest = line.split()
        yield spec, list(zip(rest[::2], rest[1::2], strict=True))


def digits(published: str, of_units: int = 1) -> str:
    if of_units == 1:
        return "0" + published if published.startswith(".") else published
    return format(Decimal(published) / of_units, "f")


def published_cells() -> dict[Place, Published]:
    cells: dict[Place, Published] = {}

    def add(place: Place, price: str, mark: str, derived: bool = False) -> None:
        assert place not in cells, f"{place} is transcribed twice"
        cells[place] = Published(price, mark, derived)

    def add_table(sheet: str, item: str, table: str, columns: tuple[list[str], ...]) -> None:
        for spec, row in table_rows(table):
            for regions, (price, mark) in zip(columns, row, strict=True):
                for region in regions if price != "-" else []:
                    add(Place(sheet, item, spec, region, ""), digits(price), mark)

    add_table("mps-intl", "transcoding", INTL_TRANSCODING, INTL_REGIONS)
    add_table("mps-intl", "editing_basic", INTL_EDITING_BASIC, INTL_EDITING_REGIONS)
    # The factor is published for CNY; what it makes of the prices in USD is typed out nowhere, so it is worked out here.
    for spec, row in table_rows(INTL_TRANSCODING):
        for regions, (price, _) in zip(INTL_REGIONS, row, strict=True):
            for region in regions if price != "-" else []:
                tripled = format(3 * Decimal(price), "f")
                add(Place("mps-intl", "narrowband_hd_1", f"{spec}.NarrowBandHDV1", region, ""), tripled, "A", True)
    own_item = {"Audio": "audio_transcoding", "Segmentation": "transmuxing"}
    for spec, row in table_rows(CHINA_MINUTES):
        for column, (price, mark) in zip(CHINA_COLUMNS, row, strict=True):
            item = own_item.get(spec, "transcoding") if column == "standard" else column
            derived = column == "narrowband_hd_1"
            full_spec = spec + ".NarrowBandHDV1" if derived else spec
            for region in MAINLAND if price != "-" else []:
                add(Place("mps-china", item, full_spec, region, ""), digits(price), mark, derived)
    for item, prefix, regions, prices in CHINA_ENHANCEMENT:
        for bucket, price in zip(ENHANCEMENT_COLUMNS, prices.split(), strict=True):
            for region in regions:
                add(Place("mps-china", item, f"{prefix}.{bucket}", region, ""), digits(price), "M")
    for sheet, item, spec, regions, price, of_units, mark in SINGLE:
        for region in regions:
            add(Place(sheet, item, spec, region, ""), digits(price, of_units), mark)
    for sheet, item, spec, regions, model, of_units, tiers in TIERED:
        for bound, price, mark in tiers:
            tier = f"{model} month " + ("rest" if bound == "rest" else f"<= {bound}")
            for region in regions:
                add(Place(sheet, item, spec, region, tier), digits(price, of_units), mark)
    return cells


PUBLISHED = published_cells()


def text_of(sheet: str) -> str:
    return (PRICING / f"{sheet}.yaml").read_text(encoding="utf-8")


def load(sheet: str) -> dict[str, Any]:
    """The sheet with every scalar as its text."""
    loaded: dict[str, Any] = yaml.load(text_of(sheet), Loader=yaml.BaseLoader)
    return loaded


def price_cells(document: dict[str, Any], code: str) -> dict[tuple[str, str, str], str]:
    """(spec, region, tier) → price text of one item, region groups spelt out."""
    item = document["items"][code]
    if "prices_from" in item:
        base, times = item["prices_from"]["item"], Decimal(item["prices_from"]["times"])
        template = item["spec"].replace("{codec}.{resolution}", "{}")
        return {
            (template.format(spec), region, tier): format(Decimal(price) * times, "f")
            for (spec, region, tier), price in price_cells(document, base).items()
        }
    groups = document.get("region_groups", {})
    cells: dict[tuple[str, str, str], str] = {}
    for spec, by_region in item["prices"].items():
        for key, price in by_region.items():
            tiers = {"": price}
            if isinstance(price, dict):
                assert set(price) == {"tiers", "per", "up_to"}
                name = f"{price['tiers']} {price['per']} "
                tiers = {name + ("rest" if b == "rest" else f"<= {b}"): p for b, p in price["up_to"].items()}
            for region in groups.get(key, [key]):
                for tier, amount in tiers.items():
                    assert (spec, region, tier) not in cells, f"{code} {spec} {region} is priced twice"
                    cells[spec, region, tier] = amount
    return cells


def sheet_cells(sheet: str) -> dict[Place, str]:
    document = load(sheet)
    return {
        Place(sheet, code, *place): price
        for code in document["items"]
        for place, price in price_cells(document, code).items()
    }


# ---- Prices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sheet", HEADERS)
def test_every_published_price_is_in_the_sheet_as_written(sheet: str) -> None:
    cells = sheet_cells(sheet)
    wrong = []
    for place, published in PUBLISHED.items():
        if place.sheet != sheet:
            continue
        price = cells.get(place)
        if price is None:
            wrong.append(f"{place}: published {published.price}, missing")
        elif Decimal(price) != Decimal(published.price) or (price != published.price and not published.derived):
            wrong.append(f"{place}: published {published.price}, sheet {price}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("sheet", HEADERS)
def test_nothing_is_invented(sheet: str) -> None:
    invented = [f"{place}: {price}" for place, price in sheet_cells(sheet).items() if place not in PUBLISHED]
    assert not invented, "\n".join(invented)


def test_the_transcription_is_whole() -> None:
    # Counted by hand on the tables, so that a lost row or column of this file does not go unnoticed.
    assert sum(place.sheet == "mps-intl" for place in PUBLISHED) == 2 * (9 * 14 + 6 + 3) + 5 * (6 + 2 + 4) + 3 + 3 + 1
    china = 10 * 6 + 6 + 6 + 10 * 6 + 11 * 6 + 11 * 6 + 4 * (6 + 1) + 4 * 6 + 4 * 6 + 4 * 6 + 6 + 6 + 3 * 6 * 4 + 7
    assert sum(place.sheet == "mps-china" for place in PUBLISHED) == china
    assert {place.sheet for place in PUBLISHED} == set(HEADERS)
    assert {published.mark for published in PUBLISHED.values()} == {"M", "A"}


@pytest.mark.parametrize("sheet", HEADERS)
def test_prices_are_plain_decimals(sheet: str) -> None:
    plain = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]{1,10})?", re.ASCII)
    assert [price for price in sheet_cells(sheet).values() if not plain.fullmatch(price)] == []


@pytest.mark.parametrize("sheet", HEADERS)
def test_tiers_ascend_and_end_in_rest(sheet: str) -> None:
    for item in load(sheet)["items"].values():
        for by_region in item.get("prices", {}).values():
            for price in by_region.values():
                if isinstance(price, dict):
                    *bounds, rest = price["up_to"]
                    assert rest == "rest"
                    assert [int(b) for b in bounds] == sorted({int(b) for b in bounds})


# ---- Items and headers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sheet", HEADERS)
def test_headers(sheet: str) -> None:
    document = load(sheet)
    billing = document["billing"]
    header = (document["site"], document["product"], document["currency"], billing["cycle"])
    assert document["format"] == "mps-bill/price-sheet/1"
    assert document["id"] == sheet
    assert header == HEADERS[sheet]
    assert document["effective_from"] == "2023-11-01T00:00:00+08:00"
    assert "effective_to" not in document
    assert billing["timezone"] == "+08:00"
    assert billing["settlement"] == "hourly"
    assert billing["rounding"] == {"places": "2", "mode": "down"}
    if document["product"] == "mps":
        assert billing["issue_after"] == "1h"


@pytest.mark.parametrize("sheet", HEADERS)
def test_items_are_metered_as_published(sheet: str) -> None:
    allowed = {"name", "family", "unit", "spec", "resolutions", "metering", "prices", "prices_from", "sources"}
    document = load(sheet)
    for code, item in document["items"].items():
        assert set(item) <= allowed, code
        assert ("prices" in item) != ("prices_from" in item), code
        assert (item["family"], item["unit"], item["metering"]) == METERED[code], code
        assert ("{resolution}" in item.get("spec", "")) == ("resolutions" in item), code
        if "spec" in item and "{" not in item["spec"]:
            assert list(item["prices"]) == [item["spec"]], code


@pytest.mark.parametrize("sheet", ["mps-china", "mps-intl"])
def test_resolution_buckets(sheet: str) -> None:
    sets = load(sheet)["resolutions"]
    video = {"LD": "640x480", "SD": "1280x720", "HD": "1920x1080", "2K": "2560x1440", "4K": "3840x2160"}
    assert sets["video"] == video
    if "enhancement" in sets:
        assert sets["enhancement"] == {**video, "8K": "7680x4320"}


def test_the_first_lines_say_what_a_sheet_is() -> None:
    for sheet in SHEETS:
        opening = text_of(sheet).partition("format:")[0]
        assert all(line.startswith("#") for line in opening.splitlines())
        assert "Tax is not included" in opening
        assert "README.md" in opening
        assert "effective_from" in opening


# ---- Sources and marks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sheet", HEADERS)
def test_every_item_names_sources_that_exist(sheet: str) -> None:
    document = load(sheet)
    ids = [source["id"] for source in document["sources"]]
    assert len(ids) == len(set(ids))
    for source in document["sources"]:
        assert set(source) <= {"id", "url", "read_on", "covers", "product"}
        assert source["url"].startswith("https://")
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", source["read_on"])
        assert source["covers"]
    for code, item in document["items"].items():
        assert item["sources"], code
        assert set(item["sources"]) <= set(ids), code


def own_and_sister(document: dict[str, Any], item: dict[str, Any]) -> tuple[bool, bool]:
    by_id = {source["id"]: source for source in document["sources"]}
    sister = ["product" in by_id[name] for name in item["sources"]]
    return not all(sister), any(sister)


@pytest.mark.parametrize("sheet", HEADERS)
def test_marks_agree_with_sources(sheet: str) -> None:
    document = load(sheet)
    for place, published in PUBLISHED.items():
        if place.sheet == sheet:
            own, sister = own_and_sister(document, document["items"][place.item])
            assert sister if published.mark == "A" else own, place


def price_nodes(node: yaml.Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from price_nodes(value, (*path, key.value))
    elif isinstance(node, yaml.ScalarNode):
        yield path, node


@pytest.mark.parametrize("sheet", HEADERS)
def test_where_sources_are_mixed_the_rows_of_the_sister_product_are_marked(sheet: str) -> None:
    document = load(sheet)
    lines = text_of(sheet).splitlines()
    groups = document.get("region_groups", {})
    for path, node in price_nodes(yaml.compose(text_of(sheet), Loader=yaml.BaseLoader)):
        if path[0] != "items" or path[2] != "prices" or path[-1] in {"tiers", "per"}:
            continue
        _, code, _, spec, key, *rest = path
        own, sister = own_and_sister(document, document["items"][code])
        if not (own and sister):
            continue
        tier = ""
        if rest:
            table = document["items"][code]["prices"][spec][key]
            tier = f"{table['tiers']} {table['per']} " + ("rest" if rest[-1] == "rest" else f"<= {rest[-1]}")
        marks = {PUBLISHED[Place(sheet, code, spec, region, tier)].mark for region in groups.get(key, [key])}
        assert len(marks) == 1, path
        assert ("[A]" in lines[node.start_mark.line]) == (marks == {"A"}), path


# ---- The folder -----------------------------------------------------------------------------------------------------


def test_the_readme_lists_exactly_the_sheets_of_the_folder() -> None:
    readme = (PRICING / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z-]+)\.yaml` \|", readme, re.MULTILINE)
    assert listed == list(HEADERS)
    assert sorted(listed) == SHEETS


def test_the_readme_explains_every_spec_code() -> None:
    readme = (PRICING / "README.md").read_text(encoding="utf-8")
    fixed = {
        spec
        for sheet in SHEETS
        for item in load(sheet)["items"].values()
        if "{" not in item.get("spec", "")
        for spec in item["prices"]
    }
    assert [spec for spec in sorted(fixed) if f"`{spec}`" not in readme] == []
