"""docs/glossary.md has every command and every key of the documents that people write."""

from __future__ import annotations

import re

import pytest

from mps_bill.cli.app import COMMANDS
from mps_bill.cli.schema import DOCUMENTS, document_of
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
#: The keys of an import profile have their own page, which the glossary names.
PROFILES = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_key_of_a_document_is_in_the_glossary(name: str) -> None:
    words = set(re.findall(r"`(\w+)`", PAGE))
    if name == "profile":
        words |= set(re.findall(r"`(\w+)`", PROFILES)) | set(re.findall(r"^ *(\w+):", PROFILES, re.MULTILINE))
    assert document_of(name).schema()["properties"].keys() - words == set()


def test_every_command_is_in_the_glossary() -> None:
    _, table = PAGE.split("\n## Commands\n")
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(COMMANDS)


def test_every_term_has_the_columns_of_its_table() -> None:
    terms, _ = PAGE.split("\n## Commands\n")
    rows = [line for line in terms.splitlines() if line.startswith("|")]
    assert len(rows) > 80
    assert [row for row in rows if len(row.strip("|").split("|")) != 5] == []
