"""Why one bill is higher than another: `mps-bill compare` with --before and --after."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.options import option, show_option
from mps_bill.cli.output import invalid
from mps_bill.cli.selection_options import SelectionOptions
from mps_bill.core.diagnostics import quoted
from mps_bill.core.times import DAY, Calendar, Period, parse_bound, parse_period

if TYPE_CHECKING:
    from mps_bill.ask.compared_periods import ChangeRun, NamedPeriod
    from mps_bill.cli.metering import UsageRun
    from mps_bill.metering.groups import Group, Metered

#: The number of days that a day is compared with by default.
DAYS_COMPARED = 7


_BEFORE = (
    "Explain the change from this period of the usage: a month, a day or FROM..TO (TO is not included). Without USAGE:"
    " from these usage files (repeatable). Default: the month before, or the average of the days before."
)
_DAYS = f"With a day as --after and without --before: the number of days to compare it with. Default: {DAYS_COMPARED}."
_BY = (
    "Show changes by item, family, spec, region or a tag_... column, or by a combination of several. Default: item, and for"
    " a single day also the first tag."
)
_AFTER = "Explain the change to this period, or to these usage files."


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """The options for the two sides of a change (periods of the usage, or usage files), and for how the change is shown."""

    before: Annotated[list[str] | None, option("--before PERIOD", _BEFORE)] = None
    after: Annotated[list[str] | None, option("--after PERIOD", _AFTER)] = None
    days: Annotated[int | None, option("--days N", _DAYS, min=1)] = None
    by: Annotated[list[str] | None, show_option("--by GROUPING", _BY, completion.groupings)] = None
    show_all: Annotated[bool, show_option("--all", "Print every change, not only the largest.")] = False

    @property
    def sides(self) -> tuple[tuple[str, list[str]], tuple[str, list[str]]]:
        """The option of each side, with its values."""
        return ("--before", self.before or []), ("--after", self.after or [])

    @property
    def files(self) -> list[str]:
        """The values of both sides, if they are usage files."""
        return [name for _, names in self.sides for name in names]

    def groupings(self, selection: SelectionOptions) -> tuple[str, ...]:
        """Return the groupings of --by, each once. Refuse a selection with a period of its own."""
        from mps_bill.rating.selection import LINE_KEYS

        names = [name for one in self.by or () for name in one.split(",")]
        for name in names:
            options.check_key(name, LINE_KEYS, "--by")
        if selection.from_ or selection.to or selection.on:
            raise invalid("--from, --to, --on", "the periods are those of --before and --after")
        return tuple(dict.fromkeys(names))


def compare_periods(run: UsageRun, change: ChangeOptions, by: tuple[str, ...], account: str | None) -> int:
    """Show why the bill of one period is higher than that of another, or of the days before."""
    from mps_bill.ask import compared_periods

    before, after = _periods(change, run.book.offset)
    contract, selection = options.load_contract(account or None, run.book), run.selection
    with run.metering({"--account": account}) as (sources, meter_options):
        # The first tag shows which project has caused a day's change. A tag in --only has a known value already.
        if not by and isinstance(before, int) and not selection.tags:
            selection = replace(selection, tags=compared_periods.tag_columns(sources, run.book, meter_options)[:1])
            meter_options = replace(meter_options, tags=selection.tags)
            by = ("item", *selection.tags)
        changed = compared_periods.compare_periods(
            sources, run.book, meter_options, before, after, by or ("item",), contract, selection
        )
    return _end(run, changed, change)


def compare_files(run: UsageRun, change: ChangeOptions, by: tuple[str, ...], account: str | None) -> int:
    """Show why the bill of some usage files is higher than that of others."""
    from mps_bill.ask.compared_periods import compare_usage
    from mps_bill.metering.sources import expanded
    from mps_bill.rating.selection import Selection

    _check_files(change)
    contract = options.load_contract(account or None, run.book)
    (_, before), (_, after) = change.sides
    groups: list[Group] = []
    # New usage is in the files of one side only, so the selection is checked against both sides together.
    unchecked = replace(run, selection=Selection(tags=run.selection.tags))
    with unchecked.metering({"--account": account}) as (sources, meter_options):
        once_read = meter_options.done

        def done(metered: Metered) -> None:
            groups.extend(metered.groups)
            if once_read:
                once_read(metered)

        first = sum(len(expanded(name)) for name in before)
        parts = (", ".join(before), sources[:first]), (", ".join(after), sources[first:])
        meter_options = replace(meter_options, done=done)
        changed = compare_usage(*parts, run.book, meter_options, by or ("item",), contract, run.selection)
        run.check_used(groups)
    return _end(run, changed, change)


def _end(run: UsageRun, changed: ChangeRun, change: ChangeOptions) -> int:
    """Show the change, and report sides without a bill, which may be a mistake."""
    from mps_bill.view.change_view import ChangeView

    run.output.show(ChangeView(changed, change.show_all))
    empty = [side for side in (changed.changes.before, changed.changes.after) if not side.bills]
    places = (side.label if len(side.parts) == 1 else f"the {len(side.parts)} days before" for side in empty)
    return run.end(changed.problems, notices=(f"Nothing was billed in {place}" for place in places))


def _check_files(change: ChangeOptions) -> None:
    """Refuse a missing side, and periods where usage files are expected."""
    if change.days is not None:
        raise invalid("--days", "use it only with USAGE and a day as --after")
    for name, own in change.sides:
        if not own:
            raise invalid(
                name, "give the usage files: as USAGE to compare two periods, or as both --before and --after"
            )
        for text in own:
            if re.match("[0-9]{4}-[0-9]{2}(-[0-9]{2})?($|[.]{2}|T)", text) and not os.path.exists(text):
                raise invalid(name, f"{quoted(text)} is a period; give the usage files as USAGE")


def _periods(change: ChangeOptions, offset: int) -> tuple[NamedPeriod | int, NamedPeriod]:
    """Return the two periods. The first can be a number of days before the second."""
    for name, own in change.sides:
        if len(own) > 1 or (name == "--after" and not own):
            raise invalid(name, "give one period")
    (_, before), (_, (asked, *_)) = change.sides
    after = _period("--after", asked, offset)
    is_day = len(after.label) == len("2023-11-17")
    if change.days is not None and (before or not is_day):
        raise invalid("--days", "use it only with a day as --after, and without --before")
    if before:
        return _period("--before", before[0], offset), after
    if is_day:
        return change.days or DAYS_COMPARED, after
    if len(after.label) != len("2023-11"):
        raise invalid("--before", "give the period to compare with")
    month = Calendar(DAY, offset).month((after.period.start or 0) - 1)
    return _period("--before", month, offset), after


def _period(option: str, text: str, offset: int) -> NamedPeriod:
    """Return a day, a month or FROM..TO as a period on the billing clock."""
    from mps_bill.ask.compared_periods import NamedPeriod

    start, dots, end = text.partition("..")
    if not dots:
        with options.named(option, "; write any other period as FROM..TO, and omit USAGE to compare files"):
            return NamedPeriod(option, text, parse_period(text, offset))
    with options.named(option):
        first, last = parse_bound(start, offset), parse_bound(end, offset)
    if first >= last:
        raise invalid(option, f"{quoted(text)} ends before it begins")
    return NamedPeriod(option, text, Period(first, last))
