"""The rows of a Parquet file as text, for the exact reader: typed values are written in the form that usage files have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
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
#: DuckDB reads a decimal with more digits inexactly, and Spark not at all.
_MAX_DIGITS = 38


def read_parquet_rows(source: UsageSource) -> Iterator[Row]:
    """The column names as the first row, then every row; the `line` of a row is its number in the file, from 1.

    Raises:
        InputRejected: the file cannot be read, or the type of a column (DOUBLE, say) does not hold exact values.
    """
    import duckdb

    path = str(source.path)
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            columns = parquet_columns(connection, path)
            names = [name for name, _ in columns]
            yield Row(0, ",".join(names).encode("utf-8", "surrogateescape"), names)
            check_types(source, columns)
            places = [place_name(number) for number in range(len(names))]
            values = ", ".join(column_value(place, type_) for place, (_, type_) in zip(places, columns, strict=True))
            rows = connection.execute(f"SELECT {values} FROM {parquet_file(path)} AS file({', '.join(places)})")
            number = 0
            while batch := rows.fetchmany(_BATCH):
                for row in batch:
                    number += 1
                    yield parquet_row(number, row)
    except duckdb.Error as error:
        message = f"it cannot be read: {printable(str(error))}"
        raise InputRejected([Problem(Place(source.name), kinds.UNREADABLE_FILE, message)]) from error


def parquet_columns(connection: duckdb.DuckDBPyConnection, path: str) -> list[tuple[str, str]]:
    """The names and types of a file's columns, in their order. A type is that of DuckDB, or, if DuckDB would make it inexact, the
    type in the file. They come from the footer, since DuckDB's reader renames columns that differ only by case."""
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
        columns.append((str(name), str(type_)))
        skip(children)
    return columns


def stored_rows(sources: Sequence[UsageSource]) -> int:
    """The number of rows in Parquet files, from their footers."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        query = f"SELECT coalesce(sum(num_rows), 0) FROM {parquet_metadata([str(source.path) for source in sources])}"
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def check_types(source: UsageSource, columns: Iterable[tuple[str, str]]) -> None:
    """Check the types of columns, which have the names of DuckDB or of the file.

    Raises:
        InputRejected: a type does not hold exact values, or has more digits than the engines read.
    """
    for name, type_ in columns:
        digits = _DECIMAL.fullmatch(type_)
        if digits and int(digits[1]) > _MAX_DIGITS:
            reason = f"and a decimal of more than {_MAX_DIGITS} digits is not read"
        elif type_ in ("FLOAT16", "FLOAT", "DOUBLE"):
            reason = "which does not hold exact values"
        else:
            continue
        message = f"column {printable(name)} is {type_}, {reason}; store it as DECIMAL(18,6) or text"
        raise InputRejected([Problem(Place(source.name), kinds.INEXACT_COLUMN, message)])


def parquet_row(number: int, values: Sequence[object]) -> Row:
    """A row from values that are text or the bytes of a text, None for NULL; `number` counts from 1."""
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
