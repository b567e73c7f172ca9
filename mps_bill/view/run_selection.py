"""What of a run is shown: in words for people, and as every document of a part of a run begins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mps_bill.core.language import mark, tr
from mps_bill.core.times import offset_text, time_text
from mps_bill.rating.bills import Bill
from mps_bill.rating.selection import Selection
from mps_bill.view.tables import moment

_NO_TAG = mark("(none)")


def selection_text(selection: Selection, offset: int, bills: Iterable[Bill] = ()) -> str:
    """What of the run is shown, and that the rest was billed all the same; empty where everything is shown. Of the `bills` that
    are shown it says whether the statement of their month is missing."""
    if selection.is_everything:
        return ""
    start, end = selection.period.start, selection.period.end
    bounds = [tr("from {time}", time=time_text(start, offset))] if start is not None else []
    bounds += [tr("before {time}", time=time_text(end, offset))] if end is not None else []
    period = mark("cycles {bounds} (UTC{offset})")
    shown = [tr(period, bounds=tr(" and ").join(bounds), offset=offset_text(offset))] if bounds else []
    shown += [f"{key} {tr(' or ').join(sorted(values)) or tr(_NO_TAG)}" for key, values in selection.only.items()]
    text = mark("Shown: {parts}. The whole input was metered, tiered and billed.{why}")
    why = ""
    if selection.only:
        why = tr(" Only whole bills are rounded and paid, so parts of them have a net amount and no payable.")
    elif any(map(selection.cuts_month_of, bills)):
        why = tr(
            " A month that is settled as a whole has its statement, and its rounding, only where all of it is shown."
        )
    return tr(text, parts=tr(", ").join(shown), why=why)


def begin_json(format_: str, currency: str, selection: Selection, offset: int) -> dict[str, Any]:
    """What a document begins with: its format, the currency, and what of the run is shown, where that is not everything."""
    head: dict[str, Any] = {"format": format_, "currency": currency}
    if selection.is_everything:
        return head
    period = selection.period
    shown = {
        "from": moment(period.start, offset),
        "to": moment(period.end, offset),
        "only": {key: sorted(values) for key, values in selection.only.items()},
    }
    return {**head, "selection": {key: value for key, value in shown.items() if value}}
