"""The same usage twice: under another sheet, in another region, paid from another account."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.ask.comparison import Comparison, compare_accounts, compare_prices, compare_regions
from mps_bill.cli import run as run_command
from mps_bill.core.decimals import percent
from mps_bill.core.diagnostics import InputRejected
from mps_bill.core.times import parse_period
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import bill_usage
from mps_bill.rating.selection import Selection
from mps_bill.view.columns import change
from mps_bill.view.comparison_view import ComparisonView
from tests import kit
from tests.render.runs import text
from tests.settlement.worlds import plan_text, reread

OPTIONS = MeterOptions(engine="python")
USAGE = kit.usage_text(
    [
        kit.row(job_id="a", quantity="10"),
        kit.row(job_id="b", quantity="3.336", region="cn-beijing"),
        kit.usage_of("audio", job_id="c", quantity="10"),
    ]
)


def amounts(comparison: Comparison) -> dict[str, tuple[str, str]]:
    return {
        item["item"]: (item["here"], item["there"])
        for item in json.loads(text(ComparisonView(comparison), "json"))["items"]
    }


def test_another_sheet_counts_as_if_in_force(tmp_path: Path) -> None:
    later = kit.SHEET.replace("2023-11-01T", "2025-11-01T").replace("0.0651", "0.07").replace("id: test", "id: new")
    result = compare_prices([kit.source(tmp_path / "u.csv", USAGE)], kit.book(), kit.book(later), OPTIONS)
    assert amounts(result) == {"transcoding": ("0.868434", "0.9338"), "audio": ("0.056", "0.056")}
    assert result.there.label.endswith("as if always in force")


def test_another_sheet_may_meter_otherwise(tmp_path: Path) -> None:
    whole = kit.SHEET.replace("step: 0.01, rounding: half-up, minimum: 0.02", "step: 1, rounding: up", 1)
    result = compare_prices([kit.source(tmp_path / "u.csv", USAGE)], kit.book(), kit.book(whole), OPTIONS)
    assert amounts(result)["transcoding"] == ("0.868434", "0.9114")


def test_another_currency_is_refused(tmp_path: Path) -> None:
    other = kit.book(kit.SHEET.replace("currency: USD", "currency: CNY"))
    with pytest.raises(InputRejected) as rejected:
        compare_prices([kit.source(tmp_path / "u.csv", USAGE)], kit.book(), other, OPTIONS)
    assert "the sheet is in CNY and the run's are in USD" in rejected.value.report.shown[0].message


def test_rows_that_only_the_other_sheet_refuses_are_not_left_out_silently(tmp_path: Path) -> None:
    """With bad rows set aside, a row that has no price there would look like a saving."""
    other = kit.book(kit.SHEET.replace("      H264.HD: {mainland: 0.0651, us-west-1: 0.0225}\n", ""))
    sources = [kit.source(tmp_path / "u.csv", USAGE)]
    with pytest.raises(InputRejected) as rejected:
        compare_prices(sources, kit.book(), other, replace(OPTIONS, bill_good_rows=True))
    assert "has no price" in rejected.value.report.shown[0].message


def test_regions_are_replaced(tmp_path: Path) -> None:
    sources = [kit.source(tmp_path / "u.csv", USAGE)]
    result = compare_regions(sources, kit.book(), OPTIONS, {"cn-shanghai": "us-west-1"})
    assert amounts(result) == {"transcoding": ("0.868434", "0.442434"), "audio": ("0.056", "0.056")}


def test_two_regions_may_change_places(tmp_path: Path) -> None:
    sources = [kit.source(tmp_path / "u.csv", USAGE)]
    result = compare_regions(sources, kit.book(), OPTIONS, {"cn-shanghai": "us-west-1", "cn-beijing": "cn-shanghai"})
    assert amounts(result)["transcoding"] == ("0.868434", "0.442434")


def test_a_region_without_a_price_is_refused_by_name(tmp_path: Path) -> None:
    sources = [kit.source(tmp_path / "u.csv", USAGE)]
    with pytest.raises(InputRejected) as rejected:
        compare_regions(sources, kit.book(), OPTIONS, {"cn-shanghai": "ap-southeast-1", "cn-bejing": "us-west-1"})
    assert [str(problem.place) for problem in rejected.value.report.shown] == [
        "--region cn-bejing=us-west-1",
        "--region cn-shanghai=ap-southeast-1",
    ]
    unused, unpriced = (problem.message for problem in rejected.value.report.shown)
    assert 'did you mean "cn-beijing"?' in unused
    assert 'transcoding "H264.HD" has no price in "ap-southeast-1"' in unpriced


def test_another_account_pays_otherwise(tmp_path: Path) -> None:
    prices = kit.book()
    plan = plan_text(30, "transcoding: {H264.HD: 3}") + "    regions: [cn-shanghai]\n"
    other = reread(f"format: mps-bill/account/1\nid: other\ncurrency: USD\nbalance: 0.1\n{plan}", prices)
    sources = [kit.source(tmp_path / "u.csv", USAGE)]
    result = compare_accounts(sources, prices, OPTIONS, None, other)
    assert amounts(result)["transcoding"] == ("0.868434", "0.217434")
    assert (result.there.paid["balance"], result.there.paid["outstanding"]) == (Decimal("0.1"), Decimal("0.17"))
    settled = replace(other, settled_through={"*": 2_000_000_000})
    again = compare_accounts(sources, prices, OPTIONS, other, settled)
    assert (again.there.amounts, again.there.paid) == (again.here.amounts, again.here.paid)
    assert (again.here.settled_before, again.there.settled_before) == (0, 1)
    same = compare_accounts(sources, prices, OPTIONS, other, other)
    assert same.here == same.there


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 9999), st.sampled_from(("cn-shanghai", "cn-beijing"))), max_size=6
    )
)
def test_a_region_moved_is_the_usage_written_there(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[int, int, str]]
) -> None:
    """Moving Shanghai to the western US equals usage that says so in the first place."""

    def usage(moved: bool) -> str:
        return kit.usage_text(
            [kit.row(job_id="always", region="us-west-1" if moved else "cn-shanghai")]
            + [
                kit.row(
                    job_id=f"j-{number}",
                    completed_at=f"2023-11-10T{10 + hour}:20:00+08:00",
                    quantity=str(Decimal(micros) / 1000),
                    region="us-west-1" if moved and region == "cn-shanghai" else region,
                )
                for number, (hour, micros, region) in enumerate(records)
            ]
        )

    folder = tmp_path_factory.mktemp("regions")
    result = compare_regions(
        [kit.source(folder / "a.csv", usage(moved=False))], kit.book(), OPTIONS, {"cn-shanghai": "us-west-1"}
    )
    written = bill_usage([kit.source(folder / "b.csv", usage(moved=True))], kit.book(), OPTIONS)
    assert result.there.amounts.list_amount == sum((bill.amounts.list_amount for bill in written.bills), Decimal(0))
    assert result.there.amounts.payable == sum((bill.amounts.payable for bill in written.bills), Decimal(0))
    assert result.there.bills == len(written.bills)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ("3", "4", "33.33"),
        ("3", "2", "-33.33"),
        ("8", "8.0004", "0.01"),
        ("-0.01", "-0.02", "100"),
        ("1", "1", "0"),
    ],
)
def test_percent(here: str, there: str, expected: str) -> None:
    assert percent(Fraction(there) / Fraction(here)) == Decimal(expected)


def test_zero_has_no_percentage() -> None:
    assert change(Decimal(0), Decimal(1))[-1] is None


TIERED = kit.usage_text(
    [
        kit.usage_of("review", job_id="a", spec="porn", quantity="4000"),
        kit.usage_of("review", job_id="b", spec="porn", quantity="1000", completed_at="2023-11-29T11:20:00+08:00"),
        kit.row(job_id="c", quantity="10", completed_at="2023-11-29T11:40:00+08:00"),
    ]
)
THE_29TH = Selection(parse_period("2023-11-29", 8 * 3600))


def test_a_part_of_the_time_is_priced_as_in_the_whole(tmp_path: Path) -> None:
    """1,000 minutes on the 29th are at the tier that the month has reached on both sides: 90.00, and not 100.00."""
    sources = [kit.source(tmp_path / "u.csv", TIERED)]
    dearer = kit.book(kit.SHEET.replace("10000: 0.09", "10000: 0.095"))
    result = compare_prices(sources, kit.book(), dearer, OPTIONS, THE_29TH)
    assert amounts(result) == {"transcoding": ("0.651", "0.651"), "review": ("90", "95")}
    assert (result.here.bills, result.here.amounts.payable) == (1, Decimal("90.65"))
    printed = text(ComparisonView(result), "table")
    assert "Shown: cycles from 2023-11-29 00:00 and before 2023-11-30 00:00 (UTC+08:00)" in printed


def test_a_part_of_the_lines_is_neither_rounded_nor_paid(tmp_path: Path) -> None:
    sources = [kit.source(tmp_path / "u.csv", TIERED)]
    account = reread("format: mps-bill/account/1\nid: a\ncurrency: USD\nbalance: 1000\n", kit.book())
    selection = Selection(THE_29TH.period, {"item": frozenset({"transcoding"})})
    result = compare_accounts(sources, kit.book(), OPTIONS, None, account, selection)
    view = ComparisonView(result)
    document = json.loads(text(view, "json"))
    assert document["selection"]["only"] == {"item": ["transcoding"]}
    assert {name: pair["there"] for name, pair in document["total"].items()} == {
        "list_amount": "0.651",
        "net_amount": "0.651",
    }
    assert "paid" not in document
    assert [line.split(",")[0] for line in text(view, "csv").splitlines()] == ["row", "item"]
    printed = text(view, "table")
    assert "Net amount" in printed
    assert "Rounding" not in printed


def test_an_account_pays_what_is_shown_of_the_time(tmp_path: Path) -> None:
    sources = [kit.source(tmp_path / "u.csv", TIERED)]
    account = reread("format: mps-bill/account/1\nid: a\ncurrency: USD\nbalance: 400\n", kit.book())
    result = compare_accounts(sources, kit.book(), OPTIONS, None, account, THE_29TH)
    # The bill of the 10th, 360.00, has taken the most of the balance before.
    assert {name: amount for name, amount in result.there.paid.items() if amount} == {
        "balance": Decimal("40"),
        "outstanding": Decimal("50.65"),
    }


def test_regions_are_not_compared_for_one_region(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usage = tmp_path / "u.csv"
    usage.write_text(USAGE)
    command = ["compare", str(usage), "--prices", "mps-china", "--region", "cn-shanghai=cn-beijing"]
    assert run_command([*command, "--only", "region=cn-beijing"]) == 2
    assert "a region cannot be selected with --region" in capsys.readouterr().err
