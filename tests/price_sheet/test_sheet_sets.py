"""Two sets of sheets: what belongs together, what is new, and what is gone."""

from __future__ import annotations

from fractions import Fraction

from mps_bill.price_sheet.sheet import read_sheet
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.sheet_sets import SetDiff, diff_sets
from tests.invalid.gallery import GOOD as GOOD_FILE

GOOD = GOOD_FILE.read_text()


def sheet(name: str, *edits: tuple[str, str]) -> PriceSheet:
    text = GOOD
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    found, problems = read_sheet(text, name)
    assert found, problems
    return found


def diff(old: list[PriceSheet], new: list[PriceSheet]) -> SetDiff:
    found, problems = diff_sets(("old", "new"), old, new)
    assert found is not None, problems
    return found


A, B = sheet("a"), sheet("b", ("id: studio", "id: other"))
NEXT = sheet("a-2025", ("2024-04-01T", "2025-04-01T"), ('"*": 0.0021', '"*": 0.0042'))


def files(pairs: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(pair.old.place.file, pair.new.place.file) for pair in pairs]  # type: ignore[attr-defined]


def test_one_sheet_is_compared_with_one_whatever_their_ids() -> None:
    assert files(diff([A], [B]).pairs) == [("a", "b")]
    assert diff([A], [B]).lone


def test_of_several_those_of_one_id_and_start_belong_together() -> None:
    found = diff([A, B], [B, A])
    assert files(found.pairs) == [("b", "b"), ("a", "a")]
    assert not found


def test_a_new_version_is_compared_with_the_one_before_it() -> None:
    found = diff([A, B], [A, B, NEXT])
    assert [one.place.file for one in found.added] == ["a-2025"]
    assert files(found.following) == [("a", "a-2025")]
    assert [rate.ratio for rate in found.moved] == [Fraction(2)]


def test_a_version_that_starts_otherwise_is_still_that_version() -> None:
    found = diff([A, B], [NEXT, B])
    assert files(found.pairs) == [("a", "a-2025"), ("b", "b")]
    assert (found.added, found.removed) == ((), ())


def test_a_sheet_that_is_gone() -> None:
    found = diff([A, B], [A])
    assert found.lone is None
    assert ([one.id for one in found.removed], list(found.changed)) == (["other"], [])
    assert found


def test_sheets_of_two_currencies_are_not_compared() -> None:
    found, problems = diff_sets(("old", "new"), [A], [sheet("c", ("USD", "CNY"))])
    assert found is None
    assert [problem.kind.code for problem in problems] == ["P408"]


def test_derived_prices_follow_or_move_by_themselves() -> None:
    (one,) = diff([A], [sheet("n", ("0.0099", "0.0109"))]).changed
    assert [(item.code, item.follows) for item in one.items] == [("transcoding", False), ("narrowband", True)]
    assert [rate.spec for rate in one.moved] == ["H264.HD"]
    (one,) = diff([A], [sheet("n", ("times: 3", "times: 2.8"))]).changed
    assert [(item.code, item.follows, len(item.rates)) for item in one.items] == [("narrowband", False, 8)]


def test_a_source_that_was_read_again_is_a_change() -> None:
    (one,) = diff([A], [sheet("n", ("read_on: 2026-11-23", "read_on: 2026-11-25"))]).changed
    assert [word.what for word in one.words] == ["source page"]
