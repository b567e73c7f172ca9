"""Bills and statement months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Final

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, round_money, scaled
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Billing, PriceSheet
from mps_bill.rating.contract import LIST_PRICES, Contract, discount_of
from mps_bill.rating.lines import NO_USAGE, Charge, LineItem, MonthUsage, rate
from mps_bill.rating.month_use import month_use


# Cycles, bills and their amounts are not frozen, for the same reason as lines.
@dataclass(slots=True)
class Cycle:
    """The charges of one product in one billing cycle, before plans and prices. Times are seconds.

    `correction_at` is set for late usage of a cycle whose bill was issued before: the issue time of the correction. `not_before`
    is the latest issue time of the product's earlier cycles, which a new sheet with a shorter lag must not overtake: bills are
    rated and paid in the order of their cycles. `contract` is that of the account. `closing_sheet` is the version that rounds the
    month, if the cycle is settled with its month.
    """

    sheet: Final[PriceSheet]
    start: Final[int]
    charges: Final[tuple[Charge, ...]]
    correction_at: Final[int | None] = None
    not_before: Final[int] = 0
    contract: Final[Contract] = LIST_PRICES
    closing_sheet: Final[PriceSheet | None] = None
    #: The seconds, in order, at which the cycle is cut into segments by which usage is known.
    cuts: Final[Sequence[int]] = ()

    @property
    def product(self) -> str:
        return self.sheet.product

    @property
    def end(self) -> int:
        return self.sheet.billing.calendar.cycle_end(self.start)

    @property
    def issued_at(self) -> int:
        """The end of the cycle plus the lag of the sheet."""
        if self.correction_at is not None:
            return self.correction_at
        return max(self.end + self.sheet.billing.issue_after, self.not_before)

    @property
    def is_monthly(self) -> bool:
        """Whether it is settled with its month."""
        return self.closing_sheet is not None


@dataclass(slots=True)
class Amounts:
    """`payable` = `list_amount` - `discount` + `rounding_adjustment`.

    Only whole bills are rounded and paid: parts of bills (`is_part`) have only a net amount, and no payable.
    """

    list_amount: Final[Decimal] = ZERO
    discount: Final[Decimal] = ZERO
    rounding_adjustment: Final[Decimal] = ZERO
    is_part: Final[bool] = False

    @property
    def net(self) -> Decimal:
        """The amount after discounts and before rounding."""
        return self.list_amount - self.discount

    @property
    def payable(self) -> Decimal:
        return self.net + self.rounding_adjustment

    def figures(self, *, discounted: bool) -> dict[str, Decimal]:
        """The sums by name, in the order in which they lead to the payable, or for a part to its net amount; the discount only if
        `discounted`."""
        before = {"list_amount": self.list_amount, **({"discount": self.discount} if discounted else {})}
        if self.is_part:
            return {**before, "net_amount": self.net}
        return {**before, "rounding_adjustment": self.rounding_adjustment, "payable": self.payable}


@dataclass(slots=True)
class Bill:
    """The bill of one cycle.

    Under monthly settlement it is not rounded; the month is rounded once (`StatementMonth`). `item_use` is the month's use before
    the bill of every item whose price counts across the item, in micros.
    """

    cycle: Final[Cycle]
    lines: Final[tuple[LineItem, ...]]
    amounts: Final[Amounts]
    item_use: Final[Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class StatementMonth:
    """The statement of a month (`2023-11`) under monthly settlement, issued when the month is over.

    List amount and discount of `amounts` repeat those of the month's bills; only the adjustment is the statement's own.
    """

    sheet: PriceSheet
    month: str
    amounts: Amounts

    @property
    def issued_at(self) -> int:
        billing = self.sheet.billing
        return billing.calendar.month_end(self.month) + billing.issue_after


def cycles(charges: Iterable[Charge], book: PriceBook, cuts: Sequence[int] = ()) -> tuple[Cycle, ...]:
    """Make the cycles of all charges at list prices, in the order in which their bills are issued. The charges were gathered with
    `cuts`."""
    found = []
    issued: dict[str, int] = {}
    for (start, product), members in groupby(charges, key=lambda charge: (charge.cycle_start, charge.sheet.product)):
        of_cycle = tuple(members)
        sheet = of_cycle[0].sheet
        closing = _closing_sheet(sheet, start, LIST_PRICES, book)
        cycle = Cycle(sheet, start, of_cycle, not_before=issued.get(product, 0), closing_sheet=closing, cuts=cuts)
        issued[product] = cycle.issued_at
        found.append(cycle)
    return tuple(sorted(found, key=lambda cycle: (cycle.issued_at, cycle.start, cycle.product)))


def under_contract(cycles: Sequence[Cycle], contract: Contract, book: PriceBook) -> Sequence[Cycle]:
    """Apply the contract of an account to cycles made at list prices."""
    if contract == LIST_PRICES:
        return cycles
    return [
        replace(cycle, contract=contract, closing_sheet=_closing_sheet(cycle.sheet, cycle.start, contract, book))
        for cycle in cycles
    ]


def _closing_sheet(sheet: PriceSheet, cycle_start: int, contract: Contract, book: PriceBook) -> PriceSheet | None:
    """The version that rounds the month of a cycle; None if the cycle is settled by itself."""
    if contract.settlement_of(cycle_start, sheet.billing.settlement) == "hourly":
        return None
    return book.sheet_closing(sheet.product, sheet.billing.calendar.month(cycle_start))


def make_bill(cycle: Cycle, covered: Sequence[int], used: MonthUsage) -> tuple[Bill, MonthUsage]:
    """Make the bill of a cycle, of whose charges `covered` micros are covered; return it with the month's use after it."""
    lines: list[LineItem] = []
    discounts = cycle.contract.discounts_at(cycle.start)
    month = month_use(cycle.charges, covered, used)
    for charge, covered_micros, before in zip(cycle.charges, covered, month.before_charges, strict=True):
        discount = discount_of(discounts, charge.item.code, charge.region) if discounts else None
        lines += rate(charge, covered_micros, before, discount)
    list_amount = scaled(sum([line.ticks for line in lines]), AMOUNT_PLACES)
    discount_sum = sum([line.discount for line in lines], ZERO) if discounts else ZERO
    adjustment = ZERO if cycle.is_monthly else _rounding(list_amount - discount_sum, cycle.sheet.billing)
    bill = Bill(cycle, tuple(lines), Amounts(list_amount, discount_sum, adjustment), month.of_items)
    return bill, month.after


def list_bills(cycles: Iterable[Cycle]) -> tuple[Bill, ...]:
    """Make the bills of cycles, in their order, as if there were no plans and no earlier use in the months."""
    used = NO_USAGE
    bills = []
    for cycle in cycles:
        bill, used = make_bill(cycle, (0,) * len(cycle.charges), used)
        bills.append(bill)
    return tuple(bills)


def statement_months(bills: Iterable[Bill]) -> tuple[StatementMonth, ...]:
    """Make the statements of bills that are settled by the month: the month's net sum, rounded to money once."""
    members: dict[tuple[str, str], list[Bill]] = {}
    for bill in bills:
        if bill.cycle.is_monthly:
            month = bill.cycle.sheet.billing.calendar.month(bill.cycle.start)
            members.setdefault((bill.cycle.product, month), []).append(bill)
    statements = []
    for (_, month), found in members.items():
        sums, cycle = sum_amounts(found), found[-1].cycle
        statements.append(statement_month(cycle.closing_sheet or cycle.sheet, month, sums.list_amount, sums.discount))
    return tuple(statements)


def statement_month(
    sheet: PriceSheet, month: str, list_amount: Decimal, discount: Decimal = ZERO, paid: Decimal = ZERO
) -> StatementMonth:
    """Make the statement of a month. Its net sum is rounded by the rules of `sheet`, but never below the amount already `paid`:
    the hours may have been billed under a sheet with finer rounding."""
    net = list_amount - discount
    adjustment = max(_rounding(net, sheet.billing), paid - net)
    return StatementMonth(sheet, month, Amounts(list_amount, discount, adjustment))


def sum_amounts(bills: Iterable[Bill], months: Iterable[StatementMonth] = ()) -> Amounts:
    """Sum bills, including the roundings of statement months in the adjustments."""
    list_amount = discount = adjustment = ZERO
    is_part = False
    for bill in bills:
        is_part = is_part or bill.amounts.is_part
        list_amount += bill.amounts.list_amount
        discount += bill.amounts.discount
        adjustment += bill.amounts.rounding_adjustment
    for month in months:
        adjustment += month.amounts.rounding_adjustment
    return Amounts(list_amount, discount, adjustment, is_part)


def _rounding(net: Decimal, billing: Billing) -> Decimal:
    """The rounding adjustment of a bill's net sum. Source: the provider rounds the sum of a bill down to two decimal places and
    shows that separately."""
    return round_money(net, billing.places, billing.mode) - net
