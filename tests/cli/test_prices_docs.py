"""What the page about price sheets shows, works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from mps_bill.ask.price_cases.case_definition import DOCUMENT
from mps_bill.ask.price_cases.read_cases import read_cases
from mps_bill.documents.read_document import read_text
from tests.conftest import ROOT
from tests.golden.cases import run_captured
from tests.invalid.gallery import GOOD

PAGE = (ROOT / "docs" / "prices.md").read_text(encoding="utf-8")
CASES = """\
format: mps-bill/price-cases/1
cases:
  - name: ten minutes of HD
    usage: [{item: transcoding, region: cn-shanghai, spec: H264.HD, quantity: 10, unit: minute}]
    expect: {payable: 0.09}
"""


def blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def block(key: str) -> Any:
    """The one example with this key at its top."""
    (found,) = [document for text in blocks() if isinstance(document := yaml.safe_load(text), dict) and key in document]
    return found


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository as the examples assume it: a folder `prices` with a sheet and its cases."""
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "studio.yaml").write_bytes(GOOD.read_bytes())
    (tmp_path / "prices" / "studio.cases.yaml").write_text(CASES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_all(commands: list[str], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    words = [shlex.split(command) for command in commands]
    assert words
    assert {command[0] for command in words} == {"mps-bill"}
    return [run_captured([*command[1:]], b"", monkeypatch)[0] for command in words]


@pytest.mark.usefixtures("repository")
def test_the_workflow_runs_every_command_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    # YAML 1.1 reads the key `on` as true.
    steps = block("jobs")["jobs"]["prices"]["steps"]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("mps-bill")]
    assert len(commands) == 2
    assert run_all([f"{commands[0]} --today 2026-11-23", commands[1]], monkeypatch) == [0, 0]


def test_the_workflow_fails_on_a_mistake(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = block("jobs")["jobs"]["prices"]["steps"]
    sheet = repository / "prices" / "studio.yaml"
    sheet.write_text(sheet.read_text().replace("H264.HD: {mainland: 0.0099", "H264.HD: {mainland: 0.0049"))
    commands = [step["run"] for step in steps if step.get("run", "").startswith("mps-bill")]
    assert run_all(commands, monkeypatch) == [1, 1]


def test_hooks_take_the_files_that_they_are_for(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    local = block("repos")["repos"][0]["hooks"]
    for hook in [*shipped, *local]:
        names = [str(path.relative_to(repository)) for path in sorted(repository.rglob("*.yaml"))]
        passed = [
            name for name in names if re.search(hook["files"], name) and not re.search(hook.get("exclude", "^$"), name)
        ]
        assert passed
        arguments = hook.get("args", []) if hook.get("pass_filenames") is False else passed
        assert run_all([" ".join([hook["entry"], *arguments])], monkeypatch) == [0]


def test_the_example_of_cases_is_read() -> None:
    (text,) = [text for text in blocks() if "price-cases/1" in text]
    cases, problems = read_cases(read_text(DOCUMENT, text, "docs"))
    assert problems == ()
    assert len(cases) == 2


def test_commands_of_the_page_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    named = set(re.findall(r"`prices ([a-z]+)", PAGE))
    assert named == {"check", "test", "diff", "show", "list", "schema"}
    for command in named:
        code, out, _ = run_captured(["prices", command, "--help"], b"", monkeypatch)
        assert code == 0
        options = set(re.findall(r"--[a-z][a-z-]+", out.decode()))
        section = PAGE.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
        assert set(re.findall(r"--[a-z][a-z-]+", section)) <= options, command
