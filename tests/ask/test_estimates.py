"""Estimates are bills of records that are only asked about."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.ask.estimates import Estimate, Question, estimate
from mps_bill.core.diagnostics import InputRejected
from mps_bill.core.times import iso, parse_second
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from mps_bill.pipeline import bill_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.words import metering_words
from mps_bill.view.estimate_view import EstimateView, steps
from tests.kit import SHEET, book, shipped
from tests.render.runs import text

AT = parse_second("2026-01-15T10:30:00+08:00")


CHINA = shipped("mps-china")


def one(question: Question, region: str = "cn-shanghai", book: PriceBook = CHINA) -> Estimate:
    (found,) = estimate(question, [region], book)
    return found


def amounts(found: Estimate) -> list[Decimal]:
    return [line.amount for line in found.lines]


def test_a_published_example() -> None:
    """H.264, output 1920x823 of 10 minutes: HD, 10 x 0.0651 = 0.651 CNY (the provider's billing examples)."""
    found = one(Question("transcoding", "", "10", "minute", AT, codec="H264", width="1920", height="823"))
    assert found.assignment.spec == "H264.HD"
    assert amounts(found) == [Decimal("0.651")]


def test_each_record_is_metered_by_itself() -> None:
    found = one(Question("transcoding", "H264.HD", "0.5", "second", AT, count=1000))
    assert found.record_micros == 1_200_000  # 0.02 minute, the least
    assert amounts(found) == [Decimal("1.302")]  # 20 minutes, not the 8.33 of the sum


def test_the_metering_of_a_record_reads_as_in_the_price_list() -> None:
    """The minimum of an item whose sum is rounded is that of each record: 20 records of half a minute are 20 minutes."""
    cycle = "metering: {per: cycle, step: 1, rounding: down"
    prices = book(SHEET.replace(cycle, f"{cycle}, minimum: 1", 1))
    found = one(Question("review", "porn", "0.5", "minute", AT, count=20), book=prices)
    rule = "the cycle's sum rounded down to 1 minute, each record at least 1 minute"
    item = found.assignment.item
    assert metering_words(item.metering, item.unit) == rule
    assert dict(steps(found, "USD"))["Metering"] == f"{rule}; this record counts 1 minute"
    assert found.lines[0].billed_micros == 20 * item.unit.micros


def test_tiers_go_by_what_the_month_has_used() -> None:
    def review(month_used: str) -> Estimate:
        return one(Question("review", "porn", "1000", "minute", AT, month_used=month_used))

    assert [amounts(review(used)) for used in ("0", "2000", "2000.000001")] == [[100], [100], [90]]


def test_graduated_tiers_make_several_lines() -> None:
    item = next(item.code for item in shipped("cdn-china").items)
    found = one(Question(item, "", "20", "TB", AT), "CN", shipped("cdn-china"))
    assert [line.tier for line in found.lines] == ["0-10240", "10240-51200"]
    assert sum(amounts(found)) == 10 * 1024 * Decimal("0.24") + 10 * 1024 * Decimal("0.23")


def test_a_quantity_is_taken_as_results_print_it() -> None:
    """Results have units in the plural; no other word is treated as a unit."""
    question = Question("review", "porn", "3", "minutes", AT)
    assert amounts(one(question)) == amounts(one(replace(question, unit="minute")))
    with pytest.raises(InputRejected) as refused:
        one(replace(question, unit="minuts"))
    (problem,) = refused.value.problems
    assert problem.message == ('unknown unit "minuts" of review; did you mean "minute"?')


@pytest.mark.parametrize(("used", "shown"), [("1", "1 minute"), ("2", "2 minutes")])
def test_the_assumed_use_of_the_month_is_named(used: str, shown: str) -> None:
    found = one(Question("review", "porn", "1", "minute", AT, month_used=used))
    assert dict(steps(found, "CNY"))["Month"] == f"assumed use in 2026-01 before this: {shown}; see --month-used"


def test_regions_are_in_the_order_asked_for_each_once() -> None:
    regions = ["eu-central-1", "cn-shanghai", "eu-central-1"]
    found = estimate(Question("transcoding", "H264.HD", "1", "minute", AT), regions, shipped("mps-intl"))
    assert [(each.assignment.region, *amounts(each)) for each in found] == [
        ("eu-central-1", Decimal("0.0225")),
        ("cn-shanghai", Decimal("0.0099")),
    ]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (Question("transcodin", "", "1", "minute", AT), ["ITEM unknown-item"]),
        (Question("transcoding", "H264.XD", "1", "gram", AT), ["SPEC unknown-spec", "UNIT unknown-unit"]),
        (Question("transcoding", "", "1", "minute", AT), ["--codec missing-value"]),
        (Question("transcoding", "", "1", "minute", AT, codec="H264"), ["--width missing-value"]),
        (Question("transcoding", "H264.HD", "1e1", "minute", AT), ["QUANTITY bad-quantity"]),
        (Question("transcoding", "H264.HD", "1", "minute", 0), ["--at no-price-sheet"]),
        (Question("review", "porn", "1", "minute", AT, month_used="-1"), ["--month-used bad-quantity"]),
    ],
)
def test_usage_that_a_bill_refuses_is_refused(question: Question, expected: list[str]) -> None:
    with pytest.raises(InputRejected) as caught:
        one(question)
    shown = caught.value.report.shown
    assert [f"{problem.place} {problem.kind.slug}" for problem in shown] == expected


def test_every_region_without_a_price_is_told() -> None:
    with pytest.raises(InputRejected) as caught:
        estimate(
            Question("transcoding", "H264.HD", "1", "minute", AT), ["cn-shanghai", "us-west-1", "cn-shangai"], CHINA
        )
    assert [problem.kind.slug for problem in caught.value.report.shown] == ["unknown-region", "no-price"]


@given(
    st.integers(1, 5),
    st.decimals(0, 5000, places=3, allow_nan=False),
    st.sampled_from([("transcoding", "H264.HD"), ("video_dna", "VideoDNA"), ("review", "porn")]),
)
def test_an_estimate_is_the_bill_of_such_records(
    tmp_path_factory: pytest.TempPathFactory, count: int, quantity: Decimal, priced: tuple[str, str]
) -> None:
    item, spec = priced
    found = one(Question(item, spec, str(quantity), "second", AT, count=count))
    rows = [f"j{number},{iso(AT, 0)},cn-shanghai,{item},{spec},{quantity},second" for number in range(count)]
    path = Path(tmp_path_factory.mktemp("usage"), "u.csv")
    path.write_text("\n".join(["job_id,completed_at,region,item,spec,quantity,unit", *rows]))
    run = bill_usage([UsageSource("u.csv", path, "csv", path.stat().st_size)], CHINA, MeterOptions())
    assert run.bills == (found.bill,)
    (printed,) = json.loads(text(EstimateView([found], "CNY"), "json"))["estimates"]
    assert Decimal(printed["amount"]) == run.bills[0].amounts.list_amount
