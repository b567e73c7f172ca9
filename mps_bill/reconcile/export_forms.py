"""The forms that an export gives bills in. Two forms of one product and period are the same bills, counted twice."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from mps_bill.core.diagnostics import Place, Problem, quoted
from mps_bill.core.times import clock
from mps_bill.reconcile import export_problems as kinds
from mps_bill.reconcile.export import EXPORT_OFFSET, ExportRow

#: The columns of a period, finer before coarser. A row without any has the month of its answer.
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
    """Gathers the forms of a run."""

    def __init__(self) -> None:
        self._given: dict[tuple[Hashable, ...], _Given] = {}

    def add(self, form: Hashable, columns: Collection[str], rows: Iterable[ExportRow]) -> None:
        """Rows of one form, which have `columns` together. What else tells forms apart is in `form`."""
        grain = next((number for number, column in enumerate(_GRAINS) if column in columns), len(_GRAINS) - 1)
        for row in rows:
            product = (row.product, row.product_code)
            given = self._given.setdefault((form, grain, *product), _Given(row.place.file, *product, grain))
            for periods, period in zip(given.periods, _periods(row), strict=True):
                if period:
                    periods.add(period)

    def repeated(self, reported: Collection[str] = ()) -> Iterator[Problem]:
        """A problem for each product that has bills of one period in two forms, but for the products `reported`."""
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
