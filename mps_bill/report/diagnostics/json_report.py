"""Findings as JSON."""

from __future__ import annotations

from typing import Any

from mps_bill.report.diagnostics.findings import Findings, level
from mps_bill.report.problems import problem_json

FORMAT = "mps-bill/prices-check/1"


def findings_json(findings: Findings) -> dict[str, Any]:
    """The counts, the sheets that were read, and every problem."""
    return {
        "format": FORMAT,
        "today": findings.today,
        "sheets": sorted(findings.texts),
        "errors": findings.errors,
        "warnings": findings.warnings,
        "problems": [{"level": level(problem), **problem_json(problem)} for problem in findings.problems],
    }
