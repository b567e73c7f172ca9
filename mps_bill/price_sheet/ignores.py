"""Comments in a sheet that suppress a warning, with the reason: `# mps-bill: ignore P901 (not on the price list)`.
A comment names a warning by its code or its slug.

A comment applies to warnings on its own line; alone on a line, to those on the next line with a value. Errors cannot be
suppressed, because a bill would still refuse the sheet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mps_bill.core.diagnostics import Place, Problem, near_miss, quoted
from mps_bill.documents.yaml_tree import lines_of
from mps_bill.price_sheet import sheet_problems as kinds

_COMMENT = re.compile(r"(?:^|\s)#(?:.*\s)?(?P<words>mps-bill:.*)$")
_IGNORE = re.compile(
    r"mps-bill: ignore (?P<codes>[A-Za-z0-9-]+(?:, ?[A-Za-z0-9-]+)*) \((?P<reason>[^()]*\S[^()]*)\)\s*"
)
#: The warnings that a comment can suppress: all except those about comments.
_WARNINGS = tuple(
    kind for kind in kinds.own_kinds() if kinds.is_warning(kind) and kind not in (kinds.UNUSED_IGNORE, kinds.BAD_IGNORE)
)


def without_ignored(warnings: Sequence[Problem], texts: Mapping[str, str]) -> list[Problem]:
    """Return the warnings that no comment suppresses, and a warning for each comment that is wrong or unused.

    `texts` maps the name of every file to its text.
    """
    kept = list(warnings)
    for name, text in texts.items():
        lines = lines_of(text) if "mps-bill:" in text else ()
        for number, line in enumerate(lines, 1):
            if comment := _COMMENT.search(line):
                place = Place(name, number, comment.start("words") + 1)
                kept = _without(kept, comment["words"], place, _target(lines, number))
    return kept


def _without(warnings: list[Problem], comment: str, place: Place, line: int) -> list[Problem]:
    """Return the warnings without those that a comment for `line` suppresses, and add a warning if the comment is wrong."""
    found = _IGNORE.fullmatch(comment)
    codes = re.split(", ?", found["codes"]) if found else []
    if wrong := _wrong_code(codes) if found else _WANTED:
        return [*warnings, Problem(place, kinds.BAD_IGNORE, f"{quoted(comment)} {wrong}")]
    for code in codes:
        left = [
            one
            for one in warnings
            if (one.place.file, one.place.line) != (place.file, line) or not one.kind.is_named(code)
        ]
        if len(left) == len(warnings) and not any(kind.is_named(code) for kind in kinds.BY_CALENDAR):
            message = f"no {code} on line {line} to suppress; remove the comment"
            left.append(Problem(place, kinds.UNUSED_IGNORE, message))
        warnings = left
    return warnings


_WANTED = (
    "is not understood; write `# mps-bill: ignore CODE (reason)`, such as `# mps-bill: ignore P901 (not published)`"
)


def _wrong_code(codes: Sequence[str]) -> str:
    """Describe the first code that cannot be suppressed; empty if there is none."""
    for code in codes:
        if not any(kind.is_named(code) for kind in _WARNINGS):
            warnings = [name for kind in _WARNINGS for name in (kind.code, kind.slug)]
            return (
                f"names {code}, which is not a warning that can be suppressed{near_miss(code, warnings, priced=False)}"
            )
    return ""


def _target(lines: Sequence[str], number: int) -> int:
    """Return the line to which the comment on line `number` applies."""
    if not lines[number - 1].lstrip().startswith("#"):
        return number
    after = range(number + 1, len(lines) + 1)
    return next((at for at in after if lines[at - 1].strip() and not lines[at - 1].lstrip().startswith("#")), number)
