"""What --help says does not depend on how Python runs the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from mps_bill.cli.app import app_for

SCRIPT = """
import sys
from mps_bill.cli import main
for words in sys.stdin.read().splitlines():
    sys.argv = ["mps-bill", *words.split(), "--help"]
    try:
        main()
    except SystemExit as ended:
        print(words, ended.code, flush=True)
"""


def command_lines(command: typer.core.TyperGroup | object, words: tuple[str, ...] = ()) -> list[str]:
    """The words of every command and group of commands, the program itself as the first."""
    found = [" ".join(words)]
    for name, member in getattr(command, "commands", {}).items():
        found += command_lines(member, (*words, name))
    return found


@pytest.fixture(scope="module")
def all_commands() -> list[str]:
    return command_lines(typer.main.get_command(app_for([])))


def helps(level: str, commands: list[str], folder: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input="\n".join(commands),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONOPTIMIZE": level, "COLUMNS": "100", "PYTHONPYCACHEPREFIX": str(folder)},
    )
    assert not run.stderr
    return run.stdout


@pytest.mark.parametrize("level", ["1", "2"])
def test_optimized_python_shows_the_same_help(level: str, all_commands: list[str], tmp_path: Path) -> None:
    plain = helps("", all_commands, tmp_path)
    assert len(all_commands) > 20
    assert plain.count("Usage: mps-bill") == len(all_commands)
    assert "Check price sheets and report every problem" in plain
    assert helps(level, all_commands, tmp_path) == plain
