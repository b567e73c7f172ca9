"""The widths of the columns of tables on a terminal.

Tables with the same columns have the same widths throughout a document, with aligned decimal points. If a table is wider than
the terminal, headings fold first, then gaps become narrower, then texts fold between words. After that the table is printed in
parts, each with its first columns repeated. Figures never fold, and words only as the last resort.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mps_bill.core.diagnostics import printable, width_of
from mps_bill.render.cells import cell_text
from mps_bill.view.columns import Column, Columns, Row
from mps_bill.view.tables import Heading, Table

#: The cells of a row as text.
Texts = tuple[str, ...]

_GAP = 2
_SMALL_GAP = 1
_NARROWEST = 8


@dataclass(frozen=True, slots=True)
class Part:
    """The columns of a table (by number) that are printed next to each other, their widths, and the gap between them."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    gap: int

    @property
    def width(self) -> int:
        return sum(self.widths) + self.gap * (len(self.widths) - 1)


class Measures:
    """The space that the cells of tables with the same columns need."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        #: For numbers, the width before the decimal point and the width from it on; for other columns, the whole width and 0.
        self._whole = [0] * len(columns)
        self._fraction = [0] * len(columns)
        self._word = [max(map(width_of, column.heading.split() or [""])) for column in columns]

    def add(self, table: Table) -> None:
        for row in (*table.values, *table.totals):
            for index, (value, column) in enumerate(zip(row, self._columns, strict=True)):
                cell = safe(cell_text(value, column))
                fraction = len(fraction_of(cell)) if column.is_number else 0
                self._fraction[index] = max(self._fraction[index], fraction)
                self._whole[index] = max(self._whole[index], _width(cell) - fraction)
                if not column.is_number:
                    self._word[index] = max(self._word[index], _longest_word(cell))

    def texts(self, row: Row) -> Texts:
        """Return the cells of a row, with numbers padded to align their decimal points."""
        return tuple(
            cell + " " * (fraction - len(fraction_of(cell))) if column.is_number else cell
            for cell, column, fraction in zip(
                (safe(cell_text(value, column)) for value, column in zip(row, self._columns, strict=True)),
                self._columns,
                self._fraction,
                strict=True,
            )
        )

    def parts(self, available: int) -> list[Part]:
        """Return the table in as few parts as the `available` width allows."""
        cells = [whole + fraction for whole, fraction in zip(self._whole, self._fraction, strict=True)]
        wide = [max(cell, width_of(column.heading)) for cell, column in zip(cells, self._columns, strict=True)]
        folded = [
            max(cell, word) if column.is_number else width
            for cell, word, width, column in zip(cells, self._word, wide, self._columns, strict=True)
        ]
        least = [
            word if not column.is_number else width
            for word, width, column in zip(self._word, folded, self._columns, strict=True)
        ]
        every = tuple(range(len(wide)))
        tries = ((wide, wide, _GAP), (folded, folded, _GAP), (folded, folded, _SMALL_GAP))
        for widths, narrowest, gap in (*tries, (folded, least, _GAP), (folded, least, _SMALL_GAP)):
            part = Part(every, tuple(self._narrowed(widths, narrowest, available - gap * (len(wide) - 1))), gap)
            if part.width <= available:
                return [part]
        # A word wider than half the width, such as a path, folds before all others do.
        half = [
            width if column.is_number else min(width, available // 2)
            for width, column in zip(least, self._columns, strict=True)
        ]
        parts = self._split(folded, available) or self._split(least, available) or self._split(half, available)
        return parts or [self._broken(folded, available)]

    def _narrowed(self, widths: Sequence[int], least: Sequence[int], available: int) -> list[int]:
        """Narrow the widest text columns, none below its minimum."""
        narrowed = list(widths)
        while sum(narrowed) > available:
            wider = [index for index, width in enumerate(narrowed) if width > least[index]]
            texts = [index for index in wider if not self._columns[index].is_number]
            if not texts:
                break
            narrowed[max(texts, key=lambda index: narrowed[index])] -= 1
        return narrowed

    def _split(self, widths: Sequence[int], available: int) -> list[Part]:
        """Return parts that each begin with the table's leading text columns; no parts if that does not help."""
        lead = [
            index for index, _ in enumerate(self._columns) if not any(c.is_number for c in self._columns[: index + 1])
        ]
        rest = [index for index in range(len(widths)) if index not in lead]
        room = available - sum(widths[index] for index in lead) - _GAP * len(lead)
        if not lead or not rest or max(widths[index] for index in rest) > room:
            return []
        found: list[list[int]] = [[]]
        for index in rest:
            if sum(widths[member] + _GAP for member in found[-1]) + widths[index] > room:
                found.append([])
            found[-1].append(index)
        parts = ((*lead, *members) for members in found)
        return [Part(columns, tuple(widths[column] for column in columns), _GAP) for columns in parts]

    def _broken(self, widths: Sequence[int], available: int) -> Part:
        """Return all columns, as narrow as possible with folded words; the table may still be too wide."""
        least = [
            _NARROWEST if not column.is_number else width for column, width in zip(self._columns, widths, strict=True)
        ]
        every = tuple(range(len(widths)))
        gap = _GAP if sum(least) + _GAP * (len(widths) - 1) <= available else _SMALL_GAP
        return Part(every, tuple(self._narrowed(widths, least, available - gap * (len(widths) - 1))), gap)


def measured(tables: Iterable[Table]) -> dict[tuple[Column, ...], Measures]:
    """Measure the tables of a document; tables with the same columns share their measures."""
    found: dict[tuple[Column, ...], Measures] = {}
    for table in tables:
        columns = tuple(table.columns)
        (found.get(columns) or found.setdefault(columns, Measures(columns))).add(table)
    return found


def laid_out(table: Table, shared: Measures, available: int) -> tuple[Measures, list[Part]]:
    """Return the measures and the parts of a table: the shared ones, or its own if it then needs fewer parts."""
    parts = shared.parts(available)
    if len(parts) > 1:
        own = Measures(tuple(table.columns))
        own.add(table)
        alone = own.parts(available)
        if len(alone) < len(parts):
            return own, alone
    return shared, parts


def texts_of(table: Table, measures: Measures) -> Iterator[Texts | Heading]:
    """Yield the rows of a table as text."""
    for row in table.rows:
        yield row if isinstance(row, Heading) else measures.texts(row)


def fraction_of(cell: str) -> str:
    point = cell.find(".")
    return cell[point:] if point >= 0 else ""


def safe(cell: str) -> str:
    """Escape everything that could control a terminal, line by line."""
    return "\n".join(printable(line) for line in cell.split("\n"))


def _longest_word(cell: str) -> int:
    """Return the width of the longest word; the first word includes its indentation."""
    words = cell.split()
    indent = len(cell) - len(cell.lstrip())
    return max(map(width_of, [" " * indent + words[0], *words[1:]])) if words else 0


def _width(cell: str) -> int:
    return max(map(width_of, cell.split("\n")))
