"""JSON records: digits as written, places up to the column, several documents in a file."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.profiles import json_documents
from mps_bill.profiles.json_documents import JsonError, read_documents
from mps_bill.profiles.json_records import Answer, JsonRecord, NoRecords, records_of
from mps_bill.profiles.profile_model import parse_path


def records(text: str, steps: tuple[str, ...]) -> list[JsonRecord | NoRecords]:
    return [
        record
        for document in read_documents(io.StringIO(text))
        for record in records_of([Answer(document, document.span)], steps)
    ]


def found(text: str, *steps: str) -> list[JsonRecord]:
    result = records(text, steps)
    assert all(isinstance(record, JsonRecord) for record in result)
    return [record for record in result if isinstance(record, JsonRecord)]


def value_and_place(record: JsonRecord, path: str) -> tuple[object, str]:
    line, column = record.position(parse_path(path))
    return record.value(parse_path(path)), f"{line}:{column}"


NESTED = """{"Interval": "hour",
 "Items": [
  {"At": "t1", "Data": {"Row": [{"N": "a", "V": 1.50}, {"N": "b", "V": 1e3}]}},
  {"At": "t2", "Data": {"Row": []}},
  {"At": "t3", "Data": {"Row": [
    {"N": "c", "V": {"x": [10, 20]}}]}}
]}"""


def test_records_know_their_own_fields_and_those_further_out() -> None:
    a, b, c = found(NESTED, "Items", "[]", "Data", "Row", "[]")
    assert value_and_place(a, "N") == ("a", "3:39")
    assert value_and_place(a, "V") == ("1.50", "3:49")
    assert value_and_place(b, "V") == ("1e3", "3:72")
    assert value_and_place(b, "^At") == ("t1", "3:10")
    assert value_and_place(c, "^^Interval") == ("hour", "1:14")
    assert value_and_place(c, "V.x.1") == ("20", "6:32")
    assert [record.line for record in (a, b, c)] == [3, 3, 6]
    assert a.raw == b'{"N": "a", "V": 1.50}'


def test_a_missing_value_has_the_place_of_the_record() -> None:
    a, *_ = found(NESTED, "Items", "[]", "Data", "Row", "[]")
    for path in ("Missing", "^^^N"):
        assert value_and_place(a, path) == (None, "3:33")


def test_an_obstacle_on_the_path_has_its_own_place() -> None:
    text = '{"Items": [{"N": "a", "V": 1.50, "B": {"C": true, "L": [1], "E": [], "S": " ", "Z": null}}]}'
    (a,) = found(text, "Items", "[]")
    for path, obstacle, name in [
        ("N.deeper", '"a"', "N"),
        ("V.0", '"1.50"', "V"),
        ("B.C.x.y", "true or false", "B.C"),
        ("B.L.x", "a list", "B.L"),
        ("B.L.0.x", '"1"', "B.L.0"),
        ("^Items.x", "a list", "Items"),
    ]:
        value, place = value_and_place(a, path)
        assert str(value) == f"{name} is {obstacle}"
        start = text.index("1]" if name == "B.L.0" else f'"{name[-1]}": ' if name != "Items" else '"Items"')
        start += 0 if name == "B.L.0" else text[start:].index(":") + 2
        assert place == f"1:{start + 1}"
    for path in ("B.E.x", "B.S.x", "B.Z.x"):
        assert value_and_place(a, path) == (None, "1:12")


def test_a_number_keeps_every_digit() -> None:
    digits = "12345678901234567890.000100"
    (record,) = found(f'[{{"V": {digits}}}]', "[]")
    assert record.value(parse_path("V")) == digits


def test_documents_may_follow_each_other() -> None:
    a, b, c = found('{"D": [{"N": 1}]}\n{"D": [{"N": 2}]} \r\n\n {"D": [{"N": 3}]}\n', "D", "[]")
    assert [value_and_place(one, "N") for one in (a, b, c)] == [("1", "1:14"), ("2", "2:14"), ("3", "4:15")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"X": 1}', (1, 1)),
        ('{"D": null}', (1, 1)),
        ("[]", (1, 1)),
        ('\n {"D": "x"}', (2, 8)),
    ],
)
def test_a_path_that_leads_nowhere_is_reported_with_its_place(text: str, place: tuple[int, int]) -> None:
    (record,) = records(text, ("D", "[]"))
    assert record == NoRecords(*place)


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ('{"D": [\n  {"N": 1,}]}', 2, 11, "not valid JSON"),
        ('{"D": []}\n{"D": [', 2, 8, "not valid JSON"),
        ('\n  {"A": 1, "A": 2}', 2, 3, 'duplicate key "A"'),
        ("[" * 100_000, 1, 1, "too deeply"),
    ],
)
def test_text_that_is_not_json_is_reported_with_its_place(text: str, line: int, column: int, part: str) -> None:
    with pytest.raises(JsonError, match=part) as caught:
        records(text, ("D", "[]"))
    assert (caught.value.line, caught.value.column) == (line, column)


@given(st.lists(st.dictionaries(st.sampled_from("ABC"), st.integers() | st.text() | st.lists(st.none(), max_size=2))))
def test_any_records_are_read_as_the_decoder_reads_them(rows: list[dict[str, object]]) -> None:
    text = json.dumps({"Other": {"D": [1]}, "D": rows}, indent=1)
    lines = text.split("\n")
    for row, record in zip(rows, found(text, "D", "[]"), strict=True):
        for name, value in row.items():
            seen, place = value_and_place(record, name)
            assert seen == (str(value) if isinstance(value, int) else value)
            if value != []:
                line, column = map(int, place.split(":"))
                assert lines[line - 1][column - 1 :].startswith(json.dumps(value)[:1])


def test_a_document_larger_than_a_chunk_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_documents, "_CHUNK", 7)
    a, b = found(NESTED.replace('"c"', '"ü\\u00fc"') + NESTED, "Items", "[]")[2], found(NESTED, "Items", "[]")[2]
    assert value_and_place(a, "At") == value_and_place(b, "At") == ("t3", "5:10")
