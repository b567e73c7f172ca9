"""A single price per unit for every quantity."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Place
from mps_bill.core.language import mark, tr
from mps_bill.core.units import MoneyRate, Unit, money_rate, ticks_at
from mps_bill.documents.fields import Located, Shape
from mps_bill.price_sheet.price_kinds import price_kind
from mps_bill.price_sheet.price_kinds.price_kind import UNIT_PRICE, CsvRow, Figure, Part, Price, Written, WrittenRate


class Plain(Written[Located[Decimal]]):
    """A unit price by itself: `H264.HD: {mainland: 0.0099}`."""

    @staticmethod
    def shape(_models: tuple[type[FlatPrice], ...]) -> Shape[Located[Decimal]]:
        return UNIT_PRICE

    def price(self, unit: Unit) -> FlatPrice:
        return FlatPrice(self.value.value, unit, self.value.place)

    def rates(self, wrong: Set[Place]) -> tuple[WrittenRate, ...]:
        return ((self.value, None, ""),)


@dataclass(frozen=True, slots=True)
class FlatPrice(Price):
    """A single price per unit: at 0.0651, 10 minutes cost 10 x 0.0651 = 0.651."""

    form: ClassVar = Plain
    unit_price: Decimal
    unit: Unit
    place: Place = field(compare=False)
    #: Computed once, because most lines are built from it.
    _rate: MoneyRate = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rate", money_rate(self.unit_price, self.unit.micros))

    def parts(self, micros: int, used: int) -> Sequence[Part]:
        return ((micros, self.unit_price, None, ticks_at(micros, self._rate)),)

    def figures(self) -> tuple[Figure, ...]:
        return ((None, self.unit_price),)

    def times(self, factor: Decimal) -> FlatPrice:
        return replace(self, unit_price=price_kind.product(self.unit_price, factor))

    def kind_words(self) -> str:
        return tr("one price")

    def reason(self, currency: str) -> str:
        text = mark("{price} {currency} per {unit}")
        return tr(text, price=plain(self.unit_price), currency=currency, unit=tr(self.unit.name))

    def table_rows(self) -> Sequence[tuple[str, str]]:
        return (("", plain(self.unit_price)),)

    def as_json(self) -> dict[str, Any]:
        return {"unit_price": plain(self.unit_price)}

    def csv_rows(self) -> Sequence[CsvRow]:
        return (("", "", "", plain(self.unit_price)),)
