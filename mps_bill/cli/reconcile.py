"""`mps-bill reconcile`: our bills against the provider's bill detail."""

from __future__ import annotations

import decimal
from typing import Annotated

from mps_bill.cli import options
from mps_bill.cli.options import Reading, option, show_option, takes
from mps_bill.cli.selection_options import Selecting
from mps_bill.cli.showing import Showing, shows
from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.core.diagnostics import check_none

_BILL = "The provider's bill: CSV of the console, packed too, or API answers. Repeatable."
_MAPPING = "Names on the bill and what they mean: a YAML file. Repeatable."
_ACCOUNT = "Also compare plans and payments, with bills settled from this account."
_SHOWN = "Number of bills to show the differences of, the largest first."


@takes(reading=Reading, selecting=Selecting)
@shows("printed", "document", "records", "page", "tables")
def reconcile(
    usage: options.Usage,
    prices: options.Prices,
    bill: Annotated[list[str], option("--bill -b EXPORT", _BILL)],
    mapping: Annotated[list[str] | None, option("--mapping -m FILE", _MAPPING)] = None,
    account: Annotated[str | None, options.account(_ACCOUNT)] = None,
    tolerance: Annotated[str, option("--tolerance AMOUNT", "Difference allowed for each row of the bill.")] = "0.01",
    as_of: options.AsOf = None,
    in_full: Annotated[int, show_option("--bills N", _SHOWN, min=0)] = 5,
    show_all: Annotated[bool, show_option("--all", "Print every difference.")] = False,
    *,
    showing: Showing,
    selecting: Selecting,
    reading: Reading,
) -> int:
    """Our bills against the provider's, difference by difference.

    Every difference has a category and an amount, and the amounts add up.

    Exit codes: 0 equal; 1 differences, or an export that contradicts itself; 2 wrong command line; 3 input rejected.
    """
    allowed = options.amount_option(tolerance, "--tolerance") or ZERO
    until = options.second_option(as_of, "--as-of")
    book = options.load_book(prices)

    from mps_bill.cli.metering import UsageRun
    from mps_bill.pipeline import Settling, bill_usage, settle_usage
    from mps_bill.reconcile.compare_bills import reconcile as compare
    from mps_bill.reconcile.differences import selected
    from mps_bill.reconcile.export_mapping import load_mapping
    from mps_bill.reconcile.read_export import read_exports
    from mps_bill.reconcile.sides import OurRun, settled_run
    from mps_bill.view.reconcile_view import ReconcileView

    run = UsageRun(usage, prices, book, reading, showing, selecting.selection(book))
    names, mapping_problems = load_mapping(mapping or [])
    export, export_problems = read_exports(bill, book.currency, names.columns if names else {})
    check_none([*mapping_problems, *export_problems], reading.max_errors)
    assert names is not None
    assert export is not None
    inputs = {"--bill": bill, "--mapping": mapping, "--account": account}
    with run.metering(inputs, as_of=until) as (sources, meter_options):
        if account is None:
            billed = bill_usage(sources, book, meter_options, until)
            problems, ours = billed.problems, OurRun(billed.bills, billed.months)
        else:
            from mps_bill.settlement.save import open_account

            with open_account(account, book, lock=False) as file:
                settled = settle_usage(
                    sources, book, meter_options, file.account, Settling(until, close_months=until is None)
                )
            problems, ours = settled.problems, settled_run(settled.settled, book)
    with decimal.localcontext(EXACT):
        result = compare(ours, export, names, book, allowed)
        with options.named("what to show"):
            result = selected(result, run.selection, book)
    showing.show(ReconcileView(result, book.currency, None if show_all else in_full))
    read = (f"{one.name}: {one.rows} rows, read as {one.encoding}" for one in result.export.files)
    notices = () if showing.format.part == "printed" else read
    return run.end(problems, notices=notices, found=not result.equal)
