"""What a new user meets first: the bare command, first files that bill at once, and the manual."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.cli.app import COMMANDS
from mps_bill.cli.command_help import EXAMPLES
from tests.conftest import ROOT

FIRST_FILES = ["account.yaml", "mps-bill.yaml", "usage.csv"]


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with the first files, in which commands run."""
    monkeypatch.chdir(tmp_path)
    assert run(["init", "studio", "--sheet"]) == 0
    assert "Written to studio:" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path / "studio")
    return tmp_path / "studio"


def test_the_bare_command_gives_three_next_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    out, err = capsys.readouterr()
    steps = re.findall(r"^  mps-bill (\w+)", out, re.MULTILINE)
    assert (steps, err) == (["init", "bill", "help"], "")
    assert set(steps) <= COMMANDS.keys()


def test_first_files_bill_and_settle_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == FIRST_FILES
    capsys.readouterr()
    assert run(["bill", "usage.csv"]) == 0
    billed = capsys.readouterr()
    # 10 minutes of HD, 5.21 of SD and of LD, 3.5 of audio: 0.953503; 48 minutes of review: 4.80.
    assert re.search(r"^Payable +5\.75$", billed.out, re.MULTILINE)
    assert run(["settle", "usage.csv"]) == 0
    settled = capsys.readouterr()
    assert re.search(r"^  Vouchers +1\.00$", settled.out, re.MULTILINE)
    assert billed.err == settled.err == ""


def test_the_first_price_sheet_is_clean_and_bills(studio: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sorted(path.name for path in studio.iterdir()) == sorted([*FIRST_FILES, "price-sheet.yaml"])
    assert run(["prices", "check", "price-sheet.yaml", "--strict"]) == 0
    assert run(["bill", "usage.csv"]) == 0
    # The hour with 10 x 0.055, 5.21 x 0.03, 5.21 x 0.02 and 3.5 x 0.005: 0.828; the review as in the shipped sheet.
    assert re.search(r"^Payable +5\.62$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("name", [*FIRST_FILES, "price-sheet.yaml"])
def test_no_file_is_written_over(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # A link that leads nowhere would be written through.
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    assert run(["init", "--sheet"]) == 2
    assert f"{name} exists already in this folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_folder_may_not_be_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "studio").write_text("mine")
    assert run(["init", str(tmp_path / "studio")]) == 2
    assert (tmp_path / "studio").read_text() == "mine"
    assert "studio is a file, not a folder" in capsys.readouterr().err


def test_the_samples_of_the_manual_can_be_had_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--samples"]) == 0
    samples = ROOT / "samples"
    for path in (path for path in samples.rglob("*") if path.is_file()):
        assert (tmp_path / "samples" / path.relative_to(samples)).read_bytes() == path.read_bytes()
    capsys.readouterr()
    assert run(["init", "--samples"]) == 2
    assert "samples exists already in this folder" in capsys.readouterr().err
    assert run(["init", "--samples", "--sheet", "elsewhere"]) == 2
    assert not (tmp_path / "elsewhere").exists()


#: Examples that need what a new user does not have: files of the provider, or the provider itself.
OF_THE_PROVIDER = ("fetch", "reconcile", "usage convert")
EXIT_CODES = {"prices diff": 1}


@pytest.mark.parametrize("words", [words for words in EXAMPLES if not words.startswith(OF_THE_PROVIDER)])
@pytest.mark.usefixtures("studio")
def test_the_example_of_a_command_works_on_the_first_files(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(shlex.split(EXAMPLES[words]))
    assert code == EXIT_CODES.get(words, 0), capsys.readouterr().err


def test_the_manual_lists_its_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help"]) == 0
    listed = re.findall(r"^  ([\w-]+) +(.+)$", capsys.readouterr().out, re.MULTILINE)
    pages = sorted((ROOT / "docs").glob("*.md"))
    assert [name for name, _ in listed] == ["overview", *(path.stem for path in pages)]
    assert ("reconcile", "Reconciling with the provider's bill") in listed


@pytest.mark.parametrize(("topic", "page"), [("overview", "README.md"), ("plans", "docs/plans.md")])
def test_a_page_of_the_manual(topic: str, page: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", topic]) == 0
    shown = capsys.readouterr().out
    written = (ROOT / page).read_text(encoding="utf-8")
    assert shown == "".join(line for line in written.splitlines(keepends=True) if not line.startswith("<!--"))
    assert written.startswith(shown[:100])


def test_a_page_is_laid_out_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(["help", "python"]) == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "From Python" in shown
    assert "# From Python" not in shown
    assert max(map(len, shown.splitlines())) <= 60


@pytest.mark.parametrize("words", ["settle", "prices show"])
def test_a_command_without_a_page_shows_its_help(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", *words.split()]) == 0
    shown = capsys.readouterr().out
    assert run([*words.split(), "--help"]) == 0
    assert shown == capsys.readouterr().out


@pytest.mark.parametrize(("topic", "near"), [("recncile", "reconcile"), ("setle", "settle"), ("xyzzy", None)])
def test_a_misspelt_topic_gets_the_nearest(topic: str, near: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", topic]) == 2
    hint = f'did you mean "{near}"?' if near else "mps-bill help lists the pages"
    assert f'"{topic}" is not a page of the manual or a command; {hint}' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "code", "near"),
    [
        ("bill usge.csv", 3, "usage.csv"),
        ("bill usage.cvs", 3, "usage.csv"),
        ("settle usage.csv --account acount.yaml", 3, "account.yaml"),
        ("bill usage.csv --prices price-shet.yaml", 3, "price-sheet.yaml"),
        ("bill usage.csv --prices mps-chna", 3, "mps-china"),
        ("reconcile usage.csv --bill usages.csv", 3, "usage.csv"),
        ("reconcile usage.csv --bill usage.csv --mapping mps-bil.yaml", 3, "mps-bill.yaml"),
        ("plans advise usage.csv --packs acount.yaml", 3, "account.yaml"),
        ("bill usage.csv --profile acount.yaml", 3, "account.yaml"),
        ("--config mps-bil.yaml bill usage.csv", 2, "mps-bill.yaml"),
        ("explain usage.csv --job jb-3", 1, "job-3"),
        ("bill usage.csv --by tag_projekt", 3, "tag_project"),
        ("bill usage.csv --by day,iten", 2, "item"),
        ("bill usage.csv --only regoin=cn-shanghai", 2, "region"),
        ("bill usage.csv --only tag_project=new", 2, "news"),
    ],
)
@pytest.mark.usefixtures("studio")
def test_a_misspelt_name_gets_the_nearest(line: str, code: int, near: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == code
    assert f'; did you mean "{near}"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "near"), [("bill usage.csv --fail-ovr 3", "--fail-over"), ("settel usage.csv", "'settle'")]
)
def test_a_misspelt_option_or_command_gets_the_nearest(
    line: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == 2
    assert near in capsys.readouterr().err
