"""`mps-bill reconcile`: our bills compared with the provider's bill detail."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from mps_bill.cli import options
from mps_bill.cli.options import ReadingOptions, option, show_option, takes
from mps_bill.cli.output_options import OutputOptions, shows
from mps_bill.cli.selection_options import SelectionOptions
from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.core.diagnostics import ProblemReport, check_none

if TYPE_CHECKING:
    from mps_bill.cli.metering import UsageRun
    from mps_bill.reconcile.our_and_their_bills import OurRun

_BILL = "The provider's bill: a CSV export of the console, which may be compressed, or stored API answers. Repeatable."
_MAPPING = "A YAML file that explains the names on the provider's bill. Repeatable."
_ACCOUNT = "Settle our bills from this account, and compare resource plans and payments, too."
_SHOWN = "Number of bills to show in detail, starting with the largest difference."
_TOLERANCE = "Allowed difference for each row of the provider's bill."


@takes(reading=ReadingOptions, selection=SelectionOptions)
@shows("printed", "document", "records", "page", "tables")
def reconcile(
    usage: options.Usage,
    prices: options.Prices,
    bill: Annotated[list[str], option("--bill -b EXPORT", _BILL)],
    mapping: Annotated[list[str] | None, option("--mapping -m FILE", _MAPPING)] = None,
    account: Annotated[str | None, options.account(_ACCOUNT)] = None,
    tolerance: Annotated[str, option("--tolerance AMOUNT", _TOLERANCE)] = "0.01",
    as_of: options.AsOf = None,
    in_full: Annotated[int, show_option("--bills N", _SHOWN, min=0)] = 5,
    show_all: Annotated[bool, show_option("--all", "Print every difference.")] = False,
    *,
    output: OutputOptions,
    selection: SelectionOptions,
    reading: ReadingOptions,
) -> int:
    """Compare our bills with the provider's, difference by difference.

    Every difference has a category and an amount, and the amounts add up to the total difference.

    Exit codes: 0 equal; 1 differences, or an export that contradicts itself; 2 wrong command line; 3 input rejected.
    """
    allowed = options.amount_option(tolerance, "--tolerance") or ZERO
    until = options.second_option(as_of, "--as-of")

    from mps_bill.cli.metering import UsageRun
    from mps_bill.reconcile.compare_bills import reconcile as compare
    from mps_bill.reconcile.differences import selected
    from mps_bill.reconcile.export_mapping import load_mapping
    from mps_bill.reconcile.read_export import read_exports
    from mps_bill.view.reconcile_view import ReconcileView

    run = UsageRun.of(usage, prices, reading, output, selection)
    names, mapping_problems = load_mapping(mapping or [])
    export, export_problems = read_exports(bill, run.book.currency, names.columns if names else {})
    check_none([*mapping_problems, *export_problems], reading.max_errors)
    assert names is not None
    assert export is not None
    ours, problems = _our_run(run, account, until, {"--bill": bill, "--mapping": mapping, "--account": account})
    with decimal.localcontext(EXACT):
        result = compare(ours, export, names, run.book, allowed)
        with selection.named(run.selection):
            result = selected(result, run.selection, run.book)
    output.show(ReconcileView(result, run.book.currency, None if show_all else in_full))
    read = (f"{one.name}: {one.rows} rows, read as {one.encoding}" for one in result.export.files)
    notices = () if output.format.part == "printed" else read
    return run.end(problems, notices=notices, found=not result.equal)


def _our_run(
    run: UsageRun, account: str | None, until: int | None, inputs: Mapping[str, str | list[str] | None]
) -> tuple[OurRun, ProblemReport]:
    """Return our bills, settled if there is an account, and the problems of rejected rows."""
    from mps_bill.pipeline import Settling, bill_usage, settle_usage
    from mps_bill.reconcile.our_and_their_bills import OurRun, settled_run

    with run.metering(inputs, as_of=until) as (sources, meter_options):
        if account is None:
            billed = bill_usage(sources, run.book, meter_options, until)
            return OurRun(billed.bills, billed.months), billed.problems
        payer = options.load_account(account, run.book)
        settling = Settling(until, close_months=until is None)
        settled = settle_usage(sources, run.book, meter_options, payer, settling)
        return settled_run(settled.settled, run.book), settled.problems
