"""Rows of CSV with their lines, and what a lost quote costs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mps_bill.metering.csv_rows import MAX_ROW_BYTES, read_rows
from mps_bill.metering.meter import MeterOptions
from tests.kit import ENGINES, metered, places, source


def rows_of(content: bytes) -> list[tuple[int, list[str] | str]]:
    """Each row as its line and its fields, or the slug and place of its flaw."""
    found: list[tuple[int, list[str] | str]] = []
    for row in read_rows(io.BytesIO(content)):
        flaw = row.flaw
        found.append((row.line, f"{flaw.kind.slug} {flaw.line}:{flaw.column}" if flaw else row.fields))
    return found


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"", []),
        (b"a,b\n1,2\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"a,b\n1,2", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"a,b\r\n1,2\r\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"a,b\r1,2\r", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"a,b\r1,2", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"a\r\nb\nc\rd", [(1, ["a"]), (2, ["b"]), (3, ["c"]), (4, ["d"])]),
        (b"\xef\xbb\xbfa,b\n", [(1, ["a", "b"])]),
        (b'\xef\xbb\xbf"a",b\n', [(1, ["a", "b"])]),
        # Lines without any character are passed over and counted.
        (b"\n\na\n\r\n\nb\n", [(3, ["a"]), (6, ["b"])]),
        (b" \n", [(1, [" "])]),
        (b",,\n", [(1, ["", "", ""])]),
        (b'"a,b",c\n', [(1, ["a,b", "c"])]),
        (b'""\n', [(1, [""])]),
        (b'"",""\n', [(1, ["", ""])]),
        (b'  "a" ,"b"\n', [(1, ["a", "b"])]),
        (b"it's,fine\n", [(1, ["it's", "fine"])]),
        ("é,项目\n".encode(), [(1, ["é", "项目"])]),
        # A quoted line end is the value's own, and the rows behind it keep their lines.
        (b'a,"x\ny"\nb,c\n', [(1, ["a", "x\ny"]), (3, ["b", "c"])]),
        (b'a,"x\r\n\r\ny",z\r\nb\r\n', [(1, ["a", "x\r\n\r\ny", "z"]), (4, ["b"])]),
        (b'"a\nb",x"y\nc\n', [(1, "stray-quote 2:4"), (3, ["c"])]),
        (b'"a\tb"\n', [(1, "control-character 1:1")]),
        # A quote that is never closed costs the row that it stands in, and no other.
        (b'a,b\n"1,2\n3,4\n', [(1, ["a", "b"]), (2, "unclosed-quote 2:1"), (3, ["3", "4"])]),
        (b'a,b\n1,"2', [(1, ["a", "b"]), (2, "unclosed-quote 2:3")]),
        (b'"a\n"b\n', [(1, "stray-quote 2:2")]),
        (b'a"b,c\nd\n', [(1, "stray-quote 1:1"), (2, ["d"])]),
        (b'"a"b\n', [(1, "stray-quote 1:4")]),
        (b'"a" b\n', [(1, "stray-quote 1:5")]),
        (b'"a""b"\n', [(1, ['a"b'])]),
        (b"a\x00b\n", [(1, "control-character 1:1")]),
        (b"x,a\tb\n", [(1, "control-character 1:3")]),
        (b"a,\x1b[0m\nb\n", [(1, "control-character 1:3"), (2, ["b"])]),
        (b"ok\na,\xff\xfe\nb\n", [(1, ["ok"]), (2, "not-utf-8 2:3"), (3, ["b"])]),
        (b"a,\xc3\x28\n", [(1, "not-utf-8 1:3")]),
        (b"\xed\xa0\x80\n", [(1, "not-utf-8 1:1")]),
        (b"\xff\xfea\x00\n", [(1, "not-utf-8 1:1")]),
    ],
)
def test_rows(content: bytes, rows: list[tuple[int, list[str] | str]]) -> None:
    assert rows_of(content) == rows


def test_an_overlong_row_costs_one_row() -> None:
    content = b"a\n" + b"x" * (MAX_ROW_BYTES + 1) + b"\nb\n"
    assert rows_of(content) == [(1, ["a"]), (2, "overlong-row 2:1"), (3, ["b"])]
    content = b"a\n" + b"x" * (3 * MAX_ROW_BYTES) + b"\nb\n"
    assert rows_of(content) == [(1, ["a"]), (2, "overlong-row 2:1"), (3, ["b"])]
    assert rows_of(b"x" * MAX_ROW_BYTES + b"\nb") == [(1, ["x" * MAX_ROW_BYTES]), (2, ["b"])]


def test_a_file_of_lone_carriage_returns_is_read_in_pieces() -> None:
    line = "y" * 999
    rows = rows_of((line + "\r").encode() * 6_000)
    assert rows == [(number, [line]) for number in range(1, 6_001)]


def test_a_lost_quote_far_from_the_end_costs_one_row() -> None:
    content = b'"a\n' + b"b\n" * 10_000
    assert rows_of(content) == [(1, "unclosed-quote 1:1"), *((number, ["b"]) for number in range(2, 10_002))]


def test_lost_quotes_close_each_other_and_cost_the_rows_between() -> None:
    assert rows_of(b'x,"a\n' * 4) == [(1, "stray-quote 2:4"), (3, "stray-quote 4:4")]


@pytest.mark.parametrize(
    ("content", "index", "place"),
    [
        (b"a,bc,d", 0, (1, 1)),
        (b"a,bc,d", 1, (1, 3)),
        (b"a,bc,d", 2, (1, 6)),
        (b"a,bc,d", 3, (1, 7)),
        ("é,项目,d".encode(), 2, (1, 6)),
        (b'"a,b",c', 1, (1, 7)),
    ],
)
def test_places_of_fields(content: bytes, index: int, place: tuple[int, int]) -> None:
    row = next(read_rows(io.BytesIO(content)))
    assert row.position(index) == place


def test_columns_that_are_passed_over_may_hold_anything(tmp_path: Path) -> None:
    header = "job_id,completed_at,region,item,codec,width,height,quantity,unit,title"
    start = "2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264,1920,823,10,minute"
    content = f'{header}\na,{start},"He said ""hi"", twice"\nb,{start},"two\nlines"\nc"d,{start},a "b"\n'
    for engine in ENGINES:
        options = MeterOptions(engine=engine, ignore_extra_columns=True, set_aside=True)
        results = metered([source(tmp_path / "usage.csv", content)], options=options)
        assert (results.rows_read, results.rows_rejected) == (3, 1), engine
        assert places(results.problems) == [("usage.csv:5:1", "U113")], engine


def test_quoted_values_hold_quotes_commas_and_line_ends(tmp_path: Path) -> None:
    header = "job_id,completed_at,region,item,codec,width,height,quantity,unit,tag_title"
    start = "2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264,1920,823,10,minute"
    rows = [f'"a,""1""",{start},"He said ""hi"""', f'b,{start},"two\nlines"', f"c,{start},plain", f"d,{start},plain"]
    for engine in ENGINES:
        # A repeat is the same record, and the line of a bad row counts quoted line ends.
        content = "\n".join([header, *rows, rows[0], rows[1], f"e,{start.replace(',10,', ',1e1,')},x"]) + "\n"
        options = MeterOptions(engine=engine, tags=("tag_title",), set_aside=True)
        results = metered([source(tmp_path / "usage.csv", content)], options=options)
        assert (results.rows_read, results.rows_rejected) == (7, 1), engine
        assert places(results.problems) == [("usage.csv:10:67", "U203")], engine
        found = {group.key.tags: (group.rows, group.duplicates) for group in results.groups}
        assert found == {('He said "hi"',): (2, 1), ("two\nlines",): (2, 1), ("plain",): (2, 0)}, engine
