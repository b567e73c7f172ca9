"""The one place where a value becomes text: `as_text` and `cell_text` (in a column) for people, `as_data` for programs.

Figures are rounded only for people, and only in columns with limited decimal places; the note `ROUNDED` then says so.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import amount_text, percent, percent_text, plain, round_money, stripped
from mps_bill.core.language import mark
from mps_bill.core.times import iso, time_text
from mps_bill.view.columns import MONEY_PLACES, As, Column, Kind, Moment, Quantity, Value, number
from mps_bill.view.tables import Series, Table

#: A whole part with thousands. It is never 0, which would lose its sign as a number.
_WHOLE = re.compile(r"-?[0-9]{4,}")
#: The note below tables with rounded amounts.
ROUNDED = mark("Figures in summaries are shown to 2 decimal places; CSV and JSON have every digit.")


def cell_text(value: Value, column: Column) -> str:
    """Return a value for people, rounded to the decimal places of its column."""
    return as_text(_rounded(value, column.places) if column.places is not None else value, column.kind)


def money_text(amount: Decimal) -> str:
    """Return an amount for people, rounded to the decimal places of money."""
    return as_text(_rounded(amount, MONEY_PLACES), "amount")


def has_rounded_bars(series: Series) -> bool:
    """Return whether some amount of a chart is shown rounded."""
    return any(bar.amount != _rounded(bar.amount, MONEY_PLACES) for bar in series.bars)


def is_rounded(table: Table) -> bool:
    """Return whether some figure of a table is shown rounded."""
    places = [(index, column.places) for index, column in enumerate(table.columns) if column.places is not None]
    return any(
        number(row[index]) != number(_rounded(row[index], digits))
        for row in (*table.values, *table.totals)
        for index, digits in places
    )


def _rounded(value: Value, places: int) -> Value:
    """Round an amount or a quantity to these decimal places; leave other values unchanged."""
    exact = number(value) if isinstance(value, Decimal | Quantity) else None
    return round_money(exact, places, "half-up") if isinstance(exact, Decimal) else value


def as_text(value: Value, kind: Kind = "text") -> str:
    """Return a value for people, in a column of this kind; None is an empty text."""
    match value:
        case None:
            return ""
        case str():
            return value
        case int():
            return grouped(str(value)) if kind == "count" else str(value)
        case Decimal():
            return _number_text(value, kind)
        case Quantity():
            return grouped(str(value))
        case Moment():
            return time_text(value.second, value.offset)
        case Fraction():
            return percent_text(value)
        case As():
            return _number_text(value.value, value.kind)


def as_data(value: Value, kind: Kind = "text") -> str:
    """Return a value for programs: plain decimals without trailing zeros (prices keep those of the sheet), ISO 8601 times."""
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
    if kind == "price":
        return plain(value)
    shown = grouped(amount_text(value) if "amount" in kind else stripped(value))
    return f"+{shown}" if kind.startswith("signed") and value > 0 else shown


def grouped(number: str) -> str:
    """Group the digits of a number in threes: `1,234,567.125`."""
    whole = _WHOLE.match(number)
    return f"{int(whole[0]):,}{number[whole.end() :]}" if whole else number
