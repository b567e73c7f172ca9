"""The DuckDB engine: usage of any size on one machine, in bounded memory.

Files are read by their columns. A CSV row that is not clean is kept as the line that its columns make. That line is then looked
for in the file, and goes to the exact reader with its place. If such rows are many, if a row is torn, or if the line differs
from the one in the file (because of quotes, say), the files are read once more by lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mps_bill.core.diagnostics import InputRejected, Place, Problem, printable
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.csv_rows import Row
from mps_bill.metering.duckdb_sql import DIALECT, ROW_NUMBER, Reading, csv_rows, parquet_rows
from mps_bill.metering.duckdb_suspects import KeptLines, OrderedLines, OtherLinesError
from mps_bill.metering.duckdb_tables import DuckDBTables, in_parallel
from mps_bill.metering.encodings import NotUtf8Error
from mps_bill.metering.exact_reader import UsageFiles, read_exactly
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.parquet_rows import check_types, parquet_columns, stored_rows
from mps_bill.metering.sources import UsageSource, read_errors
from mps_bill.metering.sql_engine import ManySuspectsError, PlacesNeededError, meter_by_sql
from mps_bill.metering.sql_rows import RowSource
from mps_bill.metering.workspace import run_folder

if TYPE_CHECKING:
    import duckdb

#: If the first bytes of a file, this many, have no quote, it has few quotes, if any.
_START = 1 << 16
#: Bytes of nearly the shortest CSV row that can be billed.
_SHORTEST_ROW = 48
_BYTES_PER_HASH = 8
#: The hashes of all rows may take at most the memory divided by this.
_SHARE_OF_HASHES = 3


def read_with_duckdb(files: UsageFiles, options: MeterOptions) -> Metered:
    """Do the same as `exact_reader.read_exactly`.

    Raises:
        NotUtf8Error: a file is not UTF-8, and its encoding is not known.
        InputRejected: there is not enough memory or temporary disk space.
    """
    # What DuckDB does not check is checked in parallel with it. No bad row is handed out before that check is done.
    suited = in_parallel(lambda: all(source.suits_queries() for source in files.sources))

    def reject_if_suited(source: UsageSource, row: Row, problems: Sequence[Problem]) -> None:
        if options.reject and suited():
            options.reject(source, row, problems)

    by_query = replace(options, reject=reject_if_suited) if options.reject else options
    metered = _read(files, by_query)
    if metered is not None and suited():
        return metered
    # A file that no query can read to its end is read row by row.
    return read_exactly(files, options)


def _read(files: UsageFiles, options: MeterOptions) -> Metered | None:
    """Try one reading after the other. Return None if no query can read the files to their end."""
    import duckdb

    # DuckDB's reader never reads columns with `parallel = false`: it then silently takes a quote that is never closed as the
    # end of the file. Bytes that are not UTF-8 end a query, so lines are tried once more as bytes.
    readings = [
        Reading(),
        *(Reading(encoding, plain) for encoding in ("utf-8", "latin-1") for plain in (True, False)),
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
        except (duckdb.InvalidInputException, duckdb.NotImplementedException, OtherLinesError) as error:
            if reading.plain and isinstance(error, OtherLinesError):
                continue
            if reading.encoding == "utf-8" and not files.encoding_known:
                raise NotUtf8Error from None
            readings = [other for other in readings if other.encoding != reading.encoding]
        except (duckdb.IOException, _NotForQueriesError):
            # The exact reader reports how a file is damaged.
            break
    return None


class _NotForQueriesError(Exception):
    """A Parquet file has a column with the name that DuckDB uses for its row numbers."""


@contextmanager
def _session(files: UsageFiles, options: MeterOptions, reading: Reading) -> Iterator[_DuckDBEngine]:
    """An engine on an in-memory database that spills to its own folder and never accesses the network."""
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
                # The progress bar is a setting of the connection; DuckDB 2.0 refuses it as one of the database.
                for setting in ("TimeZone = 'UTC'", "enable_progress_bar = true", "enable_progress_bar_print = false"):
                    connection.execute(f"SET {setting}")
                yield _DuckDBEngine(connection, folder, files, options, reading)
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise InputRejected([_out_of_resources(error, folder, memory)]) from error
        except duckdb.IOException as error:
            if "space" not in str(error).lower():
                raise
            raise InputRejected([_out_of_resources(error, folder, memory)]) from error
        except RuntimeError as error:
            # A keyboard interrupt arrives as this error while a query runs.
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            raise


class _DuckDBEngine(DuckDBTables):
    """See `sql_engine.SqlEngine`."""

    dialect = DIALECT

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        files: UsageFiles,
        options: MeterOptions,
        reading: Reading,
    ) -> None:
        super().__init__(connection, folder, options.progress)
        self._files = files
        self._reading = reading
        self._memory = options.resources.memory_or_default()
        self.rows = self._row_sources()
        of_csv = sum(source.format != "parquet" for source in files.sources)
        # The rows read by lines include the headers; those read by columns do not.
        self.headers = of_csv if reading.encoding else 0
        # The line made of the columns differs from the line in the file if values are in quotes.
        self.keeps_lines = (
            len(self.rows) == 1
            and bool(of_csv)
            and (reading.plain or (not reading.encoding and all(map(_is_plain_at_start, files.sources))))
        )
        self.knows_rows = bool(reading.encoding and not reading.plain) or not of_csv
        finder = (
            KeptLines(self, files, reading, self.rows[0], self.headers)
            if self.keeps_lines
            else OrderedLines(self, files, reading, self._row_source)
        )
        self.find_suspects = finder.find_suspects
        self.suspects, self.placed_suspects = finder.suspects, finder.placed_suspects

    @property
    def holds_hashes(self) -> bool:
        formats = {source.format for source in self._files.sources}
        if formats - {"csv", "parquet"}:
            # The number of rows of a compressed file is not known.
            return False
        parquet = [source for source in self._files.sources if source.format == "parquet"]
        rows = stored_rows(parquet) if parquet else 0
        rows += sum(source.size // _SHORTEST_ROW for source in self._files.sources if source.format == "csv")
        return rows * _BYTES_PER_HASH <= self._memory // _SHARE_OF_HASHES

    def first_rows(self, number: int) -> RowSource:
        return replace(self.rows[0], relation=f"(SELECT * FROM {self.rows[0].relation} LIMIT {number})")

    def _row_sources(self) -> tuple[RowSource, ...]:
        """The rows of all sources. CSV files with the same header are read together, each Parquet file by itself."""
        alike: dict[tuple[str, ...], list[UsageSource]] = {}
        for source in self._files.sources:
            by_itself = (source.name,) if source.format == "parquet" else ()
            alike.setdefault((*self._files.layouts[source.name].names, *by_itself), []).append(source)
        return tuple(self._row_source(*group) for group in alike.values())

    def _row_source(self, *sources: UsageSource) -> RowSource:
        first = sources[0]
        form = self._files.form(first)
        paths = [str(source.path) for source in sources]
        if first.format != "parquet":
            return csv_rows(paths, form, self._files.scheme, self._reading)
        columns = parquet_columns(self.connection, paths[0])
        if any(name.lower() == ROW_NUMBER for name, _ in columns):
            raise _NotForQueriesError
        check_types(first, columns)
        return parquet_rows(paths[0], form, [type_ for _, type_ in columns])


def _is_plain_at_start(source: UsageSource) -> bool:
    """Whether the first line is the header and no quote is near it."""
    try:
        with source.open() as stream:
            start = stream.read(_START)
    except read_errors():
        return False
    return b'"' not in start and bool(start.partition(b"\n")[0].strip(b",\r"))


def _out_of_resources(error: Exception, folder: Path, memory: int) -> Problem:
    reason = printable(str(error).partition("\n")[0]) or "out of memory"
    if "disk" in reason.lower() or "temp" in reason.lower() or "space" in reason.lower():
        message = f"the temporary disk is full ({reason}); choose a folder with more space with --temp-dir"
        return Problem(Place(str(folder.parent)), kinds.NO_DISK, message)
    message = f"{memory // 1_000_000:,} MB of memory are not enough ({reason}); allow more with --memory"
    return Problem(Place("usage"), kinds.NO_MEMORY, message)
