"""The result of a reconciliation as values: differences by category and period, with the invariant that they add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import Place
from mps_bill.core.language import mark
from mps_bill.core.laws import law
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.selection import EVERYTHING, Selection, SelectionError
from mps_bill.reconcile.export import Export
from mps_bill.reconcile.identities import Contradiction
from mps_bill.reconcile.match import ExcludedRows, LineKey
from mps_bill.reconcile.our_and_their_bills import Paid, sum_paid
from mps_bill.reconcile.periods import BillPeriod, Grain, row_second

Category = Literal["missing-there", "missing-here", "quantity", "price", "discount", "deduction", "late", "rounding"]
MEANINGS: Mapping[Category, str] = {
    "missing-there": mark("we bill it, the provider does not"),
    "missing-here": mark("the provider bills it, we do not"),
    "quantity": mark("different quantity"),
    "price": mark("different unit price, or an amount that is not quantity x price"),
    "discount": mark("different discount or coupon"),
    "deduction": mark("different plan deductions or payments"),
    "late": mark("billed in another period, or settled before"),
    "rounding": mark("odd cents and the rounding of the bill"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, which makes the provider's payable larger than ours by `amount`.

    `ours` and `theirs` are the differing values in `unit` (a unit of quantity, or empty for money); None: that side has nothing.
    `shift` is the quantity in micros that the provider has more, by which late usage is found in another period; it may be off by
    `display_tolerance`.
    """

    category: Category
    line: LineKey | None
    amount: Decimal
    place: Place | None
    ours: Decimal | None = None
    theirs: Decimal | None = None
    unit: str = ""
    note: str = ""
    shift: Fraction = Fraction(0)
    display_tolerance: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class BillComparison:
    """A period of a product: both payables, both payments (None: unknown), and the differences."""

    product: str
    period: BillPeriod
    ours: Decimal
    theirs: Decimal
    rows: int
    paid: tuple[Paid, Paid] | None
    differences: tuple[Difference, ...]

    @property
    def difference(self) -> Decimal:
        return self.theirs - self.ours

    def check(self) -> None:
        """Check that the differences add up to the difference of the payables."""
        explained = sum((difference.amount for difference in self.differences), ZERO)
        law(explained == self.difference, "{} of {} explained in {}", explained, self.difference, self.period.name)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Every period of every product, the excluded rows, and the contradictions within the export. The products of `as_a_whole`
    are compared bill by bill, because the export has no billing items for them. `outside` is the number and the amount of our
    bills of months that the export does not have, which are not compared."""

    export: Export
    grains: Mapping[str, Grain]
    bills: tuple[BillComparison, ...]
    excluded: tuple[ExcludedRows, ...]
    contradictions: tuple[Contradiction, ...]
    tolerance: Decimal
    with_account: bool
    as_a_whole: frozenset[str] = frozenset()
    outside: tuple[int, Decimal] = (0, ZERO)
    #: The part of the comparison that is shown. For chosen lines that is only differences, because payables belong to whole
    #: bills.
    selection: Selection = EVERYTHING

    @property
    def differences(self) -> Iterator[tuple[BillComparison, Difference]]:
        for bill in self.bills:
            for difference in bill.differences:
                yield bill, difference

    @property
    def equal(self) -> bool:
        return not self.contradictions and not any(bill.differences for bill in self.bills)

    @property
    def difference(self) -> Decimal:
        return sum((one.amount for _, one in self.differences), ZERO)

    @property
    def ours(self) -> Decimal:
        return sum((bill.ours for bill in self.bills), ZERO)

    @property
    def theirs(self) -> Decimal:
        return sum((bill.theirs for bill in self.bills), ZERO)

    def by_category(self) -> dict[Category, tuple[int, Decimal]]:
        """The number and the sum of the differences of each category; together they are the whole difference."""
        found: dict[Category, tuple[int, Decimal]] = {}
        for category in MEANINGS:
            amounts = [difference.amount for _, difference in self.differences if difference.category == category]
            found[category] = (len(amounts), sum(amounts, ZERO))
        return found

    def check(self) -> None:
        for bill in self.bills:
            bill.check()
        whole = sum((amount for _, amount in self.by_category().values()), ZERO)
        law(whole == self.theirs - self.ours, "the categories come to {} of {}", whole, self.theirs - self.ours)
        excluded = sum((one.payable for one in self.excluded), ZERO)
        stated = sum((row.payable for row in self.export.rows), ZERO)
        law(self.theirs + excluded == stated, "{} compared and {} excluded of {}", self.theirs, excluded, stated)


def selected(result: Reconciliation, selection: Selection, book: PriceBook) -> Reconciliation:
    """The selected part of a comparison of whole bills.

    Raises:
        SelectionError: the period splits a compared period, such as a month; or lines are chosen by a key that exports do not
            have.
    """
    for key in selection.only:
        if key not in ("item", "spec", "region"):
            raise SelectionError(f"{key} is not on the provider's bill; choose by item, spec or region")
    period = selection.period
    for bill in result.bills:
        edge = period.edge_in(bill.period.start, bill.period.end)
        if edge is not None:
            grain = result.grains[bill.product]
            message = f"{bill.product} is compared by {grain}; the period must not split {bill.period.name}"
            raise SelectionError(message, edge)
    bills = (bill for bill in result.bills if bill.period.start in period)
    calendar = next(iter(book.sheets)).billing.calendar
    seconds = {row.place: row_second(row, calendar) for row in result.export.rows}
    excluded = (
        replace(one, rows=tuple(row for row in one.rows if seconds[row.place] in period)) for one in result.excluded
    )
    return replace(
        result,
        bills=tuple(bill for bill in (_of_lines(bill, selection) for bill in bills) if bill),
        excluded=tuple(one for one in excluded if one.rows),
        # A contradiction of the export as a whole belongs to no period.
        contradictions=tuple(
            one for one in result.contradictions if one.place not in seconds or seconds[one.place] in period
        ),
        selection=selection,
    )


def _of_lines(bill: BillComparison, selection: Selection) -> BillComparison | None:
    """The bill with the differences of the chosen lines; None if lines are chosen and it has no difference of them."""
    if not selection.only:
        return bill
    differences = tuple(
        one
        for one in bill.differences
        if one.line and all(getattr(one.line, key) in values for key, values in selection.only.items())
    )
    return replace(bill, differences=differences) if differences else None


def paid_totals(bills: Iterable[BillComparison]) -> tuple[Paid, Paid] | None:
    """The payments of all bills, ours and theirs, for the bills of which both are known."""
    known = [bill.paid for bill in bills if bill.paid]
    if not known:
        return None
    return sum_paid([ours for ours, _ in known]), sum_paid([theirs for _, theirs in known])
