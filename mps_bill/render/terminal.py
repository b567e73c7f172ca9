"""Tables and notes as text for a terminal, a pipe or a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import IO, TYPE_CHECKING

from mps_bill.core.diagnostics import printable, width_of
from mps_bill.core.language import tr
from mps_bill.render.cells import ROUNDED, cell_text, is_rounded
from mps_bill.view.tables import Block, Columns, Heading, Note, Section, Table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

#: Wide enough for every table; off a terminal nothing may be shortened or folded to a width that nobody asked for.
UNLIMITED = 10_000
_GAP = 2
_NARROWEST = 8


#: The cells of a row as text.
Texts = tuple[str, ...]


def write(blocks: Iterable[Block], stream: IO[str]) -> None:
    """Prints to `stream`: at the terminal's width on one, else at `COLUMNS` where that is set, else as wide as needed."""
    console = console_for(stream)
    width = console.width
    rule = "─" if can_print(stream, "─") else "-"
    # A table that cannot be made narrow enough sticks out, because rich would shorten its figures to make it fit.
    console.width = UNLIMITED
    with console.capture() as capture:
        outlined = (block for block in blocks if not (isinstance(block, Section) and block.implied))
        for number, block in enumerate(with_legend(outlined)):
            if number:
                console.print()
            for line in _rendered(block, width, rule):
                console.print(line)
    stream.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def with_legend(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks, and behind them, where a table shows rounded amounts, a note that says so."""
    rounded = False
    for block in blocks:
        rounded = rounded or (isinstance(block, Table) and is_rounded(block))
        yield block
    if rounded:
        yield Note(tr(ROUNDED))


def console_for(stream: IO[str], width_of_a_pipe: int = UNLIMITED) -> Console:
    """A console that writes text as it is: no markup, no emoji, no highlighting of what looks like a number."""
    from rich.console import Console

    chosen = os.environ.get("COLUMNS", "").isdigit()
    width = None if chosen or stream.isatty() else width_of_a_pipe
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def can_print(stream: IO[str], text: str) -> bool:
    """Whether a stream has these characters; not every terminal shows more than ASCII."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _rendered(block: Block, width: int, rule: str) -> Iterator[RenderableType]:
    from rich.constrain import Constrain
    from rich.text import Text

    match block:
        case Section():
            shown = printable(block.text)
            yield Text(f"{shown}\n{'=' * width_of(shown)}")
            return
        case Note():
            yield Constrain(Text(_safe(block.text)), width)
            return
    grid = aligned(block)
    widths = column_widths(grid, width)
    rule *= sum(widths) + _GAP * (len(widths) - 1)
    if block.title:
        yield Constrain(Text(_safe(block.title), style="bold"), width)
        yield ""
    yield _grid(block.columns, widths, [tuple(column.heading for column in block.columns)], "bold")
    yield Text(rule)
    for is_heading, members in groupby(grid.rows, key=lambda row: isinstance(row, Heading)):
        if is_heading:
            yield from (Text(_safe(member.text), style="italic") for member in members if isinstance(member, Heading))
        else:
            yield _grid(block.columns, widths, (member for member in members if not isinstance(member, Heading)))
    if grid.totals:
        yield Text(rule)
        yield _grid(block.columns, widths, grid.totals, "bold")


def _grid(columns: Columns, widths: Sequence[int], rows: Iterable[Texts], style: str = "") -> RenderableType:
    """Rows in columns of fixed width; text folds where its column is narrow, and a figure never does."""
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        grid.add_column(
            justify="right" if column.is_number else "left", width=width, no_wrap=column.is_number, overflow="fold"
        )
    for row in rows:
        grid.add_row(*(Text(_safe(cell)) for cell in row), style=style)
    return grid


@dataclass(frozen=True, slots=True)
class Aligned:
    """A table as text, with the cells of number columns padded so that decimal points stand under each other."""

    columns: Columns
    rows: list[Texts | Heading]
    totals: list[Texts]

    @property
    def cells(self) -> list[Texts]:
        return [*(row for row in self.rows if not isinstance(row, Heading)), *self.totals]


def aligned(table: Table) -> Aligned:
    columns = table.columns
    texts = [
        row if isinstance(row, Heading) else tuple(map(cell_text, row, columns)) for row in (*table.rows, *table.totals)
    ]
    every = [row for row in texts if not isinstance(row, Heading)]
    fractions = [
        max((len(_fraction(row[index])) for row in every), default=0) if column.is_number else 0
        for index, column in enumerate(columns)
    ]

    def padded(row: Texts) -> Texts:
        return tuple(
            cell + " " * max(0, fraction - len(_fraction(cell))) for cell, fraction in zip(row, fractions, strict=True)
        )

    rows = [row if isinstance(row, Heading) else padded(row) for row in texts[: len(table.rows)]]
    return Aligned(columns, rows, [padded(row) for row in texts[len(table.rows) :] if not isinstance(row, Heading)])


def column_widths(grid: Aligned, available: int) -> list[int]:
    """How wide each column is: as wide as its cells, or, where that is too much together, the widest text columns
    narrowed. Number columns keep their width, because a figure that is shortened is a wrong figure."""
    cells = grid.cells
    widths = [
        max(map(_width, (column.heading, *(row[index] for row in cells)))) for index, column in enumerate(grid.columns)
    ]
    texts = [index for index, column in enumerate(grid.columns) if not column.is_number]
    excess = sum(widths) + _GAP * (len(widths) - 1) - available
    while excess > 0 and texts:
        widest = max(texts, key=lambda index: widths[index])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        excess -= 1
    return widths


def _width(cell: str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, _safe(cell).split("\n")))


def _fraction(cell: str) -> str:
    point = cell.find(".")
    return cell[point:] if point >= 0 else ""


def _safe(cell: str) -> str:
    """Text without anything that could steer a terminal, line by line."""
    return "\n".join(printable(line) for line in cell.split("\n"))
