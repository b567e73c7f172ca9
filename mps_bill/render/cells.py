"""The one place where a value becomes text: `as_text` for people, `as_data` for programs. Neither ever rounds."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import amount_text, percent, percent_text, plain, stripped
from mps_bill.core.times import clock, iso
from mps_bill.view.tables import As, Kind, Moment, Quantity, Value


def as_text(value: Value, kind: Kind = "text") -> str:
    """A value as people read it, in a column of this kind; an empty cell is empty."""
    match value:
        case None:
            return ""
        case str() | int():
            return str(value)
        case Decimal():
            return _number_text(value, kind)
        case Quantity():
            return str(value)
        case Moment():
            return clock(value.second, value.offset)
        case Fraction():
            return percent_text(value)
        case As():
            return _number_text(value.value, value.kind)


def as_data(value: Value, kind: Kind = "text") -> str:
    """A value as programs read it: plain decimals without trailing zeros (a price keeps those of its sheet), ISO 8601."""
    match value:
        case None:
            return ""
        case str() | int():
            return str(value)
        case Decimal():
            return plain(value) if kind == "price" else stripped(value)
        case Quantity():
            return plain(value.decimal)
        case Moment():
            return iso(value.second, value.offset)
        case Fraction():
            return stripped(percent(value))
        case As():
            return stripped(value.value)


def _number_text(value: Decimal, kind: Kind) -> str:
    shown = plain(value) if kind == "price" else amount_text(value) if "amount" in kind else stripped(value)
    return f"+{shown}" if kind.startswith("signed") and value > 0 else shown
