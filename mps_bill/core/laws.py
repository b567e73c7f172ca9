"""Laws of money, rows and accounts. A law that is broken is a bug, and it stops the run in every mode of Python."""

from __future__ import annotations


class BrokenLaw(AssertionError):
    """A result that cannot be right. Nothing must be made of it."""


def law(condition: bool, text: str, *values: object) -> None:
    """Raises `BrokenLaw` unless `condition` holds. An `assert` would not do: Python leaves it out when it optimises.

    `text` says what is wrong; its `{}` are filled with `values`, which costs nothing while the law holds.
    """
    if not condition:
        raise BrokenLaw(text.format(*values))
