"""The SQL of metering, which all SQL engines share: strict checks, integer sums, repeated records. A `Dialect` spells the
parts in which engines differ.

The exact reader accepts every row that a statement is certain of, with the same values. All other rows are reported as in
doubt, and the exact reader decides about them. Only integers leave the engine, so every engine makes the same bill.

Every statement reads **rows**: the texts of a usage row, `epoch` (microseconds), `micros` (-1 for an empty quantity), and
`valid`, which says whether everything except its words is right. Words are judged afterwards: they become codes (positions in
`word_lists`, 0 for any other word), sizes in pixels (0 for none), `failed` and `certain`. Statements that count judge words
group by group, since a billion rows have only some thousands of different ones; statements that compare or find rows judge
them row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mps_bill.metering.records import BILLED_STATUSES
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.sql_keys import NEVER_EMPTY, code_column, key_columns, key_values, quantities, slot, word_lists
from mps_bill.metering.sql_rows import (
    EMPTY,
    IDENTITY,
    JUDGED,
    STATUSES,
    TEXTS,
    Dialect,
    RowSource,
    tag_column,
)
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN, REQUIRED_COLUMNS, WORDS

_FIRST_FREE = 2 + len(BILLED_STATUSES)

#: The tables that an engine fills between statements, and that later statements read.
REFUSED, REPEATED, SAME, DOUBTFUL_RECORDS, CONTESTED = "refused", "repeated", "same", "doubtful_records", "contested"
#: The rows that `groups` sums, kept if they contain more: columns with the lines of invalid rows, and with the hashes
#: of all records.
JUDGED_GROUPS, LINE, HASHES = "judged_groups", "line", "hashes"
_PARTS_OF_HASHES = (
    f" WHERE hash < {1 << 62}",
    f" WHERE hash >= {1 << 62} AND hash < {1 << 63}",
    f" WHERE hash >= {1 << 63} AND hash < {3 << 62}",
    f" WHERE hash >= {3 << 62}",
)
#: The results of `groups` and `corrections` for many accounts, which may not fit into memory.
GROUPS, CORRECTIONS = "account_groups", "account_corrections"


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of a run over the rows of its sources; `tags` are the columns whose texts split groups.

    `filled` has those of the tables above that are not empty; a statement does not read the others, since a join takes time.
    Results that count have the columns of a key (`key_columns`), then the numbers of `groups.Counted` in their order.
    """

    rows: Sequence[RowSource]
    scheme: MeteringScheme
    tags: Sequence[str]
    dialect: Dialect
    filled: set[str] = field(default_factory=set)

    def sample(self, source: RowSource) -> str:
        """The number of different words that the rows of a source have, and the number of rows in doubt."""
        words = ", ".join(JUDGED)
        first = self._judged(source, self._rows(source), JUDGED)
        counted = f"SELECT {words}, sum(CASE WHEN certain THEN 0 ELSE 1 END) AS in_doubt FROM ({first}) AS first_rows"
        return f"SELECT count(*), coalesce(sum(in_doubt), 0) FROM ({counted} GROUP BY {words}) AS found"

    def groups(self, *, by_words: bool) -> str:
        """The counts of all rows by key. The group without a slot counts the rows in doubt.

        With `by_words`, rows are first grouped by their words, which is slower if nearly all words differ.
        """
        counted = JUDGED_GROUPS if JUDGED_GROUPS in self.filled else f"({self.judged_groups(by_words=by_words)})"
        keys = ", ".join(key_columns(self.scheme))
        summed = self._summed() if by_words else self._numbered([self.dialect.sum(name) for name in self._numbers()])
        return f"SELECT {keys}, {summed} FROM {counted} AS keyed GROUP BY {keys}"

    def judged_groups(self, *, by_words: bool, hashes: bool = False, lines: bool = False) -> str:
        """Rows counted by their words, which are judged; a key may occur more than once. With `by_words` alone, `hashes` adds
        the hashes of the records, so that `repeated` need not read the usage again, and `lines` adds the words, and the lines
        of invalid rows, which are then counted by line too."""
        tags = [tag_column(tag) for tag in self._split_by()]
        micros = "CASE WHEN micros > 0 THEN micros ELSE 0 END AS micros"
        numbers = ["1", "0", *quantities(self.scheme, self.dialect)]
        if by_words:
            numbers = ["count(*)", "0", *map(self.dialect.sum, quantities(self.scheme, self.dialect))]
        columns = (
            "slot",
            *tags,
            *self._numbers(),
            *((HASHES,) if hashes else ()),
            *((LINE, *JUDGED) if lines else ()),
        )
        start = slot(self.scheme, self.dialect)
        alike: dict[tuple[str, str], list[RowSource]] = {}
        for source in self.rows:
            alike.setdefault((source.width, source.height), []).append(source)
        counted = []
        for sources in alike.values():
            # A column that no file has is not grouped by.
            given = [name for name in JUDGED if any(source.values[name] != EMPTY for source in sources)]
            shared = ", ".join((*given, *tags))
            empty = "".join(f", {EMPTY} AS {name}" for name in JUDGED if name not in given)
            listed = (f"array_agg(hash) FILTER (WHERE slot IS NOT NULL) AS {HASHES}",) if hashes else ()
            summed = ", ".join((self._numbered(numbers), *listed))
            kept = f", CASE WHEN NOT valid THEN {sources[0].line} END AS {LINE}" if lines else ""
            hashed = f", {self._record_hash()} AS hash" if hashes else ""
            rows = " UNION ALL ".join(self._rows(source, source.carried if lines else ()) for source in sources)
            group = ", ".join((shared, "slot", *((LINE,) if lines else ())))
            words = f"""
    SELECT {group}, slot IS NOT NULL AS valid{empty}, {summed} FROM (
        SELECT {shared}, CASE WHEN valid THEN {start} END AS slot, {micros}{hashed}{kept} FROM ({rows}) AS every_row
    ) AS slotted{f" GROUP BY {group}" if by_words else ""}"""
            counted.append(self._judged(sources[0], words, columns))
        keys = key_values(self.scheme, self.dialect) | {"slot": "slot"}
        keyed = ", ".join(f"CASE WHEN certain THEN {value} END AS {name}" for name, value in keys.items())
        return f"""
SELECT {keyed}, {", ".join(columns[1 + len(tags) :])} FROM ({" UNION ALL ".join(counted)}) AS judged"""

    def repeated(self) -> str:
        """The hashes that more than one row has. They are hashes of the records as a person sees them, and `same` compares
        those records exactly."""
        identity = self._record_hash()
        parts: tuple[str, ...] = ("",)
        if HASHES in self.filled:
            # The table with the hashes is too small for more than one thread, so each thread gets a part of it.
            parts = _PARTS_OF_HASHES
            # Refused rows come with the records in doubt, if they can be records.
            hashes = (
                f"SELECT {self.dialect.unnest}({HASHES}) AS hash FROM {JUDGED_GROUPS} WHERE NOT {self._is_suspect()}"
            )
        else:
            hashes = f"SELECT {identity} AS hash FROM ({self._checked()}) AS checked"
        if DOUBTFUL_RECORDS in self.filled:
            hashes += f" UNION ALL SELECT {identity} AS hash FROM {DOUBTFUL_RECORDS}"
        hashes = f"SELECT hash FROM ({self.dialect.gathered(hashes, 'hash')}) AS hashes"
        return " UNION ALL ".join(f"{hashes}{part} GROUP BY hash HAVING count(*) > 1" for part in parts)

    def same(self) -> str:
        """The rows with repeated hashes that are certain and can be billed; equal rows are counted (`times`)."""
        columns = ", ".join(
            (
                *IDENTITY,
                "unit",
                *map(code_column, word_lists(self.scheme)),
                *("epoch", "width_pixels", "height_pixels", "failed"),
                *map(tag_column, self.tags),
            )
        )
        micros = "CASE WHEN micros > 0 THEN micros ELSE 0 END"
        condition = f"certain AND NOT {self._is_refused()}" if REFUSED in self.filled else "certain"
        return f"""
SELECT {columns}, {micros} AS micros, count(*) AS times
FROM ({self._checked(repeated=True)}) AS checked WHERE {condition} GROUP BY {columns}, {micros}"""

    def contested(self) -> str:
        """The records in `same` that have different values, that look like another record whose id has invisible characters, or
        that look like a record in doubt."""
        identity, seen = ", ".join(IDENTITY), ", ".join(self._as_seen())
        untidy = " OR ".join(
            f"{name} <> {tidy}" for name, tidy in zip(IDENTITY, self._as_seen(), strict=True) if name != tidy
        )
        query = f"SELECT {identity} FROM {SAME} GROUP BY {identity} HAVING count(*) > 1"
        others = [f"SELECT {seen} FROM {SAME} WHERE {untidy}"]
        if DOUBTFUL_RECORDS in self.filled:
            others.append(f"SELECT {seen} FROM {DOUBTFUL_RECORDS}")
        for other in others:
            query += f" UNION SELECT {identity} FROM {SAME} WHERE coalesce(({seen}) IN ({other}), false)"
        return query

    def corrections(self) -> str:
        """The corrections to add to `groups`, which counted too much: all rows of a contested record, and all rows of any other
        record except one, which are duplicates."""
        keys = key_values(self.scheme, self.dialect)
        keyed = ", ".join(f"{value} AS {name}" for name, value in keys.items())
        names = ", ".join(keys)
        surplus = f"CAST(surplus AS {self.dialect.wide})"
        numbers = self._numbered(
            [
                "sum(CASE WHEN contested THEN -surplus ELSE 0 END)",
                "sum(CASE WHEN contested THEN 0 ELSE surplus END)",
                *(f"-sum({quantity} * {surplus})" for quantity in quantities(self.scheme, self.dialect)),
            ]
        )
        contested = _is_in(CONTESTED, IDENTITY) if CONTESTED in self.filled else "false"
        return f"""
SELECT {names}, {numbers} FROM (
    SELECT {keyed}, unit, micros, contested, CASE WHEN contested THEN times ELSE times - 1 END AS surplus
    FROM (SELECT *, {contested} AS contested FROM {SAME}) AS flagged
) AS keyed WHERE surplus > 0 GROUP BY {names}"""

    def over_accounts(self, table: str) -> str:
        """The rows of `GROUPS` or `CORRECTIONS` summed over the accounts."""
        names = ", ".join(self._whole_key())
        return f"SELECT {names}, {self._summed()} FROM {table} GROUP BY {names}"

    def by_account(self) -> str:
        """The counts of the rows that the exact reader does not need to judge, in order of the accounts: `GROUPS` without rows
        in doubt and rows without a price, plus `CORRECTIONS`."""
        keys = ", ".join(key_columns(self.scheme))
        condition = "slot IS NOT NULL"
        if REFUSED in self.filled:
            condition += f" AND NOT {_is_in(REFUSED, self._whole_key())}"
        counted = f"SELECT * FROM {GROUPS} WHERE {condition}"
        if CORRECTIONS in self.filled:
            counted += f" UNION ALL SELECT * FROM {CORRECTIONS}"
        return f"""
SELECT {keys}, {self._summed()} FROM ({counted}) AS counted
GROUP BY {keys} HAVING sum({_number(0)}) > 0 ORDER BY {ACCOUNT_COLUMN}"""

    def suspects(self, source: RowSource) -> str:
        """The carried columns of the rows that the exact reader must judge: in doubt, without a price, or contested."""
        conditions = ["NOT certain"]
        if REFUSED in self.filled:
            conditions.append(self._is_refused())
        if CONTESTED in self.filled:
            conditions.append(_is_in(CONTESTED, IDENTITY))
        checked = self._checked_source(source, source.carried)
        return f"SELECT {', '.join(source.carried)} FROM ({checked}) AS checked WHERE {' OR '.join(conditions)}"

    def suspect_rows(self) -> str:
        """The number of rows in `JUDGED_GROUPS` that are suspects, not counting contested ones."""
        return f"SELECT coalesce(sum({_number(0)}), 0) FROM {JUDGED_GROUPS} WHERE {self._is_suspect()}"

    def words(self, *, suspect: bool) -> str:
        """The distinct words of the valid rows in `JUDGED_GROUPS` that are suspects, or that are not. The lines of invalid
        rows are kept instead."""
        condition = f"{self._is_suspect()} AND {LINE} IS NULL" if suspect else f"NOT {self._is_suspect()}"
        return f"SELECT DISTINCT {', '.join(JUDGED)} FROM {JUDGED_GROUPS} WHERE {condition}"

    def _is_suspect(self) -> str:
        """Whether a row of `JUDGED_GROUPS` counts rows that are in doubt or have no price."""
        refused = f" OR {_is_in(REFUSED, self._whole_key())}" if REFUSED in self.filled else ""
        return f"(slot IS NULL{refused})"

    def _checked(self, *, repeated: bool = False) -> str:
        """The checked rows of all sources; with `repeated` only rows whose hash is in that table, which is tested first."""
        parts = []
        for source in self.rows:
            condition = source.no_header
            if repeated:
                condition = f" WHERE {self._record_hash(source.values)} IN (SELECT hash FROM {REPEATED})"
            parts.append(self._checked_source(source, condition=condition))
        return " UNION ALL ".join(parts)

    def _checked_source(self, source: RowSource, carried: Sequence[str] = (), condition: str = "") -> str:
        tags = map(tag_column, self.tags)
        columns = tuple(dict.fromkeys((*carried, *IDENTITY, "unit", *tags, "epoch", "micros")))
        return self._judged(source, self._rows(source, carried, condition), columns)

    def _rows(self, source: RowSource, carried: Sequence[str] = (), condition: str = "") -> str:
        """The rows of a source, before their words are judged."""
        values = source.values
        typed = ", ".join(
            (
                *carried,
                *(f"{values[name]} AS {name}" for name in TEXTS),
                *(f"{values[tag]} AS {tag_column(tag)}" for tag in self.tags),
                f"{source.epoch} AS epoch",
                f"{source.micros} AS micros",
                *(f"{test} AS test_{number}" for number, test in enumerate(source.tests)),
            )
        )
        tests = (*self._tests_of_row(source), *(f"test_{number}" for number in range(len(source.tests))))
        texts = (name for name in TEXTS if name != "extra")
        columns = ", ".join((*carried, *texts, *map(tag_column, self.tags), "epoch", "micros"))
        return (
            f"SELECT {columns}, {_all(tests)} AS valid FROM (SELECT {typed} FROM {source.relation}{condition}) AS typed"
        )

    def _judged(self, source: RowSource, rows: str, columns: Sequence[str]) -> str:
        """The given columns of a source's rows, or of groups of its rows, with the meaning of their words."""
        words = word_lists(self.scheme)
        coded = ", ".join(
            (
                *dict.fromkeys((*columns, *WORDS, "valid")),
                *(f"{self.dialect.position(name, known)} AS {code_column(name)}" for name, known in words.items()),
                f"{self._failed()} AS failed",
                f"{self._status()} > 0 AS status_is_known",
                f"{source.width} AS width_pixels",
                f"{source.height} AS height_pixels",
            )
        )
        codes = (self._spelled() if name == "spec" else code_column(name) for name in words)
        shown = ", ".join((*columns, *codes, "width_pixels", "height_pixels", "failed"))
        certain = _all(("valid", *self._tests_of_words()))
        return f"SELECT {shown}, {certain} AS certain FROM (SELECT {coded} FROM ({rows}) AS read) AS coded"

    def _status(self) -> str:
        return self.dialect.position(self.dialect.lower("status"), STATUSES)

    def _failed(self) -> str:
        return f"{self._status()} >= {_FIRST_FREE}"

    def _spelled(self) -> str:
        """The code of the spec. If the row has another spelling, it is the code of the price sheets' spelling."""
        words, code = word_lists(self.scheme), code_column("spec")
        arms = [
            f"WHEN {code} = {words['spec'].index(word) + 1} AND {code_column('item')} = {words['item'].index(item) + 1}"
            f" THEN {words['spec'].index(spec) + 1}"
            for (item, word), spec in self.scheme.spellings.items()
        ]
        return f"CASE {' '.join(arms)} ELSE {code} END AS {code}" if arms else code

    def _tests_of_row(self, source: RowSource) -> tuple[str, ...]:
        """The conditions for a valid row, which say nothing about its words; NULL counts as false."""
        texts = () if source.well_formed else ("job_id", "output", "extra", *map(tag_column, self.tags))
        return (
            "epoch >= 0",
            # The status is looked up only if it matters.
            f"CASE WHEN micros >= 0 THEN true ELSE micros = -1 AND {self._failed()} END",
            "job_id <> ''",
            *map(self.dialect.harmless, texts),
            *(f"{column} <> ''" for column in self.tags if column == ACCOUNT_COLUMN),
        )

    def _tests_of_words(self) -> tuple[str, ...]:
        """The same for the words that many rows share."""
        optional = [name for name in WORDS if name not in REQUIRED_COLUMNS]
        return (
            "status_is_known",
            *(f"{code_column(name)} > 0" for name in NEVER_EMPTY),
            "CASE WHEN unit_code > 1 THEN true ELSE unit_code = 1 AND failed END",
            "(width_pixels = 0) = (height_pixels = 0)",
            *(
                f"CASE WHEN {code_column(name)} > 0 THEN true ELSE {self.dialect.harmless(name)} END"
                for name in optional
            ),
        )

    def _split_by(self) -> tuple[str, ...]:
        """The text columns that split groups."""
        return (*((ACCOUNT_COLUMN,) if self.scheme.by_account else ()), *self.scheme.tags)

    def _numbered(self, values: Sequence[str]) -> str:
        return ", ".join(f"{value} AS {_number(place)}" for place, value in enumerate(values))

    def _summed(self) -> str:
        return self._numbered([f"sum({number})" for number in self._numbers()])

    def _numbers(self) -> list[str]:
        return [_number(place) for place in range(3 + len(self.scheme.rules))]

    def _whole_key(self) -> tuple[str, ...]:
        return key_columns(replace(self.scheme, by_account=False))

    def _is_refused(self) -> str:
        """Whether the key of a checked row is one without a price."""
        keys = key_values(replace(self.scheme, by_account=False), self.dialect)
        return _is_in(REFUSED, tuple(keys), keys.values())

    def _record_hash(self, values: Mapping[str, str] | None = None) -> str:
        """The hash of a record's identity as a person sees it, without columns that no file has."""
        given = [name for name in IDENTITY if any(source.values[name] != EMPTY for source in self.rows)]
        seen = dict(zip(IDENTITY, self._as_seen([values[name] if values else name for name in IDENTITY]), strict=True))
        return self.dialect.hash([seen[name] for name in given])

    def _as_seen(self, columns: Sequence[str] = IDENTITY) -> list[str]:
        """The columns of a record's identity as a person sees them. An item is a known word and stays as it is."""
        job_id, item, output = columns
        return [self.dialect.tidied(job_id), item, self.dialect.tidied(output)]


def _all(tests: Iterable[str]) -> str:
    """Whether all tests are true; NULL counts as false."""
    return f"coalesce({' AND '.join(f'({test})' for test in tests)}, false)"


def _number(place: int) -> str:
    """The column of a number of `groups.Counted`, by its place after the key."""
    return f"number_{place}"


def _is_in(table: str, columns: Sequence[str], values: Iterable[str] = ()) -> str:
    """Whether the values (by default the columns themselves) are in these columns of a table; false for NULL."""
    names = ", ".join(columns)
    return f"coalesce(({', '.join(values) or names}) IN (SELECT {names} FROM {table}), false)"
