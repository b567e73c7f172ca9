"""The DuckDB engine: usage of any size on one machine, in bounded memory.

Files are read by their columns. A row of CSV that is not clean is kept as the line that its columns make, which is then
looked for in the file, and goes to the exact reader with its place. Where such rows are many, or torn, or the line is not that
of the file (quotes, say), the files are read once more by their lines.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mps_bill.core.diagnostics import InputRejected, Place, Problem, printable
from mps_bill.metering import sql
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.csv_rows import Row, has_lone_cr, lines_among, row_from, rows_among
from mps_bill.metering.duckdb_sql import (
    DIALECT,
    ROW_NUMBER,
    csv_columns,
    csv_files,
    csv_lines,
    literal,
    parquet_rows,
    plain_csv_lines,
)
from mps_bill.metering.encodings import NotUtf8Error
from mps_bill.metering.exact_reader import UsageFiles, read_exactly
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter_options import MeterOptions, Progress
from mps_bill.metering.parquet_rows import exact_types, parquet_columns, parquet_row, stored_rows
from mps_bill.metering.sources import UsageSource, read_errors
from mps_bill.metering.sql_engine import ManySuspectsError, PlacesNeededError, meter_by_sql
from mps_bill.metering.workspace import run_folder

if TYPE_CHECKING:
    import duckdb

_SUSPECTS_AT_ONCE = 10_000
_ROWS_AT_ONCE = 2_000
#: The suspect lines that are held in memory at once, to find their places in a file.
_MAX_LINES = 200_000
_SUSPECTS = "suspects"
#: A file that has no quote in so many bytes has few, if any.
_START = 1 << 16
#: Bytes of the shortest row of CSV that can be billed, nearly; and the part of the memory that hashes of all rows may take.
_SHORTEST_ROW = 48
_BYTES_PER_HASH = 8
_SHARE_OF_HASHES = 3


_T = TypeVar("_T")


def read_with_duckdb(files: UsageFiles, options: MeterOptions, *, encoding_known: bool = True) -> Metered:
    """The same as `exact_reader.read_exactly`.

    Raises:
        NotUtf8Error: a file is not UTF-8, where it is not known what it is then.
        InputRejected: the memory or the temporary disk does not suffice.
    """
    # What DuckDB does not look at is looked at beside it, and no bad row is handed out before that is known.
    suited = _beside(lambda: all(source.suits_queries() for source in files.sources))

    def reject_if_suited(source: UsageSource, row: Row, problems: Sequence[Problem]) -> None:
        if options.reject and suited():
            options.reject(source, row, problems)

    by_query = replace(options, reject=reject_if_suited) if options.reject else options
    metered = _read(files, by_query, encoding_known=encoding_known)
    if metered is not None and suited():
        return metered
    # What no query can read to its end is read row by row.
    return read_exactly(files, options)


def _beside(work: Callable[[], _T]) -> Callable[[], _T]:
    """Begins with the work in a thread, or leaves it for later where the machine gives no more of them; its result. Nobody who
    interrupts a run waits for it."""
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


def _read(files: UsageFiles, options: MeterOptions, *, encoding_known: bool) -> Metered | None:
    """The same; None for files that no query can read to the end."""
    import duckdb

    # Columns are never read by DuckDB's reader with `parallel = false`: it takes a quote that is never closed for the end
    # of the file, without a word. Bytes that are not UTF-8 end a query, so lines are tried once more as bytes.
    readings = [
        _Reading(),
        *(_Reading(encoding, plain) for encoding in ("utf-8", "latin-1") for plain in (True, False)),
    ]
    while readings:
        reading = readings.pop(0)
        try:
            with _session(files, options, reading) as engine:
                return meter_by_sql(engine, files, options)
        except PlacesNeededError:
            pass
        except ManySuspectsError:
            readings = [other for other in readings if not other.plain]
        except (duckdb.InvalidInputException, duckdb.NotImplementedException, _OtherLinesError) as error:
            if reading.plain and isinstance(error, _OtherLinesError):
                continue
            if reading.encoding == "utf-8" and not encoding_known:
                raise NotUtf8Error from None
            readings = [other for other in readings if other.encoding != reading.encoding]
        except (duckdb.IOException, _NotForQueriesError):
            # Of a damaged file the exact reader says how.
            break
    return None


@dataclass(frozen=True, slots=True)
class _Reading:
    """How CSV is read: by columns, or by lines in an encoding; `plain` where most lines match one pattern."""

    encoding: str = ""
    plain: bool = False


class _NotForQueriesError(Exception):
    """A Parquet file has a column with the name that DuckDB numbers rows by."""


class _OtherLinesError(Exception):
    """The lines of a file are not those that were seen before."""


@contextmanager
def _session(files: UsageFiles, options: MeterOptions, reading: _Reading) -> Iterator[_DuckDBEngine]:
    """An engine on a database in memory that spills to a folder of its own and never reaches for the network."""
    import duckdb

    resources = options.resources
    with run_folder(resources.temp_folder) as folder:
        memory = resources.memory_or_default()
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": str(folder / "spilled"),
            "memory_limit": f"{memory}B",
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if resources.threads:
            config["threads"] = resources.threads
        try:
            with duckdb.connect(config=config) as connection:
                # The progress bar is a setting of the connection; as one of the database it is refused (DuckDB 2.0).
                for setting in ("TimeZone = 'UTC'", "enable_progress_bar = true", "enable_progress_bar_print = false"):
                    connection.execute(f"SET {setting}")
                yield _DuckDBEngine(connection, folder, files, reading, memory, options.progress)
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise InputRejected([_out_of_resources(error, folder, memory)]) from error
        except duckdb.IOException as error:
            if "space" not in str(error).lower():
                raise
            raise InputRejected([_out_of_resources(error, folder, memory)]) from error
        except RuntimeError as error:
            # This is how an interrupt from the keyboard arrives while a query runs.
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            raise


class _DuckDBEngine:
    """See `sql_engine.SqlEngine`."""

    dialect = DIALECT

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        files: UsageFiles,
        reading: _Reading,
        memory: int,
        progress: Progress | None,
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._files = files
        self._sources = files.sources
        self._reading = reading
        self._memory = memory
        self._progress = progress
        self.rows = self._row_sources()
        of_csv = sum(source.format != "parquet" for source in files.sources)
        # Lines have the headers among them, columns have not.
        self.headers = of_csv if reading.encoding else 0
        # A line that columns are joined to is not that of the file where values are in quotes.
        self.keeps_lines = (
            len(self.rows) == 1
            and bool(of_csv)
            and (reading.plain or (not reading.encoding and all(map(_is_plain_at_start, files.sources))))
        )
        self.knows_rows = bool(reading.encoding and not reading.plain) or not of_csv

    @property
    def holds_hashes(self) -> bool:
        parquet = [source for source in self._sources if source.format == "parquet"]
        rows = stored_rows(parquet) if parquet else 0
        for source in self._sources:
            if source.format == "csv":
                rows += source.size // _SHORTEST_ROW
            elif source.format != "parquet":
                return False
        return rows * _BYTES_PER_HASH <= self._memory // _SHARE_OF_HASHES

    def first_rows(self, number: int) -> sql.RowSource:
        return replace(self.rows[0], relation=f"(SELECT * FROM {self.rows[0].relation} LIMIT {number})")

    def fetch(self, query: str, doing: str) -> list[tuple[object, ...]]:
        with self._watched(doing):
            return self._connection.execute(query).fetchall()

    def keep(self, table: str, query: str, doing: str) -> int:
        with self._watched(doing):
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")
        return self._count(table)

    def stream(self, query: str, doing: str) -> Iterator[tuple[object, ...]]:
        with self._watched(doing):
            result = self._connection.execute(query)
        while rows := result.fetchmany(_ROWS_AT_ONCE):
            yield from rows

    def load(self, table: str, columns: dict[str, str], rows: Iterable[Sequence[object]]) -> int:
        path = self._folder / f"{table}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
        types = ", ".join(f"{name}: {literal(type_)}" for name, type_ in columns.items())
        names = ", ".join(map(literal, columns))
        options = f"header = false, delim = ',', quote = '\"', escape = '\"', columns = {{{types}}}, force_not_null = [{names}]"
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM {csv_files([str(path)], options)}")
        path.unlink()
        return self._count(table)

    def find_suspects(self, statements: sql.Statements) -> None:
        if self.keeps_lines:
            self._find_lines(statements)
            return
        # For this alone the order of the rows is that of the file; a query with a join keeps it on one thread only.
        threads = self._scalar("SELECT current_setting('threads')")
        self._connection.execute("SET preserve_insertion_order = true")
        if statements.filled & {sql.REFUSED, sql.CONTESTED}:
            self._connection.execute("SET threads = 1")
        for number, source in enumerate(self._sources):
            self.keep(_suspects_of(number), statements.suspects(self._row_source(source)), "Finding bad rows")
        self._connection.execute(f"SET threads = {threads}")
        self._connection.execute("SET preserve_insertion_order = false")

    def _find_lines(self, statements: sql.Statements) -> None:
        """Keeps the different lines of the suspects, and begins to look for them in the files."""
        if self._scalar(statements.suspect_rows()) > _MAX_LINES:
            raise ManySuspectsError
        self.keep(_SUSPECTS, self._lines_in_doubt(statements), "Finding bad rows")
        self._expected = self._scalar(f"SELECT coalesce(sum(times), 0) FROM {_SUSPECTS}") - self.headers
        if self._expected > _MAX_LINES or (self._reading.plain and self._has_open_quote(_SUSPECTS)):
            raise ManySuspectsError
        commas = len(self._files.layouts[self._sources[0].name].names) - 1
        joined = (
            f"contains(line, '\"') OR contains(line, '\n') OR length(line) - length(replace(line, ',', '')) <> {commas}"
        )
        if not self._reading.plain and self._scalar(f"SELECT count(*) FROM {_SUSPECTS} WHERE {joined}"):
            raise PlacesNeededError
        wanted = set(self._lines(_SUSPECTS))

        def found() -> list[list[tuple[int, bytes]]]:
            lines = []
            for source in self._sources:
                # DuckDB takes a lone CR for the end of a line, which has no number then.
                with source.open() as stream:
                    if has_lone_cr(stream):
                        raise _OtherLinesError
                with source.open() as stream:
                    lines.append(list(lines_among(stream, wanted)))
            return lines

        # The query that compares records runs meanwhile.
        self._lines_found = _beside(found)

    def _lines_in_doubt(self, statements: sql.Statements) -> str:
        """The different lines of the suspects, in no order, and how many there are of each, the headers among them.

        Those that are not sound are kept already. The others are asked for, if there are any: only rows that hold a word
        which no good row has, where every suspect has such a word."""
        found = f"SELECT line, number_0 AS times FROM {sql.JUDGED_GROUPS}"
        source, suspect = self.rows[0], self._words(statements, suspect=True)
        if suspect or sql.CONTESTED in statements.filled:
            good = {"", *(word for words in self._words(statements, suspect=False) for word, _ in words)}
            telling = [max((one for one in words if one[0] not in good), default=None) for words in suspect]
            if all(telling) and sql.CONTESTED not in statements.filled:
                holds = " OR ".join(sorted({self._holds(*one) for one in telling if one}))
                source = replace(source, relation=f"(SELECT * FROM {source.relation} WHERE {holds})")
            asked = statements.suspects(source)
            found += f" UNION ALL SELECT {source.line} AS line, count(*) AS times FROM ({asked}) AS asked GROUP BY ALL"
        # Rows of commas alone are none.
        return f"SELECT line, max(times) AS times FROM ({found}) AS found WHERE ltrim(line, ',') <> '' GROUP BY line"

    def _words(self, statements: sql.Statements, *, suspect: bool) -> list[list[tuple[str, str]]]:
        """The words of `sql.Statements.words`, each with its column."""
        found = self.fetch(statements.words(suspect=suspect), "Finding bad rows")
        return [[(str(word), name) for word, name in zip(row, sql.JUDGED, strict=True)] for row in found]

    def _holds(self, word: str, column: str) -> str:
        """Whether a row may have this word in the column."""
        if self._reading.plain:
            return f"contains(line, {literal(word)})"
        return f"{self.rows[0].values[column]} = {literal(word)}"

    def suspects(self) -> Iterator[tuple[UsageSource, Row]]:
        if self.keeps_lines:
            # All files have one header, so any of them judges a row alike. That header is a row of none of them.
            yield from ((self._sources[0], row_from(0, line)) for line in self._lines(_SUSPECTS))
            return
        for number, source in enumerate(self._sources):
            if source.rows or source.format == "parquet" or self._has_open_quote(_suspects_of(number)):
                rows = self._placed(number, source)
            else:
                rows = (row_from(0, line) for line in islice(self._lines(_suspects_of(number)), 1, None))
            yield from ((source, row) for row in rows)

    def _has_open_quote(self, table: str) -> bool:
        """Whether a quote is open at the end of a suspect line of CSV, so that a row may go on behind it."""
        rows = (row_from(0, line) for line in self._lines(table, "contains(line, '\"')"))
        return any(row.flaw and row.flaw.kind is kinds.UNCLOSED_QUOTE for row in rows)

    def placed_suspects(self) -> Iterator[tuple[UsageSource, Row]]:
        if self.keeps_lines:
            yield from self._found_by_line()
            return
        for number, source in enumerate(self._sources):
            yield from ((source, row) for row in self._placed(number, source))

    def _found_by_line(self) -> Iterator[tuple[UsageSource, Row]]:
        """The suspects whose lines are kept. None is handed out before it is known that all are found."""
        unreadable: tuple[type[Exception], ...] = read_errors()
        try:
            found = self._lines_found()
        except unreadable as error:
            raise _OtherLinesError from error
        if sum(map(len, found)) != self._expected:
            raise _OtherLinesError
        for source, lines in zip(self._sources, found, strict=True):
            rows = self._originals(source, (row_from(number, line) for number, line in lines))
            yield from ((source, row) for row in rows)

    def _placed(self, number: int, source: UsageSource) -> Iterator[Row]:
        if source.format == "parquet":
            for row_number, *values in self._kept_rows(_suspects_of(number), "*"):
                yield parquet_row(int(str(row_number)) + 1, values)
            return
        with source.open() as stream:
            rows = islice(rows_among(stream, self._lines(_suspects_of(number))), 1, None)
            yield from self._originals(source, rows)

    def _originals(self, source: UsageSource, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows of a CSV file as they are; of a converted file, the rows they were made of."""
        unreadable: tuple[type[Exception], ...] = (ValueError, *read_errors())
        try:
            if source.rows is None:
                yield from rows
                return
            numbers = _numbers(rows)
            wanted = next(numbers, 0)
            for number, original in enumerate(source.rows(), 1):
                if number == wanted:
                    yield original
                    wanted = next(numbers, 0)
        except unreadable as error:
            raise _OtherLinesError from error

    def _row_sources(self) -> tuple[sql.RowSource, ...]:
        """The rows of all sources. Files with one header are read together, others side by side."""
        alike: dict[tuple[str, ...], list[UsageSource]] = {}
        for source in self._sources:
            packed = () if source.format != "parquet" else (source.name,)
            alike.setdefault((*self._files.layouts[source.name].names, *packed), []).append(source)
        return tuple(self._row_source(*group) for group in alike.values())

    def _row_source(self, *sources: UsageSource) -> sql.RowSource:
        first = sources[0]
        form = self._files.form(first)
        paths = [str(source.path) for source in sources]
        if first.format == "parquet":
            columns = parquet_columns(self._connection, paths[0])
            if any(column.name.lower() == ROW_NUMBER for column in columns):
                raise _NotForQueriesError
            types = exact_types(first, columns)
            return parquet_rows(paths[0], form, types)
        if self._reading.encoding:
            if self._reading.plain:
                words = sql.word_lists(self._files.scheme)
                return plain_csv_lines(paths, form, words, encoding=self._reading.encoding)
            return csv_lines(paths, form, encoding=self._reading.encoding)
        return csv_columns(paths, form)

    def _lines(self, table: str, condition: str = "true") -> Iterator[bytes]:
        kept = self._kept_rows(table, "line", condition)
        return (str(line).encode(self._reading.encoding or "utf-8") for (line,) in kept)

    def _kept_rows(self, table: str, columns: str, condition: str = "true") -> Iterator[tuple[object, ...]]:
        """The rows of a kept table in the order in which they were put there, some at a time."""
        for start in range(0, self._count(table), _SUSPECTS_AT_ONCE):
            rows = f"rowid >= {start} AND rowid < {start + _SUSPECTS_AT_ONCE} AND {condition}"
            yield from self._connection.execute(f"SELECT {columns} FROM {table} WHERE {rows} ORDER BY rowid").fetchall()

    def _count(self, table: str) -> int:
        return self._scalar(f"SELECT count(*) FROM {table}")

    def _scalar(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def _watched(self, doing: str) -> Iterator[None]:
        """Reports the progress of the running query from a second thread."""
        progress = self._progress
        if progress is None:
            yield
            return
        done = threading.Event()

        def report() -> None:
            while not done.wait(0.2):
                progress(doing, max(0.0, self._connection.query_progress() / 100))

        watcher = threading.Thread(target=report, daemon=True)
        # Where the machine gives no more threads, nothing is reported.
        with suppress(RuntimeError):
            watcher.start()
        try:
            yield
        finally:
            done.set()
            if watcher.ident:
                watcher.join()


def _is_plain_at_start(source: UsageSource) -> bool:
    """Whether the first line is the header and no quote is near it."""
    try:
        with source.open() as stream:
            start = stream.read(_START)
    except read_errors():
        return False
    return b'"' not in start and bool(start.partition(b"\n")[0].strip(b",\r"))


def _numbers(rows: Iterator[Row]) -> Iterator[int]:
    """The numbers of rows in a converted file, among them all that are on more than one line."""
    lines_more = 0
    for row in rows:
        yield row.line - lines_more
        lines_more += b"".join((row.raw, *row.rest)).count(b"\n")


def _suspects_of(number: int) -> str:
    return f"suspects_{number}"


def _out_of_resources(error: Exception, folder: Path, memory: int) -> Problem:
    reason = printable(str(error).partition("\n")[0]) or "out of memory"
    if "disk" in reason.lower() or "temp" in reason.lower() or "space" in reason.lower():
        message = f"the temporary disk is full ({reason}); name a folder with more room with --temp-dir"
        return Problem(Place(str(folder.parent)), kinds.NO_DISK, message)
    message = f"{memory // 1_000_000:,} MB of memory do not suffice ({reason}); give more with --memory"
    return Problem(Place("usage"), kinds.NO_MEMORY, message)
