"""The shapes of documents. A document is defined once: the definition reads it and yields the JSON Schema for editors.

A shape is a single value (`Text` or `Choice`, in `documents.values`), or one of `Record`, `Object`, `MapOf`, `ListOf`, `Either`
and `Later`, which are made of other shapes. Reading walks the tree and the shape together. Every value keeps its place and every
mistake becomes a problem; the values without mistakes are still returned, so that later checks can continue. None represents a
value whose problem has been reported already.

An `Object` builds a value from its fields, so that a whole document becomes values at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from mps_bill.core.diagnostics import Kind, Place, Problem, expected, foreign_letter, near_miss, quoted
from mps_bill.documents.fields import (
    CONFLICTING_KEYS,
    DUPLICATE_ENTRY,
    EMPTY_COLLECTION,
    EMPTY_VALUE,
    MISSING_KEY,
    OWN_DEFAULT,
    UNKNOWN_KEY,
    Entry,
    Field,
    Fields,
    Located,
    Made,
    Many,
    Schema,
    Shape,
    bare,
    is_valid,
    plain,
    wrong_node,
)
from mps_bill.documents.values import Text
from mps_bill.documents.yaml_tree import ListNode, MapNode, Node, ScalarNode, defined_at

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys. Exactly one of the keys in `one_of` must be given. A key of `needs` requires the key that it
    maps to. `check` checks the values together, some of which may be wrong or missing; it also requires one or more of the
    keys in `any_of`, which only the schema uses."""

    name: str
    fields: tuple[Field[Any], ...]
    one_of: tuple[str, ...] = ()
    check: Callable[[Fields], Iterable[Problem]] | None = None
    needs: Mapping[str, str] = field(default_factory=dict)
    any_of: tuple[str, ...] = ()

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Fields | None:
        if not isinstance(node, MapNode):
            problems += wrong_node(node, at, self.name, "a mapping")
            return None
        by_key = {field.key: field for field in self.fields}
        values: dict[str, object] = {}
        given: dict[str, Place] = {}
        meant: set[str] = set()
        before = len(problems)
        for entry in node.entries:
            key = entry.key.text
            field = by_key.get(key)
            if field:
                given[key] = entry.key.place
                values[key] = field.shape.read(entry.value, entry.key.place, problems)
            else:
                hint = near_miss(key, by_key, priced=False) + foreign_letter(key)
                # A misspelt key is one mistake, not two, so the intended key counts as given.
                meant.update(known for known in by_key if f'"{known}"' in hint)
                hint = hint or expected(tuple(by_key), maximum=20)
                message = f"unknown key {quoted(key)} in {bare(self.name)}{hint}"
                problems.append(Problem(entry.key.place, UNKNOWN_KEY, message))
        keys = frozenset(meant.union(given))
        if node.whole:
            problems += (Problem(at, MISSING_KEY, message) for message in self._missing(keys))
        problems += (Problem(given[key], kind, message) for key, kind, message in self._contradicting(given, keys))
        if self.check:
            problems += self.check(Fields(values, keys, at, False))
        valid = node.whole and len(problems) == before and all(map(is_valid, values.values()))
        return Fields(values, keys, at, valid)

    def _missing(self, known: Set[str]) -> Iterator[str]:
        for one in self.fields:
            if one.required and one.key not in known:
                yield f'missing key "{one.key}" in {bare(self.name)}' + (f": {one.doc}" if one.doc else "")
        if self.one_of and known.isdisjoint(self.one_of):
            yield f"missing key in {bare(self.name)}{expected(self.one_of)}"

    def _contradicting(self, given: Mapping[str, Place], known: Set[str]) -> Iterator[tuple[str, Kind, str]]:
        first, *others = [key for key in given if key in self.one_of] or [""]
        for key in others:
            yield key, CONFLICTING_KEYS, f'{self.name} has "{first}" and "{key}"; keep one of the two'
        for key, other in self.needs.items():
            if key in given and other not in known:
                yield key, MISSING_KEY, f'{self.name} has "{key}", which needs "{other}", and no "{other}"'

    def schema(self) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {
                field.key: ({"description": field.doc} if field.doc else {}) | field.shape.schema()
                for field in self.fields
            },
            "required": [field.key for field in self.fields if field.required],
            "additionalProperties": False,
        }
        if self.one_of:
            schema["oneOf"] = [{"required": [key]} for key in self.one_of]
        if self.any_of:
            schema["anyOf"] = [{"required": [key]} for key in self.any_of]
        if self.needs:
            schema["dependentRequired"] = {key: [other] for key, other in self.needs.items()}
        return schema


@dataclass(frozen=True, slots=True)
class Object(Record, Generic[T]):
    """A record from which `make` builds a value if everything is right. `make` takes the fields' plain values by name."""

    make: Callable[..., T] = field(kw_only=True)

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Made[T] | None:
        # `slots=True` makes the dataclass a new class, which `super()` would not find.
        fields = Record.read(self, node, at, problems)
        if fields is None:
            return None
        taken: dict[str, object] = {}
        for one in self.fields if fields.valid else ():
            if one.name is not None and one.key in fields.values:
                taken[one.name or one.key] = plain(fields.values[one.key])
            elif one.name is not None and one.default is not OWN_DEFAULT:
                taken[one.name or one.key] = one.default
        value = self.make(**taken) if fields.valid else None
        return Made(fields.values, fields.given, fields.place, fields.valid, value)


@dataclass(frozen=True, slots=True)
class MapOf(Generic[K, V]):
    """A mapping whose keys the document chooses: one or more keys of one shape with values of another.

    `repeated` is the problem of two keys that are written differently and mean the same. `check` checks the entries together;
    values among them may be wrong. `required` keys and the number `at_least` are for editors only; checks give better messages.
    """

    name: str
    key: Text[K]
    value: Shape[V]
    repeated: Kind | None = None
    check: Callable[[Many[Entry[K, V]]], Iterable[Problem]] | None = None
    required: tuple[str, ...] = ()
    at_least: int = 1

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Many[Entry[K, V]] | None:
        if not isinstance(node, MapNode):
            problems += wrong_node(node, at, self.name, "a mapping")
            return None
        if not node.entries and node.whole:
            problems.append(Problem(at, EMPTY_COLLECTION, f"{self.name} must not be empty"))
        parts: list[Entry[K, V]] = []
        left_out: list[str] = []
        for entry in node.entries:
            key = self.key.read(entry.key, entry.key.place, problems)
            value = self.value.read(entry.value, entry.key.place, problems)
            if problems and problems[-1].kind == EMPTY_VALUE and problems[-1].place == entry.key.place:
                problems[-1] = replace(problems[-1], message=problems[-1].message + _cause_of_no_value(entry.key.text))
            if key is None:
                left_out.append(entry.key.text)
            else:
                parts.append(Entry(key, value))
        if self.repeated:
            keys = [(part.key.value, part.key.place, f"key {quoted(str(part.key.value))}") for part in parts]
            problems += repeated(keys, self.repeated)
        read = Many(tuple(parts), at, node.whole and not left_out, frozenset(left_out))
        problems += self.check(read) if self.check else ()
        return read

    def schema(self) -> Schema:
        schema = {
            "type": "object",
            # A key is text in JSON, even if YAML would read it as a number.
            "propertyNames": {"pattern": self.key.schema()["pattern"]},
            "additionalProperties": self.value.schema(),
            "minProperties": self.at_least,
        }
        return {**schema, "required": list(self.required)} if self.required else schema


@dataclass(frozen=True, slots=True)
class Later(Generic[T]):
    """A shape that is built only when it is needed, because few documents have it and its modules take time to load."""

    made: Callable[[], Shape[T]]

    def read(self, node: Node, at: Place, problems: list[Problem]) -> T | None:
        return self.made().read(node, at, problems)

    def schema(self) -> Schema:
        return self.made().schema()


@dataclass(frozen=True, slots=True)
class Unique:
    """No two records of a list may share the values of all these keys; `kind` is the problem of a record that does."""

    kind: Kind
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list of one or more values of one shape; with `may_be_empty`, of zero or more. `unique` forbids repeated single
    values, or records that share the values of some keys."""

    name: str
    part: Shape[T]
    unique: bool | Unique = False
    may_be_empty: bool = False

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Many[T] | None:
        if not isinstance(node, ListNode):
            problems += wrong_node(node, at, self.name, "a list")
            return None
        if not node.parts and not self.may_be_empty:
            problems.append(Problem(at, EMPTY_COLLECTION, f"{self.name} must not be empty"))
        values = [self.part.read(part, part.place, problems) for part in node.parts]
        if isinstance(self.unique, Unique):
            problems += _repeated_records(values, self.unique)
        elif self.unique:
            texts = [part for part in node.parts if isinstance(part, ScalarNode)]
            found = [(part.text, part.place, f"{quoted(part.text)} in {self.name}") for part in texts]
            problems += repeated(found, DUPLICATE_ENTRY)
        parts = tuple(value for value in values if value is not None)
        return Many(parts, at, len(parts) == len(node.parts))

    def schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self.part.schema()}
        if not self.may_be_empty:
            schema["minItems"] = 1
        return {**schema, "uniqueItems": True} if self.unique is True else schema


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
        problems += wrong_node(node, at, self.name, "a single value or a mapping")
        return None

    def schema(self) -> Schema:
        return {"anyOf": [self.scalar.schema(), self.mapping.schema()]}


def _cause_of_no_value(key: str) -> str:
    """Explain why a key of a flow mapping may have no value: YAML read part of its neighbour or of its value as a key."""
    name, colon, value = key.partition(":")
    if colon and value:
        return f"; write a space after the colon: {name}: {value}"
    return " (with a decimal point, not a comma)" if key.isdecimal() else ""


def repeated(found: Iterable[tuple[Hashable, Place, str]], kind: Kind) -> list[Problem]:
    """Return a problem for every key that was found before; the text describes the key."""
    first: dict[Hashable, Place] = {}
    return [
        Problem(place, kind, f"duplicate {what}; {defined_at(earlier)}")
        for key, place, what in found
        if (earlier := first.setdefault(key, place)) is not place
    ]


def _repeated_records(records: Iterable[object], unique: Unique) -> list[Problem]:
    found: list[tuple[Hashable, Place, str]] = []
    for record in records:
        values = [record.values.get(key) for key in unique.keys] if isinstance(record, Fields) else []
        located = [value for value in values if isinstance(value, Located)]
        if len(located) == len(unique.keys):
            key = tuple(value.value for value in located)
            text = quoted(" ".join(map(str, key)))
            if len(located) == 1:
                found.append((key, located[0].place, f"{unique.keys[0]} {text}"))
            elif isinstance(record, Fields):
                found.append((key, record.place, f"entry {text}"))
    return repeated(found, unique.kind)
