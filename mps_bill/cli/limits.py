"""Limits that the user sets, and by how much they are crossed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import EXACT, ZERO, amount_text


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may come to (`--fail-over`), and whether it may leave anything outstanding (`--fail-on-outstanding`)."""

    amount: Decimal | None
    none_outstanding: bool = False

    def crossed(self, comes_to: Decimal, currency: str, owed: Decimal = ZERO, *, is_part: bool) -> Iterator[str]:
        """How far what is payable, or of parts of bills their net amount, is above its limit, and what is owed, in words."""
        if self.amount is not None and comes_to > self.amount:
            more = amount_text(EXACT.subtract(comes_to, self.amount))
            shown = f"{'net amount' if is_part else 'payable'} {amount_text(comes_to)} {currency}"
            yield f"{shown} is above --fail-over {amount_text(self.amount)} by {more}"
        if owed and self.none_outstanding:
            yield f"{amount_text(owed)} {currency} outstanding, and --fail-on-outstanding allows none"
