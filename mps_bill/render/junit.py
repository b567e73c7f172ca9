"""Suites of passed and failed cases as JUnit XML, which CI servers list as tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from mps_bill.core.diagnostics import printable
from mps_bill.view.tables import Case, Suites


def write(suites: Suites, stream: IO[str]) -> None:
    """Write the suites as an XML document, without times, so that equal results make equal files."""
    every = [case for _, cases in suites.files for case in cases]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {_attributes(suites.name, every)}>"]
    for file, cases in suites.files:
        lines.append(f"  <testsuite {_attributes(file, cases)}>")
        for case in cases:
            lines += _case(file, case)
        lines.append("  </testsuite>")
    stream.write("\n".join([*lines, "</testsuites>", ""]))


def _attributes(name: str, cases: Sequence[Case]) -> str:
    failures = sum(case.failure is not None for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0" time="0"'
    return f"name={_quoted(name)} {counts}"


def _case(file: str, case: Case) -> list[str]:
    line = f' line="{case.line}"' if case.line else ""
    opening = f"    <testcase classname={_quoted(file)} name={_quoted(case.name)} file={_quoted(file)}{line}"
    if case.failure:
        kind, message, details = case.failure
        inner = f"      <failure type={_quoted(kind)} message={_quoted(message)}>{_text(details)}</failure>"
    elif case.output:
        inner = f"      <system-out>{_text(case.output)}</system-out>"
    else:
        return [f'{opening} time="0"/>']
    return [f'{opening} time="0">', inner, "    </testcase>"]


def _quoted(text: str) -> str:
    return quoteattr(printable(text))


def _text(text: str) -> str:
    """Return text with its line breaks; characters that XML cannot hold are escaped as everywhere in the program."""
    return escape("\n".join(printable(line) for line in text.split("\n")))
