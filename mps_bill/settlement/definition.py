"""The account file format, said once: the reader goes by it, and editors get it as a JSON Schema.

The keys from `credit_used` on are written by the program. A file without them is an account that has paid nothing yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from mps_bill.core.decimals import AMOUNT_PLACES, PLAIN_DECIMAL, parse_plain_decimal
from mps_bill.core.diagnostics import Kind, quoted
from mps_bill.core.shape import Choice, Field, ListOf, MapOf, Record, Schema, Text, json_schema, matching
from mps_bill.core.times import LOCAL_TIME, OFFSET, parse_second
from mps_bill.core.units import QUANTITY_PLACES, UNITS
from mps_bill.settlement import kinds
from mps_bill.settlement.account import EVERY_PRODUCT, MONEY_PLACES

FORMAT_NAME = "mps-bill/account/1"
VOUCHER_ORDERS = ("earliest-expiry", "largest-balance")

ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.+-]*"
_NAME = r"\S([^\r\n]{0,198}\S)?"
_MONTH = r"(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])"
_CURRENCY = r"[A-Z]{3}"
_DAY = rf"{_MONTH}-(0[1-9]|[12][0-9]|3[01])"
#: A month has at most 744 hours, a bit each.
_HOURS = r"x[1-9a-f][0-9a-f]{0,185}"
_DIGEST = r"([01][0-9]|2[0-3])-[0-9a-f]{10}"
#: A month's use is a sum of many quantities.
_USE_DIGITS = 24


def _decimal(places: int, *, above_zero: bool = False, whole_digits: int = 12) -> Callable[[str], Decimal]:
    def parse(text: str) -> Decimal:
        value = parse_plain_decimal(text, places=places, whole_digits=whole_digits)
        if above_zero and not value:
            raise ValueError(f"{quoted(text)} must be above zero")
        return value

    return parse


def _number(name: str, kind: Kind, parse: Callable[[str], Decimal]) -> Text[Decimal]:
    return Text(name, parse, PLAIN_DECIMAL, kind, number=True)


def _parse_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{quoted(text)} is neither true nor false")
    return text == "true"


_HOUR_AMOUNT = r"(0|[1-9][0-9]{0,2})=[0-9]+(\.[0-9]+)?"
_AMOUNTS = f"{_HOUR_AMOUNT}( {_HOUR_AMOUNT})*"


def _parse_amounts(text: str) -> tuple[tuple[int, Decimal], ...]:
    """The amounts of money in `0=0.65 1=0.70`, by hour."""
    if not re.fullmatch(_AMOUNTS, text):
        raise ValueError("write hours and amounts such as 0=0.65 1=0.70")
    parse = _decimal(MONEY_PLACES, above_zero=True)
    return tuple((int(hour), parse(amount)) for hour, _, amount in (word.partition("=") for word in text.split(" ")))


def _word(name: str, pattern: str, kind: Kind, example: str) -> Text[str]:
    return Text(name, matching(pattern, name, example), pattern, kind)


def _time(name: str) -> Text[int]:
    return Text(name, parse_second, f"({LOCAL_TIME})({OFFSET})", kinds.BAD_TIME)


_money = _number("an amount of money", kinds.BAD_MONEY, _decimal(MONEY_PLACES))
_exact_amount = _number("an exact amount", kinds.BAD_MONEY, _decimal(AMOUNT_PLACES))
_quantity = _number("a quantity", kinds.BAD_QUANTITY, _decimal(QUANTITY_PLACES))
_use = _number("a month's use", kinds.BAD_QUANTITY, _decimal(QUANTITY_PLACES, whole_digits=_USE_DIGITS))
_coefficient = _number("a coefficient", kinds.BAD_COEFFICIENT, _decimal(AMOUNT_PLACES, above_zero=True))
_id = _word("an id", ID_PATTERN, kinds.BAD_ID, "letters, digits, points, - or _")
_month = _word("a month", _MONTH, kinds.BAD_MONTH, "one such as 2023-11")
# Whether a word is known depends on the price sheets, so any word is read here and held against them by the reader.
_item = Text("an item code", str, _WORD, kinds.UNKNOWN_ITEM)
_spec = Text("a spec", str, _WORD, kinds.UNKNOWN_SPEC)
_region = Text("a region id", str, _WORD, kinds.UNKNOWN_REGION)
_product = Text("a product", str, _WORD, kinds.UNKNOWN_PRODUCT)

ID = Field("id", _id, "what tells it from the others")
NAME = Field("name", _word("a name", _NAME, kinds.BAD_NAME, "one line of text"), "its name for people", required=False)
EFFECTIVE_FROM = Field("effective_from", _time("a start"), "the first moment it can be used")
EXPIRES_AT = Field("expires_at", _time("an expiry"), "the moment from which it can no longer be used")

UNIT = Field("unit", Choice("a unit", tuple(UNITS), kinds.UNKNOWN_UNIT), "the unit that the plan counts in")
TOTAL = Field("total", _quantity, "what was bought, in the plan's unit")
REMAINING = Field("remaining", _quantity, "what is left of it; absent: all", required=False)
REGIONS = Field(
    "regions",
    ListOf("the plan's regions", _region, unique=True),
    "where the plan can be used; absent: everywhere",
    required=False,
)
COVERS = Field(
    "covers",
    MapOf("the plan's items", _item, MapOf("an item's specs", _spec, _coefficient)),
    "item, then spec, then how much of the plan one unit of it takes",
)
PLAN = Record("a resource plan", (ID, NAME, UNIT, TOTAL, REMAINING, EFFECTIVE_FROM, EXPIRES_AT, REGIONS, COVERS))

FACE_VALUE = Field("face_value", _money, "what it was worth at first")
MONEY_REMAINING = Field("remaining", _money, "what is left of it; absent: all", required=False)
ITEMS = Field(
    "items",
    ListOf("the voucher's items", _item, unique=True),
    "the only items that it pays for; absent: any",
    required=False,
)
MINIMUM_AMOUNT = Field(
    "minimum_amount",
    _money,
    "the least amount (of its items, where it is limited to some) it is used on",
    required=False,
)
VOUCHER = Record("a voucher", (ID, FACE_VALUE, MONEY_REMAINING, EFFECTIVE_FROM, EXPIRES_AT, ITEMS, MINIMUM_AMOUNT))
CARD = Record("a stored-value card", (ID, FACE_VALUE, MONEY_REMAINING, EFFECTIVE_FROM, EXPIRES_AT))

TOP_UP_ID = Field("id", _id, "what tells it from another of the same time and amount", required=False)
AT = Field("at", _time("a time"), "when the money arrives")
AMOUNT = Field("amount", _money, "how much")
ARRIVED = Field(
    "arrived",
    Text("a mark", _parse_bool, "true|false", kinds.BAD_NAME),
    "written by the program: true once the money is counted in the account",
    required=False,
)
TOP_UP = Record("a top-up", (TOP_UP_ID, AT, AMOUNT, ARRIVED))

PRODUCT = Field("product", _product, "the product that is billed")
CYCLE_START = Field(
    "cycle_start", _time("a cycle's start"), "the start of the bill's cycle (of the month, for a statement)"
)
MONTH = Field("month", _month, "the month")
STATEMENT_MONTH = Field("month", _month, "the month, where it is a monthly statement", required=False)
ISSUED_AT = Field("issued_at", _time("an issue time"), "when the bill was issued")
DEBT = Record("an outstanding bill", (PRODUCT, CYCLE_START, STATEMENT_MONTH, ISSUED_AT, AMOUNT))
MONTH_START = Field("from", _time("a month's start"), "the start of the month in which the bills' cycles begin")
ISSUED_AFTER = Field(
    "issued_after",
    _word("a number of seconds", r"0|[1-9][0-9]{0,8}", kinds.BAD_TIME, "digits"),
    "the seconds from the start of a cycle to the issue of its bill",
)
AMOUNTS = Field(
    "amounts",
    Text("amounts by hour", _parse_amounts, _AMOUNTS, kinds.BAD_MONEY),
    "for each bill the hour of the month that its cycle begins with (from 0), `=` and the amount",
)
DEBT_MONTH = Record("the outstanding bills of a month", (PRODUCT, MONTH_START, ISSUED_AFTER, AMOUNTS))
FROZEN_ITEMS = Field("items", MapOf("frozen amounts", _item, _exact_amount), "exact amounts by item")
FROZEN_MONTH = Record("a frozen month", (PRODUCT, MONTH, FROZEN_ITEMS))
ITEM = Field("item", _item, "the item")
SPEC = Field("spec", _spec, "the spec")
REGION = Field("region", _region, "the region")
USED = Field("used", _use, "after plans, in base units: seconds, MB, GB-hours, frames, images, requests or messages")
MONTH_USE = Record("a month's use", (PRODUCT, MONTH, ITEM, SPEC, REGION, USED))
CHARGED_DAY = Field(
    "day", _word("a day", _DAY, kinds.BAD_TIME, "one such as 2023-11-10"), "the day the cycles begin on"
)
DIGESTS = Field(
    "digests",
    ListOf(
        "digests",
        _word("a digest", _DIGEST, kinds.BAD_ID, "an hour and 10 hexadecimal digits after a dash"),
        unique=True,
    ),
    "a digest for each cycle that was charged, which begins with its hour",
)
HOURS = Field(
    "hours",
    _word("hours", _HOURS, kinds.BAD_ID, "x and hexadecimal digits"),
    "x and a hexadecimal number, of which the lowest bit stands for the first hour of the month",
)
CHARGED_MONTH = Record("the charged cycles of a month", (PRODUCT, MONTH, HOURS))
CHARGED_CYCLES = Record("the charged cycles of a day", (PRODUCT, CHARGED_DAY, DIGESTS))

FORMAT = Field(
    "format", Choice("a format that this program reads", (FORMAT_NAME,), kinds.UNKNOWN_FORMAT), f"always {FORMAT_NAME}"
)
CURRENCY = Field(
    "currency",
    _word("a currency", _CURRENCY, kinds.BAD_CURRENCY, "three capital letters such as CNY"),
    "the currency of all money in the file",
)
BALANCE = Field("balance", _money, "cash")
CREDIT_LINE = Field(
    "credit_line", _money, "how much may be owed before a bill is outstanding; absent: 0", required=False
)
RESOURCE_PLANS = Field(
    "resource_plans", ListOf("the resource plans", PLAN, may_be_empty=True), "prepaid quantities", required=False
)
VOUCHERS = Field("vouchers", ListOf("the vouchers", VOUCHER, may_be_empty=True), "vouchers", required=False)
STORED_VALUE_CARDS = Field(
    "stored_value_cards",
    ListOf("the stored-value cards", CARD, may_be_empty=True),
    "stored-value cards",
    required=False,
)
TOP_UPS = Field("top_ups", ListOf("the top-ups", TOP_UP, may_be_empty=True), "money paid in", required=False)
VOUCHER_ORDER = Field(
    "voucher_order",
    Choice("an order of vouchers", VOUCHER_ORDERS, kinds.UNKNOWN_ORDER),
    "which voucher is used first; absent: earliest-expiry",
    required=False,
)
CREDIT_USED = Field("credit_used", _money, "how much of the credit line is used", required=False)
SETTLED_THROUGH = Field(
    "settled_through", _time("a time"), "cycles of every product that end by then are done", required=False
)
SETTLED_BY_PRODUCT = Field(
    "settled_through_by_product",
    MapOf("times by product", _product, _time("a time")),
    f"the same for each product, which then alone decides; `{EVERY_PRODUCT}` stands for the products not named",
    required=False,
)
SETTLED_AT = Field("settled_at", _time("a time"), "the time that the account has reached", required=False)
OUTSTANDING = Field("outstanding", ListOf("outstanding bills", DEBT, may_be_empty=True), "oldest first", required=False)
OUTSTANDING_MONTHS = Field(
    "outstanding_months",
    ListOf("months of outstanding bills", DEBT_MONTH, may_be_empty=True),
    "the same where a month has many of them",
    required=False,
)
FROZEN = Field(
    "frozen",
    ListOf("frozen months", FROZEN_MONTH, may_be_empty=True),
    "months to be paid as a whole when they are over",
    required=False,
)
MONTH_USED = Field(
    "month_used",
    ListOf("the months' use", MONTH_USE, may_be_empty=True),
    "what months have used of items with tiers by the month",
    required=False,
)
CHARGED = Field(
    "charged",
    ListOf("charged cycles", CHARGED_CYCLES, may_be_empty=True),
    "the cycles that were charged, so that the same usage is not charged again",
    required=False,
)
CHARGED_MONTHS = Field(
    "charged_months",
    ListOf("charged months", CHARGED_MONTH, may_be_empty=True),
    "the cycles that were charged long ago, so that none of them is charged again unasked",
    required=False,
)
ACCOUNT = Record(
    "an account",
    (
        FORMAT,
        ID,
        CURRENCY,
        BALANCE,
        CREDIT_LINE,
        RESOURCE_PLANS,
        VOUCHERS,
        STORED_VALUE_CARDS,
        TOP_UPS,
        VOUCHER_ORDER,
        CREDIT_USED,
        SETTLED_THROUGH,
        SETTLED_BY_PRODUCT,
        SETTLED_AT,
        OUTSTANDING,
        OUTSTANDING_MONTHS,
        FROZEN,
        MONTH_USED,
        CHARGED,
        CHARGED_MONTHS,
    ),
)


def account_schema() -> Schema:
    """The JSON Schema of an account file, for editors. What relates one key to another is left to the reader."""
    return json_schema(ACCOUNT, "mps-bill account, version 1")
