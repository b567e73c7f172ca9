"""DuckDB and the exact reader give the same totals for the same rows, and the same decision about every bad row."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mps_bill.core.diagnostics import InputRejected
from mps_bill.metering import EngineName
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter_options import MeterOptions
from tests.generated import BAD_CELLS, Ending, clean_files, dirty_files, endings, file_of
from tests.kit import COLUMNS, ENGINES, GOOD, HEADER, metered, row, source, usage_text


def read(engine: EngineName, *contents: bytes, options: MeterOptions | None = None) -> Metered | str:
    """The engine's result for the files, or the problems as text if not even bad rows can be rejected."""
    options = options or MeterOptions(bill_good_rows=True, max_errors=100)
    options = replace(options, engine=engine, tags=("tag_project",))
    with tempfile.TemporaryDirectory() as folder:
        sources = [source(Path(folder, f"usage-{number}.csv"), content) for number, content in enumerate(contents)]
        try:
            return metered(sources, options=options)
        except InputRejected as rejected:
            return "\n".join(map(str, rejected.report.shown))


def comparable(result: Metered | str) -> object:
    """The billed and the free rows; engines may group by more than a price can depend on."""
    if isinstance(result, str):
        return result
    totals: Counter[object] = Counter()
    for group in result.groups:
        found = group.assignment
        placed = (found.item.code, found.spec, found.region, found.cycle_start, group.key.tags)
        totals[placed, "micros"] += group.micros
        totals[placed, "records"] += group.records
    return (
        totals,
        (result.rows_read, result.rows_not_billable, result.rows_duplicate, result.rows_rejected),
        result.problems,
    )


def check_same(*contents: bytes, options: MeterOptions | None = None) -> Metered | str:
    exact = read("python", *contents, options=options)
    assert comparable(read("duckdb", *contents, options=options)) == comparable(exact)
    return exact


@pytest.fixture
def without_the_exact_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB must read clean files by itself: giving them to the exact reader would be right, but slow."""
    import mps_bill.metering.duckdb_engine as duckdb_engine
    import mps_bill.metering.meter as meter

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a clean file was handed to the exact reader")

    for module in (duckdb_engine, meter):
        monkeypatch.setattr(module, "read_exactly", refuse, raising=False)


@pytest.mark.usefixtures("without_the_exact_reader")
@pytest.mark.parametrize("ending", [Ending("\n", "", True), Ending("\r\n", "", True), Ending("\n", "\ufeff", False)])
def test_duckdb_reads_clean_files_by_itself(ending: Ending) -> None:
    written = [row(job_id=f"j-{number}", tag_project="'a'") for number in range(100)] + [
        row(job_id='"j-3"', tag_project="'a'")
    ]
    result = read("duckdb", file_of(written, ending), file_of([row(job_id="x", status="failed")], ending))
    assert isinstance(result, Metered)
    assert (result.rows_read, result.rows_duplicate) == (102, 1)


@settings(max_examples=20)
@given(clean_files(), endings)
def test_engines_agree_on_clean_files(written: list[str], ending: Ending) -> None:
    result = check_same(file_of(written, ending))
    assert isinstance(result, Metered)
    assert (result.rows_read, result.problems.total) == (len(written), 0)


@settings(max_examples=40)
@given(dirty_files())
@example(usage_text([row(), row(job_id='"j-2'), row(job_id="j-3")]).encode())
@example(usage_text([row(), row(tag_project='"x')]).encode().rstrip(b"\n"))
@example(usage_text([row(), '"', row(job_id="j-3"), row(job_id="j-4")]).encode())
@example(usage_text([row(tag_project='"a\nb"'), row(job_id="j-2")]).encode())
@example(usage_text([row(), row(job_id="j-2")]).encode().replace(b"\n", b"\r"))
@example(HEADER.encode() + b"\n\n" + row().encode() + b"\r\n\r\n" + row(job_id="j-2").encode())
def test_engines_agree_on_dirty_files(content: bytes) -> None:
    check_same(content)


def test_engines_agree_on_every_bad_cell_in_every_column() -> None:
    """All cells in one file, except those that can spoil the rows around them."""
    names = [name for name in COLUMNS if name != "output"]
    tame = [cell for cell in BAD_CELLS if '"' not in cell and cell not in ("\r", "\n")]
    bad = [row(**{"job_id": f"{name}-{number}", name: cell}) for number, cell in enumerate(tame) for name in names]
    result = check_same(usage_text([row(), *bad, row(job_id="last")]).encode())
    assert isinstance(result, Metered)
    assert 200 < result.rows_rejected < len(bad)


@pytest.mark.parametrize("name", ["job_id", "quantity", "tag_project"])
@pytest.mark.parametrize("cell", ['"', "\r", "\n", '""', '"a""b"', 'a"b', '"a"b', '"1,000"'])
def test_engines_agree_on_a_cell_that_breaks_the_form_of_its_row(name: str, cell: str) -> None:
    check_same(usage_text([row(), row(**{"job_id": "j-2", name: cell}), row(job_id="j-3")]).encode())


@settings(max_examples=8)
@given(clean_files(), st.integers(0, 30), endings, st.booleans())
def test_engines_agree_on_files_with_other_columns(written: list[str], cut: int, ending: Ending, trust: bool) -> None:
    bare = [",".join({**GOOD, "job_id": f"bare-{number % 3}"}.values()) for number in range(5)]
    options = MeterOptions(trust_unique=trust, assumed_offset=19_800)
    check_same(
        file_of(written[:cut], ending),
        file_of(written[cut:], Ending("\n", "", True)),
        file_of(bare, ending, header=",".join(GOOD)),
        options=options,
    )


@settings(max_examples=8)
@given(st.lists(st.sampled_from(["", "x", "é", '"q"', "1,2", "\x00", '"a,b"', "\t"]), min_size=1, max_size=4))
def test_engines_agree_on_ignored_columns(extras: list[str]) -> None:
    rows = [f"{row(job_id=f'j-{number}')},{extra}" for number, extra in enumerate(extras)]
    options = MeterOptions(ignore_extra_columns=True, bill_good_rows=True, max_errors=100)
    check_same(usage_text(rows, HEADER + ",note").encode(), options=options)


def test_engines_are_the_two_that_are_compared() -> None:
    assert ENGINES == ("python", "duckdb")
