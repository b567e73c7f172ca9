"""The provider's rows under our names (product, item, spec, region, quantities), or the reason why a row matches no line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from mps_bill.core.decimals import ZERO, round_money
from mps_bill.core.diagnostics import near_miss, quoted
from mps_bill.core.language import mark, said
from mps_bill.core.times import Calendar
from mps_bill.core.units import Unit
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.sheet_model import Item, specs_named
from mps_bill.reconcile.export import ExportRow
from mps_bill.reconcile.export_mapping import BillMapping, special_value
from mps_bill.reconcile.periods import BillPeriod, row_grain, row_period

NO_MAPPING = said("no mapping for this product")
#: Why rows with these fees, which are not usage of the period, are excluded.
_EXCLUDED_FEES = {
    "prepaid": said("a prepaid order"),
    "refund": said("a refund of a prepaid order"),
    "adjustment": said("an adjustment by the provider"),
    "cap": said("a charge for an agreed minimum or maximum"),
    "subscription": said("a subscription that is paid afterwards"),
    "commission": said("a commission"),
}
#: Bills show quantities with at least two decimal places, sometimes without trailing zeros.
_MIN_PLACES = 2


@dataclass(frozen=True, slots=True, order=True)
class LineKey:
    """The item, spec and region that both sides bill. For a row that matches no line, the names that the bill gives."""

    item: str
    spec: str
    region: str

    def __str__(self) -> str:
        return " ".join(dict.fromkeys(filter(None, (self.item, self.spec, self.region))))


#: The line of bills that are compared as a whole, because the export has no billing items.
ALL_ITEMS = LineKey("all items", "", "")


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A row of a product of the run. Quantities are micros of `unit`, `price` is money per micro; None: not stated.

    `display_tolerance` is how far the displayed quantity may be from the billed one. If the row matches no line of ours, `remark`
    says why, and `unit` is None.
    """

    row: ExportRow
    key: LineKey
    unit: Unit | None
    quantity: Fraction | None = None
    plan: Fraction = Fraction(0)
    display_tolerance: Fraction = Fraction(0)
    price: Fraction | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ExcludedRows:
    """Rows of one product that are compared with no bill of the run, and the reason."""

    reason: str
    product: str
    rows: tuple[ExportRow, ...]

    @property
    def payable(self) -> Decimal:
        return sum((row.payable for row in self.rows), Decimal(0))


class _Unmatched(Exception):
    """The reason why a row matches no line of ours."""


def match_rows(
    rows: Iterable[ExportRow], mapping: BillMapping, book: PriceBook
) -> tuple[Mapping[str, tuple[MatchedRow, ...]], tuple[ExcludedRows, ...]]:
    """The rows of each product of the price book, and the excluded rows, such as other products and prepaid orders."""
    found: dict[str, list[ExportRow]] = {}
    excluded: dict[tuple[str, str], list[ExportRow]] = {}
    for row in rows:
        product = mapping.product(row)
        if product is None:
            reason = NO_MAPPING if row.product or row.product_code else said("it names no product")
        elif product not in book.versions:
            reason = said("no price sheet of this run has {product}", product=product)
        elif row.fee in _EXCLUDED_FEES:
            reason = _EXCLUDED_FEES[row.fee]
        else:
            found.setdefault(product, []).append(row)
            continue
        excluded.setdefault((reason, row.product or row.product_code), []).append(row)
    sets = tuple(ExcludedRows(reason, called, tuple(members)) for (reason, called), members in excluded.items())
    return {product: tuple(_matched(members, product, mapping, book)) for product, members in found.items()}, sets


def _matched(rows: list[ExportRow], product: str, mapping: BillMapping, book: PriceBook) -> Iterator[MatchedRow]:
    """Match the rows of a product; as a whole if none of them names an item."""
    has_items = any(row.item or row.item_code or mapping.item(row) for row in rows if row.fee in ("usage", "free"))
    for row in rows:
        if row.fee == "rounding" or (row.fee and not has_items):
            yield MatchedRow(row, ALL_ITEMS, None)
        else:
            yield _match(row, product, mapping, book)


def _match(row: ExportRow, product: str, mapping: BillMapping, book: PriceBook) -> MatchedRow:
    called = ";".join(
        filter(None, (row.item_code or row.item or row.instance_spec or row.bill_type, special_value(row.instance)))
    )
    region = mapping.region(row)
    try:
        if not row.fee:
            raise _Unmatched(said("{type} is not a known fee type", type=quoted(row.bill_type)))
        item, spec = _item(row, called, product, mapping, book)
        if region is None:
            unknown = said("no mapping for region {region}", region=quoted(row.region))
            raise _Unmatched(unknown if row.region else said("it names no region"))
        return _measured(row, LineKey(item.code, spec, region), item, mapping)
    except _Unmatched as why:
        return MatchedRow(row, LineKey(called, "", region or row.region), None, remark=why.args[0])


def _item(row: ExportRow, called: str, product: str, mapping: BillMapping, book: PriceBook) -> tuple[Item, str]:
    """The item of the price sheets and the spec that a row bills."""
    target = mapping.item(row)
    if target is None:
        raise _Unmatched(said("no mapping for {item}", item=quoted(called)))
    sheets = book.versions[product]
    items = [sheet.items[target.item] for sheet in sheets if target.item in sheet.items]
    if not items:
        hint = near_miss(target.item, [code for sheet in sheets for code in sheet.items])
        text = mark("it maps to item {item}, which {product} does not have{hint}")
        raise _Unmatched(said(text, item=quoted(target.item), product=product, hint=hint))
    specs = specs_named(target.spec, items)
    if not specs:
        hint = near_miss(target.spec, items[-1].prices)
        text = mark("it maps to {item} {spec}, which no price sheet of this run has{hint}")
        raise _Unmatched(said(text, item=target.item, spec=quoted(target.spec), hint=hint))
    return items[-1], specs[0]


def _measured(row: ExportRow, key: LineKey, item: Item, mapping: BillMapping) -> MatchedRow:
    """The row with its quantities and price as numbers."""
    if row.usage is None:
        return MatchedRow(row, key, item.unit)
    unit = mapping.unit(row.usage_unit)
    if unit is None or unit.dimension != item.unit.dimension:
        text = mark("its unit {unit} is not one that {item} is billed in")
        raise _Unmatched(said(text, unit=quoted(row.usage_unit), item=item.code))
    places = row.usage.as_tuple().exponent
    shown = max(_MIN_PLACES, -places if isinstance(places, int) else 0)
    return MatchedRow(
        row,
        key,
        item.unit,
        Fraction(row.usage) * unit.micros,
        Fraction(row.plan or 0) * unit.micros,
        Fraction(unit.micros, 2 * 10**shown),
        _price(row, unit, mapping),
    )


def _price(row: ExportRow, usage_unit: Unit, mapping: BillMapping) -> Fraction | None:
    """Money per micro. The unit of the price follows its slash (`元/分钟`); otherwise it is the unit of the usage."""
    if row.list_price is None:
        return None
    name = row.price_unit.rpartition("/")[2].strip()
    unit = (mapping.unit(name) if name else None) or usage_unit
    return Fraction(row.list_price) / unit.micros if unit.dimension == usage_unit.dimension else None


def with_rounding_by_bill(rows: Sequence[MatchedRow], calendar: Calendar) -> tuple[MatchedRow, ...]:
    """The rows of a product, with the rounding row of a day or month (抹零费用) split into the roundings of its bills, if it
    equals what their amounts have beyond whole cents. Otherwise it stays, and the bills of its period are compared only
    together."""
    if not any(one.row.fee == "rounding" for one in rows):
        return tuple(rows)
    bills: dict[BillPeriod, Decimal] = {}
    for one in rows:
        if one.row.fee != "rounding" and row_grain(one.row, calendar) == "cycle":
            period = row_period(one.row, calendar)
            bills[period] = bills.get(period, ZERO) + one.row.payable
    return tuple(part for one in rows for part in _by_bill(one, bills, calendar))


def _by_bill(one: MatchedRow, bills: dict[BillPeriod, Decimal], calendar: Calendar) -> Iterator[MatchedRow]:
    row, span = one.row, row_period(one.row, calendar)
    parts = {
        period: rounding
        for period, amount in bills.items()
        if span.start <= period.start < span.end and (rounding := round_money(amount, 2, "down") - amount)
    }
    if (
        row.fee != "rounding"
        or row_grain(row, calendar) == "cycle"
        or not parts
        or sum(parts.values(), ZERO) != row.payable
    ):
        yield one
        return
    for period, rounding in parts.items():
        amounts = {name: rounding if amount == row.payable else ZERO for name, amount in row.amounts.items()}
        yield replace(one, row=replace(row, start=period.start, end=period.end, amounts=amounts))
