"""The problems that `prices check` found, with their lines, for people, editors and CI servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mps_bill.core.diagnostics import LISTED_OF_A_KIND, Problem, counted, printable, report_of, width_of
from mps_bill.documents.yaml_tree import lines_of
from mps_bill.price_sheet.sheet_problems import BY_CALENDAR, is_warning
from mps_bill.view.columns import attributes
from mps_bill.view.reading_report import lines_of_others, problem_json
from mps_bill.view.tables import Case, Suites

FORMAT = "mps-bill/prices-check/1"
Level = Literal["error", "warning"]

#: The width of the excerpt from a long line around its column.
_WIDEST = 100


@dataclass(frozen=True, slots=True)
class FindingsView:
    """The result of `prices check`.

    `problems` are in order of place. `texts` holds every file that could be read, by name. `strict`: warnings fail the check;
    `by_calendar`: also those that appear as time passes. The text format lists `listed` problems of each kind, the other
    formats all. `codes_page` is the address of the page of codes, if the user has published it.
    """

    problems: tuple[Problem, ...]
    texts: Mapping[str, str]
    today: str
    strict: bool
    by_calendar: bool = True
    listed: int = LISTED_OF_A_KIND
    codes_page: str = ""

    @property
    def errors(self) -> int:
        return sum(level(problem) == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors

    @property
    def failed(self) -> bool:
        return any(map(self.fails, self.problems))

    def fails(self, problem: Problem) -> bool:
        return level(problem) == "error" or (self.strict and (self.by_calendar or problem.kind not in BY_CALENDAR))

    @property
    def summary(self) -> str:
        """The summary: `10 price sheets checked: 2 errors, 1 warning.`"""
        sheets = counted(len(self.texts), "price sheet")
        if not self.problems:
            return f"{sheets} checked, nothing found."
        return f"{sheets} checked: {counted(self.errors, 'error')}, {counted(self.warnings, 'warning')}."

    def findings(self) -> FindingsView:
        return self

    def lines(self) -> Iterator[str]:
        """Yield problems as compilers print them: the place, the problem, the line of the file, and a caret under the column."""
        texts = {name: lines_of(text) for name, text in self.texts.items()}
        report = report_of(self.problems, self.listed)
        for group in report.groups:
            problem = group.first
            yield f"{printable(str(problem.place))}: {level(problem)}: {problem.message} [{problem.kind}]"
            yield from _excerpt(problem, texts.get(problem.place.file, []))
        yield from lines_of_others(report)

    def document(self) -> dict[str, Any]:
        """Return the counts, the sheets that were read, and every problem."""
        return {
            "format": FORMAT,
            "today": self.today,
            "sheets": sorted(self.texts),
            "errors": self.errors,
            "warnings": self.warnings,
            "problems": [
                {"level": level(problem), **problem_json(problem), **_also(problem)} for problem in self.problems
            ],
        }

    def suites(self) -> Suites:
        """Return a suite for each file, with a case for each problem, or a single passed case.

        A warning is a passed case with the warning as its output, unless the check is strict.
        """
        # Unreadable files have problems, but no text.
        files = sorted({*self.texts, *(problem.place.file for problem in self.problems)})
        by_file: dict[str, list[Case]] = {name: [] for name in files}
        for problem in self.problems:
            by_file[problem.place.file].append(self._case(problem))
        suites = [(name, cases or [Case("price sheet")]) for name, cases in by_file.items()]
        return Suites("mps-bill prices check", suites)

    def _case(self, problem: Problem) -> Case:
        title = f"{problem.kind} at {problem.place.line}:{problem.place.column}"
        if self.fails(problem):
            return Case(title, problem.place.line, (problem.kind.code, problem.message, str(problem)))
        return Case(title, problem.place.line, output=str(problem))


def _also(problem: Problem) -> dict[str, Any]:
    return {"also": [attributes(place, "line", "column") for place in problem.also]} if problem.also else {}


def level(problem: Problem) -> Level:
    return "warning" if is_warning(problem.kind) else "error"


def _excerpt(problem: Problem, lines: list[str]) -> Iterator[str]:
    """Yield the line of the problem and a caret under its column; nothing if the problem has no line."""
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
    yield f"{' ' * (len(margin) - 2)}| {' ' * width_of(before)}^"
