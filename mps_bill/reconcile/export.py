"""The provider's bill export as values: one row, and all rows of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import ZERO
from mps_bill.core.diagnostics import Place
from mps_bill.core.times import HOUR

#: The clock of the provider's bills. Times in exports have no offset.
EXPORT_OFFSET = 8 * HOUR
CENT = Decimal("0.01")
#: The maximum that rounding changes a row by: half a cent, because rows are split from a bill at two decimal places, and an odd
#: cent of the bill, which any row may bear.
MAX_ROW_ROUNDING = Decimal("0.015")
#: How exports spell a missing value.
ABSENT = frozenset({"", "-", "NULL", "null"})


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A row of an export; missing text is empty. `amounts` has the money columns of the export.

    The time is given by `start` and `end` (seconds), or else by the `day` (2023-11-10), or else by the `month` (2023-11). `usage`
    and `plan` (the quantity that resource plans covered) are in `usage_unit`; `list_price` is per `price_unit`. `fee` is a key of
    `FEES`, or empty if the fee type is unknown.
    """

    place: Place
    month: str
    day: str
    start: int | None
    end: int | None
    product_code: str
    product: str
    fee: str
    bill_type: str
    instance: str
    instance_spec: str
    region: str
    item: str
    item_code: str
    list_price: Decimal | None
    price_unit: str
    usage: Decimal | None
    usage_unit: str
    plan: Decimal | None
    amounts: Mapping[str, Decimal]

    def amount(self, column: str) -> Decimal:
        return self.amounts.get(column, ZERO)

    @property
    def list_amount(self) -> Decimal:
        return self.amounts["list_amount"]

    @property
    def payable(self) -> Decimal:
        return self.amounts["payable"]


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """The row 合计 of an export, which sums the rows with the numbers from `first` until before `end`."""

    place: Place
    amounts: Mapping[str, Decimal]
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that was read: its form (`csv` or `json`), its encoding and its number of bill rows; or a file of an archive that
    was skipped (`other`)."""

    name: str
    form: str
    encoding: str
    rows: int


@dataclass(frozen=True, slots=True)
class Export:
    """The rows of all export files, in order."""

    files: tuple[ExportFile, ...]
    rows: tuple[ExportRow, ...]
    closings: tuple[ClosingRow, ...]


@dataclass(frozen=True, slots=True)
class ItemName:
    """An item of a price sheet and its spec."""

    item: str
    spec: str
