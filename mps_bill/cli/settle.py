"""`mps-bill settle`: usage, prices and an account to bills, deductions, and the account after them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mps_bill.cli import clock, options
from mps_bill.cli.config import books_of_config
from mps_bill.cli.limits import Limits
from mps_bill.cli.options import option, show_option
from mps_bill.cli.output import invalid
from mps_bill.cli.reading import Reading, takes
from mps_bill.cli.selecting import Detail
from mps_bill.cli.settle_accounts import Payer, settle_file, settle_folder
from mps_bill.cli.showing import Showing, shows

if TYPE_CHECKING:
    from mps_bill.pipeline import Settling


_SAVE = "Save the account after the run to FILE (or, of a folder of accounts, to a folder), whole or not at all."
_CHARGE_LATE = "Bill usage of settled cycles as corrections; the files must hold only what was missed."
_CHARGE_TWICE = (
    "With --charge-late: also bill cycles charged before, even with the same sums; records may be charged twice."
)


@dataclass(frozen=True, slots=True)
class Charging:
    """What an account is charged with, up to when, and where it is saved. A field is an option: its type says how it is spelt."""

    save: Annotated[str | None, option("--save FILE", _SAVE)] = None
    in_place: Annotated[bool, option("--in-place", "Save the account over the file it was read from.")] = False
    as_of: options.AsOf = None
    charge_late: Annotated[bool, option("--charge-late", _CHARGE_LATE)] = False
    charge_twice: Annotated[bool, option("--charge-twice", _CHARGE_TWICE)] = False
    allow_future: Annotated[bool, option("--allow-future", "Also charge and save cycles that have not ended yet.")] = (
        False
    )

    def payer(self, account: str) -> Payer:
        """The account, and where it is saved."""
        return Payer(account, self.save or (account if self.in_place else None), self.in_place, self.allow_future)

    def settling(self, payer: Payer, forecast_days: int) -> Settling:
        """How the account is settled.

        Raises:
            typer.BadParameter: the options exclude one another, or the account would be saved as of a time to come.
        """
        from mps_bill.pipeline import Settling

        until = options.second_option(self.as_of, "--as-of")
        if self.charge_twice and not self.charge_late:
            raise invalid("--charge-twice", "use it only with --charge-late")
        if payer.target is not None and until is not None and until > clock.now() and not self.allow_future:
            raise invalid(
                "--as-of",
                f"{self.as_of} is in the future, and the account would be saved as of then; see --allow-future",
            )
        return Settling(until, self.charge_late, self.charge_twice, forecast_days=forecast_days)


_ACCOUNT = "The account that pays the bills; or a folder with a file ID.yaml for each account_id of the usage."


@takes(reading=Reading, detail=Detail, charging=Charging)
@shows("printed", "document", "records", "page", "tables", "charts", "focus", "journal", bom=True)
def settle(
    context: typer.Context,
    usage: options.Usage,
    prices: options.Prices,
    account: Annotated[str, options.account(_ACCOUNT)],
    *,
    charging: Charging,
    showing: Showing,
    detail: Detail,
    forecast_days: Annotated[
        int, show_option("--forecast-days N", "Days of usage that the forecast is based on.", min=1)
    ] = 7,
    fail_on_outstanding: Annotated[
        bool, show_option("--fail-on-outstanding", "Exit 4 if anything is outstanding at the end.")
    ] = False,
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
    payer = charging.payer(account)
    settling = charging.settling(payer, forecast_days)
    groupings = detail.groupings(showing.format)
    book = options.load_book(prices)
    selection = detail.selection(book, groupings)
    showing.check(groupings, selection, in_short=detail.summary)

    from mps_bill.cli.metering import UsageRun
    from mps_bill.config.books import STANDARD_BOOKS
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
    settle_all = settle_folder if os.path.isdir(account) else settle_file
    return settle_all(run, payer, settling, view, limits)
