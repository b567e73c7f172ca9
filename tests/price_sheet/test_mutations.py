"""Typical changes of a contract sheet, and the report of `prices check` for the sheet alone and compared with the version before.

Prices that are wrong by a factor of ten or more are in `test_slips`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.price_sheet.find import shipped_sheets
from tests.kit import changed
from tests.price_sheet.slips import findings

CONTRACT = (Path(__file__).parent / "contracts" / "media-cny.yaml").read_text()
#: The version after it.
NEXT = CONTRACT.replace("2025-01-01T", "2026-01-01T").replace("\neffective_to: 2026-01-01T00:00:00+08:00", "")
FULL_METERING = "{per: record, step: 0.01, rounding: half-up, minimum: 0.02}"
AUDIO = CONTRACT[CONTRACT.index("  audio_transcoding:") : CONTRACT.index("  narrowband_hd_1:")]
DRM = CONTRACT[CONTRACT.index("  drm_licence:") :]
ADVANCED = (
    '    unit: minute\n    spec: "{codec}.{resolution}"\n    resolutions: video\n    metering: {per: record, step: 1'
)
HD = "H264.HD: {production: 0.0391, other_mainland: 0.0521}"

#: (name, old text (with a star every occurrence), new text, codes for the sheet alone, codes compared with the version before)
MUTATIONS = (
    ("nothing", "", "", "", ""),
    # Words
    ("codec in lower case", "H264.HD: {production: 0.0391", "h264.HD: {production: 0.0391", "P915", "P915"),
    ("codec with digits swapped", "H264.HD: {production: 0.0391", "H246.HD: {production: 0.0391", "P915", "P915"),
    ("codec of another number", "H265.HD: {production", "H269.HD: {production", "P915", "P915"),
    ("codec with a mark", "H265.HD: {production", "H-265.HD: {production", "P915", "P915"),
    ("spec with another mark", "H265.HD: {production", "H265_HD: {production", "P915", "P915"),
    ("codec by another name", "*      H264.", "      AVC.", "P915", "P915"),
    ("newer codec by another name", "*      H265.", "      HEVC.", "P915", "P915"),
    ("codec that nobody knows", "*      H265.", "      FOO.", "P915", "P915"),
    ("resolution misspelt", "H265.HD: {production", "H265.HDD: {production", "P307", "P307"),
    ("constant spec misspelt", "      Audio: {production", "      Adio: {production", "P308", "P308"),
    ("spec of usage misspelt", "      terrorism:", "      terorism:", "P915", "P915"),
    ("codec with a Cyrillic letter", "H264.HD: {production: 0.0391", "\u041d264.HD: {production: 0.0391", "P217", "P217"),
    ("row with a space", "H264.HD: {production: 0.0391", '"H264.HD ": {production: 0.0391', "P217", "P217"),
    ("row key of its neighbour", "H264.HD: {production: 0.0391", "H264.SD: {production: 0.0391", "P101", "P101"),
    ("derived spec without a letter", "NarrowBandHDV1", "NarrowbandHDV1", "P915", "P915"),
    ("derived spec with letters swapped", "NarrowBandHDV1", "NarrowBandHVD1", "P915", "P915"),
    ("derived spec of another number", "NarrowBandHDV1", "NarrowBandHDV2", "P915", "P915"),
    ("derived spec without a letter of it", "NarrowBandHDV1", "NarowBandHDV1", "P915", "P915"),
    ("spec lost", '    spec: Audio\n', "", "P920", "P920"),
    ("template and sizes lost", ADVANCED, "    unit: minute\n    metering: {per: record, step: 1", "P920", "P920"),
    ("part of the spec lost", ".NarrowBandHDV1", "", "P920", "P920"),
    ("part of the spec of some rows", "H264.4K: {production: 0.8820", "H264.4K.Fast: {production: 0.8820", "P920", "P920"),
    ("member with a digit twice", "cn-shenzhen,", "cn-shenzhen, ap-northeast-11,", "P916", "P916"),
    ("member with a zero", "cn-shenzhen,", "cn-shenzhen, ap-northeast-01,", "P916", "P916"),
    ("member without its digit", "cn-shenzhen,", "cn-shenzhen, ap-northeast,", "P916", "P916"),
    ("member that is new", "cn-shenzhen,", "cn-shenzhen, ap-northeast-3,", "", ""),
    ("member misspelt", "cn-shenzhen,", "cn-shenzen,", "P916", "P916"),
    ("member lost", "cn-shenzhen, ", "", "", "P913"),
    ("member in both groups", "[cn-beijing, cn-shanghai]", "[cn-beijing, cn-shanghai, cn-shenzhen]", "P310", "P310"),
    ("group misspelt", "  other_mainland: [", "  other_mainlnad: [", "P309", "P309"),
    ("group without prices", "  production: [", "  abroad: [ap-southeast-1]\n  production: [", "P917", "P917"),
    ("item of the name of another", "name: Narrowband HD 1.0", "name: Transcoding", "P919", "P919"),
    ("currency misspelt", "currency: CNY", "currency: CYN", "P921", "P408"),
    ("item misspelt", "  audio_transcoding:", "  audio_transcodnig:", "P924", "P924"),
    ("item without a letter", "  drm_licence:", "  drm_licnce:", "P924", "P924"),
    ("item that is derived misspelt", "  narrowband_hd_1:", "  narowband_hd_1:", "P924", "P924"),
    ("item with another mark", "  drm_licence:", "  drmlicence:", "P924", "P924"),
    ("item of a later number", "  narrowband_hd_1:", "  narrowband_hd_3:", "", "P913"),
    # Dates
    ("read in the future", "read_on: 2026-01-15, covers: \"tr", "read_on: 2027-01-15, covers: \"tr", "P922", "P922"),
    ("read long ago", "read_on: 2026-01-15, covers: \"tr", "read_on: 2016-01-15, covers: \"tr", "P907", "P907"),
    ("start on another clock", "from: 2026-01-01T00:00:00+08:00", "from: 2026-01-01T00:00:00+00:00", "P923", "P923"),
    ("start in the afternoon", "from: 2026-01-01T00:00:00", "from: 2026-01-01T12:00:00", "P923", "P923"),
    ("start a month late", "from: 2026-01-01T", "from: 2026-02-01T", "", "P902"),
    ("start a month early", "from: 2026-01-01T", "from: 2025-12-01T", "", "P404"),
    ("start in the wrong year", "from: 2026-01-01T", "from: 2062-01-01T", "P908", "P902"),
    # Units and metering
    ("minute made second", "unit: minute\n    spec: Audio", "unit: second\n    spec: Audio", "P911", "P914"),
    ("minute made hour", "unit: minute\n    spec: Audio", "unit: hour\n    spec: Audio", "P911", "P914"),
    ("minute made frame", "unit: minute\n    spec: Audio", "unit: frame\n    spec: Audio", "P911", "P914"),
    ("second for all editing", ADVANCED, ADVANCED.replace("minute", "second"), "P911", "P914"),
    ("minimum of a minute", "minimum: 0.02", "minimum: 1", "", "P914"),
    ("minimum lost", ", minimum: 0.02", "", "", "P914"),
    ("minimum between steps", "minimum: 0.02", "minimum: 0.025", "P314", "P314"),
    ("rounding up", "rounding: half-up, minimum", "rounding: up, minimum", "", "P914"),
    ("rounding lost", "rounding: half-up, minimum", "minimum", "P313", "P313"),
    ("step of ten minutes", "{per: record, step: 1, rounding: up}", "{per: record, step: 10, rounding: up}", "", "P914"),
    ("record made cycle", FULL_METERING, FULL_METERING.replace("record", "cycle"), "", "P914"),
    ("metering lost", f"    metering: {FULL_METERING}\n", "", "", "P914"),
    # The bill
    ("bill rounded down", "mode: half-up", "mode: down", "", "P914"),
    ("bill without decimals", "places: 2", "places: 0", "", "P914"),
    ("bill by the day", "cycle: hour", "cycle: day", "", "P406"),
    ("bill on another clock", 'timezone: "+08:00"', 'timezone: "+00:00"', "P923", "P406"),
    ("settled by the hour", "settlement: monthly", "settlement: hourly", "", "P914"),
    # Tables
    ("resolution lost", "      H264.HD: {production: 0.0391, other_mainland: 0.0521}\n", "", "P918", "P913"),
    ("largest resolution lost", "      H264.4K: {production: 0.1960, other_mainland: 0.2240}\n", "", "", "P913"),
    ("region lost in a row", ", other_mainland: 0.0521}", "}", "P901", "P913"),
    ("item lost", AUDIO, "", "", "P913"),
    ("last item lost", DRM, "", "", "P913"),
    ("price lost", "production: 0.0391, ", "production: , ", "P125", "P125"),
    ("price made free", "production: 0.0391", "production: 0", "P904", "P912"),
    ("DRM made free", 'DRMLicence: {"*": 0.006}', 'DRMLicence: {"*": 0}', "", "P912"),
    ("comma for a point", "production: 0.0391", "production: 0,0391", "P125", "P125"),
    ("row pasted over another", HD, HD.replace("0.0391", "0.0980").replace("0.0521", "0.1120"), "", ""),
    # In the sheet alone this looks like a discount in one region: the ratio of the two columns is not the same in all rows.
    ("columns swapped", HD, HD.replace("0.0391", "0.0521").replace("0.0521}", "0.0391}"), "", "P912"),
    ("half of a price", "production: 0.0391", "production: 0.0195", "P904", "P904"),
    ("row twice", "      H264.4K: {", "      H264.HD: {production: 0.0391}\n      H264.4K: {", "P101", "P101"),
    # Tiers
    ("graduated made volume", "graduated, per: month, up_to: {5000: 0.08", "volume, per: month, up_to: {5000: 0.08", "", "P914"),
    ("month made cycle", "graduated, per: month, up_to: {5000: 0.08", "graduated, per: cycle, up_to: {5000: 0.08", "", "P914"),
    ("tiers made one price", "{tiers: graduated, per: month, up_to: {5000: 0.09, 50000: 0.08, rest: 0.06}}", "0.09", "", "P914"),
    ("tiers the wrong way", "{5000: 0.09, 50000: 0.08, rest: 0.06}", "{5000: 0.06, 50000: 0.08, rest: 0.09}", "P903", "P903"),
    ("bound without a zero", "50000: 0.08, rest: 0.06", "500: 0.08, rest: 0.06", "P315", "P315"),
    ("rest lost", ", rest: 0.06}", "}", "P316", "P316"),
    # Factors
    ("factor ten times", "times: 2.8", "times: 28", "P911", "P912"),
    ("factor a tenth", "times: 2.8", "times: 0.28", "P911", "P912"),
    ("factor without a point", "times: 2.8", "times: 280", "P911", "P912"),
)  # fmt: skip


def mutated(old: str, new: str) -> str:
    """Return the contract with the first `old` replaced, or with a star every `old`."""
    return NEXT.replace(old[1:], new) if old.startswith("*") else changed(old, new, NEXT)


@pytest.mark.parametrize(
    ("old", "new", "alone", "beside"), [row[1:] for row in MUTATIONS], ids=[row[0] for row in MUTATIONS]
)
def test_a_mutation_is_found(old: str, new: str, alone: str, beside: str) -> None:
    text = mutated(old, new)
    found, with_version = findings(text), findings(text, CONTRACT)
    # One mistake is one finding, however many prices it affects.
    assert " ".join(problem.kind.code for problem in found) == alone
    assert " ".join(problem.kind.code for problem in with_version) == beside


def test_an_item_that_is_misspelt_throughout_is_one_mistake() -> None:
    """The code is wrong at the item, where others take their prices from it, and where some of its specs are unpriced."""
    text = NEXT.replace("  transcoding:", "  transcodng:").replace("item: transcoding,", "item: transcodng,")
    for found in (findings(text), findings(text, CONTRACT)):
        assert [problem.kind.code for problem in found] == ["P924"]


def test_versions_of_one_id_agree() -> None:
    """There is nothing to report for the contract, its next version, and a shipped sheet with the version before."""
    assert findings(NEXT, CONTRACT) == ()
    shipped = shipped_sheets()["mps-china"].path
    assert findings(shipped.read_text(), (shipped.parent / "older" / shipped.name).read_text()) == ()


def test_a_renamed_spec_whose_old_name_is_another_spelling_keeps_its_price() -> None:
    renamed = NEXT.replace("      terrorism:", "      violence:").replace(
        "    metering: {per: cycle, step: 1, rounding: down}\n    prices:",
        "    metering: {per: cycle, step: 1, rounding: down}\n    spec_aliases: {terrorism: violence}\n    prices:",
    )
    assert renamed.count("violence") == 2
    assert [str(problem) for problem in findings(renamed, CONTRACT)] == []
    without = renamed.replace("    spec_aliases: {terrorism: violence}\n", "")
    assert [problem.kind.code for problem in findings(without, CONTRACT)] == ["P913"]
