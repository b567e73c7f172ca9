"""The shapes of single values: `Text`, `Choice`, and those that several documents share (plain decimals, words of a given form,
lines of text, times)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

from mps_bill.core.decimals import parse_plain_decimal
from mps_bill.core.diagnostics import Kind, Place, Problem, foreign_letter, one_of, quoted, unknown
from mps_bill.core.times import LOCAL_TIME, OFFSET, parse_offset, parse_second
from mps_bill.documents.fields import BAD_VALUE, UNKNOWN_WORD, Field, Located, Schema, bare, empty_value, wrong_node
from mps_bill.documents.yaml_tree import Node, ScalarNode

T = TypeVar("T")
W = TypeVar("W", bound=str)

#: Lower-case words, as most ids are written.
LOWER_CASE = r"[a-z][a-z0-9]*([_-][a-z0-9]+)*"
CURRENCY = r"[A-Z]{3}"


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
            raise ValueError(unknown(bare(self.name), text, self.words, priced=False, maximum=20))
        return self.words[text]

    def schema(self) -> Schema:
        # YAML reads these two as booleans, so an editor does not see text.
        typed = [word == "true" for word in self.words if word in ("true", "false")]
        return {"enum": [*self.words, *typed]}


def _single(node: Node, at: Place, problems: list[Problem], shape: Text[T] | Choice[T]) -> Located[T] | None:
    if not isinstance(node, ScalarNode):
        problems += wrong_node(node, at, shape.name, "a single value")
    elif not node.text and not node.quoted:
        known = f": {one_of(tuple(shape.words), maximum=20)}" if isinstance(shape, Choice) else ""
        problems.append(empty_value(at, f"{shape.name}{known}"))
    else:
        try:
            return Located(shape.parse(node.text), node.place)
        except ValueError as error:
            problems.append(Problem(node.place, shape.kind, f"{error}{foreign_letter(node.text)}"))
    return None


def decimal_of(places: int, *, above_zero: bool = False, whole_digits: int = 12) -> Callable[[str], Decimal]:
    """Return a parser of plain decimals with at most `whole_digits` before and `places` after the point."""

    def parse(text: str) -> Decimal:
        value = parse_plain_decimal(text, places=places, whole_digits=whole_digits)
        if above_zero and not value:
            raise ValueError(f"{quoted(text)} must be above zero")
        return value

    return parse


def number(name: str, kind: Kind, places: int, *, above_zero: bool = False, whole_digits: int = 12) -> Text[Decimal]:
    """A plain decimal with at most `whole_digits` before and `places` after the point."""
    parse = decimal_of(places, above_zero=above_zero, whole_digits=whole_digits)
    least = {"exclusiveMinimum" if above_zero else "minimum": 0}
    return Text(name, parse, decimal_pattern(places, above_zero, whole_digits), kind, {
        **least, "exclusiveMaximum": 10**whole_digits
    })  # fmt: skip


def decimal_pattern(places: int, above_zero: bool = False, whole_digits: int = 12) -> str:
    """Return the pattern of a plain decimal: `PLAIN_DECIMAL` with limits."""
    some = r"(?!0(\.0*)?$)" if above_zero else ""
    return rf"{some}(0|[1-9][0-9]{{0,{whole_digits - 1}}})(\.[0-9]{{1,{places}}})?"


def word(name: str, pattern: str, kind: Kind, example: str) -> Text[str]:
    """Text of a given form; `example` follows `write` in messages."""
    return Text(name, matching(pattern, name, example), pattern, kind)


def lower_case(name: str, kind: Kind) -> Text[str]:
    return word(name, LOWER_CASE, kind, "lower-case words joined by - or _")


def line(name: str, kind: Kind, maximum: int = 200) -> Text[str]:
    """A line of text of at most `maximum` characters, without space at its ends."""
    return word(name, rf"\S([^\r\n]{{0,{maximum - 2}}}\S)?", kind, f"one line of text, at most {maximum} characters")


def currency(kind: Kind) -> Text[str]:
    return word("a currency", CURRENCY, kind, "three capital letters such as USD")


def moment(name: str, kind: Kind) -> Text[int]:
    """A time with an offset, in seconds since the epoch."""
    return Text(name, parse_second, f"({LOCAL_TIME})({OFFSET})", kind)


def offset(kind: Kind) -> Text[int]:
    return Text("an offset from UTC", parse_offset, OFFSET, kind)


def format_field(name: str, kind: Kind) -> Field[Located[str]]:
    """The first key of a document, which names its format. No value is built from it."""
    return Field("format", Choice("a format", words(name), kind), f"always {name}", name=None)
