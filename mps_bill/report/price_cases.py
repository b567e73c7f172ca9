"""The results of `prices test` as text, JSON and JUnit suites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mps_bill.ask.price_cases.run_cases import CaseResult, FileResult, Mismatch
from mps_bill.core.diagnostics import printable
from mps_bill.report.diagnostics.junit import JunitCase, JunitSuite
from mps_bill.report.problems import problem_json

FORMAT = "mps-bill/prices-test/1"


def case_lines(files: Sequence[FileResult]) -> Iterator[str]:
    """Every case by file; below a failed one, each value with its place."""
    for file in files:
        yield printable(f"{file.name} ({file.sheet})")
        for result in file.results:
            yield f"  {'ok  ' if result.passed else 'FAIL'}  {printable(result.case.name)}"
            yield from (f"        {line}" for line in _failure_lines(result))


def case_summary(files: Sequence[FileResult]) -> str:
    """`15 cases: 14 passed, 1 failed.`"""
    total, failed = sum(len(file.results) for file in files), sum(file.failed for file in files)
    return f"{total} case{'' if total == 1 else 's'}: {total - failed} passed, {failed} failed."


def cases_json(files: Sequence[FileResult]) -> dict[str, Any]:
    """Every case with its mismatches and refusals; amounts are text."""
    failed = sum(file.failed for file in files)
    return {
        "format": FORMAT,
        "passed": sum(len(file.results) for file in files) - failed,
        "failed": failed,
        "files": [
            {"file": file.name, "price_sheet": file.sheet, "cases": [_case_json(result) for result in file.results]}
            for file in files
        ],
    }


def case_suites(files: Sequence[FileResult]) -> tuple[JunitSuite, ...]:
    """A JUnit suite for each file."""
    return tuple(JunitSuite(file.name, tuple(_junit_case(result) for result in file.results)) for file in files)


def _failure_lines(result: CaseResult) -> list[str]:
    return [
        *(f"{mismatch.place}: {_mismatch_text(mismatch)}" for mismatch in result.mismatches),
        *(f"{problem.place}: refused: {problem.message} [{problem.kind}]" for problem in result.refusals),
    ]


def _mismatch_text(mismatch: Mismatch) -> str:
    difference = f" ({mismatch.difference})" if mismatch.difference else ""
    return printable(f"{mismatch.what} is {mismatch.actual}, expected {mismatch.expected}{difference}")


def _case_json(result: CaseResult) -> dict[str, Any]:
    return {
        "name": result.case.name,
        "source": result.case.source,
        "line": result.case.place.line,
        "passed": result.passed,
        "mismatches": [
            {
                "what": mismatch.what,
                "expected": mismatch.expected,
                "actual": mismatch.actual,
                "difference": mismatch.difference,
                "line": mismatch.place.line,
                "column": mismatch.place.column,
            }
            for mismatch in result.mismatches
        ],
        "refusals": [problem_json(problem) for problem in result.refusals],
    }


def _junit_case(result: CaseResult) -> JunitCase:
    lines = _failure_lines(result)
    failure = ("failed", lines[0].partition(": ")[2], "\n".join(lines)) if lines else None
    return JunitCase(result.case.name, result.case.place.line, failure)
