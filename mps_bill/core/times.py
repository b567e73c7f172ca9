"""Instants and billing calendars, as whole numbers.

An **instant** read from input is in microseconds since 1970-01-01T00:00:00Z. The starts and ends of cycles are in whole seconds.
Billing offsets are fixed (the provider bills in UTC+8, which has no daylight saving time), so an offset is a number of seconds
east of UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from mps_bill.core.diagnostics import quoted
from mps_bill.core.language import tr

HOUR = 3_600
DAY = 86_400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.date()
_MICROSECOND = timedelta(microseconds=1)

OFFSET = r"(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9]|[+-](0[0-9]|1[0-4]))"
#: Date, `T` or a space, hours and minutes, optional seconds and fraction. Years outside 1970 to 2999 are treated as typos.
LOCAL_TIME = (
    r"(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
)
_INSTANT = re.compile(f"(?P<local>{LOCAL_TIME})(?P<offset>{OFFSET})?")
_OFFSET = re.compile(OFFSET)
_DATE = re.compile(r"(?P<year>19[7-9][0-9]|2[0-9]{3})-(?P<month>0[1-9]|1[0-2])(-(?P<day>0[1-9]|[12][0-9]|3[01]))?")


# A file has a time in every row, but few different offsets.
@lru_cache(maxsize=100)
def parse_offset(text: str) -> int:
    """Return the seconds east of UTC for `Z`, `+08:00`, `+0800` or `+08`. Raise `ValueError` for any other text."""
    if not _OFFSET.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not an offset from UTC; write one such as +08:00 or Z")
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * HOUR + int(digits[2:]) * 60
    return -seconds if text[0] == "-" else seconds


def parse_instant(text: str, assumed_offset: int | None = None) -> int:
    """Return the microseconds since the epoch for an ISO 8601 date and time with an offset. Finer fractions are dropped.

    `assumed_offset` (seconds east of UTC) is used if the text has no offset.

    Raises:
        ValueError: the text is not such a time, names no existing day, or has no offset and none is assumed.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError(f"{quoted(text)} is not an ISO 8601 date and time such as 2023-11-10T11:30:00+08:00")
    if match["offset"] is None and assumed_offset is None:
        raise ValueError(f"{quoted(text)} has no offset from UTC; write one, such as {text}+08:00")
    offset = assumed_offset if match["offset"] is None else parse_offset(match["offset"])
    assert offset is not None
    local = match["local"]
    try:
        # A datetime has at most microseconds.
        moment = datetime.fromisoformat(local[:26]).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{quoted(text)} names a day that does not exist") from None
    return (moment - _EPOCH) // _MICROSECOND - offset * 1_000_000


def parse_second(text: str) -> int:
    """Return the whole seconds since the epoch for a time in a sheet or an account. Raise `ValueError` as `parse_instant`, or if
    it has a fraction of a second."""
    return _whole_second(text, parse_instant(text))


def _whole_second(text: str, instant: int) -> int:
    if instant % 1_000_000:
        raise ValueError(f"{quoted(text)} has a fraction of a second; write whole seconds")
    return instant // 1_000_000


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open period in seconds: `start` is included, `end` is not; None means no bound."""

    start: int | None = None
    end: int | None = None

    def __contains__(self, second: int) -> bool:
        return (self.start is None or self.start <= second) and (self.end is None or second < self.end)

    def edge_in(self, start: int, end: int) -> int | None:
        """Return a bound of the period that is strictly between two seconds; None if there is none."""
        return next((edge for edge in (self.start, self.end) if edge is not None and start < edge < end), None)


ALWAYS = Period()


def parse_period(text: str, offset: int) -> Period:
    """Return the day (`2023-11-17`) or month (`2023-11`) on the clock `offset` seconds east of UTC.

    Raises:
        ValueError: the text is neither, or names no existing day.
    """
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a day or month such as 2023-11-17 or 2023-11")
    if match["day"] is None:
        calendar = Calendar(HOUR, offset)
        return Period(calendar.month_start(text), calendar.month_end(text))
    try:
        start = (datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1) - offset
    except ValueError:
        raise ValueError(f"{quoted(text)} names a day that does not exist") from None
    return Period(start, start + DAY)


def parse_bound(text: str, offset: int) -> int:
    """Return the second at which a day or month begins, or that a time names. Without an offset, it is on the clock `offset`.

    Raises:
        ValueError: the text is none of these, or has a fraction of a second.
    """
    if _DATE.fullmatch(text):
        start = parse_period(text, offset).start
        assert start is not None
        return start
    if not _INSTANT.fullmatch(text):
        examples = "2023-11-17, 2023-11 or 2023-11-17T08:00"
        raise ValueError(f"{quoted(text)} is not a day, a month or a time, such as {examples}")
    return _whole_second(text, parse_instant(text, offset))


def iso(second: int, offset: int) -> str:
    """Return a second since the epoch as ISO 8601 with the offset, such as `2023-11-10T11:00:00+08:00`."""
    return _local(second, offset).isoformat()


def clock(second: int, offset: int) -> str:
    """Return a second for people, without the offset: `2023-11-10 11:00`, with seconds only if they are not 0."""
    local = _local(second, offset)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


def time_text(second: int, offset: int) -> str:
    """Return a second for people, in the language of the result."""
    return date_text(clock(second, offset))


def date_text(text: str) -> str:
    """Return a month, day or hour, such as `2023-11`, `2023-11-10` or `2023-11-10 11:00`, in the language of the result."""
    date, space, time = text.partition(" ")
    year, month, *day = date.split("-")
    if not day:
        return tr("{year}-{month}", year=year, month=month)
    return tr("{year}-{month}-{day}", year=year, month=month, day=day[0]) + space + time


def utc_text(second: int) -> str:
    """Return a second in UTC, as other programs expect it: 2023-11-10T03:20:00Z."""
    return iso(second, 0).replace("+00:00", "Z")


def offset_text(offset: int) -> str:
    """Return an offset as text: `+08:00` for 28,800."""
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"


def _local(second: int, offset: int) -> datetime:
    return datetime.fromtimestamp(0, timezone(timedelta(seconds=offset))) + timedelta(seconds=second)


# A day has many cycles, which are processed one after the other.
@lru_cache(maxsize=1000)
def _day_text(days: int) -> str:
    return (_EPOCH_DAY + timedelta(days=days)).isoformat()


@dataclass(frozen=True, slots=True)
class Calendar:
    """The billing cycles of a product: `cycle_seconds` (an hour or a day) on the clock `offset` seconds east of UTC."""

    cycle_seconds: int
    offset: int

    def cycle_start(self, second: int) -> int:
        """Return the start of the cycle that contains `second`. Cycles are half-open: a job at 12:00:00 is in 12:00-13:00."""
        return second - (second + self.offset) % self.cycle_seconds

    def cycle_end(self, cycle_start: int) -> int:
        return cycle_start + self.cycle_seconds

    def day(self, second: int) -> str:
        """Return the calendar day on the billing clock, `2023-11-10`."""
        return _day_text((second + self.offset) // DAY)

    def month(self, second: int) -> str:
        """Return the calendar month on the billing clock, `2023-11`."""
        return self.day(second)[:7]

    def month_start(self, month: str) -> int:
        """Return the second at which `month` (`2023-11`) begins on the billing clock."""
        first = datetime(int(month[:4]), int(month[5:7]), 1, tzinfo=UTC)
        return (first - _EPOCH) // timedelta(seconds=1) - self.offset

    def month_end(self, month: str) -> int:
        """Return the second at which `month` (`2023-11`) ends on the billing clock."""
        year, number = divmod(int(month[:4]) * 12 + int(month[5:7]), 12)
        return self.month_start(f"{year:04}-{number + 1:02}")
