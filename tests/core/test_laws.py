"""A broken law stops the run in every mode of Python."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mps_bill.core.laws import BrokenLaw, law
from tests.conftest import ROOT


def test_a_law_that_holds_says_nothing_and_a_broken_one_says_the_values() -> None:
    law(True, "never said")
    with pytest.raises(BrokenLaw, match=r"^1 row of 2$"):
        law(False, "{} row of {}", 1, 2)
    with pytest.raises(BrokenLaw, match=r"^the plan \{a\}$"):
        law(False, "the plan {}", "{a}")


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_rows_that_do_not_add_up_stop_the_run_however_python_runs(level: str) -> None:
    code = """\
from mps_bill.core.laws import BrokenLaw
from mps_bill.metering.groups import ControlTotals
try:
    ControlTotals(3, 1, 0, 0, 1).check()
except BrokenLaw as broken:
    print(broken)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONOPTIMIZE": level},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "control totals do not add up: 2 rows placed of 3 read\n"
