"""Engines compared with the exact reader on generated files, and the promises for large runs: memory, spilling, interrupts."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.generate import generate
from mps_bill.core.diagnostics import InputRejected
from mps_bill.metering import EngineName, duckdb_engine, duckdb_suspects, sql, sql_engine
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.workspace import Resources, run_folder, sweep
from mps_bill.pipeline import bill_usage
from tests import kit
from tests.generated import files, outcome

PROGRAM = (sys.executable, "-c", "import sys; from mps_bill.cli import run; sys.exit(run(sys.argv[1:]))")
#: The program, which at its end prints its peak memory in KiB.
MEASURED = (
    "import sys; from mps_bill.cli import run; code = run(sys.argv[1:]);"
    " print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))); sys.exit(code)"
)
EXACT, ENGINE = MeterOptions(engine="python"), MeterOptions(engine="duckdb")


def _both(sources: list[UsageSource], **options: object) -> None:
    exact, engine = (
        outcome(sources, MeterOptions(engine=name, **options))  # type: ignore[arg-type]
        for name in ("python", "duckdb")
    )
    assert engine == exact


@given(st.lists(files(dirty=True), min_size=1, max_size=3), st.booleans(), st.sampled_from([(), ("tag_project",)]))
def test_the_engines_decide_alike_about_every_row(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], trust_unique: bool, tags: tuple[str, ...]
) -> None:
    folder = tmp_path_factory.mktemp("usage")
    sources = [kit.source(folder / f"{number}.csv", content) for number, content in enumerate(contents)]
    _both(sources, trust_unique=trust_unique, tags=tags)


@given(files(dirty=False))
def test_same_bills_for_clean_files(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("usage")
    plain, packed = kit.source(folder / "a.csv", content), kit.source(folder / "a.csv.gz", gzip.compress(content))
    options = [MeterOptions(engine=engine, bill_good_rows=True) for engine in ("python", "duckdb")]  # type: ignore[arg-type]
    exact, engine = (bill_usage([plain], kit.book(), option) for option in options)
    unpacked = bill_usage([packed], kit.book(), options[1])
    assert exact.bills == engine.bills == unpacked.bills
    assert exact.control_totals == engine.control_totals == unpacked.control_totals


@given(st.lists(files(dirty=True), min_size=1, max_size=2), st.booleans())
def test_parquet_as_text(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], mixed: bool) -> None:
    folder = tmp_path_factory.mktemp("usage")
    sources = []
    for number, content in enumerate(contents):
        rows = _plain_rows(content)
        path = folder / f"{number}.parquet"
        with duckdb.connect() as connection:
            columns = ", ".join(f"{name} VARCHAR" for name in kit.COLUMNS)
            connection.execute(f"CREATE TABLE usage ({columns})")
            if rows:
                connection.executemany(f"INSERT INTO usage VALUES ({', '.join('?' * len(kit.COLUMNS))})", rows)
            connection.execute(f"COPY usage TO '{path}' (FORMAT parquet)")
        sources.append(kit.source(path))
        if mixed:
            sources.append(kit.source(folder / f"{number}.csv", content))
    _both(sources)


def _plain_rows(content: bytes) -> list[list[str]]:
    lines = content.decode("utf-8", "replace").splitlines()[1:]
    rows = [line.replace('"', "").split(",") for line in lines]
    return [row for row in rows if len(row) == len(kit.COLUMNS)]


def test_parquet_types(tmp_path: Path) -> None:
    """Exact types are read directly, with the same result as their text."""
    path = tmp_path / "typed.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"""COPY (SELECT 'j-' || i AS job_id, to_timestamp(1699588800 + i * 1000) AS completed_at,
            'cn-shanghai' AS region, 'transcoding' AS item, 'H264' AS codec,
            CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN 0 WHEN 2 THEN -1 ELSE 1920 END AS width,
            CASE i % 7 WHEN 0 THEN NULL WHEN 3 THEN 5000000 ELSE 1080 END::BIGINT AS height,
            CASE i % 5 WHEN 0 THEN -1.5 WHEN 1 THEN NULL ELSE i / 8 END::DECIMAL(14, 4) AS quantity,
            'minute' AS unit, CASE i % 3 WHEN 0 THEN 'failed' END AS status FROM range(300) AS numbers(i))
            TO '{path}' (FORMAT parquet)"""
        )
    _both([kit.source(path)])
    _both([kit.source(path)], assumed_offset=28_800)


@pytest.mark.parametrize("value", ["'2023-11-10 11:20:00'::TIMESTAMP", "'2999-12-31 23:30:00'::TIMESTAMP"])
@pytest.mark.parametrize("offset", [None, 28_800, -28_800])
def test_parquet_times_without_a_zone(tmp_path: Path, value: str, offset: int | None) -> None:
    path = tmp_path / "naive.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT 'j-1' AS job_id, {value} AS completed_at, 'cn-shanghai' AS region, 'audio' AS item,
            90071992547::BIGINT AS quantity, 'minute' AS unit) TO '{path}' (FORMAT parquet)"""
        )
    _both([kit.source(path)], assumed_offset=offset)


@pytest.mark.parametrize("encoded", ["utf-8", "latin-1"])
def test_the_engine_itself_finds_bad_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoded: str) -> None:
    """Bad rows, repeats and contradictions do not make the engine give up."""
    rows = [kit.row(job_id=f"j-{number}") for number in range(3_000)]
    rows[100] = kit.row(job_id="j-7", quantity="11")
    rows[200] = kit.row(job_id="j-8")
    rows[300] = rows[300].rpartition(",")[0]
    rows[400] = kit.row(job_id="j-400", quantity='"1,000"')
    rows[500] = kit.row(job_id='"j-9"')
    rows[600] = kit.row(job_id="j-600", codec="AV1")
    content = kit.usage_text(rows).encode()
    if encoded == "latin-1":
        content = content.replace(b"j-700,", b"j-\xff700,")
    source = kit.source(tmp_path / "dirty.csv", content)
    exact = outcome([source], EXACT)
    monkeypatch.setattr(duckdb_engine, "read_exactly", lambda *_, **__: pytest.fail("the engine gave up"))
    assert outcome([source], ENGINE) == exact
    assert exact["rows"] == (3_000, 5 if encoded == "utf-8" else 6)


def test_a_quote_across_lines(tmp_path: Path) -> None:
    """A line inside a quoted field is not a row, even if it looks like one."""
    rows = [kit.row(job_id=f"j-{number}") for number in range(50)]
    rows[10] = kit.row(job_id="j-10", tag_project=f'"a\n{kit.row(job_id="phantom")}\nb"')
    rows[20] = '"' + rows[20]
    rows[30] = kit.row(job_id="j-5")
    source = kit.source(tmp_path / "quotes.csv", kit.usage_text(rows))
    _both([source])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_engine_itself_reads_rows_over_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, packed: bool
) -> None:
    """The engine need not read the file twice because of a value over many lines, a stray quote or a value that is too long."""
    rows = [kit.row(job_id=f"j-{number}") for number in range(3_000)]
    rows[10] = kit.row(job_id="j-10", tag_project=f'"a\n\n,,\n{"x" * 20}\nsay ""hi"""')
    rows[20] = kit.row(job_id='"j\n20"')
    rows[30] = kit.row(job_id='"j\n20"')
    rows[40] = kit.row(job_id='"j\n20"', quantity="11")
    rows[50] = kit.row(job_id='"j-50')
    rows[60] = kit.row(job_id="j-60", tag_project='"' + "short\n" * 400_000 + '"')
    rows[70] = kit.row(job_id="j-10", tag_project='"a\nb"')
    rows[80] = kit.row(job_id="j-80", quantity="1e1")
    content = kit.usage_text(rows).replace("\n", end).encode()
    name, content = ("usage.csv.gz", gzip.compress(content)) if packed else ("usage.csv", content)
    source = kit.source(tmp_path / name, content)
    exact = outcome([source], EXACT)
    monkeypatch.setattr(duckdb_engine, "read_exactly", lambda *_, **__: pytest.fail("the engine gave up"))
    assert outcome([source], ENGINE) == exact
    # All rows of records with two rows that differ are rejected.
    assert exact["rows"] == (3_000, 3 + 2 + 3)


@pytest.mark.parametrize("engine", ["python", "duckdb"])
def test_a_problem_is_worded_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName) -> None:
    """The message compares a word with all known words, which is most of the work for a file with many bad rows."""
    asked: list[str] = []

    def counted(word: str, *_: object, **__: object) -> str:
        asked.append(word)
        return ""

    monkeypatch.setattr("mps_bill.metering.assign.near_miss", counted)
    rows = [kit.row(job_id=f"j-{number}", item=f"item-{number}") for number in range(300)]
    result = kit.metered(
        [kit.source(tmp_path / "usage.csv", kit.usage_text(rows))],
        options=MeterOptions(engine=engine, bill_good_rows=True),
    )
    assert (result.rows_rejected, sorted(asked)) == (300, sorted(f"item-{number}" for number in range(300)))


@pytest.mark.parametrize("differ", [False, True])
def test_words_are_judged_by_group_or_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differ: bool) -> None:
    """Either way the results are those of the exact reader, for text and for sizes that Parquet has as numbers."""
    monkeypatch.setattr(sql_engine, "_SAMPLE", 200)
    asked: list[bool] = []
    groups = sql.Statements.groups

    def seen(statements: sql.Statements, *, by_words: bool) -> str:
        asked.append(by_words)
        return groups(statements, by_words=by_words)

    monkeypatch.setattr(sql.Statements, "groups", seen)
    rows = [
        kit.row(
            job_id=f"j-{number}",
            width=str(100 + number) if differ else "1280",
            height=str(700 - number) if differ else "720",
            quantity=f"{number}.5" if number % 7 else "",
            status=("", "FAILED", "Success", "odd")[number % 4],
            region="cn-nowhere" if number % 50 == 3 else "cn-shanghai",
            unit=("second", "minute", "GB")[number % 3],
            tag_project="ab"[number % 2],
        )
        for number in range(400)
    ]
    text = kit.source(tmp_path / "a.csv", kit.usage_text(rows))
    path = tmp_path / "typed.parquet"
    with duckdb.connect() as connection:
        columns = "* REPLACE (job_id || 'p' AS job_id, try_cast(width AS INTEGER) AS width)"
        connection.execute(f"COPY (SELECT {columns} FROM read_csv('{text.path}', all_varchar = true)) TO '{path}'")
    _both([text], tags=("tag_project",))
    _both([text, kit.source(path)])
    assert differ not in asked
    assert len(asked) >= 2


@pytest.mark.parametrize("held", [True, False])
def test_repeats_are_found_with_and_without_the_hashes_of_the_first_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    """Records are compared across files of both formats, with and without an output column."""
    if not held:
        monkeypatch.setattr(duckdb_engine, "_SHARE_OF_HASHES", 10**12)
    kept: list[str] = []
    keep = duckdb_engine._DuckDBEngine.keep

    def seen(engine: duckdb_engine._DuckDBEngine, table: str, query: str, doing: str) -> int:
        kept.extend(name for name in ("array_agg", table) if name in query or name == table)
        return keep(engine, table, query, doing)

    monkeypatch.setattr(duckdb_engine._DuckDBEngine, "keep", seen)
    rows = [kit.row(job_id=f"j-{number % 170}", quantity="11" if number == 180 else "10") for number in range(200)]
    rows += [
        kit.row(job_id="j-3 "),
        kit.row(job_id="j-190", codec="AV1"),
        kit.row(job_id="k\u00a01"),
        kit.row(job_id="k 1"),
    ]
    text = kit.source(tmp_path / "a.csv", kit.usage_text(rows))
    more = kit.source(tmp_path / "b.csv", kit.usage_text([kit.row(job_id="j-5"), kit.row(job_id="j-6", output="2")]))
    path = tmp_path / "typed.parquet"
    with duckdb.connect() as connection:
        columns = "* REPLACE (try_cast(width AS INTEGER) AS width)"
        connection.execute(f"COPY (SELECT {columns} FROM read_csv('{text.path}', all_varchar = true)) TO '{path}'")
    _both([text])
    _both([text, more, kit.source(path)])
    assert ("array_agg" in kept) is held


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize(
    ("spoilt", "passes"),
    [
        # The lines of rows that are wrong in themselves are kept while rows are counted,
        ({100: {"completed_at": "2023-11-10"}, 200: {"job_id": ""}, 201: {"quantity": "1_0"}}, (0, 0)),
        ({100: {"completed_at": "2023-02-30T11:20:00Z"}, 101: {"job_id": "j-\u00e4", "quantity": "-1"}}, (0, 0)),
        # also those with an unknown word, if lines are compared with a pattern, but
        ({100: {"quantity": "1_0"}, 200: {"region": "cn-nowhere"}, 300: {"item": ""}, 400: {"status": "odd"}}, (1, 0)),
        ({200: {"codec": "AV1"}, 1_100: {"tag_project": '"a, b"'}}, (1, 0)),
        # a known unit in which the item is not sold, and a size with one side, are recognised by their words,
        (
            {
                100: {"unit": "frame"},
                200: {"width": ""},
                201: {"quantity": ""},
                300: {"codec": "H265", "width": "9999"},
            },
            (1, 1),
        ),
        # a cycle without prices, and a contradiction, by no word.
        ({100: {"completed_at": "2019-11-10T11:20:00Z"}, 200: {"quantity": "1e1"}}, (1, 1)),
        ({100: {"job_id": "j-7", "quantity": "11"}, 200: {"quantity": "1e1"}, 300: {"job_id": "j-8"}}, (1, 1)),
    ],
)
def test_few_bad_rows_are_found_while_rows_are_counted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoilt: dict[int, dict[str, str]],
    passes: tuple[int, int],
    torn: bool,
    end: str,
) -> None:
    """Rows are counted once: by their columns, or by their lines if a row is torn."""
    rows = [kit.row(job_id=f"j-{number}") for number in range(1_200)]
    for number, values in spoilt.items():
        rows[number] = kit.row(**{"job_id": f"j-{number}", **values})
        rows.append(rows[number])
    texts = [kit.usage_text(part).replace("\n", end).encode() for part in (rows, rows[290:310], [])]
    texts[0] += b"," * texts[2].count(b",") + end.encode() + (b"j-1,2023-11-10T" if torn else b"")
    sources = [kit.source(tmp_path / f"{number}.csv", text) for number, text in enumerate(texts)]
    packed = kit.source(tmp_path / "packed.csv.gz", gzip.compress(texts[0]))
    exact = outcome(sources, EXACT), outcome([packed], EXACT)
    asked: list[str] = []
    suspects, keep = sql.Statements.suspects, duckdb_engine._DuckDBEngine.keep
    counted: list[bool] = []

    def seen(engine: duckdb_engine._DuckDBEngine, table: str, query: str, doing: str) -> int:
        if table == sql.JUDGED_GROUPS:
            counted.append("string_split" in query)
        return keep(engine, table, query, doing)

    monkeypatch.setattr(duckdb_engine._DuckDBEngine, "keep", seen)
    monkeypatch.setattr(sql.Statements, "suspects", lambda *given: asked.append("") or suspects(*given))
    monkeypatch.setattr(duckdb_engine, "read_exactly", lambda *_, **__: pytest.fail("the engine gave up"))
    monkeypatch.setattr(duckdb_suspects, "rows_among", lambda *_: pytest.fail("lines were read in their order"))
    assert (outcome(sources, ENGINE), outcome([packed], ENGINE)) == exact
    assert counted == [torn, torn]
    assert len(asked) == 2 * passes[torn]


@pytest.mark.parametrize(
    "late",
    [
        'j-9,2023-11-10T11:20:00Z,"cn-shanghai",transcoding,1_0',
        '"j,9",2023-11-10T11:20:00Z,cn-shanghai,transcoding,H264,1280,720,1_0,minute',
        '"j ""9""",2023-11-10T11:20:00Z,cn-shanghai,transcoding,H264,1280,720,10,minute',
        '"j\n9",2023-11-10T11:20:00Z,cn-shanghai,transcoding,H264,1280,720,1_0,minute',
        'j-9,2023-11-10T11:20:00Z,cn-shanghai,transcoding,H264,1280,720,1"0,minute',
        "job_id,completed_at,region,item,codec,width,height,quantity,unit",
        ",,,,,,,,",
    ],
    ids=["quoted", "comma", "doubled", "lines", "lost", "header", "empty"],
)
def test_a_bad_row_whose_line_differs_from_its_columns_is_found(tmp_path: Path, late: str) -> None:
    """The start of the file has no quotes, so lines are first made from columns."""
    line = "j-{},2023-11-10T11:20:00Z,cn-shanghai,transcoding,H264,1280,720,10,minute"
    rows = [
        "job_id,completed_at,region,item,codec,width,height,quantity,unit",
        *map(line.format, range(2_000)),
        late,
        late,
        line.format(1),
    ]
    _both([kit.source(tmp_path / "a.csv", "\n".join(rows) + "\n")])


def test_a_bad_row_after_a_lone_carriage_return_has_its_line(tmp_path: Path) -> None:
    """There DuckDB ends the row with an empty last value, as the exact reader does."""
    line = "j-{},{},cn-shanghai,transcoding,H264,1280,720,10,minute,"
    good = [line.format(number, "2023-11-10T11:20:00Z") for number in range(20)]
    header = "job_id,completed_at,region,item,codec,width,height,quantity,unit,tag_a"
    rows = [header, *good[:10], "\r".join(good[10:]), line.format(20, "x")]
    _both([kit.source(tmp_path / "a.csv", "\n".join(rows) + "\n")])


def test_very_many_bad_rows_after_a_good_start(tmp_path: Path) -> None:
    """Lines of bad rows are kept while rows are counted, until there are too many."""
    path, text = tmp_path / "a.csv", "j-{},2023-11-10T11:20:00Z,cn-shanghai,transcoding,H264,1280,720,{},minute"
    with path.open("w", encoding="utf-8") as stream:
        print("job_id,completed_at,region,item,codec,width,height,quantity,unit", file=stream)
        for number in range(300_000):
            print(text.format(number, 10 if number < 20_000 else f"{number}_0"), file=stream)
    options = MeterOptions(engine="duckdb", resources=Resources(memory=60_000_000), bill_good_rows=True)
    metered = kit.metered([kit.source(path)], options=options)
    assert (metered.rows_read, metered.rows_rejected) == (300_000, 280_000)


@pytest.mark.parametrize("packed", [False, True])
def test_rows_without_a_price_are_not_compared_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """Their form is right, so the engine compares them itself, however many there are; none is held in memory."""
    rows = [kit.row(job_id=f"j-{number % 900}", unit="frame" if number % 3 else "minute") for number in range(1_000)]
    text = kit.usage_text(rows).encode()
    source = kit.source(tmp_path / ("a.csv.gz" if packed else "a.csv"), gzip.compress(text) if packed else text)
    exact = outcome([source], EXACT)
    monkeypatch.setattr(sql_engine._Metering, "_doubtful_records", lambda *_: pytest.fail("records are gathered"))
    assert outcome([source], ENGINE) == exact


def test_many_bad_rows_are_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If most lines are in doubt, or more than can be held at once, they are read in file order."""
    rows = [kit.row(job_id=f"j-{number}", quantity=f"{number}_0") for number in range(900)]
    few = [*(kit.row(job_id=f"k-{number}") for number in range(900)), *rows[:20]]
    monkeypatch.setattr(duckdb_suspects, "_MAX_LINES", 10)
    monkeypatch.setattr(duckdb_suspects, "lines_among", lambda *_: pytest.fail("too many lines are held"))
    for name, part in (("many", rows), ("few", few)):
        _both([kit.source(tmp_path / f"{name}.csv", kit.usage_text(part))])


def test_generated_files_of_the_benchmark(tmp_path: Path) -> None:
    path = tmp_path / "dirty.csv"
    generate(20_000, path, dirty=100, duplicates=70, lost_quotes=6_000)
    first = path.read_bytes()
    generate(20_000, path, dirty=100, duplicates=70, lost_quotes=6_000)
    assert path.read_bytes() == first
    _both([kit.source(path)])


@pytest.mark.parametrize("dirty", [0, 1_000])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, dirty: int) -> None:
    """A million records, for which the exact reader needs more than 500 MB."""
    path = tmp_path / "large.csv"
    generate(1_000_000, path, duplicates=1_000, dirty=dirty, threads=2)
    arguments = ["usage", "check", str(path), "-p", "mps-china", "-q", "--memory", "150MB", "--threads", "2"]
    # The kernel's figure for a finished process includes its parent's memory at the fork, so the program reads its own figure.
    program = (sys.executable, "-c", MEASURED)
    run = subprocess.run([*program, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    assert run.returncode == (1 if dirty else 0)
    assert "1000000 read" in run.stdout
    peak = int(run.stdout.split()[-1])
    assert peak < 400_000, f"{peak} KiB"


def test_too_little_memory_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    generate(200_000, path, threads=2)
    options = MeterOptions(engine="duckdb", resources=Resources(memory=2_000_000, temp_folder=str(tmp_path)))
    with pytest.raises(InputRejected) as rejected:
        kit.metered([kit.source(path)], options=options)
    (problem,) = rejected.value.report.shown
    assert problem.kind in (kinds.NO_MEMORY, kinds.NO_DISK)
    assert "--memory" in problem.message or "--temp-dir" in problem.message
    assert not list(tmp_path.glob("mps-bill-*"))


def test_an_interrupt_does_not_wait_for_the_search_of_bad_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [kit.row(job_id=f"j-{number}", quantity="1_0" if number == 7 else "10") for number in range(50)]
    wanted, ended = threading.Event(), list[bool]()
    keep = duckdb_engine._DuckDBEngine.keep

    def search(*_: object) -> list[tuple[int, bytes]]:
        ended.append(wanted.wait(5))
        return []

    def interrupted(engine: duckdb_engine._DuckDBEngine, table: str, query: str, doing: str) -> int:
        if table == sql.REPEATED:
            raise KeyboardInterrupt
        return keep(engine, table, query, doing)

    monkeypatch.setattr(duckdb_suspects, "lines_among", search)
    monkeypatch.setattr(duckdb_engine._DuckDBEngine, "keep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kit.metered([kit.source(tmp_path / "a.csv", kit.usage_text(rows))], options=ENGINE)
    assert not ended
    wanted.set()


def test_interrupting_leaves_nothing_behind(tmp_path: Path) -> None:
    path, temporary, output = tmp_path / "large.csv", tmp_path / "temporary", tmp_path / "bills.csv"
    temporary.mkdir()
    generate(2_000_000, path, threads=2)
    arguments = ["bill", str(path), "-p", "mps-china", "--temp-dir", str(temporary), "-o", str(output)]
    command = [
        sys.executable,
        "-c",
        "import sys; from mps_bill.cli import run; sys.exit(run(sys.argv[1:]))",
        *arguments,
    ]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    started = time.monotonic()
    while not any(temporary.glob("*/spilled")) and len(list(temporary.iterdir())) < 2:
        assert run.poll() is None, "the run was over before it could be interrupted"
        assert time.monotonic() - started < 60
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert "Interrupted" in said
    assert not list(temporary.iterdir())
    assert not output.exists()


def test_folders_of_dead_runs_are_removed(tmp_path: Path) -> None:
    dead = tmp_path / "mps-bill-run-dead"
    dead.mkdir()
    (dead / "lock").touch()
    (dead / "spilled").write_text("left behind")
    # A run that was killed at its start has an empty folder.
    (tmp_path / "mps-bill-run-born").mkdir()
    with run_folder(str(tmp_path)) as alive:
        assert os.listdir(tmp_path) == [alive.name]
        sweep(str(tmp_path))
        assert alive.exists()
    assert not os.listdir(tmp_path)
