"""The Spark engine on `local[2]`, compared with the exact reader: same sums, control totals and problems; places are files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import generate
from mps_bill.core.diagnostics import InputRejected
from mps_bill.metering import EngineName
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource, usage_sources
from mps_bill.metering.workspace import Resources
from mps_bill.pipeline import bill_usage
from mps_bill.price_sheet.load_sheets import load_price_book
from tests import kit
from tests.generated import outcome, with_accounts

pytest.importorskip("pyspark", reason="NOT TESTED: the Spark engine needs pyspark (pip install 'mps-bill[spark]')")
if shutil.which("java") is None:
    pytest.skip("NOT TESTED: the Spark engine needs Java 17 (openjdk-17-jre-headless)", allow_module_level=True)
# These tests ignore what Py4J leaves open when its gateway closes.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

LOCAL = Resources(spark_master="local[2]", threads=2)


def _options(engine: EngineName, **more: Any) -> MeterOptions:
    return MeterOptions(engine=engine, resources=LOCAL, **more)


def _both(sources: Sequence[UsageSource], **more: Any) -> dict[str, Any]:
    """Compare everything that does not depend on lines: totals, counts, and every rejected row with its problems."""
    exact, spark = (outcome(sources, _options(engine, **more)) for engine in ("python", "spark"))
    assert spark["totals"] == exact["totals"]
    assert spark["accounts"] == exact["accounts"]
    assert spark["unbilled"] == exact["unbilled"]
    assert spark["rows"] == exact["rows"]
    assert spark["problems"].counts == exact["problems"].counts
    assert _rejected(spark) == _rejected(exact)
    return exact


def _rejected(found: dict[str, Any]) -> list[tuple[str, bytes, tuple[str, ...]]]:
    """Rejected rows without their places, and without the place of the row that they conflict with."""
    return sorted(
        (name, raw, tuple(said.partition(": ")[2].partition(" conflicts with ")[0] for said in problems))
        for name, _, raw, problems in found["rejected"]
    )


def test_dirty_csv_with_repeats_across_files(tmp_path: Path) -> None:
    rows = [kit.row(job_id=f"j-{number}", quantity=f"{number}.016666") for number in range(400)]
    second = [rows[0], kit.row(job_id="j-1", quantity="7"), kit.row(job_id='"j-2"', quantity="2.016666")]
    bad = [
        kit.row(job_id="b-1", completed_at="2023-02-30T11:20:00+08:00"),
        kit.row(job_id="b-2", completed_at="2023-11-10T11:20:00"),
        kit.row(job_id="b-3", quantity="1e2"),
        kit.row(job_id="b-4", quantity="1.1234567"),
        kit.row(job_id="b-5", quantity="٣"),
        kit.row(job_id="b-6", item="transcodin"),
        kit.row(job_id="b-7", region="us-west-1", codec="AV1"),
        kit.row(job_id="b-8", width="01920"),
        kit.row(job_id="", unit="furlong"),
        kit.row(job_id="b-9").rpartition(",")[0],
        kit.row(job_id="b-10") + ",more",
        kit.row(job_id="b-11", output="a\x1fb"),
        kit.row(job_id="b-12").replace("b-12", 'b"12'),
        kit.HEADER,
    ]
    odd = [
        kit.row(job_id="o-1", completed_at="2023-11-10T11:20:00.5+0800"),
        kit.row(job_id="o-2", completed_at="2023-11-10 03:20Z", tag_project="新闻"),
        kit.row(job_id="o-3", completed_at="2023-11-10T08:50:00.123456789+05:30"),
        kit.row(job_id="o-4", status="TranscodeFail", quantity="", unit="", codec="", width="", height=""),
        kit.row(job_id="o-5", quantity="999999999999.999999", unit="hour"),
        kit.row(job_id="o-6") + ",",
        '"o-7",,2023-11-10T11:20:00+08:00,"cn-shanghai",audio,,,,,"10",minute,,"a,b"',
    ]
    first = kit.usage_text([*rows, *bad, "", *odd]).encode() + kit.row(job_id="b-13").encode().replace(b"b-", b"\xff")
    other = kit.usage_text([*second, *odd[:2]]).replace("\n", "\r\n")
    sources = [kit.source(tmp_path / "one file.csv", first), kit.source(tmp_path / "two.csv.gz", _packed(other))]
    exact = _both(sources)
    assert exact["rows"][1] == len(bad) + 1 + 2
    _both(sources, trust_unique=True, tags=("tag_project",))


def _packed(text: str) -> bytes:
    import gzip

    return gzip.compress(text.encode())


@pytest.mark.parametrize("name", ["usage.csv", "usage.parquet"])
def test_same_bills(tmp_path: Path, name: str) -> None:
    book, _ = load_price_book(["mps-china"])
    assert book is not None
    parts = []
    for number in range(2):
        path = tmp_path / f"{number}-{name}"
        generate(4_000, path, duplicates=100, threads=2)
        parts.append(kit.source(path))
    exact, spark = (bill_usage(parts, book, _options(engine)) for engine in ("python", "spark"))
    assert spark.bills == exact.bills
    assert spark.control_totals == exact.control_totals
    assert spark.control_totals.rows_duplicate == 4_040


def test_a_record_that_is_repeated_in_another_spelling_is_a_duplicate(tmp_path: Path) -> None:
    book, _ = load_price_book(["mps-china"])
    assert book is not None
    rows = [
        kit.usage_of("super_resolution_standard", spec=f"SuperResolution.Standard.{size}", unit="frame", job_id=job_id)
        for job_id, size in (("1", "1080P"), ("1", "HD"), ("2", "1080P"))
    ]
    usage = kit.source(tmp_path / "usage.csv", kit.usage_text(rows))
    totals = bill_usage([usage], book, _options("spark")).control_totals
    assert (totals.rows_billed, totals.rows_duplicate) == (2, 1)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_urls_are_looked_up_by_spark(tmp_path: Path, ending: str) -> None:
    book, _ = load_price_book(["mps-china"])
    assert book is not None
    parts = []
    for number in range(2):
        path = tmp_path / f"part {number}#%20[x].{ending}"
        generate(1_000, path, duplicates=100, dirty=500 if ending == "csv" else 0, threads=2)
        parts.append(kit.source(path))
    with usage_sources([f"file://{tmp_path}/*.{ending}"]) as (found, problems):
        assert not problems
        exact = outcome(parts, _options("python"))
        spark = outcome(found, _options("spark"))
        with pytest.raises(InputRejected) as rejected:
            bill_usage(found, book, _options("auto"))
    assert "only Spark reads a URL" in str(rejected.value.report.shown[0])
    assert spark["totals"] == exact["totals"]
    assert spark["problems"].counts == exact["problems"].counts
    assert [raw for _, raw, _ in _rejected(spark)] == [raw for _, raw, _ in _rejected(exact)]
    folder = f"file://{tmp_path}/"
    assert {name.removeprefix(folder) for name, *_ in _rejected(spark)} == {name for name, *_ in _rejected(exact)}


def test_every_wrong_url_is_reported(tmp_path: Path) -> None:
    kit.source(tmp_path / "usage.csv", kit.usage_text([kit.row()]))
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "empty.csv").write_text("")
    urls = [f"file://{tmp_path}/{name}" for name in ("usage.csv", "usa*.csv", "notes.txt", "none.csv", "none/*.csv")]
    urls += ["nowhere://bucket/a.csv", str(tmp_path / "usage.csv")]
    with usage_sources(urls) as (found, _), pytest.raises(InputRejected) as rejected:
        kit.metered(found, options=_options("spark"))
    told = [str(problem) for problem in rejected.value.report.shown]
    for place, said in (
        (urls[0], "this file is given twice"),
        (urls[6], "this file is given twice"),
        (urls[2], "the name must end in .csv"),
        (urls[3], "there is no such file"),
        (urls[4], "there is no such file"),
        (urls[5], "give Spark the jars of this file system"),
    ):
        assert [line for line in told if line.startswith(f"{place}: ") and said in line], (place, told)
    assert len(told) == 6
    with usage_sources([f"file://{tmp_path}/empty.csv"]) as (found, _), pytest.raises(InputRejected) as rejected:
        kit.metered(found, options=_options("spark"))
    assert [problem.kind for problem in rejected.value.report.shown] == [kinds.EMPTY_FILE]


def test_rejected_parquet_rows_have_their_numbers(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "typed.parquet"
    duckdb.sql(
        f"""COPY (SELECT 'j-' || i AS job_id, to_timestamp(1699588800 + i) AS completed_at, 'cn-shanghai' AS region,
        'audio' AS item, CASE i WHEN 17 THEN -1.5 WHEN 18 THEN NULL ELSE i / 8 END::DECIMAL(12, 3) AS quantity,
        'minute' AS unit FROM range(30) AS numbers(i)) TO '{path}' (FORMAT parquet)"""
    )
    sources = [kit.source(path)]
    exact, spark = (outcome(sources, _options(engine)) for engine in ("python", "spark"))
    assert spark == exact
    assert [line for _, line, _, _ in spark["rejected"]] == [18, 19]


def _parquet(path: Path, columns: dict[str, object]) -> UsageSource:
    """A Parquet file with one row: good values, except in these columns."""
    import polars

    cells: dict[str, object] = {name: [value] for name, value in kit.GOOD.items()} | columns
    path.parent.mkdir(parents=True, exist_ok=True)
    polars.DataFrame(cells).write_parquet(path)
    return kit.source(path)


def test_names_of_folders_are_not_data(tmp_path: Path) -> None:
    row = kit.row(job_id="j-2", status="success")
    sources = [_parquet(tmp_path / "region=us-west-1" / "job_id=7" / "a.parquet", {})]
    for number, folder in enumerate(("status=failed", "quantity=9/UNIT=hour", "line=3")):
        (tmp_path / folder).mkdir(parents=True)
        text = kit.usage_text([row.replace("j-2", f"c-{number}")])
        sources.append(kit.source(tmp_path / folder / f"{number}.csv", text))
    assert _both(sources)["rows"] == (4, 0)
    url = UsageSource("folder", Path(), "csv", 0, None, f"file://{tmp_path}")
    found = outcome([url], _options("spark"))
    assert (found["totals"], found["rows"]) == (_both(sources)["totals"], (4, 0))


def test_a_partitioned_parquet_folder_is_refused_with_the_reason(tmp_path: Path) -> None:
    import polars

    one = _parquet(tmp_path / "date=2023-11-10" / "region=cn-shanghai" / "part-0.parquet", {})
    polars.read_parquet(one.path).drop("region").write_parquet(one.path)
    (tmp_path / "_SUCCESS").touch()
    for source in (one, UsageSource("folder", Path(), "csv", 0, None, f"file://{tmp_path}")):
        with pytest.raises(InputRejected) as rejected:
            kit.metered([source], options=_options("spark"))
        (problem,) = rejected.value.report.shown
        assert problem.kind is kinds.MISSING_COLUMN
        assert "it is only in the folder name" in problem.message


@pytest.mark.parametrize("name", ["_x.csv", ".x.csv", "_x.parquet", "a:b.csv"])
def test_a_file_that_spark_ignores_is_refused(tmp_path: Path, name: str) -> None:
    text = kit.usage_text([kit.row()])
    good = kit.source(tmp_path / "good.csv", text)
    bad = _parquet(tmp_path / name, {}) if name.endswith("parquet") else kit.source(tmp_path / name, text)
    runs = [[good, bad], [bad]]
    if ":" not in name:
        runs += [
            [UsageSource("url", Path(), "csv", 0, None, f"file://{tmp_path}{end}")] for end in ("", "/*", f"/{name}")
        ]
    for sources in runs:
        with pytest.raises(InputRejected) as rejected:
            kit.metered(sources, options=_options("spark"))
        (problem,) = rejected.value.report.shown
        assert problem.place.file.endswith(name)
        assert "rename it" in problem.message


def test_names_of_columns_have_no_other_meaning(tmp_path: Path) -> None:
    sources = [
        _parquet(tmp_path / "twins.parquet", {"Unit": "x", "UNIT": "y", "tag_a": "1", "tag_A": "2", "": "e"}),
        _parquet(tmp_path / "names.parquet", {"_metadata": "x", "path": "y", "text_0": "z", "file_row_number": "w"}),
        kit.source(tmp_path / "extra.csv", kit.usage_text([kit.row() + ",,"], f"{kit.HEADER},,")),
    ]
    exact = _both(sources, ignore_extra_columns=True, tags=("tag_A",))
    assert exact["rows"] == (3, 3)
    assert [str(kind).split()[0] for kind in exact["problems"].counts] == ["U401"]
    assert _both(sources[1:], ignore_extra_columns=True)["rows"] == (2, 0)


def test_text_means_the_same(tmp_path: Path) -> None:
    statuses = [kit.row(job_id=word, status=word) for word in ("FAİLED", "FAILED", "ſucceſs")]
    sources = [
        _parquet(tmp_path / "binary.parquet", {"job_id": ["文".encode()], "region": [b"cn-shanghai"]}),
        _parquet(tmp_path / "text.parquet", {"job_id": ["文"]}),
        _parquet(tmp_path / "bad.parquet", {"job_id": [b"\xff"]}),
        _parquet(tmp_path / "long.parquet", {"job_id": ["z" * 1_000_001], "tag_a": ["z" * 1_000_001]}),
        kit.source(tmp_path / "words.csv", kit.usage_text([*statuses, kit.row(job_id="z" * 2_000_000)])),
    ]
    exact = _both(sources)
    assert exact["rows"] == (8, 5)
    assert exact["unbilled"][1] == 1
    codes = {str(kind).split()[0]: number for kind, number in exact["problems"].counts.items()}
    assert codes == {"U110": 1, "U114": 2, "U205": 2}


def test_times_of_parquet_mean_the_same(tmp_path: Path) -> None:
    import polars

    second = 1_699_588_799
    fraction = polars.Series([second * 10**9 + 999_999_999])
    sources = [
        _parquet(tmp_path / "local.parquet", {"job_id": ["l"], "completed_at": fraction.cast(polars.Datetime("ns"))}),
        _parquet(
            tmp_path / "utc.parquet", {"job_id": ["u"], "completed_at": fraction.cast(polars.Datetime("ns", "UTC"))}
        ),
        kit.source(Path(__file__).parents[1] / "metering" / "int96.parquet"),
    ]
    exact = _both(sources)
    assert exact["rows"] == (3, 2)
    assert [group[0] for group in exact["totals"]] == [second // 3600 * 3600]
    assert _both(sources, assumed_offset=28_800)["rows"] == (3, 0)


def test_a_decimal_with_too_many_digits_is_reported_by_its_type_in_the_file() -> None:
    one = kit.source(Path(__file__).parents[1] / "metering" / "decimal50.parquet")
    with pytest.raises(InputRejected) as rejected:
        kit.metered([one], options=_options("spark"))
    (problem,) = rejected.value.report.shown
    assert (problem.kind, "column quantity is DECIMAL(50,6)" in problem.message) == (kinds.INEXACT_COLUMN, True)


def test_every_account_by_itself(tmp_path: Path) -> None:
    rows = [kit.row(job_id=f"j-{number}", quantity=f"{number}.016666") for number in range(60)]
    rows += [rows[0], rows[0], kit.row(job_id="b-1", item="transcodin"), kit.row(job_id="b-2", quantity="1e2")]
    content = with_accounts(kit.usage_text(rows).encode(), dirty=True)
    # The same record with another account contradicts the first.
    content += f"{rows[0]},studio-z\n".encode()
    found = _both([kit.source(tmp_path / "usage.csv", content)], accounts=True)
    assert [account for account, *_ in found["accounts"]] == ["q", "studio-a", "studio-b", "云"]
    assert found["rejected"]


def test_accounts_that_look_alike_are_named_with_their_places(tmp_path: Path) -> None:
    accounts = ["acme", "beta", "acme ", "acme\u200b", "beta "]
    rows = [f"{kit.row(job_id=f'j-{number}')},{account}" for number, account in enumerate(accounts)]
    one = kit.source(tmp_path / "usage.csv", kit.usage_text(rows, f"{kit.HEADER},account_id"))
    found: list[list[str]] = []
    engines: tuple[EngineName, ...] = ("python", "spark")
    for engine in engines:
        warnings: list[str] = []
        kit.metered([one], options=_options(engine, accounts=True, notify=warnings.append))
        found.append(warnings)
    exact, spark = found
    assert spark == exact
    assert '"acme" at usage.csv:2 and account "acme " at usage.csv:4' in exact[0]


def test_a_row_over_two_lines_is_refused_as_a_whole(tmp_path: Path) -> None:
    rows = [kit.row(job_id="j-1"), kit.row(job_id="j-2", tag_project='"a\nb"')]
    source = kit.source(tmp_path / "usage.csv", kit.usage_text(rows))
    with pytest.raises(InputRejected) as rejected:
        kit.metered([source], options=_options("spark"))
    assert [problem.kind for problem in rejected.value.report.shown] == [kinds.UNCLOSED_QUOTE]


def test_a_clean_file_is_read_neither_for_bad_rows_nor_for_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mps_bill.metering.spark_engine import _SparkEngine

    kept: list[str] = []
    keep = _SparkEngine.keep

    def noted(self: Any, table: str, query: str, doing: str) -> int:
        kept.append(table)
        return keep(self, table, query, doing)

    monkeypatch.setattr(_SparkEngine, "keep", noted)
    parts = [
        kit.source(tmp_path / f"{name}.csv", kit.usage_text([kit.row(job_id=name)] if name != "c" else []))
        for name in "abc"
    ]
    assert _both(parts)["rows"] == (2, 0)
    assert kept == ["repeated"]
    # A repeated header is a bad row.
    again = kit.source(tmp_path / "again.csv", kit.usage_text([kit.row(job_id="d"), kit.HEADER]))
    assert _both([*parts, again])["rows"] == (4, 1)


def test_typed_columns_of_parquet_mean_the_same_at_their_limits(tmp_path: Path) -> None:
    import duckdb

    most = "999999999999.999999"
    quantities = ("0", "0.000001", "-0.000001", most, "1000000000000", "-1", "9999999999999", None)
    moments = (
        "1969-12-31 23:59:59.999999",
        "1970-01-01 00:00:00",
        "2999-12-31 23:59:59.999999",
        "3000-01-01 00:00:00",
        None,
    )
    rows = [(quantity, "2023-11-10 03:20:00") for quantity in quantities] + [("1", moment) for moment in moments]
    sources = []
    for number, type_ in enumerate(("DECIMAL(19,6)", "DECIMAL(38,6)", "DECIMAL(20,7)", "DECIMAL(13,0)", "VARCHAR")):
        values = [
            (f"{number}-{place}", quantity, time_ and f"{time_}+00") for place, (quantity, time_) in enumerate(rows)
        ]
        given = ", ".join("(" + ", ".join(f"'{text}'" if text else "NULL" for text in row) + ")" for row in values)
        path = tmp_path / f"{number}.parquet"
        duckdb.sql(
            f"""COPY (SELECT id AS job_id, time::TIMESTAMPTZ AS completed_at, 'cn-shanghai' AS region, 'audio' AS item,
            quantity::{type_} AS quantity, 'day' AS unit FROM (VALUES {given}) AS given(id, quantity, time))
            TO '{path}' (FORMAT parquet)"""
        )
        sources.append(kit.source(path))
    assert _both(sources)["rows"][0] == 13 * len(sources)


def test_sums_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    rows = [
        kit.row(job_id=f"{unit}-{number}", quantity="999999999999.999999", unit=unit)
        for unit in ("second", "hour", "day")
        for number in range(40)
    ]
    assert _both([kit.source(tmp_path / "usage.csv", kit.usage_text(rows))])["rows"] == (120, 0)
