"""A page on paper, in a real Chromium: sheets of A4, what is left out, amounts one below the other; and the same
on screens."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mps_bill.core.language import LANGUAGES, language
from mps_bill.render.html import page
from mps_bill.view.columns import Column
from mps_bill.view.settle_view import SettleView
from mps_bill.view.tables import Figure, Report, Table
from tests.render.browser import browser, flat, printed, skip_without_browser
from tests.render.runs import sample_month

UPRIGHT, LYING = (595, 842), (842, 595)
MONTH = SettleView(sample_month())
SHORT = SettleView(sample_month(), by=(("tag_project",),), tags=("tag_project",), in_short=True)

#: The horizontal positions of the decimal points in every column of every table.
_POINTS = """
return [...document.querySelectorAll("table")].map((table) => {
  const columns = {};
  for (const cell of table.querySelectorAll("tbody td.n, tfoot td.n")) {
    const text = cell.firstChild;
    if (!text || !cell.getClientRects().length) continue;
    const at = text.data.indexOf(".");
    const range = document.createRange();
    range.setStart(text, at < 0 ? text.length - 1 : at);
    range.setEnd(text, at < 0 ? text.length : at + 1);
    const box = range.getBoundingClientRect();
    (columns[cell.cellIndex] ??= []).push(at < 0 ? box.right : box.left);
  }
  return Object.values(columns);
}).flat()"""

#: The texts of charts that begin within another text of the same line.
_OVERLAPPING = """
const boxes = [...document.querySelectorAll("svg text")].map((text) => [text.getBoundingClientRect(), text.textContent]);
return boxes.filter(([box]) => boxes.some(([other]) =>
  other !== box && Math.abs(other.top - box.top) < 2 && other.left <= box.left && box.left < other.right
)).map(([, text]) => text)"""


@pytest.fixture(autouse=True)
def _browser_is_there() -> None:
    skip_without_browser()


def show(driver: Any, folder: Path, report: Report) -> None:
    path = folder / "month.html"
    path.write_text(page(report), encoding="utf-8")
    driver.get(path.as_uri())


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_month_prints_its_sums_and_says_what_is_left_out(name: str, tmp_path: Path) -> None:
    with language(name), browser(tmp_path) as driver:
        show(driver, tmp_path, MONTH.page())
        pages = printed(driver)
    assert len(pages) < 10
    assert {size for *size, _ in map(list, pages) for size in [tuple(size)]} == {LYING}
    assert "2,841.40" in pages[0][2], "payable comes first"
    text = "\n".join(text for *_, text in pages)
    left_out = {"en": "Not printed: 743 rows; --all prints them.", "zh": "未打印：743 行；--all 会打印。"}[name]
    assert flat(left_out) in text
    assert "580.46" in text, "the highest day"


def test_all_prints_all(tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        show(driver, tmp_path, replace(MONTH, in_full=sys.maxsize).page())
        pages = printed(driver)
    assert len(pages) > 20
    assert not any(flat("Not printed") in text for *_, text in pages)


def test_the_filtered_lines_are_printed(tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By

    with browser(tmp_path) as driver:
        show(driver, tmp_path, MONTH.page())
        driver.find_element(By.ID, "words").send_keys("dna beijing")
        text = "\n".join(text for *_, text in printed(driver))
        assert flat("Not printed: 743 rows") in text
        assert flat("and a filter prints the rows that it leaves") not in text
        found = driver.execute_script("return document.getElementById('found').textContent")
        assert flat(found) in text
        driver.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
        driver.execute_async_script("setTimeout(arguments[0], 50)")
        assert any(flat("and a filter prints the rows that it leaves") in text for *_, text in printed(driver))


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_summary_is_two_upright_pages(name: str, tmp_path: Path) -> None:
    with language(name), browser(tmp_path) as driver:
        show(driver, tmp_path, SHORT.page())
        first, second = printed(driver)
    assert first[:2] == second[:2] == UPRIGHT
    words = {
        "en": (
            ("Costs: 2023-12", "studio-b", "Payable", "Video DNA"),
            ("By tag_project", "Credit line", "Expires", "Runs out"),
        ),
        "zh": (("费用：2023年12月", "studio-b", "应付金额", "普通转码"), ("tag_project", "信用额度", "到期")),
    }[name]
    for text, expected in zip((first[2], second[2]), words, strict=True):
        for word in expected:
            assert flat(word) in text
    for part in ("drama", "680.44", "558.60", "2024-06-01" if name == "en" else "2024年06月01日"):
        assert flat(part) in second[2]


def test_the_longest_summary_fits_two_pages(tmp_path: Path) -> None:
    from mps_bill.view import run_report, settle_view

    names = ("records", "quantity", "unit", "list_amount", "discount", "payable")

    def table(title: str, rows: int, remark: str = "", below: int = 2) -> Table:
        columns = (Column("item"), *(Column(name, "amount", summed=True) for name in names))
        return Table(
            f"{title} {rows}",
            columns,
            [(f"A name of an item {row}", *[1234] * 6) for row in range(rows + below - 1)],
            (),
            remark,
        )

    figures = [
        Figure(str(number), "Rounding adjustment", sample_month().totals.amounts.payable) for number in range(10)
    ]
    of_tags = [table(f"By tag_{number}", run_report._ROWS[2]) for number in range(3)]
    behind = [
        table("Paid from", 6, below=1),
        table("Account", settle_view._LISTED_IN_SHORT, below=1),
        table("Forecast", 6, "Assumptions: usage continues, " * 5, below=0),
    ]
    pages = [[table("By item", run_report._ITEMS)], [*of_tags, *behind]]
    notes = ["Late bills, not charged and in no total: 12."] * 4
    report = replace(SHORT.page(), figures=figures, pages=pages, notes=notes)
    with browser(tmp_path) as driver:
        show(driver, tmp_path, report)
        assert len(printed(driver)) == 2


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", LANGUAGES)
def test_a_month_on_screens(width: int, dark: bool, name: str, tmp_path: Path) -> None:
    with language(name), browser(tmp_path, width=width, dark=dark) as driver:
        for report in (MONTH.page(), SHORT.page()):
            show(driver, tmp_path, report)
            assert driver.execute_script("return document.documentElement.scrollWidth") <= width
            broken = (
                "return [...document.querySelectorAll('.figures dd')].filter((one) => {"
                " const range = document.createRange(); range.selectNode(one.firstChild);"
                " return range.getClientRects().length > 1 }).map((one) => one.textContent)"
            )
            assert driver.execute_script(broken) == []
            assert driver.execute_script(_OVERLAPPING) == []
            points = driver.execute_script(_POINTS)
            assert len(points) > 10
            assert [column for column in points if max(column) - min(column) > 1.5] == []


def test_decimal_points_are_aligned_on_paper(tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        show(driver, tmp_path, replace(MONTH, in_full=sys.maxsize).page())
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        points = driver.execute_script(_POINTS)
    assert sum(map(len, points)) > 10_000, "lines and bills are among them"
    assert [column for column in points if max(column) - min(column) > 1.5] == []
