"""The selection, the control totals and the problems of a run, in words and as JSON."""

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


def control_totals_text(totals: ControlTotals) -> str:
    """Return one line that adds up: `Rows: 9 read = 6 billed + 1 not billable + ...`."""
    return tr(
        "Rows: {read} read = {billed} billed + {not_billable} not billable + {duplicate} duplicate + {rejected} rejected"
        " + {late} late + {pending} pending",
        **{name.removeprefix("rows_"): count for name, count in asdict(totals).items()},
    )


def problem_lines(report: ProblemReport) -> Iterator[str]:
    """Yield the listed problems, equal ones in one line; then, if there are more, the count and first place of each kind."""
    yield from map(_group_line, report.groups)
    yield from lines_of_others(report)


def lines_of_others(report: ProblemReport) -> Iterator[str]:
    """Yield the number of problems that are not listed, and the count of each kind; nothing if all are listed."""
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
    """Say what part of the run is shown, and that the rest was billed too; empty if everything is shown. Also say if the month's
    statement of the shown `bills` is missing."""
    if selection.is_everything:
        return ""
    start, end = selection.period.start, selection.period.end
    bounds = [tr("from {time}", time=time_text(start, offset))] if start is not None else []
    bounds += [tr("before {time}", time=time_text(end, offset))] if end is not None else []
    period = mark("cycles {bounds} (UTC{offset})")
    shown = [tr(period, bounds=tr(" and ").join(bounds), offset=offset_text(offset))] if bounds else []
    shown += [f"{key} {tr(' or ').join(sorted(values)) or tr('(none)')}" for key, values in selection.only.items()]
    text = mark("Shown: {parts}. The whole input was metered, tiered and billed.{why}")
    why = ""
    if selection.only:
        why = tr(" Only whole bills are rounded and paid, so parts of bills have a net amount but no payable amount.")
    elif any(map(selection.cuts_month_of, bills)):
        why = tr(
            " A month that is settled as a whole shows its statement and its rounding only if the whole month is shown."
        )
    return tr(text, parts=tr(", ").join(shown), why=why)


def begin_json(format_: str, currency: str, selection: Selection, offset: int) -> dict[str, Any]:
    """Return the beginning of a document: its format, the currency, and the selection, unless everything is shown."""
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
