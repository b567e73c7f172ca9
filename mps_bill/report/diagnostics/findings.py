"""What `prices check` found, before it has a format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mps_bill.core.diagnostics import Problem
from mps_bill.price_sheet.sheet_problems import is_warning

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Findings:
    """`problems` in order of place. `texts` has the text of every file that could be read, by its name; `strict` says
    whether warnings fail the check too."""

    problems: tuple[Problem, ...]
    texts: Mapping[str, str]
    today: str
    strict: bool

    @property
    def errors(self) -> int:
        return sum(level(problem) == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors

    @property
    def failed(self) -> bool:
        return bool(self.problems if self.strict else self.errors)

    def by_file(self) -> Iterator[tuple[str, list[Problem]]]:
        """Every file that was read or should have been, with its problems."""
        for name in sorted({*self.texts, *(problem.place.file for problem in self.problems)}):
            yield name, [problem for problem in self.problems if problem.place.file == name]


def level(problem: Problem) -> Level:
    return "warning" if is_warning(problem.kind) else "error"


def summary(findings: Findings) -> str:
    """`10 price sheets checked: 2 errors, 1 warning.`"""
    sheets = _count(len(findings.texts), "price sheet")
    if not findings.problems:
        return f"{sheets} checked, nothing found."
    return f"{sheets} checked: {_count(findings.errors, 'error')}, {_count(findings.warnings, 'warning')}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
