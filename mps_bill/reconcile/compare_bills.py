"""Our bills against the provider's: every difference has a category and an amount, and the amounts of a period add up to the
difference of its payables (`bill_differences` finds those of one bill). The module is pure.

The cents that differences cause in the rounding of a bill are counted with the largest of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import Place, quoted
from mps_bill.core.language import said
from mps_bill.core.laws import law
from mps_bill.core.times import Calendar
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill
from mps_bill.reconcile import match
from mps_bill.reconcile.bill_differences import compare_bill, leeways_of_sums
from mps_bill.reconcile.differences import BillComparison, Difference, Reconciliation
from mps_bill.reconcile.export import CENT, Export, ExportRow
from mps_bill.reconcile.export_mapping import BillMapping
from mps_bill.reconcile.identities import contradictions
from mps_bill.reconcile.match import ALL_ITEMS, ExcludedRows, LineKey, MatchedRow
from mps_bill.reconcile.odd_cents import Leeway
from mps_bill.reconcile.our_and_their_bills import (
    OurBill,
    OurRun,
    TheirBill,
    our_bills,
    their_bills,
    with_coupons_as_vouchers,
)
from mps_bill.reconcile.periods import BillPeriod, Grain, grain_of, row_period, row_second


def reconcile(
    run: OurRun, export: Export, mapping: BillMapping, book: PriceBook, tolerance: Decimal = CENT
) -> Reconciliation:
    """Compare our bills with the provider's. A line agrees when its amount is within `tolerance` for each of its rows, or for
    each bill if rows are sums of bills; a bill must agree exactly. Call it in the exact decimal context."""
    matched, excluded = match.match_rows(export.rows, mapping, book)
    counts = sum(map(len, matched.values())), sum(len(one.rows) for one in excluded)
    law(sum(counts) == len(export.rows), "{} rows compared and {} excluded of {}", *counts, len(export.rows))
    months = _months(matched, book)
    products = [
        _compare_product(product, matched.get(product, ()), run, months, book, tolerance)
        for product in book.versions
        if product in matched or any(bill.cycle.product == product for bill in run.bills)
    ]
    bills = (
        bill
        for one in products
        for bill in _revised(one.bills, _unknown_rows(excluded, mapping, book.calendar(one.name)))
    )
    outside = [bill for one in products for bill in one.outside]
    right = {place for one in products for place in one.right}
    sums = {place: leeway for one in products for place, leeway in one.sums.items()}
    result = Reconciliation(
        export,
        {one.name: one.grain for one in products},
        tuple(sorted(bills, key=lambda bill: (bill.period, bill.product))),
        excluded,
        contradictions(export, right, sums),
        tolerance,
        run.payments is not None,
        frozenset(one.name for one in products if one.as_a_whole),
        (len(outside), sum((bill.payable for bill in outside), ZERO)),
    )
    result.check()
    return result


def _months(matched: Mapping[str, Sequence[MatchedRow]], book: PriceBook) -> frozenset[str]:
    """The statement months for which the export has any row. It says nothing about the bills of other months."""
    return frozenset(
        book.calendar(product).month(row_second(one.row, book.calendar(product)))
        for product, rows in matched.items()
        for one in rows
    )


def _grain(product: str, bills: Sequence[Bill], rows: Sequence[MatchedRow], book: PriceBook) -> Grain:
    """The periods to compare: whole months if our bills (or, without any, the sheets) settle some of them as a whole."""
    ours = [bill.cycle.is_monthly for bill in bills if bill.cycle.product == product]
    if any(ours or (sheet.billing.settlement == "monthly" for sheet in book.versions[product])):
        return "month"
    return grain_of((one.row for one in rows), book.calendar(product))


@dataclass(frozen=True, slots=True)
class _Product:
    """The compared bills of a product: by `grain`, and `as_a_whole` if the export has no billing items of it.

    `outside` are our bills of months that the export has nothing of. `right` are the places of rows whose bill agrees with
    ours, and `sums` has the leeway of rows that are sums of several bills.
    """

    name: str
    grain: Grain
    as_a_whole: bool
    bills: Sequence[BillComparison]
    outside: Sequence[OurBill]
    right: Sequence[Place]
    sums: Mapping[Place, Leeway]


def _compare_product(
    product: str,
    matched: Sequence[MatchedRow],
    run: OurRun,
    months: frozenset[str],
    book: PriceBook,
    tolerance: Decimal,
) -> _Product:
    calendar = book.calendar(product)
    rows = match.with_rounding_by_bill(matched, calendar)
    grain = _grain(product, run.bills, rows, book)
    as_a_whole = any(row.key == ALL_ITEMS and row.row.fee != "rounding" for row in rows)
    ours = our_bills(run, product, grain, book, as_a_whole=as_a_whole)
    theirs = their_bills(rows, grain, product, book)
    outside = [ours.pop(one) for one in list(ours) if months and calendar.month(one.start) not in months]
    settled_before = run.settled_before.get(product)
    bills, right, sums = [], [], {}
    for period in sorted({*ours, *theirs}):
        mine = ours.get(period) or OurBill()
        other = with_coupons_as_vouchers(theirs.get(period) or TheirBill(), mine)
        is_late = settled_before is not None and period.end <= settled_before
        bills.append(compare_bill(product, period, mine, other, tolerance, "late" if is_late else "missing-here"))
        sums.update(leeways_of_sums(mine, other))
        if other.payable == mine.payable:
            right += [row.place for row in other.rows]
    return _Product(product, grain, as_a_whole, bills, outside, right, sums)


def _revised(bills: Sequence[BillComparison], unknown: _Unknown) -> list[BillComparison]:
    """The bills of a product with what is known only when all of them are compared."""
    return [_with_gathered_rounding(_whole_if_missing(_with_hints(bill, unknown))) for bill in _with_late(bills)]


def _with_late(bills: Sequence[BillComparison]) -> list[BillComparison]:
    """Mark what is missing in one period and too much in another as `late`, on both sides."""
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


#: The rows of products that no mapping names, by their item and spec, or by their payable if they name no item.
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
    """The bill, with a hint where exactly what is missing there is billed under a product that no mapping names."""
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
    """Make one difference of a bill that the provider does not have at all, not one for each line and one for rounding."""
    lines = sum(one.category == "missing-there" for one in bill.differences)
    if bill.rows or not lines or not all(one.category in ("missing-there", "rounding") for one in bill.differences):
        return bill
    hint = next((one.note for one in bill.differences if one.category == "missing-there" and one.note), "")
    note = said("the whole bill of 1 line") if lines == 1 else said("the whole bill of {n} lines", n=lines)
    note = said("{one}, {other}", one=note, other=hint) if hint else note
    whole = Difference("missing-there", None, bill.difference, None, bill.ours, note=note)
    return replace(bill, differences=(whole,))


def _with_gathered_rounding(bill: BillComparison) -> BillComparison:
    """Count rounding that results from other differences with the largest of them: another quantity is also rounded
    differently, by less than a cent. A larger rounding, or one without other differences, remains a difference of its own."""
    if not bill.differences:
        return bill
    *others, last = bill.differences
    lines = [one for one in others if one.line]
    if last.category != "rounding" or abs(last.amount) >= CENT * len(lines):
        return bill
    largest = max(lines, key=lambda one: abs(one.amount))
    differences = (replace(one, amount=one.amount + last.amount) if one is largest else one for one in others)
    return replace(bill, differences=tuple(differences))
