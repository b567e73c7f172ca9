"""The contract of an account with the provider: discounts, and when bills are settled. Every cycle carries its contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, round_money, strip_zeros
from mps_bill.price_sheet.sheet_model import Settlement

VouchersAt = Literal["billing", "settlement"]


@dataclass(frozen=True, slots=True)
class Discount:
    """`percent` off the amount of lines of `items` in `regions` (None: all), in cycles that start from `effective_from` until
    before `expires_at` (seconds; None: always)."""

    id: str
    percent: Decimal
    items: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    effective_from: int | None = None
    expires_at: int | None = None

    def in_force(self, cycle_start: int) -> bool:
        begun = self.effective_from is None or self.effective_from <= cycle_start
        return begun and (self.expires_at is None or cycle_start < self.expires_at)

    def holds(self, item: str, region: str) -> bool:
        return (self.items is None or item in self.items) and (self.regions is None or region in self.regions)

    def of(self, amount: Decimal) -> Decimal:
        """The discount on an exact amount, rounded half up at ten decimal places: 8 % of 0.651 is 0.05208."""
        exact = EXACT.multiply(amount, self.percent).scaleb(-2, EXACT)
        return strip_zeros(round_money(exact, AMOUNT_PLACES, "half-up"))


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract. `settlement`, if set, takes precedence over that of the price sheets, from the month that starts at
    `settlement_from` on (None: always)."""

    discounts: tuple[Discount, ...] = ()
    settlement: Settlement | None = None
    settlement_from: int | None = None
    vouchers_at: VouchersAt = "settlement"

    def settlement_of(self, cycle_start: int, by_sheet: Settlement) -> Settlement:
        """How a cycle is settled. Source: the provider moved accounts, not products, to monthly settlement, in batches."""
        if self.settlement is None or (self.settlement_from is not None and cycle_start < self.settlement_from):
            return by_sheet
        return self.settlement

    def discounts_at(self, cycle_start: int) -> Sequence[Discount]:
        """The discounts in force at the start of a cycle, the largest first: a line gets the first that applies to it, because
        discounts never add up. Of equal discounts the first in the file counts."""
        if not self.discounts:
            return ()
        found = [discount for discount in self.discounts if discount.in_force(cycle_start)]
        return sorted(found, key=lambda discount: -discount.percent)


#: Without a contract, list prices are paid, and bills are settled as the price sheets say.
LIST_PRICES = Contract()


def discount_of(discounts: Sequence[Discount], item: str, region: str) -> Discount | None:
    """The first of `discounts` that applies to an item in a region."""
    return next((discount for discount in discounts if discount.holds(item, region)), None)
