"""The programs that mps-bill is compared with, each run as its own process: `python benchmarks/peers.py NAME FILE`.

duckdb-floor    The floor of the goals: one SQL statement that checks the form of time and quantity of the successful rows,
                and sums rounded quantities by hour, region, item, codec, size and unit. It knows no price book and no words,
                checks no ids and no sizes, does not compare rows, and only counts bad rows.
duckdb-strict   A heavier scan that checks the form of every value in every row (time, plain decimal, whole number, status).
                If a row is bad, the process only exits with 1.
polars          The same sums with the streaming engine of Polars, whose own parser decides what a number is. Unchecked.
csv-decimal     The same sums with the standard library: csv.reader, datetime and Decimal. Checked only as far as these do.
typer-nothing   A typer program with two commands that do nothing: the floor of start-up.
typer-options   The same with as many options, of the same kinds, as `mps-bill bill` has: the time typer needs for them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

TIME = (
    r"(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]"
    r"(:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9]|[+-](0[0-9]|1[0-4]))"
)
QUANTITY = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?"
SIDE = "[1-9][0-9]{0,5}"
_HOUR_OFFSET = 28_800


def duckdb_floor(path: str) -> None:
    import duckdb

    if path.endswith(".parquet"):
        relation = f"read_parquet('{path}')"
    else:
        with Path(path).open(encoding="utf-8") as stream:
            columns = ", ".join(f"'{name}': 'VARCHAR'" for name in next(stream).rstrip().split(","))
        relation = (
            f"read_csv('{path}', header = true, auto_detect = false, strict_mode = true, delim = ',', quote = '\"',"
            f" escape = '\"', columns = {{{columns}}})"
        )
    form = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}(Z|[+-][0-9]{2}:[0-9]{2})"
    query = f"""
WITH rows AS (
    SELECT *, try_cast(completed_at AS TIMESTAMPTZ) AS instant, try_cast(quantity AS DECIMAL(18,6)) AS amount
    FROM {relation} WHERE status = 'success'
), checked AS (
    SELECT (epoch_us(instant) // 1000000 + {_HOUR_OFFSET}) // 3600 AS hour, region, item, codec, width, height, unit,
        (amount * 1000000)::BIGINT AS micros,
        instant IS NULL OR NOT regexp_full_match(completed_at::VARCHAR, '{form}') OR amount IS NULL
        OR NOT regexp_full_match(quantity::VARCHAR, '[0-9]{{1,12}}(\\.[0-9]{{1,6}})?') OR job_id IS NULL AS bad
    FROM rows
)
SELECT hour, region, item, codec, width, height, unit, sum(greatest((micros + 300000) // 600000, 2)), count(*),
    count(*) FILTER (bad)
FROM checked GROUP BY ALL"""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": 2,
        "memory_limit": "512MB",
        "preserve_insertion_order": "false",
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        groups = connection.execute(query).fetchall()
    _show(sum(group[7] for group in groups) * 600_000, sum(group[8] for group in groups))


def duckdb_strict(path: str) -> None:
    import duckdb

    if path.endswith(".parquet"):
        relation, hour = f"read_parquet('{path}')", "epoch_us(completed_at) // 3600000000"
        micros = "(quantity::DECIMAL(18,6) * 1000000)::BIGINT"
        good = "job_id <> '' AND quantity >= 0 AND width BETWEEN 1 AND 999999 AND height BETWEEN 1 AND 999999"
    else:
        with duckdb.connect() as connection:
            header = connection.execute(f"SELECT * FROM read_csv('{path}', all_varchar = true) LIMIT 0").description
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name, *_ in header)
        names = ", ".join(f"'{name}'" for name, *_ in header)
        relation = (
            f"read_csv('{path}', auto_detect = false, strict_mode = true, header = true, delim = ',', quote = '\"',"
            f" escape = '\"', columns = {{{columns}}}, force_not_null = [{names}])"
        )
        hour = "epoch_us(try_cast(completed_at AS TIMESTAMPTZ)) // 3600000000"
        micros = "(try_cast(quantity AS DECIMAL(18,6))::DECIMAL(38,6) * 1000000)::BIGINT"
        good = (
            f"job_id <> '' AND regexp_full_match(completed_at, '{TIME}') AND regexp_full_match(quantity, '{QUANTITY}')"
            f" AND regexp_full_match(width, '{SIDE}') AND regexp_full_match(height, '{SIDE}')"
        )
    status = "lower(status) IN ('success', 'failed')"
    query = f"""
SELECT good, {hour} AS hour, region, item, codec, width, height, unit, lower(status) = 'failed' AS failed,
       count(*), sum({micros})
FROM (SELECT *, coalesce({good} AND {status}, false) AS good FROM {relation}) GROUP BY ALL"""
    with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        groups = connection.execute(query).fetchall()
    if not all(group[0] for group in groups):
        raise SystemExit("a row is bad")
    _show(sum(group[-1] for group in groups), sum(group[-2] for group in groups))


def polars(path: str) -> None:
    import polars as pl

    text: dict[str, pl.DataType | type[pl.DataType]] = {
        "width": pl.Int32,
        "height": pl.Int32,
        "quantity": pl.Decimal(18, 6),
    }
    if path.endswith(".parquet"):
        rows = pl.scan_parquet(path).with_columns(pl.col("quantity").cast(pl.Decimal(18, 6)))
        time = pl.col("completed_at")
    else:
        rows = pl.scan_csv(path, schema_overrides=text)
        time = pl.col("completed_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%#z", time_unit="us", time_zone="UTC")
    keys = ("region", "item", "codec", "width", "height", "unit", "status")
    groups = (
        rows.group_by(time.dt.truncate("1h").alias("hour"), *keys)
        .agg(pl.len().alias("rows"), pl.col("quantity").sum())
        .collect(engine="streaming")
    )
    _show(int(sum(groups["quantity"]) * 10**6), groups["rows"].sum())


def csv_decimal(path: str) -> None:
    import csv
    from collections import defaultdict
    from datetime import datetime
    from decimal import Decimal

    sums: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    rows = 0
    with Path(path).open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        index = {name: number for number, name in enumerate(next(reader))}
        time, quantity, width, height = (index[name] for name in ("completed_at", "quantity", "width", "height"))
        others = [index[name] for name in ("region", "item", "codec", "unit", "status")]
        for row in reader:
            hour = int(datetime.fromisoformat(row[time]).timestamp()) // 3_600
            key = (hour, int(row[width]), int(row[height]), *(row[other] for other in others))
            sums[key] += Decimal(row[quantity])
            rows += 1
    _show(int(sum(sums.values()) * 10**6), rows)


def typer_nothing(_: str) -> None:
    import typer

    app = typer.Typer()

    @app.command()
    def one(name: str = "1") -> None:
        print(name)

    @app.command()
    def two() -> None:
        pass

    app(args=["one"])


def typer_options(_: str) -> None:
    from enum import Enum
    from inspect import Parameter, Signature

    import typer

    class Word(Enum):
        one = "one"
        two = "two"

    kinds = (
        (list[str] | None, None, 3),
        (Word | None, None, 2),
        (str | None, None, 10),
        (int, 6, 3),
        (bool, False, 5),
    )
    parameters = [Parameter("name", Parameter.KEYWORD_ONLY, annotation=str)]
    for kind, default, count in kinds:
        for _number in range(count):
            option = typer.Option(f"--option-{len(parameters)}", help="What it does, in a line of some length.")
            name = f"option_{len(parameters)}"
            parameters.append(
                Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])
            )

    def nothing(**_values: object) -> None:
        pass

    nothing.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    nothing.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(nothing)
    app(args=["x"])


def _show(micros: object, rows: object) -> None:
    print(f"{rows} rows, {micros} millionths")


PEERS = {
    "duckdb-floor": duckdb_floor,
    "duckdb-strict": duckdb_strict,
    "polars": polars,
    "csv-decimal": csv_decimal,
    "typer-nothing": typer_nothing,
    "typer-options": typer_options,
}

if __name__ == "__main__":
    PEERS[sys.argv[1]](sys.argv[2])
