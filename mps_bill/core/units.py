"""Units of quantities, and the exact integers that quantities are summed in.

Every quantity becomes a whole number of **micros**: millionths of its dimension's base unit (microseconds for time,
millionths of a MB for data, and so on). Units convert only within a dimension and only by whole factors, so a conversion
to micros never rounds. Source of the factors: the provider's price lists (1 TB = 1024 GB, 1 GB-month = 720 GB-hours
in every month). What a quantity costs is a whole number of **ticks** (10^-10 of the currency, the last digit that the provider
gives), so that the amounts of lines add up fast and exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from mps_bill.core.decimals import AMOUNT_PLACES, EXACT, divide, plain, scaled, stripped
from mps_bill.core.language import mark

#: A usage quantity has at most six decimals, so a micro is the smallest step that usage can carry.
MICROS = 1_000_000
QUANTITY_PLACES = 6
_DISPLAY_SCALE: int = 10**AMOUNT_PLACES
#: Ticks in one of the currency.
TICKS: int = 10**AMOUNT_PLACES
#: What the denominator of an amount divides where the amount ends: a price has ten decimals, a quantity six of a unit with
#: at most twenty factors of 2.
_ENDING: int = 10**40
#: The ticks that a micro costs, as `money_rate` prepares them.
MoneyRate = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of quantity: `factor` base units of its `dimension`. `many` is its name after any number but 1."""

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
    """The name of the unit that a word is the plural of, as results print it; any other word as it is."""
    return next((unit.name for unit in UNITS.values() if unit.many == word), word)


def same_dimension(unit: Unit) -> tuple[Unit, ...]:
    """The units that convert exactly to `unit`, itself included."""
    return tuple(other for other in UNITS.values() if other.dimension == unit.dimension)


def to_micros(quantity: Decimal, unit: Unit) -> int:
    """`quantity` of `unit` in micros.

    Raises:
        ValueError: `quantity` has more than six decimal places of the unit, so that a micro cannot hold it.
    """
    micros = quantity * unit.micros
    whole = int(micros)
    if whole != micros:
        raise ValueError(f"{quantity} {unit.name} has more than {QUANTITY_PLACES} decimal places")
    return whole


def in_unit(micros: int, unit: Unit) -> Decimal:
    """`micros` shown in `unit`: exact where it ends within ten decimals, else rounded half up there, for display only."""
    return scaled(divide(micros * _DISPLAY_SCALE, unit.micros, "half-up"), AMOUNT_PLACES)


def ends_in_unit(micros: int, unit: Unit) -> bool:
    """Whether `in_unit` shows `micros` exactly."""
    return micros * _DISPLAY_SCALE % unit.micros == 0


def amount_of(micros: int, lot: int, unit_price: Decimal) -> Decimal:
    """The money for `micros` at `unit_price` per `lot` micros: multiplied first, then divided once.

    Exact where the result ends within ten decimals, else rounded half up there, because the provider's own precision
    is ten decimals.
    """
    return scaled(ticks_at(micros, money_rate(unit_price, lot)), AMOUNT_PLACES)


def ticks_at(micros: int, rate: MoneyRate) -> int:
    """The ticks for `micros` at a rate, as `amount_of`."""
    twice_numerator, denominator, twice_denominator = rate
    # `divide` half up, without the call and with what a price fixes made ready: every line of every bill passes here.
    return (micros * twice_numerator + denominator) // twice_denominator


def ticks_of(amount: Decimal) -> int:
    """An amount with at most ten decimals in ticks."""
    return int(amount.scaleb(AMOUNT_PLACES))


def exact_amount_text(micros: int, unit: Unit, unit_price: Decimal) -> str:
    """What `amount_of` rounds, as text: every digit, or twelve decimals and three points where it does not end."""
    amount = Fraction(unit_price) * micros / unit.micros
    if _ENDING % amount.denominator == 0:
        return stripped(EXACT.divide(Decimal(amount.numerator), Decimal(amount.denominator)))
    shown = AMOUNT_PLACES + 2
    return f"{plain(Decimal(amount.numerator * 10**shown // amount.denominator).scaleb(-shown, EXACT))}..."


@lru_cache(maxsize=4096)
def money_rate(unit_price: Decimal, lot: int) -> MoneyRate:
    """The ticks for one micro at a price per `lot` of them: a fraction in lowest terms as twice the numerator, the
    denominator, twice the denominator."""
    ticks = Fraction(unit_price) * TICKS / lot
    return 2 * ticks.numerator, ticks.denominator, 2 * ticks.denominator
