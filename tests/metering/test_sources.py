"""Usage files: names, globs, pipes, compression, damage, Parquet."""

from __future__ import annotations

import gzip
import io
import os
import stat
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import zstandard

from mps_bill.metering import EngineName
from mps_bill.metering import sources as sources_module
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource, usage_sources
from tests.kit import ENGINES, HEADER, metered, places, problems_of, row, source, usage_text

ROWS = [row(job_id=f"j-{number}", quantity=str(1 + number % 9)) for number in range(500)]
CSV = usage_text(ROWS).encode()


def found(*arguments: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The names of the sources that the arguments select, and the problems as (place, code)."""
    with usage_sources(arguments) as (sources, problems):
        return [one.name for one in sources], [(str(one.place), one.kind.code) for one in problems]


def rows_read(one: UsageSource, engine: EngineName) -> int:
    return metered([one], options=MeterOptions(engine=engine)).rows_read


def test_globs_select_files_sorted_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b-2.csv", "b-10.csv", "a.csv", "b-1.csv.gz"):
        Path(name).write_bytes(CSV)
    assert found("b-*.csv", "a.csv") == (["b-10.csv", "b-2.csv", "a.csv"], [])
    assert found("*.nothing") == ([], [("*.nothing", "U101")])


def test_names_of_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("usage.txt").write_bytes(CSV)
    Path("folder.csv").mkdir()
    Path("a.csv").write_bytes(CSV)
    Path("link.csv").symlink_to("a.csv")
    assert found("gone.csv", "folder.csv", "usage.txt") == (
        [],
        [("gone.csv", "U101"), ("folder.csv", "U101"), ("usage.txt", "U102")],
    )
    assert found("a.csv", "a.csv", "./a.csv", "link.csv", "*.csv") == (
        ["a.csv"],
        [("a.csv", "U104"), ("./a.csv", "U104"), ("link.csv", "U104"), ("a.csv", "U104"), ("folder.csv", "U101"),
         ("link.csv", "U104")],
    )  # fmt: skip


def test_a_name_cannot_steer_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert found("\x1b[31m.csv") == ([], [("\\x1b[31m.csv", "U101")])


def test_standard_input_is_read_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CSV)))
    with usage_sources(["-"]) as (sources, problems):
        assert not problems
        assert [one.name for one in sources] == ["<stdin>"]
        for engine in ENGINES:
            assert rows_read(sources[0], engine) == len(ROWS)
        spool = sources[0].path
    assert not spool.exists()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CSV)))
    assert found("-", "-") == (["<stdin>"], [("<stdin>", "U104")])


def test_a_named_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(CSV,))
    writer.start()
    with usage_sources([str(pipe)]) as (sources, _):
        writer.join()
        assert [rows_read(sources[0], engine) for engine in ENGINES] == [len(ROWS)] * 2


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def _written(pipe: Path, data: bytes) -> threading.Thread:
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    return writer


def test_two_pipes_with_the_same_base_name_are_different(tmp_path: Path) -> None:
    pipes, writers = [], []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        pipes.append(str(folder / "pipe.csv"))
        writers.append(_written(folder / "pipe.csv", usage_text(ROWS[: 100 + number]).encode()))
    with usage_sources(pipes) as (sources, problems):
        assert not problems
        assert [[rows_read(one, engine) for one in sources] for engine in ENGINES] == [[100, 101]] * 2
    for writer in writers:
        writer.join()


def test_a_pipe_given_twice_is_reported_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    writer = _written(pipe, CSV)
    assert found(str(pipe), str(pipe)) == ([str(pipe)], [(str(pipe), "U104")])
    writer.join()


class _Endless(io.RawIOBase):
    """A stream of lines and then of one that never ends; `taken` says how much of it was read."""

    def __init__(self, start: bytes, endless: bytes) -> None:
        self._start = io.BytesIO(start)
        self._endless = endless
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._start.read(len(buffer)) or self._endless * (len(buffer) // len(self._endless) or 1)
        buffer[: len(data)] = data
        self.taken += len(data)
        assert self.taken < 20_000_000
        return len(data)


@pytest.mark.parametrize("endless", [b"\0", b"x", b'"', b","])
@pytest.mark.parametrize("start", [b"", CSV, b"\xef\xbb\xbf", CSV.replace(b"\n", b"\r")])
@pytest.mark.parametrize("formats", [sources_module.FORMATS, sources_module.FOREIGN_FORMATS])
def test_a_stream_that_never_ends_its_line_is_read_up_to_a_limit(
    start: bytes,
    endless: bytes,
    formats: tuple[sources_module.Format, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    stream = _Endless(start, endless)
    monkeypatch.setattr(sources_module, "MAX_BYTES_OF_DATA", 3_000_000)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(stream)))
    with usage_sources(["-"], str(tmp_path), formats) as (sources, problems):
        assert not sources
        (problem,) = problems
        assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) <= 3_000_000 + len(start)
    assert (str(problem.place), problem.kind.code) == ("<stdin>", "U114")
    assert "longer than 3,000,000 bytes" in problem.message


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_pipe_may_be_larger_than_its_longest_line(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = usage_text([row(job_id=f"j-{number}") for number in range(30_000)]).replace("\n", end).encode()
    monkeypatch.setattr(sources_module, "MAX_BYTES_OF_DATA", 1_500_000)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(rows)))
    with usage_sources(["-"]) as (sources, problems):
        assert not problems
        assert sources[0].path.read_bytes() == rows
        assert len(rows) > 1_500_000


def test_a_device_as_standard_input_is_refused_in_bounded_space(tmp_path: Path) -> None:
    zero = tmp_path / "zero"
    try:
        os.mknod(zero, stat.S_IFCHR | 0o666, os.makedev(1, 5))
        zero.open("rb").close()
    except OSError:
        pytest.skip("this user cannot make devices")
    script = (
        "from mps_bill.metering import sources; sources.MAX_BYTES_OF_DATA = 3_000_000;"
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000));"
        "from mps_bill.cli import main; main()"
    )
    for words in (["bill", "-"], ["usage", "check", "-"]):
        command = [sys.executable, "-c", script, *words, "-p", "mps-china", "--temp-dir", str(tmp_path)]
        with zero.open("rb") as stream:
            run = subprocess.run(command, stdin=stream, capture_output=True, text=True, check=False, timeout=60)
        assert run.returncode == 3, run.stderr
        assert "<stdin>: a line is longer than 3,000,000 bytes" in run.stderr


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/fd/0", "-"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, _zstd], ids=["plain", "gzip", "zstd"])
def test_a_file_as_standard_input(name: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    file = tmp_path / "usage"
    file.write_bytes(pack(usage_text(ROWS[:9]).encode()))
    command = [sys.executable, "-c", "from mps_bill.cli import main; main()", "usage", "check", name, "-p", "mps-china"]
    command += ["--temp-dir", str(tmp_path)]
    for given in ([], ["--engine", "duckdb"]):
        with file.open("rb") as stream:
            run = subprocess.run([*command, *given], stdin=stream, capture_output=True, text=True, check=False)
        assert "9 read" in run.stdout, run.stderr


def test_a_file_is_not_read_under_two_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "usage.csv"
    file.write_bytes(CSV)
    with file.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert found(str(file), "-") == ([str(file)], [("<stdin>", "U104")])


def _zstd_in_blocks(lines: list[bytes]) -> list[bytes]:
    """Pieces of one frame, a block per line, and what ends the frame."""
    packer = zstandard.ZstdCompressor().compressobj()
    pieces = [packer.compress(line) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for line in lines]
    return [*pieces, packer.flush()]


def _gzip_in_blocks(lines: list[bytes]) -> list[bytes]:
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(line) + packer.flush(zlib.Z_FULL_FLUSH) for line in lines]
    return [*pieces, packer.flush()]


LINES = CSV.splitlines(keepends=True)
HALF = len(CSV) // 2
SKIPPABLE = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
WHOLE = {
    "plain.csv": CSV,
    "bom.csv": b"\xef\xbb\xbf" + CSV,
    "crlf.csv": CSV.replace(b"\n", b"\r\n"),
    "cr.csv": CSV.replace(b"\n", b"\r"),
    "no-last-line-end.csv": CSV.rstrip(b"\n"),
    "blank-lines.csv": b"\n" + CSV.replace(b"\n", b"\n\n"),
    "UPPER.CSV": CSV,
    "one.csv.gz": gzip.compress(CSV),
    "two-members.csv.gz": gzip.compress(CSV[:HALF]) + gzip.compress(CSV[HALF:]),
    "blocks.csv.gz": b"".join(_gzip_in_blocks(LINES)),
    "one.csv.zst": _zstd(CSV),
    "two-frames.csv.zst": _zstd(CSV[:HALF]) + _zstd(CSV[HALF:]),
    "blocks.csv.zst": b"".join(_zstd_in_blocks(LINES)),
    "skippable.csv.zst": SKIPPABLE + _zstd(CSV) + SKIPPABLE,
    "no-checksum.csv.zst": zstandard.ZstdCompressor(write_content_size=False).compress(CSV),
    "runs.csv.zst": _zstd(CSV + b"\n" * 1_000_000),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", WHOLE)
def test_files_are_read_to_their_end(name: str, engine: EngineName, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(WHOLE[name])
    with usage_sources([str(path)]) as (sources, problems):
        assert not problems
        assert rows_read(sources[0], engine) == len(ROWS)


def _changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


DAMAGED = {
    "empty-member.csv.gz": b"\x1f\x8b",
    "half.csv.gz": gzip.compress(CSV)[: len(gzip.compress(CSV)) // 2],
    "without-trailer.csv.gz": gzip.compress(CSV)[:-8],
    "without-length.csv.gz": gzip.compress(CSV)[:-4],
    "wrong-sum.csv.gz": _changed(gzip.compress(CSV), len(gzip.compress(CSV)) - 8),
    "wrong-length.csv.gz": _changed(gzip.compress(CSV), len(gzip.compress(CSV)) - 4),
    "second-member-cut.csv.gz": gzip.compress(CSV) + gzip.compress(CSV)[:-9],
    "garbage-behind.csv.gz": gzip.compress(CSV) + b"garbage",
    # Cut exactly between two rows, so that every row that is there is a good one.
    "cut-between-rows.csv.gz": b"".join(_gzip_in_blocks(LINES)[:100]),
    "not-gzip.csv.gz": CSV,
    "half.csv.zst": _zstd(CSV)[: len(_zstd(CSV)) // 2],
    "without-checksum.csv.zst": _zstd(CSV)[:-1],
    "wrong-checksum.csv.zst": _changed(_zstd(CSV), len(_zstd(CSV)) - 1),
    "cut-between-rows.csv.zst": b"".join(_zstd_in_blocks(LINES)[:100]),
    "without-last-block.csv.zst": b"".join(_zstd_in_blocks(LINES)[:-1]),
    "second-frame-cut.csv.zst": _zstd(CSV) + _zstd(CSV)[:20],
    "second-header-cut.csv.zst": _zstd(CSV) + _zstd(CSV)[:5],
    "second-magic-cut.csv.zst": _zstd(CSV) + _zstd(CSV)[:3],
    "garbage-behind.csv.zst": _zstd(CSV) + b"garbage",
    "skippable-cut.csv.zst": _zstd(CSV) + SKIPPABLE[:-1],
    "not-zstd.csv.zst": CSV,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_not_read_in_part(name: str, engine: EngineName, tmp_path: Path) -> None:
    report = problems_of([source(tmp_path / name, DAMAGED[name])], options=MeterOptions(engine=engine))
    assert places(report) == [(name, "U102")]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
@pytest.mark.parametrize("name", ["u[1]", "u*", "u?", "it's", 'quo"te', "sp ace", "项目", "u[[]1]", "%20", "{a,b}"])
def test_a_name_is_neither_a_pattern_nor_sql(name: str, suffix: str, tmp_path: Path) -> None:
    pack = gzip.compress if suffix == "csv.gz" else bytes
    for other in ("u1", "u2", "a", "b"):
        (tmp_path / f"{other}.{suffix}").write_bytes(pack(usage_text([row(job_id=other, quantity="99")]).encode()))
    one = source(tmp_path / f"{name}.{suffix}", pack(usage_text([row(quantity="2")]).encode()))
    for engine in ENGINES:
        (group,) = metered([one], options=MeterOptions(engine=engine)).groups
        assert (group.records, group.micros) == (1, 120_000_000)


@pytest.mark.parametrize("engine", ENGINES)
def test_files_of_every_format_are_one_run(engine: EngineName, tmp_path: Path) -> None:
    parts = [usage_text(ROWS[start::4]).encode() for start in range(4)]
    write_parquet(
        tmp_path / "d.parquet", [dict(zip(HEADER.split(","), line.split(","), strict=True)) for line in ROWS[3::4]]
    )
    sources = [
        source(tmp_path / "a.csv", parts[0]),
        source(tmp_path / "b.csv.gz", gzip.compress(parts[1])),
        source(tmp_path / "c.csv.zst", _zstd(parts[2])),
        source(tmp_path / "d.parquet"),
    ]
    whole = metered([source(tmp_path / "whole.csv", CSV)])
    assert metered(sources, options=MeterOptions(engine=engine)).groups == whole.groups


def write_parquet(path: Path, rows: list[dict[str, str]], **types: str) -> None:
    """Write rows as Parquet: every column is text, except those with a given type."""
    with duckdb.connect() as connection:
        names = list(rows[0])
        values = ", ".join(
            f"CAST(${number + 1} AS {types.get(name, 'VARCHAR')}) AS {name}" for number, name in enumerate(names)
        )
        selects = []
        for number, one in enumerate(rows):
            connection.execute(f"CREATE TEMP TABLE t{number} AS SELECT {values}", [one[name] or None for name in names])
            selects.append(f"FROM t{number}")
        query = " UNION ALL ".join(selects)
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


TYPED = {
    "job_id": "7",
    "completed_at": "2023-11-10T11:20:00.250+08:00",
    "region": "cn-shanghai",
    "item": "transcoding",
    "codec": "H264",
    "width": "1920",
    "height": "1080",
    "quantity": "12.50",
    "unit": "minute",
    "status": "",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("types", "changes"),
    [
        ({}, {"quantity": "12.5"}),
        ({"quantity": "DECIMAL(18,6)"}, {}),
        ({"quantity": "DECIMAL(18,2)", "width": "SMALLINT", "height": "UBIGINT", "job_id": "BIGINT"}, {}),
        ({"completed_at": "TIMESTAMPTZ"}, {}),
    ],
    ids=["text", "decimal", "whole numbers", "instant"],
)
def test_typed_columns_of_parquet_are_read_exactly(
    types: dict[str, str], changes: dict[str, str], engine: EngineName, tmp_path: Path
) -> None:
    write_parquet(tmp_path / "usage.parquet", [{**TYPED, **changes}], **types)
    (group,) = metered([source(tmp_path / "usage.parquet")], options=MeterOptions(engine=engine)).groups
    assert (group.micros, group.key.long, group.key.slot) == (750_000_000, 1920, 1_699_585_200)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("type_", ["DECIMAL(18,0)", "INTEGER"])
def test_whole_quantities_of_parquet_keep_their_zeros(type_: str, engine: EngineName, tmp_path: Path) -> None:
    write_parquet(tmp_path / "usage.parquet", [{**TYPED, "quantity": "1200"}], quantity=type_)
    (group,) = metered([source(tmp_path / "usage.parquet")], options=MeterOptions(engine=engine)).groups
    assert group.micros == 72_000_000_000


@pytest.mark.parametrize("engine", ENGINES)
def test_a_naive_time_of_parquet_needs_an_offset(engine: EngineName, tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "usage.parquet", [{**TYPED, "completed_at": "2023-11-10 11:20:00"}], completed_at="TIMESTAMP"
    )
    one = source(tmp_path / "usage.parquet")
    assert [code for _, code in places(problems_of([one], options=MeterOptions(engine=engine)))] == ["U202"]
    (group,) = metered([one], options=MeterOptions(engine=engine, assumed_offset=28_800)).groups
    assert group.key.slot == 1_699_585_200


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("column", "type_"), [("quantity", "DOUBLE"), ("quantity", "FLOAT"), ("width", "DOUBLE")])
def test_inexact_columns_of_parquet_are_refused(column: str, type_: str, engine: EngineName, tmp_path: Path) -> None:
    write_parquet(tmp_path / "usage.parquet", [TYPED], **{column: type_})
    report = problems_of([source(tmp_path / "usage.parquet")], options=MeterOptions(engine=engine))
    assert places(report) == [("usage.parquet", "U115")]
    assert "DECIMAL(18,6) or text" in report.shown[0].message


@pytest.mark.parametrize("engine", ENGINES)
def test_bad_rows_of_parquet_are_reported_with_their_number(engine: EngineName, tmp_path: Path) -> None:
    write_parquet(tmp_path / "usage.parquet", [TYPED, {**TYPED, "job_id": "8", "quantity": "1e3"}])
    report = problems_of([source(tmp_path / "usage.parquet")], options=MeterOptions(engine=engine))
    assert [(place.split(":")[:2], code) for place, code in places(report)] == [(["usage.parquet", "2"], "U203")]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_damaged_parquet_file_is_refused(engine: EngineName, tmp_path: Path) -> None:
    write_parquet(tmp_path / "usage.parquet", [TYPED])
    data = (tmp_path / "usage.parquet").read_bytes()
    for content in (data[:-20], b"", CSV):
        report = problems_of([source(tmp_path / "cut.parquet", content)], options=MeterOptions(engine=engine))
        assert places(report) == [("cut.parquet", "U102")]
