"""What is published: a wheel that has all that its commands need, and a demo that needs no development set."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import mps_bill
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def made(target: str, folder: Path) -> str:
    """The commands that make would run for a target where nothing is there yet."""
    words = ["make", "--dry-run", "--no-print-directory", target, f"VENV={folder / 'venv'}"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_demo_installs_the_program_alone(tmp_path: Path) -> None:
    demo = made("demo", tmp_path)
    assert re.findall(r"--editable (\S+)", demo) == ["."]
    assert "mps-bill bill samples/" in demo
    assert re.findall(r"--editable (\S+)", made("check", tmp_path)) == ['".[dev]"']


def test_what_the_project_says_of_itself() -> None:
    project = PROJECT["project"]
    versions = {
        word.rpartition(" ")[2] for word in project["classifiers"] if word.startswith("Programming Language ::")
    }
    checked = re.search(r"^for version in (.+); do$", (ROOT / ".ci" / "dist").read_text(), re.MULTILINE)
    assert checked
    assert set(checked[1].split()) == {version for version in versions if version.startswith("3.")}
    assert project["requires-python"] == f">={min(checked[1].split())}"
    assert all(url.startswith("https://") for url in project["urls"].values())
    assert mps_bill.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_wheel_has_the_folders_next_to_the_package() -> None:
    """Every folder that the program looks for next to the package (`shipped_folder`) is in the wheel, and so in the sdist."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    sdist = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "mps_bill").rglob("*.py")]
    wanted = {name for text in sources for name in re.findall(r"shipped_folder\(\"(\w+)\"\)", text)} | {"samples"}
    assert wanted == {"pricing", "docs", "samples"}
    for name in wanted:
        assert wheel[name] == f"mps_bill/{name}"
        assert f"/{name}" in sdist
    assert wheel["README.md"] == "mps_bill/README.md"
