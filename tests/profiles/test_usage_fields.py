"""Converting foreign values to columns of usage."""

from __future__ import annotations

import io
import json

import pytest

from mps_bill.profiles.json_documents import read_documents
from mps_bill.profiles.json_records import Answer, JsonRecord, records_of
from mps_bill.profiles.profile_model import Profile
from mps_bill.profiles.usage_fields import skipped, usage_fields
from tests.kit import read_profile

HEAD = "format: mps-bill/profile/1\nid: own\nname: own\nrecords: D[]\ncolumns:\n  "


def profile(columns: str, more: str = "") -> Profile:
    found, problems = read_profile(f"{HEAD}{columns}\n{more}", "own.yaml")
    assert found, problems
    return found


def record(**values: object) -> JsonRecord:
    (document,) = read_documents(io.StringIO(json.dumps({"Interval": "day", "D": [values]})))
    (found,) = records_of([Answer(document, document.span)], ("D", "[]"))
    assert isinstance(found, JsonRecord)
    return found


def value(columns: str, **values: object) -> str:
    (text,), troubles = usage_fields(record(**values), profile(columns))
    assert not troubles
    return text


def trouble(columns: str, **values: object) -> str:
    _, (found,) = usage_fields(record(**values), profile(columns))
    return f"{found.kind.slug}: {found.message}"


@pytest.mark.parametrize(
    ("column", "given", "expected"),
    [
        ("quantity: A", "1.500", "1.500"),
        ("quantity: A", 1.25, "1.25"),
        ("spec: A", "H264.HD\n", "H264.HD"),
        ("spec: {field: A, default: Audio}", "", "Audio"),
        ("spec: {field: A, default: Audio}", None, "Audio"),
        ("spec: {fields: [B, A]}", "x", "x"),
        ("spec: {constant: Audio}", "x", "Audio"),
        ("codec: {field: A, map: {hevc: H265, aac: ''}}", "hevc", "H265"),
        ("codec: {field: A, map: {hevc: H265, aac: ''}}", "aac", ""),
        ("completed_at: {field: A, time: epoch-seconds}", 1_699_585_200, "2023-11-10T03:00:00+00:00"),
        ("completed_at: {field: A, time: epoch-seconds}", "0", "1970-01-01T00:00:00+00:00"),
        ("completed_at: {field: A, time: epoch-milliseconds}", "1699585200007", "2023-11-10T03:00:00.007+00:00"),
        ("completed_at: {field: A, time: epoch-milliseconds}", "1699585200000", "2023-11-10T03:00:00+00:00"),
        ("completed_at: {field: A, offset: '+08:00'}", "2023-11-10 11:00", "2023-11-10 11:00+08:00"),
        ("completed_at: {field: A, offset: '+08:00'}", "2023-11-10T11:00:00Z", "2023-11-10T11:00:00Z"),
        ("completed_at: {field: A, offset: '+08:00'}", "no time", "no time"),
        ("tag_x: A", 'say "hi"\r\nand bye', 'say "hi"\r\nand bye'),
        ("output: A", 'a"b', 'a"b'),
    ],
)
def test_values_are_converted_by_the_profile(column: str, given: object, expected: str) -> None:
    assert value(column, A=given) == expected


@pytest.mark.parametrize(
    ("column", "given", "expected"),
    [
        ("spec: A", None, "missing-value: the record has no A"),
        ("spec: {fields: [A, B]}", " ", "missing-value: the record has no A or B"),
        ("spec: A", {"x": 1}, "not-a-value: A is an object"),
        ("spec: A", [1], "not-a-value: A is a list"),
        ("spec: A", True, "not-a-value: A is true or false"),
        ("spec: A", 'a"b', "bad-character"),
        ("unit: A", "a\nb", "bad-character"),
        ("tag_x: A", "a\tb", "bad-character"),
        ("spec: A", "a\u202eb", "bad-character"),
        ("spec: A", "a\ud800", "bad-character"),
        ("codec: {field: A, map: {hevc: H265}}", "hevcc", 'unknown-word: A "hevcc" is not in the map of codec'),
        ("codec: {field: A, map: {hevc: H265}, default: H264}", "vp9", "unknown-word"),
        ("completed_at: {field: A, time: epoch-seconds}", "1699585200000", "bad-unix-time"),
        ("completed_at: {field: A, time: epoch-seconds}", "1.5", "bad-unix-time"),
        ("completed_at: {field: A, time: epoch-seconds}", "-1", "bad-unix-time"),
        ("completed_at: {field: A, time: epoch-seconds}", "99999999999999999999", "bad-unix-time"),
    ],
)
def test_values_without_meaning_are_refused(column: str, given: object, expected: str) -> None:
    assert trouble(column, A=given).startswith(expected)


def test_all_wrong_values_are_reported_at_once() -> None:
    columns = "spec: A\n  codec: {field: B, map: {hevc: H265}}\n  width: C"
    _, troubles = usage_fields(record(A={}, B="x"), profile(columns))
    assert [one.kind.slug for one in troubles] == ["not-a-value", "unknown-word", "missing-value"]


def test_a_text_is_made_from_the_converted_columns() -> None:
    columns = (
        'job_id: {text: "j-{completed_at}-{region}"}\n  completed_at: {field: A, time: epoch-seconds}\n  region: B'
    )
    fields, _ = usage_fields(record(A=0, B="cn-shanghai"), profile(columns))
    assert fields[0] == "j-1970-01-01T00:00:00+00:00-cn-shanghai"


def test_skipped_records_have_a_reason() -> None:
    own = profile("spec: A", "skip: [{field: A, values: [All, Sum], because: it is a sum}]")
    condition = skipped(record(A="Sum"), own)
    assert condition
    assert condition.because == "it is a sum"
    assert skipped(record(A="H264.HD"), own) is None


@pytest.mark.parametrize(("field", "told"), [("^Interval", 1), ("Interval", 0)])
def test_a_requirement_applies_if_its_field_is_present(field: str, told: int) -> None:
    own = profile("spec: A", f"require: [{{field: {field}, values: [hour], because: a day has no hour}}]")
    _, troubles = usage_fields(record(A="x"), own)
    assert [one.kind.slug for one in troubles] == ["unmet-condition"] * told
