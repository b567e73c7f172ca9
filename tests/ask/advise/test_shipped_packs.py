"""The shipped packs against the published figures, typed here once more; and that nothing takes them for price sheets."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mps_bill.ask.advise.packs import PackList, PackType, Validity
from mps_bill.ask.advise.read_packs import load_packs, shipped_packs
from mps_bill.core.units import MICROS
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.find import find_sheets, shipped_sheets
from tests.kit import shipped

TRANSCODING = "5000 87, 20000 304, 100000 1302, 500000 5425, 1000000 8680, 2000000 15190"
REVIEW = "3000 270, 10000 809, 50000 3510, 250000 15338, 500000 28843, 1000000 55007"
OWN = "H264.LD 1, H264.SD 1.5, H264.HD 3"
SISTER = "H264.2K 6.5, H264.4K 13, H265.LD 5, H265.SD 7.5, H265.HD 15, H265.2K 32.5, H265.4K 65"
MAINLAND_FOUR = {"cn-shanghai", "cn-beijing", "cn-hangzhou", "cn-shenzhen"}


@pytest.fixture(scope="module")
def prices() -> PriceBook:
    return shipped("mps-china")


def loaded(name: str, prices: PriceBook) -> PackList:
    packs, problems = load_packs(name, prices)
    assert packs is not None, problems
    assert packs.id == name
    assert all(source.read_on >= "2026-11-23" for type_ in packs.types for source in type_.sources)
    return packs


def sizes(packs: PackList, type_: PackType) -> dict[Decimal, Decimal]:
    return {Decimal(pack.units) / MICROS: pack.price for pack in packs.packs if pack.type is type_}


def figures(text: str) -> dict[Decimal, Decimal]:
    return {Decimal(one.split()[0]): Decimal(one.split()[1]) for one in text.split(", ")}


def rates(text: str) -> dict[str, Decimal]:
    return {one.split()[0]: Decimal(one.split()[1]) for one in text.split(", ")}


def test_there_are_four_lists() -> None:
    assert list(shipped_packs()) == [
        "mps-china-packs", "mps-china-packs-sister", "mps-china-packs-sister-narrowband", "mps-intl-packs-sister",
    ]  # fmt: skip


def test_packs_of_media_processing(prices: PriceBook) -> None:
    packs = loaded("mps-china-packs", prices)
    transcoding, review = packs.types
    assert sizes(packs, transcoding) == figures(TRANSCODING)
    assert sizes(packs, review) == figures(REVIEW)
    assert transcoding.covers == {"transcoding": rates(OWN)}
    assert review.covers == {"review": {"porn": 1, "terrorism": 1, "ad": 1}}
    assert (transcoding.regions, review.regions) == (MAINLAND_FOUR, None)
    assert {type_.valid_for for type_ in packs.types} == {Validity(6, "month")}
    assert not transcoding.unknown + review.unknown
    assert all(source.product is None for type_ in packs.types for source in type_.sources)


def test_the_sister_table_has_the_same_packs_and_says_what_it_is(prices: PriceBook) -> None:
    packs = loaded("mps-china-packs-sister", prices)
    (type_,) = packs.types
    assert sizes(packs, type_) == figures(TRANSCODING)
    assert type_.covers == {"transcoding": rates(f"{OWN}, {SISTER}")}
    assert type_.regions == MAINLAND_FOUR
    assert not type_.unknown
    assert [source.product for source in type_.sources] == [None, "ApsaraVideo VOD"]
    assert any("what-if" in note for note in type_.notes)


def test_packs_of_the_sister_product() -> None:
    narrowband = "H264.LD.NarrowBandHDV1 1, H264.SD.NarrowBandHDV1 1.5, H264.HD.NarrowBandHDV1 3"
    for name, sheet, item, covered, listed in (
        ("mps-china-packs-sister-narrowband", "mps-china", "narrowband_hd_1", narrowband,
         "5000 260.4, 20000 911.4, 100000 3906, 500000 16275, 1000000 26040"),
        ("mps-intl-packs-sister", "mps-intl", "transcoding", OWN, "5000 13, 20000 47, 100000 204, 500000 850"),
    ):  # fmt: skip
        packs = loaded(name, shipped(sheet))
        (type_,) = packs.types
        assert sizes(packs, type_) == figures(listed)
        assert type_.covers == {item: rates(covered)}
        assert not type_.unknown
        assert [source.product for source in type_.sources] == ["ApsaraVideo VOD"]
        assert any("what-if" in note for note in type_.notes)


def test_pack_files_are_not_price_sheets(root: Path) -> None:
    assert not set(shipped_packs()) & set(shipped_sheets())
    sheets, problems = find_sheets([str(root / "pricing")])
    assert not problems
    assert sheets
    assert all("packs" not in sheet.name for sheet in sheets)


def test_an_unknown_name_has_a_suggestion(prices: PriceBook) -> None:
    found, problems = load_packs("mps-china-pack", prices)
    assert found is None
    assert [(str(one.place), one.kind.slug) for one in problems] == [("--packs", "no-such-packs")]
    assert 'did you mean "mps-china-packs"?' in problems[0].message


def test_a_folder_cannot_be_read(prices: PriceBook, tmp_path: Path) -> None:
    found, problems = load_packs(str(tmp_path), prices)
    assert found is None
    assert [one.kind.slug for one in problems] == ["no-such-packs"]
