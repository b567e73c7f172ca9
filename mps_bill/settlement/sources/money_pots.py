"""Money under an id, with a time in which it can be used: what vouchers and stored-value cards have in common."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from mps_bill.core.decimals import amount_text
from mps_bill.core.times import iso
from mps_bill.documents.shapes import Field, Fields, Many, optional
from mps_bill.settlement.entries import EFFECTIVE_FROM, EXPIRES_AT, ID, Reading, money
from mps_bill.settlement.sources.payment_source import Due, Holding, MoneyDeduction, MoneySource, Written

FACE_VALUE = Field("face_value", money, "what it was worth at first")
REMAINING = optional("remaining", money, "what is left of it; absent: all")
#: The keys of an entry.
POT_KEYS: tuple[Field[Any], ...] = (ID, FACE_VALUE, REMAINING, EFFECTIVE_FROM, EXPIRES_AT)


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
#: The order and the number of each pot that has something left, the next to be used first.
_Queue = list[tuple[tuple[Any, ...], int]]


@dataclass(frozen=True, slots=True)
class MoneyPots(MoneySource, Generic[P]):
    """A source of pots, which stand in the list `entries` of an account file."""

    pots: tuple[P, ...] = ()
    #: Kept from bill to bill, once one was paid.
    _queue: _Queue | None = field(default=None, kw_only=True, compare=False, repr=False)

    #: The list in the account file, and what an entry of it is.
    entries: ClassVar[Field[Many[Fields]]]
    pot: ClassVar[type[MoneyPot]] = MoneyPot

    @classmethod
    def read(cls, fields: Fields, reading: Reading) -> Self:
        return cls(reading.each(fields, cls.entries, lambda entry: cls.read_pot(entry, reading)))

    @classmethod
    def read_pot(cls, entry: Fields, reading: Reading) -> P | None:
        """One entry; None where it is wrong."""
        values = pot_fields(entry, reading)
        return cast("P", cls.pot(*values)) if values else None

    def written(self, offset: int) -> Mapping[str, Written | None]:
        return {self.entries.key: [self.written_pot(pot, offset) for pot in self.pots]}

    def written_pot(self, pot: P, offset: int) -> Mapping[str, Written]:
        return pot_row(pot, offset)

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


def pot_fields(entry: Fields, reading: Reading) -> tuple[str, Decimal, Decimal, int, int] | None:
    """The values of `MoneyPot` in an entry; None where one is wrong."""
    id_, face_value = entry.get(ID), entry.get(FACE_VALUE)
    remaining = reading.remaining(entry, REMAINING, FACE_VALUE)
    valid = reading.validity(entry)
    if not (id_ and face_value and remaining is not None and valid):
        return None
    return id_.value, face_value.value, remaining, *valid


def pot_row(pot: MoneyPot, offset: int) -> dict[str, Written]:
    """An entry as it is written."""
    return {
        "id": pot.id,
        "face_value": amount_text(pot.face_value),
        "remaining": amount_text(pot.remaining),
        "effective_from": iso(pot.effective_from, offset),
        "expires_at": iso(pot.expires_at, offset),
    }
