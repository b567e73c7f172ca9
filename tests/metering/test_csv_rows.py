"""CSV rows with their lines, and the effect of a stray quote."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from mps_bill.metering import EngineName
from mps_bill.metering.csv_rows import MAX_ROW_BYTES, read_rows
from mps_bill.metering.meter_options import MeterOptions
from tests.kit import ENGINES, metered, places, problems_of, row, source, usage_text


def rows_of(content: bytes) -> list[tuple[int, list[str] | str]]:
    """Each row as its line and its fields, or the slug and place of its flaw."""
    found: list[tuple[int, list[str] | str]] = []
    for one in read_rows(io.BytesIO(content)):
        flaw = one.flaw
        found.append((one.line, f"{flaw.kind.slug} {flaw.line}:{flaw.column}" if flaw else one.fields))
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
        # Empty lines are skipped and counted.
        (b"\n\na\n\r\n\nb\n", [(3, ["a"]), (6, ["b"])]),
        (b" \n", [(1, [" "])]),
        (b",,\n", []),
        (b",\n,,,\r\na,b\n,,,,,,\nc,d\n,", [(3, ["a", "b"]), (5, ["c", "d"])]),
        (b", ,\n", [(1, ["", " ", ""])]),
        (b'"a,b",c\n', [(1, ["a,b", "c"])]),
        (b'""\n', [(1, [""])]),
        (b'"",""\n', [(1, ["", ""])]),
        (b'  "a" ,"b"\n', [(1, ["a", "b"])]),
        (b"it's,fine\n", [(1, ["it's", "fine"])]),
        ("é,项目\n".encode(), [(1, ["é", "项目"])]),
        # A quoted line end is part of the value, and the rows after it keep their lines.
        (b'a,"x\ny"\nb,c\n', [(1, ["a", "x\ny"]), (3, ["b", "c"])]),
        (b'a,"x\r\n\r\ny",z\r\nb\r\n', [(1, ["a", "x\r\n\r\ny", "z"]), (4, ["b"])]),
        (b'"a\nb",x"y\nc\n', [(1, "stray-quote 2:4"), (3, ["c"])]),
        (b'"a\tb"\n', [(1, "control-character 1:1")]),
        # A quote that is never closed costs only its own row.
        (b'a,b\n"1,2\n3,4\n', [(1, ["a", "b"]), (2, "unclosed-quote 2:1"), (3, ["3", "4"])]),
        (b'a,b\n1,"2', [(1, ["a", "b"]), (2, "unclosed-quote 2:3")]),
        (b'"a\n"b\n', [(1, "unclosed-quote 1:1"), (2, "unclosed-quote 2:1")]),
        (b'a,b\n1,"2\n3,"4"\n5,6\n', [(1, ["a", "b"]), (2, "unclosed-quote 2:3"), (3, ["3", "4"]), (4, ["5", "6"])]),
        (
            b'a,b\n"1,2\n3,4"\n5,6\n',
            [(1, ["a", "b"]), (2, "unclosed-quote 2:1"), (3, "stray-quote 3:3"), (4, ["5", "6"])],
        ),
        (b'a,"b\r\n1,2\r\n"3",4\r\n', [(1, "unclosed-quote 1:3"), (2, ["1", "2"]), (3, ["3", "4"])]),
        # Doubled quotes and line ends in one value.
        (b'a,"say ""hi"" and\nbye"\n', [(1, ["a", 'say "hi" and\nbye'])]),
        (b'a,"""x\r\n""\r\n""y""","""\n"""\r\nb,c\r\n', [(1, ["a", '"x\r\n"\r\n"y"', '"\n"']), (5, ["b", "c"])]),
        (
            b'a,b\n"x\ny",1\nz,"2\n"u\nv",3\n',
            [(1, ["a", "b"]), (2, ["x\ny", "1"]), (4, "unclosed-quote 4:3"), (5, ["u\nv", "3"])],
        ),
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


LONG_VALUE = b"short\n" * (MAX_ROW_BYTES // 4)


@pytest.mark.parametrize("last", [b'x",6', b'x",6,,', b'x ""y"" z",6'])
def test_a_long_value_over_many_lines_costs_one_row(last: bytes) -> None:
    value = b'1,2,3,4,"' + LONG_VALUE + last
    content = WIDE.encode() + b"\n" + value + b"\n1,2,3,4,5,6\n"
    lines = content.count(b"\n")
    assert rows_of(content) == [(1, WIDE.split(",")), (2, "overlong-row 2:1"), (lines, list("123456"))]
    one = list(read_rows(io.BytesIO(content)))[1]
    assert b"".join((one.raw, *one.rest)) == value


@pytest.mark.parametrize("last", [b"x", b'x",6,7', b'x"y', b"1,2,3,4,5,6", b'1,2,3,4,"",6'])
def test_a_stray_quote_before_many_lines_costs_only_its_row(last: bytes) -> None:
    content = WIDE.encode() + b'\n1,2,3,4,"' + LONG_VALUE + last + b'\n1,2,3,4,5,"6"\n'
    lines = content.count(b"\n")
    found = rows_of(content)
    assert found[:3] == [(1, WIDE.split(",")), (2, "unclosed-quote 2:9"), (3, ["short"])]
    assert (len(found), found[-1]) == (lines, (lines, list("123456")))


def test_a_file_of_lone_carriage_returns_is_read_in_pieces() -> None:
    line = "y" * 999
    rows = rows_of((line + "\r").encode() * 6_000)
    assert rows == [(number, [line]) for number in range(1, 6_001)]


def test_a_stray_quote_far_from_the_end_costs_one_row() -> None:
    content = b'"a\n' + b"b\n" * 10_000
    assert rows_of(content) == [(1, "unclosed-quote 1:1"), *((number, ["b"]) for number in range(2, 10_002))]


def test_every_stray_quote_costs_its_own_row() -> None:
    assert rows_of(b'x,"a\n' * 4) == [(line, f"unclosed-quote {line}:3") for line in range(1, 5)]


def test_a_stray_quote_before_many_doubled_quotes_is_found_in_time() -> None:
    content = b'x,y\n"a,b\n' + b'1,""\n' * 200_000
    assert len(rows_of(content)) == 200_002


WIDE = "a,b,c,d,e,f"
_QUIET = [(number, list("123456")) for number in range(3, 9)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("last", "rows"),
    [
        # Wherever the later quote is, the rows in between are rows.
        ('1,2,3,4,5,"\nfoo"', [(9, ["1", "2", "3", "4", "5", "\nfoo"])]),
        ('1,2,3,4,5,"\n"', [(9, ["1", "2", "3", "4", "5", "\n"])]),
        ('1,2,3,4,5,"ok"', [(9, ["1", "2", "3", "4", "5", "ok"])]),
        ('1,2,3,4,5,a"', [(9, "stray-quote 9:11")]),
        ('"lost"" x",2,3,4,5,6', [(9, ['lost" x', "2", "3", "4", "5", "6"])]),
        ('1,"",3,4,5,6\n1,2,3,4,5,"\n"', [(9, ["1", "", "3", "4", "5", "6"]), (10, ["1", "2", "3", "4", "5", "\n"])]),
    ],
)
def test_rows_are_never_the_inside_of_a_value(last: str, rows: list[tuple[int, list[str] | str]], end: str) -> None:
    text = "\n".join([WIDE, '1,2,3,4,5,"lost', *["1,2,3,4,5,6"] * 6, last, ""])
    found = rows_of(text.replace("\n", end).encode())
    shown = [
        (number, row if isinstance(row, str) else [cell.replace("\r", "") for cell in row]) for number, row in found
    ]
    assert shown == [(1, WIDE.split(",")), (2, "unclosed-quote 2:11"), *_QUIET, *rows]


LOST = ["j-3", "j-1", "j-9", "j-3 j-6"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize(
    ("end", "packed", "more"), [("\n", False, 0), ("\r\n", False, 0), ("\r\n", True, 0), ("\n", False, 30_000)]
)
def test_a_stray_quote_costs_only_its_row(
    engine: EngineName, lost: str, end: str, packed: bool, more: int, tmp_path: Path
) -> None:
    tags = {f"j-{number}": "plain" for number in range(1, 10)} | {"j-9": '"news, daily"', "j-2": '"two\nlines"'}
    tags |= {"j-5": '"say ""hi"" and\nbye"'}
    tags |= dict.fromkeys(lost.split(), '"lost')
    rows = [row(job_id=job, tag_project=tag) for job, tag in tags.items()]
    rows += [row(job_id=f"k-{number}") for number in range(more)]
    text = usage_text(rows).replace("\n", end)
    lines = text.split(end)
    one = source(tmp_path / "usage.csv", text)
    if packed:
        one = source(tmp_path / "usage.csv.gz", gzip.compress(text.encode()))
    result = metered([one], options=MeterOptions(engine=engine, bill_good_rows=True, tags=("tag_project",)))
    expected = []
    for job in lost.split():
        number = next(at for at, line in enumerate(lines, 1) if line.startswith(f"{job},"))
        expected.append((f"{one.name}:{number}:{lines[number - 1].index(chr(34)) + 1}", "U112"))
    assert places(result.problems) == expected
    assert (result.rows_read, result.rows_rejected) == (9 + more, len(expected))
    assert ('say "hi" and' + end + "bye",) in {group.key.tags for group in result.groups}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stray_quote_in_the_header_is_reported_there(engine: EngineName, tmp_path: Path) -> None:
    text = usage_text([row(), row(job_id='"j-2"')]).replace("region", '"region', 1)
    report = problems_of([source(tmp_path / "usage.csv", text)], options=MeterOptions(engine=engine))
    assert places(report) == [("usage.csv:1:28", "U112")]


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
    one = next(read_rows(io.BytesIO(content)))
    assert one.position(index) == place


def test_ignored_columns_may_contain_anything(tmp_path: Path) -> None:
    header = "job_id,completed_at,region,item,codec,width,height,quantity,unit,title"
    start = "2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264,1920,823,10,minute"
    content = f'{header}\na,{start},"He said ""hi"", twice"\nb,{start},"two\nlines"\nc"d,{start},a "b"\n'
    for engine in ENGINES:
        options = MeterOptions(engine=engine, ignore_extra_columns=True, bill_good_rows=True)
        results = metered([source(tmp_path / "usage.csv", content)], options=options)
        assert (results.rows_read, results.rows_rejected) == (3, 1), engine
        assert places(results.problems) == [("usage.csv:5:1", "U113")], engine


def test_quoted_values_may_contain_quotes_commas_and_line_ends(tmp_path: Path) -> None:
    header = "job_id,completed_at,region,item,codec,width,height,quantity,unit,tag_title"
    start = "2023-11-10T11:20:00+08:00,cn-shanghai,transcoding,H264,1920,823,10,minute"
    rows = [f'"a,""1""",{start},"He said ""hi"""', f'b,{start},"two\nlines"', f"c,{start},plain", f"d,{start},plain"]
    for engine in ENGINES:
        # A repeat is the same record, and the line of a bad row counts quoted line ends.
        content = "\n".join([header, *rows, rows[0], rows[1], f"e,{start.replace(',10,', ',1e1,')},x"]) + "\n"
        options = MeterOptions(engine=engine, tags=("tag_title",), bill_good_rows=True)
        results = metered([source(tmp_path / "usage.csv", content)], options=options)
        assert (results.rows_read, results.rows_rejected) == (7, 1), engine
        assert places(results.problems) == [("usage.csv:10:67", "U203")], engine
        found = {group.key.tags: group.records for group in results.groups}
        assert found == {('He said "hi"',): 1, ("two\nlines",): 1, ("plain",): 2}, engine
        assert results.rows_duplicate == 2, engine


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bad", [False, True])
def test_lines_of_commas_are_not_rows(engine: EngineName, bad: bool, tmp_path: Path) -> None:
    rows = [",,,", row(), "," * 12, "," * 30, row(job_id="j-2", unit="furlong" if bad else "minute"), "," * 12]
    one = source(tmp_path / "usage.csv", ",,\n" + usage_text(rows))
    result = metered([one], options=MeterOptions(engine=engine, bill_good_rows=True))
    assert (result.rows_read, result.rows_rejected) == (2, int(bad))
    assert places(result.problems) == ([("usage.csv:7:75", "U303")] if bad else [])
