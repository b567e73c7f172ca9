"""Splitting an amount into shares that always add up to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, divide, scaled
from mps_bill.core.units import ticks_of


def split_amount(amount: Decimal, weights: Sequence[int]) -> list[Decimal]:
    """Split `amount` in proportion to whole-number weights, at ten decimals.

    Each share is the difference of two rounded running sums, so the shares add up to the amount. Rounding every share
    separately would lose or add a last digit. If all weights are 0, the first share is the whole amount.
    """
    return [scaled(share, AMOUNT_PLACES) if share else ZERO for share in split_whole(ticks_of(amount), weights)]


def split_whole(number: int, weights: Sequence[int]) -> Iterator[int]:
    """Split a whole number in proportion to whole-number weights, as `split_amount` does."""
    whole = sum(weights)
    if not whole:
        yield from (0 if place else number for place in range(len(weights)))
        return
    reached = given = 0
    for weight in weights:
        reached += weight
        share = divide(number * reached, whole, "half-up") - given
        given += share
        yield share
