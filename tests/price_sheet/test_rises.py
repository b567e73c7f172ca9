"""`--fail-if-up` fails for every change that can make a bill higher, and for no other change."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Literal

import pytest

from mps_bill.core.decimals import divide
from mps_bill.price_sheet.rises import Rise, never_more, rises
from mps_bill.price_sheet.sheet_diff import diff_sheets
from tests.invalid.gallery import GOOD as GOOD_FILE
from tests.kit import changed, read_sheet

GOOD = GOOD_FILE.read_text()
TRANSMUXING = '    unit: minute\n    spec: Segmentation\n    prices:\n      Segmentation: {"*": 0.0021}'
METERING = "{per: record, step: 0.01, rounding: half-up, minimum: 0.02}"
TIERS = "{tiers: volume, per: month, up_to: {3000: 0.1, 10000: 0.09, rest: 0.08}}"
#: The rise has no percentage, because it depends on the usage.
OPEN = "open"
#: The rise is from zero.
FROM_NOTHING = "from nothing"


def found(*edits: tuple[str, str], base: str = GOOD) -> tuple[Rise, ...]:
    text = base
    for old, new in edits:
        text = changed(old, new, text)
    sheets = []
    for version in (base, text):
        sheet, problems = read_sheet(version, "f")
        assert sheet, problems
        sheets.append(sheet)
    return rises(diff_sheets(*sheets))


def size(rise: Rise) -> object:
    return rise.ratio if rise.ratio is not None else FROM_NOTHING if rise.measured else OPEN


@pytest.mark.parametrize(
    ("old", "new", "size_of_highest"),
    [
        # A price, and a smaller unit at the same price: 60 times, which is +5,900 %.
        ('"*": 0.0021', '"*": 0.0042', Fraction(2)),
        (TRANSMUXING, TRANSMUXING.replace("minute", "second"), Fraction(60)),
        (TRANSMUXING, TRANSMUXING.replace("minute", "hour"), None),
        (TRANSMUXING, TRANSMUXING.replace("minute", "hour").replace("0.0021", "0.126"), None),
        (TRANSMUXING, TRANSMUXING.replace("minute", "hour").replace("0.0021", "0.252"), Fraction(2)),
        (TRANSMUXING, TRANSMUXING.replace("minute", "frame"), OPEN),
        # Metering rules that may bill more for some usage, and those that never do.
        ("minimum: 0.02", "minimum: 60", OPEN),
        ("minimum: 0.02", "minimum: 0.01", None),
        (", minimum: 0.02", "", None),
        (METERING, "{per: record, step: 0.01, rounding: up, minimum: 0.02}", OPEN),
        (METERING, "{per: record, step: 0.01, rounding: down, minimum: 0.02}", None),
        (METERING, "{per: record, step: 1, rounding: half-up}", OPEN),
        (METERING, "{per: record, step: 0.02, rounding: down, minimum: 0.02}", None),
        (METERING, "{per: cycle, step: 0.01, rounding: half-up, minimum: 0.02}", OPEN),
        (METERING, "{per: none, minimum: 0.02}", OPEN),
        ("{per: cycle, step: 1, rounding: down}", "{per: cycle, step: 1, rounding: up}", OPEN),
        ("{per: cycle, step: 1, rounding: down}", "{per: cycle, step: 1, rounding: half-up}", OPEN),
        ("{per: cycle, step: 1, rounding: down}", "{per: none}", OPEN),
        ("{per: cycle, step: 1, rounding: down}", "{per: cycle, step: 2, rounding: down}", None),
        ("{per: cycle, step: 1, rounding: down}", "{per: record, step: 1, rounding: down}", None),
        # The bill.
        ("mode: down", "mode: up", OPEN),
        ("mode: down", "mode: half-up", OPEN),
        ("places: 2", "places: 4", OPEN),
        ("places: 2", "places: 0", None),
        ("cycle: hour", "cycle: day", OPEN),
        ('timezone: "+08:00"', 'timezone: "+00:00"', OPEN),
        ("settlement: hourly", "settlement: monthly", OPEN),
        # A bucket made smaller: an HD picture is billed at the price of the next one.
        ("SD: 1280x720", "SD: 720x576", Fraction(2)),
        ("SD: 1280x720", "SD: 1440x900", None),
        # Just above 10,000 minutes: a little over 300 + 630, but 0.08 for the whole quantity before.
        # Tiers: applied part by part, with lower bounds, with a tier removed, counted by the cycle, or separately.
        (TIERS, TIERS.replace("volume", "graduated"), Fraction(930 * 60_000_000 * 10_000 + 800, 800 * (10_000 * 60_000_000 + 1))),
        (TIERS, TIERS.replace("3000:", "5000:"), Fraction(10, 9)),
        (TIERS, TIERS.replace("10000: 0.09, ", ""), None),
        (TIERS, TIERS.replace("10000: 0.09, rest: 0.08", "rest: 0.09"), Fraction(9, 8)),
        (TIERS, TIERS.replace("per: month", "per: cycle"), Fraction(5, 4)),
        (TIERS, TIERS.replace("per: month", "per: month, across: item"), OPEN),
        (TIERS, TIERS.replace("3000: 0.1", "3000: 0.09"), None),
        (TIERS, "0.08", None),
        (TIERS, "0.1", Fraction(5, 4)),
        # A derived price.
        ("times: 3", "times: 3.3", Fraction(11, 10)),
        # Changes that cost nobody more.
        ("issue_after: 1h", "issue_after: 3h", None),
        ("name: Transmuxing", "name: Segmenting", None),
        ("      H265.HD: {mainland: 0.0496, asia: 0.1250}\n", "", None),
        ('"*": 0.0021', '"*": 0.0020', None),
    ],
)  # fmt: skip
def test_changes_that_cost_more(old: str, new: str, size_of_highest: object) -> None:
    highest = next(iter(found((old, new))), None)
    assert (size(highest) if highest else None) == size_of_highest


def test_the_reverse_of_a_smaller_bucket_and_of_graduated_tiers_is_not_a_rise() -> None:
    small = changed("SD: 1280x720", "SD: 720x576", GOOD)
    assert found(("SD: 720x576", "SD: 1280x720"), base=small) == ()
    graduated = changed("volume", "graduated", GOOD)
    assert found(("graduated", "volume"), base=graduated) == ()


def test_a_rise_from_zero() -> None:
    free = changed('"*": 0.0021', '"*": 0', GOOD)
    (rise,) = found(('"*": 0', '"*": 0.0001'), base=free)
    assert size(rise) == FROM_NOTHING
    assert rise.exceeds(Decimal(10**9))


def test_another_spelling_of_a_more_expensive_spec() -> None:
    base = changed("    sources: [page]", "    spec_aliases: {Video.SD: H264.SD}\n    sources: [page]", GOOD)
    (rise,) = found(("Video.SD: H264.SD", "Video.SD: H265.SD"), base=base)
    assert (rise.ratio, str(rise)) == (
        Fraction(5),
        "the spelling Video.SD of transcoding in ap-southeast-1 changes from H264.SD (0.0125) to H265.SD (0.0625) (+400 %)",
    )


def test_a_rise_describes_itself() -> None:
    assert str(found((TRANSMUXING, TRANSMUXING.replace("minute", "second")))[0]) == (
        "the price of Segmentation of transmuxing in every other region rises from 0.0021 per minute to 0.0021 per second"
        " (+5900 %)"
    )
    assert str(found(("minimum: 0.02", "minimum: 60"))[0]) == (
        'the metering of transcoding changes from "each record rounded half-up to 0.01 minutes, at least 0.02 minutes"'
        ' to "each record rounded half-up to 0.01 minutes, at least 60 minutes"'
    )
    assert str(found(("SD: 1280x720", "SD: 720x576"))[0]) == (
        "the spec of H264 of 1280x720 of transcoding in ap-southeast-1 changes from H264.SD (0.0125) to H264.HD (0.0250) (+100 %)"
    )


Mode = Literal["half-up", "up", "down"]


RULES = tuple(product(("half-up", "up", "down"), (1, 2, 3, 4, 6)))


@pytest.mark.parametrize(("old", "new"), list(product(RULES, repeat=2)))
def test_rounding_rules_are_compared_as_they_round(old: tuple[Mode, int], new: tuple[Mode, int]) -> None:
    """`never_more` agrees with the rounding of every quantity up to a common multiple of the steps."""

    def rounded(rule: tuple[Mode, int]) -> Callable[[Fraction], int]:
        mode, step = rule
        return lambda value: divide(value.numerator, value.denominator * step, mode) * step

    one, other = rounded(old), rounded(new)
    is_so = all(other(Fraction(value, 4)) <= one(Fraction(value, 4)) for value in range(97))
    assert never_more(*old, *new) == is_so or not never_more(*old, *new)
    if old[1] == new[1]:
        assert never_more(*old, *new) == is_so


@pytest.mark.parametrize(
    ("new_unit", "new_price", "rule", "size_of_highest"),
    [
        # The same number in a larger unit at no higher price never costs more; with a finer step, or in a smaller unit, it may.
        ("hour", "0.0021", "per: record, step: 1, rounding: up", None),
        ("hour", "0.0020", "per: record, step: 1, rounding: up, minimum: 2", OPEN),
        ("hour", "0.0021", "per: record, step: 2, rounding: up", OPEN),
        ("hour", "0.0022", "per: record, step: 1, rounding: up", OPEN),
        ("second", "0.000035", "per: record, step: 7, rounding: up", OPEN),
    ],
)
def test_a_larger_unit_at_the_same_price(new_unit: str, new_price: str, rule: str, size_of_highest: object) -> None:
    own = TRANSMUXING.replace("    prices", "    metering: {per: record, step: 1, rounding: up}\n    prices")
    base = changed(TRANSMUXING, own, GOOD)
    new = (
        own.replace("minute", new_unit).replace("0.0021", new_price).replace("per: record, step: 1, rounding: up", rule)
    )
    rise = next(iter(found((own, new), base=base)), None)
    assert (size(rise) if rise else None) == size_of_highest
