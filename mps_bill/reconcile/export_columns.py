"""The columns of the provider's bill exports, in every spelling, and the fee types of their rows.

Sources: the 41 columns of the console's older bill detail, the names that older exports give some of them, the items of the
bill API (QueryInstanceBill, DescribeInstanceBill, QueryBill, QuerySettleBill, QueryBillOverview), and today's export
(consumedetailbillv2), whose headings have a group before a slash. Other columns are ignored.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from mps_bill.core.diagnostics import one_of
from mps_bill.core.language import mark, said

#: column -> its spellings, the preferred one first. Case, spaces and a group before a slash make no difference, so the names of
#: the API are also the English headings.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "record": ("RecordID", "账单明细ID"),
    "month": ("账期", "BillingCycle", "账单月份"),
    "day": ("BillingDate", "账单日期"),
    "start": ("账单开始时间", "UsageStartTime", "服务开始时间"),
    "end": ("账单结束时间", "UsageEndTime", "服务结束时间"),
    "product_code": ("产品Code", "ProductCode"),
    "product": ("产品", "ProductName", "产品名称"),
    "subscription": ("消费类型", "SubscriptionType"),
    "bill_type": ("账单类型", "Item"),
    "fee": ("费用类型",),
    "instance": ("实例ID", "InstanceID", "实例ID（出账粒度）"),
    "instance_spec": ("实例规格", "InstanceSpec"),
    "region": ("地域Code", "地域", "Region"),
    "item": ("计费项", "BillingItem", "计费项名称", "BillingItemName"),
    "item_code": ("计费项Code", "BillingItemCode"),
    "list_price": ("单价", "ListPrice", "官网目录价"),
    "price_unit": ("单价单位", "ListPriceUnit", "价格单位"),
    "usage": ("用量", "Usage"),
    "usage_before": ("抵扣前用量",),
    "usage_unit": ("用量单位", "UsageUnit"),
    "plan": ("资源包抵扣", "DeductedByResourcePackage"),
    "list_amount": ("原价", "官网价", "PretaxGrossAmount", "目录总价"),
    "discount": ("优惠金额", "InvoiceDiscount"),
    "coupon": ("优惠券抵扣", "DeductedByCoupons", "优惠券抵扣金额"),
    "round_down": ("抹零优惠", "RoundDownDiscount"),
    "payable": ("应付金额", "PretaxAmount", "应付金额（含税）"),
    "cash": ("现金支付", "CashAmount"),
    # A refund of credit pays like cash: PaymentAmount = CashAmount + AdjustAmount.
    "adjust": ("信用额度退款抵扣", "AdjustAmount"),
    "paid": ("PaymentAmount",),
    "voucher": ("代金券抵扣", "DeductedByCashCoupons"),
    "card": ("储值卡支付金额", "DeductedByPrepaidCard"),
    "outstanding": ("欠费金额", "OutstandingAmount"),
    "currency": ("币种", "Currency", "定价币种"),
}
#: An export has at least one column of each group.
REQUIRED: tuple[tuple[str, ...], ...] = (
    ("list_amount",),
    ("payable",),
    ("product", "product_code"),
    ("start", "day", "month"),
)
#: The payment columns, each with its name for people and the note of a difference. An export may have none of them.
PAYMENTS: Mapping[str, tuple[str, str]] = {
    "voucher": (mark("Vouchers", "paid"), said("paid by vouchers")),
    "card": (mark("Stored-value cards", "paid"), said("paid by stored-value cards")),
    "cash": (mark("Cash", "paid"), said("paid by cash")),
    "outstanding": (mark("Outstanding"), said("outstanding")),
}
#: The columns that the closing row of an export sums.
SUMMED = ("list_amount", "discount", "coupon", "payable", *PAYMENTS, "paid", "adjust")
#: The purpose of a row -> its names as 费用类型, 账单类型 and the API's Item. Only usage and rounding are part of usage bills.
FEES: Mapping[str, tuple[str, ...]] = {
    "usage": ("云资源按量费用", "按量付费", "按量付费费用", "PayAsYouGoBill"),
    "free": ("免费额度",),
    "rounding": ("抹零费用",),
    "adjustment": ("调账费用", "调账", "Adjustment"),
    "prepaid": ("订阅预付费用", "SubscriptionOrder"),
    "refund": ("订阅退订费用", "Refund"),
    "cap": ("保底封顶费用",),
    "subscription": ("订阅后付费用",),
    "commission": ("佣金费用",),
}
#: The closing row has no month, and has this word in a cell.
CLOSING_WORD = "合计"
#: Columns that an export may have twice, in two spellings; the preferred one counts.
_SEVERAL = ("region", "item", "instance")


@lru_cache(maxsize=10_000)
def heading(name: str) -> str:
    """A heading in the form used for look-up: case, spaces and full-width forms make no difference."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


_COLUMN_OF = {heading(spelling): column for column, spellings in SPELLINGS.items() for spelling in spellings}
_FEE_OF = {heading(spelling): fee for fee, spellings in FEES.items() for spelling in spellings}


def fee_of(name: str) -> str | None:
    """The key of `FEES` for a fee type or bill type; None if the name is unknown."""
    return _FEE_OF.get(heading(name))


def find_columns(
    names: Sequence[str], given: Collection[str] = (), own: Mapping[str, str] | None = None
) -> tuple[dict[str, int], list[tuple[int, str]], list[str]]:
    """Find the number of each known column in a header. Also return duplicate columns, as (number, message), and missing ones, as
    messages. The columns of `given` may be missing. `own` maps headings of a mapping to columns; they take precedence over the
    known spellings of these columns."""
    own = own or {}
    found: dict[str, int] = {}
    duplicates: list[tuple[int, str]] = []
    columns = [_column(name, own) for name in names]
    named = {column for column in columns if column}
    for index, name in enumerate(names):
        column = columns[index] or _column(name, _COLUMN_OF)
        if column is None or (column in named and not columns[index]):
            continue
        first = found.setdefault(column, index)
        if first != index and column in _SEVERAL and column not in named:
            found[column] = min(first, index, key=lambda at, column=column: _rank(column, names[at]))  # type: ignore[misc]
        elif first != index:
            message = f"{name.strip()} is the same column as {names[first].strip()}, column {first + 1}; remove one"
            duplicates.append((index, message))
    lacking = [group for group in REQUIRED if not any(column in found or column in given for column in group)]
    spellings = ([spelling for column in group for spelling in SPELLINGS[column]] for group in lacking)
    missing = [f"no column {one_of(known)}; is this an export of bill details?" for known in spellings]
    return found, duplicates, missing


def are_garbled(names: Sequence[str]) -> bool:
    """Whether headings were read or saved in a wrong encoding: in another they are known, or their characters are lost."""
    text = ",".join(names)
    if "??" in text:
        return True
    if any(is_heading(name) for name in names):
        return False
    if "\ufffd" in text:
        return True
    meant = (text.encode(seen, "ignore").decode(meant, "ignore").split(",") for seen, meant in _MISREAD)
    return any(is_heading(name) for other in meant for name in other)


def is_heading(name: str) -> bool:
    """Whether a heading is known, in any spelling."""
    return _column(name, _COLUMN_OF) is not None


def is_focus(names: Sequence[str]) -> bool:
    """Whether headings are those of the FOCUS specification."""
    return {"billedcost", "chargeperiodstart"} <= {heading(name) for name in names}


#: The encoding with which text was read, and its real one.
_MISREAD = (
    ("cp1252", "utf-8"),
    ("latin-1", "utf-8"),
    ("latin-1", "gb18030"),
    ("gb18030", "utf-8"),
    ("utf-8", "gb18030"),
)


def _column(name: str, columns: Mapping[str, str]) -> str | None:
    """The column of a heading, with or without the group before its slash."""
    return columns.get(heading(name)) or columns.get(heading(name.partition("/")[2]))


def _rank(column: str, name: str) -> int:
    folded = [heading(spelling) for spelling in SPELLINGS[column]]
    return min(folded.index(one) for one in (heading(name), heading(name.partition("/")[2])) if one in folded)
