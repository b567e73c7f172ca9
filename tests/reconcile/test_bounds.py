"""Where a difference begins and which class it has, at the last cent on both sides; each sum worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from mps_bill.core.decimals import amount_text, stripped
from mps_bill.core.diagnostics import Place
from mps_bill.core.times import parse_second
from mps_bill.rating.lines import LineItem
from mps_bill.reconcile.differences import Category
from mps_bill.reconcile.export import ExportRow
from mps_bill.reconcile.export_mapping import ItemName
from mps_bill.reconcile.identities import unexplained
from mps_bill.reconcile.odd_cents import Leeway, row_leeways, split_leeway
from mps_bill.reconcile.our_and_their_bills import OurRun, our_bills
from mps_bill.reconcile.read_export import read_exports
from mps_bill.reconcile.read_row import parse_amount
from tests import kit
from tests.reconcile import test_odd_cents as odd_cents
from tests.reconcile import test_reconcile as whole
from tests.reconcile.exports import rows_of, write
from tests.reconcile.test_reconcile import Case, found, pay
from tests.settlement.worlds import plan_text

#: Of the hours of `whole.USAGE`: 11:00 is 10 minutes of HD at 0.0651 = 0.651, paid 0.65; 14:00 is 3.33 of HD and 2 of LD at
#: 0.0217 = 0.260183, paid 0.22 + 0.04.
Found = list[tuple[str, Category, str]]


def more(case: Case, number: int, usage: str, amount: str, payable: str) -> None:
    """Give a row another quantity, list amount and payable; the rest is its rounding."""
    discount = stripped(Decimal(amount) - Decimal(payable))
    case.rows[number] |= {"用量": usage, "原价": amount, "优惠金额": discount}
    pay(case.rows[number], payable)


def split(case: Case, amounts: tuple[str, str], payables: tuple[str, str], prices: tuple[str, str] = ("", "")) -> None:
    """Makes two rows of five minutes of the first."""
    first = case.rows[0]
    parts = []
    for amount, payable, price in zip(amounts, payables, prices, strict=True):
        part = first | {"用量": "5", "原价": amount, "优惠金额": stripped(Decimal(amount) - Decimal(payable))}
        part["单价"] = price or first["单价"]
        pay(part, payable)
        parts.append(part)
    case.rows[0:1] = parts


def at_tolerance(case: Case) -> None:
    more(case, 0, "10", "0.661", "0.66")


def above_tolerance(case: Case) -> None:
    more(case, 0, "10", "0.6611", "0.66")


def two_rows_at_tolerance(case: Case) -> None:
    split(case, ("0.3255", "0.3455"), ("0.33", "0.34"))


def two_rows_above_tolerance(case: Case) -> None:
    split(case, ("0.3255", "0.3456"), ("0.33", "0.34"))


def quantity_and_price(case: Case) -> None:
    more(case, 0, "11", "0.77", "0.77")
    case.rows[0]["单价"] = "0.07"


def quantity_and_amount(case: Case) -> None:
    more(case, 0, "11", "0.8", "0.80")


def coupon(case: Case) -> None:
    case.rows[0]["优惠券抵扣"] = "0.1"
    pay(case.rows[0], "0.55")


def whole_cent(case: Case) -> None:
    more(case, 0, "110", "7.161", "7.17")


def whole_cent_of_two(case: Case) -> None:
    more(case, 3, "103.33", "6.726783", "6.74")
    more(case, 4, "102", "2.2134", "2.21")


def more_and_less(case: Case) -> None:
    more(case, 3, "0.33", "0.021483", "0.02")
    more(case, 4, "3", "0.0651", "0.07")


def two_prices(case: Case, other: str, amount: str, payable: str) -> None:
    split(case, ("0.3255", amount), ("0.33", payable), ("0.0651", other))


def per_hour(case: Case) -> None:
    case.rows[0] |= {"单价": "3.906", "单价单位": "元/小时"}


def in_seconds(case: Case) -> None:
    case.rows[0] |= {"用量": "600", "用量单位": "秒"}


def half(case: Case) -> None:
    split(case, ("0.3255", "0.3255"), ("0.33", "0.32"))


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        # A cent of a row is within the tolerance of 0.01 and makes the bill differ; 0.0101 is not, and is the line's.
        (at_tolerance, [("2023-11-10 11:00", "rounding", "0.01")]),
        (above_tolerance, [("2023-11-10 11:00", "price", "0.01")]),
        # Two rows of one line may differ by two cents.
        (two_rows_at_tolerance, [("2023-11-10 11:00", "rounding", "0.02")]),
        (two_rows_above_tolerance, [("2023-11-10 11:00", "price", "0.02")]),
        # 1 minute more at our price is 0.0651, 11 minutes at 0.0049 more are 0.0539. Our rounding of 0.001 goes to the largest.
        (quantity_and_price, [("2023-11-10 11:00", "quantity", "0.0661"), ("2023-11-10 11:00", "price", "0.0539")]),
        # 0.8 - 0.651 - 0.0651 = 0.0839 are not quantity x price, and with the rounding 0.0849.
        (quantity_and_amount, [("2023-11-10 11:00", "quantity", "0.0651"), ("2023-11-10 11:00", "price", "0.0849")]),
        (coupon, [("2023-11-10 11:00", "discount", "-0.1")]),
        # 100 minutes more are 6.51; the bill is 6.52 more. One line never loses a whole cent by rounding; two lines may.
        (whole_cent, [("2023-11-10 11:00", "quantity", "6.51"), ("2023-11-10 11:00", "rounding", "0.01")]),
        (whole_cent_of_two, [("2023-11-10 14:00", "quantity", "6.52"), ("2023-11-10 14:00", "quantity", "2.17")]),
        # -3 x 0.0651 = -0.1953 is the largest, which bears the rounding: -0.17 + 0.1953 - 0.0217 = 0.0036.
        (more_and_less, [("2023-11-10 14:00", "quantity", "-0.1917"), ("2023-11-10 14:00", "quantity", "0.0217")]),
        # Two prices in one line: 5 minutes at 0.0049 or 0.0149 more, or 0.0051 less; with the rounding: 0.02, 0.07, -0.03.
        (lambda case: two_prices(case, "0.07", "0.35", "0.34"), [("2023-11-10 11:00", "price", "0.02")]),
        (lambda case: two_prices(case, "0.08", "0.4", "0.39"), [("2023-11-10 11:00", "price", "0.07")]),
        (lambda case: two_prices(case, "0.06", "0.3", "0.29"), [("2023-11-10 11:00", "price", "-0.03")]),
        # The same in other units, or in two rows.
        (per_hour, []),
        (in_seconds, []),
        (half, []),
    ],
)
def test_differences_and_their_amounts(tmp_path: Path, plant: Callable[[Case], None], expected: Found) -> None:
    case = Case(tmp_path)
    plant(case)
    result = case.compare()
    assert found(result) == expected
    assert not result.contradictions


@pytest.mark.parametrize(
    ("discount", "payable", "expected"),
    [
        # 50 minutes are 3.255; rounding takes 0.005 of ours. A row may lose 0.015 (half a cent and an odd cent of the bill):
        # the bill is a cent less. It may show that as a discount or nowhere.
        ("0.015", "3.24", [("rounding", "-0.01")]),
        ("0", "3.24", [("rounding", "-0.01")]),
        # More is a discount: 0.025 less, 0.005 of it our rounding.
        ("0.025", "3.23", [("discount", "-0.02")]),
        # Or more: 0.015, and our rounding of 0.005.
        ("0", "3.27", [("rounding", "0.02")]),
        # A discount of 0.02, only 0.005 of it in the payable: the discount, and an odd cent and a half besides our rounding.
        ("0.02", "3.25", [("discount", "-0.02"), ("rounding", "0.02")]),
        # Both: a discount of 0.02, and a rounding of 0.015.
        ("0.02", "3.22", [("discount", "-0.02"), ("rounding", "-0.01")]),
    ],
)
def test_rounding_takes_at_most_a_cent_and_a_half_of_a_row(
    tmp_path: Path, discount: str, payable: str, expected: list[tuple[Category, str]]
) -> None:
    case = Case(tmp_path, kit.usage_text([kit.row(quantity="50")]))
    case.rows[0]["优惠金额"] = discount
    pay(case.rows[0], payable)
    result = case.compare()
    assert [(kind, amount) for _, kind, amount in found(result)] == expected
    assert not result.contradictions


@pytest.mark.parametrize(
    ("discount", "stated", "rest"),
    [("0.001", "0", "0"), ("0", "0", "0.001"), ("0", "0.001", "0"), ("0.001", "0.001", "0"), ("0", "0.05", "0.001")],
)
def test_the_rounding_that_a_row_states_explains_it_only_if_it_is_the_rest(
    tmp_path: Path, discount: str, stated: str, rest: str
) -> None:
    """0.651 are paid with 0.65. An export shows the thousandth as a discount, nowhere, by itself, or twice."""
    row = Case(tmp_path).compare().export.rows[0]
    amounts = {**row.amounts, "discount": Decimal(discount), "round_down": Decimal(stated)}
    assert unexplained(replace(row, amounts=amounts)) == Decimal(rest)


def test_a_wrong_bill_has_no_odd_cents(tmp_path: Path) -> None:
    """Five lines of 0.044268 are a bill of 0.22. With lists of 0.04 and one of 0.06 it may be right; at 0.23 the 0.015732 that
    the line has too much is its own, less what is odd in the others: 0.00134 - 4 x 0.004268 + 0.01 = -0.005732."""
    five = odd_cents.case(tmp_path)
    amounts = ("0.04", "0.04", "0.06", "0.04", "0.04")
    for row, amount in zip(five.rows, amounts, strict=True):
        row["原价"] = amount
    odd_cents.split(five.rows, amounts, shown=True)
    assert found(five.compare()) == []
    odd_cents.split(five.rows, (*amounts[:4], "0.05"), shown=True)
    assert found(five.compare()) == [("2023-11-10 11:00", "price", "0.01")]


@pytest.mark.parametrize(
    ("whole_bill", "more"),
    [
        # Two rows of 0.04 can lack half a cent each and the cent of the rounding: 0.02, so a row may have 0.02 + 0.005 more.
        ("0.08", "0.015"),
        ("0.09", "0.015"),
        ("0.10", "0.025"),
        ("0.11", "0.015"),
    ],
)
def test_rows_lack_no_more_than_half_a_cent_each_and_the_cent_of_the_cut(whole_bill: str, more: str) -> None:
    assert split_leeway([Decimal("0.04")] * 2, Decimal(whole_bill)) == Leeway(Decimal("0.015"), Decimal(more))


def test_each_bill_has_odd_cents_of_its_own(tmp_path: Path) -> None:
    """0.044 five times is 0.22, and rounded 0.20: 0.025 more on a row. Not on rows of other hours or products, nor where the
    bill of 0.23 is a cent off the sum of its rows."""
    row = Case(tmp_path).compare().export.rows[0]
    place = iter(range(100, 200))

    def five(payable: str = "0.06", **changes: object) -> list[ExportRow]:
        amounts = [{"list_amount": Decimal("0.044"), "payable": Decimal(one)} for one in ["0.04"] * 4 + [payable]]
        return [replace(row, place=Place("e.csv", next(place)), amounts=one, **changes) for one in amounts]

    other = replace(row, start=row.start + 3600, end=row.end + 3600)
    foreign = replace(row, place=Place("e.csv", 2), product="OSS")
    rows = [*five(), other, foreign, *five("0.07", month="2023-10")]
    found = row_leeways(rows, lambda one: one.list_amount, lambda _: False)
    assert [found[one.place].more for one in rows] == [*[Decimal("0.025")] * 5, *[Decimal("0.015")] * 7]


CAPTIONS = kit.usage_text([kit.usage_of("captions", quantity="754.5", unit="second")])


@pytest.mark.parametrize(
    ("shown", "differs"),
    [
        # 754.5 seconds are 12.575 minutes, which is shown at two decimals as 12.57 or 12.58.
        ("12.57", False),
        ("12.58", False),
        ("12.56", True),
        ("12.59", True),
        # Zeros at the end may be missing, so fewer decimals mean two; more mean what they say, half a step to each side.
        ("12.6", True),
        ("12.575", False),
        ("12.574", True),
        ("12.5751", True),
    ],
)
def test_a_quantity_is_as_exact_as_it_is_shown(tmp_path: Path, shown: str, differs: bool) -> None:
    case = Case(tmp_path, CAPTIONS)
    case.rows[0]["用量"] = shown
    assert [kind for _, kind, _ in found(case.compare())] == (["quantity"] if differs else [])


def test_a_line_of_several_rows_is_as_exact_as_all_of_them(tmp_path: Path) -> None:
    """Three hours of 60.2 seconds are 3.01 minutes together; the export shows three times 1.00 on one day."""
    rows = [
        kit.usage_of("captions", job_id=hour, completed_at=f"2023-11-10T{hour}:20:00+08:00", quantity="60.2", unit="second")
        for hour in ("11", "12", "13")
    ]  # fmt: skip
    case = Case(tmp_path, kit.usage_text(rows))
    for row in case.rows:
        row |= {"账单开始时间": "2023-11-10 00:00:00", "账单结束时间": "2023-11-11 00:00:00", "用量": "1.00"}
    assert found(case.compare()) == []


def test_an_endless_amount_is_rounded_half_up(tmp_path: Path) -> None:
    """At 0.05 a minute 304 seconds instead of 300 are 5.0666666667 minutes, and 4 seconds 0.0033333333; 2 less -0.0016666667."""
    sheet = kit.SHEET.replace('Captions: {"*": 0.3}', 'Captions: {"*": 0.05}')
    regions = ("cn-beijing", "cn-shanghai")
    usage = kit.usage_text([kit.usage_of("captions", job_id=one, region=one, quantity="5") for one in regions])
    case = Case(tmp_path, usage, sheet=sheet)
    for row, seconds, amount in zip(case.rows, ("304", "298"), ("0.2533333333", "0.2483333333"), strict=True):
        row |= {
            "用量": seconds,
            "用量单位": "秒",
            "原价": amount,
            "优惠金额": stripped(Decimal(amount) - Decimal("0.25")),
        }
    result = case.compare()
    # Together 0.0016666666 more at list price and nothing at the payable: rounding takes it from the larger.
    assert [(str(one.theirs), str(one.amount)) for _, one in result.differences] == [
        ("5.0666666667", "0.0016666667"),
        ("4.9666666667", "-0.0016666667"),
    ]


# Late usage


def test_usage_of_another_period_is_late_within_what_both_show(tmp_path: Path) -> None:
    """2.01 minutes of ours; the provider bills one half (1.005, shown as 1.00) an hour later: 1.01 less and 1.00
    more are the same within 0.005 + 0.005."""
    rows = [kit.usage_of("captions", job_id=job, quantity="60.3", unit="second") for job in ("a", "b")]
    case = Case(tmp_path, kit.usage_text(rows))
    first = case.rows[0] | {"用量": "1.00", "原价": "0.3015", "优惠金额": "0.0015"}
    pay(first, "0.30")
    second = first | {"账单开始时间": "2023-11-10 12:00:00", "账单结束时间": "2023-11-10 13:00:00"}
    case.rows = [first, second]
    assert found(case.compare()) == [("2023-11-10 11:00", "late", "-0.3"), ("2023-11-10 12:00", "late", "0.3")]
    second |= {"用量": "0.99"}
    assert [kind for _, kind, _ in found(case.compare())] == ["quantity", "missing-here"]


def test_usage_is_found_again_once(tmp_path: Path) -> None:
    """Seven minutes at 11 and at 12 o'clock of ours, seven at 16 o'clock of the provider: one is late, the other missing."""
    rows = [kit.row(job_id=hour, completed_at=f"2023-11-10T{hour}:20:00+08:00", quantity="7") for hour in ("11", "12")]
    case = Case(tmp_path, kit.usage_text(rows))
    case.rows = [case.rows[0] | {"账单开始时间": "2023-11-10 16:00:00", "账单结束时间": "2023-11-10 17:00:00"}]
    assert found(case.compare()) == [
        ("2023-11-10 11:00", "late", "-0.45"),
        ("2023-11-10 12:00", "missing-there", "-0.45"),
        ("2023-11-10 16:00", "late", "0.45"),
    ]


@pytest.mark.parametrize(
    ("settled_through", "kinds"),
    [("11:00", ["missing-here"]), ("12:00", ["late"]), ("13:00", ["late"])],
)
def test_a_period_is_settled_when_all_of_it_is(tmp_path: Path, settled_through: str, kinds: list[Category]) -> None:
    case = Case(tmp_path)
    row = case.rows[0]
    case.settle(f"balance: 0\nsettled_through: 2023-11-10T{settled_through}:00+08:00\n", usage=kit.usage_text([]))
    case.rows = [row]
    assert [kind for _, kind, _ in found(case.compare())] == kinds


# How it was paid


def paid_case(folder: Path, text: str, usage: str = whole.USAGE) -> Case:
    case = Case(folder, usage)
    settle_into(case, text)
    return case


def settle_into(case: Case, text: str) -> None:
    """Make both sides of the case those of settling its usage with an account."""
    case.settle(text)
    case.rows = rows_of((one.bill for one in case.settlements), case.settlements)


def test_a_payment_from_the_credit_line_is_cash_to_the_provider(tmp_path: Path) -> None:
    case = paid_case(tmp_path, "balance: 0.30\ncredit_line: 5\n")
    result = case.compare()
    assert found(result) == []
    assert [amount_text(bill.paid[0]["cash"]) for bill in result.bills if bill.paid] == [
        "0.65",
        "0.19",
        "0.45",
        "0.26",
        "1.50",
    ]


def test_the_column_that_bears_the_most_of_a_difference_explains_it(tmp_path: Path) -> None:
    """0.10 more at 14:00, 0.03 in cash and 0.07 outstanding: outstanding bears 0.10, so 0.03 moved from it to cash."""
    case = paid_case(tmp_path, "balance: 5\n")
    more(case, 4, "7", "0.1519", "0.14")
    case.rows[4] |= {"现金支付": "0.07", "欠费金额": "0.07"}
    assert found(case.compare()) == [
        ("2023-11-10 14:00", "quantity", "0.1"),
        ("2023-11-10 14:00", "deduction", "0.03"),
        ("2023-11-10 14:00", "deduction", "-0.03"),
    ]


def test_how_a_month_is_paid_is_not_compared_before_its_statement(tmp_path: Path) -> None:
    sheet = kit.SHEET.replace("settlement: hourly", "settlement: monthly")
    case = Case(tmp_path, sheet=sheet)
    case.settle("balance: 5\n")
    for row, payable in zip(case.rows, ("0.65", "0.20", "0.46", "0.22", "0.04", "1.50"), strict=True):
        pay(row, payable)
    (bill,) = case.compare().bills
    assert (bill.paid, {one.category for one in bill.differences}) == (None, {"rounding"})


def test_a_product_that_settled_by_the_month_in_one_version_is_compared_by_the_month(tmp_path: Path) -> None:
    monthly = kit.SHEET.replace("settlement: hourly", "settlement: monthly")
    later = kit.SHEET.replace("2023-11-01T00", "2023-11-20T00")
    case = Case(tmp_path, sheet=monthly)
    case.book = kit.book(monthly, later)
    assert [bill.period.name for bill in case.compare().bills] == ["2023-11"]


@pytest.mark.parametrize(("shown", "differs"), [("12.57", False), ("12.58", False), ("12.56", True), ("12.59", True)])
def test_a_covered_quantity_is_as_exact_as_it_is_shown(tmp_path: Path, shown: str, differs: bool) -> None:
    """All of 754.5 seconds, 12.575 minutes, is covered."""
    case = paid_case(tmp_path, "balance: 5\n" + plan_text(100, "captions: {Captions: 1}"), CAPTIONS)
    case.rows[0] |= {"用量": "12.57", "资源包抵扣": shown}
    assert [kind for _, kind, _ in found(case.compare()) if kind == "deduction"] == (["deduction"] if differs else [])


def test_a_price_applies_to_the_usage_that_plans_leave(tmp_path: Path) -> None:
    """Ours cover all 10 minutes, the provider's 4: 6 x 0.0651 = 0.3906 more, and these 6 at 0.07, 6 x 0.0049 = 0.0294."""
    case = paid_case(tmp_path, "balance: 5\n" + plan_text(10, "transcoding: {H264.HD: 1}"))
    case.rows[0] |= {"资源包抵扣": "4", "单价": "0.07", "原价": "0.42", "优惠金额": "0"}
    pay(case.rows[0], "0.42")
    assert found(case.compare()) == [
        ("2023-11-10 11:00", "deduction", "0.3906"),
        ("2023-11-10 11:00", "price", "0.0294"),
    ]


def test_a_covered_quantity_in_another_unit_is_the_same(tmp_path: Path) -> None:
    case = paid_case(tmp_path, "balance: 5\n" + plan_text(10, "transcoding: {H264.HD: 1}"))
    case.rows[0] |= {"用量": "600", "用量单位": "秒", "资源包抵扣": "600"}
    assert found(case.compare()) == []


def test_the_covered_quantities_of_two_rows_are_added_up(tmp_path: Path) -> None:
    case = paid_case(tmp_path, "balance: 5\n" + plan_text(10, "transcoding: {H264.HD: 1}"))
    part = case.rows[0] | {"用量": "5", "资源包抵扣": "5"}
    case.rows[0:1] = [part, part]
    assert found(case.compare()) == []


def test_a_price_at_which_nothing_was_billed_is_not_a_price_of_the_line(tmp_path: Path) -> None:
    """10 minutes at 0.0651, and 3 of the next hour, at 0.07 by a new sheet, which a plan bought then covers. The provider's
    day has 0.07 for both: 10 x 0.0049 = 0.049 more, less our rounding of 0.001 and without its own: 0.05."""
    later = kit.SHEET.replace("2023-11-01T00", "2023-11-10T12").replace("mainland: 0.0651", "mainland: 0.07")
    rows = [
        kit.row(job_id=hour, completed_at=f"2023-11-10T{hour}:20:00+08:00", quantity=quantity)
        for hour, quantity in (("11", "10"), ("12", "3"))
    ]
    case = Case(tmp_path, kit.usage_text(rows))
    case.book = kit.book(kit.SHEET, later)
    bought = "balance: 5\n" + plan_text(3, "transcoding: {H264.HD: 1}").replace("2023-11-01T00", "2023-11-10T12")
    settle_into(case, bought)
    for row in case.rows:
        row |= {"单价": "0.07", "账单开始时间": "2023-11-10 00:00:00", "账单结束时间": "2023-11-11 00:00:00"}
    more(case, 0, "10", "0.7", "0.70")
    ((_, one),) = case.compare().differences
    assert (one.category, str(one.ours), str(one.theirs), one.unit, amount_text(one.amount)) == (
        "price",
        "0.0651",
        "0.07",
        "per minute",
        "0.05",
    )


# What rows mean


def test_an_item_of_another_product_is_none_of_this_one(tmp_path: Path) -> None:
    """The mapping says captions, which another product of the run has; the row is of Media Processing."""
    head, items = kit.SHEET.split("items:\n")
    captions = items[items.index("  captions:") : items.index("  review:")]
    other = head.replace("id: test", "id: other").replace("product: mps", "product: oss") + "items:\n" + captions
    case = Case(tmp_path)
    case.book = kit.book(kit.SHEET.replace(captions, ""), other)
    notes = [one.note for _, one in case.compare().differences if one.category == "missing-here"]
    assert notes == ['it maps to item "captions", which mps does not have']


def test_the_region_of_a_row_is_its_column_before_its_instance(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows[0]["实例ID"] = "17;cn-beijing;admin-17"
    assert found(case.compare()) == []
    case.rows[0]["地域"] = ""
    assert [kind for _, kind, _ in found(case.compare())] == ["missing-there", "missing-here"]


def test_one_row_of_a_day_makes_all_of_them_days(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.rows[-1] |= {"账单开始时间": "2023-11-10 00:00:00", "账单结束时间": "2023-11-11 00:00:00"}
    result = case.compare()
    assert [(bill.period.name, bill.difference) for bill in result.bills] == [("2023-11-10", 0)]


# Columns


@pytest.mark.parametrize("names", [["PaymentAmount", "CashAmount"], ["CashAmount", "PaymentAmount"]])
def test_of_two_columns_of_cash_the_paid_one_counts(tmp_path: Path, names: list[str]) -> None:
    values = {"PaymentAmount": "0.65", "CashAmount": "0.60"}
    header = ",".join(["ProductName", "BillingItem", "BillingDate", "PretaxGrossAmount", "PretaxAmount", *names])
    line = ",".join(["x", "H264.HD", "2023-11-10", "0.65", "0.65", *(values[name] for name in names)])
    export, problems = read_exports([str(write(tmp_path / "e.csv", f"{header}\n{line}\n"))], "CNY")
    assert export, problems
    assert export.rows[0].amount("cash") == Decimal("0.65")


def test_a_day_of_an_export_is_a_day_of_the_billing_clock(tmp_path: Path) -> None:
    """An API's row has a day without times: 2023-11-10 is from 00:00 in UTC+8."""
    case = Case(tmp_path)
    fields = ("地域", "计费项", "用量", "用量单位", "原价", "优惠金额", "应付金额")
    header = "产品,BillingDate," + ",".join(fields)
    lines = [",".join(["智能媒体服务", "20231110", *(row[field] for field in fields)]) for row in case.rows]
    result = case.compare("\n".join([header, *lines]) + "\n")
    assert found(result) == []
    (bill,) = result.bills
    day = parse_second("2023-11-10T00:00:00+08:00")
    assert (bill.period.name, bill.period.start, bill.period.end) == ("2023-11-10", day, day + 86_400)


def test_the_code_of_an_item_counts_before_its_name(tmp_path: Path) -> None:
    row = replace(Case(tmp_path).compare().export.rows[0], item_code="porn", item="Captions", instance_spec="H264.HD")
    named = [replace(row, item_code=""), replace(row, item_code="", item="")]
    assert [str(whole.words().item(one)) for one in (row, *named)] == [
        str(ItemName("review", "porn")),
        str(ItemName("captions", "Captions")),
        str(ItemName("transcoding", "H264.HD")),
    ]


@pytest.mark.parametrize(
    ("text", "read"), [(f"0.{'0' * 14}1", True), (f"0.{'0' * 15}1", False), ("1E-15", True), ("1E-16", False)]
)
def test_a_number_has_at_most_fifteen_decimals(text: str, read: bool) -> None:
    if read:
        assert parse_amount(text, exponent=True) == Decimal("0.000000000000001")
    else:
        with pytest.raises(ValueError, match="more than 15 decimal places"):
            parse_amount(text, exponent=True)


@pytest.mark.parametrize("covered", [0, 1])
def test_the_price_of_a_line_is_that_of_what_was_billed(tmp_path: Path, covered: int) -> None:
    """An hour that a plan covers whole has a price that nothing was paid by, whichever hour comes first."""
    usage = kit.usage_text(
        [kit.row(job_id=f"j-{hour}", completed_at=f"2023-11-10T{hour}:20:00+08:00") for hour in (11, 12)]
    )
    case = Case(tmp_path, usage)
    bills = list(case.run.bills)
    (line,) = bills[covered].lines
    free = LineItem(line.charge, 1, line.micros, 0, None, Decimal("0.05"), 0)
    bills[covered] = replace(bills[covered], lines=(free,))
    ((_, ours),) = our_bills(OurRun(tuple(bills), ()), "mps", "day", case.book).items()
    (side,) = ours.lines.values()
    assert side.price == Fraction("0.0651") / 60_000_000
