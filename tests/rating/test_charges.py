"""Rows to charges: how many records a line has, and what each rule for single records makes of their quantities."""

from __future__ import annotations

from pathlib import Path

from mps_bill.core.decimals import plain
from mps_bill.core.units import in_unit
from tests.kit import billed, row, usage_of, usage_text

#: Each row as (item, quantity, unit), and what the sheet of `tests.kit` bills of it.
ROWS = [
    row(job_id="t-1"),  # 10 minutes
    row(job_id="t-2", quantity="90.3", unit="second"),  # 1.505, half up in steps of 0.01: 1.51
    row(job_id="t-3", quantity="0.001"),  # 0, and above zero at least 0.02
    usage_of("packaging", job_id="p-1", quantity="61", unit="second"),  # two whole half minutes and a begun one: 1.5
    usage_of("packaging", job_id="p-2", quantity="0.2"),  # 0.5
    usage_of("clips", job_id="c-1", quantity="119", unit="second"),  # one whole minute: 1
    usage_of("clips", job_id="c-2", quantity="0.05", unit="hour"),  # 3
    usage_of("captions", job_id="m-1", quantity="10", unit="second"),  # at least 1
    usage_of("captions", job_id="m-2", quantity="1.25"),  # 1.25
    usage_of("dna", job_id="d-1", quantity="0.5", unit="hour"),  # 30
    usage_of("dna", job_id="d-2", quantity="30", unit="second"),  # 0.5
    usage_of("dna", job_id="d-3", quantity="1"),  # 1
    usage_of("traffic", job_id="g-1", quantity="1", unit="TB"),  # 1024
    usage_of("traffic", job_id="g-2", quantity="512", unit="MB"),  # 0.5
    usage_of("storage", job_id="s-1", quantity="360", unit="GB-hour"),  # 0.5
]
EXPECTED = [
    ("transcoding", 3, "11.53"),
    ("packaging", 2, "2"),
    ("clips", 2, "4"),
    ("captions", 2, "2.25"),
    ("dna", 3, "31.5"),
    ("storage", 1, "0.5"),
    ("traffic", 2, "1024.5"),
]


def test_records_are_counted_and_summed_by_the_rule_of_their_item(tmp_path: Path) -> None:
    """Also where rows are there twice: a duplicate is no record."""
    for rows in (ROWS, ROWS[::-1], ROWS + ROWS[:4]):
        (bill,) = billed(tmp_path, usage_text(rows)).bills
        found = [(one.item.code, one.records, plain(in_unit(one.metered, one.item.unit))) for one in bill.cycle.charges]
        assert found == EXPECTED
