"""The page about reconciling shows what golden cases print, and a mapping that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.reconcile.exports import read_mapping

_BLOCK = re.compile(r"<!-- golden: (.+?) -->\n```console\n\$ mps-bill (.+?)\n(.*?)```\n<!-- end -->", re.DOTALL)


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "reconcile.md").read_text(encoding="utf-8")


def test_the_page_shows_what_golden_cases_print(page: str, root: Path) -> None:
    blocks = _BLOCK.findall(page)
    assert len(blocks) == page.count("<!-- golden:") == 2
    for case, command, shown in blocks:
        folder = root / "tests" / "golden" / case
        assert command in (folder / "command").read_text(encoding="utf-8")
        assert shown == (folder / "stdout").read_text(encoding="utf-8"), (
            f"copy the output of {case} to docs/reconcile.md"
        )


def test_the_mapping_on_the_page_can_be_read(page: str) -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    mapping, problems = read_mapping(text, "page.yaml")
    assert mapping, problems
