"""Files that are not CSV in the form of usage files: one message with the cause and the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

from mps_bill.core.diagnostics import Kind, quoted
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.csv_rows import Row, read_rows
from mps_bill.metering.usage_columns import REQUIRED_COLUMNS

_SAVE = 'in Excel, save the sheet as "CSV UTF-8 (Comma delimited)"'
WORKBOOK = f"this is an Excel workbook, not CSV; {_SAVE}"
#: The first bytes of files that are often wrongly named .csv, and what to do with them.
_STARTS = {
    b"PK\x03\x04": WORKBOOK,
    b"\xd0\xcf\x11\xe0": WORKBOOK,
    b"\x1f\x8b": "this is compressed with gzip; name it .csv.gz",
    b"\x28\xb5\x2f\xfd": "this is compressed with zstd; name it .csv.zst",
    b"PAR1": "this is Parquet; name it .parquet",
}
WORKBOOK_ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
#: The line `sep=;`, which tells Excel the separator.
_HINT = re.compile(r'"?sep=(.)"?,*', re.IGNORECASE)
_SEPARATORS = {";": '";"', "\t": "a TAB", "|": '"|"'}


def foreign_form(header: Row, known: Callable[[str], bool]) -> tuple[Kind, str] | None:
    """Why the first row of a file is not a header with `known` columns, if the whole file has another form."""
    raw = header.raw
    for start, message in _STARTS.items():
        if raw.startswith(start):
            return kinds.UNREADABLE_FILE, message
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in raw[:4]:
        return kinds.NOT_UTF8, f"the file is UTF-16, and must be UTF-8; {_SAVE}"
    line = raw.decode("utf-8", "replace")
    if hint := _HINT.fullmatch(line):
        remedy = "" if hint[1] == "," else ' and separate the columns by ","'
        return kinds.UNREADABLE_FILE, f"{quoted(line)} is a hint for Excel, not a header; delete this line{remedy}"
    found = _known(line.split(","), known)
    for separator, called in _SEPARATORS.items():
        if _known(line.split(separator), known) > found:
            return (
                kinds.UNREADABLE_FILE,
                f'the columns are separated by {called}, and must be separated by ","; {_SAVE}',
            )
    return None


def has_usage_columns(stream: BinaryIO) -> bool:
    """Whether the header of a table has a column that only usage has."""
    header = next(read_rows(stream), None)
    return header is not None and any(name.strip() in REQUIRED_COLUMNS for name in header.fields)


def _known(names: list[str], known: Callable[[str], bool]) -> int:
    return sum(known(name.strip(' "')) for name in names)
