"""The workbook of a reconciliation, read back by another library, and the CSV, whose amounts sum to the whole difference."""

from __future__ import annotations

import csv
import decimal
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.core.decimals import EXACT
from mps_bill.render import csv as render_csv
from mps_bill.render import xlsx
from mps_bill.view.reconcile_view import ReconcileView
from tests.reconcile.test_reconcile import Case, missing_here, quantity
from tests.render.runs import text


def test_the_workbook_adds_up(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    case = Case(tmp_path)
    quantity(case)
    missing_here(case)
    result = case.compare()
    data = io.BytesIO()
    with decimal.localcontext(EXACT):
        xlsx.write(ReconcileView(result, "USD").tables(), data)
    book = openpyxl.load_workbook(data)
    assert book.sheetnames == ["Summary", "Bills", "Differences", "Categories", "Excluded", "Contradictions"]
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
    render_csv.write(ReconcileView(result, "USD").records(), stream)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert sum(Decimal(row["amount"]) for row in rows) == result.theirs - result.ours
    assert [row["class"] for row in rows] == ["quantity", "missing-here", "contradiction"]


def test_the_json_has_every_difference_with_its_place(tmp_path: Path) -> None:
    case = Case(tmp_path)
    quantity(case)
    document = json.loads(text(ReconcileView(case.compare(), "USD"), "json"))
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
