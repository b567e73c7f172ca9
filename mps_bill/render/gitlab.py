"""Findings as a GitLab code quality report, which GitLab shows in a merge request.

Source: docs.gitlab.com, "Code Quality", code quality report format.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import IO, Any

from mps_bill.core.diagnostics import Problem, printable
from mps_bill.documents.yaml_tree import lines_of
from mps_bill.view.findings_view import FindingsView, level

_SEVERITY = {"error": "major", "warning": "minor"}


def write(findings: FindingsView, stream: IO[str]) -> None:
    """Write a JSON list with an entry for each finding."""
    lines = {name: lines_of(text) for name, text in findings.texts.items()}
    seen: Counter[str] = Counter()
    json.dump([_entry(problem, lines, seen) for problem in findings.problems], stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _entry(problem: Problem, lines: Mapping[str, Sequence[str]], seen: Counter[str]) -> dict[str, Any]:
    place = problem.place
    path = PurePath(place.file).as_posix()
    text = "".join(lines.get(place.file, ())[max(place.line - 1, 0) : place.line]).strip()
    # A finding is known again by its code and the text of its line, so that neither lines added before it nor another wording of
    # the message make it a new one.
    known_by = f"{path}\n{problem.kind.code}\n{text}"
    seen[known_by] += 1
    return {
        "description": printable(problem.message),
        "check_name": str(problem.kind),
        "fingerprint": hashlib.sha256(f"{known_by}\n{seen[known_by]}".encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": _SEVERITY[level(problem)],
        "location": {"path": path, "lines": {"begin": max(place.line, 1)}},
    }
