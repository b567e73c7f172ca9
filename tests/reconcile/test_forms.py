"""Bills as they are exported today: the newest export, English headings, bills without items. The export that our own bills make
is equal in each form, and of a planted error exactly that is found."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.core.decimals import stripped
from mps_bill.reconcile.differences import Category, Reconciliation
from mps_bill.reconcile.read_export import read_exports
from tests import kit
from tests.reconcile import test_contract as contract
from tests.reconcile import test_reconcile as whole
from tests.reconcile.exports import (
    ROUNDING,
    Row,
    answer,
    bill_items,
    closing_row,
    console_csv,
    rows_of,
    v2_csv,
    v2_rows,
    write,
)
from tests.reconcile.test_reconcile import Case, found

PAYABLE = "应付金额（含税）"


def usage_rows(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["费用类型"] != ROUNDING]


def reprice(row: Row, amount: str) -> None:
    row |= {"目录总价": amount, "优惠后金额": amount, PAYABLE: amount}


def compare(case: Case, rows: list[Row]) -> Reconciliation:
    return case.compare(v2_csv(rows))


# consumedetailbillv2


def test_the_newest_export_is_equal_by_the_hour(tmp_path: Path) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    assert sum(row["费用类型"] == ROUNDING for row in rows) == 4
    result = compare(case, rows)
    assert result.equal, found(result)
    assert (result.grains, len(result.bills), result.theirs) == ({"mps": "cycle"}, 5, result.ours)
    assert not result.excluded


def test_with_plans_its_two_usages_are_what_they_covered(tmp_path: Path) -> None:
    case = Case(tmp_path, paid=True)
    rows = v2_rows(case.run.bills)
    assert ("10", "0") in {(row["抵扣前用量"], row["用量"]) for row in usage_rows(rows)}
    result = compare(case, rows)
    assert result.equal, found(result)


def quantity(rows: list[Row]) -> None:
    usage_rows(rows)[0] |= {"抵扣前用量": "11", "用量": "11"}
    reprice(usage_rows(rows)[0], "0.7161")
    rows[1][PAYABLE] = "-0.0061"


def price(rows: list[Row]) -> None:
    row = usage_rows(rows)[1]
    row["官网目录价"] = "0.07"
    reprice(row, "0.21")
    rows[3][PAYABLE] = "0"


def discount(rows: list[Row]) -> None:
    rows[0] |= {"优惠金额": "0.1", PAYABLE: "0.551"}


def coupon(rows: list[Row]) -> None:
    rows[0] |= {"优惠券抵扣金额": "0.1", PAYABLE: "0.551"}


def rounding(rows: list[Row]) -> None:
    rows[1][PAYABLE] = "-0.011"


def missing_there(rows: list[Row]) -> None:
    [row] = [row for row in usage_rows(rows) if row["抵扣前用量"] == "2"]
    rows.remove(row)


def missing_here(rows: list[Row]) -> None:
    rows.append(rows[0] | {"计费项名称": "Segmentation", "目录总价": "0.5", PAYABLE: "0.5"})


def late(rows: list[Row]) -> None:
    for row in rows[4:6]:
        assert row["服务开始时间"] == "2023-11-10 13:00:00"
        row |= {"服务开始时间": "2023-11-10 16:00:00", "服务结束时间": "2023-11-10 17:00:00"}


def deduction(rows: list[Row]) -> None:
    rows[0]["用量"] = "0"
    reprice(rows[0], "0")
    rows[1][PAYABLE] = "0"


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (quantity, [("2023-11-10 11:00", "quantity", "0.06")]),
        (price, [("2023-11-10 12:00", "price", "0.02")]),
        (discount, [("2023-11-10 11:00", "discount", "-0.1")]),
        (coupon, [("2023-11-10 11:00", "discount", "-0.1")]),
        (rounding, [("2023-11-10 11:00", "rounding", "-0.01")]),
        (missing_there, [("2023-11-10 14:00", "missing-there", "-0.0434")]),
        (missing_here, [("2023-11-10 11:00", "missing-here", "0.5")]),
        (late, [("2023-11-10 13:00", "late", "-0.45"), ("2023-11-10 16:00", "late", "0.45")]),
        (deduction, [("2023-11-10 11:00", "deduction", "-0.65")]),
    ],
)
def test_exactly_the_planted_error_is_found(
    tmp_path: Path, plant: Callable[[list[Row]], None], expected: list[tuple[str, Category, str]]
) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    plant(rows)
    result = compare(case, rows)
    assert found(result) == expected
    assert not result.contradictions


@pytest.mark.parametrize(
    ("fee", "reason"),
    [
        ("调账费用", "an adjustment by the provider"),
        ("订阅预付费用", "a prepaid order"),
        ("订阅退订费用", "a refund of a prepaid order"),
        ("保底封顶费用", "a charge for an agreed minimum or maximum"),
        ("订阅后付费用", "a subscription that is paid afterwards"),
        ("佣金费用", "a commission"),
    ],
)
def test_rows_that_are_not_usage_are_excluded_and_named(tmp_path: Path, fee: str, reason: str) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    rows.append(rows[0] | {"费用类型": fee, PAYABLE: "-5", "目录总价": ""})
    result = compare(case, rows)
    assert result.equal, found(result)
    assert [(one.reason, len(one.rows), str(one.payable)) for one in result.excluded] == [(reason, 1, "-5")]


def test_usage_needs_a_list_amount_by_the_heading_of_the_file(tmp_path: Path) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    rows[0]["目录总价"] = ""
    with pytest.raises(AssertionError, match="the row has no 费用信息/目录总价"):
        compare(case, rows)


@pytest.mark.parametrize("fee", ["新费用", "Adjustment of something"])
@pytest.mark.parametrize("list_amount", ["5", "", "-"])
def test_a_fee_type_that_nobody_knows_is_a_difference(tmp_path: Path, fee: str, list_amount: str) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    rows.append(rows[0] | {"费用类型": fee, PAYABLE: "5", "目录总价": list_amount})
    result = compare(case, rows)
    assert found(result) == [("2023-11-10 11:00", "missing-here", "5")]
    assert [one.note for _, one in result.differences] == [f'"{fee}" is not a known fee type']


def test_a_row_without_a_product_is_excluded_and_says_so(tmp_path: Path) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    rows[1] |= {"产品Code": "", "产品名称": ""}
    result = compare(case, rows)
    assert found(result) == [("2023-11-10 11:00", "rounding", "0.001")]
    assert [(one.reason, str(one.payable)) for one in result.excluded] == [("it names no product", "-0.001")]


def test_a_free_quota_is_usage_that_something_covered(tmp_path: Path) -> None:
    """Source: exports have price and amounts 0 there, and the usage before deduction."""
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    rows[0] |= {"费用类型": "免费额度", "用量": "0", "官网目录价": "0"}
    reprice(rows[0], "0")
    del rows[1]
    result = compare(case, rows)
    assert found(result) == [("2023-11-10 11:00", "deduction", "-0.65")]
    assert [(one.ours, one.theirs) for _, one in result.differences] == [(0, 10)]


@pytest.mark.parametrize("grain", ["day", "month"])
def test_rounding_of_a_longer_time_belongs_to_its_bills(tmp_path: Path, grain: str) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    total = sum(Decimal(row[PAYABLE]) for row in rows if row["费用类型"] == ROUNDING)
    one = next(row for row in rows if row["费用类型"] == ROUNDING) | {"服务开始时间": "", "服务结束时间": ""}
    if grain == "month":
        one["账单日期"] = ""
    result = compare(case, [*usage_rows(rows), one | {PAYABLE: str(total)}])
    assert result.equal, found(result)
    assert (result.grains["mps"], len(result.bills)) == ("cycle", 5)
    # What is not the rounding of these bills makes the bills of its time one.
    result = compare(case, [*usage_rows(rows), one | {PAYABLE: str(total - 1)}])
    name = "2023-11" if grain == "month" else "2023-11-10"
    assert found(result) == [(name, "rounding", "-1")]


def test_the_rounding_of_a_month_that_is_settled_as_a_whole(tmp_path: Path) -> None:
    case = Case(tmp_path, sheet=kit.SHEET.replace("settlement: hourly", "settlement: monthly"))
    rows = v2_rows(case.run.bills)
    exact = sum(Decimal(row[PAYABLE]) for row in rows)
    cents = case.compare(v2_csv(rows)).ours
    assert 0 < exact - cents < Decimal("0.01")
    head = {**rows[0], "费用类型": ROUNDING, "服务开始时间": "", "服务结束时间": "", "账单日期": ""}
    result = compare(case, [*rows, head | {PAYABLE: str(cents - exact), "目录总价": ""}])
    assert result.equal, found(result)


def test_a_usage_above_that_before_deduction_is_refused(tmp_path: Path) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    rows[0]["用量"] = "10.5"
    with pytest.raises(AssertionError, match=r"10.5 is more than the usage before deduction, 10\b"):
        compare(case, rows)


# Files


def packed(folder: Path, parts: dict[str, bytes]) -> Path:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    path = folder / "1_consumedetailbillv2_202311.zip"
    path.write_bytes(data.getvalue())
    return path


def test_the_zip_of_a_subscription_is_its_files_together(tmp_path: Path) -> None:
    case = Case(tmp_path)
    rows = v2_rows(case.run.bills)
    parts = {"a/1.csv": v2_csv(rows[:3]).encode("utf-8-sig"), "a/2.csv": v2_csv(rows[3:]).encode(), "__MACOSX/1": b"x"}
    result = case.compare_file(packed(tmp_path, parts))
    assert result.equal, found(result)
    path = tmp_path / "1_consumedetailbillv2_202311.zip"
    assert [(one.name, one.rows) for one in result.export.files] == [
        (f"{path}/a/1.csv", 3),
        (f"{path}/a/2.csv", len(rows) - 3),
    ]


def test_gzip_is_read_by_its_content(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for name in ("bill.csv.gz", "bill.csv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(v2_csv(v2_rows(case.run.bills)).encode("gb18030")))
        result = case.compare_file(path)
        assert result.equal, found(result)


# Headings


ENGLISH = {
    "账期": "Billing Cycle",
    "账单开始时间": "Usage Start Time",
    "账单结束时间": "usage end time",
    "产品": "Product Name",
    "消费类型": "Subscription Type",
    "实例ID": "Instance ID",
    "地域": "Region",
    "计费项": "Billing Item",
    "单价": "List Price",
    "单价单位": "List Price Unit",
    "用量": "Usage",
    "用量单位": "Usage Unit",
    "资源包抵扣": "Deducted By Resource Package",
    "原价": "Pretax Gross Amount",
    "优惠金额": "Invoice Discount",
    "优惠券抵扣": "Deducted By Coupons",
    "应付金额": "PRETAX AMOUNT",
    "现金支付": "Payment Amount",
    "代金券抵扣": "Deducted By Cash Coupons",
    "储值卡支付金额": "Deducted By Prepaid Card",
    "欠费金额": "Outstanding Amount",
}


def test_english_headings_are_the_names_of_the_api_with_spaces(tmp_path: Path) -> None:
    case = Case(tmp_path, paid=True)
    lines = [",".join([*ENGLISH.values(), "Round Down Discount"])]
    lines += [",".join([*(row[name] for name in ENGLISH), "0"]) for row in case.rows]
    result = case.compare("\n".join(lines) + "\n")
    assert result.equal, found(result)
    case.rows[0] |= {"用量": "11", "资源包抵扣": "11"}
    lines[1] = ",".join([*(case.rows[0][name] for name in ENGLISH), "0"])
    assert [kind for _, kind, _ in found(case.compare("\n".join(lines) + "\n"))] == ["quantity", "deduction"]


@pytest.mark.parametrize(
    ("plant", "category"),
    [
        (whole.quantity, "quantity"),
        (whole.price, "price"),
        (whole.discount, "discount"),
        (whole.cent, "rounding"),
        (whole.missing_there, "missing-there"),
        (whole.missing_here, "missing-here"),
        (whole.late, "late"),
        (whole.deduction, "deduction"),
    ],
)
def test_english_headings_find_what_chinese_ones_do(
    tmp_path: Path, plant: Callable[[Case], None], category: Category
) -> None:
    case = Case(tmp_path, paid=category == "deduction")
    plant(case)
    lines = [",".join(ENGLISH.values()), *(",".join(row[name] for name in ENGLISH) for row in case.rows)]
    differences = found(case.compare("\n".join(lines) + "\n"))
    assert differences == found(case.compare())
    assert {kind for _, kind, _ in differences} == {category}


# Discounts and vouchers of an account


@pytest.mark.parametrize("form", ["newest", "hours"])
def test_discounts_of_a_contract_are_matched(tmp_path: Path, form: str) -> None:
    case = contract.contract_case(tmp_path)
    bills = case.run.bills
    assert all(line.discount for bill in bills for line in bill.lines if line.item.code == "transcoding")
    if form == "hours":
        items = bill_items(bills)
        result = case.compare(answer(items))
        assert result.equal, found(result)
        items[0] |= {"InvoiceDiscount": "0.10208", "RoundDownDiscount": "0.00892"} | paid("0.54")
        expected = "-0.05"
        result = case.compare(answer(items))
    else:
        rows = v2_rows(bills)
        result = compare(case, rows)
        assert result.equal, found(result)
        rows[0] |= {"优惠金额": "0.10208", PAYABLE: "0.54892"}
        expected = "-0.05"
        result = compare(case, rows)
    assert found(result) == [("2023-11-10 11:00", "discount", expected)]


def test_vouchers_at_billing_are_in_the_column_of_coupons(tmp_path: Path) -> None:
    case = contract.contract_case(tmp_path, contract.ACCOUNT + contract.MONTHLY + contract.VOUCHER)
    rows = v2_rows(case.run.bills)
    left = Decimal("0.5")
    for row in rows:
        part = min(left, Decimal(row[PAYABLE]))
        left -= part
        row |= {"优惠券抵扣金额": stripped(part), PAYABLE: stripped(Decimal(row[PAYABLE]) - part)}
    result = compare(case, rows)
    assert result.equal, found(result)
    # The month is not over, so neither side is rounded. A coupon beyond our voucher is a difference.
    assert result.theirs == sum(Decimal(row[PAYABLE]) for row in rows)
    rows[-1] |= {"优惠券抵扣金额": "0.3", PAYABLE: "1.2"}
    assert found(compare(case, rows)) == [("2023-11", "discount", "-0.3")]


# Bills without items


def overview(case: Case) -> list[dict[str, str]]:
    """The month by product, as QueryBillOverview has it."""
    items = bill_items(case.run.bills)
    whole = dict(items[0])
    for name in ("PretaxGrossAmount", "RoundDownDiscount", "PretaxAmount", "CashAmount", "PaymentAmount"):
        whole[name] = str(sum(Decimal(item[name]) for item in items))
    return [{name: value for name, value in whole.items() if not name.startswith("Usage")}]


def paid_items(case: Case) -> list[dict[str, str]]:
    """The items of QueryBill of bills that an account has paid."""
    items = bill_items(case.run.bills)
    for item, one in zip(items, case.settlements, strict=True):
        by = one.payment.paid_by
        item["DeductedByCashCoupons"] = str(by("voucher"))
        item["CashAmount"] = item["PaymentAmount"] = str(by("balance"))
        item["OutstandingAmount"] = str(one.payment.outstanding)
    return items


@pytest.mark.parametrize("form", ["hours", "month", "instance"])
def test_bills_without_items_are_equal_at_the_level_that_they_have(tmp_path: Path, form: str) -> None:
    case = Case(tmp_path, paid=form == "hours")
    items = overview(case) if form == "month" else paid_items(case) if form == "hours" else bill_items(case.run.bills)
    if form == "instance":
        items = [item | {"BillingItem": "", "InstanceID": "17;cn-shanghai;admin-17"} for item in items]
    result = case.compare(answer(items, TotalCount=len(items)))
    assert result.equal, found(result)
    assert result.as_a_whole == {"mps"}
    assert len(result.bills) == (1 if form == "month" else 5)


def hour_quantity(items: list[dict[str, str]]) -> None:
    items[0] |= {"PretaxGrossAmount": "0.7161", "RoundDownDiscount": "0.0061"} | paid("0.71")


def hour_discount(items: list[dict[str, str]]) -> None:
    items[0] |= {"InvoiceDiscount": "0.01"} | paid("0.64")


def hour_coupon(items: list[dict[str, str]]) -> None:
    items[0] |= {"DeductedByCoupons": "0.1"} | paid("0.55")


def hour_rounding(items: list[dict[str, str]]) -> None:
    items[0] |= {"RoundDownDiscount": "0.011"} | paid("0.64")


def hour_late(items: list[dict[str, str]]) -> None:
    items[2] |= {"UsageStartTime": "2023-11-10 16:00:00", "UsageEndTime": "2023-11-10 17:00:00"}


def hour_missing_there(items: list[dict[str, str]]) -> None:
    del items[3]


def hour_missing_here(items: list[dict[str, str]]) -> None:
    items.append(
        items[0]
        | {"UsageStartTime": "2023-11-10 16:00:00", "UsageEndTime": "2023-11-10 17:00:00"}
        | {"PretaxGrossAmount": "9", "RoundDownDiscount": "0"}
        | paid("9")
    )


def paid(payable: str) -> dict[str, str]:
    return {"PretaxAmount": payable, "CashAmount": payable, "PaymentAmount": payable}


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (hour_quantity, [("2023-11-10 11:00", "price", "0.06")]),
        (hour_discount, [("2023-11-10 11:00", "discount", "-0.01")]),
        (hour_coupon, [("2023-11-10 11:00", "discount", "-0.1")]),
        (hour_rounding, [("2023-11-10 11:00", "rounding", "-0.01")]),
        (hour_late, [("2023-11-10 13:00", "late", "-0.45"), ("2023-11-10 16:00", "late", "0.45")]),
        (hour_missing_there, [("2023-11-10 14:00", "missing-there", "-0.26")]),
        (hour_missing_here, [("2023-11-10 16:00", "missing-here", "9")]),
    ],
)
def test_exactly_the_error_in_bills_without_items_is_found(
    tmp_path: Path, plant: Callable[[list[dict[str, str]]], None], expected: list[tuple[str, Category, str]]
) -> None:
    case = Case(tmp_path)
    items = bill_items(case.run.bills)
    plant(items)
    result = case.compare(answer(items))
    assert found(result) == expected
    assert not result.contradictions


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"PretaxGrossAmount": "+0.5"} | {"PretaxAmount": "+0.5"}, ("price", "0.5")),
        ({"InvoiceDiscount": "+0.5", "PretaxAmount": "-0.5"}, ("discount", "-0.5")),
        ({"DeductedByCoupons": "+0.01", "PretaxAmount": "-0.01"}, ("discount", "-0.01")),
        ({"RoundDownDiscount": "+0.01", "PretaxAmount": "-0.01"}, ("rounding", "-0.01")),
    ],
)
def test_exactly_the_error_in_a_month_by_product_is_found(
    tmp_path: Path, change: dict[str, str], expected: tuple[str, str]
) -> None:
    case = Case(tmp_path)
    [item] = overview(case)
    for name, by in change.items():
        item[name] = str(Decimal(item[name]) + Decimal(by))
    item |= paid(item["PretaxAmount"])
    result = case.compare(answer([item]))
    assert found(result) == [("2023-11", *expected)]
    assert not result.contradictions


def test_money_paid_otherwise_in_bills_without_items(tmp_path: Path) -> None:
    case = Case(tmp_path, paid=True)
    items = paid_items(case)
    one = next(item for item in items if Decimal(item["CashAmount"]))
    one |= {"CashAmount": "0", "PaymentAmount": "0", "DeductedByPrepaidCard": one["CashAmount"]}
    result = case.compare(answer(items))
    assert {(one.category, one.note) for _, one in result.differences} == {
        ("deduction", "paid by cash"),
        ("deduction", "paid by stored-value cards"),
    }
    assert result.ours == result.theirs


def test_a_refund_of_credit_is_part_of_what_was_paid(tmp_path: Path) -> None:
    case = Case(tmp_path)
    items = bill_items(case.run.bills)
    items[0] |= {"CashAmount": "0.25", "AdjustAmount": "0.4"}
    del items[0]["PaymentAmount"]
    result = case.compare(answer(items))
    assert result.equal, result.contradictions
    assert result.export.rows[0].amount("cash") == Decimal("0.65")
    items[0]["PaymentAmount"] = "0.64"
    [one, another] = case.compare(answer(items)).contradictions
    assert (str(one.amount), str(another.amount)) == ("0.01", "-0.01")


def test_the_chinese_heading_of_a_refund_of_credit(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows[0] |= {"可用区": "0.40", "现金支付": "0.25"}
    closing = closing_row(case.rows) | {"可用区": "0.40"}
    text = console_csv([*case.rows, closing]).replace("可用区", "信用额度退款抵扣")
    result = case.compare(text)
    assert result.equal, result.contradictions


def test_a_bill_of_zero_is_not_a_difference(tmp_path: Path) -> None:
    case = Case(tmp_path)
    items = bill_items(case.run.bills)
    money = ("Amount", "Discount", "Coupons", "Card")
    nothing = {name: "0" if name.endswith(money) else value for name, value in items[0].items()}
    nothing |= {"UsageStartTime": "2023-11-20 11:00:00", "UsageEndTime": "2023-11-20 12:00:00"}
    result = case.compare(answer([*items, nothing]))
    assert result.equal, found(result)
    something = nothing | dict.fromkeys(("PretaxGrossAmount", "PretaxAmount", "CashAmount", "PaymentAmount"), "1")
    result = case.compare(answer([*items, something]))
    assert [(category, amount) for _, category, amount in found(result)] == [("missing-here", "1")]


# One month in two forms


def daily_items(case: Case) -> list[dict[str, str]]:
    """The items of DescribeInstanceBill by the day, made from today's export."""
    names = {
        "账单日期": "BillingDate", "产品Code": "ProductCode", "产品名称": "ProductName", "计费项名称": "BillingItem",
        "目录总价": "PretaxGrossAmount", PAYABLE: "PretaxAmount",
    }  # fmt: skip
    rows = [row for row in v2_rows(case.run.bills) if row.get("计费项名称")]
    return [
        {english: row[chinese] for chinese, english in names.items()}
        | {"BillingDate": f"{row['账单日期'][:4]}-{row['账单日期'][4:6]}-{row['账单日期'][6:]}"}
        for row in rows
    ]


def english(items: list[dict[str, str]]) -> str:
    header = ["Billing Cycle", *items[0]]
    lines = [header, *(["2023-11", *item.values()] for item in items)]
    return "".join(f"{','.join(line)}\n" for line in lines)


def in_form(case: Case, form: str) -> str:
    bills = bill_items(case.run.bills)
    return {
        "bills": lambda: answer(bills, TotalCount=len(bills)),
        "overview": lambda: answer(overview(case), TotalCount=1),
        "english": lambda: english(bills),
        "41 columns": lambda: console_csv(rows_of(case.run.bills)),
        "today's": lambda: v2_csv(v2_rows(case.run.bills)),
        "daily items": lambda: answer(daily_items(case)),
    }[form]()


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("bills", "overview"), ("bills", "english"), ("overview", "english"), ("41 columns", "today's"),
        ("today's", "daily items"), ("41 columns", "daily items"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_one_month_is_not_given_in_two_forms(tmp_path: Path, first: str, other: str, turned: bool) -> None:
    case = Case(tmp_path)
    forms = [other, first] if turned else [first, other]
    paths = [str(write(tmp_path / f"bill-{number}", in_form(case, form))) for number, form in enumerate(forms)]
    for path in paths:
        assert not read_exports([path], "USD")[1]
    export, problems = read_exports(paths, "USD")
    assert export is None
    [found] = [str(problem) for problem in problems]
    assert found.startswith(f'{paths[1]}: it has the bills of "智能媒体服务" of 2023-11')
    assert f"so has {paths[0]} in another form; give one of them [R109 repeated-export]" in found


def test_two_forms_of_other_months_or_products_are_one_export(tmp_path: Path) -> None:
    case = Case(tmp_path)
    text = in_form(case, "today's")
    for old, new in (("2023", "2024"), ("智能媒体服务", "另一个")):
        other = text.replace(old, new).replace(",mts,", ",mts," if old == "2023" else ",other,")
        paths = [str(write(tmp_path / "a.csv", in_form(case, "41 columns"))), str(write(tmp_path / "b.csv", other))]
        assert not read_exports(paths, "USD")[1]


def test_two_forms_in_one_file_are_refused(tmp_path: Path) -> None:
    case = Case(tmp_path)
    path = write(tmp_path / "bills.jsonl", f"{in_form(case, 'bills')}\n{in_form(case, 'overview')}\n")
    problems = read_exports([str(path)], "USD")[1]
    assert ["R109" in str(problem) for problem in problems] == [True]
