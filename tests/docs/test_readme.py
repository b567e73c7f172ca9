"""README.md and the pages of docs/ show what the program prints."""

from __future__ import annotations

import difflib
import re
import shlex
from pathlib import Path

import pytest

from mps_bill.cli import run
from tests.docs.readme import PAGES, README, ROOT, block, commands, with_output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_the_program_prints(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    new = with_output(text)
    if new != text:
        difference = difflib.unified_diff(text.split("\n"), new.split("\n"), page.name, "now", lineterm="")
        pytest.fail("run `make golden`\n" + "\n".join(difference))


def test_the_readme_shows_the_main_commands() -> None:
    shown = {command.split()[1] for command in commands(README.read_text(encoding="utf-8"))}
    assert {"bill", "explain"} <= shown


def test_a_block_is_the_command_and_its_output() -> None:
    old = "before\n<!-- output: mps-bill --version -->\nold\n<!-- end -->\nafter\n"
    new = with_output(old)
    assert new.startswith("before\n<!-- output: mps-bill --version -->\n```console\n$ mps-bill --version\nmps-bill ")
    assert new.endswith("```\n<!-- end -->\nafter\n")
    assert with_output(new) == new


@pytest.mark.parametrize("command", ["rm -r samples", "mps-bill bill", "mps-bill no-such-command"])
def test_commands_that_are_wrong_are_not_shown(command: str) -> None:
    with pytest.raises(ValueError, match=r"another program|exit code 2"):
        block(command)


def test_the_command_that_writes_a_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (command,) = re.findall(r"^    mps-bill ((?:.*\\\n)*.*)", README.read_text(encoding="utf-8"), re.MULTILINE)
    *words, option, name = shlex.split(command.replace("\\\n", " "))
    assert (option, name) == ("--output", "month.html")
    monkeypatch.chdir(ROOT)
    assert run([*words, option, str(tmp_path / name)]) == 0
    assert "2,841.40" in (tmp_path / name).read_text(encoding="utf-8")
