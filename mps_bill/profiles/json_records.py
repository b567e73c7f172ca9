"""Records in JSON documents, and the values in them by paths.

An answer may be in a wrapper, in a list of answers, or in a text inside JSON, as scripts and clients print it. A key may start
with a small letter where the provider's own key starts with a capital.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mps_bill.core.diagnostics import quoted
from mps_bill.profiles.json_documents import (
    Document,
    JsonError,
    Span,
    decode,
    members_of,
    place_inside,
    quoted_document,
)
from mps_bill.profiles.profile_model import EACH, FieldPath

#: The keys under which clients and scripts wrap an answer.
_WRAPPERS = ("Body", "Response", "Data", "Message", "MessageBody")


@dataclass(frozen=True, slots=True)
class NoRecords:
    """A place at which the path to the records leads nowhere."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The value at `name` that is not an object, although a path leads through it: a text, a number, true or false, or a list."""

    name: str
    value: Any

    def __str__(self) -> str:
        return f"{self.name} is {shown(self.value)}"


@dataclass(frozen=True, slots=True)
class JsonRecord:
    """A record: `scopes` are the record itself, the records around it from the inside out, and the document."""

    document: Document
    line: int
    scopes: tuple[Span, ...]

    @property
    def raw(self) -> bytes:
        record = self.scopes[0]
        return self.document.written(record.start, record.end)

    def value(self, path: FieldPath) -> Any:
        """The value at `path`; None if there is none, and an `Obstacle` if a text or a list is in the way.

        An object in place of a list counts as a list of one.
        """
        if path.outward >= len(self.scopes):
            return None
        whole = value = self.scopes[path.outward].value
        # This runs for every field of every record, and most keys are spelled exactly like this. A list or a text has no keys.
        try:
            for step in path.steps:
                value = value[step]
        except (KeyError, TypeError):
            return value_at(whole, path.steps)
        return value

    def position(self, path: FieldPath | None = None) -> tuple[int, int]:
        """Line and column of the value at `path`, of the obstacle on the way to it, or else of the record."""
        start = at = self.scopes[0].start
        if path and self.value(path) is not None:
            scope = self.scopes[path.outward]
            at, value = scope.start, scope.value
            for step in path.steps:
                key = key_of(value, step.removesuffix(EACH)) if isinstance(value, dict) else None
                if key is not None:
                    at, value = place_inside(self.document.text, at, key), value[key]
                elif isinstance(value, list) and step.isdecimal():
                    at, value = place_inside(self.document.text, at, step), value[int(step)]
                elif not isinstance(value, dict):
                    break
        return self.document.position(at, (self.line, start) if at >= start else None)


def value_at(value: Any, steps: Sequence[str], first: int = 0) -> Any:
    """The value that `steps` from `first` on lead to; after a step with `[]`, a list with that value of every member."""
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
    """The key of an object that `name` refers to: `name` itself, or with a small first letter, as many clients print it."""
    if name in members:
        return name
    small = _small(name)
    return small if small in members else None


@lru_cache(maxsize=1024)
def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


def shown(value: Any) -> str:
    """A value for a message: text and numbers themselves, for others only their kind."""
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "true or false"


def is_there(value: Any) -> bool:
    """Whether a value is more than spaces or an empty object or list. An `Obstacle` counts as a value."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value not in ({}, [])


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in a document, or with `is_record` a single record. `outer` are the objects around it, from the inside out."""

    document: Document
    span: Span
    is_record: bool = False
    outer: tuple[Span, ...] = ()

    @property
    def whole(self) -> JsonRecord:
        """The whole answer as a record inside its wrappers."""
        return JsonRecord(self.document, self.document.line, (self.span, *self.outer))


def read_answers(
    document: Document, steps: Sequence[str], is_answer: Callable[[Any], bool], is_record: Callable[[Any], bool]
) -> Iterator[Answer]:
    """The answers in a document whose records are at the end of `steps`, and single records outside of answers.

    `is_answer` and `is_record` tell whether an object is one, if it does not have the key that `steps` begin with.

    Raises:
        JsonError: a text in a wrapper is not valid JSON.
    """
    waiting = [Answer(document, document.span)]
    while waiting:
        answer = waiting.pop()
        document, value = answer.document, answer.span.value
        if isinstance(value, list) and value and steps[0] != EACH:
            members = [Answer(document, member) for member in members_of(document.text, answer.span.start)]
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
    """Refuse two spellings of one key: one of two answers would be silently ignored. Only notifications spell a text twice."""
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
    """Whether the value of a wrapper's key may be an answer. The provider's messages are other texts."""
    return bool(_json_in(inner)) if isinstance(inner, str) else isinstance(inner, dict | list) and is_there(inner)


def _unwrapped(answer: Answer) -> Answer | None:
    """The value in a wrapper, if the answer is one."""
    value, document = answer.span.value, answer.document
    _check_spellings(answer)
    keys = [key for name in _WRAPPERS if (key := key_of(value, name))]
    wrappers = [key for key in keys if _may_wrap(value[key])]
    if len(wrappers) > 1:
        raise _two_of(answer, *wrappers)
    for key in keys:
        inner = value[key]
        at = place_inside(document.text, answer.span.start, key)
        if isinstance(inner, dict | list):
            return Answer(document, Span(inner, at, decode(document.text, at)[1]), outer=(answer.span, *answer.outer))
        if isinstance(inner, str) and (text := _json_in(inner)):
            try:
                document = quoted_document(text, *document.position(at))
            except JsonError as error:
                raise JsonError(error.line, error.column, f"in the text of {quoted(key)}, {error.message}") from None
            return Answer(document, document.span)
    return None


def _json_in(text: str) -> str:
    """The JSON in a text, as it is or encoded in base64, as queues carry messages; empty if it is another text."""
    if _begins_as_json(text):
        return text
    try:
        found = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except ValueError:
        return ""
    return found if _begins_as_json(found) else ""


def _begins_as_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def records_of(answers: Iterable[Answer], steps: Sequence[str]) -> Iterator[JsonRecord | NoRecords]:
    """Every record at the end of `steps` in answers that are given in file order, and every place where `steps` lead nowhere."""
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


def _walk(text: str, span: Span, steps: Sequence[str], outer: tuple[Span, ...]) -> Iterator[tuple[Span, ...] | int]:
    """The scopes of every record, or the start of an object or list that lacks a step.

    An object in place of a list is a list of one, and an empty value in place of an object has no records: this is how clients
    and XML write lists with one member or none.
    """
    at, value = span.start, span.value
    for number, step in enumerate(steps):
        key = key_of(value, step) if step != EACH and isinstance(value, dict) else None
        if key is not None and value[key] is not None:
            at, value = place_inside(text, at, key), value[key]
        elif step == EACH and isinstance(value, list | dict):
            if isinstance(value, list):
                members = members_of(text, at)
            else:
                members = iter([Span(value, at, decode(text, at)[1])] if value else [])
            for member in members:
                if steps[number + 1 :]:
                    yield from _walk(text, member, steps[number + 1 :], (span, *outer))
                else:
                    yield (member, span, *outer)
            return
        else:
            if number == 0 or is_there(value):
                yield at
            return
