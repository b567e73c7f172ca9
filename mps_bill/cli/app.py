"""The commands, and where each is."""

from __future__ import annotations

from typing import Annotated

import typer

import mps_bill
from mps_bill.cli.bill import bill
from mps_bill.cli.compare import compare
from mps_bill.cli.config import FileOption, config, set_defaults
from mps_bill.cli.estimate import estimate
from mps_bill.cli.explain import explain
from mps_bill.cli.plans import plans
from mps_bill.cli.prices import prices
from mps_bill.cli.reconcile import reconcile
from mps_bill.cli.settle import settle
from mps_bill.cli.usage import usage

app = typer.Typer(
    name="mps-bill",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(bill)
app.command()(settle)
app.command()(explain)
app.command()(reconcile)
app.command()(compare)
app.command()(estimate)
app.add_typer(config, name="config")
app.add_typer(plans, name="plans")
app.add_typer(prices, name="prices")
app.add_typer(usage, name="usage")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mps-bill {mps_bill.__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    config_file: FileOption = None,
) -> None:
    """Exact, explainable bills for ApsaraVideo Media Processing.

    Exit codes: 0 done, 1 something was found, 2 wrong command line, 3 input rejected, 4 a limit was crossed, 70 a bug.
    """
    set_defaults(context, config_file)
