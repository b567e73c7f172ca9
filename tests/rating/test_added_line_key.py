"""A key to group and choose lines by needs its line in `LINE_KEYS`, as ARCHITECTURE.md says, and works everywhere."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.kit import SHEET, row, usage_of, usage_text
from tests.package_copy import change, copy_package, mps_bill

#: 10 minutes at 0.0651, 5 at 0.0056 and 1,000 frames at 0.003255: the bill is 3.934, rounded down to 3.93.
USAGE = usage_text(
    [
        row(),
        usage_of("audio", job_id="j-2", spec="Audio", quantity="5"),
        row(job_id="j-3", item="sharpening", spec="Sharp.HD", codec="", quantity="1000", unit="frame"),
    ]
)
INPUT = ("usage.csv", "--prices", "sheet.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the key `unit`, and input files."""
    folder = tmp_path_factory.mktemp("line_key")
    last = '    "region": LineKey('
    added = '    "unit": LineKey(lambda line: line.item.unit.name, lambda item: (item.unit.name,)),\n'
    change(copy_package(folder) / "rating" / "selection.py", last, added + last)
    (folder / "sheet.yaml").write_text(SHEET)
    (folder / "usage.csv").write_text(USAGE)
    (folder / "account.yaml").write_text("format: mps-bill/account/1\nid: a\ncurrency: USD\nbalance: 100\n")
    return folder


def test_bills_are_summarised_by_it(folder: Path) -> None:
    table = mps_bill(folder, "bill", *INPUT, "--by", "unit")
    assert [line.split() for line in table.splitlines() if line.startswith(("Unit", "minute", "frame"))] == [
        ["Unit", "Records", "Quantity", "Unit", "Amount", "USD"],
        ["minute", "2", "15", "minute", "0.68"],
        ["frame", "1", "1,000", "frame", "3.26"],
    ]
    (summary,) = json.loads(mps_bill(folder, "bill", *INPUT, "--by", "unit", "--format", "json"))["summaries"]
    assert [(found.get("unit"), found["payable"]) for found in summary["rows"]] == [
        ("minute", "0.679"), ("frame", "3.255"), (None, "-0.004")
    ]  # fmt: skip
    rows = csv.DictReader(io.StringIO(mps_bill(folder, "bill", *INPUT, "--by", "unit", "--format", "csv")))
    assert [found["unit"] for found in rows] == ["minute", "frame", ""]


@pytest.mark.parametrize("format_", ["html", "markdown", "chart"])
def test_other_formats_show_it(folder: Path, format_: str) -> None:
    assert "minute" in mps_bill(folder, "bill", *INPUT, "--by", "unit,item", "--format", format_)


def test_payments_are_split_by_it(folder: Path) -> None:
    settled = json.loads(
        mps_bill(folder, "settle", *INPUT, "--account", "account.yaml", "--by", "unit", "--format", "json")
    )
    (summary,) = settled["summaries"]
    assert [found["paid"]["balance"] for found in summary["rows"]] == ["0.6783096085", "3.2516903915", "0"]
    assert summary["total"]["paid"]["balance"] == "3.93"


def test_lines_are_chosen_by_it(folder: Path) -> None:
    found = json.loads(mps_bill(folder, "bill", *INPUT, "--only", "unit=frame", "--format", "json"))
    assert [line["item"] for bill in found["bills"] for line in bill["lines"]] == ["sharpening"]
    assert 'no usage has unit "frames"' in mps_bill(folder, "bill", *INPUT, "--only", "unit=frames", code=2)


def test_changes_are_grouped_by_it(folder: Path) -> None:
    (folder / "before.csv").write_text(usage_text([row(completed_at="2023-11-09T11:20:00+08:00")]))
    sides = ("--before", "before.csv", "--after", "usage.csv", "--prices", "sheet.yaml")
    table = mps_bill(folder, "compare", *sides, "--by", "unit")
    assert [line.split()[:4] for line in table.splitlines() if line.startswith(("frame", "minute"))] == [
        ["frame", "0.00", "3.26", "+3.26"],
        ["minute", "0.65", "0.68", "+0.03"],
    ]


def test_the_shell_completes_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_MPS_BILL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_CWORD", "6")
    monkeypatch.setenv("COMP_WORDS", "mps-bill bill usage.csv --prices sheet.yaml --only un")
    assert mps_bill(folder).split() == ["unit=minute", "unit=frame"]
