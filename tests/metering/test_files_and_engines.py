"""Local engines with special names of folders, files and columns, with types, and with rows that are too long."""

from __future__ import annotations

import gzip
import io
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars
import pytest
import zstandard

from mps_bill.core.diagnostics import InputRejected
from mps_bill.metering import EngineName, duckdb_engine
from mps_bill.metering.csv_rows import MAX_ROW_BYTES
from mps_bill.metering.exact_reader import open_files, placed_records
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource, usage_sources
from mps_bill.metering.workspace import Resources
from mps_bill.pipeline import bill_usage
from tests.generated import outcome
from tests.kit import COLUMNS, ENGINES, GOOD, HEADER, book, row, source, usage_text

GOOD_ROW = {**GOOD, "status": "", "tag_project": "news"}


def read(one: UsageSource, engine: EngineName, **options: Any) -> dict[str, Any]:
    return outcome([one], MeterOptions(engine=engine, **options))


def read_by_both(one: UsageSource, **options: Any) -> dict[str, Any]:
    """The result of both engines for a file, which must be the same."""
    exact, engine = (read(one, name, **options) for name in ENGINES)
    assert engine == exact
    return exact


def refusal(one: UsageSource, engine: EngineName, **options: Any) -> list[str]:
    with pytest.raises(InputRejected) as rejected:
        read(one, engine, **options)
    return [str(problem) for problem in rejected.value.report.shown]


def parquet(path: Path, columns: Mapping[str, object]) -> UsageSource:
    """A Parquet file with one row: good values, except in these columns."""
    cells = {name: polars.Series(name, [value]) for name, value in GOOD_ROW.items()}
    cells |= {
        name: value if isinstance(value, polars.Series) else polars.Series(name, [value])
        for name, value in columns.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    polars.DataFrame(cells).write_parquet(path)
    return source(path)


FOLDERS = [
    "status=failed",
    "region=us-west-1",
    "REGION=us-west-1",
    "account_id=beta",
    "tag_project=films",
    "quantity=9",
    "line=3",
    "job_id=1/item=audio",
    "filename=x/file_row_number=1/row_number=2",
    "column_0=x/text_0=y",
    "unit=hour/plain",
]


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["csv", "dirty.csv", "csv.gz", "parquet"])
def test_the_name_of_a_folder_is_not_data(tmp_path: Path, folder: str, engine: EngineName, kind: str) -> None:
    """This holds also for bad, repeated and contradictory rows, which are read in other ways."""
    outside, inside = tmp_path / "plain", tmp_path / folder
    outside.mkdir()
    inside.mkdir(parents=True)
    path = outside / f"usage.{kind}"
    rows = [row(job_id=f"j-{number}", status="success", tag_project="news") for number in range(20)]
    if kind == "parquet":
        parquet(path, {"account_id": "alpha"} if "account_id" in folder else {})
    else:
        bad = [row(job_id="b-1", quantity="1e2"), row(job_id="j-3", quantity="3"), row(job_id='"j-4"', quantity="10")]
        content = usage_text([*rows, *bad] if kind == "dirty.csv" else rows).encode()
        path.write_bytes(gzip.compress(content) if kind == "csv.gz" else content)
    shutil.copy(path, inside)
    expected = read(source(path), "python", accounts=None)
    assert sum(micros for _, micros in expected["totals"].values()) > 0
    assert read(source(inside / path.name), engine, accounts=None) == expected


def test_standard_input_is_kept_in_a_folder_whose_name_is_not_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records that contradict each other are loaded from there, too."""
    folder = tmp_path / "status=failed" / "job_id=1"
    folder.mkdir(parents=True)
    content = usage_text([row(job_id="j-1"), row(job_id="j-2"), row(job_id="j-2", quantity="1e2")]).encode()
    expected = read(source(tmp_path / "usage.csv", content), "python")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with usage_sources(["-"], str(folder)) as ((one,), _):
        found = read(one, "duckdb", resources=Resources(temp_folder=str(folder)))
    assert (found["totals"], found["rows"]) == (expected["totals"], expected["rows"])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_explain_takes_nothing_from_the_name_of_a_folder(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "region=us-west-1" / "quantity=9" / f"usage.{kind}"
    path.parent.mkdir(parents=True)
    one = parquet(path, {}) if kind == "parquet" else source(path, usage_text([row()]))
    files, problems = open_files([one], book(), MeterOptions())
    assert not problems
    (placed,) = placed_records(files, "j-1")
    assert (placed.record.features.region, placed.record.micros) == ("cn-shanghai", 10_000_000)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("column", "folder"),
    [("region", "region=us-west-1"), ("status", "status=failed"), ("tag_project", "date=2023-11-10/tag_project=films")],
)
def test_a_partitioned_parquet_folder_is_refused_with_the_reason(
    tmp_path: Path, engine: EngineName, column: str, folder: str
) -> None:
    """`partitionBy` removes from the files the columns that it uses for folders."""
    path = tmp_path / folder / "part-0.parquet"
    path.parent.mkdir(parents=True)
    polars.DataFrame([{name: value for name, value in GOOD_ROW.items() if name != column}]).write_parquet(path)
    (said,) = refusal(source(path), engine)
    assert f'missing column "{column}"' in said
    assert folder.split("/")[-1] in said
    assert "it is only in the folder name" in said
    assert "U105" in said


@pytest.mark.parametrize("engine", ENGINES)
def test_folders_of_other_columns_partition_parquet_without_harm(tmp_path: Path, engine: EngineName) -> None:
    one = parquet(tmp_path / "date=2023-11-10" / "hour=11" / "part-0.parquet", {})
    assert read(one, engine)["rows"] == (1, 0)
    away = parquet(tmp_path / "status=failed" / "copies" / "part-0.parquet", {})
    polars.read_parquet(away.path).drop("status").write_parquet(away.path)
    assert read(away, engine)["rows"] == (1, 0)


@pytest.mark.parametrize(
    "name",
    [".u.csv", "_u.csv", "a:b.csv", "s3:x.csv", "file:x.csv", ".u[1].csv", "~/u.csv", ".h/u.csv", "_h/u.csv", "U.CSV.GZ",
     "a:b.parquet", "_u.parquet"],
)  # fmt: skip
def test_every_engine_reads_every_file_it_is_asked_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    if name.endswith("parquet"):
        parquet(path, {})
    else:
        content = usage_text([row()]).encode()
        path.write_bytes(gzip.compress(content) if name.endswith("GZ") else content)
    with usage_sources([name]) as ((one,), problems):
        assert not problems
        assert read_by_both(one)["rows"] == (1, 0)


def test_rows_are_checked_against_the_count_of_a_parquet_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = parquet(tmp_path / "usage.parquet", {})
    whole = duckdb_engine.read_with_duckdb

    def read_less(*arguments: Any, **options: Any) -> Metered:
        return replace(whole(*arguments, **options), rows_read=0)

    monkeypatch.setattr(duckdb_engine, "read_with_duckdb", read_less)
    (said,) = refusal(one, "duckdb")
    assert "0 rows were read, and the files have 1" in said


LONG = 32_100_000
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "csv": bytes,
    "csv.gz": lambda content: gzip.compress(content, 1),
    "csv.zst": lambda content: zstandard.ZstdCompressor().compress(content),
}


@pytest.mark.parametrize("place", ["first", "middle", "last", "last-with-end", "last-before-blank-lines"])
@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("fill", [b"z", b"\0"])
def test_a_row_that_is_too_long_is_rejected_wherever_it_is(tmp_path: Path, place: str, kind: str, fill: bytes) -> None:
    rows = [row(job_id=f"j-{number}").encode() for number in range(10)]
    rows[3] = row(job_id="j-3", quantity="1e2").encode()
    at = {"first": 0, "middle": 5}.get(place, len(rows))
    rows.insert(at, row().encode().replace(b"j-1", fill * LONG))
    ends = {"last": b"", "last-with-end": b"\n", "last-before-blank-lines": b"\r\n" * 50_000}
    content = HEADER.encode() + b"\n" + b"\n".join(rows) + ends.get(place, b"\n")
    one = source(tmp_path / f"usage.{kind}", PACKED[kind](content))
    found = read_by_both(one)
    assert found["rows"] == (11, 2)
    assert sorted(found["problems"].counts.values()) == [1, 1]
    assert [("U114" in said[0], line) for _, line, _, said in found["rejected"]].count((True, at + 2)) == 1


def test_a_last_row_is_looked_for_before_any_number_of_blank_lines(tmp_path: Path) -> None:
    content = usage_text([row(job_id="z" * 2_000_000)]) + "\r\n" * 2 * MAX_ROW_BYTES
    assert not source(tmp_path / "usage.csv", content).suits_queries()


@pytest.mark.parametrize("kind", PACKED)
def test_a_long_last_row_does_not_make_a_file_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """As long as it is not too long for a row, queries read it."""
    content = usage_text([row(), row(job_id="z" * 1_999_000)]) + "\n" * 1000
    one = source(tmp_path / f"usage.{kind}", PACKED[kind](content.encode()))
    exact = read(one, "python")
    monkeypatch.setattr(duckdb_engine, "read_exactly", lambda *_, **__: pytest.fail("read row by row"))
    assert read(one, "duckdb") == exact
    assert exact["rows"] == (2, 0)


@pytest.mark.parametrize("longest", [MAX_ROW_BYTES, MAX_ROW_BYTES + 1])
def test_the_longest_row(tmp_path: Path, longest: int) -> None:
    bare = len(row(job_id=""))
    content = usage_text([row(job_id="z" * (longest - bare)), row()])
    assert read_by_both(source(tmp_path / "usage.csv", content))["rows"] == (2, longest - MAX_ROW_BYTES)
    cells = [
        {name: {**GOOD, "job_id": value}.get(name, "") for name in COLUMNS} for value in ("z" * (longest - bare), "1")
    ]
    polars.DataFrame(cells).write_parquet(tmp_path / "usage.parquet")
    found = read_by_both(source(tmp_path / "usage.parquet"))
    assert found["rows"] == (2, longest - MAX_ROW_BYTES)
    assert all("U114" in said[0] for _, _, _, said in found["rejected"])


@pytest.mark.parametrize(
    ("status", "billed"),
    [("FAİLED", None), ("failed", 0), ("FAILED", 0), ("faıled", None), ("ſucceſs", None), ("SUCCESS", 1), ("sucCess", 1),
     ("TRANSCODEFAIL", 0), ("ＦＡＩＬＥＤ", None)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_only_ascii_case_is_ignored_in_words(tmp_path: Path, status: str, billed: int | None, kind: str) -> None:
    path = tmp_path / f"usage.{kind}"
    one = parquet(path, {"status": status}) if kind == "parquet" else source(path, usage_text([row(status=status)]))
    found = read_by_both(one)
    assert found["rows"] == (1, int(billed is None))
    if billed is None:
        assert all("U205" in said[0] for _, _, _, said in found["rejected"])
    else:
        assert (len(found["totals"]), found["unbilled"]) == (billed, (1 - billed, 0))


HEADERS = [
    ["Notes", "Notes"],
    ["Unit", "UNIT"],
    ["", ""],
    ["line", "fields"],
    ["column_0", "COLUMN_1"],
    ["filename", "file_index"],
    ["rowid", "epoch"],
    ['"a ""quoted"" name"', "a`b"],
]


@pytest.mark.parametrize("names", HEADERS)
def test_ignored_columns_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    content = usage_text([f"{row()},x,y", f"{row(job_id='j-2', quantity='1e2')},x,y"], ",".join([HEADER, *names]))
    exact = read(source(tmp_path / "usage.csv", content), "python", ignore_extra_columns=True)
    monkeypatch.setattr(duckdb_engine, "read_exactly", lambda *_, **__: pytest.fail("read row by row"))
    assert read(source(tmp_path / "usage.csv"), "duckdb", ignore_extra_columns=True) == exact
    assert exact["rows"] == (2, 1)


def test_a_header_that_ends_in_a_comma(tmp_path: Path) -> None:
    one = source(tmp_path / "usage.csv", usage_text([f"{row()},"], f"{HEADER},"))
    assert read_by_both(one, ignore_extra_columns=True)["rows"] == (1, 0)
    assert refusal(one, "duckdb") == refusal(one, "python")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("tags", [("tag_Project",), ("tag_project", "tag_Project")])
def test_tags_that_differ_by_case_are_different(tmp_path: Path, kind: str, tags: tuple[str, ...]) -> None:
    rows = [{**GOOD, "tag_project": "a", "tag_Project": "b", "tag_a.b-c": "c"}]
    rows += [{**GOOD, "job_id": "j-2", "tag_project": "a", "tag_Project": "other", "tag_a.b-c": "c"}] * 2
    rows += [{**rows[1], "tag_Project": "contradicts"}, {**rows[0], "job_id": "j-3", "quantity": "1e2"}]
    path = tmp_path / f"usage.{kind}"
    if kind == "parquet":
        polars.DataFrame(rows).write_parquet(path)
    else:
        path.write_text(usage_text([",".join(cells.values()) for cells in rows], ",".join(rows[0])))
    found = read_by_both(source(path), tags=tags)
    assert {group[-1] for group in found["totals"]} == {
        tuple({"tag_Project": "b", "tag_project": "a"}[tag] for tag in tags)
    }
    assert found["rows"] == (5, 4)


@pytest.mark.parametrize(
    "names",
    [["Unit", "UNIT"], ["unit_1", "Unit"], ["file_row_number"], ["FILE_ROW_NUMBER", "filename"], ["row_number", "text_0"],
     ["column_0", "Column_1"], ["", "schema", "file_index", "hive_partitioning"], ["_metadata", "path", "value", "a.b`\"c'"]],
)  # fmt: skip
def test_ignored_columns_of_parquet_may_have_any_name(tmp_path: Path, names: list[str]) -> None:
    one = parquet(tmp_path / "usage.parquet", dict.fromkeys(names, "x"))
    found = read_by_both(one, ignore_extra_columns=True)
    assert found["rows"] == (1, 0)
    said = "\n".join(refusal(one, "duckdb"))
    assert said.count("U107") == len(names)
    assert all(f'"{name}"' in said for name in names)
    bad = parquet(tmp_path / "bad.parquet", {**dict.fromkeys(names, "x"), "quantity": "1e2"})
    assert read_by_both(bad, ignore_extra_columns=True)["rows"] == (1, 1)


def test_a_column_that_differs_by_case_from_a_known_one_does_not_replace_it(tmp_path: Path) -> None:
    polars.DataFrame([{"Unit": "hour", **GOOD}]).write_parquet(tmp_path / "usage.parquet")
    ((group, numbers),) = read_by_both(source(tmp_path / "usage.parquet"), ignore_extra_columns=True)["totals"].items()
    assert (group[5], numbers[1]) == ("minute", 600_000_000)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_job_from_text_and_from_binary_is_one_job(tmp_path: Path, engine: EngineName) -> None:
    text = parquet(tmp_path / "text.parquet", {"job_id": "文-1"})
    binary = parquet(
        tmp_path / "binary.parquet",
        {name: polars.Series(name, [value.encode()]) for name, value in GOOD_ROW.items()} | {"job_id": "文-1".encode()},
    )
    run = bill_usage([text, binary], book(), MeterOptions(engine=engine))
    assert (run.control_totals.rows_read, run.control_totals.rows_duplicate) == (2, 1)
    bad = parquet(tmp_path / "bad.parquet", {"job_id": b"\xe6\x96", "quantity": "1"})
    assert read(bad, engine)["rows"] == (1, 1)
    assert [said for _, _, _, said in read(bad, engine)["rejected"]] == [
        ("bad.parquet:1:1: the byte 0xe6 is not UTF-8; store text as UTF-8 [U110 not-utf-8]",)
    ]


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_the_last_instant_of_an_hour_stays_in_it(tmp_path: Path, zone: str | None, unit: str) -> None:
    """Fractions finer than a microsecond are rounded down, in Parquet as in text."""
    second = 1_699_588_799
    fraction = {"ms": 999, "us": 999_999, "ns": 999_999_999}[unit]
    whole = {"ms": 1_000, "us": 10**6, "ns": 10**9}[unit]
    times = polars.Series("completed_at", [second * whole + fraction]).cast(polars.Datetime(unit, zone))  # type: ignore[arg-type]
    one = parquet(tmp_path / "usage.parquet", {"completed_at": times})
    ((group, _),) = read_by_both(one, assumed_offset=0)["totals"].items()
    assert group[0] == second // 3600 * 3600
    if zone is None:
        assert read_by_both(one)["rows"] == (1, 1)


def test_a_time_of_96_bits_has_no_zone() -> None:
    """Its writers mean UTC or their own zone, and the file does not say which."""
    one = source(Path(__file__).with_name("int96.parquet"))
    found = read_by_both(one)
    assert found["rows"] == (1, 1)
    assert "has no offset from UTC" in found["rejected"][0][3][0]
    ((group, _),) = read_by_both(one, assumed_offset=28_800)["totals"].items()
    assert group[0] == int(datetime(2023, 11, 9, 19, tzinfo=UTC).timestamp())


def test_a_decimal_with_too_many_digits_is_reported_by_its_type_in_the_file() -> None:
    """No engine has decimals with 50 digits: DuckDB converts them to DOUBLE."""
    one = source(Path(__file__).with_name("decimal50.parquet"))
    for engine in ENGINES:
        assert refusal(one, engine) == [
            "decimal50.parquet: column quantity is DECIMAL(50,6), and a decimal of more than 38 digits is not read;"
            " store it as DECIMAL(18,6) or text [U115 inexact-column]"
        ]


def test_decimals_below_one_of_parquet(tmp_path: Path) -> None:
    quantity = polars.Series("quantity", ["0.500"]).cast(polars.Decimal(3, 3))
    ((_, numbers),) = read_by_both(parquet(tmp_path / "usage.parquet", {"quantity": quantity}))["totals"].items()
    assert numbers[1] == 30_000_000


def test_a_machine_without_threads_to_spare_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(job_id=f"j-{number}", quantity="1e2" if number == 7 else "1") for number in range(50)]
    one = source(tmp_path / "usage.csv.gz", gzip.compress(usage_text(rows).encode()))
    exact = read(one, "python")

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert read(one, "duckdb", progress=lambda *_: None) == exact
    assert exact["rows"] == (50, 1)


def test_a_lack_of_memory_in_python_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def take_too_much(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(duckdb_engine, "meter_by_sql", take_too_much)
    (said,) = refusal(source(tmp_path / "usage.csv", usage_text([row()])), "duckdb")
    assert "U501" in said
    assert "--memory" in said
