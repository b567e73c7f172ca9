"""`mps-bill settle`: usage, prices and an account to bills, deductions, and the account after them."""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated

import typer

from mps_bill.cli import options
from mps_bill.cli.config import books_of_config
from mps_bill.cli.options import Reading, show_option, takes
from mps_bill.cli.selection_options import Detail
from mps_bill.cli.settle_accounts import Charging, settle_file, settle_folder
from mps_bill.cli.showing import Limits, Showing, shows

_FORECAST_DAYS = "Days of usage that the forecast is based on."
_FAIL_ON_OUTSTANDING = "Exit 4 if anything is outstanding at the end."


@takes(reading=Reading, detail=Detail, charging=Charging)
@shows("printed", "document", "records", "page", "tables", "charts", "focus", "journal", bom=True)
def settle(
    context: typer.Context,
    usage: options.Usage,
    prices: options.Prices,
    *,
    charging: Charging,
    showing: Showing,
    detail: Detail,
    forecast_days: Annotated[int, show_option("--forecast-days N", _FORECAST_DAYS, min=1)] = 7,
    fail_on_outstanding: Annotated[bool, show_option("--fail-on-outstanding", _FAIL_ON_OUTSTANDING)] = False,
    fail_over: options.FailOver = None,
    billing_account: options.BillingAccount = None,
    reading: Reading,
) -> int:
    """Bills paid from an account, and the account after them.

    Resource plans, vouchers, stored-value cards, balance and credit line pay in turn; what is left is outstanding.

    The account is saved last, after the result is printed. Exit codes 0, 1 and 4 mean that it is saved; others that it
    is not.
    """
    limits = Limits(options.amount_option(fail_over, "--fail-over"), fail_on_outstanding)
    settling = charging.settling(forecast_days)
    groupings = detail.groupings(showing.format)
    book = options.load_book(prices)
    selection = detail.selection(book, groupings)
    showing.check(groupings, selection, in_short=detail.summary)

    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.books import STANDARD_BOOKS
    from mps_bill.view.settle_view import shown_of

    view = partial(
        shown_of,
        selection=selection,
        by=groupings,
        in_full=detail.bills_in_full,
        account=billing_account,
        books=books_of_config(context) if showing.format.part == "journal" else STANDARD_BOOKS,
        in_short=detail.summary,
    )
    run = UsageRun(usage, prices, book, reading, showing, selection)
    settle_all = settle_folder if os.path.isdir(charging.account) else settle_file
    return settle_all(run, charging, settling, view, limits)
