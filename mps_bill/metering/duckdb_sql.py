"""The SQL of the DuckDB engine: strict checks, integer sums and groups in one pass over text columns.

What a statement accepts, the exact reader accepts too, with the same values; whatever it is not sure of it counts as
unsure, and the exact reader decides. Measured facts behind the forms used here, all on DuckDB 2.0:

* Only CASE narrows the rows that an expression runs on; AND and OR run every operand on every row.
* `list_position` in a constant list is the fastest way to know a word; `IN` becomes a join.
* DECIMAL(18,6) times 1000000 keeps its type and overflows from a million up, hence the wide branch.
* `//` truncates towards zero, so instants before 1970 are left to the exact reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

from mps_bill.core.times import LOCAL_TIME, OFFSET
from mps_bill.core.units import QUANTITY_PLACES, UNITS
from mps_bill.metering.records import BILLED_STATUSES, FREE_STATUSES
from mps_bill.metering.scheme import MeteringScheme, RecordRule
from mps_bill.metering.usage import BEYOND

_MOST_MICROS = 10**18 - 1
_INT64 = 2**63 - 1
_MICROSECONDS = 1_000_000
#: Offsets that `strptime` may be trusted with, which is faster than a cast; all others take the slower way.
_COMMON_OFFSETS = ("+08:00", "+00:00", "-08:00", "-07:00", "-05:00", "-04:00", "+01:00", "+02:00", "+05:30", "+09:00")
_STATUSES = ("", *BILLED_STATUSES, *FREE_STATUSES)
_FIRST_FREE = 2 + len(BILLED_STATUSES)
#: Values that the CSV reader of DuckDB may have read otherwise than the exact reader, and control characters.
_DOUBTFUL = r'[\x00-\x1f\x7f"]'


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def csv_relation(paths: Sequence[str], names: Sequence[str], *, parallel: bool) -> str:
    """Files of one header, every column as text. Options that guess (types, line ends, quotes) are all off."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = (
        "auto_detect = false, strict_mode = true, header = true, delim = ',', quote = '\"', escape = '\"',"
        " null_padding = false, ignore_errors = false"
    )
    not_null = ", ".join(map(literal, names))
    files = ", ".join(map(literal, paths))
    return (
        f"read_csv([{files}], {options}, parallel = {str(parallel).lower()},"
        f" columns = {{{columns}}}, force_not_null = [{not_null}])"
    )


def record_hash() -> str:
    """A 64-bit hash of the identity of a record; equal hashes are compared exactly afterwards."""
    return "hash(job_id, item, output)"


def metering_query(scheme: MeteringScheme, rows: str, tags: Sequence[str], *, without: str | None) -> str:
    """Groups with their sums: slot, item, region, spec, codec, long, short, unit, failed, tags..., rows, sums.

    `rows` is a query whose columns are those of `usage.COLUMNS`, every tag column and `extra` (the columns passed over,
    joined), all text. A group whose slot is NULL holds the rows that this engine is unsure of. Rows whose hash stands in
    the table `without` are left out.
    """
    condition = f"WHERE {record_hash()} NOT IN (FROM {without})" if without else ""
    typed = ", ".join(
        (
            "*",
            *(f"{_position(column, words)} AS {column}_code" for column, words in word_lists(scheme).items()),
            f"coalesce(list_position({_list(_STATUSES)}, lower(status)), 0) AS status_code",
            f"{_epoch('completed_at', scheme.assumed_offset)} AS epoch",
            f"{_micros('quantity')} AS micros",
            "coalesce(try_cast(width AS INTEGER), 0) AS width_pixels",
            "coalesce(try_cast(height AS INTEGER), 0) AS height_pixels",
        )
    )
    certain = " AND ".join(f"({test})" for test in _tests(tags))
    wanted = [identifier(tag) for tag in scheme.tags]
    keys = {
        "slot": f"epoch // {scheme.slot_seconds * _MICROSECONDS}",
        "item_code": "item_code",
        "region_code": "region_code",
        "spec_code": "spec_code",
        "codec_code": "codec_code",
        "long": _edge("greatest(width_pixels, height_pixels)", scheme.long_edges),
        "short": _edge("least(width_pixels, height_pixels)", scheme.short_edges),
        "unit_code": "unit_code",
        "failed": f"status_code >= {_FIRST_FREE}",
    }
    keyed = ", ".join(
        (
            *(f"CASE WHEN certain THEN {value} END AS {name}" for name, value in keys.items()),
            *(f"CASE WHEN certain THEN {tag} END AS {tag}" for tag in wanted),
            "CASE WHEN certain THEN coalesce(micros, 0) ELSE 0 END AS micros",
            "unit",
        )
    )
    names = ", ".join((*keys, *wanted))
    sums = ", ".join(("count(*)", "sum(micros)", *(f"sum({_pieces(rule)})" for rule in scheme.rules)))
    return f"""
WITH typed AS (SELECT {typed} FROM ({rows}) {condition}),
checked AS (SELECT *, coalesce({certain}, false) AS certain FROM typed),
keyed AS (SELECT {keyed} FROM checked)
SELECT {names}, {sums} FROM keyed GROUP BY {names}"""


def word_lists(scheme: MeteringScheme) -> dict[str, tuple[str, ...]]:
    """The words that the query writes as positions, counted from 1; 0 is any other word."""
    return {
        "item": tuple(sorted(scheme.items)),
        "region": tuple(sorted(scheme.regions)),
        "spec": ("", *sorted(scheme.specs)),
        "codec": ("", *sorted(scheme.codecs)),
        "unit": ("", *sorted(scheme.units)),
    }


def _tests(tags: Iterable[str]) -> list[str]:
    """What must hold for a row that this engine is sure of."""
    failed = f"status_code >= {_FIRST_FREE}"
    return [
        "epoch >= 0",
        "status_code > 0",
        "job_id <> ''",
        "item_code > 0",
        "region_code > 0",
        f"CASE WHEN unit_code > 1 THEN true ELSE unit_code = 1 AND {failed} END",
        f"CASE WHEN micros IS NOT NULL THEN true ELSE {failed} AND quantity = '' END",
        "(width = '') = (height = '')",
        *(
            f"CASE WHEN {side} = '' THEN true"
            f" ELSE {side}_pixels BETWEEN 1 AND 999999 AND {side}_pixels::VARCHAR = {side} END"
            for side in ("width", "height")
        ),
        *(f"CASE WHEN {column}_code > 0 THEN true ELSE {_harmless(column)} END" for column in ("spec", "codec")),
        *(_harmless(column) for column in ("job_id", "output", "extra", *map(identifier, tags))),
    ]


def _harmless(column: str) -> str:
    """No control character and no quote: a cheap byte test for plain ASCII, the regular expression for the rest."""
    return f"CASE WHEN {column} NOT GLOB '*[!#-~]*' THEN true ELSE NOT regexp_matches({column}, '{_DOUBTFUL}') END"


def _position(column: str, words: Sequence[str]) -> str:
    return f"coalesce(list_position({_list(words)}, {column}), 0)" if words else "0"


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, words))}]"


def _epoch(column: str, assumed_offset: int | None) -> str:
    """Microseconds since 1970 by the grammar of `core.times`; NULL where the text is no such time."""
    fast = (
        f"WHEN strlen({column}) = 25 AND {column} >= '197' AND {column} < '3'"
        f" AND list_position({_list(_COMMON_OFFSETS)}, {column}[20:]) > 0"
        f" AND regexp_full_match({column}[1:19], '{LOCAL_TIME}')"
        f" THEN epoch_us(try_strptime({column}, '%Y-%m-%dT%H:%M:%S%z'))"
    )
    slow = f"WHEN regexp_full_match({column}, '{LOCAL_TIME}{OFFSET}') THEN epoch_us(try_cast({column} AS TIMESTAMPTZ))"
    naive = (
        ""
        if assumed_offset is None
        else f"WHEN regexp_full_match({column}, '{LOCAL_TIME}')"
        f" THEN epoch_us(try_cast({column} AS TIMESTAMP)) - {assumed_offset * _MICROSECONDS}"
    )
    return f"CASE {fast} {slow} {naive} END"


def _micros(column: str) -> str:
    """Millionths as BIGINT; NULL where the text is not a plain decimal of at most 12 and 6 digits."""
    decimal = f"try_cast({column} AS DECIMAL(18,6))"
    scale = 10**QUANTITY_PLACES
    return (
        f"CASE WHEN regexp_full_match({column}, '(0|[1-9][0-9]{{0,11}})(\\.[0-9]{{1,6}})?') THEN"
        f" CASE WHEN {decimal} < 1000000 THEN ({decimal} * {scale})::BIGINT"
        f" ELSE ({decimal}::DECIMAL(38,6) * {scale})::BIGINT END END"
    )


def _edge(side: str, edges: Sequence[int]) -> str:
    """The next bucket edge at or above a side in pixels; 0 for no side."""
    steps = " ".join(f"WHEN {side} <= {edge} THEN {edge}" for edge in (0, *edges))
    return f"CASE {steps} ELSE {BEYOND} END"


def _pieces(rule: RecordRule) -> str:
    """`RecordRule.pieces` for the unit of the row: (micros x factor) / step, rounded, in whole numbers."""
    arms = []
    for unit in UNITS.values():
        if unit.dimension != rule.dimension:
            continue
        common = gcd(unit.factor, rule.step)
        factor, step = unit.factor // common, rule.step // common
        match rule.rounding:
            case "half-up":
                factor, add, step = 2 * factor, step, 2 * step
            case "up":
                add = step - 1
            case "down":
                add = 0
        # 128-bit numbers are slow, so they are used only where 64 bits could overflow.
        wide = "::HUGEINT" if _MOST_MICROS * factor + add > _INT64 else ""
        arms.append(f"WHEN {literal(unit.name)} THEN (micros{wide} * {factor} + {add}) // {step}")
    pieces = f"CASE unit {' '.join(arms)} ELSE 0 END"
    least = rule.minimum // rule.step
    if not least:
        return pieces
    units = _list(unit.name for unit in UNITS.values() if unit.dimension == rule.dimension)
    return f"greatest({pieces}, CASE WHEN micros > 0 AND list_position({units}, unit) > 0 THEN {least} ELSE 0 END)"
