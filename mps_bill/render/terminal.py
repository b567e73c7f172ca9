"""Tables and notes as text for a terminal, a pipe or a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import IO, TYPE_CHECKING

from mps_bill.core.diagnostics import printable, width_of
from mps_bill.core.language import ENGLISH, current, tr
from mps_bill.render.cells import ROUNDED, is_rounded
from mps_bill.render.table_layout import Measures, Part, Texts, laid_out, measured, safe, texts_of
from mps_bill.view.tables import Block, Column, Columns, Details, Heading, Mark, Note, Section, Table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

#: Wide enough for every table; off a terminal nothing may be shortened or folded to a width that nobody asked for.
UNLIMITED = 10_000


def write(blocks: Iterable[Block], stream: IO[str]) -> None:
    """Prints to `stream`: at the terminal's width on one, else at `COLUMNS` where that is set, else as wide as needed."""
    console = console_for(stream)
    width = console.width
    rule = "─" if can_print(stream, "─") else "-"
    # A table that cannot be made narrow enough sticks out, because rich would shorten its figures to make it fit.
    console.width = UNLIMITED
    with console.capture() as capture:
        outlined = list(with_legend(_outlined(blocks)))
        measures = measured(block for block in outlined if isinstance(block, Table))
        for number, block in enumerate(outlined):
            if number:
                console.print()
            for line in _rendered(block, measures, width, rule):
                console.print(line)
    stream.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def _outlined(blocks: Iterable[Block]) -> Iterator[Block]:
    """What is printed: no implied headline, no marks, and details without their line."""
    for block in blocks:
        if isinstance(block, Details):
            yield from block.blocks
        elif not isinstance(block, Mark) and not (isinstance(block, Section) and block.implied):
            yield block


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


def _rendered(
    block: Block, measures: Mapping[tuple[Column, ...], Measures], width: int, rule: str
) -> Iterator[RenderableType]:
    from rich.constrain import Constrain
    from rich.text import Text

    match block:
        case Section():
            shown = printable(block.text)
            yield Text(f"{shown}\n{'=' * width_of(shown)}")
            return
        case Note():
            yield Constrain(Text(_wrapped(safe(block.text), width)), width)
            return
        case Details() | Mark():
            return
    if block.title:
        yield Constrain(Text(_wrapped(safe(block.title), width), style="bold"), width)
        yield ""
    own, parts = laid_out(block, measures[tuple(block.columns)], width)
    for number, part in enumerate(parts):
        if number:
            yield ""
        yield from _part(block, own, part, rule * part.width)


def _part(table: Table, measures: Measures, part: Part, rule: str) -> Iterator[RenderableType]:
    """Some columns of a table: the headings, the rows and the totals between rules."""
    from rich.text import Text

    yield _grid(table.columns, part, [tuple(column.heading for column in table.columns)], "bold")
    yield Text(rule)
    for is_heading, members in groupby(texts_of(table, measures), key=lambda row: isinstance(row, Heading)):
        if is_heading:
            yield from (Text(safe(member.text), style="italic") for member in members if isinstance(member, Heading))
        else:
            yield _grid(table.columns, part, (member for member in members if not isinstance(member, Heading)))
    if table.totals:
        yield Text(rule)
        yield _grid(table.columns, part, map(measures.texts, table.totals), "bold")


def _grid(columns: Columns, part: Part, rows: Iterable[Texts], style: str = "") -> RenderableType:
    """Rows in columns of fixed width; text folds where its column is narrow, and a figure never does."""
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable.grid(padding=(0, part.gap, 0, 0), pad_edge=False)
    is_heading = style == "bold"
    for index, width in zip(part.columns, part.widths, strict=True):
        is_number = columns[index].is_number
        grid.add_column(
            justify="right" if is_number else "left",
            width=width,
            no_wrap=is_number and not is_heading,
            overflow="fold",
            vertical="bottom" if is_heading else "top",
        )
    for row in rows:
        cells = (_wrapped(row[index], width) for index, width in zip(part.columns, part.widths, strict=True))
        grid.add_row(*map(Text, cells), style=style)
    return grid


def _wrapped(text: str, width: int) -> str:
    """Text in lines, where its language has no spaces at which it could be wrapped."""
    if current() == ENGLISH:
        return text
    from mps_bill.render.unspaced import wrapped

    return wrapped(text, width)
