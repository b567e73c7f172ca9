"""Journals before the real beancount and hledger: they balance, every assertion holds exactly, and the balances that the
programs report are those of the statement."""

from __future__ import annotations

import csv
import decimal
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mps_bill.cli import run
from mps_bill.config import load_settings
from mps_bill.core.decimals import EXACT, stripped
from mps_bill.core.diagnostics import InputRejected
from mps_bill.core.times import clock
from mps_bill.pipeline import SettleRun
from mps_bill.rating.contract import Contract, Discount
from mps_bill.render import beancount, hledger
from mps_bill.settlement.account import Account
from mps_bill.settlement.closing import closing_rows, totals
from mps_bill.settlement.settle_cycles import Settlement, settle
from mps_bill.settlement.sources import SOURCES
from mps_bill.settlement.sources.credit_line import CreditLine
from mps_bill.view.books import BALANCES, FLOWS, Books, books_of
from mps_bill.view.journal import Journal, JournalBy, Posting, journal
from tests.conftest import ROOT
from tests.golden.cases import run_captured
from tests.settlement.test_settle import MONTHLY, OFFSET, payers, usages
from tests.settlement.worlds import account, at, balance_of, book, card, hours, plan, top_up, video, voucher

BEAN_CHECK = Path(sys.executable).with_name("bean-check")
BY: tuple[JournalBy, ...] = ("bill", "day", "month")
#: The accounts for the rows of the closing statement, without ids.
HELD = {
    "resource_plan": "Assets:Cloud:Resource-Plans",
    "voucher": "Assets:Cloud:Vouchers",
    "stored_value_card": "Assets:Cloud:Stored-Value-Cards",
    "balance": "Assets:Cloud:Balance",
    "credit_line": "Liabilities:Cloud:Credit-Line",
    "outstanding": "Liabilities:Cloud:Payable",
    "frozen": "Liabilities:Cloud:Accrued",
}
Balances = dict[tuple[str, str], Decimal]


@pytest.fixture(scope="module")
def real_hledger() -> str:
    """Return the command. Without it, the test is skipped, but fails in CI."""
    command = shutil.which("hledger")
    if command is None:
        message = "journals were not read by hledger: install it, such as with apt-get install hledger"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return command


def a_run(cycles, payer: Account, prices, as_of: int | None = None, **options: bool) -> SettleRun:
    """Return a settlement. Journals have no control totals and no forecast."""
    settled = settle(cycles, payer, prices, as_of, **options)
    nothing: Any = None
    return SettleRun("CNY", OFFSET, settled, totals(settled), closing_rows(settled), (), None, nothing, nothing)


def made(run: SettleRun, by: JournalBy = "bill", books: Books = Books()) -> Journal:  # noqa: B008
    with decimal.localcontext(EXACT):
        return journal(run, books, by)


def written(writer, journal: Journal) -> str:
    stream = io.StringIO()
    with decimal.localcontext(EXACT):
        writer.write(journal, stream)
    return stream.getvalue()


def statement(run: SettleRun) -> Balances:
    """Return the balances that the books must have at the end: those of the closing statement, with debts negative."""
    limit = run.settled.closing.of(CreditLine).limit
    found: Balances = {}
    for row in run.closing_rows:
        commodity = row.unit.upper()
        name = HELD[row.source] + (f":{row.id.capitalize()}" if row.id else "")
        sign = -1 if row.source in ("outstanding", "frozen") else 1
        found[name, commodity] = sign * row.closing - (limit if row.source == "credit_line" else 0)
    return found


def run_command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)


def by_hledger(command: str, path: Path) -> Balances:
    """Return the balances of every account after strict checks."""
    checked = run_command(command, "-f", path, "check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, ""), path.read_text()
    options = ("--flat", "--empty", "--no-total", "--layout=bare", "-O", "csv")
    rows = csv.DictReader(io.StringIO(run_command(command, "-f", path, "balance", *options).stdout))
    return {(row["account"], row["commodity"]): Decimal(row["balance"]) for row in rows if row["commodity"]}


def by_beancount(path: Path) -> Balances:
    """Return the balances of every account after the real bean-check."""
    checked = run_command(BEAN_CHECK, path)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, ""), path.read_text()
    return loaded(path)[0]


def loaded(path: Path) -> tuple[Balances, list[str]]:
    """Return the balances of every account as loaded by beancount itself, and its errors."""
    from beancount import loader
    from beancount.core.data import Transaction

    entries, errors, _ = loader.load_file(str(path))
    found: Balances = {}
    with decimal.localcontext(EXACT):
        for posting in (one for entry in entries if isinstance(entry, Transaction) for one in entry.postings):
            key = posting.account, posting.units.currency
            found[key] = found.get(key, Decimal(0)) + posting.units.number
    return found, [str(error.message) for error in errors]


def holds(found: Mapping[tuple[str, str], Decimal], run: SettleRun) -> None:
    for key, amount in statement(run).items():
        assert found.get(key, 0) == amount, key


contracts = st.sampled_from(
    [Contract(), Contract((Discount("d-1", Decimal("7.35")), Discount("d-2", Decimal("33.3"), frozenset({"review"}))))]
)


@pytest.mark.parametrize("prices", [book(), MONTHLY], ids=["hourly", "monthly"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    earlier=usages,
    usage=usages,
    payer=payers(),
    contract=contracts,
    by=st.sampled_from(BY),
    until=st.none() | st.just(at("12-03")),
    charge_late=st.booleans(),
)
def test_the_balances_of_any_run_are_those_of_its_statement(
    prices, earlier, usage, payer, contract, by, until, charge_late, tmp_path: Path, real_hledger: str
) -> None:
    """The account has already settled, and has debts or frozen amounts; late usage is charged or not."""
    before = settle(hours(earlier, prices), replace(payer, contract=contract), prices).closing
    run = a_run(hours(usage, prices), before, prices, until, charge_late=charge_late)
    found = made(run, by)
    if not found.start:
        assert not run.settled.steps
        return
    (tmp_path / "run.beancount").write_text(written(beancount, found))
    (tmp_path / "run.journal").write_text(written(hledger, found))
    in_beancount, in_hledger = (
        by_beancount(tmp_path / "run.beancount"),
        by_hledger(real_hledger, tmp_path / "run.journal"),
    )
    holds(in_beancount, run)
    holds(in_hledger, run)
    assert {key: amount for key, amount in in_beancount.items() if amount} == {
        key: amount for key, amount in in_hledger.items() if amount
    }
    spent = sum(amount for (name, unit), amount in in_hledger.items() if name.startswith("Expenses") and unit == "CNY")
    amounts = run.totals.amounts
    assert spent == amounts.list_amount - amounts.discount + amounts.rounding_adjustment


FULL = replace(
    account(
        "5",
        credit="4",
        plans=(plan("rp-1", "30"),),
        vouchers=(voucher("v-1", "1.5"),),
        cards=(card("c-1", "2"),),
        top_ups=(top_up("11-10 13:30", "7.25", "t-1"),),
    ),
    contract=Contract((Discount("d-1", Decimal(10)),)),
)
USAGE = {
    at("11-10 09"): video("60"),
    at("11-10 10"): {**video("100"), ("review", "porn", "cn-shanghai"): "50"},
    at("11-11 10"): {("frames", "std", "cn-shanghai"): "1500"},
}


def full(prices=None, as_of: str | None = None) -> SettleRun:
    prices = prices or book()
    return a_run(hours(USAGE, prices), FULL, prices, None if as_of is None else at(as_of))


def test_a_bill_goes_from_expenses_to_what_paid_it() -> None:
    lines = {
        transaction.text: [(one.account, stripped(one.amount), one.commodity) for one in transaction.postings]
        for transaction in made(full()).transactions
    }
    assert lines["Bill of mps 2023-11-10 09:00"] == [
        ("Expenses:Cloud:Mps:Video", "3.255", "CNY"),
        ("Expenses:Cloud:Discounts", "-0.3255", "CNY"),
        ("Expenses:Cloud:Rounding", "-0.0095", "CNY"),
        ("Expenses:Cloud:Plan-Usage", "30", "MINUTE"),
        ("Assets:Cloud:Resource-Plans:Rp-1", "-30", "MINUTE"),
        ("Assets:Cloud:Vouchers:V-1", "-1.5", "CNY"),
        ("Assets:Cloud:Stored-Value-Cards:C-1", "-1.42", "CNY"),
    ]
    assert lines["Bill of mps 2023-11-10 10:00"][4:] == [
        ("Assets:Cloud:Stored-Value-Cards:C-1", "-0.58", "CNY"),
        ("Assets:Cloud:Balance", "-5", "CNY"),
        ("Liabilities:Cloud:Credit-Line", "-4", "CNY"),
        ("Liabilities:Cloud:Payable", "-0.77", "CNY"),
    ]
    assert lines["Top-up t-1"] == [
        ("Liabilities:Cloud:Payable", "0.77", "CNY"),
        ("Liabilities:Cloud:Credit-Line", "4", "CNY"),
        ("Assets:Cloud:Balance", "2.48", "CNY"),
        ("Assets:Bank", "-7.25", "CNY"),
    ]


def test_a_monthly_bill_is_accrued_until_its_statement() -> None:
    *bills, statement_of_month = [one for one in made(full(MONTHLY, "12-03")).transactions if "Top-up" not in one.text]
    assert [one.postings[-1].account for one in bills] == ["Liabilities:Cloud:Accrued"] * 3
    assert (statement_of_month.date, statement_of_month.text) == ("2023-11-30", "Statement of mps for 2023-11")
    accrued = sum(one.postings[-1].amount for one in bills)
    assert statement_of_month.postings[0] == Posting("Liabilities:Cloud:Accrued", -accrued, "CNY")


def test_a_transaction_for_each_bill_day_or_month() -> None:
    run = full(MONTHLY, "12-03")
    assert [one.text for one in made(run, "bill").transactions] == [
        "Bill of mps 2023-11-10 09:00",
        "Bill of mps 2023-11-10 10:00",
        "Top-up t-1",
        "Bill of mps 2023-11-11 10:00",
        "Statement of mps for 2023-11",
    ]
    assert [(one.date, one.text) for one in made(run, "day").transactions] == [
        ("2023-11-10", "2 bills of 2023-11-10"),
        ("2023-11-10", "Top-up t-1"),
        ("2023-11-11", "1 bill of 2023-11-11"),
        ("2023-11-30", "Statement of mps for 2023-11"),
    ]
    assert [(one.date, one.text) for one in made(run, "month").transactions] == [
        ("2023-11-10", "Top-up t-1"),
        ("2023-11-30", "3 bills and 1 statement of 2023-11"),
    ]


@pytest.mark.parametrize("digit", ["1", "1e-2", "1e-10"])
def test_an_assertion_that_is_off_by_a_digit_fails(digit: str, tmp_path: Path, real_hledger: str) -> None:
    """Neither program may round an assertion, not even in its last digit."""
    found, path = made(full()), tmp_path / "run"
    for writer, before, behind in ((beancount, "  ", " ~ 0 CNY"), (hledger, " = ", " CNY")):
        lines = written(writer, found).splitlines()
        mark = " balance " if writer is beancount else " = "
        asserted = [number for number, line in enumerate(lines) if mark in line and line.endswith(behind)]
        assert len(asserted) == 12, "six balances, before and after"
        for number in asserted:
            head, _, amount = lines[number].removesuffix(behind).rpartition(before)
            changed = f"{head}{before}{Decimal(amount) + Decimal(digit):f}{behind}"
            path.write_text("\n".join([*lines[:number], changed, *lines[number + 1 :], ""]))
            wrong = loaded(path)[1] if writer is beancount else run_command(real_hledger, "-f", path, "check").stderr
            assert wrong, changed


def test_a_run_goes_on_in_the_books_of_the_one_before(tmp_path: Path, real_hledger: str) -> None:
    """The first journal opens the books, the second continues them, with another item."""
    prices = book()
    first = a_run(hours({at("11-10 09"): USAGE[at("11-10 09")]}, prices), FULL, prices, at("11-11") - 1)
    second = a_run(hours(USAGE, prices), first.settled.closing, prices)
    later = made(second, books=Books(opening=False))
    assert later.opens is None
    for writer, suffix in ((beancount, "beancount"), (hledger, "journal")):
        (tmp_path / f"first.{suffix}").write_text(written(writer, made(first)))
        (tmp_path / f"second.{suffix}").write_text(written(writer, later))
    (tmp_path / "books.journal").write_text("include first.journal\ninclude second.journal\n")
    plugin = 'plugin "beancount.plugins.auto_accounts"\n'
    (tmp_path / "books.beancount").write_text(f'{plugin}include "first.beancount"\ninclude "second.beancount"\n')
    assert second.settled.settlements
    holds(by_hledger(real_hledger, tmp_path / "books.journal"), second)
    holds(by_beancount(tmp_path / "books.beancount"), second)


def test_the_books_of_a_month_have_the_bills_of_the_month() -> None:
    """Including the bills of its last hours, which are issued in the next month."""
    last = {at("11-30 23"): video("50"), at("12-01 00"): video("10")}
    run = a_run(hours(last), account("100"), book())
    assert {clock(step.bill.cycle.issued_at, OFFSET)[:10] for step in run.settled.settlements} == {"2023-12-01"}
    for by in BY:
        assert [one.date for one in made(run, by).transactions] == ["2023-11-30", "2023-12-01"]
    held_back = a_run(hours(last), a_run((), account("100"), book(), at("12-01") - 1).settled.closing, book())
    assert [one.date for one in made(held_back).transactions] == ["2023-12-01", "2023-12-01"]


def test_the_command_takes_a_day_or_a_month_and_whole_runs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_hledger: str
) -> None:
    samples = ROOT / "samples"
    words = ["settle", str(samples / "month-turn.csv"), "-p", "mps-china", "-a", str(samples / "account-studio-a.yaml")]

    def printed(*more: str) -> tuple[int, str, str]:
        code, out, err = run_captured([*words, "-q", "-f", "hledger", *more], b"", monkeypatch)
        return code, out.decode(), err.decode()

    for by, texts in {
        "day": ["3 bills of 2023-11-30", "1 bill of 2023-12-01"],
        "month": ["3 bills of 2023-11"],
    }.items():
        code, out, err = printed("--by", by)
        assert (code, err) == (0, "")
        assert all(f" * {text}\n" in out for text in texts)
        (tmp_path / "run.journal").write_text(out)
        assert by_hledger(real_hledger, tmp_path / "run.journal")["Assets:Cloud:Balance", "CNY"] == Decimal("1320.34")
        assert not re.search(r"\d,\d", out), "amounts have no groups of digits"
    for more in (["--by", "item"], ["--by", "day,item"], ["--by", "day", "--by", "month"]):
        assert printed(*more)[::2] == (
            2,
            "mps-bill: Invalid value for --by: for hledger, --by is one of day or month\n"
            "Try 'mps-bill settle --help'.\n",
        )
    for more in (["--on", "2023-11"], ["--only", "item=review"]):
        code, _, err = printed(*more)
        assert code == 2
        assert "hledger shows whole bills only" in err


def test_a_default_grouping_gives_way_to_a_format_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grouping in the config file is for everyday tables; a journal uses it only if it is a day or a month."""
    samples = ROOT / "samples"
    monkeypatch.chdir(tmp_path)
    words = ["settle", str(samples / "month-turn.csv"), "-p", "mps-china", "-a", str(samples / "account-studio-a.yaml")]
    for default, text in {"[day, item]": b" * Bill of mps ", "[month]": b" * 3 bills of 2023-11\n"}.items():
        Path("mps-bill.yaml").write_text(f"by: {default}\n")
        code, out, _ = run_captured([*words, "-f", "hledger"], b"", monkeypatch)
        assert code == 0
        assert text in out
        assert run_captured([*words, "-f", "focus"], b"", monkeypatch)[0] == 0
        assert run_captured([*words, "-f", "focus", "--by", "day"], b"", monkeypatch)[0] == 2


def test_entries_made_afterwards_come_after_the_closing() -> None:
    prices = book()
    first = a_run(hours(USAGE, prices), FULL, prices, at("11-12") - 1)
    late = replace(first.settled.closing, top_ups=(*first.settled.closing.top_ups, top_up("11-09 10", "3", "t-9")))
    found = made(a_run((), late, prices))
    assert [(one.date, one.text) for one in found.transactions] == [("2023-11-12", "Top-up t-9")]
    assert made(first).after == "2023-11-12"
    assert clock(first.settled.until, OFFSET) == "2023-11-11 23:59:59"


def test_a_run_in_which_nothing_happens(tmp_path: Path, real_hledger: str) -> None:
    """If the account has reached a time, its balances are asserted then; otherwise there is no date, only a comment."""
    paths = tmp_path / "run.beancount", tmp_path / "run.journal"
    for as_of in (None, at("11-09 12")):
        run = a_run((), FULL, book(), as_of)
        for writer, path in zip((beancount, hledger), paths, strict=True):
            path.write_text(written(writer, made(run)))
        found = by_beancount(paths[0])
        assert {key: one for key, one in by_hledger(real_hledger, paths[1]).items() if one} == found
        if as_of is None:
            assert paths[0].read_text() == "; Account a-1, settled by mps-bill.\n; Nothing happened.\n"
        else:
            assert found["Assets:Cloud:Balance", "CNY"] == 5
            holds(found, run)


@pytest.mark.parametrize("unit", ["GB-month", "frame", "MB"])
def test_plans_are_in_their_own_unit(unit: str, tmp_path: Path, real_hledger: str) -> None:
    run = a_run(hours(USAGE), account("100", plans=(plan("rp-9", "12.5", unit=unit, covers={}),)), book())
    (tmp_path / "run.beancount").write_text(written(beancount, made(run)))
    (tmp_path / "run.journal").write_text(written(hledger, made(run)))
    holds(by_beancount(tmp_path / "run.beancount"), run)
    holds(by_hledger(real_hledger, tmp_path / "run.journal"), run)
    assert statement(run)["Assets:Cloud:Resource-Plans:Rp-9", unit.upper()] == Decimal("12.5")


def test_ids_that_look_alike_have_accounts_of_their_own(tmp_path: Path, real_hledger: str) -> None:
    payer = account("0", vouchers=(voucher("v_1.a", "0.5"), voucher("V-1-a", "0.25"), voucher("other", "1")))
    run = a_run(hours(USAGE), payer, book())
    found = made(run)
    names = [name for name in found.accounts if ":Vouchers:" in name]
    assert len(names) == 3
    assert "Assets:Cloud:Vouchers:Other" in names
    (tmp_path / "run.beancount").write_text(written(beancount, found))
    (tmp_path / "run.journal").write_text(written(hledger, found))
    by_beancount(tmp_path / "run.beancount")
    by_hledger(real_hledger, tmp_path / "run.journal")


def test_accounts_of_the_config_are_used_also_in_chinese(tmp_path: Path, real_hledger: str) -> None:
    named = {
        "balance": "Assets:1123-预付款",
        "vouchers": "Assets:1221-代金券",
        "outstanding": "Liabilities:2202",
        "expenses": "Expenses:6602-云服务",
        "discounts": "Expenses:Rounding",
        "rounding": "Expenses:Rounding",
        "top_ups": "Assets:Bank:ICBC",
    }
    run = full()
    found = made(run, books=Books(named, {"video": "Expenses:6602-05"}))
    (tmp_path / "run.beancount").write_text(written(beancount, found), encoding="utf-8")
    (tmp_path / "run.journal").write_text(written(hledger, found), encoding="utf-8")
    held = by_beancount(tmp_path / "run.beancount")
    by_hledger(real_hledger, tmp_path / "run.journal")
    assert held["Assets:1123-预付款", "CNY"] == balance_of(run.settled.closing)
    assert held["Assets:1221-代金券:V-1", "CNY"] == 0
    assert held["Expenses:6602-05", "CNY"] == sum(
        line.amount for step in run.settled.steps if isinstance(step, Settlement) for line in step.bill.lines
        if line.item.code == "video"
    )  # fmt: skip
    assert {name for name, _ in held} >= {"Expenses:6602-云服务:Mps:Review", "Assets:Bank:ICBC", "Expenses:Rounding"}


NAMES = (
    "Assets:A",
    "Assets:A:B",
    "Assets:A:V-1",
    "Assets:C",
    "Liabilities:D",
    "Liabilities:D:E",
    "Expenses:E",
    "Expenses:E:F",
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(named=st.dictionaries(st.sampled_from([*FLOWS, *BALANCES]), st.sampled_from(NAMES), min_size=1, max_size=6))
def test_accounts_that_the_config_takes_disturb_no_balance(named, tmp_path: Path, real_hledger: str) -> None:
    """Every accepted name makes a journal whose assertions hold in both programs."""
    config = tmp_path / "mps-bill.yaml"
    config.write_text("books:\n" + "".join(f"  {key}: {name}\n" for key, name in named.items()))
    try:
        books = books_of(load_settings(config, {})["books"].values)
    except InputRejected:
        return
    found = made(full(MONTHLY, "12-03"), books=books)
    (tmp_path / "run.beancount").write_text(written(beancount, found))
    (tmp_path / "run.journal").write_text(written(hledger, found))
    assert loaded(tmp_path / "run.beancount")[1] == [], named
    checked = run_command(real_hledger, "-f", tmp_path / "run.journal", "check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, ""), named


def test_every_source_has_its_account_in_the_config() -> None:
    assert [source.pool for source in SOURCES] == list(BALANCES)[: len(SOURCES)]


def test_the_page_shows_what_hledger_reports(tmp_path: Path, real_hledger: str) -> None:
    page = (ROOT / "docs" / "books.md").read_text(encoding="utf-8")
    shown = page.split("$ hledger -f 2023-12.journal ")[1].split("```")[0].split("\n", 1)
    samples = ROOT / "samples"
    words = ["settle", str(samples / "month-turn.csv"), "-p", "mps-china", "-a", str(samples / "account-studio-a.yaml")]
    assert run([*words, "-q", "-o", str(tmp_path / "2023-12.journal")]) == 0
    assert run_command(real_hledger, "-f", tmp_path / "2023-12.journal", *shown[0].split()).stdout == shown[1]
