"""The result of `usage check` as a document, as JSON and as CSV."""

from __future__ import annotations

import csv
import dataclasses
from typing import IO, Any

from mps_bill.pipeline import UsageCheck
from mps_bill.report.bill_csv import spreadsheet_text
from mps_bill.report.control_totals import control_totals_text
from mps_bill.report.document import Document, Note, Table, number, text
from mps_bill.report.problems import problem_json

FORMAT = "mps-bill/usage-check/1"


def usage_check_document(check: UsageCheck) -> Document:
    """Problems by kind, where there are any, and the control totals."""
    blocks: list[Table | Note] = []
    if check.problems.total:
        rows = tuple(
            (problem.kind.code, problem.kind.slug, str(check.problems.counts[problem.kind]), str(problem.place))
            for problem in sorted(check.problems.firsts, key=lambda problem: problem.kind)
        )
        columns = (text("Code"), text("Problem"), number("Count"), text("First at"))
        blocks.append(Table("Problems", columns, rows, (("", "Total", str(check.problems.total), ""),)))
    blocks.append(Note(control_totals_text(check.control_totals)))
    return Document(tuple(blocks))


def usage_check_json(check: UsageCheck) -> dict[str, Any]:
    """Control totals, the count of every kind of problem, and the problems that are listed one by one."""
    return {
        "format": FORMAT,
        "control_totals": dataclasses.asdict(check.control_totals),
        "problem_counts": {str(kind): count for kind, count in sorted(check.problems.counts.items())},
        "problems": [problem_json(problem) for problem in check.problems.shown],
    }


def write_usage_check_csv(stream: IO[str], check: UsageCheck) -> None:
    """A row per listed problem."""
    writer = csv.writer(stream)
    writer.writerow(("file", "line", "column", "code", "slug", "message"))
    for problem in check.problems.shown:
        cells = problem_json(problem).values()
        writer.writerow([spreadsheet_text(str(cell)) for cell in cells])
