"""The program as a library: the same figures as the commands print, as values of Python and of Arrow."""

from __future__ import annotations

import csv
import doctest
import io
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import mps_bill
from mps_bill import InputRejected, api, bill, load_account, load_prices, settle
from mps_bill.cli import run
from mps_bill.render.cells import as_data
from mps_bill.view.columns import Moment
from tests.conftest import ROOT
from tests.test_architecture import modules_loaded_by

SAMPLES = ROOT / "samples"
USAGE = SAMPLES / "studio-2023-11-10.csv"
ACCOUNT = SAMPLES / "account-studio-a.yaml"
MONTHLY = ROOT / "tests" / "golden" / "bill" / "monthly-settlement-csv"


@pytest.fixture(scope="module")
def prices() -> mps_bill.PriceBook:
    return load_prices("mps-china")


def printed(words: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    """The rows that a command prints as CSV."""
    assert run(words.split()) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def text_of(cell: api.Cell, column: str) -> str:
    """A value of Python as the command prints it."""
    if isinstance(cell, datetime):
        offset = cell.utcoffset()
        assert offset is not None
        return as_data(Moment(int((cell - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()), offset.seconds))
    assert not isinstance(cell, float)
    return as_data(cell, "price" if column == "unit_price" else "text")


def total(rows: list[dict[str, Any]], column: str) -> Decimal:
    return sum((row[column] for row in rows if row[column] is not None), Decimal(0))


def test_rows_are_those_of_the_command(prices: mps_bill.PriceBook, capsys: pytest.CaptureFixture[str]) -> None:
    rows = bill(USAGE, prices).to_dicts()
    as_text = [{key: text_of(cell, key) for key, cell in row.items()} for row in rows]
    assert as_text == printed(f"bill {USAGE} --prices mps-china --format csv", capsys)
    account = load_account(ACCOUNT, prices)
    rows = settle([USAGE], prices, account).to_dicts()
    as_text = [{key: text_of(cell, key) for key, cell in row.items()} for row in rows]
    assert as_text == printed(f"settle {USAGE} --prices mps-china --account {ACCOUNT} --format csv -q", capsys)


def test_sums_are_exact_and_rows_add_up_to_them(prices: mps_bill.PriceBook) -> None:
    bills = bill(str(USAGE), prices)
    assert (bills.currency, bills.payable, bills.list_amount) == ("CNY", Decimal("291.59"), Decimal("291.646979"))
    assert (bills.discount, bills.rounding_adjustment) == (0, Decimal("-0.056979"))
    assert total(bills.to_dicts(), "amount") == bills.payable
    assert bills.control_totals["rows_read"] == 39 == sum(bills.control_totals.values()) - 39
    assert (bills.problems, bills.notices) == ((), ())
    settled = settle(USAGE, prices, load_account(ACCOUNT, prices))
    assert settled.payable == Decimal("278.90") == total(settled.to_dicts(), "amount")
    assert settled.paid == {"voucher": 50, "stored_value_card": 200, "balance": Decimal("28.90"), "credit_line": 0}
    assert (settled.outstanding, settled.frozen) == (0, 0)
    assert total(settled.to_dicts(), "paid") == settled.payable


def test_a_contract_and_a_time_change_what_is_billed(prices: mps_bill.PriceBook) -> None:
    account = load_account(ACCOUNT, prices)
    discounted = bill(USAGE, prices, account=account)
    assert discounted.discount > 0
    assert discounted.payable == discounted.list_amount - discounted.discount + discounted.rounding_adjustment
    early = bill(USAGE, prices, as_of=datetime.fromisoformat("2023-11-10T14:00:00+08:00"))
    # The first three bills: 3.17, 0.29 and 1.19.
    assert early.payable == Decimal("4.65")
    assert {row["status"] for row in early.to_dicts()} == {"issued", "pending"}
    with pytest.raises(ValueError, match="must have an offset"):
        bill(USAGE, prices, as_of=datetime(2023, 11, 10, 14))  # noqa: DTZ001


def test_the_row_of_a_statement_begins_with_its_month() -> None:
    result = bill(MONTHLY / "usage.csv", load_prices(MONTHLY / "studio.yaml"))
    statements = [row for row in result.to_dicts() if row["row"] == "rounding_adjustment"]
    assert [(str(row["cycle_start"]), row["amount"]) for row in statements] == [
        ("2023-11-01 00:00:00+08:00", Decimal("-0.002")),
        ("2023-12-01 00:00:00+08:00", Decimal("-0.001085")),
    ]
    assert len(result.to_arrow()) == len(result.to_dicts())


def test_settling_goes_on_from_the_account_of_the_result(prices: mps_bill.PriceBook) -> None:
    account = load_account(ACCOUNT, prices)
    first = settle(USAGE, prices, account)
    again = settle(USAGE, prices, first.account)
    assert (again.payable, again.control_totals["rows_late"]) == (0, 35)
    assert settle(USAGE, prices, account).payable == first.payable


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_arrow_keeps_every_digit(library: str, prices: mps_bill.PriceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(library)
    if library == "polars":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    import polars

    result = bill(USAGE, prices)
    table = result.to_arrow()
    assert type(table).__module__.partition(".")[0] == library
    frame = polars.DataFrame(table)
    rows = result.to_dicts()
    assert frame.columns == list(rows[0])
    for column in ("quantity", "unit_price", "amount"):
        assert frame.schema[column] == polars.Decimal(38, 10)
    for column in frame.columns:
        assert frame[column].to_list() == [row[column] for row in rows]
    assert frame["amount"].sum() == result.payable


def test_without_an_arrow_library_a_message_says_what_to_install(
    prices: mps_bill.PriceBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("pyarrow", "polars"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        bill(USAGE, prices).to_arrow()


def test_a_refusal_has_all_its_problems(prices: mps_bill.PriceBook, tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="and 8 more") as refused:
        bill(SAMPLES / "bad-delivery.csv", prices)
    assert [problem.place.line for problem in refused.value.problems] == [2, 3, 4, 5, 6, 7, 8, 9, 11]
    assert refused.value.problems[0].kind.code == "U202"
    with pytest.raises(InputRejected, match="no such file"):
        bill("gone.csv", prices)
    with pytest.raises(InputRejected, match="No such file"):
        load_account(tmp_path / "gone.yaml", prices)
    with pytest.raises(InputRejected, match="no price sheet is given"):
        load_prices()


def test_good_rows_of_a_bad_file(prices: mps_bill.PriceBook) -> None:
    bills = bill(SAMPLES / "bad-delivery.csv", prices, bill_good_rows=True)
    assert bills.control_totals["rows_rejected"] == 10
    assert len(bills.problems) == 9


def test_the_package_loads_nothing_until_it_is_asked(tmp_path: Path) -> None:
    loaded = {
        name for name in modules_loaded_by("import mps_bill; mps_bill.__version__", tmp_path) if "mps_bill" in name
    }
    assert loaded == {"mps_bill"}
    with pytest.raises(AttributeError, match="no attribute 'bils'"):
        mps_bill.bils  # type: ignore[attr-defined] # noqa: B018


def test_the_public_names_are_one_list() -> None:
    assert sorted(api.__all__) == sorted(mps_bill.__all__)
    assert all(getattr(mps_bill, name) is getattr(api, name) for name in mps_bill.__all__)


def test_the_library_is_typed(tmp_path: Path) -> None:
    script = tmp_path / "month.py"
    script.write_text(
        "from decimal import Decimal\n"
        "from mps_bill import InputRejected, bill, load_account, load_prices, settle\n"
        'prices = load_prices("mps-china")\n'
        'total: Decimal = bill("usage.csv", prices).payable\n'
        'left: Decimal = settle(["usage.csv"], prices, load_account("account.yaml", prices)).outstanding\n'
        'wrong: int = bill("usage.csv", prices).payable\n'
    )
    words = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run([*words, str(script)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert [
        line.partition("error: ")[2] for line in done.stdout.splitlines() if "error" in line and "Found" not in line
    ] == ['Incompatible types in assignment (expression has type "Decimal", variable has type "int")  [assignment]']


def test_the_page_of_the_manual_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    page = ROOT / "docs" / "python.md"
    found = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert (found.failed, found.attempted > 15) == (0, True)


def test_a_result_is_one_line_and_wrong_arguments_say_what_is_wanted(tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(
        "job_id,completed_at,region,item,quantity,unit\na,2023-11-10T11:20:00+08:00,cn-shanghai,transmuxing,10,minute\n"
    )
    prices = mps_bill.load_prices("mps-china")
    assert repr(mps_bill.bill(usage, prices)) == "<BillResult: payable 0.07 CNY, 1 rows read>"
    with pytest.raises(TypeError, match="load_prices"):
        mps_bill.bill(usage, "mps-china")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a time must be a datetime"):
        mps_bill.bill(usage, prices, as_of="2023")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="auto, duckdb"):
        mps_bill.bill(usage, prices, engine="x")  # type: ignore[arg-type]
