"""The words of bills: the shipped mapping, a user's own over it, and what is refused in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.core.units import UNITS
from mps_bill.price_sheet.load_sheets import load_price_book
from mps_bill.price_sheet.regions import KNOWN
from mps_bill.reconcile.export_mapping import ItemName, folded, load_mapping, special_value
from tests.reconcile.exports import read_mapping

HEAD = "format: mps-bill/bill-mapping/1\nid: own\n"


def test_the_shipped_mapping_names_what_the_shipped_sheets_have() -> None:
    mapping, problems = load_mapping([])
    assert mapping, problems
    book, sheet_problems = load_price_book(["mps-china"])
    assert book, sheet_problems
    specs = {(item.code, spec) for item in book.items for spec in item.prices}
    assert {(name.item, name.spec) for name in mapping.items.values()} <= specs
    assert set(mapping.regions.values()) <= KNOWN
    assert set(mapping.products.values()) == {"mps"}


@pytest.mark.parametrize("code", ["SuperResolution.Standard.1080P", "SuperResolution.Standard.HD"])
def test_super_resolution_in_hd_has_the_code_of_metering_and_that_of_the_sheets(code: str) -> None:
    mapping, problems = load_mapping([])
    assert mapping, problems
    assert mapping.items[folded(code)] == ItemName("super_resolution_standard", "SuperResolution.Standard.HD")


def test_a_users_mapping_is_laid_over_the_shipped_one(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"{HEAD}items: {{h264.hd: {{item: own, spec: X}}}}\nunits: {{千次: request}}\n")
    mapping, problems = load_mapping([str(file)])
    assert mapping, problems
    assert mapping.items[folded("H264.HD")] == ItemName("own", "X")
    assert mapping.items[folded("H264.SD")] == ItemName("transcoding", "H264.SD")
    assert mapping.unit("千次") == UNITS["request"]


def test_names_are_looked_up_without_regard_to_width_and_case() -> None:
    mapping, _ = load_mapping([])
    assert mapping
    assert mapping.regions[folded(" 华东2(上海) ")] == "cn-shanghai"
    assert mapping.regions[folded("华东2（上海）")] == "cn-shanghai"


@pytest.mark.parametrize(
    ("instance", "special"),
    [
        ("17;cn-beijing;ram-23;5x", "5x"),
        ("17;cn-beijing;admin-17", ""),
        ("17;cn-beijing;porn", "porn"),
        ("17", ""),
        ("", ""),
        ("17;cn-beijing;ram-23;H266.4K;5x", "H266.4K;5x"),
    ],
)
def test_the_special_value_of_an_instance_id(instance: str, special: str) -> None:
    assert special_value(instance) == special


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("regions: {Shanghai: Shanghai}", '"Shanghai" is not a region id; write one such as cn-shanghai'),
        ("units: {分: minuet}", 'unknown unit "minuet"; did you mean "minute"?'),
        ("items: {A: {item: x}}", 'missing key "spec" in billing item'),
        ("items: {A: {item: x, spec: B}, a: {item: y, spec: B}}", 'duplicate name "a" with another meaning'),
        ("itmes: {}", 'did you mean "items"?'),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(text: str, message: str) -> None:
    mapping, problems = read_mapping(f"{HEAD}{text}\n", "own.yaml")
    assert mapping is None
    assert any(message in problem.message and problem.place.line == 3 for problem in problems), problems


def test_a_mapping_that_cannot_be_read_is_told() -> None:
    mapping, problems = load_mapping(["no-such.yaml"])
    assert mapping is None
    assert [str(problem) for problem in problems] == [
        "no-such.yaml: it cannot be read: No such file or directory [R301 unreadable-mapping]"
    ]
