"""Ids as a person sees them: without what cannot be seen, so that two ids that look alike can be reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

Id = TypeVar("Id")
_SHOWN = 5

#: Spaces that look like one, and characters that do not show.
SPACES = "\u00a0\u2007\u202f\u3000"
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_TIDIED = str.maketrans(SPACES, " " * len(SPACES), UNSEEN)


def tidied(text: str) -> str:
    """`text` without spaces around it and without characters that do not show, and with plain spaces only."""
    return (text if text.isascii() else text.translate(_TIDIED)).strip(" ")


def look_alike(untidy: Iterable[Id], ids: Iterable[Id], tidy: Callable[[Id], Id]) -> list[list[Id]]:
    """The ids that a person cannot distinguish, in groups, the tidy one first; `untidy` are all of them that are so."""
    by_sight: dict[Id, list[Id]] = {}
    for one in untidy:
        by_sight.setdefault(tidy(one), []).append(one)
    if not by_sight:
        return []
    tidy_ones = {one for one in ids if one in by_sight}
    groups = [[seen, *others] if seen in tidy_ones else others for seen, others in by_sight.items()]
    return [group for group in groups if len(group) > 1]


def alike_warning(groups: Collection[list[Id]], called: Callable[[Id], str], ids: str, things: str) -> str:
    """Says which `ids` of `things` look alike, each with its place, as `called` says it."""
    found = "; ".join(" and ".join(map(called, group)) for group in first_shown(groups))
    more = f" (and {len(groups) - _SHOWN} more)" if len(groups) > _SHOWN else ""
    how = "differ only by spaces or by characters that cannot be seen"
    return f"{ids} {how}: {found}{more}; they are billed as different {things}"


def first_shown(groups: Collection[list[Id]]) -> list[list[Id]]:
    """The groups that a warning names."""
    return list(groups)[:_SHOWN]
