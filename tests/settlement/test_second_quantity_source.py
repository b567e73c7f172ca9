"""A second source of quantity works everywhere when added as ARCHITECTURE.md describes it: its file and a line in the list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.package_copy import mps_bill
from tests.settlement.source_copies import EXPORTED, SETTLE, VALID, copy_with, json_of, rows_of, words_of, write_export

#: An allowance of minutes begins at 11:10, within the hour.
USAGE = """\
job_id,completed_at,region,item,spec,quantity,unit
j-1,2023-11-10T11:05:00+08:00,cn-shanghai,transcoding,H264.HD,5,minute
j-2,2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264.HD,35,minute
j-3,2023-11-10T11:30:00+08:00,cn-shanghai,frames,std,60,frame
j-4,2023-11-10T11:40:00+08:00,cn-shanghai,traffic,out,2,GB
"""
#: Of 40 minutes fa-1 covers the 35 after 11:10, and the plan the other 5, which take 7.5 at 1.5. fa-2 covers 60 frames. 2 GB
#: at 0.5 are left to pay.
ACCOUNT = f"""\
format: mps-bill/account/1
id: studio-a
currency: CNY
balance: 5.00
free_allowances:   # for new customers
  - {{id: fa-1, item: transcoding, unit: minute, quantity: 90, remaining: 50, {VALID.replace("11-01T00:00", "11-10T11:10")}}}
  - {{id: fa-2, item: frames, unit: frame, quantity: 100, {VALID}}}
resource_plans:
  - {{id: rp-1, unit: minute, total: 60, {VALID}, covers: {{transcoding: {{H264.HD: 1.5}}}}}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the source, and input files."""
    return copy_with(tmp_path_factory.mktemp("quantity"), USAGE, ACCOUNT, {"FreeAllowances": "ResourcePlans"})


@pytest.fixture(scope="module")
def run(world: Path) -> dict[str, Any]:
    return json_of(world, *SETTLE)


@pytest.fixture(scope="module")
def printed(world: Path) -> list[list[str]]:
    return words_of(world, *SETTLE)


def test_it_covers_before_plans_what_completed_while_it_was_valid(run: dict[str, Any]) -> None:
    (bill,) = run["bills"]
    keys = ("source", "id", "line", "quantity", "units", "amount", "remaining")
    assert [[one[key] for key in keys] for one in bill["deductions"]] == [
        ["free_allowance", "fa-1", 0, "35", "35", None, "15"],
        ["free_allowance", "fa-2", 1, "60", "60", None, "40"],
        ["resource_plan", "rp-1", 0, "5", "7.5", None, "52.5"],
        ["balance", None, None, None, None, "1", "4"],
    ]
    assert [(line["plan_quantity"], line["billed_quantity"]) for line in bill["lines"]] == [
        ("40", "0"), ("60", "0"), ("0", "2"),
    ]  # fmt: skip
    assert bill["payable"] == "1"


def test_it_is_in_the_totals_the_account_and_the_closing_statement(run: dict[str, Any]) -> None:
    assert {key: run["total"][key] for key in ("free_allowance", "plan", "balance")} == {
        "free_allowance": {"fa-1": "35", "fa-2": "60"}, "plan": {"rp-1": "7.5"}, "balance": "1",
    }  # fmt: skip
    assert run["account"]["free_allowances"] == {"fa-1": "15", "fa-2": "40"}
    assert run["account"]["available_credit"] == "4"
    keys = ("source", "id", "unit", "opening", "added", "taken", "closing")
    assert [[row[key] for key in keys] for row in run["closing_statement"][:3]] == [
        ["free_allowance", "fa-1", "minute", "50", "0", "35", "15"],
        ["free_allowance", "fa-2", "frame", "100", "0", "60", "40"],
        ["resource_plan", "rp-1", "minute", "60", "0", "7.5", "52.5"],
    ]


def test_the_forecast_uses_quantities_of_a_unit_one_after_another(run: dict[str, Any]) -> None:
    """From 13:00 on: 15 minutes at 35 an hour last until 13:25:42. Of the plan 7.5 an hour go until then, and 42.5 an hour
    afterwards: 52.5 - 7.5 x 15/35 = 49.285714, which last 27/17 hours after 13:00. 40 frames at 60 an hour last until 13:40.
    Money goes at 1.00 an hour, from 13:40 on 0.30 faster, and from 14:35:17 on 2.604 faster: of 4.00 2.135294 are left then."""
    keys = ("source", "unit", "left", "a_day", "runs_out")
    assert [[row[key] for key in keys] for row in run["forecast"]["sources"]] == [
        ["free_allowance", "minute", "15", "840", "2023-11-10T13:25:42+08:00"],
        ["free_allowance", "frame", "40", "1440", "2023-11-10T13:40:00+08:00"],
        ["resource_plan", "minute", "52.5", "180", "2023-11-10T14:35:17+08:00"],
        ["balance", "CNY", "4", "24", "2023-11-10T15:08:06+08:00"],
    ]


def test_it_is_in_tables(printed: list[list[str]]) -> None:
    for row in (
        "Free allowance fa-1 35 minutes H264.HD cn-shanghai 35 15 minute",
        "Free allowance fa-1 minute 50 35 15",
        "Free allowances minute 15 840 2023-11-10 13:25:42",
    ):
        assert row.split() in printed
    text = "free allowances and plans with the same unit are used one after another, then usage is paid at list price"
    assert text in " ".join(word for words in printed for word in words)


def test_it_is_in_csv_and_focus(world: Path) -> None:
    records = rows_of(world, *SETTLE, "--format", "csv")
    taken = [(row["source"], row["source_id"], row["units"]) for row in records if row["row"] == "deduction"]
    assert taken[:3] == [
        ("free_allowance", "fa-1", "35"),
        ("free_allowance", "fa-2", "60"),
        ("resource_plan", "rp-1", "7.5"),
    ]
    charges = [row for row in rows_of(world, *SETTLE, "--format", "focus") if row["PricingCategory"] == "Committed"]
    keys = ("Type", "Id", "Quantity", "Unit")
    assert [[row[f"CommitmentDiscount{key}"] for key in keys] for row in charges] == [
        ["Free allowance", "fa-1", "35", "Minutes"],
        ["Resource plan", "rp-1", "7.5", "Minutes"],
        ["Free allowance", "fa-2", "60", "Frames"],
    ]
    assert [(row["ListCost"], row["BilledCost"]) for row in charges] == [("2.2785", "0"), ("0.3255", "0"), ("0.3", "0")]
    assert "35 minutes covered by free allowance fa-1, at list" in charges[0]["ChargeDescription"]


def test_it_is_in_a_journal_and_the_config_file_names_its_accounts(world: Path) -> None:
    postings = words_of(world, *SETTLE, "--format", "beancount")
    for posting in (
        ["Assets:Cloud:Free-Allowances:Fa-1", "50.00", "MINUTE"],
        ["Assets:Cloud:Free-Allowances:Fa-1", "-35.00", "MINUTE"],
        ["Expenses:Cloud:Free-Allowance-Usage", "35.00", "MINUTE"],
        ["Expenses:Cloud:Free-Allowance-Usage", "60.00", "FRAME"],
        ["Expenses:Cloud:Plan-Usage", "7.50", "MINUTE"],
    ):
        assert posting in postings
    (world / "books.yaml").write_text("books: {free_allowances: Assets:Given, free_allowance_usage: Expenses:Given}\n")
    printed = mps_bill(world, "--config", "books.yaml", *SETTLE, "--format", "beancount")
    assert all(f"open {account}\n" in printed for account in ("Assets:Given:Fa-1", "Expenses:Given"))


def test_it_is_explained_in_its_own_words(world: Path) -> None:
    printed = mps_bill(world, "explain", "usage.csv", "-p", "sheet.yaml", "-a", "account.yaml", "--job", "j-2").split(
        "\n"
    )
    assert "fa-1 covers 35 minutes, 15 minutes are left" in next(line for line in printed if "Free allowance" in line)
    assert "rp-1 covers 5 minutes at 1.5" in next(line for line in printed if "Resource plan" in line)


def test_the_account_is_saved_in_place_and_read_again(world: Path) -> None:
    mps_bill(world, *SETTLE, "--save", "after.yaml")
    lines = (world / "after.yaml").read_text().splitlines()
    assert "free_allowances:   # for new customers" in lines
    assert any("id: fa-1," in line and "quantity: 90, remaining: 15," in line for line in lines)
    assert any("id: fa-2," in line and "quantity: 100, remaining: 40," in line for line in lines)
    again = json_of(world, *SETTLE[:5], "after.yaml")
    assert again["account"]["free_allowances"] == {"fa-1": "15", "fa-2": "40"}


def test_an_error_in_it_has_its_place(world: Path) -> None:
    (world / "wrong.yaml").write_text(
        ACCOUNT.replace("remaining: 50", "remaining: 91").replace("item: frames", "item: frame")
    )
    printed = mps_bill(world, *SETTLE[:5], "wrong.yaml", code=3)
    assert "wrong.yaml:6:74: remaining, 91, is 1 above quantity, 90" in printed
    assert 'wrong.yaml:7:22: unknown item "frame"' in printed
    schema = json.loads(mps_bill(world, "schema", "account"))
    assert schema["properties"]["free_allowances"]["items"]["required"] == [
        "id", "item", "unit", "quantity", "effective_from", "expires_at",
    ]  # fmt: skip


def test_a_folder_of_accounts_is_metered_with_its_bounds(world: Path) -> None:
    (world / "accounts").mkdir()
    (world / "accounts" / "studio-a.yaml").write_text(ACCOUNT.partition("resource_plans:")[0])
    head, *rows = USAGE.splitlines()
    (world / "many.csv").write_text("\n".join([f"{head},account_id", *(f"{row},studio-a" for row in rows), ""]))
    options = ("-p", "sheet.yaml", "-a", "accounts", "--format", "json")
    (one,) = json.loads(mps_bill(world, "settle", "many.csv", *options))["accounts"]
    # The 5 minutes before 11:10 are paid: 5 x 0.0651 + 1 = 1.3255.
    assert one["account"]["free_allowances"] == {"fa-1": "15", "fa-2": "40"}
    assert one["total"]["payable"] == "1.32"


def test_accounts_are_compared_with_it(world: Path) -> None:
    printed = mps_bill(world, "compare", *SETTLE[1:4], "--account", "account.yaml").splitlines()
    # 2.604 + 0.30 + 1.00 at list price.
    assert ["Payable", "3.90", "1.00", "-2.90"] in [line.split()[:4] for line in printed]


def test_it_is_reconciled_as_deducted_by_resource_packages(world: Path) -> None:
    (world / "video.csv").write_text("".join(USAGE.splitlines(keepends=True)[:3]))
    options = ("video.csv", "-p", "sheet.yaml", "-b", "export.csv", "-a", "account.yaml", "--format", "json")
    free = {"原价": "0", "优惠金额": "0", "应付金额": "0", "现金支付": "0", "代金券抵扣": "0"}
    write_export(world, {**EXPORTED, **free, "资源包抵扣": "40"})
    assert json.loads(mps_bill(world, "reconcile", *options))["equal"] is True
    # The provider knows nothing of 10 of the minutes, which are 0.651.
    paid = {"原价": "0.651", "优惠金额": "0.001", "应付金额": "0.65", "现金支付": "0.65", "代金券抵扣": "0"}
    write_export(world, {**EXPORTED, **paid, "资源包抵扣": "30"})
    (bill,) = json.loads(mps_bill(world, "reconcile", *options, code=1).rpartition("}")[0] + "}")["bills"]
    found = [(one["class"], one["ours"], one["theirs"], one["amount"]) for one in bill["differences"] if one["unit"]]
    assert found == [("deduction", "40", "30", "0.65")]
