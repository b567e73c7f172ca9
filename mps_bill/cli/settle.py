"""`mps-bill settle`: bills paid from an account, and the account after them."""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated

import typer

from mps_bill.cli import options
from mps_bill.cli.config import books_of_config
from mps_bill.cli.options import ReadingOptions, show_option, takes
from mps_bill.cli.output_options import Limits, OutputOptions, shows
from mps_bill.cli.selection_options import DetailOptions
from mps_bill.cli.settle_accounts import ChargeOptions, settle_file, settle_folder

_FORECAST_DAYS = "Number of days of usage that the forecast is based on."
_FAIL_ON_OUTSTANDING = "Exit 4 if anything is outstanding at the end."


@takes(reading=ReadingOptions, detail=DetailOptions, charging=ChargeOptions)
@shows("printed", "document", "records", "page", "tables", "charts", "focus", "journal", bom=True)
def settle(
    context: typer.Context,
    usage: options.Usage,
    prices: options.Prices,
    *,
    charging: ChargeOptions,
    output: OutputOptions,
    detail: DetailOptions,
    forecast_days: Annotated[int, show_option("--forecast-days N", _FORECAST_DAYS, min=1)] = 7,
    fail_on_outstanding: Annotated[bool, show_option("--fail-on-outstanding", _FAIL_ON_OUTSTANDING)] = False,
    fail_over: options.FailOver = None,
    billing_account: options.BillingAccount = None,
    reading: ReadingOptions,
) -> int:
    """Pay bills from an account, and show or save the account.

    Resource plans, vouchers, stored-value cards, the balance and the credit line pay in this order. What they do not pay
    is outstanding.

    The account is saved last, after the result is printed. It is saved if the exit code is 0, 1 or 4, and not otherwise.
    """
    limits = Limits(options.amount_option(fail_over, "--fail-over"), fail_on_outstanding)
    settling = charging.settling(forecast_days)
    groupings = detail.groupings(output.format)

    from mps_bill.cli.metering import UsageRun
    from mps_bill.view.books import STANDARD_BOOKS
    from mps_bill.view.settle_view import shown_of

    run = UsageRun.of(usage, prices, reading, output, detail, groupings)
    output.check(groupings, run.selection, in_short=detail.summary)
    view = partial(
        shown_of,
        selection=run.selection,
        by=groupings,
        in_full=detail.bills_in_full,
        account=billing_account,
        books=books_of_config(context) if output.format.part == "journal" else STANDARD_BOOKS,
        in_short=detail.summary,
    )
    settle_all = settle_folder if os.path.isdir(charging.account) else settle_file
    return settle_all(run, charging, settling, view, limits)
