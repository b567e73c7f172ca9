"""Ids as a person sees them, without invisible characters, so that two ids that look alike can be reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

Id = TypeVar("Id")
_SHOWN = 5

#: Characters that look like a space, and invisible characters.
SPACES = "\u00a0\u2007\u202f\u3000"
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_TIDIED = str.maketrans(SPACES, " " * len(SPACES), UNSEEN)


def tidied(text: str) -> str:
    """`text` with plain spaces only, without spaces around it, and without invisible characters."""
    return (text if text.isascii() else text.translate(_TIDIED)).strip(" ")


def look_alike(untidy: Iterable[Id], ids: Iterable[Id], tidy: Callable[[Id], Id]) -> list[list[Id]]:
    """The ids that look the same to a person, in groups, the tidy id first; `untidy` are all ids that are not tidy."""
    by_sight: dict[Id, list[Id]] = {}
    for one in untidy:
        by_sight.setdefault(tidy(one), []).append(one)
    if not by_sight:
        return []
    tidy_ones = {one for one in ids if one in by_sight}
    groups = [[seen, *others] if seen in tidy_ones else others for seen, others in by_sight.items()]
    return [group for group in groups if len(group) > 1]


def alike_warning(groups: Collection[list[Id]], called: Callable[[Id], str], ids: str, things: str) -> str:
    """A warning that these `ids` of `things` look alike; `called` gives the text of each, with its place."""
    found = "; ".join(" and ".join(map(called, group)) for group in first_shown(groups))
    more = f" (and {len(groups) - _SHOWN} more)" if len(groups) > _SHOWN else ""
    how = "differ only by spaces or by invisible characters"
    return f"{ids} {how}: {found}{more}; they are billed as different {things}"


def first_shown(groups: Collection[list[Id]]) -> list[list[Id]]:
    """The groups that are named in a warning."""
    return list(groups)[:_SHOWN]
