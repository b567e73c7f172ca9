"""Another column of known words needs only the changes that ARCHITECTURE.md names: every engine groups by it and checks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kit import ENGINES, SHEET, row, usage_text
from tests.package_copy import change, copy_package, mps_bill


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with a column `lane`, whose lane "dirt" has no price."""
    folder = tmp_path_factory.mktemp("column")
    room = copy_package(folder) / "metering"
    change(room / "usage_columns.py", '    "status",\n)', '    "status",\n    "lane",\n)')
    change(room / "usage_columns.py", '"codec", "unit")', '"codec", "unit", "lane")')
    change(room / "usage_columns.py", "    codec: str\n", "    codec: str\n    lane: str\n")
    change(room / "records.py", "    codec: str\n", "    codec: str\n    lane: str\n")
    change(
        room / "scheme.py",
        '"unit": frozenset(UNITS),',
        '"unit": frozenset(UNITS), "lane": frozenset({"fast", "dirt"}),',
    )
    change(
        room / "assign.py",
        '        refusals.append(ValueProblem("region", kinds.UNKNOWN_REGION, message))\n',
        '        refusals.append(ValueProblem("region", kinds.UNKNOWN_REGION, message))\n'
        '    if key.lane not in ("", "fast"):\n'
        '        refusals.append(ValueProblem("lane", kinds.NO_PRICE, f"no lane {key.lane}"))\n',
    )
    (folder / "sheet.yaml").write_text(SHEET)
    return folder


@pytest.mark.parametrize("engine", ENGINES)
def test_a_column_of_words_is_read_compared_and_checked(world: Path, engine: str) -> None:
    header, *rows = usage_text(
        [row(job_id="a"), row(job_id="a"), row(job_id="b"), row(job_id="c"), row(job_id="d")]
    ).splitlines()
    lanes = ["fast", "fast", "", "dirt", "mud"]
    lines = [f"{header},lane", *(f"{line},{lane}" for line, lane in zip(rows, lanes, strict=True))]
    (world / "usage.csv").write_text("\n".join(lines) + "\n")
    words = ("usage", "check", "usage.csv", "--prices", "sheet.yaml", "--engine", engine, "--format", "json")
    printed = mps_bill(world, *words, code=1)
    document = json.loads(printed[: printed.rindex("}") + 1])
    assert document["control_totals"]["rows_billed"] == 2
    assert document["control_totals"]["rows_duplicate"] == 1
    assert document["control_totals"]["rows_rejected"] == 2
    assert "no lane dirt" in printed
    assert "no lane mud" in printed
    (world / "usage.csv").write_text("\n".join([*lines[:2], lines[1].replace("fast", "")]) + "\n")
    assert 'lane "" here, "fast" there' in mps_bill(world, *words, code=1)
