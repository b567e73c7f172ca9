"""Ids as a person sees them: without what cannot be seen, so that two ids that look alike can be reported."""

from __future__ import annotations

#: Spaces that look like one, and characters that do not show.
SPACES = "\u00a0\u2007\u202f\u3000"
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_TIDIED = str.maketrans(SPACES, " " * len(SPACES), UNSEEN)


def tidied(text: str) -> str:
    """`text` without spaces around it and without characters that do not show, and with plain spaces only."""
    return (text if text.isascii() else text.translate(_TIDIED)).strip(" ")
