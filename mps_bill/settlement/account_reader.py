"""An account from the text of its file, held against the price sheets of the run."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Place, Problem, in_order, near_miss, quoted
from mps_bill.core.times import HOUR, Calendar, iso
from mps_bill.documents.read_document import read_text
from mps_bill.documents.shapes import Field, Fields, Made, Many
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.contract import Contract, Discount
from mps_bill.settlement import account_format as f
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.account import (
    EVERY_PRODUCT,
    Account,
    TopUp,
    debt_order,
)
from mps_bill.settlement.entries import ID, MONEY_PLACES, Reading
from mps_bill.settlement.sources import SOURCES
from mps_bill.settlement.sources.balance import BALANCE

T = TypeVar("T")


def read_account(text: str, file_name: str, book: PriceBook) -> tuple[Account | None, tuple[Problem, ...]]:
    """The account that `text` is, or None and every problem with it, by place. `file_name` is for places only."""
    document = read_text(f.DOCUMENT, text, file_name)
    if document.fields is None:
        return None, document.problems
    problems = list(document.problems)
    account = _account(document.fields, Reading(book, problems))
    return (None if problems else account), in_order(problems)


def _account(fields: Fields, reading: Reading) -> Account | None:
    """The values of a document; whatever contradicts itself or the price sheets becomes a problem."""
    _check_currency(fields, reading)
    _check_places(fields.place, reading)
    sources = tuple(source.read(fields, reading) for source in SOURCES)
    debts = (*_made(fields, f.OUTSTANDING), *(debt for debts in _made(fields, f.OUTSTANDING_MONTHS) for debt in debts))
    _check_frozen(fields, reading)
    _check_top_ups(fields, reading)
    _check_balance(fields, reading)
    id_, currency = fields.value_of(ID), fields.value_of(f.CURRENCY)
    if id_ is None or currency is None:
        return None
    return Account(
        id=id_,
        currency=currency,
        sources=sources,
        contract=_contract(fields, reading),
        top_ups=_made(fields, f.TOP_UPS),
        settled_through=_settled_through(fields),
        settled_at=fields.value_of(f.SETTLED_AT),
        outstanding=tuple(sorted(debts, key=debt_order)),
        frozen=_made(fields, f.FROZEN),
        month_used=dict(_made(fields, f.MONTH_USED)),
        charged=_made(fields, f.CHARGED),
        charged_months=tuple(sorted(_made(fields, f.CHARGED_MONTHS), key=lambda month: (month.product, month.month))),
    )


def _made(fields: Fields, field: Field[Many[Made[T]]]) -> tuple[T, ...]:
    """The values of the right entries of an optional list."""
    return tuple(entry.value for entry in fields.parts(field) if entry.value is not None)


def _contract(fields: Fields, reading: Reading) -> Contract:
    start = fields.get(f.SETTLEMENT_FROM)
    if start:
        calendar = Calendar(HOUR, reading.offset)
        month = calendar.month_start(calendar.month(start.value))
        if start.value != month:
            message = (
                f"settlement changes at the start of a month on the billing clock, such as {iso(month, reading.offset)}"
            )
            reading.report(start.place, kinds.BAD_SWITCH, message)
    return Contract(
        reading.each(fields, f.DISCOUNTS, lambda entry: _discount(entry, reading)),
        fields.value_of(f.SETTLEMENT),
        fields.value_of(f.SETTLEMENT_FROM),
        fields.value_of(f.VOUCHERS_AT, "settlement"),
    )


def _discount(entry: Fields, reading: Reading) -> Discount | None:
    id_, percent = entry.get(ID), entry.get(f.PERCENT)
    items, regions = entry.get(f.DISCOUNT_ITEMS), entry.get(f.DISCOUNT_REGIONS)
    start, end = entry.get(f.DISCOUNT_FROM), entry.get(f.DISCOUNT_UNTIL)
    for item in entry.parts(f.DISCOUNT_ITEMS):
        reading.items(item)
    places = frozenset(map(reading.region, regions.parts)) if regions else None
    if start and end:
        reading.is_period(start, end)
    if not (id_ and percent):
        return None
    return Discount(
        id_.value,
        percent.value,
        frozenset(item.value for item in items.parts) if items else None,
        places,
        entry.value_of(f.DISCOUNT_FROM),
        entry.value_of(f.DISCOUNT_UNTIL),
    )


def _check_frozen(fields: Fields, reading: Reading) -> None:
    products = reading.book.versions
    for entry in fields.parts(f.FROZEN):
        product = entry.get(f.PRODUCT)
        if product and product.value not in products:
            message = (
                f"amounts of the product {quoted(product.value)} are frozen, and no price sheet of the run is of it;"
                f" give its sheet, so that the month can be paid{near_miss(product.value, products)}"
            )
            reading.report(product.place, kinds.UNKNOWN_PRODUCT, message)


def _settled_through(fields: Fields) -> dict[str, int]:
    """`settled_through` holds for every product, unless the times of single products are given, which then decide."""
    by_product = fields.get(f.SETTLED_BY_PRODUCT)
    if by_product:
        return {entry.key.value: entry.value.value for entry in by_product.parts if entry.value}
    whole = fields.get(f.SETTLED_THROUGH)
    return {EVERY_PRODUCT: whole.value} if whole else {}


def _check_top_ups(fields: Fields, reading: Reading) -> None:
    """Two top-ups of one time and amount without ids are more likely one that was copied."""
    first: dict[TopUp, Place] = {}
    for part in fields.parts(f.TOP_UPS):
        top_up = part.value
        if top_up is None or top_up.id is not None:
            continue
        earlier = first.setdefault(replace(top_up, arrived=False), part.place)
        if earlier is not part.place:
            message = (
                f"duplicate top-up of the same time and amount; first defined at line {earlier.line}, column"
                f" {earlier.column}; where both were paid, give each an id"
            )
            reading.report(part.place, kinds.EQUAL_TOP_UPS, message)


def _check_balance(fields: Fields, reading: Reading) -> None:
    """Money in the balance would have repaid what is outstanding."""
    balance = fields.get(BALANCE)
    debts = (*fields.parts(f.OUTSTANDING), *fields.parts(f.OUTSTANDING_MONTHS))
    if balance and balance.value and debts:
        message = (
            f"the balance is {plain(balance.value)} while bills are outstanding; write money that was paid in"
            " under top_ups, which repay what is outstanding first"
        )
        reading.report(balance.place, kinds.UNREPAID_BALANCE, message)


def _check_currency(fields: Fields, reading: Reading) -> None:
    currency, expected = fields.get(f.CURRENCY), reading.book.currency
    if currency and currency.value != expected:
        message = f"the account is in {currency.value}, and the price sheets are in {expected}"
        reading.report(currency.place, kinds.OTHER_CURRENCY, message)


def _check_places(place: Place, reading: Reading) -> None:
    """Bills rounded to more decimals than money has could never be paid exactly."""
    for sheet in reading.book.sheets:
        if sheet.billing.places > MONEY_PLACES:
            message = (
                f"{sheet.ref} ({sheet.place}) rounds bills to {sheet.billing.places} decimal places; bills that are"
                f" paid from an account have at most {MONEY_PLACES}"
            )
            reading.report(place, kinds.BILL_DECIMALS, message)
