"""`across: item`: what a month counts over all regions and specs of an item, and how the lines of a bill share it."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest

from mps_bill.core.decimals import plain, stripped
from mps_bill.core.times import parse_second
from mps_bill.core.units import in_unit
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill, list_bills, make_bill
from mps_bill.rating.month_use import month_total, month_use
from mps_bill.settlement.account_writer import afresh
from mps_bill.settlement.settle_cycles import settle
from tests.kit import ENGINES, billed, sheet_of, usage_of, usage_text
from tests.settlement.worlds import account, at, book, hours, reread

SHEET = sheet_of(
    product="cdn",
    items="""\
  traffic:
    name: Traffic
    family: related
    unit: GB
    prices:
      out: {"*": {tiers: graduated, per: month, across: item, up_to: {10: 0.5, 20: 0.25, rest: 0.125}}}
      in: {"*": {tiers: graduated, per: month, across: item, up_to: {10: 0.4, 20: 0.2, rest: 0.1}}}
      own: {"*": {tiers: graduated, per: month, up_to: {10: 1, rest: 0.5}}}
      flat: {"*": 3}
  requests:
    name: Requests
    family: related
    unit: GB
    prices:
      get: {"*": {tiers: volume, per: month, across: item, up_to: {10: 0.5, rest: 0.25}}}
      put: {"*": {tiers: volume, per: month, across: item, up_to: {10: 0.4, rest: 0.2}}}
""",
)


def lines_of(bill: Bill) -> list[tuple[str, str, str, str | None, str]]:
    return [
        (line.spec, line.region, plain(in_unit(line.billed_micros, line.item.unit)), line.tier, stripped(line.amount))
        for line in bill.lines
    ]


def test_lines_of_a_bill_fill_the_tiers_in_their_order() -> None:
    """8 + 8 + 8 GB: the first 10 GB at the first price, the next 10 at the second, 4 at the last, whatever spec and region."""
    places = (("in", "cn-shanghai"), ("out", "us-west-1"), ("out", "cn-beijing"))
    usage = {("traffic", *place): "8" for place in places}
    (bill,) = list_bills(hours({at("11-10 09"): usage}, book(SHEET)))
    assert lines_of(bill) == [
        ("out", "cn-beijing", "8", "0-10", "4"),
        ("out", "us-west-1", "2", "0-10", "1"),
        ("out", "us-west-1", "6", "10-20", "1.5"),
        ("in", "cn-shanghai", "4", "10-20", "0.8"),
        ("in", "cn-shanghai", "4", "20+", "0.4"),
    ]


def test_the_whole_cycle_counts_before_a_volume_tier_is_picked() -> None:
    """6 GB and 5 GB are 11: both at the price above 10, the first line as well. The bill before stays as it is."""
    usage = {("requests", "put", "cn-shanghai"): "5", ("requests", "get", "us-west-1"): "6"}
    first = {("requests", "get", "cn-beijing"): "4"}
    before, bill = list_bills(hours({at("11-10 08"): first, at("11-10 09"): usage}, book(SHEET)))
    assert lines_of(before) == [("get", "cn-beijing", "4", "0-10", "2")]
    assert lines_of(bill) == [("get", "us-west-1", "6", "10+", "1.5"), ("put", "cn-shanghai", "5", "10+", "1")]
    (alone,) = list_bills(hours({at("11-10 09"): {("requests", "get", "us-west-1"): "6"}}, book(SHEET)))
    assert lines_of(alone) == [("get", "us-west-1", "6", "0-10", "3")]


def test_only_prices_that_say_so_count_together() -> None:
    """20 GB of a spec that counts by itself, and 20 at a flat price, fill nothing of the item's tiers, nor the reverse."""
    places = {("own", "cn-beijing"): "20", ("flat", "cn-beijing"): "20", ("out", "us-west-1"): "12"}
    usage = {("traffic", *place): quantity for place, quantity in places.items()}
    early, late = list_bills(hours({at("11-10 08"): usage, at("11-10 09"): usage}, book(SHEET)))
    assert lines_of(early) == [
        ("out", "us-west-1", "10", "0-10", "5"),
        ("out", "us-west-1", "2", "10-20", "0.5"),
        ("own", "cn-beijing", "10", "0-10", "10"),
        ("own", "cn-beijing", "10", "10+", "5"),
        ("flat", "cn-beijing", "20", None, "60"),
    ]
    assert lines_of(late)[:3] == [
        ("out", "us-west-1", "8", "10-20", "2"),
        ("out", "us-west-1", "4", "20+", "0.5"),
        ("own", "cn-beijing", "20", "10+", "10"),
    ]


def test_a_new_month_and_another_item_begin_anew() -> None:
    usage = {("traffic", "out", "us-west-1"): "12"}
    bills = list_bills(hours({at("11-30 23"): usage, at("12-01 00"): usage}, book(SHEET)))
    assert [line[2:4] for bill in bills for line in lines_of(bill)] == [("10", "0-10"), ("2", "10-20")] * 2


def test_usage_covered_by_plans_fills_no_tier() -> None:
    usage = {("traffic", "out", "cn-beijing"): "12", ("traffic", "in", "us-west-1"): "12"}
    (cycle,) = hours({at("11-10 09"): usage}, book(SHEET))
    unit = cycle.charges[0].item.unit.micros
    bill, used = make_bill(cycle, (4 * unit, 0), {})
    assert lines_of(bill) == [
        ("out", "cn-beijing", "8", "0-10", "4"),
        ("in", "us-west-1", "2", "0-10", "0.8"),
        ("in", "us-west-1", "10", "10-20", "2"),
    ]
    assert month_total(cycle.charges[0], used) == 20 * unit
    assert month_use(cycle.charges, (4 * unit, 0), used).before_charges == (20 * unit, 28 * unit)
    assert make_bill(cycle, (4 * unit, 0), used)[0].item_use == {"traffic": 20 * unit}


def test_settling_in_parts_is_settling_at_once() -> None:
    """Every split of three hours, saved between, pays what one run pays, and the month has used the same."""
    usage = {
        at("11-10 08"): {("traffic", "out", "us-west-1"): "7.000001", ("requests", "put", "cn-shanghai"): "9.9"},
        at("11-10 09"): {("traffic", "in", "cn-beijing"): "6.5", ("requests", "get", "us-west-1"): "0.2"},
        at("11-10 10"): {("traffic", "out", "cn-beijing"): "9", ("requests", "put", "us-west-1"): "3"},
    }
    prices = book(SHEET)
    text = afresh(account("100", currency="USD"), 28_800)
    opening = reread(text, prices)
    whole = settle(hours(usage, prices), opening, prices)
    for cut in (1, 2):
        saved, paid = text, []
        for some in (list(usage)[:cut], list(usage)[cut:]):
            run = settle(hours({hour: usage[hour] for hour in some}, prices), reread(saved, prices), prices)
            paid += [lines_of(one.bill) for one in run.settlements]
            saved = afresh(run.closing, 28_800)
        assert paid == [lines_of(one.bill) for one in whole.settlements]
        assert reread(saved, prices) == whole.closing


def test_a_month_that_was_counted_by_region_goes_on_across_the_item() -> None:
    """A version that begins to count across the item in the middle of a month goes on from what the month has used."""
    by_region = SHEET.replace(", across: item", "")
    across = SHEET.replace("2023-11-01", "2023-11-10")
    usage = {at("11-09 09"): {("traffic", "out", "us-west-1"): "6", ("traffic", "out", "cn-beijing"): "6"},
             at("11-10 09"): {("traffic", "out", "cn-shanghai"): "1"}}  # fmt: skip
    *_, bill = list_bills(hours(usage, book(by_region, across)))
    assert lines_of(bill) == [("out", "cn-shanghai", "1", "10-20", "0.25")]


def test_it_counts_specs_that_a_newer_version_no_longer_prices() -> None:
    dropped = SHEET.replace("2023-11-01", "2023-11-10").replace("      in:", "      out2:")
    usage = {
        at("11-09 09"): {("traffic", "in", "us-west-1"): "12"},
        at("11-10 09"): {("traffic", "out", "cn-shanghai"): "1"},
    }
    *_, bill = list_bills(hours(usage, book(SHEET, dropped)))
    assert lines_of(bill) == [("out", "cn-shanghai", "1", "10-20", "0.25")]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("order", list(permutations(range(3)))[::2])
def test_the_order_of_rows_does_not_matter(engine: EngineName, order: tuple[int, ...], tmp_path: Path) -> None:
    rows = [
        usage_of("traffic", job_id=f"j-{n}", spec=spec, region=region, quantity="8", unit="GB")
        for n, (spec, region) in enumerate((("in", "cn-shanghai"), ("out", "us-west-1"), ("out", "cn-beijing")))
    ]
    run = billed(tmp_path, usage_text([rows[n] for n in order]), SHEET, options=MeterOptions(engine=engine))
    assert sum(line.amount for line in run.bills[0].lines) == Decimal("7.7")


def test_without_across_each_region_counts_by_itself() -> None:
    """Without `across` the usage of two regions is not added up."""
    prices: PriceBook = book(SHEET.replace(", across: item", ""))
    usage = {("traffic", "out", "us-west-1"): "8", ("traffic", "out", "cn-beijing"): "8"}
    (bill,) = list_bills(hours({parse_second("2023-11-10T09:00:00+08:00"): usage}, prices))
    assert [line[3] for line in lines_of(bill)] == ["0-10", "0-10"]
