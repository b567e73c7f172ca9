"""Metering by SQL: the queries that an engine runs, their order, and the rows that the exact reader must judge.

    groups ──▶ certain rows, summed                repeated, same ──▶ corrections: repeats counted once
       └─────▶ keys without a price ──┐                    └────────▶ contested records ──┐
       └─────▶ rows in doubt ─────────┴──────────── suspects ◀───────────────────────────┘
                                                        └─▶ the exact reader: problems with places, and the rest of the sums

The engine sees every row; Python sees only the suspects. So a file with few bad rows takes little longer than a clean one, and
memory depends on the number of suspects and groups, not of rows: hashes of all rows are held only if they certainly fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from typing import Protocol

from mps_bill.metering import sql
from mps_bill.metering.accounts import CountsFile, account_of
from mps_bill.metering.csv_rows import Row
from mps_bill.metering.exact_reader import Judge, Judged, UsageFiles, account_for, decision_on, with_accounts
from mps_bill.metering.groups import Counted, Metered, Sums
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.records import Identity
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.sql_keys import code_column, key_columns, word_lists
from mps_bill.metering.sql_rows import IDENTITY, Dialect, RowSource, tag_column
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN, UNKNOWN, UsageKey

#: The number of first rows that are looked at. Words are judged group by group if fewer than a tenth of them differ.
_SAMPLE = 10_000
_TEXT, _INTEGER, _BOOLEAN = "VARCHAR", "BIGINT", "BOOLEAN"


class SqlEngine(Protocol):
    """An engine in which the sources of a run are open."""

    @property
    def dialect(self) -> Dialect: ...
    @property
    def rows(self) -> Sequence[RowSource]:
        """The rows of all sources."""
        ...

    @property
    def headers(self) -> int:
        """The number of rows that are headers of their files, and so in doubt."""
        ...

    @property
    def knows_rows(self) -> bool:
        """Whether the engine can find the place of any row in its file."""
        ...

    @property
    def keeps_lines(self) -> bool:
        """Whether the lines of invalid rows, kept while rows are counted, lead to their places. There must be few."""
        ...

    @property
    def holds_hashes(self) -> bool:
        """Whether a 64-bit number for every row of the usage certainly fits into memory."""
        ...

    def first_rows(self, number: int) -> RowSource:
        """The first rows of the first source."""
        ...

    def fetch(self, query: str, doing: str) -> list[tuple[object, ...]]:
        """The result of a query with a small result."""
        ...

    def keep(self, table: str, query: str, doing: str) -> int:
        """Keep the result of a query, however large, as a table, and return its number of rows."""
        ...

    def stream(self, query: str, doing: str) -> Iterator[tuple[object, ...]]:
        """The result of a query, however large, in its order. No other query may run until it has been read to its end."""
        ...

    def load(self, table: str, columns: dict[str, str], rows: Iterable[Sequence[object]]) -> None:
        """Make a table of the given rows, which have no NULL; `columns` has the SQL type of each column."""
        ...

    def find_suspects(self, statements: sql.Statements) -> None:
        """Find the rows that the exact reader must judge (`sql.Statements.suspects`)."""
        ...

    def suspects(self) -> Iterator[tuple[UsageSource, Row]]:
        """The rows found last, without headers and without their places."""
        ...

    def placed_suspects(self) -> Iterator[tuple[UsageSource, Row]]:
        """The same rows in file order, each with its place."""
        ...


class PlacesNeededError(Exception):
    """A row is bad or in doubt, and the engine cannot find its place."""


class ManySuspectsError(Exception):
    """There are too many rows to keep."""


def meter_by_sql(engine: SqlEngine, files: UsageFiles, options: MeterOptions) -> Metered:
    """The groups of the engine's sources, with the problems of their bad rows.

    Groups by account stay in tables of the engine, and go from there to a file in the temporary folder, so that memory does
    not depend on the number of accounts. Everything else is judged on the groups summed over the accounts.

    Raises:
        PlacesNeededError: not every row is clean, and the engine cannot find the places of its rows.
    """
    return _Metering(engine, files, options).metered()


class _Metering:
    """One run of `meter_by_sql`. The tables that its steps fill decide what later statements read."""

    def __init__(self, engine: SqlEngine, files: UsageFiles, options: MeterOptions) -> None:
        self._engine = engine
        self._files = files
        self._options = options
        self._by_account = files.scheme.by_account
        #: The scheme and the results of the groups summed over all accounts.
        self._whole = replace(files.scheme, by_account=False)
        self._results = _Results(self._whole)
        self._statements = sql.Statements(engine.rows, files.scheme, files.tags, engine.dialect)
        self._sums = Sums(files.scheme)
        self._judges: dict[str, Judge] = {}
        self._found_suspects = False
        self._knows_rows = False

    def metered(self) -> Metered:
        in_doubt = self._count()
        if in_doubt or sql.REFUSED in self._statements.filled:
            self._find_suspects()
        if not self._options.trust_unique:
            self._compare_repeats(self._doubtful_records() if in_doubt else {})
        metered = account_for(self._suspects, self._sums, self._files, self._options)
        if not self._by_account:
            return metered
        counts = self._accounts()
        return with_accounts(metered, counts, counts.untidy, self._files)

    def _count(self) -> bool:
        """Count the certain rows with a price, and keep the keys without one. Return whether a row (not a header) is in doubt."""
        in_doubt = False
        refused: list[Sequence[object]] = []
        engine = self._engine
        ((different, doubtful),) = engine.fetch(self._statements.sample(engine.first_rows(_SAMPLE)), "Reading usage")
        by_words = int(str(different)) < _SAMPLE // 10
        lines = engine.keeps_lines and by_words
        self._knows_rows = engine.knows_rows or lines
        if engine.keeps_lines and int(str(doubtful)) >= _SAMPLE // 20:
            raise ManySuspectsError
        if int(str(doubtful)) and not self._knows_rows:
            raise PlacesNeededError
        hashes = engine.holds_hashes and not self._options.trust_unique
        if by_words and (hashes or lines):
            judged = self._statements.judged_groups(by_words=True, hashes=hashes, lines=lines)
            if self._keep(sql.JUDGED_GROUPS, judged, "Reading usage") and hashes:
                self._statements.filled.add(sql.HASHES)
        groups = self._statements.groups(by_words=by_words)
        for row in self._over_accounts(sql.GROUPS, groups, "Reading usage"):
            if row[0] is None:
                in_doubt = int(str(row[len(self._results.columns)])) > engine.headers
                continue
            counted = self._results.counted(row)
            if isinstance(decision_on(counted.key, self._files.book, self._whole), tuple):
                refused.append(row[: len(self._results.columns)])
            else:
                self._sums.add_counted(counted)
        if refused:
            self._load(sql.REFUSED, _key_types(self._whole), refused)
        return in_doubt

    def _find_suspects(self) -> None:
        if not self._knows_rows:
            raise PlacesNeededError
        self._engine.find_suspects(self._statements)
        self._found_suspects = True

    def _doubtful_records(self) -> dict[Identity, None]:
        """The records of the suspects whose form is right. Whether they have a price is checked only when it is needed."""
        records = (self._judge_of(source).record(row) for source, row in self._engine.suspects())
        return {record.identity: None for record in records if record}

    def _compare_repeats(self, doubtful: Collection[Identity]) -> None:
        """Count each record once. All rows of contested records are taken out, for the exact reader."""
        if doubtful:
            self._load(sql.DOUBTFUL_RECORDS, dict.fromkeys(IDENTITY, _TEXT), doubtful)
        if not self._keep(sql.REPEATED, self._statements.repeated(), "Looking for repeated records"):
            return
        doing = "Comparing repeated records"
        self._keep(sql.SAME, self._statements.same(), doing)
        if self._keep(sql.CONTESTED, self._statements.contested(), doing):
            self._find_suspects()
        for row in self._over_accounts(sql.CORRECTIONS, self._statements.corrections(), doing):
            self._sums.add_counted(self._results.counted(row))

    def _suspects(self) -> Iterator[Judged]:
        if self._found_suspects:
            for source, row in self._engine.placed_suspects():
                yield self._judge_of(source).judge(row)

    def _accounts(self) -> CountsFile:
        """The counts of each account: those of the engine, and those of the exact reader, whose keys name the account."""
        rows = self._engine.stream(self._statements.by_account(), "Sorting accounts")
        counted = map(_Results(self._files.scheme).counted, rows)
        exact = sorted((one for one in self._sums.counted() if one.key.account), key=account_of)
        return CountsFile(merge(counted, exact, key=account_of), self._options.resources.temp_folder)

    def _over_accounts(self, table: str, query: str, doing: str) -> list[tuple[object, ...]]:
        """The result of a query that counts. If it counts by account, it is kept in the table, and this is its sum."""
        if self._by_account:
            self._keep(table, query, doing)
            query = self._statements.over_accounts(table)
        return self._engine.fetch(query, doing)

    def _judge_of(self, source: UsageSource) -> Judge:
        return self._judges.get(source.name) or self._judges.setdefault(source.name, Judge(source, self._files))

    def _keep(self, table: str, query: str, doing: str) -> bool:
        """Keep the result of a query, and return whether it has any row."""
        if self._engine.keep(table, query, doing):
            self._statements.filled.add(table)
        return table in self._statements.filled

    def _load(self, table: str, columns: dict[str, str], rows: Iterable[Sequence[object]]) -> None:
        self._engine.load(table, columns, rows)
        self._statements.filled.add(table)


def _key_types(scheme: MeteringScheme) -> dict[str, str]:
    texts = {ACCOUNT_COLUMN, *map(tag_column, scheme.tags)}
    special = {**dict.fromkeys(texts, _TEXT), "failed": _BOOLEAN}
    return {name: special.get(name, _INTEGER) for name in key_columns(scheme)}


class _Results:
    """Reads the rows of results that count by the keys of a scheme."""

    def __init__(self, scheme: MeteringScheme) -> None:
        self.columns = key_columns(scheme)
        self._scheme = scheme
        self._words = word_lists(scheme)

    def counted(self, row: Sequence[object]) -> Counted:
        width = len(self.columns)
        rows, duplicates, micros, *pieces = (int(str(number)) for number in row[width:])
        return Counted(self._key(row[:width]), rows, duplicates, micros, tuple(pieces))

    def _key(self, values: Sequence[object]) -> UsageKey:
        found = dict(zip(self.columns, values, strict=True))
        codes = {name: int(str(found[code_column(name)])) for name in self._words}
        return UsageKey(
            **{name: words[codes[name] - 1] if codes[name] else UNKNOWN for name, words in self._words.items()},
            slot=int(str(found["slot"])),
            long=int(str(found["long_side"])),
            short=int(str(found["short_side"])),
            failed=bool(found["failed"]),
            tags=tuple(str(found[tag_column(tag)]) for tag in self._scheme.tags),
            account=str(found.get(ACCOUNT_COLUMN, "")),
        )
