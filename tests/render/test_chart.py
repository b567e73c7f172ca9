"""Charts on a terminal, in a pipe, and on a stream that supports only ASCII."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from rich.cells import cell_len

from mps_bill.core.decimals import amount_text
from mps_bill.core.times import parse_second
from mps_bill.rating.bills import sum_amounts
from mps_bill.render import chart
from mps_bill.render.chart import bar_rows
from mps_bill.view.bill_view import BillView
from mps_bill.view.run_report import cost_by_item, cost_by_period
from mps_bill.view.settle_records import with_payments
from mps_bill.view.settle_view import SettleView
from mps_bill.view.tables import Bar, Series
from tests.kit import billed, row, usage_text
from tests.render.runs import bills_of, every_run, sample_day, settled, text


def printed(monkeypatch: pytest.MonkeyPatch, columns: str | None, encoding: str = "utf-8") -> str:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    chart.write(BillView(sample_day()).charts(), stream)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("columns", "width"), [("80", 80), (None, 80), ("60", 60), ("132", 132)])
def test_it_fits_the_width_and_no_amount_is_truncated(
    columns: str | None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(monkeypatch, columns)
    assert max(map(cell_len, text.splitlines())) == width
    for amount in ("140.70", "146.036149", "0.198555"):
        assert f" {amount}" in text
    assert "\x1b" not in text, "no colours in a pipe"


def test_decimal_points_are_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, "80").splitlines()
    by_item = lines[lines.index("List amount by item, CNY") + 2 :][:12]
    assert len({line.rindex(".") for line in by_item}) == 1


def test_a_stream_that_knows_only_ascii_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(monkeypatch, "80", encoding="ascii")
    assert "####" in text
    assert text.isascii()


def test_very_narrow_keeps_the_amounts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert " 0.198555" in printed(monkeypatch, "30")


def test_bars_are_in_proportion() -> None:
    amounts = ("0", "0.001", "5", "10")
    series = Series("t", tuple(Bar(amount, amount, Decimal(amount)) for amount in amounts))
    bars = [bar.strip() for _, bar, _ in bar_rows(series, 40, fine=False)]
    full = len(bars[3])
    assert bars[0] == ""
    assert bars[1] == "#", "any cost is visible"
    assert abs(len(bars[2]) * 2 - full) <= 1
    fine = [bar.strip() for _, bar, _ in bar_rows(series, 40, fine=True)]
    assert fine[1] == "▏"


def test_periods_grow_with_the_run(tmp_path: Path) -> None:
    def titles(*times: str) -> tuple[str, int]:
        rows = [row(job_id=time, completed_at=time) for time in times]
        series = cost_by_period(billed(tmp_path, usage_text(rows)).bills)
        return series.title, len(series.bars)

    assert titles("2023-11-10T11:20:00+08:00", "2023-11-12T10:20:00+08:00") == ("Payable by hour (UTC+08:00)", 48)
    assert titles("2023-11-10T11:20:00+08:00", "2023-11-12T11:20:00+08:00") == ("Payable by day (UTC+08:00)", 3)
    assert titles("2023-11-10T11:20:00+08:00", "2024-01-10T11:20:00+08:00") == ("Payable by day (UTC+08:00)", 62)
    assert titles("2023-11-10T11:20:00+08:00", "2024-01-11T11:20:00+08:00") == ("Payable by month (UTC+08:00)", 3)


def test_the_bars_hold_everything_that_was_billed(tmp_path: Path) -> None:
    for name, data in every_run(tmp_path).items():
        bills = bills_of(data)
        total = sum_amounts(bills)
        assert sum((bar.amount for bar in cost_by_period(bills).bars), Decimal(0)) == total.payable, name
        assert sum((bar.amount for bar in cost_by_item(bills).bars), Decimal(0)) == total.list_amount, name


def test_a_settlement_shows_what_it_was_paid_from(tmp_path: Path) -> None:
    unpaid = BillView(sample_day()).tables()
    assert with_payments(unpaid) is unpaid
    report = SettleView(settled(tmp_path)).tables()
    *others, series = with_payments(report).charts
    assert others == list(report.charts)
    told = [(bar.label, amount_text(bar.amount)) for bar in series.bars]
    assert told == [("Vouchers", "0.50"), ("Balance", "5.00"), ("Outstanding", "250.25")]


def test_a_chart_without_bills_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    nothing = billed(tmp_path, usage_text([row(status="failed")]))
    assert text(BillView(nothing), "chart").count("Nothing was billed.") == 2


def test_the_sample_day_starts_on_the_billing_clock() -> None:
    first = sample_day().bills[0].cycle.start
    assert first == parse_second("2023-11-10T09:00:00+08:00")
    assert cost_by_period(sample_day().bills).bars[0].label == "2023-11-10 09:00"
