"""The accounts of journals in the config file: defaults, and what is refused, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.config import load_settings
from mps_bill.core.diagnostics import InputRejected
from mps_bill.view.books import BALANCES, FLOWS, STANDARD_BOOKS, Books, books_of
from tests.conftest import ROOT
from tests.golden.cases import run_captured

SETTLE = ["settle", str(ROOT / "samples/month-turn.csv"), "-p", "mps-china", "-q"]
SETTLE += ["-a", str(ROOT / "samples/account-studio-a.yaml"), "-f", "hledger"]


def loaded(folder: Path, text: str) -> Books:
    path = folder / "mps-bill.yaml"
    path.write_text(text, encoding="utf-8")
    return books_of(load_settings(path, {})["books"].values)


def test_accounts_that_the_file_names_and_the_defaults_of_the_others(tmp_path: Path) -> None:
    found = loaded(tmp_path, "books:\n  balance: Assets:1123-预付\n  items: {dna: Expenses:Dna}\n  opening: false\n")
    assert found == Books({"balance": "Assets:1123-预付"}, {"dna": "Expenses:Dna"}, False)
    assert found.account("balance") == "Assets:1123-预付"
    assert found.account("vouchers") == "Assets:Cloud:Vouchers"
    assert books_of(()) == STANDARD_BOOKS


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("balanc: Assets:X", '2:3 unknown key "balanc" in accounts of the books; did you mean "balance"?'),
        ("balance: assets:x", '2:12 "assets:x" is not an account of the books; '),
        ("balance: Assets", '2:12 "Assets" is not an account'),
        ("balance: Assets:a", '2:12 "Assets:a" is not an account'),
        ("balance: Assets:A_b", '2:12 "Assets:A_b" is not an account'),
        ("balance: 'Assets:A  b'", '2:12 "Assets:A  b" is not an account'),
        ("balance: Assets:云", '2:12 "Assets:云" is not an account'),
        ("balance: Cash:Cloud", '2:12 "Cash:Cloud" is not an account'),
        ("items: {dna: X}", '2:16 "X" is not an account'),
        ("items: {}", "2:3 the accounts of items must not be empty"),
        ("opening: maybe", '2:12 unknown truth value "maybe"; expected true or false'),
        ("rounding: Assets:Cloud:Balance", "2:13 rounding, Assets:Cloud:Balance, is the account of balance, whose"),
        (
            "top_ups: Assets:Cloud:Balance:X",
            "2:12 top_ups, Assets:Cloud:Balance:X, is a subaccount of the account of balance",
        ),
        (
            "frozen: Liabilities:Cloud",
            "2:11 credit_line, Liabilities:Cloud:Credit-Line, is a subaccount of the account of frozen",
        ),
        (
            "items: {dna: Assets:Cloud:Vouchers:V}",
            "2:16 items: dna, Assets:Cloud:Vouchers:V, is a subaccount of the account of v",
        ),
        ("balance: Assets:Cloud:Vouchers", "2:12 vouchers, Assets:Cloud:Vouchers, is the account of balance, whose"),
        ("vouchers: Assets:Cloud:Balance", "2:13 vouchers, Assets:Cloud:Balance, is the account of balance, whose"),
        (
            "rounding: Assets:Cloud:Vouchers:V-1",
            "2:13 rounding, Assets:Cloud:Vouchers:V-1, is a subaccount of the account of v",
        ),
        (
            "balance: Expenses:Cloud",
            "2:12 discounts, Expenses:Cloud:Discounts, is a subaccount of the account of balance",
        ),
        (
            "balance: Assets:Cloud",
            "2:12 resource_plans, Assets:Cloud:Resource-Plans, is a subaccount of the account of balance",
        ),
    ],
)
def test_an_error_has_its_place(line: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputRejected) as caught:
        loaded(tmp_path, f"books:\n  {line}\n")
    problem = caught.value.report.shown[0]
    assert f"{problem.place.line}:{problem.place.column} {problem.message}".startswith(expected)


def test_balances_may_share_an_account(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, "books: {balance: Assets:Pre, vouchers: Assets:Cloud:X, stored_value_cards: Assets:Cloud:X}\n"
    )
    assert found.account("vouchers") == found.account("stored_value_cards")


def test_the_command_uses_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mps-bill.yaml").write_text("books: {balance: Assets:Pre, items: {review: Expenses:6602}}\n")
    code, out, err = run_captured(SETTLE, b"", monkeypatch)
    assert (code, err) == (0, b"")
    assert b"    Expenses:6602                        250.00 CNY\n" in out
    assert b"Assets:Pre" in out
    assert b"Assets:Cloud:Balance" not in out
    Path("mps-bill.yaml").write_text("books: {opening: false}\n")
    code, out, _ = run_captured(SETTLE, b"", monkeypatch)
    assert b"* Opening balances\n" not in out
    assert b"* Opening balances, asserted\n" in out
    code, _, err = run_captured(["--config", "", *SETTLE[:-4], "-a", ".", *SETTLE[-2:]], b"", monkeypatch)
    assert code == 2
    assert b"hledger shows one account" in err


def test_config_show_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mps-bill.yaml").write_text("by: [day]\nbooks: {balance: Assets:Pre, opening: false}\n")
    _, out, _ = run_captured(["config", "show", "-f", "csv"], b"", monkeypatch)
    assert out.splitlines()[-1] == b'books,"balance=Assets:Pre, opening=false",mps-bill.yaml:2:1'


def test_the_page_has_every_key_and_default() -> None:
    page = (ROOT / "docs" / "books.md").read_text(encoding="utf-8")
    missing = [key for key, (default, _) in (FLOWS | BALANCES).items() if f"| `{key}` | `{default}` |" not in page]
    assert missing == []
