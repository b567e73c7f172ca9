"""A part of a month that is settled as a whole says that its statement is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.core.times import HOUR, Period, parse_second
from mps_bill.rating.selection import Selection
from mps_bill.view.bill_view import selection_text
from tests.kit import SHEET, billed, changed, row, usage_text


@pytest.mark.parametrize(("settlement", "is_said"), [("hourly", False), ("monthly", True)])
def test_a_part_of_a_month_says_that_its_statement_is_missing(settlement: str, is_said: bool, tmp_path: Path) -> None:
    sheet = changed("settlement: hourly", f"settlement: {settlement}", SHEET)
    run = billed(tmp_path, usage_text([row()]), sheet)
    start = parse_second("2023-11-10T00:00:00+08:00")
    text = selection_text(Selection(Period(start, None)), 8 * HOUR, run.bills)
    assert ("shows its statement" in text) == is_said
    whole = Selection(Period(parse_second("2023-11-01T00:00:00+08:00"), None))
    assert "shows its statement" not in selection_text(whole, 8 * HOUR, run.bills)
