"""A document as GitHub-flavoured Markdown."""

from __future__ import annotations

import re

from mps_bill.core.diagnostics import printable
from mps_bill.report.document import Document, Heading, Note, Row, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def markdown(document: Document) -> str:
    """The document as Markdown text, ending in a line end."""
    return "\n\n".join(_block(block) for block in document.blocks) + "\n"


def _block(block: Table | Note) -> str:
    if isinstance(block, Note):
        return "\n".join(escaped(line) for line in block.text.split("\n"))
    title, _, rest = block.title.partition("\n")
    lines = [f"### {escaped(title)}", ""] if title else []
    lines += [escaped(rest), ""] if rest else []
    lines.append(_row(tuple(escaped(column.title) for column in block.columns)))
    lines.append(_row(tuple("---:" if column.kind == "number" else "---" for column in block.columns)))
    for row in block.rows:
        if isinstance(row, Heading):
            lines.append(_row((f"**{escaped(row.text)}**", *[""] * (len(block.columns) - 1))))
        else:
            lines.append(_row(tuple(escaped(cell) for cell in row)))
    for row in block.totals:
        lines.append(_row(tuple(f"**{escaped(cell)}**" if cell else "" for cell in row)))
    return "\n".join(lines)


def _row(cells: Row) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(cell: str) -> str:
    """Text without anything that Markdown would take for its own."""
    return _SPECIAL.sub(r"\\\1", printable(cell.strip()))
