"""The periods by which bills are compared: the billing cycle if the export has it, else the day, else the month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mps_bill.core.times import DAY, Calendar, clock
from mps_bill.reconcile.export import ExportRow

Grain = Literal["cycle", "day", "month"]
GRAINS: tuple[Grain, ...] = ("cycle", "day", "month")


@dataclass(frozen=True, slots=True, order=True)
class BillPeriod:
    """A period on a product's billing clock: its start and end (seconds), and its name for people."""

    start: int
    end: int
    name: str


def period_of(second: int, grain: Grain, calendar: Calendar) -> BillPeriod:
    """The period that contains a second."""
    match grain:
        case "cycle":
            start = calendar.cycle_start(second)
            name = calendar.day(start) if calendar.cycle_seconds == DAY else clock(start, calendar.offset)
            return BillPeriod(start, calendar.cycle_end(start), name)
        case "day":
            start = second - (second + calendar.offset) % DAY
            return BillPeriod(start, start + DAY, calendar.day(second))
        case "month":
            month = calendar.month(second)
            return BillPeriod(calendar.month_start(month), calendar.month_end(month), month)


def grain_of(rows: Iterable[ExportRow], calendar: Calendar) -> Grain:
    """The finest grain that fits every row. An export of days cannot be compared with hours."""
    return max((row_grain(row, calendar) for row in rows), key=GRAINS.index, default="cycle")


def row_period(row: ExportRow, calendar: Calendar) -> BillPeriod:
    """The finest period that contains the time of a row."""
    return period_of(row_second(row, calendar), row_grain(row, calendar), calendar)


def row_second(row: ExportRow, calendar: Calendar) -> int:
    """A second within the time of a row."""
    if row.start is not None:
        return row.start
    if row.day:
        return calendar.month_start(row.day[:7]) + (int(row.day[8:]) - 1) * DAY
    return calendar.month_start(row.month)


def row_grain(row: ExportRow, calendar: Calendar) -> Grain:
    if row.start is None:
        return "day" if row.day else "month"
    last = row.start if row.end is None else row.end - 1
    if calendar.cycle_start(row.start) == calendar.cycle_start(last):
        return "cycle"
    return "day" if calendar.day(row.start) == calendar.day(last) else "month"
