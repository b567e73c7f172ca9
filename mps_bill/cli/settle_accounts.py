"""How `mps-bill settle` settles, prints and saves one account, or the accounts of a folder one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Annotated

from mps_bill.cli import clock, options, signals
from mps_bill.cli.options import option
from mps_bill.cli.output import invalid, pipe_may_break, say, sync
from mps_bill.cli.output_options import Limits
from mps_bill.cli.saving import saving, target_of
from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.core.diagnostics import InputRejected, Place, Problem, check_none, counted, printable
from mps_bill.core.files import sweep

if TYPE_CHECKING:
    from mps_bill.ask.all_accounts import AccountsUsage, RunSum
    from mps_bill.cli.metering import Metering, UsageRun
    from mps_bill.pipeline import SettleRun, Settling
    from mps_bill.render.joined import Joined
    from mps_bill.settlement.save import AccountFile
    from mps_bill.view.bill_view import BillView
    from mps_bill.view.settle_view import SettleView


_ACCOUNT = "The account that pays the bills; or a folder with a file ID.yaml for each account_id of the usage."
_SAVE = "Save the account after the run to FILE, or the accounts of a folder to a folder; completely or not at all."
_CHARGE_LATE = "Bill usage of settled cycles as corrections. The files must contain only usage that was missed before."
_TWICE = (
    "With --charge-late: also bill cycles that were charged before, even if the usage is the same. Records may be charged"
    " twice."
)
_ALLOW_FUTURE = "Also charge and save cycles that have not ended yet."


@dataclass(frozen=True, slots=True)
class ChargeOptions:
    """The options for the account or folder of accounts: what it is charged with, until when, and where it is saved."""

    account: Annotated[str, options.account(_ACCOUNT)]
    save: Annotated[str | None, option("--save FILE", _SAVE)] = None
    in_place: Annotated[bool, option("--in-place", "Save the account over the file it was read from.")] = False
    as_of: options.AsOf = None
    charge_late: Annotated[bool, option("--charge-late", _CHARGE_LATE)] = False
    charge_twice: Annotated[bool, option("--charge-twice", _TWICE)] = False
    allow_future: Annotated[bool, option("--allow-future", _ALLOW_FUTURE)] = False

    @property
    def target(self) -> str | None:
        """The file or folder that the account is saved to, if any."""
        return self.save or (self.account if self.in_place else None)

    def settling(self, forecast_days: int) -> Settling:
        """Return how the account is settled.

        Raises:
            typer.BadParameter: the options exclude one another, or the account would be saved as of a future time.
        """
        from mps_bill.pipeline import Settling

        until = options.second_option(self.as_of, "--as-of")
        if self.charge_twice and not self.charge_late:
            raise invalid("--charge-twice", "use it only with --charge-late")
        if self.target is not None and until is not None and until > clock.now() and not self.allow_future:
            message = (
                f"{self.as_of} is in the future, and the account would be saved as of that time; see --allow-future"
            )
            raise invalid("--as-of", message)
        return Settling(until, self.charge_late, self.charge_twice, forecast_days=forecast_days)

    def metering(self, run: UsageRun, as_of: int | None) -> Metering:
        """Open the usage of the run. It is charged if the account is saved."""
        inputs = {"--account": self.account, "--save": self.target}
        charged = None if self.target is None else self.account
        return run.metering(inputs, as_of=as_of, charged=charged, allow_future=self.allow_future)


#: Makes the view of the settlement of an account.
View = Callable[["SettleRun"], "SettleView | BillView"]


def settle_file(run: UsageRun, charging: ChargeOptions, settling: Settling, view: View, limits: Limits) -> int:
    from mps_bill.pipeline import settle_usage
    from mps_bill.settlement.save import open_account
    from mps_bill.view.settle_notices import notices

    with ExitStack() as stack:
        file = stack.enter_context(open_account(charging.account, run.book, lock=charging.target is not None))
        with charging.metering(run, settling.as_of) as (sources, meter_options):
            place = stack.enter_context(target_of(charging.target, file, run.book, in_place=charging.in_place))
            settled = settle_usage(sources, run.book, meter_options, file.account, settling)
            if not settling.charge_twice and (problem := charged_before(settled, file.name, meter_options.max_errors)):
                raise InputRejected([problem])
        if place is not None:
            sweep(os.path.dirname(os.path.realpath(place.path)))
        # The rejects file is complete now. The account is the last file to be moved to its place.
        with saving(place, file, settled, run.book) as saved:
            shown = view(settled)
            run.output.show(shown)
            if place is not None:
                sync(sys.stdout)
                signals.hold()
                saved.commit()

    if charging.target is not None:
        run.say(f"Saved the account to {charging.target}.", *saved.notes())
    owed, amounts = settled.settled.closing.owed, shown.amounts
    crossed = limits.crossed(amounts.payable, run.book.currency, owed, is_part=amounts.is_part)
    return run.end(settled.problems, settled.control_totals, notices=notices(settled), crossed=crossed)


def settle_folder(run: UsageRun, charging: ChargeOptions, settling: Settling, view: View, limits: Limits) -> int:
    """Settle the usage of many accounts. Nothing is charged unless every row and every account is valid."""
    run.output.check_joined()
    _check_folder(charging, run)

    from mps_bill.ask.all_accounts import meter_accounts
    from mps_bill.settlement.save import check_accounts, cuts_in

    book, is_part = run.book, bool(run.selection.only)
    with charging.metering(run, settling.as_of) as (sources, meter_options):
        cuts = cuts_in(charging.account, book)
        usage = meter_accounts(sources, book, replace(meter_options, accounts=True, cuts=cuts))
        in_place = charging.in_place
        problems = check_accounts(usage.ids(), charging.account, charging.target, book, in_place=in_place, cuts=cuts)
        check_none(problems, meter_options.max_errors)
        accounts = _Accounts(usage, charging, settling, cuts)
        if settling.charge_late and not settling.charge_twice:
            # If one account would be charged twice, none is charged.
            check_none(accounts.charged_before(meter_options.max_errors), meter_options.max_errors)
    # The rejects file is complete now. If accounts are saved one by one, the output is also written account by account, so
    # that after a crash it has every account that was charged.
    with run.output.opened(there=charging.target is not None) as stream:
        writer = run.output.joined(book, stream, settled=not is_part)
        total, owed = _settle_each(accounts, writer, stream, view, run)
        control_totals = usage.control_totals(total.control_totals)
        with pipe_may_break():
            writer.end(total, control_totals)

    if charging.target is not None:
        run.say(f"Saved {counted(total.accounts, 'account')} to {charging.target}.")
    crossed = limits.crossed(total.amount, book.currency, owed, is_part=is_part)
    return run.end(usage.problems, control_totals, crossed=crossed)


def _check_folder(charging: ChargeOptions, run: UsageRun) -> None:
    if charging.target is not None and not os.path.isdir(charging.target):
        raise invalid("--save", f"{charging.target} is not a folder, and --account is a folder of accounts")
    taken = {os.path.realpath(path) for path in (charging.account, charging.target) if path is not None}
    for name, path in (("--output", run.output.path), ("--rejects", run.reading.rejects)):
        if path is not None and os.path.dirname(os.path.realpath(path)) in taken:
            raise invalid(name, f"{path} would be in the folder of accounts; name a file in another folder")


def charged_before(run: SettleRun, name: str, maximum: int) -> Problem | None:
    """Return the problem if a run of the account `name` would charge cycles again. It names at most `maximum` of them."""
    from mps_bill.settlement.account_problems import CHARGED_BEFORE
    from mps_bill.view.settle_notices import charged_again_text

    if not run.settled.charged_again:
        return None
    message = (
        f"{charged_again_text(run, maximum)} With --charge-late, use files without these cycles, or confirm the charge with"
        " --charge-twice."
    )
    return Problem(Place(printable(name)), CHARGED_BEFORE, message)


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The accounts of the usage, and how each is settled. `cuts` are the `Account.cuts` of all of them when the usage was
    read."""

    usage: AccountsUsage
    charging: ChargeOptions
    settling: Settling
    cuts: tuple[int, ...]

    def settled(self, *, lock: bool) -> Iterator[tuple[str, AccountFile, SettleRun]]:
        """Yield each account with its file, which stays open until the next account, and its settlement."""
        from mps_bill.pipeline import settle_metered
        from mps_bill.settlement.save import open_account_in

        book = self.usage.book
        for account_id, metered in self.usage:
            with open_account_in(self.charging.account, account_id, book, lock=lock, cuts=self.cuts) as file:
                yield account_id, file, settle_metered(metered, book, file.account, self.settling)

    def charged_before(self, maximum: int) -> Iterator[Problem]:
        """Settle every account without saving it, and yield the problem of each that would be charged twice."""
        for _, file, run in self.settled(lock=False):
            if problem := charged_before(run, file.name, maximum):
                yield problem


def _settle_each(
    accounts: _Accounts, writer: Joined, stream: IO[str], view: View, run: UsageRun
) -> tuple[RunSum, Decimal]:
    """Settle, print and save account by account. Return the sum of all accounts and the amount that they owe at the end."""
    from mps_bill.ask.all_accounts import empty_sum, sum_of
    from mps_bill.settlement.save import account_path
    from mps_bill.view.settle_notices import notices

    is_part, folder = bool(run.selection.only), accounts.charging.target
    total, owed = empty_sum(settled=not is_part, is_part=is_part), ZERO
    if folder is not None:
        sweep(folder)
    try:
        for account_id, file, settled in accounts.settled(lock=folder is not None):
            name = None if folder is None else account_path(folder, account_id)
            with (
                target_of(name, file, run.book, in_place=accounts.charging.in_place) as target,
                saving(target, file, settled, run.book) as saved,
            ):
                shown = view(settled)
                run_sum = sum_of(shown.run)
                with pipe_may_break():
                    writer.add(account_id, shown, run_sum)
                    stream.flush()
                if target is not None:
                    sync(stream)
                with signals.held():
                    saved.commit()
                    total += run_sum
            run.say(*(f"{account_id}: {notice}" for notice in (*notices(settled), *saved.notes())))
            owed = EXACT.add(owed, settled.settled.closing.owed)
    except BaseException as error:
        if folder is None or not total.accounts:
            raise
        count = counted(total.accounts, "account was", "accounts were")
        say(f"{count} settled and saved before this; the others are unchanged. Run again: nothing is charged twice.")
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(signals.exit_code()) from None
        raise
    return total, owed
