"""Findings as SARIF 2.1.0, the format of code scanning services.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", sections 3.13 to 3.27 and 3.49.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import IO, Any
from urllib.parse import quote

import mps_bill
from mps_bill.core.diagnostics import Kind, Place, Problem, printable
from mps_bill.price_sheet.explanations import EXPLANATIONS
from mps_bill.price_sheet.sheet_problems import is_warning
from mps_bill.render import json
from mps_bill.view.findings_view import FindingsView, level

#: Where docs/codes.md is read, as pyproject.toml says; each code has a section.
CODES_PAGE = "https://github.com/mps-bill/mps-bill/blob/main/docs/codes.md"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write(findings: FindingsView, stream: IO[str]) -> None:
    json.write(sarif(findings), stream)


def sarif(findings: FindingsView) -> dict[str, Any]:
    """One run with a rule for each kind of problem that was found, and a result for each problem."""
    rules = sorted({problem.kind for problem in findings.problems})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mps-bill",
                        "semanticVersion": mps_bill.__version__,
                        "rules": [_rule(kind) for kind in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, rules.index(problem.kind)) for problem in findings.problems],
            }
        ],
    }


def _rule(kind: Kind) -> dict[str, Any]:
    return {
        "id": kind.code,
        "name": "".join(word.capitalize() for word in kind.slug.split("-")),
        "shortDescription": {"text": kind.slug.replace("-", " ")},
        "fullDescription": {"text": EXPLANATIONS[kind]},
        "helpUri": f"{CODES_PAGE}#{kind.code.lower()}-{kind.slug}",
        "defaultConfiguration": {"level": "warning" if is_warning(kind) else "error"},
    }


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    others = {"relatedLocations": [_location(place) for place in problem.also]} if problem.also else {}
    return {
        "ruleId": problem.kind.code,
        "ruleIndex": rule,
        "level": level(problem),
        "message": {"text": printable(problem.message)},
        "locations": [_location(problem.place)],
        **others,
    }


def _location(place: Place) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.file)}}
    if place.line:
        location["region"] = {"startLine": place.line}
        if place.column:
            location["region"]["startColumn"] = place.column
    return {"physicalLocation": location}


def _uri(name: str) -> str:
    """A file's name as a URI, relative to the folder of the run where the name is."""
    return Path(name).as_uri() if PurePath(name).is_absolute() else quote(os.fsencode(PurePath(name).as_posix()))
