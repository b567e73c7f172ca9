"""Text in lines of a width: between words, and in Chinese, which is written without spaces, between characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mps_bill.core.diagnostics import width_of
from mps_bill.core.language import ENGLISH, current

# The patterns are compiled when they are first needed: most tables fit, and compiling takes longer than printing those.
_OPENING, _CLOSING = '（“《"', '，。；：、）”》"'
_CHARACTER = "[\u2e80-\u2fff\u3005-\u3007\u3040-\ua4cf\uf900-\ufaff]"
#: What stays on one line: spaces, a date, a character or a word, with the marks about it.
_UNIT = (
    rf" +|[{_OPENING}]*(?:(?:\d+[年月日])+|{_CHARACTER}|(?:(?!{_CHARACTER})[^ {_OPENING}{_CLOSING}])+)[{_CLOSING}]*|."
)


#: A word with the spaces behind it, the first also with those that it is indented by.
_WORD = r"\s*\S+\s*"


def folded(text: str, width: int) -> list[str]:
    """Text in lines of at most `width` columns. A word that is wider than a line begins one and is broken."""
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
    """How many characters of `text` stand in `width` columns, at least one."""
    return next((end - 1 for end in range(2, len(text) + 1) if width_of(text[:end]) > width), len(text))


def wrapped(text: str, width: int) -> str:
    """Text in lines of at most `width` columns: a line can end between any two characters of Chinese, but not before a mark
    that closes or behind one that opens. Lines without Chinese are left to be wrapped at spaces."""
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
    """A label in at most `width` columns: what it is too long by gives way to `end`."""
    if width_of(label) <= width:
        return label
    while width_of(label) >= width:
        label = label[:-1]
    return label + end
