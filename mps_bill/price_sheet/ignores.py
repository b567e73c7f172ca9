"""Comments in a sheet that suppress a warning, with the reason: `# mps-bill: ignore P901 (not on the price list)`.
A warning is named by its code or its slug.

Such a comment is for the warnings of its own line; alone on a line, for those of the next line that holds a value.
Errors cannot be suppressed, because a bill would still refuse the sheet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mps_bill.core.diagnostics import Place, Problem, near_miss, quoted
from mps_bill.documents.yaml_tree import lines_of
from mps_bill.price_sheet import sheet_problems as kinds

_COMMENT = re.compile(r"(?:^|\s)#(?:.*\s)?(?P<words>mps-bill:.*)$")
_IGNORE = re.compile(
    r"mps-bill: ignore (?P<codes>[A-Za-z0-9-]+(?:, ?[A-Za-z0-9-]+)*) \((?P<reason>[^()]*\S[^()]*)\)\s*"
)
#: The warnings that a comment can suppress: all but those about comments.
_WARNINGS = tuple(
    kind for kind in kinds.OWN if kinds.is_warning(kind) and kind not in (kinds.UNUSED_IGNORE, kinds.BAD_IGNORE)
)


@dataclass(frozen=True, slots=True)
class _Ignore:
    """Warnings, by code or slug, that a comment at `place` suppresses on `line`."""

    place: Place
    line: int
    codes: tuple[str, ...]


def without_ignored(warnings: Sequence[Problem], texts: Mapping[str, str]) -> list[Problem]:
    """The warnings that no comment of their file suppresses, and a warning for each comment that is wrong or unused.

    `texts` has the text of every file by its name.
    """
    kept = list(warnings)
    for name, text in texts.items():
        ignores, problems = _read_ignores(text, name)
        kept += problems
        for ignore in ignores:
            for code in ignore.codes:
                meant = [warning for warning in kept if _applies(ignore, code, warning)]
                kept = [warning for warning in kept if not _applies(ignore, code, warning)]
                if not meant and not any(kind.is_named(code) for kind in kinds.BY_CALENDAR):
                    message = f"no {code} on line {ignore.line} to suppress; remove the comment"
                    kept.append(Problem(ignore.place, kinds.UNUSED_IGNORE, message))
    return kept


def _applies(ignore: _Ignore, code: str, warning: Problem) -> bool:
    here = (warning.place.file, warning.place.line) == (ignore.place.file, ignore.line)
    return here and warning.kind.is_named(code)


def _read_ignores(text: str, name: str) -> tuple[list[_Ignore], list[Problem]]:
    ignores: list[_Ignore] = []
    problems: list[Problem] = []
    if "mps-bill:" not in text:
        return ignores, problems
    lines = lines_of(text)
    for number, line in enumerate(lines, 1):
        comment = _COMMENT.search(line)
        if not comment:
            continue
        place = Place(name, number, comment.start("words") + 1)
        found = _IGNORE.fullmatch(comment["words"])
        wrong = _wrong_code(re.split(", ?", found["codes"])) if found else _WANTED
        if wrong or not found:
            problems.append(Problem(place, kinds.BAD_IGNORE, f"{quoted(comment['words'])} {wrong}"))
        else:
            ignores.append(_Ignore(place, _target(lines, number), tuple(re.split(", ?", found["codes"]))))
    return ignores, problems


_WANTED = (
    "is not understood; write `# mps-bill: ignore CODE (reason)`, such as `# mps-bill: ignore P901 (not published)`"
)


def _wrong_code(codes: Sequence[str]) -> str:
    """What is wrong with the first code that cannot be suppressed, or nothing."""
    for code in codes:
        if not any(kind.is_named(code) for kind in _WARNINGS):
            warnings = [name for kind in _WARNINGS for name in (kind.code, kind.slug)]
            return (
                f"names {code}, which is not a warning that can be suppressed{near_miss(code, warnings, priced=False)}"
            )
    return ""


def _target(lines: Sequence[str], number: int) -> int:
    """The line that the comment on line `number` is for."""
    if not lines[number - 1].lstrip().startswith("#"):
        return number
    after = range(number + 1, len(lines) + 1)
    return next((at for at in after if lines[at - 1].strip() and not lines[at - 1].lstrip().startswith("#")), number)
