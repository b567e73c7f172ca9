"""Problems with input. Each has a place, a kind and a message; all are collected and shown together."""

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
#: The maximum length of quoted text.
_QUOTED = 60


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The place of a value. `line` and `column` count from 1; 0 means the whole file (or the whole line)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([printable(self.file), *numbers])


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of problem: a stable `code` for scripts (`P101`) and a `slug` for people (`duplicate-key`).

    `former` is an earlier slug, which documents and command lines may still use.
    """

    code: str
    slug: str
    former: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.slug}"

    def is_named(self, name: str) -> bool:
        """Whether `name` is the code or a slug of this kind."""
        return name in (self.code, self.slug, self.former or self.slug)


#: What a problem is about, to find problems that say the same: the value at a place, or something in the file, such as ("price",
#: "transcoding", "H264.HD").
Fact = Place | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake at one place. `message` gives what was found there and, if helpful, the remedy.

    Problems with the same `cause` (not empty) are one mistake; `also` are the places of the problems that this one represents.
    `facts` are what the problem is about, if problems of other kinds can be about the same.
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
    """Equal problems of one file, reported as one: the first, their number (usually one per row), and the first lines."""

    first: Problem
    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """The listed problems, one by one (`shown`) and in groups of equal ones, by place; the first problem of every kind; and the
    total number of each kind.

    Every kind is listed at least once before any kind is listed twice.
    """

    shown: tuple[Problem, ...] = ()
    groups: tuple[ProblemGroup, ...] = ()
    firsts: tuple[Problem, ...] = ()
    counts: Mapping[Kind, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __add__(self, other: ProblemReport) -> ProblemReport:
        """Return a report that lists the problems of both, one after the other."""
        kinds = {first.kind for first in self.firsts}
        return ProblemReport(
            (*self.shown, *other.shown),
            (*self.groups, *other.groups),
            in_order([*self.firsts, *(first for first in other.firsts if first.kind not in kinds)]),
            Counter(self.counts) + Counter(other.counts),
        )


#: The number of lines that a group of problems lists.
_LINES_NAMED = 3


@dataclass(slots=True)
class _Group:
    """A group under construction. `rank` is the number of earlier groups of the same kind."""

    first: Problem
    rank: int
    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        self.count += 1
        if line and len(self.lines) < _LINES_NAMED and line not in self.lines:
            self.lines.append(line)


class ProblemLog:
    """Collects problems as they occur: keeps the first of every kind and `maximum` others to be listed, and counts all.

    For each kind, only as many groups are kept as can be listed, so memory does not grow with the number of problems.
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
        # Groups of the same rank stay in the order in which they were found.
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
    """The input cannot be used; with every problem found. `heading` says for what it was used, if for several purposes."""

    def __init__(self, problems: Iterable[Problem] | ProblemReport, heading: str = "") -> None:
        self.heading = heading
        self.report = problems if isinstance(problems, ProblemReport) else report_of(problems)
        first, more = next(iter(self.report.shown), "problems in the input"), self.report.total - 1
        super().__init__(f"{first}, and {more} more" if more > 0 else str(first))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems in order of place. If there are very many, only the first ones."""
        return self.report.shown


def check_none(problems: Iterable[Problem], listed: int) -> None:
    """Refuse the input if there are problems. At most `listed` are listed one by one, because every row can be wrong."""
    log = ProblemLog(listed)
    log.add(problems)
    report = log.report()
    if report.total:
        raise InputRejected(report)


def accepted(value: T | None, problems: Iterable[Problem]) -> T:
    """Return the value read from an input, or raise `InputRejected` with the problems if there is none."""
    if value is None:
        raise InputRejected(problems)
    return value


#: The number of problems of one kind that are listed by default.
LISTED_OF_A_KIND = 20


def report_of(problems: Iterable[Problem], listed: int = LISTED_OF_A_KIND) -> ProblemReport:
    """Return the report of the problems of documents and headers. Each is listed separately, and at most `listed` of each kind: a
    generated file can have the same mistake a hundred thousand times."""
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
    """Return the problems sorted by file, line and column, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.sort_key))


def near_miss(word: str, known: Iterable[str], *, priced: bool = True) -> str:
    """Return `; did you mean "x"?` for the most similar known word, or an empty string if none is similar.

    Case is ignored, because wrong case is the most common mistake. With `priced`, a word is never mistaken for one that may have
    another price.
    """
    folded = word.casefold()
    by_folded = _folded(tuple(known))
    near: Iterable[str] = [other for other in by_folded if _may_mean(folded, other)] if priced else by_folded
    nearest = difflib.get_close_matches(folded, near, n=1, cutoff=0.6) if near else ()
    return f'; did you mean "{by_folded[nearest[0]]}"?' if nearest else ""


def unknown(
    what: str, word: str, known: Iterable[str], *, where: str = "", priced: bool = True, maximum: int = 12
) -> str:
    """Return `unknown unit "minuts"; did you mean "minute"?`, or with what is expected if no known word is similar.

    `where` follows the word, such as ` of transcoding`; `priced` is as in `near_miss`.
    """
    words = tuple(dict.fromkeys(known))
    return f"unknown {what} {quoted(word)}{where}{near_miss(word, words, priced=priced) or expected(words, maximum)}"


def expected(words: Sequence[str], maximum: int = 12) -> str:
    """Return `; expected a`, `; expected a or b` or `; expected one of a, b or c`; an empty string without words."""
    several = "one of " if len(words) > 2 else ""
    return f"; expected {several}{one_of(words, maximum)}" if words else ""


def foreign_letter(word: str) -> str:
    """Return a hint about a letter that looks Latin but is not: `; "С" in it is CYRILLIC CAPITAL LETTER ES`."""
    import unicodedata

    names = {letter: unicodedata.name(letter, "") for letter in word if not letter.isascii()}
    foreign = ("CYRILLIC", "GREEK", "FULLWIDTH")
    looks = next((letter for letter, name in names.items() if name.startswith(foreign)), None)
    return f"; {quoted(looks)} in it is {names[looks]}" if looks and names.keys() != set(word) else ""


@lru_cache(64)
def _folded(known: tuple[str, ...]) -> dict[str, str]:
    return {candidate.casefold(): candidate for candidate in known}


def _may_mean(word: str, candidate: str) -> bool:
    """Whether one word can be a misspelling of the other.

    `8K` and `4K`, `H264` and `H265`, `HD` and `SD` are very similar, but have different prices. So digits and short words are
    never guessed, except letters that look like a digit; and in a spec such as `H264.HD`, or an item such as `editing_basic`,
    each part must be similar on its own.
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
    """Return what a word looks like, its parts and its numbers. It is cached, because a file may have many words, each compared
    with all known words."""
    # Only letters and digits; doubled letters once; `l`, `i` and `o` as the digits that they look like.
    looks = _DOUBLED.sub(r"\1", _MARKS.sub("", word)).translate(_LOOKALIKES)
    return looks, tuple(_PARTS.split(word)), tuple(_DIGITS.findall(word))


def one_of(words: Sequence[str], maximum: int = 12, last: str = "or") -> str:
    """Return `a, b or c`, for messages that list what is allowed. A long list is shortened, with the total number."""
    if len(words) > maximum:
        return f"{', '.join(words[:maximum])}, ... ({len(words)} in all)"
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing"


def all_of(words: Sequence[str], maximum: int = 12) -> str:
    """Return `a, b and c`, shortened like `one_of`."""
    return one_of(words, maximum, "and")


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 bill` or `2 bills`; with `many`, words whose plural is not just an s: `1 bill was` or `2 bills were`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def quoted(text: str) -> str:
    """Return text from a file in quotes, safe to print: control and direction characters are escaped, long text is shortened."""
    shown = text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "..."
    return '"' + printable(shown) + '"'


def printable(text: str) -> str:
    """Escape the characters of `text` that could control a terminal or be invisible (controls, bidi marks, surrogates)."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def width_of(text: str) -> int:
    """Return the width of text in columns of a fixed-width font: Chinese characters take two, combining characters none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
