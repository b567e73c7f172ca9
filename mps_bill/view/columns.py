"""Values, and the typed columns and records that hold them. A value becomes text only in `render/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from mps_bill.core.decimals import EXACT, plain
from mps_bill.core.language import tr
from mps_bill.core.units import Unit, ends_in_unit, in_unit

#: How a value is shown. A `percent` is a ratio of new to old; a `signed` value above zero has a plus.
Kind = Literal["text", "count", "quantity", "price", "amount", "signed", "signed amount", "percent", "time"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A second since the epoch, shown on the clock `offset` seconds east of UTC."""

    second: int
    offset: int


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of micros (millionths) of a unit. People see a `~` after a quantity with more than ten decimals."""

    micros: int
    unit: Unit

    @property
    def decimal(self) -> Decimal:
        return in_unit(self.micros, self.unit)

    def __str__(self) -> str:
        return plain(self.decimal) + ("" if ends_in_unit(self.micros, self.unit) else "~")


@dataclass(frozen=True, slots=True)
class As:
    """A value of another kind than its column, such as plan units among amounts."""

    value: Decimal
    kind: Kind


#: Decimal places of sums as people read them: those of money.
MONEY_PLACES = 2

#: None is an empty cell. Text in a column of another kind is shown unchanged ("added", "several").
Value = str | int | Decimal | Fraction | Moment | Quantity | As | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or of records.

    Programs read its `key`. People read its `title` (default: the key in words) in their language. `sense` tells apart titles
    that are the same word in English; a title that is a value from the input is shown `verbatim`, untranslated. `unit`, such
    as a currency, follows the title in prose only. `summed`: a total of the values is of interest. `may_hide`: a column of
    zeros is of no interest. `places`: the decimal places that people are shown; None shows every digit.
    """

    key: str
    kind: Kind = "text"
    title: str | None = None
    unit: str = ""
    summed: bool = False
    may_hide: bool = False
    sense: str = ""
    verbatim: bool = False
    places: int | None = None

    @property
    def is_number(self) -> bool:
        return self.kind not in ("text", "time")

    @property
    def label(self) -> str:
        return self.english if self.verbatim else tr(self.english, sense=self.sense)

    @property
    def english(self) -> str:
        words = self.key.replace("_", " ")
        return words[:1].upper() + words[1:] if self.title is None else self.title

    @property
    def heading(self) -> str:
        return f"{self.label} {self.unit}".strip()


Columns = tuple[Column, ...]
Row = tuple[Value, ...]
#: Values by the keys of columns. Each kind of thing has one function that makes its record; tables and documents pick from it.
Record = Mapping[str, Value]


def moment(second: int | None, offset: int) -> Moment | None:
    """Return a second on the clock `offset` seconds east of UTC; None for None."""
    return None if second is None else Moment(second, offset)


def number(value: Value) -> Value:
    """Return any number as a Decimal, and every other value unchanged."""
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Quantity):
        return value.decimal
    return value.value if isinstance(value, As) else value


def columns_of(*keys: str, kind: Kind = "text", summed: bool = False) -> Columns:
    """Make columns of one kind, whose titles are their keys in words."""
    return tuple(Column(key, kind, summed=summed) for key in keys)


def pick(columns: Columns, *keys: str, unit: str = "", titles: Mapping[str, str] | None = None) -> Columns:
    """Return the columns with these keys, in this order, with amounts in `unit` and with other `titles` by key."""
    by_key = {column.key: column for column in columns}
    return tuple(
        replace(
            by_key[key],
            unit=unit if "amount" in by_key[key].kind else "",
            title=(titles or {}).get(key, by_key[key].title),
        )
        for key in keys
    )


def select(record: Record, *keys: str) -> dict[str, Value]:
    """Return the values of a record under these keys, in this order, for a JSON document."""
    return {key: record[key] for key in keys}


def attributes(thing: object, *names: str) -> dict[str, Any]:
    """Return these attributes by name, for a document or record with the same keys."""
    return {name: getattr(thing, name) for name in names}


def change(old: Decimal, new: Decimal) -> tuple[Decimal, Decimal, Decimal, Fraction | None]:
    """Return the old and new price or amount, the difference, and the ratio (None if the old one is zero)."""
    return old, new, EXACT.subtract(new, old), Fraction(new) / Fraction(old) if old else None
