"""The columns of usage, and the values that the price of a record may depend on."""

from __future__ import annotations

from dataclasses import dataclass

#: The columns of a usage record, in the order of the documentation.
RECORD_COLUMNS = (
    "job_id",
    "output",
    "completed_at",
    "region",
    "item",
    "spec",
    "codec",
    "width",
    "height",
    "quantity",
    "unit",
    "status",
)
#: The account of a row, in usage of many accounts.
ACCOUNT_COLUMN = "account_id"
#: The columns of a usage file. Any number of `tag_*` columns may follow.
COLUMNS = (*RECORD_COLUMNS, ACCOUNT_COLUMN)
REQUIRED_COLUMNS = ("job_id", "completed_at", "region", "item", "quantity", "unit")
#: The columns whose values are known words, which are in the scheme. The fields of `UsageKey` have the same names.
WORDS = ("item", "region", "spec", "codec", "unit")
TAG_PREFIX = "tag_"
#: The form of a tag's name, in words and approximately as a pattern; `is_tag` is exact.
TAG_FORM = "a tag is named tag_ and letters or digits of any script, _, . or -"
TAG_PATTERN = TAG_PREFIX + r"\S+"

#: Replaces any word that the price book does not know, so that garbage in a column cannot make endless groups.
UNKNOWN = "?"
#: Replaces a side in pixels that is larger than every bucket of the price book.
BEYOND = 10**9


def is_tag(name: str) -> bool:
    """Whether a column with this name is a tag. Combining marks, which are part of the letters of many scripts, are allowed."""
    word = name.removeprefix(TAG_PREFIX)
    return word not in (name, "") and _is_letter(word[0]) and all(_is_letter(char) or _is_mark(char) for char in word)


def _is_letter(char: str) -> bool:
    return char.isalnum() or char in "_.-"


def _is_mark(char: str) -> bool:
    import unicodedata

    return unicodedata.category(char) in ("Mn", "Mc")


@dataclass(frozen=True, slots=True)
class UsageKey:
    """The values that the price of a record may depend on. Absent text is empty; an absent side is 0.

    `slot` is the start (seconds since the epoch) of the time slot of the completion. A slot is never longer than a billing cycle,
    and ends where the run cuts cycles into segments. `long` and `short` are the sides in pixels, or the next bucket edge at or
    above them.
    """

    slot: int
    item: str
    region: str
    spec: str
    codec: str
    long: int
    short: int
    unit: str
    failed: bool
    tags: tuple[str, ...]
    #: Empty in usage of one account, which has no account column.
    account: str = ""
