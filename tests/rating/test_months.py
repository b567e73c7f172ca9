"""Statement months: the bills in them, and the version of a sheet that rounds them."""

from __future__ import annotations

import pytest

from mps_bill.core.decimals import amount_text
from mps_bill.rating.bills import list_bills, statement_months
from tests.kit import sheet_of
from tests.settlement.worlds import SHEET, at, book, hours, video

MONTHLY = SHEET.replace("settlement: hourly", "settlement: monthly")
FILMS = """  films: {name: F, family: related, unit: minute, prices: {HD: {"*": 0.0651}, SD: {"*": 0.0326}}}\n"""
OTHER = sheet_of(FILMS, product="oss", currency="CNY", settlement="monthly")


def from_(start: str, mode: str) -> str:
    return MONTHLY.replace("2023-11-01T00:00:00", start).replace("mode: down", f"mode: {mode}")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # 10 minutes at 0.0651 are 0.651; two hours of them 1.302, rounded once.
        ({"11-30 22": "10", "11-30 23": "10"}, [("mps", "2023-11", "1.302", "1.30")]),
        # The last hour of November is in November, the first of December in December.
        ({"11-30 23": "10", "12-01 00": "20"}, [("mps", "2023-11", "0.651", "0.65"), ("mps", "2023-12", "1.302", "1.30")]),
        # A bill that is issued in December is of the month that its cycle begins in.
        ({"11-30 22": "10"}, [("mps", "2023-11", "0.651", "0.65")]),
        # 0.15 minutes are 0.009765: nothing by themselves, one cent (0.01953) as two.
        ({"11-10 09": "0.15"}, [("mps", "2023-11", "0.009765", "0.00")]),
        ({"11-10 09": "0.15", "11-20 09": "0.15"}, [("mps", "2023-11", "0.01953", "0.01")]),
    ],
)  # fmt: skip
def test_a_month_has_the_bills_whose_cycles_begin_in_it(
    usage: dict[str, str], expected: list[tuple[str, str, str, str]]
) -> None:
    prices = book(MONTHLY)
    months = statement_months(list_bills(hours({at(when): video(minutes) for when, minutes in usage.items()}, prices)))
    assert [
        (one.sheet.product, one.month, amount_text(one.amounts.list_amount), amount_text(one.amounts.payable))
        for one in months
    ] == expected


def test_each_product_has_its_own_month() -> None:
    """0.009765 of each of two products stays below a cent; one sum of both would be rounded to 0.01."""
    prices = book(MONTHLY, OTHER)
    usage = {at("11-10 09"): {**video("0.15"), ("films", "HD", "cn-shanghai"): "0.15"}}
    months = statement_months(list_bills(hours(usage, prices)))
    assert [(one.sheet.product, amount_text(one.amounts.payable)) for one in months] == [
        ("mps", "0.00"),
        ("oss", "0.00"),
    ]


@pytest.mark.parametrize(
    ("second", "payable"),
    [
        # The bill of 0.651 is of the first version (down: 0.65); the second rounds up: 0.66.
        ("2023-11-20T00:00:00", "0.66"),
        ("2023-11-30T23:00:00", "0.66"),  # in force for the last hour of the month
        ("2023-12-01T00:00:00", "0.65"),  # begins as November is over
    ],
)
def test_the_version_in_force_as_the_month_ends_cuts_it(second: str, payable: str) -> None:
    prices = book(MONTHLY, from_(second, "up"))
    for when in ("11-10 09", "11-30 22"):
        months = statement_months(list_bills(hours({at(when): video("10")}, prices)))
        assert [amount_text(one.amounts.payable) for one in months] == [payable]


def test_the_last_hour_of_a_month_is_rounded_with_it() -> None:
    """0.651 of 23:00-24:00: the version that begins at 24:00 and rounds up has no part in it."""
    prices = book(MONTHLY, from_("2023-12-01T00:00:00", "up"))
    months = statement_months(list_bills(hours({at("11-30 23"): video("10")}, prices)))
    assert [(one.month, amount_text(one.amounts.payable)) for one in months] == [("2023-11", "0.65")]


def test_a_month_before_every_version_is_rounded_by_the_first() -> None:
    """An account can hold amounts of a month that the sheets of this run do not reach back to."""
    prices = book(from_("2023-12-01T00:00:00", "half-up"), from_("2024-01-01T00:00:00", "up"))
    closing = {month: prices.sheet_closing("mps", month).billing.mode for month in ("2023-11", "2023-12", "2024-01")}
    assert closing == {"2023-11": "half-up", "2023-12": "half-up", "2024-01": "up"}
