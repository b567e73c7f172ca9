"""Many accounts in one run: each comes out as by itself, nothing is lost between them, and memory does not grow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.ask.all_accounts import empty_sum, meter_accounts, sum_of
from mps_bill.core.diagnostics import InputRejected
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import bill_usage
from tests import kit
from tests.conftest import ROOT
from tests.kit import ENGINES

HEADER = f"{kit.HEADER},account_id"
_ITEMS = {
    "transcoding": {},
    "review": {"spec": "porn", "quantity": "2900"},
    "traffic": {"unit": "GB", "quantity": "700"},
}


@st.composite
def _rows(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Rows, each with its account; months of use that pass from tier to tier."""
    rows = []
    for number in range(draw(st.integers(1, 20))):
        item = draw(st.sampled_from(sorted(_ITEMS)))
        values = {
            "job_id": f"j-{number}",
            "completed_at": f"2023-11-10T{draw(st.integers(10, 13))}:20:00+08:00",
            "status": draw(st.sampled_from(["", "", "failed"])),
            **_ITEMS[item],
        }
        line = kit.row(**values) if item == "transcoding" else kit.usage_of(item, **values)
        account = draw(st.sampled_from(["b", "a", "c-1"]))
        rows += [(account, line)] * draw(st.sampled_from([1, 1, 2]))
    return rows


@given(_rows(), st.sampled_from(ENGINES))
def test_an_account_comes_out_as_by_itself(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], engine: EngineName
) -> None:
    folder = tmp_path_factory.mktemp("usage")
    text = kit.usage_text([f"{line},{account}" for account, line in rows], HEADER)
    together = kit.source(folder / "all.csv", text)
    usage = meter_accounts([together], kit.book(), MeterOptions(engine=engine, accounts=True))
    total = empty_sum(settled=False)
    seen = []
    for account, run in usage.bills(()):
        own = [line for other, line in rows if other == account]
        alone = kit.source(folder / f"{account}.csv", kit.usage_text(own))
        assert run == bill_usage([alone], kit.book(), MeterOptions(engine="python"))
        total += sum_of(run)
        seen.append(account)
    assert seen == sorted({account for account, _ in rows})
    assert usage.control_totals(total.control_totals).rows_read == len(rows)
    assert total.accounts == len(seen)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_bad_row_rejects_every_account(tmp_path: Path, engine: EngineName) -> None:
    text = kit.usage_text([f"{kit.row()},a", f"{kit.row(job_id='j-2', item='nothing')},b"], HEADER)
    source = kit.source(tmp_path / "usage.csv", text)
    options = MeterOptions(engine=engine, accounts=True)
    with pytest.raises(InputRejected):
        meter_accounts([source], kit.book(), options)


@pytest.mark.parametrize("engine", ENGINES)
def test_rejected_rows_are_in_the_total_only(tmp_path: Path, engine: EngineName) -> None:
    rows = [
        f"{kit.row()},a",
        f"{kit.row()},a",
        f"{kit.row(job_id='j-2', item='nothing')},b",
        f"{kit.row(job_id='j-3')},b",
    ]
    source = kit.source(tmp_path / "usage.csv", kit.usage_text(rows, HEADER))
    usage = meter_accounts([source], kit.book(), MeterOptions(engine=engine, accounts=True, bill_good_rows=True))
    runs = dict(usage.bills(()))
    assert [(run.control_totals.rows_read, run.control_totals.rows_rejected) for run in runs.values()] == [
        (2, 0),
        (1, 0),
    ]
    total = sum((sum_of(run) for run in runs.values()), empty_sum(settled=False))
    control = usage.control_totals(total.control_totals)
    assert (control.rows_read, control.rows_billed, control.rows_duplicate, control.rows_rejected) == (4, 2, 1, 1)


def _peak(folder: Path, accounts: int) -> int:
    """Megabytes that billing so many accounts takes at most."""
    usage = folder / f"{accounts}.csv"
    with usage.open("w") as stream:
        stream.write(HEADER + "\n")
        for width, height in ((640, 480), (1280, 720), (1920, 1080), (2560, 1440)):
            for number in range(accounts):
                job = {"job_id": f"j-{number}-{width}", "width": str(width), "height": str(height)}
                stream.write(f"{kit.row(**job)},account-{number}\n")
    sheet = folder / "sheet.yaml"
    sheet.write_text(kit.SHEET)
    program = (
        "import resource, sys; from mps_bill.cli import run; code = run(sys.argv[1:]);"
        " print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024); sys.exit(code)"
    )
    out = folder / f"{accounts}.json"
    words = [
        "bill",
        usage,
        "--prices",
        sheet,
        "--engine",
        "duckdb",
        "--threads",
        "1",
        "--memory",
        "100MB",
        "-q",
        "-o",
        out,
    ]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with out.open() as stream:
        assert len(json.load(stream)["accounts"]) == accounts
    return int(done.stdout)


def test_memory_does_not_grow_with_the_accounts(tmp_path: Path) -> None:
    # Measured: 27 MB, of the engine; 71 MB where all groups are held at once, and more where the bills are, too.
    assert _peak(tmp_path, 20_000) - _peak(tmp_path, 2_000) < 50
