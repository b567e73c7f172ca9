"""A DuckDB connection: queries with their progress, the tables that a run keeps, and work done in parallel with a query."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mps_bill.metering.duckdb_sql import csv_files, literal
from mps_bill.metering.meter_options import Progress

if TYPE_CHECKING:
    import duckdb

_KEPT_ROWS_AT_ONCE = 10_000
_RESULTS_AT_ONCE = 2_000

_T = TypeVar("_T")


class DuckDBTables:
    """The parts of `sql_engine.SqlEngine` that run queries. `folder` holds the files that tables are loaded from."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path, progress: Progress | None) -> None:
        self.connection = connection
        self._folder = folder
        self._progress = progress

    def fetch(self, query: str, doing: str) -> list[tuple[object, ...]]:
        with self._watched(doing):
            return self.connection.execute(query).fetchall()

    def keep(self, table: str, query: str, doing: str) -> int:
        with self._watched(doing):
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")
        return self._count(table)

    def stream(self, query: str, doing: str) -> Iterator[tuple[object, ...]]:
        with self._watched(doing):
            result = self.connection.execute(query)
        while rows := result.fetchmany(_RESULTS_AT_ONCE):
            yield from rows

    def load(self, table: str, columns: dict[str, str], rows: Iterable[Sequence[object]]) -> None:
        path = self._folder / f"{table}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
        types = ", ".join(f"{name}: {literal(type_)}" for name, type_ in columns.items())
        names = ", ".join(map(literal, columns))
        options = f"header = false, delim = ',', quote = '\"', escape = '\"', columns = {{{types}}}, force_not_null = [{names}]"
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM {csv_files([str(path)], options)}")
        path.unlink()

    def kept_rows(self, table: str, columns: str, condition: str = "true") -> Iterator[tuple[object, ...]]:
        """The rows of a kept table in the order in which they were added, a batch at a time."""
        for start in range(0, self._count(table), _KEPT_ROWS_AT_ONCE):
            rows = f"rowid >= {start} AND rowid < {start + _KEPT_ROWS_AT_ONCE} AND {condition}"
            yield from self.connection.execute(f"SELECT {columns} FROM {table} WHERE {rows} ORDER BY rowid").fetchall()

    def number(self, query: str) -> int:
        """The result of a query for a single number."""
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def _count(self, table: str) -> int:
        return self.number(f"SELECT count(*) FROM {table}")

    @contextmanager
    def _watched(self, doing: str) -> Iterator[None]:
        """Report the progress of the running query from a second thread."""
        progress = self._progress
        if progress is None:
            yield
            return
        done = threading.Event()

        def report() -> None:
            while not done.wait(0.2):
                progress(doing, max(0.0, self.connection.query_progress() / 100))

        watcher = threading.Thread(target=report, daemon=True)
        # If the machine allows no more threads, nothing is reported.
        with suppress(RuntimeError):
            watcher.start()
        try:
            yield
        finally:
            done.set()
            if watcher.ident:
                watcher.join()


def in_parallel(work: Callable[[], _T]) -> Callable[[], _T]:
    """Start the work in a thread and return a function that waits for its result. If the machine allows no more threads, the
    work is done when that function is called. Interrupting a run does not wait for it."""
    result: Future[_T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except Exception as error:
            result.set_exception(error)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError:
        return cache(work)
    return result.result
