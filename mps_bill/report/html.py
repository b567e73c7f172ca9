"""A run as one web page that needs nothing but itself: figures, charts, tables, a filter for the lines.

The style and the one script stand in the page, and its content security policy allows exactly these two by their hash and
no request at all, so that neither text from an input file nor a later edit of the page can make it fetch or run anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from string import Template

import mps_bill
from mps_bill.core.decimals import amount_text
from mps_bill.report.chart_series import Series, cost_by_item, cost_by_period
from mps_bill.report.data_tables import DataTable, Field, RunData
from mps_bill.report.html_charts import bar_chart, column_chart
from mps_bill.report.html_tables import as_text, html_table, safe

#: Fields of the lines by which the reader can choose.
_CHOICES = ("Product", "Item", "Region")


def page(data: RunData) -> str:
    """The whole page, ending in a line end. All text from input is escaped."""
    subtitle = " · ".join(_subtitle(data))
    template, style, script = (
        (files(mps_bill) / "report" / f"page.{suffix}").read_text("utf-8") for suffix in ("html", "css", "js")
    )
    return Template(template).substitute(
        title=safe(f"{data.summary.title}: {subtitle}"),
        heading=safe(data.summary.title),
        subtitle=safe(subtitle),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        content="\n".join(_content(data)),
        footer=_footer(data),
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _subtitle(data: RunData) -> Iterator[str]:
    facts = dict(data.summary.facts)
    if "First cycle starts" in facts:
        yield f"{as_text(facts['First cycle starts'])} to {as_text(facts['Last cycle ends'])} ({facts['Clock']})"
    if data.account:
        yield f"account {data.account}"
    number = len(data.charged)
    yield f"{number} bill{'' if number == 1 else 's'} in {data.currency}"


def _content(data: RunData) -> Iterator[str]:
    yield _figures(data)
    if not data.charged:
        yield "<section><p>Nothing was billed.</p></section>"
    else:
        by_period, by_item = cost_by_period(data.bills), cost_by_item(data.bills)
        lying = bar_chart(by_item, data.currency, "by-item")
        upright = column_chart(by_period, data.currency, "by-period", beside=len(by_item.bars))
        yield '<section aria-labelledby="costs"><h2 id="costs">Costs</h2><div class="charts">'
        yield _figure(by_period, upright, data.currency, "Time")
        yield _figure(by_item, lying, data.currency, "Item")
        yield "</div></section>"
    for table in data.tables:
        if table.rows:
            yield from _section(table, data.currency)


def _section(table: DataTable, currency: str) -> Iterator[str]:
    name = table.title.lower().replace(" ", "-")
    is_lines = table.title == "Lines"
    yield f'<section aria-labelledby="{name}-heading"><h2 id="{name}-heading">{safe(table.title)}</h2>'
    if is_lines:
        yield _filter(table, currency)
    yield html_table(table, name, choices=_CHOICES if is_lines else ())
    if table.remark:
        yield f'<p class="remark">{safe(table.remark)}</p>'
    yield "</section>"


def _figures(data: RunData) -> str:
    cards = []
    for label, title, field in data.summary.sums:
        table = data.table(title)
        amount = amount_text(table.total(table.index(field)))
        main = ' class="main"' if label == "Payable" else ""
        cards.append(
            f'<div{main}><dt>{safe(label)}</dt><dd>{amount} <span class="unit">{safe(data.currency)}</span></dd></div>'
        )
    return f'<dl class="figures">{"".join(cards)}</dl>'


def _figure(series: Series, chart: str, currency: str, of: str) -> str:
    title = f"{series.title}, {currency}"
    rows = tuple((bar.label, bar.amount) for bar in series.bars)
    table = DataTable(title, (Field(of), Field("Amount", "amount", summed=True)), rows)
    return (
        f"<figure><figcaption>{safe(title)}</figcaption>{chart}"
        f"<details><summary>As a table</summary>{html_table(table)}</details></figure>"
    )


def _filter(table: DataTable, currency: str) -> str:
    """The controls above the lines; hidden until the script that serves them runs."""
    selects = []
    for title in _CHOICES:
        index = table.index(title)
        values = sorted({str(row[index]) for row in table.rows})
        if len(values) > 1:
            options = "".join(f"<option>{safe(value)}</option>" for value in values)
            selects.append(
                f'<label>{title}<select name="{title.lower()}"><option value="">all</option>{options}</select></label>'
            )
    return (
        f'<form id="filter" class="filter" role="search" aria-label="Filter the lines" data-currency="{safe(currency)}" hidden>'
        '<label>Words in the line<input id="words" type="search" autocomplete="off" placeholder="H264.HD cn-shanghai"></label>'
        f'{"".join(selects)}<button type="reset">Show all</button></form>'
        '<p id="found" role="status"></p>'
    )


def _footer(data: RunData) -> str:
    facts = "".join(f"<li>{safe(label)}: {safe(as_text(value))}</li>" for label, value in data.summary.facts)
    notes = "".join(f"<li>{safe(note)}</li>" for note in data.notes)
    return f"Made by mps-bill {mps_bill.__version__}.<ul>{facts}{notes}</ul>"
