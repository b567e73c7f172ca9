"""Why one bill is higher than another: `mps-bill compare` with --before and --after."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.options import ReadingOptions, option, show_option
from mps_bill.cli.output import invalid
from mps_bill.cli.output_options import OutputOptions
from mps_bill.cli.selection_options import SelectionOptions
from mps_bill.core.diagnostics import quoted
from mps_bill.core.times import DAY, Calendar, Period, parse_bound, parse_period

if TYPE_CHECKING:
    from mps_bill.ask.change_sides import ChangeRun, NamedPeriod
    from mps_bill.cli.metering import UsageRun
    from mps_bill.metering.groups import Group, Metered
    from mps_bill.rating.contract import Contract

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

    def groupings(self) -> tuple[str, ...]:
        """Return the groupings of --by, each once."""
        from mps_bill.rating.selection import LINE_KEYS

        names = [name for one in self.by or () for name in one.split(",")]
        for name in names:
            options.check_key(name, LINE_KEYS, "--by")
        return tuple(dict.fromkeys(names))


def compare_sides(
    change: ChangeOptions,
    usage: list[str],
    prices: list[str],
    account: str | None,
    output: OutputOptions,
    selection: SelectionOptions,
    reading: ReadingOptions,
) -> int:
    """Show why the bill of one side is higher than that of the other."""
    by = change.groupings()
    if selection.from_ or selection.to or selection.on:
        raise invalid("--from, --to, --on", "the periods are those of --before and --after")

    from mps_bill.cli.metering import UsageRun
    from mps_bill.rating.contract import LIST_PRICES
    from mps_bill.view.change_view import ChangeView

    files = [name for _, names in change.sides for name in names]
    run = UsageRun.of(usage or files, prices, reading, output, selection, [by])
    if not usage:
        _check_files(change)
    periods = _periods(change, run.book.offset) if usage else None
    contract = options.load_account(account, run.book).contract if account else LIST_PRICES
    changed = (
        _compare_periods(run, *periods, by, contract, {"--account": account})
        if periods
        else _compare_files(run, change, by or ("item",), contract, {"--account": account})
    )
    output.show(ChangeView(changed, change.show_all))
    return run.end(changed.problems, notices=_empty(changed))


_Inputs = Mapping[str, str | None]


def _compare_periods(
    run: UsageRun,
    before: NamedPeriod | int,
    after: NamedPeriod,
    by: tuple[str, ...],
    contract: Contract,
    inputs: _Inputs,
) -> ChangeRun:
    """Compare two periods of the usage, or a day with the days before it."""
    from mps_bill.ask.change_sides import compare_periods, tag_columns

    selection = run.selection
    with run.metering(inputs) as (sources, meter_options):
        # The first tag tells which project a day's change is from. A tag in --only has a known value already.
        if not by and isinstance(before, int) and not selection.tags:
            selection = replace(selection, tags=tag_columns(sources, run.book, meter_options)[:1])
            meter_options = replace(meter_options, tags=selection.tags)
            by = ("item", *selection.tags)
        return compare_periods(sources, run.book, meter_options, before, after, by or ("item",), contract, selection)


def _compare_files(
    run: UsageRun, change: ChangeOptions, by: tuple[str, ...], contract: Contract, inputs: _Inputs
) -> ChangeRun:
    """Compare the usage of some files with that of others."""
    from mps_bill.ask.change_sides import compare_usage
    from mps_bill.metering.sources import expanded
    from mps_bill.rating.selection import Selection

    (_, before), (_, after) = change.sides
    groups: list[Group] = []
    # New usage is in the files of one side only, so the selection is checked against both sides together.
    unchecked = replace(run, selection=Selection(tags=run.selection.tags))
    with unchecked.metering(inputs) as (sources, meter_options):
        once_read = meter_options.done

        def done(metered: Metered) -> None:
            groups.extend(metered.groups)
            if once_read:
                once_read(metered)

        first = sum(len(expanded(name)) for name in before)
        parts = (", ".join(before), sources[:first]), (", ".join(after), sources[first:])
        found = compare_usage(*parts, run.book, replace(meter_options, done=done), by, contract, run.selection)
        run.check_used(groups)
    return found


def _empty(changed: ChangeRun) -> Iterator[str]:
    """Report the sides without a bill, which may be a mistake."""
    for side in (changed.changes.before, changed.changes.after):
        if not side.bills:
            days = len(side.parts)
            yield f"Nothing was billed in {side.label if days == 1 else f'the {days} days before'}"


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
    from mps_bill.ask.change_sides import NamedPeriod

    start, dots, end = text.partition("..")
    if not dots:
        with options.named(option, "; write any other period as FROM..TO, and omit USAGE to compare files"):
            return NamedPeriod(option, text, parse_period(text, offset))
    with options.named(option):
        first, last = parse_bound(start, offset), parse_bound(end, offset)
    if first >= last:
        raise invalid(option, f"{quoted(text)} ends before it begins")
    return NamedPeriod(option, text, Period(first, last))
