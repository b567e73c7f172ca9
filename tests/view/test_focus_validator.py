"""FOCUS rows checked by the published `focus-validator`: release 1.0.0 for version 1.0 of the specification, 2.2.1 for 1.2.

`make validators` gives each an environment of its own, below `.validators/`.
"""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mps_bill.metering.meter_options import MeterOptions
from mps_bill.pipeline import Settling, settle_usage
from mps_bill.rating.contract import Contract, Discount
from mps_bill.view.bill_view import BillView
from mps_bill.view.focus_view import COLUMNS
from mps_bill.view.settle_view import SettleView
from tests.conftest import ROOT
from tests.kit import row, source, usage_of, usage_text
from tests.render.runs import MONTHLY, book, sample_day, settled, text

#: The rules for 1.0 in focus-validator 1.0.0 have names for four columns that differ from the specification.
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
#: Rules for 1.2 that cannot apply, with the reason. docs/reports.md lists them.
_NOT_APPLICABLE_1_2 = {
    "BillingAccountName-C-003-C": "no file of the program has a name for an account; the column may be null then",
    "CapacityReservationStatus-C-004-C": "its condition is written in a way that the validator does not read, so it asks"
    " for a status in every row, also where nothing is reserved",
    "CommitmentDiscountStatus-C-004-C": "its condition is the wrong way round: it asks for a status exactly where"
    " CommitmentDiscountStatus-C-003-C forbids one, in rows without a commitment",
    "InvoiceId-C-005-C": "it asks for a number in every row; the provider gives out its invoices' numbers, and no file of"
    " the program has one",
}


def validator(version: str) -> Path:
    """Return the command of a validator. Without one, the test is skipped, but fails in CI."""
    command = ROOT / ".validators" / version / "bin" / "focus-validator"
    if not command.exists():
        message = f"FOCUS {version} WAS NOT VALIDATED: run `make validators`"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return command


@pytest.fixture(params=["bill", "settle", "settle, monthly", "corrected"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> BillView | SettleView:
    if request.param == "bill":
        return BillView(sample_day())
    if request.param == "settle":
        return SettleView(settled(tmp_path))
    if request.param == "corrected":
        return corrected(tmp_path)
    return SettleView(settled(tmp_path, book(MONTHLY), as_of=1_704_067_200))


def corrected(folder: Path) -> SettleView:
    """Late usage of an earlier month, with a discount, paid by a voucher when it is billed and partly covered by a plan."""
    december = usage_text([row(completed_at="2023-12-01T00:30:00+08:00")])
    before = settled(folder, usage=december).settled.closing
    contract = Contract((Discount("d-1", Decimal("7.35")),), settlement="monthly", vouchers_at="billing")
    late = [row(job_id=f"l-{n}", quantity="90", completed_at=f"2023-11-30T2{n}:30:00+08:00") for n in range(3)]
    late += [usage_of("review", job_id="l-3", spec="porn", quantity="4000", completed_at="2023-12-01T02:30:00+08:00")]
    sources = [source(folder / "late.csv", usage_text(late))]
    options = MeterOptions(engine="python")
    run = settle_usage(sources, book(), options, replace(before, contract=contract), Settling(charge_late=True))
    assert any(step.bill.cycle.correction_at for step in run.settled.settlements)
    assert run.totals.paid["voucher"]
    return SettleView(run)


def validated(
    version: str, data: BillView | SettleView, folder: Path, names: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """The validator's run over the rows, with some columns renamed. It works in `folder`, because it writes a log there and
    looks there for the currency codes."""
    command = validator(version)
    header, *rows = csv.reader(io.StringIO(text(data, "focus")))
    with (folder / "focus.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([[names.get(name, name) for name in header], *rows])
    for room in ("utils", "rules"):
        codes = folder / "focus_validator" / room / "currency_codes.csv"
        codes.parent.mkdir(parents=True)
        codes.write_text(",currency_codes\n0,CNY\n1,USD\n")
    words = [command, "--data-file", "focus.csv", "--validate-version", version, *arguments]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_rules_of_1_0(data: BillView | SettleView, tmp_path: Path) -> None:
    output = ["--output-type", "unittest", "--output-destination", "result.xml"]
    validated("1.0", data, tmp_path, _NAMES_OF_THE_VALIDATOR, *output)
    result = ElementTree.parse(tmp_path / "result.xml").getroot()
    assert int(result.attrib["tests"]) > 100
    assert result.attrib["errors"] == "0"
    failed = {case.attrib["name"].split(" ")[0] for case in result.iter("testcase") if case.find("failure") is not None}
    assert failed == set(_NOT_APPLICABLE_1_0)


def test_rules_of_1_2(data: BillView | SettleView, tmp_path: Path) -> None:
    """All rules, including those for features that a provider may lack. A composite rule fails only if its parts do."""
    options = ["--block-download", "--focus-dataset", "CostAndUsage", "--applicability-criteria", "ALL"]
    done = validated("1.2", data, tmp_path, {}, *options)
    verdicts = dict(re.findall(r"^\S+ (\S+): (PASS|FAIL|SKIPPED)", done.stdout, flags=re.MULTILINE))
    passed = {rule for rule, verdict in verdicts.items() if verdict == "PASS"}
    failed = {rule for rule, verdict in verdicts.items() if verdict == "FAIL"}
    assert len(passed) > 350, done.stdout + done.stderr
    parts = re.findall(r"^\S+ (\S+): FAIL .*failed child rules: \[(.*)\]\)", done.stdout, flags=re.MULTILINE)
    made_of = {rule: set(children.split(", ")) for rule, children in parts}
    assert failed - made_of.keys() == set(_NOT_APPLICABLE_1_2)
    assert all(children <= failed for children in made_of.values())


def test_every_column_of_1_2_is_there_and_two_of_1_3(tmp_path: Path) -> None:
    options = ["--block-download", "--focus-dataset", "CostAndUsage", "--applicability-criteria", "ALL"]
    done = validated("1.2", BillView(sample_day()), tmp_path, {}, *options)
    present = re.findall(r"^\S+ CostAndUsage-D-\d+-\w: (\w+)", done.stdout, flags=re.MULTILINE)
    assert present.count("PASS") > 60
    assert {"ServiceProviderName", "HostProviderName"} <= set(COLUMNS)


def test_a_reason_for_every_rule_that_cannot_apply_is_documented() -> None:
    page = (ROOT / "docs" / "reports.md").read_text()
    assert [rule for rule in (*_NOT_APPLICABLE_1_0, *_NOT_APPLICABLE_1_2) if f"`{rule}`" not in page] == []
