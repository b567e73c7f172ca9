"""The price book of a run: every price sheet that its usage may need, by item and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mps_bill.core.times import DAY, Calendar
from mps_bill.price_sheet.regions import KNOWN
from mps_bill.price_sheet.sheet_model import Item, PriceSheet


@dataclass(frozen=True)
class PriceBook:
    """Price sheets of one currency. The loader guarantees that versions of a product do not overlap and share one calendar, and
    that an item code belongs to one product."""

    currency: str
    #: product -> its versions, earliest first
    versions: Mapping[str, tuple[PriceSheet, ...]]
    #: item code -> product
    product_of: Mapping[str, str]

    @cached_property
    def month_tiered(self) -> frozenset[str]:
        """The codes of the items that have, in some version, a price with tiers by the month."""
        return frozenset(
            item.code
            for item in self.items
            if any(price.by_month for prices in item.prices.values() for price in prices.values())
        )

    @cached_property
    def known_regions(self) -> frozenset[str]:
        """Every region id that usage may have: the built-in ones and those of the sheets' groups."""
        return KNOWN.union(*(group for sheet in self.sheets for group in sheet.region_groups.values()))

    @cached_property
    def unpriced(self) -> Mapping[str, PriceSheet]:
        """The items that sheets list as unpriced and that no sheet has, each with the latest sheet that lists it."""
        return {
            code: sheet
            for sheet in self.sheets
            for entry in sheet.unpriced
            for code in entry.items
            if code not in self.product_of
        }

    @property
    def sheets(self) -> Iterator[PriceSheet]:
        for versions in self.versions.values():
            yield from versions

    @property
    def items(self) -> Iterator[Item]:
        for sheet in self.sheets:
            yield from sheet.items.values()

    @property
    def offset(self) -> int:
        """The billing clock of the run (of its first sheet), in seconds east of UTC."""
        return next(iter(self.sheets)).billing.calendar.offset

    def calendar(self, product: str) -> Calendar:
        return self.versions[product][0].billing.calendar

    def sheet_closing(self, product: str, month: str) -> PriceSheet:
        """Return the version whose rules round a month's statement: the latest that started before the end of the month."""
        end = self.calendar(product).month_end(month)
        versions = self.versions[product]
        return next((sheet for sheet in reversed(versions) if sheet.effective_from < end), versions[0])

    def sheet_at(self, product: str, second: int) -> PriceSheet | None:
        """Return the version of `product` in force at `second`; None if there is none."""
        return version_at(self.versions[product], second)


def version_at(versions: Sequence[PriceSheet], second: int) -> PriceSheet | None:
    """Return the version in force at `second`: the last that has started, unless it has ended. Earlier versions come first."""
    for sheet in reversed(versions):
        if sheet.effective_from <= second:
            return sheet if sheet.effective_to is None or second < sheet.effective_to else None
    return None


def latest(sheets: Sequence[PriceSheet]) -> list[PriceSheet]:
    """Return the latest sheet of each product."""
    return list({sheet.product: sheet for sheet in sorted(sheets, key=lambda sheet: sheet.effective_from)}.values())


def book_of_latest(sheets: Sequence[PriceSheet]) -> PriceBook:
    """Return the book of the latest sheet of each product, as if it had always been in force. The sheets have one currency."""
    books = [book_of(sheet) for sheet in latest(sheets)]
    versions = {product: sheets for book in books for product, sheets in book.versions.items()}
    product_of = {code: product for book in books for code, product in book.product_of.items()}
    return PriceBook(books[0].currency, versions, product_of)


def book_of(sheet: PriceSheet) -> PriceBook:
    """Return the book of one sheet, as if it had always been in force."""
    calendar = sheet.billing.calendar
    # Usage starts in 1970, and its first cycle may start on the day before.
    ever = replace(sheet, effective_from=calendar.cycle_start(-DAY), effective_to=None, dated=sheet.effective_from)
    return PriceBook(sheet.currency, {sheet.product: (ever,)}, dict.fromkeys(sheet.items, sheet.product))
