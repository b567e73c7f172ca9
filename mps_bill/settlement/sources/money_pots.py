"""Money under an id, with a time in which it can be used: what vouchers and stored-value cards have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class MoneyPots(MoneySource, Generic[P]):
    """A source of pots, which stand in the list `entries` of an account file."""

    pots: tuple[P, ...] = ()

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
        taken = {pot.id: amount for pot, amount in self.take(due, left) if amount}
        if not taken:
            return (), self
        pots = {pot.id: pot for pot in self.pots}
        for id_, amount in taken.items():
            pots[id_] = replace(pots[id_], remaining=pots[id_].remaining - amount)
        deductions = [MoneyDeduction(self.name, id_, taken[id_], pots[id_].remaining) for id_ in taken]
        return deductions, replace(self, pots=tuple(pots.values()))

    def take(self, due: Due, left: Decimal) -> Iterable[tuple[P, Decimal]]:
        """What each pot pays of `left`, in the order in which they are used."""
        for pot in sorted((pot for pot in self.pots if pot.usable(due.paid_at)), key=pot_order):
            amount = min(left, pot.remaining)
            left -= amount
            yield pot, amount


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


def pot_order(pot: MoneyPot) -> tuple[int, Decimal, int, str]:
    """Which pot is used first: the earliest expiry, then the smallest remaining, then the earliest start, then the id."""
    return (pot.expires_at, pot.remaining, pot.effective_from, pot.id)
