"""Makes the pictures of README.md and docs/: `python -m tests.render.pictures`.

Needs the browser of `browser.py`, LibreOffice, which opens the workbook, and the fonts Noto Sans Mono CJK and DejaVu Sans Mono.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
import time
from html import escape
from pathlib import Path
from typing import Any

from mps_bill.cli import run
from tests.conftest import ROOT
from tests.render.browser import browser

_IMAGES = ROOT / "docs" / "images"
_SETTLE = [
    *("settle", "samples/studio-2023-11-10.csv", "--prices", "mps-china", "--account", "samples/account-studio-a.yaml"),
    "--quiet",
]
_MONTH = ["samples/studio-2023-12.csv.gz", "--prices", "mps-china"]
_SETTLE_MONTH = ["settle", *_MONTH, "--account", "samples/account-studio-b.yaml", "--quiet"]
_CHART = ["bill", "samples/studio-2023-11-10.csv", "--prices", "mps-china", "--format", "chart"]
_CHINESE = ["settle", *_MONTH, "--account", "samples/account-studio-b.yaml", "--by", "item", "--lang", "zh"]
_TERMINAL = """<!DOCTYPE html><meta charset="utf-8"><style>
@font-face {{ font-family: rules; src: local("DejaVu Sans Mono"); unicode-range: U+2500-257F; size-adjust: 83.06%; }}
body {{ margin: 0; width: max-content; background: #14181f; }}
pre {{ margin: 0; padding: 18px 22px; color: #e6e9ef; font: 14px/1.25 {font}, monospace; }}
b {{ color: #5fc9d8; font-weight: 400; }}
</style><pre>$ mps-bill {command}

{printed}</pre>"""


def main() -> None:
    os.chdir(ROOT)
    os.environ["COLUMNS"] = "80"
    _IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page, month, workbook = folder / "bill.html", folder / "month.html", folder / "workbook.xlsx"
        assert run([*_SETTLE, "-o", str(page)]) == 0
        picture(page, "report-light.png", width=1280, height=1130)
        picture(page, "report-dark-phone.png", width=400, height=1130, dark=True)
        for pages in (month, workbook):
            assert run([*_SETTLE_MONTH, "--summary", "--by", "tag_project", "-o", str(pages)]) == 0
        picture(month, "month-page.png", width=1280, height=1020)
        picture_of_paper(paper(workbook), "month-workbook.png")
        picture(terminal(folder, _CHART, "'DejaVu Sans Mono'"), "chart.png", width=760, height=None)
        os.environ["COLUMNS"] = "118"
        # The font's wide characters are as wide as two others, as on a terminal, but its rules are wide too.
        picture(terminal(folder, _CHINESE, "rules, 'Noto Sans Mono CJK SC'"), "chinese.png", width=926, height=805)


def terminal(folder: Path, command: list[str], font: str) -> Path:
    """Return a page that shows a command and its output like a terminal."""
    printed, page = folder / "printed.txt", folder / "terminal.html"
    assert run([*command, "--format", "chart" if "chart" in command else "table", "--quiet", "-o", str(printed)]) == 0
    text = _TERMINAL.format(font=font, command=" ".join(command), printed=_coloured(printed.read_text("utf-8")))
    page.write_text(text, encoding="utf-8")
    return page


def paper(workbook: Path) -> Path:
    """Return a workbook as printed by LibreOffice."""
    office = shutil.which("soffice")
    assert office, "LibreOffice is not installed"
    profile = f"-env:UserInstallation={(workbook.parent / 'office').as_uri()}"
    words = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(workbook.parent), str(workbook)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return workbook.with_suffix(".pdf")


def picture(page: Path, name: str, *, width: int, height: int | None, dark: bool = False) -> None:
    """Take a picture of the upper left of a page, without a height as high as the first element."""
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder), width=width, dark=dark) as driver:
        driver.get(page.as_uri())
        box = driver.execute_script("const box = document.body.getBoundingClientRect(); return [box.width, box.height]")
        _take(driver, name, {"x": 0, "y": 0, "width": width if height else box[0], "height": height or box[1]})


def picture_of_paper(paper: Path, name: str) -> None:
    """Take a picture of the upper part of the first sheet of paper, without its margins."""
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder), width=900) as driver:
        driver.get(f"{paper.as_uri()}#toolbar=0&navpanes=0&view=FitH")
        # The viewer does not say when it is ready; until then its picture has one colour and is small.
        for _ in range(30):
            time.sleep(1)
            _take(driver, name, {"x": 60, "y": 60, "width": 760, "height": 640})
            if (_IMAGES / name).stat().st_size > 10_000:
                return
        raise TimeoutError(f"{paper} was not shown")


def _take(driver: Any, name: str, clip: dict[str, Any]) -> None:
    shot = driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {**clip, "scale": 1}}
    )
    (_IMAGES / name).write_bytes(base64.b64decode(shot["data"]))


def _coloured(text: str) -> str:
    """Colour the bars as on a terminal."""
    blocks = "▏▎▍▌▋▊▉█"
    return "".join(f"<b>{char}</b>" if char in blocks else escape(char) for char in text).replace("</b><b>", "")


if __name__ == "__main__":
    main()
