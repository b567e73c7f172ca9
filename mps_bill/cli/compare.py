"""`mps-bill compare`: the same usage under other terms, or why one bill is higher than another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import options
from mps_bill.cli.before_and_after import ChangeOptions, compare_files, compare_periods
from mps_bill.cli.options import ReadingOptions, argument, option, takes
from mps_bill.cli.output import invalid
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.cli.selection_options import SelectionOptions
from mps_bill.core.diagnostics import quoted

if TYPE_CHECKING:
    from mps_bill.cli.metering import UsageRun

_WITH = "Price the usage by this sheet, as if it were in force. Repeatable."
_ACCOUNT = "Pay the bills from this account. With --after: bill by the contract of this account."
_USAGE = "Usage files, as for bill. Omit them if --before and --after are files."
_REGION = "Bill the usage of region A as usage of region B. Repeatable."
_OWN_ACCOUNT = "With --account: the account that pays now. Default: list prices."


@takes(reading=ReadingOptions, selection=SelectionOptions, change=ChangeOptions)
@shows("printed", "document", "records", "page", "tables")
def compare(
    usage: Annotated[list[str] | None, argument("USAGE", _USAGE)] = None,
    *,
    prices: options.Prices,
    with_: Annotated[list[str] | None, option("--with -w SHEET", _WITH)] = None,
    region: Annotated[list[str] | None, option("--region A=B", _REGION)] = None,
    account: Annotated[str | None, options.account(_ACCOUNT, metavar="OTHER")] = None,
    own_account: Annotated[str | None, option("--own-account FILE", _OWN_ACCOUNT)] = None,
    change: ChangeOptions,
    output: OutputOptions,
    selection: SelectionOptions,
    reading: ReadingOptions,
) -> int:
    """Compare usage under other terms, or explain why a bill is higher.

    With --with, --region or --account: the cost of the same usage under another price sheet, in another region or with
    another account, side by side by item. With --before and --after: the change from one period to another, split into
    quantity effect, price effect, new and gone usage.
    """
    from mps_bill.cli.metering import UsageRun

    if change.before or change.after:
        if own_account or with_ or region:
            raise invalid("compare", "--before and --after can be combined with --account only")
        by = change.groupings(selection)
        run = UsageRun.of(usage or change.files, prices, reading, output, selection, [by])
        return compare_periods(run, change, by, account) if usage else compare_files(run, change, by, account)
    for name, given in (("--days", change.days), ("--by", change.by), ("--all", change.show_all)):
        if given:
            raise invalid(name, "use it only with --after")
    if sum(map(bool, (with_, region, account))) != 1:
        raise invalid("compare", "give one of --with, --region or --account, or --before and --after")
    if not usage:
        raise invalid("USAGE", "give the usage files")
    if own_account and not account:
        raise invalid("--own-account", "use it only with --account")
    regions = _regions(region or [])
    run = UsageRun.of(usage, prices, reading, output, selection)
    if region and "region" in run.selection.only:
        raise invalid("--only", "a region cannot be selected with --region, which changes the region")
    return _compare_usage(run, with_, regions, account, own_account)


def _compare_usage(
    run: UsageRun, with_: list[str] | None, regions: dict[str, str], account: str | None, own_account: str | None
) -> int:
    """Bill the usage under the terms of the run and under others, and show both."""
    from mps_bill.ask.comparison import compare_accounts, compare_prices, compare_regions
    from mps_bill.view.comparison_view import ComparisonView

    book, selection = run.book, run.selection
    other = options.load_book(with_) if with_ else None
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
    run.output.show(ComparisonView(comparison))
    return run.end(comparison.usage.metered.problems)


def _regions(pairs: list[str]) -> dict[str, str]:
    """Return the regions of `A=B` options, A to B."""
    regions: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not old or not equals or not new:
            raise invalid("--region", f"{quoted(pair)} is not A=B, such as cn-shanghai=ap-southeast-1")
        if regions.setdefault(old, new) != new:
            raise invalid("--region", f"{quoted(old)} has two targets")
    return regions
