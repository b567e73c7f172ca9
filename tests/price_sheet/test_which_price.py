"""The version and the price that apply, at the limits of periods and of sizes."""

from __future__ import annotations

import pytest

from mps_bill.core.decimals import plain
from mps_bill.core.times import iso, parse_second
from mps_bill.price_sheet.book import book_of
from mps_bill.price_sheet.sheet_model import Resolution
from mps_bill.price_sheet.spec import bucket
from tests.kit import SHEET, book

FIRST = SHEET.replace(
    "effective_from: 2023-11-01T00:00:00+08:00",
    "effective_from: 2023-11-01T00:00:00+08:00\neffective_to: 2023-11-10T00:00:00+08:00",
)
SECOND = SHEET.replace("2023-11-01", "2023-11-20")
THIRD = SHEET.replace("2023-11-01", "2023-12-01")


@pytest.mark.parametrize(
    ("at", "version"),
    [
        ("2023-10-31T23:59:59", None),
        ("2023-11-01T00:00:00", "2023-11-01"),
        ("2023-11-09T23:59:59", "2023-11-01"),
        ("2023-11-10T00:00:00", None),  # the first has ended, the second has not begun
        ("2023-11-19T23:59:59", None),
        ("2023-11-20T00:00:00", "2023-11-20"),
        ("2023-11-30T23:59:59", "2023-11-20"),
        ("2023-12-01T00:00:00", "2023-12-01"),
        ("2033-01-01T00:00:00", "2023-12-01"),
    ],
)
def test_a_version_is_in_force_from_its_start_until_before_its_end(at: str, version: str | None) -> None:
    found = book(FIRST, SECOND, THIRD).sheet_at("mps", parse_second(f"{at}+08:00"))
    assert (found and iso(found.effective_from, 28_800)[:10]) == version


@pytest.mark.parametrize("cycle", ["hour", "day"])
def test_the_book_of_one_sheet_reaches_back_to_the_first_usage(cycle: str) -> None:
    """The earliest usage is at 1970-01-01T00:00+14:00, in UTC+8 in the cycle from 18:00, or the day, of 1969-12-31."""
    (sheet,) = book(FIRST.replace("cycle: hour", f"cycle: {cycle}")).sheets
    ever = book_of(sheet)
    calendar = ever.calendar("mps")
    for second in (parse_second("1970-01-01T00:00:00+14:00"), parse_second("2999-12-31T23:59:59Z")):
        assert ever.sheet_at("mps", calendar.cycle_start(second)) is not None


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        # Shanghai and Beijing are in the group mainland. In order: Shanghai, Beijing, Virginia.
        ('{cn-shanghai: 1, mainland: 2, "*": 3}', ["1", "2", "3"]),
        ('{"*": 3, mainland: 2, cn-shanghai: 1}', ["1", "2", "3"]),
        ('{mainland: 2, "*": 3}', ["2", "2", "3"]),
        ('{cn-beijing: 1, "*": 3}', ["3", "1", "3"]),
        ("{mainland: 2}", ["2", "2", None]),
        ("{us-east-1: 4}", [None, None, "4"]),
    ],
)
def test_the_own_price_of_a_region_then_of_its_group_then_of_every_region(
    prices: str, expected: list[str | None]
) -> None:
    (sheet,) = book(SHEET.replace('Audio: {"*": 0.0056}', f"Audio: {prices}")).sheets
    found = [
        sheet.price(sheet.items["audio"], "Audio", region) for region in ("cn-shanghai", "cn-beijing", "us-east-1")
    ]
    assert [plain(one.price.figures()[0][1]) if one else None for one in found] == expected


@pytest.mark.parametrize(
    ("long", "short", "expected"),
    [(640, 480, "LD"), (641, 480, "SD"), (640, 481, "SD"), (1280, 720, "SD"), (1280, 721, None), (1281, 1, None)],
)
def test_a_size_is_for_pictures_up_to_both_its_sides(long: int, short: int, expected: str | None) -> None:
    found = bucket((Resolution("LD", 640, 480), Resolution("SD", 1280, 720)), long, short)
    assert (found and found.name) == expected
