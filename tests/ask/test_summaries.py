"""Summaries add up to the bills, and a selection shows a part without billing it anew."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.ask.apply_selection import selected_bills
from mps_bill.ask.summaries import GROUPINGS, OTHERS, ROUNDING, SUM, Billed, Summary, largest, summarise
from mps_bill.core.decimals import AMOUNT_PLACES, scaled
from mps_bill.core.times import HOUR, Period, parse_period, parse_second
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import BillRun, bill_usage
from mps_bill.rating.selection import LINE_KEYS, Selection, split_by_tags
from tests.generated import clean_files
from tests.kit import book, metered, source, usage_text

TAG = "tag_team"
EAST = 8 * HOUR


def run_of(rows: list[str]) -> BillRun:
    with tempfile.TemporaryDirectory() as folder:
        return bill_usage([source(Path(folder, "u.csv"), usage_text(rows))], book(), MeterOptions(engine="python"))


def tagged(*rows: str) -> BillRun:
    text = f"job_id,completed_at,region,item,spec,quantity,unit,{TAG}\n" + "".join(f"{row}\n" for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        options = MeterOptions(engine="python", tags=(TAG,))
        return bill_usage([source(Path(folder, "u.csv"), text.encode())], book(), options)


def summary(run: BillRun, *by: str) -> Summary:
    billed = [*map(Billed, run.bills), *map(Billed, run.months)]
    return summarise(billed, by, run.tags, is_part=bool(run.selection.only))


@given(clean_files(), st.lists(st.sampled_from(GROUPINGS), min_size=1, max_size=3, unique=True))
def test_every_column_of_a_summary_adds_up_to_the_bills(rows: list[str], by: list[str]) -> None:
    run = run_of(rows)
    found = summary(run, *by)
    assert found.total.amount == run.amounts.payable
    assert found.total.list_amount == run.amounts.list_amount
    assert found.total.rounding == run.amounts.rounding_adjustment
    assert found.total.records == run.control_totals.rows_billed
    assert len({(row.kind, row.keys) for row in found.rows}) == len(found.rows)
    assert all(row.list_amount == 0 for row in found.rows if row.kind != SUM)


@given(clean_files(), st.sampled_from([*LINE_KEYS]))
def test_a_row_has_the_lines_with_its_value(rows: list[str], key: str) -> None:
    run = run_of(rows)
    for row in summary(run, key).rows:
        lines = [line for bill in run.bills for line in bill.lines if LINE_KEYS[key].of(line) == row.keys[0]]
        assert row.kind == ROUNDING or row.list_amount == sum((line.amount for line in lines), Decimal(0))


@given(clean_files(), st.data())
def test_a_period_and_the_rest_make_the_whole(rows: list[str], data: st.DataObject) -> None:
    """The bills of the month before a bound and from it on are those of the run, at the prices of the run."""
    run = run_of(rows)
    if not run.bills:
        return
    bound = data.draw(st.sampled_from([bill.cycle.start for bill in run.bills]))
    before = selected_bills(run, Selection(Period(None, bound)))
    after = selected_bills(run, Selection(Period(bound, None)))
    assert {id(bill) for bill in (*before.bills, *after.bills)} == {id(bill) for bill in run.bills}
    assert before.amounts.payable + after.amounts.payable == run.amounts.payable


@given(clean_files(), st.sampled_from([*LINE_KEYS]))
def test_the_parts_of_all_values_make_the_net_amount(rows: list[str], key: str) -> None:
    run = run_of(rows)
    values = {LINE_KEYS[key].of(line) for bill in run.bills for line in bill.lines}
    parts = [selected_bills(run, Selection(only={key: frozenset([value])})) for value in values]
    assert sum((part.amounts.net for part in parts), Decimal(0)) == run.amounts.net
    assert all(part.amounts.rounding_adjustment == 0 and part.amounts.is_part for part in parts)


QUANTITIES = st.lists(st.tuples(st.integers(1, 10**6), st.sampled_from(["", "a", "b", "c"])), min_size=1, max_size=8)


@given(QUANTITIES)
def test_a_line_split_by_tags_loses_nothing(parts: list[tuple[int, str]]) -> None:
    rows = [
        f"{n},2023-11-10T10:00:00+08:00,cn-shanghai,review,porn,{q},second,{tag}" for n, (q, tag) in enumerate(parts)
    ]
    run = tagged(*rows)
    for bill in run.bills:
        for line in bill.lines:
            split = list(split_by_tags(line))
            for name in ("records", "billed_micros", "covered_micros", "amount", "discount"):
                assert sum(getattr(part, name) for _, part in split) == getattr(line, name)
    by_tag = summary(run, TAG)
    assert by_tag.total.records == len(parts)
    chosen = {
        tag: selected_bills(run, Selection(only={TAG: frozenset([tag])}, tags=(TAG,))).amounts.net
        for tag in {tag for _, tag in parts}
    }
    assert {row.keys[0]: row.amount for row in by_tag.rows if row.kind == SUM} == chosen


@given(QUANTITIES, st.lists(st.integers(0, 10**10), max_size=3))
def test_the_payments_of_a_tag_are_its_net_amount_to_the_last_digit(
    parts: list[tuple[int, str]], paid: list[int]
) -> None:
    rows = [
        f"{n},2023-11-10T10:00:00+08:00,cn-shanghai,review,porn,{q},second,{tag}" for n, (q, tag) in enumerate(parts)
    ]
    (bill,) = tagged(*rows).bills
    payments = []
    for line in bill.lines:
        left, by_source = line.ticks, {}
        for number, ticks in enumerate((*paid, line.ticks)):
            by_source[f"source {number}"] = scaled(min(ticks, left), AMOUNT_PLACES)
            left -= min(ticks, left)
        payments.append(by_source)
    found = summarise([Billed(bill, {}, lambda: [*payments, {}])], (TAG,), (TAG,))
    for row in found.rows:
        assert sum(row.paid.values()) == (row.list_amount if row.kind == SUM else 0)
        assert all(amount >= 0 for amount in row.paid.values())


def test_tiers_by_the_month_stay_those_of_the_whole_input() -> None:
    run = tagged(
        "a,2023-11-10T10:00:00+08:00,cn-shanghai,review,porn,4000,minute,drama",
        "b,2023-11-29T10:00:00+08:00,cn-shanghai,review,porn,1000,minute,news",
    )
    day = selected_bills(run, Selection(parse_period("2023-11-29", EAST)))
    assert day.amounts.payable == Decimal("90.00")
    news = selected_bills(run, Selection(only={TAG: frozenset(["news"])}, tags=(TAG,)))
    assert (news.amounts.net, news.amounts.is_part) == (Decimal("90.00"), True)


def test_two_values_of_a_key_are_or_and_two_keys_are_and() -> None:
    run = tagged(
        "a,2023-11-10T10:00:00+08:00,cn-shanghai,review,porn,10,minute,drama",
        "b,2023-11-10T10:00:00+08:00,cn-beijing,review,porn,20,minute,drama",
        "c,2023-11-10T10:00:00+08:00,cn-beijing,review,terrorism,40,minute,news",
    )

    def net(**only: list[str]) -> Decimal:
        selection = Selection(only={key: frozenset(values) for key, values in only.items()}, tags=(TAG,))
        return selected_bills(run, selection).amounts.net

    assert net(region=["cn-shanghai", "cn-beijing"]) == Decimal("7.00")
    assert net(region=["cn-beijing"], tag_team=["drama"]) == Decimal("2.00")
    assert net(spec=["terrorism"], tag_team=["drama"]) == 0


def test_a_summary_by_periods_has_whole_bills_and_one_by_items_a_row_of_roundings() -> None:
    run = tagged(
        "a,2023-11-10T10:00:00+08:00,cn-shanghai,transcoding,H264.HD,10,minute,drama",
        "b,2023-11-10T11:30:00+08:00,cn-shanghai,review,porn,10,minute,news",
    )
    days = summary(run, "day")
    assert [(row.keys, row.bills, row.rounding, row.amount) for row in days.rows] == [
        (("2023-11-10",), 2, Decimal("-0.001"), Decimal("1.65"))
    ]
    items = summary(run, "item")
    assert [(row.kind, row.keys, row.amount) for row in items.rows] == [
        (SUM, ("transcoding",), Decimal("0.651")),
        (SUM, ("review",), Decimal("1.0")),
        (ROUNDING, (None,), Decimal("-0.001")),
    ]
    crossed = summary(run, "hour", TAG)
    assert [(row.kind, row.keys) for row in crossed.rows] == [
        (SUM, ("2023-11-10 10:00", "drama")),
        (ROUNDING, ("2023-11-10 10:00", None)),
        (SUM, ("2023-11-10 11:00", "news")),
    ]


def test_a_bound_inside_a_cycle_and_a_value_that_nothing_has_are_refused() -> None:
    start = parse_second("2023-11-10T10:00:00+08:00")
    text = f"job_id,completed_at,region,item,spec,quantity,unit,{TAG}\n"
    row = "a,2023-11-10T10:00:00+08:00,cn-shanghai,review,porn,10,minute,drama\n"
    with tempfile.TemporaryDirectory() as folder:
        options = MeterOptions(engine="python", tags=(TAG,))
        found = metered([source(Path(folder, "u.csv"), text + row)], options=options)
    with pytest.raises(ValueError, match="10:30 is inside the billing cycle"):
        Selection(Period(start + 1800, None)).check(found.groups, book())
    with pytest.raises(ValueError, match='did you mean "drama"'):
        Selection(only={TAG: frozenset(["darma"])}, tags=(TAG,)).check(found.groups, book())
    Selection(only={"region": frozenset(["cn-beijing"])}).check(found.groups, book())


@given(clean_files(), st.sampled_from([*LINE_KEYS, "hour"]), st.integers(1, 4))
def test_the_largest_and_all_others_add_up(rows: list[str], key: str, maximum: int) -> None:
    whole = summary(run_of(rows), key)
    short = largest(whole, maximum)
    values = [row for row in whole.rows if row.kind == SUM]
    kept = [row for row in short.rows if row.kind == SUM]
    others = [row for row in short.rows if row.kind == OTHERS]
    assert len(kept) + len(others) == min(len(values), maximum)
    for name in ("amount", "list_amount", "discount", "records", "bills"):
        of_all, shown = ([getattr(row, name) for row in found.rows] for found in (whole, short))
        assert sum(of_all) == sum(shown)
    assert [row for row in values if row in kept] == kept, "in their own order"
    smallest = min((abs(row.amount) for row in kept), default=Decimal("Infinity"))
    assert all(abs(row.amount) <= smallest for row in values if row not in kept)
    assert [row for row in short.rows if row.kind == ROUNDING] == [row for row in whole.rows if row.kind == ROUNDING]
