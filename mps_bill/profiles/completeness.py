"""Checking that the files are complete: the pages of a listing, missing records that an answer names, and sums of whole days."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from mps_bill.core.diagnostics import Place, Problem, counted, quoted
from mps_bill.core.times import DAY, HOUR, clock, parse_instant
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.foreign_files import action_of, knows, request_of
from mps_bill.profiles.json_records import Answer, JsonRecord, Obstacle, key_of, value_at
from mps_bill.profiles.profile_model import EACH, FieldPath, Profile, Refusal
from mps_bill.profiles.usage_fields import Record

#: The offsets of clocks on which a day may start: the provider's billing clock, and UTC, which its metering uses.
_DAYS_START = (8 * HOUR, 0)
_FETCH = "fetch the other pages too"
#: The values by which a request asks for sums of hours.
_HOURLY = (str(HOUR), "hour")


@dataclass(slots=True, eq=False)
class _Page:
    """An answer with records, at the place of its `token` for the next page (empty: it is the last page), and the regions of its
    records. `asked` is the token in the request stored with it (empty: the first page; None: there is no request).

    `total` is the number of records on all pages together, as the page states it, and `number` the number of the page; `records`
    counts its records. `query` is what the requests of all pages of a listing have in common (None: there is no request).
    """

    at: Place
    token: str
    asked: str | None
    query: str | None
    total: int | None
    number: int | None
    regions: set[str] = field(default_factory=set)
    records: int = 0

    def may_continue(self, other: _Page) -> bool:
        """Whether both can be pages of one listing. A listing is for one region, and a page without records fits any region."""
        return not self.regions or not other.regions or bool(self.regions & other.regions)


@dataclass(slots=True, eq=False)
class _Stated:
    """The number of records that an answer states, and the number that it has."""

    at: Place
    count: int
    records: int = 0


class Completeness:
    """Follows the answers and rows of all files of a run; `problems` then reports what is missing."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        #: The texts that a refusal found in a file, with the place of the first; and the texts in records that cancel refusals.
        self._refused: dict[tuple[Refusal, str], tuple[Place, list[str]]] = {}
        self._lifted: dict[FieldPath, set[str]] = {one.answered_by: set() for one in profile.refuse if one.answered_by}
        self._unnamed: list[Problem] = []
        self._pages: list[_Page] = []
        self._page: _Page | None = None
        self._stated: list[_Stated] = []
        self._of_answer: _Stated | None = None
        #: The field for records that the last answer lacks, although it is all that the provider has; else empty.
        self.lacks = ""
        #: The rows of the last answer, if the profile makes their ids from their other values.
        self._rows: set[tuple[str, ...]] = set()
        self._makes_ids = any(column.name == "job_id" and column.template for column in profile.columns)
        index = {name: number for number, name in enumerate(profile.column_names)}
        self._region, self._time = index["region"], index["completed_at"]
        #: The offsets at which every row so far is at midnight, and the times of the rows in seconds.
        self._midnights: tuple[int, ...] = _DAYS_START if profile.sums_of == "hour" else ()
        self._seconds: set[int] = set()
        self._first: Place | None = None

    def answer(self, name: str, answer: Answer) -> bool:
        """Follow an answer. Return whether it is known to have no records, because it lists what other answers have."""
        self._page = self._of_answer = None
        self._rows.clear()
        self.lacks = ""
        if answer.is_record or not isinstance(answer.span.value, dict):
            return False
        whole = answer.whole
        self._check_one_list(name, whole, answer.span.value)
        interval = next(_texts(value_at(request_of(answer.document), ("Parameters", "Interval"))), "")
        if self._profile.sums_of and interval and interval not in _HOURLY:
            message = (
                f"the request has Interval {quoted(interval)}: its sums cannot be billed by the hour; query hourly sums"
            )
            self._unnamed.append(Problem(Place(name, *whole.position()), kinds.DAILY_SUMS, message))
        lists = False
        for refusal in self._profile.refuse:
            applies = (refusal.where is None or bool(whole.value(refusal.where))) and not (
                refusal.without and whole.value(refusal.without)
            )
            asked = bool(refusal.asked) and refusal.asked == action_of(answer.document)
            if asked or (refusal.without and _number(whole, self._profile.count) == 0):
                # The missing records were requested already, or the provider states that there are none.
                if applies and refusal.without:
                    lists, self.lacks = True, refusal.without.name
            elif applies and (named := list(_texts(whole.value(refusal.field)))):
                lists = True
                place = Place(name, *whole.position(refusal.field))
                self._refused.setdefault((refusal, name), (place, []))[1].extend(named)
        field_, listing = self._profile.next_page, self._profile.listing
        is_page = listing is None or whole.value(listing) is not None
        if field_ and is_page:
            token_at = _wherever(whole, field_)
            token = next(_texts(whole.value(token_at)), "")
            place = Place(name, *whole.position(token_at))
            total, number = (_number(whole, path) for path in (self._profile.total, self._profile.page_number))
            self._page = _Page(place, token, *_asked(answer, field_, self._profile.page_number), total, number)
            self._pages.append(self._page)
        if not lists and self._profile.count and (count := _number(whole, self._profile.count)) is not None:
            self._of_answer = _Stated(Place(name, *whole.position(self._profile.count)), count)
            self._stated.append(self._of_answer)
        is_other = listing is not None and listing.steps[0] not in (self._profile.records or ())
        if listing and is_other and is_page:
            self._check_listing(name, whole, listing)
        return lists or (is_other and is_page)

    def _check_one_list(self, name: str, whole: JsonRecord, members: dict[str, Any]) -> None:
        """Report records under a second key in addition to the profile's list: they would be silently ignored."""
        step = (self._profile.records or ("",))[0].removesuffix(EACH)
        own = key_of(members, step)
        if own is None:
            return
        for key, value in members.items():
            found = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
            is_record = any(knows(self._profile, one) for one in found)
            is_list = any(key_of(one, step) is not None for one in found)
            if key != own and (is_record or is_list):
                message = f"records found under both {quoted(key)} and {quoted(own)}; put them in one list"
                self._unnamed.append(Problem(Place(name, *whole.position()), kinds.INCOMPLETE_ANSWER, message))

    def _check_listing(self, name: str, whole: JsonRecord, listing: FieldPath) -> None:
        """Report members of a listing that do not name a record to request: they would be silently ignored."""
        found = whole.value(listing)
        members = found if isinstance(found, list) else [found]
        if self._page:
            self._page.records = len(members)
        paths = [one.field for one in self._profile.refuse if one.field.steps[0].removesuffix(EACH) == listing.steps[0]]
        named = max((len(list(_texts(whole.value(path)))) for path in paths), default=0)
        if len(members) > named:
            names = " or ".join(path.name for path in paths)
            without = f"{len(members) - named} of {len(members)} entries of {listing.name}"
            message = f"{without} have no {names} and cannot be identified"
            self._unnamed.append(Problem(Place(name, *whole.position(listing)), kinds.INCOMPLETE_ANSWER, message))

    def no_records(self) -> None:
        """Take back the last answer as a page: it has no records after all, but an error message."""
        if self._page:
            self._pages.remove(self._page)
            self._page = None

    @property
    def is_on_trust(self) -> bool:
        """Whether the last answer names a next page, but has no request that says which page it is itself."""
        return self._page is not None and self._page.token != "" and self._page.asked is None

    def record(self) -> None:
        """Count a record of the last answer, whether it is usage or not."""
        for one in (self._page, self._of_answer):
            if one:
                one.records += 1

    def row(self, name: str, record: Record, fields: Sequence[str]) -> None:
        """Follow a usage row of the last answer."""
        if self._makes_ids and isinstance(record, JsonRecord):
            if (row := tuple(fields)) in self._rows:
                message = "duplicate row in this answer; if these are two sums, one would be lost"
                self._unnamed.append(Problem(Place(name, *record.position()), kinds.INCOMPLETE_ANSWER, message))
            self._rows.add(row)
        if self._page and fields[self._region]:
            self._page.regions.add(fields[self._region])
        if self._midnights:
            try:
                # A time without an offset is at midnight on its own clock.
                second = parse_instant(fields[self._time], 0) // 1_000_000
            except ValueError:
                # The reader of the rows rejects it.
                return
            self._first = self._first or Place(name, *record.position())
            self._midnights = tuple(offset for offset in self._midnights if (second + offset) % DAY == 0)
            self._seconds.add(second)

    @property
    def asks(self) -> bool:
        """Whether something is missing that other records of the run may have; then `answers` must be called with each record."""
        return any(refusal.answered_by for refusal, _ in self._refused)

    def answers(self, record: Record) -> None:
        """Follow a record of the run, whether it is usage or not."""
        for path, found in self._lifted.items():
            found.update(_texts(record.value(path)))

    def problems(self) -> Iterator[Problem]:
        """Everything that is missing."""
        for (refusal, _), (place, named) in self._refused.items():
            lifted = self._lifted.get(refusal.answered_by, set()) if refusal.answered_by else set()
            if left := [quoted(text) for text in dict.fromkeys(named) if text not in lifted]:
                message = f"{refusal.field.name} names {_listed(left)}: {refusal.because}"
                yield Problem(place, kinds.INCOMPLETE_ANSWER, message)
        yield from self._unnamed
        for place, message in chain(self._missing_pages(), self._wrong_totals()):
            yield Problem(place, kinds.INCOMPLETE_ANSWER, message)
        if self._midnights and len(self._seconds) > 1 and self._first:
            first, last = (clock(second, 0) for second in (min(self._seconds), max(self._seconds)))
            message = (
                f"every record is at midnight, from {first} to {last} UTC: these are daily sums,"
                " which cannot be billed by the hour; query hourly sums"
            )
            yield Problem(self._first, kinds.DAILY_SUMS, message)

    def _missing_pages(self) -> Iterator[tuple[Place, str]]:
        """If requests are stored with the answers, every page that an answer names or a request asks for must be present.
        Otherwise a page that names a next page needs a last page: later in the same file, or, if no file of its region has the
        pages up to the last one, in any file."""
        name = self._profile.next_page.name if self._profile.next_page else ""
        # Listings for different regions or periods may have equal tokens.
        with_request = [page for page in self._pages if page.asked is not None]
        asked = {(page.query, page.asked) for page in with_request}
        tokens = {(page.query, page.token) for page in with_request}
        for page in with_request:
            if page.token and (page.query, page.token) not in asked:
                yield page.at, f"{name} {quoted(page.token)} announces another page, which is missing; {_FETCH}"
            if page.asked and (page.query, page.asked) not in tokens:
                yield (
                    page.at,
                    f"this page was requested by {name} {quoted(page.asked)}, and the page before it is missing",
                )
        on_trust = [page for page in self._pages if page.token and page.asked is None]
        last: dict[str, list[_Page]] = {}
        ended = set()
        for page in reversed(self._pages):
            behind = last.setdefault(page.at.file, [])
            if not page.token:
                behind.append(page)
            elif page.asked is None and any(map(page.may_continue, behind)):
                ended.add(page)
        missing: dict[tuple[str, ...], _Page] = {}
        for page in on_trust:
            by_file = any(map(page.may_continue, ended))
            if page not in ended and (by_file or not any(map(page.may_continue, chain(*last.values())))):
                missing[(page.at.file if by_file else "", *sorted(page.regions))] = page
        for (file, *_), page in missing.items():
            where, how = (" after it in its file", ", one file for each query") if file else ("", "")
            announced = f"{name} {quoted(page.token)} announces another page"
            yield page.at, f"{announced}, and the last page is missing{where}; {_FETCH}{how}"

    def _wrong_totals(self) -> Iterator[tuple[Place, str]]:
        """Answers whose number of records is not the one they state, and pages whose numbers show that others are missing."""
        for one in self._stated:
            if one.records != one.count and self._profile.count:
                has = counted(one.records, "record")
                yield one.at, f"{self._profile.count.name} is {one.count}, and the answer has {has}"
        by_total: dict[tuple[str | None, int | None], list[_Page]] = {}
        for page in self._pages:
            by_total.setdefault((page.query, page.total), []).append(page)
        for (_, total), pages in by_total.items():
            if total is not None and self._profile.total and (wrong := _wrong_sum(total, pages)):
                yield pages[-1].at, f"{self._profile.total.name} is {total}, and the files have {wrong}"
                continue
            numbers = {page.number for page in pages if page.number is not None}
            missing = [str(number) for number in range(1, max(numbers, default=0)) if number not in numbers]
            if missing and self._profile.page_number:
                yield pages[-1].at, f"{self._profile.page_number.name} {_listed(missing)} is missing; {_FETCH}"


def _asked(answer: Answer, token: FieldPath, number: FieldPath | None) -> tuple[str | None, str | None]:
    """The page token in the request stored with an answer, and what the requests of all pages of one listing have in common:
    their address, and their parameters except those for the page. None if there is no request."""
    request = request_of(answer.document)
    parameters = value_at(request, ("Parameters",))
    if not isinstance(parameters, dict):
        return None, None
    of_a_page = {key_of(parameters, path.steps[0]) for path in (token, number) if path}
    common = {key: value for key, value in parameters.items() if key not in of_a_page}
    where = [value_at(request, (name,)) for name in ("Action", "Region", "RegionId", "Endpoint")]
    return next(_texts(value_at(parameters, token.steps)), ""), json.dumps([where, common], sort_keys=True)


def _wrong_sum(total: int, pages: Sequence[_Page]) -> str:
    """The number of records of pages that state the same total; empty if each query among them has that total once."""
    found = sum(page.records for page in pages)
    numbers = [page.number for page in pages if page.number is not None]
    last = sum(not page.token for page in pages)
    if numbers or last < len(pages):
        wanted = total * max(numbers.count(1) if numbers else last, 1)
    else:
        # The number of queries that such pages belong to is not known.
        wanted = max(total, found - found % total) if total else 0
    if found == wanted and all(page.records <= total for page in pages):
        return ""
    return f"{found}; {_FETCH if found < wanted else 'a page is given twice'}"


def _wherever(whole: JsonRecord, path: FieldPath) -> FieldPath:
    """The path to a field of an answer, or, if the answer does not have it, of the wrapper that does."""
    outward = (replace(path, outward=number) for number in range(len(whole.scopes)))
    return next((one for one in outward if whole.value(one) is not None), path)


def _number(whole: JsonRecord, path: FieldPath | None) -> int | None:
    value = whole.value(_wherever(whole, path)) if path else None
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value that is more than spaces."""
    if isinstance(value, Obstacle):
        value = value.value
    if isinstance(value, str) and value.strip():
        yield value.strip()
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in members:
        yield from _texts(member)


def _listed(words: Sequence[str], maximum: int = 12) -> str:
    return ", ".join(words[:maximum]) + (f", ... ({len(words)} in all)" if len(words) > maximum else "")
