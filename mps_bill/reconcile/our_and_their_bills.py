"""Both sides of a comparison in one form: the quantity and amount of an item, spec and region in a period."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import Place
from mps_bill.core.units import Unit
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill, StatementMonth
from mps_bill.rating.lines import LineItem
from mps_bill.reconcile.export import ExportRow
from mps_bill.reconcile.export_columns import PAYMENTS
from mps_bill.reconcile.match import ALL_ITEMS, LineKey, MatchedRow
from mps_bill.reconcile.odd_cents import NONE, Leeway, split_leeway
from mps_bill.reconcile.periods import BillPeriod, Grain, period_of, row_grain, row_second
from mps_bill.settlement.settle_cycles import Settled
from mps_bill.settlement.sources import MONEY_SOURCES
from mps_bill.settlement.waterfall import Payment


@dataclass(slots=True)
class Side:
    """One side of a line. Quantities are micros of the unit's dimension; None: not stated.

    `display_tolerance` is how far the displayed quantity may be from the billed one. `prices` are money per micro. On our side,
    `bills` is the number of separately rounded bills that have the line, and `leeway` is how far splitting them into rows can
    change its amount. On the provider's, `sums` are the places of rows that span several billing cycles.
    """

    key: LineKey
    unit: Unit | None
    quantity: Fraction | None = None
    plan: Fraction = Fraction(0)
    display_tolerance: Fraction = Fraction(0)
    prices: set[Fraction] = field(default_factory=set)
    covered_price: Fraction | None = None
    list_amount: Decimal = ZERO
    discount: Decimal = ZERO
    rows: list[ExportRow] = field(default_factory=list)
    remark: str = ""
    bills: int = 0
    leeway: Leeway = NONE
    sums: set[Place] = field(default_factory=set)

    @property
    def net(self) -> Decimal:
        return self.list_amount - self.discount

    @property
    def price(self) -> Fraction | None:
        """The single price of what was billed, if there is one; of a fully covered line, its first price."""
        return next(iter(self.prices)) if len(self.prices) == 1 else None if self.prices else self.covered_price

    @property
    def place(self) -> Place | None:
        return self.rows[0].place if self.rows else None


#: Payments by the columns `PAYMENTS` of the provider's bills; cash is balance and credit line.
Paid = Mapping[str, Decimal]


def sum_paid(parts: Collection[Paid]) -> Paid:
    return {column: sum((part[column] for part in parts), ZERO) for column in PAYMENTS}


@dataclass(slots=True)
class OurBill:
    """Our side of a period: the lines, the rounding adjustment and the payments (None: no account was given)."""

    lines: dict[LineKey, Side] = field(default_factory=dict)
    adjustment: Decimal = ZERO
    paid: Paid | None = None

    @property
    def payable(self) -> Decimal:
        return sum((side.net for side in self.lines.values()), self.adjustment)


@dataclass(slots=True)
class TheirBill:
    """The provider's side of a period: its rows, also by line. `rounding` is that of the bill if it has its own row. `coupons` is
    the part of the coupon amounts that counts as vouchers in these rows and is in their payable."""

    lines: dict[LineKey, Side] = field(default_factory=dict)
    rows: list[ExportRow] = field(default_factory=list)
    rounding: Decimal = ZERO
    coupons: Decimal = ZERO

    @property
    def payable(self) -> Decimal:
        return sum((row.payable for row in self.rows), ZERO)

    @property
    def paid(self) -> Paid:
        return {column: sum((row.amount(column) for row in self.rows), ZERO) for column in PAYMENTS}

    @property
    def place(self) -> Place | None:
        return self.rows[0].place if self.rows else None


@dataclass(frozen=True, slots=True)
class OurRun:
    """Our bills. `payments` have the product and a second of the period that they are for; None: no account was given.

    `settled_before` is the end, for each product, of what an earlier run settled.
    """

    bills: tuple[Bill, ...]
    statements: tuple[StatementMonth, ...]
    payments: tuple[tuple[str, int, Payment], ...] | None = None
    settled_before: Mapping[str, int] = field(default_factory=dict)


def settled_run(settled: Settled, book: PriceBook) -> OurRun:
    """Our side, made from a settlement."""
    payments = [(step.bill.cycle.product, step.bill.cycle.start, step.payment) for step in settled.settlements]
    for step in settled.statements:
        sheet, month = step.statement.sheet, step.statement.month
        payments.append((sheet.product, sheet.billing.calendar.month_start(month), step.payment))
    before = {product: end for product in book.versions if (end := settled.opening.settled(product)) is not None}
    return OurRun(
        tuple(step.bill for step in settled.settlements),
        tuple(step.statement for step in settled.statements),
        tuple(payments),
        before,
    )


def our_bills(
    run: OurRun, product: str, grain: Grain, book: PriceBook, *, as_a_whole: bool = False
) -> dict[BillPeriod, OurBill]:
    """Gather our bills of a product into periods; with `as_a_whole` all their lines become one."""
    calendar = book.calendar(product)
    found: dict[BillPeriod, OurBill] = {}

    def at(second: int) -> OurBill:
        paid = None if run.payments is None else sum_paid(())
        return found.setdefault(period_of(second, grain, calendar), OurBill(paid=paid))

    for bill in run.bills:
        if bill.cycle.product == product:
            ours = at(bill.cycle.start)
            ours.adjustment += bill.amounts.rounding_adjustment
            keys = [ALL_ITEMS if as_a_whole else _key(line) for line in bill.lines]
            for key, line in zip(keys, bill.lines, strict=True):
                _add_line(ours, key, line)
            _add_leeway(ours, keys, bill)
    for statement in run.statements:
        if statement.sheet.product == product:
            at(calendar.month_start(statement.month)).adjustment += statement.amounts.rounding_adjustment
    for paid_product, second, payment in run.payments or ():
        if paid_product == product:
            ours = at(second)
            ours.paid = sum_paid((ours.paid or sum_paid(()), _paid(payment)))
    return found


def _add_line(bill: OurBill, key: LineKey, line: LineItem) -> None:
    side = bill.lines.setdefault(key, Side(key, None if key == ALL_ITEMS else line.item.unit))
    side.list_amount += line.amount
    side.discount += line.discount
    if key == ALL_ITEMS:
        return
    side.quantity = (side.quantity or Fraction(0)) + line.micros
    side.plan += line.covered_micros
    if line.lot:
        price = Fraction(line.unit_price) / line.lot
        if line.billed_micros:
            side.prices.add(price)
        side.covered_price = side.covered_price or price


def _add_leeway(ours: OurBill, keys: Sequence[LineKey], bill: Bill) -> None:
    """Count a bill for each of its lines, unless it is rounded only with its month."""
    if bill.cycle.is_monthly:
        return
    lists: dict[LineKey, Decimal] = {}
    for key, line in zip(keys, bill.lines, strict=True):
        lists[key] = lists.get(key, ZERO) + line.net
    leeway = split_leeway(tuple(lists.values()), bill.amounts.payable)
    for key in lists:
        ours.lines[key].bills += 1
        ours.lines[key].leeway += leeway


def _key(line: LineItem) -> LineKey:
    return LineKey(line.item.code, line.spec, line.region)


def _paid(payment: Payment) -> Paid:
    columns = {**dict.fromkeys(PAYMENTS, ZERO), "outstanding": payment.outstanding}
    for source in MONEY_SOURCES:
        columns[source.column] += payment.paid_by(source.name)
    return columns


def with_coupons_as_vouchers(theirs: TheirBill, ours: OurBill) -> TheirBill:
    """The provider's bill with its coupon amounts counted as payments by voucher, up to what we paid by vouchers. Vouchers that
    pay when the hour is billed are listed as coupons, and most exports deduct them from the payable amount. Source: the China
    site since 2024-07-15."""
    left = ours.paid["voucher"] - theirs.paid["voucher"] if ours.paid else ZERO
    moved: dict[Place, ExportRow] = {}
    for row in theirs.rows:
        part = min(row.amount("coupon"), left)
        if part > 0:
            left -= part
            changed = {"coupon": row.amount("coupon") - part, "voucher": row.amount("voucher") + part}
            without = row.list_amount - row.amount("discount") - row.payable
            if abs(without - row.amount("coupon")) < abs(without):
                changed["payable"] = row.payable + part
            moved[row.place] = replace(row, amounts={**row.amounts, **changed})
    if not moved:
        return theirs
    rows = [moved.get(row.place, row) for row in theirs.rows]
    lines = {
        key: replace(side, rows=[moved.get(row.place, row) for row in side.rows]) for key, side in theirs.lines.items()
    }
    changed_bill = TheirBill(lines, rows, theirs.rounding)
    return replace(changed_bill, coupons=changed_bill.payable - theirs.payable)


def their_bills(rows: Iterable[MatchedRow], grain: Grain, product: str, book: PriceBook) -> dict[BillPeriod, TheirBill]:
    """Gather the provider's rows of a product into periods and lines."""
    calendar = book.calendar(product)
    found: dict[BillPeriod, TheirBill] = {}
    for matched in rows:
        row = matched.row
        bill = found.setdefault(period_of(row_second(row, calendar), grain, calendar), TheirBill())
        bill.rows.append(row)
        if row.fee == "rounding":
            bill.rounding += row.payable
            continue
        side = bill.lines.setdefault(matched.key, Side(matched.key, matched.unit))
        side.rows.append(row)
        if row_grain(row, calendar) != "cycle":
            side.sums.add(row.place)
        side.remark = side.remark or matched.remark
        side.list_amount += row.list_amount
        side.plan += matched.plan
        side.display_tolerance += matched.display_tolerance
        if matched.quantity is not None:
            side.quantity = (side.quantity or Fraction(0)) + matched.quantity
        if matched.price is not None:
            side.prices.add(matched.price)
    return found
