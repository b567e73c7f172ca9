"""Findings as a GitLab code quality report, which GitLab shows in a merge request.

Source: docs.gitlab.com, "Code Quality", code quality report format.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import IO, Any

from mps_bill.core.diagnostics import Problem, printable
from mps_bill.view.findings_view import FindingsView, level

_SEVERITY = {"error": "major", "warning": "minor"}


def write(findings: FindingsView, stream: IO[str]) -> None:
    """Write a JSON list with an entry for each finding."""
    seen: dict[str, int] = {}
    json.dump([_entry(problem, seen) for problem in findings.problems], stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _entry(problem: Problem, seen: dict[str, int]) -> dict[str, Any]:
    path = PurePath(problem.place.file).as_posix()
    # The fingerprint does not depend on the line, so that new lines before a finding do not make it a new finding.
    sentence = f"{path}\n{problem.kind.code}\n{problem.message}"
    seen[sentence] = seen.get(sentence, 0) + 1
    return {
        "description": printable(problem.message),
        "check_name": str(problem.kind),
        "fingerprint": hashlib.sha256(f"{sentence}\n{seen[sentence]}".encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": _SEVERITY[level(problem)],
        "location": {"path": path, "lines": {"begin": max(problem.place.line, 1)}},
    }
