"""The whole pipeline in one direction: usage and prices in, bills out, and their payment from an account.

    usage files -> meter -> gather -> cycles -> bills
                                             -> settle -> settlements and the account after them

Everything after metering is pure and works on some thousands of totals. The exact decimal context is set here, once, so that no
sum can lose a digit unnoticed.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mps_bill.core.decimals import EXACT
from mps_bill.core.diagnostics import ProblemReport
from mps_bill.metering.groups import ControlTotals, Metered
from mps_bill.metering.meter import meter
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import UsageSource
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import (
    Amounts,
    Bill,
    Cycle,
    StatementMonth,
    cycles,
    list_bills,
    statement_months,
    sum_amounts,
    under_contract,
)
from mps_bill.rating.contract import LIST_PRICES, Contract
from mps_bill.rating.lines import gather
from mps_bill.rating.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from mps_bill.settlement.account import Account
    from mps_bill.settlement.closing import ClosingRow, OverdueBill, Totals
    from mps_bill.settlement.forecast import Forecast
    from mps_bill.settlement.settle_cycles import Settled


@dataclass(frozen=True, slots=True)
class Usage:
    """Metered usage and its cycles."""

    metered: Metered
    cycles: tuple[Cycle, ...]


@dataclass(frozen=True, slots=True)
class BillRun:
    """The result of `bill`: issued bills, bills not issued by `as_of`, and the control totals. `offset` is the billing clock
    (seconds east of UTC)."""

    currency: str
    offset: int
    tags: tuple[str, ...]
    bills: tuple[Bill, ...]
    pending: tuple[Bill, ...]
    months: tuple[StatementMonth, ...]
    control_totals: ControlTotals
    problems: ProblemReport
    has_discounts: bool = False
    #: The part of the run that the bills, statements and pending bills are.
    selection: Selection = EVERYTHING

    @property
    def amounts(self) -> Amounts:
        """The sums of bills and statements."""
        return replace(sum_amounts(self.bills, self.months), is_part=bool(self.selection.only))


def meter_usage(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions) -> Usage:
    """Read every row once and gather the usage into cycles, in the order in which their bills are issued.

    Raises:
        InputRejected: a file or its header cannot be used, or there are bad rows and the options do not bill the good ones.
    """
    return gathered(meter(sources, book, options), book, options.cuts)


def gathered(metered: Metered, book: PriceBook, cuts: Sequence[int] = ()) -> Usage:
    """Gather the metered usage of one account into cycles, whose usage is known by the segments between `cuts`."""
    with decimal.localcontext(EXACT):
        return Usage(metered, cycles(gather(metered.groups, book, cuts), book, cuts))


def bill_usage(
    sources: Sequence[UsageSource],
    book: PriceBook,
    options: MeterOptions,
    as_of: int | None = None,
    contract: Contract = LIST_PRICES,
) -> BillRun:
    """Make itemised bills for usage files, at the prices of a contract. Bills issued after `as_of` (seconds) are pending.

    Raises:
        InputRejected: like `meter_usage`.
    """
    return bill_metered(meter(sources, book, options), book, options.tags, as_of, contract)


def bill_metered(
    metered: Metered, book: PriceBook, tags: tuple[str, ...], as_of: int | None, contract: Contract = LIST_PRICES
) -> BillRun:
    """Make itemised bills for the metered usage of one account."""
    usage = gathered(metered, book)
    with decimal.localcontext(EXACT):
        bills = list_bills(under_contract(usage.cycles, contract, book))
        issued = tuple(bill for bill in bills if as_of is None or bill.cycle.issued_at <= as_of)
        pending = tuple(bill for bill in bills if as_of is not None and bill.cycle.issued_at > as_of)
        return BillRun(
            currency=book.currency,
            offset=book.offset,
            tags=tags,
            bills=issued,
            pending=pending,
            months=tuple(month for month in statement_months(issued) if as_of is None or month.issued_at <= as_of),
            control_totals=control_totals(metered, pending=pending),
            problems=metered.problems,
            has_discounts=bool(contract.discounts),
        )


@dataclass(frozen=True, slots=True)
class SettleRun:
    """The result of `settle`: the bills and their payments, the account after them, and the control totals.

    `offset` is the billing clock (seconds east of UTC) on which times of the account are shown.
    """

    currency: str
    offset: int
    settled: Settled
    totals: Totals
    closing_rows: tuple[ClosingRow, ...]
    overdue: tuple[OverdueBill, ...]
    forecast: Forecast | None
    control_totals: ControlTotals
    problems: ProblemReport
    #: The part of the run that the steps and the late, pending and overdue bills are; the account is that of the whole run.
    selection: Selection = EVERYTHING

    @property
    def amounts(self) -> Amounts:
        """The sums of bills and statements."""
        return self.totals.amounts


@dataclass(frozen=True, slots=True)
class Settling:
    """How an account is settled: bills and top-ups after `as_of` (seconds) wait. `charge_late` bills usage of settled cycles,
    `charge_twice` even if its sums were charged before. `close_months` lets time pass until all statements are issued. A forecast
    uses the last `forecast_days` days of usage, if the run has them."""

    as_of: int | None = None
    charge_late: bool = False
    charge_twice: bool = False
    close_months: bool = False
    forecast_days: int = 7


def settle_usage(
    sources: Sequence[UsageSource],
    book: PriceBook,
    options: MeterOptions,
    account: Account,
    how: Settling = Settling(),
) -> SettleRun:
    """Make bills for usage files and pay them from an account in the order and at the time of their issue.

    Raises:
        InputRejected: like `meter_usage`.
    """
    options = replace(options, cuts=account.cuts(book))
    return settle_metered(meter(sources, book, options), book, account, how)


def settle_metered(metered: Metered, book: PriceBook, account: Account, how: Settling = Settling()) -> SettleRun:
    """Make bills for the usage of an account and pay them from it. It was metered with the account's cuts, perhaps among
    others."""
    # Bills without an account do not need these modules, and a small run is mostly start-up.
    from mps_bill.settlement.closing import closing_rows, overdue_bills, totals
    from mps_bill.settlement.forecast import forecast
    from mps_bill.settlement.settle_cycles import settle

    usage = gathered(metered, book, account.cuts(book))
    with decimal.localcontext(EXACT):
        late = how.charge_late, how.charge_twice
        settled = settle(usage.cycles, account, book, how.as_of, *late, close_months=how.close_months)
        return SettleRun(
            currency=book.currency,
            offset=book.offset,
            settled=settled,
            totals=totals(settled),
            closing_rows=closing_rows(settled),
            overdue=overdue_bills(settled),
            forecast=forecast(settled, how.forecast_days),
            control_totals=control_totals(
                metered, pending=settled.pending, late=tuple(bill.cycle for bill in settled.late)
            ),
            problems=metered.problems,
        )


@dataclass(frozen=True, slots=True)
class UsageCheck:
    """The result of `usage check`: the control totals and the problems."""

    control_totals: ControlTotals
    problems: ProblemReport


def check_usage(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions) -> UsageCheck:
    """Check usage files, including every item, spec and region against the price book.

    Raises:
        InputRejected: a file or its header cannot be used.
    """
    metered = meter(sources, book, options)
    return UsageCheck(control_totals(metered), metered.problems)


def control_totals(metered: Metered, *, pending: Sequence[Bill] = (), late: Sequence[Cycle] = ()) -> ControlTotals:
    """The control totals of the usage. Rows of pending or late cycles are counted as such and not as billed."""
    records_pending = sum(charge.records for bill in pending for charge in bill.cycle.charges)
    records_late = sum(charge.records for cycle in late for charge in cycle.charges)
    totals = ControlTotals(
        rows_read=metered.rows_read,
        rows_billed=sum(group.records for group in metered.groups) - records_pending - records_late,
        rows_not_billable=metered.rows_not_billable,
        rows_duplicate=metered.rows_duplicate,
        rows_rejected=metered.rows_rejected,
        rows_late=records_late,
        rows_pending=records_pending,
    )
    totals.check()
    return totals
