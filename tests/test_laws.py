"""Laws that hold for any usage: order and files do not matter, no row is lost, and the figures add up."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mps_bill.core.shares import split_amount
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.records import FREE_STATUSES
from mps_bill.pipeline import BillRun, bill_usage
from mps_bill.render import csv as render_csv
from mps_bill.view.bill_view import BillView
from tests.generated import clean_files, records
from tests.kit import COLUMNS, book, source, usage_text
from tests.render.runs import text


def run_of(*files: Sequence[str], tags: tuple[str, ...] = (), as_of: int | None = None) -> BillRun:
    with tempfile.TemporaryDirectory() as folder:
        sources = [source(Path(folder, f"{number}.csv"), usage_text(rows)) for number, rows in enumerate(files)]
        return bill_usage(sources, book(), MeterOptions(engine="python", tags=tags), as_of)


def as_json(run: BillRun) -> Any:
    """The run as a program reads it."""
    return json.loads(text(BillView(run), "json"))


@given(clean_files(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[str], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert as_json(run_of(shuffled)) == as_json(run_of(rows))


@given(clean_files(), st.integers(0, 30))
def test_one_file_or_two_is_the_same_bill(rows: list[str], cut: int) -> None:
    assert as_json(run_of(rows[:cut], rows[cut:])) == as_json(run_of(rows))


@given(clean_files())
def test_a_file_given_again_under_another_name_is_only_duplicates(rows: list[str]) -> None:
    once, twice = as_json(run_of(rows)), as_json(run_of(rows, rows))
    assert twice["bills"] == once["bills"]
    duplicates = twice["control_totals"]["rows_duplicate"] - once["control_totals"]["rows_duplicate"]
    assert duplicates == len(rows)


@given(records())
def test_every_row_lands_in_exactly_one_place(rows: list[tuple[str, ...]]) -> None:
    totals = run_of([",".join(f'"{cell}"' for cell in cells) for cells in rows]).control_totals
    identities = {tuple(cells[COLUMNS.index(name)] for name in ("job_id", "item", "output")): cells for cells in rows}
    failed = sum(cells[COLUMNS.index("status")].casefold() in FREE_STATUSES for cells in identities.values())
    assert (totals.rows_read, totals.rows_not_billable) == (len(rows), failed)
    assert totals.rows_billed == len(identities) - failed
    assert totals.rows_duplicate == len(rows) - len(identities)
    assert (totals.rows_rejected, totals.rows_late, totals.rows_pending) == (0, 0, 0)


@given(clean_files())
def test_the_figures_of_the_json_add_up(rows: list[str]) -> None:
    document = as_json(run_of(rows))
    sums = dict.fromkeys(("list_amount", "rounding_adjustment", "payable"), Decimal(0))
    records = 0
    for bill in document["bills"]:
        assert sum(Decimal(line["amount"]) for line in bill["lines"]) == Decimal(bill["list_amount"])
        assert Decimal(bill["list_amount"]) + Decimal(bill["rounding_adjustment"]) == Decimal(bill["payable"])
        assert Decimal(bill["payable"]) == round(Decimal(bill["payable"]), 2)
        assert Decimal("-0.01") < Decimal(bill["rounding_adjustment"]) <= 0
        for line in bill["lines"]:
            assert Decimal(line["quantity"]) == Decimal(line["plan_quantity"]) + Decimal(line["billed_quantity"])
            records += line["records"]
        for name in sums:
            sums[name] += Decimal(bill[name])
    assert sums == {name: Decimal(document["total"][name]) for name in sums}
    assert records == document["control_totals"]["rows_billed"]


@given(clean_files())
def test_the_amounts_of_the_csv_sum_to_what_is_payable(rows: list[str]) -> None:
    run = run_of(rows)
    stream = io.StringIO()
    render_csv.write(BillView(run).records(), stream)
    stream.seek(0)
    amounts = [Decimal(line["amount"]) for line in csv.DictReader(stream)]
    assert sum(amounts) == Decimal(as_json(run)["total"]["payable"])


@given(clean_files())
def test_the_shares_of_tags_add_up_to_each_line(rows: list[str]) -> None:
    run = run_of(rows, tags=("tag_project",))
    assert as_json(run) == as_json(run_of(rows))
    for bill in run.bills:
        for line in bill.lines:
            assert sum(split_amount(line.amount, [share.micros for share in line.charge.shares])) == line.amount


@given(clean_files(), st.integers(1_699_000_000, 1_710_000_000))
def test_issued_and_pending_bills_are_all_bills(rows: list[str], as_of: int) -> None:
    whole, part = run_of(rows), run_of(rows, as_of=as_of)
    assert as_json(whole)["bills"] == [*as_json(part)["bills"], *as_json(part).get("pending", [])]
    assert all(bill.cycle.issued_at <= as_of for bill in part.bills)
    assert all(bill.cycle.issued_at > as_of for bill in part.pending)
