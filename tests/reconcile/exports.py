"""Exports as the provider writes them, made from our own bills, so that a test can plant an error in them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from mps_bill.core.decimals import plain, stripped
from mps_bill.core.times import clock
from mps_bill.core.units import in_unit
from mps_bill.rating.bills import Bill
from mps_bill.settlement.settle_cycles import Settlement

CENT = Decimal("0.01")
HEADER = [
    "账期",
    "财务单元",
    "账号ID",
    "账号",
    "Owner账号",
    "产品Code",
    "产品",
    "产品明细Code",
    "产品明细",
    "消费类型",
    "消费时间",
    "账单开始时间",
    "账单结束时间",
    "服务时长",
    "订单号/账单号",
    "账单类型",
    "计费方式",
    "实例ID",
    "实例昵称",
    "资源组",
    "实例标签",
    "实例配置",
    "实例规格",
    "公网IP",
    "私网IP",
    "地域",
    "可用区",
    "计费项",
    "单价",
    "单价单位",
    "用量",
    "用量单位",
    "资源包抵扣",
    "原价",
    "优惠金额",
    "优惠券抵扣",
    "应付金额",
    "现金支付",
    "代金券抵扣",
    "储值卡支付金额",
    "欠费金额",
]
#: The names of the console's columns in the API.
API = {
    "账单开始时间": "UsageStartTime",
    "账单结束时间": "UsageEndTime",
    "产品": "ProductName",
    "消费类型": "SubscriptionType",
    "实例ID": "InstanceID",
    "地域": "Region",
    "计费项": "BillingItem",
    "单价": "ListPrice",
    "用量": "Usage",
    "用量单位": "UsageUnit",
    "资源包抵扣": "DeductedByResourcePackage",
    "原价": "PretaxGrossAmount",
    "优惠金额": "InvoiceDiscount",
    "优惠券抵扣": "DeductedByCoupons",
    "应付金额": "PretaxAmount",
    "现金支付": "PaymentAmount",
    "代金券抵扣": "DeductedByCashCoupons",
    "储值卡支付金额": "DeductedByPrepaidCard",
    "欠费金额": "OutstandingAmount",
}
_UNITS = {"minute": "分钟", "second": "秒", "frame": "帧", "request": "次"}
_MONEY = ("原价", "优惠金额", "优惠券抵扣", "应付金额", "现金支付", "代金券抵扣", "储值卡支付金额", "欠费金额")
Row = dict[str, str]


def rows_of(bills: Iterable[Bill], settlements: Sequence[Settlement] = ()) -> list[Row]:
    """A row per line of every bill, its payable at two decimals; the odd cents stand on the first rows that can bear them."""
    paid = {id(one.bill): one for one in settlements}
    rows: list[Row] = []
    for bill in bills:
        amounts = [line.amount.quantize(CENT, ROUND_HALF_UP) for line in bill.lines]
        odd = int((sum(amounts, Decimal(0)) - bill.amounts.payable) / CENT)
        for index in range(len(amounts)):
            if odd > 0 and amounts[index] >= CENT:
                amounts[index] -= CENT
                odd -= 1
            elif odd < 0:
                amounts[index] += CENT
                odd += 1
        assert not odd, "the rows cannot bear the odd cents"
        sources = _sources(paid.get(id(bill)), bill.amounts.payable)
        for line, payable in zip(bill.lines, amounts, strict=True):
            rows.append(_row(bill, line, payable) | _pay(payable, sources))
    return rows


def _row(bill: Bill, line, payable: Decimal) -> Row:
    offset = bill.cycle.sheet.billing.calendar.offset
    start, end, issued = (f"{clock(at, offset)}:00" for at in (bill.cycle.start, bill.cycle.end, bill.cycle.issued_at))
    unit = _UNITS[line.item.unit.name]
    return {
        "账期": start[:7],
        "产品": "智能媒体服务",
        "消费类型": "后付费",
        "消费时间": issued,
        "账单开始时间": start,
        "账单结束时间": end,
        "实例ID": f"17;{line.region};admin-17",
        "地域": line.region,
        "计费项": line.spec,
        "单价": plain(line.unit_price),
        "单价单位": f"元/{unit}",
        "用量": plain(in_unit(line.micros, line.item.unit)),
        "用量单位": unit,
        "资源包抵扣": plain(in_unit(line.plan_micros, line.item.unit)),
        "原价": stripped(line.amount),
        "优惠金额": stripped(line.amount - payable),
        "优惠券抵扣": "0",
        "应付金额": plain(payable),
    }


def _sources(settlement: Settlement | None, payable: Decimal) -> dict[str, Decimal]:
    """What is left of every source of a bill; without an account it is all cash."""
    if settlement is None:
        return {"现金支付": payable}
    payment = settlement.payment
    return {
        "代金券抵扣": payment.paid_by("voucher"),
        "储值卡支付金额": payment.paid_by("stored_value_card"),
        "现金支付": payment.paid_by("balance") + payment.paid_by("credit_line"),
        "欠费金额": payment.outstanding,
    }


def _pay(payable: Decimal, sources: dict[str, Decimal]) -> Row:
    paid = dict.fromkeys(_MONEY[4:], Decimal(0))
    for column in sources:
        paid[column] = min(payable, sources[column])
        sources[column] -= paid[column]
        payable -= paid[column]
    return {column: plain(amount) for column, amount in paid.items()}


def closing_row(rows: Iterable[Row]) -> Row:
    members = list(rows)
    return {"消费时间": "合计"} | {
        column: plain(sum((Decimal(row[column]) for row in members), Decimal(0))) for column in _MONEY
    }


def console_csv(rows: Iterable[Mapping[str, str]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, HEADER, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def api_json(rows: Sequence[Mapping[str, str]]) -> str:
    """The answer of the bill API; amounts are JSON numbers, written as the rows have them."""
    items = []
    for row in rows:
        cells = [
            f'"{API[name]}": ' + (value if name in _MONEY else json.dumps(value))
            for name, value in row.items()
            if name in API
        ]
        items.append("{" + ", ".join(cells) + ', "Tag": null}')
    data = (
        f'{{"TotalCount": {len(items)}, "BillingCycle": "2023-11", "Items": {{"Item": [\n' + ",\n".join(items) + "\n]}}"
    )
    return f'{{"Code": "Success", "Data": {data}}}\n'


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path
