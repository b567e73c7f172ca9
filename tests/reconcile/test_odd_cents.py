"""Rows that are a bill split at two decimals: where the bill is right, any of them may bear the odd cents."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.decimals import stripped
from mps_bill.reconcile.differences import Reconciliation
from mps_bill.reconcile.odd_cents import LEAST, Leeway, split_leeway
from tests import kit
from tests.reconcile.exports import CENT, Row, api_json
from tests.reconcile.test_reconcile import Case, found, pay

D = Decimal
REGIONS = [
    "cn-shanghai",
    "cn-beijing",
    "cn-hangzhou",
    "cn-shenzhen",
    "cn-qingdao",
    "cn-zhangjiakou",
    "cn-chengdu",
    "cn-guangzhou",
]
SHEET = kit.SHEET.replace("mainland: [cn-shanghai, cn-beijing]", f"mainland: [{', '.join(REGIONS)}]")


def case(folder: Path, quantity: str = "2.04", lines: int = 5, hours: int = 1) -> Case:
    """Equal lines of H264.LD at 0.0217 in as many regions; the bill of an hour is 0.22 for five of 2.04 minutes."""
    usage = [
        kit.row(
            job_id=f"{hour}-{region}",
            region=region,
            completed_at=f"2023-11-10T{11 + hour}:20:00+08:00",
            quantity=quantity,
            width="640",
            height="480",
        )
        for hour in range(hours)
        for region in REGIONS[:lines]
    ]
    return Case(folder, kit.usage_text(usage), sheet=SHEET)


def split(rows: Sequence[Row], payables: Sequence[str], *, shown: bool) -> None:
    """The amounts of the rows, with the rounding in 优惠金额 or nowhere."""
    for row, payable in zip(rows, payables, strict=True):
        pay(row, payable)
        row["优惠金额"] = str(D(row["原价"]) - D(payable)) if shown else "0"


def kinds(result: Reconciliation) -> set[str]:
    return {one.category for _, one in result.differences}


ways = pytest.mark.parametrize("shown", [True, False])


@ways
@pytest.mark.parametrize("bearer", range(5))
def test_five_equal_lines_may_have_two_odd_cents_on_any_row(tmp_path: Path, bearer: int, shown: bool) -> None:
    given_case = case(tmp_path)
    split(given_case.rows, ["0.06" if number == bearer else "0.04" for number in range(5)], shown=shown)
    assert given_case.rows[bearer]["优惠金额"] == ("-0.015732" if shown else "0")
    for text in (None, api_json(given_case.rows)):
        result = given_case.compare(text)
        assert result.equal, (found(result), result.contradictions)


@ways
def test_odd_cents_may_be_below_zero(tmp_path: Path, shown: bool) -> None:
    """2.10 minutes are 0.04557, rounded 0.05, and five of them a bill of 0.22."""
    given_case = case(tmp_path, "2.10")
    split(given_case.rows, ["0.05", "0.05", "0.05", "0.05", "0.02"], shown=shown)
    assert given_case.compare().equal


@ways
def test_the_list_amounts_may_be_split_too(tmp_path: Path, shown: bool) -> None:
    given_case = case(tmp_path)
    for row, amount in zip(given_case.rows, ("0.04", "0.04", "0.06", "0.04", "0.04"), strict=True):
        row["原价"] = amount
    split(given_case.rows, ["0.04", "0.04", "0.06", "0.04", "0.04"], shown=shown)
    assert given_case.compare().equal
    for row in given_case.rows:
        row["原价"] = "0.04"
    split(given_case.rows, ["0.04", "0.04", "0.06", "0.04", "0.04"], shown=shown)
    assert given_case.compare().equal


@ways
def test_a_line_and_its_refund_among_other_lines_are_equal(tmp_path: Path, shown: bool) -> None:
    given_case = case(tmp_path)
    split(given_case.rows, ["0.04", "0.04", "0.04", "0.04", "0.06"], shown=shown)
    again = dict(given_case.rows[0])
    back = again | {column: f"-{again[column]}" for column in ("用量", "原价", "应付金额", "现金支付")}
    back["优惠金额"] = f"-{again['优惠金额']}" if shown else "0"
    given_case.rows += [again, back]
    result = given_case.compare()
    assert result.equal, (found(result), result.contradictions)


@ways
def test_each_hour_has_odd_cents_of_its_own(tmp_path: Path, shown: bool) -> None:
    given_case = case(tmp_path, hours=3)
    split(given_case.rows, ["0.04", "0.04", "0.04", "0.04", "0.06"] * 3, shown=shown)
    assert given_case.compare().equal
    # Hours of a day that is compared as a whole, because one row tells no hour.
    given_case.rows[0] |= {"账单开始时间": "2023-11-10 00:00:00", "账单结束时间": "2023-11-11 00:00:00"}
    result = given_case.compare()
    assert [bill.period.name for bill in result.bills] == ["2023-11-10"]
    assert result.equal, (found(result), result.contradictions)


@ways
@pytest.mark.parametrize(("last", "difference"), [("0.07", "0.01"), ("0.05", "-0.01"), ("0.16", "0.1")])
def test_a_bill_that_is_off_by_a_cent_differs(tmp_path: Path, last: str, difference: str, shown: bool) -> None:
    given_case = case(tmp_path)
    split(given_case.rows, ["0.04", "0.04", "0.04", "0.04", last], shown=shown)
    result = given_case.compare()
    assert not result.equal
    assert stripped(result.theirs - result.ours) == difference
    if difference != "0.1":
        assert found(result) == [("2023-11-10 11:00", "rounding", difference)]
        assert not result.contradictions


@pytest.mark.parametrize(
    "payables",
    [
        ("0.04", "0.04", "0.04", "0.03", "0.07"),
        ("0.04", "0.04", "0.04", "0.02", "0.08"),
        ("0.02", "0.04", "0.04", "0.06", "0.06"),
        ("0.06", "0.06", "0.06", "0.02", "0.02"),
        ("0.22", "0", "0", "0", "0"),
        ("0.04", "0.04", "0.04", "0.04", "1.06"),
    ],
)
@ways
def test_rows_that_no_split_explains_are_reported(tmp_path: Path, payables: tuple[str, ...], shown: bool) -> None:
    """Two cents more are what the rounded rows lack of the bill. Of the last its payable is wrong too."""
    given_case = case(tmp_path)
    split(given_case.rows, payables, shown=shown)
    result = given_case.compare()
    assert not result.equal
    assert "discount" in kinds(result)
    assert bool(result.contradictions) != shown


def test_a_discount_is_not_an_odd_cent(tmp_path: Path) -> None:
    """Eight per cent off every row: their bill is 0.20, and the difference is told."""
    given_case = case(tmp_path)
    split(given_case.rows, ["0.04"] * 5, shown=True)
    assert stripped(given_case.compare().theirs - given_case.compare().ours) == "-0.02"
    given_case.rows[0] |= {"优惠金额": "0.044268"}
    pay(given_case.rows[0], "0")
    assert "discount" in kinds(given_case.compare())


@given(
    st.lists(st.integers(2, 3000), min_size=1, max_size=8),
    st.integers(0, 7),
    st.booleans(),
    st.lists(st.integers(0, 7), max_size=20),
)
def test_every_split_of_a_right_bill_is_equal(
    tmp_path_factory: pytest.TempPathFactory, quantities: list[int], bearer: int, shown: bool, order: list[int]
) -> None:
    """All odd cents on one row, or one after the other on rows in any order."""
    usage = [
        kit.row(job_id=f"j{number}", region=REGIONS[number], quantity=str(D(quantity) / 100), width="640", height="480")
        for number, quantity in enumerate(quantities)
    ]
    given_case = Case(tmp_path_factory.mktemp("split"), kit.usage_text(usage), sheet=SHEET)
    payables = [D(row["原价"]).quantize(CENT, ROUND_HALF_UP) for row in given_case.rows]
    odd = int((given_case.run.bills[0].amounts.payable - sum(payables)) / CENT)
    for number in range(abs(odd)):
        at = order[number] if number < len(order) else bearer
        payables[at % len(payables)] += CENT if odd > 0 else -CENT
    split(given_case.rows, [str(payable) for payable in payables], shown=shown)
    result = given_case.compare()
    assert result.equal, (found(result), result.contradictions)


@pytest.mark.parametrize(
    ("exact", "whole", "less", "more"),
    [
        (["0.044268"] * 5, "0.22", "0.015", "0.025"),
        (["0.045"] * 5, "0.22", "0.035", "0.015"),
        (["0.651"], "0.65", "0.015", "0.015"),
        (["-0.044268"] * 5, "-0.22", "0.025", "0.015"),
        ([], "0", "0.015", "0.015"),
        # 3.5 cents are what five rows can make; 4 are another amount.
        (["0.04"] * 5, "0.23", "0.015", "0.035"),
        (["0.04"] * 5, "0.24", "0.015", "0.015"),
        (["0.04"] * 5, "0.16", "0.015", "0.015"),
    ],
)
def test_the_leeway_is_what_the_rounded_rows_lack(exact: list[str], whole: str, less: str, more: str) -> None:
    assert split_leeway([D(amount) for amount in exact], D(whole)) == Leeway(D(less), D(more))
    assert split_leeway([D("0.04")] * 5, D("0.24")) == LEAST


def by_day(rows: Sequence[Row]) -> list[Row]:
    """The rows of a day's hours as one row a line, as with the granularity DAILY."""
    days: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (row["地域"], row["计费项"])
        if key not in days:
            days[key] = row | {"账单开始时间": "2023-11-10 00:00:00", "账单结束时间": "2023-11-11 00:00:00"}
            continue
        for column in ("用量", "原价", "优惠金额", "应付金额", "现金支付"):
            days[key][column] = stripped(D(days[key][column]) + D(row[column]))
    return list(days.values())


@ways
@pytest.mark.parametrize("in_cents", [True, False])
@pytest.mark.parametrize("bearer", [0, 4])
def test_a_row_of_a_day_has_the_odd_cents_of_its_hours(
    tmp_path: Path, bearer: int, in_cents: bool, shown: bool
) -> None:
    """Twelve hours with five lines of 0.044268: a row of the day is 0.48 or 0.72, where the line is 0.531216."""
    given_case = case(tmp_path, hours=12)
    payables = ["0.06" if number == bearer else "0.04" for number in range(5)] * 12
    if in_cents:
        for row, payable in zip(given_case.rows, payables, strict=True):
            row["原价"] = payable
    split(given_case.rows, payables, shown=shown)
    given_case.rows = by_day(given_case.rows)
    assert sorted(row["应付金额"] for row in given_case.rows) == ["0.48"] * 4 + ["0.72"]
    for text in (None, api_json(given_case.rows)):
        result = given_case.compare(text)
        assert [bill.period.name for bill in result.bills] == ["2023-11-10"]
        assert result.equal, (found(result), result.contradictions)


@ways
@pytest.mark.parametrize("in_cents", [True, False])
def test_a_day_that_is_off_by_a_cent_differs_by_that_cent(tmp_path: Path, in_cents: bool, shown: bool) -> None:
    given_case = case(tmp_path, hours=12)
    payables = ["0.04", "0.04", "0.04", "0.05", "0.05"] * 12
    if in_cents:
        for row, payable in zip(given_case.rows, payables, strict=True):
            row["原价"] = payable
    split(given_case.rows, payables, shown=shown)
    given_case.rows = by_day(given_case.rows)
    assert given_case.compare().equal
    row = given_case.rows[2]
    pay(row, stripped(D(row["应付金额"]) + CENT))
    result = given_case.compare()
    assert found(result) == [("2023-11-10", "rounding", "0.01")]
    assert not result.contradictions


def test_a_row_of_a_day_may_differ_by_a_cent_an_hour_and_no_more(tmp_path: Path) -> None:
    """Three hours of one line of 0.651: 1.953 in a day, and each hour pays 0.65. Of 1.98 three cents may be odd; of 1.99
    they may not."""
    for amount, payable, expected in (
        ("1.98", "1.96", [("rounding", "0.01")]),
        ("1.99", "1.97", [("price", "0.037"), ("rounding", "-0.017")]),
        # Where the amounts are no cents they are not sums of amounts in cents.
        ("1.975", "1.96", [("price", "0.022"), ("rounding", "-0.012")]),
    ):
        usage = [kit.row(job_id=f"j-{hour}", completed_at=f"2023-11-10T{hour}:20:00+08:00") for hour in (11, 12, 13)]
        given_case = Case(tmp_path, kit.usage_text(usage))
        given_case.rows = by_day(given_case.rows)
        (row,) = given_case.rows
        row |= {"原价": amount, "优惠金额": stripped(D(amount) - D(payable))}
        pay(row, payable)
        result = given_case.compare()
        assert [(kind, more) for _, kind, more in found(result)] == expected
        assert not result.contradictions
