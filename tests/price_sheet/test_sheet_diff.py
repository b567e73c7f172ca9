"""Differences between two sheets are reported by the price that each region pays, with exact amounts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from mps_bill.core.decimals import percent_text
from mps_bill.price_sheet.rises import rises
from mps_bill.price_sheet.sheet_diff import SheetDiff, diff_sheets
from tests.invalid.gallery import GOOD as GOOD_FILE
from tests.kit import changed, read_sheet

GOOD = GOOD_FILE.read_text()


def diff(*edits: tuple[str, str], swapped: bool = False) -> SheetDiff:
    text = GOOD
    for old, new in edits:
        text = changed(old, new, text)
    sheets = []
    for version in (GOOD, text):
        sheet, problems = read_sheet(version, "f")
        assert sheet, problems
        sheets.append(sheet)
    return diff_sheets(*reversed(sheets)) if swapped else diff_sheets(*sheets)


def rates(found: SheetDiff) -> list[tuple[str, str, str, str | None, str | None]]:
    return [
        (rate.spec, rate.regions, rate.tier, rate.old and str(rate.old), rate.new and str(rate.new))
        for rate in found.rates
    ]


def words(found: SheetDiff) -> list[tuple[str, str, str, str]]:
    of_items = [(item.code, change) for item in found.items for change in item.words]
    return [
        (code, change.what, change.old, change.new) for code, change in [*(("", w) for w in found.words), *of_items]
    ]


def test_equal_sheets_have_no_difference() -> None:
    found = diff()
    assert not found
    assert (found.words, found.items) == ((), ())


def test_the_same_price_in_another_notation_is_not_a_change() -> None:
    assert not diff(("asia: 0.0125", "asia: 0.01250"))
    # Members listed one by one pay the price of the group.
    assert not diff(("{mainland: 0.0099", "{cn-beijing: 0.0099, cn-shanghai: 0.0099"))
    assert not diff(("{mainland: 0.0099", "{cn-beijing: 0.0099, mainland: 0.0099"))


def test_a_rising_price_is_reported_once_for_a_group() -> None:
    found = diff(("{mainland: 0.0099", "{mainland: 0.0100"))
    assert rates(found) == [
        ("H264.HD", "mainland", "", "0.0099", "0.0100"),
        ("H264.HD.Narrow", "mainland", "", "0.0297", "0.03"),
    ]
    first = next(found.rates)
    assert first.difference == Decimal("0.0001")
    assert first.ratio == Fraction(100, 99)
    assert percent_text(first.ratio) == "~+1.01 %"


def test_a_region_that_leaves_its_groups_price_is_reported_by_itself() -> None:
    found = diff(("{mainland: 0.0099", "{cn-shanghai: 0.0120, mainland: 0.0099"))
    assert rates(found)[0] == ("H264.HD", "cn-shanghai", "", "0.0099", "0.0120")


def test_added_and_removed_prices_and_items() -> None:
    edits = ("H265.SD: {mainland: 0.0248, asia: 0.0625}", "H265.SD: {mainland: 0.0248}")
    assert rates(diff(edits)) == [
        ("H265.SD", "asia", "", "0.0625", None),
        ("H265.SD.Narrow", "asia", "", "0.1875", None),
    ]
    assert [rate.difference for rate in diff(edits).rates] == [None, None]
    assert rates(diff(edits, swapped=True))[0] == ("H265.SD", "asia", "", None, "0.0625")
    renamed = diff(("  transmuxing:", "  segmenting:"))
    assert [(item.code, item.old is None, item.new is None) for item in renamed.items] == [
        ("segmenting", True, False),
        ("transmuxing", False, True),
    ]


def test_a_price_for_every_region_is_reported_for_regions_without_their_own() -> None:
    found = diff(('{"*": 0.0021}', '{mainland: 0.0018, "*": 0.0021}'))
    assert rates(found) == [("Segmentation", "mainland", "", "0.0021", "0.0018")]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("{3000: 0.1, 10000: 0.09, rest: 0.07}", [("10000+", "0.08", "0.07")]),
        ("{5000: 0.1, 10000: 0.09, rest: 0.08}", [("3000-5000", "0.09", "0.1")]),
        ("{3000: 0.1, rest: 0.08}", [("3000-10000", "0.09", "0.08")]),
        ("{1000: 0.2, 3000: 0.1, 10000: 0.09, rest: 0.08}", [("0-1000", "0.1", "0.2")]),
    ],
)
def test_tiers_are_compared_between_the_bounds_of_both(new: str, expected: list[tuple[str, str, str]]) -> None:
    found = diff(("{3000: 0.1, 10000: 0.09, rest: 0.08}", new))
    assert [(tier, old, after) for _, _, tier, old, after in rates(found)] == expected
    assert words(found) == []


def test_tier_changes_in_words() -> None:
    assert words(diff(("tiers: volume", "tiers: graduated"))) == [
        ("review", "price of porn in mainland", "volume per month", "graduated per month")
    ]
    flat = diff(("{tiers: volume, per: month, up_to: {3000: 0.1, 10000: 0.09, rest: 0.08}}", "0.1"))
    assert words(flat) == [("review", "price of porn in mainland", "volume per month", "one price")]
    assert [(tier, old, new) for _, _, tier, old, new in rates(flat)] == [
        ("3000-10000", "0.09", "0.1"),
        ("10000+", "0.08", "0.1"),
    ]


def test_changes_other_than_prices_are_reported_in_words() -> None:
    found = diff(
        ("2024-04-01T", "2025-04-01T"),
        ("issue_after: 1h", "issue_after: 26h"),
        ("settlement: hourly", "settlement: monthly"),
        ("{places: 2, mode: down}", "{places: 4, mode: half-up}"),
        ("[ap-southeast-1, ap-northeast-1]", "[ap-southeast-1]"),
        ("{per: record, step: 0.01, rounding: half-up, minimum: 0.02}", "{per: cycle, step: 1, rounding: up}"),
        ("HD: 1920x1080", "HD: 2048x1080"),
    )
    assert words(found) == [
        ("", "in force from", "2024-04-01 00:00 +08:00", "2025-04-01 00:00 +08:00"),
        ("", "bill issued after", "1 hour", "1 day and 2 hours"),
        ("", "settlement", "hourly", "monthly"),
        ("", "bill rounded", "down to 2 decimal places", "half-up to 4 decimal places"),
        ("", "group asia", "ap-southeast-1, ap-northeast-1", "ap-southeast-1"),
        ("transcoding", "sizes", "SD 1280x720, HD 1920x1080", "SD 1280x720, HD 2048x1080"),
        ("transcoding", "metering", "each record rounded half-up to 0.01 minutes, at least 0.02 minutes",
         "the cycle's sum rounded up to 1 minute"),
        ("narrowband", "sizes", "SD 1280x720, HD 1920x1080", "SD 1280x720, HD 2048x1080"),
    ]  # fmt: skip
    assert {rate.regions for rate in found.rates} == {"ap-northeast-1"}


def test_a_change_of_unit_compares_equal_quantities() -> None:
    old, new = '    unit: minute\n    spec: Segmentation\n    prices:\n      Segmentation: {"*": 0.0021}', "0.126"
    per_hour = old.replace("minute", "hour").replace("0.0021", new)
    found = diff((old, per_hour))
    (rate,) = found.rates
    assert words(found) == [("transmuxing", "unit", "minute", "hour")]
    # 0.126 per hour is 0.0021 per minute.
    assert rate.ratio == 1
    assert not rate.rises
    found = diff((old, old.replace("minute", "frame").replace("0.0021", "1")))
    (frames,) = found.rates
    assert frames.ratio is None
    assert frames.rises
    assert all(rise.exceeds(Decimal(1000)) for rise in rises(found))


@pytest.mark.parametrize(
    ("new", "percent", "is_above"),
    [
        ("0.00231", "10", False),
        ("0.00231", "9.9999999999", True),
        ("0.0023100001", "10", True),
        ("0.0020", "0", False),
        ("0.0021", "0", False),
        ("0.0021000001", "0", True),
    ],
)
def test_a_limit_is_exact(new: str, percent: str, is_above: bool) -> None:
    found = diff(("0.0021", new))
    assert any(rise.exceeds(Decimal(percent)) for rise in rises(found)) is is_above


def test_a_rise_from_zero_is_above_every_limit() -> None:
    found = diff(('{"*": 0.0021}', '{"*": 0}'), swapped=True)
    assert [rise.exceeds(Decimal(1_000_000)) for rise in rises(found)] == [True]
    assert [rate.ratio for rate in found.rates] == [None]


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Fraction(1), "0 %"),
        (Fraction(11, 10), "+10 %"),
        (Fraction(9, 8), "+12.5 %"),
        (Fraction(7, 8), "-12.5 %"),
        (Fraction(4, 3), "~+33.33 %"),
        (Fraction(2, 3), "~-33.33 %"),
        (Fraction(1_000_001, 1_000_000), "~+0 %"),
        (Fraction(1_000_050, 1_000_000), "~+0.01 %"),
        (Fraction(3), "+200 %"),
    ],
)
def test_a_percentage_says_when_it_is_rounded(ratio: Fraction, text: str) -> None:
    assert percent_text(ratio) == text


def test_unpriced_usage_and_other_spellings_are_reported() -> None:
    entry = "unpriced:\n  - {items: [transcoding], specs: [H266], note: not published}\n"
    late = "  - {items: [review], before: 2024-05-01T00:00:00+08:00, note: new in May}\n"
    alias = "spec_aliases: {TS: Segmentation}\n    spec: Segmentation"
    found = diff(("items:\n", f"{entry}{late}items:\n"), ("spec: Segmentation", alias))
    assert words(found) == [
        ("", "without a price: transcoding H266", "", "not published"),
        ("", "without a price: review", "", "before 2024-05-01 00:00 +08:00: new in May"),
        ("transmuxing", "other spellings", "", "TS is Segmentation"),
    ]


def test_counting_across_the_item_is_another_kind_of_price() -> None:
    found = diff(("per: month", "per: month, across: item"))
    assert words(found) == [("review", "price of porn in mainland", "volume per month", "volume per month across item")]
