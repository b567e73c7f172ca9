"""The columns of the provider's bill exports, in every spelling.

Source: the 41 columns of the console's bill detail, the names that older exports give some of them, and the items of the
bill API (QueryInstanceBill, DescribeInstanceBill). Other columns are ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mps_bill.core.diagnostics import one_of

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
#: An export has at least one of each group.
REQUIRED: tuple[tuple[str, ...], ...] = (
    ("list_amount",),
    ("payable",),
    ("product", "product_code"),
    ("item", "item_code", "instance_spec"),
    ("start", "day", "month"),
)
#: The columns of how a bill was paid. An export may have none of them.
PAYMENTS = ("voucher", "card", "cash", "outstanding")
#: The columns that the closing row of an export sums.
SUMMED = ("list_amount", "discount", "coupon", "payable", *PAYMENTS)
#: The closing row has no month, and this in one of its cells.
CLOSING_WORD = "合计"
#: Columns that an export may have twice, in two spellings; the preferred one counts.
_SEVERAL = ("cash",)

_COLUMN_OF = {spelling.casefold(): column for column, spellings in SPELLINGS.items() for spelling in spellings}


def find_columns(
    names: Sequence[str], given: Collection[str] = ()
) -> tuple[dict[str, int], list[tuple[int, str]], list[str]]:
    """The number of each known column among the names of a header; duplicate columns, as (number, message); and missing
    ones, as messages. The columns of `given` need not be among the names."""
    found: dict[str, int] = {}
    duplicates: list[tuple[int, str]] = []
    for index, name in enumerate(names):
        column = _COLUMN_OF.get(name.strip().casefold())
        if column is None:
            continue
        first = found.setdefault(column, index)
        if first != index and column in _SEVERAL:
            found[column] = min(first, index, key=lambda at, column=column: _rank(column, names[at]))  # type: ignore[misc]
        elif first != index:
            message = f"{name.strip()} is the same column as {names[first].strip()}, column {first + 1}; remove one"
            duplicates.append((index, message))
    lacking = [group for group in REQUIRED if not any(column in found or column in given for column in group)]
    spellings = ([spelling for column in group for spelling in SPELLINGS[column]] for group in lacking)
    missing = [f"no column {one_of(known)}; is this an export of bill details?" for known in spellings]
    return found, duplicates, missing


def _rank(column: str, name: str) -> int:
    return [spelling.casefold() for spelling in SPELLINGS[column]].index(name.strip().casefold())
