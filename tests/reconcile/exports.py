"""Exports as the provider writes them, made from our own bills, so that a test can plant an error in them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from mps_bill.core.decimals import plain, stripped
from mps_bill.core.diagnostics import Problem
from mps_bill.core.times import clock
from mps_bill.core.units import in_unit
from mps_bill.documents.read_document import read_text
from mps_bill.rating.bills import Bill
from mps_bill.reconcile.export_mapping import DOCUMENT, BillMapping, mapping_of
from mps_bill.settlement.settle_cycles import Settlement

CENT = Decimal("0.01")


def read_mapping(text: str, name: str) -> tuple[BillMapping | None, tuple[Problem, ...]]:
    """The mapping that a text is, or every problem with it."""
    return mapping_of(read_text(DOCUMENT, text, name))


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
    """A row per line of every bill, its payable at two decimals; the odd cents are on the first rows that can bear them."""
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
        "资源包抵扣": plain(in_unit(line.covered_micros, line.item.unit)),
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


#: The headings of consumedetailbillv2, with their groups.
V2 = [
    "标识信息/账单明细ID",
    "账单信息/账单月份",
    "账单信息/账单日期",
    "账单信息/费用类型",
    "账单信息/服务开始时间",
    "账单信息/服务结束时间",
    "产品信息/产品Code",
    "产品信息/产品名称",
    "产品信息/计费项Code",
    "产品信息/计费项名称",
    "资源信息/地域Code",
    "资源信息/地域",
    "资源信息/实例ID（出账粒度）",
    "定价信息/官网目录价",
    "定价信息/价格单位",
    "定价信息/定价币种",
    "用量信息/抵扣前用量",
    "用量信息/用量",
    "用量信息/用量单位",
    "优惠信息/优惠金额",
    "优惠信息/优惠后金额",
    "优惠券抵扣信息/优惠券抵扣金额",
    "费用信息/目录总价",
    "应付信息/应付金额（含税）",
]
ROUNDING = "抹零费用"


def v2_rows(bills: Iterable[Bill]) -> list[Row]:
    """A row per line of every bill by its exact amount, and one for the rounding of each; headings without their groups."""
    rows: list[Row] = []
    for bill in bills:
        for line in bill.lines:
            old = _row(bill, line, line.amount)
            left = Decimal(old["用量"]) - Decimal(old["资源包抵扣"])
            rows.append(
                {
                    **_v2_head(bill, "云资源按量费用"),
                    "计费项名称": old["计费项"],
                    "地域Code": old["地域"],
                    "地域": "华东2（上海）",
                    "实例ID（出账粒度）": old["实例ID"],
                    "官网目录价": old["单价"],
                    "价格单位": old["单价单位"],
                    "抵扣前用量": old["用量"],
                    "用量": plain(left),
                    "用量单位": old["用量单位"],
                    "优惠金额": stripped(line.discount),
                    "优惠后金额": stripped(line.net),
                    "优惠券抵扣金额": "0",
                    "目录总价": old["原价"],
                    "应付金额（含税）": stripped(line.net),
                }
            )
        if rounding := bill.amounts.rounding_adjustment:
            rows.append({**_v2_head(bill, ROUNDING), "应付金额（含税）": stripped(rounding)})
    return rows


def _v2_head(bill: Bill, fee: str) -> Row:
    offset = bill.cycle.sheet.billing.calendar.offset
    start, end = (f"{clock(at, offset)}:00" for at in (bill.cycle.start, bill.cycle.end))
    return {
        "账单月份": start[:7].replace("-", ""),
        "账单日期": start[:10].replace("-", ""),
        "费用类型": fee,
        "服务开始时间": start,
        "服务结束时间": end,
        "产品Code": "mts",
        "产品名称": "智能媒体服务",
        "定价币种": "USD",
    }


def v2_csv(rows: Iterable[Mapping[str, str]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(V2)
    writer.writerows([row.get(name.partition("/")[2], "") for name in V2] for row in rows)
    return stream.getvalue()


def bill_items(bills: Iterable[Bill]) -> list[dict[str, str]]:
    """The items of QueryBill: a row per hourly bill, without billing items."""
    items = []
    for bill in bills:
        amounts = bill.amounts
        head = _v2_head(bill, "")
        items.append(
            {
                "UsageStartTime": head["服务开始时间"],
                "UsageEndTime": head["服务结束时间"],
                "ProductName": "智能媒体服务",
                "SubscriptionType": "PayAsYouGo",
                "Item": "PayAsYouGoBill",
                "PretaxGrossAmount": stripped(sum((line.amount for line in bill.lines), Decimal(0))),
                "InvoiceDiscount": stripped(sum((line.discount for line in bill.lines), Decimal(0))),
                "DeductedByCoupons": "0",
                "RoundDownDiscount": stripped(-amounts.rounding_adjustment),
                "PretaxAmount": stripped(amounts.payable),
                "DeductedByCashCoupons": "0",
                "DeductedByPrepaidCard": "0",
                "CashAmount": stripped(amounts.payable),
                "AdjustAmount": "0",
                "PaymentAmount": stripped(amounts.payable),
                "OutstandingAmount": "0",
            }
        )
    return items


def answer(items: Sequence[Mapping[str, str]], **more: object) -> str:
    """An answer with its amounts as numbers, and what else it says of its items."""
    numbers = ("Amount", "Discount", "Coupons", "Card")
    listed = ", ".join(
        "{"
        + ", ".join(
            f'"{name}": {value if name.endswith(numbers) else json.dumps(value)}' for name, value in item.items()
        )
        + "}"
        for item in items
    )
    facts = json.dumps({"BillingCycle": "2023-11", "AccountID": "1", **more})[1:-1]
    return f'{{"Code": "Success", "Success": true, "Data": {{{facts}, "Items": {{"Item": [{listed}]}}}}}}'
