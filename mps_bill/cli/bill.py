"""`mps-bill bill`: usage and prices to itemised bills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mps_bill.cli import options
from mps_bill.cli.accounts import check_joined, joined, pipe_may_break
from mps_bill.cli.limits import over
from mps_bill.cli.metering import metering
from mps_bill.cli.reading import Reading, reads_usage
from mps_bill.cli.showing import Showing, shows

if TYPE_CHECKING:
    from mps_bill.ask.all_accounts import AccountBills
    from mps_bill.metering.usage import ControlTotals
    from mps_bill.pipeline import BillRun
    from mps_bill.render.joined import Joined
    from mps_bill.view.bill_view import BillView


@reads_usage
@shows("printed", "document", "records", "page", "tables", "charts", "focus")
def bill(
    usage: options.Usage,
    prices: options.Prices,
    *,
    showing: Showing,
    by: options.By = None,
    in_full: Annotated[int, typer.Option("--bills", min=0, metavar="N", help="Bills that a table prints in full.")] = 6,
    show_all: Annotated[bool, typer.Option("--all", help="Print every bill in full, however many.")] = False,
    as_of: options.AsOf = None,
    fail_over: options.FailOver = None,
    bom: Annotated[bool, typer.Option("--bom", help="Start CSV with a byte order mark, for Excel.")] = False,
    billing_account: options.BillingAccount = None,
    reading: Reading,
) -> int:
    """Itemised bills, one per billing cycle, from usage files and price sheets.

    Usage with a column account_id is billed account by account.
    """
    limit = options.amount_option(fail_over, "--fail-over")
    groupings = options.groupings(by)
    issued_by = options.second_option(as_of, "--as-of")
    book = options.load_book(prices)

    from mps_bill.ask.all_accounts import bill_accounts
    from mps_bill.rating.bills import sum_amounts
    from mps_bill.view.bill_view import BillView

    shown_in_full = None if show_all else in_full
    with metering(
        usage, reading, output=showing.output, prices=prices, book=book, groupings=groupings, as_of=issued_by
    ) as (
        sources,
        meter_options,
    ):
        accounts = bill_accounts(sources, book, replace(meter_options, accounts=None), issued_by)

    if accounts.usage.many:
        check_joined(showing)
        with showing.opened(bom=bom) as stream:
            view = partial(BillView, by=groupings, in_full=shown_in_full)
            control_totals, payable = _write_each(accounts, view, joined(showing, book, stream, settled=False))
    else:
        ((_, run),) = accounts
        showing.show(BillView(run, groupings, shown_in_full, billing_account), bom=bom)
        control_totals, payable = run.control_totals, sum_amounts(run.bills, run.months).payable
    crossed = over(payable, limit, book.currency)
    return showing.end(accounts.problems, control_totals, crossed=[crossed], quiet=reading.quiet)


def _write_each(
    accounts: AccountBills, view: Callable[[BillRun], BillView], writer: Joined
) -> tuple[ControlTotals, Decimal]:
    """Writes account by account; the control totals and the payable amount of them all."""
    from mps_bill.ask.all_accounts import nothing, sum_of

    total = nothing(settled=False)
    for account_id, run in accounts:
        comes_to = sum_of(run)
        with pipe_may_break():
            writer.add(account_id, view(run), comes_to)
        total += comes_to
    control_totals = accounts.usage.control_totals(total.control_totals)
    with pipe_may_break():
        writer.end(total, control_totals)
    return control_totals, total.money["payable"]
