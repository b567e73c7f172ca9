"""The text of an account file after a run: the text before it, with nothing changed but what the run has changed.

Single values are replaced where they stand, so that the order of keys, comments and layout are kept. What the program
writes by itself (`outstanding`, `month_used`, ...) is replaced as a whole or added in its order. Whoever saves the text reads
it back first (`settlement.save`); where the layout is one that cannot be edited so, the file is written afresh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from mps_bill.core.decimals import amount_text, plain, scaled, stripped
from mps_bill.core.shape import Field
from mps_bill.core.times import HOUR, Calendar, iso
from mps_bill.core.units import QUANTITY_PLACES
from mps_bill.core.yaml_tree import ListNode, MapEntry, MapNode, Node, ScalarNode, read_tree
from mps_bill.settlement import definition as d
from mps_bill.settlement.account import EVERY_PRODUCT, Account, Debt, ResourcePlan, StoredValueCard, Voucher

#: Text that YAML reads as it stands, also between brackets.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_PLAIN_TIME = re.compile(r"[0-9T:+-]+")


class CannotEdit(Exception):
    """The layout of the text is one that values cannot be replaced in."""


def edited(text: str, before: Account, after: Account, offset: int) -> str:
    """`text`, the file that `before` was read from, as the file of `after`. `offset` is the clock that times are shown on.

    Raises:
        CannotEdit: a value stands in a form (an alias, a block of text) that cannot be replaced.
    """
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    root, _ = read_tree(body, "")
    if root is None or _Page(body).is_flow(root):
        raise CannotEdit
    page = _Page(body)
    if after.balance != before.balance:
        page.set(root, d.BALANCE, amount_text(after.balance), d.BALANCE)
    _set_remaining(page, root, d.RESOURCE_PLANS, before.plans, after.plans, d.TOTAL)
    _set_remaining(page, root, d.VOUCHERS, before.vouchers, after.vouchers, d.FACE_VALUE)
    _set_remaining(page, root, d.STORED_VALUE_CARDS, before.cards, after.cards, d.FACE_VALUE)
    for node, old, new in zip(_list(root, d.TOP_UPS), before.top_ups, after.top_ups, strict=True):
        if new.arrived and not old.arrived:
            page.set(node, d.ARRIVED, "true", d.AMOUNT)
    old_blocks, new_blocks = written_keys(before, offset), written_keys(after, offset)
    keys = list(new_blocks)
    for number, key in enumerate(keys):
        if new_blocks[key] != old_blocks[key]:
            page.set_block(root, key, new_blocks[key], keys[number + 1 :])
    return mark + page.text()


def afresh(account: Account, offset: int) -> str:
    """The whole file of an account, written by its values."""
    lines = [
        f"{d.FORMAT.key}: {d.FORMAT_NAME}",
        f"{d.ID.key}: {_word(account.id)}",
        f"{d.CURRENCY.key}: {account.currency}",
        f"{d.BALANCE.key}: {amount_text(account.balance)}",
        f"{d.CREDIT_LINE.key}: {amount_text(account.credit_line)}",
    ]
    lines += _rows(d.RESOURCE_PLANS, (_plan_row(plan, offset) for plan in account.plans))
    lines += _rows(d.VOUCHERS, (_voucher_row(voucher, offset) for voucher in account.vouchers))
    lines += _rows(d.STORED_VALUE_CARDS, (_worth_row(card, offset) for card in account.cards))
    top_ups = (
        {
            **({} if one.id is None else {"id": one.id}),
            "at": iso(one.at, offset),
            "amount": amount_text(one.amount),
            **({"arrived": "true"} if one.arrived else {}),
        }
        for one in account.top_ups
    )
    lines += _rows(d.TOP_UPS, top_ups)
    lines.append(f"{d.VOUCHER_ORDER.key}: {account.voucher_order}")
    for block in written_keys(account, offset).values():
        lines += block
    return "".join(f"{line}\n" for line in lines)


def written_keys(account: Account, offset: int) -> dict[str, list[str]]:
    """The keys that only the program writes, each with its lines; none where the key is left out."""
    times = {product: iso(second, offset) for product, second in account.settled_through.items()}
    single = set(times) <= {EVERY_PRODUCT}
    through = min(account.settled_through.values(), default=None)
    single_debts, debt_months = _by_month(account.outstanding, offset)
    debts = (
        {
            "product": debt.product,
            "cycle_start": iso(debt.cycle_start, offset),
            **({"month": debt.month} if debt.month else {}),
            "issued_at": iso(debt.issued_at, offset),
            "amount": amount_text(debt.amount),
        }
        for debt in single_debts
    )
    frozen = (
        {"product": held.product, "month": held.month, "items": {code: stripped(value) for code, value in held.items}}
        for held in account.frozen
    )
    month_used = (
        dict(zip(("product", "month", "item", "spec", "region"), key, strict=True))
        | {"used": plain(scaled(micros, QUANTITY_PLACES))}
        for key, micros in account.month_used.items()
    )
    charged = ({"product": one.product, "day": one.day, "digests": one.digests} for one in account.charged)
    months = (
        {"product": one.product, "month": one.month, "hours": f"x{one.hours:x}"} for one in account.charged_months
    )
    by_product = [] if single else [f"{d.SETTLED_BY_PRODUCT.key}: {_flow(dict(sorted(times.items())))}"]
    return {
        d.CREDIT_USED.key: [f"{d.CREDIT_USED.key}: {amount_text(account.credit_used)}"] if account.credit_used else [],
        d.SETTLED_THROUGH.key: [] if through is None else [f"{d.SETTLED_THROUGH.key}: {iso(through, offset)}"],
        d.SETTLED_BY_PRODUCT.key: by_product,
        d.SETTLED_AT.key: (
            [] if account.settled_at is None else [f"{d.SETTLED_AT.key}: {iso(account.settled_at, offset)}"]
        ),
        d.OUTSTANDING.key: _rows(d.OUTSTANDING, debts),
        d.OUTSTANDING_MONTHS.key: _rows(d.OUTSTANDING_MONTHS, iter(debt_months)),
        d.FROZEN.key: _rows(d.FROZEN, frozen),
        d.MONTH_USED.key: _rows(d.MONTH_USED, month_used),
        d.CHARGED.key: _rows(d.CHARGED, charged),
        d.CHARGED_MONTHS.key: _rows(d.CHARGED_MONTHS, months),
    }


_Flow = Mapping[str, Any]
#: So many bills of a month may be outstanding with a row for each.
_SINGLE_DEBTS = 24


def _by_month(debts: Sequence[Debt], offset: int) -> tuple[list[Debt], list[_Flow]]:
    """The debts that have a row each, and the rows of months that have many, so that an account in debt for long stays one
    that can be read."""
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


def _rows(field: Field[Any], rows: Iterator[_Flow]) -> list[str]:
    """A key with a list below it, one row to a line; nothing where there are no rows."""
    lines = [f"  - {_flow(row)}" for row in rows]
    return [f"{field.key}:", *lines] if lines else []


def _flow(value: str | Sequence[str] | _Flow) -> str:
    if isinstance(value, str):
        return _word(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_word(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    return "[" + ", ".join(map(_flow, value)) + "]"


def _word(text: str) -> str:
    """A word as YAML text, in quotes where it could be read otherwise."""
    if _PLAIN.fullmatch(text) or _PLAIN_TIME.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plan_row(plan: ResourcePlan, offset: int) -> _Flow:
    return {
        "id": plan.id,
        **({"name": plan.name} if plan.name else {}),
        "unit": plan.unit.name,
        "total": plain(scaled(plan.total, QUANTITY_PLACES)),
        "remaining": plain(scaled(plan.remaining, QUANTITY_PLACES)),
        "effective_from": iso(plan.effective_from, offset),
        "expires_at": iso(plan.expires_at, offset),
        **({"regions": sorted(plan.regions)} if plan.regions is not None else {}),
        "covers": {
            item: {spec: plain(coefficient) for spec, coefficient in specs.items()}
            for item, specs in plan.covers.items()
        },
    }


def _worth_row(source: Voucher | StoredValueCard, offset: int) -> _Flow:
    return {
        "id": source.id,
        "face_value": amount_text(source.face_value),
        "remaining": amount_text(source.remaining),
        "effective_from": iso(source.effective_from, offset),
        "expires_at": iso(source.expires_at, offset),
    }


def _voucher_row(voucher: Voucher, offset: int) -> _Flow:
    items = {"items": sorted(voucher.items)} if voucher.items is not None else {}
    return {**_worth_row(voucher, offset), **items, "minimum_amount": amount_text(voucher.minimum_amount)}


class _HasRemaining(Protocol):
    @property
    def remaining(self) -> int | Decimal: ...


def _set_remaining(
    page: _Page,
    root: MapNode,
    field: Field[Any],
    before: Sequence[_HasRemaining],
    after: Sequence[_HasRemaining],
    beside: Field[Any],
) -> None:
    for node, old, new in zip(_list(root, field), before, after, strict=True):
        if new.remaining != old.remaining:
            left = new.remaining
            shown = amount_text(left) if isinstance(left, Decimal) else plain(scaled(left, QUANTITY_PLACES))
            page.set(node, d.REMAINING, shown, beside)


def _entry(node: Node, key: str) -> MapEntry | None:
    if not isinstance(node, MapNode):
        raise CannotEdit
    return next((entry for entry in node.entries if entry.key.text == key), None)


def _list(root: MapNode, field: Field[Any]) -> tuple[Node, ...]:
    entry = _entry(root, field.key)
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

    def set(self, node: Node, field: Field[Any], value: str, beside: Field[Any]) -> None:
        """Gives a key of a mapping a value; a new key goes behind the value of `beside`."""
        entry, neighbour = _entry(node, field.key), _entry(node, beside.key)
        if entry:
            start, end = self._span(entry.value)
            self._changes.append((start, end, value))
            return
        assert isinstance(node, MapNode)
        if neighbour is None:
            raise CannotEdit
        _, end = self._span(neighbour.value)
        if self.is_flow(node):
            self._changes.append((end, end, f", {field.key}: {value}"))
        else:
            indent = " " * (neighbour.key.place.column - 1)
            self._insert_line(end, f"{indent}{field.key}: {value}")

    def set_block(self, root: MapNode, key: str, lines: list[str], followers: Sequence[str]) -> None:
        """Replaces all of a key of the document by `lines`, or takes it out, or adds it before the first of `followers`
        that is there, or else at the end."""
        entry = _entry(root, key)
        if entry is None:
            follower = next((found for name in followers if (found := _entry(root, name))), None)
            if follower is None:
                self._added += lines
            else:
                start = self._starts[follower.key.place.line - 1]
                self._changes.append((start, start, "".join(line + self._eol for line in lines)))
        elif len(lines) == 1 and isinstance(entry.value, ScalarNode):
            start, end = self._span(entry.value)
            self._changes.append((start, end, lines[0].partition(": ")[2]))
        else:
            start = self._starts[entry.key.place.line - 1]
            last = max(node.place.line for node in _nodes(entry.value))
            end = self._starts[last] if last < len(self._starts) else len(self._text)
            self._changes.append((start, end, "".join(line + self._eol for line in lines)))

    def text(self) -> str:
        parts, reached = [], 0
        # What is added at one position stays in its order.
        for start, end, new in sorted(self._changes, key=lambda change: change[:2]):
            parts += [self._text[reached:start], new]
            reached = end
        text = "".join(parts) + self._text[reached:]
        if self._added and not text.endswith(("\n", "\r")):
            text += self._eol
        return text + "".join(line + self._eol for line in self._added)

    def _at(self, node: Node) -> int:
        return self._starts[node.place.line - 1] + node.place.column - 1

    def _span(self, node: Node) -> tuple[int, int]:
        """Where a single value stands, with its quotes."""
        if not isinstance(node, ScalarNode):
            raise CannotEdit
        start = self._at(node)
        mark = self._text[start : start + 1] if node.quoted else ""
        shown = mark + node.text + mark
        if mark not in ("", "'", '"') or not self._text.startswith(shown, start):
            raise CannotEdit
        return start, start + len(shown)

    def _insert_line(self, behind: int, line: str) -> None:
        """Adds a line below the one that holds the position `behind`."""
        start = next((start for start in self._starts if start > behind), None)
        if start is None:
            self._changes.append((len(self._text), len(self._text), f"{self._eol}{line}"))
        else:
            self._changes.append((start, start, line + self._eol))


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case MapNode():
            for entry in node.entries:
                yield entry.key
                yield from _nodes(entry.value)
        case ListNode():
            for part in node.parts:
                yield from _nodes(part)
