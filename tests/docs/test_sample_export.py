"""The sample export is what its generator makes from the sample day, and exactly its errors are found."""

from __future__ import annotations

import json

import pytest

from mps_bill.cli import run
from tests.conftest import ROOT
from tests.docs.sample_export import FILE, text

DAY = str(ROOT / "samples" / "studio-2023-11-10.csv")
NAMES = str(ROOT / "samples" / "export-names.yaml")


def test_the_export_is_that_of_the_sample_day() -> None:
    assert FILE.read_bytes().decode("utf-8") == text()


def test_the_errors_of_the_export_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["reconcile", DAY, "--prices", "mps-china", "--bill", str(FILE), "--mapping", NAMES, "--format", "json"]
    assert run(words) == 1
    document = json.loads(capsys.readouterr().out)
    found = [
        (bill["start"][11:16], one["class"], one["item"], one["ours"], one["theirs"], one["amount"])
        for bill in document["bills"]
        for one in bill["differences"]
    ]
    # 10 minutes of HD at 0.0651 are 0.651, which makes 15.19 of 14.54 when both are rounded; 3 minutes of Dolby are 0.50 dearer.
    assert found == [
        ("14:00", "quantity", "transcoding", "10", "20", "0.65"),
        ("16:00", "price", "dolby", "3.5", "4", "1.5"),
    ]
