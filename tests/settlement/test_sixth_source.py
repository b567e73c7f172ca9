"""A sixth payment source works everywhere when added as ARCHITECTURE.md describes it: its file and a line in the list."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from tests.package_copy import mps_bill
from tests.settlement.source_copies import EXPORTED, SETTLE, VALID, copy_with, json_of, rows_of, words_of, write_export

USAGE = """\
job_id,completed_at,region,item,spec,quantity,unit
j-1,2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264.HD,40,minute
"""
#: 40 minutes at 0.0651 cost 2.604; 2.60 is payable.
ACCOUNT = f"""\
format: mps-bill/account/1
id: studio-a
currency: CNY
balance: 1.00
vouchers:
  - {{id: v-1, face_value: 0.10, {VALID}}}
stored_value_cards:
  - {{id: c-1, face_value: 0.20, {VALID}}}
refund_credits:   # given back in October
  - {{id: r-2, face_value: 5, {VALID.replace("12-01", "12-02")}}}
  - {{id: r-1, face_value: 9, remaining: 0.50, {VALID}}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the source, and input files."""
    return copy_with(tmp_path_factory.mktemp("sixth"), USAGE, ACCOUNT, {"RefundCredits": "StoredValueCards"})


def test_it_pays_between_vouchers_and_cards(world: Path) -> None:
    (bill,) = json_of(world, *SETTLE)["bills"]
    assert [(one["source"], one["id"], one["amount"], one["remaining"]) for one in bill["deductions"]] == [
        ("voucher", "v-1", "0.1", "0"),
        ("refund_credit", "r-1", "0.5", "0"),
        ("refund_credit", "r-2", "2", "3"),
    ]


def test_it_is_in_the_totals_the_account_the_closing_statement_and_the_forecast(world: Path) -> None:
    run = json_of(world, *SETTLE)
    assert list(run["total"].items())[-7:] == [
        ("vouchers", "0.1"), ("refund_credits", "2.5"), ("stored_value_cards", "0"), ("balance", "0"),
        ("credit_line", "0"), ("outstanding", "0"), ("frozen", "0"),
    ]  # fmt: skip
    assert run["account"]["refund_credits"] == {"r-2": "3", "r-1": "0"}
    closing = {(row["source"], row["id"]): row for row in run["closing_statement"]}
    used = closing["refund_credit", "r-1"]
    assert (used["opening"], used["taken"], used["closing"]) == ("0.5", "0.5", "0")
    assert used["used_up_at"] == "2023-11-10T13:00:00+08:00"
    assert [row["source"] for row in run["forecast"]["sources"]] == [
        "voucher", "refund_credit", "stored_value_card", "balance",
    ]  # fmt: skip
    forecast = run["forecast"]["sources"][1]
    # 3.00 of them at 2.60 an hour from 13:00 on.
    assert (forecast["left"], forecast["runs_out"]) == ("3", "2023-11-10T14:09:13+08:00")


def test_it_is_in_tables_and_csv(world: Path) -> None:
    rows = words_of(world, *SETTLE)
    assert ["Refund", "credit", "r-2", "2.00", "3.00", "CNY"] in rows
    assert ["Refund", "credits", "2.50"] in rows
    assert ["Refund", "credit", "r-2", "CNY", "5.00", "2.00", "3.00"] in rows
    assert ["Refund", "credits", "CNY", "3.00", "62.40", "2023-11-10", "14:09:13"] in rows
    records = rows_of(world, *SETTLE, "--format", "csv")
    assert [(row["source_id"], row["paid"]) for row in records if row["source"] == "refund_credit"] == [
        ("r-1", "0.5"), ("r-2", "2"),
    ]  # fmt: skip


def test_it_is_in_the_workbook_and_the_page(world: Path) -> None:
    mps_bill(world, *SETTLE, "-o", "run.xlsx")
    sheets = openpyxl.load_workbook(world / "run.xlsx")
    heads = [[cell.value for cell in row] for row in sheets["Bills"].iter_rows(max_row=5)]
    assert any("Refund credits" in head for head in heads)
    cells = [[cell.value for cell in row] for row in sheets["Deductions"].iter_rows()]
    assert sum("Refund credit" in row for row in cells) == 2
    mps_bill(world, *SETTLE, "-o", "run.html")
    assert "Refund credit" in (world / "run.html").read_text()


def test_the_account_is_saved_in_place_and_read_again(world: Path) -> None:
    mps_bill(world, *SETTLE, "--save", "after.yaml")
    before, after = ACCOUNT.splitlines(), (world / "after.yaml").read_text().splitlines()
    assert "refund_credits:   # given back in October" in after
    assert [line for line in after if "r-" in line] == [
        before[9].replace("face_value: 5,", "face_value: 5, remaining: 3.00,"),
        before[10].replace("0.50", "0.00"),
    ]
    again = mps_bill(world, "settle", "usage.csv", "-p", "sheet.yaml", "-a", "after.yaml", "--format", "json")
    assert json.loads(again)["account"]["refund_credits"] == {"r-2": "3", "r-1": "0"}


def test_an_error_in_it_has_its_place(world: Path) -> None:
    wrong = ACCOUNT.replace("remaining: 0.50", "remaining: 9.01").replace("id: r-2", "id: r-1")
    (world / "wrong.yaml").write_text(wrong.replace("refund_credits:", "refund_credit:"))
    assert 'did you mean "refund_credits"?' in mps_bill(world, *SETTLE[:-1], "wrong.yaml", code=3)
    (world / "wrong.yaml").write_text(wrong)
    printed = mps_bill(world, *SETTLE[:-1], "wrong.yaml", code=3)
    assert "wrong.yaml:11:41: remaining, 9.01, is 0.01 above face_value, 9" in printed
    assert "wrong.yaml:11:10: " in printed
    schema = json.loads(mps_bill(world, "prices", "schema", "account"))
    assert schema["properties"]["refund_credits"]["items"]["required"] == [
        "id", "face_value", "effective_from", "expires_at",
    ]  # fmt: skip


def test_it_has_accounts_in_a_journal(world: Path) -> None:
    printed = mps_bill(world, *SETTLE, "--format", "beancount").split()
    assert {word for word in printed if word.startswith("Assets:Cloud:Refund")} == {
        "Assets:Cloud:Refund-Credits:R-1", "Assets:Cloud:Refund-Credits:R-2",
    }  # fmt: skip


def test_it_is_reconciled_as_cash(world: Path) -> None:
    write_export(world, EXPORTED)
    options = ("-p", "sheet.yaml", "-b", "export.csv", "-a", "account.yaml", "--format", "json")
    paid = json.loads(mps_bill(world, "reconcile", "usage.csv", *options))["paid"]
    assert paid["cash"] == {"ours": "2.5", "theirs": "2.5", "difference": "0"}
    assert paid["voucher"]["ours"] == "0.1"
