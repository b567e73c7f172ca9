"""Decimals: what is one, how money is rounded, and that text shows every digit."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest

from mps_bill.core.decimals import (
    EXACT,
    amount_text,
    divide,
    parse_plain_decimal,
    plain,
    round_money,
    scaled,
    strip_zeros,
    stripped,
)

D = Decimal


@pytest.mark.parametrize(
    "text", ["0", "0.5", "12", "0.0650", "999999999999.999999", "0.000001", "100", "10.10", "0.0", "123456789012"]
)
def test_plain_decimals_keep_every_digit(text: str) -> None:
    assert str(parse_plain_decimal(text, places=6)) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1_000", "underscores"),
        ("1e3", "exponent"),
        ("1E3", "exponent"),
        ("1e-3", "not a plain decimal"),
        ("NaN", "not a plain decimal"),
        ("nan", "not a plain decimal"),
        ("sNaN", "not a plain decimal"),
        ("Infinity", "not a plain decimal"),
        ("inf", "not a plain decimal"),
        ("-1", "minus"),
        ("-0", "minus"),
        ("+1", "plus"),
        ("\uff11\uff12", "ASCII"),
        ("\u0661\u0662", "ASCII"),
        ("1\u00b2", "ASCII"),
        ("\u00bd", "ASCII"),
        ("1\u00a0000", "ASCII"),
        ("1,000", "commas"),
        ("1,5", "commas"),
        (" 1", "spaces"),
        ("1 ", "spaces"),
        ("1\t", "spaces"),
        ("1\n", "spaces"),
        ("", "empty"),
        ("012", "leading zeros"),
        ("00", "leading zeros"),
        ("00.5", "leading zeros"),
        (".5", "not a plain decimal"),
        ("5.", "not a plain decimal"),
        (".", "not a plain decimal"),
        ("1.2.3", "not a plain decimal"),
        ("0x10", "not a plain decimal"),
        ("0b1", "not a plain decimal"),
        ("1/2", "not a plain decimal"),
        ("1'000", "not a plain decimal"),
        ("1 000", "not a plain decimal"),
        ("12abc", "not a plain decimal"),
        ("ten", "not a plain decimal"),
        ("true", "not a plain decimal"),
        ("$1", "not a plain decimal"),
    ],
)
def test_anything_else_is_refused_and_the_message_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="is not a plain decimal") as caught:
        parse_plain_decimal(text, places=6)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.1234567", '"0.1234567" has 7 decimal places; at most 6 are allowed'),
        ("1.0000000", '"1.0000000" has 7 decimal places; at most 6 are allowed'),
        ("1234567890123", '"1234567890123" has 13 digits before the point; at most 12 are allowed'),
        ("1000000000000", '"1000000000000" has 13 digits before the point; at most 12 are allowed'),
    ],
)
def test_too_many_digits_are_refused_not_rounded(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"at most") as caught:
        parse_plain_decimal(text, places=6)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("amount", "mode", "money"),
    [
        ("1.994", "down", "1.99"),
        ("1.995", "down", "1.99"),
        ("1.999999", "down", "1.99"),
        ("1.99", "down", "1.99"),
        ("0.0099", "down", "0.00"),
        ("1.994999", "half-up", "1.99"),
        ("1.995", "half-up", "2.00"),
        ("1.985", "half-up", "1.99"),
        ("0.005", "half-up", "0.01"),
        ("0.0049999999", "half-up", "0.00"),
        ("1.9900000001", "up", "2.00"),
        ("1.99", "up", "1.99"),
        ("0", "up", "0.00"),
        # Below zero, as refunds are: up is away from zero, and down towards it.
        ("-1.981", "up", "-1.99"),
        ("-1.989", "down", "-1.98"),
        ("-1.985", "half-up", "-1.99"),
        ("999999999999999999999999999999.999", "down", "999999999999999999999999999999.99"),
    ],
)
def test_money_is_rounded_by_the_named_mode(amount: str, mode: str, money: str) -> None:
    assert str(round_money(D(amount), 2, mode)) == money  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "places", "money"), [("12.5", 0, "13"), ("12.34567", 4, "12.3457"), ("7", 3, "7.000")]
)
def test_money_has_the_places_of_the_sheet(amount: str, places: int, money: str) -> None:
    assert str(round_money(D(amount), places, "half-up")) == money


@pytest.mark.parametrize(
    ("numerator", "denominator", "down", "half_up", "up"),
    [
        (0, 7, 0, 0, 0),
        (1, 7, 0, 0, 1),
        (7, 7, 1, 1, 1),
        (5, 10, 0, 1, 1),
        (4, 10, 0, 0, 1),
        (15, 10, 1, 2, 2),
        (25, 10, 2, 3, 3),
        (3, 7, 0, 0, 1),
        (4, 7, 0, 1, 1),
        (10**30 + 5, 10, 10**29, 10**29 + 1, 10**29 + 1),
    ],
)
def test_whole_numbers_divide_by_the_named_mode(
    numerator: int, denominator: int, down: int, half_up: int, up: int
) -> None:
    assert divide(numerator, denominator, "down") == down
    assert divide(numerator, denominator, "half-up") == half_up
    assert divide(numerator, denominator, "up") == up


@pytest.mark.parametrize(
    ("value", "with_its_digits", "without_zeros", "for_people"),
    [
        ("0", "0", "0", "0.00"),
        ("0.00", "0.00", "0", "0.00"),
        ("-0.00", "0.00", "0", "0.00"),
        ("10", "10", "10", "10.00"),
        ("1E+3", "1000", "1000", "1000.00"),
        ("0.10", "0.10", "0.1", "0.10"),
        ("0.1234567891", "0.1234567891", "0.1234567891", "0.1234567891"),
        ("-0.0072", "-0.0072", "-0.0072", "-0.0072"),
        ("100.500", "100.500", "100.5", "100.50"),
        ("1E-10", "0.0000000001", "0.0000000001", "0.0000000001"),
        ("123456789012345678901234567890.12", *["123456789012345678901234567890.12"] * 3),
    ],
)
def test_text_is_plain_and_never_rounded(value: str, with_its_digits: str, without_zeros: str, for_people: str) -> None:
    assert plain(D(value)) == with_its_digits
    assert stripped(D(value)) == without_zeros
    assert amount_text(D(value)) == for_people


@pytest.mark.parametrize(
    ("whole", "places", "value"), [(0, 10, "0"), (5, 1, "0.5"), (1200, 2, "12"), (12, 0, "12"), (-7, 3, "-0.007")]
)
def test_scaled_whole_numbers(whole: int, places: int, value: str) -> None:
    assert str(scaled(whole, places)) == value


def test_stripping_zeros_leaves_whole_numbers_whole() -> None:
    assert str(strip_zeros(D("5000.000"))) == "5000"


def test_sums_that_do_not_fit_the_exact_context_raise() -> None:
    with decimal.localcontext(EXACT), pytest.raises(decimal.Inexact):
        _ = D(10) ** 60 + D(10) ** -60


def test_a_float_near_a_decimal_raises() -> None:
    with pytest.raises(decimal.FloatOperation):
        _ = D("0.1") < 0.2
    with decimal.localcontext(EXACT), pytest.raises(decimal.FloatOperation):
        _ = D(0.1)
