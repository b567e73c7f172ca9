"""A sheet without mistakes becomes the values of the model, digit for digit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.times import Calendar, parse_second
from mps_bill.core.units import UNITS
from mps_bill.price_sheet.price_kinds.flat import FlatPrice
from mps_bill.price_sheet.price_kinds.tiers import Tier, TieredPrice
from mps_bill.price_sheet.price_kinds.volume import VolumePrice
from mps_bill.price_sheet.sheet_model import (
    Billing,
    Metering,
    PriceInForce,
    PriceSheet,
    Resolution,
    Source,
)
from tests.kit import GOOD_SHEET, changed, read_sheet


def _sheet(text: str = GOOD_SHEET) -> PriceSheet:
    sheet, problems = read_sheet(text, "f.yaml")
    assert [str(problem) for problem in problems] == []
    assert sheet is not None
    return sheet


def test_head() -> None:
    sheet = _sheet()
    assert (sheet.id, sheet.site, sheet.product, sheet.currency) == ("mps-intl", "international", "mps", "USD")
    assert sheet.ref == "mps-intl@2024-04-01T00:00:00+08:00"
    assert sheet.effective_from == parse_second("2024-04-01T00:00:00+08:00")
    assert sheet.effective_to is None
    assert sheet.billing == Billing(Calendar(3600, 28800), 3600, "hourly", 2, "down")
    assert sheet.region_groups["east"] == ("cn-shanghai", "ap-southeast-1")
    assert sheet.sources == (
        Source("page", "https://example.com/a", "2026-11-23", "standard transcoding", None),
        Source(None, "https://example.com/b", "2026-11-24", "the rest", "Sister"),
    )


def test_items_are_in_the_order_of_the_sheet() -> None:
    sheet = _sheet()
    assert list(sheet.items) == ["transcoding", "narrowband_hd_1", "segments", "review", "review_plus"]
    item = sheet.items["transcoding"]
    assert (item.code, item.name, item.family) == ("transcoding", "Standard transcoding", "transcoding")
    assert item.unit == UNITS["minute"]
    assert item.template == "{codec}.{resolution}"
    assert item.resolutions[:2] == (Resolution("LD", 640, 480), Resolution("SD", 1280, 720))
    assert item.metering == Metering("record", 600_000, "half-up", 1_200_000)
    assert item.sources == sheet.sources[:1]
    assert str(item.place) == "f.yaml:23:3"


def test_prices_keep_their_digits_and_places() -> None:
    sheet = _sheet()
    prices = sheet.items["transcoding"].prices
    assert list(prices) == ["H264.HD", "H264.LD", "Audio"]
    price = prices["H264.LD"]["mainland"]
    assert isinstance(price, FlatPrice)
    assert str(price.unit_price) == "0.0330"
    assert str(price.place) == "f.yaml:32:27"
    item = sheet.items["transcoding"]
    assert sheet.price(item, "Audio", "cn-newtown") == PriceInForce(prices["Audio"]["cn-newtown"], "cn-newtown")
    assert sheet.price(item, "Audio", "eu-west-1") == PriceInForce(prices["Audio"]["*"], "*")
    assert sheet.price(item, "H264.HD", "cn-newtown") == PriceInForce(prices["H264.HD"]["mainland"], "mainland")
    assert sheet.price(item, "H264.HD", "eu-west-1") is None


def test_tiers() -> None:
    item = _sheet().items["review"]
    price = item.prices["porn"]["*"]
    assert isinstance(price, VolumePrice)
    assert (price.model, price.per) == ("volume", "month")
    minute = 60_000_000
    assert price.tiers == (
        Tier(3000 * minute, Decimal("0.1")),
        Tier(10_000 * minute + minute // 2, Decimal("0.09")),
        Tier(None, Decimal("0.07")),
    )
    assert item.template is None
    assert item.metering == Metering("cycle", minute, "down", 0)


def test_derived_prices_are_in_the_order_of_their_base() -> None:
    sheet = _sheet()
    prices = sheet.items["narrowband_hd_1"].prices
    assert {spec: {region: str(price.unit_price) for region, price in by.items() if isinstance(price, FlatPrice)}
            for spec, by in prices.items()} == {
        "H264.HD.NarrowBandHDV1": {"mainland": "0.0297", "us-west-1": "0.0675"},
        "H264.LD.NarrowBandHDV1": {"mainland": "0.099"},
    }  # fmt: skip
    assert (
        prices["H264.HD.NarrowBandHDV1"]["mainland"].place
        == sheet.items["transcoding"].prices["H264.HD"]["mainland"].place
    )
    tiered = sheet.items["review_plus"].prices["porn"]["*"]
    assert isinstance(tiered, TieredPrice)
    assert [str(tier.unit_price) for tier in tiered.tiers] == ["0.15", "0.135", "0.105"]


def test_metering_is_pro_rata_by_default() -> None:
    sheet = _sheet()
    assert sheet.items["segments"].metering == Metering("none", 0, "half-up", 0)
    assert sheet.items["segments"].sources == sheet.sources


def test_a_derived_item_may_come_before_its_base() -> None:
    head, items = GOOD_SHEET.split("  transcoding:\n")
    derived = items[items.index("  narrowband_hd_1:") : items.index("  segments:")]
    sheet = _sheet(head + derived + "  transcoding:\n" + items.replace(derived, ""))
    assert list(sheet.items)[:2] == ["narrowband_hd_1", "transcoding"]
    assert list(sheet.items["narrowband_hd_1"].prices) == ["H264.HD.NarrowBandHDV1", "H264.LD.NarrowBandHDV1"]


def test_a_day_begins_on_the_billing_clock() -> None:
    text = changed("cycle: hour", "cycle: day")
    assert _sheet(text).billing.calendar == Calendar(86_400, 28_800)
    half_hour = changed("+08:00\n", "+05:30\n", changed('"+08:00"', '"+05:30"'))
    assert _sheet(half_hour).billing.calendar.offset == 19_800


def test_values_that_yaml_would_convert_are_kept_as_text() -> None:
    sheet = _sheet(changed("0.0330", "'0.03300'", changed("name: Transmuxing", "name: no")))
    price = sheet.items["transcoding"].prices["H264.LD"]["mainland"]
    assert isinstance(price, FlatPrice)
    assert str(price.unit_price) == "0.03300"
    assert sheet.items["segments"].name == "no"


def test_every_item_except_a_wrong_one_is_still_compared_with_other_sheets() -> None:
    sheet, problems = read_sheet(changed("0.0099", "1e-3"), "f")
    assert sheet is None
    assert len(problems) == 1


_WORDS = [
    "transcoding",
    "rest",
    "*",
    "mainland",
    "{codec}",
    "0.01",
    "1e3",
    "-1",
    "video",
    "item",
    "",
    "~",
    "[",
    "{a: b}",
    "&x",
]


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert read_sheet(text, "f")[1]


@given(st.integers(0, GOOD_SHEET.count(" ")), st.sampled_from(_WORDS), st.integers(0, 3))
def test_no_edit_of_a_sheet_raises(at: int, word: str, width: int) -> None:
    parts = GOOD_SHEET.split(" ")
    parts[at : at + width] = [word]
    sheet, problems = read_sheet(" ".join(parts), "f")
    assert (sheet is None) == bool(problems)


@given(st.integers(0, len(GOOD_SHEET)), st.integers(0, 40))
def test_no_truncated_sheet_raises(start: int, length: int) -> None:
    sheet, problems = read_sheet(GOOD_SHEET[:start] + GOOD_SHEET[start + length :], "f")
    assert (sheet is None) == bool(problems)


def test_areas_of_content_delivery_and_every_public_region_are_known() -> None:
    areas = ("CN", "NA", "EU", "AP1", "AP2", "AP3", "MEAA", "SA", "us-southeast-1")
    cells = ", ".join(f"{area}: 0.1" for area in areas)
    sheet, problems = read_sheet(changed("Segmentation: {east: 0.002}", f"Segmentation: {{{cells}}}"), "sheet.yaml")
    assert not problems
    assert sheet
    assert list(sheet.items["segments"].prices["Segmentation"]) == list(areas)
