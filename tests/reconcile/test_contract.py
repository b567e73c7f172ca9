"""An account with a contract against the provider's bill: its discounts and the vouchers that pay at billing are matched."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.core.decimals import plain, stripped
from mps_bill.core.times import clock
from tests.reconcile.exports import CENT, Row, console_csv, write
from tests.reconcile.test_reconcile import Case, found, pay

ACCOUNT = """\
balance: 100
discounts:
  - {id: d-1, percent: 8, items: [transcoding]}
"""
MONTHLY = "settlement: monthly\nvouchers_at: billing\n"
VOUCHER = """\
vouchers:
  - {id: v, face_value: 0.5, effective_from: 2023-11-01T00:00:00+08:00, expires_at: 2024-11-01T00:00:00+08:00}
"""


def contract_case(folder: Path, text: str = ACCOUNT) -> Case:
    """The case settled under an account, with the rows that the provider's export has for it: 优惠金额 is the discount."""
    case = Case(folder)
    case.settle(text)
    rows: list[Row] = []
    by_key = {(row["账单开始时间"], row["计费项"]): row for row in case.rows}
    for step in case.settlements:
        left = step.payment.paid
        for line in step.bill.lines:
            start = f"{clock(step.bill.cycle.start, 8 * 3600)}:00"
            row = dict(by_key[start, line.spec])
            net = line.net.quantize(CENT, ROUND_HALF_UP)
            row |= {"原价": stripped(line.amount), "优惠金额": stripped(line.discount)}
            pay(row, plain(net))
            if step.bill.cycle.is_monthly:
                coupon = min(left, net)
                left -= coupon
                row |= {"优惠券抵扣": plain(coupon)}
                pay(row, plain(net - coupon))
            rows.append(row)
        if not step.bill.cycle.is_monthly:
            odd = step.bill.amounts.payable - sum(
                (Decimal(row["应付金额"]) for row in rows[-len(step.bill.lines) :]), Decimal(0)
            )
            pay(rows[-1], plain((Decimal(rows[-1]["应付金额"]) + odd).quantize(CENT)))
    case.rows = rows
    return case


def test_the_discount_of_the_contract_is_matched(tmp_path: Path) -> None:
    case = contract_case(tmp_path)
    result = case.compare()
    assert any(Decimal(row["优惠金额"]) > Decimal("0.02") for row in case.rows)
    assert result.equal, found(result)
    assert result.ours == result.theirs


def test_without_the_contract_every_discount_is_a_difference(tmp_path: Path) -> None:
    case = contract_case(tmp_path)
    case.run = Case(tmp_path).run
    kinds = {one.category for _, one in case.compare().differences}
    assert kinds == {"discount"} or kinds == {"discount", "rounding"}


def test_another_discount_is_a_difference_of_its_amount(tmp_path: Path) -> None:
    case = contract_case(tmp_path)
    row = case.rows[0]
    assert (row["优惠金额"], row["应付金额"]) == ("0.05208", "0.59")
    row["优惠金额"] = "0.10208"
    pay(row, "0.54")
    result = case.compare()
    assert found(result) == [("2023-11-10 11:00", "discount", "-0.05")]
    [(_, one)] = result.differences
    assert (one.ours, one.theirs) == (Decimal("0.05208"), Decimal("0.10208"))


def test_a_discount_that_the_provider_did_not_give_is_a_difference(tmp_path: Path) -> None:
    case = contract_case(tmp_path)
    case.rows[0]["优惠金额"] = "0"
    pay(case.rows[0], "0.65")
    assert found(case.compare()) == [("2023-11-10 11:00", "discount", "0.06")]


@pytest.mark.parametrize("column", ["优惠券抵扣", "代金券抵扣"])
def test_vouchers_at_billing_match_under_either_heading(tmp_path: Path, column: str) -> None:
    case = contract_case(tmp_path, ACCOUNT + MONTHLY + VOUCHER)
    if column == "代金券抵扣":
        for row in case.rows:
            paid = Decimal(row["优惠券抵扣"])
            payable = Decimal(row["应付金额"])
            row |= {"优惠券抵扣": "0", column: plain(paid), "应付金额": plain(payable + paid)}
    assert sum(Decimal(row[column]) for row in case.rows) == Decimal("0.50")
    result = case.compare()
    assert {one.category for _, one in result.differences} <= {"rounding"}, found(result)


def test_a_coupon_that_no_voucher_of_ours_is_stays_a_difference(tmp_path: Path) -> None:
    case = contract_case(tmp_path)
    case.rows[0] |= {"优惠券抵扣": "0.20"}
    pay(case.rows[0], "0.39")
    assert found(case.compare()) == [("2023-11-10 11:00", "discount", "-0.2")]


def test_odd_cents_of_a_right_bill_are_not_a_discount(tmp_path: Path) -> None:
    """Rounded, the net amounts of the lines add up to 8.95, and the bill is 8.93: a row bears two odd cents, which are in its
    优惠金额 as well."""
    quantities = {"H264.HD": "24.49", "H264.SD": "53.54", "H264.LD": "49.58", "H265.HD": "15.68", "Audio": "35.3"}
    payables = {"H264.HD": "1.47", "H264.SD": "1.61", "H264.LD": "0.99", "H265.HD": "4.70", "Audio": "0.16"}
    prices = {"H264.HD": "0.0651", "H264.SD": "0.0326", "H264.LD": "0.0217", "H265.HD": "0.3255", "Audio": "0.0056"}
    usage = "job_id,completed_at,region,item,spec,quantity,unit\n"
    rows = []
    for spec, quantity in quantities.items():
        item = "audio_transcoding" if spec == "Audio" else "transcoding"
        usage += f"{spec},2023-11-10T11:20:00+08:00,cn-shanghai,{item},{spec},{quantity},minute\n"
        listed = Decimal(quantity) * Decimal(prices[spec])
        row = {"账期": "2023-11", "产品": "智能媒体服务", "消费类型": "后付费", "地域": "cn-shanghai", "计费项": spec}
        row |= {
            "账单开始时间": "2023-11-10 11:00:00",
            "账单结束时间": "2023-11-10 12:00:00",
            "用量": quantity,
            "用量单位": "分钟",
        }
        row |= {"原价": stripped(listed), "优惠金额": stripped(listed - Decimal(payables[spec])), "优惠券抵扣": "0"}
        pay(row, payables[spec])
        rows.append(row)
    write(tmp_path / "export.csv", console_csv(rows), "utf-8")
    (tmp_path / "usage.csv").write_text(usage)
    discount = "discounts: [{id: d-1, percent: 8}]\n"
    (tmp_path / "account.yaml").write_text(
        f"format: mps-bill/account/1\nid: a\ncurrency: CNY\nbalance: 100\n{discount}"
    )
    words = ["--bill", str(tmp_path / "export.csv"), "--account", str(tmp_path / "account.yaml"), "-q"]
    reconcile = ["reconcile", str(tmp_path / "usage.csv"), "-p", "mps-china", "-o", str(tmp_path / "out.json"), *words]
    assert run(reconcile) == 0
    # A cent less for the line that bears them is another bill.
    pay(rows[-1], "0.10")
    write(tmp_path / "export.csv", console_csv(rows), "utf-8")
    assert run(reconcile) == 1


def test_a_payable_that_coupons_do_not_reduce_is_matched_too(tmp_path: Path) -> None:
    case = contract_case(tmp_path, ACCOUNT + MONTHLY + VOUCHER)
    for row in case.rows:
        payable = Decimal(row["应付金额"]) + Decimal(row["优惠券抵扣"])
        row["应付金额"] = plain(payable)
    result = case.compare()
    assert {one.category for _, one in result.differences} <= {"rounding"}, found(result)


def test_a_mapping_may_spell_a_spec_as_the_sheet_accepts_it(tmp_path: Path) -> None:
    """The sheet takes SuperResolution.Standard.1080P for its HD spec, and so does a mapping of one's own."""
    (tmp_path / "usage.csv").write_text(
        "job_id,completed_at,region,item,spec,quantity,unit\n"
        "a,2023-11-10T11:20:00+08:00,cn-shanghai,super_resolution_standard,SuperResolution.Standard.1080P,1000,frame\n"
    )
    row = {"账期": "2023-11", "产品": "智能媒体服务", "消费类型": "后付费", "地域": "cn-shanghai", "计费项": "SR-own"}
    row |= {
        "账单开始时间": "2023-11-10 11:00:00",
        "账单结束时间": "2023-11-10 12:00:00",
        "用量": "1000",
        "用量单位": "帧",
    }
    row |= {"原价": "3.255", "优惠金额": "0.005", "优惠券抵扣": "0"}
    pay(row, "3.25")
    write(tmp_path / "export.csv", console_csv([row]), "utf-8")
    (tmp_path / "mapping.yaml").write_text(
        "format: mps-bill/bill-mapping/1\nid: own\nitems:\n"
        "  SR-own: {item: super_resolution_standard, spec: SuperResolution.Standard.1080P}\n"
    )
    words = ["--bill", str(tmp_path / "export.csv"), "--mapping", str(tmp_path / "mapping.yaml"), "-q"]
    assert (
        run(["reconcile", str(tmp_path / "usage.csv"), "-p", "mps-china", "-o", str(tmp_path / "o.json"), *words]) == 0
    )
