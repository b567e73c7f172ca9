"""`mps-bill prices check`: every problem of price sheets, for people and for CI."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from mps_bill.cli import completion, exit_codes, options
from mps_bill.cli.options import argument, option
from mps_bill.cli.output import invalid
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.core.diagnostics import LISTED_OF_A_KIND, Kind, in_order, near_miss, quoted

Sheets = Annotated[
    list[str], argument("PATH", "Price sheets: files, folders, globs, or the ids of shipped sheets (see prices list).")
]
_SELECT = (
    "Report only problems with this code (P101), group of codes (P9) or name. Repeatable, or a list such as P9,P101."
)
_TODAY = "Use DATE, such as 2026-11-23, as today's date. Default: today in UTC."
_AGAINST = (
    "Compare prices with those of this sheet, such as mps-china. Default: the shipped sheets with the same currency and"
    " items. Repeatable."
)
_CODES_PAGE = (
    "The address at which you publish the page `mps-bill help codes`, to be linked in SARIF (helpUri). SARIF has the text of"
    " each rule anyway."
)
_IGNORE = "Do not report problems with this code, group of codes or name. Repeatable, or a list."
_MAX_ERRORS = "Number of problems of each kind to list as text."


@shows("lines", "document", "findings", "suites")
def check(
    paths: Sheets,
    *,
    output: OutputOptions,
    strict: Annotated[bool, option("--strict", "Fail on warnings too.")] = False,
    select: Annotated[list[str] | None, option("--select CODE", _SELECT)] = None,
    ignore: Annotated[list[str] | None, option("--ignore CODE", _IGNORE)] = None,
    today: Annotated[str | None, option("--today DATE", _TODAY)] = None,
    against: Annotated[list[str] | None, option("--against SHEET", _AGAINST, completion.sheets)] = None,
    max_errors: Annotated[int, option("--max-errors N", _MAX_ERRORS, min=1)] = LISTED_OF_A_KIND,
    codes_page: Annotated[str | None, option("--codes-page URL", _CODES_PAGE)] = None,
    quiet: options.Quiet = False,
) -> int:
    """Check price sheets and report every problem, for people and for CI.

    Sheets with errors cannot be used for bills. Warnings point out likely mistakes. Folders are checked with their
    subfolders. With --strict, old sources and future sheets fail the check only if --today is given.

    Exit codes: 0 nothing found, or only warnings without --strict; 1 problems; 2 wrong command line; 3 a file cannot be
    read.
    """
    from mps_bill.price_sheet import check_sheets
    from mps_bill.price_sheet.find import orphaned_cases
    from mps_bill.price_sheet.load_sheets import load_sheets
    from mps_bill.price_sheet.sheet_definition import parse_date
    from mps_bill.price_sheet.sheet_problems import is_file_problem
    from mps_bill.view.findings_view import FindingsView

    day = options.parsed("--today", today, parse_date) or datetime.now(UTC).date().isoformat()
    if codes_page is not None and not re.fullmatch(r"https?://[^\s#]+", codes_page):
        raise invalid("--codes-page", "write an address that begins with https://, without #")
    is_wanted = _filter(select, ignore)
    sheets, missing = load_sheets(paths, subfolders=True)
    if against:
        references = dict.fromkeys((sheet.name for sheet in sheets), tuple(options.load_sheets(against)))
    else:
        references = check_sheets.shipped_references(sheets)
    problems = in_order([*missing, *orphaned_cases(paths), *check_sheets.check(sheets, day, references)])
    findings = FindingsView(
        problems=check_sheets.once_a_mistake(problem for problem in problems if is_wanted(problem.kind)),
        texts={sheet.name: sheet.text for sheet in sheets if sheet.text is not None},
        today=day,
        strict=strict,
        by_calendar=today is not None,
        listed=max_errors,
        codes_page=codes_page or "",
    )
    output.show(findings)
    code = output.end(notices=(findings.summary,), found=findings.failed, quiet=quiet)
    return exit_codes.REJECTED if any(is_file_problem(problem.kind) for problem in findings.problems) else code


def _filter(select: list[str] | None, ignore: list[str] | None) -> Callable[[Kind], bool]:
    """Return whether a kind of problem is to be reported."""
    from mps_bill.price_sheet.sheet_problems import is_file_problem

    selected, ignored = _kinds(select, "--select"), _kinds(ignore, "--ignore")
    # Unreadable files are always reported, because nothing in them was checked.
    return lambda kind: is_file_problem(kind) or ((kind in selected or not select) and kind not in ignored)


def _kinds(words: list[str] | None, option: str) -> frozenset[Kind]:
    """Return the kinds of problem named by code, by the beginning of a code, or by slug."""
    from mps_bill.price_sheet.sheet_problems import every_kind

    found: set[Kind] = set()
    for word in ",".join(words or ()).split(",") if words else ():
        named = [kind for kind in every_kind() if kind.is_named(word) or (word and kind.code.startswith(word.upper()))]
        if not named:
            known = [name for kind in every_kind() for name in (kind.code, kind.slug)]
            hint = near_miss(word, known, priced=False) or "; write one such as P101, P9 or duplicate-key"
            raise invalid(option, f"unknown problem {quoted(word)}{hint}")
        found.update(named)
    return frozenset(found)
