"""The pipeline for usage of many accounts: every row is judged first, then each account goes through by itself.

    usage files -> meter -> groups by account, on disk -> one account's groups -> cycles -> bills -> settle -> the next

What the rest of the program sees of an account is what a run over its rows alone would make, so that tiers, resource plans
and rounding never mix accounts. One account is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mps_bill.core.diagnostics import ProblemReport
from mps_bill.metering.meter import MeterOptions, meter
from mps_bill.metering.scheme import MeteringScheme, scheme_for
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.usage import ControlTotals, Metered
from mps_bill.pipeline import BillRun, Usage, bill_metered, gathered
from mps_bill.price_sheet.book import PriceBook


@dataclass(frozen=True, slots=True)
class AccountsUsage:
    """Metered usage of many accounts. Going through it yields each account's id and its usage, in order of the ids.

    A rejected row is nobody's, because its account cannot be trusted either: it counts in the total only.
    Usage of one account, which names none, is that of the account "".
    """

    metered: Metered
    scheme: MeteringScheme
    book: PriceBook

    @property
    def problems(self) -> ProblemReport:
        return self.metered.problems

    def ids(self) -> Iterator[str]:
        for account_id, _ in self.metered.by_account or ():
            yield account_id

    def __iter__(self) -> Iterator[tuple[str, Usage]]:
        by_account = self.metered.by_account
        for account_id, groups in [("", self.metered.groups)] if by_account is None else by_account:
            rows = sum(group.rows for group in groups)
            yield account_id, gathered(Metered(groups, rows, 0, ProblemReport()), self.book, self.scheme)

    def control_totals(self, accounts: ControlTotals) -> ControlTotals:
        """The totals of the whole run, from the sum of those of all accounts. The rows that were read are counted apart
        from the accounts, so a row that belongs to none is found out."""
        rejected = self.metered.rows_rejected
        totals = accounts + ControlTotals(rejected, 0, 0, 0, rejected)
        totals.check()
        assert totals.rows_read == self.metered.rows_read, (
            f"the accounts do not add up: {totals.rows_read} rows of {self.metered.rows_read} read"
        )
        return totals


NO_ROWS = ControlTotals(0, 0, 0, 0, 0)


def meter_accounts(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions) -> AccountsUsage:
    """Reads every row once and keeps what each account used; `options.accounts` says whether there must be many.

    Raises:
        InputRejected: as `pipeline.meter_usage`.
    """
    scheme = scheme_for(book, options.tags, options.assumed_offset)
    return AccountsUsage(meter(sources, book, scheme, options), scheme, book)


@dataclass(frozen=True, slots=True)
class AccountBills:
    """The bills of many accounts. Going through it yields each account's id and its bills, made then and not before."""

    usage: AccountsUsage
    tags: tuple[str, ...]
    as_of: int | None

    @property
    def problems(self) -> ProblemReport:
        return self.usage.problems

    def __iter__(self) -> Iterator[tuple[str, BillRun]]:
        for account_id, usage in self.usage:
            yield account_id, bill_metered(usage, self.usage.book, self.tags, self.as_of)


def bill_accounts(
    sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions, as_of: int | None = None
) -> AccountBills:
    """Itemised bills for the usage of many accounts, account by account; `as_of` is as for `pipeline.bill_usage`.

    Raises:
        InputRejected: as `pipeline.meter_usage`; not one account is billed then.
    """
    return AccountBills(meter_accounts(sources, book, options), options.tags, as_of)
