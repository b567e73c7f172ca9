"""Problems are values; text from files is harmless when it is shown."""

from __future__ import annotations

import pytest

from mps_bill.core.diagnostics import (
    InputRejected,
    Kind,
    Place,
    Problem,
    ProblemLog,
    in_order,
    near_miss,
    one_of,
    printable,
    quoted,
    unknown,
)
from mps_bill.view.reading_report import problem_lines

BAD = Kind("T101", "bad")
WORSE = Kind("T102", "worse")
WORST = Kind("T103", "worst")


def problem(line: int, kind: Kind = BAD, message: str = "it is wrong", column: int = 3) -> Problem:
    return Problem(Place("a.csv", line, column), kind, message)


def test_a_problem_starts_with_its_place_and_ends_with_its_kind() -> None:
    assert str(problem(7)) == "a.csv:7:3: it is wrong [T101 bad]"
    assert str(Place("a.csv", 7)) == "a.csv:7"
    assert str(Place("a.csv")) == "a.csv"


def test_problems_are_in_order_of_place_each_once() -> None:
    second, first, tenth = problem(2, column=9), problem(2), problem(10)
    assert in_order([tenth, second, first, second]) == (first, second, tenth)


def test_a_log_counts_all_and_keeps_the_first() -> None:
    log = ProblemLog(2)
    log.add([problem(1), problem(2)])
    log.add([problem(3), problem(4, WORSE), problem(5, WORSE)])
    report = log.report()
    assert report.shown == (problem(1), problem(4, WORSE))
    assert report.firsts == (problem(1), problem(4, WORSE))
    assert dict(report.counts) == {BAD: 3, WORSE: 2}
    assert report.total == 5


def test_equal_problems_are_one_group_and_hide_no_other() -> None:
    log = ProblemLog(3)
    log.add([problem(line) for line in (38, 46, 113, *range(200, 289))])
    log.add([problem(46, message="a typo"), problem(9, WORSE), problem(12, WORSE)])
    report = log.report()
    assert [(group.first.place.line, group.count, group.lines) for group in report.groups] == [
        (9, 2, (9, 12)), (38, 92, (38, 46, 113)), (46, 1, (46,)),
    ]  # fmt: skip
    assert list(problem_lines(report)) == [
        "a.csv:9:3: it is wrong [T102 worse] (2 rows, at lines 9, 12)",
        "a.csv:38:3: it is wrong [T101 bad] (92 rows, first at lines 38, 46, 113)",
        "a.csv:46:3: a typo [T101 bad]",
    ]


def test_one_of_every_kind_is_listed_before_a_second_of_any() -> None:
    log = ProblemLog(3)
    log.add([problem(line, message=f"other {line}") for line in range(1, 50)])
    log.add([problem(60, WORSE), problem(61, WORST)])
    report = log.report()
    assert report.shown == (problem(1, message="other 1"), problem(60, WORSE), problem(61, WORST))
    assert list(problem_lines(report))[3:5] == [
        "... and 48 more problems. In all:",
        "  49 of T101 bad, first at a.csv:1:3",
    ]


def test_equal_problems_of_two_files_and_without_lines_are_two_groups() -> None:
    log = ProblemLog(5)
    log.add(Problem(Place(name), BAD, "it is wrong") for name in ("a.csv", "b.csv", "a.csv"))
    assert list(problem_lines(log.report())) == [
        "a.csv: it is wrong [T101 bad] (2 rows)",
        "b.csv: it is wrong [T101 bad]",
    ]


def test_rejected_input_carries_every_problem() -> None:
    rejected = InputRejected([problem(2), problem(1)])
    assert rejected.report.shown == (problem(1), problem(2))
    assert rejected.report.total == 2


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("transcodin", '; did you mean "transcoding"?'),
        ("TRANSCODING", '; did you mean "transcoding"?'),
        ("revue", '; did you mean "review"?'),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_near_misses(word: str, said: str) -> None:
    assert near_miss(word, ["transcoding", "review"]) == said


def test_an_unknown_word_comes_with_a_similar_one_or_what_is_expected() -> None:
    assert unknown("unit", "minuts", ["second", "minute"]) == 'unknown unit "minuts"; did you mean "minute"?'
    assert unknown("unit", "x", ["second"], where=" of review") == 'unknown unit "x" of review; expected second'
    assert unknown("unit", "x", ["second", "minute"]) == 'unknown unit "x"; expected second or minute'
    assert unknown("unit", "x", ["a1", "b1", "c1"]) == 'unknown unit "x"; expected one of a1, b1 or c1'
    assert unknown("unit", "x", []) == 'unknown unit "x"'


SPECS = [
    *(f"SuperResolution.{kind}.{size}" for kind in ("Standard", "Pro") for size in ("HD", "2K", "4K", "8K")),
    *(f"{codec}.{size}" for codec in ("H264", "H265") for size in ("LD", "SD", "HD", "2K", "4K")),
    *("editing_basic", "editing_advanced", "volume_normalisation_pro", "hdr_standard"),
    *("HD", "SD", "NetworkOut.OffPeak", "narrowband_hd_1", "us-west-1", "GB", "TB", "frame"),
]


@pytest.mark.parametrize(
    "word",
    ["SuperResolution.Standard.1080P", "SuperResolution.Standard.16K", "SuperResolution.Por.2K", "SuperResolution.Plus.8K",
     "H265.8K", "H265.FHD", "H264.UHD", "H266.HD", "H264.LQ", "H264", "FHD", "QHD", "NetworkOut.Peak", "narrowband_hd_2",
     "narrowband_hd", "us-west-2", "KB", "H264.HD.NarrowBandHDV1",
     "editing_pro", "editing", "volume_normalisation_std", "hdr_pro"],
)  # fmt: skip
def test_a_spec_with_another_price_is_never_proposed(word: str) -> None:
    assert near_miss(word, SPECS) == ""


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("superresolution.standrd.2k", "SuperResolution.Standard.2K"),
        ("h265.hd", "H265.HD"),
        ("H.265-HD", "H265.HD"),
        ("NetworkOut.OfPeak", "NetworkOut.OffPeak"),
        ("narowband_hd_1", "narrowband_hd_1"),
        ("editing_basik", "editing_basic"),
        ("frames", "frame"),
        ("us-west-l", "us-west-1"),
        ("H264.HDD", "H264.HD"),
    ],
)
def test_a_misspelt_part_of_a_spec_is_proposed(word: str, meant: str) -> None:
    assert near_miss(word, SPECS) == f'; did you mean "{meant}"?'


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "nothing"), (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")],
)
def test_lists_of_what_is_allowed(words: list[str], said: str) -> None:
    assert one_of(words) == said


def test_a_long_list_is_shortened() -> None:
    assert one_of([str(number) for number in range(20)], maximum=3) == "0, 1, 2, ... (20 in all)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", '"plain"'),
        ("\x1b[31mred", '"\\x1b[31mred"'),
        ("a\x00b", '"a\\x00b"'),
        ("a\nb\r\tc", '"a\\nb\\r\\tc"'),
        ("\u202egpj.exe", '"\\u202egpj.exe"'),
        ("\u200b\ufeff", '"\\u200b\\ufeff"'),
        ("\x9b31m\x7f", '"\\x9b31m\\x7f"'),
        ("\u2028", '"\\u2028"'),
        ("\udcff", '"\\udcff"'),
        ("项目 ☃ é", '"项目 ☃ é"'),
        ("x" * 100, '"' + "x" * 57 + '..."'),
    ],
)
def test_text_from_files_is_shown_harmless(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_printable_text_stays_as_it_is() -> None:
    assert printable("[red]x[/red] 项目") == "[red]x[/red] 项目"
