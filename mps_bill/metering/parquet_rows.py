"""The rows of a Parquet file as text, for the exact reader: typed values are written in the one form that usage takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mps_bill.core.diagnostics import InputRejected, Place, Problem, printable
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.csv_rows import MAX_ROW_BYTES, Flaw, Row, as_csv, overlong
from mps_bill.metering.duckdb_sql import column_value, parquet_file, parquet_metadata, parquet_schema
from mps_bill.metering.sql_rows import place_name

if TYPE_CHECKING:
    import duckdb

    from mps_bill.metering.sources import UsageSource

_BATCH = 10_000
_DECIMAL = re.compile(r"DECIMAL\((\d+),\d+\)")
#: A decimal of more digits is inexact in DuckDB, and none at all in Spark.
_MAX_DIGITS = 38


def read_parquet_rows(source: UsageSource) -> Iterator[Row]:
    """The column names as a first row, then every row; a row's `line` is its number in the file, from 1.

    Raises:
        InputRejected: the file cannot be read, or a column has a type that does not hold exact values (DOUBLE, say).
    """
    import duckdb

    path = str(source.path)
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            columns = parquet_columns(connection, path)
            names = [column.name for column in columns]
            yield Row(0, ",".join(names).encode("utf-8", "surrogateescape"), names)
            types = exact_types(source, columns)
            places = [place_name(number) for number in range(len(names))]
            values = ", ".join(map(column_value, places, types))
            rows = connection.execute(f"SELECT {values} FROM {parquet_file(path)} AS file({', '.join(places)})")
            number = 0
            while batch := rows.fetchmany(_BATCH):
                for row in batch:
                    number += 1
                    yield parquet_row(number, row)
    except duckdb.Error as error:
        message = f"it cannot be read: {printable(str(error))}"
        raise InputRejected([Problem(Place(source.name), kinds.UNREADABLE_FILE, message)]) from error


@dataclass(frozen=True, slots=True)
class ParquetColumn:
    """A column by its name in the file and its DuckDB type; where DuckDB makes an inexact one of it, by its type in the file."""

    name: str
    type: str


def parquet_columns(connection: duckdb.DuckDBPyConnection, path: str) -> tuple[ParquetColumn, ...]:
    """The columns of a file in their order. DuckDB's reader renames those that differ only by case, its footer does not."""
    stored = (
        f"CASE WHEN precision > {_MAX_DIGITS} THEN format('DECIMAL({{}},{{}})', precision, scale)"
        " WHEN logical_type = 'Float16Type()' THEN 'FLOAT16' ELSE duckdb_type END"
    )
    query = f"SELECT name, {stored}, coalesce(num_children, 0) FROM {parquet_schema(path)}"
    # The nodes of the schema come parents first; the first one is the file.
    nodes = iter(connection.execute(query).fetchall())

    def skip(children: int) -> None:
        for _ in range(children):
            skip(next(nodes)[2])

    columns = []
    for _ in range(next(nodes)[2]):
        name, type_, children = next(nodes)
        columns.append(ParquetColumn(str(name), str(type_)))
        skip(children)
    return tuple(columns)


def stored_rows(sources: Sequence[UsageSource]) -> int:
    """How many rows the footers of Parquet files say they have."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        query = f"SELECT coalesce(sum(num_rows), 0) FROM {parquet_metadata([str(source.path) for source in sources])}"
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def exact_types(source: UsageSource, columns: Sequence[ParquetColumn]) -> list[str]:
    """The DuckDB types of the columns.

    Raises:
        InputRejected: one does not hold exact values.
    """
    for column in columns:
        if problem := inexact_column(source, column.name, column.type):
            raise InputRejected([problem])
    return [column.type for column in columns]


def parquet_row(number: int, values: Sequence[object]) -> Row:
    """The row of values as text or as the bytes of a text, None for NULL; `number` counts from 1."""
    fields = []
    flaw: Flaw | None = None
    for value in values:
        if isinstance(value, (bytes, bytearray)):
            try:
                fields.append(value.decode("utf-8"))
            except UnicodeDecodeError as error:
                message = f"the byte 0x{value[error.start]:02x} is not UTF-8; store text as UTF-8"
                flaw = flaw or Flaw(number, 1, kinds.NOT_UTF8, message)
                fields.append(value.decode("utf-8", "surrogateescape"))
        else:
            fields.append("" if value is None else str(value))
    if len(",".join(fields).encode("utf-8", "surrogateescape")) > MAX_ROW_BYTES:
        flaw = overlong(number)
    return Row(number, as_csv(fields).encode("utf-8", "surrogateescape"), [] if flaw else fields, flaw)


def inexact_column(source: UsageSource, name: str, type_: str) -> Problem | None:
    """The problem of a column whose type, as the file names it, does not hold exact values, or more digits than engines read."""
    digits = _DECIMAL.fullmatch(type_)
    if digits and int(digits[1]) > _MAX_DIGITS:
        reason = f"and a decimal of more than {_MAX_DIGITS} digits is not read"
    elif type_ in ("FLOAT16", "FLOAT", "DOUBLE"):
        reason = "which does not hold exact values"
    else:
        return None
    message = f"column {printable(name)} is {type_}, {reason}; store it as DECIMAL(18,6) or text"
    return Problem(Place(source.name), kinds.INEXACT_COLUMN, message)
