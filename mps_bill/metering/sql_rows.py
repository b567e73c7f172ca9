"""The rows that every SQL engine meters: their values as SQL over the columns of files, in the spelling of each engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mps_bill.core.units import MICROS
from mps_bill.metering.records import BILLED_STATUSES, FREE_STATUSES, FileForm
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN, COLUMNS, WORDS

MAX_MICROS = 10**18 - 1
YEAR_3000 = 32_503_680_000 * MICROS
STATUSES = ("", *BILLED_STATUSES, *FREE_STATUSES)
#: The value of a column that a file does not have.
EMPTY = "''"

#: The columns that identify a record.
IDENTITY = ("job_id", "item", "output")
#: The columns whose texts are judged together; when rows are counted, once for each group.
JUDGED = (*WORDS, "status", "width", "height")
TEXTS = (*dict.fromkeys((*IDENTITY, *JUDGED)), "extra")


class Dialect(ABC):
    """The spelling of an engine. Arguments and results are SQL, except words and numbers."""

    #: The type for sums and products that 64 bits cannot hold.
    wide: str
    #: The functions for the bytes of a text, a 64-bit hash, the values of an array as rows, and the place of a value in an array.
    octets: str
    hash_function: str
    unnest: str
    array_position: str

    @abstractmethod
    def array(self, words: Sequence[str]) -> str:
        """An array of texts."""

    def lower(self, column: str) -> str:
        """An ASCII value in lower case. Other values do not change, since letters such as İ would become ASCII letters."""
        return f"CASE WHEN {self.octets}({column}) = length({column}) THEN lower({column}) ELSE {column} END"

    def position(self, column: str, words: Sequence[str]) -> str:
        """The position of the value in the words, from 1; 0 for any other value."""
        return f"coalesce({self.array_position}({self.array(words)}, {column}), 0)" if words else "0"

    @abstractmethod
    def harmless(self, column: str) -> str:
        """Whether a text has no control character and no quote."""

    @abstractmethod
    def whole_quotient(self, numerator: str, denominator: int, *, wide: bool = False) -> str:
        """The whole part of a quotient of numbers that are not negative; `wide` if the numerator has that type."""

    def sum(self, value: str) -> str:
        """The exact sum over any number of rows."""
        return f"sum({value})"

    def hash(self, columns: Sequence[str]) -> str:
        return f"{self.hash_function}({', '.join(columns)})"

    def gathered(self, query: str, column: str) -> str:
        """The same rows, prepared for a `GROUP BY` of a column in which nearly all values differ."""
        del column
        return query

    @abstractmethod
    def tidied(self, column: str) -> str:
        """See `tidy.tidied`."""

    @abstractmethod
    def epoch(self, text: str, assumed_offset: int | None) -> str:
        """Microseconds since 1970, by the grammar of `core.times`; NULL if the text is not such a time, or not certainly one."""

    @abstractmethod
    def micros(self, text: str) -> str:
        """Millionths as BIGINT, -1 for an empty text; NULL if it is not a plain decimal of at most 12 and 6 digits."""

    @abstractmethod
    def pixels(self, text: str) -> str:
        """A side in pixels, 0 for an empty text; NULL if it is not a whole number from 1 to 999,999."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """Files that are read alike, as SQL: a relation, and how each value is derived from its columns.

    `values` has the texts of the columns in `TEXTS` and of every tag. `epoch` and `micros` are as in rows, NULL if the value has
    another form. `width` and `height` convert the columns with these names to pixels, also NULL if they cannot; `values` may
    contain pixels already. `tests` are further conditions for the form of a row. `carried` are the columns that lead back to the
    row in its file, and `line`, made of them, is its line. `well_formed` says that the tests cover quotes and control characters
    in all texts. `no_header` is a condition that excludes header rows (see `sql.Statements`).
    """

    relation: str
    values: Mapping[str, str]
    epoch: str
    micros: str
    width: str
    height: str
    tests: tuple[str, ...]
    carried: tuple[str, ...] = ()
    line: str = ""
    well_formed: bool = False
    no_header: str = ""


def text_source(
    dialect: Dialect,
    relation: str,
    texts: Sequence[str],
    form: FileForm,
    tests: tuple[str, ...] = (),
    carried: tuple[str, ...] = (),
    line: str = "",
) -> RowSource:
    """A source whose columns are all text, in the order of the file. A column that the files do not have is empty text."""
    layout = form.layout
    known = {name: texts[layout.index[name]] if name in layout.index else EMPTY for name in (*COLUMNS, *form.tags)}
    extra = " || ".join(texts[number] for number in sorted(layout.ignored_numbers)) or EMPTY
    return RowSource(
        relation,
        {name: known[name] for name in (*TEXTS, *form.tags) if name != "extra"} | {"extra": extra},
        dialect.epoch(known["completed_at"], form.assumed_offset),
        dialect.micros(known["quantity"]),
        dialect.pixels("width"),
        dialect.pixels("height"),
        tests,
        carried,
        line,
    )


def place_name(number: int) -> str:
    """An engine's name for the column with this number: names in files may be empty, repeated, or differ only by case."""
    return f"column_{number}"


def tag_column(tag: str) -> str:
    """An engine's name for the column of a tag: tags may differ only by case, which engines ignore."""
    return tag if tag == ACCOUNT_COLUMN else f"tag_{tag.encode().hex()}"
