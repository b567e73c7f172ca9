"""Whether what was read is complete: the pages of a listing, what an answer says is missing, and sums of whole days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mps_bill.core.diagnostics import Place, Problem, quoted
from mps_bill.core.times import DAY, HOUR, clock, parse_instant
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.json_records import Answer, JsonRecord, Obstacle, is_there, key_of, value_at
from mps_bill.profiles.profile import EACH, FieldPath, Profile, Refusal
from mps_bill.profiles.usage_fields import Record

#: A day starts on the provider's billing clock, or in UTC, in which its metering answers.
_DAYS_START = (8 * HOUR, 0)


@dataclass(slots=True, eq=False)
class _Page:
    """An answer of records: its place, the token of the next page (empty: it is the last one) and where it stands, and the
    regions of its records. `asked` is the token that the request beside it has (empty: the first page); None: no request."""

    at: Place
    next_at: Place | None
    token: str
    asked: str | None
    regions: set[str] = field(default_factory=set)

    def may_continue(self, other: _Page) -> bool:
        """Whether both can be pages of one listing. A listing is of one region, and an empty page of any."""
        return not self.regions or not other.regions or bool(self.regions & other.regions)


class Completeness:
    """Follows the answers and rows of all files of a run. `problems` then has what is missing."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        #: The texts that a refusal found in a file, and the place of the first; and those of the answers that lift it.
        self._refused: dict[tuple[Refusal, str], tuple[Place, list[str]]] = {}
        self._lifted: dict[FieldPath, set[str]] = {one.answered_by: set() for one in profile.refuse if one.answered_by}
        self._unnamed: list[Problem] = []
        self._pages: list[_Page] = []
        self._page: _Page | None = None
        index = {name: number for number, name in enumerate(profile.column_names)}
        self._region, self._time = index["region"], index["completed_at"]
        #: The offsets on whose clock every row so far is at midnight, and the seconds of the rows.
        self._midnights: tuple[int, ...] = _DAYS_START if profile.sums_of == "hour" else ()
        self._seconds: set[int] = set()
        self._first: Place | None = None

    def answer(self, name: str, answer: Answer) -> bool:
        """An answer, and whether it is known to have no records, because it lists what others have."""
        self._page = None
        if answer.is_record or not isinstance(answer.span.value, dict):
            return False
        whole = answer.whole
        self._check_one_list(name, whole, answer.span.value)
        lists = False
        for refusal in self._profile.refuse:
            if refusal.applies(whole) and (named := list(_texts(whole.value(refusal.field)))):
                lists = True
                place = Place(name, *whole.position(refusal.field))
                self._refused.setdefault((refusal, name), (place, []))[1].extend(named)
        field_, listing = self._profile.next_page, self._profile.listing
        is_page = listing is None or whole.value(listing) is not None
        if field_ and is_page:
            token = next(_texts(whole.value(field_)), "")
            place = Place(name, *whole.position(field_))
            self._page = _Page(place, place if token else None, token, _asked(answer, field_))
            self._pages.append(self._page)
        is_other = listing is not None and listing.steps[0] not in (self._profile.records or ())
        if listing and is_other and is_page:
            self._check_listing(name, whole, listing)
        return lists or (is_other and is_page)

    def _check_one_list(self, name: str, whole: JsonRecord, members: dict[str, Any]) -> None:
        """Records under a second key beside the list of the profile would be passed over in silence."""
        step = (self._profile.records or ("",))[0].removesuffix(EACH)
        own = key_of(members, step)
        if own is None:
            return
        for key, value in members.items():
            found = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
            known = self._profile.known_by
            is_record = any(known and all(is_there(value_at(one, path.steps)) for path in known) for one in found)
            is_list = any(key_of(one, step) is not None for one in found)
            if key != own and (is_record or is_list):
                message = f"records stand under {quoted(key)} as well as under {quoted(own)}; give them in one list"
                self._unnamed.append(Problem(Place(name, *whole.position()), kinds.INCOMPLETE_ANSWER, message))

    def _check_listing(self, name: str, whole: JsonRecord, listing: FieldPath) -> None:
        """Every member of a listing must be one that records can be asked for, or it would be passed over in silence."""
        found = whole.value(listing)
        members = found if isinstance(found, list) else [found]
        paths = [one.field for one in self._profile.refuse if one.field.steps[0].removesuffix(EACH) == listing.steps[0]]
        named = max((len(list(_texts(whole.value(path)))) for path in paths), default=0)
        if len(members) > named:
            names = " or ".join(path.name for path in paths)
            message = (
                f"{len(members) - named} of {len(members)} members of {listing.name} have no {names}: they are unknown"
            )
            self._unnamed.append(Problem(Place(name, *whole.position(listing)), kinds.INCOMPLETE_ANSWER, message))

    def no_records(self) -> None:
        """The last answer has no records after all: it is an error message and not a page."""
        if self._page:
            self._pages.remove(self._page)
            self._page = None

    def row(self, name: str, record: Record, fields: Sequence[str]) -> None:
        """A row of usage, of the last answer."""
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
        """Whether something is missing that records of the run may have: `answers` then takes each of them."""
        return any(refusal.answered_by for refusal, _ in self._refused)

    def answers(self, record: Record) -> None:
        """A record of the run, of usage or not."""
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
        yield from self._missing_pages()
        if self._midnights and len(self._seconds) > 1 and self._first:
            first, last = (clock(second, 0) for second in (min(self._seconds), max(self._seconds)))
            message = (
                f"every record is at midnight, from {first} to {last} UTC: these are sums of days,"
                " and cannot be billed by the hour; query sums of hours"
            )
            yield Problem(self._first, kinds.DAILY_SUMS, message)

    def _missing_pages(self) -> Iterator[Problem]:
        """A page that names a next one needs a last one; files may be in any order. Where the requests stand beside the answers,
        every page that one of them names or was asked for must be there."""
        name = self._profile.next_page.name if self._profile.next_page else ""
        asked, announced = {page.asked for page in self._pages}, {page.token for page in self._pages}
        with_request = [page for page in self._pages if page.asked is not None]
        for page in with_request:
            if page.token and page.token not in asked:
                message = (
                    f"{name} {quoted(page.token)} announces another page, which is missing; fetch the other pages too"
                )
                yield Problem(page.next_at or page.at, kinds.INCOMPLETE_ANSWER, message)
            if page.asked and page.asked not in announced:
                message = f"this page was asked for by {name} {quoted(page.asked)}, and the page before it is missing"
                yield Problem(page.at, kinds.INCOMPLETE_ANSWER, message)
        if len(with_request) == len(self._pages):
            return
        last = [page for page in self._pages if page.next_at is None]
        endless = [page for page in self._pages if not any(map(page.may_continue, last))]
        for page in {tuple(sorted(page.regions)): page for page in endless}.values():
            if page.next_at:
                message = (
                    f"{name} {quoted(page.token)} announces another page, and the last page is missing;"
                    " fetch the other pages too"
                )
                yield Problem(page.next_at, kinds.INCOMPLETE_ANSWER, message)


def _asked(answer: Answer, token: FieldPath) -> str | None:
    """The page token in the parameters of the request beside an answer; None where there are none."""
    document = answer.document.value
    parameters = value_at(document, ("Request", "Parameters")) if isinstance(document, dict) else None
    return next(_texts(value_at(parameters, token.steps)), "") if isinstance(parameters, dict) else None


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
