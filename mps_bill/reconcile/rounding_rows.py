"""The rounding of bills where the export has it in rows of its own (抹零费用), for longer than a bill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from mps_bill.core.decimals import ZERO, round_money
from mps_bill.core.times import Calendar
from mps_bill.reconcile.match import MatchedRow
from mps_bill.reconcile.periods import BillPeriod, grain_of, period_of, row_second


def with_rounding_by_bill(rows: Sequence[MatchedRow], calendar: Calendar) -> tuple[MatchedRow, ...]:
    """The rows of a product, with the rounding of a day or month as that of each of its bills, where it is what their amounts
    have beyond whole cents. Else it stays as it is, and the bills of its period can be compared only together."""
    if not any(one.row.fee == "rounding" for one in rows):
        return tuple(rows)
    bills: dict[BillPeriod, Decimal] = {}
    for one in rows:
        if one.row.fee != "rounding" and grain_of((one.row,), calendar) == "cycle":
            period = period_of(row_second(one.row, calendar), "cycle", calendar)
            bills[period] = bills.get(period, ZERO) + one.row.payable
    return tuple(part for one in rows for part in _by_bill(one, bills, calendar))


def _by_bill(one: MatchedRow, bills: dict[BillPeriod, Decimal], calendar: Calendar) -> Iterator[MatchedRow]:
    row, grain = one.row, grain_of((one.row,), calendar)
    span = period_of(row_second(row, calendar), grain, calendar)
    parts = {
        period: rounding
        for period, amount in bills.items()
        if span.start <= period.start < span.end and (rounding := round_money(amount, 2, "down") - amount)
    }
    if row.fee != "rounding" or grain == "cycle" or not parts or sum(parts.values(), ZERO) != row.payable:
        yield one
        return
    for period, rounding in parts.items():
        amounts = {name: rounding if amount == row.payable else ZERO for name, amount in row.amounts.items()}
        yield replace(one, row=replace(row, start=period.start, end=period.end, amounts=amounts))
