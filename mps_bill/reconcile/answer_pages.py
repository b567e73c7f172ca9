"""Whether the pages of the bill API's answers are complete. A page that is missing, or given twice, would show as differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mps_bill.core.diagnostics import Place, Problem
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ABSENT, ExportRow

#: What pages of one answer have in common, coarser before finer. A run may have several answers of an account and month.
_COMMON: tuple[tuple[str, ...], ...] = ((), ("total",), ("total", "product"), ("total", "product", "day"))


@dataclass(frozen=True, slots=True)
class Page:
    """One document of an answer, with the number of its `rows`. `product` and `day` are those of all its rows, or empty.

    `total` is the number of rows of the whole answer (None: not stated), and `more` whether another page follows.
    """

    place: Place
    answer: tuple[str, str]
    total: int | None
    more: bool
    rows: int
    product: str
    day: str


def page_of(document: Any, place: Place, rows: Sequence[ExportRow]) -> Page | None:
    """The page that a document is; None where it is a mere list of rows."""
    if not isinstance(document, dict):
        return None
    data = document["Data"] if isinstance(document.get("Data"), dict) else document
    total = str(data.get("TotalCount", ""))
    products, days = {row.product_code or row.product for row in rows}, {row.day for row in rows}
    return Page(
        place,
        (str(data.get("AccountID", "")), str(data.get("BillingCycle", ""))),
        int(total) if total.isdecimal() else None,
        str(data.get("NextToken") or "").strip() not in ABSENT,
        len(rows),
        products.pop() if len(products) == 1 else "",
        days.pop() if len(days) == 1 else "",
    )


def incomplete_answers(pages: Sequence[Page]) -> Iterator[Problem]:
    """A problem for each account and month whose pages are not complete answers, however they are put together."""
    for members in _parts(pages, ("answer",)).values():
        splits = [list(_parts(members, common).values()) for common in _COMMON]
        if any(all(_wrong(part) is None for part in split) for split in splits):
            continue
        # What all pages together lack is missing; else the first answer that is wrong by itself gives the reason.
        whole = _wrong(members)
        if whole and whole.kind is not kinds.INCOMPLETE_EXPORT:
            whole = next(filter(None, map(_wrong, splits[1])), whole)
        if whole:
            yield whole


def _parts(pages: Sequence[Page], traits: Sequence[str]) -> Mapping[tuple[object, ...], list[Page]]:
    found: dict[tuple[object, ...], list[Page]] = {}
    for page in pages:
        found.setdefault(tuple(getattr(page, trait) for trait in traits), []).append(page)
    return found


def _wrong(pages: Sequence[Page]) -> Problem | None:
    """Why pages are not one complete answer."""
    totals = [page.total for page in pages if page.total is not None]
    found, place = sum(page.rows for page in pages), pages[-1].place
    if not totals:
        if all(page.more for page in pages):
            message = "the answer continues (NextToken), and its last page is missing; fetch the other pages too"
            return Problem(place, kinds.INCOMPLETE_EXPORT, message)
        return None
    total = max(totals)
    if found < total:
        message = f"TotalCount is {total}, and the files have {found}; fetch the other pages too"
        return Problem(place, kinds.INCOMPLETE_EXPORT, message)
    if found > total:
        message = f"TotalCount is {total}, and the files have {found}; a page is given twice"
        return Problem(place, kinds.REPEATED_EXPORT, message)
    return None
