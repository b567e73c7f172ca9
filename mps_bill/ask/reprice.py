"""The same usage under two price sheets: what a new sheet would have cost."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.metering.meter import MeterOptions
from mps_bill.metering.sources import UsageSource
from mps_bill.metering.usage import ControlTotals
from mps_bill.pipeline import BillRun, bill_usage
from mps_bill.price_sheet.book import book_of
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.rating.bills import Amounts, Bill, sum_amounts


@dataclass(frozen=True, slots=True)
class Repriced:
    """List amounts by item code under both sheets, in the order of the new one, and the sums of all bills."""

    items: tuple[tuple[str, Decimal, Decimal], ...]
    old: Amounts
    new: Amounts
    control_totals: ControlTotals

    def rises_more_than(self, percent: Decimal) -> bool:
        """Whether the list amount goes up by more than `percent`; from 0 to something is more than any."""
        before, after = self.old.list_amount, self.new.list_amount
        rise = EXACT.subtract(after, before)
        return rise > 0 and EXACT.multiply(rise, Decimal(100)) > EXACT.multiply(percent, before)


def bill_as_if(sources: Sequence[UsageSource], sheet: PriceSheet, options: MeterOptions) -> BillRun:
    """The bills of usage as if the sheet had been in force all the time.

    Raises:
        InputRejected: the usage cannot be billed under the sheet.
    """
    return bill_usage(sources, book_of(sheet), options)


def compare(before: BillRun, after: BillRun, old: PriceSheet, new: PriceSheet) -> Repriced:
    """The bills of one usage under two sheets, side by side."""
    with decimal.localcontext(EXACT):
        was, is_ = _by_item(before.bills), _by_item(after.bills)
        codes = [code for code in dict.fromkeys([*new.items, *old.items]) if code in was or code in is_]
        return Repriced(
            items=tuple((code, was.get(code, ZERO), is_.get(code, ZERO)) for code in codes),
            old=sum_amounts(before.bills, before.months),
            new=sum_amounts(after.bills, after.months),
            control_totals=after.control_totals,
        )


def _by_item(bills: Iterable[Bill]) -> dict[str, Decimal]:
    amounts: dict[str, Decimal] = {}
    for bill in bills:
        for line in bill.lines:
            amounts[line.item.code] = amounts.get(line.item.code, ZERO) + line.amount
    return amounts
