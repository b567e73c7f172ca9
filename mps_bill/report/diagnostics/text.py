"""Findings as compilers print them: the place, the problem, the line of the file, and a caret under the column."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from mps_bill.core.diagnostics import Problem, printable
from mps_bill.report.diagnostics.findings import Findings, level

#: So much of a long line is shown around its column.
_WIDEST = 100


def text_lines(findings: Findings) -> Iterator[str]:
    """The findings as lines without line ends."""
    lines = {name: text.splitlines() for name, text in findings.texts.items()}
    for problem in findings.problems:
        yield f"{printable(str(problem.place))}: {level(problem)}: {problem.message} [{problem.kind}]"
        yield from _excerpt(problem, lines.get(problem.place.file, []))


def _excerpt(problem: Problem, lines: list[str]) -> Iterator[str]:
    """The line that the problem is on and a caret under its column; nothing where it has no line."""
    number, column = problem.place.line, problem.place.column
    if not 0 < number <= len(lines) or not column:
        return
    line = lines[number - 1].removeprefix("\ufeff")
    start = max(0, column - 1 - _WIDEST * 2 // 3) if len(line) > _WIDEST else 0
    end = start + _WIDEST
    before = ("..." if start else "") + printable(line[start : column - 1])
    shown = before + printable(line[column - 1 : end]) + ("..." if end < len(line) else "")
    margin = f"{number:>6} | "
    yield f"{margin}{shown}"
    yield f"{' ' * (len(margin) - 2)}| {' ' * _columns(before)}^"


def _columns(text: str) -> int:
    """How wide text stands on a terminal: Chinese characters take two columns, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
