"""The same usage billed twice, side by side by item: under other prices, in other regions, or paid from another account."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce

from mps_bill.ask.apply_selection import settled_in
from mps_bill.core.decimals import EXACT, ZERO
from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem, ProblemReport, near_miss, one_of, quoted
from mps_bill.core.language import said
from mps_bill.metering.assign import Assignment, assign
from mps_bill.metering.groups import Group
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.scheme import scheme_for
from mps_bill.metering.sources import UsageSource
from mps_bill.pipeline import Usage, gathered, meter_usage
from mps_bill.price_sheet.book import PriceBook, book_of, book_of_latest, latest
from mps_bill.price_sheet.sheet_model import Item, PriceSheet
from mps_bill.rating.bills import Amounts, Bill, StatementMonth, list_bills, statement_months, sum_amounts
from mps_bill.rating.selection import EVERYTHING, Selection
from mps_bill.settlement.account import Account
from mps_bill.settlement.closing import totals
from mps_bill.settlement.settle_cycles import settle

OTHER_CURRENCY = Kind("V101", "other-currency")
NO_COMMON_PRODUCT = Kind("V102", "no-common-product")
SHARED_ITEM = Kind("V103", "item-in-two-products")
UNUSED_REGION = Kind("V104", "unused-region")


@dataclass(frozen=True, slots=True)
class ItemCost:
    """The quantity of an item in micros (billed and covered by plans), and its list amount."""

    item: Item
    micros: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Side:
    """One side: the sums of its bills by item, in the order of the sheets, and the payments by source.

    `paid` is empty if no account pays; otherwise its values add up to `amounts.payable`. `settled_before` is the number of
    bills for cycles that the account has already settled, and pays again here.
    """

    label: str
    bills: int
    items: Mapping[str, ItemCost]
    amounts: Amounts
    paid: Mapping[str, Decimal]
    settled_before: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of the same usage, in the parts that are in a selection; `offset` is that of the billing clock."""

    currency: str
    offset: int
    here: Side
    there: Side
    usage: Usage
    selection: Selection = EVERYTHING

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.here.items, *self.there.items]))

    def amounts(self, code: str) -> tuple[Decimal, Decimal]:
        here, there = self.here.items.get(code), self.there.items.get(code)
        return here.amount if here else ZERO, there.amount if there else ZERO


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Usage of a spec in a region that cannot be billed under the other prices: its rows, its amount under the first prices, and
    the reason."""

    item: str
    spec: str
    region: str
    rows: int
    amount: Decimal
    reason: str


class UsageUnbillable(InputRejected):
    """The usage can be billed under the first prices, but not under the others; `unbilled` is what they cannot bill."""

    def __init__(self, report: ProblemReport, heading: str, unbilled: Sequence[Unbilled]) -> None:
        self.unbilled = tuple(unbilled)
        super().__init__(report, heading)


def compare_prices(
    sources: Sequence[UsageSource],
    book: PriceBook,
    other: PriceBook,
    options: MeterOptions,
    selection: Selection = EVERYTHING,
) -> Comparison:
    """Compare the usage under the run's prices with the usage under the prices of `other`, for the products that it has. If
    `other` has one version of a product, that is treated as always in force. The usage is metered twice, because the metering
    rules may differ.

    Raises:
        InputRejected: the usage is rejected under either book, or the two books cannot be combined.
    """
    there = _refs(other, as_if=True), with_sheets(book, other)
    return _compare_books(sources, (_refs(book), book), there, options, selection)


def compare_sheets(
    sources: Sequence[UsageSource], old: Sequence[PriceSheet], new: Sequence[PriceSheet], options: MeterOptions
) -> Comparison:
    """Compare the usage under two sets of sheets in one currency. The latest sheet of a product is treated as always in force.

    Raises:
        InputRejected: the usage is rejected under either; `UsageUnbillable` if only under the new sheets.
    """
    here, there = ((", ".join(sheet.ref for sheet in latest(side)), book_of_latest(side)) for side in (old, new))
    return _compare_books(sources, here, there, options)


def _compare_books(
    sources: Sequence[UsageSource],
    here: tuple[str, PriceBook],
    there: tuple[str, PriceBook],
    options: MeterOptions,
    selection: Selection = EVERYTHING,
) -> Comparison:
    """Compare the usage under two books, each with the label of its side."""
    with decimal.localcontext(EXACT):
        usage = _metered(sources, *here, options)
        try:
            again = _metered(sources, *there, replace(options, reject=None, progress=None, done=None))
        except InputRejected as rejected:
            raise UsageUnbillable(rejected.report, rejected.heading, _unbilled(usage, here[1], there[1])) from None
        if again.metered.rows_rejected != usage.metered.rows_rejected:
            # Rows that only one side bills would look like a saving.
            unbilled = _unbilled(usage, here[1], there[1])
            raise UsageUnbillable(again.metered.problems, _unbillable(there[0]), unbilled)
        sides = _list_side(here[0], usage, selection), _list_side(there[0], again, selection)
        return Comparison(here[1].currency, here[1].offset, *sides, usage, selection)


def _unbilled(usage: Usage, here: PriceBook, there: PriceBook) -> list[Unbilled]:
    """Return the usage that `there` refuses, the most expensive first. Its amount is the difference that it makes to the bills
    under `here`."""
    scheme = scheme_for(there)
    refused: dict[_LineKey, list[Group]] = {}
    reasons: dict[_LineKey, str] = {}
    kept = []
    for group in usage.metered.groups:
        found = assign(group.key, there, scheme)
        if isinstance(found, Assignment):
            kept.append(group)
            continue
        key = group.assignment.item.code, group.assignment.spec, group.assignment.region
        refused.setdefault(key, []).append(group)
        reasons.setdefault(key, found[0].message if found else "")
    amounts = _line_amounts(usage)
    rest = _line_amounts(gathered(replace(usage.metered, groups=tuple(kept)), here))
    unbilled = [
        Unbilled(*key, sum(group.records for group in groups), amounts[key] - rest.get(key, ZERO), reasons[key])
        for key, groups in refused.items()
    ]
    return sorted(unbilled, key=lambda one: (-one.amount, one.item, one.spec, one.region))


#: Item, spec and region.
_LineKey = tuple[str, str, str]


def _line_amounts(usage: Usage) -> dict[_LineKey, Decimal]:
    found: dict[_LineKey, Decimal] = {}
    for line in (line for bill in list_bills(usage.cycles) for line in bill.lines):
        key = line.item.code, line.spec, line.region
        found[key] = found.get(key, ZERO) + line.amount
    return found


def _metered(sources: Sequence[UsageSource], label: str, book: PriceBook, options: MeterOptions) -> Usage:
    try:
        return meter_usage(sources, book, options)
    except InputRejected as rejected:
        raise InputRejected(rejected.report, _unbillable(label)) from None


def _unbillable(label: str) -> str:
    return f"The usage cannot be billed under {label}:"


def compare_regions(
    sources: Sequence[UsageSource],
    book: PriceBook,
    options: MeterOptions,
    regions: Mapping[str, str],
    selection: Selection = EVERYTHING,
) -> Comparison:
    """Compare the usage with the same usage after replacing its regions as `regions` says. `selection` must not be by region,
    because it would have other usage on the other side.

    Raises:
        InputRejected: as `meter_usage`; or a region is not used, or has no price for some of the usage.
    """
    with decimal.localcontext(EXACT):
        usage = meter_usage(sources, book, options)
        moved = _moved(usage, book, regions)
        moves = (said("{old} moved to {new}", old=old, new=new) for old, new in regions.items())
        here = _list_side(said("regions as used"), usage, selection)
        there = _list_side(_listed(moves), moved, selection)
        return Comparison(book.currency, book.offset, here, there, usage, selection)


def compare_accounts(
    sources: Sequence[UsageSource],
    book: PriceBook,
    options: MeterOptions,
    own: Account | None,
    other: Account,
    selection: Selection = EVERYTHING,
) -> Comparison:
    """Compare the usage paid from one account (None: list prices, no plans) with the usage paid from another. Raise
    `InputRejected` as `meter_usage` does."""
    with decimal.localcontext(EXACT):
        cuts = {second for account in (own, other) if account for second in account.cuts(book)}
        usage = meter_usage(sources, book, replace(options, cuts=tuple(sorted(cuts))))
        nobody = said("no account: no plans, no vouchers")
        here = _settled(usage, book, own, selection) if own else _list_side(nobody, usage, selection)
        there = _settled(usage, book, other, selection)
        return Comparison(book.currency, book.offset, here, there, usage, selection)


def with_sheets(book: PriceBook, other: PriceBook) -> PriceBook:
    """Return `book` with the sheets of `other` for its products. An only version of a product is treated as always in force.

    Raises:
        InputRejected: the currencies differ, no product is in both, or an item would belong to two products.
    """
    problems: list[Problem] = []
    place = next(other.sheets).place
    if other.currency != book.currency:
        message = f"the sheet is in {other.currency} and the run's are in {book.currency}"
        problems.append(Problem(place, OTHER_CURRENCY, f"{message}; exchange rates are not supported"))
    if not other.versions.keys() & book.versions.keys():
        message = f"the sheet prices {one_of(list(other.versions))}, and the run has {one_of(list(book.versions))}"
        problems.append(Problem(place, NO_COMMON_PRODUCT, message))
    versions = dict(book.versions)
    for product, sheets in other.versions.items():
        versions[product] = book_of(sheets[0]).versions[product] if len(sheets) == 1 else sheets
    product_of: dict[str, str] = {}
    for product, sheets in versions.items():
        for item in (item for sheet in sheets for item in sheet.items.values()):
            if product_of.setdefault(item.code, product) != product:
                message = f"item {item.code} belongs to {product_of[item.code]} and to {product}"
                problems.append(Problem(item.place, SHARED_ITEM, message))
    if problems:
        raise InputRejected(problems)
    return PriceBook(book.currency, versions, product_of)


def _moved(usage: Usage, book: PriceBook, regions: Mapping[str, str]) -> Usage:
    """Return the usage with its regions replaced. Record rules do not depend on the region, so the sums stay the same."""
    used = {group.key.region for group in usage.metered.groups}
    problems = []
    for old, new in ((old, new) for old, new in regions.items() if old not in used):
        message = f"nothing was used in {quoted(old)}{near_miss(old, used) or '; used: ' + one_of(sorted(used))}"
        problems.append(Problem(Place(f"--region {old}={new}"), UNUSED_REGION, message))
    scheme = scheme_for(book)
    groups: list[Group] = []
    for group in usage.metered.groups:
        if group.key.region not in regions:
            groups.append(group)
            continue
        key = replace(group.key, region=regions[group.key.region])
        found = assign(key, book, scheme)
        if isinstance(found, Assignment):
            groups.append(replace(group, key=key, assignment=found))
        else:
            place = Place(f"--region {group.key.region}={key.region}")
            problems += [Problem(place, refusal.kind, refusal.message) for refusal in found]
    if problems:
        raise InputRejected(problems)
    return gathered(replace(usage.metered, groups=tuple(groups)), book)


def _list_side(label: str, usage: Usage, selection: Selection) -> Side:
    """Return the side of the usage at list prices."""
    bills = list_bills(usage.cycles)
    return _side(label, selection.bills(bills), tuple(filter(selection.has_month, statement_months(bills))))


def _side(label: str, bills: Sequence[Bill], months: Sequence[StatementMonth], settled_before: int = 0) -> Side:
    return Side(label, len(bills), _items(bills), sum_amounts(bills, months), {}, settled_before)


def _settled(usage: Usage, book: PriceBook, account: Account, selection: Selection) -> Side:
    """Return the side of the usage paid from the account, including cycles that it has settled: nothing is really charged. Money
    pays whole bills, so parts of bills have no payments."""
    own = gathered(usage.metered, book, account.cuts(book))
    settled = settled_in(settle(own.cycles, replace(account, settled_through={}), book, close_months=True), selection)
    bills = [step.bill for step in settled.settlements]
    before = sum(bill.cycle.end <= (account.settled(bill.cycle.product) or 0) for bill in bills)
    statements = [step.statement for step in settled.statements]
    side = _side(said("account {id}", id=account.id), selection.bills(bills), statements, before)
    if selection.only:
        return side
    sums = totals(settled)
    # The statement of a month that an earlier run began also rounds bills of that run.
    return replace(side, amounts=sums.amounts, paid=sums.by_payer)


def _items(bills: Sequence[Bill]) -> dict[str, ItemCost]:
    """Return the sums by item, in the order of the sheets."""
    found: dict[str, ItemCost] = {}
    for line in (line for bill in bills for line in bill.lines):
        item = line.item
        before = found.get(item.code) or ItemCost(item, 0, ZERO)
        found[item.code] = replace(before, micros=before.micros + line.micros, amount=before.amount + line.amount)
    order = {code: None for bill in bills for code in bill.cycle.sheet.items}
    return {code: found[code] for code in order if code in found}


def _refs(book: PriceBook, *, as_if: bool = False) -> str:
    """Return the sheets of a book as text. With `as_if`, an only version is described as if always in force."""
    names: list[str] = [
        said("{sheet} as if always in force", sheet=sheet.ref) if as_if and len(versions) == 1 else sheet.ref
        for versions in book.versions.values()
        for sheet in versions
    ]
    return _listed(names)


def _listed(names: Iterable[str]) -> str:
    return reduce(lambda one, other: said("{one}, {other}", one=one, other=other), names)
