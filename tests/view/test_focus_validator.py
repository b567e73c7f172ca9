"""FOCUS rows before the published `focus-validator`, which lives in an environment of its own (docs/reports.md).

`MPS_BILL_FOCUS_VALIDATOR` names its command, several of them with the separator of `PATH`.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mps_bill.view.bill_view import BillView
from mps_bill.view.focus_words import COLUMNS
from mps_bill.view.settle_view import SettleView
from tests.render.runs import sample_day, settled, text

#: The rules for 1.0 of focus-validator 1.0.0 call four columns by other names than the specification.
_NAMES_OF_THE_VALIDATOR = {
    "InvoiceIssuerName": "InvoiceIssuer",
    "ProviderName": "Provider",
    "PublisherName": "Publisher",
    "ResourceId": "ResourceID",
}
#: Rules for 1.0 that cannot apply, with the reason.
_NOT_APPLICABLE_1_0 = {
    "SkuPriceId_Nullable": "it reads ChargeType, a column of version 0.5 that 1.0 does not have",
}
#: Rules for 1.2 about columns of 1.0 that cannot apply, with the reason.
_NOT_APPLICABLE_1_2 = {
    "BillingAccountName": "no file of the program has a name for an account; the column may be null then",
    "CommitmentDiscountStatus": "a rule about capacity reservations, which 1.0 does not have",
    "ServiceName": "a rule about ServiceSubcategory, which 1.0 does not have",
}


def validator(version: str, folder: Path) -> str:
    """The command of a validator that knows a version of the specification; skips the test where there is none.

    It runs in `folder`, because it writes a log where it runs.
    """
    named = os.environ.get("MPS_BILL_FOCUS_VALIDATOR", "").split(os.pathsep)
    for command in map(os.path.abspath, filter(None, [*named, shutil.which("focus-validator")])):
        # Without a network it cannot ask for more versions than it brings along, and must not try.
        for more in (["--block-download"], []):
            arguments = [command, "--supported-versions", *more]
            known = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
            if known.returncode == 0:
                break
        if re.search(rf"\b{re.escape(version)}\b", known.stdout):
            return command
    message = f"FOCUS {version} WAS NOT VALIDATED: no focus-validator that knows it; set MPS_BILL_FOCUS_VALIDATOR"
    if os.environ.get("MPS_BILL_REQUIRE_FOCUS_VALIDATOR"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(params=["bill", "settle"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> BillView | SettleView:
    return BillView(sample_day()) if request.param == "bill" else SettleView(settled(tmp_path))


def written(folder: Path, data: BillView | SettleView, names: dict[str, str]) -> Path:
    """The rows with some columns renamed. Beside them stand the currency codes, which the validator expects below the
    folder that it runs in."""
    path = folder / "focus.csv"
    header, *rows = csv.reader(io.StringIO(text(data, "focus")))
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([[names.get(name, name) for name in header], *rows])
    for room in ("utils", "rules"):
        codes = folder / "focus_validator" / room / "currency_codes.csv"
        codes.parent.mkdir(parents=True)
        codes.write_text(",currency_codes\n0,CNY\n1,USD\n")
    return path


def test_rules_of_1_0(data: BillView | SettleView, tmp_path: Path) -> None:
    command = validator("1.0", tmp_path)
    path = written(tmp_path, data, _NAMES_OF_THE_VALIDATOR)
    arguments = ["--data-file", path, "--validate-version", "1.0", "--output-type", "unittest"]
    subprocess.run(
        [command, *arguments, "--output-destination", "result.xml"], cwd=tmp_path, capture_output=True, check=False
    )
    result = ElementTree.parse(tmp_path / "result.xml").getroot()
    assert int(result.attrib["tests"]) > 100
    assert result.attrib["errors"] == "0"
    failed = {case.attrib["name"].split(" ")[0] for case in result.iter("testcase") if case.find("failure") is not None}
    assert failed == set(_NOT_APPLICABLE_1_0)


def test_rules_of_1_2_about_columns_of_1_0(data: BillView | SettleView, tmp_path: Path) -> None:
    """The later validator knows only 1.2, whose rules for the columns of 1.0 say much more about when they are null."""
    command = validator("1.2", tmp_path)
    path = written(tmp_path, data, {})
    arguments = [
        "--data-file",
        path,
        "--validate-version",
        "1.2",
        "--block-download",
        "--focus-dataset",
        "CostAndUsage",
    ]
    done = subprocess.run(
        [command, *arguments, "--applicability-criteria", "ALL"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = re.findall(r"^(\S+) ((\w+)-C-\d+-\w): (PASS|FAIL)", done.stdout, flags=re.MULTILINE)
    own = [(rule, column, verdict) for _, rule, column, verdict in verdicts if column in COLUMNS]
    assert len([verdict for _, _, verdict in own if verdict == "PASS"]) > 200, done.stdout + done.stderr
    failed = {column for _, column, verdict in own if verdict == "FAIL"}
    assert failed <= set(_NOT_APPLICABLE_1_2), [rule for rule, _, verdict in own if verdict == "FAIL"]
