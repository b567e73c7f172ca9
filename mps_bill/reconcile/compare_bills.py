"""Our bills against the provider's: every difference has a class and an amount, and the amounts of a period add up to the
difference of its payables. Pure.

The payable of both sides is taken apart the same way: list amounts of lines, less discounts, less the cut. A line's list
amount is quantity after plans x price, so its difference falls into quantity, deduction (of plans) and price; what is left
within the tolerance is rounding. The cents that differences cause in the cut of a bill are counted with the largest of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, divide, round_money, scaled
from mps_bill.core.diagnostics import Place
from mps_bill.core.laws import BrokenLaw
from mps_bill.core.units import Unit
from mps_bill.price_sheet.book import PriceBook
from mps_bill.reconcile.differences import BillComparison, Class, Difference, Reconciliation
from mps_bill.reconcile.export import CENT, MOST_CUT, Statement, StatementRow
from mps_bill.reconcile.export_mapping import BillMapping
from mps_bill.reconcile.identities import contradictions, says_how_paid, unexplained
from mps_bill.reconcile.match import LineKey, match_rows
from mps_bill.reconcile.odd_cents import NONE, Leeway, row_leeways, split_leeway
from mps_bill.reconcile.periods import Grain, Period, grain_of
from mps_bill.reconcile.sides import OurBill, OurRun, Paid, Side, our_bills, paid_by_rows, their_bills


def reconcile(
    run: OurRun, statement: Statement, mapping: BillMapping, book: PriceBook, tolerance: Decimal = CENT
) -> Reconciliation:
    """Compares our bills with the provider's. A line agrees when its amount is within `tolerance` for each of its rows; a
    bill must agree exactly. To be called in the exact decimal context."""
    matched, apart = match_rows(statement.rows, mapping, book)
    grains: dict[str, Grain] = {}
    compared: list[BillComparison] = []
    right: set[Place] = set()
    products = [product for product in book.versions if product in matched or _bills(run, product)]
    for product in products:
        rows = matched.get(product, ())
        monthly = any(sheet.billing.settlement == "monthly" for sheet in book.versions[product])
        grain: Grain = "month" if monthly else grain_of((one.row for one in rows), book.calendar(product))
        grains[product] = grain
        ours, theirs = our_bills(run, product, grain, book), their_bills(rows, grain, product, book)
        before = run.settled_before.get(product)
        bills = []
        for period in sorted({*ours, *theirs}):
            mine, other = ours.get(period) or OurBill(), theirs.get(period, {})
            bills.append(_compare(product, period, mine, other, tolerance, before))
            if not bills[-1].difference:
                right.update(row.place for side in other.values() for row in side.rows)
        compared += [_gather_cut(_whole_if_missing(bill)) for bill in _find_late(bills)]
    for bill in compared:
        bill.check()
    result = Reconciliation(
        statement,
        grains,
        tuple(sorted(compared, key=lambda bill: (bill.period, bill.product))),
        apart,
        contradictions(statement, right),
        tolerance,
        run.payments is not None,
    )
    result.check()
    return result


def _bills(run: OurRun, product: str) -> bool:
    return any(bill.cycle.product == product for bill in run.bills)


def _compare(
    product: str,
    period: Period,
    ours: OurBill,
    theirs: Mapping[LineKey, Side],
    tolerance: Decimal,
    settled_before: int | None,
) -> BillComparison:
    rows = [row for side in theirs.values() for row in side.rows]
    payable = sum((row.payable for row in rows), ZERO)
    is_right = payable == ours.payable
    leeways = row_leeways(rows, lambda row: row.list_amount, lambda _: is_right)
    split = _list_leeway(ours, theirs) if is_right else NONE
    found: list[Difference] = []
    rounding = -ours.adjustment
    for key in dict.fromkeys([*ours.lines, *theirs]):
        mine, other = ours.lines.get(key), theirs.get(key)
        if other is None:
            assert mine is not None
            found.append(_missing(key, mine, "missing-there"))
        elif mine is None:
            late = settled_before is not None and period.end <= settled_before
            found.append(_missing(key, other, "late" if late else "missing-here"))
        else:
            differences = list(_line_differences(key, mine, other))
            rest = other.list_amount - mine.list_amount - sum((one.amount for one in differences), ZERO)
            if abs(rest) > tolerance * len(other.rows) and not split.holds(rest):
                differences = _with_rest(differences, rest, key, mine, other)
            else:
                rounding += rest
            found += differences
    for key, side in theirs.items():
        for row in side.rows:
            discount, cut = _discount_and_cut(row, leeways[row.place])
            rounding -= cut
            if discount:
                found.append(
                    Difference("deduction", key, ZERO, discount, "", -discount, row.place, "discount or coupon")
                )
    paid = None
    if ours.paid is not None and ours.paid.total == ours.payable and rows and all(map(says_how_paid, rows)):
        paid = (ours.paid, paid_by_rows(rows))
        found += _payment_differences(*paid, payable - ours.payable, rows)
    if rounding:
        place = rows[0].place if rows else None
        found.append(Difference("rounding", None, None, None, "", rounding, place))
    return BillComparison(product, period, ours.payable, payable, len(rows), paid, tuple(found))


def _missing(key: LineKey, side: Side, kind: Class) -> Difference:
    here = kind == "missing-there"
    amount = -side.list_amount if here else side.list_amount
    shift = (side.quantity or Fraction(0)) * (-1 if here else 1)
    shown = _in_unit(side.quantity, side.unit) if side.quantity is not None else side.list_amount
    unit = side.unit.name if side.unit and side.quantity is not None else ""
    note = side.remark or ("its period was settled before" if kind == "late" else "")
    return Difference(
        kind, key, shown if here else None, None if here else shown, unit, amount, side.place, note, shift, side.fuzz
    )


def _line_differences(key: LineKey, ours: Side, theirs: Side) -> Iterator[Difference]:
    """The differences of a line that both sides have, each valued at our price, the price at their quantity."""
    unit = theirs.unit or ours.unit
    if unit is None or ours.quantity is None:
        raise BrokenLaw("a line of ours has no unit or no quantity")
    quantity, plan = ours.quantity, ours.plan
    if theirs.quantity is not None:
        more = theirs.quantity - ours.quantity
        if abs(more) > theirs.fuzz:
            quantity = theirs.quantity
            values = (_in_unit(ours.quantity, unit), _in_unit(theirs.quantity, unit), unit.name)
            amount = _money(more, ours.price)
            yield Difference("quantity", key, *values, amount, theirs.place, "", more, theirs.fuzz)
        more = theirs.plan - ours.plan
        if abs(more) > theirs.fuzz:
            plan = theirs.plan
            values = (_in_unit(ours.plan, unit), _in_unit(theirs.plan, unit), unit.name)
            yield Difference("deduction", key, *values, _money(-more, ours.price), theirs.place, "covered by plans")
    if ours.price is not None and theirs.price is not None and ours.price != theirs.price:
        values = (_per_unit(ours.price, unit), _per_unit(theirs.price, unit), f"per {unit.name}")
        amount = _money(quantity - plan, theirs.price - ours.price)
        yield Difference("price", key, *values, amount, theirs.place)


def _with_rest(
    differences: list[Difference], rest: Decimal, key: LineKey, ours: Side, theirs: Side
) -> list[Difference]:
    """Puts what quantity and price do not account for to the first difference that has no single price to value it by,
    else by itself: an amount that is not quantity x price."""
    for index, one in enumerate(differences):
        if ours.price is None and one.kind in ("quantity", "deduction"):
            return [*differences[:index], replace(one, amount=one.amount + rest), *differences[index + 1 :]]
    values = (ours.list_amount, theirs.list_amount, "")
    return [*differences, Difference("price", key, *values, rest, theirs.place, "not quantity x price")]


def _list_leeway(ours: OurBill, theirs: Mapping[LineKey, Side]) -> Leeway:
    """What the list amounts of lines may differ by where the provider splits them at two decimals as well."""
    lists = [row.list_amount for side in theirs.values() for row in side.rows]
    if any(amount != round_money(amount, 2, "down") for amount in lists):
        return NONE
    return split_leeway([side.list_amount for side in ours.lines.values()], sum(lists, ZERO))


def _discount_and_cut(row: StatementRow, leeway: Leeway) -> tuple[Decimal, Decimal]:
    """What took a row from its list amount to its payable: discounts and coupons, and the cut.

    A discount that small is the cut: most exports have no column of its own for it. What the row does not account for
    counts as a discount when it is more than a cut can be. Odd cents are the cut too, whether the row has a column for them
    or not.
    """
    more = row.payable - row.list_amount
    if abs(more) > MOST_CUT and leeway.holds(more):
        return ZERO, -more
    discount = row.amount("discount") + row.amount("coupon")
    cut = row.list_amount - row.payable - discount
    rest = unexplained(row)
    if abs(rest) > MOST_CUT:
        discount += rest
        cut -= rest
    if abs(discount) <= MOST_CUT:
        return ZERO, cut + discount
    return discount, cut


def _payment_differences(
    ours: Paid, theirs: Paid, difference: Decimal, rows: Sequence[StatementRow]
) -> Iterator[Difference]:
    """What was paid otherwise. The difference of the payables itself is paid by something and is explained elsewhere, so it
    is taken out of the column that bears it; what is left moves money between columns and adds up to nothing."""
    columns = ("outstanding", "cash", "card", "voucher")
    more = {column: getattr(theirs, column) - getattr(ours, column) for column in columns}
    if difference:
        bears = [column for column in columns if more[column] * difference > 0]
        more[max(bears, key=lambda column: min(abs(more[column]), abs(difference)))] -= difference
    place = rows[0].place if rows else None
    for column in reversed(columns):
        if more[column]:
            values = (getattr(ours, column), getattr(theirs, column), "")
            yield Difference("deduction", None, *values, more[column], place, f"paid by {_PAID_BY[column]}")


_PAID_BY = {"voucher": "vouchers", "card": "stored-value cards", "cash": "cash", "outstanding": "nobody: outstanding"}


def _find_late(bills: Sequence[BillComparison]) -> list[BillComparison]:
    """Makes pairs of what is missing in one period and too much in another `late`, both ends of it."""
    pool = [
        (number, index, difference)
        for number, bill in enumerate(bills)
        for index, difference in enumerate(bill.differences)
        if difference.kind in ("missing-there", "missing-here", "quantity") and difference.shift
    ]
    late: dict[tuple[int, int], Difference] = {}
    gains: dict[LineKey | None, list[tuple[int, int, Difference]]] = {}
    for one in pool:
        if one[2].shift > 0:
            gains.setdefault(one[2].line, []).append(one)
    for number, index, lost in (one for one in pool if one[2].shift < 0):
        for other, at, gained in gains.get(lost.line, ()):
            # A bill has one difference of a line's quantity, so these are two bills.
            if (other, at) not in late and abs(gained.shift + lost.shift) <= gained.fuzz + lost.fuzz:
                late[number, index] = replace(
                    lost, kind="late", note=f"the provider bills it in {bills[other].period.name}"
                )
                late[other, at] = replace(gained, kind="late", note=f"we bill it in {bills[number].period.name}")
                break
    return [
        replace(bill, differences=tuple(late.get((number, index), one) for index, one in enumerate(bill.differences)))
        for number, bill in enumerate(bills)
    ]


def _whole_if_missing(bill: BillComparison) -> BillComparison:
    """A bill of which the provider has nothing at all is one difference, not one for each line and one for the cut."""
    lines = sum(one.kind == "missing-there" for one in bill.differences)
    if bill.rows or not lines or not all(one.kind in ("missing-there", "rounding") for one in bill.differences):
        return bill
    note = f"the whole bill of {lines} line{'' if lines == 1 else 's'}"
    return replace(
        bill, differences=(Difference("missing-there", None, bill.ours, None, "", bill.difference, None, note),)
    )


def _gather_cut(bill: BillComparison) -> BillComparison:
    """Counts what the cut of a bill adds to its differences with the largest of them: another quantity also makes another
    cut, by less than a cent. What is more, or has nothing else beside it, is rounding by itself."""
    rounding = next((one for one in bill.differences if one.kind == "rounding"), None)
    others = [one for one in bill.differences if one.kind != "rounding" and one.line]
    if rounding is None or abs(rounding.amount) >= CENT * len(others):
        return bill
    largest = max(others, key=lambda one: abs(one.amount))
    rest = [one for one in bill.differences if one is not rounding]
    differences = (replace(one, amount=one.amount + rounding.amount) if one is largest else one for one in rest)
    return replace(bill, differences=tuple(differences))


def _money(micros: Fraction, price: Fraction | None) -> Decimal:
    """`micros` x `price`, rounded half up at ten decimals as a line's amount is; 0 where there is no single price."""
    return _decimal(micros * price) if price is not None else ZERO


def _in_unit(micros: Fraction | None, unit: Unit | None) -> Decimal | None:
    return None if micros is None or unit is None else _decimal(micros / unit.micros)


def _per_unit(price: Fraction, unit: Unit) -> Decimal:
    return _decimal(price * unit.micros)


def _decimal(value: Fraction) -> Decimal:
    """The value at ten decimals, half up away from zero."""
    whole = divide(abs(value.numerator) * 10**AMOUNT_PLACES, value.denominator, "half-up")
    return scaled(-whole if value < 0 else whole, AMOUNT_PLACES)
