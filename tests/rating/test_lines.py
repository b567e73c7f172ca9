"""From a quantity to lines: prices, tiers, plans, and amounts that do not end."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.core.decimals import plain, stripped
from mps_bill.core.times import parse_second
from mps_bill.core.units import UNITS, in_unit
from mps_bill.metering.assign import Assignment
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.price_kinds.tiers import TieredPrice
from mps_bill.rating.lines import Charge, TagShare, charge_for, rate
from tests.kit import SHEET, billed, book, sheet_of, usage_of, usage_text

START = parse_second("2023-11-10T11:00:00+08:00")

ITEM = """\
  graduated_{per}:
    name: Graduated per {per}
    family: video-ai
    unit: minute
    spec: S
    prices: {{S: {{"*": {{tiers: graduated, per: {per}, up_to: {{100: 1, 250.5: 0.5, rest: 0.1}}}}}}}}
  volume_{per}:
    name: Volume per {per}
    family: video-ai
    unit: minute
    spec: S
    prices: {{S: {{"*": {{tiers: volume, per: {per}, up_to: {{100: 1, 250.5: 0.5, rest: 0.1}}}}}}}}
"""


def tiers() -> PriceBook:
    return book(sheet_of(ITEM.format(per="cycle") + ITEM.format(per="month")))


def charge(item: str, minutes: str, spec: str = "S", prices: PriceBook | None = None) -> Charge:
    prices = prices or tiers()
    (sheet,) = prices.sheets
    micros = int(Decimal(minutes) * UNITS["minute"].micros)
    of = Assignment(sheet, sheet.items[item], spec, "cn-shanghai", START)
    return charge_for(of, (TagShare((), micros, 1),), (), prices)


def shown(item: str, minutes: str, used: str = "0", plan: str = "0") -> list[tuple[str, str | None, str, str]]:
    """The lines as (quantity, tier, unit price, amount), after `used` minutes of the month and `plan` minutes covered."""
    micros = UNITS["minute"].micros
    found = rate(charge(item, minutes), int(Decimal(plan) * micros), int(Decimal(used) * micros))
    return [
        (plain(in_unit(line.micros, line.item.unit)), line.tier, plain(line.unit_price), stripped(line.amount))
        for line in found
    ]


@pytest.mark.parametrize(
    ("minutes", "used", "lines"),
    [
        ("50", "0", [("50", "0-100", "1", "50")]),
        # The upper bound belongs to its tier.
        ("100", "0", [("100", "0-100", "1", "100")]),
        ("100.000001", "0", [("100", "0-100", "1", "100"), ("0.000001", "100-250.5", "0.5", "0.0000005")]),
        ("250.5", "0", [("100", "0-100", "1", "100"), ("150.5", "100-250.5", "0.5", "75.25")]),
        # Several tiers in one cycle.
        (
            "300",
            "0",
            [("100", "0-100", "1", "100"), ("150.5", "100-250.5", "0.5", "75.25"), ("49.5", "250.5+", "0.1", "4.95")],
        ),
        # What the month has used fills the tiers first.
        ("50", "50", [("50", "0-100", "1", "50")]),
        ("50", "80", [("20", "0-100", "1", "20"), ("30", "100-250.5", "0.5", "15")]),
        ("50", "100", [("50", "100-250.5", "0.5", "25")]),
        (
            "200",
            "99",
            [("1", "0-100", "1", "1"), ("150.5", "100-250.5", "0.5", "75.25"), ("48.5", "250.5+", "0.1", "4.85")],
        ),
        ("50", "250.5", [("50", "250.5+", "0.1", "5")]),
        ("50", "100000", [("50", "250.5+", "0.1", "5")]),
        # No usage is a line in the tier that the month has reached.
        ("0", "0", [("0", "0-100", "1", "0")]),
        ("0", "100", [("0", "0-100", "1", "0")]),
        ("0", "101", [("0", "100-250.5", "0.5", "0")]),
        ("0", "251", [("0", "250.5+", "0.1", "0")]),
    ],
)
def test_graduated_tiers_split_the_quantity(minutes: str, used: str, lines: list[tuple[str, str, str, str]]) -> None:
    assert shown("graduated_month", minutes, used) == lines


@pytest.mark.parametrize(
    ("minutes", "used", "line"),
    [
        ("50", "0", ("50", "0-100", "1", "50")),
        ("100", "0", ("100", "0-100", "1", "100")),
        ("100.000001", "0", ("100.000001", "100-250.5", "0.5", "50.0000005")),
        ("250.5", "0", ("250.5", "100-250.5", "0.5", "125.25")),
        ("250.500001", "0", ("250.500001", "250.5+", "0.1", "25.0500001")),
        # The tier is the one that the month reaches with this cycle; the earlier bills stay as they were.
        ("50", "50", ("50", "0-100", "1", "50")),
        ("50", "51", ("50", "100-250.5", "0.5", "25")),
        ("1", "250", ("1", "250.5+", "0.1", "0.1")),
        ("0", "0", ("0", "0-100", "1", "0")),
        ("0", "300", ("0", "250.5+", "0.1", "0")),
    ],
)
def test_volume_tiers_price_the_whole_quantity_of_the_cycle(
    minutes: str, used: str, line: tuple[str, str, str, str]
) -> None:
    assert shown("volume_month", minutes, used) == [line]


@pytest.mark.parametrize("model", ["graduated", "volume"])
def test_tiers_per_cycle_begin_anew_in_every_cycle(model: str) -> None:
    assert shown(f"{model}_cycle", "50", used="99999") == [("50", "0-100", "1", "50")]


def test_plans_take_their_part_from_the_first_line_of_a_split() -> None:
    lines = rate(charge("graduated_month", "150"), 30 * UNITS["minute"].micros, 0)
    minute = UNITS["minute"].micros
    assert [(line.micros, line.covered_micros, line.billed_micros, line.records) for line in lines] == [
        (130 * minute, 30 * minute, 100 * minute, 1),
        (20 * minute, 0, 20 * minute, 0),
    ]
    assert sum(line.amount for line in lines) == 110


def test_a_line_that_plans_cover_whole_costs_nothing() -> None:
    assert shown("volume_month", "50", plan="50") == [("50", "0-100", "1", "0")]
    with pytest.raises(AssertionError, match="never covers more"):
        shown("volume_month", "50", plan="51")


@pytest.mark.parametrize(
    ("spec", "minutes", "amount"),
    [
        ("H264.HD", "10", "0.651"),
        ("H264.HD", "0.02", "0.001302"),
        ("H264.HD", "0", "0"),
        ("H264.4K", "16666666666.67", "4666666666.6676"),
    ],
)
def test_a_flat_price_makes_one_line(spec: str, minutes: str, amount: str) -> None:
    (line,) = rate(charge("transcoding", minutes, spec, book(SHEET)), 0, 0)
    assert (stripped(line.amount), line.tier) == (amount, None)


@pytest.mark.parametrize(("plan", "amount"), [("0", "9.765"), ("30", "7.812"), ("149.99", "0.000651"), ("150", "0")])
def test_a_flat_price_applies_to_the_usage_that_plans_leave(plan: str, amount: str) -> None:
    """150 minutes at 0.0651; for the 120 that a plan leaves 7.812, for 0.01 it is 0.000651."""
    minute = UNITS["minute"].micros
    (line,) = rate(charge("transcoding", "150", "H264.HD", book(SHEET)), int(Decimal(plan) * minute), 0)
    assert (stripped(line.amount), line.micros, line.records) == (amount, 150 * minute, 1)


@pytest.mark.parametrize(
    ("seconds", "amount"),
    [(1, "0.0008333333"), (2, "0.0016666667"), (3, "0.0025"), (59, "0.0491666667"), (60_020, "50.0166666667")],
)
def test_an_amount_that_does_not_end_is_rounded_at_the_tenth_decimal(seconds: int, amount: str) -> None:
    prices = book(SHEET)
    (sheet,) = prices.sheets
    of = Assignment(sheet, sheet.items["dna"], "DNA", "cn-shanghai", START)
    (line,) = rate(charge_for(of, (TagShare((), seconds * 1_000_000, 1),), (), prices), 0, 0)
    assert stripped(line.amount) == amount


@pytest.mark.parametrize(
    ("rounding", "minutes", "billed"),
    [
        ("down", "4.999999", "4"),
        ("down", "5", "5"),
        ("down", "0.999999", "0"),
        ("half-up", "4.499999", "4"),
        ("half-up", "4.5", "5"),
        ("up", "4.000001", "5"),
        ("up", "4", "4"),
        ("up", "0", "0"),
    ],
)
def test_cycles_are_rounded_on_their_sum(rounding: str, minutes: str, billed: str) -> None:
    sheet = SHEET.replace("{per: cycle, step: 1, rounding: down}", f"{{per: cycle, step: 1, rounding: {rounding}}}")
    rounded = charge("review", minutes, "porn", book(sheet))
    assert plain(in_unit(rounded.micros, UNITS["minute"])) == billed
    assert rounded.metered == int(Decimal(minutes) * UNITS["minute"].micros)


def test_tiers_have_names() -> None:
    (sheet,) = tiers().sheets
    price = sheet.items["volume_month"].prices["S"]["*"]
    assert isinstance(price, TieredPrice)
    assert [price.tier_name(number) for number in range(3)] == ["0-100", "100-250.5", "250.5+"]


def test_each_region_and_spec_fills_tiers_of_its_own(tmp_path: Path) -> None:
    rows = [
        usage_of("review", job_id=f"{spec}-{region}", spec=spec, region=region, quantity="3000")
        for spec in ("porn", "terrorism")
        for region in ("cn-shanghai", "cn-beijing")
    ]
    run = billed(tmp_path, usage_text(rows))
    assert [(line.spec, line.region, line.tier) for line in run.bills[0].lines] == [
        ("porn", "cn-beijing", "0-3000"),
        ("porn", "cn-shanghai", "0-3000"),
        ("terrorism", "cn-beijing", "0-3000"),
        ("terrorism", "cn-shanghai", "0-3000"),
    ]
