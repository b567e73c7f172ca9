"""The example of price cases and the commands on the page about price sheets work."""

from __future__ import annotations

import re

import pytest

from mps_bill.ask.price_cases.read_cases import DOCUMENT, read_cases
from mps_bill.documents.read_document import read_text
from tests.conftest import ROOT
from tests.golden.cases import run_captured

PAGE = (ROOT / "docs" / "prices.md").read_text(encoding="utf-8")


def test_the_example_of_cases_is_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (text,) = [text for text in blocks if "price-cases/1" in text]
    cases, problems = read_cases(read_text(DOCUMENT, text, "docs"))
    assert problems == ()
    assert len(cases) == 2


def test_commands_of_the_page_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    named = set(re.findall(r"`mps-bill prices ([a-z]+)", PAGE))
    assert named == {"check", "test", "diff", "show", "history", "list", "schema"}
    for command in named:
        code, out, _ = run_captured(["prices", command, "--help"], b"", monkeypatch)
        assert code == 0
        options = set(re.findall(r"--[a-z][a-z-]+", out.decode()))
        section = PAGE.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
        assert set(re.findall(r"--[a-z][a-z-]+", section)) <= options, command
