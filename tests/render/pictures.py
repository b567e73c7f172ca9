"""Makes the pictures of docs/reports.md: `python -m tests.render.pictures`. Needs the browser of `browser.py`."""

from __future__ import annotations

import base64
import os
import tempfile
from html import escape
from pathlib import Path

from mps_bill.cli import run
from tests.conftest import ROOT
from tests.render.browser import browser

_IMAGES = ROOT / "docs" / "images"
_SETTLE = [
    *("settle", "samples/studio-2023-11-10.csv", "--prices", "mps-china", "--account", "samples/account-studio-a.yaml"),
    "--quiet",
]
_TERMINAL = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; width: max-content; background: #14181f; }}
pre {{ margin: 0; padding: 18px 22px; color: #e6e9ef; font: 14px/1.25 "DejaVu Sans Mono", monospace; }}
b {{ color: #5fc9d8; font-weight: 400; }}
</style><pre>$ mps-bill bill samples/studio-2023-11-10.csv --prices mps-china --format chart

{}</pre>"""


def main() -> None:
    os.chdir(ROOT)
    os.environ["COLUMNS"] = "80"
    _IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page, chart, terminal = folder / "bill.html", folder / "chart.txt", folder / "terminal.html"
        assert run([*_SETTLE, "-o", str(page)]) == 0
        bill = ["bill", "samples/studio-2023-11-10.csv", "--prices", "mps-china", "--format", "chart", "-o", str(chart)]
        assert run(bill) == 0
        terminal.write_text(_TERMINAL.format(_coloured(chart.read_text("utf-8"))), encoding="utf-8")
        picture(page, "report-light.png", width=1280, height=1130)
        picture(page, "report-dark-phone.png", width=400, height=1130, dark=True)
        picture(terminal, "chart.png", width=760, height=None)


def picture(page: Path, name: str, *, width: int, height: int | None, dark: bool = False) -> None:
    """Takes the upper left of a page; without a height, as much as the first element takes."""
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder), width=width, dark=dark) as driver:
        driver.get(page.as_uri())
        box = driver.execute_script("const box = document.body.getBoundingClientRect(); return [box.width, box.height]")
        clip = {"x": 0, "y": 0, "scale": 1, "width": width if height else box[0], "height": height or box[1]}
        shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    (_IMAGES / name).write_bytes(base64.b64decode(shot["data"]))


def _coloured(text: str) -> str:
    """Bars in the colour that they have on a terminal."""
    blocks = "▏▎▍▌▋▊▉█"
    return "".join(f"<b>{char}</b>" if char in blocks else escape(char) for char in text).replace("</b><b>", "")


if __name__ == "__main__":
    main()
