"""How far rows may be from their exact amounts. The provider splits a bill into rows at two decimal places, half up, and adds the
difference between the bill and the rounded rows to any of them. The more rows, the more odd cents. A row of a day is the sum of
the rows of its hours, including their odd cents."""

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
    """How far a row may be below (`less`) and above (`more`) its exact amount; both are positive."""

    less: Decimal
    more: Decimal

    def holds(self, difference: Decimal) -> bool:
        return -self.less <= difference <= self.more

    @property
    def least(self) -> Decimal:
        """The leeway that holds in both directions."""
        return min(self.less, self.more)

    def __add__(self, other: Leeway) -> Leeway:
        return Leeway(self.less + other.less, self.more + other.more)

    def __or__(self, other: Leeway) -> Leeway:
        return Leeway(max(self.less, other.less), max(self.more, other.more))

    def __mul__(self, times: int) -> Leeway:
        return Leeway(self.less * times, self.more * times)


#: Half a cent of rounding and an odd cent, which any row may have.
LEAST = Leeway(MAX_ROW_ROUNDING, MAX_ROW_ROUNDING)
NONE = Leeway(ZERO, ZERO)


def split_leeway(exact: Sequence[Decimal], whole: Decimal) -> Leeway:
    """The leeway of each of the rows whose exact amounts are rounded to cents and add up to `whole`.

    Five rows of 0.044268 make a bill of 0.22: rounded they add up to 0.20, so one of them may be 0.06. A split bill differs from
    its rounded rows by at most half a cent for each row and the cent of its own rounding; if it differs by more, it is another
    amount.
    """
    odd = whole - sum((round_money(amount, 2, "half-up") for amount in exact), ZERO)
    if abs(odd) > _HALF_CENT * len(exact) + CENT:
        return LEAST
    return Leeway(max(MAX_ROW_ROUNDING, _HALF_CENT - odd), max(MAX_ROW_ROUNDING, _HALF_CENT + odd))


def row_leeways(
    rows: Iterable[ExportRow], exact: Callable[[ExportRow], Decimal], right: Callable[[ExportRow], bool]
) -> Mapping[Place, Leeway]:
    """The leeway of every row by its place. `exact` returns the amount from which its payable was split.

    A bill can have odd cents if it is right to the cent: `right` for all of its rows, or the sum of their exact amounts.
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
