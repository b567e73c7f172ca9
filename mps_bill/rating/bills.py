"""Bills and statement months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from mps_bill.core.decimals import ZERO, round_money
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Billing, PriceSheet
from mps_bill.rating.lines import NO_USAGE, Charge, LineItem, MonthUsage, charge_for, rate
from mps_bill.rating.month_use import used_after, used_before
from mps_bill.rating.totals import UsageTotal


@dataclass(frozen=True, slots=True)
class Cycle:
    """What is charged for one product in one billing cycle, before plans and prices. Times are seconds.

    `correction_at` is set for late usage of a cycle whose bill was issued before: its own bill is issued then.
    `not_before` is the latest issue time of the product's earlier cycles, which a new sheet with a shorter lag must not
    overtake: bills are rated and paid in the order of their cycles. `closing_sheet` is the version that cuts the month.
    """

    sheet: PriceSheet
    start: int
    charges: tuple[Charge, ...]
    correction_at: int | None = None
    not_before: int = 0
    closing_sheet: PriceSheet | None = None

    @property
    def product(self) -> str:
        return self.sheet.product

    @property
    def end(self) -> int:
        return self.sheet.billing.calendar.cycle_end(self.start)

    @property
    def issued_at(self) -> int:
        """The bill of a cycle is issued when the cycle is over and the lag of the sheet has passed."""
        if self.correction_at is not None:
            return self.correction_at
        return max(self.end + self.sheet.billing.issue_after, self.not_before)


@dataclass(frozen=True, slots=True)
class Amounts:
    """`payable` = `list_amount` + `rounding_adjustment`."""

    list_amount: Decimal
    rounding_adjustment: Decimal

    @property
    def payable(self) -> Decimal:
        return self.list_amount + self.rounding_adjustment


@dataclass(frozen=True, slots=True)
class Bill:
    """The bill of one cycle.

    With monthly settlement the hour's amount is not cut: the cut is made once, on the month (`StatementMonth`).
    """

    cycle: Cycle
    lines: tuple[LineItem, ...]
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class StatementMonth:
    """The statement of a month (`2023-11`) under monthly settlement, issued when the month is over.

    `amounts.list_amount` repeats what the month's bills list; only the adjustment is the statement's own.
    """

    sheet: PriceSheet
    month: str
    amounts: Amounts

    @property
    def issued_at(self) -> int:
        billing = self.sheet.billing
        return billing.calendar.month_end(self.month) + billing.issue_after


def cycles(totals: Iterable[UsageTotal], book: PriceBook) -> tuple[Cycle, ...]:
    """The cycles of all totals, in the order in which their bills are issued."""
    found = []
    issued: dict[str, int] = {}
    for (start, product), members in groupby(totals, key=lambda total: (total.cycle_start, total.sheet.product)):
        charges = tuple(charge_for(total, book) for total in members)
        sheet = charges[0].sheet
        closing = None
        if sheet.billing.settlement == "monthly":
            closing = book.sheet_closing(product, sheet.billing.calendar.month(start))
        cycle = Cycle(sheet, start, charges, not_before=issued.get(product, 0), closing_sheet=closing)
        issued[product] = cycle.issued_at
        found.append(cycle)
    return tuple(sorted(found, key=lambda cycle: (cycle.issued_at, cycle.start, cycle.product)))


def make_bill(cycle: Cycle, covered: Sequence[int], used: MonthUsage) -> tuple[Bill, MonthUsage]:
    """The bill of a cycle of which plans cover `covered` micros, charge by charge; and what the month has used then."""
    lines: list[LineItem] = []
    for charge, plan_micros, before in zip(
        cycle.charges, covered, used_before(cycle.charges, covered, used), strict=True
    ):
        lines += rate(charge, plan_micros, before)
    list_amount = sum([line.amount for line in lines], ZERO)
    billing = cycle.sheet.billing
    adjustment = ZERO if billing.settlement == "monthly" else _cut(list_amount, billing)
    return Bill(cycle, tuple(lines), Amounts(list_amount, adjustment)), used_after(cycle.charges, covered, used)


def list_bills(cycles: Iterable[Cycle]) -> tuple[Bill, ...]:
    """The bills of cycles, in their order, as if there were no plans and the months had used nothing before."""
    used = NO_USAGE
    bills = []
    for cycle in cycles:
        bill, used = make_bill(cycle, (0,) * len(cycle.charges), used)
        bills.append(bill)
    return tuple(bills)


def statement_months(bills: Iterable[Bill]) -> tuple[StatementMonth, ...]:
    """The statements of products that settle by the month: the month's sum, cut to money once."""
    sums: dict[tuple[str, str], Decimal] = {}
    sheets: dict[tuple[str, str], PriceSheet] = {}
    for bill in bills:
        sheet = bill.cycle.sheet
        if sheet.billing.settlement == "monthly":
            key = (sheet.product, sheet.billing.calendar.month(bill.cycle.start))
            sums[key] = sums.get(key, ZERO) + bill.amounts.list_amount
            sheets[key] = bill.cycle.closing_sheet or sheet
    return tuple(statement_month(sheets[key], key[1], list_amount) for key, list_amount in sums.items())


def statement_month(sheet: PriceSheet, month: str, list_amount: Decimal) -> StatementMonth:
    """The statement of a month, whose sum is cut by the rules of `sheet`."""
    return StatementMonth(sheet, month, Amounts(list_amount, _cut(list_amount, sheet.billing)))


def sum_amounts(bills: Iterable[Bill], months: Iterable[StatementMonth] = ()) -> Amounts:
    """The sum of bills, with the cuts of statement months among the adjustments."""
    list_amount = adjustment = ZERO
    for bill in bills:
        list_amount += bill.amounts.list_amount
        adjustment += bill.amounts.rounding_adjustment
    for month in months:
        adjustment += month.amounts.rounding_adjustment
    return Amounts(list_amount, adjustment)


def _cut(list_amount: Decimal, billing: Billing) -> Decimal:
    """What rounding adds to a bill's sum (below zero when it cuts). Source: the provider's zeroing of bills, which cuts
    the sum of a bill down to two decimals and shows the cut by itself."""
    return round_money(list_amount, billing.places, billing.mode) - list_amount
