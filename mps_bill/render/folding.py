"""Text folded into lines: between words, or between characters in Chinese, which is written without spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mps_bill.core.diagnostics import width_of
from mps_bill.core.language import ENGLISH, current

# The patterns are compiled on first use: most tables fit, and compiling takes longer than printing them.
_OPENING, _CLOSING = '（“《"', '，。；：、）”》"'
_CHARACTER = "[\u2e80-\u2fff\u3005-\u3007\u3040-\ua4cf\uf900-\ufaff]"
#: A unit that stays on one line: spaces, a date, a character or a word, with adjacent punctuation.
_UNIT = (
    rf" +|[{_OPENING}]*(?:(?:\d+[年月日])+|{_CHARACTER}|(?:(?!{_CHARACTER})[^ {_OPENING}{_CLOSING}])+)[{_CLOSING}]*|."
)


#: A word with the spaces after it; the first word also has its indentation.
_WORD = r"\s*\S+\s*"


def folded(text: str, width: int) -> list[str]:
    """Fold text into lines of at most `width` columns. A word that is wider than a line begins a line and is broken."""
    if current() != ENGLISH:
        text = wrapped(text, width)
    return [line for whole in text.split("\n") for line in _at_spaces(whole, width)]


def _at_spaces(text: str, width: int) -> Iterator[str]:
    if width_of(text) <= width:
        yield text
        return
    line = ""
    for word in re.findall(_WORD, text):
        if line and width_of(line) + width_of(word.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += word
        while width_of(line.rstrip()) > width:
            end = _most(line, width)
            yield line[:end]
            line = line[end:]
    yield line.rstrip()


def _most(text: str, width: int) -> int:
    """Return the number of characters of `text` that fit into `width` columns, at least one."""
    return next((end - 1 for end in range(2, len(text) + 1) if width_of(text[:end]) > width), len(text))


def wrapped(text: str, width: int) -> str:
    """Wrap Chinese text into lines of at most `width` columns. A line can end between any two characters, but not before closing
    or after opening punctuation. Lines without Chinese are left to be folded at spaces."""
    return "\n".join(_wrapped(line, width) if re.search(_CHARACTER, line) else line for line in text.split("\n"))


def _wrapped(line: str, width: int) -> str:
    lines, used = [""], 0
    for unit in re.findall(_UNIT, line):
        columns = width_of(unit)
        if used and used + columns > width and not unit.isspace():
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            used = 0
        lines[-1] += unit
        used += columns
    return "\n".join(lines)


def shortened(label: str, width: int, end: str = "…") -> str:
    """Shorten a label to at most `width` columns, with `end` in place of the rest."""
    if width_of(label) <= width:
        return label
    while width_of(label) >= width:
        label = label[:-1]
    return label + end
