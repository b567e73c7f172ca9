"""The pages of a query, one after the other, each checked against the pages before it; and the control totals of a fetch."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from mps_bill.core.diagnostics import counted, quoted
from mps_bill.fetch.listings import Listing, Path, Query


class FetchFailed(Exception):
    """Something cannot be fetched; the message is for a person. If `resumable`, earlier answers are right and can be kept."""

    def __init__(self, message: str, *, resumable: bool = False) -> None:
        super().__init__(message)
        self.resumable = resumable


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an action: `page` counts from 1 within the query, `parameters` are all parameters that are sent."""

    query: Query
    page: int
    parameters: Mapping[str, str]

    @property
    def listing(self) -> Listing:
        return self.query.listing

    def __str__(self) -> str:
        return f"page {self.page} of {self.listing.action}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its text as it was received, and its decoded value, with every number as the text that was sent."""

    text: str
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that differs from all pages before it. `total` is the number of all rows, if the answer states it."""

    request: Request
    answer: Answer
    rows: list[Any]
    total: int | None


Ask = Callable[[Request], Answer]


def decoded(text: str) -> dict[str, Any]:
    """The JSON object in a text.

    Raises:
        ValueError: the text is not a JSON object.
    """
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except RecursionError:
        raise ValueError from None
    if not isinstance(value, dict):
        raise ValueError
    return value


def pages(query: Query, ask: Ask) -> Iterator[Page]:
    """Every page of a query in turn, up to the one that the answers say is the last.

    Raises:
        FetchFailed: a page is repeated or does not answer its request, or the number of rows is not the stated one.
    """
    paging, seen = query.listing.paging, _Seen(query.listing)
    number, token, came = 1, "", 0
    total: int | None = None
    while True:
        request = Request(
            query, number, {**query.listing.parameters, **query.parameters, **_turn(query, number, token)}
        )
        answer = ask(request)
        page = Page(request, answer, _rows(request, answer), _total(query.listing, answer))
        _check_echoes(page)
        if number > 1 and page.total != total:
            raise FetchFailed(_changed(query, f"{request} states {page.total} and the previous page {total}"))
        total = page.total
        seen.add(page)
        yield page
        came += len(page.rows)
        if paging.token:
            token = _text(answer.value, paging.next_token)
            if token:
                seen.add_token(token, request)
            more = bool(token)
        elif paging.number and paging.size:
            full = len(page.rows) >= paging.size[1]
            more = full if page.total is None else bool(page.rows) and came < page.total
        else:
            more = False
        if not more:
            break
        number += 1
    if total is not None and total != came:
        raise FetchFailed(
            _changed(query, f"{counted(came, query.listing.counted)} received, but TotalCount is {total}")
        )


def _changed(query: Query, what: str) -> str:
    of = "".join(f" {name} {value}" for name, value in query.parameters.items())
    return (
        f"{query.listing.action}{of}: {what}; the list may have changed while it was fetched, so fetch it from the start,"
        " without --resume"
    )


def _turn(query: Query, number: int, token: str) -> dict[str, str]:
    """The parameters that request one page."""
    paging = query.listing.paging
    turn = {paging.size[0]: str(paging.size[1])} if paging.size else {}
    if paging.number:
        turn[paging.number] = str(number)
    if token:
        turn[paging.token] = token
    return turn


class _Seen:
    """The pages of a query so far."""

    def __init__(self, listing: Listing) -> None:
        self._id = listing.id
        self._ids: set[str] = set()
        self._pages: set[bytes] = set()
        self._tokens: set[str] = set()

    def add(self, page: Page) -> None:
        if not page.rows:
            return
        digest = sha256(json.dumps(page.rows).encode()).digest()
        ids = {str(row.get(self._id)) for row in page.rows} if self._id else set()
        if digest in self._pages or (ids and ids <= self._ids):
            raise FetchFailed(f"{page.request} repeats earlier rows and is not written", resumable=True)
        self._pages.add(digest)
        self._ids |= ids

    def add_token(self, token: str, request: Request) -> None:
        if token in self._tokens:
            raise FetchFailed(
                f"{request} names a page that was already fetched as the next one"
                f" ({request.listing.paging.token} {quoted(token)}); the pages would never end"
            )
        self._tokens.add(token)


def _rows(request: Request, answer: Answer) -> list[Any]:
    """The rows of a page. An object in place of a list is a list of one."""
    value: Any = answer.value
    for number, step in enumerate(request.listing.rows):
        below = value.get(step) if isinstance(value, dict) else None
        if below is None:
            # An empty list may be missing from the answer, if the object around it is empty or the stated total is 0.
            if (number and value == {}) or _total(request.listing, answer) == 0:
                return []
            raise FetchFailed(f"the answer to {request} has no {'.'.join(request.listing.rows)}")
        value = below
    rows = value if isinstance(value, list) else [value]
    if not all(isinstance(row, dict) and (not request.listing.id or row.get(request.listing.id)) for row in rows):
        wanted = f" with {request.listing.id}" if request.listing.id else ""
        raise FetchFailed(
            f"in the answer to {request}, {'.'.join(request.listing.rows)} contains something that is not an object{wanted}"
        )
    return rows


def _total(listing: Listing, answer: Answer) -> int | None:
    texts = (_text(answer.value, path) for path in listing.paging.totals)
    return next((int(text) for text in texts if text.isdecimal()), None)


def _check_echoes(page: Page) -> None:
    request, listing = page.request, page.request.listing
    echoes = [(parameter, page.answer.value, path) for parameter, path in listing.echoes.items()]
    echoes += [(parameter, row, (parameter,)) for parameter in listing.row_echoes for row in page.rows]
    for parameter, value, path in echoes:
        asked, answered = request.parameters[parameter], _text(value, path)
        if answered and answered != asked:
            raise FetchFailed(
                f"the answer to {request} is for {parameter} {quoted(answered)}, but {quoted(asked)} was requested;"
                " it was discarded"
            )


def _text(value: Any, path: Path) -> str:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value.strip() if isinstance(value, str) else ""


@dataclass(slots=True)
class ActionTotals:
    """The pages and rows of one action. `repeated` counts rows with a known id; `stated` is the sum of the stated totals."""

    counted: str
    pages: int = 0
    rows: int = 0
    repeated: int = 0
    stated: int | None = None
    _ids: set[str] = field(default_factory=set)

    def add(self, page: Page) -> None:
        self.pages += 1
        self.rows += len(page.rows)
        if page.request.page == 1 and page.total is not None:
            self.stated = (self.stated or 0) + page.total
        key = page.request.listing.id or page.request.listing.record
        for id_ in (str(row[key]) for row in page.rows if row.get(key)):
            self.repeated += id_ in self._ids
            self._ids.add(id_)

    def __str__(self) -> str:
        stated = "states no total" if self.stated is None else f"states {self.stated}"
        repeated = f", {self.repeated} of them repeated" if self.repeated else ""
        return f"{counted(self.pages, 'page')}, {counted(self.rows, self.counted)}{repeated}; the provider {stated}"


def fetch(queries: Sequence[Query], ask: Ask, keep: Callable[[Page], None]) -> dict[str, ActionTotals]:
    """Give every page of the queries, and of the follow-ups to their rows, to `keep`. Return the control totals by action.

    Raises:
        FetchFailed: as `pages` does, and as `ask` and `keep` do.
    """
    totals: dict[str, ActionTotals] = {}
    waiting = deque(queries)
    while waiting:
        query = waiting.popleft()
        listing = query.listing
        found = totals.setdefault(listing.action, ActionTotals(listing.counted))
        ids: dict[str, None] = {}
        for page in pages(query, ask):
            keep(page)
            found.add(page)
            if listing.then:
                ids |= dict.fromkeys(str(row[listing.id]) for row in page.rows)
        waiting.extend(query.follow_ups(ids))
    return totals
