"""The differences between both sides of one bill.

Both payables are broken down in the same way: list amounts of lines, less discounts, less rounding. A line's list amount is
quantity after plans x price, so its difference is split into quantity, deduction (of plans) and price; what is left within the
tolerance is rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, amount_text, divide, round_money, scaled
from mps_bill.core.diagnostics import Place
from mps_bill.core.language import said
from mps_bill.core.laws import BrokenLaw
from mps_bill.core.units import Unit
from mps_bill.reconcile.differences import BillComparison, Category, Difference
from mps_bill.reconcile.export import ExportRow
from mps_bill.reconcile.export_columns import PAYMENTS
from mps_bill.reconcile.identities import has_payments, unexplained
from mps_bill.reconcile.match import ALL_ITEMS, LineKey
from mps_bill.reconcile.odd_cents import LEAST, NONE, Leeway, row_leeways, split_leeway
from mps_bill.reconcile.our_and_their_bills import OurBill, Paid, Side, TheirBill
from mps_bill.reconcile.periods import BillPeriod


def compare_bill(
    product: str, period: BillPeriod, ours: OurBill, theirs: TheirBill, tolerance: Decimal, only_theirs: Category
) -> BillComparison:
    """Compare one bill; `only_theirs` is the category of a line that only the provider has."""
    difference = theirs.payable - ours.payable
    split = NONE if difference else _list_leeway(ours, theirs)
    paid = _both_paid(ours, theirs)
    found = [_rounding(theirs.rounding - ours.adjustment)]
    for key in dict.fromkeys([*ours.lines, *theirs.lines]):
        mine, other = ours.lines.get(key), theirs.lines.get(key)
        if mine and other:
            found += _line_differences(mine, other, _line_leeway(mine, other, tolerance, split))
        elif mine:
            found.append(_one_sided(mine, "missing-there"))
        elif other and (other.key != ALL_ITEMS or other.list_amount or other.net):
            # A bill of nothing, without items, is the same as no bill.
            found.append(_one_sided(other, only_theirs))
    found += _reductions(ours, theirs)
    if paid:
        found += _payment_differences(*paid, difference, theirs.place)
    found = _with_one_rounding(found, theirs.place)
    # Coupons are not part of the payable of the export, so they are no part of ours here.
    payables = (ours.payable - theirs.coupons, theirs.payable - theirs.coupons)
    return BillComparison(product, period, *payables, len(theirs.rows), paid, tuple(found))


def _rounding(amount: Decimal, place: Place | None = None) -> Difference:
    return Difference("rounding", None, amount, place)


def _with_one_rounding(found: Sequence[Difference], place: Place | None) -> list[Difference]:
    """The differences, with all rounding of the bill combined into one at the end."""
    total = sum((one.amount for one in found if one.category == "rounding"), ZERO)
    others = [one for one in found if one.category != "rounding"]
    return [*others, _rounding(total, place)] if total else others


def _one_sided(side: Side, category: Category) -> Difference:
    """The difference of a line that only one side has."""
    # Bills compared as a whole have no quantity, so it is their amount that finds one billed in another period.
    shown, unit, shift = side.list_amount, "", side.quantity or Fraction(0)
    if side.key == ALL_ITEMS:
        shift = Fraction(side.list_amount)
    if side.unit and side.quantity is not None:
        shown, unit = _in_unit(side.quantity, side.unit), side.unit.name
    note = side.remark or (said("its period was settled before") if category == "late" else "")
    amount, ours = side.list_amount, category == "missing-there"
    if ours:
        amount, shift = -side.net, -shift
    values = (shown if ours else None, None if ours else shown, unit)
    return Difference(category, side.key, amount, side.place, *values, note, shift, side.display_tolerance)


def _line_differences(ours: Side, theirs: Side, leeway: Leeway) -> list[Difference]:
    """The differences of a line that both sides have, including what is left between the list amounts."""
    found = list(_valued_differences(ours, theirs))
    rest = theirs.list_amount - ours.list_amount - sum((one.amount for one in found), ZERO)
    if leeway.holds(rest):
        return [*found, _rounding(rest)]
    if found and ours.price is None:
        # Without a single price to value the quantity by, its value is the rest.
        return [replace(found[0], amount=found[0].amount + rest), *found[1:]]
    note = said("list amount") if theirs.key == ALL_ITEMS else said("not quantity x price")
    lists = (ours.list_amount, theirs.list_amount)
    return [*found, Difference("price", theirs.key, rest, theirs.place, *lists, note=note)]


def _valued_differences(ours: Side, theirs: Side) -> Iterator[Difference]:
    """Quantity and deduction valued at our price, and price valued at their quantity; nothing for bills as a whole."""
    if ours.key == ALL_ITEMS:
        return
    unit = theirs.unit or ours.unit
    if unit is None or ours.quantity is None:
        raise BrokenLaw("a line of ours has no unit or no quantity")
    quantity, plan = ours.quantity, ours.plan
    if theirs.quantity is not None:
        quantity = _differing(quantity, theirs.quantity, theirs.display_tolerance)
        plan = _differing(plan, theirs.plan, theirs.display_tolerance)
    key, place = theirs.key, theirs.place
    if more := quantity - ours.quantity:
        values = (_in_unit(ours.quantity, unit), _in_unit(quantity, unit), unit.name)
        amount = _money(more, ours.price)
        yield Difference("quantity", key, amount, place, *values, "", more, theirs.display_tolerance)
    if more := plan - ours.plan:
        values = (_in_unit(ours.plan, unit), _in_unit(plan, unit), unit.name)
        yield Difference("deduction", key, _money(-more, ours.price), place, *values, said("covered by plans"))
    if ours.price is not None and theirs.price is not None and ours.price != theirs.price:
        per = said("per {unit}", unit=said(unit.name))
        values = (_decimal(ours.price * unit.micros), _decimal(theirs.price * unit.micros), per)
        yield Difference("price", key, _money(quantity - plan, theirs.price - ours.price), place, *values)


def _differing(ours: Fraction, theirs: Fraction, tolerance: Fraction) -> Fraction:
    return theirs if abs(theirs - ours) > tolerance else ours


def _list_leeway(ours: OurBill, theirs: TheirBill) -> Leeway:
    """The leeway of the list amounts of lines if the provider splits these at two decimal places as well."""
    if not _are_cents(theirs.rows):
        return NONE
    lists = sum((row.list_amount for row in theirs.rows), ZERO)
    return split_leeway([side.list_amount for side in ours.lines.values()], lists)


def _line_leeway(ours: Side, theirs: Side, tolerance: Decimal, split: Leeway) -> Leeway:
    """The leeway of the list amount of a line: the tolerance for each row, or for each bill if rows are sums of amounts in cents;
    and the leeway of the provider's splitting where the bill is right (`split`)."""
    rows = len(theirs.rows)
    if theirs.sums and _are_cents(theirs.rows):
        rows = max(rows, ours.bills)
        split |= ours.leeway if split != NONE else NONE
    return split | Leeway(tolerance, tolerance) * rows


def _are_cents(rows: Iterable[ExportRow]) -> bool:
    return all(row.list_amount == round_money(row.list_amount, 2, "down") for row in rows)


def _reductions(ours: OurBill, theirs: TheirBill) -> Iterator[Difference]:
    """The reductions from list amounts to payables: discounts and coupons that are not ours, and rounding."""
    is_right = ours.payable == theirs.payable
    net = _net_amounts(ours, theirs)
    leeways = {
        **row_leeways(
            (row for row in theirs.rows if row.fee != "rounding"), lambda row: net[row.place], lambda _: is_right
        ),
        **leeways_of_sums(ours, theirs),
    }
    for key, side in theirs.lines.items():
        mine = ours.lines.get(key)
        if mine and mine.discount:
            yield from _discounts(mine, side, leeways)
            continue
        for row in side.rows:
            # A bill compared as a whole has no odd cents, and its rounding is as stated.
            is_exact = key == ALL_ITEMS and "round_down" in row.amounts and not unexplained(row)
            discount, rounding = _discount_and_rounding(row, NONE if is_exact else leeways[row.place])
            yield _rounding(-rounding)
            if discount:
                yield _discount(key, ZERO, discount, row.place)


def _net_amounts(ours: OurBill, theirs: TheirBill) -> dict[Place, Decimal]:
    """The amount from which the payable of each row is split: its list amount less its share of our discount of the line."""
    net = {row.place: row.list_amount for row in theirs.rows}
    for key, side in theirs.lines.items():
        mine, listed = ours.lines.get(key), sum((row.list_amount for row in side.rows), ZERO)
        if mine and mine.discount and listed:
            off = Fraction(mine.discount) / Fraction(listed)
            net |= {row.place: row.list_amount - _decimal(off * Fraction(row.list_amount)) for row in side.rows}
    return net


def _discounts(ours: Side, theirs: Side, leeways: Mapping[Place, Leeway]) -> Iterator[Difference]:
    """Compare the discount of a line that has one on our side too. It is right if it equals ours within the rounding of its rows,
    or if it leads to our net amount within the odd cents of the bill."""
    reduced = sum((row.list_amount - row.payable for row in theirs.rows), ZERO)
    discount = sum((_stated_discount(row, leeways[row.place]) for row in theirs.rows), ZERO)
    leeway = sum((leeways[row.place] for row in theirs.rows), NONE)
    if abs(discount - ours.discount) > leeway.least and not leeway.holds(ours.discount - reduced):
        yield _discount(theirs.key, ours.discount, discount, theirs.place)
        yield _rounding(discount - reduced)
    else:
        yield _rounding(ours.discount - reduced)


def _discount(key: LineKey, ours: Decimal, theirs: Decimal, place: Place | None) -> Difference:
    return Difference("discount", key, ours - theirs, place, ours, theirs, note=said("discount or coupon"))


def _stated_discount(row: ExportRow, leeway: Leeway) -> Decimal:
    """The discount and coupon of a row, and any unexplained rest that is larger than rounding can be."""
    rest = unexplained(row)
    return row.amount("discount") + row.amount("coupon") + (rest if abs(rest) > leeway.least else ZERO)


def _discount_and_rounding(row: ExportRow, leeway: Leeway) -> tuple[Decimal, Decimal]:
    """The reductions of a row from its list amount to its payable: discounts and coupons, and rounding.

    A discount no larger than rounding counts as rounding, because most exports have no separate column for that. An unexplained
    rest larger than rounding counts as a discount. Odd cents are rounding too, whether the row has a column for them or not.
    """
    more = row.payable - row.list_amount
    if abs(more) > leeway.least and leeway.holds(more):
        return ZERO, -more
    discount = _stated_discount(row, leeway)
    if abs(discount) <= leeway.least:
        discount = ZERO
    return discount, -more - discount


def _both_paid(ours: OurBill, theirs: TheirBill) -> tuple[Paid, Paid] | None:
    """The payments of both sides; None if one of them does not state all of them."""
    if ours.paid is None or sum(ours.paid.values()) != ours.payable or not theirs.rows:
        return None
    return (ours.paid, theirs.paid) if all(map(has_payments, theirs.rows)) else None


def _payment_differences(ours: Paid, theirs: Paid, difference: Decimal, place: Place | None) -> Iterator[Difference]:
    """Differences between payments. The difference of the payables itself is explained elsewhere, so it is taken out of the
    column that bears it, whose note says so; the remaining differences move money between columns and add up to zero."""
    columns = tuple(PAYMENTS)[::-1]
    more = {column: theirs[column] - ours[column] for column in columns}
    notes = {column: by for column, (_, by) in PAYMENTS.items()}
    if difference:
        bears = [column for column in columns if more[column] * difference > 0]
        bearer = max(bears, key=lambda column: min(abs(more[column]), abs(difference)))
        more[bearer] -= difference
        notes[bearer] = said(
            "{paid}, besides {amount} that the payable differs by", paid=notes[bearer], amount=amount_text(difference)
        )
    for column, note in notes.items():
        if more[column]:
            yield Difference("deduction", None, more[column], place, ours[column], theirs[column], note=note)


def leeways_of_sums(ours: OurBill, theirs: TheirBill) -> dict[Place, Leeway]:
    """The leeway of each row that sums the rows of several bills."""
    is_right = ours.payable == theirs.payable
    return {
        place: mine.leeway if is_right else LEAST * mine.bills
        for key, side in theirs.lines.items()
        if (mine := ours.lines.get(key)) and mine.bills > 1
        for place in side.sums
    }


def _money(micros: Fraction, price: Fraction | None) -> Decimal:
    """`micros` x `price`, rounded half up at ten decimal places like the amount of a line; 0 without a single price."""
    return _decimal(micros * price) if price is not None else ZERO


def _in_unit(micros: Fraction, unit: Unit) -> Decimal:
    return _decimal(micros / unit.micros)


def _decimal(value: Fraction) -> Decimal:
    """The value at ten decimal places, half up away from zero."""
    whole = divide(abs(value.numerator) * 10**AMOUNT_PLACES, value.denominator, "half-up")
    return scaled(-whole if value < 0 else whole, AMOUNT_PLACES)
