"""Two sets of sheets: the pairs, the new sheets, and the removed sheets."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mps_bill.core.language import language
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.price_sheet.sheet_sets import SetDiff, diff_sets
from mps_bill.price_sheet.table import regions_of
from tests.invalid.gallery import GOOD as GOOD_FILE
from tests.kit import read_sheet

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


def day(second: int) -> str:
    return A.billing.calendar.day(second)


def files(pairs: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(pair.old.place.file, pair.new.place.file) for pair in pairs]  # type: ignore[attr-defined]


def test_one_sheet_is_compared_with_one_whatever_their_ids() -> None:
    assert files(diff([A], [B]).pairs) == [("a", "b")]
    assert diff([A], [B]).lone


def test_several_sheets_are_paired_by_id_and_start() -> None:
    found = diff([A, B], [B, A])
    assert files(found.pairs) == [("b", "b"), ("a", "a")]
    assert not found


def test_a_new_version_is_compared_with_the_one_before_it() -> None:
    found = diff([A, B], [A, B, NEXT])
    assert [one.place.file for one in found.added] == ["a-2025"]
    assert files(found.following) == [("a", "a-2025")]
    assert [rate.ratio for rate in found.moved] == [Fraction(2)]


def test_a_version_with_another_start_is_still_that_version() -> None:
    found = diff([A, B], [NEXT, B])
    assert files(found.pairs) == [("a", "a-2025"), ("b", "b")]
    assert (found.added, found.removed) == ((), ())


def test_a_removed_sheet() -> None:
    found = diff([A, B], [A])
    assert found.lone is None
    assert ([one.id for one in found.removed], list(found.changed)) == (["other"], [])
    assert found


def test_sheets_of_two_currencies_are_not_compared() -> None:
    found, problems = diff_sets(("old", "new"), [A], [sheet("c", ("USD", "CNY"))])
    assert found is None
    assert [problem.kind.code for problem in problems] == ["P408"]


def test_derived_prices_follow_or_change_by_themselves() -> None:
    (one,) = diff([A], [sheet("n", ("0.0099", "0.0109"))]).changed
    assert [(item.code, item.follows) for item in one.items] == [("transcoding", False), ("narrowband", True)]
    assert [rate.spec for rate in one.moved] == ["H264.HD"]
    (one,) = diff([A], [sheet("n", ("times: 3", "times: 2.8"))]).changed
    assert [(item.code, item.follows, len(item.rates)) for item in one.items] == [("narrowband", False, 8)]


def test_a_source_that_was_read_again_is_a_change() -> None:
    (one,) = diff([A], [sheet("n", ("read_on: 2026-11-23", "read_on: 2026-11-25"))]).changed
    assert [word.what for word in one.words] == ["source page"]
    with language("zh"):
        assert [word.new for word in one.words] == ["2026-11-25 读自 https://example.com/prices：all prices"]


# ---- Lost prices --------------------------------------------------------------------------------------------------------

START, YEAR, LATER = "2024-04-01T", "2025-04-01T", "2026-04-01T"
ENDS = ("site: international", "effective_to: 2025-04-01T00:00:00+08:00\nsite: international")
NEXT_ENDS = sheet("a-2025", (START, YEAR), ("site: i", f"effective_to: {LATER}00:00:00+08:00\nsite: i"))
SOON = sheet("a", ("site: i", "effective_to: 2024-10-01T00:00:00+08:00\nsite: i"))
KMS = sheet("b", ("id: studio", "id: other"), ("product: mps", "product: kms"))
CHINA = sheet("c", ("site: international", "site: china"))
LAST = sheet("a-2026", (START, LATER), ('"*": 0.0021', '"*": 0.0042'))


@pytest.mark.parametrize(
    ("old", "new", "ended"),
    [
        # The last version is deleted, and the one before it ends: prices are lost forever.
        ([sheet("a", ENDS), NEXT], [sheet("a", ENDS)], [("2025-04-01", None, None)]),
        # A version in the middle is deleted: until the next one starts.
        ([sheet("a", ENDS), NEXT, LAST], [sheet("a", ENDS), LAST], [("2025-04-01", "2026-04-01", None)]),
        # Two of them are deleted.
        ([sheet("a", ENDS), NEXT, LAST], [sheet("a", ENDS)], [("2025-04-01", None, None)]),
        # The first one, in the past, is deleted.
        ([A, NEXT], [NEXT], [("2024-04-01", "2025-04-01", None)]),
        # A separate product.
        ([A, KMS], [A], [("2024-04-01", None, None)]),
        # A last version gets an end, and one is postponed to after the end of the one before.
        ([A, NEXT], [A, NEXT_ENDS], [("2026-04-01", None, None)]),
        # An end comes earlier; no version follows, as before.
        ([sheet("a", ENDS), KMS], [SOON, KMS], [("2024-10-01", None, None)]),
        # Both sites of a product lose it.
        ([NEXT, CHINA, KMS], [KMS], [("2024-04-01", None, None), ("2025-04-01", None, None)]),
        ([sheet("a", ENDS), NEXT], [sheet("a", ENDS), sheet("a-2026", (START, LATER))], [("2025-04-01", "2026-04-01", None)]),
        # The version before continues instead, and has everything that the deleted one had, or lacks an item or a spec of it.
        ([A, NEXT], [A], []),
        ([A, sheet("n", (START, YEAR))], [A], []),
    ],
)  # fmt: skip
def test_the_time_from_which_there_is_no_price(
    old: list[PriceSheet], new: list[PriceSheet], ended: list[tuple[str, str | None, None]]
) -> None:
    found = diff(old, new).ended
    days = [
        (day(one.since), None if one.until is None else day(one.until), one.instead and one.instead.ref)
        for one in found
    ]
    assert days == ended
    assert all(one.items == tuple(one.old.items) for one in found)
    assert all({"cn-beijing", "*"} <= set(one.regions) for one in found)
    # Additions are not reported.
    assert diff(new, old).ended == ()


def test_prices_that_the_version_before_lacks() -> None:
    """If an earlier version is in force again, a lost item is named by its code, and a lost spec with its regions."""
    row = "      H265.HD: {mainland: 0.0496, asia: 0.1250}\n"
    older = sheet("a", (row, ""))
    (one,) = diff([older, NEXT], [older]).ended
    assert (day(one.since), one.until, one.instead) == ("2025-04-01", None, older)
    assert one.items == ("transcoding", "narrowband")
    assert set(one.regions) == {"cn-beijing", "cn-shanghai", "ap-southeast-1", "ap-northeast-1"} & set(regions_of(A))


def test_a_file_may_continue_in_another_one() -> None:
    """The versions after a single file are not known, so its end counts as the end of its prices, unless a folder is compared."""
    old, new = [A], [sheet("a", ENDS)]
    for whole in (False, True):
        found, _ = diff_sets(("old", "new"), old, new, whole=whole)
        assert found
        assert [day(one.since) for one in found.ended] == ["2025-04-01"]
    # No prices end with a version that ends when the one before did, or that is open.
    assert diff([sheet("a", ENDS)], [NEXT_ENDS]).ended == diff(new, old).ended == ()


HEAD = ("site: international", "site: international")
ROW = "      H265.HD: {mainland: 0.0496, asia: 0.1250}\n"
ALIASED = ("    sources: [page]", "    spec_aliases: {Video.SD: H264.SD}\n    sources: [page]")
SEGMENTING = '      Segmentation: {"*": 0.0021}'


@pytest.mark.parametrize(
    ("base", "edits", "words"),
    [
        # A row, a price in a row, a region in a group, an item, a name without and with the old one as another spelling.
        (HEAD, [(ROW, "")], "H265.HD of transcoding, H265.HD.Narrow of narrowband in mainland, asia"),
        (HEAD, [(", asia: 0.1250", "")], "H265.HD of transcoding, H265.HD.Narrow of narrowband in asia"),
        (HEAD, [("cn-beijing, cn-shanghai", "cn-beijing")], "transcoding, narrowband, review in cn-shanghai"),
        (HEAD, [("Segmentation", "Cutting")], "Segmentation of transmuxing"),
        (
            HEAD,
            [
                (SEGMENTING, '      Cutting: {"*": 0.0021}'),
                ("spec: Segmentation", "spec: Cutting\n    spec_aliases: {Segmentation: Cutting}"),
            ],
            None,
        ),
        # Another spelling is removed, and one is now that of another spec.
        (ALIASED, [("    spec_aliases: {Video.SD: H264.SD}\n", "")], "Video.SD of transcoding in mainland, asia"),
        (ALIASED, [("Video.SD: H264.SD", "Video.SD: H265.SD")], None),
        # Pictures above the largest size, and a picture that is now billed as the next larger size.
        (HEAD, [("HD: 1920x1080", "HD: 1900x1080")], "H264.HD (1920x1080), H265.HD (1920x1080) of transcoding"),
        (HEAD, [("SD: 1280x720", "SD: 720x576")], None),
        # A price for all other regions, and a separate price instead.
        (HEAD, [(SEGMENTING, "      Segmentation: {mainland: 0.0021}")], "transmuxing in every other region"),
        (HEAD, [(SEGMENTING, "      Segmentation: {\"*\": 0.0021, mainland: 0.003}")], None),
        # Lower, higher, renamed, read again.
        (HEAD, [("0.0021", "0.0020")], None),
        (HEAD, [("0.0021", "0.21")], None),
        (HEAD, [("name: Transmuxing", "name: Cutting")], None),
    ],
)  # fmt: skip
def test_a_price_that_is_lost_in_place(base: tuple[str, str], edits: list[tuple[str, str]], words: str | None) -> None:
    """A price is lost in a single sheet, along with another sheet, in a new version, and when that version is deleted."""
    before, after = sheet("a", base), sheet("a", base, *edits)
    later, lacking = (sheet("l", base, (START, YEAR), *some) for some in ([], edits))
    ways = [
        ([before], [after], "2024-04-01"),
        ([before, KMS], [after, KMS], "2024-04-01"),
        ([before], [before, lacking], "2025-04-01"),
        ([after, later], [after], "2025-04-01"),
        ([before, later], [before, lacking], "2025-04-01"),
    ]
    for old, new, since in ways:
        ended = diff(old, new).ended
        assert [(day(one.since), one.refuses) for one in ended] == ([(since, True)] if words else []), words
        assert all(one.words().startswith(words or "") for one in ended), [one.words() for one in ended]
