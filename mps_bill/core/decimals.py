"""Decimals from input text to output text: one strict parser, one exact context, and rounding only in named functions.

The program has two roundings: metered to billed quantity (`metering.scheme`, on integers), and exact amounts to money
(`round_money`, `units.amount_of`). Values are never rounded when they become text (`plain`, `stripped`, `amount_text`).
"""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from mps_bill.core.diagnostics import quoted

RoundingMode = Literal["half-up", "up", "down"]

#: The maximum decimal places of a price and of a line's amount, as on the provider's bills.
AMOUNT_PLACES = 10
PERCENT_PLACES = 2

PLAIN_DECIMAL = r"(0|[1-9][0-9]*)(\.[0-9]+)?"
_PLAIN_DECIMAL = re.compile(PLAIN_DECIMAL)

_SIGNALS: list[type[decimal.DecimalException]] = [
    decimal.InvalidOperation,
    decimal.DivisionByZero,
    decimal.Overflow,
    decimal.FloatOperation,
]
#: The context of sums and products. It raises an error if a result is not exact, so no digit is ever lost unnoticed.
EXACT = decimal.Context(prec=100, traps=[*_SIGNALS, decimal.Inexact])
_ROUNDING = decimal.Context(prec=100, traps=_SIGNALS)
_MODES: dict[RoundingMode, str] = {
    "half-up": decimal.ROUND_HALF_UP,
    "up": decimal.ROUND_UP,
    "down": decimal.ROUND_DOWN,
}

ZERO = Decimal(0)
_divide = EXACT.divide
_POWERS = tuple(Decimal(10**places) for places in range(AMOUNT_PLACES + 1))


def parse_plain_decimal(text: str, *, places: int, whole_digits: int = 12) -> Decimal:
    """Return the Decimal that `text` spells, digit for digit.

    A plain decimal has ASCII digits only: `0` or a whole part without leading zeros, optionally followed by a point and digits.

    Raises:
        ValueError: the text is not a plain decimal, or has more than `places` decimal places or `whole_digits` digits before
            the point. The message says which, with the text.
    """
    if not _PLAIN_DECIMAL.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a plain decimal; write digits such as 12 or 0.50{_why_not(text)}")
    whole, _, fraction = text.partition(".")
    if len(fraction) > places:
        raise ValueError(f"{quoted(text)} has {len(fraction)} decimal places; at most {places} are allowed")
    if len(whole) > whole_digits:
        raise ValueError(f"{quoted(text)} has {len(whole)} digits before the point; at most {whole_digits} are allowed")
    return Decimal(text)


def _why_not(text: str) -> str:
    """Return the reason for the most common mistakes, which makes the remedy obvious."""
    if not text:
        return " (it is empty)"
    if text != text.strip():
        return " (without spaces around it)"
    if not text.isascii():
        return " (ASCII digits only)"
    if re.fullmatch(r"[0-9.]+[eE][+-]?[0-9]+", text):
        return " (without an exponent)"
    for mark, name in (("_", "underscores"), (",", "commas"), ("-", "a minus sign"), ("+", "a plus sign")):
        if mark in text:
            return f" (without {name})"
    if re.fullmatch(r"0[0-9]+(\.[0-9]*)?", text):
        return " (without leading zeros)"
    return ""


def round_money(amount: Decimal, places: int, mode: RoundingMode) -> Decimal:
    """Round `amount` to `places` decimals. Only here does the sum of a bill become money."""
    return amount.quantize(_quantum(places), rounding=_MODES[mode], context=_ROUNDING)


@lru_cache(maxsize=100)
def _quantum(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def divide(numerator: int, denominator: int, mode: RoundingMode) -> int:
    """Return `numerator / denominator` (at least 0, and above 0) as a whole number, rounded by `mode`."""
    if mode == "down":
        return numerator // denominator
    if mode == "up":
        return -(-numerator // denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def percent(ratio: Fraction) -> Decimal:
    """Return the change in percent for a ratio of new to old, with two decimals, half up away from zero."""
    return nearest((ratio - 1) * 100, PERCENT_PLACES)


def nearest(value: Fraction, places: int) -> Decimal:
    """Round a quotient to `places` decimals, half up away from zero, so that opposite numbers are rounded alike."""
    units = value * 10**places
    whole = divide(abs(units.numerator), units.denominator, "half-up")
    return scaled(-whole if units < 0 else whole, places)


def rises_by_more(old: Decimal, new: Decimal, limit: Decimal) -> bool:
    """Whether an amount rises by more than `limit` percent. A rise from 0 exceeds every limit."""
    rise = EXACT.subtract(new, old)
    return rise > 0 and EXACT.multiply(rise, Decimal(100)) > EXACT.multiply(limit, old)


def scaled(whole: int, places: int) -> Decimal:
    """Return the exact Decimal `whole x 10^-places`, without trailing zeros."""
    # An exact quotient of whole numbers has no trailing zeros and no exponent above zero.
    return _divide(whole, _POWERS[places])


def strip_zeros(value: Decimal) -> Decimal:
    """Return `value` without trailing zeros after the point, never in exponent form."""
    stripped = value.normalize(_ROUNDING)
    exponent = stripped.as_tuple().exponent
    return stripped.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else stripped


def plain(value: Decimal) -> str:
    """Return `value` as text in plain notation, with exactly the decimals it has."""
    text = format(value, "f")
    return text if value else text.replace("-", "")


def stripped(value: Decimal) -> str:
    """Return `value` as text in plain notation, without trailing zeros."""
    text = plain(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount_text(value: Decimal) -> str:
    """Return an amount for people: with all its digits, and at least two decimals."""
    whole, _, fraction = plain(value).partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def significant(value: Fraction) -> str:
    """Return a positive number for people, with its first three significant digits: `0.0124`, `10`, `667`."""
    places = 0
    while value and value * 10**places < 100 and places < AMOUNT_PLACES:
        places += 1
    shown = value * 10**places
    return stripped(scaled(divide(shown.numerator, shown.denominator, "half-up"), places))


def percent_text(ratio: Fraction) -> str:
    """Return text such as `+12.5 %` for a ratio of new to old; with `~` if `percent` rounds it."""
    sign = "+" if ratio > 1 else "-" if ratio < 1 else ""
    shown = abs(percent(ratio))
    return f"{'' if shown == abs(ratio - 1) * 100 else '~'}{sign}{stripped(shown)} %"
