"""The result of `usage check`: problems and control totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mps_bill.core.language import tr
from mps_bill.pipeline import UsageCheck
from mps_bill.view.columns import Column, columns_of
from mps_bill.view.reading_report import control_totals_text, problem_json
from mps_bill.view.tables import Block, Note, Records, Table

FORMAT = "mps-bill/usage-check/1"
PROBLEM = (
    Column("file"),
    *columns_of("line", "column", kind="count"),
    Column("code"),
    Column("slug", "text", "Problem"),
    Column("message"),
)


@dataclass(frozen=True, slots=True)
class UsageCheckView:
    """The result of `usage check`."""

    check: UsageCheck

    def printed(self) -> Iterator[Block]:
        """Yield the problems by kind, if there are any, and the control totals."""
        problems = self.check.problems
        if problems.total:
            rows = [
                (problem.kind.code, problem.kind.slug, problems.counts[problem.kind], str(problem.place))
                for problem in sorted(problems.firsts, key=lambda problem: problem.kind)
            ]
            columns = (Column("Code"), Column("Problem"), Column("Count", "count"), Column("First at"))
            yield Table(tr("Problems"), columns, rows, ((None, tr("Total"), problems.total, None),))
        yield Note(control_totals_text(self.check.control_totals))

    def records(self) -> Records:
        """Return a row for each listed problem."""
        return Records(PROBLEM, map(problem_json, self.check.problems.shown))

    def document(self) -> dict[str, Any]:
        """Return the control totals, the count of every kind of problem, and the listed problems."""
        problems = self.check.problems
        return {
            "format": FORMAT,
            "control_totals": asdict(self.check.control_totals),
            "problem_counts": {str(kind): count for kind, count in sorted(problems.counts.items())},
            "problems": list(map(problem_json, problems.shown)),
        }
