"""`mps-bill compare`: the same usage under other prices, in another region, or paid from another account."""

from __future__ import annotations

import decimal
from typing import IO, TYPE_CHECKING, Annotated

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.metering import metering
from mps_bill.cli.output import open_output, say_problems, write_document
from mps_bill.cli.reading import Reading, reads_usage
from mps_bill.core.decimals import EXACT
from mps_bill.core.diagnostics import quoted

if TYPE_CHECKING:
    from mps_bill.ask.comparison import Comparison


@reads_usage
def compare(
    usage: options.Usage,
    prices: options.Prices,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", "-w", metavar="SHEET", help="Price it by this sheet, as if in force. Repeatable."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="A=B", help="Move what was used in region A to region B. Repeatable."),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", "-a", metavar="OTHER", help="Pay it from this account.")
    ] = None,
    own_account: Annotated[
        str | None,
        typer.Option(
            "--own-account", metavar="FILE", help="With --account: the account that pays it now; else list prices."
        ),
    ] = None,
    format_: options.FormatOption = None,
    output: options.Output = None,
    *,
    reading: Reading,
) -> int:
    """The same usage side by side, by item: under another sheet, in another region, or paid from another account.

    Give one of --with, --region and --account.
    """
    format_ = options.format_for(format_, output)
    if sum(map(bool, (with_, region, account))) != 1:
        raise typer.BadParameter(
            "give one of --with, --region and --account: what is to be different", param_hint="compare"
        )
    if own_account and not account:
        raise typer.BadParameter("it goes with --account only", param_hint="--own-account")
    regions = _regions(region or [])
    book = options.load_book(prices)
    other = options.load_book(with_) if with_ else None

    from mps_bill.ask.comparison import compare_accounts, compare_prices, compare_regions

    with metering(
        usage,
        reading,
        output=output,
        prices=prices,
        book=book,
        inputs={"--with": with_, "--account": account, "--own-account": own_account},
    ) as (sources, meter_options):
        if other:
            comparison = compare_prices(sources, book, other, meter_options)
        elif account:
            own = options.load_account(own_account, book) if own_account else None
            comparison = compare_accounts(sources, book, meter_options, own, options.load_account(account, book))
        else:
            comparison = compare_regions(sources, book, meter_options, regions)
    with open_output(output) as stream, decimal.localcontext(EXACT):
        _write(stream, comparison, format_)
    problems = comparison.usage.metered.problems
    if problems.total:
        say_problems(problems)
        return exit_codes.REJECTED
    return exit_codes.DONE


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


def _write(stream: IO[str], comparison: Comparison, format_: options.Format) -> None:
    from mps_bill.report import compare as report

    match format_:
        case options.Format.json:
            from mps_bill.report.bill_json import write_json

            write_json(stream, report.comparison_json(comparison))
        case options.Format.csv:
            report.write_comparison_csv(stream, comparison)
        case _:
            write_document(stream, report.comparison_document(comparison), format_)
