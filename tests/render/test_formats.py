"""The list of formats decides what a command offers, and a new format needs only a module and a line."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from mps_bill.cli import run
from mps_bill.render.formats import FORMATS, Part, formats_of
from tests.conftest import ROOT

USAGE = "samples/studio-2023-11-10.csv"
GOLDEN = ROOT / "tests" / "golden"

#: A format that prints every cell of a printed part on a line of its own.
DASHES = """
from mps_bill.render.cells import as_text
from mps_bill.view.tables import Heading, Table


def write(blocks, stream):
    for block in blocks:
        if not isinstance(block, Table):
            stream.write("-- " + block.text.replace("\\n", " ") + "\\n")
            continue
        for row in block.rows:
            cells = [row.text] if isinstance(row, Heading) else map(as_text, row, (one.kind for one in block.columns))
            stream.write(f"-- {' -- '.join(cells)}\\n")
"""
TABS = """
from mps_bill.render.cells import as_data


def write(records, stream, *, header=True):
    if header:
        stream.write("\\t".join(column.key for column in records.columns) + "\\n")
    for row in records.rows:
        cells = (as_data(row.get(column.key), column.kind) for column in records.columns)
        stream.write("\\t".join(cells) + "\\n")
"""


@pytest.fixture(scope="module")
def with_formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program with two more formats, each added by a module and a line."""
    root = tmp_path_factory.mktemp("program")
    for name in ("mps_bill", "pricing", "samples"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    room = root / "mps_bill" / "render"
    (room / "dashes.py").write_text(DASHES)
    (room / "tabs.py").write_text(TABS)
    formats = room / "formats.py"
    lines = '    Format("dashes", "printed", (".dash",)),\n    Format("tabs", "records", (".tsv",)),\n'
    text, count = re.subn(r"(?m)^FORMATS = \(\n", lambda found: found[0] + lines, formats.read_text())
    assert count == 1
    formats.write_text(text)
    shutil.copytree(GOLDEN / "settle" / "accounts", root / "many")
    shutil.copytree(GOLDEN / "reconcile" / "every-class", root / "bills")
    return root


def ran(root: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = f"from mps_bill.cli import run\nraise SystemExit(run({list(words)!r}))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


#: The commands with a printed part; the first ones also have records.
WITH_RECORDS = {
    "bill": ["bill", USAGE, "-p", "mps-china"],
    "settle": ["settle", USAGE, "-p", "mps-china", "-a", "samples/account-studio-a.yaml"],
    "many accounts": ["bill", "many/usage.csv", "-p", "many/studio.yaml"],
    "many accounts settled": ["settle", "many/usage.csv", "-p", "many/studio.yaml", "-a", "many/accounts"],
    "reconcile": ["reconcile", "bills/usage.csv", "-p", "mps-china", "--bill", "bills/export.csv"],
    "compare": ["compare", USAGE, "-p", "mps-china", "--region", "cn-shanghai=cn-beijing"],
    "plans advise": ["plans", "advise", USAGE, "-p", "mps-china", "--packs", "mps-china-packs"],
    "prices show": ["prices", "show", "mps-china"],
    "prices list": ["prices", "list"],
    "usage check": ["usage", "check", USAGE, "-p", "mps-china"],
    "config show": ["config", "show"],
}
EVERY = {
    **WITH_RECORDS,
    "explain": ["explain", USAGE, "-p", "mps-china", "--job", "j-1001"],
    "estimate": ["estimate", "transcoding", "H264.HD", "10", "minute", "-p", "mps-china", "-r", "cn-shanghai"],
    "prices diff": ["prices", "diff", "mps-china", "mps-china"],
}


@pytest.mark.parametrize("command", EVERY)
def test_a_new_printed_format_serves_every_command(with_formats: Path, command: str) -> None:
    done = ran(with_formats, *EVERY[command], "--format", "dashes")
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    assert lines
    assert all(line.startswith("-- ") or not line for line in lines)


@pytest.mark.parametrize("command", WITH_RECORDS)
def test_a_new_format_of_records_has_the_values_of_the_csv(with_formats: Path, command: str) -> None:
    tabs, known = (ran(with_formats, *EVERY[command], "--format", name).stdout for name in ("tabs", "csv"))
    assert [line.split("\t") for line in tabs.splitlines()] == list(csv.reader(io.StringIO(known)))
    assert len(tabs.splitlines()) > 1 or command == "usage check"


def test_a_new_format_is_offered_and_taken_from_the_suffix(with_formats: Path) -> None:
    parts: dict[str, tuple[Part, ...]] = {
        "bill": ("printed", "document", "records", "page", "tables", "charts", "focus"),
        "explain": ("printed", "document"),
    }
    for command, own in parts.items():
        known = "|".join(one.name for one in formats_of(own))
        new = "dashes|tabs" if "records" in own else "dashes"
        assert f"<{new}|{known}>" in _help(with_formats, command)
    assert ran(with_formats, *EVERY["bill"], "-o", "bill.dash", "--quiet").returncode == 0
    assert (with_formats / "bill.dash").read_text().startswith("-- ")
    asked = {"_MPS_BILL_COMPLETE": "complete_bash", "COMP_WORDS": "mps-bill bill --format ", "COMP_CWORD": "3"}
    assert "dashes" in ran(with_formats, **asked).stdout.split()


def _help(root: Path, command: str) -> str:
    return re.sub(r"\s+", "", ran(root, command, "--help").stdout)


def test_every_format_has_its_module_and_every_name_is_one() -> None:
    names = [format_.name for format_ in FORMATS]
    assert len(names) == len(set(names))
    assert all(callable(format_.writer.write) for format_ in FORMATS if format_.can_write)


def test_a_command_says_the_parts_that_its_view_has() -> None:
    """Compare the parts of `@shows` on a command with the methods of its view."""
    shown = {
        "bill": ("bill_view", "BillView"),
        "settle": ("settle_view", "SettleView"),
        "reconcile": ("reconcile_view", "ReconcileView"),
        "compare": ("comparison_view", "ComparisonView"),
        "plans": ("advice_view", "AdviceView"),
        "explain": ("explanation_view", "ExplanationView"),
        "estimate": ("estimate_view", "EstimateView"),
        "usage": ("usage_check_view", "UsageCheckView"),
        "config": ("config_view", "ConfigView"),
        "prices.diff": ("price_diff_view", "PriceDiffView"),
        "prices.show": ("price_view", "PriceView", "PriceHistoryView", "SheetListView"),
        "prices.check": ("findings_view", "FindingsView"),
        "prices.cases": ("case_view", "CaseView"),
    }
    every = {format_.part for format_ in FORMATS}
    for command, (module, *names) in shown.items():
        source = (ROOT / "mps_bill" / "cli" / f"{command.replace('.', '/')}.py").read_text()
        for said, name in zip(re.findall(r"@shows\(([^)]*)\)", source), names, strict=True):
            view = getattr(import_module(f"mps_bill.view.{module}"), name)
            assert set(re.findall(r'"(\w+)"', said)) == {part for part in every if hasattr(view, part)}, name


@pytest.mark.parametrize(
    ("command", "format_"),
    [("explain", "csv"), ("estimate", "csv"), ("prices diff", "csv"), ("compare", "focus"), ("bill", "sarif")],
)
def test_a_format_that_a_command_does_not_have_is_not_offered(
    command: str, format_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*EVERY[command], "--format", format_]) == 2
    assert f"'{format_}' is not one of 'table', 'json'" in capsys.readouterr().err
