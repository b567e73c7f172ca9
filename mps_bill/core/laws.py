"""Invariants of money, rows and accounts. A broken invariant is a bug, and stops the run in every mode of Python."""

from __future__ import annotations


class BrokenLaw(AssertionError):
    """A result is impossible. It must not be used."""


def law(condition: bool, text: str, *values: object) -> None:
    """Raise `BrokenLaw` unless `condition` holds. An `assert` would not be enough, because optimised Python omits it.

    `text` says what is wrong. Its `{}` are filled with `values` only then, so a law that holds costs nothing.
    """
    if not condition:
        raise BrokenLaw(text.format(*values))
