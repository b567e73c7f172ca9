"""Money with an id, a validity and perhaps a limit to some items: the common part of vouchers and stored-value cards."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar, Self

from mps_bill.core.decimals import ZERO, plain, round_money
from mps_bill.documents.fields import Field, Fields, Located, Made, Many, optional
from mps_bill.documents.shapes import ListOf, Object
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

FACE_VALUE = Field("face_value", money, "its original value")
REMAINING = optional("remaining", money, "what is left of it; default: all")


@dataclass(frozen=True, slots=True)
class MoneyPot:
    """Money for bills paid from `effective_from` until before `expires_at`. A pot limited to `items` (None: any) pays only their
    lines; one with a `minimum_amount` pays only if these lines, or else the bill, reach it."""

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
    """The key of an account file whose entries are pots; if `limited`, they may be limited to items and by a minimum. `several`
    and `one` (`a voucher`) are their names."""
    limits = (_items(f"the {one.partition(' ')[2]}'s items"), MINIMUM_AMOUNT) if limited else ()
    keys = (ID, FACE_VALUE, REMAINING, EFFECTIVE_FROM, EXPIRES_AT, *limits)
    entry = Object(one, keys, make=made(MoneyPot, FACE_VALUE.key))
    return list_of(key, f"the {several}", entry, several, ID, name="pots")


#: The order and the number of each pot that is not empty, the next one to use first.
_Queue = list[tuple[tuple[Any, ...], int]]


@dataclass(frozen=True, slots=True)
class MoneyPots(MoneySource):
    """A source of pots, which are the list `entries` of an account file."""

    pots: tuple[MoneyPot, ...] = ()
    #: Kept from bill to bill after the first payment.
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

        # An account can have thousands of pots, and a bill needs the first ones: the others are neither looked at nor sorted.
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
        """Yield what each of `pots` (the usable ones, in order of use) pays of `left`, until nothing is left.

        A pot limited to items pays at most the sum of its lines' net amounts, rounded down to two decimal places, less what other
        pots took from these lines, each by the rule of `take_from_lines`."""
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
        """The order in which pots are used: those limited to items first, then by expiry, remaining amount, start and id."""
        return (pot.items is None, pot.expires_at, pot.remaining, pot.effective_from, pot.id)


def _rooms(lines: Sequence[PaidLine], limited: Iterable[LimitedPayment]) -> list[Decimal]:
    """What limited payments have left of each line."""
    rooms = [amount for _, amount in lines]
    for items, amount in limited:
        take_from_lines([item for item, _ in lines], rooms, items, amount)
    return rooms


def _room(lines: Sequence[PaidLine], rooms: Sequence[Decimal], items: frozenset[str], minimum: Decimal) -> Decimal:
    """The whole cents that a pot limited to `items` may still take; 0 if its lines do not reach the minimum."""
    whole = room = ZERO
    for (item, amount), left in zip(lines, rooms, strict=True):
        if item in items:
            whole += amount
            room += left
    rounded = round_money(whole, MONEY_PLACES, "down")
    if whole < minimum or rounded <= whole - room:
        return ZERO
    return round_money(rounded - (whole - room), MONEY_PLACES, "down")
