"""A sheet as every check of it by itself sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from mps_bill.core.diagnostics import Place
from mps_bill.price_sheet.checks.price_cells import ItemTable, Rate, Shares
from mps_bill.price_sheet.sheet import SheetDraft, SheetParts
from mps_bill.price_sheet.sheet_model import Item, PriceSheet


@dataclass(frozen=True, slots=True)
class CheckedSheet:
    """What could be read of a sheet, sound or not. What is at a place of `wrong` is reported as an error already and is not
    judged. `draft` is None where the head is not sound. `today` is a date, such as 2026-11-23. The version before it (None: there
    is none) and the sheets for reference are sheets whose words this one may be expected to share."""

    parts: SheetParts
    draft: SheetDraft | None
    tables: Sequence[ItemTable]
    wrong: Set[Place]
    today: str
    before: PriceSheet | None = None
    references: Sequence[PriceSheet] = ()
    #: Rates that are odd beside those others.
    odd: Set[Rate] = frozenset()
    shares: Shares = field(default_factory=dict)

    @property
    def others(self) -> tuple[PriceSheet, ...]:
        return (*((self.before,) if self.before else ()), *self.references)

    def in_others(self, code: str) -> Iterator[Item]:
        """What the other sheets have under the code of an item."""
        return (sheet.items[code] for sheet in self.others if code in sheet.items)

    def unsound(self) -> set[str]:
        """The codes of items with something at a place of `wrong`, or whose prices come from such an item."""
        starts = [(table.code.place.line, table.code.value) for table in self.tables]
        file = self.parts.fields.place.file
        lines = [place.line for place in self.wrong if place.file == file]
        found = {max(before)[1] for line in lines if (before := [start for start in starts if start[0] <= line])}
        return found | {table.code.value for table in self.tables if table.base in found}
