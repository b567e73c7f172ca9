"""Prices wrong by a factor of ten or more are found, each once and at its place; a sheet without a mistake has no findings."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from mps_bill.price_sheet.find import shipped_sheets
from mps_bill.price_sheet.load_sheets import load_file
from tests.golden.cases import run_captured
from tests.price_sheet.slips import (
    TODAY,
    cell_slips,
    findings,
    flat_lines,
    multiplied,
    priced_at,
    swaps,
    table_slips,
    tables_of,
)

SHIPPED = shipped_sheets()
CONTRACTS = sorted((Path(__file__).parent / "contracts").glob("*.yaml"))


@pytest.mark.parametrize("id_", SHIPPED)
def test_slips_of_shipped_sheets_are_found(id_: str) -> None:
    """Mistakes in every single price, and in every item, spec, region and factor as a whole, are found."""
    sheet = load_file(SHIPPED[id_])
    assert sheet.text
    assert sheet.draft
    references = {"f": (sheet.draft.sheet,)}
    missed, repeated, elsewhere = [], [], []
    slips = [*cell_slips(sheet.text), *table_slips(sheet.text)]
    for slip in slips:
        found = findings(slip.text, references=references)
        missed += [slip.what] if not found else []
        repeated += [slip.what] if len(found) > 1 else []
        elsewhere += [slip.what for problem in found if problem.place.line not in slip.lines]
    assert (missed, repeated, elsewhere) == ([], [], [])


def test_there_are_enough_mistakes_to_find() -> None:
    texts = [file.path.read_text() for file in SHIPPED.values()]
    assert sum(1 for text in texts for _ in cell_slips(text)) > 985
    assert sum(1 for text in texts for _ in table_slips(text)) > 400


#: Mistakes in a sheet with its own items that only its price list could show: exactly ten times an equal neighbour, and whole
#: items, or whole regions of two.
NOT_IN_THE_SHEET = {
    "studio-usd": r"captions .*|(std_video|live_recording) x .*|premium_videotimes x 1/10|live_recording in .*"
}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_slips_of_contracts_are_found(path: Path) -> None:
    """As in a shipped sheet, mistakes in a contract are found by the shipped sheets with its items and by its own prices."""
    slips = [*cell_slips(path.read_text()), *table_slips(path.read_text())]
    assert len(slips) > 70
    found = {slip.what: findings(slip.text) for slip in slips}
    assert [what for what, problems in found.items() if len(problems) > 1] == []
    missed = [what for what, problems in found.items() if not problems]
    assert [what for what in missed if not re.fullmatch(NOT_IN_THE_SHEET.get(path.stem, ""), what)] == []
    assert len(missed) * 9 < len(slips)


def test_nothing_is_found_on_shipped_sheets_and_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [*SHIPPED, *map(str, CONTRACTS)]
    assert len(CONTRACTS) == 3
    for path in paths:
        code, out, _ = run_captured(["prices", "check", path, "--strict", "--today", TODAY], b"", monkeypatch)
        assert (code, out.decode()) == (0, ""), path


def test_a_sheet_in_another_unit_of_money_is_one_mistake() -> None:
    """Every price is in hundredths, as in a list in fen."""
    text = SHIPPED["mps-china"].path.read_text()
    for table in tables_of(text):
        places = [rate.price.place for rate in table.rates if not table.derived and rate.price.value]
        text = multiplied(text, places, Fraction(100)) or text
    (problem,) = findings(text)
    assert (problem.kind.code, text.split("\n")[problem.place.line - 1]) == ("P911", "currency: CNY")


@pytest.mark.parametrize("path", [*map(str, CONTRACTS), "mps-china", "mps-intl"], ids=lambda path: Path(path).stem)
def test_nothing_is_found_in_a_flat_line(path: str) -> None:
    """One price for a codec at every resolution is not reported, with or without the price list."""
    text = load_file(SHIPPED[path]).text if path in SHIPPED else Path(path).read_text()
    assert text
    lines = list(flat_lines(text + "# a copy\n"))
    assert len(lines) > 10 or "delivery" in path
    for references in (None, {}):
        found = [(line.what, str(one)) for line in lines for one in findings(line.text, references=references)]
        assert found == []


#: Shares of the list that contracts have. Ten times some of these shares are within the range of all contracts.
SHARES = (Fraction(1, 5), Fraction(1, 3), Fraction(7, 10), Fraction(5, 4))


@pytest.mark.parametrize("currency", ["CNY", "EUR"])
@pytest.mark.parametrize("share", SHARES, ids=str)
def test_slips_of_a_contract_by_the_list_are_found(share: Fraction, currency: str) -> None:
    """Mistakes in derived prices and single rows are found with a discount on everything, and in a currency without a list."""
    text = priced_at(SHIPPED["mps-china"].path.read_text(), share).replace("currency: CNY", f"currency: {currency}")
    assert [str(one) for one in findings(text)] == []
    single = [table.code.value for table in tables_of(text) if len(table.rows) == 1 or table.derived]
    slips = [
        slip for slip in [*cell_slips(text), *table_slips(text)] if slip.what.split()[0].removesuffix("times") in single
    ]
    assert len(slips) > 50
    assert [slip.what for slip in slips if len(findings(slip.text)) != 1] == []


@pytest.mark.parametrize("path", [*SHIPPED, *map(str, CONTRACTS)], ids=lambda path: Path(path).stem)
def test_swapped_rows_and_columns_are_found(path: str) -> None:
    """Swaps are found by the list and by the version before, each once and at its place; a shipped sheet is its own list."""
    text = (SHIPPED[path].path if path in SHIPPED else Path(path)).read_text()
    draft, earlier = load_file(SHIPPED[path]).draft if path in SHIPPED else None, _years_before(text)
    for swap in swaps(text):
        beside_version = findings(swap.text, earlier, references={})
        beside_list = findings(swap.text, references={"f": (draft.sheet,)}) if draft else beside_version
        for (problem,) in (beside_version, beside_list):
            assert problem.place.line in swap.lines, swap.what


def test_swapped_prices_in_one_row_are_found_by_the_other_rows() -> None:
    sheet = "studio-usd"
    text = next(path for path in CONTRACTS if path.stem == sheet).read_text()
    live = "Live.HD: {china: 0.40, asia: 0.70"
    text = text.replace("      Live.4K:", "      Live.8K: {china: 2.40, asia: 4.00, west: 3.60}\n      Live.4K:")
    (problem,) = findings(text.replace(live, "Live.HD: {china: 0.70, asia: 0.40"))
    assert (problem.kind.code, "Live.HD" in text.split("\n")[problem.place.line - 1]) == ("P906", True)


def _years_before(text: str) -> str:
    """Return a version of the sheet that ends when this one starts."""
    earlier = re.sub(r"effective_from: (\d+)-", lambda year: f"effective_from: {int(year[1]) - 2}-", text)
    return re.sub(r"effective_to: .*\n", "", earlier)


#: The mistakes that a sheet shows without a list and a version before: in single prices, and in whole items, rows, columns and
#: factors, the least number found and the number of all. The others have nothing in the sheet to be compared with: the only
#: price of an item, a whole item, one of two columns.
BY_ITSELF = {
    "cdn-china": ((240, 240), (48, 60)),
    "cdn-intl": ((192, 192), (48, 60)),
    "kms-china": ((32, 48), (10, 48)),
    "kms-intl": ((32, 78), (10, 60)),
    "mns-china": ((0, 5), (0, 0)),
    "mns-intl": ((34, 36), (0, 24)),
    "mps-china": ((390, 450), (70, 150)),
    "mps-intl": ((576, 594), (225, 240)),
    "oss-china": ((0, 64), (0, 12)),
    "oss-intl": ((0, 12), (0, 0)),
    "delivery-cny": ((42, 72), (12, 42)),
    "media-cny": ((222, 228), (118, 162)),
    "studio-usd": ((234, 234), (113, 138)),
}


@pytest.mark.parametrize("path", [*SHIPPED, *map(str, CONTRACTS)], ids=lambda path: Path(path).stem)
def test_mistakes_that_a_sheet_shows_by_itself(path: str) -> None:
    """Mistakes are found in a contract with its own codes, which no list has."""
    text = (SHIPPED[path].path if path in SHIPPED else Path(path)).read_text()
    for slips, (least, count) in zip((cell_slips(text), table_slips(text)), BY_ITSELF[Path(path).stem], strict=True):
        counts = [len(findings(slip.text, references={})) for slip in slips]
        assert len(counts) == count
        assert sum(1 for number in counts if number) >= least


#: Own codes, two codecs at four resolutions, and prices with the same ratios in all rows.
REGIONS = {"china": "1", "asia": "0.875", "west": "0.82"}
LEVELS = {"SD": "0.0110", "HD": "0.0220", "4K": "0.0330", "8K": "0.0450"}


def test_a_wrong_row_is_reported_and_not_its_neighbour() -> None:
    """The first and the last row of a codec, with a single neighbour, are also found."""
    text = next(path for path in CONTRACTS if path.stem == "studio-usd").read_text()
    before, _, rest = text.partition("      H264.SD: {china")
    own = rest[rest.index("  premium_video:") :]
    rows = {
        f"{codec}.{size}": [(region, Decimal(price) * Decimal(share) * times) for region, share in REGIONS.items()]
        for codec, times in (("H264", 1), ("H265", 5))
        for size, price in LEVELS.items()
    }
    for wrong in rows:
        for factor in (Fraction(10), Fraction(1, 10), Fraction(60), Fraction(100)):
            lines = []
            for spec, row in rows.items():
                times = factor if spec == wrong else Fraction(1)
                cells = ", ".join(f"{region}: {_times(price, times)}" for region, price in row)
                lines.append(f"      {spec}: {{{cells}}}\n")
            slipped = before + "".join(lines) + own
            found = findings(slipped, references={})
            assert len(found) == 1, "\n".join(map(str, found))
            (problem,) = found
            assert wrong in slipped.split("\n")[problem.place.line - 1], (wrong, factor)


def _times(price: Decimal, factor: Fraction) -> str:
    return f"{price * factor.numerator / factor.denominator:.8f}"
