"""Finding the suspects: the rows that the exact reader must judge. DuckDB does not number the rows of CSV, so each suspect is
kept as the text of its line, and the line is then looked for in the file.

`KeptLines` is for few suspects in files without quotes: the statement that counts keeps their lines, and one walk through each
file finds them. `OrderedLines` is for all other files: they are queried once more, and the suspects come in file order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from mps_bill.metering import sql
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.csv_rows import Row, has_lone_cr, lines_among, row_from, rows_among
from mps_bill.metering.duckdb_sql import Reading, literal
from mps_bill.metering.duckdb_tables import DuckDBTables, in_parallel
from mps_bill.metering.exact_reader import UsageFiles
from mps_bill.metering.parquet_rows import parquet_row
from mps_bill.metering.sources import UsageSource, read_errors
from mps_bill.metering.sql_engine import ManySuspectsError, PlacesNeededError
from mps_bill.metering.sql_rows import JUDGED, RowSource

#: The maximum number of suspect lines held in memory while their places are looked for.
_MAX_LINES = 200_000
_KEPT = "suspects"
_DOING = "Finding bad rows"

Suspects = Iterator[tuple[UsageSource, Row]]


class OtherLinesError(Exception):
    """The lines of a file are not those that were seen before."""


@dataclass(slots=True)
class _LineFinder:
    """The kept lines as bytes of their file, for both ways."""

    tables: DuckDBTables
    files: UsageFiles
    reading: Reading

    def _lines(self, table: str, condition: str = "true") -> Iterator[bytes]:
        kept = self.tables.kept_rows(table, "line", condition)
        return (str(line).encode(self.reading.encoding or "utf-8") for (line,) in kept)

    def _has_open_quote(self, table: str) -> bool:
        """Whether a quote is open at the end of a kept line, so that its row may continue on the next line."""
        rows = (row_from(0, line) for line in self._lines(table, "contains(line, '\"')"))
        return any(row.flaw and row.flaw.kind is kinds.UNCLOSED_QUOTE for row in rows)


@dataclass(slots=True)
class KeptLines(_LineFinder):
    """Suspects of CSV files with one header, whose rows are `rows`; `headers` is the number of header lines among the rows."""

    rows: RowSource
    headers: int
    _expected: int = 0
    _lines_found: Callable[[], list[list[tuple[int, bytes]]]] = list

    def find_suspects(self, statements: sql.Statements) -> None:
        """Keep the distinct lines of the suspects, and start to look for them in the files."""
        if self.tables.number(statements.suspect_rows()) > _MAX_LINES:
            raise ManySuspectsError
        self.tables.keep(_KEPT, self._lines_in_doubt(statements), _DOING)
        self._expected = self.tables.number(f"SELECT coalesce(sum(times), 0) FROM {_KEPT}") - self.headers
        if self._expected > _MAX_LINES or (self.reading.plain and self._has_open_quote(_KEPT)):
            raise ManySuspectsError
        commas = len(self.files.layouts[self.files.sources[0].name].names) - 1
        joined = (
            f"contains(line, '\"') OR contains(line, '\n') OR length(line) - length(replace(line, ',', '')) <> {commas}"
        )
        if not self.reading.plain and self.tables.number(f"SELECT count(*) FROM {_KEPT} WHERE {joined}"):
            raise PlacesNeededError
        wanted = set(self._lines(_KEPT))

        def found() -> list[list[tuple[int, bytes]]]:
            lines = []
            for source in self.files.sources:
                # DuckDB treats a lone CR as a line end, so line numbers would not agree.
                with source.open() as stream:
                    if has_lone_cr(stream):
                        raise OtherLinesError
                with source.open() as stream:
                    lines.append(list(lines_among(stream, wanted)))
            return lines

        # The query that compares records runs in the meantime.
        self._lines_found = in_parallel(found)

    def _lines_in_doubt(self, statements: sql.Statements) -> str:
        """A query for the distinct lines of the suspects and how often each occurs, in no order, headers included.

        The lines of invalid rows are kept already. The other suspects, if there are any, are queried: only among
        rows with a word that no good row has, if every suspect has such a word."""
        found = f"SELECT line, number_0 AS times FROM {sql.JUDGED_GROUPS}"
        source, suspect = self.rows, self._words(statements, suspect=True)
        if suspect or sql.CONTESTED in statements.filled:
            good = {"", *(word for words in self._words(statements, suspect=False) for word, _ in words)}
            telling = [max((one for one in words if one[0] not in good), default=None) for words in suspect]
            if all(telling) and sql.CONTESTED not in statements.filled:
                holds = " OR ".join(sorted({self._holds(*one) for one in telling if one}))
                source = replace(source, relation=f"(SELECT * FROM {source.relation} WHERE {holds})")
            asked = statements.suspects(source)
            found += f" UNION ALL SELECT {source.line} AS line, count(*) AS times FROM ({asked}) AS asked GROUP BY ALL"
        # Lines of nothing but commas are not rows.
        return f"SELECT line, max(times) AS times FROM ({found}) AS found WHERE ltrim(line, ',') <> '' GROUP BY line"

    def _words(self, statements: sql.Statements, *, suspect: bool) -> list[list[tuple[str, str]]]:
        """The words of `sql.Statements.words`, each with its column."""
        found = self.tables.fetch(statements.words(suspect=suspect), _DOING)
        return [[(str(word), name) for word, name in zip(row, JUDGED, strict=True)] for row in found]

    def _holds(self, word: str, column: str) -> str:
        """The condition for rows that may have this word in the column."""
        if self.reading.plain:
            return f"contains(line, {literal(word)})"
        return f"{self.rows.values[column]} = {literal(word)}"

    def suspects(self) -> Suspects:
        # All files have the same header, so the layout of any of them fits. The header itself is not a row of any file.
        yield from ((self.files.sources[0], row_from(0, line)) for line in self._lines(_KEPT))

    def placed_suspects(self) -> Suspects:
        """The suspects with their places. None is yielded before it is certain that all were found."""
        unreadable: tuple[type[Exception], ...] = read_errors()
        try:
            found = self._lines_found()
        except unreadable as error:
            raise OtherLinesError from error
        if sum(map(len, found)) != self._expected:
            raise OtherLinesError
        for source, lines in zip(self.files.sources, found, strict=True):
            rows = _originals(source, (row_from(number, line) for number, line in lines))
            yield from ((source, row) for row in rows)


@dataclass(slots=True)
class OrderedLines(_LineFinder):
    """Suspects in the order of their files, whose rows `row_source` gives file by file."""

    row_source: Callable[[UsageSource], RowSource]

    def find_suspects(self, statements: sql.Statements) -> None:
        # Only here must the rows be in file order. A query with a join keeps the order only on a single thread.
        tables, connection = self.tables, self.tables.connection
        threads = tables.number("SELECT current_setting('threads')")
        connection.execute("SET preserve_insertion_order = true")
        if statements.filled & {sql.REFUSED, sql.CONTESTED}:
            connection.execute("SET threads = 1")
        for number, source in enumerate(self.files.sources):
            tables.keep(_kept_of(number), statements.suspects(self.row_source(source)), _DOING)
        connection.execute(f"SET threads = {threads}")
        connection.execute("SET preserve_insertion_order = false")

    def suspects(self) -> Suspects:
        for number, source in enumerate(self.files.sources):
            if source.rows or source.format == "parquet" or self._has_open_quote(_kept_of(number)):
                rows = self._placed(number, source)
            else:
                rows = (row_from(0, line) for line in islice(self._lines(_kept_of(number)), 1, None))
            yield from ((source, row) for row in rows)

    def placed_suspects(self) -> Suspects:
        for number, source in enumerate(self.files.sources):
            yield from ((source, row) for row in self._placed(number, source))

    def _placed(self, number: int, source: UsageSource) -> Iterator[Row]:
        if source.format == "parquet":
            for row_number, *values in self.tables.kept_rows(_kept_of(number), "*"):
                yield parquet_row(int(str(row_number)) + 1, values)
            return
        with source.open() as stream:
            rows = islice(rows_among(stream, self._lines(_kept_of(number))), 1, None)
            yield from _originals(source, rows)


def _kept_of(number: int) -> str:
    return f"suspects_{number}"


def _originals(source: UsageSource, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a CSV file unchanged; for a converted file, the rows of the original file that they were made from."""
    unreadable: tuple[type[Exception], ...] = (ValueError, *read_errors())
    try:
        if source.rows is None:
            yield from rows
            return
        numbers = _row_numbers(rows)
        wanted = next(numbers, 0)
        for number, original in enumerate(source.rows(), 1):
            if number == wanted:
                yield original
                wanted = next(numbers, 0)
    except unreadable as error:
        raise OtherLinesError from error


def _row_numbers(rows: Iterator[Row]) -> Iterator[int]:
    """The row numbers in a converted file; all rows that take more than one line are among `rows`."""
    lines_more = 0
    for row in rows:
        yield row.line - lines_more
        lines_more += b"".join((row.raw, *row.rest)).count(b"\n")
