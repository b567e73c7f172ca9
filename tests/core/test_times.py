"""Instants from text, and the calendar of bills."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.times import (
    DAY,
    HOUR,
    Calendar,
    Period,
    clock,
    iso,
    offset_text,
    parse_bound,
    parse_instant,
    parse_offset,
    parse_period,
    parse_second,
)

EIGHT = 8 * HOUR
#: 2023-11-10T03:20:00Z
MOMENT = 1_699_586_400


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-10T03:20:00Z",
        "2023-11-10T03:20Z",
        "2023-11-10 03:20:00Z",
        "2023-11-10T03:20:00.0Z",
        "2023-11-10T03:20:00.000000000Z",
        "2023-11-10T03:20:00+00:00",
        "2023-11-10T03:20:00-00:00",
        "2023-11-10T03:20:00+0000",
        "2023-11-10T03:20:00+00",
        "2023-11-10T11:20:00+08:00",
        "2023-11-10T11:20:00+0800",
        "2023-11-10T11:20:00+08",
        "2023-11-10T08:50:00+05:30",
        "2023-11-10T08:50:00+0530",
        "2023-11-09T23:50:00-03:30",
        "2023-11-10T17:20:00+14:00",
        "2023-11-10T18:19:00+14:59",
        "2023-11-09T13:20:00-14:00",
        "2023-11-09T22:20:00-05",
    ],
)
def test_every_spelling_of_one_instant_is_that_instant(text: str) -> None:
    assert parse_instant(text) == MOMENT * 1_000_000
    assert parse_second(text) == MOMENT


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00+08:00", -EIGHT * 1_000_000),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("2023-11-10T03:20:00.1Z", MOMENT * 1_000_000 + 100_000),
        ("2023-11-10T03:20:00.123456Z", MOMENT * 1_000_000 + 123_456),
        # Digits beyond the microsecond are dropped, so that the last instant of an hour stays in its hour.
        ("2023-11-10T03:59:59.999999999Z", (MOMENT + 2_400) * 1_000_000 - 1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
        ("2000-02-29T23:59:59Z", 951_868_799_000_000),
        ("2999-12-31T23:59:59.999999Z", 32_503_679_999_999_999),
    ],
)
def test_instants_to_the_microsecond(text: str, microseconds: int) -> None:
    assert parse_instant(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2023-04-31T00:00:00+08:00",
        "2023-11-31T00:00:00Z",
    ],
)
def test_days_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names a day that does not exist"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["2023-11-10T11:20:00", "2023-11-10 11:20", "2023-11-10T11:20:00.5"])
def test_a_time_without_offset_is_refused_unless_one_is_given(text: str) -> None:
    with pytest.raises(ValueError, match="has no offset from UTC; write one") as caught:
        parse_instant(text)
    assert f"{text}+08:00" in str(caught.value)
    assert parse_instant(text, EIGHT) == parse_instant(text + "+08:00")
    assert parse_instant(text, 0) == parse_instant(text + "Z")


def test_a_given_offset_does_not_change_a_time_that_has_one() -> None:
    assert parse_instant("2023-11-10T03:20:00Z", EIGHT) == MOMENT * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "infinity",
        "-infinity",
        "epoch",
        "now",
        "today",
        "2023-11-10",
        "2023-11-10T",
        "2023-11-10T25:00:00Z",
        "2023-11-10T24:00:00Z",
        "2023-11-10T23:60:00Z",
        "2023-11-10T23:59:60Z",
        "2023-11-10T1:20:00Z",
        "2023-1-10T11:20:00Z",
        "2023-13-10T11:20:00Z",
        "2023-00-10T11:20:00Z",
        "2023-11-00T11:20:00Z",
        "2023-11-32T11:20:00Z",
        "23-11-10T11:20:00Z",
        "12023-11-10T11:20:00Z",
        "1969-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "20231110T112000Z",
        "2023-11-10t11:20:00Z",
        "2023-11-10T11:20:00z",
        "2023-11-10T11:20:00 Z",
        "2023-11-10T11:20:00 +08:00",
        " 2023-11-10T11:20:00Z",
        "2023-11-10T11:20:00Z ",
        "2023-11-10T11:20:00Z\n",
        "2023-11-10  11:20:00Z",
        "2023-11-10T11:20:00,5Z",
        "2023-11-10T11:20:00.Z",
        "2023-11-10T11:20:00.0000000001Z",
        "2023-11-10T11:20:00+8",
        "2023-11-10T11:20:00+8:00",
        "2023-11-10T11:20:00+15:00",
        "2023-11-10T11:20:00+08:60",
        "2023-11-10T11:20:00+08:00:00",
        "2023-11-10T11:20:00+080",
        "2023-11-10T11:20:00UTC",
        "2023-11-10T11:20:00 Asia/Shanghai",
        "2023-11-10T11:20:00+08:00[Asia/Shanghai]",
        "2023/11/10T11:20:00Z",
        "10.11.2023 11:20",
        "1699586400",
        "\uff12023-11-10T11:20:00Z",
        "2023-11-10T11:20:00\u221208:00",
        "2023-W45-5T11:20:00Z",
    ],
)
def test_anything_else_is_not_a_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 date and time"):
        parse_instant(text, EIGHT)


def test_times_of_sheets_are_whole_seconds() -> None:
    with pytest.raises(ValueError, match="fraction of a second"):
        parse_second("2023-11-10T03:20:00.5Z")


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2999, 12, 30)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_instants_agree_with_the_calendar_of_the_standard_library(local: datetime, minutes: int) -> None:
    text = local.isoformat(timespec="microseconds") + offset_text(minutes * 60)
    since = local.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC) - timedelta(minutes=minutes)
    assert parse_instant(text) == since // timedelta(microseconds=1)
    second = parse_instant(text) // 1_000_000
    assert iso(second, minutes * 60) == local.replace(microsecond=0).isoformat() + offset_text(minutes * 60)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Z", 0),
        ("+08:00", EIGHT),
        ("+0800", EIGHT),
        ("+08", EIGHT),
        ("-03:30", -12_600),
        ("+14:00", 50_400),
        ("-00:00", 0),
    ],
)
def test_offsets(text: str, seconds: int) -> None:
    assert parse_offset(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "z", "08:00", "+8", "+15:00", "+08:60", "UTC", "Asia/Shanghai", "+08:00 ", "UTC+8"]
)
def test_values_that_are_not_offsets(text: str) -> None:
    with pytest.raises(ValueError, match="is not an offset from UTC"):
        parse_offset(text)


def second(text: str) -> int:
    return parse_second(text)


@pytest.mark.parametrize(
    ("cycle", "completed", "start"),
    [
        # Half open: a job at 12:00:00 falls in the next hour.
        (HOUR, "2023-11-10T11:00:00+08:00", "2023-11-10T11:00:00+08:00"),
        (HOUR, "2023-11-10T11:59:59+08:00", "2023-11-10T11:00:00+08:00"),
        (HOUR, "2023-11-10T12:00:00+08:00", "2023-11-10T12:00:00+08:00"),
        (HOUR, "2023-11-10T08:59:59+05:30", "2023-11-10T11:00:00+08:00"),
        (HOUR, "2023-11-10T09:00:00+05:30", "2023-11-10T11:00:00+08:00"),
        (HOUR, "2023-11-10T09:30:00+05:30", "2023-11-10T12:00:00+08:00"),
        # A day is that of the billing clock: it turns at 16:00Z.
        (DAY, "2023-11-10T15:59:59Z", "2023-11-10T00:00:00+08:00"),
        (DAY, "2023-11-10T16:00:00Z", "2023-11-11T00:00:00+08:00"),
        (DAY, "2024-02-29T23:59:59+08:00", "2024-02-29T00:00:00+08:00"),
        # Before 1970 the arithmetic still goes down, not towards zero.
        (HOUR, "1970-01-01T07:30:00+08:00", "1970-01-01T07:00:00+08:00"),
    ],
)
def test_cycles_begin_on_the_billing_clock(cycle: int, completed: str, start: str) -> None:
    calendar = Calendar(cycle, EIGHT)
    assert iso(calendar.cycle_start(second(completed)), EIGHT) == start
    assert calendar.cycle_end(calendar.cycle_start(second(completed))) - second(start) == cycle


def test_a_clock_of_half_an_hour_cuts_its_own_hours() -> None:
    calendar = Calendar(HOUR, 19_800)
    assert iso(calendar.cycle_start(second("2023-11-10T09:29:59+05:30")), 19_800) == "2023-11-10T09:00:00+05:30"


@pytest.mark.parametrize(
    ("text", "day", "month"),
    [
        ("2023-11-30T15:59:59Z", "2023-11-30", "2023-11"),
        ("2023-11-30T16:00:00Z", "2023-12-01", "2023-12"),
        ("2023-12-31T16:00:00Z", "2024-01-01", "2024-01"),
        ("2024-02-29T15:59:59Z", "2024-02-29", "2024-02"),
        ("2024-02-29T16:00:00Z", "2024-03-01", "2024-03"),
        ("2023-02-28T16:00:00Z", "2023-03-01", "2023-03"),
    ],
)
def test_days_and_months_turn_on_the_billing_clock(text: str, day: str, month: str) -> None:
    calendar = Calendar(HOUR, EIGHT)
    assert calendar.day(second(text)) == day
    assert calendar.month(second(text)) == month


@pytest.mark.parametrize(
    ("month", "end"),
    [
        ("2023-11", "2023-12-01T00:00:00+08:00"),
        ("2023-12", "2024-01-01T00:00:00+08:00"),
        ("2024-02", "2024-03-01T00:00:00+08:00"),
        ("2023-02", "2023-03-01T00:00:00+08:00"),
    ],
)
def test_a_month_ends_where_the_next_begins(month: str, end: str) -> None:
    calendar = Calendar(HOUR, EIGHT)
    assert iso(calendar.month_end(month), EIGHT) == end
    assert calendar.month_start(end[:7]) == calendar.month_end(month)


def test_a_clock_for_people_shows_seconds_only_where_there_are_any() -> None:
    assert clock(MOMENT, EIGHT) == "2023-11-10 11:20"
    assert clock(MOMENT + 7, EIGHT) == "2023-11-10 11:20:07"
    assert offset_text(-12_600) == "-03:30"


def test_a_period_is_a_day_or_a_month_on_the_billing_clock() -> None:
    east = 8 * HOUR
    november = parse_period("2023-11", east)
    assert november == Period(parse_second("2023-11-01T00:00:00+08:00"), parse_second("2023-12-01T00:00:00+08:00"))
    leap = parse_period("2024-02-29", east)
    assert (leap.end or 0) - (leap.start or 0) == DAY
    assert parse_second("2024-02-28T23:59:59+08:00") not in leap
    assert parse_second("2024-02-29T00:00:00+08:00") in leap
    assert parse_second("2024-03-01T00:00:00+08:00") not in leap
    for wrong in ("2023-02-29", "2023-13", "2023", "yesterday", "2023-1-1", "2023-11-10T10:00"):
        with pytest.raises(ValueError, match=wrong[:4]):
            parse_period(wrong, east)


def test_a_bound_is_a_day_a_month_or_a_time() -> None:
    east = 8 * HOUR
    assert parse_bound("2023-12", east) == parse_second("2023-12-01T00:00:00+08:00")
    assert parse_bound("2023-12-01 06:00", east) == parse_second("2023-12-01T06:00:00+08:00")
    assert parse_bound("2023-12-01T06:00Z", east) == parse_second("2023-12-01T14:00:00+08:00")
    for wrong in ("2023-11-31", "soon", "2023-12-01T06:00:00.5"):
        with pytest.raises(ValueError, match=wrong[:4]):
            parse_bound(wrong, east)


def test_a_period_without_bounds_holds_everything_and_cuts_nothing() -> None:
    assert 0 in Period()
    assert Period().edge_in(0, HOUR) is None
    assert Period(30, 90).edge_in(60, 120) == 90
    assert Period(60, 120).edge_in(60, 120) is None
