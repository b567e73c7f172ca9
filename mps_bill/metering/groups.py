"""The results of metering: groups of records that are billed alike, each with its assignment and its sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from operator import add, attrgetter

from mps_bill.core.diagnostics import ProblemReport
from mps_bill.core.laws import BrokenLaw, law
from mps_bill.core.units import UNITS
from mps_bill.metering.assign import Assignment, assign
from mps_bill.metering.scheme import MeteringScheme, record_rule
from mps_bill.metering.usage_columns import UsageKey
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Item


@dataclass(frozen=True, slots=True)
class Group:
    """The billable records with one key. `micros` is the sum of their quantities, each counted by the metering rule of the item
    (rounding of a whole cycle comes later)."""

    key: UsageKey
    assignment: Assignment
    records: int
    micros: int


@dataclass(frozen=True, slots=True)
class Metered:
    """The result of reading every row once: `rows_read` = records of the groups + `rows_not_billable` (failed jobs) +
    `rows_duplicate` + `rows_rejected`.

    For usage of many accounts, `by_account` has the result of each account, sorted by id, and can be iterated more than once;
    `groups` may then be sums over all accounts. `unknown_items` are some of the items that no sheet has; `warnings` name records
    and accounts whose ids look alike.
    """

    groups: tuple[Group, ...]
    rows_read: int
    rows_not_billable: int
    rows_duplicate: int
    rows_rejected: int = 0
    problems: ProblemReport = field(default_factory=ProblemReport)
    by_account: Iterable[tuple[str, Metered]] | None = None
    unknown_items: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Where every row went. `check` enforces the law that nothing is lost."""

    rows_read: int
    rows_billed: int
    rows_not_billable: int
    rows_duplicate: int
    rows_rejected: int
    rows_late: int = 0
    rows_pending: int = 0

    def check(self) -> None:
        read, *places = _rows(self)
        law(sum(places) == read, "control totals do not add up: {} rows placed of {} read", sum(places), read)

    def __add__(self, other: ControlTotals) -> ControlTotals:
        return ControlTotals(*map(add, _rows(self), _rows(other)))


_rows = attrgetter(*(one.name for one in fields(ControlTotals)))


@dataclass(frozen=True, slots=True)
class Counted:
    """An engine's counts for the records with one key, before it is known which record rule applies to them.

    `rows` counts their rows, and `duplicates` the rows among them that repeat a record. `micros` is the sum of the quantities as
    written, in millionths of the usage's own unit; `pieces[i]` is the sum of pieces under record rule `i` of the scheme.
    """

    key: UsageKey
    rows: int
    duplicates: int
    micros: int
    pieces: tuple[int, ...]


class Sums:
    """Counts under construction."""

    def __init__(self, scheme: MeteringScheme) -> None:
        self._scheme = scheme
        self._numbers: dict[UsageKey, list[int]] = {}

    def add(self, key: UsageKey, micros: int, rows: int) -> None:
        """Count `rows` rows of one record of `micros` (millionths of the row's own unit)."""
        # This runs for every row of a file that Python reads.
        numbers = self._of(key)
        numbers[0] += rows
        numbers[1] += rows - 1
        numbers[2] += micros
        for place, pieces in enumerate(self._scheme.pieces(key.unit, micros), 3):
            numbers[place] += pieces

    def add_counted(self, counted: Counted) -> None:
        """Add the counts of an engine; numbers below zero are subtracted."""
        numbers = self._of(counted.key)
        for place, number in enumerate((counted.rows, counted.duplicates, counted.micros, *counted.pieces)):
            numbers[place] += number

    def _of(self, key: UsageKey) -> list[int]:
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = [0] * (3 + len(self._scheme.rules))
        return numbers

    def counted(self) -> Iterator[Counted]:
        """The counts of every key that has at least one row."""
        for key, (rows, duplicates, micros, *pieces) in self._numbers.items():
            if rows:
                yield Counted(key, rows, duplicates, micros, tuple(pieces))


def grouped(counted: Iterable[Counted], book: PriceBook, scheme: MeteringScheme) -> Metered:
    """The groups for some counts."""
    groups: list[Group] = []
    rows = not_billable = duplicates = 0
    for one in counted:
        rows += one.rows
        duplicates += one.duplicates
        records = one.rows - one.duplicates
        if one.key.failed:
            not_billable += records
            continue
        assignment = assign(one.key, book, scheme)
        if not isinstance(assignment, Assignment):
            raise BrokenLaw("metering lets no unassigned group through")
        groups.append(Group(one.key, assignment, records, _metered_micros(one, assignment.item, scheme)))
    return Metered(tuple(groups), rows, not_billable, duplicates)


def _metered_micros(counted: Counted, item: Item, scheme: MeteringScheme) -> int:
    rule = record_rule(item)
    if rule is None:
        return counted.micros * UNITS[counted.key.unit].factor
    return counted.pieces[scheme.rules.index(rule)] * rule.step
