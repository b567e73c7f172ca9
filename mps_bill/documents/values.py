"""Single values that several documents share: plain decimals, words of a given form, lines of text, times."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from mps_bill.core.decimals import parse_plain_decimal
from mps_bill.core.diagnostics import Kind, quoted
from mps_bill.core.times import LOCAL_TIME, OFFSET, parse_offset, parse_second
from mps_bill.documents.shapes import Choice, Field, Located, Text, matching, words

#: Lower-case words, as most ids are written.
LOWER_CASE = r"[a-z][a-z0-9]*([_-][a-z0-9]+)*"
CURRENCY = r"[A-Z]{3}"


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
    return Field("format", Choice("a format that this program reads", words(name), kind), f"always {name}", name=None)
