"""What was found, each mistake once, however much of a sheet it touches: GitHub shows ten annotations of a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mps_bill.core.diagnostics import Fact, Place, Problem, counted
from mps_bill.price_sheet import sheet_problems as kinds

_RANKS = {kind: number for number, kind in enumerate(kinds.NEAREST_TO_THE_CAUSE, 1)}


def once_a_mistake(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without those that only follow from others, and of those of one cause the first. One that stands for others
    has their places."""
    return tuple(_one_a_cause(_without_consequences(problems)))


def _without_consequences(problems: Iterable[Problem]) -> list[Problem]:
    """Without those that are about nothing but what problems nearer to the cause are about."""
    found = list(problems)
    said: dict[object, int] = {}
    others: dict[int, list[Place]] = {}
    for number in sorted(range(len(found)), key=lambda number: _rank(found[number])):
        problem = found[number]
        facts = _facts(problem)
        if _rank(problem) and facts and all(fact in said for fact in facts):
            others.setdefault(said[facts[0]], []).append(problem.place)
        else:
            others.setdefault(number, [])
            for fact in facts:
                said.setdefault(fact, number)
    return [_standing_for(found[number], others[number]) for number in sorted(others)]


def _rank(problem: Problem) -> int:
    """0 for errors that are never consequences."""
    return _RANKS.get(problem.kind, len(_RANKS) + 1 if kinds.is_warning(problem.kind) else 0)


def _facts(problem: Problem) -> list[object]:
    """What a problem is about. An error, and what says of a figure that it looks wrong, is about what stands at its place."""
    facts: tuple[Fact, ...] = problem.facts
    if not facts and (problem.kind in kinds.OF_A_FIGURE or not kinds.is_warning(problem.kind)):
        facts = (problem.place,)
    return [fact if isinstance(fact, Place) else (problem.place.file, fact) for fact in facts]


def _standing_for(problem: Problem, others: Sequence[Place], more: str = "") -> Problem:
    here = tuple(place for place in others if place.file == problem.place.file and place != problem.place)
    return replace(problem, message=problem.message + more, also=tuple(dict.fromkeys((*problem.also, *here))))


def _one_a_cause(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Where no cause is given, problems of one sentence have one: a word that is misspelt throughout a sheet."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        cause = problem.place.file, problem.kind.code, problem.cause or problem.message
        alike.setdefault(cause, []).append(problem)
    for first, *more in alike.values():
        others = [place for one in more for place in (one.place, *one.also)]
        also = f" (also at {counted(len(more), 'other place')}, the next on line {others[0].line})" if others else ""
        yield _standing_for(first, others, also)
