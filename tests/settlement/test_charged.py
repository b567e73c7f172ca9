"""What an account remembers of charged cycles: digests of the newest months, and of older ones which cycles they were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mps_bill.core.times import DAY
from mps_bill.settlement.account import Account
from mps_bill.settlement.account_writer import afresh, edited
from mps_bill.settlement.charged import charged_beyond
from mps_bill.settlement.settle_cycles import settle
from tests.settlement.test_settle import DAILY_SHEET, OFFSET
from tests.settlement.worlds import HOUR, SHEET, account, at, book, hours, reread, video

PRICES, TWO = (
    book(*(sheet.replace("2023-11-01T00", "2022-11-01T00") for sheet in sheets))
    for sheets in ((SHEET,), (SHEET, DAILY_SHEET))
)

#: The first and the last hour of each month up to November: (hour of 2023, bit of the month).
EDGES = {
    at("07-31 23"): ("2023-07", 743),
    at("08-01 00"): ("2023-08", 0),
    at("09-30 23"): ("2023-09", 719),
    at("10-01 00"): ("2023-10", 0),
    at("11-30 23"): ("2023-11", 719),
}
ALL = hours({start: video("1") for start in EDGES}, PRICES)
LONG_AGO = ALL[:3]


def months(account_: Account) -> dict[str, int]:
    return {month: bits for (_, month), bits in account_.charged_months.items()}


def charged_days(account_: Account) -> list[str]:
    return [day for _, day in account_.charged]


def all_digests() -> dict[tuple[str, str], tuple[str, ...]]:
    """The digests of all cycles, as an account has them that is settled cycle by cycle."""
    closed = [settle([cycle], account("100"), PRICES).closing for cycle in ALL]
    return {day: digests for one in closed for day, digests in one.charged.items()}


def test_cycles_older_than_the_month_before_the_last_are_known_by_hour() -> None:
    run = settle(ALL, account("100"), PRICES)
    assert months(run.closing) == {"2023-07": 1 << 743, "2023-08": 1, "2023-09": 1 << 719}
    assert charged_days(run.closing) == ["2023-10-01", "2023-11-30"]
    # December is reached with its first cycle, not with the end of November's last.
    december = settle(hours({at("12-01 00"): video("1")}, PRICES), run.closing, PRICES)
    assert months(december.closing)["2023-10"] == 1
    assert charged_days(december.closing) == ["2023-11-30", "2023-12-01"]


def test_long_past_cycles_are_known_as_charged_and_missed_ones_are_charged_once() -> None:
    payer = settle(ALL, account("100"), PRICES).closing
    missed = hours({at("07-31 22"): video("1"), at("08-01 01"): video("1")}, PRICES)
    run = settle((*missed, *LONG_AGO), payer, PRICES)
    assert (run.steps, len(run.late)) == ((), 5)
    assert run.charged_before == {(cycle.product, cycle.start): "unknown" for cycle in LONG_AGO}
    once = settle(missed, payer, PRICES, charge_late=True)
    assert [one.bill.cycle.start for one in once.settlements] == [at("07-31 22"), at("08-01 01")]
    assert not once.charged_again
    assert months(once.closing) == {"2023-07": 3 << 742, "2023-08": 3, "2023-09": 1 << 719}
    again = settle(missed, once.closing, PRICES, charge_late=True)
    assert [one.bill.cycle.start for one in again.charged_again] == [at("07-31 22"), at("08-01 01")]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_runs_in_parts_remember_what_one_run_does(size: int) -> None:
    """With two products, and a correction of a month that is long past already."""
    keys = {at(day): {("keys", "version", "cn-shanghai"): "1"} for day in ("07-02", "08-31", "09-01", "11-02")}
    cycles = hours({**{start: video("1") for start in EDGES}, **keys}, TWO)
    late = hours({at("06-30 23"): video("1")}, TWO)
    payer = account("100", settled_through={"*": at("07-01 00")})
    parts = payer
    for first in range(0, len(cycles), size):
        parts = reread(afresh(settle(cycles[first : first + size], parts, TWO).closing, OFFSET), TWO)
    whole = settle(cycles, payer, TWO).closing
    assert parts == whole
    assert list(parts.charged) == list(whole.charged)
    assert {product for product, _ in whole.charged_months} == {"mps", "kms"}
    late_last = [settle(late, one, TWO, charge_late=True).closing for one in (parts, whole)]
    assert late_last[0] == late_last[1]
    assert reread(afresh(late_last[0], OFFSET), TWO) == late_last[0]


def test_an_account_grows_by_the_month_and_not_by_the_hour() -> None:
    """Usage in every hour; between the tenth and the fifth month 250 bytes come with each, not 24 x 31 x 16."""
    sizes = []
    payer, start = account("100000"), at("01-01 00")
    for days in (151, 153):
        cycles = hours({start + hour * HOUR: video("1") for hour in range(days * 24)}, PRICES)
        payer, start = settle(cycles, payer, PRICES).closing, start + days * DAY
        sizes.append(len(afresh(payer, OFFSET)))
    assert sizes[1] - sizes[0] < 5 * 250
    assert reread(afresh(payer, OFFSET)) == payer


def test_a_file_with_digests_of_every_day_settles_as_it_did() -> None:
    """Written before old cycles were known by their hours alone: the same usage is still known, until the next charge."""
    payer = settle(ALL, account("100"), PRICES).closing
    old = replace(payer, charged=all_digests(), charged_months={})
    text = afresh(old, OFFSET)
    assert "charged_months" not in text
    assert reread(text) == old
    run = settle(ALL, old, PRICES, charge_late=True)
    assert (run.steps, set(run.charged_before.values()), run.closing) == ((), {"same"}, old)
    next_hour = hours({at("12-01 00"): video("1")}, PRICES)
    after = settle(next_hour, old, PRICES).closing
    assert after == settle(next_hour, payer, PRICES).closing
    assert reread(edited(text, old, after, OFFSET)) == after


def test_cycles_that_another_state_of_the_account_has_charged_beyond_this_one() -> None:
    new = settle(ALL, account("100"), PRICES).closing
    old = replace(new, charged=all_digests(), charged_months={})
    # The same charges, however they are known.
    assert charged_beyond(old, new) == charged_beyond(new, old) == charged_beyond(new, new) == []
    nothing = account("100")
    assert charged_beyond(new, nothing) == ["2023-07", "2023-08", "2023-09", "2023-10-01", "2023-11-30"]
    more = {**new.charged_months, ("mps", "2023-07"): 7 << 741}
    assert charged_beyond(replace(new, charged_months=more), old) == ["2023-07", "2023-07"]
    other = {("mps", "2023-10-01"): ("00-0123456789",)}
    assert charged_beyond(replace(new, charged=other), new) == ["2023-10-01"]
    of_kms = {("kms", "2023-07-31"): all_digests()["mps", "2023-07-31"]}
    assert charged_beyond(replace(old, charged=of_kms), new) == ["2023-07-31"]
