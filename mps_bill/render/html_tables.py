"""Tables as HTML: a caption, header cells with their scope, totals, and aligned decimal points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from mps_bill.core.decimals import AMOUNT_PLACES
from mps_bill.core.diagnostics import printable
from mps_bill.core.language import tr
from mps_bill.render.cells import as_text, cell_text
from mps_bill.view.columns import As, Column, Columns, Row, Value, number
from mps_bill.view.tables import Table

#: Columns that take space and add little to the others; the filter still finds their words.
_UNSEEN = ("item_name", "family", "tier", "billed_quantity")
#: Columns that show the text of another column in brackets.
_IN_BRACKETS = {"spec": "tier"}


def html_table(table: Table, name: str = "", choices: Sequence[str] = ()) -> str:
    """Return a table that scrolls in its box. A value that is the same in every row is shown once above the table.

    With `choices` (keys of columns) the rows carry the data of the filter: their choices, the words of hidden columns, and
    their amount in units of its tenth decimal.
    """
    columns = table.columns
    rows = [tuple(map(_shown, row)) for row in table.values]
    seen, same = _seen(columns, rows)
    common = " · ".join(f"{columns[index].label} {as_text(rows[0][index])}" for index in same)
    above = safe(tr("In every row: {values}", values=common))
    totals = [table.total(index) if column.summed else None for index, column in enumerate(columns)]
    below = [tuple(map(_shown, row)) for row in table.totals]
    if any(columns[index].summed for index in seen):
        below = [tuple(tr("Total") if index == seen[0] else total for index, total in enumerate(totals))]
    fractions = {index: _fraction(columns[index], [row[index] for row in (*rows, *below)]) for index in seen}
    keys = [column.key for column in columns]
    brackets = {keys.index(of): keys.index(key) for of, key in _IN_BRACKETS.items() if {of, key} <= set(keys)}
    heads = "".join(f'<th scope="col"{_look(columns[index])}>{safe(columns[index].label)}</th>' for index in seen)
    body = (
        f"<tr{_marks(table, row, seen, choices)}>{''.join(_cells(row, columns, seen, fractions, brackets))}</tr>"
        for row in rows
    )
    foot = "".join(f"<tr>{''.join(_cells(row, columns, seen, fractions, {}))}</tr>" for row in below)
    foot = f"<tfoot>{foot}</tfoot>" if foot else ""
    label = safe(table.title)
    role = safe(tr("{title}, table", title=table.title))
    attributes = f' id="{name}"' if name else ""
    shape = " narrow" if len(seen) < 4 else " pinned" if columns[seen[-1]].kind == "amount" else ""
    return (
        (f'<p class="remark">{above}</p>' if common else "")
        + f'<div class="scroll{shape}" tabindex="0" role="region" aria-label="{role}"><table{attributes}>'
        + f"<caption>{label}</caption><thead><tr>{heads}</tr></thead>\n<tbody>"
        + "\n".join(body)
        + f"</tbody>\n{foot}</table></div>"
    )


def _shown(value: Value) -> Value:
    """Return a value as a number that can be summed, unless it is shown as another kind."""
    return value if isinstance(value, As) else number(value)


def _seen(columns: Columns, rows: Sequence[Row]) -> tuple[list[int], list[int]]:
    """Return the columns to show, and those with the same value in all of several rows. Empty columns are in neither list."""
    seen, same = [], []
    for index, column in enumerate(columns):
        values = {row[index] for row in rows}
        if column.key in _UNSEEN or values == {None} or (column.may_hide and not any(values)):
            continue
        if column.kind == "text" and len(values) == 1 and len(rows) > 1:
            same.append(index)
        else:
            seen.append(index)
    return seen, same


def _marks(table: Table, row: Row, seen: Sequence[int], choices: Sequence[str]) -> str:
    if not choices:
        return ""
    marks = [(key, as_text(row[table.index(key)])) for key in choices]
    marks.append(("words", " ".join(as_text(row[index]) for index in range(len(row)) if index not in seen)))
    amount = row[table.index("amount")]
    marks.append(("amount", str(int(amount.scaleb(AMOUNT_PLACES)))))  # type: ignore[union-attr]
    return "".join(f' data-{key}="{safe(value)}"' for key, value in marks)


def _cells(
    row: Sequence[Value], columns: Columns, seen: Sequence[int], fractions: dict[int, int], brackets: dict[int, int]
) -> Iterator[str]:
    for index in seen:
        column = columns[index]
        text = cell_text(row[index], column)
        if index in brackets and row[brackets[index]] is not None:
            text += f" ({as_text(row[brackets[index]])})"
        if index == seen[0]:
            yield f'<th scope="row">{safe(text)}</th>'
        else:
            missing = fractions[index] - len(text.partition(".")[2]) if text else 0
            yield f"<td{_look(column, text, missing)}>{safe(text)}</td>"


def _look(column: Column, text: str = "", missing: int = 0) -> str:
    """Return the classes of a cell. Space in place of missing decimals, and of a missing point, keeps the points aligned."""
    if not column.is_number:
        return ""
    names = [
        "n",
        *([f"p{missing}"] if missing else []),
        *(["whole"] if missing and "." not in text else []),
        *(["minus"] if text.startswith("-") else []),
    ]
    return f' class="{" ".join(names)}"'


def _fraction(column: Column, values: Sequence[Value]) -> int:
    """Return the maximum number of decimals in a column, including its total."""
    if not column.is_number or column.kind == "count":
        return 0
    return max(len(cell_text(value, column).partition(".")[2]) for value in values)


def safe(text: str) -> str:
    """Escape markup, and characters that could hide or reverse the text around them."""
    return escape(printable(text))
