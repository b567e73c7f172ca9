"""The pages about comparing bills show what golden cases print, and a mapping that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.reconcile.exports import read_mapping

_BLOCK = re.compile(r"<!-- golden: (.+?) -->\n```console\n\$ mps-bill (.+?)\n(.*?)```\n<!-- end -->", re.DOTALL)


@pytest.mark.parametrize("name", ["reconcile.md", "what-if.md"])
def test_the_page_shows_what_a_golden_case_prints(name: str, root: Path) -> None:
    page = (root / "docs" / name).read_text(encoding="utf-8")
    blocks = _BLOCK.findall(page)
    assert len(blocks) == page.count("<!-- golden:") == 1
    for case, command, shown in blocks:
        folder = root / "tests" / "golden" / case
        assert command in (folder / "command").read_text(encoding="utf-8")
        assert shown == (folder / "stdout").read_text(encoding="utf-8"), f"copy the output of {case} to docs/{name}"


def test_the_mapping_on_the_page_can_be_read(root: Path) -> None:
    page = (root / "docs" / "reconcile.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    mapping, problems = read_mapping(text, "page.yaml")
    assert mapping, problems
