"""`mps-bill prices check`: every problem of price sheets, for people and for CI."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Annotated

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.output import open_output, say
from mps_bill.core.diagnostics import Kind, in_order, near_miss, quoted

if TYPE_CHECKING:
    from mps_bill.report.diagnostics.findings import Findings


class CheckFormat(StrEnum):
    """How problems are printed."""

    text = "text"
    json = "json"
    github = "github"
    junit = "junit"
    sarif = "sarif"


Sheets = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH", help="Price sheets: files, folders, globs, or the ids of shipped ones (see prices list)."
    ),
]
Today = Annotated[
    str | None, typer.Option(metavar="DATE", help="Take DATE, such as 2026-11-23, for today. Default: today, in UTC.")
]


def check(
    paths: Sheets,
    format_: Annotated[CheckFormat, typer.Option("--format", "-f", help="How to print.")] = CheckFormat.text,
    output: options.Output = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE", help="Only problems with this code, its beginning (P9) or its name; P9,P101 or repeated."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="No problems with this code, its beginning or its name; likewise."),
    ] = None,
    today: Today = None,
    quiet: options.Quiet = False,
) -> int:
    """Every problem of price sheets, for people and for CI.

    Errors are what a bill would refuse; warnings are what looks odd.

    Exit codes: 0 nothing found, or only warnings without --strict; 1 problems; 2 wrong command line; 3 a file that
    cannot be read.
    """
    from mps_bill.price_sheet.check_sheets import check as check_sheets
    from mps_bill.price_sheet.load_sheets import load_sheets
    from mps_bill.price_sheet.sheet_problems import is_file_problem
    from mps_bill.report.diagnostics.findings import Findings, summary

    day = today_option(today)
    selected, ignored = _kinds(select, "--select"), _kinds(ignore, "--ignore")
    sheets, missing = load_sheets(paths)
    problems = in_order([*missing, *check_sheets(sheets, day)])
    findings = Findings(
        problems=tuple(
            problem
            for problem in problems
            # What could not be read is told in any case, because nothing in it was checked.
            if is_file_problem(problem.kind)
            or ((problem.kind in selected or not select) and problem.kind not in ignored)
        ),
        texts={sheet.name: sheet.text for sheet in sheets if sheet.text is not None},
        today=day,
        strict=strict,
    )
    with open_output(output) as stream:
        _write(findings, format_, stream)
    say(summary(findings), quiet=quiet)
    if any(is_file_problem(problem.kind) for problem in findings.problems):
        return exit_codes.REJECTED
    return exit_codes.FOUND if findings.failed else exit_codes.DONE


def today_option(value: str | None) -> str:
    """The date given, or today in UTC."""
    from mps_bill.price_sheet.sheet_definition import parse_date

    if value is None:
        return datetime.now(UTC).date().isoformat()
    try:
        return parse_date(value)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--today") from None


def _kinds(words: list[str] | None, option: str) -> frozenset[Kind]:
    """The kinds of problem that are named by code, by the beginning of one, or by slug."""
    from mps_bill.price_sheet.explanations import EXPLANATIONS

    found: set[Kind] = set()
    for word in ",".join(words or ()).split(",") if words else ():
        named = [kind for kind in EXPLANATIONS if kind.slug == word or (word and kind.code.startswith(word.upper()))]
        if not named:
            known = [name for kind in EXPLANATIONS for name in (kind.code, kind.slug)]
            hint = near_miss(word, known) or "; write one such as P101, P9 or duplicate-key"
            raise typer.BadParameter(
                f"{quoted(word)} is no code of a problem{hint}",
                param_hint=option,
            )
        found.update(named)
    return frozenset(found)


def _write(findings: Findings, format_: CheckFormat, stream: IO[str]) -> None:
    match format_:
        case CheckFormat.text:
            from mps_bill.report.diagnostics.text import text_lines

            stream.writelines(f"{line}\n" for line in text_lines(findings))
        case CheckFormat.github:
            from mps_bill.report.diagnostics.github import github_lines

            stream.writelines(f"{line}\n" for line in github_lines(findings))
        case CheckFormat.junit:
            from mps_bill.report.diagnostics.junit import check_suites, junit_xml

            stream.write(junit_xml("mps-bill prices check", check_suites(findings)))
        case CheckFormat.json | CheckFormat.sarif:
            from mps_bill.report.bill_json import write_json
            from mps_bill.report.diagnostics.json_report import findings_json
            from mps_bill.report.diagnostics.sarif import sarif

            write_json(stream, findings_json(findings) if format_ is CheckFormat.json else sarif(findings))
