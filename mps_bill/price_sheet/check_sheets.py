"""Every finding about price sheets: what a bill would refuse, and what looks like a mistake."""

from __future__ import annotations

from collections.abc import Sequence

from mps_bill.core.diagnostics import Problem, in_order
from mps_bill.price_sheet.gather import check_together
from mps_bill.price_sheet.ignores import without_ignored
from mps_bill.price_sheet.lint import lint, period_gaps
from mps_bill.price_sheet.load_sheets import LoadedSheet


def check(sheets: Sequence[LoadedSheet], today: str) -> tuple[Problem, ...]:
    """Every error and warning of sheets, each for itself and beside one another, by place.

    `today` is a date such as 2026-11-23; sources grow old by it.
    """
    drafts = [sheet.draft for sheet in sheets if sheet.draft]
    errors = [problem for sheet in sheets for problem in sheet.problems]
    errors += check_together(drafts)
    wrong = {error.place for error in errors}
    warnings = period_gaps(drafts)
    for sheet in sheets:
        if sheet.parts:
            warnings += lint(sheet.parts, wrong, today)
    # A file that is not a sheet has no warnings, and its comments would all seem unused.
    texts = {sheet.name: sheet.text for sheet in sheets if sheet.parts and sheet.text is not None}
    return in_order([*errors, *without_ignored(warnings, texts)])
