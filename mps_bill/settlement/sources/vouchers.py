"""Vouchers: which of them pay a bill, in which order, and how much each may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mps_bill.core.decimals import ZERO, amount_text, round_money
from mps_bill.core.language import mark
from mps_bill.core.laws import law
from mps_bill.documents.shapes import Choice, Fields, ListOf, Record, optional, words
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.entries import MONEY_PLACES, Reading, item_code, money
from mps_bill.settlement.sources.money_pots import POT_KEYS, MoneyPot, MoneyPots, pot_fields, pot_row
from mps_bill.settlement.sources.payment_source import Due, PaidLine, Written

VoucherOrder = Literal["earliest-expiry", "largest-balance"]
_Key = tuple[bool, Decimal | int, Decimal | int, int, str]

ITEMS = optional(
    "items", ListOf("the voucher's items", item_code, unique=True), "the only items that it pays for; absent: any"
)
MINIMUM_AMOUNT = optional(
    "minimum_amount", money, "the least amount (of its items, where it is limited to some) it is used on"
)
_VOUCHER = Record("a voucher", (*POT_KEYS, ITEMS, MINIMUM_AMOUNT))


@dataclass(frozen=True, slots=True)
class Voucher(MoneyPot):
    """`items` is None where it pays for any."""

    items: frozenset[str] | None
    minimum_amount: Decimal


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
    entries = optional("vouchers", ListOf("the vouchers", _VOUCHER, may_be_empty=True), "vouchers")
    keys = (entries, VOUCHER_ORDER)

    @classmethod
    def read(cls, fields: Fields, reading: Reading) -> Vouchers:
        pots = reading.each(fields, cls.entries, lambda entry: cls.read_pot(entry, reading))
        return cls(pots, fields.value_of(VOUCHER_ORDER, "earliest-expiry"))

    @classmethod
    def read_pot(cls, entry: Fields, reading: Reading) -> Voucher | None:
        values, items = pot_fields(entry, reading), entry.get(ITEMS)
        for item in entry.parts(ITEMS):
            reading.items(item)
        if values is None:
            return None
        limit = frozenset(item.value for item in items.parts) if items else None
        return Voucher(*values, limit, entry.value_of(MINIMUM_AMOUNT, ZERO))

    def written(self, offset: int) -> Mapping[str, Written | None]:
        return {"vouchers": [self.written_pot(pot, offset) for pot in self.pots], "voucher_order": self.order}

    def written_pot(self, pot: Voucher, offset: int) -> Mapping[str, Written]:
        items = {"items": sorted(pot.items)} if pot.items is not None else {}
        return {**pot_row(pot, offset), **items, "minimum_amount": amount_text(pot.minimum_amount)}

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
