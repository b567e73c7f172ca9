"""Why one bill is higher than another: the sides that `mps-bill compare` is asked for with --before and --after."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.options import Reading, option, show_option
from mps_bill.cli.output import invalid
from mps_bill.cli.selection_options import Selecting
from mps_bill.cli.showing import Showing
from mps_bill.core.diagnostics import quoted
from mps_bill.core.times import DAY, Calendar, Period, parse_bound, parse_period

if TYPE_CHECKING:
    from mps_bill.ask.change_sides import ChangeRun, NamedPeriod
    from mps_bill.metering.groups import Group, Metered

#: Days that a day is compared with where nobody asks for another number.
DAYS_COMPARED = 7


_BEFORE = (
    "Explain the change from a month, a day or FROM..TO (half open) of the usage; or, without USAGE, from usage"
    " files (repeatable). Default: the month before, or the average of the days before."
)
_DAYS = f"With a day as --after alone: how many days before it count. Default: {DAYS_COMPARED}."
_BY = (
    "Show changes by item, family, spec, region or a tag_... column. Several make one key. Default: item, and for"
    " one day also the first tag."
)
_AFTER = "Explain the change to this period, or to these usage files."


@dataclass(frozen=True, slots=True)
class Changing:
    """Two sides of a change: periods of the usage, or, without it, usage files; and how the change is shown. A field is an
    option: its type says how it is spelled."""

    before: Annotated[list[str] | None, option("--before PERIOD", _BEFORE)] = None
    after: Annotated[list[str] | None, option("--after PERIOD", _AFTER)] = None
    days: Annotated[int | None, option("--days N", _DAYS, min=1)] = None
    by: Annotated[list[str] | None, show_option("--by GROUPING", _BY, completion.groupings)] = None
    show_all: Annotated[bool, show_option("--all", "Print every change, not the largest.")] = False

    @property
    def sides(self) -> tuple[tuple[str, list[str]], tuple[str, list[str]]]:
        """What each side is asked for by, with its option."""
        return ("--before", self.before or []), ("--after", self.after or [])

    def groupings(self) -> tuple[str, ...]:
        """The groupings asked for, each once."""
        from mps_bill.rating.selection import LINE_KEYS

        names = [name for one in self.by or () for name in one.split(",")]
        for name in names:
            options.check_key(name, LINE_KEYS, "--by")
        return tuple(dict.fromkeys(names))


def compare_sides(
    changing: Changing,
    usage: list[str],
    prices: list[str],
    account: str | None,
    showing: Showing,
    selecting: Selecting,
    reading: Reading,
) -> int:
    """Shows why the bill of one side is higher than that of the other."""
    by = changing.groupings()
    if selecting.from_ or selecting.to or selecting.on:
        raise invalid("--from, --to, --on", "the periods are those of --before and --after")
    book = options.load_book(prices)
    (_, before), (_, after) = changing.sides
    periods = _periods(changing, book.offset) if usage else None
    if not periods:
        _check_files(changing)

    from mps_bill.ask.change_sides import compare_periods, compare_usage, tag_columns
    from mps_bill.cli.metering import UsageRun
    from mps_bill.metering.sources import expanded
    from mps_bill.rating.contract import LIST_PRICES
    from mps_bill.rating.selection import Selection
    from mps_bill.view.change_view import ChangeView

    contract = options.load_account(account, book).contract if account else LIST_PRICES
    selection = selecting.selection(book, [by])
    whole_run = UsageRun(usage or [*before, *after], prices, book, reading, showing, selection)
    # What is new is in one of the files only, so the selection is held against them together.
    metered_run = whole_run if periods else replace(whole_run, selection=Selection(tags=selection.tags))
    with metered_run.metering({"--account": account}) as (sources, meter_options):
        if not by:
            by = ("item",)
            # What --only names is of one value.
            if periods and isinstance(periods[0], int) and not selection.tags:
                selection = replace(selection, tags=tag_columns(sources, book, meter_options)[:1])
                by = (*by, *selection.tags)
                meter_options = replace(meter_options, tags=selection.tags)
        if periods:
            run = compare_periods(sources, book, meter_options, *periods, by, contract, selection)
        else:
            groups: list[Group] = []
            once_read = meter_options.done

            def done(metered: Metered) -> None:
                groups.extend(metered.groups)
                if once_read:
                    once_read(metered)

            meter_options = replace(meter_options, done=done)
            first = sum(len(expanded(name)) for name in before)
            parts = (", ".join(before), sources[:first]), (", ".join(after), sources[first:])
            run = compare_usage(*parts, book, meter_options, by, contract, selection)
            whole_run.check_used(groups)
    showing.show(ChangeView(run, changing.show_all))
    return whole_run.end(run.problems, notices=_empty(run))


def _empty(run: ChangeRun) -> Iterator[str]:
    """The sides without a bill, which may be a mistake."""
    for side in (run.changes.before, run.changes.after):
        if not side.bills:
            days = len(side.parts)
            yield f"Nothing was billed in {side.label if days == 1 else f'the {days} days before'}"


def _check_files(changing: Changing) -> None:
    """Refuses one side of two."""
    if changing.days is not None:
        raise invalid("--days", "use it with a day of the usage as --after")
    for name, own in changing.sides:
        if not own:
            raise invalid(name, "name the usage files: USAGE with periods of it, or files of both sides")
        for text in own:
            if re.match("[0-9]{4}-[0-9]{2}(-[0-9]{2})?($|[.]{2}|T)", text) and not os.path.exists(text):
                raise invalid(name, f"{quoted(text)} is a period; name the usage files that it is of as USAGE")


def _periods(changing: Changing, offset: int) -> tuple[NamedPeriod | int, NamedPeriod]:
    """The two periods, or how many days before a day."""
    for name, own in changing.sides:
        if len(own) > 1 or (name == "--after" and not own):
            raise invalid(name, "give one period")
    (_, before), (_, (asked, *_)) = changing.sides
    after = _period("--after", asked, offset)
    is_day = len(after.label) == len("2023-11-17")
    if changing.days is not None and (before or not is_day):
        raise invalid("--days", "use it with a day as --after, and without --before")
    if before:
        return _period("--before", before[0], offset), after
    if is_day:
        return changing.days or DAYS_COMPARED, after
    if len(after.label) != len("2023-11"):
        raise invalid("--before", "give the period to compare with")
    month = Calendar(DAY, offset).month((after.period.start or 0) - 1)
    return _period("--before", month, offset), after


def _period(option: str, text: str, offset: int) -> NamedPeriod:
    """A day, a month, or what is between two bounds, on the billing clock."""
    from mps_bill.ask.change_sides import NamedPeriod

    start, dots, end = text.partition("..")
    if not dots:
        with options.named(option, "; a period between two bounds is FROM..TO, and files are compared without USAGE"):
            return NamedPeriod(option, text, parse_period(text, offset))
    with options.named(option):
        first, last = parse_bound(start, offset), parse_bound(end, offset)
    if first >= last:
        raise invalid(option, f"{quoted(text)} ends before it begins")
    return NamedPeriod(option, text, Period(first, last))
