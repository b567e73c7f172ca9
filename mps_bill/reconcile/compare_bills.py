"""Our bills against the provider's: every difference has a category and an amount, and the amounts of a period add up to the
difference of its payables. Pure.

The payable of both sides is broken down in the same way: list amounts of lines, less discounts, less rounding. A line's list
amount is quantity after plans x price, so its difference falls into quantity, deduction (of plans) and price; what is left
within the tolerance is rounding. The cents that differences cause in the rounding of a bill are counted with the largest of
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, amount_text, divide, round_money, scaled
from mps_bill.core.diagnostics import Place, quoted
from mps_bill.core.language import said
from mps_bill.core.laws import BrokenLaw, law
from mps_bill.core.times import Calendar
from mps_bill.core.units import Unit
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill
from mps_bill.reconcile import match, sides
from mps_bill.reconcile.differences import BillComparison, Category, Difference, Reconciliation
from mps_bill.reconcile.export import CENT, Export, ExportRow
from mps_bill.reconcile.export_columns import PAYMENTS
from mps_bill.reconcile.export_mapping import BillMapping
from mps_bill.reconcile.identities import contradictions, has_payments, unexplained
from mps_bill.reconcile.match import ALL_ITEMS, ExcludedRows, LineKey, MatchedRow
from mps_bill.reconcile.odd_cents import LEAST, NONE, Leeway, row_leeways, split_leeway
from mps_bill.reconcile.periods import BillPeriod, Grain, grain_of, row_period, row_second
from mps_bill.reconcile.sides import OurBill, OurRun, Paid, Side, TheirBill


def reconcile(
    run: OurRun, export: Export, mapping: BillMapping, book: PriceBook, tolerance: Decimal = CENT
) -> Reconciliation:
    """Compares our bills with the provider's. A line agrees when its amount is within `tolerance` for each of its rows, or of
    the bills that they are sums of; a bill must agree exactly. To be called in the exact decimal context."""
    matched, excluded = match.match_rows(export.rows, mapping, book)
    counts = sum(map(len, matched.values())), sum(len(one.rows) for one in excluded)
    law(sum(counts) == len(export.rows), "{} rows compared and {} excluded of {}", *counts, len(export.rows))
    grains: dict[str, Grain] = {}
    as_a_whole: set[str] = set()
    compared: list[BillComparison] = []
    right: set[Place] = set()
    sums: dict[Place, Leeway] = {}
    outside: list[OurBill] = []
    months = _months(matched, book)
    for product in book.versions:
        rows = match.with_rounding_by_bill(matched.get(product, ()), book.calendar(product))
        if rows or any(bill.cycle.product == product for bill in run.bills):
            grains[product] = _grain(product, run.bills, rows, book)
            if any(row.key == ALL_ITEMS and row.row.fee != "rounding" for row in rows):
                as_a_whole.add(product)
            ours = sides.our_bills(run, product, grains[product], book, as_a_whole=product in as_a_whole)
            theirs = {
                period: sides.with_coupons_as_vouchers(bill, ours.get(period, OurBill()))
                for period, bill in sides.their_bills(rows, grains[product], product, book).items()
            }
            month = book.calendar(product).month
            outside += [ours.pop(one) for one in list(ours) if months and month(one.start) not in months]
            before, unknown = run.settled_before.get(product), _unknown_rows(excluded, mapping, book.calendar(product))
            compared += _compare_product(product, ours, theirs, tolerance, before, unknown)
            for period, bill in theirs.items():
                mine = ours.get(period, OurBill())
                sums |= _leeways_of_sums(mine, bill)
                if bill.payable == mine.payable:
                    right.update(row.place for row in bill.rows)
    result = Reconciliation(
        export,
        grains,
        tuple(sorted(compared, key=lambda bill: (bill.period, bill.product))),
        excluded,
        contradictions(export, right, sums),
        tolerance,
        run.payments is not None,
        frozenset(as_a_whole),
        (len(outside), sum((bill.payable for bill in outside), ZERO)),
    )
    result.check()
    return result


def _months(matched: Mapping[str, Sequence[MatchedRow]], book: PriceBook) -> frozenset[str]:
    """The statement months that the export has any row of. It says nothing of the bills of other months."""
    return frozenset(
        book.calendar(product).month(row_second(one.row, book.calendar(product)))
        for product, rows in matched.items()
        for one in rows
    )


def _grain(product: str, bills: Sequence[Bill], rows: Sequence[MatchedRow], book: PriceBook) -> Grain:
    """The periods that are compared: whole months where some are settled as a whole, by our bills or else by the sheets."""
    ours = [bill.cycle.is_monthly for bill in bills if bill.cycle.product == product]
    if any(ours or (sheet.billing.settlement == "monthly" for sheet in book.versions[product])):
        return "month"
    return grain_of((one.row for one in rows), book.calendar(product))


def _leeways_of_sums(ours: OurBill, theirs: TheirBill) -> dict[Place, Leeway]:
    """The leeway of each row that is the sum of the rows of several bills."""
    is_right = ours.payable == theirs.payable
    return {
        place: mine.leeway if is_right else LEAST * mine.bills
        for key, side in theirs.lines.items()
        if (mine := ours.lines.get(key)) and mine.bills > 1
        for place in side.sums
    }


def _compare_product(
    product: str,
    ours: dict[BillPeriod, OurBill],
    theirs: dict[BillPeriod, TheirBill],
    tolerance: Decimal,
    settled_before: int | None,
    unknown: _Unknown,
) -> Iterator[BillComparison]:
    bills = []
    for period in sorted({*ours, *theirs}):
        is_late = settled_before is not None and period.end <= settled_before
        mine, other = ours.get(period) or OurBill(), theirs.get(period) or TheirBill()
        bills.append(_compare(product, period, mine, other, tolerance, "late" if is_late else "missing-here"))
    return (_with_gathered_rounding(_whole_if_missing(_with_hints(bill, unknown))) for bill in _with_late(bills))


def _compare(
    product: str, period: BillPeriod, ours: OurBill, theirs: TheirBill, tolerance: Decimal, only_theirs: Category
) -> BillComparison:
    """One bill; `only_theirs` is the category of a line that the provider alone has."""
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
            # A bill of nothing, without items, is no more than none.
            found.append(_one_sided(other, only_theirs))
    found += _reductions(ours, theirs)
    if paid:
        found += _payment_differences(*paid, difference, theirs.place)
    found = _with_one_rounding(found, theirs.place)
    # What stands under coupons is no part of the payable of the export, so it is none of ours here.
    payables = (ours.payable - theirs.coupons, theirs.payable - theirs.coupons)
    return BillComparison(product, period, *payables, len(theirs.rows), paid, tuple(found))


def _rounding(amount: Decimal, place: Place | None = None) -> Difference:
    return Difference("rounding", None, amount, place)


def _with_one_rounding(found: Sequence[Difference], place: Place | None) -> list[Difference]:
    """The differences with all rounding of the bill as one, at the end."""
    total = sum((one.amount for one in found if one.category == "rounding"), ZERO)
    others = [one for one in found if one.category != "rounding"]
    return [*others, _rounding(total, place)] if total else others


def _one_sided(side: Side, category: Category) -> Difference:
    """A line that one side alone has."""
    # Bills as a whole have no quantity, so their amount shows that one is billed in another period.
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
    """The differences of a line that both sides have, with what is left between the list amounts."""
    found = list(_valued_differences(ours, theirs))
    rest = theirs.list_amount - ours.list_amount - sum((one.amount for one in found), ZERO)
    if leeway.holds(rest):
        return [*found, _rounding(rest)]
    if found and ours.price is None:
        # There is no single price to value the quantity by, so the rest is its value.
        return [replace(found[0], amount=found[0].amount + rest), *found[1:]]
    note = said("list amount") if theirs.key == ALL_ITEMS else said("not quantity x price")
    lists = (ours.list_amount, theirs.list_amount)
    return [*found, Difference("price", theirs.key, rest, theirs.place, *lists, note=note)]


def _valued_differences(ours: Side, theirs: Side) -> Iterator[Difference]:
    """Quantity and deduction valued at our price, and the price at their quantity; none of bills as a whole."""
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
    """What the list amounts of lines may differ by where the provider splits them at two decimal places as well."""
    if not _are_cents(theirs.rows):
        return NONE
    lists = sum((row.list_amount for row in theirs.rows), ZERO)
    return split_leeway([side.list_amount for side in ours.lines.values()], lists)


def _line_leeway(ours: Side, theirs: Side, tolerance: Decimal, split: Leeway) -> Leeway:
    """What the list amounts of a line may differ by: the tolerance for each row, or for each bill where rows are sums of amounts
    in cents; and what the provider's splitting makes of it where the bill is right (`split`)."""
    rows = len(theirs.rows)
    if theirs.sums and _are_cents(theirs.rows):
        rows = max(rows, ours.bills)
        split |= ours.leeway if split != NONE else NONE
    return split | Leeway(tolerance, tolerance) * rows


def _are_cents(rows: Iterable[ExportRow]) -> bool:
    return all(row.list_amount == round_money(row.list_amount, 2, "down") for row in rows)


def _reductions(ours: OurBill, theirs: TheirBill) -> Iterator[Difference]:
    """What took rows from their list amounts to their payables: discounts and coupons beyond ours, and rounding."""
    is_right = ours.payable == theirs.payable
    net = _net_amounts(ours, theirs)
    leeways = {
        **row_leeways(
            (row for row in theirs.rows if row.fee != "rounding"), lambda row: net[row.place], lambda _: is_right
        ),
        **_leeways_of_sums(ours, theirs),
    }
    for key, side in theirs.lines.items():
        mine = ours.lines.get(key)
        if mine and mine.discount:
            yield from _discounts(mine, side, leeways)
            continue
        for row in side.rows:
            # A bill as a whole has no odd cents, and what it states is its rounding.
            is_exact = key == ALL_ITEMS and "round_down" in row.amounts and not unexplained(row)
            discount, rounding = _discount_and_rounding(row, NONE if is_exact else leeways[row.place])
            yield _rounding(-rounding)
            if discount:
                yield _discount(key, ZERO, discount, row.place)


def _net_amounts(ours: OurBill, theirs: TheirBill) -> dict[Place, Decimal]:
    """What the payable of each row is split from: its list amount less its share of our discount of the line."""
    net = {row.place: row.list_amount for row in theirs.rows}
    for key, side in theirs.lines.items():
        mine, listed = ours.lines.get(key), sum((row.list_amount for row in side.rows), ZERO)
        if mine and mine.discount and listed:
            off = Fraction(mine.discount) / Fraction(listed)
            net |= {row.place: row.list_amount - _decimal(off * Fraction(row.list_amount)) for row in side.rows}
    return net


def _discounts(ours: Side, theirs: Side, leeways: Mapping[Place, Leeway]) -> Iterator[Difference]:
    """The discount of a line where we have one too. It is right where it is ours within what its rows may be rounded by, or where
    it leads to our net amount within the odd cents of the bill."""
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
    """What a row says was taken off, with what it does not account for where that is more than rounding can be."""
    rest = unexplained(row)
    return row.amount("discount") + row.amount("coupon") + (rest if abs(rest) > leeway.least else ZERO)


def _discount_and_rounding(row: ExportRow, leeway: Leeway) -> tuple[Decimal, Decimal]:
    """What took a row from its list amount to its payable: discounts and coupons, and rounding.

    A discount that small is rounding: most exports have no column of its own for it. What the row does not account for
    counts as a discount when it is more than rounding can be. Odd cents are rounding too, whether the row has a column for
    them or not.
    """
    more = row.payable - row.list_amount
    if abs(more) > leeway.least and leeway.holds(more):
        return ZERO, -more
    discount = _stated_discount(row, leeway)
    if abs(discount) <= leeway.least:
        discount = ZERO
    return discount, -more - discount


def _both_paid(ours: OurBill, theirs: TheirBill) -> tuple[Paid, Paid] | None:
    """How both sides were paid; None where one of them does not state the whole of it."""
    if ours.paid is None or sum(ours.paid.values()) != ours.payable or not theirs.rows:
        return None
    return (ours.paid, theirs.paid) if all(map(has_payments, theirs.rows)) else None


def _payment_differences(ours: Paid, theirs: Paid, difference: Decimal, place: Place | None) -> Iterator[Difference]:
    """What was paid otherwise. The difference of the payables itself is paid by something and is explained elsewhere, so it
    is taken out of the column that bears it, whose note says so; what is left moves money between columns and adds up to
    nothing."""
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


def _with_late(bills: Sequence[BillComparison]) -> list[BillComparison]:
    """What is missing in one period and too much in another is `late`, at both ends."""
    losses: list[tuple[int, int, Difference]] = []
    gains: dict[LineKey | None, list[tuple[int, int, Difference]]] = {}
    for number, bill in enumerate(bills):
        for index, one in enumerate(bill.differences):
            if one.category in ("missing-there", "missing-here", "quantity") and one.shift:
                side = losses if one.shift < 0 else gains.setdefault(one.line, [])
                side.append((number, index, one))
    late: dict[tuple[int, int], Difference] = {}
    for number, index, lost in losses:
        for other, at, gained in gains.get(lost.line, ()):
            # A bill has one difference of a line's quantity, so these are two bills.
            tolerance = gained.display_tolerance + lost.display_tolerance
            if (other, at) not in late and abs(gained.shift + lost.shift) <= tolerance:
                there, here = bills[other].period.name, bills[number].period.name
                late[number, index] = replace(
                    lost, category="late", note=said("the provider bills it in {period}", period=there)
                )
                late[other, at] = replace(gained, category="late", note=said("we bill it in {period}", period=here))
                break
    return [
        replace(bill, differences=tuple(late.get((number, index), one) for index, one in enumerate(bill.differences)))
        for number, bill in enumerate(bills)
    ]


#: The rows of products that no mapping names, by what they have: an item and its spec, or without them a payable.
_Unknown = Mapping[tuple[str, str] | Decimal, Sequence[tuple[BillPeriod, ExportRow]]]


def _unknown_rows(excluded: Iterable[ExcludedRows], mapping: BillMapping, calendar: Calendar) -> _Unknown:
    found: dict[tuple[str, str] | Decimal, list[tuple[BillPeriod, ExportRow]]] = {}
    for row in (row for one in excluded if one.reason == match.NO_MAPPING for row in one.rows):
        item = mapping.item(row)
        if item or (row.payable and not (row.item or row.item_code)):
            content = (item.item, item.spec) if item else row.payable
            found.setdefault(content, []).append((row_period(row, calendar), row))
    return found


def _with_hints(bill: BillComparison, unknown: _Unknown) -> BillComparison:
    """The bill with a hint where what is missing there is just what a product has that no mapping names."""
    return replace(bill, differences=tuple(_with_hint(one, bill, unknown) for one in bill.differences))


def _with_hint(one: Difference, bill: BillComparison, unknown: _Unknown) -> Difference:
    contents: list[tuple[str, str] | Decimal] = [] if bill.rows else [bill.ours]
    if one.line:
        contents.append((one.line.item, one.line.spec))
    spans = (pair for content in contents for pair in unknown.get(content, ()))
    at = bill.period
    row = next((row for span, row in spans if span.start < at.end and at.start < span.end), None)
    if row is None or one.category != "missing-there":
        return one
    product = quoted(row.product or row.product_code)
    hint = said("excluded: a product that no mapping names, {product} ({place})", product=product, place=row.place)
    return replace(one, note=said("{one}, {other}", one=one.note, other=hint) if one.note else hint)


def _whole_if_missing(bill: BillComparison) -> BillComparison:
    """A bill of which the provider has nothing at all is one difference, not one for each line and one for rounding."""
    lines = sum(one.category == "missing-there" for one in bill.differences)
    if bill.rows or not lines or not all(one.category in ("missing-there", "rounding") for one in bill.differences):
        return bill
    hint = next((one.note for one in bill.differences if one.category == "missing-there" and one.note), "")
    note = said("the whole bill of 1 line") if lines == 1 else said("the whole bill of {n} lines", n=lines)
    note = said("{one}, {other}", one=note, other=hint) if hint else note
    whole = Difference("missing-there", None, bill.difference, None, bill.ours, note=note)
    return replace(bill, differences=(whole,))


def _with_gathered_rounding(bill: BillComparison) -> BillComparison:
    """Counts the rounding that comes of other differences with the largest of them: another quantity also rounds otherwise,
    by less than a cent. What is more, or has nothing else beside it, is rounding by itself."""
    if not bill.differences:
        return bill
    *others, last = bill.differences
    lines = [one for one in others if one.line]
    if last.category != "rounding" or abs(last.amount) >= CENT * len(lines):
        return bill
    largest = max(lines, key=lambda one: abs(one.amount))
    differences = (replace(one, amount=one.amount + last.amount) if one is largest else one for one in others)
    return replace(bill, differences=tuple(differences))


def _money(micros: Fraction, price: Fraction | None) -> Decimal:
    """`micros` x `price`, rounded half up at ten decimal places as a line's amount is; 0 where there is no single price."""
    return _decimal(micros * price) if price is not None else ZERO


def _in_unit(micros: Fraction, unit: Unit) -> Decimal:
    return _decimal(micros / unit.micros)


def _decimal(value: Fraction) -> Decimal:
    """The value at ten decimal places, half up away from zero."""
    whole = divide(abs(value.numerator) * 10**AMOUNT_PLACES, value.denominator, "half-up")
    return scaled(-whole if value < 0 else whole, AMOUNT_PLACES)
