"""Tables and notes on a terminal in a language whose characters are wide and have no spaces between them."""

from __future__ import annotations

import io

import pytest

from mps_bill.core.diagnostics import width_of
from mps_bill.core.language import language
from mps_bill.render import terminal
from mps_bill.render.unspaced import wrapped
from mps_bill.view.tables import Column, Note, Table
from tests.conftest import ROOT
from tests.golden.cases import run_captured


def test_chinese_is_wrapped_between_characters_and_keeps_its_marks() -> None:
    text = "费用指应付金额：每张账单“分别”抹零，自 2023年11月10日 起。"
    assert wrapped(text, 16) == "费用指应付金额：\n每张账单“分别”抹\n零，自\n2023年11月10日\n起。"
    assert "\n" not in wrapped("plain words are left to be wrapped at spaces", 10)


def test_columns_of_wide_characters_stand_under_each_other() -> None:
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
