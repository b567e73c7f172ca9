"""What a sheet says it has no price for, or not from its start on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set

from mps_bill.core.diagnostics import Problem, quoted
from mps_bill.core.times import iso
from mps_bill.documents.shapes import Fields, Many
from mps_bill.price_sheet import sheet_definition as d
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.context import Context
from mps_bill.price_sheet.prices import unknown_region
from mps_bill.price_sheet.sheet_model import EVERY_REGION, PriceSheet, Unpriced, scope_in_force


def read_unpriced(
    table: Many[Fields], sheet: PriceSheet, context: Context, problems: list[Problem]
) -> tuple[Unpriced, ...]:
    """The entries that are right, in the order of the sheet. `sheet` has its items and prices."""
    entries = []
    for fields in table.parts:
        written = fields.parts(d.UNPRICED_REGIONS)
        problems += [unknown_region(region, context) for region in written if region.value not in context.region_keys]
        before, note = fields.value_of(d.BEFORE), fields.value_of(d.NOTE)
        if not fields.sound or note is None:
            continue
        regions = (one for region in written for one in sheet.members(region.value))
        entry = Unpriced(
            items=tuple(item.value for item in fields.parts(d.UNPRICED_ITEMS)),
            specs=tuple(spec.value for spec in fields.parts(d.UNPRICED_SPECS)),
            regions=tuple(dict.fromkeys(regions)),
            before=before,
            note=note,
            place=fields.place,
        )
        # Of a region that is in two groups, that is what is wrong.
        held = Counter(region for members in context.groups.values() for region in members)
        shared = {region for region, number in held.items() if number > 1}
        problems += _check_no_price(entry, sheet, shared) if before is None else _check_before(fields, entry, sheet)
        entries.append(entry)
    return tuple(entries)


def _check_no_price(entry: Unpriced, sheet: PriceSheet, shared: Set[str]) -> Iterator[Problem]:
    """Nothing of it may have a price after all; one is enough to show what is wrong."""
    for item, spec, region in _priced(entry, sheet):
        if region in shared:
            continue
        message = f"{item} {quoted(spec)} has a price in {region}, and is listed as unpriced; remove one of the two"
        yield Problem(entry.place, kinds.PRICED_ANYWAY, message)
        return


def _check_before(fields: Fields, entry: Unpriced, sheet: PriceSheet) -> Iterator[Problem]:
    before, calendar = fields.get(d.BEFORE), sheet.billing.calendar
    assert before is not None
    when = iso(before.value, calendar.offset)
    if calendar.cycle_start(before.value) != before.value:
        message = f"{when} is not the start of a billing cycle; prices change between two of them"
        yield Problem(before.place, kinds.OFF_CYCLE_TIME, message)
    elif before.value <= sheet.effective_from or (
        sheet.effective_to is not None and before.value >= sheet.effective_to
    ):
        message = f"{when} is not within the time in which the sheet is in force, so `before` has no effect"
        yield Problem(before.place, kinds.NEEDLESS_BEFORE, message)
    elif next(_priced(entry, sheet), None) is None:
        message = "the sheet has no price for what this entry names, so `before` has no effect; remove it"
        yield Problem(before.place, kinds.NEEDLESS_BEFORE, message)


def _priced(entry: Unpriced, sheet: PriceSheet) -> Iterator[tuple[str, str, str]]:
    """Item, spec and region (or group, or "*") of each price that the entry holds."""
    for item in (sheet.items[code] for code in entry.items if code in sheet.items):
        for spec, prices in item.prices.items():
            for region in entry.regions or prices:
                scope = scope_in_force(prices, region, sheet.region_groups) if entry.regions else region
                if scope and entry.holds(item.code, spec, region if entry.regions else ""):
                    yield item.code, spec, "every region" if region == EVERY_REGION else region
