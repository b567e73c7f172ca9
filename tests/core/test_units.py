"""Units convert exactly or not at all, and amounts are divided once, at the end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mps_bill.core.units import (
    UNITS,
    Unit,
    amount_of,
    ends_in_unit,
    exact_amount_text,
    in_unit,
    same_dimension,
    to_micros,
)

D = Decimal


def unit(name: str) -> Unit:
    return UNITS[name]


@pytest.mark.parametrize(
    ("quantity", "name", "equal", "other"),
    [
        ("1", "minute", "60", "second"),
        ("1", "hour", "60", "minute"),
        ("1", "day", "24", "hour"),
        ("0.000001", "day", "0.086400", "second"),
        ("1", "GB", "1024", "MB"),
        ("1", "TB", "1024", "GB"),
        ("1", "TB", "1048576", "MB"),
        ("1", "GB-month", "720", "GB-hour"),
        ("999999999999.999999", "day", "23999999999999.999976", "hour"),
    ],
)
def test_units_of_one_dimension_convert_exactly(quantity: str, name: str, equal: str, other: str) -> None:
    assert to_micros(D(quantity), unit(name)) == to_micros(D(equal), unit(other))


@pytest.mark.parametrize("name", ["frame", "image", "request", "message"])
def test_counted_units_convert_only_to_themselves(name: str) -> None:
    assert [other.name for other in same_dimension(unit(name))] == [name]


def test_no_other_units_exist() -> None:
    dimensions: dict[str, list[str]] = {}
    for one in UNITS.values():
        dimensions.setdefault(one.dimension, []).append(one.name)
    assert sorted(dimensions.values()) == [
        ["GB-hour", "GB-month"],
        ["MB", "GB", "TB"],
        ["frame"],
        ["image"],
        ["message"],
        ["request"],
        ["second", "minute", "hour", "day"],
    ]


def test_a_quantity_finer_than_a_micro_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 6 decimal places"):
        to_micros(D("0.0000001"), unit("second"))
    assert to_micros(D("0.0000001"), unit("GB-month")) == 72


@pytest.mark.parametrize(
    ("micros", "name", "shown", "ends"),
    [
        (60_000_000, "minute", "1", True),
        (600_000, "minute", "0.01", True),
        (1_000_000, "minute", "0.0166666667", False),
        (2_000_000, "minute", "0.0333333333", False),
        (1, "second", "0.000001", True),
        (1, "day", "0", False),
        (5_120_500_000, "GB-month", "7.1118055556", False),
        (0, "frame", "0", True),
    ],
)
def test_quantities_are_shown_at_ten_decimals(micros: int, name: str, shown: str, ends: bool) -> None:
    assert str(in_unit(micros, unit(name))) == shown
    assert ends_in_unit(micros, unit(name)) is ends


@pytest.mark.parametrize(
    ("micros", "name", "price", "amount"),
    [
        # Exact: nothing is rounded.
        (600_000_000, "minute", "0.0651", "0.651"),
        (600_000_000, "minute", "0.0650", "0.65"),
        (1_000_000, "minute", "0.3", "0.005"),
        (0, "minute", "0.3", "0"),
        (1, "frame", "0.0001", "0.0000000001"),
        # It does not end: rounded half up at the tenth decimal, once.
        (1_000_000, "minute", "0.0651", "0.001085"),
        (1_000_000, "minute", "0.1", "0.0016666667"),
        (2_000_000, "minute", "0.1", "0.0033333333"),
        (12_034_567, "minute", "0.0217", "0.0043525017"),
        # Exactly half a unit of the tenth decimal goes up, a hair less goes down.
        (1, "frame", "0.00005", "0.0000000001"),
        (1, "frame", "0.0000499999", "0"),
        (3, "frame", "0.00005", "0.0000000002"),
        (5, "frame", "0.00001", "0.0000000001"),
        (49, "frame", "0.000001", "0"),
        (15, "frame", "0.00001", "0.0000000002"),
        # As large as usage gets.
        (999_999_999_999_999_999, "frame", "9999999999.9999999999", "9999999999999999989900"),
    ],
)
def test_an_amount_is_multiplied_first_and_divided_once(micros: int, name: str, price: str, amount: str) -> None:
    assert amount_of(micros, unit(name).micros, D(price)) == D(amount)


def test_thirds_of_a_cent_are_not_lost_by_rounding_the_quantity_first() -> None:
    # 20 s are 0.333... minute; from a quantity shown at ten decimals, 3 x 10^9 of them would be 0.1 short.
    assert amount_of(20_000_000, unit("minute").micros, D("3000000000")) == D("1000000000")


@pytest.mark.parametrize(
    ("micros", "name", "price", "exact", "rounded"),
    [
        (1_000_000_001, "frame", "0.0999999999", "99.9999999999999999", "100"),
        (600_000_000, "minute", "0.0651", "0.651", "0.651"),
        (1_000_000, "minute", "0.01", "0.000166666666...", "0.0001666667"),
        (1_000_000, "minute", "0.02", "0.000333333333...", "0.0003333333"),
        (1, "frame", "0.0000500000", "0.00000000005", "0.0000000001"),
        (1, "TB", "0.0000000001", "0.000000000000000000000095367431640625", "0"),
        (0, "minute", "0.0651", "0", "0"),
    ],
)
def test_the_exact_amount_before_rounding(micros: int, name: str, price: str, exact: str, rounded: str) -> None:
    assert exact_amount_text(micros, unit(name), D(price)) == exact
    assert amount_of(micros, unit(name).micros, D(price)) == D(rounded)
