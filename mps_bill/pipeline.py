"""The whole pipeline, one way: usage and prices in, bills out, and paid from an account.

    usage files -> meter -> gather -> cycles -> bills
                                             -> settle -> settlements and the account after them

Everything behind metering is pure and works on some thousands of totals; the exact decimal context is set here, once, so
that no sum can lose a digit unseen.
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
    """Metered usage with the cycles it makes."""

    metered: Metered
    cycles: tuple[Cycle, ...]


@dataclass(frozen=True, slots=True)
class BillRun:
    """What `bill` found: issued bills, bills not issued by `as_of` yet, and where every row went. `offset` is the billing clock
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
    #: What of the run the bills, statements and pending bills are.
    selection: Selection = EVERYTHING

    @property
    def amounts(self) -> Amounts:
        """What the bills and statements come to."""
        return replace(sum_amounts(self.bills, self.months), is_part=bool(self.selection.only))


def meter_usage(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions) -> Usage:
    """Reads every row once and gathers what it makes into cycles, in the order in which their bills are issued.

    Raises:
        InputRejected: a file or its header cannot be used, or rows are bad and the options do not bill the good ones.
    """
    return gathered(meter(sources, book, options), book, options.cuts)


def gathered(metered: Metered, book: PriceBook, cuts: Sequence[int] = ()) -> Usage:
    """Metered usage, of one account, with the cycles that it makes, known by the segments that `cuts` cut them into."""
    with decimal.localcontext(EXACT):
        return Usage(metered, cycles(gather(metered.groups, book, cuts), book, cuts))


def bill_usage(
    sources: Sequence[UsageSource],
    book: PriceBook,
    options: MeterOptions,
    as_of: int | None = None,
    contract: Contract = LIST_PRICES,
) -> BillRun:
    """Itemised bills for usage files, at the prices of a contract; `as_of` (seconds) holds back the bills that are issued
    later.

    Raises:
        InputRejected: as `meter_usage`.
    """
    return bill_metered(meter(sources, book, options), book, options.tags, as_of, contract)


def bill_metered(
    metered: Metered, book: PriceBook, tags: tuple[str, ...], as_of: int | None, contract: Contract = LIST_PRICES
) -> BillRun:
    """Itemised bills for the metered usage of one account."""
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
    """What `settle` found: the bills and how they were paid, the account after them, and where every row went.

    `offset` is the billing clock (seconds east of UTC) that times of the account are shown on.
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
    #: What of the run the steps are, and the bills that are late, pending or overdue; the account is that of the whole run.
    selection: Selection = EVERYTHING

    @property
    def amounts(self) -> Amounts:
        """What the bills and statements come to."""
        return self.totals.amounts


@dataclass(frozen=True, slots=True)
class Settling:
    """How an account pays: `as_of` (seconds) holds back what is issued or paid in later. `charge_late` bills usage of settled
    cycles, `charge_twice` also where its sums were charged before. `close_months` lets time pass until all months are stated.
    A forecast goes by so many days of usage, where the run has them."""

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
    """Bills for usage files, paid from an account in the order and at the time of their issue.

    Raises:
        InputRejected: as `meter_usage`.
    """
    options = replace(options, cuts=account.cuts(book))
    return settle_metered(meter(sources, book, options), book, account, how)


def settle_metered(metered: Metered, book: PriceBook, account: Account, how: Settling = Settling()) -> SettleRun:
    """The bills for the usage of an account, paid from it. It was metered with the account's cuts, and perhaps others."""
    # A bill needs none of this, and start-up is most of a small run.
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
    """What `usage check` found: where every row went, and the problems."""

    control_totals: ControlTotals
    problems: ProblemReport


def check_usage(sources: Sequence[UsageSource], book: PriceBook, options: MeterOptions) -> UsageCheck:
    """Control totals and problems of usage files, with every item, spec and region held against the price book.

    Raises:
        InputRejected: a file or its header cannot be used.
    """
    metered = meter(sources, book, options)
    return UsageCheck(control_totals(metered), metered.problems)


def control_totals(metered: Metered, *, pending: Sequence[Bill] = (), late: Sequence[Cycle] = ()) -> ControlTotals:
    """Where every row of the usage went. A row of a pending or late cycle is counted there and not as billed."""
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
