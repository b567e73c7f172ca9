"""Records of JSON documents with their places, numbers as the text that was written.

The standard decoder is fast and does not know places. So every record is decoded by itself, which gives its start, and
the place of a value inside a record is only looked up when a message needs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from mps_bill.core.diagnostics import quoted
from mps_bill.core.files import MAX_BYTES_OF_DATA
from mps_bill.profiles.profile import EACH, FieldPath

_SPACE = re.compile(r"[ \t\n\r]*")
_CHUNK = 1 << 16


class JsonError(Exception):
    """Text that is not valid JSON; everything behind `line` and `column` is unread."""

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


#: A number stays the text that was written, so that no digit is lost.
_decode = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_unique_keys
).raw_decode


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a stream: `text` from its first character, at `line` and `column`, to its last."""

    text: str
    line: int
    column: int
    value: Any

    def position(self, at: int) -> tuple[int, int]:
        """Line and column of the character `at` of the text, in the file."""
        return _moved(self.text, 0, at, self.line, self.column)


@dataclass(frozen=True, slots=True)
class NoRecords:
    """A place where the path to the records leads nowhere."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands at `name`, where a path to a value goes on into an object: a text, a number, true or false, or a list."""

    name: str
    value: Any

    def __str__(self) -> str:
        return f"{self.name} is {shown(self.value)}"


@dataclass(frozen=True, slots=True)
class _Span:
    """A value and its start and end in the text of its document."""

    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class JsonRecord:
    """A record: `scopes` are itself, the records that hold it, and the document."""

    document: Document
    line: int
    scopes: tuple[_Span, ...]

    @property
    def raw(self) -> bytes:
        record = self.scopes[0]
        return self.document.text[record.start : record.end].encode("utf-8", "backslashreplace")

    def value(self, path: FieldPath) -> Any:
        """The value at `path`; None where there is none, and an `Obstacle` where a text or a list stands on the path.

        An object where the path needs a list counts as a list of one.
        """
        if path.outward >= len(self.scopes):
            return None
        value = self.scopes[path.outward].value
        for number, step in enumerate(path.steps):
            if isinstance(value, dict):
                if step in value:
                    value = value[step]
                elif step != "0" or not value:
                    return None
            elif isinstance(value, list) and step.isdecimal():
                if int(step) >= len(value):
                    return None
                value = value[int(step)]
            else:
                return Obstacle(".".join(path.steps[:number]), value) if is_there(value) else None
        return value

    def position(self, path: FieldPath | None = None) -> tuple[int, int]:
        """Line and column of the value at `path` or of what stands in its way, or of the record where there is neither."""
        at = self.scopes[0].start
        if path and self.value(path) is not None:
            scope = self.scopes[path.outward]
            at, value = scope.start, scope.value
            for step in path.steps:
                if isinstance(value, dict):
                    if step in value:
                        at, value = _inside(self.document.text, at, step), value[step]
                elif isinstance(value, list) and step.isdecimal():
                    at, value = _inside(self.document.text, at, step), value[int(step)]
                else:
                    break
        return self.document.position(at)


def shown(value: Any) -> str:
    """A value for a message: text and numbers as they stand, of others only what they are."""
    if isinstance(value, str):
        return quoted(value)
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "true or false"


def is_there(value: Any) -> bool:
    """Whether a value is more than spaces, or an empty object or list. A member that cannot be read is there all the same."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value not in ({}, [])


def whole_record(document: Document) -> JsonRecord:
    """The whole of a document as a record."""
    return JsonRecord(document, document.line, (_Span(document.value, 0, len(document.text)),))


def read_documents(stream: TextIO) -> Iterator[Document]:
    """The documents of a stream, one or several (JSON Lines is the usual case).

    Raises:
        JsonError: the text is not valid JSON; with the place.
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
            value, end = _decode(text, at)
        except (json.JSONDecodeError, _DuplicateKey, RecursionError) as error:
            # Perhaps only its end is not read yet. Doubling what is read keeps repeated attempts cheap.
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


def read_records(document: Document, steps: Sequence[str]) -> Iterator[JsonRecord | NoRecords]:
    """Every record at the end of `steps` in a document, in order, and each place where `steps` lead nowhere."""
    line, counted = document.line, 0
    for scopes in _walk(document.text, _Span(document.value, 0, len(document.text)), steps, ()):
        if isinstance(scopes, int):
            yield NoRecords(*document.position(scopes))
            continue
        record = scopes[0]
        line, counted = line + document.text.count("\n", counted, record.start), record.start
        yield JsonRecord(document, line, scopes)


def _walk(text: str, span: _Span, steps: Sequence[str], outer: tuple[_Span, ...]) -> Iterator[tuple[_Span, ...] | int]:
    """The scopes of every record, or the start of an object or list that lacks a step."""
    at, value = span.start, span.value
    for number, step in enumerate(steps):
        if step != EACH:
            if not isinstance(value, dict) or value.get(step) is None:
                yield at
                return
            at, value = _inside(text, at, step), value[step]
            continue
        if not isinstance(value, list):
            yield at
            return
        scopes = (span, *outer)
        for member in _members(text, at):
            if steps[number + 1 :]:
                yield from _walk(text, member, steps[number + 1 :], scopes)
            else:
                yield (member, *scopes)
        return


def _members(text: str, at: int) -> Iterator[_Span]:
    """The members of the list that starts at `at`."""
    at = _after_space(text, at + 1)
    while text[at] != "]":
        value, end = _decode(text, at)
        yield _Span(value, at, end)
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _inside(text: str, at: int, step: str) -> int:
    """The start of the member `step` of the object or list that starts at `at`; it is known to be there."""
    if text[at] == "[":
        return next(member.start for number, member in enumerate(_members(text, at)) if number == int(step))
    at = _after_space(text, at + 1)
    while True:
        key, at = _decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)
        if key == step:
            return at
        _, at = _decode(text, at)
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
