"""The reasons why one bill is higher than another: what stands out, each change with its causes, and the total."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mps_bill.ask.changes import NO_CHANGE, Change, Changes, ChangeSide, Key
from mps_bill.ask.compared_periods import ChangeRun
from mps_bill.core.language import tr, tr_many
from mps_bill.core.times import DAY, Calendar
from mps_bill.view.columns import MONEY_PLACES, Column, Columns, Record, Row, columns_of, moment, pick
from mps_bill.view.reading_report import begin_json, control_totals_text, selection_text
from mps_bill.view.run_report import control_totals_table
from mps_bill.view.summary_view import key_column
from mps_bill.view.tables import Block, Note, Records, Report, Table, figures_of, table

FORMAT = "mps-bill/changes/1"
#: The net amounts before and after a change, and its causes. An average of days has more decimals than people read.
AMOUNTS = tuple(
    replace(column, places=MONEY_PLACES)
    for column in (
        *columns_of("before", "after", kind="amount", summed=True),
        *columns_of("change", "quantity_effect", "price_effect", "new", "gone", kind="signed amount", summed=True),
    )
)
#: For people, new and gone usage share a column.
_SHORT = (
    *pick(AMOUNTS, "before", "after", "change"),
    *pick(AMOUNTS, "quantity_effect", "price_effect", titles={"quantity_effect": "Quantity", "price_effect": "Price"}),
    Column("new_or_gone", "signed amount", "New, gone", places=MONEY_PLACES),
)
_RANGE = tuple(
    replace(column, places=MONEY_PLACES) for column in columns_of("after", "lowest", "highest", kind="amount")
)
#: Rows printed for the first grouping and for each one below it; the rest is summed as others.
_FIRST, _BELOW = 10, 3


@dataclass(frozen=True, slots=True)
class ChangeView:
    """The result of `compare` for two periods or sets of files; `show_all` prints every row."""

    run: ChangeRun
    show_all: bool = False

    @property
    def _changes(self) -> Changes:
        return self.run.changes

    @property
    def _is_part(self) -> bool:
        """Whether parts of bills are compared, which have no payable amount and no rounding."""
        return bool(self.run.selection.only)

    def printed(self) -> Iterator[Block]:
        changes, currency = self._changes, self.run.currency
        before, after = self._label(changes.before), self._label(changes.after)
        yield Note(tr("Before: {before}\nAfter:  {after}", before=before, after=after))
        if self._is_part:
            yield Note(selection_text(self.run.selection, self.run.offset))
        if changes.standouts:
            days = len(changes.before.parts)
            most = len(changes.standouts) if self.show_all else _FIRST
            title = tr(
                "Stands out: more or less than on any of the {days} days before, {currency}",
                days=days,
                currency=currency,
            )
            yield self._standouts(title, most)
            if rest := len(changes.standouts[most:]):
                yield Note(tr("{n} more stand out; --all lists them.", n=rest))
        columns = (key_column(changes.by[0]), *_SHORT)
        rounding = () if self._is_part else ((tr("Rounding"), *_short(changes.rounding)),)
        rows = (*self._tree(changes.rows, 0), *rounding)
        totals = ((tr("Net amount") if self._is_part else tr("Payable"), *_short(changes.total)),)
        by = ", ".join(column.label.lower() for column in self._key_columns)
        yield Table(tr("What changed by {by}, {currency}", by=by, currency=currency), columns, rows, totals)
        yield Note(self._legend())
        yield Note(control_totals_text(self.run.control_totals))

    def _legend(self) -> str:
        text = tr("Quantity: the change in quantity at the previous average price. Price: the rest.")
        adding = tr("Amounts are net; with the rounding they add up to the payable amount.")
        return text if self._is_part else f"{text} {adding}"

    def _name(self, side: ChangeSide) -> str:
        """Return the period or the files of a side, or the days of an average."""
        if len(side.parts) == 1 or side.period is None:
            return side.label
        first, last = (self._day(second) for second in (side.period.start or 0, (side.period.end or 0) - 1))
        return tr("average of the {n} days from {first} to {last}", n=len(side.parts), first=first, last=last)

    def _label(self, side: ChangeSide) -> str:
        """Return the name of a side with the number of its bills and the days of the first and last bill, unless the name has
        them: usage may end before its month does."""
        name = self._name(side)
        bills = tr_many("{n} bill", "{n} bills", len(side.bills))
        days = sorted({self._day(bill.cycle.start) for bill in side.bills})
        if len(days) > 1 and not (days[0] in name and days[-1] in name):
            bills = tr("{bills}, {first} to {last}", bills=bills, first=days[0], last=days[-1])
        elif days and days[0] not in name:
            bills = tr("{bills}, {day}", bills=bills, day=days[0])
        return tr("{what} ({more})", what=name, more=bills)

    def _day(self, second: int) -> str:
        return Calendar(DAY, self.run.offset).day(second)

    def _tree(self, rows: Sequence[tuple[Key, Change]], depth: int) -> Iterator[Row]:
        """Yield the sums of rows by the value of a grouping, the largest first, each followed by those of the next grouping."""
        groups: dict[str, list[tuple[Key, Change]]] = {}
        for row in rows:
            groups.setdefault(row[0][depth], []).append(row)
        sums = [(_sum(members), name) for name, members in groups.items()]
        sums.sort(key=lambda one: (-abs(one[0].change), one[1]))
        most = _BELOW if depth else _FIRST
        # A single remaining row takes no more space than a row that counts it.
        shown = len(sums) if self.show_all or len(sums) == most + 1 else most
        indent = "- " * depth
        for change, name in sums[:shown]:
            yield (indent + (name or tr("(none)")), *_short(change))
            if depth + 1 < len(self._changes.by):
                yield from self._tree(groups[name], depth + 1)
        if rest := sums[shown:]:
            yield (indent + tr("{n} others", n=len(rest)), *_short(sum((change for change, _ in rest), NO_CHANGE)))

    def _standouts(self, title: str, most: int | None = None) -> Table:
        changes = self._changes
        titles = {"after": self._name(changes.after), "lowest": "Lowest before", "highest": "Highest before"}
        columns = (key_column(changes.by[0]), *pick(_RANGE, *titles, titles=titles))
        rows = ((one.name or tr("(none)"), one.after, one.lowest, one.highest) for one in changes.standouts[:most])
        return Table(title, columns, tuple(rows))

    def records(self) -> Records:
        """Return a row for each change and one for the rounding, so that every amount adds up to the payable amount."""
        columns = (Column("row"), *self._key_columns, *AMOUNTS, Column("currency"))
        return Records(columns, ({**record, "currency": self.run.currency} for record in self._records()))

    @property
    def _key_columns(self) -> Columns:
        return tuple(map(key_column, self._changes.by))

    def _records(self) -> Iterator[Record]:
        for key, change in self._changes.rows:
            yield {"row": "change", **dict(zip(self._changes.by, key, strict=True)), **asdict(change)}
        if not self._is_part:
            yield {"row": "rounding_adjustment", **dict.fromkeys(self._changes.by), **asdict(self._changes.rounding)}

    def document(self) -> dict[str, Any]:
        """Return the changes, which add up to the payable amounts in `total`; the last one is the rounding."""
        changes = self._changes
        document: dict[str, Any] = {
            **begin_json(FORMAT, self.run.currency, self.run.selection, self.run.offset),
            "by": list(changes.by),
            "before": self._side(changes.before),
            "after": self._side(changes.after),
            "changes": list(self._records()),
            "total": asdict(changes.total),
            "control_totals": asdict(self.run.control_totals),
        }
        if len(changes.before.parts) > 1:
            document["stands_out"] = [
                {changes.by[0]: one.name, "after": one.after, "lowest": one.lowest, "highest": one.highest}
                for one in changes.standouts
            ]
        return document

    def _side(self, side: ChangeSide) -> dict[str, Any]:
        period = {}
        if side.period:
            bounds = {"from": side.period.start, "to": side.period.end}
            period = {name: moment(second, self.run.offset) for name, second in bounds.items()}
        return {"label": self._name(side), **period, "days_averaged": len(side.parts), "bills": len(side.bills)}

    def tables(self) -> Report:
        changes = self._changes
        columns = (*self._key_columns, *AMOUNTS)
        records = [
            {**record, **{name: record[name] or tr("(none)") for name in changes.by}}
            if record["row"] == "change"
            else {**record, changes.by[0]: tr("Rounding")}
            for record in self._records()
        ]
        listed = table(tr("Changes"), columns, records, remark=self._legend())
        tables = [
            listed,
            control_totals_table(self.run.control_totals),
        ]
        if changes.standouts:
            tables.insert(1, self._standouts(tr("Stands out")))
        sides = changes.before, changes.after
        before, after = tr("Payable before"), tr("Payable after")
        if self._is_part:
            before, after = tr("Net amount before"), tr("Net amount after")
        return Report(
            title=tr("What changed"),
            date=max((bill.cycle.issued_at for side in sides for bill in side.bills), default=0),
            facts=[
                (tr("Currency"), self.run.currency),
                (tr("Before"), self._label(sides[0])),
                (tr("After"), self._label(sides[1])),
            ],
            figures=figures_of(listed, (before, "before"), (after, "after"), (tr("Change"), "change")),
            tables=tables,
            currency=self.run.currency,
            about=(tr("{after} compared with {before}", after=self._name(sides[1]), before=self._name(sides[0])),),
            notes=(control_totals_text(self.run.control_totals),),
        )

    page = tables


def _sum(rows: Sequence[tuple[Key, Change]]) -> Change:
    return sum((change for _, change in rows), NO_CHANGE)


def _short(change: Change) -> Row:
    return (
        *(change.before, change.after, change.change, change.quantity_effect, change.price_effect),
        change.new + change.gone,
    )
