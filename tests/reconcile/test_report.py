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
from mps_bill.render import html, xlsx
from mps_bill.view.reconcile_view import ReconcileView
from mps_bill.view.tables import Heading, Note, Table
from tests.reconcile.exports import answer, bill_items
from tests.reconcile.test_reconcile import Case, late, missing_here, price, quantity
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


def test_the_summary_comes_before_the_details(tmp_path: Path) -> None:
    case = Case(tmp_path, paid=True)
    missing_here(case)
    case.rows[0]["欠费金额"] = "1"
    titles = [block.title for block in ReconcileView(case.compare(), "USD").printed() if isinstance(block, Table)]
    assert titles == [
        "Payable",
        "By category",
        "Payments of the bills that both sides have",
        "Checks of the export",
        "Differences (theirs - ours)",
    ]


def test_the_details_are_those_of_the_bills_that_differ_by_most(tmp_path: Path) -> None:
    case = Case(tmp_path)
    quantity(case)
    price(case)
    late(case)
    view = ReconcileView(case.compare(), "USD", in_full=2)
    [differences] = [one for one in view.printed() if isinstance(one, Table) and one.title.startswith("Differences")]
    headings = [row.text for row in differences.rows if isinstance(row, Heading)]
    assert [text.partition(": ")[0] for text in headings] == ["mps 2023-11-10 13:00", "mps 2023-11-10 16:00"]
    rest = [row for row in differences.rows if not isinstance(row, Heading)][-1]
    assert (rest[0], rest[-1]) == ("and 2 more bills", Decimal("0.08"))
    assert [row[-1] for row in differences.totals] == [Decimal("0.08")]
    notes = [block.text for block in view.printed() if isinstance(block, Note)]
    assert "2 bills with differences of 0.08 USD in total are only summarised; --all prints every difference." in notes
    assert len(list(view.records().rows)) == 4
    found = {table.title: table for table in view.page().tables}
    assert len(found["Differences"].rows) == 2
    assert len(view.tables().tables[1].rows) == 4


def test_the_page_has_its_summary_first(tmp_path: Path) -> None:
    case = Case(tmp_path)
    quantity(case)
    report = ReconcileView(case.compare(), "USD").page()
    assert [table.title for table in report.tables][:2] == ["Payable", "Categories"]
    paid = ReconcileView(Case(tmp_path, paid=True).compare(), "USD").page()
    assert "Payments of the bills that both sides have" in [table.title for table in paid.tables]
    with decimal.localcontext(EXACT):
        shown = html.page(report)
    titles = ("Payable</h2>", "Categories</h2>", "Differences</h2>", "Bills</h2>")
    places = [shown.index(title) for title in titles]
    assert places == sorted(places)
    assert "1 of 5 bills differs." in shown
    assert "<dt>Difference</dt><dd>0.06" in shown
    assert "export.csv:2" in shown


def test_a_difference_of_an_excluded_product_says_so(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows[0]["产品"] = "媒体新品"
    for row in case.rows[3:5]:
        row["产品"] = "媒体新品"
    case.rows.append(case.rows[1] | {"产品": "云服务器 ECS", "计费项": "vCPU"})
    result = case.compare()
    assert [one.note.replace(f"{tmp_path}/", "") for _, one in result.differences] == [
        'the whole bill of 1 line, excluded: a product that no mapping names, "媒体新品" (export.csv:2)',
        'the whole bill of 2 lines, excluded: a product that no mapping names, "媒体新品" (export.csv:5)',
    ]


def test_a_line_excluded_elsewhere_is_not_a_hint(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows.append(case.rows[0] | {"产品": "媒体新品", "计费项": "H264.LD"})
    del case.rows[0]
    assert [one.note for _, one in case.compare().differences] == ["the whole bill of 1 line"]


def test_a_line_that_is_excluded_and_a_bill_without_items(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows[3]["产品"] = "媒体新品"
    [note] = [one.note for _, one in case.compare().differences]
    assert note.startswith('excluded: a product that no mapping names, "媒体新品"')
    items = bill_items(case.run.bills)
    items[0]["ProductName"] = "媒体新品"
    [note] = [one.note for _, one in case.compare(answer(items)).differences]
    assert note.startswith('the whole bill of 1 line, excluded: a product that no mapping names, "媒体新品"')


def test_bills_without_items_say_what_to_fetch(tmp_path: Path) -> None:
    case = Case(tmp_path)
    view = ReconcileView(case.compare(answer(bill_items(case.run.bills))), "USD")
    first = next(block.text for block in view.printed() if isinstance(block, Note))
    assert (
        "mps has no billing items here, so each billing cycle is compared as a whole; to see items, fetch"
        " DescribeInstanceBill with IsBillingItem=true and Granularity=DAILY."
    ) in first
    assert view.document()["without_items"] == ["mps"]
