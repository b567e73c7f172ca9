"""The output shown in README.md and the pages of docs/: made by running the commands, and held to what they print.

A block stands between two comments and is written by this module:

    <!-- output: mps-bill bill samples/month-turn.csv --prices mps-china -->
    <!-- end -->

`python tests/docs/readme.py --rewrite` writes the blocks anew; without the option it says which of them are out of date.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
#: The pages that show output, README.md as the first.
PAGES = (README, *(page for page in sorted((ROOT / "docs").glob("*.md")) if "<!-- output:" in page.read_text("utf-8")))
_BLOCK = re.compile(r"<!-- output: (?P<command>.+?) -->\n(?P<shown>.*?)<!-- end -->", re.DOTALL)
_RUN = "import sys; from mps_bill.cli import main; main()"
#: Wrong command lines and bugs are never worth showing.
_NEVER_SHOWN = (2, 70)


def with_output(text: str) -> str:
    """The page with every block as its command prints it now."""
    return _BLOCK.sub(lambda match: f"<!-- output: {match['command']} -->\n{block(match['command'])}<!-- end -->", text)


def commands(text: str) -> list[str]:
    return [match["command"] for match in _BLOCK.finditer(text)]


def block(command: str) -> str:
    """A fenced block with a command and what it prints in the folder of the repository, 80 columns wide.

    Raises:
        ValueError: it is no command of this program, a wrong one, or it writes a file.
    """
    program, *words = shlex.split(command)
    if program != "mps-bill":
        raise ValueError(f"a page shows a command of another program: {command}")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "MPS_BILL_DEBUG")
    }
    environment |= {"COLUMNS": "80", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *words],
        cwd=ROOT,
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
    out_of_date = 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        new = with_output(text)
        if new == text:
            continue
        if "--rewrite" in sys.argv[1:]:
            page.write_text(new, encoding="utf-8")
            continue
        print(f"{page.relative_to(ROOT)} shows output that is out of date; run this with --rewrite", file=sys.stderr)
        out_of_date = 1
    return out_of_date


if __name__ == "__main__":
    sys.exit(main())
