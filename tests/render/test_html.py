"""The web page as text: complete, safe, accessible to screen readers. `test_html_in_browser.py` opens it."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mps_bill.render.cells import ROUNDED
from mps_bill.render.html import page
from mps_bill.view.bill_view import BillView
from mps_bill.view.settle_view import SettleView
from tests.kit import billed
from tests.render.runs import HOSTILE, USAGE, every_run, hostile, sample_day, sample_month, settled

_VOID = {"meta", "link", "input", "br", "hr", "img"}
RUNS = ("sample day", "bill", "bill, monthly", "bill, pending", "settle", "settle, monthly", "nothing")


class _Outline(HTMLParser):
    """Checks that every element is closed in order, and collects what the tests need."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("name", RUNS)
def test_the_page_is_whole_and_names_nothing_outside_itself(name: str, tmp_path: Path) -> None:
    text = page(every_run(tmp_path)[name].page())
    outline = _Outline(text)
    for tag, attributes in outline.elements:
        for key in ("src", "href", "action", "data", "style", "srcset"):
            assert attributes.get(key, "data:").startswith("data:") if attributes.get(key) else True, (tag, key)
        assert not [key for key in attributes if key.startswith("on")], "no script except the allowed one"
    assert "$" not in re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL), "a placeholder was left"
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", re.sub("<footer.*</footer>", "", text))
    identities = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("name", RUNS)
def test_the_page_has_everything_a_screen_reader_needs(name: str, tmp_path: Path) -> None:
    outline = _Outline(page(every_run(tmp_path)[name].page()))
    assert outline.all("html")[0]["lang"] == "en"
    assert len(outline.all("h1")) == 1
    assert len(outline.all("caption")) == len(outline.all("table"))
    scopes = [attributes.get("scope") for attributes in outline.all("th")]
    assert set(scopes) <= {"col", "row"}
    identities = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    for _, attributes in outline.elements:
        assert set((attributes.get("aria-labelledby") or "").split()) <= identities
    charts = outline.all("svg")
    assert len(charts) == (0 if name == "nothing" else 2)
    assert all(chart["role"] == "img" and chart["aria-labelledby"] for chart in charts)


def test_text_from_input_is_text(tmp_path: Path) -> None:
    text = page(hostile(tmp_path).page())
    assert HOSTILE not in text
    assert text.count("<script>") == 1
    assert "&lt;script&gt;alert(&quot;item&quot;)&lt;/script&gt;" in text


def test_amounts_of_the_sample_day() -> None:
    text = page(BillView(sample_day()).page())
    figures = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^ ]*) <span", text))
    assert figures == {"List amount": "291.646979", "Rounding adjustment": "-0.056979", "Payable": "291.59"}
    assert "Payable by hour (UTC+08:00), CNY" in text
    assert "<title>2023-11-10 13:00: 140.70 CNY</title>" in text
    assert "<title>2023-11-10 12:00: 0.00 CNY</title>" in text, "an hour without a bill has its place on the axis"
    assert "<title>Narrowband HD 1.0: 13.262775 CNY</title>" in text
    assert "In every row: Product mps · Kind bill · Clock UTC+08:00" in text
    assert "Plan quantity" not in text, "no plan covers anything here"


def test_a_settlement_shows_who_paid(tmp_path: Path) -> None:
    text = page(SettleView(settled(tmp_path)).page())
    figures = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^ ]*) <span", text))
    assert figures["Vouchers"] == "0.50"
    assert figures["Balance"] == "5.00"
    assert figures["Outstanding"] == "250.25"
    for title in ("Deductions", "Account", "Top-ups"):
        assert f">{title}</h2>" in text
    assert "Plan quantity" in text
    assert "account studio-a" in text


def test_a_run_without_bills_says_so(tmp_path: Path) -> None:
    assert "Nothing was billed." in page(every_run(tmp_path)["nothing"].page())


def test_equal_runs_make_equal_pages() -> None:
    assert page(BillView(sample_day()).page()) == page(BillView(sample_day()).page())


def test_a_month_begins_with_its_sums() -> None:
    text = page(SettleView(sample_month()).page())
    headings = re.findall(r"<h2[^>]*>([^<]*)</h2>", text)
    forecast = headings.index("Forecast at the rate of 2023-12-25 00:00 to 2024-01-01 00:00 (7 d)")
    assert headings[:4] == ["Costs", "By day", "By day: paid from", "By item"]
    assert headings.index("Account") < headings.index("Overdue bills") < forecast < headings.index("Bills")
    assert headings[-4:] == ["Bills", "Lines", "Deductions", "Top-ups"]
    figures = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^ ]*) <span", text))
    assert (figures["List amount"], figures["Payable"]) == ("2,844.9350586667", "2,841.40")
    assert text.count('<section class="left-out"') == 3, "bills, lines and deductions are not printed; one top-up is"
    assert ROUNDED in text
    assert "left-out" not in re.sub("<(style|script)>.*?</(style|script)>", "", _all_of_it(), flags=re.DOTALL)


def _all_of_it() -> str:
    return page(SettleView(sample_month(), in_full=sys.maxsize).page())


def test_a_summary_has_these_tables_and_nothing_else() -> None:
    view = SettleView(sample_month(), by=(("item",), ("tag_project",)), tags=("tag_project",), in_short=True)
    text = page(view.page())
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", text) == [
        "Costs",
        "By item",
        "By tag_project",
        "Paid from",
        "Account studio-b, 2024-01-01 01:00 (UTC+08:00)",
        "Forecast at the rate of 2023-12-25 00:00 to 2024-01-01 00:00 (7 d)",
    ]
    figures = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^ ]*) <span", text))
    assert (figures["List amount"], figures["Payable"], figures["Balance"]) == ("2,844.94", "2,841.40", "1,873.18")
    assert text.count("<svg") == 1
    assert "Expires" in text
    run = sample_day()
    of_bills = page(BillView(run, in_short=True).page())
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", of_bills) == ["Costs", "By item"]
    assert "<h1>Costs: 2023-11</h1>" in of_bills


def test_a_summary_says_what_is_in_no_total(tmp_path: Path) -> None:
    run = billed(tmp_path, USAGE, as_of=1_699_600_000)
    text = page(BillView(run, in_short=True).page())
    assert f"Pending bills, not issued yet and in no total: {len(run.pending)}." in text
