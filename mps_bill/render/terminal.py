"""Tables and notes as text for a terminal, a pipe or a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import IO, NamedTuple

from mps_bill.core.diagnostics import printable, width_of
from mps_bill.core.language import tr
from mps_bill.render.cells import ROUNDED, is_rounded
from mps_bill.render.folding import folded
from mps_bill.render.table_layout import Measures, Part, Texts, laid_out, measured, safe, texts_of
from mps_bill.view.columns import Column, Columns
from mps_bill.view.tables import Block, Details, Heading, Mark, Note, Section, Table

#: Wide enough for every table. Away from a terminal, nothing is shortened or folded unless a width was asked for.
UNLIMITED = 10_000
#: The codes of terminals for styles.
BOLD, ITALIC, CYAN = "1", "3", "36"


class Line(NamedTuple):
    text: str
    style: str = ""


def write(blocks: Iterable[Block], stream: IO[str]) -> None:
    """Print to `stream`, in the terminal's width, or in `COLUMNS` if it is set, or as wide as needed."""
    width = width_for(stream, UNLIMITED)
    rule = "─" if can_print(stream, "─") else "-"
    has_looks = has_styles(stream)
    outlined = list(with_legend(_outlined(blocks)))
    measures = measured(block for block in outlined if isinstance(block, Table))
    for number, block in enumerate(outlined):
        if number:
            stream.write("\n")
        for text, style in _lines_of(block, measures, width, rule):
            stream.write(f"{styled(text.rstrip(), style if has_looks else '')}\n")


def styled(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style else text


def _outlined(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks to print: without implied headlines and marks, and details without their line."""
    for block in blocks:
        if isinstance(block, Details):
            yield from block.blocks
        elif not isinstance(block, Mark) and not (isinstance(block, Section) and block.implied):
            yield block


def with_legend(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks and, if a table shows rounded figures, a note that says so."""
    rounded = False
    for block in blocks:
        rounded = rounded or (isinstance(block, Table) and is_rounded(block))
        yield block
    if rounded:
        yield Note(tr(ROUNDED))


def width_for(stream: IO[str], otherwise: int) -> int:
    """Return the width of the terminal, or the width asked for, or `otherwise` for a pipe or a file."""
    chosen = os.environ.get("COLUMNS", "").isdigit()
    return shutil.get_terminal_size((80, 24)).columns if chosen or stream.isatty() else otherwise


def has_styles(stream: IO[str]) -> bool:
    """Return whether a stream goes to a terminal that shows bold and italic text."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def can_print(stream: IO[str], text: str) -> bool:
    """Return whether a stream can encode these characters; not every terminal shows more than ASCII."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _lines_of(block: Block, measures: Mapping[tuple[Column, ...], Measures], width: int, rule: str) -> Iterator[Line]:
    match block:
        case Section():
            shown = printable(block.text)
            yield from (Line(shown), Line("=" * width_of(shown)))
            return
        case Note():
            yield from map(Line, folded(safe(block.text), width))
            return
        case Details() | Mark():
            return
    if block.title:
        yield from (Line(line, BOLD) for line in folded(safe(block.title), width))
        yield Line("")
    own, parts = laid_out(block, measures[tuple(block.columns)], width)
    for number, part in enumerate(parts):
        if number:
            yield Line("")
        yield from _part(block, own, part, Line(rule * part.width))


def _part(table: Table, measures: Measures, part: Part, rule: Line) -> Iterator[Line]:
    """Yield some columns of a table: the headings, the rows and the totals, with rules in between."""
    yield from _row(table.columns, part, tuple(column.heading for column in table.columns), BOLD)
    yield rule
    for row in texts_of(table, measures):
        if isinstance(row, Heading):
            yield from (Line(line, ITALIC) for line in safe(row.text).split("\n"))
        else:
            yield from _row(table.columns, part, row)
    if table.totals:
        yield rule
        for total in table.totals:
            yield from _row(table.columns, part, measures.texts(total), BOLD)


def _row(columns: Columns, part: Part, row: Texts, style: str = "") -> Iterator[Line]:
    """Yield the lines of a row. Text folds in narrow columns. In headings and totals, short cells are on the last line."""
    cells = [folded(row[index], width) for index, width in zip(part.columns, part.widths, strict=True)]
    if style == BOLD:
        height = max(map(len, cells))
        cells = [[""] * (height - len(cell)) + cell for cell in cells]
    for texts in zip_longest(*cells, fillvalue=""):
        padded = []
        for index, width, text in zip(part.columns, part.widths, texts, strict=True):
            # Trailing spaces keep the decimal point of a number in its place.
            shown = text if columns[index].is_number else text.rstrip()
            space = " " * (width - width_of(shown))
            padded.append(space + shown if columns[index].is_number else shown + space)
        yield Line((" " * part.gap).join(padded), style)
