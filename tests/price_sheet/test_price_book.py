"""Sheets of a run must be consistent in periods, products, items and currency; contradictions are reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mps_bill.core.diagnostics import Problem
from mps_bill.core.times import parse_second
from mps_bill.price_sheet.find import find_sheets, shipped_sheets
from mps_bill.price_sheet.load_sheets import load_price_book
from tests.kit import GOOD_SHEET, changed, marked

START = "2024-04-01T00:00:00+08:00"
NEXT = "2024-05-01T00:00:00+08:00"
LATER = "2024-06-01T00:00:00+08:00"


def _write(folder: Path, *texts: str) -> list[str]:
    """Write the texts as sheets `0.yaml`, `1.yaml`, ..., and return their paths."""
    paths = [folder / f"{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(marked(text)[0], encoding="utf-8")
    return [str(path) for path in paths]


def _edited(*edits: tuple[str, str]) -> str:
    text = GOOD_SHEET
    for old, new in edits:
        text = changed(old, new, text)
    return text


def _other_product(*edits: tuple[str, str]) -> str:
    """Return a sheet of OSS with one item."""
    text = (
        GOOD_SHEET[: GOOD_SHEET.index("  transcoding:")]
        .replace("mps-intl", "oss-intl")
        .replace("product: mps", "product: oss")
    )
    text += "  storage:\n    name: S\n    family: related\n    unit: GB\n    prices: {Storage: {mainland: 0.1}}\n"
    for old, new in edits:
        text = changed(old, new, text)
    return text


def _found(problems: tuple[Problem, ...]) -> list[tuple[str, int, int, str]]:
    return [(Path(at.place.file).name, at.place.line, at.place.column, at.kind.slug) for at in problems]


def test_a_version_ends_where_the_next_of_its_id_starts(tmp_path: Path) -> None:
    paths = _write(tmp_path, _edited((START, NEXT)), GOOD_SHEET, _other_product())
    book, problems = load_price_book(paths)
    assert problems == ()
    assert book is not None
    assert book.currency == "USD"
    assert list(book.versions) == ["mps", "oss"]
    assert [(sheet.effective_from, sheet.effective_to) for sheet in book.versions["mps"]] == [
        (parse_second(START), parse_second(NEXT)),
        (parse_second(NEXT), None),
    ]
    assert book.product_of["review"] == "mps"
    assert book.product_of["storage"] == "oss"
    before, after = book.sheet_at("mps", parse_second(NEXT) - 3600), book.sheet_at("mps", parse_second(NEXT))
    assert before is not None
    assert after is not None
    assert (before.effective_from, after.effective_from) == (parse_second(START), parse_second(NEXT))
    assert book.sheet_at("mps", parse_second(START) - 1) is None


def test_another_id_may_follow_one_that_has_ended(tmp_path: Path) -> None:
    ended = _edited((START, f"{START}\neffective_to: {NEXT}"))
    book, problems = load_price_book(_write(tmp_path, ended, _edited(("mps-intl", "mps-own"), (START, NEXT))))
    assert problems == ()
    assert book is not None
    assert [sheet.id for sheet in book.versions["mps"]] == ["mps-intl", "mps-own"]


@pytest.mark.parametrize(
    ("texts", "slugs"),
    [
        ([GOOD_SHEET, _edited((START, f"§{START}"))], "duplicate-version"),
        ([_edited((START, f"{START}\neffective_to: §{LATER}")), _edited((START, NEXT))], "overlapping-versions"),
        ([GOOD_SHEET, _edited(("mps-intl", "mps-own"), (START, f"§{NEXT}"))], "competing-sheets"),
        ([GOOD_SHEET, _edited(("mps-intl", "mps-own"), (START, f"§{START}"))], "competing-sheets"),
        (
            [
                _edited((START, f"{START}\neffective_to: 2025-01-01T00:00:00+08:00")),
                _edited(("mps-intl", "own"), (START, f"§{NEXT}\neffective_to: {LATER}")),
                _edited(("mps-intl", "own"), (START, f"§{LATER}\neffective_to: 2025-01-01T00:00:00+08:00")),
            ],
            "competing-sheets competing-sheets",
        ),
        (
            [GOOD_SHEET, _edited((START, NEXT), ("billing:", "§billing:"), ("cycle: hour", "cycle: day"))],
            "calendar-mismatch",
        ),
        (
            [GOOD_SHEET, _edited((START, NEXT), ("billing:", "§billing:"), ('"+08:00"', '"+09:00"'))],
            "calendar-mismatch",
        ),
        ([GOOD_SHEET, _other_product(("  storage:", "  §review:"))], "item-in-two-products"),
        ([GOOD_SHEET, _other_product(("USD", "§CNY"))], "mixed-currencies"),
        ([GOOD_SHEET, _other_product(("oss-intl", "mps-intl"), ("product: oss", "product: §oss"))], "reused-id"),
        ([GOOD_SHEET, _edited(("mps-intl", "mps-own"), ("USD", "§CNY"))], "mixed-currencies"),
    ],
)
def test_sheets_that_do_not_fit_together(tmp_path: Path, texts: list[str], slugs: str) -> None:
    places = [(f"{number}.yaml", *place) for number, text in enumerate(texts) for place in marked(text)[1]]
    book, problems = load_price_book(_write(tmp_path, *texts))
    assert book is None
    assert _found(problems) == [(*place, slug) for place, slug in zip(places, slugs.split(), strict=True)]


def test_a_mistake_in_a_sheet_does_not_hide_what_is_wrong_between_sheets(tmp_path: Path) -> None:
    texts = [_edited(("0.0099", "§1e-3")), _edited((START, f"§{START}"))]
    book, problems = load_price_book(_write(tmp_path, *texts))
    assert book is None
    assert [slug for *_, slug in _found(problems)] == ["bad-price", "duplicate-version"]


def test_a_folder_has_its_yaml_files_but_no_cases(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.cases.yaml", "notes.txt"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "deeper.yaml").mkdir()
    files, problems = find_sheets([str(tmp_path)])
    assert problems == ()
    assert [file.path.name for file in files] == ["a.yml", "b.yaml"]


def test_subfolders_are_searched_if_sheets_are_checked(tmp_path: Path) -> None:
    files = {
        "a.yaml": "x",
        "packs.yaml": "format: mps-bill/packs/1",
        "older/2018/b.yaml": GOOD_SHEET,
        "older/broken.yml": "items: [",
        "older/slip.yaml": "format: mps-bill/price-sheets/1",
        "older/next.yaml": 'id: x\nformat: "mps-bill/price-sheet/2"  # newer',
        "older/b.cases.yaml": "format: mps-bill/price-cases/1",
        "packs/packs.yaml": "# Packs\nformat: 'mps-bill/packs/1' # a list",
        "packs/account.yaml": "format:   mps-bill/account/1",
        "packs/README.md": "x",
        ".git/c.yaml": GOOD_SHEET,
        "older/.cache/d.yaml": GOOD_SHEET,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found, problems = find_sheets([str(tmp_path)], subfolders=True)
    assert problems == ()
    assert [file.path.relative_to(tmp_path).as_posix() for file in found] == [
        "a.yaml", "packs.yaml", "older/broken.yml", "older/next.yaml", "older/slip.yaml", "older/2018/b.yaml",
    ]  # fmt: skip
    assert [file.path.name for file in find_sheets([str(tmp_path)])[0]] == ["a.yaml", "packs.yaml"]
    assert find_sheets([str(tmp_path / "packs")], subfolders=True)[0] == find_sheets([str(tmp_path / "packs")])[0]
    # A folder with only subfolders has sheets, too.
    above = tmp_path / "older"
    for name in ("broken.yml", "slip.yaml", "next.yaml"):
        (above / name).unlink()
    assert [file.path.name for file in find_sheets([str(above)], subfolders=True)[0]] == ["b.yaml"]


def test_an_unreadable_subfolder_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text(GOOD_SHEET, encoding="utf-8")
    (tmp_path / "older").mkdir()
    iterdir = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "older":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    # As root, every folder can be read.
    monkeypatch.setattr(Path, "iterdir", refuse)
    files, (problem,) = find_sheets([str(tmp_path)], subfolders=True)
    assert (files, str(problem)) == (
        (),
        f"{tmp_path}/older: the folder cannot be read: Permission denied [P002 unreadable-file]",
    )


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (path,) = _write(tmp_path, GOOD_SHEET)
    files, _ = find_sheets([path, str(tmp_path), os.path.join(tmp_path, ".", "0.yaml")])
    assert [file.name for file in files] == [path]


def test_files_that_cannot_be_found_or_read(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"id: \xff\n")
    (tmp_path / "empty").mkdir()
    book, problems = load_price_book(["mps-int", "nowhere.yaml", str(tmp_path / "empty"), str(bad)])
    assert book is None
    assert sorted(_found(problems)) == [
        ("bad.yaml", 1, 5, "not-utf-8"),
        ("empty", 0, 0, "no-sheets"),
        ("mps-int", 0, 0, "no-such-sheet"),
        ("nowhere.yaml", 0, 0, "no-such-sheet"),
    ]
    assert any('did you mean "mps-intl"?' in problem.message for problem in problems)
    assert _found(load_price_book([])[1]) == [("--prices", 0, 0, "no-sheets")]
    assert load_price_book(["a\0b"])[0] is None
    assert [slug for *_, slug in _found(load_price_book([""])[1])] == ["no-such-sheet"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a file that may not be read")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (path,) = _write(tmp_path, GOOD_SHEET)
    os.chmod(path, 0)
    assert _found(load_price_book([path])[1]) == [("0.yaml", 0, 0, "unreadable-file")]


@pytest.mark.parametrize("sheet_id", sorted(shipped_sheets()))
def test_shipped_sheets_have_no_problems(sheet_id: str) -> None:
    book, problems = load_price_book([sheet_id])
    assert [str(problem) for problem in problems] == []
    assert book
    (sheet,) = book.sheets
    assert sheet.id == sheet_id
    assert sheet.place.file == f"pricing/{sheet_id}.yaml"


def test_shipped_sheets_of_a_site_make_one_book() -> None:
    ids = sorted(shipped_sheets())
    assert ids
    for site in ("china", "intl"):
        book, problems = load_price_book([sheet_id for sheet_id in ids if sheet_id.endswith(site)])
        assert [str(problem) for problem in problems] == []
        assert book is not None


def test_a_glob_names_sheets_and_no_cases(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.yaml", "a.yml", "c.cases.yaml", "deep/d.yaml"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    files, problems = find_sheets([str(tmp_path / "*.y*ml"), str(tmp_path / "**" / "*.yaml")])
    assert problems == ()
    assert [file.path.name for file in files] == ["a.yml", "b.yaml", "d.yaml"]
    assert [problem.message for problem in find_sheets([str(tmp_path / "*.json")])[1]] == [
        "no price sheet matches this pattern"
    ]


def test_a_name_that_no_system_allows_is_not_a_file() -> None:
    assert [problem.kind.slug for problem in find_sheets(["x" * 5000])[1]] == ["no-such-sheet"]
