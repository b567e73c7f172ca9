"""A copy of the package, to add something as ARCHITECTURE.md describes it, and to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def copy_package(folder: Path) -> Path:
    """The package in a copy of the program in `folder`."""
    return shutil.copytree(ROOT / "mps_bill", folder / "mps_bill", ignore=shutil.ignore_patterns("__pycache__"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def mps_bill(folder: Path, *words: str, code: int = 0) -> str:
    """What a command of the copy prints, on both streams."""
    script = "import sys; from mps_bill.cli import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "100"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if not code else done.stdout + done.stderr
