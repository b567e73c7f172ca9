"""Every code of price sheets is in the gallery, is reported as expected there, and is documented."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from mps_bill.documents import yaml_tree
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.load_sheets import load_sheets
from mps_bill.price_sheet.price_kinds import PRICE_KINDS
from mps_bill.price_sheet.price_kinds.tiers import TieredPrice
from tests.golden.cases import run_captured
from tests.invalid.gallery import GALLERY, GOOD, NOT_IN_GALLERY, PAGE, TODAY, Mistake, command_of, mistakes, page


@pytest.mark.parametrize("mistake", mistakes(), ids=lambda mistake: mistake.name)
def test_a_mistake_is_reported(
    mistake: Mistake, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    code, report = mistake.report(monkeypatch)
    if request.config.getoption("--rewrite-golden"):
        mistake.expected.write_text(report)
    assert report == mistake.expected.read_text()
    assert set(re.findall(r" \[(P\d+) ", report)) == {mistake.code}
    kind = next(kind for kind in kinds.every_kind() if kind.code == mistake.code)
    tests_cases = mistake.path.is_dir() and any(mistake.corrected.glob("*.cases.yaml"))
    assert code == (3 if kinds.is_file_problem(kind) or tests_cases else 0 if kinds.is_warning(kind) else 1)


@pytest.mark.parametrize(
    "mistake", [mistake for mistake in mistakes() if mistake.path.is_dir()], ids=lambda mistake: mistake.name
)
def test_the_corrected_files_have_no_problems(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    code, report = mistake.report(monkeypatch, mistake.corrected)
    assert code == 0
    assert " [P" not in report


def test_the_good_sheet_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run_captured(["prices", "check", str(GOOD), "--today", TODAY, "--strict"], b"", monkeypatch)
    assert (code, out) == (0, b"")


def test_names_are_code_and_slug() -> None:
    names = {f"{kind.code}-{kind.slug}" for kind in kinds.every_kind()}
    assert [mistake.name for mistake in mistakes() if mistake.name not in names] == []


def test_every_code_is_in_the_gallery() -> None:
    shown = {mistake.code for mistake in mistakes()} | set(NOT_IN_GALLERY)
    assert {kind.code for kind in kinds.every_kind()} == shown


def test_every_kind_has_a_code_of_its_own_and_its_meaning_is_written() -> None:
    every = kinds.every_kind()
    assert len(every) > 105
    assert len({kind.code for kind in every}) == len({kind.slug for kind in every}) == len(every)
    assert "TO BE WRITTEN" not in page()


def test_the_meanings_have_the_words_and_bounds_of_the_program() -> None:
    sections = dict(re.findall(r"^## (\S+) .*\n\n(.+)$", PAGE.read_text(), flags=re.M))
    models = [kind for kind in PRICE_KINDS if issubclass(kind, TieredPrice)]
    assert [kind.model for kind in models if f"`{kind.model}` ({kind.meaning})" not in sections["P227"]] == []
    assert f" {yaml_tree.MAX_LEVELS} levels" in sections["P114"]


def test_the_page_of_codes_is_up_to_date(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--rewrite-golden"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = tmp_path / "sheet.yaml"
    sheet.write_bytes(GOOD.read_bytes())

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    if sys.platform == "win32" or os.geteuid() == 0:
        # This user may read every file, so the refusal is simulated.
        monkeypatch.setattr(Path, "read_bytes", refuse)
    else:
        sheet.chmod(0)
    monkeypatch.chdir(tmp_path)
    code, out, _ = run_captured(["prices", "check", "sheet.yaml", "--select", "P9"], b"", monkeypatch)
    assert code == 3
    assert out.decode() == "sheet.yaml: error: it cannot be read: Permission denied [P002 unreadable-file]\n"


@pytest.mark.parametrize("name", [kind.former for kind in kinds.every_kind() if kind.former])
def test_a_former_name_selects_the_problem(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mistake = next(mistake for mistake in mistakes() if mistake.code == _code_of(name))
    command = command_of(mistake.path if mistake.path.is_dir() else GALLERY, mistake.path)
    if command[1] != "check":
        pytest.skip("cases have no --select")
    monkeypatch.chdir(mistake.path if mistake.path.is_dir() else GALLERY)
    _, out, err = run_captured([*command, "--select", name], b"", monkeypatch)
    assert (out + err).decode() == mistake.expected.read_text()
    _, out, _ = run_captured([*command, "--ignore", name], b"", monkeypatch)
    assert out == b""


def _code_of(former: str) -> str:
    return next(kind.code for kind in kinds.every_kind() if kind.former == former)


def test_every_mistake_of_the_gallery_at_once() -> None:
    """All sheets of the gallery are found and read together, and none stops the run."""
    sheets, problems = load_sheets([str(GALLERY / "*.yaml")])
    assert problems == ()
    assert len(sheets) == 1 + sum(not mistake.path.is_dir() for mistake in mistakes())
