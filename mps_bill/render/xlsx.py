"""A report as an Excel workbook: typed numbers without loss, totals by formula.

A field is a column of a table; it can take several columns of a sheet.

A number in a workbook is a binary double, which keeps 15 significant digits. A decimal with more digits is split: the first 15
are in its cell and the rest in an additional column `... beyond 15 digits`, so that the cells add up to the decimal and no digit
is lost. There is such a column only if some value needs it.
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, ZERO, strip_zeros
from mps_bill.core.diagnostics import width_of
from mps_bill.core.language import mark, tr
from mps_bill.render.cells import as_text, is_rounded
from mps_bill.render.formats import TooLarge
from mps_bill.view.columns import MONEY_PLACES, As, Column, Moment, Value, number
from mps_bill.view.tables import BILLS, LINES, Report, Series, Table

if TYPE_CHECKING:
    from xlsxwriter.chart import Chart
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

#: The characters that the name of a sheet may not have, and its maximum length.
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_LONGEST_NAME = 31
#: The maximum number of rows of a worksheet, including the header and the totals.
MAX_ROWS = 1_048_576
_DIGITS = 15
_CUT = decimal.Context(prec=_DIGITS, rounding=decimal.ROUND_DOWN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST = 48
_HEAD_ROWS = 1
_A4 = 9
#: The note below tables with rounded figures.
_ROUNDED = mark("Figures in summaries are shown to 2 decimal places; the cells have every digit.")
#: The height of a chart on a page in rows of 20 pixels. Its width is that of the columns: pixels per character and per column.
_CHART_ROWS, _ROW_PIXELS, _CHARACTER_PIXELS, _COLUMN_PIXELS = 13, 20, 7, 5
#: The width of the first column of a page, which has the names of items and sources.
_FIRST_WIDTH = 30


def write(report: Report, stream: IO[bytes]) -> None:
    """Write the summary and a sheet for each table, or for paper a sheet for each page. Equal input makes equal bytes.

    Raises:
        TooLarge: a table does not fit a sheet.
    """
    import xlsxwriter

    for table in report.tables:
        if len(table.rows) + _HEAD_ROWS + 1 > MAX_ROWS:
            raise TooLarge(
                f"{table.title} has {len(table.rows)} rows; a sheet of a workbook holds {MAX_ROWS}; CSV has no such limit"
            )
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"title": report.title, "created": _EPOCH + timedelta(seconds=report.date)})
    writer = _Writer(book)
    if report.pages:
        writer.pages(report)
    else:
        first = book.add_worksheet(tr("Summary"))
        writer.summary(first, report, [writer.table(table) for table in report.tables])
    book.close()


def parts(value: Decimal) -> tuple[Decimal, ...]:
    """Split `value` into decimals of at most 15 digits, which doubles keep exactly and which add up to `value`."""
    if len(value.as_tuple().digits) <= _DIGITS:
        return (value,)
    found: list[Decimal] = []
    rest = value
    while rest or not found:
        found.append(_CUT.plus(rest))
        rest = EXACT.subtract(rest, found[-1])
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A written table: the name of its sheet, the columns of each field, from 0 (several if its values are split), and the first
    and last row of its values, from 1; `end` is the row after its totals, from 0."""

    table: Table
    name: str
    columns: tuple[tuple[int, ...], ...]
    first_row: int
    last_row: int
    end: int

    def ranges(self, index: int) -> list[str]:
        """Return the cell ranges of a field's values for a formula."""
        from xlsxwriter.utility import xl_col_to_name

        letters = map(xl_col_to_name, self.columns[index])
        return [f"'{self.name}'!${letter}${self.first_row}:${letter}${self.last_row}" for letter in letters]


class _Writer:
    """Writes the sheets of one workbook, and creates each cell format once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}

    def _name(self, title: str) -> str:
        """Turn a title into a valid sheet name: without the characters that Excel forbids, not too long, and unique."""
        taken = {sheet.name.casefold() for sheet in self._book.worksheets()}
        name = _FORBIDDEN.sub(",", title)
        short, number = name[:_LONGEST_NAME], 1
        while short.casefold() in taken:
            number += 1
            short = f"{name[: _LONGEST_NAME - 1 - len(str(number))]} {number}"
        return short

    def table(self, table: Table) -> _Sheet:
        """Write a sheet with a frozen header, the rows, and totals by formula if the table has summed fields."""
        sheet = self._book.add_worksheet(self._name(table.title))
        widths: dict[int, int] = {}
        written = self._rows(sheet, table, 0, widths)
        remarks = [table.remark, tr(_ROUNDED) if is_rounded(table) else ""]
        for row, remark in enumerate(filter(None, remarks), written.last_row + 2):
            self._text(sheet, row, 0, remark, italic=True)
        self._widen(sheet, widths)
        sheet.freeze_panes(_HEAD_ROWS, 0)
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(widths) - 1)
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        return written

    def _widen(self, sheet: Worksheet, widths: dict[int, int]) -> None:
        for column, width in widths.items():
            sheet.set_column(column, column, width)

    def _rows(self, sheet: Worksheet, table: Table, top: int, widths: dict[int, int], left: int = 0) -> _Sheet:
        """Write a table into a sheet, starting at the row `top` and the column `left`, with totals by formula if it has summed
        fields. Update the `widths` that columns need."""
        titles: list[str] = []
        columns: list[tuple[int, ...]] = []
        for index, field in enumerate(table.columns):
            beyond = range(1, _most_parts(table, index))
            start = left + len(titles)
            columns.append(tuple(range(start, start + 1 + len(beyond))))
            beyond_it = mark("{column} beyond {n} digits")
            titles += [field.label, *(tr(beyond_it, column=field.label, n=_DIGITS * part) for part in beyond)]
        numeric = [column for field, of in zip(table.columns, columns, strict=True) if field.is_number for column in of]
        for column, title in enumerate(titles, left):
            side = {"align": "right"} if column in numeric else {"align": "left", "indent": 1} if column > left else {}
            self._text(sheet, top, column, title, bold=True, bottom=1, text_wrap=True, valign="top", **side)
            widths[column] = max(widths.get(column, 0), max(10, *map(width_of, title.split())) + 2)
        first = top + _HEAD_ROWS
        last = first + len(table.rows)
        is_summed = bool(table.rows) and any(field.summed for field in table.columns)
        totals = [] if is_summed else table.totals
        written = _Sheet(table, sheet.name, tuple(columns), first + 1, last, last + (1 if is_summed else len(totals)))
        places = [_most_places(table, index) for index in range(len(columns))]
        for at, row in enumerate((*table.values, *totals), first):
            look = {"bold": True, "top": int(at == last)} if at >= last else {}
            for index, (value, field, (column, *_)) in enumerate(zip(row, table.columns, columns, strict=True)):
                room = {"indent": 1} if column > left and isinstance(value, str | Moment) else {}
                shown = self._value(sheet, at, column, value, field, places[index], **look, **room)
                widths[column] = max(widths[column], min(_WIDEST, shown + 2))
        if is_summed:
            self._totals(sheet, written, widths, places)
        return written

    def _value(
        self, sheet: Worksheet, row: int, column: int, value: Value, field: Column, places: int = 0, **look: Any
    ) -> int:
        """Write a value, over several cells if it must be split, and return the number of characters that the first cell shows.
        The decimal point is aligned with that of numbers with this number of `places`."""
        if value is None:
            if look:
                sheet.write_blank(row, column, None, self._format(**look))
            return 0
        if isinstance(value, Moment):
            local = (_EPOCH + timedelta(seconds=value.second + value.offset)).replace(tzinfo=None)
            shape = tr("yyyy-mm-dd hh:mm")
            sheet.write_datetime(row, column, local, self._format(num_format=shape, align="left", **look))
            return width_of(shape.replace('"', ""))
        if isinstance(value, str):
            self._text(sheet, row, column, value, **look)
            return width_of(value)
        exact, kind = _figure(value, field)
        numbers = parts(exact)
        for beyond, part in enumerate(numbers):
            shape = _number_format(part, kind, field.places, 0 if beyond else places)
            sheet.write_number(row, column + beyond, part, self._format(num_format=shape, **look))
        return len(format(numbers[0], ",f"))

    def _text(self, sheet: Worksheet, row: int, column: int, text: str, **look: Any) -> None:
        # The general `write` would take text that starts with "=" for a formula.
        sheet.write_string(row, column, text, self._format(**look) if look else None)

    def _totals(self, sheet: Worksheet, written: _Sheet, widths: dict[int, int], places: Sequence[int]) -> None:
        self._text(sheet, written.last_row, 0, tr("Total"), bold=True, top=1)
        for index, field in enumerate(written.table.columns):
            column = written.columns[index][0]
            if index and not field.summed:
                sheet.write_blank(written.last_row, column, None, self._format(top=1))
            elif field.summed:
                sums = f"SUM({','.join(written.ranges(index))})"
                exact = written.table.total(index)
                shown = self._sum(sheet, written.last_row, column, sums, exact, field, places[index], top=1)
                widths[column] = max(widths[column], shown + 2)

    def _sum(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        sums: str,
        exact: Decimal,
        field: Column,
        places: int = 0,
        **look: Any,
    ) -> int:
        """Write a sum by formula, with the exact sum as the value for programs that do not calculate.

        The sum of doubles has an error far after the tenth decimal, which rounding to ten decimals removes.
        """
        exact = strip_zeros(exact)
        shape = _number_format(exact, field.kind, field.places, places)
        cell = self._format(num_format=shape, bold=True, **look)
        sheet.write_formula(row, column, f"=ROUND({sums},{AMOUNT_PLACES})", cell, exact)
        return len(format(exact, ",f"))

    def summary(self, sheet: Worksheet, report: Report, sheets: Sequence[_Sheet]) -> None:
        self._text(sheet, 0, 0, report.title, bold=True, font_size=14)
        row = 2
        for label, value in report.facts:
            self._text(sheet, row, 0, label)
            self._value(sheet, row, 1, value, Column("", "count" if isinstance(value, int) else "amount"))
            row += 1
        row += 1
        source = next((sheet for sheet in sheets if sheet.table.name == BILLS), sheets[0])
        places = max((_places(figure.amount, "amount") for figure in report.figures), default=0)
        for figure in report.figures:
            index = source.table.index(figure.key)
            self._text(sheet, row, 0, figure.label, bold=True)
            sums = f"SUM({','.join(source.ranges(index))})" if source.table.rows else "0"
            self._sum(sheet, row, 1, sums, figure.amount, source.table.columns[index], places)
            if len(parts(figure.amount)) > 1:
                self._text(sheet, row, 2, tr("exactly {amount}", amount=as_text(figure.amount, "amount")))
            row += 1
        if report.items:
            lines = next(sheet for sheet in sheets if sheet.table.id == LINES)
            self._by_item(sheet, row + 1, report.items, lines)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 32)
        sheet.set_column(2, 4, 18)

    def _by_item(self, sheet: Worksheet, row: int, items: Sequence[tuple[str, str]], lines: _Sheet) -> None:
        codes, records, amounts = (lines.table.index(key) for key in ("item", "records", "amount"))
        self._text(sheet, row, 0, tr("By item"), bold=True, font_size=12)
        row += 1
        for column, title in enumerate((tr("Item"), tr("Name"), tr("Records"), tr("List amount"))):
            self._text(sheet, row, column, title, bold=True, bottom=1)
        for code, name in items:
            row += 1
            self._text(sheet, row, 0, code)
            self._text(sheet, row, 1, name)
            for column, index in ((2, records), (3, amounts)):
                sums = (f"SUMIFS({numbers},{lines.ranges(codes)[0]},$A${row + 1})" for numbers in lines.ranges(index))
                own = (number(line[index]) for line in lines.table.values if line[codes] == code)
                exact = sum((value for value in own if isinstance(value, Decimal)), ZERO)
                self._sum(sheet, row, column, "+".join(sums), exact, lines.table.columns[index])

    def pages(self, report: Report) -> None:
        """Write a sheet for each page, to be printed on one page: figures and the chart on the first, notes on the last."""
        for page, tables in enumerate(report.pages):
            sheet = self._book.add_worksheet(tr("Page {n}", n=page + 1))
            widths = {0: _FIRST_WIDTH}
            width = max(len(table.columns) for table in tables)
            charts: list[Chart] = []
            row = 0 if page else self._head(sheet, report, width, charts)
            for table in tables:
                self._text(sheet, row, 0, table.title, bold=True, font_size=12)
                row = self._rows(sheet, table, row + 1, widths).end
                row = self._paragraphs(sheet, row, [table.remark] if table.remark else [], widths) + 1
            if page == len(report.pages) - 1:
                rounded = (
                    [tr(_ROUNDED)] if any(is_rounded(table) for tables in report.pages for table in tables) else []
                )
                facts = [tr("{name}: {value}", name=label, value=as_text(value)) for label, value in report.facts]
                row = self._paragraphs(sheet, row, [*facts, *report.notes, *rounded], widths)
            self._widen(sheet, widths)
            for chart in charts:
                # The widths are known only now, and anything wider than the columns is not printed.
                chart.set_size({"width": sum(_CHARACTER_PIXELS * chars + _COLUMN_PIXELS for chars in widths.values())})
            sheet.set_paper(_A4)
            sheet.fit_to_pages(1, 1)
            sheet.print_area(0, 0, row, max(widths))
            sheet.hide_gridlines(2)

    def _head(self, sheet: Worksheet, report: Report, width: int, charts: list[Chart]) -> int:
        """Write the title, the figures and the charts, with their numbers right of the printed area; return the next row."""
        self._text(sheet, 0, 0, report.title, bold=True, font_size=16)
        self._text(sheet, 1, 0, " · ".join(report.about))
        row = 3
        field = Column("amount", "amount", places=MONEY_PLACES)
        for figure in report.figures:
            is_main = {"bold": True} if figure.key == "payable" else {}
            self._text(sheet, row, 0, figure.label, **is_main)
            self._value(sheet, row, 1, figure.amount, field, **is_main)
            self._text(sheet, row, 2, report.currency, **is_main)
            row += 1
        for series in report.charts:
            if series.bars:
                charts.append(self._chart(sheet, series, row + 1, width + 1, report.currency))
                row += 1 + _CHART_ROWS
        return row + 1

    def _chart(self, sheet: Worksheet, series: Series, row: int, beside: int, currency: str) -> Chart:
        title = tr("{title}, {currency}", title=series.title, currency=currency)
        rows = [(bar.label, bar.amount) for bar in series.bars]
        widths: dict[int, int] = {}
        columns = (Column("of", title=tr("Time")), Column("amount", "amount"))
        data = self._rows(sheet, Table(title, columns, rows), 0, widths, beside)
        self._widen(sheet, widths)
        labels, amounts = (f"={data.ranges(index)[0]}" for index in (0, 1))
        chart = self._book.add_chart({"type": "column"})
        chart.add_series({"categories": labels, "values": amounts, "gap": 30, "fill": {"color": "#1F6FEB"}})
        chart.set_title({"name": title, "name_font": {"size": 11, "bold": False}})
        chart.set_legend({"none": True})
        few = max(bar.amount for bar in series.bars) < 10
        chart.set_y_axis(
            {
                "num_format": "#,##0.00" if few else "#,##0",
                "major_gridlines": {"visible": True, "line": {"color": "#DDE2E8"}},
            }
        )
        chart.set_size({"height": _CHART_ROWS * _ROW_PIXELS})
        sheet.insert_chart(row, 0, chart)
        return chart

    def _paragraphs(self, sheet: Worksheet, row: int, texts: Sequence[str], widths: dict[int, int]) -> int:
        """Write texts over the width of the columns, and return the next row."""
        for text in texts:
            look = self._format(italic=True, text_wrap=True, valign="top")
            sheet.merge_range(row, 0, row, max(widths), "", look)
            sheet.write_string(row, 0, text, look)
            sheet.set_row(row, 15 * -(-width_of(text) // sum(widths.values())))
            row += 1
        return row

    def _format(self, **look: Any) -> Format:
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(look)
        return self._formats[key]


def _most_parts(table: Table, index: int) -> int:
    """Return the number of cells that the longest value of a field takes."""
    return max(
        (len(parts(value)) for row in table.values if isinstance(value := number(row[index]), Decimal)), default=1
    )


def _most_places(table: Table, index: int) -> int:
    """Return the maximum number of decimal places that a column shows, including its total."""
    field = table.columns[index]
    if field.places is not None or not field.is_number:
        return field.places or 0
    cells = (row[index] for row in (*table.values, *table.totals))
    values = (*cells, *([table.total(index)] if field.summed else []))
    figures = (_figure(value, field) for value in values if isinstance(number(value), Decimal))
    return max((_places(parts(exact)[0], kind) for exact, kind in figures), default=0)


def _figure(value: Value, field: Column) -> tuple[Decimal, str]:
    """Return the decimal to write for a number, and its kind. A price keeps the zeros with which the price sheet writes it."""
    kind = value.kind if isinstance(value, As) else field.kind
    exact = number(value)
    assert isinstance(exact, Decimal)
    return (exact if kind == "price" else strip_zeros(exact)), kind


def _places(value: Decimal, kind: str) -> int:
    """Return the number of decimal places of a value; for an amount at least two."""
    exponent = value.as_tuple().exponent
    return max(-exponent if isinstance(exponent, int) else 0, MONEY_PLACES if kind == "amount" else 0)


def _number_format(value: Decimal, kind: str, places: int | None, beside: int) -> str:
    """Return a format that groups digits and shows every decimal of the value, or a given number of `places`. If other values of
    the column have more decimals (`beside`), it leaves space for them, to align the decimal points."""
    shown = _places(value, kind) if places is None else places
    point = "." if shown else "_." if beside else ""
    return f"#,##0{point}{'0' * shown}{'_0' * max(0, beside - shown)}"
