"""Changes that contracts and versions may make are not reported: discounts by row, region, item, price and codec."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from mps_bill.core.diagnostics import Place
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.checks.price_cells import ItemTable, Rate
from mps_bill.price_sheet.find import shipped_sheets
from tests.kit import changed
from tests.price_sheet.slips import findings, put, tables_of

SHEETS = {
    **{id_: file.path for id_, file in shipped_sheets().items()},
    **{path.stem: path for path in sorted((Path(__file__).parent / "contracts").glob("*.yaml"))},
}
CHINA = SHEETS["mps-china"].read_text()
#: These are still reported: a higher resolution or a later tier does cost less than the one before.
OF_AN_ORDER = (kinds.CHEAPER_RESOLUTION, kinds.CHEAPER_H265, kinds.RISING_TIER)
#: The parts that have their own discount. Codecs are the first parts of specs, resolutions the last.
BY: dict[str, Callable[[ItemTable, Rate], object]] = {
    "row": lambda table, rate: (table.code.value, rate.spec),
    "region": lambda _, rate: rate.region,
    "region of an item": lambda table, rate: (table.code.value, rate.region),
    "item": lambda table, _: table.code.value,
    "codec": lambda _, rate: rate.spec.partition(".")[0],
    "resolution": lambda _, rate: rate.spec.rpartition(".")[2],
}


def discounted(text: str, by: str, random: Random, step: int) -> str:
    """Return the sheet with discounts of 0 to 40 percent, in steps of the given percentage."""
    shares: dict[object, Decimal] = {}
    of = BY[by]

    def share(table: ItemTable, rate: Rate) -> Decimal:
        return shares.setdefault(of(table, rate), Decimal(100 - random.randrange(0, 41, step)) / 100)

    return priced(text, share)


def priced(text: str, share: Callable[[ItemTable, Rate], Decimal]) -> str:
    """Return the sheet with each price times its share."""
    figures: dict[Place, Decimal] = {}
    for table in tables_of(text):
        for rate in () if table.derived else table.rates:
            # Round to the decimal places of the list and two more.
            places = Decimal(1).scaleb((rate.price.value.as_tuple().exponent or 0) - 2)
            figures[rate.price.place] = (rate.price.value * share(table, rate)).quantize(places)
    return put(text, figures)


#: 234 in all.
STEPS = (5, 10, 1)


@pytest.mark.parametrize("sheet", SHEETS)
def test_discounts_are_believable(sheet: str) -> None:
    """The sheet is compared with the list, or with the version before if there is no list."""
    text = SHEETS[sheet].read_text()
    found = []
    for number, (by, step) in enumerate((by, step) for by in BY for step in STEPS):
        new = discounted(text + "# a copy\n", by, Random(number), step)
        found += [(by, step, str(one)) for one in findings(new) if one.kind not in OF_AN_ORDER]
    assert found == []


#: (name, sheet, shares by a text in the name of item, spec and region; the first match counts)
AGREED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("one price 25 % lower", "mps-china", {"transcoding H264.HD": "0.75"}),
    ("one price 25 % lower", "mps-intl", {"transcoding H264.HD mainland": "0.75"}),
    ("each codec for itself", "mps-china", {"H264": "0.85", "H265": "0.65"}),
    ("each codec for itself", "mps-intl", {"H264": "0.85", "H265": "0.65"}),
    ("large ones for themselves", "mps-china", {"4K": "0.6", "2K": "0.6", "": "0.9"}),
    ("two regions", "mps-intl", {"singapore_japan_indonesia": "0.95", "me-central-1": "0.65"}),
    ("two areas", "cdn-china", {"AP2": "0.4", "AP3": "0.5"}),
    ("the dearest area dearer", "cdn-china", {"CN": "0.7"}),
    ("another area", "cdn-china", {"NA": "0.5"}),
    ("one area", "cdn-china", {"AP3": "0.7"}),
)


@pytest.mark.parametrize(
    ("sheet", "shares"), [row[1:] for row in AGREED], ids=[f"{row[0]} of {row[1]}" for row in AGREED]
)
def test_discounts_that_change_an_order_are_believable(sheet: str, shares: dict[str, str]) -> None:
    """The sheet is compared with the list, and with a version before that has the list's prices."""
    text = SHEETS[sheet].read_text()

    def share(table: ItemTable, rate: Rate) -> Decimal:
        of = f"{table.code.value} {rate.spec} {rate.region}"
        return Decimal(next((share for part, share in shares.items() if part in f" {of}"), "1"))

    assert [str(one) for one in findings(priced(text + "# a copy\n", share))] == []
    before = changed("effective_from: 2023", "effective_from: 2022", text)
    assert [str(one) for one in findings(priced(text, share), before, references={})] == []


def test_a_separate_price_for_a_region_is_believable() -> None:
    """A new version has a price for Singapore besides that of its group; neither was the price of another row."""
    text = SHEETS["mps-intl"].read_text()
    before = changed("effective_from: 2023", "effective_from: 2022", text)
    row = "      H264.HD: {"
    assert findings(changed(row, f"{row}ap-southeast-1: 0.0150, ", text), before, references={}) == ()


def test_rows_a_hundred_times_too_high_are_not_swapped() -> None:
    hundred = priced(
        CHINA + "# a copy\n",
        lambda table, rate: Decimal(100 if rate.spec.startswith("H264") and table.code.value == "transcoding" else 1),
    )
    (problem,) = findings(hundred)
    assert "H264" in hundred.split("\n")[problem.place.line - 1]
    assert "swapped" not in problem.message


@pytest.mark.parametrize(
    ("times", "currency"), [("7.1", "CNY"), ("6.03", "CNY"), ("7.8", "HKD"), ("150", "JPY"), ("0.85", "EUR")]
)
def test_another_currency_is_believable(times: str, currency: str) -> None:
    """Singapore's prices are not compared with the mainland's in another list that happens to have the same currency."""
    text = changed("currency: USD", f"currency: {currency}", SHEETS["mps-intl"].read_text() + "# a copy\n")
    assert [str(one) for one in findings(priced(text, lambda *_: Decimal(times)))] == []


def test_prices_of_other_regions_are_not_compared() -> None:
    """A contract of the China site has Singapore's list prices along with the mainland's."""
    text = changed("    prices:\n      Audio: {", "    prices:\n      Audio: {ap-southeast-1: 0.0220, ", CHINA)
    assert [str(one) for one in findings(text + "# a copy\n")] == []
