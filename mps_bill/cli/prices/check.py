"""`mps-bill prices check`: every problem of price sheets, for people and for CI."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from mps_bill.cli import completion, exit_codes, options
from mps_bill.cli.options import argument, option
from mps_bill.cli.output import invalid
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.core.diagnostics import LISTED_OF_A_KIND, Kind, in_order, near_miss, quoted

Sheets = Annotated[
    list[str], argument("PATH", "Price sheets: files, folders, globs, or the ids of shipped ones (see prices list).")
]
_SELECT = "Report only problems of this code (P101), group of codes (P9) or name; repeatable, also P9,P101."
_TODAY = "Use DATE, such as 2026-11-23, as today's date. Default: today in UTC."
_AGAINST = (
    "Compare prices with this sheet's, such as mps-china. Default: the shipped sheets of the currency that have"
    " the items. Repeatable."
)
_CODES_PAGE = (
    "Where you keep the page of `mps-bill help codes`, for helpUri in SARIF; each rule has its section anyway."
)
_IGNORE = "Do not report problems of this code, group of codes or name; likewise."
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

    A bill refuses a sheet with errors. Warnings point out likely mistakes. Folders are checked with their subfolders.
    Old sources and sheets of the future fail a --strict check only with --today.

    Exit codes: 0 nothing found, or only warnings without --strict; 1 problems; 2 wrong command line; 3 a file that
    cannot be read.
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
    selected, ignored = _kinds(select, "--select"), _kinds(ignore, "--ignore")
    sheets, missing = load_sheets(paths, subfolders=True)
    beside = (
        dict.fromkeys((sheet.name for sheet in sheets), tuple(options.load_sheets(against)))
        if against
        else check_sheets.shipped_references(sheets)
    )
    problems = in_order([*missing, *orphaned_cases(paths), *check_sheets.check(sheets, day, beside)])
    findings = FindingsView(
        problems=check_sheets.once_a_mistake(
            problem
            for problem in problems
            # What could not be read is reported in any case, because nothing in it was checked.
            if is_file_problem(problem.kind)
            or ((problem.kind in selected or not select) and problem.kind not in ignored)
        ),
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


def _kinds(words: list[str] | None, option: str) -> frozenset[Kind]:
    """The kinds of problem that are named by code, by the beginning of one, or by slug."""
    from mps_bill.price_sheet.sheet_problems import every_kind

    found: set[Kind] = set()
    for word in ",".join(words or ()).split(",") if words else ():
        named = [kind for kind in every_kind() if kind.is_named(word) or (word and kind.code.startswith(word.upper()))]
        if not named:
            known = [name for kind in every_kind() for name in (kind.code, kind.slug)]
            hint = near_miss(word, known, priced=False) or "; write one such as P101, P9 or duplicate-key"
            raise invalid(option, f"{quoted(word)} is not the code or name of a problem{hint}")
        found.update(named)
    return frozenset(found)
