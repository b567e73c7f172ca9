"""What one cycle leaves to the next, and which of two bills of one second is first: small enough to add up by hand."""

from __future__ import annotations

import pytest

from mps_bill.core.decimals import stripped
from mps_bill.core.times import clock
from mps_bill.core.units import UNITS
from mps_bill.rating.bills import Bill, list_bills, make_bill
from mps_bill.rating.lines import NO_USAGE
from tests.kit import sheet_of
from tests.settlement.worlds import HOUR, at, book, hours

#: Two items with the same specs, by the month: up to 100 minutes at 0.1, then at 0.07 (all of a cycle's, or only the rest).
TIERS = """\
  {item}:
    name: {item}
    family: video-ai
    unit: minute
    prices:
      one: {{"*": {{tiers: {model}, per: month, up_to: {{100: 0.1, rest: 0.07}}}}}}
      two: {{"*": {{tiers: {model}, per: month, up_to: {{100: 0.1, rest: 0.07}}}}}}
"""
MPS = sheet_of(TIERS.format(item="alpha", model="volume") + TIERS.format(item="beta", model="volume"), currency="CNY")
#: Another product with an item of its own.
OSS = sheet_of(TIERS.format(item="gamma", model="graduated"), product="oss", currency="CNY")
Key = tuple[str, str, str]
ONE: Key = ("alpha", "one", "cn-shanghai")


def lines(bills: tuple[Bill, ...]) -> list[tuple[str | None, str]]:
    return [(line.tier, stripped(line.amount)) for bill in bills for line in bill.lines]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # The same item, spec and region: 60 + 60 = 120 minutes are above 100, so the second 60 cost 60 x 0.07 = 4.2.
        (("11-10 09", ONE), ("11-10 10", ONE), [("0-100", "6"), ("100+", "4.2")]),
        # Another region, spec, item or product fills tiers of its own: 60 x 0.1 = 6 in both cycles.
        (("11-10 09", ONE), ("11-10 10", ("alpha", "one", "cn-beijing")), [("0-100", "6"), ("0-100", "6")]),
        (("11-10 09", ONE), ("11-10 10", ("alpha", "two", "cn-shanghai")), [("0-100", "6"), ("0-100", "6")]),
        (("11-10 09", ONE), ("11-10 10", ("beta", "one", "cn-shanghai")), [("0-100", "6"), ("0-100", "6")]),
        (("11-10 09", ONE), ("11-10 10", ("gamma", "one", "cn-shanghai")), [("0-100", "6"), ("0-100", "6")]),
        # The month is that of the cycle's start in UTC+8: October ends at 16:00Z of the 31st.
        (("11-30 22", ONE), ("11-30 23", ONE), [("0-100", "6"), ("100+", "4.2")]),
        (("11-30 23", ONE), ("12-01 00", ONE), [("0-100", "6"), ("0-100", "6")]),
        (("12-01 00", ONE), ("12-01 08", ONE), [("0-100", "6"), ("100+", "4.2")]),
        # Graduated: 40 of the second 60 still cost 0.1, 20 cost 0.07.
        (
            ("11-10 09", ("gamma", "one", "cn-shanghai")),
            ("11-10 10", ("gamma", "one", "cn-shanghai")),
            [("0-100", "6"), ("0-100", "4"), ("100+", "1.4")],
        ),
    ],
)
def test_a_month_of_60_minutes_and_60_more(
    first: tuple[str, Key], second: tuple[str, Key], expected: list[tuple[str, str]]
) -> None:
    prices = book(MPS, OSS)
    usage = {at(when): {key: "60"} for when, key in (first, second)}
    assert lines(list_bills(hours(usage, prices))) == expected


def test_three_cycles_and_what_is_used_between_is_not_forgotten() -> None:
    """60 + 30 of one, 90 in the hour between of another spec; the third hour of the first makes 60 + 30 + 20 = 110."""
    two: Key = ("alpha", "two", "cn-shanghai")
    usage = {
        at("11-10 09"): {ONE: "60"},
        at("11-10 10"): {two: "90"},
        at("11-10 11"): {ONE: "30"},
        at("11-10 12"): {ONE: "20", two: "10"},
    }
    found = lines(list_bills(hours(usage, book(MPS))))
    assert found == [("0-100", "6"), ("0-100", "9"), ("0-100", "3"), ("100+", "1.4"), ("0-100", "1")]


def test_a_month_counts_what_was_used_while_the_price_had_no_tiers() -> None:
    """90 minutes at a flat 0.05 = 4.5; with the 20 of the next sheet the month has 110, above 100: 20 x 0.07 = 1.4."""
    flat = MPS.replace("{tiers: volume, per: month, up_to: {100: 0.1, rest: 0.07}}", "0.05")
    tiered = MPS.replace("2023-11-01T00", "2023-11-10T10")
    assert (flat != MPS, tiered != MPS) == (True, True)
    usage = {at("11-10 09"): {ONE: "90"}, at("11-10 10"): {ONE: "20"}}
    assert lines(list_bills(hours(usage, book(flat, tiered)))) == [(None, "4.5"), ("100+", "1.4")]


def test_tiers_count_what_plans_leave() -> None:
    """Of the first 90 minutes a plan covers 60: 30 are billed (3), and 30 + 60 = 90 stay below 100 (60 x 0.1 = 6)."""
    first, second = hours({at("11-10 09"): {ONE: "90"}, at("11-10 10"): {ONE: "60"}}, book(MPS))
    bill, used = make_bill(first, (60 * UNITS["minute"].micros,), NO_USAGE)
    assert used == {("mps", "2023-11", *ONE): 30 * UNITS["minute"].micros}
    after, _ = make_bill(second, (0,), used)
    assert lines((bill, after)) == [("0-100", "3"), ("0-100", "6")]


def test_a_month_counts_what_is_used_of_a_spec_also_where_another_spec_has_one_price() -> None:
    flat = MPS.replace('two: {"*": {tiers: volume, per: month, up_to: {100: 0.1, rest: 0.07}}}', 'two: {"*": 0.05}')
    usage = {at("11-10 09"): {ONE: "60"}, at("11-10 10"): {ONE: "60", ("alpha", "two", "CN"): "60"}}
    assert lines(list_bills(hours(usage, book(flat)))) == [("0-100", "6"), ("100+", "4.2"), (None, "3")]


def sheet(product: str, **billing: str) -> str:
    item = f'  item_{product}: {{name: I, family: related, unit: minute, prices: {{one: {{"*": 0.1}}}}}}\n'
    return sheet_of(item, product=product, currency="CNY", **billing)


@pytest.mark.parametrize(
    ("daily", "hourly", "lag", "expected"),
    [
        # The day 00:00-24:00 and its last hour 23:00-24:00, both issued at 01:00: the earlier start is first.
        ("aaa", "mps", "1h", ["aaa", "mps"]),
        ("zzz", "mps", "1h", ["zzz", "mps"]),
        # The day is issued an hour later, or earlier: the issue time is first.
        ("aaa", "mps", "2h", ["mps", "aaa"]),
        ("zzz", "mps", "0h", ["zzz", "mps"]),
    ],
)
def test_bills_are_in_order_of_issue_then_start(daily: str, hourly: str, lag: str, expected: list[str]) -> None:
    prices = book(sheet(daily, cycle="day", issue_after=lag), sheet(hourly))
    usage = {
        at("11-10 00"): {(f"item_{daily}", "one", "CN"): "1"},
        at("11-10 23"): {(f"item_{hourly}", "one", "CN"): "1"},
    }
    assert [bill.cycle.product for bill in list_bills(hours(usage, prices))] == expected


def test_bills_of_one_issue_and_one_start_are_in_order_of_the_product() -> None:
    prices = book(sheet("mps"), sheet("abz"), sheet("oss"))
    usage = {at("11-10 09"): {(f"item_{product}", "one", "CN"): "1" for product in ("oss", "mps", "abz")}}
    assert [bill.cycle.product for bill in list_bills(hours(usage, prices))] == ["abz", "mps", "oss"]


def test_a_bill_is_issued_no_earlier_than_those_of_the_cycles_before_it() -> None:
    """Up to 12 o'clock bills are issued after a day, then after an hour; of another product always after an hour."""
    slow, fast = sheet("mps", issue_after="1d"), sheet("mps").replace("2023-11-01T00", "2023-11-10T12")
    usage = {at(f"11-10 {hour}"): {("item_mps", "one", "CN"): "1"} for hour in ("09", "11", "12", "13")}
    usage[at("11-10 14")] = {("item_oss", "one", "CN"): "1"}
    usage[at("11-11 11")] = {("item_mps", "one", "CN"): "1"}
    bills = list_bills(hours(usage, book(slow, fast, sheet("oss"))))
    assert [
        (bill.cycle.product, clock(bill.cycle.start, 8 * HOUR), clock(bill.cycle.issued_at, 8 * HOUR)) for bill in bills
    ] == [
        ("oss", "2023-11-10 14:00", "2023-11-10 16:00"),
        ("mps", "2023-11-10 09:00", "2023-11-11 10:00"),
        ("mps", "2023-11-10 11:00", "2023-11-11 12:00"),
        ("mps", "2023-11-10 12:00", "2023-11-11 12:00"),
        ("mps", "2023-11-10 13:00", "2023-11-11 12:00"),
        ("mps", "2023-11-11 11:00", "2023-11-11 13:00"),
    ]
