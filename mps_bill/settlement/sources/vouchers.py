"""Vouchers: which of them pay a bill, in which order, and how much each may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import ZERO, round_money
from mps_bill.core.language import mark
from mps_bill.core.laws import law
from mps_bill.documents.shapes import Choice, Fields, ListOf, optional, words
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.entries import MONEY_PLACES, Reading, item_code, money
from mps_bill.settlement.sources.money_pots import MoneyPot, MoneyPots, list_of_pots
from mps_bill.settlement.sources.payment_source import Due, PaidLine

VoucherOrder = Literal["earliest-expiry", "largest-balance"]
_Key = tuple[bool, Decimal | int, Decimal | int, int, str]

ITEMS = optional(
    "items", ListOf("the voucher's items", item_code, unique=True), "the only items that it pays for; absent: any"
)
MINIMUM_AMOUNT = optional(
    "minimum_amount", money, "the least amount (of its items, where it is limited to some) it is used on"
)


@dataclass(frozen=True, slots=True)
class Voucher(MoneyPot):
    """`items` is None where it pays for any."""

    items: frozenset[str] | None = None
    minimum_amount: Decimal = ZERO


def by_earliest_expiry(voucher: Voucher) -> _Key:
    """Limited vouchers first; then the earliest expiry, the smallest remaining, the earliest start, the id."""
    return (voucher.items is None, voucher.expires_at, voucher.remaining, voucher.effective_from, voucher.id)


def by_largest_balance(voucher: Voucher) -> _Key:
    """Limited vouchers first; then the largest remaining, the earliest expiry, the earliest start, the id."""
    return (voucher.items is None, -voucher.remaining, voucher.expires_at, voucher.effective_from, voucher.id)


ORDERS: dict[VoucherOrder, Callable[[Voucher], _Key]] = {
    "earliest-expiry": by_earliest_expiry,
    "largest-balance": by_largest_balance,
}
VOUCHER_ORDER = optional(
    "voucher_order",
    Choice[VoucherOrder]("an order of vouchers", words(*ORDERS), kinds.UNKNOWN_ORDER),
    "which voucher is used first; absent: earliest-expiry",
    name="order",
)


@dataclass(frozen=True, slots=True)
class Vouchers(MoneyPots[Voucher]):
    """The vouchers of an account, and the order in which they pay."""

    order: VoucherOrder = "earliest-expiry"

    name = "voucher"
    title = mark("Voucher")
    pool = "vouchers"
    pool_title = mark("Vouchers", "paid")
    column = "voucher"
    may_pay_at_billing = True
    entries = list_of_pots("vouchers", "vouchers", "a voucher", Voucher, ITEMS, MINIMUM_AMOUNT)
    keys = (entries, VOUCHER_ORDER)

    @classmethod
    def check_limits(cls, entry: Fields, reading: Reading) -> None:
        for item in entry.parts(ITEMS):
            reading.items(item)

    def pot_order(self, pot: Voucher) -> _Key:
        return ORDERS[self.order](pot)

    def take(self, due: Due, left: Decimal, pots: Iterable[Voucher]) -> Iterator[Decimal]:
        """A voucher limited to items pays at most the net amounts of its lines together rounded down to two decimals, less what
        other vouchers took from those lines. What it takes it takes from its lines in the order of the bill."""
        payable = left
        lines: Sequence[PaidLine] = ()
        rooms: list[Decimal] = []
        found: dict[tuple[frozenset[str], Decimal], Decimal] = {}
        for voucher in pots:
            if voucher.items is None:
                limit = left if payable >= voucher.minimum_amount else ZERO
            else:
                lines = lines or due.lines()
                rooms = rooms or [amount for _, amount in lines]
                key = (voucher.items, voucher.minimum_amount)
                if key not in found:
                    found[key] = _room(lines, rooms, *key)
                limit = min(left, found[key])
            amount = min(voucher.remaining, limit)
            yield amount
            if amount and voucher.items is not None:
                _fill(lines, rooms, voucher.items, amount)
                found.clear()
            left -= amount
            if not left:
                return


def _room(lines: Sequence[PaidLine], rooms: Sequence[Decimal], items: frozenset[str], minimum: Decimal) -> Decimal:
    """What a voucher limited to `items` may still take in whole cents, or 0 where its lines do not reach the minimum."""
    whole = room = ZERO
    for (item, amount), left in zip(lines, rooms, strict=True):
        if item in items:
            whole += amount
            room += left
    rounded = round_money(whole, MONEY_PLACES, "down")
    if whole < minimum or rounded <= whole - room:
        return ZERO
    return round_money(rounded - (whole - room), MONEY_PLACES, "down")


def _fill(lines: Sequence[PaidLine], rooms: list[Decimal], items: frozenset[str], amount: Decimal) -> None:
    """Takes `amount` from the room of the lines of `items`, in their order."""
    for number, (item, _) in enumerate(lines):
        if item in items:
            part = min(rooms[number], amount)
            rooms[number] -= part
            amount -= part
    law(not amount, "a voucher never pays more than its lines")
