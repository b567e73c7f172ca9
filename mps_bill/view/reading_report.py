"""What stands around a result, in words and as JSON: what of the run is shown, control totals, and problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mps_bill.core.diagnostics import Problem, ProblemGroup, ProblemReport, counted
from mps_bill.core.language import mark, tr
from mps_bill.core.times import offset_text, time_text
from mps_bill.view.columns import attributes, moment

if TYPE_CHECKING:
    from mps_bill.metering.groups import ControlTotals
    from mps_bill.rating.bills import Bill
    from mps_bill.rating.selection import Selection

_NO_TAG = mark("(none)")


def control_totals_text(totals: ControlTotals) -> str:
    """One line that adds up: `Rows: 9 read = 6 billed + 1 not billable + ...`."""
    return tr(
        "Rows: {read} read = {billed} billed + {not_billable} not billable + {duplicate} duplicate + {rejected} rejected"
        " + {late} late + {pending} pending",
        **{name.removeprefix("rows_"): count for name, count in asdict(totals).items()},
    )


def problem_lines(report: ProblemReport) -> Iterator[str]:
    """What is listed, equal problems in one line; then, where there are more, how many of each kind and where each begins."""
    yield from map(_group_line, report.groups)
    yield from lines_of_others(report)


def lines_of_others(report: ProblemReport) -> Iterator[str]:
    """How many problems are not listed, and how many there are of each kind; nothing where all are listed."""
    hidden = report.total - sum(group.count for group in report.groups)
    if hidden <= 0:
        return
    yield f"... and {counted(hidden, 'more problem')}. In all:"
    for problem in report.firsts:
        yield f"  {report.counts[problem.kind]} of {problem.kind}, first at {problem.place}"


def _group_line(group: ProblemGroup) -> str:
    if group.count < 2:
        return str(group.first)
    at = ""
    if len(group.lines) > 1:
        at = ", first at lines " if group.count > len(group.lines) else ", at lines "
        at += ", ".join(map(str, group.lines))
    return f"{group.first} ({group.count} rows{at})"


def problem_json(problem: Problem) -> dict[str, Any]:
    return {
        **attributes(problem.place, "file", "line", "column"),
        "code": problem.kind.code,
        "slug": problem.kind.slug,
        "message": problem.message,
    }


def selection_text(selection: Selection, offset: int, bills: Iterable[Bill] = ()) -> str:
    """What of the run is shown, and that the rest was billed all the same; empty where everything is shown. Of the `bills` that
    are shown it says whether the statement of their month is missing."""
    if selection.is_everything:
        return ""
    start, end = selection.period.start, selection.period.end
    bounds = [tr("from {time}", time=time_text(start, offset))] if start is not None else []
    bounds += [tr("before {time}", time=time_text(end, offset))] if end is not None else []
    period = mark("cycles {bounds} (UTC{offset})")
    shown = [tr(period, bounds=tr(" and ").join(bounds), offset=offset_text(offset))] if bounds else []
    shown += [f"{key} {tr(' or ').join(sorted(values)) or tr(_NO_TAG)}" for key, values in selection.only.items()]
    text = mark("Shown: {parts}. The whole input was metered, tiered and billed.{why}")
    why = ""
    if selection.only:
        why = tr(" Only whole bills are rounded and paid, so parts of them have a net amount and no payable.")
    elif any(map(selection.cuts_month_of, bills)):
        why = tr(
            " A month that is settled as a whole has its statement, and its rounding, only where all of it is shown."
        )
    return tr(text, parts=tr(", ").join(shown), why=why)


def begin_json(format_: str, currency: str, selection: Selection, offset: int) -> dict[str, Any]:
    """What a document begins with: its format, the currency, and what of the run is shown, where that is not everything."""
    head: dict[str, Any] = {"format": format_, "currency": currency}
    if selection.is_everything:
        return head
    period = selection.period
    shown = {
        "from": moment(period.start, offset),
        "to": moment(period.end, offset),
        "only": {key: sorted(values) for key, values in selection.only.items()},
    }
    return {**head, "selection": {key: value for key, value in shown.items() if value}}
