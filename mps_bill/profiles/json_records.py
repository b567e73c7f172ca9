"""Records of JSON documents with their places, numbers as the text that was written.

An answer may stand in a wrapper, in a list of answers, or be a text inside of JSON, as scripts and clients print it; and a
key may start with a small letter where the provider's own starts with a capital.

The standard decoder is fast and does not know places. So every record is decoded by itself, which gives its start, and
the place of a value inside a record is only looked up when a message needs it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TextIO

from mps_bill.core.diagnostics import quoted
from mps_bill.core.files import MAX_BYTES_OF_DATA
from mps_bill.profiles.profile_model import EACH, FieldPath

_SPACE = re.compile(r"[ \t\n\r]*")
_CHUNK = 1 << 16
#: What clients and scripts put around an answer.
_WRAPPERS = ("Body", "Response", "Data", "Message", "MessageBody")


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
decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_unique_keys).raw_decode


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a stream: `text` from its first character, at `line` and `column`, to its last."""

    text: str
    line: int
    column: int
    value: Any

    @property
    def span(self) -> _Span:
        return _Span(self.value, _after_space(self.text, 0), len(self.text))

    def position(self, at: int, earlier: tuple[int, int] | None = None) -> tuple[int, int]:
        """Line and column of the character `at` of the text, in the file; `earlier` as in `line_of`."""
        begin = self.text.rfind("\n", 0, at)
        return self.line_of(at, earlier or (self.line, 0)), at - begin if begin >= 0 else self.column + at

    def line_of(self, at: int, earlier: tuple[int, int]) -> int:
        """The line of the character `at`, given the line of one before it, which spares counting from the start."""
        line, start = earlier
        return line + self.text.count("\n", start, at)

    def written(self, start: int, end: int) -> bytes:
        """What stands in the file for the characters from `start` to `end`."""
        return self.text[start:end].encode("utf-8", "backslashreplace")


class _QuotedDocument(Document):
    """A document that is a text inside of another; every place in it is that of the text."""

    __slots__ = ()

    def position(self, at: int, earlier: tuple[int, int] | None = None) -> tuple[int, int]:  # noqa: ARG002 (none in the file)
        return self.line, self.column

    def line_of(self, at: int, earlier: tuple[int, int]) -> int:  # noqa: ARG002
        return self.line


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
        return self.document.written(record.start, record.end)

    def value(self, path: FieldPath) -> Any:
        """The value at `path`; None where there is none, and an `Obstacle` where a text or a list stands on the path.

        An object where the path needs a list counts as a list of one.
        """
        if path.outward >= len(self.scopes):
            return None
        whole = value = self.scopes[path.outward].value
        # Most members are named as they are, and this is done for every field of every record. A list or a text has none.
        try:
            for step in path.steps:
                value = value[step]
        except (KeyError, TypeError):
            return value_at(whole, path.steps)
        return value

    def position(self, path: FieldPath | None = None) -> tuple[int, int]:
        """Line and column of the value at `path` or of what stands in its way, or of the record where there is neither."""
        start = at = self.scopes[0].start
        if path and self.value(path) is not None:
            scope = self.scopes[path.outward]
            at, value = scope.start, scope.value
            for step in path.steps:
                key = key_of(value, step.removesuffix(EACH)) if isinstance(value, dict) else None
                if key is not None:
                    at, value = _inside(self.document.text, at, key), value[key]
                elif isinstance(value, list) and step.isdecimal():
                    at, value = _inside(self.document.text, at, step), value[int(step)]
                elif not isinstance(value, dict):
                    break
        return self.document.position(at, (self.line, start) if at >= start else None)


def value_at(value: Any, steps: Sequence[str], first: int = 0) -> Any:
    """The value that `steps` from `first` on lead to; behind a step with `[]` the list of those of its members."""
    for number, step in enumerate(steps[first:], first):
        if isinstance(value, dict):
            key = key_of(value, step.removesuffix(EACH))
            if key is not None:
                value = value[key]
            elif step != "0" or not value:
                return None
        elif isinstance(value, list) and step.isdecimal():
            if int(step) >= len(value):
                return None
            value = value[int(step)]
        else:
            return Obstacle(".".join(steps[:number]), value) if is_there(value) else None
        if step.endswith(EACH):
            members = value if isinstance(value, list) else [value]
            return [value_at(member, steps, number + 1) for member in members]
    return value


def key_of(members: Mapping[str, Any], name: str) -> str | None:
    """The key of an object that `name` means: itself, or with a small first letter, as many clients print it."""
    if name in members:
        return name
    small = _small(name)
    return small if small in members else None


@lru_cache(maxsize=1024)
def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


def shown(value: Any) -> str:
    """A value for a message: text and numbers as they stand, of others only what they are."""
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "true or false"


def is_there(value: Any) -> bool:
    """Whether a value is more than spaces, or an empty object or list. A member that cannot be read is there all the same."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value not in ({}, [])


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
            value, end = decode(text, at)
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands in the wrappers of a document: an answer, or with `is_record` a record by itself. `outer` are the objects
    that wrap it, from the inside."""

    document: Document
    span: _Span
    is_record: bool = False
    outer: tuple[_Span, ...] = ()

    @property
    def whole(self) -> JsonRecord:
        """All of it as a record, which its wrappers hold."""
        return JsonRecord(self.document, self.document.line, (self.span, *self.outer))


def read_answers(
    document: Document, steps: Sequence[str], is_answer: Callable[[Any], bool], is_record: Callable[[Any], bool]
) -> Iterator[Answer]:
    """The answers in a document whose records are at the end of `steps`, and the records that stand there by themselves.

    `is_answer` and `is_record` say of an object whether it is one, where its keys do not begin as `steps` do.

    Raises:
        JsonError: a text in a wrapper is not valid JSON.
    """
    waiting = [Answer(document, document.span)]
    while waiting:
        answer = waiting.pop()
        document, value = answer.document, answer.span.value
        if isinstance(value, list) and value and steps[0] != EACH:
            members = [Answer(document, member) for member in _members(document.text, answer.span.start)]
            waiting += reversed(members)
        elif (
            not isinstance(value, dict)
            or (steps[0] != EACH and key_of(value, steps[0]) is not None)
            or is_answer(value)
        ):
            _check_spellings(answer)
            yield answer
        elif is_record(value):
            yield Answer(document, answer.span, is_record=True)
        elif inner := _unwrapped(answer):
            waiting.append(inner)
        else:
            yield answer


def _check_spellings(answer: Answer) -> None:
    """Two spellings of one key would be two answers, one passed over in silence. Notifications have two of their texts."""
    value = answer.span.value
    for name in value if isinstance(value, dict) else ():
        small = _small(name)
        if small != name and all(isinstance(value.get(one), dict | list) for one in (name, small)):
            raise _two_of(answer, name, small)


def _two_of(answer: Answer, *names: str) -> JsonError:
    what = " and ".join(map(quoted, names))
    message = f"{what} are in one object, and only one can be used; put each in its own document"
    return JsonError(*answer.document.position(answer.span.start), message)


def _may_wrap(inner: Any) -> bool:
    """Whether what stands under the name of a wrapper may be an answer; the provider's messages are other texts."""
    if isinstance(inner, str):
        return (_from_base64(inner) or inner).lstrip()[:1] in ("{", "[")
    return isinstance(inner, dict | list) and is_there(inner)


def _unwrapped(answer: Answer) -> Answer | None:
    """What stands in a wrapper, where the answer is one."""
    value, text = answer.span.value, answer.document.text
    _check_spellings(answer)
    wrappers = [key for name in _WRAPPERS if (key := key_of(value, name)) and _may_wrap(value[key])]
    if len(wrappers) > 1:
        raise _two_of(answer, *wrappers)
    for name in _WRAPPERS:
        key = key_of(value, name)
        inner = value[key] if key else None
        if not key or not isinstance(inner, dict | list | str):
            continue
        at = _inside(text, answer.span.start, key)
        if not isinstance(inner, str):
            outer = (answer.span, *answer.outer)
            return Answer(answer.document, _Span(inner, at, decode(text, at)[1]), outer=outer)
        inner = _from_base64(inner) or inner
        if inner.lstrip()[:1] in ("{", "["):
            line, column = answer.document.position(at)
            try:
                quoted_value, end = decode(inner, _after_space(inner, 0))
                if _after_space(inner, end) < len(inner):
                    raise json.JSONDecodeError("Extra data", inner, end)
            except (json.JSONDecodeError, _DuplicateKey, RecursionError) as error:
                message = _error(inner, 0, line, column, error).message
                raise JsonError(line, column, f"in the text of {quoted(key)}, {message}") from None
            document = _QuotedDocument(inner, line, column, quoted_value)
            return Answer(document, document.span)
    return None


def _from_base64(text: str) -> str:
    """The JSON that a text is in base64, as queues carry messages; empty where it is another text."""
    if text.lstrip()[:1] in ("{", "["):
        return ""
    try:
        found = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except ValueError:
        return ""
    return found if found.lstrip()[:1] in ("{", "[") else ""


def records_of(answers: Iterable[Answer], steps: Sequence[str]) -> Iterator[JsonRecord | NoRecords]:
    """Every record at the end of `steps` in answers that stand in one document one behind another, in order, and each place
    where `steps` lead nowhere."""
    earlier: tuple[Document | None, int, int] = (None, 0, 0)
    for answer in answers:
        document = answer.document
        walked = [(answer.span,)] if answer.is_record else _walk(document.text, answer.span, steps, ())
        for scopes in walked:
            if isinstance(scopes, int):
                yield NoRecords(*document.position(scopes))
                continue
            start = scopes[0].start
            seen, line, counted = earlier
            line = document.line_of(start, (line, counted) if seen is document else (document.line, 0))
            earlier = (document, line, start)
            yield JsonRecord(document, line, scopes)


def _walk(text: str, span: _Span, steps: Sequence[str], outer: tuple[_Span, ...]) -> Iterator[tuple[_Span, ...] | int]:
    """The scopes of every record, or the start of an object or list that lacks a step.

    One object where a list is meant is a list of one, and what is empty where an object is meant has no records: clients
    and XML write lists of one and of none so.
    """
    at, value = span.start, span.value
    for number, step in enumerate(steps):
        if step != EACH:
            key = key_of(value, step) if isinstance(value, dict) else None
            if key is None or value[key] is None:
                if number == 0 or is_there(value):
                    yield at
                return
            at, value = _inside(text, at, key), value[key]
            continue
        if not isinstance(value, list | dict):
            if number == 0 or is_there(value):
                yield at
            return
        if isinstance(value, list):
            members = _members(text, at)
        else:
            members = iter([_Span(value, at, decode(text, at)[1])] if value else [])
        scopes = (span, *outer)
        for member in members:
            if steps[number + 1 :]:
                yield from _walk(text, member, steps[number + 1 :], scopes)
            else:
                yield (member, *scopes)
        return


def _members(text: str, at: int) -> Iterator[_Span]:
    """The members of the list that starts at `at`."""
    at = _after_space(text, at + 1)
    while text[at] != "]":
        value, end = decode(text, at)
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
