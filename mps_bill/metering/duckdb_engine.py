"""The DuckDB engine: reads clean usage of any size in one strict pass, and a second one for repeated records.

It gives a result only when every row is clean. Anything else (a malformed row, an unpriced one, a contradiction) makes
it return None, and the exact reader, which can name places, decides.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mps_bill.core.diagnostics import ProblemReport
from mps_bill.metering.assign import Assignment, assign
from mps_bill.metering.duckdb_sql import csv_relation, identifier, literal, metering_query, record_hash, word_lists
from mps_bill.metering.exact_reader import Progress, Sums
from mps_bill.metering.parquet_rows import column_text
from mps_bill.metering.records import Layout, RecordReader, UsageRecord
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.usage import COLUMNS, UNKNOWN, Metered, UsageGroup, UsageKey
from mps_bill.price_sheet.book import PriceBook

if TYPE_CHECKING:
    import duckdb

_REPEATED = "repeated_records"


def read_clean(
    sources: Sequence[UsageSource],
    layouts: dict[str, Layout],
    book: PriceBook,
    scheme: MeteringScheme,
    *,
    trust_unique: bool = False,
    progress: Progress | None = None,
) -> Metered | None:
    """The groups of the sources, or None where a row is not clean (see the module)."""
    import duckdb

    # A large file with line ends inside quotes can fail in the parallel reader only, so that is tried once more alone.
    for parallel in (True, False):
        try:
            with _connection() as connection, _watched(connection, progress, sources):
                return _read(connection, sources, layouts, book, scheme, trust_unique, parallel)
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except duckdb.Error:
            continue
        except RuntimeError as error:
            # This is how an interrupt from the keyboard arrives while a query runs.
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            raise
    return None


def _read(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[UsageSource],
    layouts: dict[str, Layout],
    book: PriceBook,
    scheme: MeteringScheme,
    trust_unique: bool,
    parallel: bool,
) -> Metered | None:
    tags = tuple(sorted({tag for layout in layouts.values() for tag in layout.tags}))
    rows = _rows_query(connection, sources, layouts, tags, parallel)
    repeated = 0
    if not trust_unique:
        hashes = f"SELECT {record_hash()} AS hash FROM ({rows})"
        connection.execute(
            f"CREATE TEMP TABLE {_REPEATED} AS SELECT hash FROM ({hashes}) GROUP BY hash HAVING count(*) > 1"
        )
        repeated = _scalar(connection, f"SELECT count(*) FROM {_REPEATED}")
    query = metering_query(scheme, rows, tags, without=_REPEATED if repeated else None)
    groups = [_group(row, scheme) for row in connection.execute(query).fetchall()]
    if None in groups:
        return None
    sums = Sums(scheme)
    for group in groups:
        assert group is not None
        sums.add_group(group)
    if repeated and not _add_repeated(connection, rows, tags, scheme, sums):
        return None
    found = sums.groups()
    for group in found:
        if not group.key.failed and not isinstance(assign(group.key, book, scheme), Assignment):
            return None
    return Metered(found, sum(group.rows for group in found), 0, ProblemReport())


def _add_repeated(
    connection: duckdb.DuckDBPyConnection, rows: str, tags: Sequence[str], scheme: MeteringScheme, sums: Sums
) -> bool:
    """Adds the records that stand on several rows, compared exactly; False where two rows of one contradict each other.

    Rows that share only their hash are different records, and are added as such.
    """
    names = (*COLUMNS, *tags)
    reader = RecordReader(Layout(names, {name: index for index, name in enumerate(names)}, ()), scheme)
    columns = ", ".join(map(identifier, names))
    order = "job_id, item, output"
    cursor = connection.execute(
        f"SELECT {columns} FROM ({rows}) WHERE {record_hash()} IN (FROM {_REPEATED}) ORDER BY {order}"
    )
    last: UsageRecord | None = None
    count = 0
    while batch := cursor.fetchmany(10_000):
        for fields in batch:
            record = reader.read(fields)
            if isinstance(record, tuple):
                return False
            if last is not None and record.identity == last.identity:
                if record != last:
                    return False
                count += 1
                continue
            if last is not None:
                sums.add_record(last, count)
            last, count = record, 1
    if last is not None:
        sums.add_record(last, count)
    return True


def _group(row: Sequence[object], scheme: MeteringScheme) -> UsageGroup | None:
    """A row of the metering query as a group; None for the group of rows that the engine is unsure of."""
    slot, item, region, spec, codec, long, short, unit, failed, *rest = row
    if slot is None:
        return None
    words = word_lists(scheme)

    def word(column: str, code: object) -> str:
        return words[column][int(str(code)) - 1] if code else UNKNOWN

    tags = tuple(str(tag) for tag in rest[: len(scheme.tags)])
    rows, *sums = (int(str(number)) for number in rest[len(scheme.tags) :])
    key = UsageKey(
        slot=int(str(slot)) * scheme.slot_seconds,
        item=word("item", item),
        region=word("region", region),
        spec=word("spec", spec),
        codec=word("codec", codec),
        long=int(str(long)),
        short=int(str(short)),
        unit=word("unit", unit),
        failed=bool(failed),
        tags=tags,
    )
    return UsageGroup(key, rows, 0, tuple(sums))


def _rows_query(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[UsageSource],
    layouts: dict[str, Layout],
    tags: Sequence[str],
    parallel: bool,
) -> str:
    """All rows with the same columns, as text. Files with one header are read together, others side by side."""
    alike: dict[tuple[str, ...], list[str]] = {}
    parts = []
    for source in sources:
        layout = layouts[source.name]
        if source.format == "parquet":
            relation = f"read_parquet({literal(str(source.path))})"
            described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
            texts = {name: column_text(source, str(name), str(type_)) for name, type_, *_ in described}
            parts.append(_projection(relation, layout, tags, texts))
        else:
            alike.setdefault(layout.names, []).append(str(source.path))
    for names, paths in alike.items():
        layout = next(layout for layout in layouts.values() if layout.names == names)
        texts = {name: identifier(name) for name in names}
        parts.append(_projection(csv_relation(paths, names, parallel=parallel), layout, tags, texts))
    return " UNION ALL ".join(parts)


def _projection(relation: str, layout: Layout, tags: Sequence[str], texts: dict[str, str]) -> str:
    """The canonical columns of one file; a column that it lacks is empty text."""
    columns = [
        f"coalesce({texts[name]}, '') AS {identifier(name)}" if name in layout.index else f"'' AS {identifier(name)}"
        for name in (*COLUMNS, *tags)
    ]
    extra = " || ".join(f"coalesce({texts[name]}, '')" for name in layout.ignored) or "''"
    return f"SELECT {', '.join(columns)}, {extra} AS extra FROM {relation}"


@contextmanager
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills to a folder of its own and never reaches for the network."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="mps-bill-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": folder,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_progress_bar": True,
            "enable_progress_bar_print": False,
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection


@contextmanager
def _watched(
    connection: duckdb.DuckDBPyConnection, progress: Progress | None, sources: Sequence[UsageSource]
) -> Iterator[None]:
    """Reports the progress of the running query from a second thread."""
    if progress is None:
        yield
        return
    total = sum(source.size for source in sources)
    done = threading.Event()

    def report() -> None:
        while not done.wait(0.2):
            percent = connection.query_progress()
            if percent > 0:
                progress(int(total * percent / 100))

    watcher = threading.Thread(target=report, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
