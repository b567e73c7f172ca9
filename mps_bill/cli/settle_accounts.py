"""`mps-bill settle` with a folder of accounts: each is settled, printed and saved by itself, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import IO, TYPE_CHECKING

import typer

from mps_bill.cli import signals
from mps_bill.cli.limits import outstanding, over
from mps_bill.cli.many_accounts import check_joined, joined, pipe_may_break
from mps_bill.cli.metering import metering
from mps_bill.cli.output import say, sync
from mps_bill.cli.reading import Reading
from mps_bill.cli.saving import saving, target_of
from mps_bill.cli.showing import Showing
from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.core.diagnostics import InputRejected, Place, Problem, ProblemLog, counted, printable
from mps_bill.core.files import sweep
from mps_bill.price_sheet.book import PriceBook

if TYPE_CHECKING:
    from mps_bill.ask.all_accounts import AccountsUsage, RunSum
    from mps_bill.metering.groups import Metered
    from mps_bill.pipeline import SettleRun
    from mps_bill.rating.selection import Selection
    from mps_bill.render.joined import Joined
    from mps_bill.settlement.save import AccountFile
    from mps_bill.view.bill_view import BillView
    from mps_bill.view.settle_view import SettleView


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the accounts are, and where they are saved to (None: nowhere). `cuts` are the seconds at which their plans started
    or ended within a cycle when the usage was read."""

    accounts: str
    target: str | None
    in_place: bool
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Settling:
    """How every account is settled, as for `pipeline.settle_usage`; `charge_twice` takes cycles that were charged before,
    and `allow_future` those that have not ended."""

    as_of: int | None
    charge_late: bool
    charge_twice: bool
    allow_future: bool
    forecast_days: int


def settle_folder(
    usage: Sequence[str],
    prices: Sequence[str],
    book: PriceBook,
    folder: Folder,
    settling: Settling,
    reading: Reading,
    showing: Showing,
    selection: Selection,
    view: Callable[[SettleRun], SettleView | BillView],
    *,
    fail_on_outstanding: bool,
    fail_over: Decimal | None,
) -> int:
    """Settles the usage of many accounts, of which `view` shows a selection. Nothing is charged unless every row and every
    account is right."""
    check_joined(showing)
    output = showing.output
    _check_folder(folder, output, reading.rejects)

    from mps_bill.ask.all_accounts import meter_accounts, nothing
    from mps_bill.settlement.save import check_accounts, plans_in
    from mps_bill.settlement.sources.resource_plans import segment_cuts
    from mps_bill.view.bill_view import selection_text

    with metering(
        usage,
        prices,
        book,
        reading,
        output,
        inputs={"--account": folder.accounts},
        as_of=settling.as_of,
        charged=folder.accounts if folder.target is not None else None,
        allow_future=settling.allow_future,
        selection=selection,
    ) as (sources, meter_options):
        cuts = segment_cuts(plans_in(folder.accounts, book), book)
        accounts = meter_accounts(sources, book, replace(meter_options, accounts=True, cuts=cuts))
        report = check_accounts(
            accounts.ids(),
            folder.accounts,
            folder.target,
            book,
            reading.max_errors,
            in_place=folder.in_place,
            cuts=cuts,
        )
        folder = replace(folder, cuts=cuts)
        if report.total:
            raise InputRejected(report)
        if settling.charge_late and not settling.charge_twice:
            _check_charged_before(accounts, folder, settling, reading.max_errors)
    # The rejects are in their place by now. Where accounts are saved as they are done, a file is written as they are done,
    # too, so that after a crash it still has every account that was charged.
    with showing.opened(there=folder.target is not None) as stream:
        start = nothing(settled=not selection.only, is_part=bool(selection.only))
        writer = joined(showing, book, stream, settled=not selection.only)
        total, owed = _settle_each(accounts, folder, settling, writer, stream, view, start, quiet=reading.quiet)
        control_totals = accounts.control_totals(total.control_totals)
        with pipe_may_break():
            writer.end(total, control_totals)

    if folder.target is not None:
        say(f"Saved {counted(total.accounts, 'account')} to {folder.target}.", quiet=reading.quiet)
    crossed = (
        over(total.comes_to, fail_over, book.currency, is_part=bool(selection.only)),
        outstanding(owed if fail_on_outstanding else ZERO, book.currency),
    )
    shown = selection_text(selection, book.offset)
    return showing.end(accounts.problems, control_totals, shown=shown, crossed=crossed, quiet=reading.quiet)


def _check_folder(folder: Folder, output: str | None, rejects: str | None) -> None:
    if folder.target is not None and not os.path.isdir(folder.target):
        message = f"{folder.target} is not a folder, and --account is a folder of accounts"
        raise typer.BadParameter(message, param_hint="--save")
    taken = {os.path.realpath(path) for path in (folder.accounts, folder.target) if path is not None}
    for option, path in (("--output", output), ("--rejects", rejects)):
        if path is not None and os.path.dirname(os.path.realpath(path)) in taken:
            message = f"{path} would be among the accounts; name a file in another folder"
            raise typer.BadParameter(message, param_hint=option)


def charged_before(run: SettleRun, name: str, maximum: int) -> Problem | None:
    """The problem of a run of the account `name` that would charge cycles which were charged before; it names `maximum`."""
    from mps_bill.settlement.account_problems import CHARGED_BEFORE
    from mps_bill.view.settle_view import charged_again_text

    if not run.settled.charged_again:
        return None
    message = (
        f"{charged_again_text(run, maximum)} Give --charge-late files without these cycles, or confirm it with"
        " --charge-twice."
    )
    return Problem(Place(printable(name)), CHARGED_BEFORE, message)


def _check_charged_before(accounts: AccountsUsage, folder: Folder, settling: Settling, max_errors: int) -> None:
    """Settles every account without saving any, so that nothing is charged where one would be charged twice.

    Raises:
        InputRejected: with the problem of every such account.
    """
    from mps_bill.settlement.save import open_account_in

    log = ProblemLog(max_errors)
    for account_id, metered in accounts:
        with open_account_in(folder.accounts, account_id, accounts.book, lock=False, cuts=folder.cuts) as file:
            problem = charged_before(_settled(metered, accounts.book, file, settling), file.name, max_errors)
        log.add([problem] if problem else [])
    report = log.report()
    if report.total:
        raise InputRejected(report)


def _settled(metered: Metered, book: PriceBook, file: AccountFile, settling: Settling) -> SettleRun:
    from mps_bill.pipeline import settle_metered

    return settle_metered(
        metered,
        book,
        file.account,
        settling.as_of,
        charge_late=settling.charge_late,
        charge_twice=settling.charge_twice,
        forecast_days=settling.forecast_days,
    )


def _settle_each(
    accounts: AccountsUsage,
    folder: Folder,
    settling: Settling,
    writer: Joined,
    stream: IO[str],
    view: Callable[[SettleRun], SettleView | BillView],
    total: RunSum,
    *,
    quiet: bool,
) -> tuple[RunSum, Decimal]:
    """Settles, prints and saves account by account; what they all come to beside `total`, and what they owe in the end."""
    from mps_bill.ask.all_accounts import sum_of
    from mps_bill.settlement.save import account_path, open_account_in
    from mps_bill.view.settle_view import notices

    owed = ZERO
    if folder.target is not None:
        sweep(folder.target)
    try:
        for account_id, metered in accounts:
            locked = folder.target is not None
            with open_account_in(folder.accounts, account_id, accounts.book, lock=locked, cuts=folder.cuts) as file:
                run = _settled(metered, accounts.book, file, settling)
                name = None if folder.target is None else account_path(folder.target, account_id)
                with (
                    target_of(name, file, accounts.book, in_place=folder.in_place) as target,
                    saving(target, file, run, accounts.book) as saved,
                ):
                    shown = view(run)
                    comes_to = sum_of(shown.run)
                    with pipe_may_break():
                        writer.add(account_id, shown, comes_to)
                        stream.flush()
                    if target is not None:
                        sync(stream)
                    with signals.held():
                        saved.commit()
                        total += comes_to
            for notice in (*notices(run), *saved.notes()):
                say(f"{account_id}: {notice}", quiet=quiet)
            owed = EXACT.add(owed, run.settled.closing.owed)
    except BaseException as error:
        if folder.target is None or not total.accounts:
            raise
        count = f"{total.accounts} account{' was' if total.accounts == 1 else 's were'}"
        say(f"{count} settled and saved before this; the others are as they were. Run again: nothing is charged twice.")
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(signals.exit_code()) from None
        raise
    return total, owed
