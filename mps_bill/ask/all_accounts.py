"""The pipeline for usage of many accounts: all rows are checked first, then each account is processed separately.

    usage files -> meter -> groups by account, on disk -> one account's groups -> cycles -> bills -> settle -> the next

An account has the same result as in a run over its rows alone, so tiers, resource plans and rounding never mix accounts. Only
one account is in memory at a time.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.core.diagnostics import ProblemReport
from mps_bill.core.laws import law
from mps_bill.metering.groups import ControlTotals, Metered
from mps_bill.metering.meter import meter
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from mps_bill.pipeline import BillRun, SettleRun, bill_metered
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Amounts
from mps_bill.rating.contract import LIST_PRICES, Contract


@dataclass(frozen=True, slots=True)
class AccountsUsage:
    """Metered usage of many accounts. Iteration yields each account's id and usage, in order of the ids.

    A rejected row belongs to no account, because its account id cannot be trusted. It counts in the total only. Usage without
    account ids belongs to the account "", including the rejected rows.
    """

    metered: Metered
    book: PriceBook

    @property
    def problems(self) -> ProblemReport:
        return self.metered.problems

    @property
    def many(self) -> bool:
        return self.metered.by_account is not None

    def ids(self) -> Iterator[str]:
        for account_id, _ in self.metered.by_account or ():
            yield account_id

    def __iter__(self) -> Iterator[tuple[str, Metered]]:
        if not self.many:
            yield "", self.metered
        yield from self.metered.by_account or ()

    def bills(
        self,
        tags: tuple[str, ...],
        as_of: int | None = None,
        contract_of: Callable[[str], Contract] = lambda _: LIST_PRICES,
    ) -> Iterator[tuple[str, BillRun]]:
        """Yield each account's id and its bills under its contract. An account is billed when the iteration reaches it. `as_of`
        is as for `pipeline.bill_usage`."""
        for account_id, metered in self:
            yield account_id, bill_metered(metered, self.book, tags, as_of, contract_of(account_id))

    def control_totals(self, accounts: ControlTotals) -> ControlTotals:
        """Return the totals of a run of many accounts from their sum, `accounts`. The rows read are counted independently of the
        accounts, so that a row without an account would be noticed."""
        rejected = self.metered.rows_rejected
        totals = accounts + ControlTotals(rejected, 0, 0, 0, rejected)
        totals.check()
        read = self.metered.rows_read
        law(totals.rows_read == read, "the accounts do not add up: {} rows of {} read", totals.rows_read, read)
        return totals


@dataclass(frozen=True, slots=True)
class RunSum:
    """The sum of some accounts. `money` has the keys of `total` in the JSON of `bill` and `settle`."""

    accounts: int
    bills: int
    control_totals: ControlTotals
    money: Mapping[str, Decimal]

    @property
    def amount(self) -> Decimal:
        """The payable amount; for parts of bills the net amount."""
        return self.money["net_amount" if "net_amount" in self.money else "payable"]

    def __add__(self, other: RunSum) -> RunSum:
        with decimal.localcontext(EXACT):
            names = dict.fromkeys((*self.money, *other.money))
            money = {name: self.money.get(name, ZERO) + other.money.get(name, ZERO) for name in names}
        return RunSum(
            self.accounts + other.accounts,
            self.bills + other.bills,
            self.control_totals + other.control_totals,
            money,
        )


def empty_sum(settled: bool, *, is_part: bool = False) -> RunSum:
    """Return the empty sum, of settlements if `settled`, else of bills; `is_part`: of parts of bills."""
    pools: tuple[str, ...] = ()
    if settled:
        from mps_bill.settlement.closing import POOLS

        pools = POOLS
    return RunSum(0, 0, ControlTotals(0, 0, 0, 0, 0), _money(Amounts(is_part=is_part), dict.fromkeys(pools, ZERO)))


def _money(amounts: Amounts, paid: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    return {**amounts.figures(discounted=bool(amounts.discount)), **paid}


def sum_of(run: BillRun | SettleRun) -> RunSum:
    """Return the sum of one account."""
    with decimal.localcontext(EXACT):
        if isinstance(run, BillRun):
            return RunSum(1, len(run.bills), run.control_totals, _money(run.amounts, {}))
        sums = run.totals
        money = _money(sums.amounts, sums.by_pool)
        return RunSum(1, len(run.settled.settlements), run.control_totals, money)


def meter_accounts(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions) -> AccountsUsage:
    """Read every row once and keep the usage of each account. `options.accounts` says whether there must be many. Raise
    `InputRejected` as `pipeline.meter_usage` does."""
    return AccountsUsage(meter(sources, book, options), book)
