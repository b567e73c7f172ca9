"""How Spark (4, ANSI mode, session in UTC) spells metering: its dialect, and its relations over CSV and Parquet files.

Measured facts behind the forms used here:

* The text reader keeps every byte of a line; `is_valid_utf8` tells whether they are UTF-8.
* A cast of text to a timestamp takes `+08:00` and `Z` but not `+0800` or `+08`, so those are left to the exact reader.
* `$` matches before a last line end; `\\z` does not.
* Sums of 64 bits overflow with an error, so they are widened; `div` has 64 bits whatever it divides, and cuts the rest
  off without an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mps_bill.core.times import LOCAL_TIME
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.metering.records import QUANTITY, SIDE, Layout
from mps_bill.metering.sql import TEXTS, Dialect, RowSource
from mps_bill.metering.tidy import SPACES, UNSEEN
from mps_bill.metering.usage import COLUMNS

_MICROSECONDS = 1_000_000
#: A quote, or a control character.
_DOUBTFUL = r'[\x00-\x1f\x7f"]'
_OFFSET = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A column name as an SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


class SparkDialect:
    """See `sql.Dialect`."""

    wide = "DECIMAL(38,0)"

    def literal(self, text: str) -> str:
        return literal(text)

    def lower(self, column: str) -> str:
        return f"CASE WHEN octet_length({column}) = length({column}) THEN lower({column}) ELSE {column} END"

    def position(self, column: str, words: Sequence[str]) -> str:
        return f"coalesce(array_position(array({', '.join(map(literal, words))}), {column}), 0)" if words else "0"

    def harmless(self, column: str) -> str:
        return f"NOT {column} RLIKE {literal(_DOUBTFUL)}"

    def whole_quotient(self, numerator: str, denominator: int, *, wide: bool = False) -> str:
        if wide:
            # What divides without a rest is exact in any of Spark's result types.
            return f"CAST(({numerator} - {numerator} % {denominator}) / {denominator} AS {self.wide})"
        return f"({numerator} div {denominator})"

    def sum(self, value: str) -> str:
        return f"sum(CAST({value} AS DECIMAL(28,0)))"

    def hash(self, columns: Sequence[str]) -> str:
        return f"xxhash64({', '.join(columns)})"

    def tidied(self, column: str) -> str:
        return f"trim(translate({column}, '{SPACES + UNSEEN}', '{' ' * len(SPACES)}'))"


DIALECT: Dialect = SparkDialect()


def lines(view: str, layout: Layout, tags: Sequence[str], offset: int | None) -> RowSource:
    """CSV by lines: `view` has the columns `value` (the text of a line) and `path`; a line that is not plainly a row is in
    doubt, and so is every line that is not valid UTF-8."""
    relation = f"(SELECT value, path, split(value, ',', -1) AS fields FROM {view} WHERE ltrim(',', value) <> '')"
    texts = {name: f"coalesce(get(fields, {number}), '')" for number, name in enumerate(layout.names)}
    tests = (f"size(fields) = {len(layout.names)}", "is_valid_utf8(value)", "NOT contains(value, '\"')")
    return _text_source(relation, texts, layout, tags, offset, tests, ("value", "path"))


def parquet(view: str, layout: Layout, texts: Mapping[str, str], tags: Sequence[str], offset: int | None) -> RowSource:
    """Parquet through the text of each column (`texts`); `view` has its columns, `path` and `row_number`."""
    shown = ", ".join(f"{texts[name]} AS text_{number}" for number, name in enumerate(layout.names))
    relation = f"(SELECT path, row_number, {shown} FROM {view})"
    filled = {name: f"coalesce(text_{number}, '')" for number, name in enumerate(layout.names)}
    carried = ("path", "row_number", *(f"text_{number}" for number in range(len(layout.names))))
    return _text_source(relation, filled, layout, tags, offset, (), carried)


def column_text(name: str, type_: str) -> str | None:
    """SQL for a column as text, in the one form that usage takes; None for types that do not hold exact values."""
    column = identifier(name)
    if type_ in ("float", "double"):
        return None
    if type_ == "timestamp":
        return f"date_format({column}, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\")"
    if type_ == "timestamp_ntz":
        return f"date_format({column}, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\")"
    if type_.startswith("decimal") and not type_.endswith(",0)"):
        return f"rtrim('.', rtrim('0', CAST({column} AS STRING)))"
    return f"CAST({column} AS STRING)"


def _text_source(
    relation: str,
    texts: Mapping[str, str],
    layout: Layout,
    tags: Sequence[str],
    offset: int | None,
    tests: tuple[str, ...],
    carried: tuple[str, ...],
) -> RowSource:
    """A source whose values are all text; a column that the files lack is empty text."""
    known = {name: texts.get(name, "''") if name in layout.index else "''" for name in (*COLUMNS, *tags)}
    extra = f"concat({', '.join(texts[name] for name in layout.ignored)})" if layout.ignored else "''"
    return RowSource(
        relation,
        {name: known[name] for name in (*TEXTS, *tags) if name != "extra"} | {"extra": extra},
        _epoch(known["completed_at"], offset),
        _micros(known["quantity"]),
        _pixels(known["width"]),
        _pixels(known["height"]),
        tests,
        carried,
    )


def _full_match(text: str, pattern: str) -> str:
    whole = rf"\A({pattern})\z"
    return f"{text} RLIKE {literal(whole)}"


def _epoch(text: str, assumed_offset: int | None) -> str:
    """Microseconds since 1970; NULL where the text is no such time."""
    naive = (
        ""
        if assumed_offset is None
        else f" WHEN {_full_match(text, LOCAL_TIME)}"
        f" THEN unix_micros(try_cast({text} AS TIMESTAMP)) - {assumed_offset * _MICROSECONDS}"
    )
    return f"CASE WHEN {_full_match(text, LOCAL_TIME + _OFFSET)} THEN unix_micros(try_cast({text} AS TIMESTAMP)){naive} END"


def _micros(text: str) -> str:
    """Millionths as BIGINT, -1 for an empty text; NULL where it is not a plain decimal of at most 12 and 6 digits."""
    millionths = f"CAST(try_cast({text} AS DECIMAL(18,6)) * {10**QUANTITY_PLACES} AS BIGINT)"
    return f"CASE WHEN {_full_match(text, QUANTITY)} THEN {millionths} WHEN {text} = '' THEN CAST(-1 AS BIGINT) END"


def _pixels(text: str) -> str:
    return f"CASE WHEN {text} = '' THEN 0 WHEN {_full_match(text, SIDE)} THEN try_cast({text} AS INT) END"
