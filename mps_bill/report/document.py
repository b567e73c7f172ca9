"""A printed report: blocks of text and tables."""

from __future__ import annotations

from dataclasses import dataclass

from mps_bill.view.tables import Block, Columns, Heading, Note, Row, Table, count, text

__all__ = ["Columns", "Document", "Heading", "Note", "Row", "Table", "number", "text"]

number = count


@dataclass(frozen=True, slots=True)
class Document:
    blocks: tuple[Block, ...]
