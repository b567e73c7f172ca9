"""Suites of passed and failed cases as JUnit XML, which CI servers list as tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from mps_bill.core.diagnostics import printable
from mps_bill.report.diagnostics.findings import Findings, level


@dataclass(frozen=True, slots=True)
class JunitCase:
    """A test case. `failure` is its kind, message and details; None: it passed. `line` 0: none."""

    name: str
    line: int = 0
    failure: tuple[str, str, str] | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class JunitSuite:
    """The cases of one file."""

    file: str
    cases: tuple[JunitCase, ...]


def check_suites(findings: Findings) -> tuple[JunitSuite, ...]:
    """A suite for each file: a case for each of its problems, or one case that passed.

    A warning is a case that passed and has the warning as its output, unless the check is strict.
    """
    suites = []
    for name, problems in findings.by_file():
        cases = [JunitCase("price sheet")] if not problems else []
        for problem in problems:
            title = f"{problem.kind} at {problem.place.line}:{problem.place.column}"
            if level(problem) == "error" or findings.strict:
                cases.append(JunitCase(title, problem.place.line, (problem.kind.code, problem.message, str(problem))))
            else:
                cases.append(JunitCase(title, problem.place.line, output=str(problem)))
        suites.append(JunitSuite(name, tuple(cases)))
    return tuple(suites)


def junit_xml(name: str, suites: Sequence[JunitSuite]) -> str:
    """The suites as an XML document. No times are given, so that equal results are equal files."""
    every = [case for suite in suites for case in suite.cases]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {_attributes(name, every)}>"]
    for suite in suites:
        lines.append(f"  <testsuite {_attributes(suite.file, suite.cases)}>")
        for case in suite.cases:
            lines += _case(suite.file, case)
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _attributes(name: str, cases: Sequence[JunitCase]) -> str:
    failures = sum(case.failure is not None for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0" time="0"'
    return f"name={_quoted(name)} {counts}"


def _case(file: str, case: JunitCase) -> list[str]:
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
    """Text with its line breaks; what XML cannot hold is escaped as everywhere in the program."""
    return escape("\n".join(printable(line) for line in text.split("\n")))
