"""A printed report before it has a format: blocks of text and tables, which every renderer of this room can print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Column:
    """`number` columns stand with their decimal points under each other where the format can do that."""

    title: str
    kind: Literal["text", "number"] = "text"


@dataclass(frozen=True, slots=True)
class Heading:
    """A row of a table that names the rows below it."""

    text: str


Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; `totals` stand below a rule. Cells are plain text, made safe by the renderers."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row | Heading, ...]
    totals: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Document:
    blocks: tuple[Table | Note, ...]


def text(title: str) -> Column:
    return Column(title)


def number(title: str) -> Column:
    return Column(title, "number")
