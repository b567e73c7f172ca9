"""`mps-bill bill`: itemised bills from usage and prices."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import options
from mps_bill.cli.options import ReadingOptions, takes
from mps_bill.cli.output import invalid, pipe_may_break
from mps_bill.cli.output_options import Limits, OutputOptions, shows
from mps_bill.cli.selection_options import DetailOptions
from mps_bill.core.diagnostics import check_none

if TYPE_CHECKING:
    from mps_bill.ask.all_accounts import AccountsUsage
    from mps_bill.cli.metering import UsageRun
    from mps_bill.metering.groups import ControlTotals
    from mps_bill.pipeline import BillRun
    from mps_bill.price_sheet.book import PriceBook
    from mps_bill.rating.contract import Contract
    from mps_bill.view.bill_view import BillView


_ACCOUNT = "Bill by the contract of this account, without paying; or a folder with a file ID.yaml for each account_id."
#: Bills by the id of the account that they belong to.
Bills = Iterable[tuple[str, "BillRun"]]


@takes(reading=ReadingOptions, detail=DetailOptions)
@shows("printed", "document", "records", "page", "tables", "charts", "focus", bom=True)
def bill(
    usage: options.Usage,
    prices: options.Prices,
    *,
    output: OutputOptions,
    account: Annotated[str | None, options.account(_ACCOUNT)] = None,
    detail: DetailOptions,
    as_of: options.AsOf = None,
    fail_over: options.FailOver = None,
    billing_account: options.BillingAccount = None,
    reading: ReadingOptions,
) -> int:
    """Make itemised bills, one per billing cycle.

    The bills are made from usage files and price sheets. Usage with a column account_id is billed account by account.
    With --account, the discounts and terms of its contract apply.
    """
    limits = Limits(options.amount_option(fail_over, "--fail-over"))
    groupings = detail.groupings(output.format)
    issued_by = options.second_option(as_of, "--as-of")

    from mps_bill.ask.apply_selection import selected_bills
    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.bill_view import BillView

    run = UsageRun.of(usage, prices, reading, output, detail, groupings)
    output.check(groupings, run.selection, in_short=detail.summary)
    view = partial(BillView, by=groupings, in_full=detail.bills_in_full)
    contract_of = _contracts(account, run.book)
    metered = _metered(run, account, issued_by)
    bills = metered.bills(run.selection.tags, issued_by, contract_of)
    if metered.many:
        _check_many(account)
        control_totals, amount = _write_each(run, metered, bills, view)
    else:
        ((_, whole),) = bills
        billed = selected_bills(whole, run.selection)
        output.show(view(billed, account=billing_account, in_short=detail.summary))
        control_totals, amount = billed.control_totals, billed.amounts.payable
    crossed = limits.crossed(amount, run.book.currency, is_part=bool(run.selection.only))
    return run.end(metered.problems, control_totals, crossed=crossed)


def _contracts(account: str | None, book: PriceBook) -> Callable[[str], Contract]:
    """Return what gives the contract of an account by its id: always that of the file `account`, or that of the account's own
    file in the folder `account`."""
    if account is not None and os.path.isdir(account):
        from mps_bill.settlement.save import account_path

        return lambda account_id: options.load_contract(account_path(account, account_id), book)
    contract = options.load_contract(account, book)
    return lambda _: contract


def _metered(run: UsageRun, account: str | None, issued_by: int | None) -> AccountsUsage:
    """Read the usage. Every missing or wrong account file is reported before anything is printed."""
    from mps_bill.ask.all_accounts import meter_accounts

    with run.metering({"--account": account}, as_of=issued_by) as (sources, meter_options):
        if account is None or not os.path.isdir(account):
            return meter_accounts(sources, run.book, replace(meter_options, accounts=None))
        from mps_bill.settlement.save import check_accounts

        metered = meter_accounts(sources, run.book, replace(meter_options, accounts=True))
        problems = check_accounts(metered.ids(), account, None, run.book, in_place=False)
        check_none(problems, meter_options.max_errors)
        return metered


def _check_many(account: str | None) -> None:
    """Refuse one account for the usage of many."""
    if account is not None and not os.path.isdir(account):
        message = f"{account} is one account, and the usage belongs to many; give a folder with a file ID.yaml for each"
        if isinstance(account, options.DefaultAccount):
            message += f" (this is the default from {account.origin}; --account takes precedence over it)"
        raise invalid("--account", message)


def _write_each(
    run: UsageRun, metered: AccountsUsage, bills: Bills, view: Callable[[BillRun], BillView]
) -> tuple[ControlTotals, Decimal]:
    """Write the bills account by account; return the control totals and the amount of all accounts."""
    from mps_bill.ask.all_accounts import empty_sum, sum_of
    from mps_bill.ask.apply_selection import selected_bills

    run.output.check_joined()
    total = empty_sum(settled=False, is_part=bool(run.selection.only))
    with run.output.opened() as stream:
        writer = run.output.joined(run.book, stream, settled=False)
        for account_id, whole in bills:
            billed = selected_bills(whole, run.selection)
            run_sum = sum_of(billed)
            with pipe_may_break():
                writer.add(account_id, view(billed), run_sum)
            total += run_sum
        control_totals = metered.control_totals(total.control_totals)
        with pipe_may_break():
            writer.end(total, control_totals)
    return control_totals, total.amount
