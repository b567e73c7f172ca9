"""`mps-bill compare`: the same usage under other prices, in another region, or paid from another account."""

from __future__ import annotations

from typing import Annotated

import typer

from mps_bill.cli import options
from mps_bill.cli.metering import metering
from mps_bill.cli.reading import Reading, reads_usage
from mps_bill.cli.showing import Showing, shows
from mps_bill.core.diagnostics import quoted


@reads_usage
@shows("printed", "document", "records")
def compare(
    usage: options.Usage,
    prices: options.Prices,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with", "-w", metavar="SHEET", help="Price the usage by this sheet, as if it were in force. Repeatable."
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="A=B", help="Bill the usage of region A as usage of region B. Repeatable."),
    ] = None,
    account: Annotated[str | None, options.account("Pay the bills from this account.", metavar="OTHER")] = None,
    own_account: Annotated[
        str | None,
        typer.Option(
            "--own-account", metavar="FILE", help="With --account: the account that pays now. Default: list prices."
        ),
    ] = None,
    *,
    showing: Showing,
    reading: Reading,
) -> int:
    """The same usage under another sheet, region or account.

    Both are shown side by side, by item. Give one of --with, --region and --account.
    """
    if sum(map(bool, (with_, region, account))) != 1:
        raise typer.BadParameter(
            "give one of --with, --region and --account: what is to be different", param_hint="compare"
        )
    if own_account and not account:
        raise typer.BadParameter("use it only with --account", param_hint="--own-account")
    regions = _regions(region or [])
    book = options.load_book(prices)
    other = options.load_book(with_) if with_ else None

    from mps_bill.ask.comparison import compare_accounts, compare_prices, compare_regions
    from mps_bill.view.comparison_view import ComparisonView

    with metering(
        usage,
        prices,
        book,
        reading,
        showing.output,
        inputs={"--with": with_, "--account": account, "--own-account": own_account},
    ) as (sources, meter_options):
        if other:
            comparison = compare_prices(sources, book, other, meter_options)
        elif account:
            own = options.load_account(own_account, book) if own_account else None
            comparison = compare_accounts(sources, book, meter_options, own, options.load_account(account, book))
        else:
            comparison = compare_regions(sources, book, meter_options, regions)
    showing.show(ComparisonView(comparison))
    return showing.end(comparison.usage.metered.problems)


def _regions(pairs: list[str]) -> dict[str, str]:
    """Region to region of `A=B` options."""
    regions: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not old or not equals or not new:
            raise typer.BadParameter(
                f"{quoted(pair)} is not A=B, such as cn-shanghai=ap-southeast-1", param_hint="--region"
            )
        if regions.setdefault(old, new) != new:
            raise typer.BadParameter(f"{quoted(old)} cannot move to two regions", param_hint="--region")
    return regions
