"""The one model of a table: typed columns, rows of values, totals. A value becomes text only in `render/`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Generic, Literal, TypeVar

from mps_bill.core.decimals import ZERO
from mps_bill.core.units import Unit, in_unit

T = TypeVar("T")

#: How a value is shown: a `percent` is a ratio of new to old, and what is `signed` has a plus where it is above zero.
Kind = Literal["text", "count", "quantity", "price", "amount", "signed", "signed amount", "percent", "time"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A second since the epoch, to be shown on the clock `offset` seconds east of UTC."""

    second: int
    offset: int


@dataclass(frozen=True, slots=True)
class Quantity:
    """Micros of a unit. A quantity that does not end within ten decimals is shown with a mark where people read it."""

    micros: int
    unit: Unit

    @property
    def decimal(self) -> Decimal:
        return in_unit(self.micros, self.unit)


@dataclass(frozen=True, slots=True)
class As:
    """A value that is of another kind than its column: plan units among amounts."""

    value: Decimal
    kind: Kind


#: None is an empty cell. Text in a column of another kind is shown as it is ("added", "several").
Value = str | int | Decimal | Fraction | Moment | Quantity | As | None


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column: `key` is its name for programs, `title` for people; `of` is how a row's thing has its value.

    `unit`, such as a currency, stands behind the title in prose only. `summed`: its values add up to something that a
    reader wants. `may_hide`: of no interest where it is 0 in every row.
    """

    key: str
    title: str
    kind: Kind = "text"
    of: Callable[[T], Value] | None = None
    unit: str = ""
    summed: bool = False
    may_hide: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind not in ("text", "time")

    @property
    def heading(self) -> str:
        return f"{self.title} {self.unit}".strip()


Columns = tuple[Column[Any], ...]
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A row of a table that names the rows below it."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values under columns; `totals` stand below a rule. `remark` says what the table holds, or why it is empty."""

    title: str
    columns: Columns
    rows: Sequence[Row | Heading]
    totals: Sequence[Row] = ()
    remark: str = ""

    @property
    def values(self) -> Iterator[Row]:
        """The rows without headings."""
        return (row for row in self.rows if not isinstance(row, Heading))

    def index(self, key: str) -> int:
        """Where the column with this key stands."""
        return [column.key for column in self.columns].index(key)

    def total(self, index: int) -> Decimal:
        """The exact sum of a column of numbers; empty cells count nothing."""
        return sum((value for row in self.values if isinstance(value := number(row[index]), Decimal)), ZERO)


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A headline above tables. What has no outline leaves out one that is `implied`."""

    text: str
    implied: bool = False


Block = Table | Note | Section


@dataclass(frozen=True, slots=True)
class Records:
    """Rows for programs, of several sorts under one header: a row has the values of its sort by the keys of columns."""

    columns: Columns
    rows: Iterable[Mapping[str, Value]]


def number(value: Value) -> Value:
    """A number as a Decimal, whatever it is shown as; anything else as it is."""
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Quantity):
        return value.decimal
    return value.value if isinstance(value, As) else value


def pick(columns: Columns, *keys: str, unit: str = "") -> Columns:
    """The columns with these keys, in this order; amounts that are summed carry the unit, where one is given."""
    by_key = {column.key: column for column in columns}
    return tuple(replace(by_key[key], unit=unit) if unit and by_key[key].summed else by_key[key] for key in keys)


def cells(columns: Columns, thing: object) -> Row:
    """The values that a thing has under columns."""
    return tuple([column.of(thing) if column.of else None for column in columns])


def record(columns: Columns, thing: object) -> dict[str, Value]:
    """The same by the columns' keys."""
    return {column.key: column.of(thing) for column in columns if column.of}


def table(
    title: str, columns: Columns, things: Iterable[object], totals: Sequence[Row] = (), remark: str = ""
) -> Table:
    """A table with a row for each thing."""
    return Table(title, columns, tuple(cells(columns, thing) for thing in things), totals, remark)


def text(title: str) -> Column[Any]:
    """A column of words that only a printed table has."""
    return Column(title, title)


def amount(title: str, unit: str = "") -> Column[Any]:
    """A column of money that only a printed table has."""
    return Column(title, title, "amount", unit=unit)


def count(title: str) -> Column[Any]:
    return Column(title, title, "count")
