"""Problems with input as lines of text, and one as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mps_bill.core.diagnostics import Problem, ProblemReport


def problem_lines(report: ProblemReport) -> Iterator[str]:
    """The first problems in order of place; then, where there are more, how many of each kind and where each begins."""
    yield from map(str, report.shown)
    hidden = report.total - len(report.shown)
    if hidden <= 0:
        return
    yield f"... and {hidden} more problems. In all:"
    for problem in report.firsts:
        yield f"  {report.counts[problem.kind]} of {problem.kind}, first at {problem.place}"


def problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "code": problem.kind.code,
        "slug": problem.kind.slug,
        "message": problem.message,
    }
