"""Tables and notes as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO

from mps_bill.core.diagnostics import printable
from mps_bill.render.cells import cell_text
from mps_bill.render.terminal import with_legend
from mps_bill.view.tables import Block, Details, Heading, Mark, Note, Section

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def write(blocks: Iterable[Block], stream: IO[str]) -> None:
    """Write Markdown text with a final line end."""
    stream.write("\n\n".join(map(_block, with_legend(blocks))) + "\n")


def _block(block: Block) -> str:
    match block:
        case Section():
            return f"## {escaped(block.text)}"
        case Mark():
            return f"<!-- {block.text} -->"
        case Details():
            inner = [_tagged("summary", escaped(block.text)), "", *map(_block, block.blocks), ""]
            return _tagged("details", "\n".join(["", *inner, ""]))
        case Note():
            return "\n".join(escaped(line) for line in block.text.split("\n"))
    title, _, rest = block.title.partition("\n")
    lines = [f"### {escaped(title)}", ""] if title else []
    lines += [escaped(rest), ""] if rest else []
    lines.append(_row([escaped(column.heading) for column in block.columns]))
    lines.append(_row(["---:" if column.is_number else "---" for column in block.columns]))
    for row in block.rows:
        if isinstance(row, Heading):
            lines.append(_row([f"**{escaped(row.text)}**", *[""] * (len(block.columns) - 1)]))
        else:
            lines.append(_row(map(escaped, map(cell_text, row, block.columns))))
    for total in block.totals:
        lines.append(_row(f"**{escaped(cell)}**" if cell else "" for cell in map(cell_text, total, block.columns)))
    return "\n".join(lines)


def _tagged(tag: str, text: str) -> str:
    return f"<{tag}>{text}</{tag}>"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(cell: str) -> str:
    """Escape everything that Markdown would take for markup."""
    return _SPECIAL.sub(r"\\\1", printable(cell.strip()))
