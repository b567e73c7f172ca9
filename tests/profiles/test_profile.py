"""Reading profiles: their contents, and every problem with its place."""

from __future__ import annotations

import pytest

from mps_bill.metering.usage_columns import COLUMNS
from mps_bill.profiles.profile_definition import load_profile, shipped_profiles
from mps_bill.profiles.profile_model import Evidence, FieldPath, Profile, parse_path
from tests.kit import read_profile

GOOD = """\
format: mps-bill/profile/1
id: own
name: Our log
records: Data[].Rows[]
skip: [{field: Kind, values: [sum], because: it is a sum}]
columns:
  job_id: {text: "own-{completed_at}-{region}"}
  completed_at: {field: ^Time, time: epoch-seconds}
  region: {constant: cn-shanghai}
  item: {field: Kind, map: {a: transcoding}, default: transcoding}
  quantity: {fields: [Length, Duration]}
  unit: {constant: minute}
  tag_show: Show
"""


def good() -> Profile:
    profile, problems = read_profile(GOOD, "own.yaml")
    assert profile
    assert not problems
    return profile


def problems_of(text: str) -> list[str]:
    profile, problems = read_profile(text, "own.yaml")
    assert profile is None
    return [f"{problem.place.line}:{problem.place.column} {problem.kind.slug}" for problem in problems]


def test_columns_are_in_the_order_of_the_documentation() -> None:
    names = good().column_names
    assert names == ("job_id", "completed_at", "region", "item", "quantity", "unit", "tag_show")
    assert good().with_constants({"output": "x"}).column_names[:2] == COLUMNS[:2]


def test_records_are_steps() -> None:
    assert good().records == ("Data", "[]", "Rows", "[]")
    assert read_profile(GOOD.replace("Data[].Rows[]", '"[]"'), "x")[0].records == ("[]",)  # type: ignore[union-attr]


def test_a_field_is_a_name_and_a_path() -> None:
    assert parse_path("^^A.b.0") == FieldPath("^^A.b.0", 2, ("A", "b", "0"))


def test_constants_take_precedence_over_the_profile() -> None:
    profile = good().with_constants({"region": "us-west-1", "status": "success"})
    assert [column.constant for column in profile.columns if column.name in ("region", "status")] == [
        "us-west-1",
        "success",
    ]


def test_an_offset_applies_to_a_column_without_one() -> None:
    (column,) = (column for column in good().with_offset(28_800).columns if column.name == "completed_at")
    assert column.offset == 28_800


def test_the_columns_that_usage_and_texts_need_are_missing() -> None:
    text = GOOD.replace("  unit: {constant: minute}\n", "").replace("{region}", "{region}-{spec}")
    profile, _ = read_profile(text, "own.yaml")
    assert profile
    assert profile.missing_columns == ("unit", "spec")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("profile/1", "profile/2", "1:9 unknown-format"),
        ("region: {constant", "regoin: {constant", "9:3 unknown-column"),
        ("time: epoch-seconds", "time: epoch", "8:38 unknown-time"),
        ("{region}", "{regoin}", "7:18 bad-template"),
        ("own-{completed_at}-{region}", "own", "7:18 bad-template"),
        ("Data[].Rows[]", "Data.Rows", "4:10 bad-path"),
        ("{constant: minute}", "{constant: minute, default: hour}", "12:3 unused-key"),
        ("default: transcoding}", "time: iso}", "10:3 unused-key"),
        ("{fields: [Length, Duration]}", "{fields: [Length], field: Length}", "11:32 conflicting-keys"),
        ("because: it", "becuase: it", "5:37 unknown-key"),
    ],
)
def test_mistakes_have_their_place(old: str, new: str, expected: str) -> None:
    assert GOOD.count(old) == 1
    assert problems_of(GOOD.replace(old, new)) == [expected]


def test_all_mistakes_are_reported_at_once() -> None:
    text = GOOD.replace("time: epoch-seconds", "time: epoch").replace("unit: {", "unti: {")
    assert problems_of(text) == ["8:38 unknown-time", "12:3 unknown-column"]


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_profiles_are_sound(name: str) -> None:
    profile, problems = load_profile(name)
    assert not problems
    assert profile
    assert profile.id == name
    assert profile.notes
    assert set(profile.missing_columns) <= {"region"}


def test_an_unknown_profile_has_a_near_miss() -> None:
    profile, (problem,) = load_profile("mps-joblist")
    assert profile is None
    assert 'did you mean "mps-job-list"?' in problem.message


def test_a_missing_profile_is_a_problem(tmp_path) -> None:  # type: ignore[no-untyped-def]
    profile, (problem,) = load_profile(str(tmp_path / "own.yaml"))
    assert profile is None
    assert problem.kind.slug == "no-such-profile"


def test_evidence_absent_values_and_completeness() -> None:
    own = (
        GOOD.replace(
            "item: {field: Kind,",
            'item: {if_any: {fields: [Size, Stream], absent: ["0"], value: video}, absent: ["-"], field: Kind,',
        )
        + "next_page: Next.Token\nrefuse: [{field: Missing, because: it is not there}]\nsums_of: hour\n"
    )
    profile, problems = read_profile(own, "own.yaml")
    assert profile, problems
    item = next(column for column in profile.columns if column.name == "item")
    assert item.if_any == Evidence((parse_path("Size"), parse_path("Stream")), "video", ("0",))
    assert item.absent == ("-",)
    assert profile.field_names >= {"Size", "Stream", "Kind", "Show"}
    assert profile.next_page == parse_path("Next.Token")
    assert [(one.field.name, one.because) for one in profile.refuse] == [("Missing", "it is not there")]
    assert profile.sums_of == "hour"


def test_evidence_without_a_field_does_nothing() -> None:
    own = GOOD.replace(
        "{constant: cn-shanghai}", "{constant: cn-shanghai, if_any: {fields: [A], value: b}, absent: [c]}"
    )
    assert problems_of(own) == ["9:3 unused-key", "9:3 unused-key"]


def test_sums_are_of_hours_only() -> None:
    assert problems_of(GOOD + "sums_of: day\n") == ["14:10 unknown-time"]
