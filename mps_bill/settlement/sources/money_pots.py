"""Money under an id, with a time in which it can be used: what vouchers and stored-value cards have in common."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar, Generic, Self, TypeVar

from mps_bill.core.decimals import plain
from mps_bill.documents.shapes import Field, Fields, Made, Many, Object, optional
from mps_bill.settlement.entries import EFFECTIVE_FROM, EXPIRES_AT, ID, Reading, list_of, made, money
from mps_bill.settlement.sources.payment_source import Due, Holding, MoneyDeduction, MoneySource

FACE_VALUE = Field("face_value", money, "what it was worth at first")
REMAINING = optional("remaining", money, "what is left of it; absent: all")


@dataclass(frozen=True, slots=True)
class MoneyPot:
    """Money for bills paid from `effective_from` until before `expires_at`."""

    id: str
    face_value: Decimal
    remaining: Decimal
    effective_from: int
    expires_at: int

    def usable(self, at: int) -> bool:
        return bool(self.remaining) and self.effective_from <= at < self.expires_at


P = TypeVar("P", bound=MoneyPot)


def list_of_pots(key: str, several: str, one: str, pot: type[P], *more: Field[Any]) -> Field[Many[Made[P]]]:
    """The key of an account file whose entries are pots, which may have `more` keys; `several` and `one` are their names."""
    entry = Object(one, (ID, FACE_VALUE, REMAINING, EFFECTIVE_FROM, EXPIRES_AT, *more), make=made(pot, FACE_VALUE.key))
    return list_of(key, f"the {several}", entry, several, ID, name="pots")


#: The order and the number of each pot that has something left, the next to be used first.
_Queue = list[tuple[tuple[Any, ...], int]]


@dataclass(frozen=True, slots=True)
class MoneyPots(MoneySource, Generic[P]):
    """A source of pots, which stand in the list `entries` of an account file."""

    pots: tuple[P, ...] = ()
    #: Kept from bill to bill, once one was paid.
    _queue: _Queue | None = field(default=None, kw_only=True, compare=False, repr=False)

    #: The list in the account file.
    entries: ClassVar[Field[Many[Made[Any]]]]

    @classmethod
    def check(cls, fields: Fields, reading: Reading) -> None:
        for entry in fields.parts(cls.entries):
            reading.remaining(entry, REMAINING, FACE_VALUE, plain)
            reading.validity(entry)
            cls.check_limits(entry, reading)

    @classmethod
    def check_limits(cls, entry: Fields, reading: Reading) -> None:
        """Reports what an entry is limited to and the price sheets do not have."""

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

        def usable() -> Iterator[P]:
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
                deductions.append(MoneyDeduction(self.name, after.id, amount, after.remaining))
        return deductions, replace(self, pots=tuple(pots), _queue=queue)

    def _in_order(self) -> _Queue:
        return sorted((self.pot_order(pot), number) for number, pot in enumerate(self.pots) if pot.remaining)

    def take(self, due: Due, left: Decimal, pots: Iterable[P]) -> Iterator[Decimal]:
        """What each of `pots`, which are usable and in the order in which they are used, pays of `left` while any is left."""
        for pot in pots:
            amount = min(left, pot.remaining)
            yield amount
            left -= amount
            if not left:
                return

    def pot_order(self, pot: P) -> tuple[Any, ...]:
        """Which pot is used first: the earliest expiry, then the smallest remaining, then the earliest start, then the id."""
        return (pot.expires_at, pot.remaining, pot.effective_from, pot.id)
