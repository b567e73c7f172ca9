"""The account file format, in one place: the reader uses it, and editors get it as a JSON Schema.

The keys of `KEPT` are written by the program. A file without them is an account that has paid nothing yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from typing import Any

from mps_bill.core.decimals import AMOUNT_PLACES, ZERO, plain, stripped
from mps_bill.core.diagnostics import Problem
from mps_bill.core.times import HOUR
from mps_bill.documents.fields import Field, Fields, optional
from mps_bill.documents.read_document import Document
from mps_bill.documents.shapes import ListOf, MapOf, Object
from mps_bill.documents.values import Choice, Text, currency, decimal_of, format_field, matching, number, word, words
from mps_bill.price_sheet.sheet_model import Settlement
from mps_bill.rating.contract import Contract, Discount, VouchersAt
from mps_bill.settlement import account as values
from mps_bill.settlement import account_problems as kinds
from mps_bill.settlement import entries
from mps_bill.settlement.account import Account, Debt, FrozenMonth
from mps_bill.settlement.entries import ID, item_code, kept, list_of, moment, money, product_code, region_id, spec_code
from mps_bill.settlement.sources import SOURCES

FORMAT_NAME = "mps-bill/account/1"

_MONTH = r"(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])"
_DAY = rf"{_MONTH}-(0[1-9]|[12][0-9]|3[01])"
#: A month has at most 744 hours, one bit each.
_HOURS = r"x[1-9a-f][0-9a-f]{0,185}"
_SECONDS = r"0|[1-9][0-9]{0,8}"
_DIGEST = r"([01][0-9]|2[0-3])-[0-9a-f]{10}"
_HOUR_AMOUNT = r"(0|[1-9][0-9]{0,2})=[0-9]+(\.[0-9]+)?"
_AMOUNTS = f"{_HOUR_AMOUNT}( {_HOUR_AMOUNT})*"


def _parse_amounts(text: str) -> tuple[tuple[int, Decimal], ...]:
    """Parse amounts of money by hour, such as `0=0.65 1=0.70`."""
    if not re.fullmatch(_AMOUNTS, text):
        raise ValueError("write hours and amounts such as 0=0.65 1=0.70")
    parse = decimal_of(entries.MONEY_PLACES, above_zero=True)
    return tuple((int(hour), parse(amount)) for hour, _, amount in (word.partition("=") for word in text.split(" ")))


_exact_amount = kept(number("an exact amount", kinds.BAD_MONEY, AMOUNT_PLACES), stripped)


def _parse_seconds(text: str) -> int:
    return int(matching(_SECONDS, "a number of seconds", "digits")(text))


def _parse_hours(text: str) -> int:
    return int(matching(_HOURS, "hours", "x and hexadecimal digits")(text)[1:], 16)


# A sum of many quantities.
_use = entries.quantity_of("a month's use", whole_digits=24)
_month = word("a month", _MONTH, kinds.BAD_MONTH, "one such as 2023-11")


TOP_UP_ID = optional(
    "id", entries.identifier, "identifier, unique in its list; needed where two have the same time and amount"
)
AT = Field("at", moment("a time"), "when the money arrives")
AMOUNT = Field("amount", money, "how much")
ARRIVED = optional(
    "arrived",
    Choice("a mark", {"true": True, "false": False}, kinds.BAD_NAME),
    "written by the program: true once the money is counted in the account",
    False,
)
TOP_UP = Object("a top-up", (TOP_UP_ID, AT, AMOUNT, ARRIVED), make=values.TopUp)

PRODUCT = Field("product", product_code, "the product that is billed")
CYCLE_START = Field(
    "cycle_start", moment("a cycle's start"), "the start of the bill's cycle (of the month, for a statement)"
)
MONTH = Field("month", _month, "the month")
STATEMENT_MONTH = optional("month", _month, "the month, where it is a monthly statement", default=None)
ISSUED_AT = Field("issued_at", moment("an issue time"), "when the bill was issued")


def _check_debt(debt: Fields) -> Iterator[Problem]:
    amount = debt.get(AMOUNT)
    if amount and not amount.value:
        yield Problem(amount.place, kinds.BAD_MONEY, "nothing is outstanding of this bill; remove its entry")


DEBT = Object(
    "an outstanding bill",
    (PRODUCT, CYCLE_START, STATEMENT_MONTH, ISSUED_AT, AMOUNT),
    check=_check_debt,
    make=Debt,
)

MONTH_START = Field(
    "from", moment("a month's start"), "the start of the month in which the bills' cycles begin", name="start"
)
ISSUED_AFTER = Field(
    "issued_after",
    Text("a number of seconds", _parse_seconds, _SECONDS, kinds.BAD_TIME, {"minimum": 0, "exclusiveMaximum": 10**9}),
    "the seconds from the start of a cycle to the issue of its bill",
)
AMOUNTS = Field(
    "amounts",
    Text("amounts by hour", _parse_amounts, _AMOUNTS, kinds.BAD_MONEY),
    "for each bill the hour of the month that its cycle begins with (from 0), `=` and the amount",
)


def _debts(product: str, start: int, issued_after: int, amounts: tuple[tuple[int, Decimal], ...]) -> tuple[Debt, ...]:
    cycles = ((start + hour * HOUR, amount) for hour, amount in amounts)
    return tuple(Debt(product, at, None, at + issued_after, amount) for at, amount in cycles)


def _frozen(*, items: dict[str, Decimal], limited: Mapping[str, Decimal], **values: Any) -> FrozenMonth:
    return FrozenMonth(items=tuple(items.items()), limited=tuple(dict(limited).items()), **values)


def _check_frozen(frozen: Fields) -> Iterator[Problem]:
    items = frozen.get(FROZEN_ITEMS)
    if not items or not items.valid:
        return
    amounts = {entry.key.value: entry.value.value for entry in frozen.parts(FROZEN_ITEMS) if entry.value}
    paid, net = frozen.get(PAID_AT_BILLING), sum(amounts.values(), ZERO)
    if paid and paid.value > net:
        message = f"{PAID_AT_BILLING.key}, {plain(paid.value)}, is above the month's amounts, {plain(net)}"
        yield Problem(paid.place, kinds.BAD_MONEY, message)
    limited = [(entry.key.value, entry.value) for entry in frozen.parts(LIMITED_AT_BILLING) if entry.value]
    for item, part in limited:
        if part.value > (amount := amounts.get(item, ZERO)):
            message = f"of {item} vouchers paid {plain(part.value)}, which is above its amount, {plain(amount)}"
            yield Problem(part.place, kinds.BAD_MONEY, message)
    of_items, of_all = sum((part.value for _, part in limited), ZERO), paid.value if paid else ZERO
    is_known = paid or PAID_AT_BILLING.key not in frozen.given
    if limited and is_known and of_items > of_all:
        message = f"{LIMITED_AT_BILLING.key}, {plain(of_items)}, is above {PAID_AT_BILLING.key}, {plain(of_all)}"
        yield Problem(limited[0][1].place, kinds.BAD_MONEY, message)


DEBT_MONTH = Object("the outstanding bills of a month", (PRODUCT, MONTH_START, ISSUED_AFTER, AMOUNTS), make=_debts)
FROZEN_ITEMS = Field("items", MapOf("frozen amounts", item_code, _exact_amount), "exact net amounts by item")
FROZEN_DISCOUNT = optional("discount", _exact_amount, "what discounts took off before; default: 0", ZERO)
PAID_AT_BILLING = optional(
    "vouchers", money, "what vouchers paid of it when the hours were billed; default: 0", ZERO, name="paid_at_billing"
)
LIMITED_AT_BILLING = optional(
    "limited_vouchers",
    MapOf("amounts of vouchers", item_code, _exact_amount),
    "what of `vouchers` was paid by those that are limited to items, by item; default: nothing",
    (),
    name="limited",
)
FROZEN_MONTH = Object(
    "a frozen month",
    (PRODUCT, MONTH, FROZEN_ITEMS, FROZEN_DISCOUNT, PAID_AT_BILLING, LIMITED_AT_BILLING),
    check=_check_frozen,
    make=_frozen,
)
ITEM = Field("item", item_code, "the item")
SPEC = Field("spec", spec_code, "the spec")
REGION = Field("region", region_id, "the region")
USED = Field("used", _use, "after plans, in base units: seconds, MB, GB-hours, frames, images, requests or messages")
MONTH_USE = Object("a month's use", (PRODUCT, MONTH, ITEM, SPEC, REGION, USED), make=entries.keyed)
CHARGED_DAY = Field("day", word("a day", _DAY, kinds.BAD_TIME, "one such as 2023-11-10"), "the day the cycles begin on")
DIGESTS = Field(
    "digests",
    ListOf(
        "digests",
        word("a digest", _DIGEST, kinds.BAD_ID, "an hour and 10 hexadecimal digits after a dash"),
        unique=True,
    ),
    "a digest for each cycle that was charged, which begins with its hour",
)
HOURS = Field(
    "hours",
    kept(Text("hours", _parse_hours, _HOURS, kinds.BAD_ID), lambda hours: f"x{hours:x}"),
    "x and a hexadecimal number, whose lowest bit is the first hour of the month",
)
CHARGED_MONTH = Object("the charged cycles of a month", (PRODUCT, MONTH, HOURS), make=entries.keyed)
CHARGED_CYCLES = Object("the charged cycles of a day", (PRODUCT, CHARGED_DAY, DIGESTS), make=entries.keyed)

DISCOUNT_ITEMS = optional(
    "items", ListOf("the discount's items", item_code, unique=True), "the only items that it holds for; default: all"
)
DISCOUNT_REGIONS = optional(
    "regions",
    ListOf("the discount's regions", region_id, unique=True),
    "the only regions that it holds for; default: all",
)
DISCOUNT_FROM = optional("effective_from", moment("a start"), "cycles that start from then on; default: no start")
DISCOUNT_UNTIL = optional("expires_at", moment("an expiry"), "cycles that start before then; default: no end")
PERCENT = Field("percent", entries.percent, "what it takes off the amount of a line, such as 8")
DISCOUNT = Object(
    "a discount",
    (ID, PERCENT, DISCOUNT_ITEMS, DISCOUNT_REGIONS, DISCOUNT_FROM, DISCOUNT_UNTIL),
    make=entries.made(Discount),
)
DISCOUNTS = list_of(
    "discounts",
    "the discounts",
    DISCOUNT,
    "discounts of the contract; if several apply to a line, the largest is used; they are not added up",
    ID,
)
SETTLEMENT = optional(
    "settlement",
    Choice[Settlement]("a settlement", words("hourly", "monthly"), kinds.UNKNOWN_SETTLEMENT),
    "when bills are settled; overrides the price sheets; default: as in the price sheets",
)
SETTLEMENT_FROM = optional(
    "settlement_from",
    moment("a month's start"),
    "the start of the month from which `settlement` holds; default: always",
)
VOUCHERS_AT = optional(
    "vouchers_at",
    Choice[VouchersAt]("a time at which vouchers pay", words("settlement", "billing"), kinds.UNKNOWN_SETTLEMENT),
    "when vouchers pay: at settlement, or at billing, hour by hour, also where the month is settled as a whole;"
    " default: settlement",
    "settlement",
)
CONTRACT: tuple[Field[Any], ...] = (DISCOUNTS, SETTLEMENT, SETTLEMENT_FROM, VOUCHERS_AT)

FORMAT = format_field(FORMAT_NAME, kinds.UNKNOWN_FORMAT)
CURRENCY = Field("currency", currency(kinds.BAD_CURRENCY), "the currency of all money in the file")
TOP_UPS = list_of("top_ups", "the top-ups", TOP_UP, "money paid in", TOP_UP_ID)
SETTLED_THROUGH = optional("settled_through", moment("a time"), "cycles of every product that end by then are done")
SETTLED_BY_PRODUCT = optional(
    "settled_through_by_product",
    MapOf("times by product", product_code, moment("a time")),
    f"the same for each product, which then alone decides; `{values.EVERY_PRODUCT}` means every other product",
)
SETTLED_AT = optional("settled_at", moment("a time"), "the time that the account has reached")
OUTSTANDING = list_of("outstanding", "outstanding bills", DEBT, "oldest first")
OUTSTANDING_MONTHS = list_of(
    "outstanding_months", "months of outstanding bills", DEBT_MONTH, "the same where a month has many of them"
)
FROZEN = list_of(
    "frozen", "frozen months", FROZEN_MONTH, "months to be paid as a whole when they are over", PRODUCT, MONTH
)
_USED = "what months have used of items with tiers by the month"
MONTH_USED = list_of("month_used", "the months' use", MONTH_USE, _USED, PRODUCT, MONTH, ITEM, SPEC, REGION)
_CHARGED = "the cycles that were charged, so that the same usage is not charged again"
CHARGED = list_of("charged", "charged cycles", CHARGED_CYCLES, _CHARGED, PRODUCT, CHARGED_DAY)
_CHARGED_LONG_AGO = "the cycles that were charged long ago, so that none of them is charged again without --charge-late"
CHARGED_MONTHS = list_of("charged_months", "charged months", CHARGED_MONTH, _CHARGED_LONG_AGO, PRODUCT, MONTH)
#: The keys that the program writes, in the order in which it adds them.
KEPT: tuple[Field[Any], ...] = (
    *(key for source in SOURCES for key in source.kept_keys),
    SETTLED_THROUGH,
    SETTLED_BY_PRODUCT,
    SETTLED_AT,
    OUTSTANDING,
    OUTSTANDING_MONTHS,
    FROZEN,
    MONTH_USED,
    CHARGED,
    CHARGED_MONTHS,
)
#: The keys of sources that people write: single values, then lists.
_SOURCE_KEYS: list[Field[Any]] = sorted(
    (key for source in SOURCES for key in source.keys),
    key=lambda key: (isinstance(key.shape, ListOf), not key.required),
)


def _account(
    *,
    settled_through: int | None = None,
    settled_through_by_product: dict[str, int] | None = None,
    outstanding: tuple[Debt, ...] = (),
    outstanding_months: tuple[tuple[Debt, ...], ...] = (),
    month_used: Iterable[tuple[Any, int]] = (),
    charged: Iterable[tuple[Any, tuple[str, ...]]] = (),
    charged_months: Iterable[tuple[Any, int]] = (),
    **others: Any,
) -> Account:
    """Make an account whose sources are still empty. `settled_through` applies to every product, unless times of single products
    are given, which then take precedence."""
    whole = {} if settled_through is None else {values.EVERY_PRODUCT: settled_through}
    return Account(
        contract=Contract(**{key.key: others.pop(key.key) for key in CONTRACT if key.key in others}),
        settled_through=settled_through_by_product or whole,
        outstanding=tuple(sorted(chain(outstanding, *outstanding_months), key=values.debt_order)),
        month_used=dict(month_used),
        charged=dict(charged),
        charged_months=dict(sorted(charged_months)),
        **others,
    )


#: The keys from which a source makes its own instance.
_OF_SOURCES = {key.key for source in SOURCES for key in (*source.keys, *source.kept_keys)}
_FIELDS = (FORMAT, ID, CURRENCY, *_SOURCE_KEYS, TOP_UPS, *CONTRACT, *KEPT)
ACCOUNT = Object(
    "an account",
    tuple(replace(key, name=None) if key.key in _OF_SOURCES else key for key in _FIELDS),
    needs={SETTLEMENT_FROM.key: SETTLEMENT.key},
    make=_account,
)
DOCUMENT = Document("mps-bill account, version 1", ACCOUNT, kinds.UNREADABLE_FILE)
