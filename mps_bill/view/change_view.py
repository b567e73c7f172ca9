"""Why one bill is higher than another: what stands out, each change with what makes it, and the total."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mps_bill.ask.change_sides import ChangeRun
from mps_bill.ask.changes import NO_CHANGE, Billed, Change, Changes, Key
from mps_bill.core.decimals import round_money
from mps_bill.core.diagnostics import counted
from mps_bill.core.times import DAY, Calendar
from mps_bill.metering.usage import TAG_PREFIX
from mps_bill.view.reading_report import control_totals_text
from mps_bill.view.run_report import control_totals_table
from mps_bill.view.tables import (
    Block,
    Column,
    Columns,
    Note,
    Record,
    Records,
    Report,
    Row,
    Table,
    columns_of,
    moment,
    pick,
    table,
)

FORMAT = "mps-bill/changes/1"
#: The net amounts of a change, and what makes it.
AMOUNTS = (
    *columns_of("before", "after", kind="amount", summed=True),
    *columns_of("change", "quantity_effect", "price_effect", "new", "gone", kind="signed amount", summed=True),
)
#: Where a person reads it, what is new and what is gone share a column.
_SHORT = (
    *pick(AMOUNTS, "before", "after", "change"),
    *pick(AMOUNTS, "quantity_effect", "price_effect", titles={"quantity_effect": "Quantity", "price_effect": "Price"}),
    Column("new_or_gone", "signed amount", "New, gone"),
)
_RANGE = columns_of("after", "lowest", "highest", kind="amount")
#: Rows of the first grouping, and of each below it, that are printed before the rest is summed as others.
_FIRST, _BELOW = 10, 3
_NONE = "(none)"
_ROUNDED = " Here they are rounded to {} decimals; JSON, CSV and workbooks have every digit."
_LEGEND = (
    "Quantity: the change of the quantity at the average price before. Price: the rest."
    " Amounts are net; with the rounding they add up to what is payable."
)


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What changed; `show_all` prints every row."""

    run: ChangeRun
    show_all: bool = False

    @property
    def _changes(self) -> Changes:
        return self.run.changes

    def printed(self) -> Iterator[Block]:
        changes, currency = self._changes, self.run.currency
        yield Note(f"Before: {self._label(changes.before)}\nAfter:  {self._label(changes.after)}")
        if changes.standouts:
            days = len(changes.before.parts)
            most = len(changes.standouts) if self.show_all else _FIRST
            title = f"Stands out: more or less than on any of the {days} days before, {currency}"
            yield self._rounded(self._standouts(title, most))
            if rest := len(changes.standouts[most:]):
                yield Note(f"{rest} more stand out; --all lists them.")
        columns = (_key_column(changes.by[0]), *_SHORT)
        rows = (*self._tree(changes.rows, 0), ("Rounding", *_short(changes.rounding)))
        totals = (("Payable", *_short(changes.total)),)
        table = Table(f"What changed by {', '.join(changes.by)}, {currency}", columns, rows, totals)
        rounded = self._rounded(table)
        yield rounded
        yield Note(_LEGEND + (_ROUNDED.format(self._places) if rounded != table else ""))
        yield Note(control_totals_text(self.run.control_totals))

    def _label(self, side: Billed) -> str:
        """What it is, how many bills that are, and the days of the first and the last, where it does not say so itself: a month
        that the usage does not reach to the end of is no whole month."""
        bills = counted(len(side.bills), "bill")
        starts = [bill.cycle.start for bill in side.bills]
        if not starts:
            return f"{side.label} ({bills})"
        calendar = Calendar(DAY, self.run.offset)
        first, last = calendar.day(min(starts)), calendar.day(max(starts))
        span = first if first == last else f"{first} to {last}"
        return f"{side.label} ({bills})" if span in side.label else f"{side.label} ({bills}, {span})"

    @property
    def _places(self) -> int:
        """The decimals of the money that bills are rounded to."""
        sides = self._changes.before, self._changes.after
        return max((bill.cycle.sheet.billing.places for side in sides for bill in side.bills), default=2)

    def _rounded(self, table: Table) -> Table:
        """The table with every amount as money, since a day's average has ten decimals that nobody reads."""

        def row(values: Row) -> Row:
            return tuple(
                round_money(value, self._places, "half-up") if isinstance(value, Decimal) else value for value in values
            )

        return dataclasses.replace(table, rows=tuple(map(row, table.values)), totals=tuple(map(row, table.totals)))

    def _tree(self, rows: Sequence[tuple[Key, Change]], depth: int) -> Iterator[Row]:
        """The sums of rows by the value of a grouping, the largest first, each above those by the next grouping."""
        groups: dict[str, list[tuple[Key, Change]]] = {}
        for row in rows:
            groups.setdefault(row[0][depth], []).append(row)
        sums = [(_sum(members), name) for name, members in groups.items()]
        sums.sort(key=lambda one: (-abs(one[0].change), one[1]))
        most = _BELOW if depth else _FIRST
        # One row is as long as a row that says that there is one more.
        shown = len(sums) if self.show_all or len(sums) == most + 1 else most
        indent = "- " * depth
        for change, name in sums[:shown]:
            yield (indent + (name or _NONE), *_short(change))
            if depth + 1 < len(self._changes.by):
                yield from self._tree(groups[name], depth + 1)
        if rest := sums[shown:]:
            yield (f"{indent}{len(rest)} others", *_short(sum((change for change, _ in rest), NO_CHANGE)))

    def _standouts(self, title: str, most: int | None = None) -> Table:
        changes = self._changes
        titles = {"after": changes.after.label, "lowest": "Lowest before", "highest": "Highest before"}
        columns = (_key_column(changes.by[0]), *pick(_RANGE, *titles, titles=titles))
        rows = ((one.name or _NONE, one.after, one.lowest, one.highest) for one in changes.standouts[:most])
        return Table(title, columns, tuple(rows))

    def records(self) -> Records:
        """A row per change, then that of the rounding, so that every amount sums to that of what is payable."""
        columns = (Column("row"), *self._key_columns, *AMOUNTS, Column("currency"))
        return Records(columns, ({**record, "currency": self.run.currency} for record in self._records()))

    @property
    def _key_columns(self) -> Columns:
        return tuple(map(_key_column, self._changes.by))

    def _records(self) -> Iterator[Record]:
        for key, change in self._changes.rows:
            yield {"row": "change", **dict(zip(self._changes.by, key, strict=True)), **_figures(change)}
        yield {"row": "rounding_adjustment", **dict.fromkeys(self._changes.by), **_figures(self._changes.rounding)}

    def document(self) -> dict[str, Any]:
        """The rows of `changes` add up to `total`, whose amounts are payable; the last is that of the rounding."""
        changes = self._changes
        document: dict[str, Any] = {
            "format": FORMAT,
            "currency": self.run.currency,
            "by": list(changes.by),
            "before": self._side(changes.before),
            "after": self._side(changes.after),
            "changes": list(self._records()),
            "total": _figures(changes.total),
            "control_totals": dataclasses.asdict(self.run.control_totals),
        }
        if len(changes.before.parts) > 1:
            document["stands_out"] = [
                {changes.by[0]: one.name, "after": one.after, "lowest": one.lowest, "highest": one.highest}
                for one in changes.standouts
            ]
        return document

    def _side(self, side: Billed) -> dict[str, Any]:
        period = {}
        if side.period:
            bounds = {"from": side.period.start, "to": side.period.end}
            period = {name: moment(second, self.run.offset) for name, second in bounds.items()}
        return {"label": side.label, **period, "days_averaged": len(side.parts), "bills": len(side.bills)}

    def tables(self) -> Report:
        changes = self._changes
        columns = (*self._key_columns, *AMOUNTS)
        records = [dict(record) for record in self._records()]
        for record in records[:-1]:
            record |= {name: record[name] or _NONE for name in changes.by}
        records[-1][changes.by[0]] = "Rounding"
        tables = [table("Changes", columns, records, remark=_LEGEND), control_totals_table(self.run.control_totals)]
        if changes.standouts:
            tables.insert(1, self._standouts("Stands out"))
        sides = changes.before, changes.after
        return Report(
            title="What changed",
            date=max((bill.cycle.issued_at for side in sides for bill in side.bills), default=0),
            facts=[
                ("Currency", self.run.currency),
                ("Before", self._label(sides[0])),
                ("After", self._label(sides[1])),
            ],
            sums=[("Payable before", "before"), ("Payable after", "after"), ("Change", "change")],
            tables=tables,
            currency=self.run.currency,
            notes=(
                f"{sides[1].label} against {sides[0].label}, {self.run.currency}",
                control_totals_text(self.run.control_totals),
            ),
        )

    page = tables


def _key_column(grouping: str) -> Column:
    """A tag is called as its column in the usage is."""
    return Column(grouping, title=grouping if grouping.startswith(TAG_PREFIX) else None)


def _sum(rows: Sequence[tuple[Key, Change]]) -> Change:
    return sum((change for _, change in rows), NO_CHANGE)


def _figures(change: Change) -> dict[str, Decimal]:
    return dataclasses.asdict(change)


def _short(change: Change) -> Row:
    return (
        *(change.before, change.after, change.change, change.quantity_effect, change.price_effect),
        change.new + change.gone,
    )
