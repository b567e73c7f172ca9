"""`mps-bill explain`: how the rows of one job were billed."""

from __future__ import annotations

from typing import Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.options import ReadingOptions, option, takes
from mps_bill.cli.output import say
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.cli.selection_options import SelectionOptions
from mps_bill.core.diagnostics import quoted


@takes(reading=ReadingOptions, selection=SelectionOptions)
@shows("printed", "document")
def explain(
    usage: options.Usage,
    prices: options.Prices,
    job: Annotated[str, option("--job ID", "The job_id to explain.", completion.jobs)],
    account: Annotated[str | None, options.account("Also show how the bill is paid from this account.")] = None,
    *,
    output: OutputOptions,
    selection: SelectionOptions,
    reading: ReadingOptions,
) -> int:
    """Explain how one job was billed, from its rows to the bill."""
    from mps_bill.ask.job_history import explain_job, near_job
    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.explanation_view import ExplanationView

    run = UsageRun.of(usage, prices, reading, output, selection)
    payer = options.load_account(account, run.book) if account is not None else None
    with run.metering({"--account": account}) as (sources, meter_options):
        result = explain_job(sources, run.book, meter_options, job, payer, run.selection)
        hint = "" if result.records else near_job(sources, job)

    if result.records:
        output.show(ExplanationView(result.records, run.book.currency))
        return run.end(result.problems)
    code = run.end(result.problems, found=True)
    where = "" if run.selection.is_everything else " in the selection"
    say(f"No valid row has the job {quoted(job)}{where}{hint or '.'}")
    return code
