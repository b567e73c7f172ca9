"""The provider's rows in our words: product, item, spec, region, quantities; or why a row means none of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.diagnostics import near_miss, quoted
from mps_bill.core.units import Unit
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Item
from mps_bill.reconcile.export import StatementRow
from mps_bill.reconcile.export_mapping import BillMapping, special_value

#: Quantities on bills are shown at two decimals at least, perhaps without the zeros at their end.
_LEAST_PLACES = 2


@dataclass(frozen=True, slots=True, order=True)
class LineKey:
    """What both sides bill: an item's spec in a region. For a row that means none of ours, what the bill calls it."""

    item: str
    spec: str
    region: str

    def __str__(self) -> str:
        return " ".join(dict.fromkeys(filter(None, (self.item, self.spec, self.region))))


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A row of a product of the run. Quantities are micros of `unit`, `price` is money per micro; None: not told.

    `fuzz` is how far the quantity, as it is shown, may be from the one that was billed. `remark` says why the row means no
    line of ours; `unit` is None then.
    """

    row: StatementRow
    key: LineKey
    unit: Unit | None
    quantity: Fraction | None = None
    plan: Fraction = Fraction(0)
    fuzz: Fraction = Fraction(0)
    price: Fraction | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class SetApart:
    """Rows that no bill of the run can be held against, and why."""

    reason: str
    what: str
    rows: tuple[StatementRow, ...]

    @property
    def payable(self) -> Decimal:
        return sum((row.payable for row in self.rows), Decimal(0))


def match_rows(
    rows: Iterable[StatementRow], mapping: BillMapping, book: PriceBook
) -> tuple[Mapping[str, tuple[MatchedRow, ...]], tuple[SetApart, ...]]:
    """The rows of each product of the book, and the rows that are set apart: of other products, and prepaid orders."""
    matched: dict[str, list[MatchedRow]] = {}
    apart: dict[tuple[str, str], list[StatementRow]] = {}
    items = {item.code: item for item in book.items}
    for row in rows:
        product = mapping.product(row)
        called = row.product or row.product_code
        if product is None:
            apart.setdefault(("a product that no mapping names", called), []).append(row)
        elif product not in book.versions:
            apart.setdefault((f"{product} is in no price sheet of the run", called), []).append(row)
        elif row.prepaid:
            apart.setdefault(("an order paid in advance", called), []).append(row)
        else:
            matched.setdefault(product, []).append(_match(row, product, mapping, book, items))
    sets = tuple(SetApart(reason, what, tuple(members)) for (reason, what), members in apart.items())
    return {product: tuple(members) for product, members in matched.items()}, sets


def _match(
    row: StatementRow, product: str, mapping: BillMapping, book: PriceBook, items: Mapping[str, Item]
) -> MatchedRow:
    meant = mapping.item(row)
    called = row.item_code or row.item or row.instance_spec or row.bill_type
    special = special_value(row.instance)
    region = mapping.region(row)

    def unmatched(remark: str) -> MatchedRow:
        shown = ";".join(filter(None, (called, special)))
        return MatchedRow(row, LineKey(shown, "", region or row.region), None, remark=remark)

    if meant is None:
        word = ";".join(filter(None, (called, special)))
        return unmatched(f"no mapping says what {quoted(word)} is")
    item = items.get(meant.item)
    if item is None or book.product_of[item.code] != product:
        hint = near_miss(meant.item, [code for code in items if book.product_of[code] == product])
        return unmatched(f"it means item {quoted(meant.item)}, which {product} does not have{hint}")
    if not any(meant.spec in other.prices for other in book.items if other.code == item.code):
        hint = near_miss(meant.spec, item.prices)
        return unmatched(f"it means {item.code} {quoted(meant.spec)}, which no price sheet of the run has{hint}")
    if region is None:
        return unmatched(f"no mapping says what region {quoted(row.region)} is" if row.region else "it names no region")
    key = LineKey(item.code, meant.spec, region)
    if row.usage is None:
        return MatchedRow(row, key, item.unit)
    unit = mapping.unit(row.usage_unit)
    if unit is None or unit.dimension != item.unit.dimension:
        return unmatched(f"its unit {quoted(row.usage_unit)} does not mean one that {item.code} is billed in")
    places = row.usage.as_tuple().exponent
    shown = max(_LEAST_PLACES, -places if isinstance(places, int) else 0)
    return MatchedRow(
        row,
        key,
        item.unit,
        Fraction(row.usage) * unit.micros,
        Fraction(row.plan or 0) * unit.micros,
        Fraction(unit.micros, 2 * 10**shown),
        _price(row, unit, mapping),
    )


def _price(row: StatementRow, usage_unit: Unit, mapping: BillMapping) -> Fraction | None:
    """Money per micro. The unit of the price stands behind its slash (`元/分钟`), else it is that of the usage."""
    if row.list_price is None:
        return None
    name = row.price_unit.rpartition("/")[2].strip()
    unit = (mapping.unit(name) if name else None) or usage_unit
    return Fraction(row.list_price) / unit.micros if unit.dimension == usage_unit.dimension else None
