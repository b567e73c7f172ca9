"""How far rows may be from their exact amounts: the provider splits a bill into rows at two decimal places, half up, and adds
what the rounded rows lack of the bill, or have beyond it, to any of them. The more rows, the more odd cents. A row of a day is
the sum of its hours' rows, and of their odd cents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO, round_money
from mps_bill.core.diagnostics import Place
from mps_bill.reconcile.export import CENT, MAX_ROW_ROUNDING, ExportRow

_HALF_CENT = CENT / 2


@dataclass(frozen=True, slots=True)
class Leeway:
    """How much less and more a row may be than its exact amount, both above zero."""

    less: Decimal
    more: Decimal

    def holds(self, difference: Decimal) -> bool:
        return -self.less <= difference <= self.more

    @property
    def least(self) -> Decimal:
        """What is a difference in neither direction."""
        return min(self.less, self.more)

    def __add__(self, other: Leeway) -> Leeway:
        return Leeway(self.less + other.less, self.more + other.more)

    def __or__(self, other: Leeway) -> Leeway:
        return Leeway(max(self.less, other.less), max(self.more, other.more))

    def __mul__(self, times: int) -> Leeway:
        return Leeway(self.less * times, self.more * times)


#: Half a cent of rounding and an odd cent: what any row may have.
LEAST = Leeway(MAX_ROW_ROUNDING, MAX_ROW_ROUNDING)
NONE = Leeway(ZERO, ZERO)


def split_leeway(exact: Sequence[Decimal], whole: Decimal) -> Leeway:
    """What each of some rows may differ by, whose exact amounts are rounded to cents and add up to `whole`.

    Five rows of 0.044268 that are a bill of 0.22: rounded they add up to 0.20, so one of them may be 0.06. No bill lacks more
    than half a cent of each of its rows and the cent of its rounding; what lacks more is not split but another amount.
    """
    odd = whole - sum((round_money(amount, 2, "half-up") for amount in exact), ZERO)
    if abs(odd) > _HALF_CENT * len(exact) + CENT:
        return LEAST
    return Leeway(max(MAX_ROW_ROUNDING, _HALF_CENT - odd), max(MAX_ROW_ROUNDING, _HALF_CENT + odd))


def row_leeways(
    rows: Iterable[ExportRow], exact: Callable[[ExportRow], Decimal], right: Callable[[ExportRow], bool]
) -> Mapping[Place, Leeway]:
    """The leeway of every row by its place. `exact` is what its payable was split from.

    A bill has odd cents where it is right to the cent: `right` for each of its rows, or the sum of what they were split from.
    """
    bills: dict[tuple[object, ...], list[ExportRow]] = {}
    for row in rows:
        key = (row.product_code, row.product, row.fee, row.month, row.day, row.start, row.end)
        bills.setdefault(key, []).append(row)
    found: dict[Place, Leeway] = {}
    for members in bills.values():
        amounts, whole = [exact(row) for row in members], sum((row.payable for row in members), ZERO)
        is_right = all(map(right, members)) or abs(whole - sum(amounts, ZERO)) < CENT
        found.update(dict.fromkeys((row.place for row in members), split_leeway(amounts, whole) if is_right else LEAST))
    return found
