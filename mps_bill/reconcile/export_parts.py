"""Checks that an export is complete and given only once: a missing or repeated page of an answer would look like differences, and
two forms of one product and period are the same bills, counted twice."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from mps_bill.core.diagnostics import Place, Problem, printable, quoted
from mps_bill.core.times import clock
from mps_bill.profiles.foreign_files import is_passing
from mps_bill.profiles.json_documents import Document
from mps_bill.profiles.json_records import Answer, key_of, read_answers
from mps_bill.profiles.profile_model import EACH
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import ABSENT, EXPORT_OFFSET, ExportRow
from mps_bill.reconcile.export_columns import find_columns

#: What the pages of one answer have in common, from coarse to fine. A run may have several answers of an account and month.
_COMMON: tuple[tuple[str, ...], ...] = ((), ("total",), ("total", "product"), ("total", "product", "day"))


#: The keys from an answer to its items.
_INTO_ITEMS = ("Data", "Items", "Item")


def answers_in(document: Document, own: Mapping[str, str]) -> Iterator[Answer]:
    """The answers of the bill API in a document, and items outside any answer. `own` are the headings of a mapping.

    Raises:
        JsonError: a text in a wrapper is not valid JSON.
    """

    def is_item(value: Any) -> bool:
        found, _, _ = find_columns(list(value), (), own)
        return "payable" in found or "list_amount" in found

    return read_answers(document, _INTO_ITEMS[1:2], lambda value: path_to_items(value) is not None, is_item)


def path_to_items(answer: Any) -> tuple[str, ...] | None:
    """The path to the items of an answer; None if it has none."""
    path: list[str] = []
    # An item itself has a text under "Item".
    while isinstance(answer, dict) and (
        key := next(
            (key for name in _INTO_ITEMS if isinstance(answer.get(key := key_of(answer, name)), dict | list)), None
        )
    ):
        path.append(key)
        answer = answer[key]
    # A single object instead of a list is a list of one.
    is_one = isinstance(answer, dict) and answer and path and path[-1].casefold() in ("items", "item")
    return (*path, EACH) if isinstance(answer, list) or is_one else None


def stated_by(answer: Answer) -> dict[str, Any]:
    """The values that an answer gives besides its items, by lower-case names."""
    value = answer.span.value
    if answer.is_record or not isinstance(value, dict):
        return {}
    inner = value.get(key_of(value, "Data") or "")
    return {key.casefold(): member for key, member in (inner if isinstance(inner, dict) else value).items()}


def error_of(answer: Answer) -> str:
    """The provider's message if the answer is an error, even one that was sent as a success; otherwise empty."""
    for value in (scope.value for scope in answer.whole.scopes):
        if answer.is_record or not isinstance(value, dict):
            continue
        code, message, success = (
            str(value.get(key_of(value, name) or "", "")) for name in ("Code", "Message", "Success")
        )
        if success.casefold() == "false" or (message and not any(key_of(value, name) for name in _INTO_ITEMS)):
            again = "; fetch it again" if is_passing(code) else ""
            return f"the provider answered with an error, {printable(code)}: {printable(message)}{again}"
    return ""


@dataclass(frozen=True, slots=True)
class Page:
    """One document of an answer, with the number of its `rows`. `product` and `day` are shared by all its rows, or empty.

    `total` is the number of rows of the whole answer (None: not stated); `more` says whether another page follows.
    """

    place: Place
    answer: tuple[str, str]
    total: int | None
    more: bool
    rows: int
    product: str
    day: str


def page_of(answer: Answer, place: Place, rows: Sequence[ExportRow]) -> Page | None:
    """The answer as a page; None if it is only a list of rows."""
    data = stated_by(answer)
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
    """Yield a problem for each account and month whose pages, however they are combined, are not complete answers."""
    for members in _parts(pages, ("answer",)).values():
        splits = [list(_parts(members, common).values()) for common in _COMMON]
        if any(all(_wrong(part) is None for part in split) for split in splits):
            continue
        # If all pages together lack rows, that is the reason; otherwise it is that of the first wrong answer.
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
    """The reason why pages are not one complete answer, if any."""
    totals = [page.total for page in pages if page.total is not None]
    found, place = sum(page.rows for page in pages), pages[-1].place
    if not totals:
        if all(page.more for page in pages):
            message = "the answer continues (NextToken), and its last page is missing; fetch the other pages too"
            return Problem(place, kinds.INCOMPLETE_EXPORT, message)
        return None
    total = max(totals)
    if found == total:
        return None
    kind, cause = kinds.INCOMPLETE_EXPORT, "fetch the other pages too"
    if found > total:
        kind, cause = kinds.REPEATED_EXPORT, "a page is given twice"
    return Problem(place, kind, f"TotalCount is {total}, and the files have {found}; {cause}")


#: The columns of a period, from fine to coarse. A row without any has the month of its answer.
_GRAINS = ("start", "day", "month")


@dataclass(slots=True)
class _Given:
    """The bills of a product in one form: the first file that has them, and their periods by each grain."""

    file: str
    product: str
    code: str
    grain: int
    periods: tuple[set[str], ...] = field(default_factory=lambda: (set(), set(), set()))

    def is_of(self, other: _Given) -> bool:
        return bool(self.product and self.product == other.product) or bool(self.code and self.code == other.code)


class Forms:
    """The forms in which a run gives bills."""

    def __init__(self) -> None:
        self._given: dict[tuple[Hashable, ...], _Given] = {}

    def add(self, form: Hashable, columns: Collection[str], rows: Iterable[ExportRow]) -> None:
        """Add rows of one form, which together have `columns`. `form` distinguishes it from other forms with these columns."""
        grain = next((number for number, column in enumerate(_GRAINS) if column in columns), len(_GRAINS) - 1)
        for row in rows:
            product = (row.product, row.product_code)
            given = self._given.setdefault((form, grain, *product), _Given(row.place.file, *product, grain))
            for periods, period in zip(given.periods, _periods(row), strict=True):
                if period:
                    periods.add(period)

    def repeated(self, reported: Collection[str] = ()) -> Iterator[Problem]:
        """Yield a problem for each product that has bills of one period in two forms, except the products `reported`."""
        given = [(key[:2], one) for key, one in self._given.items()]
        for (form, first), (other, second) in combinations(given, 2):
            if form == other or not first.is_of(second) or {first.product, first.code} & set(reported):
                continue
            grain = max(first.grain, second.grain)
            if both := first.periods[grain] & second.periods[grain]:
                name, of = quoted(second.product or second.code), min(both)
                of += f" and {len(both) - 1} more" if len(both) > 1 else ""
                where = f"so has {first.file}" if first.file != second.file else "so have other rows of this file"
                message = f"it has the bills of {name} of {of}, and {where} in another form; give one of them"
                yield Problem(Place(second.file), kinds.REPEATED_EXPORT, message)


def _periods(row: ExportRow) -> tuple[str, str, str]:
    start = "" if row.start is None else clock(row.start, EXPORT_OFFSET)
    day = row.day or start[:10]
    return start, day, row.month or day[:7]
