"""What a document may hold, defined once: a definition reads documents and gives the JSON Schema that editors use.

A shape is one of `Text`, `Choice`, `Record`, `Object`, `MapOf`, `ListOf`, `Either` and `Later`. Reading walks the tree and the
shape together. Every value keeps its place; what is wrong becomes a problem; what is right is returned all the same, so that
later checks can go on beside a mistake. None stands for a value whose problem is reported already.

An `Object` makes a value of what is read, by the plain values of its fields; so a whole document becomes values at once.
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
    """A value and where it stands."""

    sound: ClassVar = True
    value: T
    place: Place


@dataclass(frozen=True, slots=True)
class Entry(Generic[K, V]):
    """A key with its value; the value is None where it is wrong."""

    key: Located[K]
    value: V | None

    @property
    def sound(self) -> bool:
        return _sound(self.value)

    @property
    def parts(self: Entry[Any, Many[T]]) -> tuple[T, ...]:
        """The parts of a value that is a list or a mapping; none where it is wrong."""
        return self.value.parts if self.value else ()


@dataclass(frozen=True, slots=True)
class Many(Generic[T]):
    """The parts of a list or the entries of a mapping.

    `whole` is False where some were wrong and are left out; `left_out` are the keys of those whose key was wrong.
    """

    parts: tuple[T, ...]
    place: Place
    whole: bool
    left_out: frozenset[str] = frozenset()

    @property
    def sound(self) -> bool:
        return self.whole and all(map(_sound, self.parts))


def _sound(value: object) -> bool:
    """Whether a value that was read, and all that is in it, is right."""
    return value is not None and bool(getattr(value, "sound", True))


def plain(value: Any) -> Any:
    """A sound value without places: of a list a tuple, of a mapping with keys of its own a dict."""
    if isinstance(value, Many):
        if value.parts and isinstance(value.parts[0], Entry):
            return {entry.key.value: plain(entry.value) for entry in value.parts}
        return tuple(map(plain, value.parts))
    return value.value if isinstance(value, Located | Made) else value


class Shape(Protocol[T_co]):
    def read(self, node: Node, at: Place, problems: list[Problem]) -> T_co | None:
        """The value of `node`, or None and problems. `at` is where the value is named: its key, or its own place."""

    def schema(self) -> Schema:
        """The JSON Schema of the shape."""


#: That what is made of a record has a default itself.
OWN_DEFAULT: Final = object()


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """A key of a record. `doc` says in one sentence what it means.

    `default` is the plain value where the key is absent; without one `make` is not given any, and has its own. `name` is what
    `make` calls the value, by default as the key; where it is None, `make` does not take it.
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
    """The values of a record, by field. `given` are the keys that the document holds, right or wrong."""

    values: Mapping[str, object]
    given: frozenset[str]
    place: Place
    sound: bool

    def get(self, field: Field[T]) -> T | None:
        """The field's value; None where it is absent or wrong."""
        return cast("T | None", self.values.get(field.key))

    @overload
    def value_of(self, field: Field[Located[T]]) -> T | None: ...
    @overload
    def value_of(self, field: Field[Located[T]], default: T) -> T: ...
    def value_of(self, field: Field[Located[T]], default: T | None = None) -> T | None:
        """The plain value of a field; the default where it is absent or wrong."""
        found = self.get(field)
        return found.value if found else default

    def parts(self, field: Field[Many[T]]) -> tuple[T, ...]:
        """The parts of a list or the entries of a mapping; none where it is absent or wrong."""
        found = self.get(field)
        return found.parts if found else ()

    def place_of(self, field: Field[Any]) -> Place:
        """Where the value of a field stands; the record's own place where it is absent or wrong."""
        found: Any = self.get(field)
        return cast(Place, found.place) if found else self.place

    def has(self, field: Field[Any]) -> bool:
        return field.key in self.given

    def wrong(self, field: Field[Any]) -> bool:
        """Whether the field is there and its value is wrong."""
        return self.has(field) and self.get(field) is None


@dataclass(frozen=True, slots=True)
class Made(Fields, Generic[T]):
    """What an object reads: its fields, and the value that is made of them; None where something is wrong."""

    value: T | None


def matching(pattern: str, name: str, example: str) -> Callable[[str], str]:
    """A parser that takes the texts of `pattern` as they are; its message reads `"X" is not NAME; write EXAMPLE`."""
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"{quoted(text)} is not {name}; write {example}")
        return text

    return parse


#: Texts that YAML reads as numbers, of one length or another.
_WHOLE, _FRACTIONS = ("1", "12", "123", "1234"), ("0.5", "1.5", "12.5")


@dataclass(frozen=True, slots=True)
class Text(Generic[T]):
    """A single value. `parse` decides (a ValueError is a problem of `kind`); `pattern` is what editors accept.

    What looks like a number is a number to an editor, because YAML types it so; `numbers` is what the schema says of those.
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
            bounds |= {} if re.fullmatch(self.pattern, ".inf") else {"maximum": 10**100}
        bounds = bounds if fractions else {**bounds, "multipleOf": 1}
        return {"type": ["string", "number"], "pattern": f"^(?:{self.pattern})$", **bounds}


def words(*words: W) -> dict[str, W]:
    """The words of a choice that stand for themselves."""
    return {word: word for word in words}


# With slots, Python 3.11 could not make a `Choice[Literal["a", "b"]](...)`.
@dataclass(frozen=True)
class Choice(Generic[T]):
    """A single value, one of `words`, each with the value that it stands for."""

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
        # YAML types these two, so an editor sees no text.
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
    """A mapping with known keys. Of the keys in `one_of`, exactly one must be given; a key of `needs` means nothing without
    the other one. `check` finds what is wrong with the values together; of those some may be wrong or missing. It is also what
    asks for one or more of the keys `any_of`, which the schema names."""

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
                # A misspelt key is one mistake, not two: what it was meant to be counts as given.
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
    """A record of which `make` makes a value, where everything is right: it takes the plain values of the fields by name."""

    make: Callable[..., T] = field(kw_only=True)

    def read(self, node: Node, at: Place, problems: list[Problem]) -> Made[T] | None:
        # A dataclass with slots is another class than the one that `super()` sees.
        fields = Record.read(self, node, at, problems)
        if fields is None:
            return None
        value = None
        if fields.sound:
            taken = [field for field in self.fields if field.name is not None]
            values = {
                field.name or field.key: plain(fields.values[field.key])
                if field.key in fields.values
                else field.default
                for field in taken
                if field.key in fields.values or field.default is not OWN_DEFAULT
            }
            value = self.make(**values)
        return Made(fields.values, fields.given, fields.place, fields.sound, value)


@dataclass(frozen=True, slots=True)
class MapOf(Generic[K, V]):
    """A mapping whose keys are the document's own: any keys of one shape, all values of another; at least one.

    `repeated` is the problem of two keys that are written differently and mean the same. Editors also get which keys
    are `required`, and how many there are `at_least`, where a reader's own check says more.
    """

    name: str
    key: Text[K]
    value: Shape[V]
    repeated: Kind | None = None
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
                problems[-1] = replace(problems[-1], message=problems[-1].message + _slip_of(entry.key.text))
            if key is None:
                left_out.append(entry.key.text)
            else:
                parts.append(Entry(key, value))
        if self.repeated:
            keys = [(part.key.value, part.key.place, f"key {quoted(str(part.key.value))}") for part in parts]
            problems += repeated(keys, self.repeated)
        return Many(tuple(parts), at, node.whole and not left_out, frozenset(left_out))

    def schema(self) -> Schema:
        schema = {
            "type": "object",
            # A key is text in JSON, also where YAML would type it as a number.
            "propertyNames": {"pattern": self.key.schema()["pattern"]},
            "additionalProperties": self.value.schema(),
            "minProperties": self.at_least,
        }
        return {**schema, "required": list(self.required)} if self.required else schema


@dataclass(frozen=True, slots=True)
class Later(Generic[T]):
    """A shape that is made when it is needed, because few documents have it and its modules take time to load."""

    made: Callable[[], Shape[T]]

    def read(self, node: Node, at: Place, problems: list[Problem]) -> T | None:
        return self.made().read(node, at, problems)

    def schema(self) -> Schema:
        return self.made().schema()


@dataclass(frozen=True, slots=True)
class Unique:
    """No two records of a list may have the same values of all these keys; `kind` is the problem of those that have."""

    kind: Kind
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list of values of one shape; at least one, unless it `may_be_empty`. `unique`: no single value stands twice, or no
    record with the same keys."""

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


def _slip_of(key: str) -> str:
    """Why a key of a flow mapping may have no value: YAML took a part of its neighbour, or of its value, for a key."""
    name, colon, value = key.partition(":")
    if colon and value:
        return f"; write a space after the colon: {name}: {value}"
    return " (with a decimal point, not a comma)" if key.isdecimal() else ""


def _empty_value(at: Place, name: str) -> Problem:
    return Problem(at, EMPTY_VALUE, f"no value; expected {name}")


def _bare(name: str) -> str:
    """A name without its article."""
    return re.sub(r"^(an?|the) ", "", name)


def repeated(found: Iterable[tuple[Hashable, Place, str]], kind: Kind) -> list[Problem]:
    """A problem for every key that stands at an earlier place already, which is named by the text."""
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
