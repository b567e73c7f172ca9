"""The gallery of mistakes: their files and commands, and the page of the documentation that shows them."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mps_bill.core.diagnostics import Kind, printable
from mps_bill.price_sheet.sheet_problems import every_kind, is_file_problem, is_warning
from tests.conftest import ROOT
from tests.golden.cases import run_captured

GALLERY = Path(__file__).resolve().parent
GOOD = GALLERY / "good.yaml"
PAGE = ROOT / "docs" / "codes.md"
TODAY = "2026-11-23"
#: An unreadable file cannot be committed; `test_gallery` creates one.
NOT_IN_GALLERY = ("P002",)
_LONGEST_SNIPPET = 12


@dataclass(frozen=True, slots=True)
class Mistake:
    """An entry of the gallery: a sheet, or a folder of files."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(".yaml")

    @property
    def code(self) -> str:
        return self.name.partition("-")[0]

    @property
    def expected(self) -> Path:
        return self.path / "expected.txt" if self.path.is_dir() else self.path.with_suffix(".txt")

    @property
    def corrected(self) -> Path:
        """The folder of the corrected files. It is not in the other folder, which is checked with its subfolders."""
        return GALLERY / "good" / self.name

    @property
    def pairs(self) -> list[tuple[str, Path, Path]]:
        """Each wrong file, with its name for people and the corrected file."""
        if not self.path.is_dir():
            return [("", self.path, GOOD)]
        names = {path.name for folder in (self.path, self.corrected) for path in folder.glob("*.yaml")}
        return [(name, self.path / name, self.corrected / name) for name in sorted(names)]

    def report(self, monkeypatch: pytest.MonkeyPatch, place: Path | None = None) -> tuple[int, str]:
        """Return the exit code and the output; with `place`, for the files in that folder."""
        place = place or (self.path if self.path.is_dir() else GALLERY)
        monkeypatch.chdir(place)
        code, out, err = run_captured(command_of(place, self.path), b"", monkeypatch)
        return code, (out + err).decode()


def mistakes() -> list[Mistake]:
    return [Mistake(path) for path in sorted(GALLERY.glob("P*-*")) if path.suffix != ".txt"]


def command_of(place: Path, entry: Path) -> list[str]:
    if not entry.is_dir():
        return ["prices", "check", entry.name, "--today", TODAY, "--quiet"]
    if (place / "command").exists():
        return [*shlex.split((place / "command").read_text()), "--quiet"]
    if any(place.glob("*.cases.yaml")):
        return ["prices", "test", ".", "--quiet"]
    return ["prices", "check", ".", "--today", TODAY, "--quiet"]


def page() -> str:
    """Return the page of codes: the meaning of each code (kept from the page), the mistake, the report and the correction."""
    meanings = dict(re.findall(r"^## (\S+) .*\n\n\*\w+\.\* (.+)$", PAGE.read_text(), flags=re.M))
    by_code = {mistake.code: mistake for mistake in mistakes()}
    lines = [
        "# Codes of price sheets",
        "",
        "This page lists every problem that `mps-bill prices check` and `mps-bill prices test` report, each with a wrong example",
        "and its correction. A sheet with **errors** is refused when you bill with it. **Warnings** (P9xx) do not stop a bill.",
        "",
        "If the sheet is right, suppress the warning with a comment that gives the reason, on the same line or on a line",
        "of its own before it: `# mps-bill: ignore P901 (not on the price list)`.",
        "",
        "The examples come from the sheets in `tests/invalid`, which are tested. The codes of usage, accounts and other files",
        "are in [problems.md](problems.md).",
    ]
    for kind in every_kind():
        lines += ["", f"## {kind.code} {kind.slug}", "", f"*{_sort(kind)}.* {meanings.get(kind.code, 'TO BE WRITTEN')}"]
        lines += _UNREADABLE if kind.code in NOT_IN_GALLERY else _example(by_code[kind.code], kind)
    return "\n".join([*lines, ""])


def _sort(kind: Kind) -> str:
    return "Warning" if is_warning(kind) else "Error"


_UNREADABLE = (
    *("", "Wrong:", "", "```console", "$ chmod 000 studio.yaml", "$ mps-bill prices check studio.yaml", "```"),
    *("", "Reported:", "", "```text"),
    "studio.yaml: error: it cannot be read: Permission denied [P002 unreadable-file]",
    *("```", "", "Right:", "", "```console", "$ chmod 644 studio.yaml", "$ mps-bill prices check studio.yaml", "```"),
)


def _example(mistake: Mistake, kind: Kind) -> Iterator[str]:
    if is_file_problem(kind):
        good = mistake.corrected
        yield from ("", "Wrong:", "", "```console", *_session(mistake.path, mistake.path), "```")
        yield from ("", "Reported:", "", "```text", *mistake.expected.read_text().splitlines(), "```")
        yield from ("", "Right:", "", "```console", *_session(good, mistake.path), "```")
        return
    yield from _yaml_example(mistake)


def _session(place: Path, entry: Path) -> list[str]:
    """Return the files of a folder, and the command that is run there."""
    files = sorted(path.name for path in place.iterdir() if path.is_file() and path.suffix in (".yaml", ".txt"))
    words = [word for word in command_of(place, entry) if word not in ("--today", TODAY, "--quiet")]
    return ["$ ls", " ".join(name for name in files if name != "expected.txt"), f"$ mps-bill {' '.join(words)}"]


def _yaml_example(mistake: Mistake) -> Iterator[str]:
    bad, good = [], []
    for name, wrong, right in mistake.pairs:
        title = [f"# {name}"] if name else []
        one, other = _snippets(_lines(wrong), _lines(right))
        if one or other:
            bad += [*title, *one]
            good += [*title, *other]
    yield from ("", "Wrong:", "", "```yaml", *bad, "```")
    yield from ("", "Reported:", "", "```text", *mistake.expected.read_text().splitlines(), "```")
    yield from ("", "Right:", "", "```yaml", *good, "```")


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    text = path.read_bytes().decode("utf-8", "backslashreplace")
    return [printable(line) for line in text.split("\n")[: None if not text.endswith("\n") else -1]]


def _snippets(bad: list[str], good: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines that differ, each with the line before and after it."""
    keep_bad: set[int] = set()
    keep_good: set[int] = set()
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, bad, good, autojunk=False).get_opcodes():
        if tag != "equal":
            keep_bad |= set(range(max(0, i1 - 1), min(len(bad), i2 + 1)))
            keep_good |= set(range(max(0, j1 - 1), min(len(good), j2 + 1)))
    return _cut(bad, keep_bad), _cut(good, keep_good)


def _cut(lines: list[str], keep: set[int]) -> list[str]:
    shown: list[str] = []
    last = -1
    for index in sorted(keep):
        if len(shown) >= _LONGEST_SNIPPET:
            return [*shown, "# ..."]
        if last >= 0 and index > last + 1:
            shown.append("# ...")
        shown.append(lines[index])
        last = index
    return shown
