"""`mps-bill prices`: checking, testing, comparing and showing price sheets."""

from __future__ import annotations

import typer

from mps_bill.cli.prices.cases import run_tests
from mps_bill.cli.prices.check import check
from mps_bill.cli.prices.diff import diff
from mps_bill.cli.prices.schema import schema
from mps_bill.cli.prices.show import list_sheets, show

prices = typer.Typer(help="Check, test, compare and show price sheets.", no_args_is_help=True)
prices.command()(check)
prices.command("test")(run_tests)
prices.command()(diff)
prices.command()(show)
prices.command("list")(list_sheets)
prices.command()(schema)


@prices.callback()
def _group() -> None:
    """Check, test, compare and show price sheets."""
