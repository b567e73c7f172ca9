"""The SQL that every SQL engine meters with: strict checks, integer sums, repeated records. A `Dialect` spells the parts
in which engines differ.

What a statement is certain of, the exact reader accepts too, with the same values; of whatever is left it says that it is
in doubt, and the exact reader decides. Only integers leave the engine, so every engine makes the same bill.

Every statement reads **rows**: the texts of a row of usage, `epoch` (microseconds), `micros` (-1 for an empty quantity), and
`sound`, which says whether all but its words is right. Words are judged afterwards: they become codes (positions in
`word_lists`, 0 for any other word), sizes in pixels (0 for none), `failed` and `certain`. What counts judges words group by
group, since a billion rows have some thousands of different ones; what compares or finds rows, row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd
from typing import Protocol

from mps_bill.core.units import MICROS, UNITS
from mps_bill.metering.records import BILLED_STATUSES, FREE_STATUSES, FileForm
from mps_bill.metering.scheme import MeteringScheme, RecordRule
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN, BEYOND, COLUMNS, REQUIRED_COLUMNS, WORDS

MAX_MICROS = 10**18 - 1
YEAR_3000 = 32_503_680_000 * MICROS
_INT64 = 2**63 - 1
STATUSES = ("", *BILLED_STATUSES, *FREE_STATUSES)
#: The words that a row needs even where it is not billable. A unit it may lack then.
_NEVER_EMPTY = ("item", "region")
#: The value of a column that a file lacks.
_EMPTY = "''"
_FIRST_FREE = 2 + len(BILLED_STATUSES)

#: The columns that name a record, and the tables that the statements below read and that an engine makes in between.
IDENTITY = ("job_id", "item", "output")
#: The columns whose texts are judged together, group by group where rows are counted.
JUDGED = (*WORDS, "status", "width", "height")
TEXTS = (*dict.fromkeys((*IDENTITY, *JUDGED)), "extra")
REFUSED, REPEATED, SAME, DOUBTFUL_RECORDS, CONTESTED = "refused", "repeated", "same", "doubtful_records", "contested"
#: What `groups` sums, where it is kept since it has more: in columns of these names the lines of rows that are not sound,
#: and the hashes of all records.
JUDGED_GROUPS, LINE, HASHES = "judged_groups", "line", "hashes"
_PARTS_OF_HASHES = (
    f" WHERE hash < {1 << 62}",
    f" WHERE hash >= {1 << 62} AND hash < {1 << 63}",
    f" WHERE hash >= {1 << 63} AND hash < {3 << 62}",
    f" WHERE hash >= {3 << 62}",
)
#: The results of `groups` and `corrections` of many accounts, which may not fit into memory.
GROUPS, CORRECTIONS = "account_groups", "account_corrections"


class Dialect(Protocol):
    """How an engine spells what the statements need. Arguments and results are SQL, but for words and numbers."""

    #: The type for sums and products that 64 bits cannot hold.
    wide: str

    def literal(self, text: str) -> str: ...
    def lower(self, column: str) -> str:
        """A value of ASCII letters in small ones; any other value as it is, since letters such as İ become ASCII ones."""
        ...

    def position(self, column: str, words: Sequence[str]) -> str:
        """Where the value is in the words, from 1; 0 for any other value."""
        ...

    def harmless(self, column: str) -> str:
        """Whether a text has no control character and no quote."""
        ...

    def whole_quotient(self, numerator: str, denominator: int, *, wide: bool = False) -> str:
        """The whole part of a quotient of numbers that are not negative; `wide` where the numerator is of that type."""
        ...

    def sum(self, value: str) -> str:
        """The exact sum over any number of rows."""
        ...

    def hash(self, columns: Sequence[str]) -> str:
        """A 64-bit hash."""
        ...

    def unnested(self, column: str) -> str:
        """The values of a column of arrays, each as a row."""
        ...

    def gathered(self, query: str, column: str) -> str:
        """The same rows for a `GROUP BY` of a column in which nearly all values differ."""
        ...

    def tidied(self, column: str) -> str:
        """See `tidy.tidied`."""
        ...

    def epoch(self, text: str, assumed_offset: int | None) -> str:
        """Microseconds since 1970 by the grammar of `core.times`; NULL where the text is not such a time, or not surely."""
        ...

    def micros(self, text: str) -> str:
        """Millionths as BIGINT, -1 for an empty text; NULL where it is not a plain decimal of at most 12 and 6 digits."""
        ...

    def pixels(self, text: str) -> str:
        """A side in pixels, 0 for an empty text; NULL where it is not a whole number from 1 to 999,999."""
        ...


@dataclass(frozen=True, slots=True)
class RowSource:
    """Files that are read alike, as SQL: a relation, and how each value is read off its columns.

    `values` has the text of the columns in `TEXTS` and of every tag; `epoch` and `micros` are as in rows, NULL where they
    have no such form; `width` and `height` make pixels of the columns of these names, NULL likewise, and `values` may have
    those made already. `tests` are what else must hold of a row's form. `carried` are the columns that lead back to the
    row in its file; `line`, made of them, is its line. `well_formed` says that the tests see to quotes and control characters
    of all texts, `no_header` leaves out rows that are headers, as a condition (see `_rows`).
    """

    relation: str
    values: Mapping[str, str]
    epoch: str
    micros: str
    width: str
    height: str
    tests: tuple[str, ...]
    carried: tuple[str, ...] = ()
    line: str = ""
    well_formed: bool = False
    no_header: str = ""


def text_source(
    dialect: Dialect,
    relation: str,
    texts: Sequence[str],
    form: FileForm,
    tests: tuple[str, ...] = (),
    carried: tuple[str, ...] = (),
    line: str = "",
) -> RowSource:
    """A source whose columns are all text, in the order of the file; a column that the files lack is empty text."""
    layout = form.layout
    known = {name: texts[layout.index[name]] if name in layout.index else _EMPTY for name in (*COLUMNS, *form.tags)}
    extra = " || ".join(texts[number] for number in sorted(layout.ignored_numbers)) or _EMPTY
    return RowSource(
        relation,
        {name: known[name] for name in (*TEXTS, *form.tags) if name != "extra"} | {"extra": extra},
        dialect.epoch(known["completed_at"], form.assumed_offset),
        dialect.micros(known["quantity"]),
        dialect.pixels("width"),
        dialect.pixels("height"),
        tests,
        carried,
        line,
    )


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of a run over the rows of its sources, whose columns `tags` are texts that split groups.

    `filled` are the tables named above that have any row; a statement reads none of the others, since a join costs time.
    All results that count have the columns of a key (`key_columns`), then the numbers of `groups.Counted` in their order.
    """

    rows: Sequence[RowSource]
    scheme: MeteringScheme
    tags: Sequence[str]
    dialect: Dialect
    filled: set[str] = field(default_factory=set)

    def sample(self, source: RowSource) -> str:
        """How many different words the rows of a source have, and how many of the rows are in doubt."""
        words = ", ".join(JUDGED)
        first = self._judged(source, self._rows(source), JUDGED)
        counted = f"SELECT {words}, sum(CASE WHEN certain THEN 0 ELSE 1 END) AS in_doubt FROM ({first}) AS first_rows"
        return f"SELECT count(*), coalesce(sum(in_doubt), 0) FROM ({counted} GROUP BY {words}) AS found"

    def groups(self, *, by_words: bool) -> str:
        """The counts of all rows by key. The group without a slot holds the rows in doubt.

        With `by_words` rows are grouped by their words first, which is slower where nearly all differ.
        """
        counted = JUDGED_GROUPS if JUDGED_GROUPS in self.filled else f"({self.judged_groups(by_words=by_words)})"
        keys = ", ".join(key_columns(self.scheme))
        summed = self._summed() if by_words else self._numbered([self.dialect.sum(name) for name in self._numbers()])
        return f"SELECT {keys}, {summed} FROM {counted} AS keyed GROUP BY {keys}"

    def judged_groups(self, *, by_words: bool, hashes: bool = False, lines: bool = False) -> str:
        """Rows counted by their words, which are judged; a key may come more than once. To counts by words `hashes` adds
        those of their records, which `repeated` compares then without reading the usage again, and `lines` their words and
        the lines of the rows that are not sound, which are counted by them too."""
        tags = [tag_column(tag) for tag in self._split_by()]
        micros = "CASE WHEN micros > 0 THEN micros ELSE 0 END AS micros"
        numbers = ["1", "0", *self._quantities()]
        if by_words:
            numbers = ["count(*)", "0", *map(self.dialect.sum, self._quantities())]
        columns = (
            "slot",
            *tags,
            *self._numbers(),
            *((HASHES,) if hashes else ()),
            *((LINE, *JUDGED) if lines else ()),
        )
        alike: dict[tuple[str, str], list[RowSource]] = {}
        for source in self.rows:
            alike.setdefault((source.width, source.height), []).append(source)
        counted = []
        for sources in alike.values():
            # What no file has is not grouped by.
            given = [name for name in JUDGED if any(source.values[name] != _EMPTY for source in sources)]
            shared = ", ".join((*given, *tags))
            empty = "".join(f", {_EMPTY} AS {name}" for name in JUDGED if name not in given)
            listed = (f"array_agg(hash) FILTER (WHERE slot IS NOT NULL) AS {HASHES}",) if hashes else ()
            summed = ", ".join((self._numbered(numbers), *listed))
            kept = f", CASE WHEN NOT sound THEN {sources[0].line} END AS {LINE}" if lines else ""
            hashed = f", {self._record_hash()} AS hash" if hashes else ""
            rows = " UNION ALL ".join(self._rows(source, source.carried if lines else ()) for source in sources)
            group = ", ".join((shared, "slot", *((LINE,) if lines else ())))
            words = f"""
    SELECT {group}, slot IS NOT NULL AS sound{empty}, {summed} FROM (
        SELECT {shared}, CASE WHEN sound THEN {self._slot()} END AS slot, {micros}{hashed}{kept} FROM ({rows}) AS every_row
    ) AS slotted{f" GROUP BY {group}" if by_words else ""}"""
            counted.append(self._judged(sources[0], words, columns))
        keys = self._keys(key_columns(self.scheme)) | {"slot": "slot"}
        keyed = ", ".join(f"CASE WHEN certain THEN {value} END AS {name}" for name, value in keys.items())
        return f"""
SELECT {keyed}, {", ".join(columns[1 + len(tags) :])} FROM ({" UNION ALL ".join(counted)}) AS judged"""

    def repeated(self) -> str:
        """The hashes that more than one row has, of records as a person sees them. They are compared exactly afterwards, in
        `same`."""
        identity = self._record_hash()
        parts: tuple[str, ...] = ("",)
        if HASHES in self.filled:
            # The table that they are kept in is too small for more than one thread, so each has parts of its own.
            parts = _PARTS_OF_HASHES
            # What is refused comes with the records in doubt, where it may be one.
            hashes = (
                f"SELECT {self.dialect.unnested(HASHES)} AS hash FROM {JUDGED_GROUPS} WHERE NOT {self._is_suspect()}"
            )
        else:
            hashes = f"SELECT {identity} AS hash FROM ({self._checked()}) AS checked"
        if DOUBTFUL_RECORDS in self.filled:
            hashes += f" UNION ALL SELECT {identity} AS hash FROM {DOUBTFUL_RECORDS}"
        hashes = f"SELECT hash FROM ({self.dialect.gathered(hashes, 'hash')}) AS hashes"
        return " UNION ALL ".join(f"{hashes}{part} GROUP BY hash HAVING count(*) > 1" for part in parts)

    def same(self) -> str:
        """The rows with repeated hashes that are certain and can be billed, equal rows counted as one (`times`)."""
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
        """The records in `same` with different values, or that look like another one whose id has what cannot be seen, or
        like one in doubt."""
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
        """What `groups` counted too much, to be added to it: all rows of a contested record, and all but one row of any
        other, which are duplicates."""
        keys = self._keys(key_columns(self.scheme))
        keyed = ", ".join(f"{value} AS {name}" for name, value in keys.items())
        names = ", ".join(keys)
        surplus = f"CAST(surplus AS {self.dialect.wide})"
        numbers = self._numbered(
            [
                "sum(CASE WHEN contested THEN -surplus ELSE 0 END)",
                "sum(CASE WHEN contested THEN 0 ELSE surplus END)",
                *(f"-sum({quantity} * {surplus})" for quantity in self._quantities()),
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
        """The counts of the rows that need no exact reader, in order of the accounts.

        That is `GROUPS` without those in doubt and those without a price, and `CORRECTIONS`.
        """
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
        """How many of the rows in `JUDGED_GROUPS` are suspects, but for contested ones."""
        return f"SELECT coalesce(sum({_number(0)}), 0) FROM {JUDGED_GROUPS} WHERE {self._is_suspect()}"

    def words(self, *, suspect: bool) -> str:
        """The different words of the rows in `JUDGED_GROUPS` that are sound, and are suspects or none; of the others the
        lines are kept."""
        condition = f"{self._is_suspect()} AND {LINE} IS NULL" if suspect else f"NOT {self._is_suspect()}"
        return f"SELECT DISTINCT {', '.join(JUDGED)} FROM {JUDGED_GROUPS} WHERE {condition}"

    def _is_suspect(self) -> str:
        """Whether a row of `JUDGED_GROUPS` counts rows in doubt, or without a price."""
        refused = f" OR {_is_in(REFUSED, self._whole_key())}" if REFUSED in self.filled else ""
        return f"(slot IS NULL{refused})"

    def _checked(self, *, repeated: bool = False) -> str:
        """The checked rows of all sources; with `repeated` only those whose hash is in that table, which is asked first."""
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
        """The rows of a source, whose words are not judged."""
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
            f"SELECT {columns}, {_all(tests)} AS sound FROM (SELECT {typed} FROM {source.relation}{condition}) AS typed"
        )

    def _judged(self, source: RowSource, rows: str, columns: Sequence[str]) -> str:
        """Rows of a source, or groups of them, with what their words mean and with these columns of theirs."""
        words = word_lists(self.scheme)
        coded = ", ".join(
            (
                *dict.fromkeys((*columns, *WORDS, "sound")),
                *(f"{self.dialect.position(name, known)} AS {code_column(name)}" for name, known in words.items()),
                f"{self._failed()} AS failed",
                f"{self._status()} > 0 AS status_is_known",
                f"{source.width} AS width_pixels",
                f"{source.height} AS height_pixels",
            )
        )
        codes = (self._spelled() if name == "spec" else code_column(name) for name in words)
        shown = ", ".join((*columns, *codes, "width_pixels", "height_pixels", "failed"))
        certain = _all(("sound", *self._tests_of_words()))
        return f"SELECT {shown}, {certain} AS certain FROM (SELECT {coded} FROM ({rows}) AS read) AS coded"

    def _status(self) -> str:
        return self.dialect.position(self.dialect.lower("status"), STATUSES)

    def _failed(self) -> str:
        return f"{self._status()} >= {_FIRST_FREE}"

    def _spelled(self) -> str:
        """The code of the spec, where the row spells it otherwise that of the spelling of the price sheets."""
        words, code = word_lists(self.scheme), code_column("spec")
        arms = [
            f"WHEN {code} = {words['spec'].index(word) + 1} AND {code_column('item')} = {words['item'].index(item) + 1}"
            f" THEN {words['spec'].index(spec) + 1}"
            for (item, word), spec in self.scheme.spellings.items()
        ]
        return f"CASE {' '.join(arms)} ELSE {code} END AS {code}" if arms else code

    def _tests_of_row(self, source: RowSource) -> tuple[str, ...]:
        """What must hold of a row, but for its words, so that the engine is certain of it; NULL counts as false."""
        texts = () if source.well_formed else ("job_id", "output", "extra", *map(tag_column, self.tags))
        return (
            "epoch >= 0",
            # The status is looked up where it matters only.
            f"CASE WHEN micros >= 0 THEN true ELSE micros = -1 AND {self._failed()} END",
            "job_id <> ''",
            *map(self.dialect.harmless, texts),
            *(f"{column} <> ''" for column in self.tags if column == ACCOUNT_COLUMN),
        )

    def _tests_of_words(self) -> tuple[str, ...]:
        """The same of the words that many rows share."""
        optional = [name for name in WORDS if name not in REQUIRED_COLUMNS]
        return (
            "status_is_known",
            *(f"{code_column(name)} > 0" for name in _NEVER_EMPTY),
            "CASE WHEN unit_code > 1 THEN true ELSE unit_code = 1 AND failed END",
            "(width_pixels = 0) = (height_pixels = 0)",
            *(
                f"CASE WHEN {code_column(name)} > 0 THEN true ELSE {self.dialect.harmless(name)} END"
                for name in optional
            ),
        )

    def _split_by(self) -> tuple[str, ...]:
        """The columns of text that split groups."""
        return (*((ACCOUNT_COLUMN,) if self.scheme.by_account else ()), *self.scheme.tags)

    def _quantities(self) -> tuple[str, ...]:
        """The quantity of a row as written, and its pieces under each rule."""
        return ("micros", *(_pieces(rule, self.dialect) for rule in self.scheme.rules))

    def _numbered(self, values: Sequence[str]) -> str:
        return ", ".join(f"{value} AS {_number(place)}" for place, value in enumerate(values))

    def _summed(self) -> str:
        return self._numbered([f"sum({number})" for number in self._numbers()])

    def _numbers(self) -> list[str]:
        return [_number(place) for place in range(3 + len(self.scheme.rules))]

    def _keys(self, columns: Sequence[str]) -> dict[str, str]:
        """The columns of a key over checked rows."""
        special = {
            "slot": self._slot(),
            "long_side": _edge("greatest(width_pixels, height_pixels)", self.scheme.long_edges),
            "short_side": _edge("least(width_pixels, height_pixels)", self.scheme.short_edges),
        }
        return {name: special.get(name, name) for name in columns}

    def _slot(self) -> str:
        """See `MeteringScheme.slot`."""
        seconds = self.scheme.slot_seconds
        start = f"{self.dialect.whole_quotient('epoch', seconds * MICROS)} * {seconds}"
        return f"greatest({start}, {_last_cut((0, *self.scheme.cuts))})" if self.scheme.cuts else start

    def _whole_key(self) -> tuple[str, ...]:
        return key_columns(replace(self.scheme, by_account=False))

    def _is_refused(self) -> str:
        """Whether the key of a checked row is among those that have no price."""
        columns = self._whole_key()
        return _is_in(REFUSED, columns, self._keys(columns).values())

    def _record_hash(self, values: Mapping[str, str] | None = None) -> str:
        """The hash of a record's identity as a person sees it; a column that no file has adds nothing to it."""
        given = [name for name in IDENTITY if any(source.values[name] != _EMPTY for source in self.rows)]
        seen = dict(zip(IDENTITY, self._as_seen([values[name] if values else name for name in IDENTITY]), strict=True))
        return self.dialect.hash([seen[name] for name in given])

    def _as_seen(self, columns: Sequence[str] = IDENTITY) -> list[str]:
        """The columns of a record's identity as a person sees them. An item is one of the known words."""
        job_id, item, output = columns
        return [self.dialect.tidied(job_id), item, self.dialect.tidied(output)]


def word_lists(scheme: MeteringScheme) -> dict[str, tuple[str, ...]]:
    """The words that the statements write as positions, counted from 1; 0 is any other word."""
    return {name: (*(() if name in _NEVER_EMPTY else ("",)), *sorted(scheme.words[name])) for name in WORDS}


def key_columns(scheme: MeteringScheme) -> tuple[str, ...]:
    """The columns of a key in the results of the statements."""
    account = (ACCOUNT_COLUMN,) if scheme.by_account else ()
    codes = map(code_column, word_lists(scheme))
    return ("slot", *codes, "long_side", "short_side", "failed", *account, *map(tag_column, scheme.tags))


def _all(tests: Iterable[str]) -> str:
    """Whether all tests hold; NULL does not."""
    return f"coalesce({' AND '.join(f'({test})' for test in tests)}, false)"


def place_name(number: int) -> str:
    """What an engine calls the column with this number: names of files may be empty, twice there, or alike but for case."""
    return f"column_{number}"


def tag_column(tag: str) -> str:
    """What engines call the column of a tag: tags may differ by case alone, which engines do not distinguish."""
    return tag if tag == ACCOUNT_COLUMN else f"tag_{tag.encode().hex()}"


def code_column(column: str) -> str:
    """The column with the position of a word in its list."""
    return f"{column}_code"


def _number(place: int) -> str:
    """The column of a number of `groups.Counted`, by its place behind the key."""
    return f"number_{place}"


def _is_in(table: str, columns: Sequence[str], values: Iterable[str] = ()) -> str:
    """Whether the values (by default the columns themselves) are in these columns of a table; NULL is not."""
    names = ", ".join(columns)
    return f"coalesce(({', '.join(values) or names}) IN (SELECT {names} FROM {table}), false)"


def _last_cut(cuts: Sequence[int]) -> str:
    """The last cut that is not after the row, of which the first is not. There may be many, so they are halved."""
    if len(cuts) == 1:
        return str(cuts[0])
    half = len(cuts) // 2
    return f"CASE WHEN epoch < {cuts[half] * MICROS} THEN {_last_cut(cuts[:half])} ELSE {_last_cut(cuts[half:])} END"


def _edge(side: str, edges: Sequence[int]) -> str:
    """The next bucket edge at or above a side in pixels; 0 for no side."""
    steps = " ".join(f"WHEN {side} <= {edge} THEN {edge}" for edge in (0, *edges))
    return f"CASE {steps} ELSE {BEYOND} END"


def _pieces(rule: RecordRule, dialect: Dialect) -> str:
    """`RecordRule.pieces` for the unit of the row: (micros x factor) / step, rounded, in whole numbers."""
    arms = []
    for unit in (unit for unit in UNITS.values() if unit.dimension == rule.dimension):
        common = gcd(unit.factor, rule.step)
        factor, step = unit.factor // common, rule.step // common
        match rule.rounding:
            case "half-up":
                factor, add, step = 2 * factor, step, 2 * step
            case "up":
                add = step - 1
            case "down":
                add = 0
        # Wide numbers are slow, so they are used only where 64 bits could overflow.
        wide = MAX_MICROS * factor + add > _INT64
        micros = f"CAST(micros AS {dialect.wide})" if wide else "micros"
        pieces = dialect.whole_quotient(f"({micros} * {factor} + {add})", step, wide=wide)
        if wide and MAX_MICROS // step * factor + step * factor + add <= _INT64:
            # Nor where the rest of the quotient can be taken apart.
            rest = dialect.whole_quotient(f"(micros % {step} * {factor} + {add})", step)
            pieces = f"({dialect.whole_quotient('micros', step)} * {factor} + {rest})"
        if least := rule.minimum // rule.step:
            pieces = f"greatest({pieces}, CASE WHEN micros > 0 THEN {least} ELSE 0 END)"
        arms.append(f"WHEN {dialect.literal(unit.name)} THEN {pieces}")
    return f"CASE unit {' '.join(arms)} ELSE 0 END"
