"""`mps-bill compare`: the same usage otherwise, or why one bill is higher than another."""

from __future__ import annotations

from typing import Annotated

from mps_bill.cli import options
from mps_bill.cli.compare_sides import Changing, compare_sides
from mps_bill.cli.options import Reading, argument, option, takes
from mps_bill.cli.output import invalid
from mps_bill.cli.selection_options import Selecting
from mps_bill.cli.showing import Showing, shows
from mps_bill.core.diagnostics import quoted

_WITH = "Price the usage by this sheet, as if it were in force. Repeatable."
_ACCOUNT = "Pay the bills from this account; with --after, bill by its contract."
_USAGE = "Usage files, as of bill; none where --before and --after are files."
_REGION = "Bill the usage of region A as usage of region B. Repeatable."
_OWN_ACCOUNT = "With --account: the account that pays now. Default: list prices."


@takes(reading=Reading, selecting=Selecting, changing=Changing)
@shows("printed", "document", "records", "page", "tables")
def compare(
    usage: Annotated[list[str] | None, argument("USAGE", _USAGE)] = None,
    *,
    prices: options.Prices,
    with_: Annotated[list[str] | None, option("--with -w SHEET", _WITH)] = None,
    region: Annotated[list[str] | None, option("--region A=B", _REGION)] = None,
    account: Annotated[str | None, options.account(_ACCOUNT, metavar="OTHER")] = None,
    own_account: Annotated[str | None, option("--own-account FILE", _OWN_ACCOUNT)] = None,
    changing: Changing,
    showing: Showing,
    selecting: Selecting,
    reading: Reading,
) -> int:
    """The same usage otherwise, or why one bill is higher.

    With --with, --region or --account the same usage under another sheet, region or account, side by side by item. With
    --before and --after, what made the change from a period to another: quantity, price, what is new and what is gone.
    """
    others = [name for name, value in (("--with", with_), ("--region", region), ("--account", account)) if value]
    if changing.before or changing.after:
        if own_account or with_ or region:
            raise invalid("compare", "--before and --after go with --account only")
        return compare_sides(changing, usage or [], prices, account, showing, selecting, reading)
    for name, given in (("--days", changing.days), ("--by", changing.by), ("--all", changing.show_all)):
        if given:
            raise invalid(name, "use it with --after")
    if len(others) != 1:
        raise invalid("compare", "give one of --with, --region or --account, or --before and --after")
    if not usage:
        raise invalid("USAGE", "name the usage files")
    if own_account and not account:
        raise invalid("--own-account", "use it only with --account")
    regions = _regions(region or [])
    book = options.load_book(prices)
    other = options.load_book(with_) if with_ else None
    selection = selecting.selection(book)
    if region and "region" in selection.only:
        raise invalid("--only", "it cannot select by region together with --region, which changes the region")

    from mps_bill.ask.comparison import compare_accounts, compare_prices, compare_regions
    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.comparison_view import ComparisonView

    run = UsageRun(usage, prices, book, reading, showing, selection)
    inputs = {"--with": with_, "--account": account, "--own-account": own_account}
    with run.metering(inputs) as (sources, meter_options):
        if other:
            comparison = compare_prices(sources, book, other, meter_options, selection)
        elif account:
            own = options.load_account(own_account, book) if own_account else None
            payer = options.load_account(account, book)
            comparison = compare_accounts(sources, book, meter_options, own, payer, selection)
        else:
            comparison = compare_regions(sources, book, meter_options, regions, selection)
    showing.show(ComparisonView(comparison))
    return run.end(comparison.usage.metered.problems)


def _regions(pairs: list[str]) -> dict[str, str]:
    """Region to region of `A=B` options."""
    regions: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not old or not equals or not new:
            raise invalid("--region", f"{quoted(pair)} is not A=B, such as cn-shanghai=ap-southeast-1")
        if regions.setdefault(old, new) != new:
            raise invalid("--region", f"{quoted(old)} cannot move to two regions")
    return regions
