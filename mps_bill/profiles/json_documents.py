"""JSON documents with the places of their values. Numbers are kept as the text that was written.

The standard decoder is fast but does not know places. So every record is decoded by itself, which gives its start, and the place
of a value inside a record is looked up only when a message needs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from mps_bill.core.diagnostics import quoted
from mps_bill.core.files import MAX_BYTES_OF_DATA

_SPACE = re.compile(r"[ \t\n\r]*")
_CHUNK = 1 << 16


class JsonError(Exception):
    """The text is not valid JSON; everything after `line` and `column` is unread."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line, self.column, self.message = line, column, message


class _DuplicateKey(ValueError):
    pass


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _DuplicateKey(f"duplicate key {quoted(repeated)} in one object; it is not clear which one counts")
    return members


#: Numbers stay the text that was written, so that no digit is lost.
decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_unique_keys).raw_decode


@dataclass(frozen=True, slots=True)
class Span:
    """A value and its start and end in the text of its document."""

    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a stream: its text, which begins at `line` and `column`, and its value."""

    text: str
    line: int
    column: int
    value: Any

    @property
    def span(self) -> Span:
        return Span(self.value, _after_space(self.text, 0), len(self.text))

    def position(self, at: int, earlier: tuple[int, int] | None = None) -> tuple[int, int]:
        """Line and column in the file of the character `at` of the text; `earlier` as in `line_of`."""
        begin = self.text.rfind("\n", 0, at)
        return self.line_of(at, earlier or (self.line, 0)), at - begin if begin >= 0 else self.column + at

    def line_of(self, at: int, earlier: tuple[int, int]) -> int:
        """The line of the character `at`, given an earlier character's line and place, so that counting starts there."""
        line, start = earlier
        return line + self.text.count("\n", start, at)

    def written(self, start: int, end: int) -> bytes:
        """The bytes in the file for the characters from `start` to `end`."""
        return self.text[start:end].encode("utf-8", "backslashreplace")


class _QuotedDocument(Document):
    """A document that is a text inside another document; every place in it is the place of that text."""

    __slots__ = ()

    def position(self, at: int, earlier: tuple[int, int] | None = None) -> tuple[int, int]:  # noqa: ARG002 (none in the file)
        return self.line, self.column

    def line_of(self, at: int, earlier: tuple[int, int]) -> int:  # noqa: ARG002
        return self.line


def read_documents(stream: TextIO) -> Iterator[Document]:
    """The documents of a stream: one, or several (usually JSON Lines).

    Raises:
        JsonError: the text is not valid JSON; the error has the place.
    """
    text = ""
    at = 0
    line = column = 1
    while True:
        start = _after_space(text, at)
        line, column = _moved(text, at, start, line, column)
        at = start
        if at == len(text):
            text, at = stream.read(_CHUNK), 0
            if not text:
                return
            continue
        try:
            value, end = decode(text, at)
        except (json.JSONDecodeError, _DuplicateKey, RecursionError) as error:
            # Perhaps its end is just not read yet. Doubling the text each time keeps repeated attempts cheap.
            if len(text) - at > MAX_BYTES_OF_DATA:
                message = f"a document is larger than {MAX_BYTES_OF_DATA:,} characters, the most that is read"
                raise JsonError(line, column, message) from None
            more = stream.read(max(_CHUNK, len(text) - at)) if isinstance(error, json.JSONDecodeError) else ""
            if not more:
                raise _error(text, at, line, column, error) from None
            text, at = text[at:] + more, 0
            continue
        yield Document(text[at:end], line, column, value)
        line, column = _moved(text, at, end, line, column)
        at = end


def quoted_document(text: str, line: int, column: int) -> Document:
    """The document in a text that is itself a value in a document, at this line and column.

    Raises:
        JsonError: the text is not one valid JSON document.
    """
    try:
        value, end = decode(text, _after_space(text, 0))
        if _after_space(text, end) < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except (json.JSONDecodeError, _DuplicateKey, RecursionError) as error:
        raise JsonError(line, column, _error(text, 0, line, column, error).message) from None
    return _QuotedDocument(text, line, column, value)


def members_of(text: str, at: int) -> Iterator[Span]:
    """The members of the list that starts at `at`."""
    at = _after_space(text, at + 1)
    while text[at] != "]":
        value, end = decode(text, at)
        yield Span(value, at, end)
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def place_inside(text: str, at: int, step: str) -> int:
    """The start of the member `step` of the object or list that starts at `at`; the member must exist."""
    if text[at] == "[":
        return next(member.start for number, member in enumerate(members_of(text, at)) if number == int(step))
    at = _after_space(text, at + 1)
    while True:
        key, at = decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)
        if key == step:
            return at
        _, at = decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _moved(text: str, start: int, end: int, line: int, column: int) -> tuple[int, int]:
    """Line and column of `end`, given those of `start`."""
    lines = text.count("\n", start, end)
    return (line + lines, end - text.rfind("\n", start, end)) if lines else (line, column + end - start)


def _error(text: str, at: int, line: int, column: int, error: Exception) -> JsonError:
    if isinstance(error, json.JSONDecodeError):
        message = f"this is not valid JSON: {error.msg[0].lower()}{error.msg[1:]}"
        return JsonError(*_moved(text, at, error.pos, line, column), message)
    if isinstance(error, RecursionError):
        return JsonError(line, column, "the document is nested too deeply")
    return JsonError(line, column, str(error))
