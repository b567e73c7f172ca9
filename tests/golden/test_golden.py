"""Whole commands: standard output, standard error, exit code and written files, to the byte (see README.md in this folder)."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.golden.cases import Outcome, case_names, expected, rewrite, run_case


@pytest.mark.parametrize("name", case_names())
def test_command_prints_what_is_expected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    outcome = run_case(name, tmp_path, monkeypatch)
    if request.config.getoption("--rewrite-golden"):
        rewrite(name, outcome)
    wanted = expected(name)
    if outcome != wanted:
        pytest.fail(
            "\n".join(difflib.unified_diff(_lines(wanted), _lines(outcome), "expected", "printed", lineterm=""))
        )


def _lines(outcome: Outcome) -> list[str]:
    """The outcome as lines to compare by eye; line ends other than LF show as escapes."""
    parts = {"standard output": outcome.stdout, "standard error": outcome.stderr, **outcome.files}
    lines = [f"exit code {outcome.exit_code}"]
    for name, data in parts.items():
        lines.append(f"--- {name}")
        lines += (
            line.encode("unicode_escape").decode() for line in data.decode("utf-8", "backslashreplace").split("\n")
        )
    return lines
