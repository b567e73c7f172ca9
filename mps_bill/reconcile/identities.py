"""What an export must hold to by itself, before it is compared with anything."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO, amount_text
from mps_bill.core.diagnostics import Place
from mps_bill.reconcile.export import Statement, StatementRow
from mps_bill.reconcile.export_columns import PAYMENTS, SPELLINGS
from mps_bill.reconcile.odd_cents import Leeway, row_leeways


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A place where an export contradicts itself, and by how much."""

    place: Place
    message: str
    amount: Decimal


def contradictions(statement: Statement, right: Container[Place]) -> tuple[Contradiction, ...]:
    """Every row that breaks an identity, and every closing row that is not the sum of its rows. `right` are the places of
    rows whose bill is right to the cent."""
    leeways = row_leeways(statement.rows, lambda row: row.payable + unexplained(row), lambda row: row.place in right)
    found = [problem for row in statement.rows for problem in _of_row(row, leeways[row.place])]
    found += _of_closings(statement)
    return tuple(sorted(found, key=lambda one: one.place))


def says_how_paid(row: StatementRow) -> bool:
    """Whether the export has all payments of the row, and they are its payable."""
    return all(column in row.amounts for column in PAYMENTS) and not _unpaid(row)


def unexplained(row: StatementRow) -> Decimal:
    """List amount - discount - coupon - payable, less a cut that the row states: 0, or what the row was cut by.

    Exports without a column for the cut show it as this rest, or inside the discount.
    """
    rest = row.list_amount - row.amount("discount") - row.amount("coupon") - row.payable
    stated = row.amount("round_down")
    return rest - stated if stated and rest == stated else rest


def _of_row(row: StatementRow, leeway: Leeway) -> Iterator[Contradiction]:
    unpaid = _unpaid(row)
    if unpaid:
        parts = " + ".join(amount_text(row.amount(column)) for column in PAYMENTS)
        names = " + ".join(PAYMENTS)
        message = f"payable {amount_text(row.payable)} is not {parts} ({names})"
        yield Contradiction(row.place, message, unpaid)
    rest = unexplained(row)
    if not leeway.holds(-rest):
        parts = " - ".join(
            amount_text(amount) for amount in (row.list_amount, row.amount("discount"), row.amount("coupon"))
        )
        message = f"payable {amount_text(row.payable)} is not {parts} (list - discount - coupon)"
        yield Contradiction(row.place, message, rest)


def _unpaid(row: StatementRow) -> Decimal:
    """Payable less what the payment columns say; 0 where the export has not all of them."""
    if not all(column in row.amounts for column in PAYMENTS):
        return ZERO
    return row.payable - sum((row.amount(column) for column in PAYMENTS), ZERO)


def _of_closings(statement: Statement) -> Iterator[Contradiction]:
    for closing in statement.closings:
        members = statement.rows[closing.first : closing.end]
        for column, stated in closing.amounts.items():
            total = sum((row.amount(column) for row in members), ZERO)
            if total != stated:
                message = (
                    f"the closing row has {amount_text(stated)} as {SPELLINGS[column][0]},"
                    f" and its rows come to {amount_text(total)}"
                )
                yield Contradiction(closing.place, message, stated - total)
