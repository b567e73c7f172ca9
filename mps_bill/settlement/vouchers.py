"""Vouchers: which of them pay a bill, in which order, and how much each may take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from mps_bill.core.decimals import ZERO, round_money
from mps_bill.core.laws import law
from mps_bill.settlement.account import MONEY_PLACES, Voucher, VoucherOrder

#: A line as vouchers see it: the item and its exact amount.
PaidLine = tuple[str, Decimal]
Taken = tuple[tuple[Voucher, Decimal], ...]
_Key = tuple[bool, Decimal | int, Decimal | int, int, str]


def take_from_vouchers(
    lines: Sequence[PaidLine], payable: Decimal, at: int, vouchers: Sequence[Voucher], order: VoucherOrder
) -> Taken:
    """What each voucher pays of `payable` at the issue time `at`, in the order in which they are used.

    A voucher limited to items pays at most the exact amounts of its lines together cut down to two decimals, less what
    other vouchers took from those lines. What it takes it takes from its lines in the order of the bill.
    """
    valid = [voucher for voucher in vouchers if voucher.remaining and voucher.effective_from <= at < voucher.expires_at]
    if not valid or not payable:
        return ()
    left = payable
    rooms = [amount for _, amount in lines]
    taken: list[tuple[Voucher, Decimal]] = []
    for voucher in sorted(valid, key=ORDERS[order]):
        if voucher.items is None:
            most = left if payable >= voucher.minimum_amount else ZERO
        else:
            most = min(left, _room(lines, rooms, voucher.items, voucher.minimum_amount))
        amount = min(voucher.remaining, most)
        if amount:
            left -= amount
            taken.append((voucher, amount))
            if voucher.items is not None:
                _fill(lines, rooms, voucher.items, amount)
    return tuple(taken)


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


def _room(lines: Sequence[PaidLine], rooms: Sequence[Decimal], items: frozenset[str], minimum: Decimal) -> Decimal:
    """What a voucher limited to `items` may still take in whole cents, or 0 where its lines do not reach the minimum."""
    whole = room = ZERO
    for (item, amount), left in zip(lines, rooms, strict=True):
        if item in items:
            whole += amount
            room += left
    cut = round_money(whole, MONEY_PLACES, "down")
    return round_money(cut - (whole - room), MONEY_PLACES, "down") if whole >= minimum and cut > whole - room else ZERO


def _fill(lines: Sequence[PaidLine], rooms: list[Decimal], items: frozenset[str], amount: Decimal) -> None:
    """Takes `amount` from the room of the lines of `items`, in their order."""
    for number, (item, _) in enumerate(lines):
        if item in items:
            part = min(rooms[number], amount)
            rooms[number] -= part
            amount -= part
    law(not amount, "a voucher never pays more than its lines")
