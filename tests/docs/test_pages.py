"""Links of the documents lead somewhere, the README lists every page of the manual, and every code has its meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = [
    *ROOT.glob("*.md"),
    *(page for folder in ("docs", "pricing", "tests") for page in (ROOT / folder).rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_lists_every_page_of_the_manual() -> None:
    _, manual = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## The manual\n")
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= set(re.findall(r"\(docs/([\w-]+\.md)\)", manual))


def test_every_code_has_its_meaning() -> None:
    """Codes of price sheets have a page of their own, codes.md."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "mps_bill").rglob("*.py")]
    kinds = {kind for source in sources for kind in re.findall(r'Kind\(\s*"([A-OQ-Z]\d+)", "([\w-]+)"', source)}
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([A-Z]\d+) ([\w-]+) \| \S", page, re.MULTILINE)
    assert (set(listed), len(listed)) == (kinds, len(kinds))
