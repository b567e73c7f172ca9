"""`mps-bill bill`: usage and prices to itemised bills."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Annotated

import typer

from mps_bill.cli import exit_codes, options
from mps_bill.cli.accounts import check_format, pipe_may_break, writer_for
from mps_bill.cli.metering import metering
from mps_bill.cli.output import open_output, say, say_problems, write_document
from mps_bill.cli.reading import Reading, reads_usage
from mps_bill.cli.reports import REPORTS, check_report, write_report

if TYPE_CHECKING:
    from mps_bill.ask.all_accounts import AccountBills
    from mps_bill.core.diagnostics import ProblemReport
    from mps_bill.metering.usage import ControlTotals
    from mps_bill.pipeline import BillRun
    from mps_bill.report.accounts import Writer


@reads_usage
def bill(
    usage: options.Usage,
    prices: options.Prices,
    format_: options.FormatOption = None,
    output: options.Output = None,
    by: options.By = None,
    in_full: Annotated[int, typer.Option("--bills", min=0, metavar="N", help="Bills that a table prints in full.")] = 6,
    show_all: Annotated[bool, typer.Option("--all", help="Print every bill in full, however many.")] = False,
    as_of: options.AsOf = None,
    fail_over: options.FailOver = None,
    bom: Annotated[bool, typer.Option("--bom", help="Start CSV with a byte order mark, for Excel.")] = False,
    billing_account: options.BillingAccount = None,
    *,
    reading: Reading,
) -> int:
    """Itemised bills, one per billing cycle, from usage files and price sheets.

    Usage with a column account_id is billed account by account.
    """
    format_ = options.format_for(format_, output, (*options.PLAIN_FORMATS, *REPORTS))
    check_report(format_, output)
    limit = options.amount_option(fail_over, "--fail-over")
    groupings = options.groupings(by)
    issued_by = options.second_option(as_of, "--as-of")
    book = options.load_book(prices)

    from mps_bill.ask.all_accounts import bill_accounts
    from mps_bill.rating.bills import sum_amounts

    shown_in_full = None if show_all else in_full
    with metering(usage, reading, output=output, prices=prices, book=book, groupings=groupings, as_of=issued_by) as (
        sources,
        meter_options,
    ):
        accounts = bill_accounts(sources, book, replace(meter_options, accounts=None), issued_by)

    if accounts.usage.many:
        check_format(format_)
        with open_output(output, bom=bom) as stream:
            writer = writer_for(format_, stream, book.currency, groupings, shown_in_full, settled=False)
            control_totals, payable = _write_each(accounts, writer)
        return _end(format_, control_totals, accounts.problems, payable, limit, reading.quiet)
    ((_, run),) = accounts
    if format_ in REPORTS:
        from mps_bill.report.data_tables import bill_run_data

        write_report(bill_run_data(run, billing_account), format_, output)
    else:
        with open_output(output, bom=bom) as stream:
            _write(run, format_, stream, groupings, shown_in_full)
    payable = sum_amounts(run.bills, run.months).payable
    return _end(format_, run.control_totals, run.problems, payable, limit, reading.quiet)


def _end(
    format_: options.Format,
    control_totals: ControlTotals,
    problems: ProblemReport,
    payable: Decimal,
    limit: Decimal | None,
    quiet: bool,
) -> int:
    if format_ is options.Format.csv:
        from mps_bill.report.control_totals import control_totals_text

        say(control_totals_text(control_totals), quiet=quiet)
    if problems.total:
        say_problems(problems)
        return exit_codes.REJECTED
    return exit_codes.LIMIT_CROSSED if limit is not None and payable > limit else exit_codes.DONE


def _write_each(accounts: AccountBills, writer: Writer) -> tuple[ControlTotals, Decimal]:
    """Writes account by account; the control totals and the payable amount of them all."""
    from mps_bill.ask.all_accounts import nothing, sum_of

    total = nothing(settled=False)
    for account_id, run in accounts:
        with pipe_may_break():
            writer.add(account_id, run)
        total += sum_of(run)
    control_totals = accounts.usage.control_totals(total.control_totals)
    with pipe_may_break():
        writer.end(total, control_totals)
    return control_totals, total.money["payable"]


def _write(run: BillRun, format_: options.Format, stream: IO[str], by: tuple[str, ...], in_full: int | None) -> None:
    match format_:
        case options.Format.json:
            from mps_bill.report.bill_json import bill_run_json, write_json

            write_json(stream, bill_run_json(run))
        case options.Format.csv:
            from mps_bill.report.bill_csv import write_bills_csv

            write_bills_csv(stream, run.bills, run.pending, run.months, run.currency)
        case _:
            from mps_bill.report.bill_tables import bill_document

            write_document(stream, bill_document(run, by, in_full), format_)
