"""Lines of a language that is written without spaces."""

from __future__ import annotations

import re

from mps_bill.core.diagnostics import width_of

_OPENING, _CLOSING = '（“《"', '，。；：、）”》"'
_CHARACTER = "[\u2e80-\u2fff\u3005-\u3007\u3040-\ua4cf\uf900-\ufaff]"
_WIDE = re.compile(_CHARACTER)
#: What stays on one line: spaces, a date, a character or a word, with the marks about it.
_UNITS = re.compile(
    rf" +|[{_OPENING}]*(?:(?:\d+[年月日])+|{_CHARACTER}|(?:(?!{_CHARACTER})[^ {_OPENING}{_CLOSING}])+)[{_CLOSING}]*|."
)


def wrapped(text: str, width: int) -> str:
    """Text in lines of at most `width` columns: a line can end between any two characters of Chinese, but not before a mark
    that closes or behind one that opens. Lines without Chinese are left to be wrapped at spaces."""
    return "\n".join(_wrapped(line, width) if _WIDE.search(line) else line for line in text.split("\n"))


def _wrapped(line: str, width: int) -> str:
    lines, used = [""], 0
    for unit in _UNITS.findall(line):
        columns = width_of(unit)
        if used and used + columns > width and not unit.isspace():
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            used = 0
        lines[-1] += unit
        used += columns
    return "\n".join(lines)
