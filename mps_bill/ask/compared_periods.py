"""The two sides of a change: two periods of the same usage, which is billed as a whole, so that monthly tiers are unaffected;
or usage files, which are billed separately."""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mps_bill.ask.changes import Changes, ChangeSide, billed_in, changes
from mps_bill.core.decimals import EXACT
from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem, ProblemReport
from mps_bill.core.times import DAY, Calendar, Period, clock
from mps_bill.metering.exact_reader import open_files
from mps_bill.metering.groups import ControlTotals
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.usage_columns import TAG_PREFIX
from mps_bill.pipeline import BillRun, bill_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.contract import LIST_PRICES, Contract
from mps_bill.rating.selection import EVERYTHING, Selection

NO_DAYS_BEFORE = Kind("V105", "no-days-before")
CUT_CYCLE = Kind("V106", "cut-cycle")


@dataclass(frozen=True, slots=True)
class NamedPeriod:
    """A bounded period; `label` is its text on the command line, after `option`."""

    option: str
    label: str
    period: Period


@dataclass(frozen=True, slots=True)
class ChangeRun:
    """What changed in the parts of bills that are in `selection`, and where every row of the usage went; `offset` is that of the
    billing clock."""

    currency: str
    offset: int
    changes: Changes
    selection: Selection
    control_totals: ControlTotals
    problems: ProblemReport


def compare_periods(
    sources: Sequence[UsageSource],
    book: PriceBook,
    options: MeterOptions,
    before: NamedPeriod | int,
    after: NamedPeriod,
    by: Sequence[str],
    contract: Contract = LIST_PRICES,
    selection: Selection = EVERYTHING,
) -> ChangeRun:
    """Return what changed from the period `before` to `after`, in the parts of bills that are in `selection`.

    If `before` is a number, it is the average of that many days before `after`, starting at the first day with usage.
    `selection` has no period.

    Raises:
        InputRejected: as `pipeline.bill_usage`; a period begins or ends within a billing cycle; or there is no earlier day.
    """
    run = bill_usage(sources, book, options, contract=contract)
    periods = (one for one in (before, after) if isinstance(one, NamedPeriod))
    if problems := [problem for named in periods for problem in _cut_cycle(run, named)]:
        raise InputRejected(problems)
    with decimal.localcontext(EXACT):
        if isinstance(before, int):
            side = _days_before(run, after, before, book.offset, selection)
        else:
            side = billed_in(run, replace(selection, period=before.period), before.label)
        new = billed_in(run, replace(selection, period=after.period), after.label)
        found = changes(side, new, by, options.tags)
    return ChangeRun(run.currency, book.offset, found, selection, run.control_totals, run.problems)


def compare_usage(
    before: tuple[str, Sequence[UsageSource]],
    after: tuple[str, Sequence[UsageSource]],
    book: PriceBook,
    options: MeterOptions,
    by: Sequence[str],
    contract: Contract = LIST_PRICES,
    selection: Selection = EVERYTHING,
) -> ChangeRun:
    """Return what changed from the usage of some files to that of others, each with a label, in the parts of bills that are in
    `selection`.

    Raises:
        InputRejected: as `pipeline.bill_usage`, with the problems of both sides.
    """
    runs: list[BillRun] = []
    rejected: list[ProblemReport] = []
    for _, sources in (before, after):
        try:
            runs.append(bill_usage(sources, book, options, contract=contract))
        except InputRejected as error:
            rejected.append(error.report)
    if rejected:
        raise InputRejected(sum(rejected, ProblemReport()))
    old, new = runs
    with decimal.localcontext(EXACT):
        sides = billed_in(old, selection, before[0]), billed_in(new, selection, after[0])
        found = changes(*sides, by, options.tags)
    totals = old.control_totals + new.control_totals
    return ChangeRun(book.currency, book.offset, found, selection, totals, old.problems + new.problems)


def tag_columns(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions) -> tuple[str, ...]:
    """Return the tags of files in the order of their headers. Problems of a header are reported when the file is metered."""
    files, _ = open_files(sources, book, options)
    names = dict.fromkeys(name for layout in files.layouts.values() for name in layout.index)
    return tuple(name for name in names if name.startswith(TAG_PREFIX))


def _days_before(run: BillRun, day: NamedPeriod, number: int, offset: int, selection: Selection) -> ChangeSide:
    """Return at most `number` days before a day, each as a part of its own."""
    end = day.period.start
    assert end is not None
    first = min((bill.cycle.start for bill in run.bills), default=end)
    first -= (first + offset) % DAY
    start = max(end - number * DAY, first)
    if start >= end:
        message = f"the usage has no day before {day.label}; give the period to compare with as --before"
        raise InputRejected([Problem(Place(f"{day.option} {day.label}"), NO_DAYS_BEFORE, message)])
    starts = range(start, end, DAY)
    parts = tuple(replace(selection, period=Period(at, at + DAY)).bills(run.bills) for at in starts)
    return ChangeSide(Calendar(DAY, offset).day(start), parts, (), Period(start, end))


def _cut_cycle(run: BillRun, named: NamedPeriod) -> Iterator[Problem]:
    """Yield the problem of a period that begins or ends within a billing cycle, because a bill is never divided."""
    for cycle in (bill.cycle for bill in run.bills):
        edge = named.period.edge_in(cycle.start, cycle.end)
        if edge is not None:
            offset = cycle.sheet.billing.calendar.offset
            start, end, moment = (clock(second, offset) for second in (cycle.start, cycle.end, edge))
            message = (
                f"{moment} is within the billing cycle {start} to {end} of {cycle.product}, whose bill is not divided"
            )
            yield Problem(Place(f"{named.option} {named.label}"), CUT_CYCLE, message)
            return
