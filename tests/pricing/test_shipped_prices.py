"""The shipped price sheets have exactly the provider's published prices: every one, as written, and nothing else.

The tables below are a second transcription, typed from the published tables in the same layout, so that a person can
compare them with a page. They are compared with `pricing/*.yaml` cell by cell. This file reads the YAML itself (every
scalar as text) and resolves region groups itself, so that it does not depend on the program's own loader.

Every price has a mark: `M` if the provider's page of the sheet's own product has it; `A` if the price list of a sister
product on the same engine has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from mps_bill.core.times import parse_second
from mps_bill.metering.assign import assign
from mps_bill.metering.scheme import scheme_for
from mps_bill.metering.usage_columns import UsageKey
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.load_sheets import load_price_book

PRICING = Path(__file__).resolve().parents[2] / "pricing"
SHEETS = sorted(path.stem for path in PRICING.glob("*.yaml") if not path.name.endswith(".cases.yaml"))

# ---- The published tables -------------------------------------------------------------------------------------------

MAINLAND = ["cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-hangzhou", "cn-shanghai", "cn-shenzhen"]
#: Every mainland region of the provider, and the regions on the page of MNS.
EVERY_MAINLAND = [
    *MAINLAND, "cn-huhehaote", "cn-wulanchabu", "cn-nanjing", "cn-fuzhou", "cn-wuhan-lr", "cn-heyuan", "cn-guangzhou",
    "cn-chengdu",
]  # fmt: skip
MNS_MAINLAND = [*MAINLAND, "cn-huhehaote", "cn-chengdu", "cn-guangzhou", "cn-wulanchabu"]
MNS_OUTSIDE = [
    "cn-hongkong", "ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-7", "eu-central-1", "eu-west-1",
    "us-west-1", "us-east-1", "us-southeast-1", "me-east-1", "ap-southeast-3", "ap-southeast-5",
]  # fmt: skip
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

#: International site, USD per minute, advanced editing: mainland; Hong Kong and Germany; Japan, India, Singapore; Indonesia.
INTL_ADVANCED_REGIONS = (
    MAINLAND,
    ["cn-hongkong", "eu-central-1"],
    ["ap-northeast-1", "ap-south-1", "ap-southeast-1"],
    ["ap-southeast-5"],
)
INTL_EDITING_ADVANCED = """
    H264.4K   .1922 A   .2025 A   .225  A   .225  A
    H264.2K   .0959 A   .1521 A   .1688 A   .1688 A
    H264.HD   .0446 A   .1013 A   .1125 A   .1125 A
    H264.SD   .0225 A   .0509 A   .0563 A   .0563 A
    H264.LD   .0149 A   .0378 A   .0423 A   -     -
"""

#: The sister product's prices of Narrowband HD 1.0, mainland, USD, which prove the factor: H.264 and H.265 at 4K, 2K, HD, SD, LD.
SISTER_NARROWBAND = "0.1299 0.0651 0.0303 0.015 0.0102 0.6501 0.3249 0.1512 0.0756 0.0504"

#: CDN, per GB and billing area. USD: up to 50 TB, 100 TB, 1 PB, above; CNY: up to 10 TB, 50 TB, 100 TB, 1 PB, above.
CDN_USD = """
    NA .07/.06/.03/.025       EU .07/.06/.03/.025       AP1 .081/.062/.053/.048   AP2 .108/.094/.079/.072
    AP3 .096/.083/.070/.064   MEAA .105/.085/.07/.06    SA .105/.085/.07/.06
"""
CDN_CNY = """
    NA .46/.46/.39/.20/.16    EU .46/.46/.39/.20/.16    AP1 .58/.58/.45/.38/.35      AP2 .78/.78/.67/.57/.52
    AP3 .69/.69/.60/.51/.46   MEAA 1.31/1.31/1.18/.98/.92    SA 1.31/1.31/1.18/.92/.85
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

#: Single prices: sheet, item, spec, regions, price, number of units, mark.
SINGLE = [
    ("mps-china", "dolby", "Dolby", MAINLAND, "3.5", 1, "M"),
    ("mps-china", "virtual_surround", "VirtualSurround", MAINLAND, "2.0", 1, "M"),
    ("mps-china", "sound_enhancement", "SoundEnhancement", MAINLAND, "2.0", 1, "M"),
    ("mps-china", "volume_normalisation_pro", "VolumeNormalisation.Pro", MAINLAND, "0.1", 1, "M"),
    ("mps-china", "video_dna", "VideoDNA", MAINLAND, "0.05", 1, "M"),
    ("mps-china", "smart_tag", "SmartTag", MAINLAND, "0.3", 1, "A"),
    ("mps-china", "drm_licence", "DRMLicence", ["cn-beijing", "cn-shanghai"], "0.008", 1, "A"),
    # In the list, "elsewhere" is Singapore, India, Indonesia, Japan, Germany.
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
    ("mps-intl", "drm_licence", "DRMLicence", ["cn-beijing", "cn-shanghai"], "0.0012", 1, "A"),
    ("mps-intl", "drm_licence", "DRMLicence", ["ap-southeast-1", "ap-south-1"], "0.0015", 1, "A"),
    ("mps-intl", "drm_licence", "DRMLicence", ["ap-southeast-5", "ap-northeast-1", "eu-central-1"], "0.0015", 1, "A"),
    ("older/mps-china", "transcoding", "H264.2K", MAINLAND, "0.1400", 1, "M"),
    ("older/mps-china", "transcoding", "H264.HD", MAINLAND, "0.0651", 1, "M"),
    ("older/mps-china", "transcoding", "H264.SD", MAINLAND, "0.0326", 1, "M"),
    ("older/mps-china", "transcoding", "H264.LD", MAINLAND, "0.0217", 1, "M"),
    ("older/mps-china", "audio_transcoding", "Audio", MAINLAND, "0.0056", 1, "M"),
    ("oss-china", "oss_storage_archive", "ChargedArchive", EVERY_MAINLAND, "0.033", 1, "M"),
    ("oss-china", "oss_ia_retrieval", "RetrievalIA", EVERY_MAINLAND, "0.0325", 1, "M"),
    ("oss-china", "oss_cross_region_replication", "ReplicationOut", EVERY_MAINLAND, "0.50", 1, "M"),
    ("kms-china", "kms_calls", "basic", EVERYWHERE, "0.214", 10_000, "M"),
    ("kms-china", "kms_calls", "advanced", EVERYWHERE, "1.068", 10_000, "M"),
    ("kms-china", "kms_key_version_legacy", "software", EVERYWHERE, "0.014", 1, "M"),
    ("kms-china", "kms_key_version_legacy", "hardware.basic", EVERYWHERE, "0.237", 1, "M"),
    ("kms-intl", "kms_calls", "basic", EVERYWHERE, "0.03", 10_000, "M"),
    ("kms-intl", "kms_calls", "advanced", EVERYWHERE, "0.15", 10_000, "M"),
    ("kms-intl", "kms_key_version_legacy", "software", EVERYWHERE, "0.002", 1, "M"),
    ("kms-intl", "kms_key_version_legacy", "hardware.basic", EVERYWHERE, "0.033", 1, "M"),
    ("kms-intl", "kms_qps", "QPS", EVERYWHERE, "0.5", 1, "M"),
    ("mns-intl", "mns_queue", "Queue", MNS_OUTSIDE, "0.11", 1, "M"),
    ("mns-intl", "mns_queue", "Queue", RIYADH, "0.132", 1, "M"),
    ("mns-intl", "mns_topic", "Topic", ["ap-southeast-3", "ap-southeast-5"], "0.43", 1, "M"),
    ("oss-china", "oss_storage_standard_lrs", "Storage", EVERY_MAINLAND, "0.12", 1, "M"),
    ("oss-china", "oss_storage_standard_zrs", "StorageZRS", EVERY_MAINLAND, "0.15", 1, "M"),
    ("oss-china", "oss_storage_ia_lrs", "ChargedDatasize", EVERY_MAINLAND, "0.08", 1, "M"),
    ("oss-china", "oss_put_requests", "PutRequest", EVERY_MAINLAND, "0.01", 10_000, "M"),
    ("oss-china", "oss_get_requests", "GetRequest", EVERY_MAINLAND, "0.01", 10_000, "M"),
    ("oss-china", "oss_outbound_internet", "NetworkOut.Peak", EVERY_MAINLAND, "0.50", 1, "M"),
    ("oss-china", "oss_outbound_internet", "NetworkOut.OffPeak", EVERY_MAINLAND, "0.25", 1, "M"),
    ("oss-china", "oss_back_to_origin", "CdnOut", EVERY_MAINLAND, "0.15", 1, "M"),
    ("oss-intl", "oss_storage_standard_lrs", "Storage", EVERY_MAINLAND, "0.0173", 1, "M"),
    ("oss-intl", "oss_outbound_internet", "NetworkOut", VIRGINIA, "0.076", 1, "M"),
    ("kms-china", "kms_calls", "basic", EVERY_MAINLAND, "0.6", 10_000, "M"),
    ("kms-china", "kms_calls", "advanced", EVERY_MAINLAND, "1.8", 10_000, "M"),
    ("kms-intl", "kms_calls", "basic", EVERY_MAINLAND, "0.08", 10_000, "M"),
    ("kms-intl", "kms_calls", "advanced", EVERY_MAINLAND, "0.24", 10_000, "M"),
    ("kms-intl", "kms_instance", "software", EVERYWHERE, "4.5", 1, "M"),
    ("kms-intl", "kms_instance", "hardware", EVERYWHERE, "9", 1, "M"),
    ("kms-intl", "kms_key_version", "KeyVersion", EVERYWHERE, "0.03", 1, "M"),
    ("kms-intl", "kms_secret", "Secret", EVERYWHERE, "0.013", 1, "M"),
    ("mns-intl", "mns_queue", "Queue", MNS_MAINLAND, "0.08", 1, "M"),
    ("mns-intl", "mns_topic", "Topic", MNS_MAINLAND, "0.32", 1, "M"),
]

TB = 1024  # GB
PB = 1024 * TB

#: Prices by tier: sheet, item, spec, regions, model, number of units, then (up to and including, price, mark).
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
            (100 * TB, "0.21", "A"),
            (1 * PB, "0.18", "A"),
            ("rest", "0.15", "A"),
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
        MNS_MAINLAND,
        "graduated",
        1_000_000,
        [(20_000_000, "0", "M"), ("rest", "2.00", "M")],
    ),
]

CDN_BOUNDS: dict[str, list[int | str]] = {
    "cdn-intl": [50 * TB, 100 * TB, 1 * PB, "rest"],
    "cdn-china": [10 * TB, 50 * TB, 100 * TB, 1 * PB, "rest"],
}
for sheet, mark, text in (("cdn-intl", "M", CDN_USD), ("cdn-china", "A", CDN_CNY)):
    areas = text.split()
    for area, prices in zip(areas[::2], areas[1::2], strict=True):
        cells = [(bound, price, mark) for bound, price in zip(CDN_BOUNDS[sheet], prices.split("/"), strict=True)]
        TIERED.append((sheet, "cdn_traffic", "Traffic", [area], "graduated", 1, cells))

#: By the day, not the month: the first 2,000 versions of advanced hardware keys.
BY_DAY = [("kms-china", "0.593", "0.237"), ("kms-intl", "0.083", "0.033")]

PER_OUTPUT = {"per": "record", "step": "0.01", "rounding": "half-up", "minimum": "0.02"}
WHOLE_MINUTES = {"per": "cycle", "step": "1", "rounding": "down"}
PRO_RATA = {"per": "none"}

#: The unit and the metering rule of each item.
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
    "oss_storage_archive": ("related", "GB-month", PRO_RATA),
    "oss_ia_retrieval": ("related", "GB", PRO_RATA),
    "oss_cross_region_replication": ("related", "GB", PRO_RATA),
    "kms_key_version_legacy": ("related", "day", PRO_RATA),
    "kms_qps": ("related", "day", {"per": "record", "step": "1", "rounding": "up"}),
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
    "older/mps-china": ("china", "mps", "CNY", "hour"),
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
    add_table("mps-intl", "editing_advanced", INTL_EDITING_ADVANCED, INTL_ADVANCED_REGIONS)
    # The factor is published for CNY; the resulting prices in USD are not published, so they are computed here.
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
            across = "month across item" if item == "mns_requests" else "month"
            tier = f"{model} {across} " + ("rest" if bound == "rest" else f"<= {bound}")
            for region in regions:
                add(Place(sheet, item, spec, region, tier), digits(price, of_units), mark)
    for sheet, first, above in BY_DAY:
        for tier, price in (("graduated cycle <= 2000", first), ("graduated cycle rest", above)):
            add(Place(sheet, "kms_key_version_legacy", "hardware.advanced", "*", tier), price, "M")
    return cells


PUBLISHED = published_cells()


def text_of(sheet: str) -> str:
    return (PRICING / f"{sheet}.yaml").read_text(encoding="utf-8")


def load(sheet: str) -> dict[str, Any]:
    """Return the sheet with every scalar as its text."""
    loaded: dict[str, Any] = yaml.load(text_of(sheet), Loader=yaml.BaseLoader)
    return loaded


def price_cells(document: dict[str, Any], code: str) -> dict[tuple[str, str, str], str]:
    """Return (spec, region, tier) → price text of one item, with region groups expanded."""
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
                assert set(price) - {"across"} == {"tiers", "per", "up_to"}
                name = f"{price['tiers']} {_period(price)} "
                tiers = {name + ("rest" if b == "rest" else f"<= {b}"): p for b, p in price["up_to"].items()}
            for region in groups.get(key, [key]):
                for tier, amount in tiers.items():
                    assert (spec, region, tier) not in cells, f"{code} {spec} {region} is priced twice"
                    cells[spec, region, tier] = amount
    return cells


def _period(price: dict[str, Any]) -> str:
    return price["per"] + (f" across {price['across']}" if "across" in price else "")


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


def test_the_transcription_is_complete() -> None:
    # Counted by hand on the tables, so that a lost row or column of this file does not go unnoticed.
    advanced = 5 * 6 + 5 * 2 + 5 * 3 + 4
    intl = 2 * (9 * 14 + 6 + 3) + 5 * (6 + 2 + 4) + advanced + 3 + 3 + 1 + 7
    assert sum(place.sheet == "mps-intl" for place in PUBLISHED) == intl
    assert sum(place.sheet == "cdn-intl" for place in PUBLISHED) == 4 + 28
    assert sum(place.sheet == "cdn-china" for place in PUBLISHED) == 5 + 35
    assert sum(place.sheet == "mns-intl" for place in PUBLISHED) == 10 + 13 + 1 + 10 + 2
    china = 10 * 6 + 6 + 6 + 10 * 6 + 11 * 6 + 11 * 6 + 4 * (6 + 1) + 4 * 6 + 4 * 6 + 4 * 6 + 6 + 6 + 3 * 6 * 4 + 7
    assert sum(place.sheet == "mps-china" for place in PUBLISHED) == china
    assert {place.sheet for place in PUBLISHED} == set(HEADERS)
    assert {published.mark for published in PUBLISHED.values()} == {"M", "A"}


@pytest.mark.parametrize("sheet", HEADERS)
def test_prices_are_plain_decimals(sheet: str) -> None:
    plain = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]{1,10})?", re.ASCII)
    assert [price for price in sheet_cells(sheet).values() if not plain.fullmatch(price)] == []


@pytest.mark.parametrize("sheet", HEADERS)
def test_tiers_ascend_and_end_with_rest(sheet: str) -> None:
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
    assert document["id"] == sheet.removeprefix("older/")
    assert header == HEADERS[sheet]
    older = sheet.startswith("older/")
    assert document["effective_from"] == ("2018-10-10" if older else "2023-11-01") + "T00:00:00+08:00"
    assert document.get("effective_to") == ("2023-11-01T00:00:00+08:00" if older else None)
    assert billing["timezone"] == "+08:00"
    assert billing["settlement"] == ("monthly" if document["product"] == "oss" else "hourly")
    assert billing["rounding"] == {"places": "2", "mode": "down"}
    # Published: OSS half an hour, CDN 3 to 4 hours, KMS before 12:00 of the next day; of MNS only the day.
    lags = {"mps": "1h", "oss": "30m", "cdn": "3h", "kms": "12h", "mns": "1h"}
    assert billing["issue_after"] == lags[document["product"]]


@pytest.mark.parametrize("sheet", HEADERS)
def test_items_are_metered_as_published(sheet: str) -> None:
    allowed = {
        "name",
        "names",
        "family",
        "unit",
        "spec",
        "resolutions",
        "metering",
        "prices",
        "prices_from",
        "sources",
        "spec_aliases",
    }
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
        if path[0] != "items" or path[2] != "prices" or path[-1] in {"tiers", "per", "across"}:
            continue
        _, code, _, spec, key, *rest = path
        own, sister = own_and_sister(document, document["items"][code])
        if not (own and sister):
            continue
        tier = ""
        if rest:
            table = document["items"][code]["prices"][spec][key]
            tier = f"{table['tiers']} {_period(table)} " + ("rest" if rest[-1] == "rest" else f"<= {rest[-1]}")
        marks = {PUBLISHED[Place(sheet, code, spec, region, tier)].mark for region in groups.get(key, [key])}
        assert len(marks) == 1, path
        assert ("[A]" in lines[node.start_mark.line]) == (marks == {"A"}), path


# ---- The folder -----------------------------------------------------------------------------------------------------


def test_the_readme_lists_exactly_the_sheets_of_the_folder() -> None:
    readme = (PRICING / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z0-9-]+)\.yaml` \|", readme, re.MULTILINE)
    assert listed == [sheet for sheet in HEADERS if "/" not in sheet]
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


# ---- Starts of prices, and unpriced usage ---------------------------------------------------------------------------


def test_the_figures_that_prove_the_factor_of_narrowband_hd_are_named() -> None:
    comment = " ".join(text_of("mps-intl").replace("# ", " ").split())
    assert SISTER_NARROWBAND.replace(" ", ", ") in comment


@cache
def prices_of(*names: str) -> PriceBook:
    book, problems = load_price_book([str(PRICING / f"{name}.yaml") if "/" in name else name for name in names])
    assert book is not None, problems
    return book


def refusals(names: tuple[str, ...], item: str, spec: str, region: str, at: str, unit: str = "minute") -> list[str]:
    """Return the reason why usage is refused; empty if it is billed."""
    prices = prices_of(*names)
    key = UsageKey(parse_second(f"{at}:00:00+08:00"), item, region, spec, "", 0, 0, unit, False, ())
    found = assign(key, prices, scheme_for(prices))
    return [refusal.message for refusal in found] if isinstance(found, tuple) else []


NOTE = "the provider bills this, but its price is not published where we could read it; add it to your own sheet"
#: Items that are billed without a readable price, with a spec, on both sites; then on only one.
UNPRICED = [
    ("transcoding", "H266.HD"), ("transcoding", "H265_8K"), ("transcoding", "H265.8K"), ("transcoding", "AV1.4K"),
    ("transcoding", "GIF"), ("transcoding", "WEBP"), ("narrowband_hd_2", "H264.HD.NarrowBandHDV2"), ("api_requests", ""),
    ("digital_watermark", ""), ("intelligent_production", ""), ("boost_transcoding", "H264.HD"), ("face_stylisation", ""),
    ("voice_separation", ""), ("picture_processing", ""),
]  # fmt: skip
CASES = [(sheet, *case) for sheet in ("mps-china", "mps-intl") for case in UNPRICED] + [
    ("mps-intl", "super_resolution_standard", "SuperResolution.Standard.HD"),
    ("mps-intl", "dolby", "Dolby"),
    ("mps-china", "caption_extraction", "CaptionExtraction"),
    ("mns-china", "mns_queue", "Queue"),
    ("mns-intl", "mns_requests", "Request"),
]


@pytest.mark.parametrize(("sheet", "item", "spec"), CASES)
def test_usage_without_a_readable_price_is_refused_with_the_reason(sheet: str, item: str, spec: str) -> None:
    (message,) = refusals((sheet,), item, spec, "cn-shanghai", "2024-01-10T09")
    assert NOTE.partition(", ")[2] in message
    assert re.search(rf"\(pricing/{sheet}\.yaml:\d+:\d+\)$", message)
    assert f"`{item}`" in (PRICING / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("region", ["cn-hongkong", "us-west-1", "eu-central-1", "eu-west-1", "me-central-1"])
@pytest.mark.parametrize("spec", ["H265.LD", "H265.LD.NarrowBandHDV1"])
def test_h265_ld_has_no_price_in_four_columns(region: str, spec: str) -> None:
    item = "narrowband_hd_1" if "Narrow" in spec else "transcoding"
    (message,) = refusals(("mps-intl",), item, spec, region, "2024-01-10T09")
    assert NOTE in message


#: Sheets, item, spec, region, unit, the last hour without a price, the first hour with one, and the reason.
STARTS = [
    *(
        (("mps-china",), item, f"{prefix}.8K", "cn-shanghai", "frame",
         "2023-12-19T23", "2023-12-20T00", "first charged on 2023-12-20")
        for item, prefix in (
            ("super_resolution_standard", "SuperResolution.Standard"),
            ("super_resolution_pro", "SuperResolution.Pro"),
            ("hdr_standard", "HDR.Standard"),
        )
    ),
    (("mps-china",), "super_resolution_standard", "SuperResolution.Standard.8K", "ap-southeast-1", "frame",
     "2023-12-19T23", "2023-12-20T00", "first charged on 2023-12-20"),
    (("mps-china",), "volume_normalisation_pro", "VolumeNormalisation.Pro", "cn-shanghai", "minute",
     "2023-12-19T23", "2023-12-20T00", "first charged on 2023-12-20"),
    (("mps-intl",), "transcoding", "H264.HD", "me-central-1", "minute",
     "2023-11-06T23", "2023-11-07T00", "Riyadh opened on 2023-11-07"),
    (("mps-intl",), "narrowband_hd_1", "H265.4K.NarrowBandHDV1", "me-central-1", "minute",
     "2023-11-06T23", "2023-11-07T00", "Riyadh opened on 2023-11-07"),
    (("mps-china", "older/mps-china"), "transcoding", "H264.HD", "cn-shanghai", "minute",
     "2018-10-09T23", "2018-10-10T00", "no price sheet of mps is in force at 2018-10-09T23:00:00+08:00"),
    (("mps-china", "older/mps-china"), "audio_transcoding", "Audio", "cn-shanghai", "minute",
     "2018-10-09T23", "2023-10-31T23", "no price sheet of mps is in force"),
    (("mps-china", "older/mps-china"), "transcoding", "H264.4K", "cn-shanghai", "minute",
     "2023-10-31T23", "2023-11-01T00", "no page proves its price before 2023-11-01"),
    (("mps-china", "older/mps-china"), "narrowband_hd_1", "H264.HD.NarrowBandHDV1", "cn-shanghai", "minute",
     "2023-10-31T23", "2023-11-01T00", "no page proves its price before 2023-11-01"),
    (("mps-china",), "transcoding", "H264.HD", "cn-shanghai", "minute",
     "2023-10-31T23", "2023-11-01T00", "no price sheet of mps is in force"),
]  # fmt: skip


@pytest.mark.parametrize(("sheets", "item", "spec", "region", "unit", "last", "first", "reason"), STARTS)
def test_usage_before_the_start_of_its_price_is_refused_with_the_reason(
    sheets: tuple[str, ...], item: str, spec: str, region: str, unit: str, last: str, first: str, reason: str
) -> None:
    (message,) = refusals(sheets, item, spec, region, last, unit)
    assert reason in message
    assert refusals(sheets, item, spec, region, first, unit) == []


def test_the_providers_code_of_hd_super_resolution_is_accepted() -> None:
    item = prices_of("mps-china").versions["mps"][0].items["super_resolution_standard"]
    assert item.aliases == {"SuperResolution.Standard.1080P": "SuperResolution.Standard.HD"}
    spec = "SuperResolution.Standard.1080P"
    assert refusals(("mps-china",), "super_resolution_standard", spec, "cn-shanghai", "2023-11-10T09", "frame") == []
