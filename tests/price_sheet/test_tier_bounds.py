"""Bounds of tiers that are mistyped, by their neighbours, the list and the version before; and bounds agreed in a contract."""

from __future__ import annotations

import re

import pytest

from mps_bill.price_sheet.find import shipped_sheets
from tests.kit import changed
from tests.price_sheet.slips import findings

CDN = shipped_sheets()["cdn-china"].path.read_text() + "# a copy\n"
BEFORE = changed("effective_from: 2023", "effective_from: 2022", CDN)
ALL = (10240, 51200, 102400, 1048576)


def with_bounds(bounds: dict[int, str], *areas: str) -> str:
    """Return the sheet with other bounds in some areas (default: all); an empty bound removes the tier."""

    def table(found: re.Match[str]) -> str:
        lines = found[0].split("\n") if not areas or found[1] in areas else []
        new = [
            re.sub(r"^( +)(\d+):", lambda key: key[1] + bounds.get(int(key[2]), key[2]) + ":", line) for line in lines
        ]
        return "\n".join(line for line in new if not line.strip().startswith(":")) if new else found[0]

    return re.sub(r"        (CN|NA|EU|AP1|AP2|AP3|MEAA|SA):\n(?:          .*\n)+", table, CDN)


TERABYTES = dict(zip(ALL, ("10", "50", "100", "1024"), strict=True))
THOUSANDS = dict(zip(ALL, ("10000", "50000", "100000", "1000000"), strict=True))
TIMES = {times: {bound: str(int(bound * times)) for bound in ALL} for times in (10, 100, 1000, 0.1)}
VOLUME = CDN.replace("        EU:\n          tiers: graduated", "        EU:\n          tiers: volume")
QUOTA = re.sub(r"(        CN:\n(?:.*\n){2}          up_to:\n)", r"\1            100: 0\n", CDN)

#: (name, text, codes for the sheet alone, by the list, by the version before)
CASES: tuple[tuple[str, str, str, str, str], ...] = (
    ("none", CDN, "", "", ""),
    ("terabytes in one area", with_bounds(TERABYTES, "EU"), "P906", "P911", "P914"),
    ("terabytes in two areas", with_bounds(TERABYTES, "EU", "SA"), "P906", "P911", "P914"),
    ("terabytes everywhere", with_bounds(TERABYTES), "", "P911", "P914"),
    *((f"{times} times everywhere", with_bounds(bounds), "", "P911", "P914") for times, bounds in TIMES.items()),
    *((f"{times} times in one area", with_bounds(bounds, "AP1"), "P906", "P911", "P914") for times, bounds in TIMES.items()),
    ("one bound without a digit", with_bounds({10240: "1024"}, "CN"), "P906", "P911", "P914"),
    ("volume in one area", VOLUME, "P906", "P906", "P914"),
    ("a tier lost in one area", with_bounds({102400: ""}, "AP2"), "P906", "P906", "P914"),
    ("thousands of one area", with_bounds(THOUSANDS, "NA"), "", "", "P914"),
    ("thousands everywhere", with_bounds(THOUSANDS), "", "", "P914"),
    ("a tier less everywhere", with_bounds({102400: ""}), "", "", "P914"),
    ("other bounds of one area", with_bounds({10240: "20480", 51200: "61440"}, "NA"), "", "", "P914"),
    ("a quota that is free", QUOTA, "", "", ""),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "alone", "by_list", "beside"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_mistyped_bounds(text: str, alone: str, by_list: str, beside: str) -> None:
    found = [findings(text, references={}), findings(text), findings(text, BEFORE)]
    assert [" ".join(one.kind.code for one in problems) for problems in found] == [alone, by_list, beside], found
    for problem in (problem for problems in found for problem in problems):
        assert "tier" in problem.message or "volume" in problem.message
