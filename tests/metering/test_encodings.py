"""Usage in GB18030 is read and reported; files in neither GB18030 nor UTF-8 are refused with the place."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from mps_bill.ask.job_history import explain_job
from mps_bill.cli import run
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from tests.kit import ENGINES, HEADER, book, metered, places, problems_of, row, source, usage_text

#: 𠮷 is four bytes in GB18030, 镕 has a letter as its second byte.
TAGS = ["新闻", "纪录片 𠮷", "朱镕基", "plain"]
HEAD = HEADER.replace("tag_project", "tag_项目")


def content(rows: int = 40, header: str = HEADER) -> bytes:
    lines = [
        row(job_id=f"j-{number}", tag_project=TAGS[number % 4] if number > 20 else "plain") for number in range(rows)
    ]
    return usage_text(lines, header).encode("gb18030")


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "usage.csv": bytes,
    "usage.csv.gz": gzip.compress,
    "usage.csv.zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("rows", [40, 30_000])
@pytest.mark.parametrize("tag", ["tag_project", "tag_项目"])
def test_gb18030_is_read_and_reported(engine: EngineName, name: str, rows: int, tag: str, tmp_path: Path) -> None:
    one = source(tmp_path / name, PACKED[name](content(rows, HEAD if tag == "tag_项目" else HEADER)))
    told: list[str] = []
    result = metered([one], options=MeterOptions(engine=engine, tags=(tag,), notify=told.append))
    assert {group.key.tags[0] for group in result.groups} == set(TAGS)
    assert (result.rows_read, result.problems.total) == (rows, 0)
    assert told == [f"{one.name}: read as GB18030, since it is not UTF-8"]


@pytest.mark.parametrize("engine", ENGINES)
def test_bad_rows_in_gb18030_have_their_places_and_utf_8_files_are_not_copied(
    engine: EngineName, tmp_path: Path
) -> None:
    rows = [row(job_id="a", tag_project="新闻"), row(job_id="b", tag_project="新闻", quantity="ten")]
    first = source(tmp_path / "gb.csv", usage_text(rows).encode("gb18030"))
    second = source(
        tmp_path / "utf-8.csv", usage_text([row(job_id="c", tag_project="新闻"), row(job_id="d", unit="x")])
    )
    rejected: list[tuple[str, str]] = []

    def reject(one: UsageSource, bad: object, _: object) -> None:
        rejected.append((one.name, bad.raw.decode()))  # type: ignore[attr-defined]

    options = MeterOptions(engine=engine, tags=("tag_project",), bill_good_rows=True, reject=reject)
    result = metered([first, second], options=options)
    assert places(result.problems) == [("gb.csv:3:70", "U203"), ("utf-8.csv:3:73", "U303")]
    assert {group.key.tags for group in result.groups} == {("新闻",)}
    assert rejected == [("gb.csv", rows[1]), ("utf-8.csv", row(job_id="d", unit="x"))]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("bad", "column"),
    [
        ("é-news".encode("latin-1"), 83),
        ("le créateur, déjà".replace(",", "").encode("latin-1"), 88),
        ("新闻".encode("gb18030")[:-1], 83),
        ("𠮷".encode("gb18030")[:-1], 83),
        ("新闻".encode("gb18030") + b"\xff", 83),
    ],
)
def test_files_that_are_not_entirely_gb18030_are_refused_with_the_place(
    engine: EngineName, bad: bytes, column: int, tmp_path: Path
) -> None:
    rows = [row(), row(job_id="j-2", tag_project="@")]
    text = usage_text(rows).encode().replace(b"@", bad)
    for ending in (b"", b"\n" + row(job_id="j-3").encode() + b"\n"):
        one = source(tmp_path / "usage.csv", text.rstrip(b"\n") + ending)
        report = problems_of([one], options=MeterOptions(engine=engine))
        assert places(report) == [(f"usage.csv:3:{column}", "U110")]


WESTERN = ["éèx", "àéz", "ÉÈX", "çãy", "ÇÃO", "éèêë", "größe", "ÄÖx", "l’été", "naïveté-êéz"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tag", WESTERN)
def test_text_that_may_be_windows_1252_is_refused_with_both_names(engine: EngineName, tag: str, tmp_path: Path) -> None:
    text = usage_text([row(), row(job_id="j-2", tag_project=tag)]).encode("cp1252")
    one = source(tmp_path / "usage.csv", text)
    told: list[str] = []
    report = problems_of([one], options=MeterOptions(engine=engine, notify=told.append))
    assert [problem.kind.code for problem in report.shown] == ["U110"]
    if text.decode("gb18030", "ignore").encode("gb18030") == text:
        assert told == [f"{one.name}: not UTF-8, and could be either Windows-1252 or GB18030; save it as UTF-8"]


@pytest.mark.parametrize("tag", ["项目", "运营部", "剪辑，终版", "朱镕基", "VIP客户", "音乐（官方）"])
def test_short_chinese_words_are_read(tag: str, tmp_path: Path) -> None:
    one = source(tmp_path / "usage.csv", usage_text([row(tag_project=tag)]).encode("gbk"))
    result = metered([one], options=MeterOptions(tags=("tag_project",)))
    assert [group.key.tags for group in result.groups] == [(tag,)]


def test_explain_finds_jobs_in_gb18030(tmp_path: Path) -> None:
    text = usage_text([row(job_id="任务", tag_project="新闻"), row()])
    one = source(tmp_path / "usage.csv", text.encode("gb18030"))
    told: list[str] = []
    (found,) = explain_job([one], book(), MeterOptions(notify=told.append), "任务").records
    assert (found.placed.record.job_id, found.placed.row.line, len(told)) == ("任务", 2, 1)


@pytest.mark.parametrize("name", ["mps-job-list", None])
def test_the_encoding_is_reported_on_standard_error(
    name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    file = tmp_path / "usage.csv"
    words = ["usage", "check", str(file), "-p", "mps-china"]
    if name:
        text = (root / "samples/profiles/job-list.csv").read_text()
        file.write_bytes(
            text.replace("\n", ",备注\n", 1).replace("\n", ",完成\n").replace(",备注,完成", ",备注").encode("gbk")
        )
        words += ["--profile", name, "--set", "region=cn-shanghai"]
    else:
        file.write_bytes(content())
    assert run(words) == 0
    assert f"{file}: read as GB18030, since it is not UTF-8" in capsys.readouterr().err
    assert run([*words, "-q"]) == 0
    assert capsys.readouterr().err == ""
    if not name:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(content()))))
        assert run([*words[:2], "-", *words[3:]]) == 0
        assert "<stdin>: read as GB18030" in capsys.readouterr().err
