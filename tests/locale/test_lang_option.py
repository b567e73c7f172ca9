"""--lang: where it comes from, and that it changes nothing that programs read."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.conftest import ROOT
from tests.golden.cases import GOLDEN, arguments, case_names, expected, run_captured, run_case
from tests.kit import shipped

BILL = ["bill", str(ROOT / "samples/studio-2023-11-10.csv"), "--prices", "mps-china"]
SETTLE = ["settle", *BILL[1:], "--account", str(ROOT / "samples/account-studio-a.yaml")]
EXPLAIN = ["explain", *BILL[1:], "--job", "j-1001"]


def printed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    code, out, err = run_captured(words, b"", monkeypatch)
    assert code in (0, 1), err
    return out.decode()


def test_the_option_wins_over_the_environment_and_that_over_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "Price sheet" in printed(EXPLAIN, monkeypatch)
    Path("mps-bill.yaml").write_text("language: zh\n")
    assert "价格表" in printed(EXPLAIN, monkeypatch)
    monkeypatch.setenv("MPS_BILL_LANG", "en")
    assert "Price sheet" in printed(EXPLAIN, monkeypatch)
    assert "价格表" in printed([*EXPLAIN, "--lang", "zh"], monkeypatch)
    monkeypatch.setenv("MPS_BILL_LANG", "")
    assert "Price sheet" in printed(EXPLAIN, monkeypatch)


def test_commands_of_price_sheets_take_the_language_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "普通转码" in printed(["prices", "show", "mps-china", "--lang", "zh"], monkeypatch)
    monkeypatch.setenv("MPS_BILL_LANG", "zh")
    assert "普通转码" in printed(["prices", "show", "mps-china"], monkeypatch)


def test_an_unknown_language_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run_captured([*BILL, "--lang", "fr"], b"", monkeypatch)
    assert (code, b"'fr' is not one of 'en', 'zh'" in err) == (2, True)
    monkeypatch.chdir(tmp_path)
    Path("mps-bill.yaml").write_text("language: cn\n")
    code, _, err = run_captured(BILL, b"", monkeypatch)
    assert code == 3
    assert b'mps-bill.yaml:1:11: unknown language "cn"; expected en or zh [C204 unknown-language]' in err


def for_programs() -> list[str]:
    """The golden cases with a result for programs."""
    cases = [name for name in case_names() if not name.startswith("config/")]
    return [name for name in cases if re.search(r"\b(json|csv|focus|github|junit|sarif)\b", " ".join(result_of(name)))]


def result_of(name: str) -> list[str]:
    """The words behind --format and --output in the command of a case."""
    words = arguments(GOLDEN / name)
    return [word for option, word in pairwise(words) if option in ("-f", "--format", "-o", "--output")]


@pytest.mark.parametrize("name", for_programs())
def test_results_for_programs_are_the_same_in_every_language(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPS_BILL_LANG", "zh")
    assert run_case(name, tmp_path, monkeypatch) == expected(name)


#: Not words: units, names of formats and of this program.
ABBREVIATIONS = {"CNY", "UTC", "CSV", "JSON", "DNA", "mps-bill"}


@pytest.mark.parametrize("command", [BILL, [*BILL, "--by", "day,item", "--by", "tag_project"], SETTLE])
def test_a_page_has_no_word_of_another_language(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Except text of the input: codes, specs, regions, names of items that the price sheet has in English only."""
    page = printed([*command, "-f", "html", "--lang", "zh"], monkeypatch)
    assert '<html lang="zh-CN">' in page
    found = set(re.findall(r"[A-Za-z][A-Za-z_-]+", " ".join(_texts_of_page(page))))
    data = "".join((ROOT / "samples" / name).read_text() for name in ("studio-2023-11-10.csv", "account-studio-a.yaml"))
    items = [item for sheet in shipped("mps-china").sheets for item in sheet.items.values()]
    names = [item.name for item in items if "zh" not in item.names]
    specs = [spec for item in items for spec in item.prices]
    known = set(re.findall(r"[A-Za-z][A-Za-z_-]+", " ".join([data, *names, *specs, "mps mps-china"])))
    assert found - known - ABBREVIATIONS == set()


def _texts_of_page(page: str) -> list[str]:
    """What is read or said of a page: text, and attributes for people."""
    body = re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.DOTALL)
    attributes = re.findall(r'(?:aria-label|title)="([^"]*)"', body)
    return [*re.sub(r"<[^>]*>", "\n", body).split("\n"), *attributes]


def test_a_workbook_is_in_chinese_and_adds_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed([*SETTLE, "-o", str(tmp_path / "账单.xlsx"), "--lang", "zh"], monkeypatch)
    book = load_workbook(tmp_path / "账单.xlsx")
    assert book.sheetnames == ["汇总", "账单", "账单明细", "抵扣明细", "账号", "充值", "行数核对"]
    lines = book["账单明细"]
    heads = [cell.value for cell in lines[1]]
    assert heads[3:8] == ["计费项", "计费项名称", "服务类型", "规格", "阶梯"]
    assert lines["E2"].value == "普通转码"
    assert lines["B2"].number_format == 'yyyy"年"mm"月"dd"日" hh:mm'
    # As wide as the date, whose characters take two columns each.
    assert 22 <= lines.column_dimensions["B"].width <= 24
    totals = {row[0].value: row[1].value for row in book["汇总"].iter_rows()}
    assert totals["应付金额"] == "=ROUND(SUM('账单'!$L$2:$L$12),10)"


def test_english_loads_no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mps_bill.core.language._catalogue", lambda _: pytest.fail("a catalogue was loaded"))
    assert "Payable" in printed([*BILL, "-f", "html"], monkeypatch)
