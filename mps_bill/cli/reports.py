"""The reports of a run that need more than a document: web page, workbook, charts, FOCUS."""

from __future__ import annotations

import decimal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import typer

from mps_bill.cli.options import Format
from mps_bill.cli.output import open_output, write_bytes
from mps_bill.core.decimals import EXACT

if TYPE_CHECKING:
    from mps_bill.report.data_tables import DataTable, RunData, Summary

REPORTS = (Format.html, Format.xlsx, Format.chart, Format.focus)


def check_report(format_: Format, output: str | None) -> None:
    """Refuses what cannot be written, before any work is done for it: a workbook without its library or to a terminal."""
    if format_ is not Format.xlsx:
        return
    if find_spec("xlsxwriter") is None:
        raise typer.BadParameter(
            'workbooks need the package XlsxWriter; run: pip install "mps-bill[xlsx]"', param_hint="--format"
        )
    if output is None and sys.stdout.isatty():
        raise typer.BadParameter(
            "a workbook is not for a terminal; name a file, such as --output bill.xlsx", param_hint="--format"
        )


def write_workbook(summary: Summary, tables: Sequence[DataTable], output: str | None) -> None:
    """Writes tables as a workbook."""
    from mps_bill.report.xlsx import WorkbookTooLarge, workbook

    try:
        write_bytes(output, workbook(summary, tables))
    except WorkbookTooLarge as error:
        raise typer.BadParameter(f"{error}; CSV has no such limit", param_hint="--format") from None


def write_report(data: RunData, format_: Format, output: str | None) -> None:
    """Writes one of `REPORTS` to a file or to standard output."""
    with decimal.localcontext(EXACT):
        _write(data, format_, output)


def _write(data: RunData, format_: Format, output: str | None) -> None:
    if format_ is Format.xlsx:
        write_workbook(data.summary, data.tables, output)
        return
    with open_output(output) as stream:
        if format_ is Format.html:
            from mps_bill.report.html import page

            stream.write(page(data))
        elif format_ is Format.focus:
            from mps_bill.report.focus import focus_rows, write_focus_csv

            write_focus_csv(stream, focus_rows(data))
        else:
            from mps_bill.report.chart import print_charts
            from mps_bill.report.chart_series import cost_by_item, cost_by_period, paid_from

            series = (cost_by_period(data.bills), cost_by_item(data.bills), paid_from(data))
            print_charts(tuple(filter(None, series)), data.currency, data.notes, stream)
