"""What the program asks of a price, of whatever kind, and of how it is written in a sheet.

A kind is a subclass of `Price` in a file of its own and stands in `PRICE_KINDS`. Nothing else knows which kinds there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar, Generic, TypeVar

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, plain, strip_zeros
from mps_bill.core.diagnostics import Place, Problem
from mps_bill.core.units import Unit, in_unit
from mps_bill.documents.shapes import Located, Shape
from mps_bill.documents.values import number
from mps_bill.price_sheet import sheet_problems as kinds

#: What one unit price applies to: micros of the quantity, the unit price, the name of the tier, and the amount in ticks.
#: A plain tuple, because every line of every bill is made from one.
Part = tuple[int, Decimal, str | None, int]
#: A single figure of a price: the upper bound in micros of the quantities it is for (None: all that are left), and the
#: unit price.
Figure = tuple[int | None, Decimal]
#: Model, period, bound and unit price: a row of the price table as CSV.
CsvRow = tuple[str, str, str, str]


class Price(ABC):
    """A price of an item's spec. Two prices are equal where they price alike, wherever they stand."""

    __slots__ = ()

    #: How sheets write it.
    form: ClassVar[type[Written[Any]]]
    #: The item's unit, in which quantities are shown and bounds are written.
    unit: Unit
    place: Place

    @abstractmethod
    def parts(self, micros: int, used: int) -> Sequence[Part]:
        """A quantity split and priced, after `used` micros of it earlier in the month. The micros of the parts add up
        to `micros`; there is at least one part, which is empty when nothing is left to bill."""

    @abstractmethod
    def figures(self) -> tuple[Figure, ...]:
        """Every unit price that is written, by ascending bounds."""

    def at(self, high: int | None) -> Decimal:
        """The unit price of the stretch of quantity that ends at `high` micros (None: of all that is left)."""
        return next(price for bound, price in self.figures() if bound is None or (high is not None and high <= bound))

    @abstractmethod
    def times(self, factor: Decimal) -> Price:
        """The price times a factor."""

    @abstractmethod
    def kind_words(self) -> str:
        """The kind in words, with all but the figures that makes two prices differ: `volume per month`."""

    @abstractmethod
    def reason(self, currency: str) -> str:
        """The price as a step of an explanation: `0.0099 USD per minute`."""

    @abstractmethod
    def table_rows(self) -> Iterable[tuple[str, str]]:
        """The rows of the price table: what a figure is for (empty: everything), and the figure."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """The keys of the price in the price table as JSON."""

    @abstractmethod
    def csv_rows(self) -> Iterable[CsvRow]:
        """The rows of the price in the price table as CSV."""

    @property
    def by_month(self) -> bool:
        """Whether `parts` needs what the month has used before."""
        return False

    @property
    def across_item(self) -> bool:
        """Whether what the month has used before is counted over all regions and specs of the item that say so."""
        return False

    #: Whether a cycle counts as a whole before a unit price is picked, and not line by line in the order of the bill.
    whole_cycle: ClassVar[bool] = False

    @property
    def rises(self) -> bool:
        """Whether billing less of a quantity may save more than its share, or make the rest dearer."""
        return any(later > earlier for (_, earlier), (_, later) in pairwise(self.figures()))

    def lot(self) -> int | None:
        """The micros that a unit price pays for; None where it does not depend on the quantity."""
        return self.unit.micros

    def counted(self, micros: int) -> tuple[Decimal, str] | None:
        """How often a unit price is charged for a quantity, and of what, where that is not the item's unit:
        `3` and `package of 1000 minute`."""
        return None


#: What a form's shape reads: `Located[Decimal]` or `Fields`.
W = TypeVar("W")
#: A figure as it stands in a sheet, sound or not; the bound of what it is for, and that in words, behind spec and region. Rates
#: of two prices can be compared where all of their bounds are equal.
WrittenRate = tuple[Located[Decimal], object, str]


@dataclass(frozen=True, slots=True)
class Written(ABC, Generic[W]):
    """A price as it stands in a sheet, in one form. `models` are all the kinds that are written so; mostly it is one."""

    value: W
    models: tuple[type[Any], ...]

    @staticmethod
    @abstractmethod
    def shape(models: tuple[type[Any], ...]) -> Shape[W]:
        """The shape of the value, by which it is read and which editors get as a JSON Schema."""

    @abstractmethod
    def price(self, unit: Unit | None, problems: list[Problem]) -> Price | None:
        """The price, or None and problems. Without a unit all is checked, and there is no price."""

    @abstractmethod
    def rates(self, wrong: Set[Place]) -> tuple[WrittenRate, ...] | None:
        """The figures that stand there, for warnings; None where something stands at a place of `wrong`."""


def units_per_unit(old: Price, new: Price) -> Fraction | None:
    """How many units of the new price one of the old price is; None where they do not convert, or do not count."""
    lot, other = old.lot(), new.lot()
    return Fraction(lot, other) if old.unit.dimension == new.unit.dimension and lot and other else None


def stretches(prices: Iterable[Price | None]) -> Iterator[tuple[str, int | None]]:
    """The stretches of quantity between the bounds of any of the prices: each in words, in the unit of the first price, and where
    it ends in micros. One of all quantities has no words."""
    given = [price for price in prices if price]
    edges = sorted({bound for price in given for bound, _ in price.figures() if bound is not None})
    for low, high in pairwise((0, *edges, None)):
        yield tier_text(low or 0, high, given[0].unit) if edges else "", high


def tier_text(low: int, high: int | None, unit: Unit) -> str:
    """`0-3000` or `100000+`, in the item's unit."""
    start = plain(in_unit(low, unit))
    return f"{start}+" if high is None else f"{start}-{plain(in_unit(high, unit))}"


def product(unit_price: Decimal, factor: Decimal) -> Decimal:
    return strip_zeros(EXACT.multiply(unit_price, factor))


#: A unit price, in whatever form.
UNIT_PRICE = number("a price", kinds.BAD_PRICE, AMOUNT_PLACES)
