"""Reading exports: encodings, spellings, and what is refused, with its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.reconcile.export import Export
from mps_bill.reconcile.export_files import decode_export
from mps_bill.reconcile.read_export import read_exports
from tests.reconcile.exports import HEADER, closing_row, console_csv, write

ROW = {
    "账期": "2023-11",
    "产品": "智能媒体服务",
    "消费类型": "后付费",
    "账单开始时间": "2023-11-10 11:00:00",
    "账单结束时间": "2023-11-10 12:00:00",
    "地域": "华东2（上海）",
    "计费项": "H264.HD",
    "单价": "0.0651",
    "用量": "10",
    "用量单位": "分钟",
    "原价": "0.651",
    "优惠金额": "0.001",
    "优惠券抵扣": "0",
    "应付金额": "0.65",
    "现金支付": "0.65",
    "代金券抵扣": "0",
    "储值卡支付金额": "0",
    "欠费金额": "0",
}
ITEM = (
    '{"ProductName": "x", "BillingItem": "H264.HD", "BillingDate": "2023-11-10", "PretaxGrossAmount": 0.651,'
    ' "PretaxAmount": 6.5E-1}'
)


def read(path: Path) -> Export:
    export, problems = read_exports([str(path)], "CNY")
    assert export, problems
    return export


def refused(path: Path, *more: Path) -> list[str]:
    export, problems = read_exports([str(one) for one in (path, *more)], "CNY")
    assert export is None
    return [str(problem).removeprefix(f"{path.parent}/") for problem in problems]


def test_the_console_writes_41_columns() -> None:
    assert len(HEADER) == 41


@pytest.mark.parametrize(
    ("encoding", "called"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8 with a byte order mark"), ("gb18030", "GB18030"), ("gbk", "GB18030")],
)
def test_an_export_is_the_same_in_every_encoding(tmp_path: Path, encoding: str, called: str) -> None:
    export = read(write(tmp_path / "export.csv", console_csv([ROW, closing_row([ROW])]), encoding))
    assert [file.encoding for file in export.files] == [called]
    [row] = export.rows
    assert (row.product, row.region, row.usage_unit) == ("智能媒体服务", "华东2（上海）", "分钟")
    assert row.payable == Decimal("0.65")
    assert [closing.amounts["payable"] for closing in export.closings] == [Decimal("0.65")]


def test_text_in_no_encoding_is_refused_with_its_line() -> None:
    _, _, [problem] = decode_export("账期\n".encode() + b"\xff\xff", "export.csv")
    assert str(problem.place) == "export.csv:2"
    _, _, [problem] = decode_export("账期".encode("utf-16"), "export.csv")
    assert "UTF-16" in problem.message


@pytest.mark.parametrize("name", ["官网价", "PretaxGrossAmount"])
def test_other_spellings_of_a_column(tmp_path: Path, name: str) -> None:
    text = (
        console_csv([ROW])
        .replace("原价", name)
        .replace("应付金额", "PretaxAmount")
        .replace("优惠金额", "InvoiceDiscount")
    )
    [row] = read(write(tmp_path / "export.csv", text)).rows
    assert row.list_amount == Decimal("0.651")
    assert row.amount("discount") == Decimal("0.001")


def test_a_repeated_column_is_refused(tmp_path: Path) -> None:
    text = console_csv([ROW]).replace("可用区", "官网价")
    column = text.index("原价") + 1
    assert refused(write(tmp_path / "e.csv", text)) == [
        f"e.csv:1:{column}: 原价 is the same column as 官网价, column 27; remove one [R107 repeated-export-column]"
    ]


def test_a_file_that_is_not_an_export_is_refused(tmp_path: Path) -> None:
    messages = refused(write(tmp_path / "e.csv", "task,amount\na,1\n"))
    assert len(messages) == 4
    assert messages[0] == (
        "e.csv:1: no column 原价, 官网价, PretaxGrossAmount or 目录总价; is this an export of bill details?"
        " [R106 missing-export-column]"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"原价": "1,234.50"}, 'e.csv:2:112: "1,234.50" is not a number; write plain digits such as 12, 0.65 or -0.01'),
        ({"应付金额": ""}, "the row has no 应付金额"),
        ({"应付金额": "1e3"}, '"1e3" is not a number'),
        ({"应付金额": "NaN"}, '"NaN" is not a number'),
        ({"用量": "１０"}, '"１０" is not a number'),
        ({"账单开始时间": "2023.11.10 11:00"}, "is not an ISO 8601 date and time"),
        ({"账单开始时间": "2023-02-30 11:00:00"}, "names a day that does not exist"),
        ({"账单结束时间": "2023-11-10 11:00:00"}, "is not after the start of the row"),
        ({"账期": "November"}, '"November" is not a month such as 2023-11'),
        ({"账期": "", "账单开始时间": ""}, "the row has no start"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(tmp_path: Path, change: dict[str, str], message: str) -> None:
    [found] = refused(write(tmp_path / "e.csv", console_csv([ROW | change])))
    assert found.startswith("e.csv:2")
    assert message in found


def test_absent_values_and_amounts_below_zero_are_taken(tmp_path: Path) -> None:
    [row] = read(
        write(tmp_path / "e.csv", console_csv([ROW | {"资源包抵扣": "NULL", "用量": "-", "现金支付": "-0.01"}]))
    ).rows
    assert (row.plan, row.usage) == (None, None)
    assert row.amount("cash") == Decimal("-0.01")


def test_another_currency_is_refused(tmp_path: Path) -> None:
    text = console_csv([ROW | {"可用区": "USD"}]).replace("可用区", "币种")
    [found] = refused(write(tmp_path / "e.csv", text))
    assert 'the row is in "USD", and the price sheets are in CNY' in found


def test_a_short_row_and_a_lost_quote_are_refused(tmp_path: Path) -> None:
    text = console_csv([ROW]) + "2023-11,x\r\n"
    assert refused(write(tmp_path / "e.csv", text)) == [
        "e.csv:3: the row has 2 fields, and the header has 41 [R201 wrong-row-length]"
    ]
    [found] = refused(write(tmp_path / "e.csv", console_csv([ROW]) + '"2023-11,x\r\n'))
    assert found == "e.csv:3:1: this quote is never closed within its row [R103 broken-csv]"


def test_a_lost_quote_hides_no_problem_behind_it(tmp_path: Path) -> None:
    text = console_csv([ROW]) + '"2023-11,x\r\n' + "2023-11,x\r\n"
    assert [one.partition(" ")[0] for one in refused(write(tmp_path / "e.csv", text))] == ["e.csv:3:1:", "e.csv:4:"]


def test_a_column_that_is_not_needed_may_hold_anything(tmp_path: Path) -> None:
    text = console_csv([ROW | {"可用区": "zone\t"}]).replace("zone", 'the "B" zone')
    [row] = read(write(tmp_path / "e.csv", text)).rows
    assert row.payable == Decimal("0.65")


def test_places_count_lines_and_columns_behind_quoted_line_ends(tmp_path: Path) -> None:
    text = console_csv([ROW | {"实例标签": 'key:"a,b"\nnext'}, ROW | {"应付金额": "x"}])
    [found] = refused(write(tmp_path / "e.csv", text))
    assert found.startswith("e.csv:4:")
    [found] = refused(write(tmp_path / "e.csv", console_csv([ROW | {"实例标签": 'key:"a,b"\nnext', "应付金额": "x"}])))
    assert found.startswith("e.csv:3:")


@pytest.mark.parametrize(
    "text",
    [
        f'{{"Data": {{"BillingCycle": "2023-11", "Items": {{"Item": [{ITEM}]}}}}}}',
        f'{{"Data": {{"BillingCycle": "2023-11", "Items": [{ITEM}]}}}}',
        f'{{"Items": [{ITEM}]}}',
        f"[{ITEM}]",
    ],
)
def test_answers_of_the_api(tmp_path: Path, text: str) -> None:
    [row] = read(write(tmp_path / "e.json", text)).rows
    assert (row.payable, row.day) == (Decimal("0.65"), "2023-11-10")


def test_wrong_values_in_json_have_their_place(tmp_path: Path) -> None:
    text = f"[\n{ITEM.replace('0.651', 'true')},\n{ITEM.replace('2023-11-10', 'soon')}]"
    assert refused(write(tmp_path / "e.json", text)) == [
        f'e.json:2:{ITEM.index("0.651") + 1}: "PretaxGrossAmount" must be a number or a text [R206 not-a-value]',
        f'e.json:3:{ITEM.index("2023-11-10")}: "soon" is not a day such as 2023-11-10 [R203 bad-export-time]',
    ]


def test_a_page_of_an_answer_is_not_the_answer(tmp_path: Path) -> None:
    def page(total: int) -> str:
        return f'{{"Data": {{"TotalCount": {total}, "AccountID": 1, "BillingCycle": "2023-11", "Items": [{ITEM}]}}}}\n'

    [found] = refused(write(tmp_path / "e.json", page(2)))
    assert "TotalCount is 2, and the files have 1; fetch the other pages too" in found
    both, other = write(tmp_path / "e.json", page(2)), write(tmp_path / "f.json", page(2))
    export, problems = read_exports([str(both), str(other)], "CNY")
    assert export, problems
    assert len(export.rows) == 2


def test_no_rows_is_refused(tmp_path: Path) -> None:
    assert "has no bill rows" in refused(write(tmp_path / "e.csv", console_csv([])))[0]
    assert "the file is empty" in refused(write(tmp_path / "e.csv", ""))[0]
    assert "no list of bill items" in refused(write(tmp_path / "e.json", '{"Code": "x"}'))[0]
    assert "cannot be read" in refused(tmp_path / "nothing.csv")[0]


def test_globs_name_pages_and_a_file_counts_once(tmp_path: Path) -> None:
    for name in ("page-1.json", "page-2.json"):
        write(tmp_path / name, f"[{ITEM}]")
    export, problems = read_exports([str(tmp_path / "page-*.json")], "CNY")
    assert export, problems
    assert len(export.rows) == 2
    [found] = refused(tmp_path / "page-1.json", tmp_path / "page-1.json")
    assert "this file is given twice" in found
    assert "cannot be read" in refused(tmp_path / "none-*.json")[0]


def test_a_closing_row_states_nothing_of_an_empty_cell(tmp_path: Path) -> None:
    export = read(write(tmp_path / "e.csv", console_csv([ROW, closing_row([ROW]) | {"原价": ""}])))
    assert "list_amount" not in export.closings[0].amounts
    assert export.closings[0].amounts["payable"] == Decimal("0.65")
