"""An account from the text of its file, held against the price sheets of the run."""

from __future__ import annotations

from dataclasses import replace

from mps_bill.core.decimals import plain
from mps_bill.core.diagnostics import Place, Problem, in_order, near_miss, quoted
from mps_bill.core.times import HOUR
from mps_bill.documents.read_document import read_text
from mps_bill.documents.shapes import Fields
from mps_bill.price_sheet.book import PriceBook
from mps_bill.settlement import account_format as f
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement.account import (
    EVERY_PRODUCT,
    Account,
    Charged,
    ChargedMonth,
    Debt,
    FrozenMonth,
    TopUp,
    debt_order,
)
from mps_bill.settlement.entries import ID, MONEY_PLACES, Reading, millionths, parts_of, value_of
from mps_bill.settlement.sources import SOURCES
from mps_bill.settlement.sources.balance import BALANCE


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
    top_ups = reading.each(fields, f.TOP_UPS, _top_up)
    single = reading.each(fields, f.OUTSTANDING, lambda entry: _debt(entry, reading))
    months = reading.each(fields, f.OUTSTANDING_MONTHS, _debts)
    frozen = reading.each(fields, f.FROZEN, lambda entry: _frozen(entry, reading))
    charged_months = reading.each(fields, f.CHARGED_MONTHS, _charged_month)
    _check_top_ups(fields, reading)
    _check_balance(fields, reading)
    id_, currency, settled_at = fields.get(ID), fields.get(f.CURRENCY), fields.get(f.SETTLED_AT)
    if id_ is None or currency is None:
        return None
    return Account(
        id=id_.value,
        currency=currency.value,
        sources=sources,
        top_ups=top_ups,
        settled_through=_settled_through(fields),
        settled_at=settled_at.value if settled_at else None,
        outstanding=tuple(sorted((*single, *(debt for debts in months for debt in debts)), key=debt_order)),
        frozen=frozen,
        month_used=dict(reading.each(fields, f.MONTH_USED, _month_use)),
        charged=reading.each(fields, f.CHARGED, _charged),
        charged_months=tuple(sorted(charged_months, key=lambda month: (month.product, month.month))),
    )


def _top_up(fields: Fields) -> TopUp | None:
    at, amount = fields.get(f.AT), fields.get(f.AMOUNT)
    id_ = fields.get(ID)
    if not (at and amount):
        return None
    return TopUp(at.value, amount.value, value_of(fields, f.ARRIVED, False), id_.value if id_ else None)


def _debt(fields: Fields, reading: Reading) -> Debt | None:
    product, start, issued = fields.get(f.PRODUCT), fields.get(f.CYCLE_START), fields.get(f.ISSUED_AT)
    month, amount = fields.get(f.STATEMENT_MONTH), fields.get(f.AMOUNT)
    if not (product and start and issued and amount):
        return None
    if not amount.value:
        reading.report(amount.place, kinds.BAD_MONEY, "nothing is outstanding of this bill; remove its entry")
    return Debt(product.value, start.value, month.value if month else None, issued.value, amount.value)


def _debts(fields: Fields) -> tuple[Debt, ...]:
    product, start, lag = fields.get(f.PRODUCT), fields.get(f.MONTH_START), fields.get(f.ISSUED_AFTER)
    amounts = fields.get(f.AMOUNTS)
    if not (product and start and lag and amounts):
        return ()
    cycles = ((start.value + hour * HOUR, amount) for hour, amount in amounts.value)
    return tuple(Debt(product.value, at, None, at + int(lag.value), amount) for at, amount in cycles)


def _frozen(fields: Fields, reading: Reading) -> FrozenMonth | None:
    product, month, items = fields.get(f.PRODUCT), fields.get(f.MONTH), fields.get(f.FROZEN_ITEMS)
    products = reading.book.versions
    if product and product.value not in products:
        message = (
            f"amounts of the product {quoted(product.value)} are frozen, and no price sheet of the run is of it;"
            f" give its sheet, so that the month can be paid{near_miss(product.value, products)}"
        )
        reading.report(product.place, kinds.UNKNOWN_PRODUCT, message)
    if not (product and month and items):
        return None
    amounts = tuple((entry.key.value, entry.value.value) for entry in items.parts if entry.value)
    return FrozenMonth(product.value, month.value, amounts)


def _month_use(fields: Fields) -> tuple[tuple[str, str, str, str, str], int] | None:
    words = [fields.get(field) for field in (f.PRODUCT, f.MONTH, f.ITEM, f.SPEC, f.REGION)]
    used = fields.get(f.USED)
    product, month, item, spec, region = (word.value if word else "" for word in words)
    return ((product, month, item, spec, region), millionths(used.value)) if all(words) and used else None


def _charged(fields: Fields) -> Charged | None:
    product, day, digests = fields.get(f.PRODUCT), fields.get(f.CHARGED_DAY), fields.get(f.DIGESTS)
    if not (product and day and digests):
        return None
    return Charged(product.value, day.value, tuple(one.value for one in digests.parts))


def _charged_month(fields: Fields) -> ChargedMonth | None:
    product, month, hours = fields.get(f.PRODUCT), fields.get(f.MONTH), fields.get(f.HOURS)
    if not (product and month and hours):
        return None
    return ChargedMonth(product.value, month.value, int(hours.value[1:], 16))


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
    for part in parts_of(fields, f.TOP_UPS):
        top_up = _top_up(part)
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
    debts = parts_of(fields, f.OUTSTANDING) or parts_of(fields, f.OUTSTANDING_MONTHS)
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
