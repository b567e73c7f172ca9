"""How DuckDB spells metering: its dialect, and its relations over CSV and Parquet files.

Measured facts behind the forms used here, all on DuckDB 2.0:

* Only CASE narrows the rows that an expression runs on; AND and OR run every operand on every row.
* `list_position` in a constant list is the fastest way to know a word; `IN` becomes a join.
* DECIMAL(18,6) times 1000000 keeps its type and overflows from a million up, hence the wide branch.
* `//` truncates towards zero, so instants before 1970 are left to the exact reader.
* The CSV reader may end a query at a row that it does not like, drops the quotes, and numbers no rows; but it reads lines
  as single values at the same speed. So there are two relations for CSV: columns for files that are clean, and lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from mps_bill.core.times import LOCAL_TIME, OFFSET
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.metering.records import QUANTITY, Layout
from mps_bill.metering.sql import MOST_MICROS, TEXTS, Dialect, RowSource
from mps_bill.metering.usage import COLUMNS

_MICROSECONDS = 1_000_000
_YEAR_3000 = 32_503_680_000 * _MICROSECONDS
#: Offsets that `strptime` may be trusted with, which is faster than a cast; all others take the slower way.
_COMMON_OFFSETS = ("+08:00", "+00:00", "-08:00", "-07:00", "-05:00", "-04:00", "+01:00", "+02:00", "+05:30", "+09:00")
#: Values that the CSV reader of DuckDB may have read otherwise than the exact reader, and control characters.
_DOUBTFUL = r'[\x00-\x1f\x7f"]'
#: A line whose quotes stand around whole fields that hold neither a quote nor a comma.
_PLAINLY_QUOTED = '("[^",]*"|[^",]*)(,("[^",]*"|[^",]*))*'
#: Stands in no line that is certain, so a line is read as one value.
_NO_DELIMITER = "\x1e"


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _files(paths: Sequence[str]) -> str:
    return _list(map(one_file, paths))


def one_file(path: str) -> str:
    """A path as the pattern that only this path matches."""
    return re.sub(r"([*?\[])", r"[\1]", path)


class DuckDBDialect:
    """See `sql.Dialect`."""

    wide = "HUGEINT"

    def identifier(self, name: str) -> str:
        return identifier(name)

    def literal(self, text: str) -> str:
        return literal(text)

    def position(self, column: str, words: Sequence[str]) -> str:
        return f"coalesce(list_position({_list(words)}, {column}), 0)" if words else "0"

    def harmless(self, column: str) -> str:
        # A cheap byte test for plain ASCII, the regular expression for the rest.
        return f"CASE WHEN {column} NOT GLOB '*[!#-~]*' THEN true ELSE NOT regexp_matches({column}, '{_DOUBTFUL}') END"

    def whole_quotient(self, numerator: str, denominator: int, *, wide: bool = False) -> str:
        del wide
        return f"{numerator} // {denominator}"

    def sum(self, value: str) -> str:
        return f"sum({value})"

    def hash(self, columns: Sequence[str]) -> str:
        return f"hash({', '.join(columns)})"


DIALECT: Dialect = DuckDBDialect()


def csv_columns(
    paths: Sequence[str], layout: Layout, tags: Sequence[str], offset: int | None, *, parallel: bool
) -> RowSource:
    """Files of one header, every column as text. Options that guess (types, line ends, quotes) are all off."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in layout.names)
    relation = (
        f"read_csv({_files(paths)}, auto_detect = false, strict_mode = true, header = true, delim = ',', quote = '\"',"
        f" escape = '\"', null_padding = false, ignore_errors = false, parallel = {str(parallel).lower()},"
        f" columns = {{{columns}}}, force_not_null = {_list(layout.names)})"
    )
    return _text_source(relation, {name: identifier(name) for name in layout.names}, layout, tags, offset)


def csv_lines(
    paths: Sequence[str], layout: Layout, tags: Sequence[str], offset: int | None, *, encoding: str
) -> RowSource:
    """Files of one header by lines, the header's own among them; a line that is not plainly a row is in doubt.

    With the encoding `latin-1` every byte is a character, so lines may hold anything; those beyond ASCII are in doubt.
    """
    lines = (
        f"read_csv({_files(paths)}, auto_detect = false, strict_mode = true, header = false,"
        f" delim = '{_NO_DELIMITER}',"
        f" quote = '', escape = '', null_padding = false, ignore_errors = false, encoding = '{encoding}',"
        " columns = {'line': 'VARCHAR'}, force_not_null = ['line'])"
    )
    bare = (
        "CASE WHEN contains(line, '\"') THEN"
        f" CASE WHEN regexp_full_match(line, '{_PLAINLY_QUOTED}') THEN replace(line, '\"', '') END ELSE line END"
    )
    relation = f"(SELECT line, string_split({bare}, ',') AS fields FROM {lines} WHERE ltrim(line, ',') <> '')"
    texts = {name: f"coalesce(fields[{number}], '')" for number, name in enumerate(layout.names, 1)}
    shape = f"len(fields) = {len(layout.names)}"
    tests = (shape,) if encoding == "utf-8" else (shape, r"NOT regexp_matches(line, '[^\x00-\x7f]')")
    return _text_source(relation, texts, layout, tags, offset, tests, ("line",))


def parquet_rows(
    path: str,
    layout: Layout,
    types: Mapping[str, str],
    texts: Mapping[str, str],
    tags: Sequence[str],
    offset: int | None,
) -> RowSource:
    """A Parquet file with its row numbers. Numbers and times of exact types are read as they are, without a text in
    between; all other columns through `texts`, the SQL of each as text."""
    shown = ", ".join(f"{texts[name]} AS text_{number}" for number, name in enumerate(layout.names))
    relation = f"(SELECT *, file_row_number AS row_number, {shown} FROM read_parquet({_files([path])}, file_row_number = true))"
    filled = {name: f"coalesce({text}, '')" for name, text in texts.items()}
    by_text = _text_source(relation, filled, layout, tags, offset)
    return RowSource(
        relation,
        by_text.values,
        epoch=_typed_epoch(types.get("completed_at", ""), offset) or by_text.epoch,
        micros=_typed_micros(types.get("quantity", "")) or by_text.micros,
        width=_whole_pixels("width") if _is_whole(types.get("width", "")) else by_text.width,
        height=_whole_pixels("height") if _is_whole(types.get("height", "")) else by_text.height,
        tests=(),
        carried=("row_number", *(f"text_{number}" for number in range(len(layout.names)))),
    )


def _text_source(
    relation: str,
    texts: Mapping[str, str],
    layout: Layout,
    tags: Sequence[str],
    offset: int | None,
    tests: tuple[str, ...] = (),
    carried: tuple[str, ...] = (),
) -> RowSource:
    """A source whose values are all text; a column that the files lack is empty text."""
    known = {name: texts.get(name, "''") if name in layout.index else "''" for name in (*COLUMNS, *tags)}
    extra = " || ".join(texts[name] for name in layout.ignored) or "''"
    return RowSource(
        relation,
        {name: known[name] for name in (*TEXTS, *tags) if name != "extra"} | {"extra": extra},
        _epoch(known["completed_at"], offset),
        _micros(known["quantity"]),
        _pixels(known["width"]),
        _pixels(known["height"]),
        tests,
        carried,
    )


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, words))}]"


def _epoch(text: str, assumed_offset: int | None) -> str:
    """Microseconds since 1970 by the grammar of `core.times`; NULL where the text is no such time."""
    fast = (
        f"WHEN strlen({text}) = 25 AND {text} >= '197' AND {text} < '3'"
        f" AND list_position({_list(_COMMON_OFFSETS)}, {text}[20:]) > 0"
        f" AND regexp_full_match({text}[1:19], '{LOCAL_TIME}')"
        f" THEN epoch_us(try_strptime({text}, '%Y-%m-%dT%H:%M:%S%z'))"
    )
    slow = f"WHEN regexp_full_match({text}, '{LOCAL_TIME}{OFFSET}') THEN epoch_us(try_cast({text} AS TIMESTAMPTZ))"
    naive = (
        ""
        if assumed_offset is None
        else f"WHEN regexp_full_match({text}, '{LOCAL_TIME}')"
        f" THEN epoch_us(try_cast({text} AS TIMESTAMP)) - {assumed_offset * _MICROSECONDS}"
    )
    return f"CASE {fast} {slow} {naive} END"


def _micros(text: str) -> str:
    """Millionths as BIGINT, -1 for an empty text; NULL where it is not a plain decimal of at most 12 and 6 digits."""
    decimal = f"try_cast({text} AS DECIMAL(18,6))"
    return f"CASE WHEN regexp_full_match({text}, '{QUANTITY}') THEN {_scaled(decimal)} WHEN {text} = '' THEN -1 END"


def _scaled(decimal: str) -> str:
    """A DECIMAL(18,6) times a million, as BIGINT."""
    scale = 10**QUANTITY_PLACES
    return (
        f"CASE WHEN {decimal} < 1000000 THEN ({decimal} * {scale})::BIGINT"
        f" ELSE ({decimal}::DECIMAL(38,6) * {scale})::BIGINT END"
    )


def _pixels(text: str) -> str:
    number = f"try_cast({text} AS INTEGER)"
    return (
        f"CASE WHEN {text} = '' THEN 0"
        f" WHEN {number} BETWEEN 1 AND 999999 AND {number}::VARCHAR = {text} THEN {number} END"
    )


def _whole_pixels(side: str) -> str:
    return f"CASE WHEN {side} IS NULL THEN 0 WHEN {side} BETWEEN 1 AND 999999 THEN {side}::INTEGER END"


def _typed_epoch(type_: str, assumed_offset: int | None) -> str | None:
    if type_ == "TIMESTAMP WITH TIME ZONE":
        moment, offset = "epoch_us(completed_at)", 0
    elif type_ not in ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"):
        return None
    elif assumed_offset is None:
        return "NULL::BIGINT"
    else:
        moment, offset = "epoch_us(completed_at::TIMESTAMP)", assumed_offset
    return f"CASE WHEN {moment} < {_YEAR_3000} THEN {moment} - {offset * _MICROSECONDS} END"


def _typed_micros(type_: str) -> str | None:
    if type_.startswith("DECIMAL"):
        places = int(type_.rstrip(")").partition(",")[2])
        if places > QUANTITY_PLACES:
            return None
        millionths = _scaled("try_cast(quantity AS DECIMAL(18,6))")
        return f"CASE WHEN quantity IS NULL THEN -1 WHEN quantity >= 0 THEN {millionths} END"
    if _is_whole(type_):
        most = (MOST_MICROS + 1) // 10**QUANTITY_PLACES
        return (
            "CASE WHEN quantity IS NULL THEN -1"
            f" WHEN quantity >= 0 AND quantity < {most} THEN quantity::BIGINT * {10**QUANTITY_PLACES} END"
        )
    return None


def _is_whole(type_: str) -> bool:
    return type_ in (
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "HUGEINT",
    )
