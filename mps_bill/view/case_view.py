"""The results of `prices test`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mps_bill.ask.price_cases.run_cases import CaseResult, FileResult
from mps_bill.core.diagnostics import counted, printable
from mps_bill.view.columns import attributes
from mps_bill.view.reading_report import problem_json
from mps_bill.view.tables import Case, Suites

FORMAT = "mps-bill/prices-test/1"


@dataclass(frozen=True, slots=True)
class CaseView:
    """The results of `prices test` by file."""

    files: Sequence[FileResult]

    @property
    def failed(self) -> int:
        return sum(file.failed for file in self.files)

    @property
    def passed(self) -> int:
        return sum(len(file.results) for file in self.files) - self.failed

    @property
    def summary(self) -> str:
        """The summary: `15 cases: 14 passed, 1 failed.`"""
        total = self.passed + self.failed
        return f"{counted(total, 'case')}: {self.passed} passed, {self.failed} failed."

    def lines(self) -> Iterator[str]:
        """Yield every case by file; after a failed case, each wrong value with its place."""
        for file in self.files:
            yield printable(f"{file.name} ({file.sheet})")
            for result in file.results:
                yield f"  {'ok  ' if result.passed else 'FAIL'}  {printable(result.case.name)}"
                yield from (f"        {line}" for line in _failure_lines(result))

    def document(self) -> dict[str, Any]:
        """Return every case with its mismatches and refusals."""
        return {
            "format": FORMAT,
            "passed": self.passed,
            "failed": self.failed,
            "files": [
                {"file": file.name, "price_sheet": file.sheet, "cases": list(map(_case_json, file.results))}
                for file in self.files
            ],
        }

    def suites(self) -> Suites:
        files = [(file.name, list(map(_junit_case, file.results))) for file in self.files]
        return Suites("mps-bill prices test", files)


def _failure_lines(result: CaseResult) -> list[str]:
    lines = []
    for one in result.mismatches:
        difference = f" ({one.difference})" if one.difference else ""
        lines.append(f"{one.place}: " + printable(f"{one.what} is {one.actual}, expected {one.expected}{difference}"))
    return lines + [f"{one.place}: refused: {one.message} [{one.kind}]" for one in result.refusals]


def _case_json(result: CaseResult) -> dict[str, Any]:
    return {
        "name": result.case.name,
        "source": result.case.source,
        "line": result.case.place.line,
        "passed": result.passed,
        "mismatches": [
            {
                **attributes(mismatch, "what", "expected", "actual", "difference"),
                **attributes(mismatch.place, "line", "column"),
            }
            for mismatch in result.mismatches
        ],
        "refusals": list(map(problem_json, result.refusals)),
    }


def _junit_case(result: CaseResult) -> Case:
    lines = _failure_lines(result)
    failure = ("failed", lines[0].partition(": ")[2], "\n".join(lines)) if lines else None
    return Case(result.case.name, result.case.place.line, failure)
