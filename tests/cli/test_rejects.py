"""Rejected rows are written as they were, and once corrected they can be read again."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from mps_bill.cli import run
from mps_bill.metering.csv_rows import MAX_ROW_BYTES
from tests.kit import COLUMNS, ENGINES, HEADER, row, usage_text


@pytest.fixture(autouse=True)
def long_fields() -> Iterator[None]:
    before = csv.field_size_limit(10 * MAX_ROW_BYTES)
    yield
    csv.field_size_limit(before)


def rejected(folder: Path, engine: str, *files: Path) -> list[bytes]:
    """The rows of the rejects file of a bill."""
    target = folder / "rejected.csv"
    words = ["bill", *map(str, files), "-p", "mps-china", "--engine", engine, "-q", "-o", str(folder / "bill.json")]
    run([*words, "--rejects", str(target)])
    with target.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return [found["row"].encode("utf-8", "surrogateescape") for found in csv.DictReader(stream)]


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_are_written_as_they_stood(engine: str, tmp_path: Path) -> None:
    tag = "x" * (MAX_ROW_BYTES + 2_000_000) + '"y' + "é" * 1_000_000
    rows = [
        row(job_id="byte", tag_project="@").encode().replace(b"@", b"\xb0"),
        row(job_id="byte", tag_project="\\xb0", quantity="x").encode(),
        row(job_id="long", tag_project=tag).encode(),
        row(job_id="lines", quantity="x", tag_project='"say ""hi"",\nand\r\nbye"').encode(),
        row(job_id="quote", tag_project='"lost').encode(),
    ]
    file = tmp_path / "usage.csv"
    file.write_bytes(b"\n".join([HEADER.encode(), row().encode(), *rows, row(job_id="j-2").encode()]))
    assert rejected(tmp_path, engine, file) == rows


@pytest.mark.parametrize("engine", ENGINES)
def test_mended_rows_are_fed_back(engine: str, tmp_path: Path) -> None:
    rows = [row(job_id=f"j-{number}", quantity="1e1", tag_project='"a, ""b""\nc"') for number in range(5)]
    file = tmp_path / "usage.csv"
    file.write_text(usage_text([row(job_id="good"), *rows]))
    found = rejected(tmp_path, engine, file)
    file.write_bytes(HEADER.encode() + b"\n" + b"\n".join(found).replace(b"1e1", b"10"))
    assert rejected(tmp_path, engine, file) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_of_parquet_are_csv_that_can_be_split_again(engine: str, tmp_path: Path) -> None:
    file = tmp_path / "usage.parquet"
    values = dict.fromkeys(COLUMNS, "") | dict(zip(COLUMNS, next(csv.reader([row(quantity="1e1")])), strict=True))
    values["tag_project"] = 'a, "b"\r\nc'
    values["job_id"] = '"'
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE usage ({', '.join(f'{name} VARCHAR' for name in COLUMNS)})")
        connection.execute(f"INSERT INTO usage VALUES ({', '.join('?' * len(COLUMNS))})", list(values.values()))
        connection.execute(f"COPY usage TO '{file}' (FORMAT parquet)")
    (found,) = rejected(tmp_path, engine, file)
    (tmp_path / "rows.csv").write_bytes(found)
    with (tmp_path / "rows.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [list(values.values())]
    mended = tmp_path / "mended.csv"
    mended.write_bytes(HEADER.encode() + b"\n" + found.replace(b"1e1", b"10"))
    assert rejected(tmp_path, engine, mended) == []
