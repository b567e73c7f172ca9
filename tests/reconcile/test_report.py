"""The workbook of a reconciliation, read back by another library, and the CSV, whose amounts sum to the whole difference."""

from __future__ import annotations

import csv
import decimal
import io
from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.core.decimals import EXACT
from mps_bill.report.reconcile_data import reconciliation_json, reconciliation_tables, write_reconciliation_csv
from mps_bill.report.xlsx import workbook
from tests.reconcile.test_reconcile import Case, missing_here, quantity


def test_the_workbook_adds_up(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    case = Case(tmp_path)
    quantity(case)
    missing_here(case)
    result = case.compare()
    with decimal.localcontext(EXACT):
        data = workbook(*reconciliation_tables(result, "USD"))
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["Summary", "Bills", "Differences", "Classes", "Set apart", "Contradictions"]
    sheet = book["Differences"]
    at = [cell.value for cell in sheet[1]].index("Amount")
    amounts = [
        Decimal(str(row[at]))
        for row in sheet.iter_rows(min_row=2, values_only=True)
        if isinstance(row[at], int | float)
    ]
    assert sum(amounts) == result.theirs - result.ours


def test_the_amounts_of_the_csv_sum_to_the_whole_difference(tmp_path: Path) -> None:
    case = Case(tmp_path)
    quantity(case)
    missing_here(case)
    case.rows[1]["现金支付"] = "0"
    result = case.compare()
    stream = io.StringIO()
    write_reconciliation_csv(stream, result)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert sum(Decimal(row["amount"]) for row in rows) == result.theirs - result.ours
    assert [row["class"] for row in rows] == ["quantity", "missing-here", "contradiction"]


def test_the_json_has_every_difference_with_its_place(tmp_path: Path) -> None:
    case = Case(tmp_path)
    quantity(case)
    document = reconciliation_json(case.compare(), "USD")
    [found] = [one for bill in document["bills"] for one in bill["differences"]]
    assert (found["class"], found["ours"], found["theirs"], found["unit"], found["amount"], found["line"]) == (
        "quantity",
        "10",
        "11",
        "minute",
        "0.06",
        2,
    )
    assert document["total"]["difference"] == "0.06"
