"""What --help says does not depend on how Python runs the program."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from mps_bill.cli import run
from mps_bill.cli.app import app_for
from mps_bill.cli.command_help import EXAMPLES

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
    return command_lines(typer.main.get_command(app_for()))


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


def help_of(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run([*words.split(), "--help"]) == 0
    return capsys.readouterr().out


READING_COMMANDS = ["bill", "settle", "explain", "reconcile", "compare", "plans advise", "usage check"]


@pytest.mark.parametrize("words", READING_COMMANDS)
def test_options_are_listed_under_their_purpose(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(words, capsys)
    titles = re.findall(r"^([A-Z].+):$", text, re.MULTILINE)
    assert titles == ["Arguments", "What to bill", "What to show", "Reading", "Engine", "Example"]
    sections = dict(zip(titles, re.split(r"^[A-Z].+:$", text, flags=re.MULTILINE)[1:], strict=True))
    assert "--prices" in sections["What to bill"]
    assert "--format" in sections["What to show"]
    assert sections["What to show"].rstrip().endswith("Show this message and exit.")
    assert "--rejects" in sections["Reading"]
    assert "--memory" in sections["Engine"]


def test_every_command_has_an_example_that_it_takes(
    all_commands: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    program = typer.main.get_command(app_for())
    for words in all_commands:
        command = program
        for word in words.split():
            command = command.commands[word]
        if hasattr(command, "commands") or command.hidden:
            continue
        example = EXAMPLES[words]
        assert example.startswith(words)
        assert f"Example:\n  mps-bill {example}\n" in help_of(words, capsys)
        # Parsing stops at the first option, argument or value that the command does not take.
        command.make_context(words, shlex.split(example.removeprefix(words)))


def test_a_group_without_a_command_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prices"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.splitlines()[0]) == ("", "Usage: mps-bill prices [OPTIONS] COMMAND [ARGS]...")


def test_an_option_has_one_default() -> None:
    """`--bills N  ... Default: a few. [default: 5]` says two things."""

    def options(command: typer.core.TyperGroup | object, words: str) -> Iterator[tuple[str, typer.core.TyperOption]]:
        yield from ((words, one) for one in getattr(command, "params", ()) if isinstance(one, typer.core.TyperOption))
        for name, member in getattr(command, "commands", {}).items():
            yield from options(member, f"{words} {name}")

    found = list(options(typer.main.get_command(app_for()), "mps-bill"))
    assert len(found) > 100
    twice = [
        f"{words} {one.opts[0]}"
        for words, one in found
        if "Default: " in (one.help or "") and one.default not in (None, False) and one.show_default
    ]
    assert not twice
