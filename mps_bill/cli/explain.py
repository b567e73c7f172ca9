"""`mps-bill explain`: how the rows of one job became money."""

from __future__ import annotations

from typing import Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.options import Reading, option, takes
from mps_bill.cli.output import say
from mps_bill.cli.selection_options import Selecting
from mps_bill.cli.showing import Showing, shows
from mps_bill.core.diagnostics import quoted


@takes(reading=Reading, selecting=Selecting)
@shows("printed", "document")
def explain(
    usage: options.Usage,
    prices: options.Prices,
    job: Annotated[str, option("--job ID", "The job_id to explain.", completion.jobs)],
    account: Annotated[str | None, options.account("Also show how the bill is paid from this account.")] = None,
    *,
    showing: Showing,
    selecting: Selecting,
    reading: Reading,
) -> int:
    """How one job was billed, step by step from its rows to the bill."""
    book = options.load_book(prices)

    from mps_bill.ask.job_history import explain_job, near_job
    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.explanation_view import ExplanationView

    run = UsageRun(usage, prices, book, reading, showing, selecting.selection(book))
    payer = options.load_account(account, book) if account is not None else None
    with run.metering({"--account": account}) as (sources, meter_options):
        result = explain_job(sources, book, meter_options, job, payer, run.selection)
        hint = "" if result.records else near_job(sources, job)

    if result.records:
        showing.show(ExplanationView(result.records, book.currency))
        return run.end(result.problems)
    code = run.end(result.problems, found=True)
    where = "" if run.selection.is_everything else " in what is to be shown"
    say(f"No valid row has the job {quoted(job)}{where}{hint or '.'}")
    return code
