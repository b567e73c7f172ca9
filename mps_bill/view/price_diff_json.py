"""The changes between price sheets as a JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from mps_bill.ask.comparison import Comparison
from mps_bill.core.decimals import EXACT, percent, percent_text, plain
from mps_bill.core.units import in_unit
from mps_bill.price_sheet.rises import Crossed, Lost, Rise
from mps_bill.price_sheet.sheet_diff import ItemChange, RateChange, SheetDiff
from mps_bill.price_sheet.sheet_model import Item, PriceSheet
from mps_bill.price_sheet.sheet_sets import Ended, SetDiff
from mps_bill.view.columns import Moment, attributes, moment
from mps_bill.view.price_diff_words import largest_change, months_of, numbers_of, records_billed, usage_items

T = TypeVar("T")
#: The keys of a source in the document.
_SOURCE = ("url", "read_on", "covers")


def sets_json(diff: SetDiff) -> dict[str, Any]:
    """Return the changes: those of one sheet at the top of the document, those of several sheets under `sheets`."""
    document: dict[str, Any] = {"compared": {"old": diff.old_name, "new": diff.new_name}}
    if diff.lone:
        document |= _sheet_json(diff.lone)
    else:
        document["sheets"] = [_sheet_json(one) for one in (*diff.pairs, *diff.following)]
        for key, sheets in (("added", diff.added), ("removed", diff.removed)):
            document[key] = [{"price_sheet": sheet.ref, "file": sheet.place.file} for sheet in sheets]
    if diff.ended:
        document["ended"] = [_ended_json(one) for one in diff.ended]
    document["summary"] = _summary_json(diff)
    return document


def usage_json(usage: Comparison) -> dict[str, Any]:
    """Return the amounts of some usage under both sheets."""
    old, new = usage.here.amounts, usage.there.amounts
    return {
        "records": records_billed(usage),
        "months": months_of(usage),
        "items": [{"item": code, **_amounts_json(*usage.amounts(code))} for code in usage_items(usage)],
        "list_amount": _amounts_json(old.list_amount, new.list_amount),
        "payable": _amounts_json(old.payable, new.payable),
    }


def _ended_json(ended: Ended) -> dict[str, Any]:
    return {
        "since": Moment(ended.since, ended.old.billing.calendar.offset),
        "until": moment(ended.until, ended.old.billing.calendar.offset),
        "product": ended.old.product,
        "site": ended.old.site,
        "old": ended.old.ref,
        "new": ended.instead.ref if ended.instead else None,
        "items": list(ended.items),
        "regions": list(ended.regions),
        "prices": [_lost_json(one) for one in ended.lost],
    }


def _lost_json(lost: Lost) -> dict[str, Any]:
    return {**attributes(lost, "item", "spec", "regions"), "size": lost.size or None}


def crossed_json(crossed: Crossed) -> dict[str, Any]:
    """Return the reason why a limit was crossed, with each of the rises that it counts."""
    rises = [crossed.rise] if crossed.rise else crossed.others
    return {"text": crossed.text, "rises": list(map(_rise_json, rises)), "lost": list(map(_lost_json, crossed.lost))}


def _rise_json(rise: Rise) -> dict[str, Any]:
    """Return a rise. `percent` is None if there is no percentage; `exact` says whether it is shown without rounding."""
    return {
        "what": rise.what,
        "item": rise.item or None,
        "spec": rise.spec or None,
        "regions": list(rise.regions),
        **attributes(rise, "old", "new"),
        "old_unit": rise.units[0] or None,
        "new_unit": rise.units[1] or None,
        "percent": rise.ratio,
        "exact": _is_exact(rise.ratio),
    }


def _is_exact(ratio: Fraction | None) -> bool | None:
    """Return whether the percentage of a ratio is shown without rounding; None if there is no ratio."""
    return None if ratio is None else percent(ratio) == (ratio - 1) * 100


def _sheet_json(diff: SheetDiff) -> dict[str, Any]:
    sources = ({source.id or source.url: source for source in sheet.sources} for sheet in (diff.old, diff.new))
    return {
        "old": diff.old.ref,
        "new": diff.new.ref,
        "currency": diff.new.currency,
        "files": {"old": diff.old.place.file, "new": diff.new.place.file},
        "changes": [attributes(word, "what", "old", "new") for word in diff.words],
        "groups": [
            {"group": name, "old": None if old is None else list(old), "new": None if new is None else list(new)}
            for name, old, new in _changed(diff.old.region_groups, diff.new.region_groups)
        ],
        "sources": [
            {"source": name, "old": old and attributes(old, *_SOURCE), "new": new and attributes(new, *_SOURCE)}
            for name, old, new in _changed(*sources)
        ],
        "billing": {"old": _billing_json(diff.old), "new": _billing_json(diff.new)},
        "items": [_item_json(item) for item in diff.items],
    }


def _item_json(item: ItemChange) -> dict[str, Any]:
    factors = item.factors
    derived = (
        {"item": factors[0].base, "old_times": factors[0].times, "new_times": factors[1].times} if factors else None
    )
    return {
        "item": item.code,
        "status": "added" if item.old is None else "removed" if item.new is None else "changed",
        "old_unit": item.old.unit.name if item.old else None,
        "new_unit": item.new.unit.name if item.new else None,
        "prices_from": derived,
        "changes": [attributes(word, "what", "old", "new") for word in item.words],
        "prices": [_rate_json(rate) for rate in item.rates],
        "rules": {"old": _rules_json(item.old), "new": _rules_json(item.new)},
        "kinds": [
            {**attributes(kind, "spec", "region_ids"), "old": kind.old.as_json(), "new": kind.new.as_json()}
            for kind in item.kinds
        ],
    }


def _billing_json(sheet: PriceSheet) -> dict[str, Any]:
    """Return the billing rules of a sheet, with durations in seconds."""
    billing, calendar = sheet.billing, sheet.billing.calendar
    return {
        "effective_from": moment(sheet.effective_from, calendar.offset),
        "effective_to": moment(sheet.effective_to, calendar.offset),
        "cycle_seconds": calendar.cycle_seconds,
        "utc_offset_seconds": calendar.offset,
        "issue_after_seconds": billing.issue_after,
        "settlement": billing.settlement,
        "rounding": {"places": billing.places, "mode": billing.mode},
    }


def _rules_json(item: Item | None) -> dict[str, Any] | None:
    """Return the metering rules of an item, with quantities in its unit."""
    if item is None:
        return None
    metering = item.metering
    return {
        "unit": item.unit.name,
        "spec": item.template,
        "resolutions": [attributes(one, "name", "long", "short") for one in item.resolutions],
        "metering": {
            "per": metering.per,
            "step": in_unit(metering.step, item.unit),
            "rounding": metering.rounding,
            "minimum": in_unit(metering.minimum, item.unit),
        },
        "spec_aliases": dict(item.aliases),
    }


def _changed(old: Mapping[str, T], new: Mapping[str, T]) -> Iterator[tuple[str, T | None, T | None]]:
    """Yield the name and the old and new value of everything that was added, removed or changed."""
    every = ((name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new]))
    return (one for one in every if one[1] != one[2])


def _summary_json(diff: SetDiff) -> dict[str, Any]:
    largest = largest_change(diff.changed)
    return {
        **numbers_of(list(diff.moved)),
        "following": sum(len(item.rates) for one in diff.changed for item in one.items if item.follows),
        "rules": sum(1 for one in diff.changed for _ in one.rules),
        "largest": None if largest is None else {**_rate_json(largest[0]), "item": largest[1].code},
    }


def _rate_json(rate: RateChange) -> dict[str, Any]:
    return {
        **attributes(rate, "spec", "regions", "region_ids"),
        "tier": rate.tier or None,
        "old": None if rate.old is None else plain(rate.old),
        "new": None if rate.new is None else plain(rate.new),
        "difference": rate.difference,
        "percent": None if rate.ratio is None else percent_text(rate.ratio),
        "change_percent": rate.ratio,
        "change_exact": _is_exact(rate.ratio),
        "tier_from": rate.low,
        "tier_to": rate.high,
    }


def _amounts_json(old: Decimal, new: Decimal) -> dict[str, Decimal]:
    return {"old": old, "new": new, "difference": EXACT.subtract(new, old)}
