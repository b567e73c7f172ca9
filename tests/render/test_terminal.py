"""Tables and notes on a terminal, also in a language with wide characters and no spaces between words."""

from __future__ import annotations

import io
from decimal import Decimal
from itertools import pairwise

import pytest

from mps_bill.core.diagnostics import width_of
from mps_bill.core.language import language
from mps_bill.render import terminal
from mps_bill.render.folding import folded, wrapped
from mps_bill.view.columns import Column
from mps_bill.view.tables import Heading, Note, Table
from tests.conftest import ROOT
from tests.golden.cases import run_captured


def test_chinese_is_wrapped_between_characters_and_keeps_its_marks() -> None:
    text = "费用指应付金额：每张账单“分别”抹零，自 2023年11月10日 起。"
    assert wrapped(text, 16) == "费用指应付金额：\n每张账单“分别”抹\n零，自\n2023年11月10日\n起。"
    assert "\n" not in wrapped("plain words are left to be wrapped at spaces", 10)


def test_columns_of_wide_characters_are_aligned() -> None:
    columns = (Column("item"), Column("records", "count"), Column("amount", "amount", sense="line"))
    table = Table("", columns, [("普通转码", 7, None), ("x", 1234, None)], (("合计", None, None),))
    stream = io.StringIO()
    with language("zh"):
        terminal.write([table, Note("完")], stream)
    assert stream.getvalue() == (
        "计费项    记录数  原价\n"
        "──────────────────────\n"
        "普通转码       7\n"
        "x          1,234\n"
        "──────────────────────\n"
        "合计\n"
        "\n"
        "完\n"
    )


@pytest.mark.parametrize("command", ["bill", "settle"])
def test_a_table_fits_eighty_columns(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = [command, str(ROOT / "samples/studio-2023-11-10.csv"), "--prices", "mps-china", "--lang", "zh"]
    if command == "settle":
        words += ["--account", str(ROOT / "samples/account-studio-a.yaml")]
    _, out, _ = run_captured(words, b"", monkeypatch)
    lines = out.decode().splitlines()
    assert max(map(width_of, lines)) <= 80
    assert any("应付金额" in line for line in lines)


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


TABLE = Table(
    "Costs",
    (Column("spec"), Column("unit_price", "price"), Column("amount", "amount")),
    [Heading("transcoding"), ("H264.HD of a long name", Decimal("0.1"), Decimal("12.50")), ("SD", None, Decimal("1"))],
    (("Total of all specs", None, Decimal("13.50")),),
)


#: At 28 columns, each line with its style: bold, italic or none.
LINES = (
    ("Costs", "1"),
    ("", ""),
    ("                Unit", "1"),
    ("Spec           price  Amount", "1"),
    ("────────────────────────────", ""),
    ("transcoding", "3"),
    ("H264.HD of a     0.1   12.50", ""),
    ("long name", ""),
    ("SD                      1.00", ""),
    ("────────────────────────────", ""),
    ("Total of all", "1"),
    ("specs                  13.50", "1"),
)


@pytest.mark.parametrize(
    ("term", "stream", "styled"),
    [("xterm", Terminal(), True), ("dumb", Terminal(), False), ("xterm", io.StringIO(), False)],
)
def test_headings_and_totals_are_bold_on_a_terminal_and_on_their_last_line(
    term: str, stream: io.StringIO, styled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "28")
    terminal.write([TABLE], stream)
    lines = stream.getvalue().splitlines()
    assert lines == [f"\x1b[{style}m{text}\x1b[0m" if style and styled else text for text, style in LINES]


FOLDED = [
    "",
    "one",
    "a word and /a/very/long/path/of/parts behind it",
    "  indented  twice " * 4,
    "x" * 50,
    "é普通x " * 9,
]


@pytest.mark.parametrize("width", range(8, 60, 3))
@pytest.mark.parametrize("text", FOLDED)
def test_text_folds_between_words_and_loses_none(text: str, width: int) -> None:
    lines = folded(text, width)
    assert max(map(width_of, lines)) <= width
    assert "".join("".join(lines).split()) == "".join(text.split())
    words = [word for line in lines for word in line.split()]
    assert [word for word in text.split() if width_of(word) <= width and word not in words] == []
    assert lines == [text] or width_of(text) > width
    # As few lines as possible: the first word of a line did not fit on the previous line, even with the widest gap.
    for above, line in pairwise(lines):
        assert width_of(above) + width_of(f"   {line.split()[0]}") > width
