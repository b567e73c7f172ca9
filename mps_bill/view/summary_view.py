"""Summaries of bills as tables, as CSV rows and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from mps_bill.ask.summaries import OTHERS, PERIODS, ROUNDING, STATEMENT, SUM, Summary, SummaryRow
from mps_bill.core.decimals import ZERO
from mps_bill.core.language import current, mark, tr
from mps_bill.core.times import date_text
from mps_bill.metering.usage_columns import is_tag
from mps_bill.rating.bills import Amounts
from mps_bill.view.bill_records import BILL, LINE
from mps_bill.view.columns import MONEY_PLACES, Column, Columns, Quantity, Record, Row, Value, pick
from mps_bill.view.tables import Records, Table, table

#: The values with the largest amounts have a column each in a crosstab; all others share one.
_CROSSED = 8
#: The names of rows that do not sum lines.
_OF = {ROUNDING: mark("Rounding"), STATEMENT: mark("Monthly statements"), OTHERS: mark("others")}


def summary_table(summary: Summary, currency: str, names: Mapping[str, str] | None = None) -> Table:
    """Return the summary for people. With two groupings or more, the values of the last are the columns. `names` overrides the
    usual names of the values of a single grouping."""
    if len(summary.by) > 1:
        return _crosstab(summary, currency)
    (grouping,) = summary.by
    columns = (key_column(grouping), *_figure_columns(summary, currency))
    called = (
        (names or {}).get(row.keys[0] or "") or _name(summary, row, grouping, row.keys[0]) for row in summary.rows
    )
    rows = ({grouping: name, **_row_figures(summary, row)} for name, row in zip(called, summary.rows, strict=True))
    total = {grouping: tr("Total"), **_row_figures(summary, summary.total)}
    return table(summary_title(summary), columns, rows, [total])


def summary_title(summary: Summary) -> str:
    names = (grouping if is_tag(grouping) else key_column(grouping).label.lower() for grouping in summary.by)
    return tr("By {groupings}", groupings=tr(" and ").join(names))


def key_column(grouping: str) -> Column:
    """Return the column for the values of a grouping; a tag keeps its name from the usage file."""
    if is_tag(grouping):
        return Column(grouping, title=grouping, verbatim=True)
    return Column(grouping, sense="time") if grouping in PERIODS else Column(grouping)


def _figure_columns(summary: Summary, currency: str) -> Columns:
    """Return the columns for the figures of a summary, without columns that are empty in every row."""
    counts = (Column("bills", "count"), *pick(LINE, "records")) if summary.of_bills else pick(LINE, "records")
    measured: Columns = ()
    if not summary.of_bills and any(row.quantity for row in summary.rows):
        quantity, unit = pick(LINE, "quantity", "unit")
        measured = (replace(quantity, places=MONEY_PLACES), unit)
    # Lines have an amount; only whole bills have a payable amount.
    titles = {"rounding_adjustment": "Rounding", **({} if summary.of_bills else {"payable": "Amount"})}
    *others, last = (replace(column, places=MONEY_PLACES) for column in pick(BILL, *_money(summary), titles=titles))
    return (*counts, *measured, *others, replace(last, unit=currency))


def _money(summary: Summary) -> Sequence[str]:
    """Return the amounts that lead to the total of a row. If roundings have a row of their own, the list amount of the other
    rows is that of their lines alone."""
    names = list(summary.amounts.figures(discounted=summary.has_discounts))
    if summary.of_bills or summary.amounts.is_part:
        return names
    return [name for name in names if name != "rounding_adjustment"] if summary.has_discounts else ["payable"]


def _row_figures(summary: Summary, row: SummaryRow) -> Record:
    """Return the figures of a row by column key."""
    amounts = Amounts(row.list_amount, row.discount, row.rounding, summary.amounts.is_part)
    quantity = row.quantity
    return {
        "bills": row.bills if row.kind in (SUM, OTHERS) else None,
        "records": row.records if row.kind in (SUM, OTHERS) else None,
        "quantity": Quantity(*quantity) if quantity else None,
        "unit": tr(quantity[1].name) if quantity else tr("several") if row.micros else None,
        **amounts.figures(discounted=True),
    }


def _crosstab(summary: Summary, currency: str) -> Table:
    """Return a table with a column for each of the largest values of the last grouping, and one column for all others."""
    by = summary.by[:-1]
    sums: dict[str | None, Decimal] = {}
    for row in summary.rows:
        if row.kind == SUM:
            sums[row.keys[-1]] = sums.get(row.keys[-1], ZERO) + abs(row.amount)
    largest = sorted(sums, key=lambda value: (-sums[value], value or ""))[:_CROSSED]
    # The columns keep the order of the rows: that of time or of the price sheet.
    shown = [value for value in dict.fromkeys(row.keys[-1] for row in summary.rows) if value in largest]
    # The key of a column includes its kind, because a value can have the name "others" or "Rounding" too.
    titles = {(SUM, value): _named(summary, summary.by[-1], value) for value in shown}
    if len(sums) > len(shown):
        titles[OTHERS, None] = tr(_OF[OTHERS])
    for kind in dict.fromkeys(row.kind for row in summary.rows if row.kind != SUM):
        titles[kind, None] = tr(_OF[kind])
    cells: dict[tuple[str | None, ...], dict[tuple[str, str | None], Decimal]] = {}
    for row in summary.rows:
        is_shown = row.kind == SUM and row.keys[-1] in shown
        column = (SUM, row.keys[-1]) if is_shown else (OTHERS if row.kind == SUM else row.kind, None)
        under = cells.setdefault(row.keys[:-1], {})
        under[column] = under.get(column, ZERO) + row.amount
    total_name = tr("Net amount") if summary.amounts.is_part else tr("Total")
    columns = (
        *map(key_column, by),
        *(
            Column(f"{kind}:{value}", "amount", title, summed=True, places=MONEY_PLACES, verbatim=True)
            for (kind, value), title in titles.items()
        ),
        Column("total", "amount", total_name, currency, summed=True, places=MONEY_PLACES, verbatim=True),
    )
    rows: list[Row] = [
        (*map(partial(_named, summary), by, keys), *map(under.get, titles), sum(under.values(), ZERO))
        for keys, under in cells.items()
    ]
    totals = [sum((under.get(column, ZERO) for under in cells.values()), ZERO) for column in titles]
    total: Row = (tr("Total"), *(None for _ in by[1:]), *totals, sum(totals, ZERO))
    return Table(summary_title(summary), columns, rows, (total,))


def payment_table(summary: Summary, currency: str, titles: Mapping[str, str]) -> Table:
    """Return the payments for each row of a summary, by source with these `titles`. Sources that paid nothing in any row are
    left out; frozen amounts stay even if the bills' and their statement's add up to zero."""
    paid = [source for source in titles if any(row.paid.get(source) for row in summary.rows)]
    columns = (
        *map(key_column, summary.by),
        replace(pick(BILL, "payable", unit=currency)[0], places=MONEY_PLACES),
        *(Column(source, "amount", titles[source], summed=True, places=MONEY_PLACES, sense="paid") for source in paid),
    )
    rows = [
        (
            *map(partial(_name, summary, row), summary.by, row.keys),
            row.amount,
            *(row.paid.get(source) for source in paid),
        )
        for row in summary.rows
    ]
    total = summary.total
    sums = (tr("Total"), *(None for _ in summary.by[1:]), total.amount, *(total.paid[source] for source in paid))
    return Table(tr("{summary}: paid from", summary=summary_title(summary)), columns, rows, (sums,))


def _name(summary: Summary, row: SummaryRow, grouping: str, key: str | None) -> str:
    return tr(_OF[row.kind]) if key is None else _named(summary, grouping, key)


def _named(summary: Summary, grouping: str, value: str | None) -> str:
    """Return the name of a value for people. An item has its name in their language if the sheets have one; in English it has
    its code, which options accept."""
    if value is None:
        return tr("(whole bills)")
    if grouping == "item":
        return summary.items[value].names.get(current(), value)
    return (date_text(value) if grouping in PERIODS else value) or tr("(none)")


def summary_records(summaries: Sequence[Summary], currency: str, pools: Mapping[str, str]) -> Records:
    """Return a row for each row of each summary. The payable (or net) amounts of each summary add up to that of the bills.
    `pools` are the names of payers by source."""
    groupings = dict.fromkeys(grouping for summary in summaries for grouping in summary.by)
    is_part = any(summary.amounts.is_part for summary in summaries)
    columns = (
        Column("by"),
        Column("row"),
        *(Column(grouping) for grouping in groupings),
        Column("bills", "count"),
        *pick(LINE, "records", "quantity", "unit"),
        *pick(BILL, *Amounts(is_part=is_part).figures(discounted=True)),
        *(Column(pool, "amount") for pool in pools.values()),
        Column("currency"),
    )
    return Records(columns, _records(summaries, currency, pools))


def _records(summaries: Sequence[Summary], currency: str, pools: Mapping[str, str]) -> Iterator[Record]:
    for summary in summaries:
        for row in summary.rows:
            yield {
                "by": ",".join(summary.by),
                "row": row.kind,
                **dict(zip(summary.by, row.keys, strict=True)),
                **_row_figures(summary, row),
                "bills": row.bills or None,
                **{pool: row.paid.get(source, ZERO) for source, pool in pools.items()},
                "currency": currency,
            }


def summary_json(summary: Summary, pools: Mapping[str, str]) -> dict[str, Any]:
    """Return a summary as a list of rows, each with a key for every grouping. The value is null if the grouping belongs to lines
    but the row to whole bills."""
    rows = [_row_json(summary, row, dict(zip(summary.by, row.keys, strict=True)), pools) for row in summary.rows]
    return {"by": list(summary.by), "rows": rows, "total": _row_json(summary, summary.total, {}, pools)}


def _row_json(summary: Summary, row: SummaryRow, keys: Mapping[str, Value], pools: Mapping[str, str]) -> dict[str, Any]:
    shown = _row_figures(summary, row)
    amounts = summary.amounts.figures(discounted=summary.has_discounts)
    return {
        **keys,
        **({} if row.kind == SUM else {"row": row.kind}),
        **({"bills": row.bills} if summary.of_bills else {}),
        "records": row.records,
        **({"quantity": shown["quantity"], "unit": shown["unit"]} if row.quantity else {}),
        **{name: shown[name] for name in amounts},
        **({"paid": {pool: row.paid.get(source, ZERO) for source, pool in pools.items()}} if pools else {}),
    }
