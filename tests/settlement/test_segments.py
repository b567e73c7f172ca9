"""Resource plans by the second: a plan covers what completed while it was in force, in every engine and under every rule."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from mps_bill.core.times import iso
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import SettleRun, settle_usage
from mps_bill.settlement.account import Account
from mps_bill.settlement.account_writer import afresh
from mps_bill.settlement.sources.resource_plans import ResourcePlan
from tests import kit
from tests.settlement.test_contract import random_account
from tests.settlement.worlds import HOUR, SHEET, account, at, balance_of, book, changed, plan, plans_of, reread

PIECES = """\
  pieces:
    name: Pieces
    family: transcoding
    unit: second
    prices:
      std: {"*": 0.001}
"""
SHEETS = SHEET.replace("  frames:\n", f"{PIECES}  frames:\n")
HEADER = "job_id,completed_at,region,item,spec,quantity,unit\n"


@dataclass(frozen=True)
class Use:
    at: int
    item: str
    spec: str
    quantity: str
    unit: str = "minute"


def usage_text(uses: Sequence[Use]) -> str:
    rows = (
        f"j{number},{iso(use.at, 8 * HOUR)},cn-shanghai,{use.item},{use.spec},{use.quantity},{use.unit}\n"
        for number, use in enumerate(uses)
    )
    return HEADER + "".join(rows)


def settled(folder: Path, uses: Sequence[Use], payer: Account, engine: str = "python") -> SettleRun:
    source = kit.source(folder / "usage.csv", usage_text(uses))
    return settle_usage([source], book(SHEETS), MeterOptions(engine=engine), payer)  # type: ignore[arg-type]


def covered(run: SettleRun) -> list[tuple[str, int, int, int]]:
    """Plan, cycle, micros and units of every deduction."""
    return [
        (taken.id, step.bill.cycle.start, taken.micros, taken.units)
        for step in run.settled.settlements
        for taken, _ in step.covers
    ]


EVERY = {"video": {"HD": "1", "SD": "1.5"}, "review": {"porn": "1"}, "pieces": {"std": "3"}}


@pytest.mark.parametrize("engine", ["python", "duckdb"])
@pytest.mark.parametrize(
    ("start", "end", "covers_from", "minutes"),
    [
        ("11-10 10:30", "12-01", "purchase", 10),
        ("11-10 10:30", "12-01", "cycle", 110),
        ("11-10 10:45", "12-01", "purchase", 10),
        ("11-10 10:46", "12-01", "purchase", 0),
        ("11-10 10:10", "12-01", "purchase", 110),
        ("11-01", "11-10 10:45", "purchase", 100),
        ("11-01", "11-10 10:10", "purchase", 0),
        ("11-01", "11-10 10:11", "cycle", 110),
        ("11-10 10:20", "11-10 10:40", "purchase", 0),
    ],
)
def test_a_plan_covers_what_completed_while_it_was_in_force(
    tmp_path: Path, engine: str, start: str, end: str, covers_from: str, minutes: int
) -> None:
    bought = plan("rp-1", "500", start=start, end=end, covers={"video": {"HD": "1"}}, covers_from=covers_from)  # type: ignore[arg-type]
    uses = [Use(at("11-10 10:10"), "video", "HD", "100"), Use(at("11-10 10:45"), "video", "HD", "10")]
    run = settled(tmp_path, uses, account("100", plans=(bought,)), engine)
    (step,) = run.settled.settlements
    assert step.bill.lines[0].covered_micros == minutes * 60 * 1_000_000
    assert step.bill.amounts.list_amount == (110 - minutes) * Decimal("0.0651")


def test_segments_of_an_item_that_is_rounded_by_the_cycle_add_up_to_the_line(tmp_path: Path) -> None:
    """0.6 minutes before and 0.6 after: the running total is 0 and then 1 whole minute, all of it after."""
    bought = plan("rp-1", "500", start="11-10 10:30", covers=EVERY, covers_from="purchase")
    uses = [Use(at("11-10 10:10"), "review", "porn", "0.6"), Use(at("11-10 10:45"), "review", "porn", "0.6")]
    run = settled(tmp_path, uses, account("100", plans=(bought,)))
    assert covered(run) == [("rp-1", at("11-10 10"), 60_000_000, 1_000_000)]


def test_a_plan_takes_the_earliest_segment_first(tmp_path: Path) -> None:
    """The first plan has 5 minutes for 10:00-10:40; what it leaves there is not covered by the second, which begins then."""
    plans = (
        plan("rp-1", "5", end="11-10 10:40", covers=EVERY, covers_from="purchase"),
        plan("rp-2", "50", start="11-10 10:20", covers=EVERY, covers_from="purchase"),
    )
    uses = [Use(at(f"11-10 10:{minute}"), "video", "HD", "4") for minute in (10, 30, 50)]
    run = settled(tmp_path, uses, account("100", plans=plans))
    minute = 60_000_000
    assert [(id_, micros / minute) for id_, _, micros, _ in covered(run)] == [("rp-1", 5), ("rp-2", 7)]


def model(uses: Sequence[Use], plans: Sequence[ResourcePlan]) -> list[tuple[str, int, int, int]]:
    """The deductions by the letter of the rule, in fractions, without anything of the program but its plans."""
    factor = {"minute": 60_000_000, "second": 1_000_000}
    step = {"video": 600_000, "review": 60_000_000, "pieces": 1}
    left = {one.id: one.remaining for one in plans}
    order = {"video": 0, "pieces": 1, "review": 3}
    found = []
    for cycle in sorted({use.at // HOUR * HOUR for use in uses}):
        end = cycle + HOUR
        cuts = sorted({
            moment
            for one in plans if one.covers_from == "purchase"
            for moment in (one.effective_from, one.expires_at) if cycle < moment < end
        })  # fmt: skip
        edges = [cycle, *cuts, end]
        lines: dict[tuple[int, str, str], dict[int, int]] = {}
        for key in sorted({(order[use.item], use.item, use.spec) for use in uses if cycle <= use.at < end}):
            _, item, spec = key
            before = running = 0
            for first, last in pairwise(edges):
                for use in uses:
                    if first <= use.at < last and (use.item, use.spec) == (item, spec):
                        micros = int(Fraction(use.quantity) * factor[use.unit])
                        if item == "video":
                            micros = (2 * micros + step[item]) // (2 * step[item]) * step[item]
                        running += micros
                total = running // step[item] * step[item] if item == "review" else running
                lines.setdefault(key, {})[first] = total - before
                before = total
        usable = [one for one in plans if left[one.id] and one.effective_from < end and cycle < one.expires_at]
        exact = Fraction(0)
        for one in sorted(usable, key=lambda one: (one.expires_at, left[one.id], one.effective_from, one.id)):
            for (_, item, spec), segments in lines.items():
                rate = one.covers.get(item, {}).get(spec)
                if rate is None:
                    continue
                # Millionths of a plan minute for a millionth of a second.
                per_micro = Fraction(rate) / 60
                micros = units = 0
                for first in segments:
                    in_force = one.covers_from == "cycle" or one.effective_from <= first < one.expires_at
                    if not in_force:
                        continue
                    whole = Fraction(left[one.id]) / per_micro
                    some = min(segments[first], int(whole / step[item]) * step[item])
                    taken = _half_up(exact + some * per_micro) - _half_up(exact)
                    exact += some * per_micro
                    left[one.id] -= taken
                    segments[first] -= some
                    micros += some
                    units += taken
                if micros:
                    found.append((one.id, cycle, micros, units))
    return found


def _half_up(value: Fraction) -> int:
    return int((2 * value + 1) / 2)


def random_usage_and_plans(source: random.Random) -> tuple[list[Use], tuple[ResourcePlan, ...]]:
    begin = at("11-10 09")
    kinds = [
        ("video", "HD", "minute"),
        ("video", "SD", "minute"),
        ("review", "porn", "minute"),
        ("pieces", "std", "second"),
    ]
    uses = []
    for _ in range(source.randrange(1, 25)):
        item, spec, unit = source.choice(kinds)
        quantity = source.choice(["0.6", "1", "2.345", "12.34", "0.015", "33"])
        uses.append(Use(begin + source.randrange(3 * HOUR), item, spec, quantity, unit))
    plans = []
    for number in range(source.randrange(1, 5)):
        start, end = sorted(source.sample(range(-HOUR, 4 * HOUR), 2))
        covers = {item: specs for item, specs in EVERY.items() if source.random() < 0.8} or EVERY
        made = plan(f"rp-{number}", source.choice(["0.5", "7", "20.25", "500"]), covers=covers)
        from_ = source.choice(["purchase", "purchase", "cycle"])
        plans.append(replace(made, effective_from=begin + start, expires_at=begin + end, covers_from=from_))
    return uses, tuple(plans)


@pytest.mark.parametrize("seed", range(60))
def test_the_deductions_are_those_of_the_rule(tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    uses, plans = random_usage_and_plans(source)
    payer = account("1000", plans=plans)
    run = settled(tmp_path, uses, payer)
    assert covered(run) == model(uses, plans)
    # The order of rows says nothing.
    shuffled = sorted(uses, key=lambda _: source.random())
    again = settled(tmp_path, shuffled, payer)
    assert (covered(again), again.settled.closing) == (covered(run), run.settled.closing)
    # Settling the hours one after the other is settling them at once, over a saved account.
    reached = payer
    for start in sorted({use.at // HOUR * HOUR for use in uses}):
        part = settled(tmp_path, [use for use in uses if use.at // HOUR * HOUR == start], reached)
        reached = reread(afresh(part.settled.closing, 8 * HOUR), book(SHEETS))
    assert plans_of(reached) == plans_of(run.settled.closing)
    assert balance_of(reached) == balance_of(run.settled.closing)


@pytest.mark.parametrize("seed", range(12))
def test_engines_agree_on_segments(tmp_path: Path, seed: int) -> None:
    uses, plans = random_usage_and_plans(random.Random(1000 + seed))
    payer = account("1000", plans=plans)
    assert covered(settled(tmp_path, uses, payer, "duckdb")) == covered(settled(tmp_path, uses, payer))


def test_spark_agrees_on_segments(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    uses, plans = random_usage_and_plans(random.Random(7))
    payer = account("1000", plans=plans)
    assert covered(settled(tmp_path, uses, payer, "spark")) == covered(settled(tmp_path, uses, payer))


def test_many_plans_split_the_hours_of_many_accounts(tmp_path: Path) -> None:
    """A hundred plans in an hour, a second each: every one covers the job of its second and no other."""
    begin = at("11-10 10")
    plans = tuple(
        replace(
            plan(f"rp-{number:03}", "10", covers=EVERY, covers_from="purchase"),
            effective_from=begin + number,
            expires_at=begin + number + 1,
        )
        for number in range(1, 101)
    )
    uses = [Use(begin + number, "video", "HD", "1") for number in range(0, 103)]
    for engine in ("python", "duckdb"):
        found = covered(settled(tmp_path, uses, account("100", plans=plans), engine))
        assert [(id_, micros) for id_, _, micros, _ in found] == [(one.id, 60_000_000) for one in plans]


def test_covers_from_is_read_and_written() -> None:
    text = """\
format: mps-bill/account/1
id: a-1
currency: CNY
balance: 0
resource_plans:
  - id: rp-1
    unit: minute
    total: 10
    effective_from: 2023-11-10T10:30:00+08:00
    expires_at: 2023-12-10T10:30:00+08:00
    covers: {video: {HD: 1}}
    covers_from: cycle
"""
    found = reread(text)
    assert [one.covers_from for one in plans_of(found)] == ["cycle"]
    assert reread(afresh(found, 8 * HOUR)) == found
    without = reread(text.replace("    covers_from: cycle\n", ""))
    assert [one.covers_from for one in plans_of(without)] == ["purchase"]


@pytest.mark.parametrize("seed", range(40))
def test_every_law_holds_with_a_contract_and_plans_by_the_second(tmp_path: Path, seed: int) -> None:
    """Discounts, settlement of the account, vouchers at billing and plans by the second, all at once; in any order of rows, in
    one run or hour by hour, over a saved account."""
    source = random.Random(2000 + seed)
    uses, plans = random_usage_and_plans(source)
    # Two more hours, in the month that follows.
    uses += [replace(use, at=use.at - begin_of("11-10") + begin_of("12-01")) for use in uses[:6]]
    payer = changed(random_account(source), plans=plans)
    whole = settled(tmp_path, uses, payer)
    for step in whole.settled.settlements:
        amounts = step.bill.amounts
        paid = step.payment.paid + step.payment.outstanding + step.frozen
        assert amounts.list_amount - amounts.discount + amounts.rounding_adjustment == amounts.payable == paid
    shuffled = sorted(uses, key=lambda _: source.random())
    assert settled(tmp_path, shuffled, payer).settled == whole.settled
    reached = payer
    for start in sorted({use.at // HOUR * HOUR for use in uses}):
        part = settled(tmp_path, [use for use in uses if use.at // HOUR * HOUR == start], reached)
        reached = reread(afresh(part.settled.closing, 8 * HOUR), book(SHEETS))
    assert reached == whole.settled.closing


def begin_of(day: str) -> int:
    return at(f"{day} 00")
