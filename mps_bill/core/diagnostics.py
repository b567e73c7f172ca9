"""Problems with input, as values: each has a place, a kind and a message; all are collected and shown together."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value stands. `line` and `column` count from 1; 0 means the file (or the line) as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.file, *numbers])


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """What sort of problem it is: a stable `code` for scripts (`P101`) and a `slug` for people (`duplicate-key`)."""

    code: str
    slug: str

    def __str__(self) -> str:
        return f"{self.code} {self.slug}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at one place. `message` gives what stands there and, where it helps, the remedy."""

    place: Place
    kind: Kind
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.kind}]"

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        return (self.place.file, self.place.line, self.place.column, self.kind.code, self.message)


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """The first problems in order of place, the first of every kind, and how many there are of each kind in all."""

    shown: tuple[Problem, ...] = ()
    firsts: tuple[Problem, ...] = ()
    counts: Mapping[Kind, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class ProblemLog:
    """Gathers problems as they are met: keeps the first `most` and the first of every kind, and counts all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._shown: list[Problem] = []
        self._firsts: dict[Kind, Problem] = {}
        self._counts: Counter[Kind] = Counter()

    def add(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._counts[problem.kind] += 1
            self._firsts.setdefault(problem.kind, problem)
            if len(self._shown) < self._most:
                self._shown.append(problem)

    def report(self) -> ProblemReport:
        return ProblemReport(in_order(self._shown), in_order(self._firsts.values()), dict(self._counts))


class InputRejected(Exception):
    """Input that cannot be used, with every problem found."""

    def __init__(self, problems: Iterable[Problem] | ProblemReport) -> None:
        self.report = problems if isinstance(problems, ProblemReport) else _whole_report(problems)
        super().__init__(f"{self.report.total} problem(s) in the input")


def _whole_report(problems: Iterable[Problem]) -> ProblemReport:
    ordered = in_order(problems)
    log = ProblemLog(len(ordered))
    log.add(ordered)
    return log.report()


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems sorted by file, line and column, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.sort_key))


def near_miss(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` for the nearest known word, or an empty string where none is near.

    Case is ignored in the comparison, because wrong case is the most frequent near miss.
    """
    folded = word.casefold()
    by_folded = {candidate.casefold(): candidate for candidate in known if _may_mean(folded, candidate.casefold())}
    nearest = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return f'; did you mean "{by_folded[nearest[0]]}"?' if nearest else ""


def _may_mean(word: str, candidate: str) -> bool:
    """Whether one can be a misspelling of the other.

    `8K` and `4K`, `H264` and `H265`, `HD` and `SD` are as near as words can be, and have other prices. So digits and short
    words are never guessed, and of a spec such as `H264.HD` each part must be near by itself.
    """
    if _without_marks(word) == _without_marks(candidate):
        return True
    parts, others = word.split("."), candidate.split(".")
    if len(parts) != len(others) or _DIGITS.findall(word) != _DIGITS.findall(candidate):
        return False
    return all(
        part == other
        or (len(other) > 3 and (len(parts) == 1 or difflib.SequenceMatcher(None, part, other).ratio() >= 0.75))
        for part, other in zip(parts, others, strict=True)
    )


def _without_marks(word: str) -> str:
    return "".join(char for char in word if char.isalnum())


def one_of(words: Sequence[str], most: int = 12) -> str:
    """`a, b or c`, for messages that list what is allowed; a long list is cut and says so."""
    if len(words) > most:
        return f"{', '.join(words[:most])}, ... ({len(words)} in all)"
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing"


def quoted(text: str, most: int = 60) -> str:
    """Text from a file, in quotes, safe to print: control and direction characters escaped, cut when it is very long."""
    shown = text if len(text) <= most else text[: most - 3] + "..."
    return '"' + printable(shown) + '"'


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal or hide (controls, bidi marks, surrogates) escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
