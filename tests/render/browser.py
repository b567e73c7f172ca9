"""Headless Chromium for tests of pages. Debian: `apt-get install chromium chromium-driver`; Python: the packages selenium and
pypdf."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
#: Set in continuous integration, so that tests of pages are never skipped there unnoticed.
REQUIRED = bool(os.environ.get("MPS_BILL_REQUIRE_BROWSER"))


def skip_without_browser() -> None:
    """Skip the test if there is no browser, or fail it if one is required."""
    try:
        import pypdf  # noqa: F401
        import selenium  # noqa: F401

        missing = [name for name, path in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if path is None]
    except ImportError:
        missing = ["selenium and pypdf"]
    if missing:
        message = f"NO PAGE WAS TESTED IN A BROWSER: {', '.join(missing)} not found"
        if REQUIRED:
            pytest.fail(message)
        pytest.skip(message)


@contextmanager
def browser(folder: Path, *, width: int = 1280, dark: bool = False) -> Iterator[Any]:
    """Start a fresh browser that logs its console and every request."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for switch in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},900",
    ):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield driver
    finally:
        driver.quit()


def printed(driver: Any) -> list[tuple[int, int, str]]:
    """Return the printed pages: width and height in points, and the text as made by `flat`."""
    from pypdf import PdfReader

    paper = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})["data"]
    pages = PdfReader(io.BytesIO(base64.b64decode(paper))).pages
    return [(round(page.mediabox.width), round(page.mediabox.height), flat(page.extract_text())) for page in pages]


def flat(text: str) -> str:
    """Return text without blanks and ligatures, which differ on paper."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def console_errors(driver: Any) -> list[str]:
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def requests(driver: Any, page: str) -> list[str]:
    """Return the addresses that a page requested, its own first, without `data:` addresses, whose content is in the page.

    A browser that starts asks for parts of its own start page, which are not counted.
    """
    messages = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    addresses = [request["request"]["url"] for request in sent if request["documentURL"] == page]
    return [address for address in addresses if not address.startswith("data:")]
