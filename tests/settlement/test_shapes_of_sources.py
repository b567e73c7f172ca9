"""Three more shapes of a payment source, each added as a file and a line in the list: vouchers for some items, an amount without
an id that takes top-ups, and one that is owed and can pay when bills are made. They work everywhere like the five."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.package_copy import mps_bill
from tests.settlement import source_copies
from tests.settlement.source_copies import EXPORTED, VALID, copy_with, json_of, rows_of, words_of, write_export

#: 2.604 and 1.00; 3.60 of the sum is payable.
USAGE = """\
job_id,completed_at,region,item,spec,quantity,unit
j-1,2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264.HD,40,minute
j-2,2023-11-10T11:30:00+08:00,cn-shanghai,frames,std,200,frame
"""
ACCOUNT = f"""\
format: mps-bill/account/1
id: studio-a
currency: CNY
balance: 1.00
credit_line: 0.50
overdraft: 2.00   # agreed by telephone
overdrawn: 1.70
deposit: 0.40
grants:
  - {{id: g-1, face_value: 5, {VALID}, items: [frames]}}
vouchers:
  - {{id: v-1, face_value: 5, {VALID}, items: [frames]}}
top_ups:
  - {{at: 2023-11-10T13:30:00+08:00, amount: 10}}
"""
SETTLE = (*source_copies.SETTLE, "--as-of", "2023-11-10T14:00:00+08:00")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the sources, and input files."""
    return copy_with(
        tmp_path_factory.mktemp("shapes"), USAGE, ACCOUNT, {"Grants": "Vouchers", "Overdraft": "", "Deposit": ""}
    )


@pytest.fixture(scope="module")
def run(world: Path) -> dict[str, Any]:
    return json_of(world, *SETTLE)


@pytest.fixture(scope="module")
def printed(world: Path) -> list[list[str]]:
    return words_of(world, *SETTLE, "--by", "item")


def test_they_pay_in_their_places(run: dict[str, Any]) -> None:
    (bill,) = run["bills"]
    assert [(one["source"], one["id"], one["amount"], one["remaining"]) for one in bill["deductions"]] == [
        ("grant", "g-1", "1", "4"),
        ("balance", None, "1", "0"),
        ("credit_line", None, "0.5", "0"),
        ("overdraft", None, "0.3", "0"),
        ("deposit", None, "0.4", "0"),
    ]
    assert bill["outstanding"] == "0.4"


def test_they_are_in_the_totals_and_the_account(run: dict[str, Any]) -> None:
    total = run["total"]
    assert {key: total[key] for key in ("grants", "overdraft", "deposit")} == {
        "grants": "1", "overdraft": "0.3", "deposit": "0.4",
    }  # fmt: skip
    account = run["account"]
    assert list(account) == [
        "balance", "deposit", "resource_plans", "grants", "vouchers", "stored_value_cards", "settled_through",
        "settled_through_by_product", "credit_line", "credit_used", "overdraft", "overdrawn", "outstanding",
        "overdue_since", "cleared_by_top_up_at", "frozen", "available_credit",
    ]  # fmt: skip
    assert (account["grants"], account["deposit"]) == ({"g-1": "4"}, "2")
    assert (account["overdraft"], account["overdrawn"]) == ("2", "0")
    # The balance, the credit line, the overdraft and the deposit; grants are no credit, as vouchers are none.
    assert account["available_credit"] == "9.6"


def test_a_top_up_says_what_it_added_to_each(world: Path, run: dict[str, Any], printed: list[list[str]]) -> None:
    (top_up,) = run["top_ups"]
    assert list(top_up.items())[3:] == [
        ("to_deposit", "2"), ("overdraft_restored", "2"), ("credit_restored", "0.5"), ("to_balance", "5.1"),
    ]  # fmt: skip
    text = (
        "0.40 repays mps 2023-11-10 11:00, 2.00 to the deposit, 2.00 restores the overdraft, 0.50 restores the credit line,"
        " 5.10 to the balance."
    )
    assert text in " ".join(word for words in printed for word in words)
    mps_bill(world, *SETTLE, "-o", "run.html")
    page = (world / "run.html").read_text()
    assert "To the deposit" in page
    assert "Overdraft restored" in page


def test_they_are_in_the_closing_statement_and_the_forecast(run: dict[str, Any], printed: list[list[str]]) -> None:
    closing = {row["source"]: row for row in run["closing_statement"]}
    moved = ("opening", "added", "taken", "closing")
    assert [closing["deposit"][key] for key in moved] == ["0.4", "2", "0.4", "2"]
    assert [closing["overdraft"][key] for key in moved] == ["0.3", "2", "0.3", "2"]
    assert [closing["grant"][key] for key in moved] == ["5", "0", "1", "4"]
    assert ["Deposit", "CNY", "0.40", "2.00", "0.40", "2.00"] in printed
    assert [row["source"] for row in run["forecast"]["sources"]] == [
        "grant", "voucher", "balance", "credit_line", "overdraft", "deposit",
    ]  # fmt: skip
    assert ["Deposit", "CNY", "2.00", "86.40", "2023-11-10", "19:10"] in printed
    assert "every grant and voucher can pay every bill." in " ".join(word for words in printed for word in words)


def test_a_grant_pays_its_items_alone_also_by_item(world: Path, printed: list[list[str]]) -> None:
    rows = rows_of(world, *SETTLE, "--by", "item", "--format", "csv")
    columns = ("grants", "balance", "credit_line", "overdraft", "deposit", "outstanding")
    assert [[row[column] for column in columns] for row in rows] == [
        ["0", "1", "0.5", "0.3", "0.4", "0.4"],
        ["1", "0", "0", "0", "0", "0"],
        ["0"] * 6,
    ]
    assert ["frames", "1.00", "1.00"] in printed


def test_they_are_in_csv_and_focus(world: Path) -> None:
    records = rows_of(world, *SETTLE, "--format", "csv")
    assert [(row["source"], row["source_id"], row["paid"]) for row in records if row["row"] == "deduction"] == [
        ("grant", "g-1", "1"), ("balance", "", "1"), ("credit_line", "", "0.5"), ("overdraft", "", "0.3"),
        ("deposit", "", "0.4"),
    ]  # fmt: skip
    charges = rows_of(world, *SETTLE, "--format", "focus")
    credits = [row for row in charges if row["ChargeCategory"] == "Credit"]
    # What the provider granted lowers the cost; what a deposit or an overdraft pays does not.
    assert [(row["BilledCost"], row["ChargeDescription"].partition(" on ")[0]) for row in credits] == [
        ("-1", "Grant g-1")
    ]


def test_they_have_accounts_in_a_journal(world: Path) -> None:
    postings = words_of(world, *SETTLE, "--format", "beancount")
    for posting in (
        ["Assets:Cloud:Grants:G-1", "-1.00", "CNY"],
        ["Liabilities:Cloud:Overdraft", "-0.30", "CNY"],
        ["Liabilities:Cloud:Overdraft", "2.00", "CNY"],
        ["Assets:Cloud:Deposit", "2.00", "CNY"],
        ["2023-11-11", "balance", "Liabilities:Cloud:Overdraft", "0.00", "~", "0", "CNY"],
    ):
        assert posting in postings


def test_the_config_file_names_their_accounts(world: Path) -> None:
    (world / "books.yaml").write_text(
        "books: {deposit: Assets:Held, overdraft: Liabilities:Bank, grants: Assets:Given}\n"
    )
    printed = mps_bill(world, "--config", "books.yaml", *SETTLE, "--format", "beancount")
    assert all(f"open {account}\n" in printed for account in ("Assets:Held", "Liabilities:Bank", "Assets:Given:G-1"))
    # Grants have an account for each id below their own, and nothing else may be there.
    (world / "books.yaml").write_text("books: {grants: Assets:Given, deposit: Assets:Given:G-1}\n")
    printed = mps_bill(world, "--config", "books.yaml", *SETTLE, "--format", "beancount", code=3)
    assert "deposit, Assets:Given:G-1, is a subaccount of the account of grants" in printed
    properties = json.loads(mps_bill(world, "schema", "config"))["properties"]["books"]["properties"]
    assert properties["deposit"]["description"] == "the deposit; default: Assets:Cloud:Deposit"


def test_comparisons_of_accounts_name_them(world: Path) -> None:
    rows = words_of(world, "compare", *SETTLE[1:4], "--account", "account.yaml")
    assert [row for row in rows if row[:1] in (["grant"], ["overdraft"], ["deposit"])] == [
        ["grant", "0.00", "1.00", "+1.00"], ["overdraft", "0.00", "0.30", "+0.30"], ["deposit", "0.00", "0.40", "+0.40"],
    ]  # fmt: skip


def test_the_account_is_saved_in_place_and_read_again(world: Path) -> None:
    mps_bill(world, *SETTLE, "--save", "after.yaml")
    lines = (world / "after.yaml").read_text().splitlines()
    assert "overdraft: 2.00   # agreed by telephone" in lines
    assert "deposit: 2.00" in lines
    assert any(line.startswith("  - {id: g-1, face_value: 5, remaining: 4.00,") for line in lines)
    again = json_of(world, *SETTLE[:5], "after.yaml")["account"]
    assert (again["overdrawn"], again["deposit"], again["grants"]) == ("0", "2", {"g-1": "4"})


def test_a_key_with_a_default_is_added_and_reset_and_comments_stay(world: Path) -> None:
    """A key that the file does not have is added at its end; one that is there stays where it is, with its default."""
    held = "deposit: 0.40\n"
    assert held in ACCOUNT
    (world / "without.yaml").write_text(ACCOUNT.replace(held, ""))
    mps_bill(world, *SETTLE[:5], "without.yaml", *SETTLE[6:], "--save", "filled.yaml")
    lines = (world / "filled.yaml").read_text().splitlines()
    assert "overdraft: 2.00   # agreed by telephone" in lines
    assert "deposit: 2.00" in lines[lines.index("top_ups:") :]
    (world / "empty.yaml").write_text(ACCOUNT.partition("top_ups:")[0].replace(held, "deposit: 0.40   # held\n"))
    mps_bill(world, *SETTLE[:5], "empty.yaml", *SETTLE[6:], "--save", "emptied.yaml")
    lines = (world / "emptied.yaml").read_text().splitlines()
    assert "overdraft: 2.00   # agreed by telephone" in lines
    assert "deposit: 0.00   # held" in lines


def test_an_item_that_a_grant_is_for_and_no_sheet_has_is_refused(world: Path) -> None:
    (world / "wrong.yaml").write_text(ACCOUNT.replace("items: [frames]", "items: [framez]", 1))
    printed = mps_bill(world, *SETTLE[:5], "wrong.yaml", code=3)
    assert 'wrong.yaml:10:120: unknown item "framez"' in printed


def test_a_source_that_may_pay_when_bills_are_made_does(world: Path) -> None:
    (world / "monthly.yaml").write_text(
        ACCOUNT.replace("balance:", "settlement: monthly\nvouchers_at: billing\nbalance:")
    )
    options = (*SETTLE[:5], "monthly.yaml", "--as-of", "2023-12-02T00:00:00+08:00")
    run = json_of(world, *options)
    assert [(one["source"], one["amount"]) for one in run["bills"][0]["deductions"]] == [
        ("voucher", "1"), ("overdraft", "0.3"),
    ]  # fmt: skip
    assert run["bills"][0]["frozen"] == "2.304"
    (month,) = run["months"]
    assert month["vouchers_at_billing"] == "1.3"
    text = "Paid by vouchers, overdraft when the hours were billed 1.30"
    assert text in " ".join(mps_bill(world, *options).split())
    assert [(one["source"], one["amount"]) for one in month["deductions"]] == [("balance", "2.3")]


def test_a_statement_does_not_pay_again_for_items_paid_when_bills_were_made(world: Path) -> None:
    monthly = ACCOUNT.replace("balance:", "settlement: monthly\nvouchers_at: billing\nbalance:")
    voucher = monthly.replace("{id: v-1, face_value: 5,", "{id: v-1, face_value: 0.60,")
    (world / "grant.yaml").write_text(re.sub(r"expires_at: [^,}]+", "expires_at: 2023-12-30T00:00:00+08:00", voucher))
    options = (*SETTLE[:5], "grant.yaml", "--as-of", "2023-12-02T00:00:00+08:00", "--format", "json")
    (month,) = json.loads(mps_bill(world, *options))["months"]
    # Of frames, which are 1.00, the voucher paid 0.60 at billing.
    assert month["vouchers_at_billing"] == "0.9"
    assert [(one["source"], one["amount"]) for one in month["deductions"]] == [("grant", "0.4"), ("balance", "2.3")]


def test_they_are_reconciled_in_their_columns(world: Path) -> None:
    (world / "one.csv").write_text("".join(USAGE.splitlines(keepends=True)[:2]))
    (world / "paid.yaml").write_text(ACCOUNT.replace("items: [frames]", "items: [transcoding]", 1))
    # The grant belongs to vouchers, so the export shows all of it there.
    write_export(world, {**EXPORTED, "现金支付": "0", "代金券抵扣": "2.60"})
    options = ("-p", "sheet.yaml", "-b", "export.csv", "-a", "paid.yaml", "--format", "json")
    paid = json.loads(mps_bill(world, "reconcile", "one.csv", *options))["paid"]
    assert paid["voucher"] == {"ours": "2.6", "theirs": "2.6", "difference": "0"}
    (world / "paid.yaml").write_text(ACCOUNT)
    write_export(world, {**EXPORTED, "现金支付": "2.20", "代金券抵扣": "0", "欠费金额": "0.40"})
    paid = json.loads(mps_bill(world, "reconcile", "one.csv", *options))["paid"]
    assert paid["cash"] == {"ours": "2.2", "theirs": "2.2", "difference": "0"}
    assert paid["outstanding"]["ours"] == "0.4"
