"""Records as CSV: RFC 4180 rows with `\\r\\n` line ends."""

from __future__ import annotations

import csv
from typing import IO

from mps_bill.render.cells import as_data
from mps_bill.view.columns import Value
from mps_bill.view.tables import Records


def write(records: Records, stream: IO[str], *, header: bool = True) -> None:
    """Write the header, unless it is already written, and the rows."""
    writer = csv.writer(stream)
    if header:
        writer.writerow([column.key for column in records.columns])
    columns = [(index, column.key, column.kind) for index, column in enumerate(records.columns)]
    values: list[Value] = [None] * len(columns)
    cells = [""] * len(columns)
    for row in records.rows:
        for index, key, kind in columns:
            value = row.get(key)
            # The first values are the same objects on every line of a bill, and are converted once.
            if value is not values[index]:
                values[index] = value
                cells[index] = spreadsheet_text(value) if isinstance(value, str) else as_data(value, kind)
        writer.writerow(cells)


def spreadsheet_text(cell: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
