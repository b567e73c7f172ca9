"""What `bill` and `settle` share of many accounts: the writer for the format, and what cannot be printed of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import typer

from mps_bill.cli.options import Format
from mps_bill.cli.output import drop_output
from mps_bill.cli.reports import REPORTS

if TYPE_CHECKING:
    from mps_bill.report.accounts import Writer


def check_format(format_: Format) -> None:
    """Refuses the reports that are about one account."""
    if format_ in REPORTS:
        raise typer.BadParameter(
            f"{format_} is a report on one account, and the usage is that of many;"
            " take table, json, csv or markdown, or give it the usage of one account",
            param_hint="--format",
        )


@contextmanager
def pipe_may_break() -> Iterator[None]:
    """Goes on without printing when the reader has gone (`| head`): what all accounts come to decides the exit code."""
    try:
        yield
    except BrokenPipeError:
        drop_output()


def writer_for(
    format_: Format, stream: IO[str], currency: str, by: tuple[str, ...], in_full: int | None, *, settled: bool
) -> Writer:
    from mps_bill.report import accounts

    if format_ is Format.json:
        return accounts.JsonWriter(stream, currency)
    if format_ is Format.csv:
        return accounts.CsvWriter(stream, settled=settled)
    is_markdown = format_ is Format.markdown
    return accounts.TableWriter(stream, currency, by, in_full, settled=settled, is_markdown=is_markdown)
