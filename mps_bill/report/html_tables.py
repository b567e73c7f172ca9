"""Data tables as HTML: caption, header cells with their scope, totals, decimal points under each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from mps_bill.core.decimals import AMOUNT_PLACES, amount_text, plain, stripped
from mps_bill.core.diagnostics import printable
from mps_bill.core.times import clock
from mps_bill.report.data_tables import DataTable, Field, Moment, Value

_NUMBERS = ("count", "quantity", "price", "amount")
#: Fields that take room and tell little beside the others; the filter finds their words all the same.
_UNSEEN = ("Item name", "Family", "Tier", "Billed quantity")
#: Fields of which the text stands in brackets behind that of another.
_BEHIND = {"Spec": "Tier"}


def html_table(table: DataTable, name: str = "", choices: Sequence[str] = ()) -> str:
    """A table that scrolls in its box. What is the same in every row is said once above it, not in a column.

    With `choices` (titles of fields) the rows carry what a filter needs: their choices, words that are not seen, and
    their amount in units of its tenth decimal.
    """
    seen, same = _seen(table)
    said = " · ".join(f"{table.fields[index].title} {as_text(table.rows[0][index])}" for index in same)
    fractions = {index: _fraction(table, index) for index in seen}
    behind = {table.index(of): table.index(title) for of, title in _BEHIND.items() if {of, title} <= set(table.titles)}
    heads = "".join(
        f'<th scope="col"{_look(table.fields[index])}>{safe(table.fields[index].title)}</th>' for index in seen
    )
    body = (
        f"<tr{_marks(table, row, seen, choices)}>{''.join(_cells(row, table.fields, seen, fractions, behind))}</tr>"
        for row in table.rows
    )
    foot = ""
    if any(table.fields[index].summed for index in seen):
        totals: list[Value] = [table.total(index) if field.summed else None for index, field in enumerate(table.fields)]
        totals[seen[0]] = "Total"
        foot = f"<tfoot><tr>{''.join(_cells(totals, table.fields, seen, fractions, {}))}</tr></tfoot>"
    label = safe(table.title)
    attributes = f' id="{name}"' if name else ""
    shape = " narrow" if len(seen) < 4 else " pinned" if table.fields[seen[-1]].kind == "amount" else ""
    return (
        (f'<p class="remark">In every row: {safe(said)}</p>' if said else "")
        + f'<div class="scroll{shape}" tabindex="0" role="region" aria-label="{label}, table"><table{attributes}>'
        + f"<caption>{label}</caption><thead><tr>{heads}</tr></thead>\n<tbody>"
        + "\n".join(body)
        + f"</tbody>\n{foot}</table></div>"
    )


def _seen(table: DataTable) -> tuple[list[int], list[int]]:
    """The fields that are columns, and those that have one value in all of several rows. Empty ones are neither."""
    seen, same = [], []
    for index, field in enumerate(table.fields):
        values = {row[index] for row in table.rows}
        if field.title in _UNSEEN or values == {None} or (field.may_hide and not any(values)):
            continue
        if field.kind == "text" and len(values) == 1 and len(table.rows) > 1:
            same.append(index)
        else:
            seen.append(index)
    return seen, same


def _marks(table: DataTable, row: Sequence[Value], seen: Sequence[int], choices: Sequence[str]) -> str:
    if not choices:
        return ""
    marks = [(title.lower(), as_text(row[table.index(title)])) for title in choices]
    unseen = (as_text(row[index]) for index in range(len(row)) if index not in seen)
    marks.append(("words", " ".join(unseen)))
    amount = row[table.index("Amount")]
    marks.append(("amount", str(int(amount.scaleb(AMOUNT_PLACES)))))  # type: ignore[union-attr]
    return "".join(f' data-{key}="{safe(value)}"' for key, value in marks)


def _cells(
    row: Sequence[Value],
    fields: Sequence[Field],
    seen: Sequence[int],
    fractions: dict[int, int],
    behind: dict[int, int],
) -> Iterator[str]:
    for index in seen:
        field = fields[index]
        text = as_text(row[index], field)
        if index in behind and row[behind[index]] is not None:
            text += f" ({as_text(row[behind[index]])})"
        if index == seen[0]:
            yield f'<th scope="row">{safe(text)}</th>'
        else:
            missing = fractions[index] - len(text.partition(".")[2]) if text else 0
            yield f"<td{_look(field, text, missing)}>{safe(text)}</td>"


def _look(field: Field, text: str = "", missing: int = 0) -> str:
    """The classes of a cell; `missing` decimals are made up for by room, so that decimal points line up."""
    if field.kind not in _NUMBERS:
        return ""
    names = ["n", *([f"p{missing}"] if missing else []), *(["minus"] if text.startswith("-") else [])]
    return f' class="{" ".join(names)}"'


def _fraction(table: DataTable, index: int) -> int:
    """The most decimals of a column, its total among them."""
    field = table.fields[index]
    if field.kind not in ("quantity", "price", "amount"):
        return 0
    values: list[Value] = [row[index] for row in table.rows]
    values += [table.total(index)] if field.summed else []
    return max(len(as_text(value, field).partition(".")[2]) for value in values)


def as_text(value: Value, field: Field | None = None) -> str:
    """A value as people read it; an empty cell is empty."""
    if value is None:
        return ""
    if isinstance(value, Moment):
        return clock(value.second, value.offset)
    if isinstance(value, int | str):
        return str(value)
    if field and field.kind == "amount":
        return amount_text(value)
    return plain(value) if field and field.kind == "price" else stripped(value)


def safe(text: str) -> str:
    """Text that is no markup, with nothing in it that hides or reverses what is beside it."""
    return escape(printable(text))
