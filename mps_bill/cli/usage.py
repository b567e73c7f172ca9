"""`mps-bill usage check`: every bad row and the control totals, without a bill."""

from __future__ import annotations

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.metering import metering
from mps_bill.cli.output import open_output, say_problems, write_document

usage = typer.Typer(help="Look at usage files.", no_args_is_help=True)


@usage.callback()
def _group() -> None:
    """Look at usage files."""


@usage.command()
def check(
    usage: options.Usage,
    prices: options.Prices,
    format_: options.FormatOption = None,
    output: options.Output = None,
    rejects: options.Rejects = None,
    max_errors: options.MaxErrors = 20,
    timezone: options.Timezone = None,
    ignore_extra_columns: options.IgnoreExtra = False,
    trust_unique: options.TrustUnique = False,
    engine: options.EngineOption = options.Engine.auto,
    quiet: options.Quiet = False,
) -> int:
    """Control totals and every bad row of usage files; no bill is made."""
    format_ = options.format_for(format_, output)
    book = options.load_book(prices)

    from mps_bill.pipeline import check_usage

    with metering(
        usage,
        rejects=rejects,
        max_errors=max_errors,
        timezone=timezone,
        ignore_extra_columns=ignore_extra_columns,
        trust_unique=trust_unique,
        engine=engine,
        quiet=quiet,
        set_aside=True,
    ) as (sources, meter_options):
        result = check_usage(sources, book, meter_options)

    with open_output(output) as stream:
        match format_:
            case options.Format.json:
                from mps_bill.report.bill_json import write_json
                from mps_bill.report.usage_check import usage_check_json

                write_json(stream, usage_check_json(result))
            case options.Format.csv:
                from mps_bill.report.usage_check import write_usage_check_csv

                write_usage_check_csv(stream, result)
            case _:
                from mps_bill.report.usage_check import usage_check_document

                write_document(stream, usage_check_document(result), format_)
    say_problems(result.problems)
    return exit_codes.FOUND if result.problems.total else exit_codes.DONE
