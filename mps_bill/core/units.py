"""Units of quantities, and the exact integers in which quantities and amounts are summed.

Every quantity is a whole number of **micros**: millionths of the base unit of its dimension (microseconds for time, millionths
of a MB for data, and so on). Units convert only within a dimension and only by whole factors, so conversion to micros never
rounds. The factors are from the provider's price lists (1 TB = 1024 GB, 1 GB-month = 720 GB-hours in every month). The amount of
a line is a whole number of **ticks** (10^-10 of the currency, the last digit on the provider's bills), so that amounts are added
fast and exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, divide, plain, scaled, stripped
from mps_bill.core.language import mark

#: A usage quantity has at most six decimals, so a micro is the smallest step of usage.
MICROS = 1_000_000
QUANTITY_PLACES = 6
_DISPLAY_SCALE: int = 10**AMOUNT_PLACES
#: Ticks in one of the currency.
TICKS: int = 10**AMOUNT_PLACES
#: A multiple of the denominator of every amount that has finitely many decimals: a price has ten decimals, a quantity has six, of
#: a unit with at most twenty factors of 2.
_ENDING: int = 10**40
#: The ticks per micro, as returned by `money_rate`.
MoneyRate = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of quantity: `factor` base units of its `dimension`. `many` is its name after all numbers except 1."""

    name: str
    many: str
    dimension: str
    factor: int
    #: Micros in one of this unit.
    micros: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "micros", self.factor * MICROS)


UNITS: dict[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit(mark("second"), mark("seconds"), "time", 1),
        Unit(mark("minute"), mark("minutes"), "time", 60),
        Unit(mark("hour"), mark("hours"), "time", 3_600),
        Unit(mark("day"), mark("days"), "time", 86_400),
        Unit(mark("MB"), mark("MB"), "data", 1),
        Unit(mark("GB"), mark("GB"), "data", 1024),
        Unit(mark("TB"), mark("TB"), "data", 1024 * 1024),
        Unit(mark("GB-hour"), mark("GB-hours"), "storage", 1),
        Unit(mark("GB-month"), mark("GB-months"), "storage", 720),
        Unit(mark("frame"), mark("frames"), "frame", 1),
        Unit(mark("image"), mark("images"), "image", 1),
        Unit(mark("request"), mark("requests"), "request", 1),
        Unit(mark("message"), mark("messages"), "message", 1),
    )
}


def one_name(word: str) -> str:
    """Return the singular of the plural of a unit, which results print; any other word unchanged."""
    return next((unit.name for unit in UNITS.values() if unit.many == word), word)


def same_dimension(unit: Unit) -> tuple[Unit, ...]:
    """Return the units that convert exactly to `unit`, including itself."""
    return tuple(other for other in UNITS.values() if other.dimension == unit.dimension)


def to_micros(quantity: Decimal, unit: Unit) -> int:
    """Return `quantity` of `unit` in micros. Raise `ValueError` if it has more than six decimal places."""
    micros = quantity * unit.micros
    whole = int(micros)
    if whole != micros:
        raise ValueError(f"{quantity} {unit.name} has more than {QUANTITY_PLACES} decimal places")
    return whole


def in_unit(micros: int, unit: Unit) -> Decimal:
    """Return `micros` in `unit` for display: exact if ten decimals are enough, else rounded half up to ten decimals."""
    return scaled(divide(micros * _DISPLAY_SCALE, unit.micros, "half-up"), AMOUNT_PLACES)


def ends_in_unit(micros: int, unit: Unit) -> bool:
    """Whether `in_unit` shows `micros` exactly."""
    return micros * _DISPLAY_SCALE % unit.micros == 0


def amount_of(micros: int, lot: int, unit_price: Decimal) -> Decimal:
    """Return the money for `micros` at `unit_price` per `lot` micros: multiplied first, then divided once.

    It is exact if ten decimals are enough, else rounded half up to ten decimals, the precision of the provider's bills.
    """
    return scaled(ticks_at(micros, money_rate(unit_price, lot)), AMOUNT_PLACES)


def ticks_at(micros: int, rate: MoneyRate) -> int:
    """Return the ticks for `micros` at a rate, rounded as in `amount_of`."""
    twice_numerator, denominator, twice_denominator = rate
    # This is `divide` half up without the call, and with precomputed factors, because it runs for every line of every bill.
    return (micros * twice_numerator + denominator) // twice_denominator


def ticks_of(amount: Decimal) -> int:
    """Return an amount with at most ten decimals in ticks."""
    return int(amount.scaleb(AMOUNT_PLACES))


def exact_amount_text(micros: int, unit: Unit, unit_price: Decimal) -> str:
    """Return the amount that `amount_of` rounds as text: all digits, or twelve decimals and `...` if it has infinitely many."""
    amount = Fraction(unit_price) * micros / unit.micros
    if _ENDING % amount.denominator == 0:
        return stripped(EXACT.divide(Decimal(amount.numerator), Decimal(amount.denominator)))
    shown = AMOUNT_PLACES + 2
    return f"{plain(Decimal(amount.numerator * 10**shown // amount.denominator).scaleb(-shown, EXACT))}..."


@lru_cache(maxsize=4096)
def money_rate(unit_price: Decimal, lot: int) -> MoneyRate:
    """Return the ticks per micro at a price per `lot` micros: of the fraction in lowest terms, twice the numerator, the
    denominator, and twice the denominator."""
    ticks = Fraction(unit_price) * TICKS / lot
    return 2 * ticks.numerator, ticks.denominator, 2 * ticks.denominator
