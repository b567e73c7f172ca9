"""The bucket and spec of a record, its quantity in steps, and its hour, by either engine."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.core.decimals import plain
from mps_bill.core.times import iso
from mps_bill.core.units import in_unit
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import BillRun
from mps_bill.rating.lines import LineItem
from tests.kit import ENGINES, billed, row, usage_of, usage_text


def lines_of(run: BillRun) -> list[LineItem]:
    return [line for bill in run.bills for line in bill.lines]


def quantity(line: LineItem) -> str:
    return plain(in_unit(line.micros, line.item.unit))


BUCKETS = [
    (640, 480, "H264.LD"),
    (1, 1, "H264.LD"),
    (640, 360, "H264.LD"),
    (641, 480, "H264.SD"),
    (640, 481, "H264.SD"),
    (1280, 720, "H264.SD"),
    (1281, 1, "H264.HD"),
    (1280, 721, "H264.HD"),
    (1920, 823, "H264.HD"),
    (1920, 1080, "H264.HD"),
    (1920, 1098, "H264.2K"),
    (1920, 1081, "H264.2K"),
    (1921, 1080, "H264.2K"),
    (2560, 1440, "H264.2K"),
    (2561, 1440, "H264.4K"),
    (1440, 1440, "H264.2K"),
    (1441, 1441, "H264.4K"),
    (3840, 2160, "H264.4K"),
    (2160, 2160, "H264.4K"),
    # Square and narrow pictures: both sides count.
    (720, 720, "H264.SD"),
    (1080, 1080, "H264.HD"),
    (3840, 1, "H264.4K"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("width", "height", "spec"), BUCKETS)
def test_the_smallest_bucket_for_both_sides_is_used_in_either_orientation(
    width: int, height: int, spec: str, engine: EngineName, tmp_path: Path
) -> None:
    sizes = [(width, height), (height, width)]
    text = usage_text([row(job_id=f"j-{w}x{h}", width=str(w), height=str(h)) for w, h in dict.fromkeys(sizes)])
    run = billed(tmp_path, text, options=MeterOptions(engine=engine))
    assert [line.spec for line in lines_of(run)] == [spec]


def test_items_have_their_own_buckets(tmp_path: Path) -> None:
    rows = [
        usage_of("sharpening", job_id=size, width=size, height="1", unit="frame") for size in ("640", "1920", "1921")
    ]
    for engine in ENGINES:
        run = billed(tmp_path, usage_text(rows), options=MeterOptions(engine=engine))
        assert [(line.spec, line.records) for line in lines_of(run)] == [("Sharp.HD", 2), ("Sharp.8K", 1)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("values", "spec"),
    [
        ({}, "H264.HD"),
        ({"spec": "H264.HD"}, "H264.HD"),
        ({"spec": "H264.HD", "codec": "", "width": "", "height": ""}, "H264.HD"),
        ({"spec": "H264.SD", "width": "", "height": ""}, "H264.SD"),
        ({"spec": "H264.HD", "codec": ""}, "H264.HD"),
        ({"item": "audio"}, "Audio"),
        ({"item": "audio", "codec": "AAC", "width": "9999", "height": "9999"}, "Audio"),
        ({"item": "audio", "spec": "Audio", "codec": ""}, "Audio"),
        ({"item": "review", "spec": "porn"}, "porn"),
    ],
)
def test_specs_are_derived_or_named(values: dict[str, str], spec: str, engine: EngineName, tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text([row(**values)]), options=MeterOptions(engine=engine))
    assert [line.spec for line in lines_of(run)] == [spec]


#: (item, quantity, unit) -> the quantity on the bill, in the item's unit
QUANTITIES = [
    # Each record to 0.01 minute, half up from the third decimal, at least 0.02.
    ("transcoding", "0.004999", "minute", "0.02"),
    ("transcoding", "0.000001", "second", "0.02"),
    ("transcoding", "0.4", "second", "0.02"),
    ("transcoding", "1.2", "second", "0.02"),
    ("transcoding", "1.499999", "second", "0.02"),
    ("transcoding", "1.5", "second", "0.03"),
    ("transcoding", "10", "minute", "10"),
    ("transcoding", "10.004999", "minute", "10"),
    ("transcoding", "10.005", "minute", "10.01"),
    ("transcoding", "10.015", "minute", "10.02"),
    ("transcoding", "62.605", "second", "1.04"),
    ("transcoding", "62.7", "second", "1.05"),
    ("transcoding", "0", "second", "0"),
    ("transcoding", "0.000000", "minute", "0"),
    ("transcoding", "1", "hour", "60"),
    ("transcoding", "0.5", "day", "720"),
    ("transcoding", "999999999999.999999", "second", "16666666666.67"),
    ("transcoding", "999999999999.999999", "day", "1439999999999999.99856"),
    # Each begun half minute; each whole minute.
    ("packaging", "0.000001", "second", "0.5"),
    ("packaging", "30", "second", "0.5"),
    ("packaging", "30.000001", "second", "1"),
    ("packaging", "0", "second", "0"),
    ("packaging", "999999999999.999999", "day", "1439999999999999.99856"),
    ("clips", "59.999999", "second", "0"),
    ("clips", "60", "second", "1"),
    ("clips", "119.999999", "second", "1"),
    # Pro rata with a smallest quantity of a record.
    ("captions", "59.999999", "second", "1"),
    ("captions", "60.000001", "second", "1.0000000167"),
    ("captions", "0.000001", "minute", "1"),
    ("captions", "0", "minute", "0"),
    # Pro rata.
    ("dna", "60020", "second", "1000.3333333333"),
    ("dna", "0.000001", "second", "0.0000000167"),
    # Other dimensions.
    ("storage", "720", "GB-hour", "1"),
    ("storage", "1", "GB-month", "1"),
    ("storage", "0.5", "GB-hour", "0.0006944444"),
    ("traffic", "1", "TB", "1024"),
    ("traffic", "1", "MB", "0.0009765625"),
    ("traffic", "0.000001", "MB", "0.000000001"),
]


def expected_quantity(item: str, amount: str) -> str:
    """Two of the largest are rounded to the step by hand: 999999999999.999999 days are 1439999999999999.99856 minutes."""
    if amount != "1439999999999999.99856":
        return amount
    return {"transcoding": "1440000000000000", "packaging": "1440000000000000"}[item]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("item", "amount", "unit", "shown"), QUANTITIES)
def test_quantities_follow_the_rule_of_the_item(
    item: str, amount: str, unit: str, shown: str, engine: EngineName, tmp_path: Path
) -> None:
    line = row if item == "transcoding" else usage_of
    text = usage_text([line(item=item, quantity=amount, unit=unit)])
    run = billed(tmp_path, text, options=MeterOptions(engine=engine))
    assert [quantity(one) for one in lines_of(run)] == [expected_quantity(item, shown)]


def test_records_are_rounded_one_by_one_and_cycles_as_a_whole(tmp_path: Path) -> None:
    each = [row(job_id=f"t-{number}", quantity="1.005") for number in range(3)]
    cycle = [usage_of("review", job_id=f"r-{number}", spec="porn", quantity="1.5") for number in range(3)]
    for engine in ENGINES:
        run = billed(tmp_path, usage_text(each + cycle), options=MeterOptions(engine=engine))
        # 3 x 1.01, not 3.015 rounded; and 4.5 rounded down to 4, not 3 x 1.
        assert [quantity(line) for line in lines_of(run)] == ["3.03", "4"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("completed", "cycle"),
    [
        ("2023-11-10T11:00:00+08:00", "2023-11-10T11:00:00+08:00"),
        ("2023-11-10T10:59:59.999999999+08:00", "2023-11-10T10:00:00+08:00"),
        ("2023-11-10T11:59:59.9999999+08:00", "2023-11-10T11:00:00+08:00"),
        ("2023-11-10T12:00+08:00", "2023-11-10T12:00:00+08:00"),
        ("2023-11-10 03:20:00Z", "2023-11-10T11:00:00+08:00"),
        ("2023-11-10T03:20:00.5Z", "2023-11-10T11:00:00+08:00"),
        ("2023-11-10T08:30:00+05:30", "2023-11-10T11:00:00+08:00"),
        ("2023-11-10T08:29:59+0530", "2023-11-10T10:00:00+08:00"),
        ("2023-11-09T19:00:00-08:00", "2023-11-10T11:00:00+08:00"),
        ("2023-11-09T20:59:59-07", "2023-11-10T11:00:00+08:00"),
        ("2023-11-10T17:00:00+14:00", "2023-11-10T11:00:00+08:00"),
        ("2023-11-10T17:59:00+14:59", "2023-11-10T11:00:00+08:00"),
        ("2023-11-30T15:59:59Z", "2023-11-30T23:00:00+08:00"),
        ("2023-11-30T16:00:00Z", "2023-12-01T00:00:00+08:00"),
        ("2024-02-29T23:59:59+08:00", "2024-02-29T23:00:00+08:00"),
        ("2999-12-31T23:59:59Z", "3000-01-01T07:00:00+08:00"),
    ],
)
def test_a_record_falls_in_the_hour_in_which_it_completed(
    completed: str, cycle: str, engine: EngineName, tmp_path: Path
) -> None:
    text = usage_text([row(completed_at=completed)])
    run = billed(tmp_path, text, options=MeterOptions(engine=engine))
    assert [iso(bill.cycle.start, 28_800) for bill in run.bills] == [cycle]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("given", "completed", "cycle"),
    [
        (28_800, "2023-11-10T11:20:00", "2023-11-10T11:00:00+08:00"),
        (0, "2023-11-10T03:20:00", "2023-11-10T11:00:00+08:00"),
        (19_800, "2023-11-10 08:30", "2023-11-10T11:00:00+08:00"),
        (-28_800, "2023-11-09T19:20:00.123456789", "2023-11-10T11:00:00+08:00"),
        # A time that has an offset keeps it.
        (0, "2023-11-10T11:20:00+08:00", "2023-11-10T11:00:00+08:00"),
    ],
)
def test_a_given_offset_applies_to_times_without_one(
    given: int, completed: str, cycle: str, engine: EngineName, tmp_path: Path
) -> None:
    options = MeterOptions(engine=engine, assumed_offset=given)
    run = billed(tmp_path, usage_text([row(completed_at=completed)]), options=options)
    assert [iso(bill.cycle.start, 28_800) for bill in run.bills] == [cycle]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("status", "is_billed"),
    [
        ("", True),
        ("success", True),
        ("SUCCESS", True),
        ("TranscodeSuccess", True),
        ("transcodesuccess", True),
        ("failed", False),
        ("Failed", False),
        ("TranscodeFail", False),
        ("TRANSCODECANCELLED", False),
        ("TranscodeCancelled", False),
    ],
)
def test_failed_jobs_are_counted_and_free(status: str, is_billed: bool, engine: EngineName, tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text([row(status=status)]), options=MeterOptions(engine=engine))
    totals = run.control_totals
    assert (totals.rows_billed, totals.rows_not_billable) == ((1, 0) if is_billed else (0, 1))
    assert len(lines_of(run)) == totals.rows_billed


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failed_job_may_leave_out_quantity_size_and_codec(engine: EngineName, tmp_path: Path) -> None:
    bare = row(codec="", width="", height="", quantity="", unit="", status="failed")
    late = row(job_id="j-2", completed_at="1999-01-01T00:00:00Z", status="failed")
    strange = row(job_id="j-3", spec="none", codec="VP9", width="99999", height="99999", unit="frame", status="failed")
    run = billed(tmp_path, usage_text([bare, late, strange]), options=MeterOptions(engine=engine))
    assert (run.control_totals.rows_not_billable, run.bills) == (3, ())


@pytest.mark.parametrize(
    "values",
    [{"job_id": ""}, {"item": "nothing"}, {"region": "nowhere"}, {"quantity": "1e3"}, {"completed_at": "now"}],
    ids=str,
)
def test_a_failed_job_must_still_be_well_formed(values: dict[str, str], tmp_path: Path) -> None:
    from tests.kit import problems_of, source

    text = usage_text([row(**{"status": "failed", **values})])
    for engine in ENGINES:
        assert problems_of([source(tmp_path / "usage.csv", text)], options=MeterOptions(engine=engine)).total == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_zero_quantity_makes_a_line_of_nothing(engine: EngineName, tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text([row(quantity="0")]), options=MeterOptions(engine=engine))
    (line,) = lines_of(run)
    assert (line.records, line.micros, line.amount) == (1, 0, Decimal(0))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_region_price_takes_precedence_over_the_group_and_the_group_over_the_default(
    engine: EngineName, tmp_path: Path
) -> None:
    sheet_prices = {"cn-shanghai": "0.0651", "us-west-1": "0.0225"}
    rows = [row(job_id=region, region=region) for region in sheet_prices]
    run = billed(tmp_path, usage_text(rows), options=MeterOptions(engine=engine))
    assert {line.region: str(line.unit_price) for line in lines_of(run)} == sheet_prices
