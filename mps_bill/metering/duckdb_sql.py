"""The SQL of metering as DuckDB spells it: its dialect, and its relations over CSV and Parquet files.

The forms used here rest on facts that were measured on DuckDB 2.0:

* Only CASE restricts the rows that an expression runs on; AND and OR run every operand on every row.
* `list_position` in a constant list is the fastest way to look up a word; `IN` becomes a join.
* DECIMAL(18,6) times 1000000 keeps its type and overflows from a million up, hence the wide branch.
* `//` truncates towards zero, so instants before 1970 are left to the exact reader.
* The CSV reader may end a query at a row that it refuses, drops the quotes, and does not number rows; but it reads lines as
  single values at the same speed. So there are two relations for CSV: by columns for clean files, and by lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mps_bill.core.times import LOCAL_TIME, OFFSET
from mps_bill.core.units import MICROS, QUANTITY_PLACES
from mps_bill.metering.csv_rows import MAX_ROW_BYTES
from mps_bill.metering.records import QUANTITY, SIDE, FileForm
from mps_bill.metering.scheme import MeteringScheme
from mps_bill.metering.sql_keys import word_lists
from mps_bill.metering.sql_rows import MAX_MICROS, STATUSES, YEAR_3000, Dialect, RowSource, place_name, text_source
from mps_bill.metering.tidy import SPACES, UNSEEN
from mps_bill.metering.usage_columns import ACCOUNT_COLUMN

#: A text without control characters, and without quotes, which DuckDB's CSV reader may read differently from the exact reader.
_HARMLESS = r'[^\x00-\x1f\x7f"]*'
#: A line in which only whole fields are in quotes, and those contain neither a quote nor a comma.
_PLAINLY_QUOTED = '("[^",]*"|[^",]*)(,("[^",]*"|[^",]*))*'
#: No certain line contains this character, so each line is read as one value.
_NO_DELIMITER = "\x1e"
_MAX_WORDS = 500

BINARY = "BLOB"
#: The column of row numbers that DuckDB adds after those of a Parquet file, which must not have a column of this name.
ROW_NUMBER = "file_row_number"
_LOCAL_TIMES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_INSTANTS = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")
#: No number and no time is longer than this as text.
_SHORT = 100


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def csv_files(paths: Sequence[str], options: str) -> str:
    """The rows of exactly these CSV files. All options that guess (types, line ends, quotes, folder columns) are off."""
    return f"read_csv({_files(paths)}, auto_detect = false, hive_partitioning = false, {options})"


def parquet_file(path: str, options: str = "") -> str:
    """The rows of exactly this Parquet file, without columns from the names of its folders."""
    return f"read_parquet({_files([path])}, hive_partitioning = false{options})"


def parquet_schema(path: str) -> str:
    """The columns of a Parquet file, from its footer."""
    return f"parquet_schema({_files([path])})"


def parquet_metadata(paths: Sequence[str]) -> str:
    """A row for each Parquet file, from its footer."""
    return f"parquet_file_metadata({_files(paths)})"


def _files(paths: Sequence[str]) -> str:
    return _list(map(_one_file, paths))


def _one_file(path: str) -> str:
    """A pattern that matches only this path. It is absolute, since a relative path may begin like a URL or the home folder."""
    return re.sub(r"([*?\[])", r"[\1]", os.path.abspath(path))


class DuckDBDialect(Dialect):
    """See `sql_rows.Dialect`."""

    wide = "HUGEINT"
    octets, hash_function, unnest, array_position = "strlen", "hash", "unnest", "list_position"

    def array(self, words: Sequence[str]) -> str:
        return _list(words)

    def harmless(self, column: str) -> str:
        # Most ids have only letters, digits, `-`, `.`, `_` and `~`; this test takes half the time of a pattern.
        plain = f"strlen(url_encode({column})) = strlen({column})"
        return f"CASE WHEN {plain} THEN true ELSE regexp_full_match({column}, '{_HARMLESS}') END"

    def whole_quotient(self, numerator: str, denominator: int, *, wide: bool = False) -> str:
        del wide
        return f"{numerator} // {denominator}"

    def tidied(self, column: str) -> str:
        # Most ids are plain; these tests take a third of the time of a pattern.
        plain = (
            f"strlen({column}) = length({column}) AND NOT starts_with({column}, ' ') AND NOT ends_with({column}, ' ')"
        )
        tidy = f"trim(translate({column}, '{SPACES + UNSEEN}', '{' ' * len(SPACES)}'), ' ')"
        return f"CASE WHEN {plain} THEN {column} ELSE {tidy} END"

    def epoch(self, text: str, assumed_offset: int | None) -> str:
        instant = (
            f"WHEN regexp_full_match({text}, '{LOCAL_TIME}{OFFSET}') THEN epoch_us(try_cast({text} AS TIMESTAMPTZ))"
        )
        naive = (
            ""
            if assumed_offset is None
            else f"WHEN regexp_full_match({text}, '{LOCAL_TIME}')"
            f" THEN epoch_us(try_cast({text} AS TIMESTAMP)) - {assumed_offset * MICROS}"
        )
        return f"CASE {instant} {naive} END"

    def micros(self, text: str) -> str:
        decimal = f"try_cast({text} AS DECIMAL(18,6))"
        return f"CASE WHEN regexp_full_match({text}, '{QUANTITY}') THEN {_scaled(decimal)} WHEN {text} = '' THEN -1 END"

    def pixels(self, text: str) -> str:
        number = f"try_cast({text} AS INTEGER)"
        return (
            f"CASE WHEN {text} = '' THEN 0"
            f" WHEN {number} BETWEEN 1 AND 999999 AND {number}::VARCHAR = {text} THEN {number} END"
        )


DIALECT = DuckDBDialect()


@dataclass(frozen=True, slots=True)
class Reading:
    """How CSV is read: by columns, or by lines in an encoding; `plain` if most lines match one pattern."""

    encoding: str = ""
    plain: bool = False


def csv_rows(paths: Sequence[str], form: FileForm, scheme: MeteringScheme, reading: Reading) -> RowSource:
    """CSV files with the same header."""
    if not reading.encoding:
        return _by_columns(paths, form)
    by_lines = _by_lines(paths, form, reading.encoding)
    return _by_plain_lines(by_lines, form, word_lists(scheme), reading.encoding) if reading.plain else by_lines


def _by_columns(paths: Sequence[str], form: FileForm) -> RowSource:
    """CSV with every column as text. The line of a row is the one without quotes."""
    names = [place_name(number) for number in range(len(form.layout.names))]
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    line = f"concat_ws(',', {', '.join(names)})"
    relation = csv_files(
        paths,
        "strict_mode = true, header = true, delim = ',', quote = '\"', escape = '\"', null_padding = false,"
        f" ignore_errors = false, columns = {{{columns}}},"
        f" force_not_null = {_list(names)}",
    )
    return text_source(DIALECT, relation, names, form, carried=tuple(names), line=line)


def _by_lines(paths: Sequence[str], form: FileForm, encoding: str) -> RowSource:
    """CSV by lines, headers included; a line that is not plainly a row is in doubt.

    In the encoding `latin-1` every byte is a character, so lines may contain anything; those beyond ASCII are in doubt.
    """
    lines = csv_files(
        paths,
        f"strict_mode = true, header = false, delim = '{_NO_DELIMITER}', quote = '', escape = '', null_padding = false,"
        f" ignore_errors = false, encoding = '{encoding}', columns = {{'line': 'VARCHAR'}}, force_not_null = ['line']",
    )
    bare = (
        "CASE WHEN contains(line, '\"') THEN"
        f" CASE WHEN regexp_full_match(line, '{_PLAINLY_QUOTED}') THEN replace(line, '\"', '') END ELSE line END"
    )
    relation = f"(SELECT line, string_split({bare}, ',') AS fields FROM {lines} WHERE ltrim(line, ',') <> '')"
    texts = [f"coalesce(fields[{number}], '')" for number in range(1, len(form.layout.names) + 1)]
    shape = f"len(fields) = {len(form.layout.names)}"
    tests = (shape,) if encoding == "utf-8" else (shape, r"NOT regexp_matches(line, '[^\x00-\x7f]')")
    return text_source(DIALECT, relation, texts, form, tests, ("line",), "line")


def _by_plain_lines(
    by_lines: RowSource, form: FileForm, words: Mapping[str, Sequence[str]], encoding: str
) -> RowSource:
    """The same lines, but every line that does not match one pattern is in doubt, such as a line with other words. One pattern
    for the whole line takes no longer than those of its columns, and leaves few rows in doubt if most are good."""
    pattern = _plain_line(form, words, ascii_only=encoding != "utf-8")
    fields = [f"fields[{number}]" for number in range(1, len(form.layout.names) + 1)]
    completed_at, quantity = (fields[form.layout.index[name]] for name in ("completed_at", "quantity"))
    decimal = f"try_cast({quantity} AS DECIMAL(18,6))"
    return replace(
        by_lines,
        epoch=f"epoch_us(try_cast({completed_at} AS TIMESTAMPTZ))" if form.assumed_offset is None else by_lines.epoch,
        micros=f"CASE WHEN {quantity} = '' THEN -1 ELSE {_scaled(decimal)} END",
        tests=(f"regexp_full_match(line, {literal(pattern)})",),
        well_formed=True,
    )


def _plain_line(form: FileForm, words: Mapping[str, Sequence[str]], *, ascii_only: bool) -> str:
    """A pattern for lines whose values have the right form and whose words are known."""
    text = "[ !#-+--~]" if ascii_only else r'[^\x00-\x1f\x7f",]'
    fields = [f"{text}*"] * len(form.layout.names)
    forms = {
        "job_id": f"{text}+",
        ACCOUNT_COLUMN: f"{text}+",
        "completed_at": LOCAL_TIME + (OFFSET if form.assumed_offset is None else f"({OFFSET})?"),
        "quantity": f"({QUANTITY})?",
        "width": f"({SIDE})?",
        "height": f"({SIDE})?",
        "status": f"(?i:{_any_of(STATUSES)})",
        # A column with very many known words may hold any text.
        **{name: _any_of(known) for name, known in words.items() if len(known) <= _MAX_WORDS},
    }
    for name, number in form.layout.index.items():
        fields[number] = forms.get(name, fields[number])
    return ",".join(f'("({field})"|({field}))' for field in fields)


def _any_of(words: Iterable[str]) -> str:
    return f"({'|'.join(map(re.escape, words))})"


def parquet_rows(path: str, form: FileForm, types: Sequence[str]) -> RowSource:
    """A Parquet file with its row numbers; `types` are the DuckDB types of its columns. Numbers and times of exact types are read
    directly, all other columns as text. The carried columns are the row number and `column_value` of each column."""
    names = [place_name(number) for number in range(len(types))]
    values = [column_value(name, type_) for name, type_ in zip(names, types, strict=True)]
    carried = [f"text_{number}" for number in range(len(types))]
    shown = ", ".join(f"{value} AS {text}" for value, text in zip(values, carried, strict=True))
    file = parquet_file(path, f", {ROW_NUMBER} = true")
    relation = f"(SELECT *, {shown} FROM {file} AS file({', '.join(names)}, row_number))"
    # A binary value that is not text becomes NULL, so that its row is in doubt.
    texts = [
        f"CASE WHEN {name} IS NULL THEN '' ELSE {f'try(decode({name}))' if type_ == BINARY else value} END"
        for name, type_, value in zip(names, types, values, strict=True)
    ]
    lengths = " + ".join(
        f"coalesce({'octet_length' if type_ == BINARY else 'strlen'}({value}), 0)"
        for type_, value in zip(types, values, strict=True)
        if not _is_short(type_)
    )
    by_text = text_source(DIALECT, relation, texts, form)
    typed = {column: (names[number], types[number]) for column, number in form.layout.index.items()}
    whole: dict[str, str] = {
        side: pixels for side in ("width", "height") if side in typed and (pixels := _whole_pixels(*typed[side]))
    }
    return RowSource(
        relation,
        {**by_text.values, **whole},
        epoch=_typed_epoch(*typed["completed_at"], form.assumed_offset) or by_text.epoch,
        micros=_typed_micros(*typed["quantity"]) or by_text.micros,
        width="width" if "width" in whole else by_text.width,
        height="height" if "height" in whole else by_text.height,
        tests=(f"{lengths or 0} <= {MAX_ROW_BYTES - _SHORT * len(types)}",),
        carried=("row_number", *carried),
    )


def column_value(column: str, type_: str) -> str:
    """SQL for a column of a Parquet file as text: instants in UTC, decimals without trailing zeros, text and whole numbers
    unchanged. Binary columns stay binary."""
    if type_.startswith("DECIMAL"):
        # DuckDB writes a DECIMAL(3,3) without the zero before the point.
        text = f"regexp_replace(CAST({column} AS VARCHAR), '^(-?)[.]', '\\10.')"
        trimmed = f"regexp_replace({text}, '0+$', '')"
        return f"CASE WHEN contains({trimmed}, '.') THEN rtrim({trimmed}, '.') ELSE {text} END"
    if type_ in _LOCAL_TIMES:
        return f"strftime({_local(column, type_)}, '%Y-%m-%dT%H:%M:%S.%f')"
    if type_ in _INSTANTS:
        return f"strftime({_instant(column, type_)} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    return column if type_ == BINARY else f"CAST({column} AS VARCHAR)"


def _local(column: str, type_: str) -> str:
    """A time without a zone in whole microseconds; finer fractions are rounded down, as they are in a text."""
    return f"make_timestamp(epoch_ns({column}) // 1000)" if type_ == "TIMESTAMP_NS" else f"CAST({column} AS TIMESTAMP)"


def _instant(column: str, type_: str) -> str:
    return f"make_timestamptz(epoch_ns({column}) // 1000)" if type_ == "TIMESTAMPTZ_NS" else column


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, words))}]"


def _scaled(decimal: str) -> str:
    """A DECIMAL(18,6) multiplied by a million, as BIGINT."""
    scale = 10**QUANTITY_PLACES
    return (
        f"CASE WHEN {decimal} < 1000000 THEN ({decimal} * {scale})::BIGINT"
        f" ELSE ({decimal}::DECIMAL(38,6) * {scale})::BIGINT END"
    )


def _whole_pixels(side: str, type_: str) -> str | None:
    if not _is_whole(type_):
        return None
    return f"CASE WHEN {side} IS NULL THEN 0 WHEN {side} BETWEEN 1 AND 999999 THEN {side}::INTEGER END"


def _typed_epoch(column: str, type_: str, assumed_offset: int | None) -> str | None:
    if type_ in _INSTANTS:
        moment, offset = f"epoch_us({_instant(column, type_)})", 0
    elif type_ not in _LOCAL_TIMES:
        return None
    elif assumed_offset is None:
        return "NULL::BIGINT"
    else:
        moment, offset = f"epoch_us({_local(column, type_)})", assumed_offset
    return f"CASE WHEN {moment} < {YEAR_3000} THEN {moment} - {offset * MICROS} END"


def _typed_micros(column: str, type_: str) -> str | None:
    if type_.startswith("DECIMAL"):
        places = int(type_.rstrip(")").partition(",")[2])
        if places > QUANTITY_PLACES:
            return None
        millionths = _scaled(f"try_cast({column} AS DECIMAL(18,6))")
        return f"CASE WHEN {column} IS NULL THEN -1 WHEN {column} >= 0 THEN {millionths} END"
    if _is_whole(type_):
        most = (MAX_MICROS + 1) // 10**QUANTITY_PLACES
        return (
            f"CASE WHEN {column} IS NULL THEN -1"
            f" WHEN {column} >= 0 AND {column} < {most} THEN {column}::BIGINT * {10**QUANTITY_PLACES} END"
        )
    return None


def _is_short(type_: str) -> bool:
    """Whether every value of the type is short as text."""
    return _is_whole(type_) or type_ in (*_LOCAL_TIMES, *_INSTANTS) or type_.startswith("DECIMAL")


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
