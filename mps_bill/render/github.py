"""Findings as GitHub workflow commands, which GitHub shows next to the lines of a pull request.

Source: docs.github.com, "Workflow commands for GitHub Actions", setting an error or a warning message.
"""

from __future__ import annotations

from typing import IO

from mps_bill.core.diagnostics import Problem, printable
from mps_bill.view.findings_view import FindingsView, level

_IN_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_MESSAGE, ":": "%3A", ",": "%2C"}


def write(findings: FindingsView, stream: IO[str]) -> None:
    """Write one command for each finding."""
    stream.writelines(f"{_command(problem)}\n" for problem in findings.problems)


def _command(problem: Problem) -> str:
    place = problem.place
    properties = {"file": printable(place.file), "line": place.line, "col": place.column, "title": str(problem.kind)}
    given = ",".join(f"{name}={_escaped(str(value), _IN_PROPERTY)}" for name, value in properties.items() if value)
    return f"::{level(problem)} {given}::{_escaped(printable(problem.message), _IN_MESSAGE)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(char, char) for char in text)
