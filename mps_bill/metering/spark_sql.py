"""The SQL of metering as Spark 4 spells it (ANSI mode, session in UTC): its dialect, and its relations over CSV and Parquet.

The forms used here rest on measured facts:

* The text reader keeps every byte of a line; `is_valid_utf8` says whether they are UTF-8.
* A cast of text to a timestamp accepts `+08:00` and `Z` but not `+0800` or `+08`, so those are left to the exact reader.
* `$` matches before a final line end; `\\z` does not.
* Sums of 64 bits overflow with an error, so they are widened; `div` always has 64 bits, and drops the higher bits without an
  error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mps_bill.core.times import LOCAL_TIME
from mps_bill.core.units import MICROS, QUANTITY_PLACES
from mps_bill.metering.csv_rows import MAX_ROW_BYTES
from mps_bill.metering.records import QUANTITY, SIDE, FileForm
from mps_bill.metering.sql_rows import MAX_MICROS, YEAR_3000, Dialect, RowSource, place_name, text_source
from mps_bill.metering.tidy import SPACES, UNSEEN

#: Types that Spark does not distinguish: times of 96 bits, which have no zone, and counts of nanoseconds.
INT96, NANOS, LOCAL_NANOS, BINARY = "int96", "nanoseconds", "local nanoseconds", "binary"
#: A quote, or a control character.
_DOUBTFUL = r'[\x00-\x1f\x7f"]'
_HALF = 10**9
_DECIMAL = re.compile(r"decimal\(\d+,(\d+)\)")
#: No number and no time is longer than this as text.
_SHORT = 100
_SHORT_TYPES = ("tinyint", "smallint", "int", "bigint", "boolean", "decimal", "timestamp", NANOS, LOCAL_NANOS)
_OFFSET = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A column name as an SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


class SparkDialect(Dialect):
    """See `sql_rows.Dialect`."""

    wide = "DECIMAL(38,0)"
    octets, hash_function, unnest, array_position = "octet_length", "xxhash64", "explode", "array_position"

    def array(self, words: Sequence[str]) -> str:
        return f"array({', '.join(map(literal, words))})"

    def harmless(self, column: str) -> str:
        return f"NOT {column} RLIKE {literal(_DOUBTFUL)}"

    def whole_quotient(self, numerator: str, denominator: int, *, wide: bool = False) -> str:
        if wide:
            # A division without a remainder is exact in any of Spark's result types.
            return f"CAST(({numerator} - {numerator} % {denominator}) / {denominator} AS {self.wide})"
        return f"({numerator} div {denominator})"

    def sum(self, value: str) -> str:
        # Sums of decimals are slow; these are exact for 9e9 rows, and overflow with an error.
        return (
            f"(CAST(sum({value} div {_HALF}) AS {self.wide}) * {_HALF} + CAST(sum({value} % {_HALF}) AS {self.wide}))"
        )

    def gathered(self, query: str, column: str) -> str:
        # Otherwise every part of the files is grouped by itself before the shuffle, which does not reduce the rows.
        return f"SELECT /*+ REPARTITION({column}) */ * FROM ({query})"

    def tidied(self, column: str) -> str:
        return f"trim(translate({column}, '{SPACES + UNSEEN}', '{' ' * len(SPACES)}'))"

    def epoch(self, text: str, assumed_offset: int | None) -> str:
        naive = (
            ""
            if assumed_offset is None
            else f" WHEN {_full_match(text, LOCAL_TIME)}"
            f" THEN unix_micros(try_cast({text} AS TIMESTAMP)) - {assumed_offset * MICROS}"
        )
        return f"CASE WHEN {_full_match(text, LOCAL_TIME + _OFFSET)} THEN unix_micros(try_cast({text} AS TIMESTAMP)){naive} END"

    def micros(self, text: str) -> str:
        millionths = f"CAST(try_cast({text} AS DECIMAL(18,6)) * {10**QUANTITY_PLACES} AS BIGINT)"
        return f"CASE WHEN {_full_match(text, QUANTITY)} THEN {millionths} WHEN {text} = '' THEN CAST(-1 AS BIGINT) END"

    def pixels(self, text: str) -> str:
        return f"CASE WHEN {text} = '' THEN 0 WHEN {_full_match(text, SIDE)} THEN try_cast({text} AS INT) END"


DIALECT = SparkDialect()


def lines(view: str, form: FileForm) -> RowSource:
    """CSV by lines: `view` has the columns `value` (the text of a line) and `path`. A line is in doubt if it is not plainly a row
    or not valid UTF-8."""
    relation = f"(SELECT value, path, split(value, ',', -1) AS fields FROM {view} WHERE ltrim(',', value) <> '')"
    texts = [f"coalesce(get(fields, {number}), '')" for number in range(len(form.layout.names))]
    tests = (
        f"size(fields) = {len(form.layout.names)}",
        f"octet_length(value) <= {MAX_ROW_BYTES}",
        "is_valid_utf8(value)",
        "NOT contains(value, '\"')",
    )
    no_header = f" WHERE value <> {literal(','.join(form.layout.names))}"
    return replace(text_source(DIALECT, relation, texts, form, tests, ("value", "path")), no_header=no_header)


def parquet(view: str, form: FileForm, types: Sequence[str]) -> RowSource:
    """Parquet by the types of its columns (Spark's types, or those defined above): instants and decimal quantities directly, all
    other columns as text. `view` has the columns under their `place_name`, `path` and `row_number`. The carried columns are
    `path`, `row_number` and `column_value` of each column."""
    values = [column_value(place_name(number), type_) for number, type_ in enumerate(types)]
    carried = [f"text_{number}" for number in range(len(types))]
    shown = ", ".join(f"{value} AS {text}" for value, text in zip(values, carried, strict=True))
    relation = f"(SELECT *, {shown} FROM {view})"
    # A binary value that is not text becomes NULL, so that its row is in doubt.
    texts = [
        f"CASE WHEN is_valid_utf8(CAST(coalesce({text}, '') AS STRING)) THEN CAST(coalesce({text}, '') AS STRING) END"
        if type_ == BINARY
        else f"coalesce({text}, '')"
        for text, type_ in zip(carried, types, strict=True)
    ]
    long = [text for text, type_ in zip(carried, types, strict=True) if not type_.startswith(_SHORT_TYPES)]
    lengths = " + ".join(f"coalesce(octet_length({text}), 0)" for text in long) or "0"
    tests = (f"{lengths} <= {MAX_ROW_BYTES - _SHORT * len(types)}",)
    by_text = text_source(DIALECT, relation, texts, form, tests, ("path", "row_number", *carried))
    typed = {column: (place_name(number), types[number]) for column, number in form.layout.index.items()}
    return replace(
        by_text,
        epoch=_typed_epoch(*typed["completed_at"]) or by_text.epoch,
        micros=_typed_micros(*typed["quantity"]) or by_text.micros,
    )


def _typed_epoch(column: str, type_: str) -> str | None:
    if type_ not in ("timestamp", NANOS):
        return None
    moment = f"({column} - pmod({column}, 1000)) div 1000" if type_ == NANOS else f"unix_micros({column})"
    return f"CASE WHEN {moment} < {YEAR_3000} THEN {moment} END"


def _typed_micros(column: str, type_: str) -> str | None:
    scale = _DECIMAL.fullmatch(type_)
    if not scale or int(scale[1]) > QUANTITY_PLACES:
        return None
    most = (MAX_MICROS + 1) // 10**QUANTITY_PLACES
    millionths = f"CAST({column} * {10**QUANTITY_PLACES} AS BIGINT)"
    return f"CASE WHEN {column} IS NULL THEN CAST(-1 AS BIGINT) WHEN {column} >= 0 AND {column} < {most} THEN {millionths} END"


def column_value(column: str, type_: str) -> str:
    """SQL for a column as text, in the form that usage files have; binary columns stay binary. Text that is not UTF-8, which no
    Parquet file may contain, ends the query."""
    if type_ == BINARY:
        return column
    if type_ == "string":
        return f"validate_utf8({column})"
    if type_ in (NANOS, LOCAL_NANOS):
        column = f"timestamp_micros(({column} - pmod({column}, 1000)) div 1000)"
    if type_ in ("timestamp", NANOS):
        return f"date_format({column}, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\")"
    if type_ in ("timestamp_ntz", INT96, LOCAL_NANOS):
        return f"date_format({column}, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\")"
    if type_.startswith("decimal") and not type_.endswith(",0)"):
        return f"rtrim('.', rtrim('0', CAST({column} AS STRING)))"
    return f"CAST({column} AS STRING)"


def _full_match(text: str, pattern: str) -> str:
    whole = rf"\A({pattern})\z"
    return f"{text} RLIKE {literal(whole)}"
