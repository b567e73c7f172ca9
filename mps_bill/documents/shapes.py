"""The shapes of documents. A document is defined once: the definition reads it and yields the JSON Schema for editors.

A shape is one of `Text`, `Choice`, `Record`, `Object`, `MapOf`, `ListOf`, `Either` and `Later`. Reading walks the tree and the
shape together. Every value keeps its place and every mistake becomes a problem; the values without mistakes are still returned,
so that later checks can continue. None represents a value whose problem has been reported already.

An `Object` builds a value from its fields, so that a whole document becomes values at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, cast, overload

from mps_bill.core.diagnostics import Kind, Place, Problem, foreign_letter, near_miss, one_of, quoted
from mps_bill.documents.yaml_tree import BrokenNode, ListNode, MapNode, Node, ScalarNode, defined_at

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
W = TypeVar("W", bound=str)
T_co = TypeVar("T_co", covariant=True)

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A value and its place."""

    sound: ClassVar = True
    value: T
    place: Place


@dataclass(frozen=True, slots=True)
class Entry(Generic[K, V]):
    """A key with its value; the value is None if it is wrong."""

    key: Located[K]
    value: V | None

    @property
    def sound(self) -> bool:
        return _sound(self.value)

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
    def sound(self) -> bool:
        return self.whole and all(map(_sound, self.parts))


def _sound(value: object) -> bool:
    """Whether a value and everything in it was read without a problem."""
    return value is not None and bool(getattr(value, "sound", True))


def plain(value: Any) -> Any:
    """Return a sound value without places. A list becomes a tuple; a mapping with free keys becomes a dict."""
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
    sound: bool

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


def matching(pattern: str, name: str, example: str) -> Callable[[str], str]:
    """Return a parser that accepts the texts of `pattern` unchanged; its message is `"X" is not NAME; write EXAMPLE`."""
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"{quoted(text)} is not {name}; write {example}")
        return text

    return parse


#: Samples of texts that YAML reads as numbers. A pattern may fix their length.
_WHOLE, _FRACTIONS = ("1", "12", "123", "1234"), ("0.5", "1.5", "12.5")
#: The bound of texts such as ids that may look like numbers: longer than any id, and it excludes `.inf`.
_LONGEST_NUMBER = 10**24


@dataclass(frozen=True, slots=True)
class Text(Generic[T]):
    """A single value. `parse` decides (a ValueError becomes a problem of `kind`); `pattern` is what editors accept.

    Text that looks like a number is a number in an editor, because YAML gives it that type; `numbers` are the schema's bounds
    of such numbers.
    """

    name: str
    parse: Callable[[str], T]
    pattern: str
    kind: Kind = BAD_VALUE
    numbers: Schema = field(default_factory=dict)

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Located[T] | None:
        return _single(node, at, problems, self)

    def schema(self) -> Schema:
        fractions = any(re.fullmatch(self.pattern, number) for number in _FRACTIONS)
        if not fractions and not any(re.fullmatch(self.pattern, number) for number in _WHOLE):
            return {"type": "string", "pattern": f"^(?:{self.pattern})$"}
        bounds = self.numbers
        if not bounds:
            bounds = {} if re.fullmatch(self.pattern, "-1") else {"minimum": 0}
            bounds |= {} if re.fullmatch(self.pattern, ".inf") else {"exclusiveMaximum": _LONGEST_NUMBER}
        bounds = bounds if fractions else {**bounds, "multipleOf": 1}
        return {"type": ["string", "number"], "pattern": f"^(?:{self.pattern})$", **bounds}


def words(*words: W) -> dict[str, W]:
    """Return the words of a choice that represent themselves."""
    return {word: word for word in words}


# With slots, Python 3.11 could not make a `Choice[Literal["a", "b"]](...)`.
@dataclass(frozen=True)
class Choice(Generic[T]):
    """A single value, one of `words`, each mapped to its value."""

    name: str
    words: Mapping[str, T]
    kind: Kind = UNKNOWN_WORD

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Located[T] | None:
        return _single(node, at, problems, self)

    def parse(self, text: str) -> T:
        if text not in self.words:
            known = f"; expected {one_of(tuple(self.words), maximum=20)}"
            raise ValueError(f"{quoted(text)} is not {self.name}{near_miss(text, self.words, priced=False) or known}")
        return self.words[text]

    def schema(self) -> Schema:
        # YAML reads these two as booleans, so an editor does not see text.
        typed = [word == "true" for word in self.words if word in ("true", "false")]
        return {"enum": [*self.words, *typed]}


def _single(node: Node, at: Place, problems: list[Problem], shape: Text[T] | Choice[T]) -> Located[T] | None:
    if not isinstance(node, ScalarNode):
        problems += _wrong_node(node, at, shape.name, "a single value")
    elif not node.text and not node.quoted:
        known = f": {one_of(tuple(shape.words), maximum=20)}" if isinstance(shape, Choice) else ""
        problems.append(_empty_value(at, f"{shape.name}{known}"))
    else:
        try:
            return Located(shape.parse(node.text), node.place)
        except ValueError as error:
            problems.append(Problem(node.place, shape.kind, f"{error}{foreign_letter(node.text)}"))
    return None


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
            problems += _wrong_node(node, at, self.name, "a mapping")
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
                hint = hint or f"; expected one of {one_of(tuple(by_key), maximum=20)}"
                message = f"unknown key {quoted(key)} in {_bare(self.name)}{hint}"
                problems.append(Problem(entry.key.place, UNKNOWN_KEY, message))
        keys = frozenset(meant.union(given))
        if node.whole:
            problems += (Problem(at, MISSING_KEY, message) for message in self._missing(keys))
        problems += (Problem(given[key], kind, message) for key, kind, message in self._contradicting(given, keys))
        if self.check:
            problems += self.check(Fields(values, keys, at, False))
        sound = node.whole and len(problems) == before and all(map(_sound, values.values()))
        return Fields(values, keys, at, sound)

    def _missing(self, known: Set[str]) -> Iterator[str]:
        for one in self.fields:
            if one.required and one.key not in known:
                yield f'missing key "{one.key}" in {_bare(self.name)}' + (f": {one.doc}" if one.doc else "")
        if self.one_of and known.isdisjoint(self.one_of):
            yield f"missing key in {_bare(self.name)}; expected one of {one_of(self.one_of)}"

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
        for one in self.fields if fields.sound else ():
            if one.name is not None and one.key in fields.values:
                taken[one.name or one.key] = plain(fields.values[one.key])
            elif one.name is not None and one.default is not OWN_DEFAULT:
                taken[one.name or one.key] = one.default
        value = self.make(**taken) if fields.sound else None
        return Made(fields.values, fields.given, fields.place, fields.sound, value)


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
            problems += _wrong_node(node, at, self.name, "a mapping")
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
            problems += _wrong_node(node, at, self.name, "a list")
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
        problems += _wrong_node(node, at, self.name, "a single value or a mapping")
        return None

    def schema(self) -> Schema:
        return {"anyOf": [self.scalar.schema(), self.mapping.schema()]}


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
    return (Problem(node.place, WRONG_NODE, f"{name} must be {form}, not {found}"),)


def _cause_of_no_value(key: str) -> str:
    """Explain why a key of a flow mapping may have no value: YAML read part of its neighbour or of its value as a key."""
    name, colon, value = key.partition(":")
    if colon and value:
        return f"; write a space after the colon: {name}: {value}"
    return " (with a decimal point, not a comma)" if key.isdecimal() else ""


def _empty_value(at: Place, name: str) -> Problem:
    return Problem(at, EMPTY_VALUE, f"no value; expected {name}")


def _bare(name: str) -> str:
    """Return a name without its article."""
    return re.sub(r"^(an?|the) ", "", name)


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
