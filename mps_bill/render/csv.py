"""Records as CSV: RFC 4180 rows with `\\r\\n` line ends."""

from __future__ import annotations

import csv
from typing import IO

from mps_bill.render.cells import as_data
from mps_bill.view.tables import Records, Value


def write(records: Records, stream: IO[str], *, header: bool = True) -> None:
    """Writes the header, where it does not stand there already, and the rows."""
    writer = csv.writer(stream)
    if header:
        writer.writerow([column.key for column in records.columns])
    columns = [(column.key, column.kind) for column in records.columns]
    for row in records.rows:
        writer.writerow([_cell(row.get(key), kind) for key, kind in columns])


def _cell(value: Value, kind: str) -> str:
    return spreadsheet_text(value) if isinstance(value, str) else as_data(value, kind)  # type: ignore[arg-type]


def spreadsheet_text(cell: str) -> str:
    """Text that a spreadsheet will not take for a formula: one that starts like a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
