"""`mps-bill explain`: how the rows of one job became money."""

from __future__ import annotations

from typing import Annotated

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.metering import metering
from mps_bill.cli.output import open_output, say, say_problems, write_document
from mps_bill.cli.reading import Reading, reads_usage
from mps_bill.core.diagnostics import quoted


@reads_usage
def explain(
    usage: options.Usage,
    prices: options.Prices,
    job: Annotated[str, typer.Option("--job", metavar="ID", help="The job_id to explain.")],
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            "-a",
            metavar="FILE",
            show_default=False,
            help="Show also how the bill is paid from this account.",
        ),
    ] = None,
    format_: options.FormatOption = None,
    output: options.Output = None,
    *,
    reading: Reading,
) -> int:
    """How the rows of one job became money, from the row to the bill, step by step."""
    format_ = options.format_for(format_, output)
    if format_ is options.Format.csv:
        raise typer.BadParameter("an explanation is printed as table, json or markdown", param_hint="--format")
    book = options.load_book(prices)

    from mps_bill.ask.job_history import explain_job

    payer = options.load_account(account, book) if account is not None else None
    with metering(usage, reading, output=output, prices=prices, book=book, inputs={"--account": account}) as (
        sources,
        meter_options,
    ):
        result = explain_job(sources, book, meter_options, job, payer)

    say_problems(result.problems)
    if not result.records:
        say(f"No good row has the job {quoted(job)}.")
        return exit_codes.REJECTED if result.problems.total else exit_codes.FOUND
    with open_output(output) as stream:
        if format_ is options.Format.json:
            from mps_bill.report.bill_json import write_json
            from mps_bill.report.explanation import explanation_json

            write_json(stream, explanation_json(result.records, book.currency))
        else:
            from mps_bill.report.explanation import explanation_document

            write_document(stream, explanation_document(result.records, book.currency), format_)
    return exit_codes.REJECTED if result.problems.total else exit_codes.DONE
