"""--from, --to, --on and --only show a part of a run that was billed whole; --by sums it up, in every format."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mps_bill.cli import run
from mps_bill.cli.exit_codes import DONE, FOUND, LIMIT_CROSSED, WRONG_COMMAND_LINE
from tests.conftest import ROOT
from tests.settlement.worlds import SHEET

USAGE = """\
job_id,completed_at,region,item,spec,quantity,unit,tag_project
a,2023-11-10T10:00:00+08:00,cn-shanghai,review,porn,4000,minute,drama
b,2023-11-29T10:00:00+08:00,cn-shanghai,review,porn,1000,minute,news
c,2023-11-29T11:00:00+08:00,cn-beijing,transmuxing,,7.5,minute,news
"""
DAY = str(ROOT / "samples" / "studio-2023-11-10.csv")
ACCOUNT = str(ROOT / "samples" / "account-studio-a.yaml")


@pytest.fixture
def usage(tmp_path: Path) -> str:
    (tmp_path / "usage.csv").write_text(USAGE)
    return str(tmp_path / "usage.csv")


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def command(*words: str, code: int = DONE, prices: str = "mps-china") -> str:
        assert run([*words, "-p", prices]) == code
        out, err = capsys.readouterr()
        return out if code in (DONE, LIMIT_CROSSED) else err

    return command


def as_json(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize(
    "period",
    [
        ["--on", "2023-11-29"],
        ["--from", "2023-11-29"],
        ["--from", "2023-11-29T10:00", "--to", "2023-12"],
        ["--from", "2023-11-29T02:00Z"],
    ],
)
def test_a_day_keeps_the_prices_of_its_month(shown: Any, usage: str, period: list[str]) -> None:
    """4,000 minutes on the 10th fill the first tier, so 1,000 on the 29th cost 0.09 each."""
    document = as_json(shown("bill", usage, *period, "-f", "json"))
    assert [bill["payable"] for bill in document["bills"]] == ["90", "0.05"]
    assert document["total"]["payable"] == "90.05"
    assert document["control_totals"]["rows_read"] == 3
    assert document["selection"]["from"].startswith("2023-11-29T")


def test_the_parts_of_bills_have_a_net_amount_and_no_payable(shown: Any, usage: str) -> None:
    text = shown("bill", usage, "--only", "tag_project=news")
    assert "Only whole bills are rounded and paid" in " ".join(text.split())
    assert re.search(r"^Net amount +90\.0525$", text, re.MULTILINE)
    assert "Payable" not in text
    document = as_json(shown("bill", usage, "--only", "tag_project=news", "--only", "item=review", "-f", "json"))
    assert document["total"] == {"list_amount": "90", "net_amount": "90"}


def test_the_limit_judges_what_is_shown(shown: Any, usage: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown("bill", usage, "--fail-over", "100", code=LIMIT_CROSSED)
    shown("bill", usage, "--fail-over", "100", "--on", "2023-11-29")
    assert (
        run(["bill", usage, "--fail-over", "90.05", "--only", "tag_project=news", "-p", "mps-china"]) == LIMIT_CROSSED
    )
    assert "net amount 90.0525 CNY is above --fail-over 90.05" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--on", "2023-11-31"], "names a day that does not exist"),
        (["--on", "yesterday"], "not a day or month"),
        (["--on", "2023-11", "--from", "2023-11-02"], "give one day or month"),
        (["--on", "2023-11-10", "--on", "2023-11-29"], "give one day or month"),
        (["--from", "2023-12", "--to", "2023-11"], "is not after --from"),
        (
            ["--from", "2023-11-29T10:30"],
            "for --from: 2023-11-29 10:30 is inside the billing cycle 2023-11-29 10:00 to 2023-11-29 11:00",
        ),
        (["--to", "2023-11-29T10:30"], "for --to: 2023-11-29 10:30 is inside the billing cycle"),
        (["--only", "region"], "is not KEY=VALUE"),
        (["--only", "regoin=cn-shanghai"], 'did you mean "region"'),
        (["--only", "region=cn-shangai"], 'did you mean "cn-shanghai"'),
        (["--only", "tag_project=darma"], 'did you mean "drama"'),
        (["--only", "item=reviwe"], 'for --only: no usage has item "reviwe"; did you mean "review"'),
        (["--by", "itme"], 'did you mean "item"'),
        (["--by", "item,item"], "has a grouping twice"),
        (["--by", "day", "-f", "focus"], "remove --by"),
        (["--only", "item=review", "-f", "focus"], "remove --only"),
    ],
)
def test_an_impossible_selection_is_refused(shown: Any, usage: str, words: list[str], message: str) -> None:
    assert message in shown("bill", usage, *words, code=WRONG_COMMAND_LINE)


def test_a_known_region_without_usage_costs_nothing(shown: Any, usage: str) -> None:
    document = as_json(shown("bill", usage, "--only", "region=cn-shenzhen", "-f", "json"))
    assert (document["bills"], document["total"]) == ([], {"list_amount": "0", "net_amount": "0"})


def test_every_format_has_the_summaries(shown: Any, usage: str, tmp_path: Path) -> None:
    by = ["--by", "day,tag_project", "--by", "item"]
    crossed, items = as_json(shown("bill", usage, *by, "-f", "json"))["summaries"]
    assert crossed["by"] == ["day", "tag_project"]
    assert [(row["day"], row["tag_project"], row["payable"]) for row in crossed["rows"]] == [
        ("2023-11-10", "drama", "360"),
        ("2023-11-29", "news", "90.0525"),
        ("2023-11-29", None, "-0.0025"),
    ]
    assert items["total"]["payable"] == "450.05"
    rows = list(csv.DictReader(io.StringIO(shown("bill", usage, *by, "-f", "csv"))))
    for summary in ("day,tag_project", "item"):
        amounts = [Decimal(row["payable"]) for row in rows if row["by"] == summary]
        assert sum(amounts) == Decimal("450.05")
    for format_, end in (("table", "Total"), ("markdown", "**Total**")):
        text = shown("bill", usage, *by, "-f", format_)
        assert re.search(rf"{re.escape(end)}.*360\.00.*90\.05.*450\.05", text)
    chart = shown("bill", usage, *by, "-f", "chart")
    assert re.search(
        r"By day and tag_project, CNY\n\n2023-11-10 / drama +\S+ +360\.00\n2023-11-29 / news +\S+ +90\.0525", chart
    )
    page = shown("bill", usage, *by, "-f", "html")
    assert "By day and tag_project" in page
    assert "By item" in page
    import openpyxl

    shown("bill", usage, *by, "-o", str(tmp_path / "bill.xlsx"))
    assert {"By day and tag_project", "By item"} <= set(openpyxl.load_workbook(tmp_path / "bill.xlsx").sheetnames)


def test_more_values_than_columns_are_one_column(shown: Any, tmp_path: Path) -> None:
    rows = [f"{n},2023-11-10T10:00:00+08:00,cn-shanghai,review,porn,{10 * n},minute,p{n}" for n in range(1, 13)]
    (tmp_path / "u.csv").write_text("\n".join([USAGE.splitlines()[0], *rows]) + "\n")
    text = shown("bill", str(tmp_path / "u.csv"), "--by", "day,tag_project", "--bills", "0")
    header = next(line for line in text.splitlines() if line.startswith("Day"))
    assert header.split() == ["Day", *sorted(f"p{n}" for n in range(5, 13)), "others", "Total", "CNY"]
    total = next(line for line in text.splitlines() if line.startswith("2023-11-10 "))
    assert total.split()[-2:] == ["10.00", "78.00"]


def test_settle_shows_what_paid_each_row(shown: Any) -> None:
    words = ["settle", DAY, "-a", ACCOUNT, "--by", "item", "--by", "hour"]
    document = as_json(shown(*words, "-f", "json"))
    for summary in document["summaries"]:
        paid: dict[str, Decimal] = {}
        for row in summary["rows"]:
            for pool, amount in row["paid"].items():
                paid[pool] = paid.get(pool, Decimal(0)) + Decimal(amount)
        assert paid == {pool: Decimal(document["total"][pool]) for pool in paid}
        assert sum(paid.values()) == Decimal(document["total"]["payable"])
    hours = document["summaries"][1]["rows"]
    assert all(sum(map(Decimal, row["paid"].values())) == Decimal(row["payable"]) for row in hours)
    text = shown(*words)
    assert "By item: paid from" in text
    rows = list(csv.DictReader(io.StringIO(shown(*words, "-f", "csv"))))
    for name in ("payable", "vouchers", "balance"):
        hourly = sum(Decimal(row[name]) for row in rows if row["by"] == "hour")
        assert (
            hourly == sum(Decimal(row[name]) for row in rows if row["by"] == "item") == Decimal(document["total"][name])
        )


LIMITED = """\
job_id,completed_at,region,item,spec,quantity,unit
j-1,2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264.HD,40,minute
j-2,2023-11-10T11:30:00+08:00,cn-shanghai,audio_transcoding,,200,minute
j-3,2023-11-10T12:30:00+08:00,cn-shanghai,audio_transcoding,,300,minute
"""
VALID = "effective_from: 2023-11-01T00:00:00+08:00, expires_at: 2023-12-30T00:00:00+08:00"
MONTHLY = f"""\
format: mps-bill/account/1
id: studio-e
currency: CNY
settlement: monthly
vouchers_at: billing
balance: 100.00
vouchers:
  - {{id: v-1, face_value: 1.5, {VALID}, items: [audio_transcoding]}}
"""


@pytest.mark.parametrize("format_", ["table", "markdown", "html"])
def test_amounts_that_bills_freeze_and_a_statement_releases_have_a_column(
    shown: Any, tmp_path: Path, format_: str
) -> None:
    """Of 3.724 and 1.68 the voucher pays 1.12 and 0.38; the rest is frozen until the statement releases it all."""
    (tmp_path / "usage.csv").write_text(LIMITED)
    (tmp_path / "account.yaml").write_text(MONTHLY)
    words = ["settle", str(tmp_path / "usage.csv"), "-a", str(tmp_path / "account.yaml"), "--by", "item"]
    text = shown(*words, "--as-of", "2023-12-03T00:00:00+08:00", "-f", format_)
    text = re.sub(r"<[^>]*>|[|*]", " ", text[text.index("By item: paid from") :])
    assert re.search(r"Payable(?: CNY)?\s+Vouchers\s+Balance\s+Frozen\s", text)
    assert re.search(r"transcoding\s+2\.60\s+2\.60\s", text)
    assert re.search(r"audio.?_transcoding\s+2\.80\s+1\.50\s+1\.30\s", text)
    assert re.search(r"Monthly statements\s+0\.00\s+3\.90\s+[-−]3\.90\s", text)


def test_the_amount_of_rounding_up_is_paid_in_the_row_of_roundings(tmp_path: Path, shown: Any) -> None:
    """40 x 0.0651 are 2.604, rounded up to 3: the voucher pays 1 and the balance 2, including the rounding of 0.396."""
    (tmp_path / "sheet.yaml").write_text(SHEET.replace("{places: 2, mode: down}", "{places: 0, mode: up}"))
    usage = "job_id,completed_at,region,item,spec,quantity,unit\nj,2023-11-10T11:20:00+08:00,cn-shanghai,video,HD,40,minute\n"
    (tmp_path / "usage.csv").write_text(usage)
    (tmp_path / "account.yaml").write_text(
        "format: mps-bill/account/1\nid: a\ncurrency: CNY\nbalance: 9\n"
        f"vouchers:\n  - {{id: v-1, face_value: 1, {VALID}, items: [video]}}\n"
    )
    words = ["settle", str(tmp_path / "usage.csv"), "-a", str(tmp_path / "account.yaml"), "-f", "csv", "--by", "item"]
    rows = list(csv.DictReader(io.StringIO(shown(*words, prices=str(tmp_path / "sheet.yaml")))))
    assert [[Decimal(row[name]) for name in ("payable", "vouchers", "balance")] for row in rows] == [
        [Decimal("2.604"), Decimal("1"), Decimal("1.604")],
        [Decimal("0.396"), Decimal("0"), Decimal("0.396")],
    ]


def test_a_workbook_of_a_settlement_has_a_sheet_for_each_summary(shown: Any, tmp_path: Path) -> None:
    import openpyxl

    by = ["--by", "day", "--by", "day,tag_project", "--by", "tag_project,day"]
    shown("settle", DAY, "-a", ACCOUNT, *by, "-o", str(tmp_path / "month.xlsx"))
    names = openpyxl.load_workbook(tmp_path / "month.xlsx").sheetnames
    assert {"By day", "By day, paid from", "By day and tag_project"} <= set(names)
    assert len({name.casefold() for name in names}) == len(names)
    assert all(len(name) <= 31 for name in names)


def test_a_partial_result_for_programs_says_so_on_standard_error(
    usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["bill"], ["compare", "--region", "cn-shanghai=cn-beijing"]):
        for words in (["--on", "2023-11-29"], ["--only", "tag_project=news"]):
            assert run([*command, usage, "-p", "mps-china", "-f", "csv", *words]) == DONE
            assert "Shown: " in capsys.readouterr().err


def test_settle_of_a_period_has_its_bills_and_the_account_after_all(shown: Any) -> None:
    whole = as_json(shown("settle", DAY, "-a", ACCOUNT, "-f", "json"))
    part = as_json(shown("settle", DAY, "-a", ACCOUNT, "-f", "json", "--from", "2023-11-10T14:00"))
    assert part["bills"] == [bill for bill in whole["bills"] if bill["cycle_start"] >= "2023-11-10T14:00"]
    assert (part["account"], part["closing_statement"]) == (whole["account"], whole["closing_statement"])
    text = shown("settle", DAY, "-a", ACCOUNT, "--from", "2023-11-10T14:00")
    assert "The account is shown as it is after the whole run." in " ".join(text.split())
    total = part["total"]
    assert sum(Decimal(total[pool]) for pool in ("vouchers", "stored_value_cards", "balance")) == Decimal(
        total["payable"]
    )


def test_settle_of_lines_has_what_plans_cover_and_no_payment(shown: Any) -> None:
    document = as_json(shown("settle", DAY, "-a", ACCOUNT, "-f", "json", "--only", "item=transcoding"))
    assert set(document["total"]) == {"list_amount", "discount", "net_amount"}
    lines = [line for bill in document["bills"] for line in bill["lines"]]
    assert {line["item"] for line in lines} == {"transcoding"}
    assert any(line["plan_quantity"] != "0" for line in lines)


def test_explain_shows_the_rows_of_a_period(shown: Any, usage: str) -> None:
    assert "How job b was billed" in shown("explain", usage, "--job", "b", "--on", "2023-11-29")
    assert 'has the job "b" in the selection' in shown("explain", usage, "--job", "b", "--on", "2023-11-10", code=FOUND)


def test_two_days_or_more_begin_with_the_payable_and_print_no_hour(shown: Any, usage: str) -> None:
    text = shown("bill", usage)
    assert text.startswith("Total of 3 bills")
    assert "Bill of mps" not in text
    assert "Bill of mps" in shown("bill", usage, "--bills", "1")
    assert shown("bill", usage, "--all").count("Bill of mps") == 3
    assert shown("bill", DAY).startswith("Bill of mps")


def test_a_period_without_usage_says_when_there_is_some(usage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bill", usage, "-p", "mps-china", "--on", "2023-12"]) == DONE
    said = capsys.readouterr().err
    assert "Nothing was used in the period; the cycles of the usage begin 2023-11-10 10:00 to 2023-11-29 11:00." in said


def test_items_have_their_chinese_names_in_chinese_summaries(usage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bill", usage, "-p", "mps-china", "--by", "item", "--lang", "zh"]) == DONE
    shown = capsys.readouterr().out
    assert "智能审核" in shown
    assert "转封装" in shown


def test_values_that_are_called_like_columns_of_a_crosstab_are_columns_of_their_own(shown: Any, tmp_path: Path) -> None:
    names = ["others", "Rounding", *(f"p{n}" for n in range(9))]
    rows = [
        f"{n},2023-11-10T10:00:00+08:00,cn-shanghai,transmuxing,,{100 - 5 * n}.3,minute,{name}"
        for n, name in enumerate(names)
    ]
    (tmp_path / "u.csv").write_text("\n".join([USAGE.splitlines()[0], *rows]) + "\n")
    text = shown("bill", str(tmp_path / "u.csv"), "--by", "day,tag_project", "--bills", "0", "-f", "markdown")
    table = text[text.index("### By day") :].splitlines()[2:6]
    head, _, day, total = ([cell.strip(" *") for cell in line.strip("|").split("|")] for line in table)
    assert head == ["Day", "Rounding", "others", *(f"p{n}" for n in range(6)), "others", "Rounding", "Total CNY"]
    # 95.3 and 100.3 minutes at 0.007; the smallest three, of 165.9 minutes; and what the rounding of the hour takes off.
    assert (day[1], day[2], day[9], day[10]) == ("0.67", "0.70", "1.16", "-0.01")
    payable = as_json(shown("bill", str(tmp_path / "u.csv"), "-f", "json"))["total"]["payable"]
    assert day[1:] == total[1:]
    assert day[-1] == payable == "5.79"


def test_items_have_their_chinese_names_across_and_in_pages(usage: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--by", "day,item"], ["--by", "item", "-f", "html"]):
        assert run(["bill", usage, "-p", "mps-china", "--lang", "zh", *words]) == DONE
        assert "转封装" in capsys.readouterr().out
