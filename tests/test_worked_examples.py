"""The worked examples that the provider publishes, from usage to bill."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.core.decimals import amount_text, stripped
from mps_bill.core.times import iso
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import BillRun, bill_usage
from tests.kit import ENGINES, billed, book, sheet_of, shipped, source, usage_of, usage_text
from tests.kit import row as usage_row

WHOLE_MINUTES = sheet_of(
    currency="CNY",
    items="""\
  smart_tag:
    name: Smart tag, whole minutes of the cycle's sum
    family: video-ai
    unit: minute
    spec: SmartTag
    metering: {per: cycle, step: 1, rounding: down}
    prices: {SmartTag: {"*": 0.3}}
  video_dna:
    name: Video DNA, whole minutes of the cycle's sum
    family: video-ai
    unit: minute
    spec: DNA
    metering: {per: cycle, step: 1, rounding: down}
    prices: {DNA: {"*": 0.05}}
  review:
    name: Automated review
    family: video-ai
    unit: minute
    metering: {per: cycle, step: 1, rounding: down}
    prices:
      porn: {"*": {tiers: volume, per: month, up_to: {3000: 0.1, 10000: 0.09, 100000: 0.08, rest: 0.07}}}
      terrorism: {"*": {tiers: volume, per: month, up_to: {3000: 0.1, 10000: 0.09, 100000: 0.08, rest: 0.07}}}
""",
)


def billed_by(tmp_path: Path, sheet: str, engine: EngineName, *rows: str) -> BillRun:
    usage = source(tmp_path / "usage.csv", usage_text(rows))
    return bill_usage([usage], shipped(sheet), MeterOptions(engine=engine))


def amounts_of(run: BillRun) -> list[tuple[str, str]]:
    return [(line.spec, stripped(line.amount)) for bill in run.bills for line in bill.lines]


@pytest.mark.parametrize("engine", ENGINES)
def test_example_1_ten_minutes_of_1920x823_are_hd(engine: EngineName, tmp_path: Path) -> None:
    run = billed_by(tmp_path, "mps-china", engine, usage_row(width="1920", height="823", quantity="10"))
    assert amounts_of(run) == [("H264.HD", "0.651")]


@pytest.mark.parametrize("engine", ENGINES)
def test_example_2_a_clip_of_three_minutes_of_1920x1098_is_2k(engine: EngineName, tmp_path: Path) -> None:
    run = billed_by(tmp_path, "mps-china", engine, usage_row(width="1920", height="1098", quantity="3"))
    assert amounts_of(run) == [("H264.2K", "0.42")]


@pytest.mark.parametrize("engine", ENGINES)
def test_example_3_ten_minutes_of_audio(engine: EngineName, tmp_path: Path) -> None:
    run = billed_by(tmp_path, "mps-china", engine, usage_of("audio_transcoding", quantity="10"))
    assert amounts_of(run) == [("Audio", "0.056")]


@pytest.mark.parametrize("engine", ENGINES)
def test_example_4_fifty_minutes_of_captions_in_singapore(engine: EngineName, tmp_path: Path) -> None:
    row = usage_of("caption_extraction", region="ap-southeast-1", quantity="50")
    run = billed_by(tmp_path, "mps-intl", engine, row)
    assert [amount for _, amount in amounts_of(run)] == ["1.18325"]
    assert amount_text(run.bills[0].amounts.payable) == "1.18"


@pytest.mark.parametrize("engine", ENGINES)
def test_example_5_jobs_of_eleven_to_twelve_are_billed_at_two(engine: EngineName, tmp_path: Path) -> None:
    sheet = WHOLE_MINUTES.replace("issue_after: 1h", "issue_after: 2h")
    times = ("2023-11-10T11:00:00+08:00", "2023-11-10T11:59:59.999+08:00")
    rows = [usage_of("video_dna", job_id=at, completed_at=at) for at in times]
    run = billed(tmp_path, usage_text(rows), sheet, options=MeterOptions(engine=engine))
    (bill,) = run.bills
    assert iso(bill.cycle.issued_at, 28_800) == "2023-11-10T14:00:00+08:00"
    assert bill.lines[0].records == 2


SMART_TAG = [
    usage_of("smart_tag", job_id="done", quantity="60020", unit="second"),
    usage_of("smart_tag", job_id="lost", quantity="600", unit="second", status="failed"),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_example_6_smart_tag_by_the_second_without_the_failed_part(engine: EngineName, tmp_path: Path) -> None:
    run = billed_by(tmp_path, "mps-china", engine, *SMART_TAG)
    assert [amount for _, amount in amounts_of(run)] == ["300.1"]
    assert run.control_totals.rows_not_billable == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_example_6_smart_tag_by_whole_minutes(engine: EngineName, tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text(SMART_TAG), WHOLE_MINUTES, options=MeterOptions(engine=engine))
    assert amounts_of(run) == [("SmartTag", "300")]


@pytest.mark.parametrize("engine", ENGINES)
def test_example_7_video_dna_by_whole_minutes(engine: EngineName, tmp_path: Path) -> None:
    # The same seconds in several jobs: the sum is rounded, not each job.
    parts = [usage_of("video_dna", job_id=part, quantity=part, unit="second") for part in ("59990.5", "29.4", "0.1")]
    run = billed(tmp_path, usage_text(parts), WHOLE_MINUTES, options=MeterOptions(engine=engine))
    assert amounts_of(run) == [("DNA", "50")]


REVIEW = [
    usage_of("review", job_id="porn", spec="porn", quantity="60020", unit="second"),
    usage_of("review", job_id="terrorism", spec="terrorism", quantity="300010", unit="second"),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_example_8_review_by_whole_minutes_and_volume_tiers(engine: EngineName, tmp_path: Path) -> None:
    own = billed(tmp_path, usage_text(REVIEW), WHOLE_MINUTES, options=MeterOptions(engine=engine))
    ours = billed_by(tmp_path, "mps-china", engine, *REVIEW)
    for run in (own, ours):
        assert amounts_of(run) == [("porn", "100"), ("terrorism", "450")]
        assert amount_text(run.bills[0].amounts.payable) == "550.00"


def traffic(hour: str, gigabytes: str, region: str = "CN") -> str:
    at = f"2023-11-{hour}:10:00+08:00"
    return usage_of("cdn_traffic", job_id=at, completed_at=at, region=region, quantity=gigabytes, unit="GB")


@pytest.mark.parametrize("engine", ENGINES)
def test_example_11_traffic_of_a_month_fills_its_tiers(engine: EngineName, tmp_path: Path) -> None:
    run = billed_by(tmp_path, "cdn-intl", engine, traffic("10T08", "51200"), traffic("10T09", "1000"))
    assert amounts_of(run) == [("Traffic", "2048"), ("Traffic", "30")]
    # A bill comes three to four hours after its hour.
    assert [iso(bill.cycle.issued_at, 28_800) for bill in run.bills] == [
        "2023-11-10T12:00:00+08:00",
        "2023-11-10T13:00:00+08:00",
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_traffic_of_an_area_outside_the_mainland_fills_its_own_tiers(engine: EngineName, tmp_path: Path) -> None:
    rows = [traffic("10T08", "40000", "AP1"), traffic("20T08", "40000", "AP1"), traffic("10T07", "9999999", "AP2")]
    run = billed_by(tmp_path, "cdn-intl", engine, *rows)
    amounts = [line.amount for bill in run.bills for line in bill.lines if line.region == "AP1"]
    assert stripped(sum(amounts)) == "5932.8"


@pytest.mark.parametrize("engine", ENGINES)
def test_example_12_queues_by_the_day(engine: EngineName, tmp_path: Path) -> None:
    days = [("10T09", "30"), ("11T09", "50"), ("11T21", "20")]
    rows = [
        usage_of(
            "mns_queue",
            job_id=at,
            completed_at=f"2023-11-{at}:00:00+08:00",
            region="cn-hangzhou",
            quantity=n,
            unit="day",
        )
        for at, n in days
    ]
    assert amounts_of(billed_by(tmp_path, "mns-intl", engine, *rows)) == [("Queue", "2.4"), ("Queue", "5.6")]


@pytest.mark.parametrize("engine", ENGINES)
def test_example_13_storage_of_eight_to_nine_is_billed_at_half_past_nine(engine: EngineName, tmp_path: Path) -> None:
    row = usage_of("oss_storage_standard_lrs", completed_at="2023-11-10T08:59:59+08:00", quantity="720", unit="GB-hour")
    run = billed_by(tmp_path, "oss-china", engine, row)
    assert amounts_of(run) == [("Storage", "0.12")]
    assert [iso(bill.cycle.issued_at, 28_800) for bill in run.bills] == ["2023-11-10T09:30:00+08:00"]
    # Settled by the month, half an hour after it is over.
    assert [(month.month, iso(month.issued_at, 28_800)) for month in run.months] == [
        ("2023-11", "2023-12-01T00:30:00+08:00")
    ]


def test_the_sheet_of_whole_minutes_differs_from_pro_rata_only_below_a_minute(tmp_path: Path) -> None:
    assert book(WHOLE_MINUTES).currency == "CNY"
    run = billed(tmp_path, usage_text([usage_of("video_dna", quantity="59.999999", unit="second")]), WHOLE_MINUTES)
    assert amounts_of(run) == [("DNA", "0")]
