"""Pack files: what is read, and every problem with its place."""

from __future__ import annotations

import pytest

from mps_bill.ask.advise.packs import Validity
from mps_bill.ask.advise.read_packs import DOCUMENT, read_packs
from mps_bill.core.units import MICROS
from mps_bill.documents.read_document import read_text
from tests.settlement.worlds import SHEET, book

FILE = """\
format: mps-bill/packs/1
id: some-packs
site: test
product: mps
currency: CNY
packs:
  hd:
    name: HD minutes
    unit: hour
    valid_for: 1 month
    regions: [cn-shanghai]
    covers: {video: {HD: 3}}
    sizes: {100: 8.70, 20: 2}
    sources:
      - {url: "https://example.com", read_on: 2026-11-23, covers: "everything"}
    notes: ["a note"]
"""


def problems_of(text: str) -> list[tuple[str, str]]:
    found, problems = read_packs(read_text(DOCUMENT, text, "packs.yaml"), book())
    assert (found is None) == bool(problems)
    return [(str(problem.place), problem.kind.slug) for problem in problems]


def changed(old: str, new: str) -> str:
    assert FILE.count(old) == 1, old
    return FILE.replace(old, new)


def test_packs_are_read_with_their_type_smallest_first() -> None:
    found, problems = read_packs(read_text(DOCUMENT, FILE, "packs.yaml"), book())
    assert not problems
    assert found is not None
    assert [(pack.units // MICROS, str(pack.price)) for pack in found.packs] == [(20, "2"), (100, "8.70")]
    (type_,) = found.types
    assert (type_.id, type_.unit.name, type_.valid_for) == ("hd", "hour", Validity(1, "month"))
    assert type_.regions == {"cn-shanghai"}
    assert {item: dict(specs) for item, specs in type_.covers.items()} == {"video": {"HD": 3}}
    assert [source.read_on for source in type_.sources] == ["2026-11-23"]
    assert (type_.notes, type_.unknown) == (("a note",), ())


@pytest.mark.parametrize(
    ("old", "new", "place", "kind"),
    [
        ("packs/1", "packs/2", "1:9", "unknown-format"),
        ("mps-bill/packs/1", "mps-bill/account/1", "1:9", "unknown-format"),
        ("CNY", "USD", "5:11", "other-currency"),
        ("1 month", "1 week", "10:16", "bad-validity"),
        ("1 month", "0 months", "10:16", "bad-validity"),
        ("cn-shanghai", "cn-shangai", "11:15", "unknown-region"),
        ("unit: hour", "unit: GB", "9:11", "unit-mismatch"),
        ("HD: 3", "HD: 0", "12:26", "bad-coefficient"),
        ("20: 2", "100.0: 2", "13:24", "duplicate-pack-size"),
        ("20: 2", "020: 2", "13:24", "bad-pack-size"),
        ("20: 2", "20: 0", "13:28", "bad-pack-price"),
        ("20: 2", "20: 2.005", "13:28", "bad-pack-price"),
        ("    sources:", "    source:", "14:5", "unknown-key"),
        ("2026-11-23", "2026-11-31", "15:47", "bad-date"),
        ("some-packs", "Some Packs", "2:5", "bad-id"),
    ],
)
def test_an_error_has_its_place(old: str, new: str, place: str, kind: str) -> None:
    assert problems_of(changed(old, new)) == [(f"packs.yaml:{place}", kind)]


def test_all_problems_come_at_once() -> None:
    text = changed("20: 2", "20: 0").replace("1 month", "long").replace("some-packs", "S")
    assert [kind for _, kind in problems_of(text)] == ["bad-id", "bad-validity", "bad-pack-price"]


def test_a_source_is_needed() -> None:
    text = "".join(line for line in FILE.splitlines(keepends=True) if "source" not in line and "url" not in line)
    assert [kind for _, kind in problems_of(text)] == ["missing-key"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{HD: 3}", "{Hd: 3, HD: 3}", 'video Hd; did you mean "HD"?'),
        ("{video: {HD: 3}}", "{video: {HD: 3}, vidoe: {HD: 3}}", 'vidoe; did you mean "video"?'),
        ("{video: {HD: 3}}", "{video: {HD: 3}, xyz: {HD: 3}}", "xyz"),
    ],
)
def test_words_that_no_sheet_has_are_kept_to_be_told(old: str, new: str, told: str) -> None:
    found, problems = read_packs(read_text(DOCUMENT, changed(old, new), "packs.yaml"), book())
    assert not problems
    assert found is not None
    assert found.types[0].unknown == (told,)


def test_another_spelling_of_a_spec_is_covered_as_the_spec() -> None:
    aliases = SHEET.replace("    name: Video\n", "    name: Video\n    spec_aliases: {1080P: HD}\n", 1)

    def covers(specs: str) -> tuple[object, list[str]]:
        found, problems = read_packs(read_text(DOCUMENT, changed("{HD: 3}", specs), "packs.yaml"), book(aliases))
        covered = [(pack.type.covers, pack.type.unknown) for pack in found.packs] if found else []
        return covered[:1], [f"{one.place} {one.message} [{one.kind}]" for one in problems]

    assert covers("{1080P: 3}") == ([({"video": {"HD": 3}}, ())], [])
    assert covers("{1080P: 3, UHD: 5}") == ([({"video": {"HD": 3, "UHD": 5}}, ("video UHD",))], [])
    contradicted = 'spec "HD" (written "1080P") has two coefficients: 3 and 2'
    assert covers("{HD: 3, 1080P: 2}") == ([], [f"packs.yaml:12:29 {contradicted} [K305 duplicate-spec]"])
