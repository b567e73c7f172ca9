"""Prices that are odd compared with other sheets, and swapped rows and columns; a mistake in many prices is one finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from mps_bill.core.diagnostics import Problem
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks import neighbours, other_sheets, swapped
from mps_bill.price_sheet.checks.other_sheets import Listed
from mps_bill.price_sheet.checks.price_cells import CheckedSheet, ItemTable, Odd, Rate, Shares, folded
from mps_bill.price_sheet.sheet_model import PriceSheet

#: If this many items, and no others, are wrong as a whole, the sheet is wrong.
MIN_ITEMS = 3


@dataclass(frozen=True, slots=True)
class OddPrices:
    """The swaps and the odd rates of a sheet, and the shares by which they were found."""

    swaps: Sequence[swapped.Swap] = ()
    odd: dict[ItemTable, list[Odd]] = field(default_factory=dict)
    shares: Shares = field(default_factory=dict)

    @property
    def rates(self) -> Set[Rate]:
        """The rates that have a finding; other prices are not judged by them."""
        found = {one.rate for odd in self.odd.values() for one in odd}
        return found.union(*(swap.rates for swap in self.swaps))

    def problems(self, sheet: CheckedSheet) -> Iterator[Problem]:
        """Yield a finding for each mistake: in the whole sheet, in a column of several items, or in an item."""
        odd = dict(self.odd)
        whole = [table for table, found in odd.items() if found and len(found) == len(list(table.rates))]
        if sheet.draft and len(whole) >= MIN_ITEMS and len(whole) == sum(1 for found in odd.values() if found):
            # A mistake in the whole sheet, such as its currency, is reported once.
            more, places = (
                f", and every price of {len(whole)} items is off as well",
                tuple(one.code.place for one in whole),
            )
            yield odd[whole[0]][0].problem(more, "is the currency right?", sheet.draft.place(d.CURRENCY), facts=places)
            return
        yield from _odd_columns(odd)
        for table, found in odd.items():
            yield from folded(found, table)


def compare(sheet: CheckedSheet) -> OddPrices:
    """Compare the prices of a sheet with those of the version before it and of the reference sheets."""
    draft, tables = sheet.draft, sheet.tables
    if draft is None:
        return OddPrices()
    listed = other_sheets.compared_with(tables, draft.sheet, sheet.references, anywhere=True)
    versions = other_sheets.compared_with(tables, draft.sheet, [sheet.before.sheet]) if sheet.before else {}
    swaps = [swap for table in tables if not table.derived for swap in _swaps(table, versions, listed)]
    swapped_rates = {rate for swap in swaps for rate in swap.rates}
    rates = [rate for found in (listed, versions) for one in found.values() for rate in one.rates]
    shares = {rate: found[0].ratio for rate, found in rates if found[0].ratio}
    compared = sheet.before or listed
    odd = _odd_by_other_sheets(tables, draft.sheet, versions, listed, shares) if compared else {}
    odd = {table: [one for one in found if one.rate not in swapped_rates] for table, found in odd.items()}
    return OddPrices(swaps, odd, shares)


def _swaps(
    table: ItemTable, versions: Mapping[ItemTable, Listed], listed: Mapping[ItemTable, Listed]
) -> list[swapped.Swap]:
    """Return rows and columns that were swapped, by the best evidence: the version before, the reference, or the other rows."""
    found: list[swapped.Swap] = []
    if table in versions:
        found += swapped.swapped_by_other_sheet(table, versions[table].rates, "the version before", kinds.PRICE_JUMP)
    elif table in listed:
        one = listed[table]
        found += swapped.swapped_by_other_sheet(table, one.rates, one.reference.id, kinds.FAR_FROM_REFERENCE)
    return found or list(swapped.swapped_in_a_row(table))


def _odd_by_other_sheets(
    tables: Sequence[ItemTable],
    sheet: PriceSheet,
    versions: Mapping[ItemTable, Listed],
    listed: Mapping[ItemTable, Listed],
    shares: Shares,
) -> dict[ItemTable, list[Odd]]:
    """Return the rates of each item that are odd compared with the version before, and those odd only by the reference."""
    found: dict[ItemTable, list[Odd]] = {}
    by_references = other_sheets.far_from_reference(listed, sheet)
    for table in tables:
        jumped = other_sheets.jumps(table, versions[table]) if table in versions else []
        far = by_references.get(table, [])
        if far and not table.derived:
            # If the sheet's own prices show the mistake, report it by these.
            shown = {one.rate: one for one in neighbours.outliers(table, shares) if one.by_figures}
            far = [shown.get(one.rate, one) for one in far]
        rates = len(list(table.rates))
        if len(far) < rates or len(jumped) == rates:
            known = {one.rate for one in jumped}
            far = [*jumped, *(one for one in far if one.rate not in known)]
        found[table] = far
    by_code = {table.code.value: table for table in tables}
    for table in tables:
        # Derived prices are odd if those of their base are, unless the factor is.
        base = by_code.get(table.base or "")
        if base and (len(found[table]) < len(list(table.rates)) or len(found[base]) == len(list(base.rates))):
            found[table] = []
    return found


def _odd_columns(odd: dict[ItemTable, list[Odd]]) -> Iterator[Problem]:
    """Yield one finding for a region or group in which every price of several items is off, and remove these from `odd`."""
    columns: dict[tuple[str, bool], list[Odd]] = {}
    for one in (one for table in odd for one in odd[table] if not table.derived):
        columns.setdefault((one.rate.region, one.high), []).append(one)
    for (region, _), members in columns.items():
        rates = {one.rate for one in members}
        of_items = [[rate for rate in table.rates if rate.region == region and rate.price.value] for table in odd]
        touched = [of_item for of_item in of_items if not rates.isdisjoint(of_item)]
        if len(touched) >= MIN_ITEMS and all(rates.issuperset(of_item) for of_item in touched):
            places = tuple(one.rate.price.place for one in members[1:])
            yield members[0].problem(
                f", and every price in {region} of {len(touched)} items is off as well", also=places
            )
            for table in odd:
                odd[table] = [one for one in odd[table] if one not in members]
