"""Running a golden case: a folder with a command, its input, and what it is expected to print."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mps_bill.cli import run
from tests.conftest import ROOT

GOLDEN = Path(__file__).resolve().parent
#: Folders of the repository that a command may name by their path in it.
SHARED_FOLDERS = ("samples", "pricing")
_EXPECTATIONS = ("command", "environment", "stdin", "stdout", "stderr", "exit_code", "expected")
_VARIABLES_OF_TERMINALS = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: `files` are those it wrote or changed, by their path below the folder it ran in."""

    stdout: bytes
    stderr: bytes
    exit_code: int
    files: dict[str, bytes]


def case_names() -> list[str]:
    """Every case, as `bill/by-day`."""
    return sorted(str(command.parent.relative_to(GOLDEN)) for command in GOLDEN.rglob("command"))


def run_case(name: str, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Runs the case in a copy of its folder, within this process, with streams that are no terminal."""
    case = GOLDEN / name
    for path in case.iterdir():
        if path.name not in _EXPECTATIONS:
            copy = shutil.copytree if path.is_dir() else shutil.copy
            copy(path, workplace / path.name)
    for folder in SHARED_FOLDERS:
        if not (workplace / folder).exists():
            (workplace / folder).symlink_to(ROOT / folder)
    for variable in _VARIABLES_OF_TERMINALS:
        monkeypatch.delenv(variable, raising=False)
    for line in _text(case / "environment").splitlines():
        variable, _, value = line.partition("=")
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(workplace)
    before = _files(workplace)
    stdin = case / "stdin"
    code, stdout, stderr = run_captured(arguments(case), stdin.read_bytes() if stdin.exists() else b"", monkeypatch)
    written = {path: data for path, data in _files(workplace).items() if before.get(path) != data}
    return Outcome(stdout, stderr, code, written)


def arguments(case: Path) -> list[str]:
    lines = [line for line in _text(case / "command").splitlines() if line and not line.startswith("#")]
    assert len(lines) == 1, f"{case / 'command'} holds {len(lines)} commands"
    return shlex.split(lines[0])


def run_captured(words: list[str], stdin: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of `mps-bill` with these arguments."""
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for name in ("stdout", "stderr")}
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        code = run(words)
    for stream in streams.values():
        stream.flush()
    out, err = (stream.buffer.getvalue() for stream in streams.values())  # type: ignore[attr-defined]
    return code, out, err


def expected(name: str) -> Outcome:
    case = GOLDEN / name
    code = _text(case / "exit_code").strip()
    assert code, f"{name} expects nothing yet; run pytest with --rewrite-golden and read what it writes"
    return Outcome(_bytes(case / "stdout"), _bytes(case / "stderr"), int(code), _files(case / "expected"))


def rewrite(name: str, outcome: Outcome) -> None:
    """Writes what the command did as what is expected of it."""
    case = GOLDEN / name
    for file, data in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        (case / file).unlink(missing_ok=True)
        if data:
            (case / file).write_bytes(data)
    (case / "exit_code").write_text(f"{outcome.exit_code}\n")
    shutil.rmtree(case / "expected", ignore_errors=True)
    for path, data in outcome.files.items():
        target = case / "expected" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, without following links to other folders."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _text(path: Path) -> str:
    return _bytes(path).decode()
