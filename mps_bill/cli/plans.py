"""`mps-bill plans`: which resource packs to buy for some usage."""

from __future__ import annotations

from typing import Annotated

from mps_bill.cli import completion, options
from mps_bill.cli.command_help import group_of_commands
from mps_bill.cli.options import Reading, option, takes
from mps_bill.cli.showing import Showing, shows
from mps_bill.core.diagnostics import accepted

plans = group_of_commands("Advice on resource packs.")


_PACKS = "The packs on sale: a file, or the id of a shipped one such as mps-china-packs."
_BOUGHT_AT = "When the packs are bought, such as 2023-11-10T10:30:30+08:00. Default: the start of the first cycle."
_ACCOUNT = "An account whose plans are used too; cycles that it has settled are left out."


@plans.command()
@takes(reading=Reading)
@shows("printed", "document", "records", bom=True)
def advise(
    usage: options.Usage,
    prices: options.Prices,
    packs: Annotated[str, option("--packs FILE", _PACKS, completion.packs)],
    account: Annotated[str | None, options.account(_ACCOUNT)] = None,
    bought_at: Annotated[str | None, option("--from TIME", _BOUGHT_AT)] = None,
    *,
    showing: Showing,
    reading: Reading,
) -> int:
    """What resource packs would have saved on some usage.

    Packs are shown one by one and in the best combination.
    Exact for the usage given, and not a forecast: the usage is settled again with the packs of each purchase as plans.
    """
    second = options.second_option(bought_at, "--from")
    book = options.load_book(prices)

    from mps_bill.ask.advise.advice import advise_usage
    from mps_bill.ask.advise.read_packs import load_packs
    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.advice_view import AdviceView

    offered = accepted(*load_packs(packs, book))
    paying = options.load_account(account, book) if account else None
    run = UsageRun(usage, prices, book, reading, showing)
    with run.metering({"--packs": packs, "--account": account}) as (sources, meter_options):
        advice = advise_usage(sources, book, meter_options, offered, paying, second)
    view = AdviceView(advice)
    showing.show(view)
    notices = view.assumptions if showing.format.part == "records" else ()
    return run.end(advice.problems, notices=notices)
