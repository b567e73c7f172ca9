"""What reading a document yields: values with their places, the fields of records, and the problems of a document's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, cast, overload

from mps_bill.core.diagnostics import Kind, Place, Problem, quoted
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
T_co = TypeVar("T_co", covariant=True)

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A value and its place."""

    valid: ClassVar = True
    value: T
    place: Place


@dataclass(frozen=True, slots=True)
class Entry(Generic[K, V]):
    """A key with its value; the value is None if it is wrong."""

    key: Located[K]
    value: V | None

    @property
    def valid(self) -> bool:
        return is_valid(self.value)

    @property
    def parts(self: Entry[Any, Many[T]]) -> tuple[T, ...]:
        """The parts of a value that is a list or a mapping; empty if the value is wrong."""
        return self.value.parts if self.value else ()


@dataclass(frozen=True, slots=True)
class Many(Generic[T]):
    """The parts of a list or the entries of a mapping.

    `whole` is False if some were wrong and have been left out. `left_out` lists the wrong keys among them.
    """

    parts: tuple[T, ...]
    place: Place
    whole: bool
    left_out: frozenset[str] = frozenset()

    @property
    def valid(self) -> bool:
        return self.whole and all(map(is_valid, self.parts))


def is_valid(value: object) -> bool:
    """Whether a value and everything in it was read without a problem."""
    return value is not None and bool(getattr(value, "valid", True))


def plain(value: Any) -> Any:
    """Return a valid value without places. A list becomes a tuple; a mapping with free keys becomes a dict."""
    if isinstance(value, Many):
        if value.parts and isinstance(value.parts[0], Entry):
            return {entry.key.value: plain(entry.value) for entry in value.parts}
        return tuple(map(plain, value.parts))
    return value.value if isinstance(value, Located | Made) else value


class Shape(Protocol[T_co]):
    def read(self, node: Node, at: Place, problems: list[Problem]) -> T_co | None:
        """Return the value of `node`, or None and add problems. `at` is the place of the value's key, or its own place."""

    def schema(self) -> Schema:
        """The JSON Schema of the shape."""


#: Leaves the default to the `make` of the object.
OWN_DEFAULT: Final = object()


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """A key of a record. `doc` describes it in one sentence.

    `default` is the plain value if the key is absent; `make` is not given a value if there is no default here. `name` is the
    parameter of `make`, by default the key; if it is None, `make` does not take the value.
    """

    key: str
    shape: Shape[T]
    doc: str = ""
    required: bool = True
    default: object = OWN_DEFAULT
    name: str | None = ""


def optional(
    key: str, shape: Shape[T], doc: str = "", default: object = OWN_DEFAULT, *, name: str | None = ""
) -> Field[T]:
    return Field(key, shape, doc, required=False, default=default, name=name)


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a record, by field. `given` are the keys in the document, whether their values are right or wrong."""

    values: Mapping[str, object]
    given: frozenset[str]
    place: Place
    valid: bool

    def get(self, field: Field[T]) -> T | None:
        """Return the field's value; None if it is absent or wrong."""
        return cast("T | None", self.values.get(field.key))

    @overload
    def value_of(self, field: Field[Located[T]]) -> T | None: ...
    @overload
    def value_of(self, field: Field[Located[T]], default: T) -> T: ...
    def value_of(self, field: Field[Located[T]], default: T | None = None) -> T | None:
        """Return the plain value of a field; the default if it is absent or wrong."""
        found = self.get(field)
        return found.value if found else default

    def parts(self, field: Field[Many[T]]) -> tuple[T, ...]:
        """Return the parts of a list or the entries of a mapping; none if it is absent or wrong."""
        found = self.get(field)
        return found.parts if found else ()

    def place_of(self, field: Field[Any]) -> Place:
        """Return the place of a field's value; the record's own place if the value is absent or wrong."""
        found: Any = self.get(field)
        return cast(Place, found.place) if found else self.place

    def has(self, field: Field[Any]) -> bool:
        return field.key in self.given

    def wrong(self, field: Field[Any]) -> bool:
        """Whether the field is given and its value is wrong."""
        return self.has(field) and self.get(field) is None


@dataclass(frozen=True, slots=True)
class Made(Fields, Generic[T]):
    """The fields of an `Object`, and the value built from them; None if something is wrong."""

    value: T | None


def wrong_node(node: Node, at: Place, name: str, form: str) -> tuple[Problem, ...]:
    match node:
        case BrokenNode():
            return ()
        case ScalarNode(text="", quoted=False):
            return (empty_value(at, name),)
        case ScalarNode():
            found = quoted(node.text)
        case MapNode():
            found = "a mapping"
        case ListNode():
            found = "a list"
    return (Problem(node.place, WRONG_NODE, f"{name} must be {form}, not {found}"),)


def empty_value(at: Place, name: str) -> Problem:
    return Problem(at, EMPTY_VALUE, f"no value; expected {name}")


def bare(name: str) -> str:
    """Return a name without its article."""
    return re.sub(r"^(an?|the) ", "", name)
