"""The web page in a real headless Chromium: it opens, filters, prints and requests nothing else."""

from __future__ import annotations

import base64
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mps_bill.core.decimals import amount_text
from mps_bill.render.html import page
from mps_bill.view.bill_view import BillView
from mps_bill.view.settle_view import SettleView
from tests.kit import billed, row, usage_text
from tests.render.browser import browser, console_errors, requests, skip_without_browser
from tests.render.runs import HOSTILE, hostile, sample_day, settled


@pytest.fixture(autouse=True)
def _browser_is_there() -> None:
    skip_without_browser()


def opened(driver: Any, folder: Path, data: BillView | SettleView) -> str:
    """Open the page of a run from a file, and return its address."""
    path = folder / "bill.html"
    path.write_text(page(data.page()), encoding="utf-8")
    driver.get(path.as_uri())
    return path.as_uri()


def shown(driver: Any) -> list[str]:
    """Return the texts of the lines that the filter leaves."""
    script = "return [...document.querySelectorAll('#lines tbody tr:not([hidden])')].map((row) => row.textContent)"
    return list(driver.execute_script(script))


def choose(driver: Any, name: str, value: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    Select(driver.find_element(By.NAME, name)).select_by_visible_text(value)


def found(driver: Any) -> str:
    return str(driver.execute_script("return document.getElementById('found').textContent"))


def test_the_page_opens_filters_and_asks_for_nothing_else(tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By

    run = sample_day()
    lines = [line for bill in run.bills for line in bill.lines]

    def says(members: list[Any]) -> str:
        amount = sum((line.amount for line in members), Decimal(0))
        return f"{len(members)} of {len(lines)} lines, list amount {amount_text(amount)} CNY"

    with browser(tmp_path) as driver:
        address = opened(driver, tmp_path, BillView(run))
        assert driver.title.startswith("Bills: 2023-11-10 09:00")
        assert len(shown(driver)) == len(lines)
        assert found(driver) == says(lines)

        words = driver.find_element(By.ID, "words")
        words.send_keys("h264.hd  SHANGHAI")
        fitting = [line for line in lines if "H264.HD" in line.spec and line.region == "cn-shanghai"]
        assert len(fitting) > 3
        assert found(driver) == says(fitting)
        assert all("H264.HD" in text and "cn-shanghai" in text for text in shown(driver))

        choose(driver, "item", "editing_basic")
        edited = [line for line in fitting if line.item.code == "editing_basic"]
        assert found(driver) == says(edited)

        words.send_keys(" no such word")
        assert shown(driver) == []
        assert found(driver) == says([])

        driver.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
        time.sleep(0.1)
        assert found(driver) == says(lines)

        choose(driver, "region", "cn-beijing")
        assert found(driver) == says([line for line in lines if line.region == "cn-beijing"])

        words.send_keys("narrowband hd 1.0")
        assert len(shown(driver)) == 2, "words of columns that are not shown are found too"

        assert console_errors(driver) == []
        assert requests(driver, address) == [address]


def test_the_page_cannot_send_anything(tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        address = opened(driver, tmp_path, BillView(sample_day()))
        script = (
            "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), () => done('refused'))"
        )
        assert driver.execute_async_script(script) == "refused"
        assert any("Content Security Policy" in message for message in console_errors(driver))
        driver.execute_script(
            "const one = document.createElement('script'); one.text = 'window.ran = 1'; document.body.append(one)"
        )
        assert driver.execute_script("return window.ran") is None
        assert requests(driver, address) == [address]


def test_text_from_input_runs_nothing(tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        opened(driver, tmp_path, hostile(tmp_path))
        assert driver.execute_script("return document.scripts.length") == 1
        assert HOSTILE in driver.execute_script("return document.querySelectorAll('figure')[1].textContent")
        assert console_errors(driver) == []


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_the_screen_and_can_be_read(width: int, dark: bool, tmp_path: Path) -> None:
    with browser(tmp_path, width=width, dark=dark) as driver:
        opened(driver, tmp_path, SettleView(settled(tmp_path)))
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, (
            "only tables scroll sideways"
        )
        ink, card = (
            driver.execute_script(f"return getComputedStyle(document.querySelector('section')).{name}")
            for name in ("color", "backgroundColor")
        )
        assert contrast(ink, card) >= 7
        soft = driver.execute_script("return getComputedStyle(document.querySelector('.remark')).color")
        assert contrast(soft, card) >= 4.5
        assert (luminance(ink) > luminance(card)) is dark
        outside = driver.execute_script(
            "return [...document.querySelectorAll('svg text')].filter((text) => {"
            " const box = text.getBoundingClientRect();"
            " return box.left < -1 || box.right > document.documentElement.clientWidth + 1 }).map((text) => text.textContent)"
        )
        assert outside == []


def test_it_prints_all_lines_and_no_controls(tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        opened(driver, tmp_path, BillView(sample_day()))
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        hidden = "return getComputedStyle(document.getElementById('filter')).display"
        assert driver.execute_script(hidden) == "none"
        cut = "const box = document.querySelector('#lines').parentElement; return box.scrollHeight - box.clientHeight"
        assert driver.execute_script(cut) <= 1
        pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
        assert pdf.startswith(b"%PDF")


def test_ten_thousand_lines_open_and_filter(tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By

    sides = ((640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
    records = [
        row(
            job_id=f"j-{month}-{day}-{hour}-{region}-{width}",
            completed_at=f"{month}-{day:02}T{hour:02}:20:00+08:00",
            region=region,
            width=str(width),
            height=str(height),
        )
        for month, days in (("2023-11", 30), ("2023-12", 14))
        for day in range(1, days + 1)
        for hour in range(24)
        for region in ("cn-shanghai", "cn-beijing")
        for width, height in sides
    ]
    run = billed(tmp_path, usage_text(records))
    number = sum(len(bill.lines) for bill in run.bills)
    assert number >= 10_000
    with browser(tmp_path) as driver:
        driver.set_page_load_timeout(30)
        opened(driver, tmp_path, BillView(run))
        assert found(driver).startswith(f"{number} of {number} lines")
        started = time.monotonic()
        driver.find_element(By.ID, "words").send_keys("beijing h264.4k")
        assert found(driver).startswith(f"{44 * 24} of {number} lines")
        assert time.monotonic() - started < 20, "every key of 15 filters all lines"
        assert console_errors(driver) == []


def luminance(color: str) -> float:
    """Return the relative luminance of `rgb(r, g, b)`. Source: Web Content Accessibility Guidelines 2.1."""
    parts = [int(part) / 255 for part in color[color.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
