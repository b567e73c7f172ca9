"""Bills: cycle and issue time, rounding to money, months, bills that are held back, and the order of lines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.core.decimals import amount_text
from mps_bill.core.times import iso, parse_second
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import BillRun
from mps_bill.rating.bills import sum_amounts
from tests.kit import SHEET, billed, book, row, source, usage_of, usage_text

EIGHT = 28_800


def changed(*changes: tuple[str, str], text: str = SHEET) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def cycles_of(run: BillRun) -> list[tuple[str, str, str]]:
    return [
        tuple(iso(at, EIGHT)[:16] for at in (one.cycle.start, one.cycle.end, one.cycle.issued_at)) for one in run.bills
    ]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("lag", "issued"),
    [("0m", "12:00"), ("30m", "12:30"), ("1h", "13:00"), ("2h", "14:00"), ("90m", "13:30")],
)
def test_a_bill_is_issued_when_the_cycle_is_over_and_the_lag_has_passed(lag: str, issued: str, tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text([row()]), changed(("issue_after: 1h", f"issue_after: {lag}")))
    assert cycles_of(run) == [("2023-11-10T11:00", "2023-11-10T12:00", f"2023-11-10T{issued}")]


def test_a_daily_cycle_is_a_day_of_the_billing_clock(tmp_path: Path) -> None:
    rows = [row(job_id=at, completed_at=at) for at in ("2023-11-10T15:59:59Z", "2023-11-10T16:00:00Z")]
    run = billed(tmp_path, usage_text(rows), changed(("cycle: hour", "cycle: day")))
    assert cycles_of(run) == [
        ("2023-11-10T00:00", "2023-11-11T00:00", "2023-11-11T01:00"),
        ("2023-11-11T00:00", "2023-11-12T00:00", "2023-11-12T01:00"),
    ]


@pytest.mark.parametrize("zone", ["+08:00", "+00:00", "+05:30", "-03:30"])
def test_hours_begin_on_the_clock_of_the_sheet(zone: str, tmp_path: Path) -> None:
    rows = [row(job_id=str(minute), completed_at=f"2023-11-10T11:{minute:02}:00Z") for minute in (0, 29, 30, 59)]
    run = billed(tmp_path, usage_text(rows), changed(('timezone: "+08:00"', f'timezone: "{zone}"'),
                 ("2023-11-01T00:00:00+08:00", f"2023-11-01T00:00:00{zone}")))  # fmt: skip
    records = [bill.cycle.charges[0].records for bill in run.bills]
    assert records == ([2, 2] if zone.endswith("30") else [4])


@pytest.mark.parametrize(
    ("places", "mode", "adjustment", "payable"),
    [
        # The list amount is 0.651.
        (2, "down", "-0.001", "0.65"),
        (2, "half-up", "-0.001", "0.65"),
        (2, "up", "0.009", "0.66"),
        (1, "down", "-0.051", "0.60"),
        (1, "half-up", "0.049", "0.70"),
        (0, "down", "-0.651", "0.00"),
        (0, "up", "0.349", "1.00"),
        (3, "up", "0.00", "0.651"),
    ],
)
def test_the_sum_of_a_bill_is_rounded_once(
    places: int, mode: str, adjustment: str, payable: str, tmp_path: Path
) -> None:
    sheet = changed(("{places: 2, mode: down}", f"{{places: {places}, mode: {mode}}}"))
    run = billed(tmp_path, usage_text([row()]), sheet)
    amounts = run.bills[0].amounts
    assert [amount_text(each) for each in (amounts.list_amount, amounts.rounding_adjustment, amounts.payable)] == [
        "0.651",
        adjustment,
        payable,
    ]


@pytest.mark.parametrize(
    ("quantity", "payable"),
    [("0.15", "0.00"), ("0.16", "0.01"), ("0.153", "0.00"), ("0.07", "0.00"), ("0.31", "0.02"), ("0", "0.00")],
)
def test_cents_that_are_not_whole_are_dropped(quantity: str, payable: str, tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text([row(quantity=quantity)]))
    assert amount_text(run.bills[0].amounts.payable) == payable


def test_lines_are_summed_exactly_before_the_cut(tmp_path: Path) -> None:
    # 0.0056 + 0.0056 + 0.0056 = 0.0168: three lines rounded one by one would make 0.
    rows = [
        usage_of("audio", job_id=region, region=region, quantity="1") for region in ("cn-beijing", "us-west-1", "CN")
    ]
    amounts = billed(tmp_path, usage_text(rows)).bills[0].amounts
    assert (amount_text(amounts.list_amount), amount_text(amounts.payable)) == ("0.0168", "0.01")


def test_lines_are_in_the_order_of_the_sheet(tmp_path: Path) -> None:
    rows = [
        usage_of("dna"),
        usage_of("review", job_id="j-4", spec="terrorism"),
        usage_of("review", spec="porn", region="us-west-1"),
        usage_of("review", job_id="j-2", spec="porn", region="cn-beijing"),
        usage_of("audio"),
        row(width="640", height="480"),
        row(job_id="j-2", width="3840", height="2160"),
        row(job_id="j-3", codec="H265"),
        row(job_id="j-4", width="1280", height="720"),
        row(job_id="j-5", width="2560", height="1440"),
    ]
    run = billed(tmp_path, usage_text(rows))
    assert [(line.item.code, line.spec, line.region) for line in run.bills[0].lines] == [
        ("transcoding", "H264.4K", "cn-shanghai"),
        ("transcoding", "H264.2K", "cn-shanghai"),
        ("transcoding", "H264.SD", "cn-shanghai"),
        ("transcoding", "H264.LD", "cn-shanghai"),
        ("transcoding", "H265.HD", "cn-shanghai"),
        ("audio", "Audio", "cn-shanghai"),
        ("review", "porn", "cn-beijing"),
        ("review", "porn", "us-west-1"),
        ("review", "terrorism", "cn-shanghai"),
        ("dna", "DNA", "cn-shanghai"),
    ]


MONTH_TURN = [
    usage_of("review", job_id="1", spec="porn", completed_at="2023-11-30T13:00:00Z", quantity="2999"),
    usage_of("review", job_id="2", spec="porn", completed_at="2023-11-30T14:00:00Z", quantity="1"),
    usage_of("review", job_id="3", spec="porn", completed_at="2023-11-30T15:59:59Z", quantity="1"),
    usage_of("review", job_id="4", spec="porn", completed_at="2023-11-30T16:00:00Z", quantity="1"),
]


def test_tiers_fill_over_the_bills_of_a_month_and_begin_anew_with_the_next(tmp_path: Path) -> None:
    for rows in (MONTH_TURN, MONTH_TURN[::-1]):
        run = billed(tmp_path, usage_text(rows))
        lines = [(line.tier, str(line.unit_price)) for bill in run.bills for line in bill.lines]
        assert lines == [("0-3000", "0.1"), ("0-3000", "0.1"), ("3000-10000", "0.09"), ("0-3000", "0.1")]


def test_graduated_tiers_fill_over_the_bills_of_a_month(tmp_path: Path) -> None:
    hours = ("10", "11", "12")
    rows = [
        usage_of("traffic", job_id=hour, completed_at=f"2023-11-10T{hour}:00:00Z", quantity="500", unit="GB")
        for hour in hours
    ]
    run = billed(tmp_path, usage_text(rows))
    assert [[(line.tier, amount_text(line.amount), line.records) for line in bill.lines] for bill in run.bills] == [
        [("0-1024", "120.00", 1)],
        [("0-1024", "120.00", 1)],
        [("0-1024", "5.76", 1), ("1024+", "109.48", 0)],
    ]


def test_a_month_goes_on_through_a_change_of_the_sheet(tmp_path: Path) -> None:
    later = changed(("effective_from: 2023-11-01", "effective_from: 2023-11-10"), ("3000: 0.1,", "3000: 0.2,"))
    rows = [
        usage_of("review", job_id="1", spec="porn", completed_at="2023-11-09T23:59:59+08:00", quantity="2000"),
        usage_of("review", job_id="2", spec="porn", completed_at="2023-11-10T00:00:00+08:00", quantity="1000"),
        usage_of("review", job_id="3", spec="porn", completed_at="2023-11-10T01:00:00+08:00", quantity="1"),
    ]
    run = billed(tmp_path, usage_text(rows), SHEET, later)
    assert [(bill.cycle.sheet.ref[5:15], bill.lines[0].tier, str(bill.lines[0].unit_price)) for bill in run.bills] == [
        ("2023-11-01", "0-3000", "0.1"),
        ("2023-11-10", "0-3000", "0.2"),
        ("2023-11-10", "3000-10000", "0.09"),
    ]


def test_bills_that_are_not_issued_yet_are_pending_and_in_no_total(tmp_path: Path) -> None:
    rows = [row(job_id=hour, completed_at=f"2023-11-10T{hour}:20:00+08:00") for hour in ("10", "11")]
    rows.append(row(job_id="failed", completed_at="2023-11-10T11:20:00+08:00", status="failed"))
    for as_of, issued in (("11:59:59", 0), ("12:00:00", 1), ("12:59:59", 1), ("13:00:00", 2)):
        run = billed(tmp_path, usage_text(rows), as_of=parse_second(f"2023-11-10T{as_of}+08:00"))
        assert (len(run.bills), len(run.pending)) == (issued, 2 - issued)
        totals = run.control_totals
        assert (totals.rows_billed, totals.rows_pending, totals.rows_not_billable) == (issued, 2 - issued, 1)
        assert amount_text(sum_amounts(run.bills).payable) == amount_text(issued * run_amount(tmp_path))


def run_amount(tmp_path: Path) -> Decimal:
    return billed(tmp_path, usage_text([row()])).bills[0].amounts.payable


MONTHLY = changed(("settlement: hourly", "settlement: monthly"))


def test_under_monthly_settlement_the_month_is_rounded_once(tmp_path: Path) -> None:
    times = ("2023-11-10T11:20:00+08:00", "2023-11-10T12:20:00+08:00", "2023-11-30T16:00:00Z")
    run = billed(tmp_path, usage_text([row(job_id=at, completed_at=at) for at in times]), MONTHLY)
    assert [amount_text(bill.amounts.payable) for bill in run.bills] == ["0.651"] * 3
    assert [(one.month, amount_text(one.amounts.payable), iso(one.issued_at, EIGHT)) for one in run.months] == [
        ("2023-11", "1.30", "2023-12-01T01:00:00+08:00"),
        ("2023-12", "0.65", "2024-01-01T01:00:00+08:00"),
    ]
    total = sum_amounts(run.bills, run.months)
    assert (amount_text(total.list_amount), amount_text(total.payable)) == ("1.953", "1.95")


def test_a_statement_month_that_is_not_issued_yet_is_not_rounded(tmp_path: Path) -> None:
    text = usage_text([row()])
    before = billed(tmp_path, text, MONTHLY, as_of=parse_second("2023-12-01T00:59:59+08:00"))
    assert (before.months, len(before.bills)) == ((), 1)
    after = billed(tmp_path, text, MONTHLY, as_of=parse_second("2023-12-01T01:00:00+08:00"))
    assert len(after.months) == 1


OTHER = changed(("id: test", "id: other"), ("product: mps", "product: oss"), text=SHEET[: SHEET.index("items:")]) + (
    "items:\n  requests:\n    name: Requests\n    family: related\n    unit: request\n    spec: Put\n"
    '    prices: {Put: {"*": 0.000001}}\n'
)


def test_each_product_has_its_own_bill_issue_time_and_cut(tmp_path: Path) -> None:
    other = changed(("issue_after: 1h", "issue_after: 0m"), ("mode: down", "mode: up"), text=OTHER)
    rows = [row(), usage_of("requests", quantity="1", unit="request")]
    run = billed(tmp_path, usage_text(rows), SHEET, other)
    # In the order in which they are issued.
    assert [(bill.cycle.product, amount_text(bill.amounts.payable)) for bill in run.bills] == [
        ("oss", "0.01"),
        ("mps", "0.65"),
    ]


def test_each_product_has_hours_of_its_own_clock(tmp_path: Path) -> None:
    """11:20 and 11:40 in UTC are one hour in UTC+8, and in UTC+5:30 16:50 and 17:10."""
    other = changed(('timezone: "+08:00"', 'timezone: "+05:30"'), ("00:00:00+08:00", "00:00:00+05:30"), text=OTHER)
    rows = [
        one
        for at in ("2023-11-10T11:20:00Z", "2023-11-10T11:40:00Z")
        for one in (
            row(job_id=at, completed_at=at),
            usage_of("requests", job_id=at, completed_at=at, quantity="1", unit="request"),
        )
    ]
    run = billed(tmp_path, usage_text(rows), SHEET, other)
    found = [(bill.cycle.product, bill.cycle.charges[0].records, iso(bill.cycle.start, 0)[:16]) for bill in run.bills]
    assert sorted(found) == [
        ("mps", 2, "2023-11-10T11:00"),
        ("oss", 1, "2023-11-10T10:30"),
        ("oss", 1, "2023-11-10T11:30"),
    ]


def test_a_run_without_rows_makes_no_bill(tmp_path: Path) -> None:
    run = billed(tmp_path, usage_text([]))
    assert (run.bills, run.control_totals.rows_read) == ((), 0)


def test_tags_split_the_amounts_and_not_the_bill(tmp_path: Path) -> None:
    rows = [row(job_id=f"j-{tag}", tag_project=tag) for tag in ("a", "b", "")]
    plain_run = billed(tmp_path, usage_text(rows))
    split = billed(tmp_path, usage_text(rows), options=MeterOptions(engine="python", tags=("tag_project",)))
    assert [(line.micros, line.amount) for line in split.bills[0].lines] == [
        (line.micros, line.amount) for line in plain_run.bills[0].lines
    ]
    (charge,) = split.bills[0].cycle.charges
    assert list(charge.shares) == [((value,), 600_000_000, 1) for value in ("", "a", "b")]


def test_a_tag_that_no_file_has_is_refused_and_one_that_some_lack_is_empty_there(tmp_path: Path) -> None:
    from mps_bill.metering import EngineName
    from tests.kit import ENGINES, GOOD, metered, places, problems_of

    bare = ",".join(GOOD) + "\n" + ",".join({**GOOD, "job_id": "bare"}.values()) + "\n"
    tagged = usage_text([row(tag_project="a")])
    engine: EngineName
    for engine in ENGINES:
        options = MeterOptions(engine=engine, tags=("tag_project",))
        report = problems_of([source(tmp_path / "bare.csv", bare)], options=options)
        assert places(report) == [("bare.csv", "U105")]
        both = metered([source(tmp_path / "bare.csv"), source(tmp_path / "tagged.csv", tagged)], book(), options)
        assert sorted(group.key.tags for group in both.groups) == [("",), ("a",)]
