"""The columns of the provider's bill exports, in every spelling.

Source: the 41 columns of the console's bill detail, the names that older exports give some of them, and the items of the
bill API (QueryInstanceBill, DescribeInstanceBill). Whatever else an export holds is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping

#: column -> its spellings, the one to prefer first
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "record": ("RecordID",),
    "month": ("账期", "BillingCycle"),
    "day": ("BillingDate",),
    "start": ("账单开始时间", "UsageStartTime"),
    "end": ("账单结束时间", "UsageEndTime"),
    "product_code": ("产品Code", "ProductCode"),
    "product": ("产品", "ProductName"),
    "subscription": ("消费类型", "SubscriptionType"),
    "bill_type": ("账单类型", "Item"),
    "instance": ("实例ID", "InstanceID"),
    "instance_spec": ("实例规格", "InstanceSpec"),
    "region": ("地域", "Region"),
    "item": ("计费项", "BillingItem"),
    "item_code": ("计费项Code", "BillingItemCode"),
    "list_price": ("单价", "ListPrice"),
    "price_unit": ("单价单位", "ListPriceUnit"),
    "usage": ("用量", "Usage"),
    "usage_unit": ("用量单位", "UsageUnit"),
    "plan": ("资源包抵扣", "DeductedByResourcePackage"),
    "list_amount": ("原价", "官网价", "PretaxGrossAmount"),
    "discount": ("优惠金额", "InvoiceDiscount"),
    "coupon": ("优惠券抵扣", "DeductedByCoupons"),
    "round_down": ("抹零优惠", "RoundDownDiscount"),
    "payable": ("应付金额", "PretaxAmount"),
    # The API has both: PaymentAmount is the cash paid, CashAmount the part of it that no refund of credit paid.
    "cash": ("现金支付", "PaymentAmount", "CashAmount"),
    "voucher": ("代金券抵扣", "DeductedByCashCoupons"),
    "card": ("储值卡支付金额", "DeductedByPrepaidCard"),
    "outstanding": ("欠费金额", "OutstandingAmount"),
    "currency": ("币种", "Currency"),
}
#: Of each group at least one must be there.
REQUIRED: tuple[tuple[str, ...], ...] = (
    ("list_amount",),
    ("payable",),
    ("product", "product_code"),
    ("item", "item_code", "instance_spec"),
    ("start", "day", "month"),
)
#: The columns that say how a bill was paid. An export that has none of them says nothing about it.
PAYMENTS = ("voucher", "card", "cash", "outstanding")
#: What is summed in the closing row of an export.
SUMMED = ("list_amount", "discount", "coupon", "payable", *PAYMENTS)
#: The closing row, which has no month, says so in one of its cells.
CLOSING_WORD = "合计"
#: Columns that may stand in an export twice, in two spellings; the one to prefer counts.
_SEVERAL = ("cash",)

_COLUMN_OF = {spelling.casefold(): column for column, spellings in SPELLINGS.items() for spelling in spellings}


def shown(column: str) -> str:
    """A column as messages name it."""
    return " or ".join(SPELLINGS[column])


def find_columns(names: list[str]) -> tuple[dict[str, int], list[tuple[int, str]], list[str]]:
    """Where each known column stands among the names of a header; columns that stand twice, as (index, message); and what
    is missing, as messages."""
    found: dict[str, int] = {}
    repeated: list[tuple[int, str]] = []
    for index, name in enumerate(names):
        column = _COLUMN_OF.get(name.strip().casefold())
        if column is None:
            continue
        first = found.setdefault(column, index)
        if first == index:
            continue
        if column in _SEVERAL:
            found[column] = min(first, index, key=lambda at, column=column: _rank(column, names[at]))  # type: ignore[misc]
        else:
            message = f"{name.strip()} says the same as {names[first].strip()} in column {first + 1}; remove one"
            repeated.append((index, message))
    missing = [
        f"there is no column for {', '.join(map(shown, group))}; is this an export of bill details?"
        for group in REQUIRED
        if not any(column in found for column in group)
    ]
    return found, repeated, missing


def _rank(column: str, name: str) -> int:
    return [spelling.casefold() for spelling in SPELLINGS[column]].index(name.strip().casefold())
