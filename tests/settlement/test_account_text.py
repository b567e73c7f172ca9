"""The text of a saved account: what the run did not change stays as it is, what it changed reads back exactly."""

# A line of a file, or a mistake and its message, is easier to compare on one line, however long.
# ruff: noqa: E501
from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings

from mps_bill.settlement.account import Account, Debt, FrozenMonth, debt_order
from mps_bill.settlement.account_writer import CannotEdit, afresh, edited
from mps_bill.settlement.settle_cycles import settle
from tests.settlement.test_read_account import GOOD
from tests.settlement.test_settle import payers, usages
from tests.settlement.worlds import HOUR, at, book, changed, hours, plans_of, reread, video, vouchers_of

OFFSET = 8 * HOUR
STATE = {
    "credit_used": Decimal("4.99"),
    "settled_through": {"mps": at("11-10 10"), "kms-2": at("11-09")},
    "outstanding": (
        Debt("mps", at("11-10 09"), None, at("11-10 11"), Decimal("0.01")),
        Debt("mps", at("11-01"), "2023-11", at("12-01 01"), Decimal("12")),
    ),
    "frozen": (FrozenMonth("mps", "2023-11", (("video", Decimal("0.0000000001")), ("review", Decimal("1E+1")))),),
    "month_used": {("mps", "2023-11", "review", "porn", "cn-shanghai"): 123_456_789_012_345_678_901_234_567_890},
    "charged": {
        ("mps", "2023-11-10"): ("09-0123456789", "10-abcdef0123"),
        ("mps", "2023-11-12"): ("00-12e4567890",),
    },
    "charged_months": {("kms-2", "2023-08"): 1, ("mps", "2023-01"): (1 << 744) - 2},
}


def poor(account: Account) -> Account:
    return changed(account, balance=Decimal(0))


def test_values_are_changed_in_place() -> None:
    before = reread(GOOD)
    after = changed(
        before,
        balance=Decimal("999.5"),
        plans=(replace(plans_of(before)[0], remaining=1_500_000),),
        vouchers=(replace(vouchers_of(before)[0], remaining=Decimal("0.30")),),
        top_ups=(replace(before.top_ups[0], arrived=True),),
        settled_through={"*": at("11-10 10"), "mps": at("11-10 12")},
    )
    text = edited(GOOD, before, after, OFFSET)
    differing = {new: old for old, new in zip(GOOD.splitlines(), text.splitlines(), strict=False) if old != new}
    assert differing == {
        "balance: 999.50": "balance: 1000.00",
        "    remaining: 1.5": "    remaining: 4999.999999",
        "  - {id: v-1, face_value: 50, remaining: 0.30, effective_from: 2023-11-01T00:00:00+08:00, expires_at: 2023-12-01T00:00:00+08:00, items: [video]}": GOOD.splitlines()[17],
        "  - {at: 2023-11-10T12:30:00+08:00, amount: 500, arrived: true}": "  - {at: 2023-11-10T12:30:00+08:00, amount: 500}",
    }  # fmt: skip
    assert text.splitlines()[24:] == [
        'settled_through_by_product: {"*": 2023-11-10T10:00:00+08:00, mps: 2023-11-10T12:00:00+08:00}'
    ]
    assert reread(text) == after


def test_comments_and_layout_stay() -> None:
    text = GOOD.replace("balance: 1000.00", 'balance: "1000.00"   # cash').replace(
        "    total: 5000\n    remaining: 4999.999999\n", "    total: 5000   # LD minutes\n"
    )
    text = "# The account.\n" + text + "# end"
    before = reread(text)
    after = changed(
        before,
        balance=Decimal(7),
        plans=(replace(plans_of(before)[0], remaining=0),),
        settled_through={"mps": at("11-10 11")},
    )
    new = edited(text, before, after, OFFSET)
    assert "balance: 7.00   # cash\n" in new
    assert "    total: 5000   # LD minutes\n    remaining: 0\n    effective_from" in new
    assert new.startswith("# The account.\n")
    assert "\n# end\nsettled_through_by_product" in new
    assert reread(new) == after


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
    ],
)
def test_everything_that_the_program_keeps_is_written_replaced_and_taken_out(change) -> None:
    text = change(GOOD)
    before = poor(reread(text))
    full = changed(before, **STATE)
    written = edited(text, reread(text), full, OFFSET)
    assert reread(written) == full
    charged = dict([*full.charged.items()][1:])
    less = changed(full, outstanding=full.outstanding[1:], charged=charged, charged_months={}, credit_used=Decimal(0))
    rewritten = edited(written, full, less, OFFSET)
    assert reread(rewritten) == less
    cleared = replace(before, settled_through=full.settled_through)
    assert reread(edited(rewritten, less, cleared, OFFSET)) == cleared
    assert ("\r\n" in text) == ("\r\n" in rewritten)
    assert "\n" not in rewritten.replace("\r\n", "") or "\r\n" not in text


def test_a_file_written_afresh_reads_the_same() -> None:
    account = changed(poor(reread(GOOD)), **STATE)
    assert reread(afresh(account, OFFSET)) == account


def test_a_file_written_afresh_has_no_key_with_its_default() -> None:
    text = """\
format: mps-bill/account/1
id: a
currency: CNY
balance: 1.00
vouchers:
  - {id: v, face_value: 2.00, remaining: 1.00, effective_from: 2023-11-01T00:00:00+08:00, expires_at: 2023-12-01T00:00:00+08:00}
"""
    assert afresh(reread(text), OFFSET) == text


def test_a_value_that_reaches_over_lines_is_replaced_to_its_end() -> None:
    """Whoever formats an account puts lists on lines of their own; a bracket alone on a line belongs to the value."""
    debts = "outstanding: [\n  {product: mps, cycle_start: 2023-11-10T09:00:00+08:00, issued_at: 2023-11-10T11:00:00+08:00, amount: 0.01}\n]\n"
    text = (
        GOOD.replace("balance: 1000.00", "balance: 0")
        + debts
        + "# kept\nsettled_at: 2023-11-10T11:00:00+08:00   # so far\n"
    )
    before = reread(text)
    assert len(before.outstanding) == 1
    new = edited(text, before, changed(before, outstanding=()), OFFSET)
    assert new == text.replace(debts, "")


def test_a_layout_that_cannot_be_edited_is_refused_not_guessed() -> None:
    text = "{format: mps-bill/account/1, id: a, currency: CNY, balance: 1}\n"
    account = reread(text)
    with pytest.raises(CannotEdit):
        edited(text, account, changed(account, balance=Decimal(0)), OFFSET)
    text = "format: mps-bill/account/1\nid: a\ncurrency: CNY\nbalance: >-\n  1.00\n"
    account = reread(text)
    with pytest.raises(CannotEdit):
        edited(text, account, changed(account, balance=Decimal(0)), OFFSET)


@settings(max_examples=40)
@given(usage=usages, payer=payers())
def test_edited_and_fresh_files_read_the_same(usage, payer) -> None:
    text = afresh(payer, OFFSET)
    for cycles in (hours(usage)[:2], hours(usage)[2:]):
        after = settle(cycles, payer, book()).closing
        text = edited(text, payer, after, OFFSET)
        assert reread(text) == reread(afresh(after, OFFSET)) == after
        payer = after


def test_nothing_changed_nothing_written() -> None:
    account = reread(GOOD)
    assert edited(GOOD, account, settle(hours({at("11-10 08"): video("1")}), account, book()).closing, OFFSET) == GOOD


def test_a_month_with_many_outstanding_bills_is_one_row() -> None:
    """25 of November, 24 of December (one was issued later than the others), and a statement."""
    debts = [
        Debt("mps", start, None, start + 2 * HOUR, Decimal(n + 1) / 100)
        for n, start in enumerate([*range(at("11-29 23"), at("12-01"), HOUR), *range(at("12-01"), at("12-02"), HOUR)])
    ]
    late = replace(debts[3], issued_at=at("12-03"))
    statement = Debt("mps", at("11-01"), "2023-11", at("12-01 01"), Decimal("12"))
    before = poor(reread(GOOD))
    owing = replace(before, outstanding=tuple(sorted((*debts, late, statement), key=debt_order)))
    for text in (edited(GOOD, reread(GOOD), owing, OFFSET), afresh(owing, OFFSET)):
        assert reread(text) == owing
        assert text.count("issued_at: ") == 24 + 2
        (month,) = (line for line in text.splitlines() if "amounts" in line)
        assert month.startswith(
            '  - {product: mps, from: 2023-11-01T00:00:00+08:00, issued_after: 7200, amounts: "695=0.01 696=0.02 697=0.03 '
        )
        less = replace(owing, outstanding=owing.outstanding[2:])
        assert "amounts" not in edited(text, owing, less, OFFSET)
        assert reread(edited(text, owing, less, OFFSET)) == less
        assert reread(edited(text, owing, before, OFFSET)) == before


def test_an_account_in_debt_grows_by_the_month() -> None:
    """Three months of unpaid hours: ten bytes for each, and not a row."""
    owing = settle(hours({at("11-01") + n * HOUR: video("10") for n in range(90 * 24)}), reread(EMPTY), book()).closing
    text = afresh(owing, OFFSET)
    assert len(owing.outstanding) == 90 * 24
    assert reread(text) == owing
    block = text[text.index("outstanding_months:") : text.index("charged:")]
    assert len(block) < 90 * 24 * 10


EMPTY = "format: mps-bill/account/1\nid: a\ncurrency: CNY\nbalance: 0\n"
