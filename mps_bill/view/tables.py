"""The one model of tables, reports and charts, which every format but JSON is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.view.columns import Columns, Record, Row, Value, number

#: The names of the tables of a report with a row for each bill and for each line.
BILLS, LINES = "bills", "lines"


@dataclass(frozen=True, slots=True)
class Heading:
    """A row that names the rows below it."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values under columns, with `totals` below a rule.

    `remark` says what the table holds, or why it is empty. A table that formats look up has a `name`. In the report of a long
    run, tables `of_details` come after the summaries; a table that is not `on_paper` is left out of print, and the page says so.
    """

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
        """The rows, without headings."""
        return (row for row in self.rows if not isinstance(row, Heading))

    def index(self, key: str) -> int:
        """Return the position of the column with this key."""
        return [column.key for column in self.columns].index(key)

    def without_empty(self, *keys: str) -> Table:
        """Return the table without the ones of these columns that are empty in every row."""
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
        """The name, or else the title as one word."""
        return self.name or self.title.lower().replace(" ", "-")

    def total(self, index: int) -> Decimal:
        """Return the exact sum of a column of numbers; empty cells count as zero."""
        return sum((value for row in self.values if isinstance(value := number(row[index]), Decimal)), ZERO)


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A headline above tables. Formats without an outline leave out an `implied` headline."""

    text: str
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Details:
    """Tables and notes under a line that says what they hold. A format that can fold shows only that line at first."""

    text: str
    blocks: Sequence[Table | Note]


@dataclass(frozen=True, slots=True)
class Mark:
    """Invisible text by which programs find a comment again."""

    text: str


Block = Table | Note | Section | Details | Mark


@dataclass(frozen=True, slots=True)
class Records:
    """Rows for programs. Rows of several kinds share one header, and each has values only for the columns of its kind."""

    columns: Columns
    rows: Iterable[Record]


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum at the top of a report: that of the column `key` of its table of bills, or of its first table if it has no bills."""

    key: str
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Report:
    """Named tables, with facts, figures and charts before them and notes after them.

    `date` (seconds since the epoch) is that of the newest content, so a report does not depend on the day on which it is made.
    `items` are the codes and names of the items by which the table of lines is summed; `about` describes the content in a few
    words. A report for paper has only the tables of its `pages`.
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
    """A bar of a chart: `name` identifies it, and people read the `label`."""

    name: str
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """The bars of a chart in the order in which they are drawn; no amount is below zero."""

    title: str
    bars: tuple[Bar, ...]

    def share(self, bar: Bar) -> float:
        """Return the length of a bar relative to the longest, from 0 to 1: only for drawing, never shown as a figure."""
        highest = max(bar.amount for bar in self.bars)
        return float(bar.amount) / float(highest) if highest > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """A test case as CI servers list it. `failure` is its kind, message and details (None: passed); `line` 0 means no line."""

    name: str
    line: int = 0
    failure: tuple[str, str, str] | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class Suites:
    """The name of a command, and the test cases of each file that it checked."""

    name: str
    files: Sequence[tuple[str, Sequence[Case]]]


def figures_of(table: Table, *sums: tuple[str, str]) -> list[Figure]:
    """Return the totals of columns of a table, each given as a label and a key."""
    return [Figure(key, label, table.total(table.index(key))) for label, key in sums]


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
    """Make a table with a row for each record, which shows the values of the columns."""
    keys = [column.key for column in columns]
    shown = [row if isinstance(row, Heading) else tuple([row.get(key) for key in keys]) for row in rows]
    return Table(title, columns, shown, [tuple(map(total.get, keys)) for total in totals], remark, name, of_details)


def records_of(columns: Columns, rows: Iterable[Row]) -> Records:
    """Return records of one kind, made of rows whose values are in the order of the columns."""
    keys = [column.key for column in columns]
    return Records(columns, (dict(zip(keys, row, strict=True)) for row in rows))
