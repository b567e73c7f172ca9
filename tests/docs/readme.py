"""The output shown in README.md, README.zh-CN.md and the pages of docs/: written by running the commands, and compared with
what they print.

A block is between two comments and is written by this module:

    <!-- output: mps-bill bill samples/month-turn.csv --prices mps-china -->
    <!-- end -->

`python tests/docs/readme.py --rewrite` rewrites the blocks; without the option it lists those that are out of date. With
`--installed PROGRAM` it runs an installed program in the working folder.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
#: The pages that show output, README.md first.
PAGES = (
    README,
    ROOT / "README.zh-CN.md",
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if "<!-- output:" in page.read_text("utf-8")),
)
_BLOCK = re.compile(r"<!-- output: (?P<command>.+?) -->\n(?P<shown>.*?)<!-- end -->", re.DOTALL)
_RUN = "import sys; from mps_bill.cli import main; main()"
#: Wrong command lines and bugs are never worth showing.
_NEVER_SHOWN = (2, 70)


def with_output(text: str, installed: str | None = None) -> str:
    """Return the page with the current output in every block."""

    def now(match: re.Match[str]) -> str:
        return f"<!-- output: {match['command']} -->\n{block(match['command'], installed)}<!-- end -->"

    return _BLOCK.sub(now, text)


def commands(text: str) -> list[str]:
    return [match["command"] for match in _BLOCK.finditer(text)]


def block(command: str, installed: str | None = None) -> str:
    """Return a fenced block with a command and its output, 80 columns wide, run in the folder of the repository or, with an
    installed program, in the working folder.

    Raises:
        ValueError: it is not a command of this program, is wrong, or writes a file.
    """
    program, *words = shlex.split(command)
    if program != "mps-bill":
        raise ValueError(f"a page shows a command of another program: {command}")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "MPS_BILL_DEBUG")
    }
    environment |= {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    if not installed:
        environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [installed, *words] if installed else [sys.executable, "-c", _RUN, *words],
        cwd=None if installed else ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    printed = done.stdout.decode()
    if done.returncode in _NEVER_SHOWN:
        raise ValueError(f"{command} ends with exit code {done.returncode}:\n{printed}")
    return f"```console\n$ {command}\n{printed}```\n"


def main() -> int:
    arguments = argparse.ArgumentParser(description="Shows which pages are out of date.")
    arguments.add_argument("--rewrite", action="store_true")
    arguments.add_argument("--installed", metavar="PROGRAM")
    given = arguments.parse_args()
    out_of_date = 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        new = with_output(text, given.installed)
        if new == text:
            continue
        if given.rewrite:
            page.write_text(new, encoding="utf-8")
            continue
        print(f"{page.relative_to(ROOT)} shows output that is out of date; run this with --rewrite", file=sys.stderr)
        out_of_date = 1
    return out_of_date


if __name__ == "__main__":
    sys.exit(main())
