"""Reading documents of every kind in one way: bytes up to a limit, UTF-8, YAML, the format, the shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from mps_bill.core.diagnostics import Kind, Place, Problem, in_order, near_miss, quoted
from mps_bill.core.files import read_file
from mps_bill.documents.fields import Schema, Shape
from mps_bill.documents.shapes import Record
from mps_bill.documents.values import Choice
from mps_bill.documents.yaml_tree import MapNode, ScalarNode, decode, read_tree

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Document(Generic[F]):
    """A kind of document: its title, its shape, and the kind of problem for a file that cannot be read."""

    title: str
    shape: Shape[F]
    unreadable: Kind

    def schema(self) -> Schema:
        """Return its JSON Schema (draft 2020-12) for editors. Rules between keys are checked by the reader only."""
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": self.title, **self.shape.schema()}


@dataclass(frozen=True, slots=True)
class ReadDocument(Generic[F]):
    """The readable part of a document, and every problem in order of place.

    `text` is None if the file cannot be read. `fields` is None if it is not such a document at all.
    """

    text: str | None
    fields: F | None
    problems: tuple[Problem, ...]


def read_document(document: Document[F], path: Path, name: str) -> ReadDocument[F]:
    """Read the document in a file; `name` is the file's name in messages."""
    try:
        data = read_file(path)
    except OSError as error:
        problem = Problem(Place(name), document.unreadable, f"it cannot be read: {error.strerror or error}")
        return ReadDocument(None, None, (problem,))
    text, problems = decode(data, name)
    return ReadDocument(None, None, problems) if text is None else read_text(document, text, name)


def read_text(document: Document[F], text: str, name: str) -> ReadDocument[F]:
    """Read a document from its text."""
    root, form_problems = read_tree(text, name)
    if root is None:
        return ReadDocument(text, None, in_order(form_problems))
    if other := _other_document(document.shape, root):
        return ReadDocument(text, None, in_order([*form_problems, other]))
    problems = list(form_problems)
    fields = document.shape.read(root, root.place, problems)
    return ReadDocument(text, fields, in_order(problems))


_FORMAT = re.compile(r"mps-bill/([a-z-]+)/[0-9]+")


def is_other_format(name: str, own: str) -> bool:
    """Whether `name` is the format of another document of the program. A name close to `own` is treated as a typo."""
    found, mine = _FORMAT.fullmatch(name), _FORMAT.fullmatch(own)
    if found is None:
        return False
    return mine is None or (found[1] != mine[1] and not near_miss(found[1], (mine[1],)))


def _other_document(shape: Shape[Any], node: MapNode) -> Problem | None:
    """Return a problem if `format` names another of the program's documents: checking it as this one would only add noise."""
    if not isinstance(shape, Record):
        return None
    own_format = next((field.shape for field in shape.fields if field.key == "format"), None)
    value = next((entry.value for entry in node.entries if entry.key.text == "format"), None)
    if not isinstance(own_format, Choice) or not isinstance(value, ScalarNode):
        return None
    (first, *_) = own_format.words
    found, own = _FORMAT.fullmatch(value.text), _FORMAT.fullmatch(first)
    same = found and own and found[1] == own[1]
    if not found or value.text in own_format.words or not (same or is_other_format(value.text, first)):
        return None
    if same:
        message = f'unknown format {quoted(value.text)}; did you mean "{first}"?'
    else:
        message = f"{quoted(value.text)} is not {shape.name}" + (f"; its `format` is {first}" if own else "")
    return Problem(value.place, own_format.kind, message)
