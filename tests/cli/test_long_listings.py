"""Documents with one mistake many times over: text lists some of each kind, the formats of programs all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.golden.cases import run_captured

SHEET = (ROOT / "pricing" / "mps-china.yaml").read_text(encoding="utf-8")
KEYS = 300


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    """A sheet with 300 keys that nobody knows, and behind them a second kind of mistake."""
    path = tmp_path / "sheet.yaml"
    keys = "".join(f"key_{number}: 1\n" for number in range(KEYS))
    path.write_text(SHEET + keys + "currency: CNY\n", encoding="utf-8")
    return str(path)


def shown(words: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    code, out, err = run_captured(words, b"", monkeypatch)
    return code, out.decode(), err.decode()


@pytest.mark.parametrize(("words", "listed"), [([], 20), (["--max-errors", "3"], 3), (["--max-errors", "1000"], KEYS)])
def test_text_lists_some_of_each_kind_and_counts_the_others(
    words: list[str], listed: int, sheet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text, summary = shown(["prices", "check", sheet, "--today", "2026-11-23", *words], monkeypatch)
    found = re.findall(r"key_(\d+).* \[P121 unknown-key\]$", text, re.MULTILINE)
    assert found == [str(number) for number in range(listed)]
    assert len(re.findall(r" \[P\d+ duplicate-key\]$", text, re.MULTILINE)) == 1
    assert f"{KEYS + 1} errors" in summary
    assert code == 1
    if listed < KEYS:
        first = SHEET.count("\n") + 1
        assert f"... and {KEYS - listed} more problems. In all:\n" in text
        assert f"  {KEYS} of P121 unknown-key, first at {sheet}:{first}:1\n" in text
    else:
        assert "more problem" not in text


@pytest.mark.parametrize(
    ("format_", "mark"),
    [("json", '"P121"'), ("github", "P121 "), ("junit", 'type="P121"'), ("sarif", '"ruleId": "P121"')],
)
def test_formats_of_programs_have_all(format_: str, mark: str, sheet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text, _ = shown(["prices", "check", sheet, "--format", format_, "--max-errors", "2"], monkeypatch)
    assert text.count(mark) >= KEYS
    if format_ == "json":
        assert len(json.loads(text)["problems"]) == json.loads(text)["errors"] + json.loads(text)["warnings"]


def test_a_bill_lists_some_of_each_kind_too(sheet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = str(ROOT / "samples" / "studio-2023-11-10.csv")
    code, _, err = shown(["bill", usage, "--prices", sheet], monkeypatch)
    assert code == 3
    assert err.count("[P121 unknown-key]\n") == 20
    assert err.count(" duplicate-key]\n") == 1
    assert f"... and {KEYS - 20} more problems. In all:\n  {KEYS} of P121 unknown-key, first at {sheet}:" in err
