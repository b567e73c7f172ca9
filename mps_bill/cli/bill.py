"""`mps-bill bill`: usage and prices to itemised bills."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import options
from mps_bill.cli.options import Reading, takes
from mps_bill.cli.output import invalid, pipe_may_break
from mps_bill.cli.selection_options import Detail
from mps_bill.cli.showing import Limits, Showing, shows
from mps_bill.core.diagnostics import check_none

if TYPE_CHECKING:
    from mps_bill.ask.all_accounts import AccountsUsage
    from mps_bill.metering.groups import ControlTotals
    from mps_bill.pipeline import BillRun
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.rating.contract import Contract
    from mps_bill.rating.selection import Selection
    from mps_bill.render.joined import Joined
    from mps_bill.view.bill_view import BillView


_ACCOUNT = "Bill by the contract of this account, without paying; or a folder with a file ID.yaml for each account_id."


@takes(reading=Reading, detail=Detail)
@shows("printed", "document", "records", "page", "tables", "charts", "focus", bom=True)
def bill(
    usage: options.Usage,
    prices: options.Prices,
    *,
    showing: Showing,
    account: Annotated[str | None, options.account(_ACCOUNT)] = None,
    detail: Detail,
    as_of: options.AsOf = None,
    fail_over: options.FailOver = None,
    billing_account: options.BillingAccount = None,
    reading: Reading,
) -> int:
    """Itemised bills, one per billing cycle.

    They are made from usage files and price sheets. Usage with a column account_id is billed account by account. With
    --account the bills are those of its contract.
    """
    limits = Limits(options.amount_option(fail_over, "--fail-over"))
    groupings = detail.groupings(showing.format)
    issued_by = options.second_option(as_of, "--as-of")
    book = options.load_book(prices)
    selection = detail.selection(book, groupings)
    showing.check(groupings, selection, in_short=detail.summary)

    from mps_bill.ask.all_accounts import meter_accounts
    from mps_bill.ask.apply_selection import selected_bills
    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.bill_view import BillView

    whole_run = UsageRun(usage, prices, book, reading, showing, selection)
    shown_in_full = detail.bills_in_full
    in_folder = account is not None and os.path.isdir(account)
    contract_of = _contracts(account, book)
    with whole_run.metering({"--account": account}, as_of=issued_by) as (sources, meter_options):
        metered = meter_accounts(sources, book, replace(meter_options, accounts=in_folder or None))
        if account is not None and in_folder:
            from mps_bill.settlement.save import check_accounts

            # Every account file that is missing or wrong is found before anything is printed.
            check_none(check_accounts(metered.ids(), account, None, book, in_place=False), reading.max_errors)

    bills = metered.bills(selection.tags, issued_by, contract_of)
    if metered.many:
        if account is not None and not in_folder:
            remedy = "give a folder with a file ID.yaml for each"
            message = f"{account} is one account, and the usage is that of many; {remedy}"
            if isinstance(account, options.DefaultAccount):
                message += f" (it is the default from {account.origin}; an option goes before it)"
            raise invalid("--account", message)
        showing.check_joined()
        with showing.opened() as stream:
            view = partial(BillView, by=groupings, in_full=shown_in_full)
            writer = showing.joined(book, stream, settled=False)
            control_totals, comes_to = _write_each(metered, bills, selection, view, writer)
    else:
        ((_, whole),) = bills
        run = selected_bills(whole, selection)
        showing.show(BillView(run, groupings, shown_in_full, billing_account, detail.summary))
        control_totals, comes_to = run.control_totals, run.amounts.payable
    crossed = limits.crossed(comes_to, book.currency, is_part=bool(selection.only))
    return whole_run.end(metered.problems, control_totals, crossed=crossed)


def _contracts(account: str | None, book: PriceBook) -> Callable[[str], Contract]:
    """The contract of an account by its id: that of the file, whatever the id, or of the account's file in a folder."""
    from mps_bill.rating.contract import LIST_PRICES

    if account is None:
        return lambda _: LIST_PRICES
    from mps_bill.settlement.save import account_path

    if os.path.isdir(account):
        return lambda account_id: options.load_account(account_path(account, account_id), book).contract
    contract = options.load_account(account, book).contract
    return lambda _: contract


def _write_each(
    metered: AccountsUsage,
    bills: Iterable[tuple[str, BillRun]],
    selection: Selection,
    view: Callable[[BillRun], BillView],
    writer: Joined,
) -> tuple[ControlTotals, Decimal]:
    """Writes account by account; the control totals of them all, and what they come to."""
    from mps_bill.ask.all_accounts import nothing, sum_of
    from mps_bill.ask.apply_selection import selected_bills

    total = nothing(settled=False, is_part=bool(selection.only))
    for account_id, whole in bills:
        run = selected_bills(whole, selection)
        comes_to = sum_of(run)
        with pipe_may_break():
            writer.add(account_id, view(run), comes_to)
        total += comes_to
    control_totals = metered.control_totals(total.control_totals)
    with pipe_may_break():
        writer.end(total, control_totals)
    return control_totals, total.comes_to
