"""Usage cases are read by their places, go through the whole pipeline, and fail with both values."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.ask.price_cases.read_cases import DOCUMENT, USAGE_FIELDS, load_cases, read_cases
from mps_bill.ask.price_cases.run_cases import CaseResult, run_case
from mps_bill.core.diagnostics import InputRejected
from mps_bill.documents.read_document import read_text
from mps_bill.metering.usage_columns import RECORD_COLUMNS
from mps_bill.price_sheet.gather import gather
from mps_bill.price_sheet.load_sheets import load_text
from tests.conftest import ROOT
from tests.golden.cases import run_captured
from tests.invalid.gallery import GOOD

HEAD = "format: mps-bill/price-cases/1\ncases:\n"


def run_one(usage: str, expect: str) -> CaseResult:
    """The result of one case against the good sheet of the gallery."""
    cases, problems = read_cases(
        read_text(DOCUMENT, f"{HEAD}  - name: it\n    usage:\n{usage}    expect: {expect}\n", "f")
    )
    assert problems == ()
    draft = load_text(GOOD.read_text(), "good").draft
    assert draft
    book, _ = gather([draft])
    assert book
    return run_case(cases[0], book)


def mismatches(result: CaseResult) -> list[tuple[str, str, str, str]]:
    return [(found.what, found.expected, found.actual, found.difference) for found in result.mismatches]


TEN = "      - {item: transcoding, region: cn-shanghai, spec: H264.HD, quantity: 10, unit: minute}\n"
TWENTY = TEN.replace("quantity: 10", "quantity: 20")


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ("{list_amount: 0.099}", []),
        ("{list_amount: 0.0990, rounding_adjustment: -0.009, payable: 0.09}", []),
        ("{payable: 0.10}", [("payable", "0.10", "0.09", "-0.01")]),
        ("{payable: 0.08}", [("payable", "0.08", "0.09", "+0.01")]),
        ("{rounding_adjustment: 0.009}", [("rounding_adjustment", "0.009", "-0.009", "-0.018")]),
        ("{lines: [{item: transcoding, spec: H264.HD, region: cn-shanghai, quantity: 10}]}", []),
        ("{lines: [{quantity: 9.5}]}", [("line 1 quantity", "9.5", "10.00", "+0.5")]),
        ("{lines: [{region: cn-beijing}]}", [("line 1 region", "cn-beijing", "cn-shanghai", "")]),
        ("{lines: [{tier: 0-10}]}", [("line 1 tier", "0-10", "none", "")]),
        ("{lines: [{item: transcoding}, {item: review}]}", [("lines", "2", "1 (transcoding H264.HD cn-shanghai)", "")]),
        ("{issued_at: ['2024-04-01T02:00:00+08:00']}", []),
        ("{issued_at: ['2024-03-31T18:00:00Z']}", []),
        ("{refusal: U309}", [("the usage", "refused for U309 no-price", "billed", "")]),
    ],
)
def test_what_is_expected(expect: str, expected: list[tuple[str, str, str, str]]) -> None:
    assert mismatches(run_one(TEN, expect)) == expected


def test_rows_are_jobs_of_their_own_unless_they_say_so() -> None:
    assert run_one(TEN + TEN, "{list_amount: 0.198}").passed
    job = TEN.replace("{item", "{job_id: j, item")
    assert run_one(job + job, "{list_amount: 0.099}").passed
    conflict = run_one(job + TWENTY.replace("{item", "{job_id: j, item"), "{list_amount: 0.099}")
    assert [problem.kind.slug for problem in conflict.refusals] == ["conflicting-repeat"]


def test_a_refusal_is_told_at_its_row() -> None:
    result = run_one(TEN + TEN.replace("H264.HD", "H264.FHD"), "{payable: 1}")
    assert [str(problem) for problem in result.refusals] == [
        'f:6:9: unknown spec "H264.FHD" of transcoding; expected one of H264.SD, H264.HD, H265.SD or H265.HD [U306 unknown-spec]'
    ]
    assert not result.passed


def test_a_refusal_may_be_expected() -> None:
    wrong = TEN.replace("H264.HD", "H264.FHD")
    assert run_one(wrong, "{refusal: unknown-spec}").passed
    assert run_one(wrong, "{refusal: U306}").passed
    large = TEN.replace("spec: H264.HD", "codec: H264, width: 7680, height: 4320")
    assert run_one(large, "{refusal: picture-too-large}").passed
    assert run_one(large, "{refusal: no-bucket}").passed, "its former name"
    assert mismatches(run_one(wrong, "{refusal: no-price}")) == [
        ("the usage", "refused for U309 no-price", "refused for U306 unknown-spec", "")
    ]


def test_values_are_their_text_and_cannot_break_a_row() -> None:
    """A quantity of `010` is refused as in a usage file, and a comma or a quote stays inside its value."""
    assert [p.kind.slug for p in run_one(TEN.replace("quantity: 10", "quantity: 010"), "{payable: 1}").refusals] == [
        "bad-quantity"
    ]
    assert run_one(TEN.replace("{item", "{output: 'a,b', item"), "{list_amount: 0.099}").passed


def test_usage_without_anything_to_bill() -> None:
    failed = TEN.replace("unit: minute", "unit: minute, status: failed")
    result = run_one(failed, "{payable: 0, issued_at: ['2024-04-01T02:00:00+08:00']}")
    assert mismatches(result) == [("issued_at", "2024-04-01T02:00:00+08:00", "no bill", "")]


def test_problems_of_cases_and_sheets_come_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.read_text().replace("USD", "usd"))
    (tmp_path / "a.cases.yaml").write_text(f"{HEAD}  - name: it\n    usage: []\n    expect: {{}}\n")
    with pytest.raises(InputRejected) as rejected:
        load_cases([str(tmp_path)])
    assert [(Path(p.place.file).name, p.place.line, p.kind.slug) for p in rejected.value.report.shown] == [
        ("a.cases.yaml", 4, "empty-collection"),
        ("a.cases.yaml", 5, "nothing-expected"),
        ("a.yaml", 5, "bad-currency"),
    ]


def test_cases_are_found_from_their_sheet_from_themselves_and_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(GOOD.read_bytes())
    (tmp_path / "a.cases.yaml").write_text(f"{HEAD}  - name: it\n    usage:\n{TEN}    expect: {{payable: 0.09}}\n")
    names = [tmp_path, tmp_path / "a.yaml", tmp_path / "a.cases.yaml", tmp_path / "*.yaml"]
    for name in names:
        assert len(load_cases([str(name)])) == 1
    assert len(load_cases([str(name) for name in names])) == 1
    assert len(load_cases(["mps-intl"])) == 1


def test_the_examples_of_contracts_that_meter_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    contracts = str(ROOT / "tests" / "pricing" / "contracts")
    code, out, err = run_captured(["prices", "test", contracts], b"", monkeypatch)
    assert (code, err) == (0, b"3 cases: 3 passed, 0 failed.\n"), out.decode()
    code, out, _ = run_captured(["prices", "check", contracts, "--strict", "--today", "2026-11-23"], b"", monkeypatch)
    assert code == 0, out.decode()


def test_a_row_of_a_case_has_the_columns_of_usage_files() -> None:
    assert tuple(field.key for field in USAGE_FIELDS) == RECORD_COLUMNS
