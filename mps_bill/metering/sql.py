"""The SQL that every SQL engine meters with: strict checks, integer sums, repeated records. A `Dialect` spells the parts
in which engines differ.

What a statement is certain of, the exact reader accepts too, with the same values; of whatever is left it says that it is
in doubt, and the exact reader decides. Only integers leave the engine, so every engine makes the same bill.

Every statement reads **checked rows** (`checked_rows`): one row a row of usage, with the codes of its words (positions in
`word_lists`, 0 for any other word), `epoch` (microseconds), `micros` (-1 for an empty quantity), sizes in pixels (0 for
none), `failed` and `certain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Protocol

from mps_bill.core.units import UNITS
from mps_bill.metering.records import BILLED_STATUSES, FREE_STATUSES
from mps_bill.metering.scheme import MeteringScheme, RecordRule
from mps_bill.metering.usage import ACCOUNT_COLUMN, BEYOND

MOST_MICROS = 10**18 - 1
_INT64 = 2**63 - 1
_MICROSECONDS = 1_000_000
_STATUSES = ("", *BILLED_STATUSES, *FREE_STATUSES)
_FIRST_FREE = 2 + len(BILLED_STATUSES)

#: The columns that name a record, and the tables that the statements below read and that an engine makes in between.
IDENTITY = ("job_id", "item", "output")
TEXTS = (*IDENTITY, "region", "spec", "codec", "unit", "status", "extra")
REFUSED, REPEATED, SAME, DOUBTFUL_RECORDS, CONTESTED = "refused", "repeated", "same", "doubtful_records", "contested"
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
        """Where the value stands in the words, from 1; 0 for any other value."""
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

    def tidied(self, column: str) -> str:
        """See `tidy.tidied`."""
        ...


@dataclass(frozen=True, slots=True)
class RowSource:
    """Files that are read alike, as SQL: a relation, and how each value is read off its columns.

    `values` has the text of the columns in `TEXTS` and of every tag; `epoch`, `micros` and the sizes are as in checked
    rows, NULL where they have no such form; `tests` are what else must hold of a row's form. `carried` are the columns
    that lead back to the row in its file.
    """

    relation: str
    values: Mapping[str, str]
    epoch: str
    micros: str
    width: str
    height: str
    tests: tuple[str, ...]
    carried: tuple[str, ...] = ()


def word_lists(scheme: MeteringScheme) -> dict[str, tuple[str, ...]]:
    """The words that the statements write as positions, counted from 1; 0 is any other word."""
    return {
        "item": tuple(sorted(scheme.items)),
        "region": tuple(sorted(scheme.regions)),
        "spec": ("", *sorted(scheme.specs)),
        "codec": ("", *sorted(scheme.codecs)),
        "unit": ("", *sorted(scheme.units)),
    }


def key_columns(scheme: MeteringScheme) -> tuple[str, ...]:
    """The columns of a group's key in the results of `groups` and `corrections`."""
    codes = (f"{column}_code" for column in word_lists(scheme))
    account = (ACCOUNT_COLUMN,) if scheme.by_account else ()
    return ("slot", *codes, "long_side", "short_side", "failed", *account, *map(tag_column, scheme.tags))


def place_name(number: int) -> str:
    """What an engine calls the column with this number: names of files may be empty, twice there, or alike but for case."""
    return f"column_{number}"


def tag_column(tag: str) -> str:
    """What engines call the column of a tag: tags may differ by case alone, which engines do not tell apart."""
    return tag if tag == ACCOUNT_COLUMN else f"tag_{tag.encode().hex()}"


def checked_rows(
    sources: Sequence[RowSource],
    scheme: MeteringScheme,
    tags: Sequence[str],
    dialect: Dialect,
    *,
    repeated: bool = False,
) -> str:
    """The checked rows of the sources; with `repeated` only those whose hash stands in that table, which is asked first."""
    parts = []
    for source in sources:
        condition = ""
        if repeated:
            identity = dialect.hash(_as_seen(dialect, [source.values[name] for name in IDENTITY]))
            condition = f" WHERE {identity} IN (SELECT hash FROM {REPEATED})"
        parts.append(_checked_source(source, scheme, tags, dialect, condition=condition))
    return " UNION ALL ".join(parts)


def groups(checked: str, scheme: MeteringScheme, dialect: Dialect) -> str:
    """Key columns, rows, sum of micros, sums of pieces under each rule. The group without a slot holds the rows in doubt."""
    keys = _keys(scheme, dialect)
    keyed = ", ".join(f"CASE WHEN certain THEN {value} END AS {name}" for name, value in keys.items())
    names = ", ".join(keys)
    values = ("micros", *(_pieces(rule, dialect) for rule in scheme.rules))
    sums = ", ".join(
        f"{value} AS {name}"
        for name, value in zip(_numbers(scheme), ("count(*)", *map(dialect.sum, values)), strict=True)
    )
    return f"""
SELECT {names}, {sums} FROM (
    SELECT {keyed}, unit, CASE WHEN certain AND micros > 0 THEN micros ELSE 0 END AS micros FROM ({checked}) AS checked
) AS keyed GROUP BY {names}"""


def repeated(checked: str, dialect: Dialect, *, doubtful_records: bool) -> str:
    """The hashes that more than one row has, of records as a person sees them. They are compared exactly afterwards, in
    `same`."""
    identity = dialect.hash(_as_seen(dialect))
    hashes = f"SELECT {identity} AS hash FROM ({checked}) AS checked"
    if doubtful_records:
        hashes += f" UNION ALL SELECT {identity} AS hash FROM {DOUBTFUL_RECORDS}"
    return f"SELECT hash FROM ({hashes}) AS hashes GROUP BY hash HAVING count(*) > 1"


def same(repeated_rows: str, scheme: MeteringScheme, tags: Sequence[str], dialect: Dialect, *, refused: bool) -> str:
    """The rows with repeated hashes (`checked_rows`) that are certain and can be billed, equal rows counted as one (`times`)."""
    columns = ", ".join(
        (
            *IDENTITY,
            "unit",
            *(f"{column}_code" for column in word_lists(scheme)),
            *("epoch", "width_pixels", "height_pixels", "failed"),
            *map(tag_column, tags),
        )
    )
    micros = "CASE WHEN micros > 0 THEN micros ELSE 0 END"
    condition = f"certain AND NOT {_is_refused(scheme, dialect)}" if refused else "certain"
    return f"""
SELECT {columns}, {micros} AS micros, count(*) AS times
FROM ({repeated_rows}) AS checked WHERE {condition} GROUP BY {columns}, {micros}"""


def contested(dialect: Dialect, *, doubtful_records: bool) -> str:
    """The records that stand in `same` with different values, or that look like another one whose id has what cannot be
    seen, or like one in doubt."""
    identity, seen = ", ".join(IDENTITY), ", ".join(_as_seen(dialect))
    untidy = " OR ".join(
        f"{name} <> {tidy}" for name, tidy in zip(IDENTITY, _as_seen(dialect), strict=True) if name != tidy
    )
    query = f"SELECT {identity} FROM {SAME} GROUP BY {identity} HAVING count(*) > 1"
    others = [f"SELECT {seen} FROM {SAME} WHERE {untidy}"]
    if doubtful_records:
        others.append(f"SELECT {seen} FROM {DOUBTFUL_RECORDS}")
    for other in others:
        query += f" UNION SELECT {identity} FROM {SAME} WHERE coalesce(({seen}) IN ({other}), false)"
    return query


def _as_seen(dialect: Dialect, columns: Sequence[str] = IDENTITY) -> list[str]:
    """The columns of a record's identity as a person sees them. An item is one of the known words."""
    job_id, item, output = columns
    return [dialect.tidied(job_id), item, dialect.tidied(output)]


def corrections(scheme: MeteringScheme, dialect: Dialect, *, contested: bool) -> str:
    """What `groups` counted too much, by key: whether it belongs to contested records, rows, micros, pieces.

    All rows of a contested record, and all but one row of any other.
    """
    keys = _keys(scheme, dialect)
    flag = _stands_in(CONTESTED) if contested else "false"
    values = ("1", "micros", *(_pieces(rule, dialect) for rule in scheme.rules))
    weighed = ", ".join(
        f"sum({value} * CAST(surplus AS {dialect.wide})) AS {name}"
        for name, value in zip(_numbers(scheme), values, strict=True)
    )
    keyed = ", ".join(f"{value} AS {name}" for name, value in keys.items())
    names = ", ".join(keys)
    return f"""
SELECT contested, {names}, {weighed} FROM (
    SELECT {keyed}, unit, micros, contested, CASE WHEN contested THEN times ELSE times - 1 END AS surplus
    FROM (SELECT *, {flag} AS contested FROM {SAME}) AS flagged
) AS keyed WHERE surplus > 0 GROUP BY contested, {names}"""


def over_accounts(table: str, scheme: MeteringScheme) -> str:
    """The rows of `GROUPS` or `CORRECTIONS` summed over the accounts: what the query of the table makes without them."""
    keys = key_columns(replace(scheme, by_account=False))
    names = ", ".join(("contested", *keys) if table == CORRECTIONS else keys)
    sums = ", ".join(f"sum({name})" for name in _numbers(scheme))
    return f"SELECT {names}, {sums} FROM {table} GROUP BY {names}"


def by_account(scheme: MeteringScheme, *, refused: bool, corrected: bool) -> str:
    """Key columns, rows, duplicates and sums of the rows that need no exact reader, in order of the accounts.

    That is `GROUPS` without those in doubt and those without a price, less `CORRECTIONS`.
    """
    keys = ", ".join(key_columns(scheme))
    rows, *sums = _numbers(scheme)
    condition = "slot IS NOT NULL"
    if refused:
        whole = ", ".join(key_columns(replace(scheme, by_account=False)))
        condition += f" AND NOT coalesce(({whole}) IN (SELECT {whole} FROM {REFUSED}), false)"
    parts = [f"SELECT {keys}, {rows}, 0 AS duplicates, {', '.join(sums)} FROM {GROUPS} WHERE {condition}"]
    if corrected:
        taken = ", ".join(f"-{name}" for name in sums)
        parts.append(
            f"SELECT {keys}, CASE WHEN contested THEN -{rows} ELSE 0 END, CASE WHEN contested THEN 0 ELSE {rows} END,"
            f" {taken} FROM {CORRECTIONS}"
        )
    summed = ", ".join(f"sum({name})" for name in (rows, "duplicates", *sums))
    return f"""
SELECT {keys}, {summed} FROM ({" UNION ALL ".join(parts)}) AS counted
GROUP BY {keys} HAVING sum({rows}) > 0 ORDER BY {ACCOUNT_COLUMN}"""


def suspects(
    source: RowSource,
    scheme: MeteringScheme,
    tags: Sequence[str],
    dialect: Dialect,
    *,
    refused: bool,
    contested: bool,
) -> str:
    """The carried columns of the rows that the exact reader must judge: in doubt, without a price, or contested."""
    conditions = ["NOT certain"]
    if refused:
        conditions.append(_is_refused(scheme, dialect))
    if contested:
        conditions.append(_stands_in(CONTESTED))
    checked = _checked_source(source, scheme, tags, dialect, carried=source.carried)
    return f"SELECT {', '.join(source.carried)} FROM ({checked}) AS checked WHERE {' OR '.join(conditions)}"


def _checked_source(
    source: RowSource,
    scheme: MeteringScheme,
    tags: Sequence[str],
    dialect: Dialect,
    *,
    carried: Sequence[str] = (),
    condition: str = "",
) -> str:
    values = source.values
    status = values["status"]
    typed = ", ".join(
        (
            *carried,
            *(f"{values[name]} AS {name}" for name in TEXTS),
            *(f"{values[tag]} AS {tag_column(tag)}" for tag in tags),
            *(f"{dialect.position(values[name], words)} AS {name}_code" for name, words in word_lists(scheme).items()),
            f"{dialect.position(dialect.lower(status), _STATUSES)} AS status_code",
            f"{source.epoch} AS epoch",
            f"{source.micros} AS micros",
            f"{source.width} AS width_pixels",
            f"{source.height} AS height_pixels",
            *(f"{test} AS test_{number}" for number, test in enumerate(source.tests)),
        )
    )
    tests = (*_tests(tags, dialect), *(f"test_{number}" for number in range(len(source.tests))))
    certain = " AND ".join(f"({test})" for test in tests)
    columns = ", ".join(
        (
            *carried,
            *IDENTITY,
            "unit",
            *map(tag_column, tags),
            *(f"{column}_code" for column in word_lists(scheme)),
            *("epoch", "micros", "width_pixels", "height_pixels"),
            f"status_code >= {_FIRST_FREE} AS failed",
            f"coalesce({certain}, false) AS certain",
        )
    )
    return f"SELECT {columns} FROM (SELECT {typed} FROM {source.relation}{condition}) AS typed"


def _tests(tags: Iterable[str], dialect: Dialect) -> tuple[str, ...]:
    """What must hold of a row so that the engine is certain of it; NULL counts as false."""
    failed = f"status_code >= {_FIRST_FREE}"
    return (
        "epoch >= 0",
        "status_code > 0",
        "job_id <> ''",
        "item_code > 0",
        "region_code > 0",
        f"CASE WHEN unit_code > 1 THEN true ELSE unit_code = 1 AND {failed} END",
        f"CASE WHEN micros >= 0 THEN true ELSE micros = -1 AND {failed} END",
        "(width_pixels = 0) = (height_pixels = 0)",
        *(f"CASE WHEN {column}_code > 0 THEN true ELSE {dialect.harmless(column)} END" for column in ("spec", "codec")),
        *(dialect.harmless(column) for column in ("job_id", "output", "extra", *map(tag_column, tags))),
        *(f"{column} <> ''" for column in tags if column == ACCOUNT_COLUMN),
    )


def _numbers(scheme: MeteringScheme) -> tuple[str, ...]:
    """The columns of a group's rows and sums."""
    return tuple(f"number_{number}" for number in range(2 + len(scheme.rules)))


def _keys(scheme: MeteringScheme, dialect: Dialect) -> dict[str, str]:
    """The columns of a group's key over checked rows."""
    long_side = _edge("greatest(width_pixels, height_pixels)", scheme.long_edges)
    short_side = _edge("least(width_pixels, height_pixels)", scheme.short_edges)
    slot = dialect.whole_quotient("epoch", scheme.slot_seconds * _MICROSECONDS)
    special = {"slot": slot, "long_side": long_side, "short_side": short_side}
    return {name: special.get(name, name) for name in key_columns(scheme)}


def _is_refused(scheme: MeteringScheme, dialect: Dialect) -> str:
    """Whether the key of a checked row is among those that have no price."""
    keys = _keys(scheme, dialect)
    return f"coalesce(({', '.join(keys.values())}) IN (SELECT {', '.join(keys)} FROM {REFUSED}), false)"


def _stands_in(table: str) -> str:
    identity = ", ".join(IDENTITY)
    return f"coalesce(({identity}) IN (SELECT {identity} FROM {table}), false)"


def _edge(side: str, edges: Sequence[int]) -> str:
    """The next bucket edge at or above a side in pixels; 0 for no side."""
    steps = " ".join(f"WHEN {side} <= {edge} THEN {edge}" for edge in (0, *edges))
    return f"CASE {steps} ELSE {BEYOND} END"


def _pieces(rule: RecordRule, dialect: Dialect) -> str:
    """`RecordRule.pieces` for the unit of the row: (micros x factor) / step, rounded, in whole numbers."""
    arms = []
    units = [unit for unit in UNITS.values() if unit.dimension == rule.dimension]
    for unit in units:
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
        wide = MOST_MICROS * factor + add > _INT64
        micros = f"CAST(micros AS {dialect.wide})" if wide else "micros"
        quotient = dialect.whole_quotient(f"({micros} * {factor} + {add})", step, wide=wide)
        arms.append(f"WHEN {dialect.literal(unit.name)} THEN {quotient}")
    pieces = f"CASE unit {' '.join(arms)} ELSE 0 END"
    least = rule.minimum // rule.step
    if not least:
        return pieces
    known = dialect.position("unit", [unit.name for unit in units])
    return f"greatest({pieces}, CASE WHEN micros > 0 AND {known} > 0 THEN {least} ELSE 0 END)"
