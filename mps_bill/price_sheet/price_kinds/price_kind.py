"""The interface of prices of every kind, and of their form in a sheet.

A kind is a subclass of `Price` in its own file, listed in `PRICE_KINDS`. Nothing else knows which kinds there are.
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
from mps_bill.core.diagnostics import Place
from mps_bill.core.units import Unit, in_unit
from mps_bill.documents.fields import Located, Shape
from mps_bill.documents.values import number
from mps_bill.price_sheet import sheet_problems as kinds

#: The part of a quantity that has one unit price: micros, the unit price, the name of the tier, and the amount in ticks.
#: A plain tuple, because every line of every bill is built from one.
Part = tuple[int, Decimal, str | None, int]
#: A single unit price of a price: the upper bound in micros of its quantities (None: all above), and the unit price.
Figure = tuple[int | None, Decimal]
#: Model, period, bound and unit price: a row of the price table as CSV.
CsvRow = tuple[str, str, str, str]


class Price(ABC):
    """A price of an item's spec. Two prices are equal if they charge the same for every quantity, whatever their places."""

    __slots__ = ()

    #: How sheets write it.
    form: ClassVar[type[Written[Any]]]
    #: The item's unit, in which quantities are shown and bounds are written.
    unit: Unit
    place: Place

    @abstractmethod
    def parts(self, micros: int, used: int) -> Sequence[Part]:
        """Split and price a quantity, after `used` micros earlier in the month. The micros of the parts add up to `micros`; there
        is at least one part, which is empty if nothing is left to bill. A part costs its unit price times its quantity, or times
        the number that `counted` returns for its quantity: explanations, FOCUS and the comparison of prices rely on that."""

    @abstractmethod
    def figures(self) -> tuple[Figure, ...]:
        """Return every written unit price, by ascending bounds."""

    def at(self, high: int | None) -> Decimal:
        """Return the unit price for the range of quantity that ends at `high` micros (None: the range without an end)."""
        return next(price for bound, price in self.figures() if bound is None or (high is not None and high <= bound))

    @abstractmethod
    def times(self, factor: Decimal) -> Price:
        """Return the price times a factor."""

    @abstractmethod
    def kind_words(self) -> str:
        """Return the kind in words, with everything except unit prices that distinguishes two prices: `volume per month`."""

    @abstractmethod
    def reason(self, currency: str) -> str:
        """Return the price as a step of an explanation: `0.0099 USD per minute`."""

    @abstractmethod
    def table_rows(self) -> Iterable[tuple[str, str]]:
        """Return the rows of the price table: the quantities of a unit price (empty: all), and the unit price."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Return the keys of the price in the JSON price table."""

    @abstractmethod
    def csv_rows(self) -> Iterable[CsvRow]:
        """Return the rows of the price in the CSV price table."""

    @property
    def by_month(self) -> bool:
        """Whether `parts` depends on what the month has used before."""
        return False

    @property
    def across_item(self) -> bool:
        """Whether the month's use is counted together for all regions and specs of the item with this rule."""
        return False

    #: Whether a unit price is chosen by the whole cycle's quantity, and not line by line in the order of the bill.
    whole_cycle: ClassVar[bool] = False

    @property
    def rises(self) -> bool:
        """Whether some unit price is higher than the one before it, so that billing less may save more than its share."""
        return any(later > earlier for (_, earlier), (_, later) in pairwise(self.figures()))

    def lot(self) -> int | None:
        """Return the micros that a unit price pays for; None if the price does not depend on the quantity."""
        return self.unit.micros

    def counted(self, micros: int) -> tuple[Decimal, str] | None:
        """Return how many times a unit price is charged for a quantity, and for what, if that is not the item's unit:
        `3` and `package of 1000 minute`."""
        return None


#: The type that a form's shape reads: `Located[Decimal]` or `Fields`.
W = TypeVar("W")
#: A unit price as written in a sheet, valid or not; the bound of its quantities; and the bound in words, as printed after spec
#: and region. Rates of two prices can be compared if all of their bounds are equal.
WrittenRate = tuple[Located[Decimal], object, str]


@dataclass(frozen=True, slots=True)
class Written(ABC, Generic[W]):
    """A price as written in a sheet, in one form. `models` are all the kinds with this form, mostly one."""

    value: W
    models: tuple[type[Any], ...]

    @staticmethod
    @abstractmethod
    def shape(models: tuple[type[Any], ...]) -> Shape[W]:
        """Return the shape of the value, for reading and for the JSON Schema."""

    @abstractmethod
    def price(self, unit: Unit) -> Price | None:
        """Return the price; None if it has a mistake, which the shape has reported."""

    @abstractmethod
    def rates(self, wrong: Set[Place]) -> tuple[WrittenRate, ...] | None:
        """Return the written unit prices, for warnings; None if something at a place of `wrong` is among them."""


def units_per_unit(old: Price, new: Price) -> Fraction | None:
    """Return the units of the new price in a unit of the old; None if they do not convert or do not depend on quantity."""
    lot, other = old.lot(), new.lot()
    return Fraction(lot, other) if old.unit.dimension == new.unit.dimension and lot and other else None


def quantity_ranges(prices: Iterable[Price | None]) -> Iterator[tuple[str, int | None]]:
    """Yield the ranges of quantity between the bounds of any of the prices: each in words, in the unit of the first price, and
    its end in micros. A range of all quantities has no words."""
    given = [price for price in prices if price]
    edges = sorted({bound for price in given for bound, _ in price.figures() if bound is not None})
    for low, high in pairwise((0, *edges, None)):
        yield tier_text(low or 0, high, given[0].unit) if edges else "", high


def tier_text(low: int, high: int | None, unit: Unit) -> str:
    """Return `0-3000` or `100000+`, in the item's unit."""
    start = plain(in_unit(low, unit))
    return f"{start}+" if high is None else f"{start}-{plain(in_unit(high, unit))}"


def product(unit_price: Decimal, factor: Decimal) -> Decimal:
    return strip_zeros(EXACT.multiply(unit_price, factor))


#: A unit price of any form.
UNIT_PRICE = number("a price", kinds.BAD_PRICE, AMOUNT_PLACES)
