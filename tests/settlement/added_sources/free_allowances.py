"""Free allowances: quantities of one item that cost nothing while they are valid, and are used before resource plans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mps_bill.core.decimals import plain, scaled
from mps_bill.core.units import QUANTITY_PLACES, UNITS, Unit
from mps_bill.documents.fields import Field, Fields, optional
from mps_bill.documents.shapes import Object
from mps_bill.documents.values import Choice
from mps_bill.price_sheet.words import quantity_words
from mps_bill.rating.bills import Cycle
from mps_bill.rating.lines import LineItem
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.entries import (
    EFFECTIVE_FROM,
    EXPIRES_AT,
    ID,
    Reading,
    item_code,
    list_of,
    made,
    quantity,
    quantity_text,
)
from mps_bill.settlement.sources.payment_source import Holding, QuantityDeduction, QuantitySource, Uncovered

_ITEM = Field("item", item_code, "the item that it covers")
_UNIT = Field("unit", Choice("a unit", UNITS, kinds.UNKNOWN_UNIT), "the unit that it counts in")
_QUANTITY = Field("quantity", quantity, "what was granted, in its unit")
_REMAINING = optional("remaining", quantity, "what is left of it; default: all")


@dataclass(frozen=True, slots=True)
class Allowance:
    id: str
    item: str
    unit: Unit
    quantity: int
    remaining: int
    effective_from: int
    expires_at: int


_ENTRY = Object(
    "a free allowance",
    (ID, _ITEM, _UNIT, _QUANTITY, _REMAINING, EFFECTIVE_FROM, EXPIRES_AT),
    make=made(Allowance, _QUANTITY.key),
)
_ALLOWANCES = list_of("free_allowances", "the free allowances", _ENTRY, "free quantities", ID, name="allowances")


class AllowanceDeduction(QuantityDeduction):
    __slots__ = ()

    def explanation(self, line: LineItem, _cycle: Cycle) -> str:
        covered = quantity_words(self.micros, line.item.unit)
        return f"{self.id} covers {covered}, {plain(self.left)} {self.unit.many} are left"


@dataclass(frozen=True, slots=True)
class FreeAllowances(QuantitySource):
    allowances: tuple[Allowance, ...] = ()

    name = "free_allowance"
    title = "Free allowance"
    words = "free allowance"
    pool = "free_allowances"
    pool_title = "Free allowances"
    pool_words = "free allowances"
    total_key = "free_allowance"
    in_books = "what is left of free allowances, in their units"
    keys = (_ALLOWANCES,)

    @classmethod
    def check(cls, fields: Fields, reading: Reading) -> None:
        for entry in fields.parts(_ALLOWANCES):
            reading.remaining(entry, _REMAINING, _QUANTITY, quantity_text)
            reading.validity(entry)
            if item := entry.get(_ITEM):
                reading.items(item)

    def holdings(self) -> tuple[Holding, ...]:
        return tuple(
            Holding(
                one.id,
                scaled(one.remaining, QUANTITY_PLACES),
                scaled(one.quantity, QUANTITY_PLACES),
                one.unit.name,
                one.effective_from,
                one.expires_at,
            )
            for one in self.allowances
        )

    def bounds(self) -> Iterable[int]:
        for one in self.allowances:
            yield from (one.effective_from, one.expires_at)

    def cover(self, uncovered: Uncovered) -> tuple[Sequence[QuantityDeduction], FreeAllowances]:
        deductions = []
        after = []
        for one in self.allowances:
            remaining = one.remaining
            for number, charge in enumerate(uncovered.cycle.charges):
                before = remaining
                segments = uncovered.left(number) if charge.item.code == one.item else {}
                for start, left in segments.items():
                    if one.effective_from <= start < one.expires_at:
                        micros = min(left, remaining * one.unit.factor)
                        segments[start] -= micros
                        remaining -= -(-micros // one.unit.factor)
                if taken := before - remaining:
                    covered = taken * one.unit.factor
                    parts = (FreeAllowances, one.id, "", number, covered, taken, one.unit, remaining)
                    deductions.append(AllowanceDeduction(*parts))
            after.append(replace(one, remaining=remaining))
        return deductions, FreeAllowances(tuple(after))
