"""Whole runs of the command on the samples: order of rows, runs split by hour and by --as-of, all formats in one voice."""

from __future__ import annotations

import csv
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mps_bill.cli import run
from mps_bill.cli.exit_codes import DONE, LIMIT_CROSSED, REJECTED, WRONG_COMMAND_LINE
from mps_bill.core.times import clock, iso, parse_instant
from tests.conftest import ROOT

HOUR = 3600
DAY = ROOT / "samples" / "studio-2023-11-10.csv"
TURN = ROOT / "samples" / "month-turn.csv"
ACCOUNT = (ROOT / "samples" / "account-studio-a.yaml").read_text()


def rows(*paths: Path) -> tuple[str, list[str]]:
    """The header of the samples, which is the same, and their rows."""
    found = [path.read_text().splitlines() for path in paths]
    assert len({lines[0] for lines in found}) == 1
    return found[0][0], [row for lines in found for row in lines[1:] if row]


HEADER, ROWS = rows(DAY, TURN)


def hour_of(row: str) -> int:
    time = next(csv.reader([row]))[HEADER.split(",").index("completed_at")]
    return parse_instant(time) // 1_000_000 // HOUR * HOUR


def settle(folder: Path, usage: list[str], *options: str, code: int = DONE) -> dict[str, Any]:
    """Settles rows with the account of the folder, in place, and returns what was printed as JSON."""
    (folder / "usage.csv").write_text("\n".join([HEADER, *usage]) + "\n")
    account, printed = str(folder / "account.yaml"), folder / "printed.json"
    words = [
        str(folder / "usage.csv"),
        "-p",
        "mps-china",
        "-a",
        account,
        "--in-place",
        "-q",
        "-o",
        str(printed),
        *options,
    ]
    printed.unlink(missing_ok=True)
    assert run(["settle", *words]) == code
    if not printed.exists():
        return {}
    found: dict[str, Any] = json.loads(printed.read_text())
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "account.yaml").write_text(ACCOUNT)
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "account.yaml").write_text(ACCOUNT)
    return settle(folder, ROWS), (folder / "account.yaml").read_text()


def test_the_order_of_rows_does_not_matter(folder: Path, whole: tuple[dict[str, Any], str]) -> None:
    shuffled = list(ROWS)
    random.Random(11).shuffle(shuffled)
    assert settle(folder, shuffled) == whole[0]
    assert (folder / "account.yaml").read_text() == whole[1]


def test_a_run_for_each_hour_equals_one_run(folder: Path, whole: tuple[dict[str, Any], str]) -> None:
    bills: list[Any] = []
    for hour in sorted(set(map(hour_of, ROWS))):
        bills += settle(folder, [row for row in ROWS if hour_of(row) == hour])["bills"]
    assert bills == whole[0]["bills"]
    assert (folder / "account.yaml").read_text() == whole[1]


def test_a_run_of_all_rows_at_each_hour_equals_one_run(folder: Path, whole: tuple[dict[str, Any], str]) -> None:
    bills: list[Any] = []
    for hour in sorted(set(map(hour_of, ROWS))):
        found = settle(folder, ROWS, "--as-of", iso(hour + 2 * HOUR, 8 * HOUR))
        totals = found["control_totals"]
        assert totals["rows_read"] == sum(count for name, count in totals.items() if name != "rows_read")
        bills += found["bills"]
    assert bills == whole[0]["bills"]
    assert (folder / "account.yaml").read_text() == whole[1]


def test_the_second_run_finds_only_late_usage(folder: Path, whole: tuple[dict[str, Any], str]) -> None:
    (folder / "account.yaml").write_text(whole[1])
    found = settle(folder, ROWS)
    assert (found["bills"], found["total"]["payable"]) == ([], "0")
    assert found["control_totals"]["rows_late"] == whole[0]["control_totals"]["rows_billed"]
    assert (folder / "account.yaml").read_text() == whole[1]


def test_the_same_file_with_charge_late_charges_nothing_twice(folder: Path, whole: tuple[dict[str, Any], str]) -> None:
    (folder / "account.yaml").write_text(whole[1])
    found = settle(folder, ROWS, "--charge-late")
    assert (found["bills"], found["total"]["payable"]) == ([], "0")
    assert {bill["charged_before"] for bill in found["late"]} == {"same"}
    assert (folder / "account.yaml").read_text() == whole[1]


def test_missed_usage_is_charged_once(folder: Path, whole: tuple[dict[str, Any], str]) -> None:
    """The last hour was settled, the hour of the first row was not there yet."""
    first = min(map(hour_of, ROWS))
    settle(folder, [row for row in ROWS if hour_of(row) != first])
    payable = [settle(folder, ROWS, "--charge-late")["total"]["payable"] for _ in range(2)]
    (missed,) = [
        bill["payable"] for bill in whole[0]["bills"] if parse_instant(bill["cycle_start"]) == first * 1_000_000
    ]
    assert payable == [missed, "0"]


def test_charged_records_among_late_ones_are_refused(
    folder: Path, whole: tuple[dict[str, Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One record more in an hour that was charged: what was charged of it would be charged again."""
    (folder / "account.yaml").write_text(whole[1])
    found = settle(folder, ROWS[:1], "--charge-late", code=REJECTED)
    said = capsys.readouterr().err
    hour = hour_of(ROWS[0])
    assert found == {}
    assert f"is for a cycle charged before with other usage (mps {clock(hour, 8 * HOUR)})" in said
    assert "[A106 charged-before]" in said
    assert (folder / "account.yaml").read_text() == whole[1]
    twice = settle(folder, ROWS[:1], "--charge-late", "--charge-twice")
    assert len(twice["bills"]) == 1
    assert "records may then" not in capsys.readouterr().err
    # What was charged so is known again.
    assert settle(folder, ROWS[:1], "--charge-late", "--charge-twice")["bills"] == []


def test_another_record_with_the_same_sums_is_charged_where_it_is_meant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An account cannot tell ten minutes of one job from ten of another, so it says what it left out, and can be overruled."""
    first = min(ROWS, key=hour_of)
    other = ",".join(["another-job", *first.split(",")[1:]])
    charged = settle(folder, [first])["total"]["payable"]
    after = (folder / "account.yaml").read_text()
    counted = settle(folder, [other], "--charge-late", code=DONE)
    assert (counted["bills"], [bill["charged_before"] for bill in counted["late"]]) == ([], ["same"])
    assert (folder / "account.yaml").read_text() == after
    words = [
        "settle",
        str(folder / "usage.csv"),
        "-p",
        "mps-china",
        "-a",
        str(folder / "account.yaml"),
        "--charge-late",
    ]
    assert run([*words, "-f", "json"]) == DONE
    said = capsys.readouterr().err
    assert f"it equals what was charged for this cycle (mps {clock(hour_of(first), 8 * HOUR)})" in said
    # Another record is of an earlier cycle, which was never charged.
    earlier = f"one-more,,2023-11-09T10:20:00+08:00,{','.join(first.split(',')[3:])}"
    found = settle(folder, [earlier, other], "--charge-late", "--charge-twice")
    assert [bill["payable"] for bill in found["bills"]] == [charged, charged]
    assert "late" not in found
    after = (folder / "account.yaml").read_text()
    for more in (["--charge-late"], ["--charge-late", "--charge-twice"]):
        assert settle(folder, [earlier, other], *more)["bills"] == []
        assert (folder / "account.yaml").read_text() == after


def test_charge_twice_goes_with_charge_late(folder: Path) -> None:
    settle(folder, ROWS[:1], "--charge-twice", code=WRONG_COMMAND_LINE)
    assert (folder / "account.yaml").read_text() == ACCOUNT


@pytest.mark.parametrize(("limit", "code"), [("4.22", DONE), ("4.21", LIMIT_CROSSED), ("4.219999", LIMIT_CROSSED)])
def test_fail_over_is_crossed_above_the_limit(tmp_path: Path, limit: str, code: int) -> None:
    case = ROOT / "tests" / "golden" / "settle" / "charged-before"
    words = ["settle", str(case / "usage.csv"), "-p", str(case / "studio.yaml"), "-a", str(case / "account.yaml")]
    assert (
        run([*words, "--charge-late", "--charge-twice", "-q", "-o", str(tmp_path / "bills.json"), "--fail-over", limit])
        == code
    )
    assert json.loads((tmp_path / "bills.json").read_text())["total"]["payable"] == "4.22"


def test_the_figures_of_the_json_add_up(whole: tuple[dict[str, Any], str]) -> None:
    document = whole[0]
    for bill in document["bills"]:
        lines = sum(Decimal(line["amount"]) for line in bill["lines"])
        paid = sum(Decimal(one["amount"]) for one in bill["deductions"] if one["amount"] is not None)
        assert lines == Decimal(bill["list_amount"])
        discount = sum(Decimal(line["discount"]) for line in bill["lines"])
        assert discount == Decimal(bill["discount"])
        assert lines - discount + Decimal(bill["rounding_adjustment"]) == paid + Decimal(bill["outstanding"])
        for number, line in enumerate(bill["lines"]):
            covered = [Decimal(one["quantity"]) for one in bill["deductions"] if one["line"] == number]
            assert Decimal(line["plan_quantity"]) == sum(covered)
            assert Decimal(line["quantity"]) == Decimal(line["plan_quantity"]) + Decimal(line["billed_quantity"])
    total = document["total"]
    sources = ("vouchers", "stored_value_cards", "balance", "credit_line", "outstanding", "frozen")
    assert Decimal(total["payable"]) == sum(Decimal(total[source]) for source in sources)
    for row in document["closing_statement"]:
        opening, added, taken, closing = (Decimal(row[key]) for key in ("opening", "added", "taken", "closing"))
        assert opening + added - taken == closing


@pytest.mark.parametrize("name", ["every-source-csv", "monthly-settlement-csv"])
def test_amount_and_paid_of_the_csv_sum_to_the_same(name: str) -> None:
    with (ROOT / "tests" / "golden" / "settle" / name / "stdout").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    amounts, paid = (sum(Decimal(row[column]) for row in found if row[column]) for column in ("amount", "paid"))
    assert amounts == paid > 0
