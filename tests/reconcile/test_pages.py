"""Pages of the bill API's answers: complete, missing, too many; and rows that are there twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mps_bill.reconcile.read_export import read_exports
from tests.reconcile.exports import write


def item(record: str = "", product: str = "x", day: str = "2023-11-10", **more: object) -> dict[str, Any]:
    row = {
        "ProductName": product, "BillingItem": "H264.HD", "BillingDate": day, "PretaxGrossAmount": 0.651, "PretaxAmount": 0.65,
    }  # fmt: skip
    return {**row, **({"RecordID": record} if record else {}), **more}


def page(*items: dict[str, Any], **more: object) -> str:
    return json.dumps({"Data": {"AccountID": "1", "BillingCycle": "2023-11", **more, "Items": {"Item": list(items)}}})


def read(folder: Path, *texts: str, suffix: str = "json") -> list[str] | int:
    """How many rows the exports have, or what is wrong with them, one file each."""
    paths = [write(folder / f"{number}.{suffix}", text) for number, text in enumerate(texts)]
    export, problems = read_exports([str(path) for path in paths], "CNY")
    if export:
        return len(export.rows)
    return [str(problem).removeprefix(f"{folder}/") for problem in problems]


@pytest.mark.parametrize(
    ("texts", "rows"),
    [
        # Pages in any order, and a last one that is empty.
        ([page(item("a"), NextToken="t"), page(item("b"))], 2),
        ([page(item("b")), page(item("a"), NextToken="t")], 2),
        ([page(item("a"), NextToken="t"), page()], 1),
        *(([page(item("a"), NextToken=token)], 1) for token in ("", " ", None, "null")),
        ([page(item("a"), NextToken="t", TotalCount=1)], 1),
        # Several answers of one account and month: by product, by day, of other sizes and of one.
        ([page(item("a"), item("b"), TotalCount=2), page(item("c", "y"), TotalCount=1)], 3),
        ([page(item("a"), TotalCount=1), page(item("c", "y"), TotalCount=1)], 2),
        ([page(item("a"), TotalCount=1), page(item("b", day="2023-11-11"), TotalCount=1)], 2),
        ([page(item("a"), item("b", day="2023-11-11"), TotalCount=3), page(item("c"), TotalCount=3)], 3),
        # An answer that grew while its pages were read.
        ([page(item("a"), item("b"), TotalCount=2), page(item("c"), TotalCount=3)], 3),
        # Rows of one bill, and rows that say the same of different records.
        ([page(item("a"), item("a", Usage="2"), TotalCount=2)], 2),
        ([page(item("a"), item("b"))], 2),
        ([page(item(), item())], 2),
        ([page(item("-"), item("-"))], 2),
    ],
)
def test_whole_answers_are_taken(tmp_path: Path, texts: list[str], rows: int) -> None:
    assert read(tmp_path, *texts) == rows


NEXT = (
    "the answer continues (NextToken), and its last page is missing; fetch the other pages too [R108 incomplete-export]"
)
TWICE = "a page is given twice [R109 repeated-export]"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([page(item("a"), NextToken="t")], [f"0.json:1:1: {NEXT}"]),
        ([page(item("a"), NextToken="t"), page(item("b"), NextToken="u")], [f"1.json:1:1: {NEXT}"]),
        ([json.dumps({"NextToken": "t", "Items": [item("a")]})], [f"0.json:1:1: {NEXT}"]),
        ([page(item("a"), item("b"), TotalCount=1)], [f"0.json:1:1: TotalCount is 1, and the files have 2; {TWICE}"]),
        (
            [page(item("a"), TotalCount=1), page(item("b"), TotalCount=1)],
            [f"1.json:1:1: TotalCount is 1, and the files have 2; {TWICE}"],
        ),
        (
            [page(item("a"), TotalCount=1), page(item("c", "y"), TotalCount=2), page(TotalCount=9)],
            ["2.json:1:1: TotalCount is 9, and the files have 2; fetch the other pages too [R108 incomplete-export]"],
        ),
        (
            [page(item("a"), item("b"), item("c"), TotalCount=3), page(item("d", "y"), TotalCount=2)],
            ["1.json:1:1: TotalCount is 2, and the files have 1; fetch the other pages too [R108 incomplete-export]"],
        ),
    ],
)  # fmt: skip
def test_answers_that_lack_something_or_have_too_much_are_refused(
    tmp_path: Path, texts: list[str], expected: list[str]
) -> None:
    assert read(tmp_path, *texts) == expected


def test_a_row_that_is_there_twice_under_one_record_is_refused(tmp_path: Path) -> None:
    first, again = page(item("a"), item("b")), page(item("b"), item("c"))
    column = again.index('{"ProductName') + 1
    there = f"{tmp_path}/0.json:1:{first.rindex('{') + 1}"
    assert read(tmp_path, first, again) == [
        f'1.json:1:{column}: duplicate of the row at {there}, with RecordID "b"; it would be counted twice [R208 repeated-row]'
    ]


def test_the_same_in_a_table(tmp_path: Path) -> None:
    row = "b,x,H264.HD,2023-11-10,0.651,0.65\n"
    text = (
        f"RecordID,ProductName,BillingItem,BillingDate,PretaxGrossAmount,PretaxAmount\n{row}{row.replace('b,', 'c,')}"
    )
    assert read(tmp_path, text, suffix="csv") == 2
    [found] = read(tmp_path, text + row, suffix="csv")  # type: ignore[misc]
    assert found.startswith("0.csv:4: duplicate of the row at ")


@pytest.mark.parametrize("form", ['{"Item": %s}', "%s", '{"item": %s}'])
def test_one_item_that_is_an_object_is_a_list_of_one(tmp_path: Path, form: str) -> None:
    one = form % json.dumps(item() | {"Item": "PayAsYouGoBill"})
    text = f'{{"Data": {{"BillingCycle": "2023-11", "TotalCount": 1, "Items": {one}}}}}'
    export, problems = read_exports([str(write(tmp_path / "bills.json", text))], "CNY")
    assert export, problems
    assert [str(row.payable) for row in export.rows] == ["0.65"]
