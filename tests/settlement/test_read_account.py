"""Account files: everything wrong is told at once, with its place; what is right is read exactly."""

# A line of a file, or a mistake and its message, is easier to compare on one line, however long.
# ruff: noqa: E501
from __future__ import annotations

from decimal import Decimal

import pytest

from mps_bill.settlement.account import Account
from mps_bill.settlement.account_format import DOCUMENT
from mps_bill.settlement.account_reader import read_account
from mps_bill.settlement.account_writer import afresh
from mps_bill.settlement.sources.credit_line import CreditLine
from mps_bill.settlement.sources.resource_plans import ResourcePlans
from mps_bill.settlement.sources.vouchers import Vouchers
from tests.settlement.worlds import SHEET, at, balance_of, book, cards_of, plans_of, reread, vouchers_of

GOOD = """\
format: mps-bill/account/1
id: studio-a
currency: CNY
balance: 1000.00
credit_line: 5
resource_plans:
  - id: rp-1
    name: Video, 5,000 min
    unit: minute
    total: 5000
    remaining: 4999.999999
    effective_from: 2023-11-01T10:30:30+08:00
    expires_at: 2024-05-01T00:00:00+08:00
    regions: [cn-beijing, cn-shanghai]
    covers:
      video: {SD: 1.5, HD: 3}
vouchers:
  - {id: v-1, face_value: 50, effective_from: 2023-11-01T00:00:00+08:00, expires_at: 2023-12-01T00:00:00+08:00, items: [video]}
stored_value_cards:
  - {id: c-1, face_value: 200, remaining: 0, effective_from: 2023-01-01T00:00:00+08:00, expires_at: 2024-01-01T00:00:00+08:00}
top_ups:
  - {at: 2023-11-10T12:30:00+08:00, amount: 500}
voucher_order: largest-balance
settled_through: 2023-11-10T10:00:00+08:00
"""


def problems(text: str) -> list[str]:
    account, found = read_account(text, "a.yaml", book())
    assert (account is None) is bool(found)
    return [f"{one.place.line}:{one.place.column} {one.message} [{one.kind.slug}]" for one in found]


def test_a_good_account_is_read_to_the_last_digit() -> None:
    account = reread(GOOD)
    (plan,) = plans_of(account)
    assert (balance_of(account), account.of(CreditLine).limit, account.of(Vouchers).order) == (
        1000,
        5,
        "largest-balance",
    )
    assert (plan.total, plan.remaining) == (5_000_000_000, 4_999_999_999)
    assert plan.covers == {"video": {"SD": Decimal("1.5"), "HD": Decimal(3)}}
    assert plan.regions == {"cn-beijing", "cn-shanghai"}
    assert vouchers_of(account)[0].remaining == 50
    assert cards_of(account)[0].remaining == 0
    assert account.settled("mps") == at("11-10 10")


def test_an_account_needs_no_more_than_id_currency_and_balance() -> None:
    text = "format: mps-bill/account/1\nid: a\ncurrency: CNY\nbalance: 0\nvouchers: []\n"
    assert reread(text) == Account(id="a", currency="CNY")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("remaining: 4999.999999", "remaining: -1", '11:16 "-1" is not a plain decimal; write digits such as 12 or 0.50 (without a minus sign) [bad-quantity]'),
        ("remaining: 4999.999999", "remaining: 5000.5", "11:16 remaining, 5000.5, is 0.5 above total, 5000; what is left is at most the whole [remaining-above-total]"),
        ("remaining: 0,", "remaining: 200.01,", "20:43 remaining, 200.01, is 0.01 above face_value, 200; what is left is at most the whole [remaining-above-total]"),
        ("balance: 1000.00", "balance: 1000.001", '4:10 "1000.001" has 3 decimal places; at most 2 are allowed [bad-money]'),
        ("face_value: 50,", "face_value: 5e1,", '18:27 "5e1" is not a plain decimal; write digits such as 12 or 0.50 (without an exponent) [bad-money]'),
        ("currency: CNY", "currency: USD", "3:11 the account is in USD, and the price sheets are in CNY [other-currency]"),
        ("HD: 3", "HD: 0", '16:28 "0" must be above zero [bad-coefficient]'),
        ("HD: 3", "HDD: 3", '16:24 unknown spec "HDD" of video; did you mean "HD"? [unknown-spec]'),
        ("video: {", "vide0: {", '16:7 unknown item "vide0"; no price sheet of this run has it; did you mean "video"? [unknown-item]'),
        ("items: [video]", "items: [review, vidoe]", '18:129 unknown item "vidoe"; no price sheet of this run has it; did you mean "video"? [unknown-item]'),
        ("unit: minute", "unit: frame", "9:11 video is billed by minute, and frame does not convert to it [unit-mismatch]"),
        ("unit: minute", "unit: minutes", '9:11 unknown unit "minutes"; did you mean "minute"? [unknown-unit]'),
        ("expires_at: 2024-05-01", "expires_at: 2023-05-01", "13:17 expires_at, 2023-05-01T00:00:00+08:00, must be after effective_from, 2023-11-01T10:30:30+08:00 [empty-validity]"),
        ("at: 2023-11-10T12:30:00+08:00", "at: 2023-11-10T12:30:00", '22:10 "2023-11-10T12:30:00" has no offset from UTC; write one, such as 2023-11-10T12:30:00+08:00 [bad-time]'),
        ("cn-beijing,", "cn-bejing,", '14:15 unknown region "cn-bejing"; did you mean "cn-beijing"? [unknown-region]'),
        ("largest-balance", "largest", '23:16 unknown order of vouchers "largest"; did you mean "largest-balance"? [unknown-voucher-order]'),
        ("top_ups:", "topups:", '21:1 unknown key "topups" in account; did you mean "top_ups"? [unknown-key]'),
        ("balance: 1000.00\n", "", '1:1 missing key "balance" in account: cash [missing-key]'),
        ("credit_line: 5\n", "credit_line: 5\ncredit_used: 5.01\n", "6:14 credit_used, 5.01, is 0.01 above credit_line, 5 [credit-used-above-line]"),
        ("mps-bill/account/1", "mps-bill/price-sheet/1", '1:9 "mps-bill/price-sheet/1" is not an account; its `format` is mps-bill/account/1 [unknown-format]'),
        ("mps-bill/account/1", "mps-bill/account/2", '1:9 unknown format "mps-bill/account/2"; did you mean "mps-bill/account/1"? [unknown-format]'),
    ],
)  # fmt: skip
def test_one_mistake_is_one_problem_at_its_place(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert problems(GOOD.replace(old, new, 1)) == [expected]


ALIASES = SHEET.replace("    name: Video\n", "    name: Video\n    spec_aliases: {1080P: HD, FullHD: HD}\n", 1)


def covering(specs: str, *sheets: str) -> tuple[dict[str, Decimal], list[str]]:
    """What the plan covers of video, and the problems."""
    text = GOOD.replace("{SD: 1.5, HD: 3}", specs)
    account, found = read_account(text, "a.yaml", book(*sheets))
    if account is None:
        return {}, [f"{one.place.line}:{one.place.column} {one.message} [{one.kind.slug}]" for one in found]
    assert account == reread(afresh(account, 8 * 3600), book(*sheets))
    ((plan,),) = [source.plans for source in account.sources if isinstance(source, ResourcePlans)]
    return dict(plan.covers["video"]), []


@pytest.mark.parametrize("specs", ["{1080P: 3, SD: 1}", "{HD: 3, SD: 1}", "{1080P: 3, HD: 3.0, FullHD: 3, SD: 1}"])
def test_another_spelling_of_a_spec_is_covered_as_the_spec(specs: str) -> None:
    assert covering(specs, ALIASES) == ({"HD": Decimal(3), "SD": Decimal(1)}, [])


def test_a_spec_that_was_renamed_is_covered_under_both_names() -> None:
    first = SHEET.replace("      HD:", "      1080P:", 1).replace(
        "billing:\n", "effective_to: 2023-12-01T00:00:00+08:00\nbilling:\n", 1
    )
    second = ALIASES.replace("2023-11-01T", "2023-12-01T", 1)
    assert covering("{1080P: 3}", first, second) == ({"1080P": Decimal(3), "HD": Decimal(3)}, [])
    assert covering("{HD: 3}", first, second) == ({"HD": Decimal(3)}, [])


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ("{HD: 3, 1080P: 2}", '16:22 spec "HD" (written "1080P") has two coefficients: 3 and 2 [duplicate-entry]'),
        ("{1080P: 2, HD: 3}", '16:25 spec "HD" has two coefficients: 2 and 3 [duplicate-entry]'),
        ("{1080I: 2}", '16:15 unknown spec "1080I" of video; did you mean "1080P"? [unknown-spec]'),
    ],
)  # fmt: skip
def test_two_spellings_of_a_spec_do_not_contradict_each_other(specs: str, expected: str) -> None:
    assert covering(specs, ALIASES) == ({}, [expected])


def test_an_id_is_in_its_list_once() -> None:
    text = GOOD.replace(
        "top_ups:",
        "  - {id: c-1, face_value: 1, effective_from: 2023-01-01T00:00:00+08:00, expires_at: 2024-01-01T00:00:00+08:00}\ntop_ups:",
    )
    assert problems(text) == ['21:10 duplicate id "c-1"; first defined at line 20, column 10 [duplicate-id]']


def test_equal_top_ups_are_told_apart_by_an_id() -> None:
    top_up = "  - {at: 2023-11-10T12:30:00+08:00, amount: 500}\n"
    same = "  - {at: 2023-11-10T04:30:00Z, amount: 500.00, arrived: true}\n"
    told = "duplicate top-up of the same time and amount; first defined at line 22, column 5; if both were paid, give each an id [duplicate-top-up]"
    assert problems(GOOD.replace(top_up, top_up + same)) == [f"23:5 {told}"]
    named = [same.replace("{", f"{{id: t-{number}, ") for number in (1, 2)]
    account = reread(GOOD.replace(top_up, top_up + named[0] + named[1]))
    assert [(one.id, one.amount, one.arrived) for one in account.top_ups] == [
        (None, 500, False), ("t-1", 500, True), ("t-2", 500, True),
    ]  # fmt: skip
    twice = problems(GOOD.replace(top_up, named[0] + named[0]))
    assert twice == ['23:10 duplicate id "t-1"; first defined at line 22, column 10 [duplicate-id]']
    # Other amounts or times are other top-ups.
    for other in (top_up.replace("500", "500.01"), top_up.replace("12:30:00", "12:30:01")):
        assert problems(GOOD.replace(top_up, top_up + other)) == []


def test_hours_of_charged_months_are_written_in_one_way() -> None:
    row = "charged_months:\n  - {product: mps, month: 2023-08, hours: x1f}\n"
    assert reread(GOOD + row).charged_months == {("mps", "2023-08"): 31}
    for hours in ("1f", "x0", "x01", "xF", "x", "x" + "f" * 187):
        (problem,) = problems(GOOD + row.replace("x1f", hours))
        assert problem.startswith("26:43 ")
    assert problems(GOOD + row + row.splitlines()[1] + "\n") == [
        '27:5 duplicate entry "mps 2023-08"; first defined at line 26, column 5 [duplicate-entry]'
    ]


def test_amounts_of_a_month_are_hours_and_money() -> None:
    owed = GOOD.replace("1000.00", "0") + (
        'outstanding_months:\n  - {product: mps, from: 2023-11-01T00:00:00+08:00, issued_after: 7200, amounts: "0=0.65 743=1"}\n'
    )
    found = [(debt.cycle_start, debt.issued_at, debt.amount) for debt in reread(owed).outstanding]
    assert found == [
        (at("11-01 00"), at("11-01 02"), Decimal("0.65")), (at("12-01 23"), at("12-02 01"), Decimal(1)),
    ]  # fmt: skip
    for wrong in ("0=0", "0=0.655", "00=1", "0=1  1=1", "0=1,1=1", "0", "=1", "0=-1", "0=1 "):
        (problem,) = problems(owed.replace("0=0.65 743=1", wrong))
        assert problem.startswith("26:82 ")
        assert problem.endswith("[bad-money]")
    (problem,) = problems(owed.replace("balance: 0", "balance: 1"))
    assert problem.endswith("[balance-while-outstanding]")


def test_money_paid_in_while_bills_are_outstanding_belongs_under_top_ups() -> None:
    owed = "outstanding:\n  - {product: mps, cycle_start: 2023-11-10T09:00:00+08:00, issued_at: 2023-11-10T11:00:00+08:00, amount: 3.20}\n"
    (problem,) = problems(GOOD + owed)
    assert problem.startswith("4:10 the balance is 1000.00 while bills are outstanding; write money")
    assert problems(GOOD.replace("1000.00", "0") + owed) == []


def test_bills_with_more_decimals_than_money_cannot_be_paid() -> None:
    finer = book(SHEET.replace("places: 2", "places: 3"))
    account, found = read_account(GOOD, "a.yaml", finer)
    assert account is None
    assert [one.kind.slug for one in found] == ["too-many-decimal-places"]


def test_frozen_amounts_need_the_sheet_that_pays_them() -> None:
    frozen = "frozen:\n  - {product: kms, month: 2023-11, items: {keys: 0.0350000001}}\n"
    (problem,) = problems(GOOD + frozen)
    assert problem.startswith('26:15 amounts of the product "kms" are frozen, and no price sheet of this run has it')


def test_every_problem_is_told_at_once() -> None:
    text = GOOD.replace("HD: 3", "HD: 0").replace("1000.00", "-1").replace("[video]", "[audio]")
    assert len(problems(text)) == 3
    discounts = "discounts:\n  - {id: d-1, percent: 8}\n  - {id: d-1, percent: 9}\n"
    found = problems(GOOD.replace("id: studio-a", "id: studio/a") + discounts)
    assert [one.rpartition(" [")[2] for one in found] == ["bad-id]", "duplicate-id]"]


def test_the_schema_knows_every_key() -> None:
    schema = DOCUMENT.schema()
    assert schema["required"] == ["format", "id", "currency", "balance"]
    assert {"settled_through", "month_used", "outstanding", "frozen", "charged"} <= set(schema["properties"])
