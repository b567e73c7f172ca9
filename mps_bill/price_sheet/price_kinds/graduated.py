"""Tiered prices at which each tier prices the part of the quantity that falls into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mps_bill.core.language import mark
from mps_bill.price_sheet.price_kinds.price_kind import Part
from mps_bill.price_sheet.price_kinds.tiers import TieredPrice


class GraduatedPrice(TieredPrice):
    """Each part of the quantity at its own tier's price.

    With tiers up to 3000 at 0.1 and the rest at 0.09, 5000 minutes cost 3000 x 0.1 + 2000 x 0.09 = 480. Per month, and
    with 2000 minutes used before, 5000 minutes cost 1000 x 0.1 + 4000 x 0.09 = 460.
    """

    __slots__ = ()

    model: ClassVar = mark("graduated")
    meaning: ClassVar = "each part at the price of its own tier"

    def parts(self, micros: int, used: int) -> Sequence[Part]:
        parts = []
        reached, left = self.before(used), micros
        for number, tier in enumerate(self.tiers):
            if tier.up_to is not None and (reached > tier.up_to or (reached == tier.up_to and left)):
                continue
            micros = left if tier.up_to is None else min(left, tier.up_to - reached)
            parts.append(self.part(number, micros))
            reached += micros
            left -= micros
            if not left:
                break
        return parts
