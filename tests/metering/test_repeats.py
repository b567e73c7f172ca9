"""The same record twice: billed once if all rows agree, and not at all if they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from tests.kit import ENGINES, billed, metered, places, problems_of, row, source, usage_text


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "again",
    [
        {},
        # The same instant, the same quantity and the same outcome in other words.
        {"completed_at": "2023-11-10T03:20:00Z"},
        {"completed_at": "2023-11-10 11:20+0800"},
        {"completed_at": "2023-11-10T11:20:00.000+08:00"},
        {"quantity": "10.0"},
        {"quantity": "10.000000"},
        {"status": "success"},
        {"status": "TranscodeSuccess"},
        {"codec": '"H264"'},
        {"job_id": '"j-1"'},
    ],
    ids=str,
)
def test_equal_rows_are_one_record_and_its_duplicates(
    again: dict[str, str], engine: EngineName, tmp_path: Path
) -> None:
    text = usage_text([row(), row(job_id="other"), row(**again), row()])
    run = billed(tmp_path, text, options=MeterOptions(engine=engine))
    totals = run.control_totals
    assert (totals.rows_read, totals.rows_billed, totals.rows_duplicate) == (4, 2, 2)
    assert str(run.bills[0].amounts.list_amount) == "1.302"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"quantity": "10.000001"}, 'quantity "10.000001" here, "10" there'),
        (
            {"completed_at": "2023-11-10T11:20:00.000001+08:00"},
            'completed_at "2023-11-10T03:20:00.000001+00:00" here, "2023-11-10T03:20:00+00:00" there',
        ),
        (
            {"completed_at": "2023-11-10T11:20:00.900+08:00"},
            'completed_at "2023-11-10T03:20:00.9+00:00" here, "2023-11-10T03:20:00+00:00" there',
        ),
        ({"completed_at": "2023-11-10T11:20:00Z"}, "completed_at"),
        ({"region": "cn-beijing"}, 'region "cn-beijing" here, "cn-shanghai" there'),
        ({"codec": "H265"}, 'codec "H265" here, "H264" there'),
        ({"width": "1080", "height": "1920"}, 'width "1080" here, "1920" there'),
        ({"spec": "H264.HD"}, 'spec "H264.HD" here, "" there'),
        ({"quantity": "600", "unit": "second"}, 'unit "second" here, "minute" there'),
        ({"status": "failed"}, 'status "failed" here, "success" there'),
        ({"tag_project": "news"}, 'tag_project "news" here, "" there'),
    ],
    ids=str,
)
def test_rows_that_contradict_each_other_are_all_rejected_and_both_lines_named(
    values: dict[str, str], said: str, engine: EngineName, tmp_path: Path
) -> None:
    text = usage_text([row(job_id="other"), row(), row(), row(**values), row()])
    options = MeterOptions(engine=engine, bill_good_rows=True)
    result = metered([source(tmp_path / "usage.csv", text)], options=options)
    assert places(result.problems) == [("usage.csv:5:1", "U401")]
    message = result.problems.shown[0].message
    assert 'job "j-1" (transcoding) conflicts with usage.csv:3 (' in message
    assert said in message
    assert (result.rows_read, result.rows_rejected, sum(group.records for group in result.groups)) == (5, 4, 1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "values", [{"output": "2"}, {"job_id": "J-1"}, {"item": "audio"}, {"job_id": "j-1 "}, {"output": "0"}], ids=str
)
def test_another_output_item_or_job_is_another_record(
    values: dict[str, str], engine: EngineName, tmp_path: Path
) -> None:
    run = billed(tmp_path, usage_text([row(), row(**values)]), options=MeterOptions(engine=engine))
    assert (run.control_totals.rows_billed, run.control_totals.rows_duplicate) == (2, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_repeats_are_found_across_files_with_other_columns(engine: EngineName, tmp_path: Path) -> None:
    first = source(tmp_path / "a.csv", usage_text([row()]))
    names = "unit,quantity,height,width,codec,item,region,completed_at,job_id"
    second = source(
        tmp_path / "b.csv", f"{names}\nminute,10,1080,1920,H264,transcoding,cn-shanghai,2023-11-10T03:20Z,j-1\n"
    )
    result = metered([first, second], options=MeterOptions(engine=engine))
    assert ([group.records for group in result.groups], result.rows_duplicate) == ([1], 1)
    third = source(tmp_path / "c.csv", usage_text([row(quantity="11")]))
    assert places(problems_of([first, second, third], options=MeterOptions(engine=engine))) == [("c.csv:2:1", "U401")]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failed_job_that_was_repeated_under_its_id_contradicts_itself(engine: EngineName, tmp_path: Path) -> None:
    text = usage_text([row(status="failed"), row()])
    report = problems_of([source(tmp_path / "usage.csv", text)], options=MeterOptions(engine=engine))
    assert places(report) == [("usage.csv:3:1", "U401")]


@pytest.mark.parametrize("engine", ENGINES)
def test_repeated_failed_rows_are_duplicates_too(engine: EngineName, tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text([row(status="failed")] * 3), options=MeterOptions(engine=engine))
    assert (run.control_totals.rows_not_billable, run.control_totals.rows_duplicate) == (1, 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_without_the_check_every_row_is_billed(engine: EngineName, tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text([row(), row()]), options=MeterOptions(engine=engine, trust_unique=True))
    assert (run.control_totals.rows_billed, run.control_totals.rows_duplicate) == (2, 0)


ALIKE = ["j-1 ", " j-1", "j-1\u00a0", "\u200bj-1", "j\u200d-1", "\ufeffj-1", "j-1\u3000"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["job_id", "output"])
@pytest.mark.parametrize("other", ALIKE)
@pytest.mark.parametrize("swapped", [False, True])
def test_ids_that_look_alike_are_reported_with_their_places(
    other: str, name: str, swapped: bool, engine: EngineName, tmp_path: Path
) -> None:
    rows = [row(**{name: "j-1"}), row(job_id="x"), row(**{name: other}), row(job_id="y "), row(job_id="y ")]
    told: list[str] = []
    content = usage_text(rows[::-1] if swapped else rows)
    options = MeterOptions(engine=engine, notify=told.append)
    result = metered([source(tmp_path / "usage.csv", content)], options=options)
    assert (sum(group.records for group in result.groups), result.rows_duplicate) == (4, 1)
    (said,) = told
    lines = (6, 4) if swapped else (2, 4)
    assert [f"usage.csv:{line}" in said for line in range(2, 7)] == [line in lines for line in range(2, 7)]
    assert ascii(other)[1:-1] in said or other.strip("\u3000") in said


@pytest.mark.parametrize("engine", ENGINES)
def test_lookalikes_give_one_warning_and_ids_that_differ_visibly_give_none(engine: EngineName, tmp_path: Path) -> None:
    rows = [row(job_id=f"j-{number}{end}") for number in range(200) for end in ("", " ")]
    told: list[str] = []
    options = MeterOptions(engine=engine, notify=told.append)
    metered([source(tmp_path / "usage.csv", usage_text(rows))], options=options)
    (said,) = told
    assert "(and 195 more)" in said
    told.clear()
    rows = [row(job_id=job) for job in ("a b", "ab", "A B", "a  b", "é", "e", "项目 ", "z ")]
    metered([source(tmp_path / "other.csv", usage_text(rows))], options=options)
    assert told == []
