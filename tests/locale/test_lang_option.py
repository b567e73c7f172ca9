"""--lang: where it comes from, and that it changes nothing that programs read."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.golden.cases import GOLDEN, arguments, case_names, expected, run_captured, run_case

BILL = ["bill", str(ROOT / "samples/studio-2023-11-10.csv"), "--prices", "mps-china"]
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
    assert b'mps-bill.yaml:1:11: "cn" is not a language; expected en or zh [C204 unknown-language]' in err


def for_programs() -> list[str]:
    """The golden cases of which the result is for programs."""
    cases = [name for name in case_names() if not name.startswith("config/")]
    return [name for name in cases if re.search(r"\b(json|csv|focus|github|junit|sarif)\b", " ".join(result_of(name)))]


def result_of(name: str) -> list[str]:
    """The words behind --format and --output in the command of a case."""
    words = arguments(GOLDEN / name)
    return [word for option, word in pairwise(words) if option in ("-f", "--format", "-o", "--output")]


@pytest.mark.parametrize("name", for_programs())
def test_what_programs_read_is_the_same_in_every_language(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPS_BILL_LANG", "zh")
    assert run_case(name, tmp_path, monkeypatch) == expected(name)
