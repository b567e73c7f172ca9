"""The identities that must hold within an export, whatever it is compared with."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO, amount_text
from mps_bill.core.diagnostics import Place
from mps_bill.core.language import said
from mps_bill.reconcile.export import Export, ExportRow
from mps_bill.reconcile.export_columns import PAYMENTS, SPELLINGS
from mps_bill.reconcile.odd_cents import Leeway, row_leeways


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A place where an export contradicts itself, and the amount."""

    place: Place
    message: str
    amount: Decimal


def contradictions(export: Export, right: Container[Place], sums: Mapping[Place, Leeway]) -> tuple[Contradiction, ...]:
    """Find every row that breaks an identity, and every closing row that is not the sum of its rows. `right` has the places of
    rows whose bill equals ours to the cent; `sums` has the leeway of rows that are sums of several bills."""
    rows = [row for row in export.rows if row.fee != "rounding"]
    leeways = row_leeways(rows, lambda row: row.payable + unexplained(row), lambda row: row.place in right)
    leeways = {**leeways, **sums}
    found = [problem for row in rows for problem in _of_row(row, leeways[row.place])]
    found += _of_closings(export)
    return tuple(sorted(found, key=lambda one: one.place))


def has_payments(row: ExportRow) -> bool:
    """Whether the export has all payments of the row and they add up to its payable."""
    return all(column in row.amounts for column in PAYMENTS) and not _unpaid(row)


def unexplained(row: ExportRow) -> Decimal:
    """List amount - discount - coupon - payable, less the rounding stated in the row: 0, or the rounding of the row.

    Exports without a rounding column have it as this rest, or within the discount.
    """
    rest = row.list_amount - row.amount("discount") - row.amount("coupon") - row.payable
    stated = row.amount("round_down")
    return rest - stated if stated and rest == stated else rest


def _of_row(row: ExportRow, leeway: Leeway) -> Iterator[Contradiction]:
    unpaid = _unpaid(row)
    if unpaid:
        parts = " + ".join(amount_text(row.amount(column)) for column in PAYMENTS)
        names = " + ".join(PAYMENTS)
        payable = amount_text(row.payable)
        message = said("payable {amount} is not {parts} ({names})", amount=payable, parts=parts, names=names)
        yield Contradiction(row.place, message, unpaid)
    if gap := row.amount("cash_gap"):
        cash = amount_text(row.amount("cash"))
        message = said("PaymentAmount {amount} is not CashAmount + AdjustAmount", amount=cash)
        yield Contradiction(row.place, message, gap)
    rest = unexplained(row)
    if not leeway.holds(-rest):
        parts = " - ".join(amount_text(row.amount(column)) for column in ("list_amount", "discount", "coupon"))
        payable = amount_text(row.payable)
        message = said("payable {amount} is not {parts} (list - discount - coupon)", amount=payable, parts=parts)
        yield Contradiction(row.place, message, rest)


def _unpaid(row: ExportRow) -> Decimal:
    """Payable less the payments; 0 if the export does not have all payment columns."""
    if not all(column in row.amounts for column in PAYMENTS):
        return ZERO
    return row.payable - sum((row.amount(column) for column in PAYMENTS), ZERO)


def _of_closings(export: Export) -> Iterator[Contradiction]:
    for closing in export.closings:
        members = export.rows[closing.first : closing.end]
        for column, stated in closing.amounts.items():
            total = sum((row.amount(column) for row in members), ZERO)
            if total != stated and column in SPELLINGS:
                message = said(
                    "the closing row has {stated} as {column}, and the sum of its rows is {total}",
                    stated=amount_text(stated),
                    column=SPELLINGS[column][0],
                    total=amount_text(total),
                )
                yield Contradiction(closing.place, message, stated - total)
