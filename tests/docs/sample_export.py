"""The sample export `samples/export-2023-11-10.csv`: the sample day in the form of the console's current export.

`python -m tests.docs.sample_export` rewrites it. It has two deliberate errors: the hour from 14:00 has 10 minutes of HD too
many, those of the failed job j-1016; and a minute of Dolby costs 4.00 instead of 3.50.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from itertools import count, groupby

from mps_bill.core.decimals import stripped
from tests.conftest import ROOT
from tests.reconcile.exports import CENT, ROUNDING, Row, v2_csv, v2_rows
from tests.render.runs import sample_day

FILE = ROOT / "samples" / "export-2023-11-10.csv"
_HOUR, _ITEM, _REGION, _QUANTITY, _PRICE = "服务开始时间", "计费项名称", "地域Code", "用量", "官网目录价"
_PAYABLE = "应付金额（含税）"
_REGIONS = {"cn-shanghai": "华东2（上海）", "cn-beijing": "华北2（北京）", "cn-hangzhou": "华东1（杭州）"}
#: If two items share a spec, each has its own name on the bill.
_NAMES = {("2023-11-10 16:00:00", "H264.HD"): "Editing.H264.HD"}
_WRONG = {
    ("2023-11-10 14:00:00", "H264.HD"): {"抵扣前用量": "20", _QUANTITY: "20"},
    ("2023-11-10 16:00:00", "Dolby"): {_PRICE: "4.00"},
}
#: The fields of a row that covers a whole bill.
_OF_A_BILL = ("账单月份", "账单日期", _HOUR, "服务结束时间", "产品Code", "产品名称", "定价币种")


def text() -> str:
    """Return the file. The rounding of each bill is that of the sum of its rows."""
    export: list[Row] = []
    for _, of_hour in groupby(v2_rows(sample_day().bills), lambda row: row[_HOUR]):
        lines = [_line(row) for row in of_hour if row["费用类型"] != ROUNDING]
        amount = sum((Decimal(row[_PAYABLE]) for row in lines), Decimal(0))
        export += lines
        if rounding := amount.quantize(CENT, ROUND_DOWN) - amount:
            of_bill = {name: lines[0][name] for name in _OF_A_BILL}
            export.append({**of_bill, "费用类型": ROUNDING, _PAYABLE: stripped(rounding)})
    numbers = count(1)
    return v2_csv({**row, "账单明细ID": f"{next(numbers):04}"} for row in export)


def _line(row: Row) -> Row:
    key = (row[_HOUR], row[_ITEM])
    row = {**row, "定价币种": "CNY", "地域": _REGIONS[row[_REGION]], _ITEM: _NAMES.get(key, row[_ITEM])}
    if wrong := _WRONG.get(key):
        row |= wrong
        amount = stripped(Decimal(row[_QUANTITY]) * Decimal(row[_PRICE]))
        row |= dict.fromkeys(("目录总价", "优惠后金额", _PAYABLE), amount)
    return row


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="")
