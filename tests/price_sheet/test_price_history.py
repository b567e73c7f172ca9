"""The history of each price over the versions of a sheet, per equal quantity."""

from __future__ import annotations

from fractions import Fraction

from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.table import HistoryRow, Selection, grids, price_history
from tests.invalid.gallery import GOOD as GOOD_FILE
from tests.kit import changed, read_sheet

GOOD = GOOD_FILE.read_text()


def sheet(*edits: tuple[str, str]) -> PriceSheet:
    text = GOOD
    for old, new in edits:
        text = changed(old, new, text)
    found, problems = read_sheet(text, "f")
    assert found, problems
    return found


def rows(spec: str, *versions: PriceSheet) -> list[HistoryRow]:
    return [row for row in price_history(versions) if row.spec == spec]


def test_a_unit_price_has_an_entry_for_each_version() -> None:
    (row, _) = rows("H264.HD", sheet(), sheet(("0.0099", "0.0110")), sheet(("0.0099", "0.0110")))
    assert (row.regions, [str(one.price) for one in row.past]) == ("mainland", ["0.0099", "0.0110", "0.0110"])
    assert [one.ratio for one in row.past] == [None, Fraction(10, 9), 1]


def test_a_region_that_leaves_its_group_has_its_own_row() -> None:
    new = sheet(("{mainland: 0.0099", "{cn-shanghai: 0.0120, mainland: 0.0099"))
    assert {row.regions for row in rows("H264.HD", sheet(), new)} == {"cn-shanghai", "cn-beijing", "asia"}


def test_prices_that_end_and_return() -> None:
    without = sheet(("      H265.HD: {mainland: 0.0496, asia: 0.1250}\n", ""))
    (row, _) = rows("H265.HD", sheet(), without, sheet(("0.0496", "0.0992")))
    assert [one.price and str(one.price) for one in row.past] == ["0.0496", None, "0.0992"]
    assert row.past[2].ratio == 2


def test_another_unit_is_compared_per_equal_quantity() -> None:
    old = '    unit: minute\n    spec: Segmentation\n    prices:\n      Segmentation: {"*": 0.0021}'
    hourly = sheet((old, old.replace("minute", "hour").replace("0.0021", "0.252")))
    (row,) = rows("Segmentation", sheet(), hourly)
    assert (row.past[1].ratio, row.past[1].unit.name if row.past[1].unit else "") == (2, "hour")
    frames = sheet((old, old.replace("minute", "frame")))
    assert rows("Segmentation", sheet(), frames)[0].past[1].ratio is None


def test_tiers_are_between_the_bounds_of_every_version() -> None:
    new = sheet(("{3000: 0.1, 10000: 0.09, rest: 0.08}", "{5000: 0.1, rest: 0.08}"))
    found = [(row.tier, [str(one.price) for one in row.past]) for row in rows("porn", sheet(), new)]
    assert found == [
        ("0-3000", ["0.1", "0.1"]),
        ("3000-5000", ["0.09", "0.1"]),
        ("5000-10000", ["0.09", "0.08"]),
        ("10000+", ["0.08", "0.08"]),
    ]


def test_a_grid_counts_codecs_resolutions_and_regions_and_names_the_holes() -> None:
    found = sheet(("H265.HD: {mainland: 0.0496, asia: 0.1250}", "H265.HD: {mainland: 0.0496, ap-southeast-1: 0.1250}"))
    grid, narrow = grids(found, Selection())
    assert (grid.codecs, grid.resolutions, len(grid.regions)) == (("H264", "H265"), ("SD", "HD"), 4)
    assert (grid.cells, grid.priced, grid.holes) == (16, 15, (("H265.HD", ("ap-northeast-1",)),))
    assert narrow.holes == (("H265.HD.Narrow", ("ap-northeast-1",)),)
    lost = sheet(("      H265.HD: {mainland: 0.0496, asia: 0.1250}\n", ""))
    assert next(grids(lost, Selection())).holes == (("H265.HD", ("mainland", "asia")),)
