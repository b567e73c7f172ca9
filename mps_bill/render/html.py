"""A report as one self-contained web page: figures, charts, tables and a filter for the lines.

The page contains its style and its only script. Its content security policy allows only these two, by their hash, and no
requests, so neither text from an input file nor a later edit of the page can make it fetch or run anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from string import Template
from typing import IO

import mps_bill
from mps_bill.core.language import current, mark, tr
from mps_bill.render.cells import ROUNDED, as_text, has_rounded_bars, is_rounded, money_text
from mps_bill.render.html_charts import bar_chart, column_chart
from mps_bill.render.html_tables import html_table, safe
from mps_bill.view.columns import Column
from mps_bill.view.tables import LINES, Report, Series, Table

#: Languages whose tag on a page must also say which script is used, because it decides the shapes of characters.
_LANGUAGE_TAGS = {"zh": "zh-CN"}
#: A report for paper is printed in portrait format; the tables of other reports need landscape.
_UPRIGHT = "@page { size: A4 portrait; }\n"
#: The columns by which readers can filter the lines.
_CHOICES = ("product", "item", "region")


def write(report: Report, stream: IO[str]) -> None:
    stream.write(page(report))


def page(report: Report) -> str:
    """Return the whole page with a final line end. All text from input is escaped."""
    subtitle = " · ".join(report.about)
    template, style, script = (
        (files(mps_bill) / "render" / f"page.{suffix}").read_text("utf-8") for suffix in ("html", "css", "js")
    )
    if report.pages:
        style += _UPRIGHT
    return Template(template).substitute(
        language=_LANGUAGE_TAGS.get(current(), current()),
        title=safe(tr("{name}: {value}", name=report.title, value=subtitle)),
        form="short" if report.pages else "long",
        heading=safe(report.title),
        subtitle=safe(subtitle),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        content="\n".join(_content(report)),
        footer=_footer(report),
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _content(report: Report) -> Iterator[str]:
    yield _figures(report)
    if report.charts:
        yield from _costs(report)
    for number, tables in enumerate(report.pages or [report.tables]):
        yield f'<div class="page-{number + 1}">'
        for table in tables:
            if table.rows:
                yield from _section(table, report.currency)
        yield "</div>"


def _costs(report: Report) -> Iterator[str]:
    by_period, *others = report.charts
    if not by_period.bars:
        yield f"<section><p>{safe(tr('Nothing was billed.'))}</p></section>"
        return
    yield f'<section aria-labelledby="costs"><h2 id="costs">{safe(tr("Costs"))}</h2><div class="charts">'
    upright = column_chart(by_period, report.currency, "by-period", beside=sum(len(one.bars) for one in others))
    yield _figure(by_period, upright, report.currency, Column("of", title="Time"))
    for by_item in others:
        lying = bar_chart(by_item, report.currency, "by-item")
        yield _figure(by_item, lying, report.currency, Column("of", title="Item"))
    yield "</div></section>"


def _section(table: Table, currency: str) -> Iterator[str]:
    name = table.id
    is_lines = name == LINES
    left_out = "" if table.on_paper else ' class="left-out"'
    yield f'<section{left_out} aria-labelledby="{name}-heading"><h2 id="{name}-heading">{safe(table.title)}</h2>'
    if left_out:
        how = mark("Not printed: {n} rows; --all prints them, and a filter prints the rows that it leaves.")
        how = how if is_lines else mark("Not printed: {n} rows; --all prints them.")
        yield f'<p class="remark not-printed">{safe(tr(how, n=as_text(len(table.rows), "count")))}</p>'
    if is_lines:
        yield _filter(table, currency)
    yield html_table(table, name, choices=_CHOICES if is_lines else ())
    if table.remark:
        yield f'<p class="remark">{safe(table.remark)}</p>'
    yield "</section>"


def _figures(report: Report) -> str:
    cards = []
    for figure in report.figures:
        amount = money_text(figure.amount) if report.pages else as_text(figure.amount, "amount")
        main = ' class="main"' if figure.key == "payable" else ""
        unit = f'<span class="unit">{safe(report.currency)}</span>'
        cards.append(f"<div{main}><dt>{safe(figure.label)}</dt><dd>{amount} {unit}</dd></div>")
    return f'<dl class="figures">{"".join(cards)}</dl>'


def _figure(series: Series, chart: str, currency: str, of: Column) -> str:
    title = tr("{title}, {currency}", title=series.title, currency=currency)
    rows = tuple((bar.label, bar.amount) for bar in series.bars)
    table = Table(title, (of, Column("amount", "amount", summed=True)), rows)
    return (
        f"<figure><figcaption>{safe(title)}</figcaption>{chart}"
        f"<details><summary>{safe(tr('As a table'))}</summary>{html_table(table)}</details></figure>"
    )


def _filter(table: Table, currency: str) -> str:
    """Return the filter controls above the lines, which are hidden until their script runs."""
    selects = []
    for key in _CHOICES:
        index = table.index(key)
        title = table.columns[index].label
        values = sorted({str(row[index]) for row in table.values})
        if len(values) > 1:
            options = "".join(f"<option>{safe(value)}</option>" for value in values)
            selects.append(
                f'<label>{safe(title)}<select name="{key}"><option value="">{safe(tr("all"))}</option>{options}</select></label>'
            )
    # The script replaces these placeholders with its numbers.
    found = tr("{shown} of {all} lines, list amount {amount}", shown="{shown}", all="{all}", amount="{amount}")
    return (
        f'<form id="filter" class="filter" role="search" aria-label="{safe(tr("Filter the lines"))}"'
        f' data-found="{safe(found)} {safe(currency)}" hidden>'
        f"<label>{safe(tr('Words in the line'))}"
        '<input id="words" type="search" autocomplete="off" placeholder="H264.HD cn-shanghai"></label>'
        f'{"".join(selects)}<button type="reset">{safe(tr("Show all"))}</button></form>'
        '<p id="found" role="status"></p>'
    )


def _footer(report: Report) -> str:
    pairs = (tr("{name}: {value}", name=label, value=as_text(value)) for label, value in report.facts)
    facts = "".join(f"<li>{safe(pair)}</li>" for pair in pairs)
    tables = (table for tables in report.pages or [report.tables] for table in tables)
    rounded = any(map(is_rounded, tables)) or any(map(has_rounded_bars, report.charts))
    legend = [tr(ROUNDED)] if rounded else []
    notes = "".join(f"<li>{safe(note)}</li>" for note in (*report.notes, *legend))
    return f"{safe(tr('Made by mps-bill {version}.', version=mps_bill.__version__))}<ul>{facts}{notes}</ul>"
