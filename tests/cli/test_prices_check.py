"""`prices check` of folders, with reference lists, and by the calendar."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.price_sheet.find import shipped_sheets
from tests.conftest import ROOT
from tests.invalid.gallery import GOOD

SHEET = GOOD.read_text()
TODAY = ("--today", "2026-11-26")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "prices" / "2025").mkdir(parents=True)
    (tmp_path / "prices" / "studio.yaml").write_text(SHEET)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "prices"


def found(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> list[tuple[str, int, str]]:
    """File, line and code of each problem."""
    assert run(["prices", "check", *words, "--format", "json"]) == code
    problems = json.loads(capsys.readouterr().out)["problems"]
    return [(problem["file"], problem.get("line") or 0, problem["code"]) for problem in problems]


@pytest.mark.parametrize("below", ["", "2025/"])
@pytest.mark.parametrize("suffix", ["yaml", "yml", "YAML"])
def test_cases_without_their_sheet_are_found_in_folders(
    suffix: str, below: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / f"{below}gone.cases.{suffix}").write_text("cases: []\n")
    assert found(capsys, "prices", *TODAY, code=3) == [(f"prices/{below}gone.cases.{suffix}", 0, "P005")]
    assert run(["prices", "test", "prices"]) == 3
    assert f"prices/{below}gone.cases.{suffix}: gone.yaml, the sheet of these cases, is not" in capsys.readouterr().err


@pytest.mark.parametrize("sheet", ["yaml", "yml", "YAML"])
@pytest.mark.parametrize("cases", ["yaml", "yml", "YML"])
@pytest.mark.parametrize("place", ["", "2025/", "link/"])
def test_sheets_and_cases_are_found_however_they_are_written(
    place: str, cases: str, sheet: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In links to folders as well, which may lead back."""
    (folder.parent / "elsewhere").mkdir()
    (folder / "link").symlink_to(folder.parent / "elsewhere")
    (folder.parent / "elsewhere" / "back").symlink_to(folder)
    (folder / "2025" / "up").symlink_to(folder.parent)
    (folder / "studio.yaml").rename(folder / f"{place}studio.{sheet}")
    (folder / f"{place}studio.cases.{cases}").write_text(
        "format: mps-bill/price-cases/1\ncases:\n  - {name: one, usage: [{item: transmuxing, region: cn-beijing,"
        " quantity: 1, unit: minute}], expect: {list_amount: 0.0021}}\n"
    )
    assert run(["prices", "test", "prices"]) == 0
    assert "1 case: 1 passed" in " ".join(capsys.readouterr().err.split())
    assert run(["prices", "check", "prices", "--strict"]) == 0
    assert "1 price sheet checked" in capsys.readouterr().err
    assert run(["prices", "diff", "prices", "prices"]) == 0


def test_versions_in_subfolders_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "2025" / "studio.yaml").write_text(
        SHEET.replace("2024-04-01T", "2025-04-01T").replace('"*": 0.0021', '"*": 0.021')
    )
    assert found(capsys, "prices", *TODAY) == [("prices/2025/studio.yaml", 47, "P912")]


def test_a_price_list_to_compare_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of another currency too, where a price is far from the share that the others have of theirs."""
    euros = (ROOT / "pricing" / "mps-intl.yaml").read_text().replace("currency: USD", "currency: EUR")
    (folder / "studio.yaml").write_text(euros.replace("H264.HD: {mainland: 0.0099", "H264.HD: {mainland: 0.99"))
    line = next(at for at, text in enumerate(euros.splitlines(), 1) if "H264.HD: {mainland: 0.0099" in text)
    assert found(capsys, "prices", "--against", "mps-china", *TODAY)[0][1:] in {(line, "P911"), (line, "P906")}
    (folder / "studio.yaml").write_text(euros)
    assert found(capsys, "prices", "--against", "mps-china", *TODAY) == []
    assert run(["prices", "check", "prices", "--against", "mps-chin"]) == 3


@pytest.mark.parametrize("ours", shipped_sheets())
@pytest.mark.parametrize("list_", ["mps-china", "mps-intl", "cdn-china", "cdn-intl", "oss-china", "kms-intl"])
def test_no_shipped_sheet_is_odd_compared_with_another(
    ours: str, list_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert found(capsys, ours, "--against", list_, *TODAY) == []


def test_the_calendar_fails_a_strict_check_only_where_a_day_is_given(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "studio.yaml").write_text(SHEET.replace("2026-11-23", "2016-11-23"))
    assert [code for *_, code in found(capsys, "prices", "--strict")] == ["P907"]
    assert [code for *_, code in found(capsys, "prices", "--strict", *TODAY, code=1)] == ["P907"]
    (folder / "studio.yaml").write_text(SHEET.replace("0.0250", "0.0049"))
    found(capsys, "prices", "--strict", code=1)


def test_the_other_places_of_a_mistake_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "studio.yaml").write_text(SHEET.replace("asia: 0.", "aisa: 0."))
    assert run(["prices", "check", "prices", "--format", "json", *TODAY]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["code"], problem["line"], len(problem["also"])) == ("P309", 17, 4)


def test_a_code_quality_report_has_one_entry_for_each_finding(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "studio.yaml").write_text(SHEET.replace("0.0250", "0.2500").replace("USD", "UDS"))
    assert run(["prices", "check", "prices", "--format", "gitlab"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(one["check_name"], one["severity"], one["location"]["lines"]["begin"]) for one in report] == [
        ("P921 unknown-currency", "minor", 5),
        ("P906 price-outlier", "minor", 30),
    ]
    assert len({one["fingerprint"] for one in report}) == len(report)


def test_a_finding_is_known_again_when_lines_are_added_before_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fingerprints(sheet: str) -> list[str]:
        (folder / "studio.yaml").write_text(sheet)
        run(["prices", "check", "prices", "--format", "gitlab"])
        return [one["fingerprint"] for one in json.loads(capsys.readouterr().out)]

    sheet = SHEET.replace("0.0250", "0.2500").replace("USD", "UDS")
    before = fingerprints(sheet)
    assert fingerprints("# A contract\n" + sheet) == before
    (currency, price), (first, second) = before, fingerprints(sheet.replace("0.2500", "0.2600"))
    assert (first == currency, second == price) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mainland: 0.0099", "mainland: 0,0099", "no value; expected a price (with a decimal point, not a comma)\n"),
        ('"*": 0.0021', '"*": 0,0021', "no value; expected a price (with a decimal point, not a comma)"),
        ("mainland: 0.0099", "mainland:0.0099", "no value; expected a price; write a space after the colon: mainland: 0.0099"),
        ("mainland: 0.0099", "mainland: ", "no value; expected a price\n"),
        ("currency: USD", "currency: RMB", 'unknown currency "RMB" (not in ISO 4217); did you mean "CNY"?'),
        ("currency: USD", "currency: US\N{CYRILLIC CAPITAL LETTER ES}", "in it is CYRILLIC CAPITAL LETTER ES"),
        ("H264.HD: {", "H264.\N{CYRILLIC CAPITAL LETTER EN}D: {", "in it is CYRILLIC CAPITAL LETTER EN"),
        ("asia: 0.0250", "\N{CYRILLIC SMALL LETTER A}sia: 0.0250", "in it is CYRILLIC SMALL LETTER A"),
        ("  transmuxing:", "  tr\N{CYRILLIC SMALL LETTER A}nsmuxing:", "in it is CYRILLIC SMALL LETTER A"),
        ("mode: down", "mode: d\N{GREEK SMALL LETTER OMICRON}wn", "in it is GREEK SMALL LETTER OMICRON"),
        ("currency:", "curr\N{CYRILLIC SMALL LETTER IE}ncy:", "in it is CYRILLIC SMALL LETTER IE"),
        ("name: Transmuxing", "name: standard Transcoding",
         'transcoding has the name "Standard transcoding" and transmuxing "standard Transcoding" ('),
        ("name: Transmuxing", "name: Standard transcoding", 'transcoding has the name "Standard transcoding" too ('),
    ],
)  # fmt: skip
def test_words_that_finance_uses_are_answered_with_the_right_ones(
    old: str, new: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SHEET.count(old) >= 1
    (folder / "studio.yaml").write_text(SHEET.replace(old, new, 1))
    run(["prices", "check", "prices", *TODAY, "--format", "json"])
    messages = [problem["message"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    assert any(message in f"{one}\n" for one in messages), messages


def test_a_gap_in_every_other_region_is_not_in_every_region(capsys: pytest.CaptureFixture[str]) -> None:
    """An item with prices of its own regions has none in every other one, not in every one."""
    assert run(["prices", "show", "prices", "--coverage"]) == 0
    out = capsys.readouterr().out
    assert "every other region" in out
    assert "every region" not in out
