"""Reading an account from the text of its file, and checking it against the price sheets of the run."""

from __future__ import annotations

from dataclasses import replace

from mps_bill.core.diagnostics import Place, Problem, in_order, near_miss, quoted
from mps_bill.core.times import HOUR, Calendar, iso
from mps_bill.documents.fields import Fields
from mps_bill.documents.read_document import read_text
from mps_bill.price_sheet.book import PriceBook
from mps_bill.settlement import account_format as f
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.account import Account, TopUp
from mps_bill.settlement.entries import MONEY_PLACES, Reading
from mps_bill.settlement.sources import SOURCES


def read_account(text: str, file_name: str, book: PriceBook) -> tuple[Account | None, tuple[Problem, ...]]:
    """Read the account in `text`, or return None and every problem by place. A contradiction within the file or with the price
    sheets is a problem. `file_name` is only for places."""
    document = read_text(f.DOCUMENT, text, file_name)
    fields = document.fields
    if fields is None:
        return None, document.problems
    has_debts = bool(fields.parts(f.OUTSTANDING) or fields.parts(f.OUTSTANDING_MONTHS))
    reading = Reading(book, list(document.problems), has_debts=has_debts)
    sources = tuple(source.read(fields, reading) for source in SOURCES)
    for check in (_check_currency, _check_places, _check_contract, _check_frozen, _check_top_ups):
        check(fields, reading)
    account = fields.value
    if reading.problems or account is None:
        return None, in_order(reading.problems)
    return account.with_sources(sources), ()


def _check_contract(fields: Fields, reading: Reading) -> None:
    start = fields.get(f.SETTLEMENT_FROM)
    if start:
        calendar = Calendar(HOUR, reading.offset)
        month = calendar.month_start(calendar.month(start.value))
        if start.value != month:
            message = (
                f"settlement changes at the start of a month on the billing clock, such as {iso(month, reading.offset)}"
            )
            reading.report(start.place, kinds.BAD_SWITCH, message)
    for discount in fields.parts(f.DISCOUNTS):
        for item in discount.parts(f.DISCOUNT_ITEMS):
            reading.items(item)
        reading.regions(discount.parts(f.DISCOUNT_REGIONS))
        reading.validity(discount)


def _check_frozen(fields: Fields, reading: Reading) -> None:
    products = reading.book.versions
    for entry in fields.parts(f.FROZEN):
        product = entry.get(f.PRODUCT)
        if product and product.value not in products:
            message = (
                f"amounts of the product {quoted(product.value)} are frozen, and no price sheet of this run has it;"
                f" give its sheet, so that the month can be paid{near_miss(product.value, products)}"
            )
            reading.report(product.place, kinds.UNKNOWN_PRODUCT, message)


def _check_top_ups(fields: Fields, reading: Reading) -> None:
    """Report equal top-ups without ids, which are more likely one that was copied."""
    first: dict[TopUp, Place] = {}
    for part in fields.parts(f.TOP_UPS):
        top_up = part.value
        if top_up is None or top_up.id is not None:
            continue
        earlier = first.setdefault(replace(top_up, arrived=False), part.place)
        if earlier is not part.place:
            message = (
                f"duplicate top-up of the same time and amount; first defined at line {earlier.line}, column"
                f" {earlier.column}; if both were paid, give each an id"
            )
            reading.report(part.place, kinds.EQUAL_TOP_UPS, message)


def _check_currency(fields: Fields, reading: Reading) -> None:
    currency, expected = fields.get(f.CURRENCY), reading.book.currency
    if currency and currency.value != expected:
        message = f"the account is in {currency.value}, and the price sheets are in {expected}"
        reading.report(currency.place, kinds.OTHER_CURRENCY, message)


def _check_places(fields: Fields, reading: Reading) -> None:
    """Report sheets that round bills to more decimal places than money has: these could never be paid exactly."""
    for sheet in reading.book.sheets:
        if sheet.billing.places > MONEY_PLACES:
            message = (
                f"{sheet.ref} ({sheet.place}) rounds bills to {sheet.billing.places} decimal places; bills that are"
                f" paid from an account have at most {MONEY_PLACES}"
            )
            reading.report(fields.place, kinds.BILL_DECIMALS, message)
