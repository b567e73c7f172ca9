"""Shares of an amount that always add up to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, divide, scaled


def split_amount(amount: Decimal, weights: Sequence[tuple[str, int]]) -> Iterator[tuple[str, Decimal]]:
    """`amount` split in proportion to whole weights, at ten decimals.

    Each share is the difference of two rounded running sums, so the shares add up to the amount; rounding every share by
    itself would lose or invent a last digit. Where all weights are 0 the first takes the whole.
    """
    whole = sum(weight for _, weight in weights)
    if not whole:
        yield from ((name, ZERO if number else amount) for number, (name, _) in enumerate(weights))
        return
    units = int(amount.scaleb(AMOUNT_PLACES))
    reached = given = 0
    for name, weight in weights:
        reached += weight
        share = divide(units * reached, whole, "half-up") - given
        given += share
        yield name, scaled(share, AMOUNT_PLACES)
