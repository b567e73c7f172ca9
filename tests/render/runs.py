"""Runs to report: a day of the samples, the same day paid from an account, a month settled as a whole, hostile names."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import BillRun, SettleRun, Settling, bill_usage, settle_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.rating.bills import Bill, StatementMonth
from mps_bill.render.formats import FORMATS
from mps_bill.view.bill_view import BillView
from mps_bill.view.settle_view import SettleView
from tests.conftest import ROOT
from tests.kit import SHEET, billed, book, row, shipped, source, usage_of, usage_text
from tests.settlement.worlds import reread

#: Names that a page, a workbook or a CSV file must treat as plain text.
HOSTILE = '<script>alert("item")</script>'
FORMULA = "=1+1"

ACCOUNT = """\
format: mps-bill/account/1
id: studio-a
currency: USD
balance: 5
resource_plans:
  - id: rp-1
    name: "=Minutes"
    unit: minute
    total: 100
    effective_from: 2023-11-01T00:00:00+08:00
    expires_at: 2024-05-01T00:00:00+08:00
    covers: {transcoding: {H264.HD: 3, H264.SD: 1.5}}
  - id: rp-2
    name: Later minutes
    unit: minute
    total: 2.5
    effective_from: 2023-11-01T00:00:00+08:00
    expires_at: 2024-06-01T00:00:00+08:00
    covers: {transcoding: {H264.HD: 3, H264.SD: 1.5}}
vouchers:
  - {id: v-1, face_value: 0.5, effective_from: 2023-11-01T00:00:00+08:00, expires_at: 2024-01-01T00:00:00+08:00}
top_ups:
  - {at: 2023-11-10T20:00:00+08:00, amount: 3}
"""

USAGE = usage_text(
    [
        row(quantity="40"),
        row(job_id="j-2", quantity="12.5", completed_at="2023-11-10T13:20:00+08:00", width="1280", height="720"),
        usage_of("dna", job_id="j-3", quantity="754", unit="second", completed_at="2023-11-10T13:40:00+08:00"),
        usage_of("review", job_id="j-4", spec="porn", quantity="72", completed_at="2023-11-10T17:40:00+08:00"),
        usage_of("traffic", job_id="j-5", quantity="1030", unit="GB", completed_at="2023-11-11T02:10:00+08:00"),
        row(job_id="j-6", status="failed"),
    ]
)
MONTHLY = SHEET.replace("settlement: hourly", "settlement: monthly")


@cache
def sample_day() -> BillRun:
    path = ROOT / "samples" / "studio-2023-11-10.csv"
    return bill_usage([source(path)], shipped("mps-china"), MeterOptions(engine="python"))


@cache
def sample_month() -> SettleRun:
    """A month of a studio with 5,000 jobs, tagged with their projects."""
    prices = shipped("mps-china")
    account = reread((ROOT / "samples" / "account-studio-b.yaml").read_text(), prices)
    options = MeterOptions(engine="python", tags=("tag_project",))
    return settle_usage([source(ROOT / "samples" / "studio-2023-12.csv.gz")], prices, options, account)


def settled(folder: Path, prices: PriceBook | None = None, usage: str = USAGE, as_of: int | None = None) -> SettleRun:
    """Usage paid from an account in which two plans cover parts of a line and an amount remains outstanding."""
    prices = prices or book()
    account = reread(ACCOUNT, prices)
    return settle_usage(
        [source(folder / "usage.csv", usage)], prices, MeterOptions(engine="python"), account, Settling(as_of)
    )


def every_run(folder: Path) -> dict[str, BillView | SettleView]:
    """Bills and settlements: hourly and monthly, with pending bills, and empty."""
    return {
        "sample day": BillView(sample_day()),
        "bill": BillView(billed(folder, USAGE)),
        "bill, monthly": BillView(billed(folder, USAGE, MONTHLY)),
        "bill, pending": BillView(billed(folder, USAGE, as_of=1_699_600_000)),
        "settle": SettleView(settled(folder)),
        "settle, monthly": SettleView(settled(folder, book(MONTHLY), as_of=1_704_067_200)),
        "nothing": BillView(billed(folder, usage_text([row(status="failed")]))),
    }


def hostile(folder: Path) -> BillView:
    """A run with an item named like markup and one named like a formula."""
    sheet = SHEET.replace("name: Standard transcoding", f"name: '{HOSTILE}'").replace(
        "name: Video DNA", f"name: '{FORMULA}'"
    )
    return BillView(billed(folder, USAGE, sheet))


def bills_of(view: BillView | SettleView) -> tuple[Bill, ...]:
    if isinstance(view, BillView):
        return view.run.bills
    return tuple(step.bill for step in view.run.settled.settlements)


def months_of(view: BillView | SettleView) -> tuple[StatementMonth, ...]:
    if isinstance(view, BillView):
        return view.run.months
    return tuple(step.statement for step in view.run.settled.statements)


def text(view: object, name: str) -> str:
    """Return the text that this format writes for a view."""
    stream = io.StringIO(newline="")
    next(format_ for format_ in FORMATS if format_.name == name).write(view, stream)
    return stream.getvalue()
