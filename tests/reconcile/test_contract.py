"""An account with a contract against the provider's bill: its discounts and the vouchers that pay at billing are matched."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from mps_bill.core.decimals import plain, stripped
from mps_bill.core.times import clock
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import settle_usage
from mps_bill.reconcile.sides import settled_run
from mps_bill.settlement.account_reader import read_account
from tests import kit
from tests.reconcile.exports import CENT, Row
from tests.reconcile.test_reconcile import Case, found, pay

ACCOUNT = """\
format: mps-bill/account/1
id: a
currency: USD
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
    account, problems = read_account(text, "account.yaml", case.book)
    assert account, problems
    options = MeterOptions(engine="python")
    settled = settle_usage([kit.source(folder / "usage.csv")], case.book, options, account).settled
    case.run = settled_run(settled, case.book)
    rows: list[Row] = []
    by_key = {(row["账单开始时间"], row["计费项"]): row for row in case.rows}
    for step in settled.settlements:
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
