"""A kind of price that the program does not have: a price for each started package. A test adds it to a copy."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar

from mps_bill.core.decimals import divide, plain
from mps_bill.core.diagnostics import Place
from mps_bill.core.units import QUANTITY_PLACES, Unit, in_unit, ticks_of, to_micros
from mps_bill.documents.fields import Field, Fields
from mps_bill.documents.shapes import Record
from mps_bill.documents.values import number
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.price_kinds.price_kind import (
    UNIT_PRICE,
    CsvRow,
    Figure,
    Part,
    Price,
    Written,
    WrittenRate,
    product,
)

SIZE = Field(
    "package",
    number("a package", kinds.BAD_QUANTITY, QUANTITY_PLACES, above_zero=True),
    "the size of a package, in the item's unit",
)
EACH = Field("each", UNIT_PRICE, "the price of a started package")


class Package(Written[Fields]):
    """`{package: 1000, each: 5}`."""

    @staticmethod
    def shape(_models: tuple[type[PackagePrice], ...]) -> Record:
        return Record("a package price", (SIZE, EACH))

    def price(self, unit: Unit) -> PackagePrice | None:
        size, each = self.value.get(SIZE), self.value.get(EACH)
        if not (size and each):
            return None
        return PackagePrice(to_micros(size.value, unit), each.value, unit, self.value.place)

    def rates(self, wrong: Set[Place]) -> tuple[WrittenRate, ...] | None:
        size, each = self.value.get(SIZE), self.value.get(EACH)
        return ((each, ("package", size.value), f", a package of {plain(size.value)}"),) if size and each else None


@dataclass(frozen=True, slots=True)
class PackagePrice(Price):
    """A price for every started package. With packages of 1000 at 5, 2001 minutes cost 3 x 5 = 15."""

    form: ClassVar = Package

    size: int
    each: Decimal
    unit: Unit
    place: Place = field(compare=False)

    def parts(self, micros: int, used: int) -> Sequence[Part]:
        return ((micros, self.each, f"per {self._size}", ticks_of(self.each) * self._begun(micros)),)

    def figures(self) -> tuple[Figure, ...]:
        return ((None, self.each),)

    def times(self, factor: Decimal) -> PackagePrice:
        return replace(self, each=product(self.each, factor))

    def kind_words(self) -> str:
        return f"packages of {self._size}"

    def reason(self, currency: str) -> str:
        return f"{plain(self.each)} {currency} for every {self._size} {self.unit.name} begun"

    def table_rows(self) -> Sequence[tuple[str, str]]:
        return ((f"every {self._size} begun", plain(self.each)),)

    def as_json(self) -> dict[str, Any]:
        return {SIZE.key: self._size, EACH.key: plain(self.each)}

    def csv_rows(self) -> Sequence[CsvRow]:
        return (("package", "", self._size, plain(self.each)),)

    @property
    def rises(self) -> bool:
        return True

    def lot(self) -> int:
        return self.size

    def counted(self, micros: int) -> tuple[Decimal, str]:
        return Decimal(self._begun(micros)), f"package of {self._size} {self.unit.name}"

    @property
    def _size(self) -> str:
        return plain(in_unit(self.size, self.unit))

    def _begun(self, micros: int) -> int:
        return divide(micros, self.size, "up")
