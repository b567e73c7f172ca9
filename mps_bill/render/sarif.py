"""Findings as SARIF 2.1.0, the format of code scanning services.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", sections 3.13 to 3.27 and 3.49.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import IO, Any
from urllib.parse import quote

import mps_bill
from mps_bill.core.diagnostics import Kind, Place, Problem, printable
from mps_bill.core.files import shipped_folder
from mps_bill.price_sheet.sheet_problems import is_warning
from mps_bill.render import json
from mps_bill.view.findings_view import FindingsView, level

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write(findings: FindingsView, stream: IO[str]) -> None:
    json.write(sarif(findings), stream)


def sarif(findings: FindingsView) -> dict[str, Any]:
    """Return one run with a rule for each kind of problem found, and a result for each problem."""
    rules = sorted({problem.kind for problem in findings.problems})
    pages = _pages() if rules else {}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mps-bill",
                        "semanticVersion": mps_bill.__version__,
                        "rules": [_rule(kind, pages, findings.codes_page) for kind in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, rules.index(problem.kind)) for problem in findings.problems],
            }
        ],
    }


def _pages() -> dict[str, str]:
    """Return the sections of the manual's page of codes by their headlines."""
    folder = shipped_folder("docs")
    page = (folder / "codes.md").read_text(encoding="utf-8") if folder else ""
    _, *sections = re.split(r"^## ", page, flags=re.MULTILINE)
    return {title: text.strip() for title, _, text in (section.partition("\n") for section in sections)}


def _rule(kind: Kind, pages: Mapping[str, str], codes_page: str) -> dict[str, Any]:
    """Return a code with its section of the manual. Its page has no address unless the user gives one as `codes_page`."""
    page, short = pages.get(str(kind), ""), kind.slug.replace("-", " ")
    # A section begins with `*Error.*` or `*Warning.*` and the meaning of the code, as a paragraph of one line.
    meaning = page.partition("\n")[0].partition(".* ")[2] or short
    return {
        "id": kind.code,
        "name": "".join(word.capitalize() for word in kind.slug.split("-")),
        "shortDescription": {"text": short},
        "fullDescription": {"text": meaning},
        "help": {"text": meaning, **({"markdown": page} if page else {})},
        **({"helpUri": f"{codes_page}#{kind.code.lower()}-{kind.slug}"} if codes_page else {}),
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
    """Return a file name as a URI. A relative name stays relative to the folder of the run."""
    return Path(name).as_uri() if PurePath(name).is_absolute() else quote(os.fsencode(PurePath(name).as_posix()))
