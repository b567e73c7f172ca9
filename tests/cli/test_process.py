"""The program as a process: what tests within one process cannot see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mps_bill
from tests.conftest import ROOT
from tests.golden.cases import expected
from tests.kit import row, usage_text

RUN = [sys.executable, "-c", "from mps_bill.cli import main; main()"]


def run(*words: str, stdin: bytes = b"", **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")
    }
    environment |= {"PYTHONPATH": str(ROOT), **variables}
    return subprocess.run([*RUN, *words], cwd=ROOT, env=environment, input=stdin, capture_output=True, check=False)


def test_a_golden_case_prints_the_same_from_a_process() -> None:
    wanted = expected("bill/sample-day")
    done = run("bill", "samples/studio-2023-11-10.csv", "--prices", "mps-china", COLUMNS="80")
    assert (done.returncode, done.stdout, done.stderr) == (wanted.exit_code, wanted.stdout, wanted.stderr)


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version(option: str) -> None:
    done = run(option)
    assert (done.returncode, done.stdout.decode()) == (0, f"mps-bill {mps_bill.__version__}\n")


def test_the_package_runs_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "mps_bill", "-V"], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == run("-V").stdout


@pytest.mark.parametrize("colours", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": "xterm-256color"}])
def test_off_a_terminal_nothing_is_coloured(colours: dict[str, str]) -> None:
    done = run("bill", "samples/month-turn.csv", "--prices", "mps-china", **colours)
    assert b"\x1b" not in done.stdout + done.stderr


def test_standard_input_from_a_pipe() -> None:
    usage = (ROOT / "samples" / "month-turn.csv").read_bytes()
    from_pipe = run("bill", "-", "--prices", "mps-china", "--format", "json", stdin=usage)
    from_file = run("bill", "samples/month-turn.csv", "--prices", "mps-china", "--format", "json")
    assert (from_pipe.returncode, from_pipe.stdout) == (0, from_file.stdout)


def test_a_reader_that_goes_away_is_not_an_error() -> None:
    program = " ".join(f"'{word}'" for word in RUN)
    words = "bill samples/studio-2023-11-10.csv --prices mps-china --all --format json"
    done = subprocess.run(
        ["bash", "-c", f"{program} {words} | head -c 10; echo ${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.stdout, done.stderr) == ('{\n  "forma0\n', "")


def test_an_output_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(usage_text([row(region="cn-shanghai")]))
    target = tmp_path / "bill.json"
    target.write_text("old")
    assert run("bill", str(tmp_path / "gone.csv"), "--prices", "mps-china", "--output", str(target)).returncode == 3
    assert target.read_text() == "old"
    assert run("bill", str(usage), "--prices", "mps-china", "--output", str(target), "--quiet").returncode == 0
    assert target.read_text().startswith('{\n  "format": "mps-bill/bills/1"')
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bill.json", "usage.csv"]
