"""Shares of an amount add up to it, to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.shares import split_amount

D = Decimal


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        ("0.0000000001", [1, 1], ["0.0000000001", "0"]),
        ("1", [1, 1, 1], ["0.3333333333", "0.3333333334", "0.3333333333"]),
        ("0.01", [1, 0, 1], ["0.005", "0", "0.005"]),
        ("5", [0, 0], ["5", "0"]),
        ("0", [3, 4], ["0", "0"]),
        ("7.25", [9], ["7.25"]),
    ],
)
def test_shares(amount: str, weights: list[int], shares: list[str]) -> None:
    assert split_amount(D(amount), weights) == [D(share) for share in shares]


@given(
    st.decimals(0, 10**9, places=10, allow_nan=False, allow_infinity=False),
    st.lists(st.integers(0, 10**18), min_size=1, max_size=8),
)
def test_shares_add_up_and_none_is_below_zero(amount: Decimal, weights: list[int]) -> None:
    shares = split_amount(amount, weights)
    assert sum(shares) == amount
    assert all(share >= 0 for share in shares)
