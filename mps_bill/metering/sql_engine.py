"""Metering by SQL: what is asked of an engine, in which order, and what the exact reader must judge of its rows.

    groups ──▶ rows without doubt, summed          repeated, same ──▶ corrections: repeats counted once
       └─────▶ keys without a price ──┐                    └────────▶ contested records ──┐
       └─────▶ rows in doubt ─────────┴──────────── suspects ◀───────────────────────────┘
                                                        └─▶ the exact reader: problems with places, and the rest of the sums

The engine sees every row; Python sees the suspects only. A file with few bad rows costs little more than a clean one, and
memory depends on the number of suspects and groups, not of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from typing import Protocol

from mps_bill.metering import sql
from mps_bill.metering.accounts import GroupFile, account_of
from mps_bill.metering.csv_rows import Row
from mps_bill.metering.exact_reader import BadRow, Judge, Judged, Reject, Sums, account_for, verdict_on
from mps_bill.metering.records import Identity, Layout
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.usage import UNKNOWN, Metered, UsageGroup, UsageKey
from mps_bill.price_sheet.book import PriceBook

_TEXT, _INTEGER, _BOOLEAN = "VARCHAR", "BIGINT", "BOOLEAN"


class SqlEngine(Protocol):
    """An engine with the sources of a run opened in it."""

    @property
    def dialect(self) -> sql.Dialect: ...
    @property
    def rows(self) -> Sequence[sql.RowSource]:
        """The rows of all sources."""
        ...

    @property
    def knows_rows(self) -> bool:
        """Whether the engine can lead back from a row to its file."""
        ...

    def fetch(self, query: str, doing: str) -> list[tuple[object, ...]]:
        """The result of a query, which is small."""
        ...

    def keep(self, table: str, query: str, doing: str) -> int:
        """Keeps the result of a query, however large, as a table; its number of rows."""
        ...

    def stream(self, query: str, doing: str) -> Iterator[tuple[object, ...]]:
        """The result of a query, however large, in its order; no other query may be asked until it is at its end."""
        ...

    def load(self, table: str, columns: dict[str, str], rows: Iterable[Sequence[object]]) -> int:
        """A table of the rows given, none of which has a NULL; the columns have types of SQL. Their number."""
        ...

    def find_suspects(self, scheme: MeteringScheme, tags: Sequence[str], *, refused: bool, contested: bool) -> None:
        """Finds the rows that the exact reader must judge (`sql.suspects`)."""
        ...

    def suspects(self) -> Iterator[tuple[UsageSource, Row]]:
        """The rows found last, without the headers; their places are not filled in."""
        ...

    def placed_suspects(self) -> Iterator[tuple[UsageSource, Row]]:
        """The same rows in the order of the files, each with its place."""
        ...


class PlacesNeededError(Exception):
    """A row is bad or in doubt, and the engine cannot lead back to it."""


def meter_by_sql(
    engine: SqlEngine,
    layouts: dict[str, Layout],
    book: PriceBook,
    scheme: MeteringScheme,
    *,
    max_errors: int,
    trust_unique: bool,
    reject: Reject | None,
    temp_folder: str | None = None,
) -> Metered:
    """The groups of the engine's sources, with the problems of their bad rows.

    Groups by account stay in tables of the engine, and go from there to a file in `temp_folder`, so that memory does not
    depend on the number of accounts; everything else is judged on the groups summed over them.

    Raises:
        PlacesNeededError: not every row is clean, and the engine does not know its rows.
    """
    tags = tuple(sorted({tag for layout in layouts.values() for tag in layout.tags}))
    checked = sql.checked_rows(engine.rows, scheme, tags, engine.dialect)
    judges: dict[str, Judge] = {}

    def judge(source: UsageSource, row: Row) -> Judged:
        known = judges.get(source.name) or judges.setdefault(
            source.name, Judge(source, layouts[source.name], book, scheme)
        )
        return known.judge(row)

    sums = Sums(scheme)
    whole = replace(scheme, by_account=False)
    groups = sql.groups(checked, scheme, engine.dialect)
    if scheme.by_account:
        engine.keep(sql.GROUPS, groups, "Reading usage")
        groups = sql.over_accounts(sql.GROUPS, scheme)
    refused: list[Sequence[object]] = []
    in_doubt = False
    for key_columns, numbers in _split(engine.fetch(groups, "Reading usage"), whole):
        if key_columns[0] is None:
            in_doubt = True
            continue
        key = _key(key_columns, whole)
        if isinstance(verdict_on(key, book, scheme), tuple):
            refused.append(key_columns)
        else:
            sums.add_counts(key, numbers[0], 0, numbers[1:])
    suspicious = in_doubt or bool(refused)
    if suspicious and not engine.knows_rows:
        raise PlacesNeededError
    if refused:
        engine.load(sql.REFUSED, _key_types(whole), refused)

    if suspicious:
        engine.find_suspects(whole, tags, refused=bool(refused), contested=False)
    doubtful_records: dict[Identity, None] = {}
    for source, row in engine.suspects() if in_doubt else ():
        judged = judge(source, row)
        if not isinstance(judged, BadRow):
            doubtful_records[judged.record.identity] = None

    contested = corrected = False
    if not trust_unique:
        if doubtful_records:
            engine.load(sql.DOUBTFUL_RECORDS, dict.fromkeys(sql.IDENTITY, _TEXT), doubtful_records)
        query = sql.repeated(checked, engine.dialect, doubtful_records=bool(doubtful_records))
        repeated = engine.keep(sql.REPEATED, query, "Looking for repeated records")
        if repeated:
            repeated_rows = sql.checked_rows(engine.rows, scheme, tags, engine.dialect, repeated=True)
            query = sql.same(repeated_rows, whole, tags, engine.dialect, refused=bool(refused))
            engine.keep(sql.SAME, query, "Comparing repeated records")
            query = sql.contested(engine.dialect, doubtful_records=bool(doubtful_records))
            contested = bool(engine.keep(sql.CONTESTED, query, "Comparing repeated records"))
            if contested and not engine.knows_rows:
                raise PlacesNeededError
            _correct(engine, scheme, sums, contested)
            corrected = True
    if contested:
        engine.find_suspects(whole, tags, refused=bool(refused), contested=True)

    def suspects() -> Iterator[Judged]:
        if suspicious or contested:
            yield from (judge(source, row) for source, row in engine.placed_suspects())

    metered = account_for(suspects, sums, max_errors, trust_unique=trust_unique, reject=reject)
    if not scheme.by_account:
        return metered
    query = sql.by_account(scheme, refused=bool(refused), corrected=corrected)
    counted = (
        UsageGroup(_key(key_columns, scheme), rows, duplicates, tuple(sums_))
        for key_columns, (rows, duplicates, *sums_) in _split(engine.stream(query, "Sorting accounts"), scheme)
    )
    # The groups that the exact reader has made are those that name their account.
    exact = sorted((group for group in metered.groups if group.key.account), key=account_of)
    return replace(metered, by_account=GroupFile(merge(counted, exact, key=account_of), temp_folder))


def _correct(engine: SqlEngine, scheme: MeteringScheme, sums: Sums, contested: bool) -> None:
    """Takes out of the sums what repeats brought in; contested records are taken out whole, for the exact reader."""
    query = sql.corrections(scheme, engine.dialect, contested=contested)
    whole = replace(scheme, by_account=False)
    if scheme.by_account:
        engine.keep(sql.CORRECTIONS, query, "Comparing repeated records")
        query = sql.over_accounts(sql.CORRECTIONS, scheme)
    for is_contested, *row in engine.fetch(query, "Comparing repeated records"):
        ((key_columns, (rows, *surplus)),) = _split([tuple(row)], whole)
        taken = [-number for number in surplus]
        if is_contested:
            sums.add_counts(_key(key_columns, whole), -rows, 0, taken)
        else:
            sums.add_counts(_key(key_columns, whole), 0, rows, taken)


def _split(
    rows: Iterable[tuple[object, ...]], scheme: MeteringScheme
) -> Iterator[tuple[tuple[object, ...], tuple[int, ...]]]:
    """The key columns and the numbers of result rows."""
    width = len(sql.key_columns(scheme))
    for row in rows:
        yield row[:width], tuple(int(str(number)) for number in row[width:])


def _key_types(scheme: MeteringScheme) -> dict[str, str]:
    columns = sql.key_columns(scheme)
    return dict(zip(columns, (*[_INTEGER] * 8, _BOOLEAN, *[_TEXT] * (len(columns) - 9)), strict=True))


def _key(columns: Sequence[object], scheme: MeteringScheme) -> UsageKey:
    """The key columns of a result as a key."""
    slot, item, region, spec, codec, unit, long_side, short_side, failed, *texts = columns
    account, tags = (str(texts[0]), texts[1:]) if scheme.by_account else ("", texts)
    words = sql.word_lists(scheme)

    def word(column: str, code: object) -> str:
        return words[column][int(str(code)) - 1] if code else UNKNOWN

    return UsageKey(
        slot=int(str(slot)) * scheme.slot_seconds,
        item=word("item", item),
        region=word("region", region),
        spec=word("spec", spec),
        codec=word("codec", codec),
        long=int(str(long_side)),
        short=int(str(short_side)),
        unit=word("unit", unit),
        failed=bool(failed),
        tags=tuple(map(str, tags)),
        account=account,
    )
