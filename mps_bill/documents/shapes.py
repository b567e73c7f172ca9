"""What a document may hold, said once: a definition reads documents and gives the JSON Schema that editors use.

A shape is one of `Text`, `Choice`, `Record`, `MapOf`, `ListOf` and `Either`. Reading walks the tree and the shape
together. Every value keeps its place; what is wrong becomes a problem; what is right is returned all the same, so that
later checks can go on beside a mistake. None stands for a value whose problem is told already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from mps_bill.core.diagnostics import Kind, Place, Problem, near_miss, one_of, quoted
from mps_bill.documents.yaml_tree import BrokenNode, ListNode, MapNode, Node, ScalarNode

UNKNOWN_KEY = Kind("P121", "unknown-key")
MISSING_KEY = Kind("P122", "missing-key")
CONFLICTING_KEYS = Kind("P123", "conflicting-keys")
WRONG_NODE = Kind("P124", "wrong-structure")
EMPTY_VALUE = Kind("P125", "empty-value")
EMPTY_COLLECTION = Kind("P126", "empty-collection")
DUPLICATE_ENTRY = Kind("P127", "duplicate-entry")
BAD_VALUE = Kind("P128", "bad-value")
UNKNOWN_WORD = Kind("P129", "unknown-word")

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")
T_co = TypeVar("T_co", covariant=True)

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A value and where it stands."""

    value: T
    place: Place


@dataclass(frozen=True, slots=True)
class Entry(Generic[K, V]):
    """A key with its value; the value is None where it is wrong."""

    key: Located[K]
    value: V | None


@dataclass(frozen=True, slots=True)
class Many(Generic[T]):
    """The parts of a list or the entries of a mapping.

    `whole` is False where some were wrong and are left out; `left_out` are the keys of those whose key was wrong.
    """

    parts: tuple[T, ...]
    place: Place
    whole: bool
    left_out: frozenset[str] = frozenset()


class Shape(Protocol[T_co]):
    def read(self, node: Node, at: Place, problems: list[Problem]) -> T_co | None:
        """The value of `node`, or None and problems. `at` is where the value is named: its key, or its own place."""

    def schema(self) -> Schema:
        """The JSON Schema of the shape."""


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """A key of a record. `doc` says in one sentence what it means."""

    key: str
    shape: Shape[T]
    doc: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a record, by field. `given` are the keys that the document holds, right or wrong."""

    values: Mapping[str, object]
    given: frozenset[str]
    place: Place

    def get(self, field: Field[T]) -> T | None:
        """The field's value; None where it is absent or wrong."""
        return cast("T | None", self.values.get(field.key))

    def has(self, field: Field[Any]) -> bool:
        return field.key in self.given

    def wrong(self, field: Field[Any]) -> bool:
        """Whether the field is there and its value is wrong."""
        return self.has(field) and self.get(field) is None


def read(shape: Shape[T], node: Node) -> tuple[T | None, tuple[Problem, ...]]:
    """The value of a whole document, and every problem with it; of another kind of document only that it is one."""
    if isinstance(shape, Record) and isinstance(node, MapNode) and (other := _other_document(shape, node)):
        return None, (other,)
    problems: list[Problem] = []
    value = shape.read(node, node.place, problems)
    return value, tuple(problems)


_DOCUMENT = re.compile(r"mps-bill/([a-z-]+)/[0-9]+")


def _other_document(record: Record, node: MapNode) -> Problem | None:
    """The problem of a document whose `format` is another of the program's: to check it as this one would only be noise."""
    shape = next((field.shape for field in record.fields if field.key == "format"), None)
    value = next((entry.value for entry in node.entries if entry.key.text == "format"), None)
    if not isinstance(shape, Choice) or not isinstance(value, ScalarNode):
        return None
    found, own = _DOCUMENT.fullmatch(value.text), _DOCUMENT.fullmatch(shape.words[0])
    # A name that is nearly the own one is a slip of the pen.
    if not found or (own and near_miss(found[1], (own[1],))):
        return None
    message = f"{quoted(value.text)} is not {record.name}" + (f"; its `format` is {shape.words[0]}" if own else "")
    return Problem(value.place, shape.kind, message)


def json_schema(shape: Shape[Any], title: str) -> Schema:
    """The JSON Schema (draft 2020-12) of a whole document."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **shape.schema()}


def matching(pattern: str, name: str, example: str) -> Callable[[str], str]:
    """A parser that takes the texts of `pattern` as they are; its message reads `"X" is not NAME; write EXAMPLE`."""
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"{quoted(text)} is not {name}; write {example}")
        return text

    return parse


@dataclass(frozen=True, slots=True)
class Text(Generic[T]):
    """A single value. `parse` decides (a ValueError is a problem of `kind`); `pattern` tells editors what it takes.

    `number` is True where editors see the value as a number, because YAML types it so.
    """

    name: str
    parse: Callable[[str], T]
    pattern: str
    kind: Kind = BAD_VALUE
    number: bool = False

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Located[T] | None:
        if not isinstance(node, ScalarNode):
            problems += _wrong_node(node, at, self.name, "a single value")
            return None
        if not node.text and not node.quoted:
            problems.append(_empty_value(at, self.name))
            return None
        try:
            return Located(self.parse(node.text), node.place)
        except ValueError as error:
            problems.append(Problem(node.place, self.kind, str(error)))
            return None

    def schema(self) -> Schema:
        return {"type": ["string", "number"] if self.number else "string", "pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A single value, one of `words`."""

    name: str
    words: tuple[str, ...]
    kind: Kind = UNKNOWN_WORD

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Located[str] | None:
        if not isinstance(node, ScalarNode):
            problems += _wrong_node(node, at, self.name, "a single value")
            return None
        if not node.text and not node.quoted:
            problems.append(_empty_value(at, f"{self.name}, {one_of(self.words, most=20)},"))
            return None
        if node.text in self.words:
            return Located(node.text, node.place)
        hint = near_miss(node.text, self.words, priced=False) or f"; write {one_of(self.words, most=20)}"
        problems.append(Problem(node.place, self.kind, f"{quoted(node.text)} is not {self.name}{hint}"))
        return None

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys. Of the keys in `one_of`, exactly one must be given."""

    name: str
    fields: tuple[Field[Any], ...]
    one_of: tuple[str, ...] = ()

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Fields | None:
        if not isinstance(node, MapNode):
            problems += _wrong_node(node, at, self.name, "a mapping")
            return None
        by_key = {field.key: field for field in self.fields}
        values: dict[str, object] = {}
        given: dict[str, Place] = {}
        meant: set[str] = set()
        for entry in node.entries:
            key = entry.key.text
            field = by_key.get(key)
            if field:
                given[key] = entry.key.place
                values[key] = field.shape.read(entry.value, entry.key.place, problems)
            else:
                hint = near_miss(key, by_key, priced=False)
                # A misspelt key is one mistake, not two: what it was meant to be counts as given.
                meant.update(known for known in by_key if f'"{known}"' in hint)
                hint = hint or f"; known: {one_of(tuple(by_key), most=20)}"
                problems.append(Problem(entry.key.place, UNKNOWN_KEY, f"{quoted(key)} is no key of {self.name}{hint}"))
        known = meant.union(given)
        if node.whole:
            problems += self._missing(known, at)
        problems += self._conflicting(given)
        return Fields(values, frozenset(known), at)

    def _missing(self, known: Set[str], at: Place) -> list[Problem]:
        missing = [
            f'{self.name} needs the key "{field.key}"' + (f": {field.doc}" if field.doc else "")
            for field in self.fields
            if field.required and field.key not in known
        ]
        if self.one_of and known.isdisjoint(self.one_of):
            missing.append(f"{self.name} needs one of the keys {one_of(self.one_of)}")
        return [Problem(at, MISSING_KEY, message) for message in missing]

    def _conflicting(self, given: Mapping[str, Place]) -> list[Problem]:
        both = [key for key in given if key in self.one_of]
        return [
            Problem(given[key], CONFLICTING_KEYS, f'{self.name} has "{both[0]}" and "{key}"; keep one of the two')
            for key in both[1:]
        ]

    def schema(self) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {field.key: _described(field) for field in self.fields},
            "required": [field.key for field in self.fields if field.required],
            "additionalProperties": False,
        }
        if self.one_of:
            schema["oneOf"] = [{"required": [key]} for key in self.one_of]
        return schema


@dataclass(frozen=True, slots=True)
class MapOf(Generic[K, V]):
    """A mapping whose keys are the document's own: any keys of one shape, all values of another; at least one."""

    name: str
    key: Text[K]
    value: Shape[V]

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Many[Entry[K, V]] | None:
        if not isinstance(node, MapNode):
            problems += _wrong_node(node, at, self.name, "a mapping")
            return None
        if not node.entries and node.whole:
            problems.append(Problem(at, EMPTY_COLLECTION, f"{self.name} must not be empty"))
        parts: list[Entry[K, V]] = []
        left_out: list[str] = []
        for entry in node.entries:
            key = self.key.read(entry.key, entry.key.place, problems)
            value = self.value.read(entry.value, entry.key.place, problems)
            if key is None:
                left_out.append(entry.key.text)
            else:
                parts.append(Entry(key, value))
        return Many(tuple(parts), at, node.whole and not left_out, frozenset(left_out))

    def schema(self) -> Schema:
        return {
            "type": "object",
            # A key is text in JSON, also where YAML would type it as a number.
            "propertyNames": {"pattern": self.key.schema()["pattern"]},
            "additionalProperties": self.value.schema(),
            "minProperties": 1,
        }


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list of values of one shape; at least one, unless it `may_be_empty`. `unique`: no single value stands twice."""

    name: str
    part: Shape[T]
    unique: bool = False
    may_be_empty: bool = False

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Many[T] | None:
        if not isinstance(node, ListNode):
            problems += _wrong_node(node, at, self.name, "a list")
            return None
        if not node.parts and not self.may_be_empty:
            problems.append(Problem(at, EMPTY_COLLECTION, f"{self.name} must not be empty"))
        if self.unique:
            problems += _repeated(node, self.name)
        values = [self.part.read(part, part.place, problems) for part in node.parts]
        parts = tuple(value for value in values if value is not None)
        return Many(parts, at, len(parts) == len(node.parts))

    def schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self.part.schema()}
        if not self.may_be_empty:
            schema["minItems"] = 1
        return {**schema, "uniqueItems": True} if self.unique else schema


@dataclass(frozen=True, slots=True)
class Either(Generic[T, S]):
    """A single value or a mapping, each with its own shape."""

    scalar: Shape[T]
    mapping: Shape[S]
    name: str

    def read(self, node: Node, at: Place, problems: list[Problem]) -> T | S | None:
        if isinstance(node, MapNode):
            return self.mapping.read(node, at, problems)
        if isinstance(node, ScalarNode):
            return self.scalar.read(node, at, problems)
        problems += _wrong_node(node, at, self.name, "a single value or a mapping")
        return None

    def schema(self) -> Schema:
        return {"anyOf": [self.scalar.schema(), self.mapping.schema()]}


def _described(field: Field[Any]) -> Schema:
    schema = field.shape.schema()
    return {"description": field.doc, **schema} if field.doc else schema


def _wrong_node(node: Node, at: Place, name: str, form: str) -> tuple[Problem, ...]:
    match node:
        case BrokenNode():
            return ()
        case ScalarNode(text="", quoted=False):
            return (_empty_value(at, name),)
        case ScalarNode():
            found = quoted(node.text)
        case MapNode():
            found = "a mapping"
        case ListNode():
            found = "a list"
    return (Problem(node.place, WRONG_NODE, f"{name} must be {form}, and {found} stands here"),)


def _empty_value(at: Place, name: str) -> Problem:
    return Problem(at, EMPTY_VALUE, f"nothing stands here; {name} must be given")


def _repeated(node: ListNode, name: str) -> list[Problem]:
    seen: dict[str, Place] = {}
    problems = []
    for part in node.parts:
        if isinstance(part, ScalarNode) and (first := seen.setdefault(part.text, part.place)) is not part.place:
            message = f"{quoted(part.text)} stands already in {name} at line {first.line}, column {first.column}"
            problems.append(Problem(part.place, DUPLICATE_ENTRY, message))
    return problems
