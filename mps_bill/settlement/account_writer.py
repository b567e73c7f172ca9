"""The text of an account file after a run: the text before it, with only the values changed that the run has changed.

Single values are replaced in place, so that the order of keys, comments and layout are kept. Keys that only the program writes
(`outstanding`, `month_used`, ...) are replaced as a whole or added in their order. Another missing key is added at the end, and a
key whose value becomes the default stays, with that value. The text is read back before it is saved (`settlement.save`); if the
layout cannot be edited like this, the file is written afresh.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mps_bill.core.decimals import amount_text
from mps_bill.core.times import HOUR, Calendar, iso
from mps_bill.documents.yaml_tree import ListNode, MapEntry, MapNode, Node, ScalarNode, read_tree
from mps_bill.settlement import account_format as f
from mps_bill.settlement.account import EVERY_PRODUCT, Account, Debt
from mps_bill.settlement.entries import Written, default_of, row

#: Text that YAML reads unchanged, also between brackets.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_PLAIN_TIME = re.compile(r"[0-9T:+-]+")


class CannotEdit(Exception):
    """Values cannot be replaced in the layout of the text."""


def edited(text: str, before: Account, after: Account, offset: int) -> str:
    """Edit `text`, the file that `before` was read from, into the file of `after`. Times are shown on the clock of `offset`.

    Raises:
        CannotEdit: a value has a form (an alias, a block of text) that cannot be replaced.
    """
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    root, _ = read_tree(body, "")
    if root is None or _Page(body).is_flow(root):
        raise CannotEdit
    page = _Page(body)
    old, new = _entries(before, offset), _entries(after, offset)
    keys = list(new)
    for number, key in enumerate(keys):
        value = new[key]
        if value == old[key]:
            continue
        if key in _KEPT:
            page.set_block(root, key, _lines(key, value), keys[number + 1 :])
        elif not value or not old[key]:
            page.set_block(root, key, _lines(key, value or default_of(_FIELDS[key], offset)), ())
        elif isinstance(value, str):
            page.set(root, key, value)
        else:
            _edit_rows(page, _list(root, key), old[key], value)
    return mark + page.text()


def afresh(account: Account, offset: int) -> str:
    """Write the whole file of an account from its values."""
    lines = [f"{f.FORMAT.key}: {f.FORMAT_NAME}", f"id: {_word(account.id)}", f"{f.CURRENCY.key}: {account.currency}"]
    for key, value in _entries(account, offset).items():
        lines += _lines(key, value)
    return "".join(f"{line}\n" for line in lines)


_KEPT = frozenset(field.key for field in f.KEPT)
_FIELDS = {field.key: field for field in f.ACCOUNT.fields}


def _entries(account: Account, offset: int) -> dict[str, Any]:
    """The value of every key except the first three, in the order of the format; empty if the key is left out."""
    entries: dict[str, Any] = {field.key: None for field in f.ACCOUNT.fields[3:]}
    for source in account.sources:
        entries |= source.written(offset)
    times = {product: iso(second, offset) for product, second in account.settled_through.items()}
    single_debts, debt_months = _by_month(account.outstanding, offset)
    state = replace(account, outstanding=single_debts)
    return (
        entries
        | row(f.CONTRACT, account.contract, offset)
        | row(_AS_THEY_ARE, state, offset)
        | {
            "settled_through": None if not times else iso(min(account.settled_through.values()), offset),
            "settled_through_by_product": None if set(times) <= {EVERY_PRODUCT} else dict(sorted(times.items())),
            "outstanding_months": debt_months,
        }
    )


#: The keys whose values are written as the account has them.
_AS_THEY_ARE = (f.TOP_UPS, f.SETTLED_AT, f.OUTSTANDING, f.FROZEN, f.MONTH_USED, f.CHARGED, f.CHARGED_MONTHS)


_Flow = Mapping[str, Written]
#: The maximum number of outstanding bills of a month with a row each.
_SINGLE_DEBTS = 24


def _by_month(debts: Sequence[Debt], offset: int) -> tuple[list[Debt], list[_Flow]]:
    """The debts with a row each, and the rows of months that have many, so that a long list of debts remains readable."""
    calendar = Calendar(HOUR, offset)
    months: dict[tuple[str, str, int], list[Debt]] = {}
    for debt in debts:
        if debt.month is None and calendar.cycle_start(debt.cycle_start) == debt.cycle_start:
            key = (debt.product, calendar.month(debt.cycle_start), debt.issued_at - debt.cycle_start)
            months.setdefault(key, []).append(debt)
    many = {key: found for key, found in months.items() if len(found) > _SINGLE_DEBTS}
    together = {id(debt) for found in many.values() for debt in found}
    rows: list[_Flow] = []
    for (product, month, lag), found in many.items():
        start = calendar.month_start(month)
        words = (f"{(debt.cycle_start - start) // HOUR}={amount_text(debt.amount)}" for debt in found)
        rows.append(
            {"product": product, "from": iso(start, offset), "issued_after": str(lag), "amounts": " ".join(words)}
        )
    return [debt for debt in debts if id(debt) not in together], rows


def _lines(key: str, value: Written | None) -> list[str]:
    """The lines of a key and its value, a list with one entry per line. Without a value there are none."""
    if not value:
        return []
    if isinstance(value, str | Mapping):
        return [f"{key}: {_flow(value)}"]
    return [f"{key}:", *(f"  - {_flow(row)}" for row in value)]


def _flow(value: Written) -> str:
    if isinstance(value, str):
        return _word(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_word(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    return "[" + ", ".join(map(_flow, value)) + "]"


def _word(text: str) -> str:
    """A word as YAML text, quoted if YAML could read it differently."""
    if _PLAIN.fullmatch(text) or _PLAIN_TIME.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _edit_rows(page: _Page, nodes: Sequence[Node], before: Sequence[_Flow], after: Sequence[_Flow]) -> None:
    """Change single values of entries; add a new key after the one that precedes it."""
    for node, old, new in zip(nodes, before, after, strict=True):
        beside = ""
        for key, value in new.items():
            if value != old.get(key):
                page.set(node, key, str(value), beside)
            beside = key


def _entry(node: Node, key: str) -> MapEntry | None:
    if not isinstance(node, MapNode):
        raise CannotEdit
    return next((entry for entry in node.entries if entry.key.text == key), None)


def _list(root: MapNode, key: str) -> tuple[Node, ...]:
    entry = _entry(root, key)
    if entry is None:
        return ()
    if not isinstance(entry.value, ListNode):
        raise CannotEdit
    return entry.value.parts


class _Page:
    """A text and the changes to be made to it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
        self._eol = "\r\n" if "\r\n" in text else "\n"
        self._changes: list[tuple[int, int, str]] = []
        self._added: list[str] = []

    def is_flow(self, node: MapNode) -> bool:
        """Whether a mapping is written between braces."""
        return self._text.startswith("{", self._at(node))

    def set(self, node: Node, key: str, value: str, beside: str = "") -> None:
        """Set the value of a key of a mapping; add a new key after the value of `beside`."""
        entry, neighbour = _entry(node, key), _entry(node, beside)
        if entry:
            self._replace(entry.value, value)
            return
        assert isinstance(node, MapNode)
        if neighbour is None:
            raise CannotEdit
        end = neighbour.value.end
        if self.is_flow(node):
            self._changes.append((end, end, f", {key}: {value}"))
        else:
            line = " " * (neighbour.key.place.column - 1) + f"{key}: {value}"
            at, is_last = self._next_line(end), self._starts[-1] <= end
            self._changes.append((at, at, self._eol + line if is_last else line + self._eol))

    def set_block(self, root: MapNode, key: str, lines: list[str], followers: Sequence[str]) -> None:
        """Replace a key of the document and its value by `lines` (none: remove it). Add a missing key before the first of
        `followers` that exists, or else at the end."""
        entry = _entry(root, key)
        if entry is None:
            follower = next((found for name in followers if (found := _entry(root, name))), None)
            if follower is None:
                self._added += lines
            else:
                start = self._starts[follower.key.place.line - 1]
                self._changes.append((start, start, "".join(line + self._eol for line in lines)))
        elif len(lines) == 1 and isinstance(entry.value, ScalarNode):
            self._replace(entry.value, lines[0].partition(": ")[2])
        else:
            start, end = self._starts[entry.key.place.line - 1], self._next_line(entry.value.end)
            self._changes.append((start, end, "".join(line + self._eol for line in lines)))

    def text(self) -> str:
        parts, reached = [], 0
        # Additions at one position keep their order.
        for start, end, new in sorted(self._changes, key=lambda change: change[:2]):
            parts += [self._text[reached:start], new]
            reached = end
        text = "".join(parts) + self._text[reached:]
        if self._added and not text.endswith(("\n", "\r")):
            text += self._eol
        return text + "".join(line + self._eol for line in self._added)

    def _at(self, node: Node) -> int:
        return self._starts[node.place.line - 1] + node.place.column - 1

    def _replace(self, node: Node, value: str) -> None:
        """Replace a single value; a block of text cannot be, because it has its own layout rules."""
        start = self._at(node)
        if not isinstance(node, ScalarNode) or (node.quoted and self._text[start] in "|>"):
            raise CannotEdit
        self._changes.append((start, node.end, value))

    def _next_line(self, behind: int) -> int:
        """The start of the line after the one with the position `behind`, or else the end of the text."""
        return next((start for start in self._starts if start > behind), len(self._text))
