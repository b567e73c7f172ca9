"""What rises by more than a limit between two sets of price sheets: prices, the effects of rules, prices that are lost, and
amounts of usage billed under both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.ask.comparison import Comparison
from mps_bill.core.decimals import amount_text, percent_text, plain, rises_by_more
from mps_bill.core.diagnostics import all_of
from mps_bill.price_sheet.book import latest
from mps_bill.price_sheet.rises import Crossed, Rise, rises
from mps_bill.price_sheet.sheet_diff import SheetDiff
from mps_bill.price_sheet.sheet_model import EVERY_REGION, PriceSheet
from mps_bill.price_sheet.sheet_sets import Ended, SetDiff

#: The number of rising prices that are named, and of items, specs and regions without a price.
_NAMED = 5
_Rises = Sequence[tuple[Rise, SheetDiff]]


def crossed_limits(
    found: SetDiff, compared: Comparison | None, limit: Decimal, sheets: Sequence[PriceSheet]
) -> Iterator[Crossed]:
    """Yield everything that rises by more than `limit` percent, in words. `sheets` are the new sheets. `compared` is usage billed
    under both sides, which measures changes that cannot be expressed as a percentage."""
    over = _over(found, limit)
    unmeasured = [(rise, diff) for rise, diff in over if not rise.measured]
    yield from _prices(found, [(rise, diff) for rise, diff in over if rise.measured], limit)
    yield from _rules(found, unmeasured, compared)
    yield from _lost_prices(found, compared, sheets)
    if compared is not None:
        yield from _amounts(compared, [rise.item for rise, _ in unmeasured], limit)


def _over(found: SetDiff, limit: Decimal) -> _Rises:
    """Return the rises by more than the limit, including those of an older sheet that is in force again."""
    over = [(rise, diff) for diff in found.changed for rise in rises(diff) if rise.exceeds(limit)]
    for since, diff in found.shifted:
        day = diff.new.billing.calendar.day(since)
        at = f" from {day} on, when {diff.new.ref} is in force instead of {diff.old.ref}"
        over += [(replace(rise, when=at), diff) for rise in rises(diff) if rise.exceeds(limit)]
    return over


def _prices(found: SetDiff, over: _Rises, limit: Decimal) -> Iterator[Crossed]:
    """Yield the highest rises one by one, then the number of the others."""
    measured = _sentences(found, over)
    for number, (sentence, rise) in enumerate(measured[:_NAMED]):
        others = f", the highest of {len(measured)} that do" if number == 0 and len(measured) > 1 else ""
        yield Crossed(f"{sentence}, {_allowed(limit)}{others}", rise)
    if len(measured) > _NAMED:
        others = f"{len(measured) - _NAMED} more rise by {_allowed(limit)}"
        yield Crossed(others, others=[rise for _, rise in measured[_NAMED:]])


def _rules(found: SetDiff, over: _Rises, compared: Comparison | None) -> Iterator[Crossed]:
    """Yield the rises without a percentage that no usage measures."""
    used = set(compared.here.items) if compared else set()
    for item in dict.fromkeys(rise.item for rise, _ in over):
        if item in used or (compared and not item):
            continue
        why = f"the usage has no {item}" if compared else "--usage shows its effect"
        for sentence, rise in _sentences(found, [(rise, diff) for rise, diff in over if rise.item == item]):
            yield Crossed(f"{sentence}, which cannot be expressed as a percentage; {why}", rise)


def _lost_prices(found: SetDiff, compared: Comparison | None, sheets: Sequence[PriceSheet]) -> Iterator[Crossed]:
    for one in found.ended:
        if not one.refuses or (compared and not _is_used(one, compared, sheets)):
            continue
        day = one.old.billing.calendar.day(one.since)
        why = f"{one.instead.ref} is in force" if one.instead else "no sheet is in force any more"
        without = f"{one.words(_NAMED)} without a price from {day} on, when {why}"
        yield Crossed(f"{without}; this cannot be expressed as a percentage", lost=one.lost)


def _amounts(compared: Comparison, unmeasured: Sequence[str], limit: Decimal) -> Iterator[Crossed]:
    """Yield the amounts of the usage that rise: the total, and those of items with a rise that has no percentage."""
    before, after = compared.here.amounts, compared.there.amounts
    used = (item for item in dict.fromkeys(unmeasured) if item in compared.here.items)
    for item, what, old, new in (
        ("", "the list amount", before.list_amount, after.list_amount),
        ("", "the payable amount", before.payable, after.payable),
        *((code, f"the amount of {code}", *compared.amounts(code)) for code in used),
    ):
        if rises_by_more(old, new, limit):
            ratio = Fraction(new) / Fraction(old) if old else None
            by = f" ({percent_text(ratio)})" if ratio else ""
            rise = Rise(item, what, plain(old), plain(new), ratio, in_figures=True)
            yield Crossed(f"{what} rises from {amount_text(old)} to {amount_text(new)}{by}, {_allowed(limit)}", rise)


def _allowed(limit: Decimal) -> str:
    return f"more than --fail-if-up {plain(limit)} % allows"


def _is_used(ended: Ended, compared: Comparison, sheets: Sequence[PriceSheet]) -> bool:
    """Whether the usage has something that has no price any more. The sheets that bill the usage have a price for all of it,
    even if they name its specs differently."""
    if any(ended.instead is sheet for sheet in latest(sheets)):
        return False
    gone = {(one.item, one.spec): one.regions for one in ended.lost}
    for assignment in (group.assignment for group in compared.usage.metered.groups):
        item, spec, region = assignment.item.code, assignment.spec, assignment.region
        still = ended.instead and ended.instead.price_in(item, spec, region)
        if not still and {region, EVERY_REGION}.intersection(gone.get((item, spec), ())):
            return True
    return False


def _sentences(found: SetDiff, over: _Rises) -> list[tuple[str, Rise]]:
    """Return each rise in words, once, with the sheets that have it if there are several sheets."""
    sheets: dict[str, tuple[Rise, list[str]]] = {}
    for rise, diff in sorted(over, key=lambda pair: pair[0].size, reverse=True):
        sheets.setdefault(str(rise), (rise, []))[1].append(diff.new.ref)
    several = len(found.changed) > 1
    return [
        (f"{sentence} in {all_of(refs)}" if several else sentence, rise) for sentence, (rise, refs) in sheets.items()
    ]
