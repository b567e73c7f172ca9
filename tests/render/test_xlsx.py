"""Workbooks, read back by two other libraries: openpyxl (types, formulas, layout) and calamine (values)."""

from __future__ import annotations

import datetime
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.times import parse_second
from mps_bill.rating.bills import sum_amounts
from mps_bill.render import xlsx
from mps_bill.render.formats import TooLarge
from mps_bill.render.xlsx import MAX_ROWS, parts
from mps_bill.settlement.closing import totals
from mps_bill.view.bill_view import BillView
from mps_bill.view.columns import As, Column, Moment, number
from mps_bill.view.settle_view import SettleView
from mps_bill.view.tables import Report, Table, figures_of
from tests.render.runs import (
    FORMULA,
    HOSTILE,
    bills_of,
    every_run,
    hostile,
    months_of,
    sample_day,
    sample_month,
    settled,
)

pytest.importorskip("xlsxwriter")
openpyxl = pytest.importorskip("openpyxl")
calamine = pytest.importorskip("python_calamine")

#: Times in a workbook have no time zone; these are on the billing clock.
EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001
SHEETS = ["Summary", "Bills", "Lines", "Deductions", "Account", "Control totals"]


def written(data: BillView | SettleView) -> bytes:
    return workbook(data.tables())


def workbook(report: Report) -> bytes:
    stream = io.BytesIO()
    xlsx.write(report, stream)
    return stream.getvalue()


def read(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def values(data: bytes, sheet: str) -> list[list[Any]]:
    """Return the rows of a sheet without its header, read by calamine, as a program sees them that does not calculate."""
    return calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(sheet).to_python()[1:]


def exact(number: float) -> Decimal:
    """Return the decimal of at most 15 digits that a number in a workbook represents."""
    return Decimal(f"{number:.15g}")


def column_of(data: bytes, sheet: str, title: str) -> list[Any]:
    """Return the values of a column, without the row of totals."""
    header = [cell.value for cell in next(read(data)[sheet].iter_rows())]
    return [row[header.index(title)] for row in values(data, sheet)[:-1]]


@pytest.mark.parametrize("name", ["sample day", "bill", "bill, monthly", "bill, pending", "settle", "settle, monthly"])
def test_another_library_sums_the_numbers_of_the_run(name: str, tmp_path: Path) -> None:
    data = every_run(tmp_path)[name]
    book = written(data)
    amounts = [amount for amount in column_of(book, "Lines", "Amount") if amount != ""]
    of_run = sum_amounts(bills_of(data), months_of(data))
    assert all(isinstance(amount, float | int) for amount in amounts)
    assert sum(map(exact, amounts), Decimal(0)) == of_run.list_amount
    payable = sum((exact(amount) for amount in column_of(book, "Bills", "Payable")), Decimal(0))
    assert payable == of_run.payable


def test_every_value_of_every_table_comes_back(tmp_path: Path) -> None:
    for name, data in every_run(tmp_path).items():
        book = written(data)
        for table in data.tables().tables:
            rows = values(book, table.title)
            for row, there in zip(table.rows, rows, strict=False):
                for value, found in zip(row, there, strict=True):
                    value = number(value)
                    where = (name, table.title, value)
                    if isinstance(value, int | Decimal):
                        assert exact(found) == value, where
                    elif isinstance(value, Moment):
                        clock = EPOCH + datetime.timedelta(seconds=value.second + value.offset)
                        # calamine turns midnight into a date.
                        assert datetime.datetime.fromisoformat(str(found)) == clock, where
                    else:
                        assert found == (value or ""), where


def test_payments_are_in_the_row_of_their_bill(tmp_path: Path) -> None:
    run = settled(tmp_path)
    book = written(SettleView(run))
    sums = totals(run.settled)
    for title, paid in (
        ("Vouchers", sums.paid["voucher"]),
        ("Balance", sums.paid["balance"]),
        ("Outstanding", sums.outstanding),
    ):
        assert paid > 0
        assert sum(map(exact, column_of(book, "Bills", title)), Decimal(0)) == paid
    assert sum((exact(cell) for cell in column_of(book, "Deductions", "Amount") if cell != ""), Decimal(0)) == sum(
        sums.paid.values(), Decimal(0)
    )
    units = [exact(cell) for cell in column_of(book, "Deductions", "Plan units") if cell != ""]
    assert units == [Decimal("99.99"), Decimal("2.49")], (
        "33.33 and 0.83 minutes of HD at 3, rounded down to the metering step"
    )


def test_totals_are_formulas_over_all_rows_with_exact_values() -> None:
    data = BillView(sample_day())
    book = written(data)
    sheet = read(book)["Lines"]
    last = sheet.max_row
    header = [cell.value for cell in sheet[1]]
    amount = header.index("Amount")
    letter = openpyxl.utils.get_column_letter(amount + 1)
    assert sheet.cell(last, amount + 1).value == f"=ROUND(SUM('Lines'!${letter}$2:${letter}${last - 1}),10)"
    assert values(book, "Lines")[-1][amount] == 291.646979
    summary = {row[0]: row for row in values(book, "Summary")}
    assert [summary[label][1] for label in ("List amount", "Rounding adjustment", "Payable")] == [
        291.646979,
        -0.056979,
        291.59,
    ]
    assert summary["transcoding"][2:4] == [20, 146.036149]
    formulas = {
        row[0].value: row[3].value for row in read(book)["Summary"].iter_rows() if row[0].value == "transcoding"
    }
    assert str(formulas["transcoding"]).startswith("=ROUND(SUMIFS('Lines'!")


def test_layout() -> None:
    book = read(written(BillView(sample_day())))
    assert book.sheetnames == SHEETS
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A2"
    lines = book["Lines"]
    header = [cell.value for cell in lines[1]]
    assert lines.auto_filter.ref == f"A1:{openpyxl.utils.get_column_letter(len(header))}{lines.max_row - 1}"
    price, amount = (lines.cell(2, header.index(title) + 1) for title in ("Unit price", "Amount"))
    assert price.number_format == "#,##0.0000", "the digits of the price sheet"
    assert amount.number_format == "#,##0.000000_0_0_0_0", "every digit, and space for the four more of other amounts"
    widths = {
        cell.number_format.replace("_", "")
        for (cell,) in lines.iter_rows(2, min_col=amount.column, max_col=amount.column)
    }
    assert widths == {"#,##0.0000000000"}, "decimal points are aligned"
    assert book["Lines"].page_setup.paperSize == 9
    assert lines.column_dimensions["G"].width >= len("SuperResolution.Standard.4K")
    assert book.properties.created.isoformat() == "2023-11-10T18:00:00", "issue time of the last bill, in UTC"


def test_no_text_is_a_formula(tmp_path: Path) -> None:
    for data in (hostile(tmp_path), SettleView(settled(tmp_path))):
        for sheet in read(written(data)).worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        assert str(cell.value).startswith("=ROUND("), cell.value
    names = column_of(written(hostile(tmp_path)), "Lines", "Item name")
    assert HOSTILE in names
    assert FORMULA in names
    plans = read(written(SettleView(settled(tmp_path))))
    assert {cell.data_type for cell in plans["Deductions"]["E"]} == {"s", "n"}, "text, and the empty cell of the totals"


def test_a_run_without_bills_is_a_workbook_too(tmp_path: Path) -> None:
    book = written(every_run(tmp_path)["nothing"])
    assert read(book).sheetnames == SHEETS
    assert [row[1] for row in values(book, "Summary") if row[0] == "Payable"] == [0]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0", ["0"]),
        ("123456789012345", ["123456789012345"]),
        ("12345.67890123450", ["12345.6789012345"]),
        ("123456.7890123456", ["123456.789012345", "0.0000000006"]),
        ("-123456.7890123456", ["-123456.789012345", "-0.0000000006"]),
        (
            "123456789012345678901234567890123.4567",
            ["123456789012345000000000000000000", "678901234567890000", "123.4567"],
        ),
    ],
)
def test_parts_of_decimals(value: str, found: list[str]) -> None:
    assert list(parts(Decimal(value))) == list(map(Decimal, found))


@given(st.decimals(min_value="-999999999999.9999999999", max_value="999999999999.9999999999", places=10))
def test_parts_add_up_and_each_survives_a_double(value: Decimal) -> None:
    found = parts(value)
    assert sum(found, Decimal(0)) == value
    for part in found:
        assert exact(float(part)) == part


def test_a_value_that_no_double_holds_is_split_over_two_columns() -> None:
    long, short = Decimal("123456.7890123456"), Decimal("0.5")
    columns = (Column("Item"), Column("Records", "count"), Column("amount", "amount", summed=True))
    table = Table("Lines", columns, (("a", 1, long), ("b", 2, short)))
    date = parse_second("2023-11-10T00:00:00Z")
    book = workbook(Report("Long", date, (), figures_of(table, ("List amount", "amount")), (table,)))
    sheet = read(book)["Lines"]
    assert [cell.value for cell in sheet[1]] == ["Item", "Records", "Amount", "Amount beyond 15 digits"]
    assert exact(sheet["C2"].value) + exact(sheet["D2"].value) == long
    assert (sheet["C3"].value, sheet["D3"].value) == (0.5, None)
    assert sheet["C4"].value == "=ROUND(SUM('Lines'!$C$2:$C$3,'Lines'!$D$2:$D$3),10)"
    assert read(book)["Summary"]["C4"].value == "exactly 123,457.2890123456"


def test_a_price_among_other_figures_keeps_its_zeros_and_their_points_are_aligned() -> None:
    figures = (As(Decimal("0.0650"), "price"), As(Decimal("0.1"), "amount"))
    table = Table("Differences", (Column("ours", "quantity"),), [(figure,) for figure in figures])
    sheet = read(workbook(Report("Differences", 0, (), (), (table,))))["Differences"]
    assert [sheet[cell].number_format for cell in ("A2", "A3")] == ["#,##0.0000", "#,##0.00_0_0"]


def test_equal_runs_make_equal_bytes() -> None:
    data = BillView(sample_day())
    first, second = written(data), written(data)
    assert first == second
    assert all(entry.date_time[0] == 1980 for entry in zipfile.ZipFile(io.BytesIO(first)).infolist())


def test_more_rows_than_a_sheet_holds_are_refused() -> None:
    table = Table("Lines", (Column("Item"),), (("a",),) * (MAX_ROWS - 1))
    with pytest.raises(TooLarge, match="Lines has 1048575 rows"):
        workbook(Report("Large", 0, (), (), (table,)))


def test_a_summary_is_two_sheets_of_a_page_each() -> None:
    view = SettleView(sample_month(), by=(("tag_project",),), tags=("tag_project",), in_short=True)
    data = written(view)
    book = read(data)
    assert book.sheetnames == ["Page 1", "Page 2"]
    for sheet in book.worksheets:
        setup = sheet.page_setup
        assert (setup.paperSize, setup.orientation, setup.fitToWidth, setup.fitToHeight) == (
            9,
            "portrait",
            None,
            None,
        )
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, "to one page, which is the default"
        assert sheet.print_area
    first, second = ({row[0].value: row for row in sheet.iter_rows()} for sheet in book.worksheets)
    assert first["Costs: 2023-12"]
    amount = first["List amount"][1]
    assert (amount.value, amount.number_format) == (2844.9350586667, "#,##0.00"), "shown rounded, and kept whole"
    assert first["Payable"][1].value == 2841.4
    assert first["Total"][4].value.startswith("=ROUND(SUM('Page 1'!$E$")
    [chart] = book["Page 1"]._charts
    assert [column_of_chart(data, chart), len(book["Page 2"]._charts)] == [Decimal("2841.40"), 0]
    end = chart.anchor.to
    assert (end.col, end.colOff) == (5, 0), "as wide as what is printed, A to E"
    by_project = values(data, "Page 2")
    assert by_project[2][:2] == ["drama", 1484]
    assert second["Resource plan rp-7"][5].value == 0.005
    assert second["Stored-value card c-7"][7].value.isoformat() == "2025-01-01T00:00:00"
    assert second["Available credit"][5].value == 758.6
    assert second["Figures in summaries are shown to 2 decimal places; the cells have every digit."]


def column_of_chart(data: bytes, chart: Any) -> Decimal:
    """Return the sum of the bars of a chart, whose numbers are in cells that are not printed."""
    name, _, cells = chart.series[0].val.numRef.f.partition("!")
    sheet = read(data)[name.strip("'")]
    assert sheet[cells][0][0].column > openpyxl.utils.range_boundaries(sheet.print_area.partition("!")[2])[2]
    return sum((exact(cell.value) for (cell,) in sheet[cells]), Decimal(0))


def test_a_summary_in_a_workbook_says_that_it_is_rounded() -> None:
    book = read(written(BillView(sample_day(), by=(("item",),))))
    rows = {row[0].value: row for row in book["By item"].iter_rows()}
    assert rows["Figures in summaries are shown to 2 decimal places; the cells have every digit."]
    amount = rows["narrowband_hd_1"][-1]
    assert (amount.value, amount.number_format) == (13.262775, "#,##0.00")
