"""Tiered prices at which the tier that the quantity reaches prices all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mps_bill.core.language import mark
from mps_bill.price_sheet.price_kinds.price_kind import Part
from mps_bill.price_sheet.price_kinds.tiers import TieredPrice


class VolumePrice(TieredPrice):
    """The whole quantity of the cycle at the price of the tier that the sum reaches, including this cycle.

    With tiers up to 3000 at 0.1 and the rest at 0.09, 5000 minutes cost 5000 x 0.09 = 450. Per month, and with 2000
    minutes used before, 1000 minutes cost 1000 x 0.1 = 100, and 1001 cost 1001 x 0.09 = 90.09; earlier bills do not
    change.
    """

    __slots__ = ()

    whole_cycle: ClassVar = True
    model: ClassVar = mark("volume")
    meaning: ClassVar = "the whole quantity at the price of the tier that it reaches"

    def parts(self, micros: int, used: int) -> Sequence[Part]:
        reached = self.before(used) + micros
        number = next(i for i, tier in enumerate(self.tiers) if tier.up_to is None or reached <= tier.up_to)
        return (self.part(number, micros),)
