"""Problems with input as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from mps_bill.core.diagnostics import ProblemReport


def problem_lines(report: ProblemReport) -> Iterator[str]:
    """The first problems in order of place; then, where there are more, how many of each kind and where each begins."""
    yield from map(str, report.shown)
    hidden = report.total - len(report.shown)
    if hidden <= 0:
        return
    yield f"... and {hidden} more problems. In all:"
    for problem in report.firsts:
        yield f"  {report.counts[problem.kind]} of {problem.kind}, first at {problem.place}"
