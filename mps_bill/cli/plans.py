"""`mps-bill plans`: which resource packs to buy for some usage."""

from __future__ import annotations

from typing import Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.command_help import group_of_commands
from mps_bill.cli.options import ReadingOptions, option, takes
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.core.diagnostics import accepted

plans = group_of_commands("Advise on resource packs.")


_PACKS = "The packs on sale: a file, or the id of a shipped list such as mps-china-packs."
_BOUGHT_AT = "Time of purchase, such as 2023-11-10T10:30:30+08:00. Default: the start of the first cycle."
_ACCOUNT = "Also use the plans of this account, and leave out the cycles that it has settled."


@plans.command()
@takes(reading=ReadingOptions)
@shows("printed", "document", "records", bom=True)
def advise(
    usage: options.Usage,
    prices: options.Prices,
    packs: Annotated[str, option("--packs FILE", _PACKS, completion.packs)],
    account: Annotated[str | None, options.account(_ACCOUNT)] = None,
    bought_at: Annotated[str | None, option("--from TIME", _BOUGHT_AT)] = None,
    *,
    output: OutputOptions,
    reading: ReadingOptions,
) -> int:
    """Show what resource packs would have saved on past usage.

    Packs are shown one by one and in the best combination. The savings are exact for the given usage, and not a forecast:
    the usage is settled again with the packs of each purchase as resource plans.
    """
    second = options.second_option(bought_at, "--from")

    from mps_bill.ask.advise.advice import advise_usage
    from mps_bill.ask.advise.read_packs import load_packs
    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.advice_view import AdviceView

    run = UsageRun.of(usage, prices, reading, output)
    offered = accepted(*load_packs(packs, run.book))
    paying = options.load_account(account, run.book) if account else None
    with run.metering({"--packs": packs, "--account": account}) as (sources, meter_options):
        advice = advise_usage(sources, run.book, meter_options, offered, paying, second)
    view = AdviceView(advice)
    output.show(view)
    notices = view.assumptions if output.format.part == "records" else ()
    return run.end(advice.problems, notices=notices)
