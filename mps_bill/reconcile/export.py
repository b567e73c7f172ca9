"""The provider's bill export, as values: one row, and the rows of a run."""

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
#: The maximum that rounding changes a row by: rows are split from a bill at two decimal places, which is half a cent, and any of
#: them may bear an odd cent of the bill.
MAX_ROW_ROUNDING = Decimal("0.015")
#: How exports spell a value that is not there.
ABSENT = frozenset({"", "-", "NULL", "null"})


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A row of an export; text that is absent is empty. `amounts` has the columns of money that the export has.

    The time is `start` and `end` (seconds), else the `day` (2023-11-10), else the `month` (2023-11). `usage` and `plan`
    (what resource plans covered) are quantities of `usage_unit`, `list_price` is per `price_unit`. `fee` is what the row is for,
    a key of `FEES`, or empty where its fee type is not known.
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
    """The row 合计 of an export, and the rows (by number, from and to) that it is the sum of."""

    place: Place
    amounts: Mapping[str, Decimal]
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that was read: its form (`csv` or `json`), its encoding, and how many bill rows it has; or one of an archive
    that is `other` and was passed over."""

    name: str
    form: str
    encoding: str
    rows: int


@dataclass(frozen=True, slots=True)
class Export:
    """The rows of all export files, in their order."""

    files: tuple[ExportFile, ...]
    rows: tuple[ExportRow, ...]
    closings: tuple[ClosingRow, ...]


@dataclass(frozen=True, slots=True)
class ItemName:
    """An item of a price sheet and its spec."""

    item: str
    spec: str
