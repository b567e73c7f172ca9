"""Problems with input, as values: each has a place, a kind and a message; all are collected and shown together."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
_PARTS = re.compile("[._-]")
_MARKS = re.compile(r"[\W_]")
_DIGITS = re.compile(r"\d+")
_DOUBLED = re.compile(r"([^\W\d])\1+")
_LOOKALIKES = str.maketrans("lio", "110")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value stands. `line` and `column` count from 1; 0 means the file (or the line) as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([printable(self.file), *numbers])


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """What sort of problem it is: a stable `code` for scripts (`P101`) and a `slug` for people (`duplicate-key`).

    `former` is the slug that it had before, by which documents and command lines may still name it.
    """

    code: str
    slug: str
    former: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.slug}"

    def is_named(self, name: str) -> bool:
        """Whether `name` is its code or a slug of it."""
        return name in (self.code, self.slug, self.former or self.slug)


#: What a problem is about, so that one can be known to say what another one says: what stands at a place, or something of its
#: file in words, such as ("price", "transcoding", "H264.HD").
Fact = Place | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at one place. `message` gives what stands there and, where it helps, the remedy.

    Problems of one `cause`, where there is one, are one mistake; `also` are the places of others that this one stands for.
    `facts` are what it is about, where problems of several kinds may be.
    """

    place: Place
    kind: Kind
    message: str
    cause: str = field(default="", compare=False)
    also: tuple[Place, ...] = field(default=(), compare=False)
    facts: tuple[Fact, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.kind}]"

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        return (self.place.file, self.place.line, self.place.column, self.kind.code, self.message)


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Problems of one file in one sentence: the first, how many there are (one a row, as a rule), the first lines."""

    first: Problem
    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """What is listed of problems, in order of place: some of them one by one, and groups of equal ones. Then the first of
    every kind, and how many there are of each kind in all.

    At least one of every kind is listed before a second of any.
    """

    shown: tuple[Problem, ...] = ()
    groups: tuple[ProblemGroup, ...] = ()
    firsts: tuple[Problem, ...] = ()
    counts: Mapping[Kind, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __add__(self, other: ProblemReport) -> ProblemReport:
        """What is listed of either, one after the other."""
        kinds = {first.kind for first in self.firsts}
        return ProblemReport(
            (*self.shown, *other.shown),
            (*self.groups, *other.groups),
            in_order([*self.firsts, *(first for first in other.firsts if first.kind not in kinds)]),
            Counter(self.counts) + Counter(other.counts),
        )

    def headed_by(self, problem: Problem) -> ProblemReport:
        """The report with a problem of all the input before the others."""
        return ProblemReport(
            (problem, *self.shown),
            (ProblemGroup(problem, 1, ()), *self.groups),
            in_order([problem, *(first for first in self.firsts if first.kind != problem.kind)]),
            {**self.counts, problem.kind: self.counts.get(problem.kind, 0) + 1},
        )


#: The lines that a group of problems names.
_LINES_NAMED = 3


@dataclass(slots=True)
class _Group:
    """A group under construction. `rank` counts the groups of its kind that were begun before it."""

    first: Problem
    rank: int
    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        self.count += 1
        if line and len(self.lines) < _LINES_NAMED and line not in self.lines:
            self.lines.append(line)


class ProblemLog:
    """Gathers problems as they are met: keeps `maximum` of them to be listed and the first of every kind, and counts all.

    Of each kind as many groups are kept as can be listed, so memory does not grow with the problems.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._early: list[Problem] = []
        self._groups: dict[tuple[Kind, str, str], _Group] = {}
        self._begun: Counter[Kind] = Counter()
        self._firsts: dict[Kind, Problem] = {}
        self._counts: Counter[Kind] = Counter()

    def add(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._counts[problem.kind] += 1
            self._firsts.setdefault(problem.kind, problem)
            if len(self._early) < self._maximum:
                self._early.append(problem)
            sentence = (problem.kind, problem.place.file, problem.message)
            group = self._groups.get(sentence)
            if group is None:
                if self._begun[problem.kind] >= self._maximum:
                    continue
                group = self._groups[sentence] = _Group(problem, self._begun[problem.kind])
                self._begun[problem.kind] += 1
            group.add(problem.place.line)

    def report(self) -> ProblemReport:
        # Of those of one rank the first that was begun comes first.
        listed = sorted(self._groups.values(), key=lambda group: group.rank)[: self._maximum]
        listed.sort(key=lambda group: group.first.sort_key)
        firsts = [group.first for group in listed]
        taken = set(firsts)
        others = [problem for problem in self._early if problem not in taken][: self._maximum - len(firsts)]
        return ProblemReport(
            in_order([*firsts, *others]),
            tuple(ProblemGroup(group.first, group.count, tuple(group.lines)) for group in listed),
            in_order(self._firsts.values()),
            dict(self._counts),
        )


class InputRejected(Exception):
    """Input that cannot be used, with every problem found. `heading` says which of several uses of it has them."""

    def __init__(self, problems: Iterable[Problem] | ProblemReport, heading: str = "") -> None:
        self.heading = heading
        self.report = problems if isinstance(problems, ProblemReport) else report_of(problems)
        first, more = next(iter(self.report.shown), "problems in the input"), self.report.total - 1
        super().__init__(f"{first}, and {more} more" if more > 0 else str(first))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, in order of place; of a great many the first ones."""
        return self.report.shown


def check_none(problems: Iterable[Problem], listed: int) -> None:
    """Refuses input that has any of the problems, of which so many are listed one by one: it can be wrong in every row."""
    log = ProblemLog(listed)
    log.add(problems)
    report = log.report()
    if report.total:
        raise InputRejected(report)


def accepted(value: T | None, problems: Iterable[Problem]) -> T:
    """What was read of an input.

    Raises:
        InputRejected: nothing was, with the problems.
    """
    if value is None:
        raise InputRejected(problems)
    return value


#: Problems of one kind that are listed where nobody asks for another number.
LISTED_OF_A_KIND = 20


def report_of(problems: Iterable[Problem], listed: int = LISTED_OF_A_KIND) -> ProblemReport:
    """The report of all problems of documents and headers. Each is listed by itself, and of each kind at most so many:
    a generated file can have one mistake a hundred thousand times."""
    ordered = in_order(problems)
    met: Counter[Kind] = Counter()
    firsts: dict[Kind, Problem] = {}
    groups = []
    for problem in ordered:
        firsts.setdefault(problem.kind, problem)
        met[problem.kind] += 1
        if met[problem.kind] <= listed:
            groups.append(ProblemGroup(problem, 1, ()))
    return ProblemReport(ordered, tuple(groups), in_order(firsts.values()), dict(met))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems sorted by file, line and column, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.sort_key))


def near_miss(word: str, known: Iterable[str], *, priced: bool = True) -> str:
    """`; did you mean "x"?` for the nearest known word, or an empty string where none is near.

    Case is ignored in the comparison, because wrong case is the most frequent near miss. A word that may be `priced` is never
    taken for one of another price.
    """
    folded = word.casefold()
    by_folded = _folded(tuple(known))
    near: Iterable[str] = [other for other in by_folded if _may_mean(folded, other)] if priced else by_folded
    nearest = difflib.get_close_matches(folded, near, n=1, cutoff=0.6) if near else ()
    return f'; did you mean "{by_folded[nearest[0]]}"?' if nearest else ""


def foreign_letter(word: str) -> str:
    """Which letter of a word is not Latin as those around it, though it looks so: `; "С" in it is CYRILLIC CAPITAL LETTER ES`."""
    import unicodedata

    names = {letter: unicodedata.name(letter, "") for letter in word if not letter.isascii()}
    foreign = ("CYRILLIC", "GREEK", "FULLWIDTH")
    looks = next((letter for letter, name in names.items() if name.startswith(foreign)), None)
    return f"; {quoted(looks)} in it is {names[looks]}" if looks and names.keys() != set(word) else ""


@lru_cache(64)
def _folded(known: tuple[str, ...]) -> dict[str, str]:
    return {candidate.casefold(): candidate for candidate in known}


def _may_mean(word: str, candidate: str) -> bool:
    """Whether one can be a misspelling of the other.

    `8K` and `4K`, `H264` and `H265`, `HD` and `SD` are as near as words can be, and have other prices. So digits and short
    words are never guessed, unless a letter that looks like the digit stands there, and of a spec such as `H264.HD` or an item
    such as `editing_basic` each part must be near by itself.
    """
    looks, parts, digits = _shape(word)
    other_looks, others, other_digits = _shape(candidate)
    if looks == other_looks:
        return True
    if digits != other_digits or len(parts) != len(others):
        return False
    return all(
        part == other
        or (len(other) > 3 and (len(parts) == 1 or difflib.SequenceMatcher(None, part, other).ratio() >= 0.75))
        for part, other in zip(parts, others, strict=True)
    )


@lru_cache(4096)
def _shape(word: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """How a word looks, its parts and its numbers. A file may have a great many words, each held against all known ones."""
    # Letters and digits alone, a letter that is doubled once, and `l` and `o` as the digits that they look like.
    looks = _DOUBLED.sub(r"\1", _MARKS.sub("", word)).translate(_LOOKALIKES)
    return looks, tuple(_PARTS.split(word)), tuple(_DIGITS.findall(word))


def one_of(words: Sequence[str], maximum: int = 12, last: str = "or") -> str:
    """`a, b or c`, for messages that list what is allowed; a long list is shortened, with the number of all."""
    if len(words) > maximum:
        return f"{', '.join(words[:maximum])}, ... ({len(words)} in all)"
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing"


def all_of(words: Sequence[str], maximum: int = 12) -> str:
    """`a, b and c`, shortened as `one_of` is."""
    return one_of(words, maximum, "and")


def counted(number: int, word: str) -> str:
    """`1 bill` or `2 bills`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def quoted(text: str, maximum: int = 60) -> str:
    """Text from a file, in quotes, safe to print: control and direction characters escaped, shortened when it is very long."""
    shown = text if len(text) <= maximum else text[: maximum - 3] + "..."
    return '"' + printable(shown) + '"'


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal or hide (controls, bidi marks, surrogates) escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def width_of(text: str) -> int:
    """How wide text stands where letters have one width: Chinese characters take two columns, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
