"""The one model of a table: typed columns, rows of values, totals. A value becomes text only in `render/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from mps_bill.core.decimals import EXACT, ZERO, plain
from mps_bill.core.language import tr
from mps_bill.core.units import Unit, ends_in_unit, in_unit

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

    def __str__(self) -> str:
        return plain(self.decimal) + ("" if ends_in_unit(self.micros, self.unit) else "~")


@dataclass(frozen=True, slots=True)
class As:
    """A value that is of another kind than its column: plan units among amounts."""

    value: Decimal
    kind: Kind


#: Decimal places of figures that sum up, as people read them: those of money.
MONEY_PLACES = 2
#: The names of the tables of a report that have a row per bill and per line.
BILLS, LINES = "bills", "lines"

#: None is an empty cell. Text in a column of another kind is shown as it is ("added", "several").
Value = str | int | Decimal | Fraction | Moment | Quantity | As | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` is its name for programs, `title` for people, where that is not the key in words. People read it in their
    language.

    `unit`, such as a currency, stands behind the title in prose only. `summed`: its values add up to something that a
    reader wants. `may_hide`: of no interest where it is 0 in every row. `sense` tells apart titles that are the same in English;
    one that is a value of the input is shown `as_it_is`. `places` are the decimal places at which people are shown its
    figures; None: every digit.
    """

    key: str
    kind: Kind = "text"
    title: str | None = None
    unit: str = ""
    summed: bool = False
    may_hide: bool = False
    sense: str = ""
    as_it_is: bool = False
    places: int | None = None

    @property
    def is_number(self) -> bool:
        return self.kind not in ("text", "time")

    @property
    def label(self) -> str:
        return self.english if self.as_it_is else tr(self.english, sense=self.sense)

    @property
    def english(self) -> str:
        words = self.key.replace("_", " ")
        return words[:1].upper() + words[1:] if self.title is None else self.title

    @property
    def heading(self) -> str:
        return f"{self.label} {self.unit}".strip()


Columns = tuple[Column, ...]
Row = tuple[Value, ...]
#: The values of a thing by the keys of columns. A sort of thing is spelled once, and every table picks from that.
Record = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Heading:
    """A row of a table that names the rows below it."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values under columns; `totals` stand below a rule. `remark` says what the table holds, or why it is empty. A
    table that is looked for has a `name`. One `of_details` stands behind what sums it up in a long run, and one that is not
    `on_paper` is left out there, which the page says."""

    title: str
    columns: Columns
    rows: Sequence[Row | Heading]
    totals: Sequence[Row] = ()
    remark: str = ""
    name: str = ""
    of_details: bool = False
    on_paper: bool = True

    @property
    def values(self) -> Iterator[Row]:
        """The rows without headings."""
        return (row for row in self.rows if not isinstance(row, Heading))

    def index(self, key: str) -> int:
        """Where the column with this key stands."""
        return [column.key for column in self.columns].index(key)

    def without_empty(self, *keys: str) -> Table:
        """The table without those of these columns that are empty in every row."""
        kept = [
            index
            for index, column in enumerate(self.columns)
            if column.key not in keys or any(row[index] not in (None, "") for row in self.values)
        ]

        def cut(row: Row) -> Row:
            return tuple(row[index] for index in kept)

        rows = [row if isinstance(row, Heading) else cut(row) for row in self.rows]
        columns = tuple(self.columns[index] for index in kept)
        return replace(self, columns=columns, rows=rows, totals=list(map(cut, self.totals)))

    @property
    def id(self) -> str:
        """Its name, or its title as one word."""
        return self.name or self.title.lower().replace(" ", "-")

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


@dataclass(frozen=True, slots=True)
class Details:
    """Tables and notes under a line that says what they hold; where the format can fold them, only that line is seen at first."""

    text: str
    blocks: Sequence[Table | Note]


@dataclass(frozen=True, slots=True)
class Mark:
    """What nobody sees, and a program finds a text by."""

    text: str


Block = Table | Note | Section | Details | Mark


@dataclass(frozen=True, slots=True)
class Records:
    """Rows for programs, of several sorts under one header: a row has the values of its sort by the keys of columns."""

    columns: Columns
    rows: Iterable[Record]


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum that a report begins with: that of the column `key` of its table of bills, or of the first where it has none."""

    key: str
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Report:
    """Named tables, and what stands before and behind them.

    `date` (seconds since the epoch) is that of the newest thing reported, so that a report does not change with the day
    on which it is made. `items` are the codes and names of the items to sum the table of lines by; `about` are a few words
    on what it is of. A report for paper has the tables of each of its `pages`, and no others.
    """

    title: str
    date: int
    facts: Sequence[tuple[str, Value]]
    figures: Sequence[Figure]
    tables: Sequence[Table]
    items: Sequence[tuple[str, str]] = ()
    currency: str = ""
    about: Sequence[str] = ()
    notes: Sequence[str] = ()
    charts: Sequence[Series] = ()
    pages: Sequence[Sequence[Table]] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """`name` identifies the bar; `label` is what a person reads."""

    name: str
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """Bars in the order in which they are drawn, none below zero."""

    title: str
    bars: tuple[Bar, ...]

    def share(self, bar: Bar) -> float:
        """How much of the longest bar this one has, from 0 to 1: a length to draw, never an amount to show."""
        highest = max(bar.amount for bar in self.bars)
        return float(bar.amount) / float(highest) if highest > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """A test case, as CI servers list them. `failure` is its kind, message and details; None: it passed. `line` 0: none."""

    name: str
    line: int = 0
    failure: tuple[str, str, str] | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class Suites:
    """What a command ran: its name, and the cases of each file."""

    name: str
    files: Sequence[tuple[str, Sequence[Case]]]


def figures_of(table: Table, *sums: tuple[str, str]) -> list[Figure]:
    """The totals of columns of a table, each a label and a key."""
    return [Figure(key, label, table.total(table.index(key))) for label, key in sums]


def moment(second: int | None, offset: int) -> Moment | None:
    """A second on the clock `offset` seconds east of UTC, where there is one."""
    return None if second is None else Moment(second, offset)


def number(value: Value) -> Value:
    """A number as a Decimal, whatever it is shown as; anything else as it is."""
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Quantity):
        return value.decimal
    return value.value if isinstance(value, As) else value


def columns_of(*keys: str, kind: Kind = "text", summed: bool = False) -> Columns:
    """Columns of one kind, whose titles are their keys in words."""
    return tuple(Column(key, kind, summed=summed) for key in keys)


def pick(columns: Columns, *keys: str, unit: str = "", titles: Mapping[str, str] | None = None) -> Columns:
    """The columns with these keys, in this order. Amounts carry the unit, where one is given; `titles` are others by key."""
    by_key = {column.key: column for column in columns}
    return tuple(
        replace(
            by_key[key],
            unit=unit if "amount" in by_key[key].kind else "",
            title=(titles or {}).get(key, by_key[key].title),
        )
        for key in keys
    )


def table(
    title: str,
    columns: Columns,
    rows: Iterable[Record | Heading],
    totals: Iterable[Record] = (),
    remark: str = "",
    name: str = "",
    *,
    of_details: bool = False,
) -> Table:
    """A table with a row for each record, of which it shows what its columns are."""
    keys = [column.key for column in columns]
    shown = [row if isinstance(row, Heading) else tuple([row.get(key) for key in keys]) for row in rows]
    return Table(title, columns, shown, [tuple(map(total.get, keys)) for total in totals], remark, name, of_details)


def records_of(columns: Columns, rows: Iterable[Row]) -> Records:
    """Records of one sort, whose values stand in the order of the columns."""
    keys = [column.key for column in columns]
    return Records(columns, (dict(zip(keys, row, strict=True)) for row in rows))


def select(record: Record, *keys: str) -> dict[str, Value]:
    """What a record has under these keys, in their order: the part of it that a JSON document shows."""
    return {key: record[key] for key in keys}


def attributes(thing: object, *names: str) -> dict[str, Any]:
    """What a thing has as these attributes, which a document or a record calls the same."""
    return {name: getattr(thing, name) for name in names}


def change(old: Decimal, new: Decimal) -> tuple[Decimal, Decimal, Decimal, Fraction | None]:
    """What a price or an amount was and is, the difference, and the ratio, where there was something before."""
    return old, new, EXACT.subtract(new, old), Fraction(new) / Fraction(old) if old else None
