"""`mps-bill settle`: usage, prices and an account to bills, deductions, and the account after them."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from functools import partial
from typing import Annotated

import typer

from mps_bill.cli import clock, options, signals
from mps_bill.cli.config import books_of_config
from mps_bill.cli.limits import outstanding, over
from mps_bill.cli.metering import metering
from mps_bill.cli.output import say, sync
from mps_bill.cli.reading import Reading, reads_usage
from mps_bill.cli.saving import saving, target_of
from mps_bill.cli.selecting import Selecting, selects
from mps_bill.cli.settle_accounts import Folder, Settling, charged_before, settle_folder
from mps_bill.cli.showing import Showing, shows
from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import InputRejected
from mps_bill.core.files import sweep


@reads_usage
@selects
@shows("printed", "document", "records", "page", "tables", "charts", "focus", "journal", bom=True)
def settle(
    context: typer.Context,
    usage: options.Usage,
    prices: options.Prices,
    account: Annotated[
        str,
        options.account(
            "The account that pays the bills; or a folder with a file ID.yaml for each account_id of the usage."
        ),
    ],
    save: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Save the account after the run to FILE (or, of a folder of accounts, to a folder), whole or not at all.",
        ),
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Save the account over the file it was read from.")
    ] = False,
    as_of: options.AsOf = None,
    charge_late: Annotated[
        bool,
        typer.Option(
            "--charge-late",
            help="Bill usage of settled cycles as corrections; the files must hold only what was missed.",
        ),
    ] = False,
    charge_twice: Annotated[
        bool,
        typer.Option(
            "--charge-twice",
            help="With --charge-late: also bill cycles charged before, even with the same sums; records may be charged twice.",
        ),
    ] = False,
    allow_future: Annotated[
        bool, typer.Option("--allow-future", help="Also charge and save cycles that have not ended yet.")
    ] = False,
    *,
    showing: Showing,
    selecting: Selecting,
    by: options.By = None,
    in_full: options.InFull = None,
    show_all: options.ShowAll = False,
    summary: options.Summary = False,
    forecast_days: Annotated[
        int,
        typer.Option(
            "--forecast-days",
            min=1,
            metavar="N",
            help="Days of usage that the forecast is based on.",
            rich_help_panel=options.SHOW,
        ),
    ] = 7,
    fail_on_outstanding: Annotated[
        bool,
        typer.Option(
            "--fail-on-outstanding",
            help="Exit 4 if anything is outstanding at the end.",
            rich_help_panel=options.SHOW,
        ),
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
    limit = options.amount_option(fail_over, "--fail-over")
    until = options.second_option(as_of, "--as-of")
    if charge_twice and not charge_late:
        raise typer.BadParameter("use it only with --charge-late", param_hint="--charge-twice")
    target = save or (account if in_place else None)
    if target is not None and until is not None and until > clock.now() and not allow_future:
        message = f"{as_of} is in the future, and the account would be saved as of then; see --allow-future"
        raise typer.BadParameter(message, param_hint="--as-of")
    groupings = options.groupings(by, showing.format, in_short=summary)
    book = options.load_book(prices)
    selection = selecting.selection(book, groupings)
    showing.check(groupings, selection, in_short=summary)

    from mps_bill.view.bill_view import selection_text
    from mps_bill.view.settle_view import notices, shown_of

    shown_in_full = options.in_full(in_full, show_all=show_all, in_short=summary)
    view = partial(shown_of, selection=selection, by=groupings, in_full=shown_in_full, in_short=summary)
    if os.path.isdir(account):
        return settle_folder(
            usage,
            prices,
            book,
            Folder(account, target, in_place),
            Settling(until, charge_late, charge_twice, allow_future, forecast_days),
            reading,
            showing,
            selection,
            view,
            fail_on_outstanding=fail_on_outstanding,
            fail_over=limit,
        )

    from mps_bill.config.books import STANDARD_BOOKS
    from mps_bill.pipeline import settle_usage
    from mps_bill.settlement.save import open_account

    with ExitStack() as stack:
        file = stack.enter_context(open_account(account, book, lock=target is not None))
        with metering(
            usage,
            prices,
            book,
            reading,
            showing.output,
            inputs={"--account": account, "--save": save},
            as_of=until,
            charged=account if target is not None else None,
            allow_future=allow_future,
            selection=selection,
        ) as (sources, meter_options):
            place = stack.enter_context(target_of(target, file, book, in_place=in_place))
            run = settle_usage(
                sources,
                book,
                meter_options,
                file.account,
                until,
                charge_late=charge_late,
                charge_twice=charge_twice,
                forecast_days=forecast_days,
            )
            if not charge_twice and (problem := charged_before(run, file.name, reading.max_errors)):
                raise InputRejected([problem])
        if place is not None:
            sweep(os.path.dirname(os.path.realpath(place.path)))
        # The rejects are in their place by now, and the account is the last that is put there.
        with saving(place, file, run, book) as saved:
            books = books_of_config(context) if showing.format.part == "journal" else STANDARD_BOOKS
            shown = view(run, account=billing_account, books=books)
            showing.show(shown)
            if place is not None:
                sync(sys.stdout)
                signals.hold()
                saved.commit()

    if target is not None:
        say(f"Saved the account to {target}.", quiet=reading.quiet)
        for note in saved.notes():
            say(note, quiet=reading.quiet)
    owed = run.settled.closing.owed if fail_on_outstanding else ZERO
    crossed = (
        over(shown.amounts.payable, limit, run.currency, is_part=shown.amounts.is_part),
        outstanding(owed, run.currency),
    )
    return showing.end(
        run.problems,
        run.control_totals,
        notices=notices(run),
        shown=selection_text(selection, book.offset),
        crossed=crossed,
        quiet=reading.quiet,
    )
