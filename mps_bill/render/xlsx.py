"""A report as an Excel workbook: typed numbers without loss, totals by formula.

A field is a column of a table; it can take several columns of a sheet.

A number in a workbook is a binary double, which keeps 15 significant digits. A decimal with more is split: its first 15
digits stand in its cell and the rest in a column `... beyond 15 digits` beside it, so that the cells add up to the decimal
and no digit is lost. Such a column is there only where some value needs it.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, ZERO, amount_text, strip_zeros
from mps_bill.core.diagnostics import width_of
from mps_bill.core.language import mark, tr
from mps_bill.render.formats import TooLarge
from mps_bill.view.tables import LINES, Moment, Report, Table, Value, number

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

#: Rows of a worksheet, the header and the totals among them.
MAX_ROWS = 1_048_576
_DIGITS = 15
_CUT = decimal.Context(prec=_DIGITS, rounding=decimal.ROUND_DOWN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST = 48
_HEAD_ROWS = 1


def write(report: Report, stream: IO[bytes]) -> None:
    """Writes the summary, then a sheet per table. Equal input makes equal bytes.

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
    first = book.add_worksheet(tr("Summary"))
    writer.summary(first, report, [writer.table(table) for table in report.tables])
    book.close()


def parts(value: Decimal) -> tuple[Decimal, ...]:
    """Decimals of at most 15 digits each, which doubles keep exactly and which add up to `value`."""
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
    """A written table: the columns of each field, from 0 (several where its values are split), and the last row, from 1."""

    table: Table
    columns: tuple[tuple[int, ...], ...]
    last_row: int

    def ranges(self, index: int) -> list[str]:
        """Where the values of a field stand, for a formula."""
        from xlsxwriter.utility import xl_col_to_name

        letters = map(xl_col_to_name, self.columns[index])
        return [f"'{self.table.title}'!${letter}${_HEAD_ROWS + 1}:${letter}${self.last_row}" for letter in letters]


class _Writer:
    """Writes sheets of one workbook; keeps the cell formats, of which a workbook has one each."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}

    def table(self, table: Table) -> _Sheet:
        """A sheet with a frozen header, the rows, and a row of totals by formula where the table has summed fields."""
        sheet = self._book.add_worksheet(table.title)
        titles: list[str] = []
        columns: list[tuple[int, ...]] = []
        for index, field in enumerate(table.columns):
            beyond = range(1, _most_parts(table, index))
            columns.append(tuple(range(len(titles), len(titles) + 1 + len(beyond))))
            beyond_it = mark("{column} beyond {n} digits")
            titles += [field.label, *(tr(beyond_it, column=field.label, n=_DIGITS * part) for part in beyond)]
        for column, title in enumerate(titles):
            self._text(sheet, 0, column, title, bold=True, bottom=1, text_wrap=True, valign="top")
        widths = [max(10, *map(width_of, title.split())) + 2 for title in titles]
        written = _Sheet(table, tuple(columns), _HEAD_ROWS + len(table.rows))
        for at, row in enumerate(table.values, _HEAD_ROWS):
            for value, field, (column, *_) in zip(row, table.columns, columns, strict=True):
                shown = self._value(sheet, at, column, value, field.kind)
                widths[column] = max(widths[column], min(_WIDEST, shown + 2))
        if table.rows and any(field.summed for field in table.columns):
            self._totals(sheet, written, widths)
        if table.remark:
            self._text(sheet, written.last_row + 2, 0, table.remark, italic=True)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(_HEAD_ROWS, 0)
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(widths) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        return written

    def _value(self, sheet: Worksheet, row: int, column: int, value: Value, kind: str) -> int:
        """Writes a value, where it must be over several cells; the number of characters that the first one shows."""
        value = number(value)
        if value is None:
            return 0
        if isinstance(value, Moment):
            local = (_EPOCH + timedelta(seconds=value.second + value.offset)).replace(tzinfo=None)
            shape = tr("yyyy-mm-dd hh:mm")
            sheet.write_datetime(row, column, local, self._format(num_format=shape))
            return width_of(shape.replace('"', ""))
        if isinstance(value, str):
            self._text(sheet, row, column, value)
            return width_of(value)
        # A price keeps the zeros with which the price sheet writes it.
        assert isinstance(value, Decimal)
        numbers = parts(value if kind == "price" else strip_zeros(value))
        for beyond, part in enumerate(numbers):
            sheet.write_number(row, column + beyond, part, self._format(num_format=_number_format(part, kind)))
        return len(format(numbers[0], ",f"))

    def _text(self, sheet: Worksheet, row: int, column: int, text: str, **look: Any) -> None:
        # Always as a string: the general `write` would take text that starts with "=" for a formula.
        sheet.write_string(row, column, text, self._format(**look) if look else None)

    def _totals(self, sheet: Worksheet, written: _Sheet, widths: list[int]) -> None:
        self._text(sheet, written.last_row, 0, tr("Total"), bold=True, top=1)
        for index, field in enumerate(written.table.columns):
            if field.summed:
                column = written.columns[index][0]
                sums = f"SUM({','.join(written.ranges(index))})"
                shown = self._sum(sheet, written.last_row, column, sums, written.table.total(index), field.kind, top=1)
                widths[column] = max(widths[column], shown + 2)

    def _sum(self, sheet: Worksheet, row: int, column: int, sums: str, exact: Decimal, kind: str, **look: Any) -> int:
        """A sum by formula, with the exact sum as the value that readers without a calculator see.

        Doubles are summed with an error far behind the tenth decimal, which rounding to ten decimals takes away again.
        """
        exact = strip_zeros(exact)
        cell = self._format(num_format=_number_format(exact, kind), bold=True, **look)
        sheet.write_formula(row, column, f"=ROUND({sums},{AMOUNT_PLACES})", cell, exact)
        return len(format(exact, ",f"))

    def summary(self, sheet: Worksheet, report: Report, sheets: Sequence[_Sheet]) -> None:
        self._text(sheet, 0, 0, report.title, bold=True, font_size=14)
        row = 2
        for label, value in report.facts:
            self._text(sheet, row, 0, label)
            self._value(sheet, row, 1, value, "count" if isinstance(value, int) else "amount")
            row += 1
        row += 1
        source = sheets[0]
        for label, key in report.sums:
            index = source.table.index(key)
            self._text(sheet, row, 0, label, bold=True)
            sums = f"SUM({','.join(source.ranges(index))})" if source.table.rows else "0"
            total = source.table.total(index)
            self._sum(sheet, row, 1, sums, total, source.table.columns[index].kind)
            if len(parts(total)) > 1:
                self._text(sheet, row, 2, tr("exactly {amount}", amount=amount_text(total)))
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
                self._sum(sheet, row, column, "+".join(sums), exact, lines.table.columns[index].kind)

    def _format(self, **look: Any) -> Format:
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(look)
        return self._formats[key]


def _most_parts(table: Table, index: int) -> int:
    """How many cells the longest value of a field takes."""
    return max(
        (len(parts(value)) for row in table.values if isinstance(value := number(row[index]), Decimal)), default=1
    )


def _number_format(value: Decimal, kind: str) -> str:
    """A format that shows every decimal of the value, and at least two of an amount."""
    exponent = value.as_tuple().exponent
    places = max(-exponent if isinstance(exponent, int) else 0, 2 if kind == "amount" else 0)
    return f"#,##0.{'0' * places}" if places else "#,##0"
