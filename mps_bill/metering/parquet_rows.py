"""The rows of a Parquet file as text, for the exact reader: typed values are written in the one form that usage takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mps_bill.core.diagnostics import InputRejected, Place, Problem, printable
from mps_bill.metering import kinds
from mps_bill.metering.csv_rows import Row, as_csv
from mps_bill.metering.duckdb_sql import identifier, one_file

if TYPE_CHECKING:
    from mps_bill.metering.sources import UsageSource

_BATCH = 10_000


def read_parquet_rows(source: UsageSource) -> Iterator[Row]:
    """The column names as a first row, then every row; a row's `line` is its number in the file, from 1.

    Raises:
        InputRejected: the file cannot be read, or a column has a type that does not hold exact values (DOUBLE, say).
    """
    import duckdb

    path = one_file(str(source.path))
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            columns = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
            names = [str(name) for name, *_ in columns]
            yield Row(0, ",".join(names).encode(), names)
            texts = [column_text(source, name, str(type_)) for name, type_, *_ in columns]
            rows = connection.execute(f"SELECT {', '.join(texts)} FROM read_parquet(?)", [path])
            number = 0
            while batch := rows.fetchmany(_BATCH):
                for values in batch:
                    number += 1
                    yield parquet_row(number, values)
    except duckdb.Error as error:
        message = f"it cannot be read: {printable(str(error))}"
        raise InputRejected([Problem(Place(source.name), kinds.UNREADABLE_FILE, message)]) from error


def parquet_row(number: int, values: Sequence[object]) -> Row:
    """The row of values as text, None for NULL; `number` counts from 1."""
    fields = ["" if value is None else str(value) for value in values]
    return Row(number, as_csv(fields).encode("utf-8", "surrogateescape"), fields)


def column_text(source: UsageSource, name: str, type_: str) -> str:
    """SQL for a column as text: instants in UTC, decimals without trailing zeros, text and whole numbers as they are.

    Raises:
        InputRejected: the type does not hold exact values.
    """
    column = identifier(name)
    if type_.startswith("DECIMAL"):
        trimmed = f"regexp_replace(CAST({column} AS VARCHAR), '0+$', '')"
        return f"CASE WHEN contains({trimmed}, '.') THEN rtrim({trimmed}, '.') ELSE CAST({column} AS VARCHAR) END"
    if type_ in ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"):
        return f"strftime(CAST({column} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f')"
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    if type_ in ("FLOAT", "DOUBLE"):
        raise InputRejected([inexact_column(source, name, type_)])
    return f"CAST({column} AS VARCHAR)"


def inexact_column(source: UsageSource, name: str, type_: str) -> Problem:
    """The problem of a column whose type does not hold exact values."""
    message = f"column {name} is {type_}, which does not hold exact values; store it as DECIMAL(18,6) or text"
    return Problem(Place(source.name), kinds.INEXACT_COLUMN, message)
