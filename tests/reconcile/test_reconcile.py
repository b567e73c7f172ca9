"""Comparing bills: the export that our own bills make is equal, every planted error has its class, and classes add up."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.decimals import EXACT, stripped
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import bill_usage, settle_usage
from mps_bill.reconcile.compare_bills import reconcile
from mps_bill.reconcile.differences import MEANINGS, Category, Reconciliation
from mps_bill.reconcile.export_mapping import BillMapping, load_mapping
from mps_bill.reconcile.our_and_their_bills import OurRun, settled_run
from mps_bill.reconcile.read_export import read_exports
from tests import kit
from tests.reconcile.exports import Row, api_json, closing_row, console_csv, read_mapping, rows_of, write
from tests.settlement.worlds import plan_text, reread

MAPPING = """\
format: mps-bill/bill-mapping/1
id: test
items:
  Captions: {item: captions, spec: Captions}
  porn: {item: review, spec: porn}
"""
VOUCHER = "{id: v, face_value: 0.5, effective_from: 2023-11-01T00:00:00+08:00, expires_at: 2024-11-01T00:00:00+08:00}"
ACCOUNT = f"balance: 1\nvouchers: [{VOUCHER}]\n" + plan_text(30, "transcoding: {H264.HD: 3}")


def words() -> BillMapping:
    shipped, _ = load_mapping([])
    own, problems = read_mapping(MAPPING, "mapping.yaml")
    assert shipped, "the shipped mapping has problems"
    assert own, problems
    return own.over(shipped)


#: One bill in each of five hours: 10, 3 and 7 minutes at 11, 12 and 13 o'clock, two items at 14, and captions at 15.
USAGE = kit.usage_text(
    [
        kit.row(job_id="a", completed_at="2023-11-10T11:20:00+08:00"),
        kit.row(job_id="b", completed_at="2023-11-10T12:20:00+08:00", quantity="3"),
        kit.row(job_id="c", completed_at="2023-11-10T13:20:00+08:00", quantity="7"),
        kit.row(job_id="d", completed_at="2023-11-10T14:20:00+08:00", quantity="3.33"),
        kit.row(job_id="e", completed_at="2023-11-10T14:30:00+08:00", quantity="2", width="640", height="480"),
        kit.usage_of("captions", job_id="f", completed_at="2023-11-10T15:00:00+08:00", quantity="5"),
    ]
)


class Case:
    """Usage with the rows that the provider's export has for it, to be changed before it is compared."""

    def __init__(self, folder: Path, usage: str = USAGE, *, paid: bool = False, sheet: str = kit.SHEET) -> None:
        self.folder = folder
        self.book = kit.book(sheet)
        source = kit.source(folder / "usage.csv", usage)
        if paid:
            self.settle(ACCOUNT)
            self.rows = rows_of((one.bill for one in self.settlements), self.settlements)
        else:
            billed = bill_usage([source], self.book, MeterOptions(engine="python"))
            self.run = OurRun(billed.bills, billed.months)
            self.rows = rows_of(self.run.bills)

    def settle(self, account: str, usage: str | None = None) -> None:
        """Make our bills those of settling the usage, or other usage, with an account of these lines."""
        prices, options = self.book, MeterOptions(engine="python")
        payer = reread(f"format: mps-bill/account/1\nid: a\ncurrency: USD\n{account}", prices)
        settled = settle_usage([kit.source(self.folder / "usage.csv", usage)], prices, options, payer).settled
        self.run, self.settlements = settled_run(settled, prices), settled.settlements

    def compare(self, text: str | None = None, *, tolerance: str = "0.01", encoding: str = "utf-8") -> Reconciliation:
        content = text if text is not None else console_csv([*self.rows, closing_row(self.rows)])
        return self.compare_file(write(self.folder / "export.csv", content, encoding), tolerance=tolerance)

    def compare_file(self, path: Path, *, tolerance: str = "0.01") -> Reconciliation:
        export, problems = read_exports([str(path)], "USD")
        assert export, problems
        with decimal.localcontext(EXACT):
            return reconcile(self.run, export, words(), self.book, Decimal(tolerance))


def found(result: Reconciliation) -> list[tuple[str, Category, str]]:
    return [(bill.period.name, one.category, stripped(one.amount)) for bill, one in result.differences]


def pay(row: Row, payable: str) -> None:
    """Changes what a row costs, and lets cash pay it."""
    row |= {"应付金额": payable, "现金支付": payable}


@pytest.mark.parametrize("paid", [False, True])
def test_the_export_of_our_own_bills_is_equal(tmp_path: Path, paid: bool) -> None:
    result = Case(tmp_path, paid=paid).compare()
    assert result.equal, found(result)
    assert len(result.bills) == 5
    assert result.ours == result.theirs


def test_an_answer_of_the_api_is_equal(tmp_path: Path) -> None:
    case = Case(tmp_path)
    result = case.compare(api_json(case.rows))
    assert result.equal, found(result)
    assert [file.form for file in result.export.files] == ["json"]


def quantity(case: Case) -> None:
    case.rows[0] |= {"用量": "11", "原价": "0.7161", "优惠金额": "0.0061"}
    pay(case.rows[0], "0.71")


def price(case: Case) -> None:
    case.rows[1] |= {"单价": "0.07", "原价": "0.21", "优惠金额": "0"}
    pay(case.rows[1], "0.21")


def discount(case: Case) -> None:
    case.rows[0] |= {"优惠金额": "0.101"}
    pay(case.rows[0], "0.55")


def cent(case: Case) -> None:
    case.rows[2] |= {"优惠金额": "-0.0043"}
    pay(case.rows[2], "0.46")


def missing_there(case: Case) -> None:
    del case.rows[-2]


def missing_here(case: Case) -> None:
    case.rows.append(case.rows[0] | {"计费项": "Segmentation"})


def late(case: Case) -> None:
    case.rows[2] |= {"账单开始时间": "2023-11-10 16:00:00", "账单结束时间": "2023-11-10 17:00:00"}


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (quantity, [("2023-11-10 11:00", "quantity", "0.06")]),
        (price, [("2023-11-10 12:00", "price", "0.02")]),
        (discount, [("2023-11-10 11:00", "discount", "-0.1")]),
        (cent, [("2023-11-10 13:00", "rounding", "0.01")]),
        (missing_there, [("2023-11-10 14:00", "missing-there", "-0.04")]),
        (missing_here, [("2023-11-10 11:00", "missing-here", "0.65")]),
        (late, [("2023-11-10 13:00", "late", "-0.45"), ("2023-11-10 16:00", "late", "0.45")]),
    ],
)
def test_a_planted_error_has_its_class(
    tmp_path: Path, plant: Callable[[Case], None], expected: list[tuple[str, Category, str]]
) -> None:
    case = Case(tmp_path)
    plant(case)
    result = case.compare()
    assert found(result) == expected
    assert not result.contradictions
    assert not result.equal


def deduction(case: Case) -> None:
    row = case.rows[0]
    assert (row["用量"], row["资源包抵扣"]) == ("10", "10")
    row |= {"资源包抵扣": "4", "原价": "0.3906", "优惠金额": "0.0006", "代金券抵扣": "0.39", "应付金额": "0.39"}


def test_usage_covered_by_resource_plans_is_a_deduction(tmp_path: Path) -> None:
    case = Case(tmp_path, paid=True)
    deduction(case)
    kinds = {(kind, amount) for period, kind, amount in found(case.compare()) if period == "2023-11-10 11:00"}
    assert ("deduction", "0.39") in kinds


def test_money_paid_otherwise_is_a_deduction_that_adds_up_to_nothing(tmp_path: Path) -> None:
    case = Case(tmp_path, paid=True)
    row = next(row for row in case.rows if Decimal(row["代金券抵扣"]) > 0)
    row["现金支付"], row["代金券抵扣"] = (
        str(Decimal(row["现金支付"]) + Decimal(row["代金券抵扣"])),
        "0",
    )
    result = case.compare()
    assert {one.category for _, one in result.differences} == {"deduction"}
    assert {one.note for _, one in result.differences} == {"paid by vouchers", "paid by cash"}
    assert result.ours == result.theirs


def test_a_payment_that_bears_the_difference_of_the_payable_says_so(tmp_path: Path) -> None:
    """What is left of theirs - ours, once the difference that is explained elsewhere is taken out of it."""
    case = Case(tmp_path, paid=True)
    row = next(row for row in case.rows if Decimal(row["代金券抵扣"]) > Decimal("0.1"))
    paid, less = Decimal(row["代金券抵扣"]), Decimal("0.1")
    payable, cash = Decimal(row["应付金额"]) - less, Decimal(row["现金支付"]) + paid - less
    row |= {"应付金额": str(payable), "代金券抵扣": "0", "现金支付": str(cash)}
    notes = {one.note: one for _, one in case.compare().differences if one.category == "deduction"}
    assert set(notes) == {"paid by vouchers, besides -0.10 that the payable differs by", "paid by cash"}
    voucher = notes["paid by vouchers, besides -0.10 that the payable differs by"]
    assert (voucher.ours, voucher.theirs, voucher.amount) == (paid, 0, less - paid)


def test_a_row_may_differ_by_the_tolerance_and_a_bill_by_nothing(tmp_path: Path) -> None:
    """Two rows of one bill, a cent more on one and a cent less on the other: the bill is equal."""
    case = Case(tmp_path)
    first, second = case.rows[3:5]
    for row, cents in ((first, Decimal("0.01")), (second, Decimal("-0.01"))):
        row |= {"原价": str(Decimal(row["原价"]) + cents)}
        pay(row, str(Decimal(row["应付金额"]) + cents))
    assert case.compare().equal
    assert {kind for _, kind, _ in found(case.compare(tolerance="0.005"))} == {"price"}


def test_a_bill_that_the_provider_does_not_have_is_one_difference(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows = case.rows[:3] + case.rows[5:]
    [(bill, one)] = case.compare().differences
    assert (one.category, one.amount, one.note) == ("missing-there", -bill.ours, "the whole bill of 2 lines")


def test_rows_of_an_export_by_day_are_held_against_our_days(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for row in case.rows:
        row |= {"账单开始时间": "2023-11-10 00:00:00", "账单结束时间": "2023-11-11 00:00:00"}
    result = case.compare()
    assert result.equal, found(result)
    assert [bill.period.name for bill in result.bills] == ["2023-11-10"]


def test_rows_of_a_month_are_held_against_our_month(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for row in case.rows:
        row |= {"账单开始时间": "", "账单结束时间": ""}
    result = case.compare()
    assert result.equal, found(result)
    assert [bill.period.name for bill in result.bills] == ["2023-11"]


def test_monthly_settlement_is_compared_by_the_month(tmp_path: Path) -> None:
    """Then hours are not rounded; the month is, once."""
    case = Case(tmp_path, sheet=kit.SHEET.replace("settlement: hourly", "settlement: monthly"))
    for row, payable in zip(case.rows, ("0.65", "0.20", "0.46", "0.22", "0.04", "1.50"), strict=True):
        pay(row, payable)
    assert [stripped(bill.ours) for bill in case.compare().bills] == ["3.06"]
    assert found(case.compare()) == [("2023-11", "rounding", "0.01")]
    pay(case.rows[0], "0.64")
    assert case.compare().equal


def test_a_special_value_makes_another_billing_item(tmp_path: Path) -> None:
    """High-speed transcoding has the code of the standard one, and a tier in its instance ID."""
    case = Case(tmp_path)
    case.rows[0]["实例ID"] = "17;cn-shanghai;ram-23;5x"
    kinds = [one.category for _, one in case.compare().differences if one.line]
    assert kinds == ["missing-there", "missing-here"]
    assert 'no mapping for "H264.HD;5x"' in [one.note for _, one in case.compare().differences]


def test_other_products_and_prepaid_orders_are_excluded_with_their_amounts(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows.append(case.rows[0] | {"产品": "云服务器 ECS"})
    case.rows.append(case.rows[0] | {"消费类型": "预付费"})
    result = case.compare()
    assert result.equal, found(result)
    assert [(one.product, one.reason, str(one.payable)) for one in result.excluded] == [
        ("云服务器 ECS", "no mapping for this product", "0.65"),
        ("智能媒体服务", "a prepaid order", "0.65"),
    ]


def test_an_export_that_contradicts_itself_is_reported_with_its_lines(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows[0]["现金支付"] = "0.60"
    case.rows[1]["优惠金额"] = "0.1"
    closing = closing_row(case.rows) | {"应付金额": "100"}
    result = case.compare(console_csv([*case.rows, closing]))
    assert [(one.place.line, str(one.amount)) for one in result.contradictions] == [
        (2, "0.05"),
        (3, "-0.0947"),
        (8, str(100 - result.theirs)),
    ]
    assert not result.equal


def test_hours_that_the_account_settled_before_are_late(tmp_path: Path) -> None:
    """The account has settled 11 and 12 o'clock, so our run has no bills for them; the provider's month has."""
    case = Case(tmp_path, paid=True)
    rows = case.rows
    case.settle(ACCOUNT + "settled_through: 2023-11-10T13:00:00+08:00\n")
    case.rows = [row for row in rows if "11:00:00" in row["账单开始时间"] or "12:00:00" in row["账单开始时间"]]
    late = [(period, kind) for period, kind, _ in found(case.compare()) if period < "2023-11-10 13:00"]
    assert ("2023-11-10 11:00", "late") in late
    assert {kind for _, kind in late} == {"late"}


def test_quantities_agree_at_the_decimals_that_the_bill_shows(tmp_path: Path) -> None:
    usage = kit.usage_text([kit.usage_of("captions", quantity="754", unit="second")])
    case = Case(tmp_path, usage)
    case.rows[0]["用量"] = "12.57"
    assert case.compare().equal
    case.rows[0]["用量"] = "12.58"
    assert found(case.compare())[0][1] == "quantity"


_hours = st.integers(10, 14)
_usage = st.lists(
    st.tuples(_hours, st.integers(1, 3000), st.sampled_from(("640", "1280", "1920"))), min_size=1, max_size=8
)
_column = st.sampled_from(
    ("用量", "单价", "资源包抵扣", "原价", "优惠金额", "优惠券抵扣", "应付金额", "现金支付", "代金券抵扣")
)
_changes = st.lists(st.tuples(st.integers(0, 7), _column, st.integers(-300, 300)), max_size=6)


@given(_usage, _changes, st.sets(st.integers(0, 7), max_size=2), st.booleans())
def test_the_classes_add_up_whatever_the_export_says(
    tmp_path_factory: pytest.TempPathFactory,
    usage: list[tuple[int, int, str]],
    changes: list[tuple[int, str, int]],
    gone: set[int],
    paid: bool,
) -> None:
    rows = [
        kit.row(
            job_id=f"j-{number}",
            completed_at=f"2023-11-10T{hour}:20:00+08:00",
            quantity=str(Decimal(centiminutes) / 100),
            width=width,
            height="480",
        )
        for number, (hour, centiminutes, width) in enumerate(usage)
    ]
    case = Case(tmp_path_factory.mktemp("case"), kit.usage_text(rows), paid=paid)
    assert case.compare().equal
    for number, column, cents in changes:
        if number < len(case.rows):
            row = case.rows[number]
            row[column] = str(Decimal(row[column]) + Decimal(cents) / 100)
    case.rows = [row for number, row in enumerate(case.rows) if number not in gone] or case.rows[:1]
    result = case.compare()
    whole = sum((amount for _, amount in result.by_category().values()), Decimal(0))
    assert whole == sum((Decimal(row["应付金额"]) for row in case.rows), Decimal(0)) - result.ours
    assert list(result.by_category()) == list(MEANINGS)
    for bill in result.bills:
        assert sum((one.amount for one in bill.differences), Decimal(0)) == bill.difference
