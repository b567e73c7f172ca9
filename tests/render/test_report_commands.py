"""Reports from the command line: the suffix selects the format, and files are written completely or not at all."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.render import formats
from tests.conftest import ROOT
from tests.golden.cases import run_captured

USAGE = str(ROOT / "samples" / "studio-2023-11-10.csv")
BILL = ["bill", USAGE, "--prices", "mps-china"]
SETTLE = ["settle", USAGE, "--prices", "mps-china", "--account", str(ROOT / "samples" / "account-studio-a.yaml")]


@pytest.mark.parametrize("command", [BILL, SETTLE], ids=["bill", "settle"])
@pytest.mark.parametrize("suffix", ["xlsx", "html", "md", "csv", "json", "txt", "HTML"])
def test_the_suffix_picks_the_format(command: list[str], suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bill.{suffix}"
    assert run([*command, "--output", str(path), "--quiet"]) == 0
    data = path.read_bytes()
    match suffix.lower():
        case "xlsx":
            assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
        case "html":
            assert data.startswith(b"<!DOCTYPE html>")
        case "md":
            assert b"| ---: |" in data
        case "csv":
            assert data.startswith(b"product,status,")
        case "json":
            assert json.loads(data)["format"] == "mps-bill/bills/1"
        case _:
            assert "──".encode() in data
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name], "nothing else is left behind"
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("format_", ["html", "chart", "focus"])
def test_the_format_takes_precedence_over_the_suffix(format_: str, tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    assert run([*BILL, "--format", format_, "--output", str(path)]) == 0
    start = {"html": "<!DOCTYPE html>", "chart": "Payable by hour", "focus": "AvailabilityZone,BilledCost,"}[format_]
    assert path.read_text().startswith(start)


def test_a_workbook_goes_down_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run_captured([*BILL, "--format", "xlsx"], b"", monkeypatch)
    assert (code, err) == (0, b"")
    assert zipfile.ZipFile(io.BytesIO(out)).testzip() is None


def test_a_workbook_does_not_go_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run([*BILL, "--format", "xlsx"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "a workbook cannot be shown on a terminal; give a file, such as --output bill.xlsx" in told.err


def test_a_missing_library_is_named_before_any_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "xlsxwriter" else find(name))
    path = tmp_path / "bill.xlsx"
    code, out, err = run_captured(["bill", "no-such.csv", "--prices", "mps-china", "-o", str(path)], b"", monkeypatch)
    assert (code, out) == (2, b"")
    assert b'pip install "mps-bill[xlsx]"' in err
    assert not path.exists()


def test_a_failed_report_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mps_bill.render import html

    path = tmp_path / "bill.html"
    path.write_text("old")

    def fails(_: object) -> str:
        raise RuntimeError("halfway")

    monkeypatch.setattr(html, "page", fails)
    assert run([*BILL, "-o", str(path)]) == 70
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["bill.html"]


def test_a_report_that_is_too_large_for_a_workbook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mps_bill.render import xlsx

    monkeypatch.setattr(xlsx, "MAX_ROWS", 20)
    code, _, err = run_captured([*BILL, "-o", str(tmp_path / "bill.xlsx")], b"", monkeypatch)
    assert code == 2
    assert b"Lines has 30 rows; a sheet of a workbook holds 20" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [["usage", "check", USAGE], ["explain", USAGE, "--job", "j-1001"]], ids=["check", "explain"]
)
@pytest.mark.parametrize("format_", ["xlsx", "html", "chart", "focus"])
def test_other_commands_have_no_such_reports(command: list[str], format_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run_captured([*command, "--prices", "mps-china", "--format", format_], b"", monkeypatch)
    assert (code, out) == (2, b"")
    assert f"'{format_}' is not one of 'table', 'json'".encode() in err


def test_settling_saves_the_account_with_every_report(tmp_path: Path) -> None:
    for format_ in ("html", "xlsx", "chart", "focus"):
        saved = tmp_path / f"after-{format_}.yaml"
        assert (
            run([*SETTLE, "--format", format_, "-o", str(tmp_path / f"report-{format_}"), "--save", str(saved), "-q"])
            == 0
        )
        assert "1471.1" in saved.read_text()


def test_bad_rows_are_reported_with_a_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bad = str(ROOT / "samples" / "bad-delivery.csv")
    page = tmp_path / "bill.html"
    rejects = str(tmp_path / "rejects.csv")
    code, _, err = run_captured(
        ["bill", USAGE, bad, "-p", "mps-china", "-o", str(page), "--rejects", rejects], b"", monkeypatch
    )
    assert code == 1
    assert b"bad-delivery.csv:2" in err
    assert "rejected" in page.read_text()


@pytest.mark.parametrize("command", [BILL, SETTLE], ids=["bill", "settle"])
def test_a_summary_is_for_paper(command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("table", "csv", "json", "markdown", "chart", "focus"):
        code, out, err = run_captured([*command, "--summary", "--format", name], b"", monkeypatch)
        assert (code, out) == (2, b"")
        assert "it needs --format html or xlsx" in " ".join(err.decode().replace("│", " ").split())
    for option in (["--all"], ["--bills", "3"]):
        code, _, err = run_captured([*command, "--summary", *option, "-f", "html"], b"", monkeypatch)
        assert code == 2
        assert f"the report has no full bills; remove {option[0]}".encode() in err
    for by in (["day,item"], ["spec", "region", "item", "hour"]):
        asked = [word for one in by for word in ("--by", one)]
        code, _, err = run_captured([*command, "--summary", *asked, "-f", "html"], b"", monkeypatch)
        assert code == 2
        assert b"with --summary give at most 3 summaries" in err
    for suffix in ("html", "xlsx"):
        path = tmp_path / f"short.{suffix}"
        assert run([*command, "--summary", "--by", "tag_project", "-o", str(path), "-q"]) == 0
        assert path.exists()


def test_a_default_grouping_that_two_pages_cannot_show_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPS_BILL_BY", "day,item")
    code, out, _ = run_captured([*BILL, "--summary", "--format", "html"], b"", monkeypatch)
    assert code == 0
    assert b"Costs: 2023-11" in out
