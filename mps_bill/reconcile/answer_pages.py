"""Whether the pages of the bill API's answers are complete. A page that is missing, or given twice, would show as differences."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mps_bill.core.diagnostics import Place, Problem
from mps_bill.profiles.json_records import Document, JsonRecord, read_documents, read_records
from mps_bill.profiles.profile import EACH
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ABSENT, ExportRow

#: What pages of one answer have in common, coarser before finer. A run may have several answers of an account and month.
_COMMON: tuple[tuple[str, ...], ...] = ((), ("total",), ("total", "product"), ("total", "product", "day"))


#: What an answer of the bill API stands in, from the outside: a line of a file that was fetched, the dump of a client, and the
#: answer's own `Data`. Upper and lower case make no difference.
_INTO_ANSWER = ("response", "body")
_INTO_ITEMS = ("data", "items", "item")


@dataclass(frozen=True, slots=True)
class Answer:
    """A document with an answer: its `value`, and the `path` to its items in `document` (None: there are no items)."""

    document: Document
    value: Any
    path: tuple[str, ...] | None

    @property
    def data(self) -> dict[str, Any]:
        """What the answer says of its items, by names in lower case."""
        if not isinstance(self.value, dict):
            return {}
        inner = self.value.get(_key(self.value, ("data",)) or "")
        return {key.casefold(): value for key, value in (inner if isinstance(inner, dict) else self.value).items()}

    @property
    def month(self) -> str:
        """The month of all items; empty where the answer names none."""
        month = self.data.get("billingcycle")
        return month if isinstance(month, str) else ""

    @property
    def is_empty(self) -> bool:
        return self.path is None and str(self.data.get("totalcount")) == "0"


def answers_in(document: Document) -> Iterator[Answer]:
    """The answers of a document: of each of its members where it is a list of answers, else its own."""
    members = document.value if isinstance(document.value, list) else []
    if any(isinstance(member, dict) and _key(member, (*_INTO_ANSWER, "data")) for member in members):
        for record in read_records(document, (EACH,)):
            if isinstance(record, JsonRecord):
                text = record.raw.decode("utf-8", "backslashreplace")
                yield _answer_in(Document(text, *record.position(), record.scopes[0].value))
    else:
        yield _answer_in(document)


def _answer_in(document: Document) -> Answer:
    """The answer that a document is, or holds under `response` or `body`, as an object or as its text."""
    value, path = document.value, []
    while isinstance(value, dict) and (key := _key(value, _INTO_ANSWER)):
        path.append(key)
        value = value[key]
    if isinstance(value, str) and path:
        inner = next(read_documents(io.StringIO(value)), None)
        if inner:
            return _answer_in(replace(inner, line=document.line, column=document.column))
    answer = value
    while isinstance(value, dict) and (key := _key(value, _INTO_ITEMS)):
        path.append(key)
        value = value[key]
    return Answer(document, answer, (*path, EACH) if isinstance(value, list) else None)


def error_of(answer: Any) -> str:
    """What the provider says where an answer is a refusal, also one that was sent as a success; else empty."""
    if not isinstance(answer, dict):
        return ""
    code, message, success = (
        str(answer.get(_key(answer, (name,)) or "", "")) for name in ("code", "message", "success")
    )
    refused = success.casefold() == "false" or (message and not _key(answer, _INTO_ITEMS))
    return f"the provider answered with an error, {code}: {message}; fetch it again" if refused else ""


def _key(value: dict[str, Any], names: Sequence[str]) -> str | None:
    """The key of an object that is one of `names`, the first of them that it has."""
    keys = {key.casefold(): key for key in reversed(value)}
    return next((keys[name] for name in names if name in keys), None)


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


def page_of(answer: Answer, place: Place, rows: Sequence[ExportRow]) -> Page | None:
    """The page that an answer is; None where it is a mere list of rows."""
    data = answer.data
    if not data:
        return None
    total = str(data.get("totalcount", ""))
    products, days = {row.product_code or row.product for row in rows}, {row.day for row in rows}
    return Page(
        place,
        (str(data.get("accountid", "")), str(data.get("billingcycle", ""))),
        int(total) if total.isdecimal() else None,
        str(data.get("nexttoken") or "").strip() not in ABSENT,
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
