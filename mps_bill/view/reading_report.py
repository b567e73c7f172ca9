"""What reading found: control totals and problems as lines of text, and one problem as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from mps_bill.core.diagnostics import Problem, ProblemGroup, ProblemReport, counted
from mps_bill.core.language import tr
from mps_bill.metering.groups import ControlTotals
from mps_bill.view.tables import attributes


def control_totals_text(totals: ControlTotals) -> str:
    """One line that adds up: `Rows: 9 read = 6 billed + 1 not billable + ...`."""
    return tr(
        "Rows: {read} read = {billed} billed + {not_billable} not billable + {duplicate} duplicate + {rejected} rejected"
        " + {late} late + {pending} pending",
        **{name.removeprefix("rows_"): count for name, count in dataclasses.asdict(totals).items()},
    )


def problem_lines(report: ProblemReport) -> Iterator[str]:
    """What is listed, equal problems in one line; then, where there are more, how many of each kind and where each begins."""
    yield from map(_group_line, report.groups)
    yield from lines_of_others(report)


def lines_of_others(report: ProblemReport) -> Iterator[str]:
    """How many problems are not listed, and how many there are of each kind; nothing where all are listed."""
    hidden = report.total - sum(group.count for group in report.groups)
    if hidden <= 0:
        return
    yield f"... and {counted(hidden, 'more problem')}. In all:"
    for problem in report.firsts:
        yield f"  {report.counts[problem.kind]} of {problem.kind}, first at {problem.place}"


def _group_line(group: ProblemGroup) -> str:
    if group.count < 2:
        return str(group.first)
    at = ""
    if len(group.lines) > 1:
        at = ", first at lines " if group.count > len(group.lines) else ", at lines "
        at += ", ".join(map(str, group.lines))
    return f"{group.first} ({group.count} rows{at})"


def problem_json(problem: Problem) -> dict[str, Any]:
    return {
        **attributes(problem.place, "file", "line", "column"),
        "code": problem.kind.code,
        "slug": problem.kind.slug,
        "message": problem.message,
    }
