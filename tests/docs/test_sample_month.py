"""The sample month is what its generator makes."""

from __future__ import annotations

import gzip
import re
from decimal import Decimal

import pytest

from mps_bill.cli import run
from tests.docs.sample_month import FILE, JOBS, text


def test_the_packed_month_is_what_the_seed_makes() -> None:
    packed = gzip.decompress(FILE.read_bytes()).decode()
    assert packed == text()
    assert packed.count("\n") == JOBS + 1
    assert FILE.stat().st_size < 100_000


@pytest.mark.parametrize(("options", "listed"), [([], 5), (["--bills", "7"], 7), (["--all"], 576)])
def test_pending_bills_are_listed_in_short_and_add_up(
    options: list[str], listed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bill", str(FILE), "--prices", "mps-china", "--as-of", "2023-12-08T00:00:00+08:00", "--by", "item"]
    assert run([*words, *options]) == 0
    pending = capsys.readouterr().out.partition("Pending: not issued yet")[2]
    rows = [line.split() for line in pending.splitlines() if re.match(r"2023-12-\d\d|and \d+ more", line)]
    assert len(rows) == min(listed + 1, 576)
    if listed < 576:
        assert rows[-1][:3] == ["and", str(576 - listed), "more"]
    # The sum of the month, less the bills issued by then.
    assert sum(Decimal(row[-1].replace(",", "")) for row in rows) == Decimal("3275.52") - Decimal("604.26")
