"""Foreign files as usage: the same bill as the converted file, problems at their place in the original, nothing lost."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mps_bill.ask.job_history import explain_job
from mps_bill.core.diagnostics import InputRejected
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import FOREIGN_FORMATS, UsageSource, usage_sources
from mps_bill.pipeline import bill_usage, check_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.load_sheets import load_price_book
from mps_bill.profiles.convert import Converted, check_rows, converted_sources
from mps_bill.profiles.profile_definition import load_profile
from mps_bill.profiles.profile_model import Profile
from tests.kit import ENGINES

SAMPLES = [
    ("job-list.json", "mps-job-list", {}),
    ("job-list.csv", "mps-job-list", {"region": "cn-shanghai"}),
    ("ims-metering.json", "ims-metering", {"region": "cn-shanghai"}),
    ("vod-metering.json", "vod-metering", {"region": "cn-shanghai"}),
    ("render-log.csv", "samples/profiles/render-log.yaml", {}),
]


def profile(name: str, constants: dict[str, str] | None = None) -> Profile:
    found, problems = load_profile(name)
    assert found, problems
    return found.with_constants(constants or {})


@pytest.fixture(scope="module")
def book() -> PriceBook:
    found, problems = load_price_book(["mps-china"])
    assert found, problems
    return found


@contextmanager
def converted(*files: Path, using: Profile) -> Iterator[tuple[Converted, ...]]:
    with usage_sources([str(file) for file in files], formats=FOREIGN_FORMATS) as (sources, problems):
        assert not problems
        with converted_sources(sources, using) as found:
            yield found


def plain(source: UsageSource) -> UsageSource:
    """The converted file by itself, as `usage convert` writes it."""
    return UsageSource(source.name, source.path, "csv", source.size)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("file", "name", "constants"), SAMPLES)
def test_a_bill_with_a_profile_is_the_bill_of_the_converted_file(
    file: str,
    name: str,
    constants: dict[str, str],
    engine: EngineName,
    book: PriceBook,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(root)
    with converted(root / "samples/profiles" / file, using=profile(name, constants)) as (one,):
        options = MeterOptions(engine=engine)
        with_profile = bill_usage([one.source], book, options)
        of_file = bill_usage([plain(one.source)], book, options)
        assert with_profile == of_file
        assert with_profile.control_totals.rows_read == one.rows > 0
        assert not list(check_rows(one.source))


def test_the_three_readings_of_the_same_jobs_agree(book: PriceBook, root: Path) -> None:
    folder = root / "samples/profiles"
    amounts = []
    for file, constants in (("job-list.json", {}), ("job-list.csv", {"region": "cn-shanghai"})):
        with converted(folder / file, using=profile("mps-job-list", constants)) as (one,):
            amounts.append([bill.amounts for bill in bill_usage([one.source], book, MeterOptions()).bills])
            assert one.records == 6
            assert one.skipped == {"the job is not finished": 1}
    assert amounts[0] == amounts[1]


def jobs(*changes: dict[str, object]) -> str:
    """Jobs as in the answers of the API, one on each line; a change to None removes the field."""
    rows = []
    for number, change in enumerate(changes):
        job: dict[str, object] = {
            "JobId": f"j{number}", "State": "TranscodeSuccess", "FinishTime": "2023-11-10T03:20:00Z",
            "Location": "oss-cn-shanghai", "Codec": "h264", "Width": "1920", "Height": "1080", "Duration": "60",
        }  # fmt: skip
        job.update(change)
        video = {"CodecName": job.pop("Codec"), "Width": job.pop("Width"), "Height": job.pop("Height")}
        streams = {"VideoStreamList": {"VideoStream": [video]}}
        output = {
            "OutputFile": {"Location": job.pop("Location")},
            "Properties": {"Streams": streams, "Duration": job.pop("Duration")},
        }
        rows.append(json.dumps({key: value for key, value in {**job, "Output": output}.items() if value is not None}))
    return '{"JobList": {"Job": [\n' + ",\n".join(rows) + "\n]}}\n"


@pytest.mark.parametrize("engine", ENGINES)
def test_all_problems_are_reported_at_once_with_the_original_place(
    tmp_path: Path, book: PriceBook, engine: EngineName
) -> None:
    file = tmp_path / "jobs.json"
    text = jobs(
        {}, {"State": "Done"}, {"FinishTime": None, "Codec": "vp9"}, {"Duration": "1e3"}, {"Width": "0"},
        {"Location": "oss-us-west-1", "Width": "8000"}, {"State": "Submitted", "FinishTime": None}, {"State": "TranscodeFail"},
    )  # fmt: skip
    file.write_text(text)
    with converted(file, using=profile("mps-job-list")) as (one,):
        check = check_usage([one.source], book, MeterOptions(engine=engine, bill_good_rows=True))
    lines = text.split("\n")
    told = {(problem.place.line, problem.kind.slug): problem for problem in check.problems.shown}
    assert sorted(told) == [
        (3, "unknown-word"), (4, "missing-value"), (4, "unknown-word"), (5, "bad-quantity"), (6, "bad-size"),
        (7, "picture-too-large"),
    ]  # fmt: skip
    for (line, _), value in {
        (3, "unknown-word"): '"Done"',
        (5, "bad-quantity"): '"1e3"',
        (6, "bad-size"): '"0"',
    }.items():
        (place,) = (problem.place for key, problem in told.items() if key[0] == line)
        assert place.file == str(file)
        assert lines[line - 1][place.column - 1 :].startswith(value)
    totals = check.control_totals
    assert (totals.rows_read, totals.rows_billed, totals.rows_not_billable, totals.rows_rejected) == (7, 1, 1, 5)
    assert one.records == 8


def test_conversion_alone_finds_wrong_values(tmp_path: Path) -> None:
    file = tmp_path / "jobs.json"
    file.write_text(jobs({}, {"State": "Done"}, {"Duration": "1e3"}, {"Duration": None}))
    with converted(file, using=profile("mps-job-list")) as (one,):
        problems = [(problem.place.line, problem.kind.slug) for problem in check_rows(one.source)]
    assert problems == [(3, "unknown-word"), (4, "bad-quantity"), (5, "missing-value")]


def test_a_row_that_is_read_twice_is_one_record_and_a_changed_one_is_refused(tmp_path: Path, book: PriceBook) -> None:
    def answer(*durations: int) -> str:
        rows = [{"Time": 1699585200, "Specification": "H264.HD", "Duration": duration} for duration in durations]
        return json.dumps({"Data": rows})

    first, second = tmp_path / "a.json", tmp_path / "b.jsonl"
    first.write_text(answer(10))
    second.write_text(answer(10) + "\n" + answer(10))
    using = profile("ims-metering", {"region": "cn-shanghai"})
    with converted(first, second, using=using) as found:
        totals = bill_usage([one.source for one in found], book, MeterOptions()).control_totals
    assert (totals.rows_billed, totals.rows_duplicate) == (1, 2)
    second.write_text(answer(12))
    with converted(first, second, using=using) as found, pytest.raises(InputRejected) as caught:
        bill_usage([one.source for one in found], book, MeterOptions())
    assert [problem.kind.slug for problem in caught.value.report.shown] == ["conflicting-repeat"]


def test_a_record_is_explained_with_its_original_text(root: Path, book: PriceBook) -> None:
    file = root / "samples/profiles/ims-metering.json"
    with converted(file, using=profile("ims-metering", {"region": "cn-shanghai"})) as (one,):
        job = "ims-2023-11-10T04:00:00+00:00-cn-shanghai-H265.4K"
        (explained,) = explain_job([one.source], book, MeterOptions(), job).records
    assert explained.placed.row.line == 19
    assert json.loads(explained.placed.row.raw)["Specification"] == "H265.4K"


def test_compressed_files_and_files_with_a_bom_are_read(tmp_path: Path, root: Path) -> None:
    text = (root / "samples/profiles/job-list.json").read_bytes()
    packed, marked = tmp_path / "a.json.gz", tmp_path / "b.json"
    packed.write_bytes(gzip.compress(text))
    marked.write_bytes(b"\xef\xbb\xbf" + text)
    with converted(packed, marked, using=profile("mps-job-list")) as (a, b):
        assert a.source.path.read_bytes() == b.source.path.read_bytes()


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("x.json", b"", ["empty-file"]),
        ("x.csv", b"\xef\xbb\xbf \n", ["empty-file"]),
        ("x.json", b'{"JobList": {"Job": [', ["bad-json"]),
        ("x.json", b'{"a\xff": 1}', ["not-utf-8"]),
        ("x.csv", b"JobId,State,FinishTime\n", ["missing-field"]),
        ("x.csv", b"JobId,State,FinishTime,Region,State\n", ["repeated-field"]),
        ("x.csv", b"JobId,Stat,Finish,Region\n", ["missing-field", "missing-field"]),
    ],
)
def test_files_without_the_fields_that_the_profile_needs_are_rejected(
    tmp_path: Path, name: str, data: bytes, expected: list[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(InputRejected) as caught, converted(file, using=profile("mps-job-list")):
        pass
    assert [problem.kind.slug for problem in caught.value.report.shown] == expected


def test_a_profile_without_records_reads_no_json(tmp_path: Path, root: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("[]")
    own = profile(str(root / "samples/profiles/render-log.yaml"))
    with pytest.raises(InputRejected) as caught, converted(file, using=own):
        pass
    assert [problem.kind.slug for problem in caught.value.report.shown] == ["other-kind-of-file"]


def test_rows_of_another_width_are_rejected_not_guessed(tmp_path: Path, book: PriceBook) -> None:
    file = tmp_path / "x.csv"
    file.write_text("JobId,State,FinishTime,Width\nj1,TranscodeSuccess,2023-11-10T03:20:00Z\nj2,a,b,c,d\nj3,a,b,c,\n")
    using = profile("mps-job-list", {"region": "cn-shanghai"})
    with converted(file, using=using) as (one,):
        check = check_usage([one.source], book, MeterOptions(bill_good_rows=True))
    assert [str(problem.kind.slug) for problem in check.problems.shown] == ["short-row", "long-row", "unknown-word"]


QUOTES = """name,finished_at,region,output,codec,width,height,minutes
a,2023-11-10T11:20:00+08:00,cn-shanghai,"say ""hi"" and
bye",H264,1920,823,10
b,2023-11-10T11:20:00+08:00,cn-shanghai,"lost,H264,1920,823,10
c,2023-11-10T11:20:00+08:00,cn-shanghai,x,H264,1920,823,10
d,2023-11-10T11:20:00+08:00,cn-shanghai,"y, z",H264,1920,823,10
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stray_quote_costs_one_record_and_a_value_may_have_quotes_and_line_ends(
    engine: EngineName, book: PriceBook, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    fields = {"job_id": "name", "output": "output", "completed_at": "finished_at", "region": "region",
              "codec": "codec", "width": "width", "height": "height", "quantity": "minutes"}  # fmt: skip
    columns = [f"  {column}: {{field: {field}}}" for column, field in fields.items()]
    columns += ["  item: {constant: transcoding}", "  unit: {constant: minute}"]
    rules.write_text("format: mps-bill/profile/1\nid: quotes\nname: Quotes\ncolumns:\n" + "\n".join(columns) + "\n")
    file = tmp_path / "log.csv"
    file.write_text(QUOTES)
    with converted(file, using=profile(str(rules))) as (one,):
        check = check_usage([one.source], book, MeterOptions(engine=engine, bill_good_rows=True))
    assert (check.control_totals.rows_read, check.control_totals.rows_billed) == (4, 3)
    assert [(str(found.place), found.kind.code) for found in check.problems.shown] == [(f"{file}:4:41", "U112")]
