"""The explanation of how a job was billed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.golden.cases import run_captured


@pytest.mark.parametrize(("total", "left"), [("120", "0 minutes"), ("121", "1 minute"), ("121.5", "1.5 minutes")])
def test_a_plan_deduction_says_what_it_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: str, left: str
) -> None:
    """40 minutes at the coefficient 3 take 120."""
    folder = Path(shutil.copytree(ROOT / "tests/golden/settle/explained", tmp_path / "case"))
    monkeypatch.chdir(folder)
    account = folder / "account.yaml"
    account.write_text(account.read_text().replace("total: 100", f"total: {total}"))
    words = ["explain", "usage.csv", "-p", "studio.yaml", "-a", "account.yaml", "--job", "j-1", "-f", "markdown"]
    code, out, _ = run_captured(words, b"", monkeypatch)
    assert code == 0
    assert f"takes 120 minutes, leaves {left} |" in out.decode()
