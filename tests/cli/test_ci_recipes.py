"""The files of docs/ci.md work: the shell of each on a small repository, with a base and a change."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from mps_bill.cli import run
from mps_bill.core.diagnostics import Place, Problem
from mps_bill.price_sheet.sheet_problems import every_kind
from mps_bill.render.sarif import sarif
from mps_bill.view.findings_view import FindingsView
from tests.conftest import ROOT
from tests.invalid.gallery import GOOD, PAGE

CASES = """\
format: mps-bill/price-cases/1
cases:
  - name: ten minutes of HD
    usage: [{item: transcoding, region: cn-shanghai, spec: H264.HD, quantity: 10, unit: minute}]
    expect: {payable: 0.09}
"""
CI = ROOT / "docs" / "ci"
SHEET = GOOD.read_text()
DEARER = SHEET.replace("asia: 0.1250", "asia: 0.1300")
MARK = "<!-- mps-bill/prices-diff/1 -->"
#: A stand-in for GitHub's client: keeps one comment in a file, and a line for each call.
GH = """\
#!/usr/bin/env bash
echo "$*" >> "$CALLS"
for word in "$@"; do case $word in body=@*) cp "${word#body=@}" "$COMMENT";; esac; done
case "$*" in *--jq*) if [ -f "$COMMENT" ] && grep -q "mps-bill/prices-diff/1" "$COMMENT"; then echo 17; fi;; esac
"""


class Repository:
    """A clone with a base commit, and what the steps of a recipe do in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        tools = folder / "tools"
        (self.folder / "prices").mkdir(parents=True)
        tools.mkdir()
        (tools / "gh").write_text(GH)
        (tools / "pip").write_text("#!/bin/sh\n")
        (tools / "mps-bill").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mps_bill "$@"\n')
        for tool in tools.iterdir():
            tool.chmod(0o755)
        self.calls, self.comment = folder / "calls", folder / "comment"
        self.environment = {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "CALLS": str(self.calls),
            "COMMENT": str(self.comment),
            "REPOSITORY": "studio/prices",
            "NUMBER": "5",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        self.run("git init -q -b main . && git config user.email a@example.com && git config user.name a")
        self.write(SHEET)
        (self.folder / "prices" / "studio.cases.yaml").write_text(CASES)
        self.commit()
        self.base = self.run("git rev-parse HEAD")[1].strip()
        # The server that a runner fetches from.
        self.run("git remote add origin . && git fetch -q origin")

    def write(self, text: str) -> None:
        (self.folder / "prices" / "studio.yaml").write_text(text)

    def commit(self) -> None:
        self.run("git add -A && git commit -q -m change")

    def run(self, script: str, **variables: str) -> tuple[int, str]:
        """The exit code and the output of a step, run as GitHub runs one."""
        shell = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
        environment = {**self.environment, **variables}
        done = subprocess.run(shell, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def workflow(self, name: str) -> dict[str, tuple[int, str]]:
        """Every step of a workflow that is shell, though one before it failed."""
        recipe = yaml.safe_load((CI / name).read_text())
        steps = recipe["jobs"]["prices"]["steps"]
        variables = {**recipe.get("env", {}), "BASE": self.base}
        return {step["name"]: self.run(step["run"], **variables) for step in steps if "run" in step}

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def gitlab(self) -> tuple[int, str, dict[str, Any]]:
        """The exit code and output of the job of a merge request, and the job."""
        job: dict[str, Any] = yaml.safe_load((CI / "gitlab-prices.yml").read_text())["prices"]
        variables = {**job["variables"], "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.base}
        return *self.run("\n".join([*job["before_script"], *job["script"]]), **variables), job


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def codes(steps: dict[str, tuple[int, str]]) -> dict[str, int]:
    return {name: code for name, (code, _) in steps.items()}


def test_a_change_of_prices_on_github(repository: Repository) -> None:
    repository.write(DEARER)
    repository.commit()
    steps = repository.workflow("github-prices.yml")
    assert codes(steps) == {"install": 0, "check": 0, "test": 0, "diff": 0, "comment": 0}
    assert json.loads(repository.read("prices.sarif"))["runs"][0]["results"] == []
    assert ElementTree.fromstring(repository.read("prices-tests.xml")).attrib["failures"] == "0"
    comment = repository.comment.read_text()
    assert comment.startswith(f"{MARK}\n\nPrice sheets: ") or comment.startswith(f"{MARK}\n\nFrom studio@")
    assert "1 price up, 1 that follows another item; most: H265.HD of transcoding in asia +4 %" in comment
    assert "--method POST repos/studio/prices/issues/5/comments" in repository.calls.read_text()


def test_the_comment_is_updated(repository: Repository) -> None:
    repository.write(DEARER)
    repository.commit()
    repository.workflow("github-prices.yml")
    repository.run("git worktree remove --force base")
    repository.write(DEARER.replace("0.1300", "0.1275"))
    repository.commit()
    repository.workflow("github-prices.yml")
    assert "asia +2 %" in repository.comment.read_text()
    calls = repository.calls.read_text()
    assert calls.count("--method POST") == 1
    assert calls.count("--method PATCH repos/studio/prices/issues/comments/17") == 1


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # A price above the limit; one that is ten times off; a deleted price that a case needs; a file that is not YAML.
        ("asia: 0.1250", "asia: 0.1500", {"check": 0, "test": 0, "diff": 4, "comment": 0}),
        ("mainland: 0.0099", "mainland: 0.099", {"check": 1, "test": 1, "diff": 4, "comment": 0}),
        ("      H264.HD: {mainland: 0.0099, asia: 0.0250}\n", "", {"check": 0, "test": 1, "diff": 4, "comment": 0}),
        ("currency: USD", "currency: USD: x", {"check": 1, "test": 3, "diff": 3, "comment": 0}),
    ],
)
def test_what_fails_on_github(repository: Repository, old: str, new: str, expected: dict[str, int]) -> None:
    assert old in SHEET
    repository.write(SHEET.replace(old, new))
    repository.commit()
    steps = repository.workflow("github-prices.yml")
    assert codes(steps) == {"install": 0, **expected}, steps


def test_one_mistake_is_one_annotation(repository: Repository) -> None:
    repository.write(SHEET.replace("  mainland: [", "  mainlnad: ["))
    repository.commit()
    _, output = repository.workflow("github-prices.yml")["check"]
    (annotation,) = [line for line in output.splitlines() if line.startswith("::")]
    assert annotation.startswith(
        "::error file=prices/studio.yaml,line=16,col=3,title=P309 unknown-region::the group is"
    )
    assert annotation.endswith('"mainlnad" here, but 5 prices name "mainland"; spell both the same way')


def test_a_sheet_that_is_deleted(repository: Repository) -> None:
    later = SHEET.replace("2024-04-01T", "2025-04-01T")
    (repository.folder / "prices" / "studio-2025.yaml").write_text(later)
    repository.commit()
    repository.base = repository.run("git rev-parse HEAD")[1].strip()
    repository.run("git rm -q prices/studio.yaml")
    repository.commit()
    steps = repository.workflow("github-prices.yml")
    assert codes(steps) == {"install": 0, "check": 3, "test": 3, "diff": 0, "comment": 0}
    assert "P005" in steps["check"][1]
    assert "1 sheet deleted" in repository.comment.read_text()


def test_a_repository_without_cases_is_not_red_for_that(repository: Repository) -> None:
    repository.run("git rm -q prices/studio.cases.yaml")
    repository.write(DEARER)
    repository.commit()
    steps = repository.workflow("github-prices.yml")
    assert codes(steps) == {"install": 0, "check": 0, "test": 0, "diff": 0, "comment": 0}
    assert "There are no usage cases." in steps["test"][1]
    repository.run("git worktree remove --force base")
    assert repository.gitlab()[0] == 0


def test_old_sources_are_red_at_night_only(repository: Repository) -> None:
    repository.write(SHEET.replace("read_on: 2026-11-23", "read_on: 2016-11-23"))
    repository.commit()
    assert repository.workflow("github-prices.yml")["check"][0] == 0
    assert repository.workflow("github-prices-nightly.yml")["check by the calendar"][0] == 1


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("asia: 0.1250", "asia: 0.1300", 0),
        ("asia: 0.1250", "asia: 0.1500", 4),
        ("mainland: 0.0099", "mainland: 0.099", 4),
    ],
)
def test_the_pipeline_of_gitlab(repository: Repository, old: str, new: str, expected: int) -> None:
    repository.write(SHEET.replace(old, new))
    repository.commit()
    code, output, job = repository.gitlab()
    assert code == expected, output
    report = json.loads(repository.read("prices-quality.json"))
    assert [entry["location"]["path"] for entry in report] == ["prices/studio.yaml"] * len(report)
    assert bool(report) == ("0.099" in new)
    assert ElementTree.fromstring(repository.read("prices-tests.xml")).tag == "testsuites"
    assert repository.read("prices-diff.md").startswith(MARK)
    for path in (*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()):
        assert (repository.folder / path).exists()


def hooks() -> list[dict[str, Any]]:
    """The hooks that the program offers, and those of the file to copy."""
    offered: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return offered + yaml.safe_load((CI / "pre-commit-config.yaml").read_text())["repos"][0]["hooks"]


def test_hooks_are_for_sheets_and_cases_and_pass_on_good_ones(repository: Repository) -> None:
    names = [str(path.relative_to(repository.folder)) for path in repository.folder.rglob("prices/*.yaml")]
    assert len(names) == 2
    for hook in hooks():
        assert [name for name in names if re.search(hook["files"], name)] == names
        code, output = repository.run(" ".join([hook["entry"], *hook["args"]]))
        assert code == 0, output


def test_hooks_take_the_whole_folder_also_when_a_sheet_goes(repository: Repository) -> None:
    later = SHEET.replace("2024-04-01T", "2025-04-01T").replace(
        "effective_from: 2025-04-01T00:00:00+08:00", "effective_from: 2024-06-01T00:00:00+08:00"
    )
    (repository.folder / "prices" / "studio.yaml").write_text(
        SHEET.replace("T00:00:00+08:00\n", "T00:00:00+08:00\neffective_to: 2024-07-01T00:00:00+08:00\n", 1)
    )
    (repository.folder / "prices" / "studio-2024-06.yaml").write_text(later)
    for hook in hooks():
        assert (hook["pass_filenames"], hook["always_run"]) == (False, True)
        if hook["id"] == "mps-bill-prices-check":
            code, output = repository.run(" ".join([hook["entry"], *hook["args"]]))
            assert (code, "P404" in output) == (1, True), output


def test_every_code_leads_to_its_section(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SARIF has the section of a code in its rule, and its address where the user says where the page is."""
    kinds = list(every_kind())
    found = tuple(Problem(Place("f", 1, 1), kind, "m") for kind in kinds)
    _, *sections = re.split(r"^## ", PAGE.read_text(), flags=re.M)
    texts = {title: text.strip() for title, _, text in (section.partition("\n") for section in sections)}
    page = "https://example.com/codes.md"
    rules = sarif(FindingsView(found, {}, "2026-11-23", strict=True, codes_page=page))["runs"][0]["tool"]["driver"][
        "rules"
    ]
    assert [rule["id"] for rule in rules] == sorted(kind.code for kind in kinds)
    anchors = {re.sub(r"[^a-z0-9]+", "-", title.lower()) for title in texts}
    for kind, rule in zip(sorted(kinds), rules, strict=True):
        address, _, anchor = rule["helpUri"].partition("#")
        assert (address, anchor in anchors) == (page, True)
        meaning = texts[str(kind)].splitlines()[0].removeprefix("*Error.* ").removeprefix("*Warning.* ")
        assert rule["help"] == {"text": meaning, "markdown": texts[str(kind)]}
        assert rule["fullDescription"] == {"text": meaning}
        assert "Right:" in rule["help"]["markdown"] or "Reported:" in rule["help"]["markdown"], kind
    # An address that nobody gave is none.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(SHEET.replace("currency: USD", "currency: USC"))
    command = ["prices", "check", "a.yaml", "--format", "sarif", "--output", "a.sarif"]
    assert run(command) == 0
    assert "helpUri" not in (tmp_path / "a.sarif").read_text()
    assert run([*command, "--codes-page", page]) == 0
    assert f'"helpUri": "{page}#p921-unknown-currency"' in (tmp_path / "a.sarif").read_text()
    assert run([*command, "--codes-page", "docs/codes.md"]) == 2


def test_no_address_is_made_up() -> None:
    """All addresses in the project's metadata are the provider's; it has none of its own."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    assert all(re.match(r"https://([a-z]+\.)*(aliyun|alibabacloud)\.com/", url) for url in urls.values())
    sources = [*(ROOT / "mps_bill").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), *CI.iterdir(), ROOT / "README.md"]
    assert [str(path) for path in sources if "github.com/mps-bill" in path.read_text(encoding="utf-8")] == []


def test_the_page_names_every_file_to_copy() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    assert set(re.findall(r"\(ci/([^)]+)\)", page)) == {path.name for path in CI.iterdir()}
