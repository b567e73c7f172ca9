"""No command writes over a file that it reads, or two results to one file; and it says so before it writes anything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.cli.exit_codes import WRONG_COMMAND_LINE
from tests.cli.test_process import RUN
from tests.conftest import ROOT
from tests.kit import row, usage_text

ACCOUNT = "format: mps-bill/account/1\nid: studio-a\ncurrency: CNY\nbalance: 10.00\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "sheet.yaml").write_text((ROOT / "pricing" / "mps-china.yaml").read_text())
    (tmp_path / "usage-1.csv").write_text(usage_text([row(), row(job_id="bad", quantity="ten")]))
    (tmp_path / "account.yaml").write_text(ACCOUNT)
    (tmp_path / "link.csv").symlink_to("usage-1.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


COMMANDS = {
    "bill": ["bill", "usage-*.csv"],
    "usage check": ["usage", "check", "usage-*.csv"],
    "explain": ["explain", "usage-*.csv", "--job", "j-1", "-a", "account.yaml"],
    "settle": ["settle", "usage-*.csv", "-a", "account.yaml"],
    "compare": ["compare", "usage-*.csv", "--account", "account.yaml"],
    "reconcile": [
        "reconcile",
        "usage-*.csv",
        "-b",
        str(ROOT / "tests/golden/reconcile/every-class/export.csv"),
        "-a",
        "account.yaml",
    ],
    "plans advise": ["plans", "advise", "usage-*.csv", "--packs", "mps-china-packs", "-a", "account.yaml"],
}
WITH_ACCOUNT = [name for name, words in COMMANDS.items() if "account.yaml" in words]


def refused(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    before = contents(folder)
    assert run(words) == WRONG_COMMAND_LINE
    assert contents(folder) == before
    out, err = capsys.readouterr()
    assert out == ""
    return " ".join(err.split())


@pytest.mark.parametrize("option", ["--output", "--rejects"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("usage-1.csv", "usage usage-1.csv"),
        ("./prices/../usage-1.csv", "usage usage-1.csv"),
        ("link.csv", "usage usage-1.csv"),
        ("prices/sheet.yaml", "--prices prices/sheet.yaml"),
        ("account.yaml", "--account account.yaml"),
    ],
)
def test_what_is_read_is_not_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str], option: str, command: str, path: str, other: str
) -> None:
    if other.startswith("--account") and command not in WITH_ACCOUNT:
        pytest.skip("it reads no account")
    words = [*COMMANDS[command], "-p", "prices", "-f", "json", option, path]
    said = refused(folder, capsys, words)
    assert f"{option}: {path} is also given as {other}; name another file" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_two_results_are_not_written_to_one_file(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    words = [*COMMANDS[command], "-p", "prices", "-f", "json", "--output", "new.csv", "--rejects", "./new.csv"]
    assert "--rejects: ./new.csv is also given as --output new.csv; name another file" in refused(folder, capsys, words)


def test_converted_usage_is_not_written_over_its_source(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["usage", "convert", "usage-*.csv", "--profile", "profile.yaml", "--output", "usage-1.csv"]
    assert "--output: usage-1.csv is also given as usage usage-1.csv" in refused(folder, capsys, words)


@pytest.mark.skipif(not os.path.exists("/dev/stdin"), reason="needs /dev/stdin")
def test_a_file_on_standard_input_is_not_overwritten(folder: Path) -> None:
    usage = folder / "usage-1.csv"
    before = usage.read_bytes()
    words = [*RUN, "bill", "-", "-p", "mps-china", "-f", "json", "--output", str(usage)]
    with usage.open("rb") as stream:
        done = subprocess.run(words, cwd=ROOT, stdin=stream, capture_output=True, check=False)
    assert done.returncode == WRONG_COMMAND_LINE
    assert usage.read_bytes() == before
