"""Advice over usage files: rows, reach, late usage, time of the purchase."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.ask.advise.advice import Advice, advise_usage
from mps_bill.ask.advise.packs import PackList, units_of
from mps_bill.core.units import MICROS
from mps_bill.metering.meter_options import MeterOptions
from tests.kit import book, row, source, usage_of, usage_text
from tests.settlement.worlds import account, at, packs_of, sizes_of

MINUTE = 60 * MICROS
COVERS = {"transcoding": {"H264.HD": "3"}}


def advice(folder: Path, rows: list[str], sizes: dict[str, str], **more) -> Advice:
    regions = more.pop("regions", None)
    packs = PackList("some", "USD", tuple(packs_of(sizes, COVERS, regions=regions)))
    files = [source(folder / "usage.csv", usage_text(rows))]
    return advise_usage(files, book(), MeterOptions(engine="python"), packs, **more)


def singles(found: Advice) -> list[tuple[Decimal, int]]:
    return [(Decimal(pack.units) / MICROS, count) for one in found.outcomes for pack, count in one.purchase]


def test_rows_end_when_nothing_more_is_covered(tmp_path: Path) -> None:
    found = advice(tmp_path, [row(quantity="2500")], {"3000": "60"})
    assert singles(found) == [(3000, 1), (3000, 2), (3000, 3)]
    # 7,500 units at 0.0217 are 162.75.
    assert [one.saving for one in found.outcomes] == [Decimal("5.10"), Decimal("10.20"), Decimal("-17.25")]
    assert sizes_of(found.found.best.purchase) == [("video", 3000, 2)]


def test_rows_end_where_a_larger_pack_is_no_dearer(tmp_path: Path) -> None:
    found = advice(tmp_path, [row(quantity="99999")], {"5000": "87", "20000": "304", "2000000": "15190"})
    assert singles(found) == [(5000, 1), (5000, 2), (5000, 3), *[(20000, n) for n in range(1, 16)], (2000000, 1)]


def test_a_pack_that_covers_nothing_has_one_row(tmp_path: Path) -> None:
    found = advice(tmp_path, [row()], {"3000": "60"}, regions=["cn-beijing"])
    assert [one.covered_micros for one in found.outcomes] == [0]
    assert found.found.best.purchase == ()
    assert [(one.micros, one.coverable) for one in found.reach] == [(10 * MINUTE, 0)]


def test_reach_says_what_specs_and_regions_leave_out(tmp_path: Path) -> None:
    rows = [
        row(job_id="a", quantity="100"),
        row(job_id="b", quantity="20", region="us-west-1"),
        row(job_id="c", quantity="5", width="3840"),
        usage_of("audio", job_id="d"),
    ]
    found = advice(tmp_path, rows, {"60": "1"}, regions=["cn-shanghai"])
    assert [(one.item, one.spec, one.micros // MINUTE, one.coverable // MINUTE) for one in found.reach] == [
        ("transcoding", "H264.4K", 5, 0),
        ("transcoding", "H264.HD", 120, 100),
    ]


def test_packs_are_bought_as_the_first_cycle_starts_unless_told(tmp_path: Path) -> None:
    rows = [row(job_id=str(hour), completed_at=f"2023-11-10T{hour}:20:00+08:00") for hour in (11, 12, 13)]
    assert advice(tmp_path, rows, {"3000": "60"}).bought_at == at("11-10 11")
    later = advice(tmp_path, rows, {"3000": "60"}, bought_at=at("11-10 12:30"))
    assert later.outcomes[0].covered_micros == 10 * MINUTE


def test_settled_cycles_are_late_and_left_out(tmp_path: Path) -> None:
    rows = [row(job_id=str(hour), completed_at=f"2023-11-10T{hour}:20:00+08:00") for hour in (11, 12, 13)]
    paying = replace(account(), currency="USD", settled_through={"*": at("11-10 12")})
    found = advice(tmp_path, rows, {"3000": "60"}, account=paying)
    assert (found.control_totals.rows_late, found.control_totals.rows_billed) == (1, 2)
    assert found.bought_at == at("11-10 12")
    assert found.now.payable == Decimal("1.30")


def test_no_usage_is_advised_against(tmp_path: Path) -> None:
    found = advice(tmp_path, [row(status="failed")], {"3000": "60"})
    assert (found.bought_at, found.found.best.purchase, found.reach) == (None, (), ())


@pytest.mark.parametrize("size", ["0.01", "5"])
def test_a_pack_smaller_than_a_step_covers_nothing(tmp_path: Path, size: str) -> None:
    """0.01 minutes of HD take 0.03 units."""
    found = advice(tmp_path, [row()], {size: "0.01"})
    covered = found.outcomes[0].covered_micros
    assert covered == (0 if size == "0.01" else Decimal("1.66") * MINUTE)
    assert units_of(found.outcomes[0].purchase) == {found.packs.types[0]: int(Decimal(size) * MICROS)}
