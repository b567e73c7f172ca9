"""Money under an id, with a time in which it can be used, and perhaps for some items alone: what vouchers and stored-value cards
have in common."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar, Self

from mps_bill.core.decimals import ZERO, plain, round_money
from mps_bill.documents.shapes import Field, Fields, ListOf, Located, Made, Many, Object, optional
from mps_bill.settlement.entries import (
    EFFECTIVE_FROM,
    EXPIRES_AT,
    ID,
    MONEY_PLACES,
    Reading,
    item_code,
    list_of,
    made,
    money,
)
from mps_bill.settlement.sources.payment_source import (
    Due,
    Holding,
    LimitedPayment,
    MoneyDeduction,
    MoneySource,
    PaidLine,
    take_from_lines,
)

FACE_VALUE = Field("face_value", money, "what it was worth at first")
REMAINING = optional("remaining", money, "what is left of it; default: all")


@dataclass(frozen=True, slots=True)
class MoneyPot:
    """Money for bills paid from `effective_from` until before `expires_at`. One limited to `items` (None: it pays for any) pays
    their lines alone, and one with a `minimum_amount` only where these, or else the bill, come to that much."""

    id: str
    face_value: Decimal
    remaining: Decimal
    effective_from: int
    expires_at: int
    items: frozenset[str] | None = None
    minimum_amount: Decimal = ZERO

    def usable(self, at: int) -> bool:
        return bool(self.remaining) and self.effective_from <= at < self.expires_at


def _items(name: str) -> Field[Many[Located[str]]]:
    return optional("items", ListOf(name, item_code, unique=True), "the only items that it pays for; default: any")


ITEMS = _items("the items")
MINIMUM_AMOUNT = optional(
    "minimum_amount", money, "the least amount (of its items, where it is limited to some) it is used on", ZERO
)


def list_of_pots(key: str, several: str, one: str, *, limited: bool = False) -> Field[Many[Made[MoneyPot]]]:
    """The key of an account file whose entries are pots, which may be `limited` to items and by a minimum; `several` and `one`
    (`a voucher`) are their names."""
    limits = (_items(f"the {one.partition(' ')[2]}'s items"), MINIMUM_AMOUNT) if limited else ()
    keys = (ID, FACE_VALUE, REMAINING, EFFECTIVE_FROM, EXPIRES_AT, *limits)
    entry = Object(one, keys, make=made(MoneyPot, FACE_VALUE.key))
    return list_of(key, f"the {several}", entry, several, ID, name="pots")


#: The order and the number of each pot that has something left, the next to be used first.
_Queue = list[tuple[tuple[Any, ...], int]]


@dataclass(frozen=True, slots=True)
class MoneyPots(MoneySource):
    """A source of pots, which stand in the list `entries` of an account file."""

    pots: tuple[MoneyPot, ...] = ()
    #: Kept from bill to bill, once one was paid.
    _queue: _Queue | None = field(default=None, kw_only=True, compare=False, repr=False)

    #: The list in the account file.
    entries: ClassVar[Field[Many[Made[MoneyPot]]]]

    @classmethod
    def check(cls, fields: Fields, reading: Reading) -> None:
        for entry in fields.parts(cls.entries):
            reading.remaining(entry, REMAINING, FACE_VALUE, plain)
            reading.validity(entry)
            for item in entry.parts(ITEMS):
                reading.items(item)

    @classmethod
    def may_be_limited(cls) -> bool:
        shape = cls.entries.shape
        entry = shape.part if isinstance(shape, ListOf) else None
        return isinstance(entry, Object) and any(field.key == ITEMS.key for field in entry.fields)

    def holdings(self) -> tuple[Holding, ...]:
        return tuple(
            Holding(pot.id, pot.remaining, pot.face_value, None, pot.effective_from, pot.expires_at)
            for pot in self.pots
        )

    def pay(self, due: Due, left: Decimal) -> tuple[Sequence[MoneyDeduction], Self]:
        if not self.pots:
            return (), self
        queue = self._in_order() if self._queue is None else self._queue
        asked: list[int] = []

        def usable() -> Iterator[MoneyPot]:
            for _, number in queue:
                if self.pots[number].usable(due.paid_at):
                    asked.append(number)
                    yield self.pots[number]

        # An account can have thousands of pots, of which a bill needs the first: the others are neither asked nor sorted.
        amounts = list(self.take(due, left, usable()))
        pots, queue, deductions = list(self.pots), queue.copy(), []
        for number, amount in zip(asked, amounts, strict=False):
            if amount:
                before = pots[number]
                after = pots[number] = replace(before, remaining=before.remaining - amount)
                queue.remove((self.pot_order(before), number))
                if after.remaining:
                    insort(queue, (self.pot_order(after), number))
                deductions.append(MoneyDeduction(self.name, after.id, amount, after.remaining, after.items))
        return deductions, replace(self, pots=tuple(pots), _queue=queue)

    def _in_order(self) -> _Queue:
        return sorted((self.pot_order(pot), number) for number, pot in enumerate(self.pots) if pot.remaining)

    def take(self, due: Due, left: Decimal, pots: Iterable[MoneyPot]) -> Iterator[Decimal]:
        """What each of `pots`, which are usable and in the order in which they are used, pays of `left` while any is left.

        One limited to items pays at most the net amounts of its lines together rounded down to two decimals, less what other
        pots took from those lines, each by the rule of `take_from_lines`."""
        payable = left
        lines: Sequence[PaidLine] = ()
        rooms: list[Decimal] = []
        found: dict[tuple[frozenset[str], Decimal], Decimal] = {}
        for pot in pots:
            if pot.items is None:
                limit = left if payable >= pot.minimum_amount else ZERO
            else:
                lines = lines or due.lines()
                rooms = rooms or _rooms(lines, due.limited)
                key = (pot.items, pot.minimum_amount)
                if key not in found:
                    found[key] = _room(lines, rooms, *key)
                limit = min(left, found[key])
            amount = min(pot.remaining, limit)
            yield amount
            if amount and pot.items is not None:
                take_from_lines([item for item, _ in lines], rooms, pot.items, amount)
                found.clear()
            left -= amount
            if not left:
                return

    def pot_order(self, pot: MoneyPot) -> tuple[Any, ...]:
        """Which pot is used first: those limited to items; then the earliest expiry, the smallest remaining, the earliest start,
        the id."""
        return (pot.items is None, pot.expires_at, pot.remaining, pot.effective_from, pot.id)


def _rooms(lines: Sequence[PaidLine], limited: Iterable[LimitedPayment]) -> list[Decimal]:
    """What those limited to items have left of each line."""
    rooms = [amount for _, amount in lines]
    for items, amount in limited:
        take_from_lines([item for item, _ in lines], rooms, items, amount)
    return rooms


def _room(lines: Sequence[PaidLine], rooms: Sequence[Decimal], items: frozenset[str], minimum: Decimal) -> Decimal:
    """What a pot limited to `items` may still take in whole cents, or 0 where its lines do not reach the minimum."""
    whole = room = ZERO
    for (item, amount), left in zip(lines, rooms, strict=True):
        if item in items:
            whole += amount
            room += left
    rounded = round_money(whole, MONEY_PLACES, "down")
    if whole < minimum or rounded <= whole - room:
        return ZERO
    return round_money(rounded - (whole - room), MONEY_PLACES, "down")
