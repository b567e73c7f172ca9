"""One mistake is one problem of its own kind at its own place; many mistakes are reported in one run."""

from __future__ import annotations

import pytest

from mps_bill.core.diagnostics import Kind
from mps_bill.price_sheet import sheet_problems as kinds
from tests.kit import GOOD_SHEET, changed, marked, read_sheet

# (the text in the good sheet, the wrong text with a mark at each problem, kinds)
CASES: list[tuple[str, str, str]] = [
    # Form
    ("id: mps-intl ", "id: mps-intl\n§id: x ", "duplicate-key"),
    ("currency: USD", "§curency: USD", "unknown-key"),
    ("  segments:\n    name: Transmuxing\n", "  §segments:\n", "missing-key"),
    ("name: Transmuxing", "§name:", "empty-value"),
    ("[cn-beijing, ", "[cn-beijing, §cn-beijing, ", "duplicate-entry"),
    ("[cn-shanghai, ap-southeast-1]", "§cn-shanghai", "wrong-structure"),
    ("  east: [cn-shanghai, ap-southeast-1]", "  §east: []", "empty-collection"),
    ("      Segmentation: {east: 0.002}", "      §Segmentation: {}", "empty-collection"),
    ("    prices_from: {item: review, times: 1.5}", "    §pries_from: 1", "unknown-key"),
    ("    prices:\n      Seg", "    prices_from: {item: x, times: 1}\n    §prices:\n      Seg", "conflicting-keys"),
    # Single values
    ("mps-bill/price-sheet/1", "§mps-bill/price-sheet/2", "unknown-format"),
    ("mps-bill/price-sheet/1", "§mps-bill/price-shet/1", "unknown-format"),
    ("mps-bill/price-sheet/1", "§mps-bill/account/1", "unknown-format"),
    ("id: mps-intl ", "id: §MPS ", "bad-id"),
    ("product: mps", "product: §m ps", "bad-id"),
    ("currency: USD", "currency: §usd", "bad-currency"),
    ("name: Transmuxing", "name: §' '", "bad-name"),
    ("2024-04-01T00:00:00+08:00", "§2024-04-01T00:00:00", "bad-time"),
    ("2024-04-01T00:00:00+08:00", "§2024-02-31T00:00:00+08:00", "bad-time"),
    ("2026-11-23", "§2026-11-31", "bad-date"),
    ("2026-11-23", "§23.11.2026", "bad-date"),
    ('"https://example.com/a"', "§example", "bad-url"),
    ('"+08:00"', "§8", "bad-offset"),
    ("issue_after: 1h", "issue_after: §60", "bad-duration"),
    ("places: 2", "places: §11", "bad-decimal-places"),
    ("mode: down", "mode: §floor", "unknown-rounding"),
    ("cycle: hour", "cycle: §hours", "unknown-cycle"),
    ("settlement: hourly", "settlement: §daily", "unknown-settlement"),
    ("family: video-ai", "family: §video_ai", "unknown-family"),
    ("    unit: minute\n    metering: {per: cycle", "    unit: §minutes\n    metering: {per: cycle", "unknown-unit"),
    ("per: record", "per: §job", "unknown-metering"),
    ("tiers: volume", "tiers: §stairs", "unknown-tier-model"),
    ("per: month", "per: §year", "unknown-tier-period"),
    ("per: month", "per: month, across: §region", "unknown-tier-scope"),
    ("    family: video-ai", "    names: {§cn: 智能审核}\n    family: video-ai", "unknown-language"),
    ("0.0099", "§.0099", "bad-price"),
    ("0.0099", "§1e-3", "bad-price"),
    ("0.0099", "§012", "bad-price"),
    ("0.0099", "§-1", "bad-price"),
    ("0.0099", "§0.00000000001", "bad-price"),
    ("0.0099", "§.inf", "bad-price"),
    ("mainland: 0.0099,", "§mainland: ,", "empty-value"),
    ("step: 0.01", "step: §0", "bad-quantity"),
    ("minimum: 0.02", "minimum: §0.0000001", "bad-quantity"),
    ("times: 3", "times: §0", "bad-factor"),
    ("times: 3", "times: §0.0000001", "bad-factor"),
    ("HD: 1920x1080", "HD: §1920*1080", "bad-size"),
    ("HD: 1920x1080", "HD: §1920.5x1080", "bad-size"),
    ("cn-beijing,", "§Beijing,", "bad-region"),
    ("Segmentation: {east", "§Segmen tation: {east", "bad-spec"),
    ('"{codec}.{resolution}"', '§"{codec}.{size}"', "bad-spec-template"),
    ('"{codec}.{resolution}"', '§"{codec}{resolution}"', "bad-spec-template"),
    ('"{codec}.{resolution}"', '§"{codec}.{codec}"', "bad-spec-template"),
    ("10000.5: 0.09", "§10k: 0.09", "bad-tier-bound"),
    ("10000.5: 0.09", "§10000.1234567: 0.09", "bad-tier-bound"),
    ("3000: 0.1, ", "§0: 0.1, ", "bad-tier-bound"),
    # Items and prices
    ("  - {url:", "  - {id: §page, url:", "duplicate-source"),
    ("sources: [page]", "sources: [§pages]", "unknown-source"),
    ("SD: 1280x720, HD: 1920x1080", "SD: 1280x720, HD: §1024x768", "unordered-resolutions"),
    ("SD: 1280x720, HD: 1920x1080", "SD: 1280x720, HD: §720x1280", "unordered-resolutions"),
    ("SD: 1280x720, HD: 1920x1080", "SD: 1280x720, HD: §1920x700", "unordered-resolutions"),
    ("    resolutions: video", "    resolutions: §vidoe", "unknown-resolution-set"),
    ('spec: "{codec}.{resolution}"\n    resolutions: video', 'spec: §"{codec}.{resolution}"', "missing-resolutions"),
    ("spec: Segmentation", "spec: Segmentation\n    resolutions: §video", "unused-resolutions"),
    ("    metering: {per: cycle,", "    resolutions: §video\n    metering: {per: cycle,", "unused-resolutions"),
    ("H264.HD: {", "§H264.FHD: {", "unknown-resolution"),
    ("spec: Segmentation", "spec: §Segmentations", "spec-without-price"),
    ("spec: Segmentation", 'spec: §"{codec}.Segment"', "spec-without-price"),
    ("us-west-1: 0.0225", "§us-west-l: 0.0225", "unknown-region"),
    ("mainland: 0.0330", "§mainlnd: 0.0330", "unknown-region"),
    ("us-west-1: 0.0225", "§east: 0.0225", "overlapping-groups"),
    (
        "    spec: Segmentation",
        "    metering: {per: none, step: §1, rounding: §down}\n    spec: Segmentation",
        "unused-step unused-step",
    ),
    ("    spec: Segmentation", "    metering: {step: §1}\n    spec: Segmentation", "unused-step"),
    ("{per: cycle, step: 1, rounding: down}", "{per: §cycle, rounding: down}", "missing-step"),
    ("{per: cycle, step: 1, rounding: down}", "{per: cycle, step: §1}", "missing-rounding"),
    ("minimum: 0.02", "minimum: §0.025", "minimum-not-multiple-of-step"),
    ("10000.5: 0.09", "§2999.999999: 0.09", "unordered-tiers"),
    ("10000.5: 0.09", "§3000.0: 0.09", "unordered-tiers"),
    (", rest: 0.07", ", §rst: 0.07", "bad-tier-bound"),
    ("10000.5: 0.09, rest: 0.07", "§rest: 0.07, 10000.5: 0.09", "rest-not-last"),
    ("{3000: 0.1, 10000.5: 0.09, rest: 0.07}", "{§rest: 0.07}", "single-tier"),
    ("per: month", "per: cycle, across: §item", "unused-across"),
    ("{item: transcoding, ", "{item: §transcodin, ", "unknown-base-item"),
    ("{item: transcoding, ", "{item: §review_plus, ", "base-item-without-prices"),
    ("{item: transcoding, ", "{item: §narrowband_hd_1, ", "base-item-without-prices"),
    ("{item: transcoding, ", "{item: §segments, ", "placeholder-mismatch"),
    ("{item: transcoding, ", "{item: §review, ", "placeholder-mismatch"),
    ("    unit: minute\n    prices_from: {item: ", "    unit: §hour\n    prices_from: {item: ", "unit-mismatch"),
    ("    spec: Segmentation", "    spec_aliases: {Ts: §Segmentations}\n    spec: Segmentation", "bad-spec-alias"),
    (
        "    spec: Segmentation",
        "    spec_aliases: {§Segmentation: Segmentation}\n    spec: Segmentation",
        "bad-spec-alias",
    ),
    ("items:\n", "unpriced: [{items: [segments], regions: [§sothern], note: no}]\nitems:\n", "unknown-region"),
    ("items:\n", "unpriced: [§{items: [segments], note: not published}]\nitems:\n", "priced-and-unpriced"),
    ("items:\n", "unpriced: [§{items: [transcoding], specs: [H264], note: no}]\nitems:\n", "priced-and-unpriced"),
    (
        "items:\n",
        "unpriced: [§{items: [transcoding], regions: [cn-beijing], note: no}]\nitems:\n",
        "priced-and-unpriced",
    ),
    ("items:\n", "unpriced: [{items: [transcoding], specs: [§H 266], note: no}]\nitems:\n", "bad-spec"),
    (
        "items:\n",
        "unpriced: [{items: [gif], before: §2024-05-01T00:00:00+08:00, note: no}]\nitems:\n",
        "unused-before",
    ),
    (
        "items:\n",
        "unpriced: [{items: [segments], before: §2024-04-01T00:00:00+08:00, note: no}]\nitems:\n",
        "unused-before",
    ),
    (
        "items:\n",
        "unpriced: [{items: [segments], before: §2024-05-01T00:30:00+08:00, note: no}]\nitems:\n",
        "not-at-cycle-start",
    ),
    # Periods
    (
        "2024-04-01T00:00:00+08:00",
        "2024-04-01T00:00:00+08:00\neffective_to: §2024-04-01T00:00:00+08:00",
        "empty-period",
    ),
    ("2024-04-01T00:00:00+08:00", "§2024-04-01T00:30:00+08:00", "not-at-cycle-start"),
    (
        "2024-04-01T00:00:00+08:00",
        "2024-04-01T00:00:00+08:00\neffective_to: §2024-05-01T00:00:01+08:00",
        "not-at-cycle-start",
    ),
]


# Mistakes that need several edits.
LARGER: list[tuple[list[tuple[str, str]], str]] = [
    ([("site: international\n", ""), ("format", "§format")], "missing-key"),
    ([("east: [", "§US: ["), ("{east:", "{US:")], "bad-group-name"),
    ([("east: [", "§us-east: ["), ("{east:", "{us-east:")], "bad-group-name"),
    ([(", rest: 0.07", ""), ("up_to", "§up_to")], "missing-rest"),
    ([("0.0225}", "0.0000000001}"), ("times: 3", "times: §0.5")], "too-many-price-decimals"),
    ([("3000: 0.1,", "3000: 0.0000000001,"), ("times: 1.5", "times: §1.5")], "too-many-price-decimals"),
    ([("V1\"\n    resolutions: video", "V1\"\n    resolutions: small"), ("m: transcoding,", "m: §transcoding,")],
     "unknown-resolution"),
    ([("cycle: hour", "cycle: day"), ("2024-04-01T00", "§2024-04-01T01")], "not-at-cycle-start"),
    ([("{east:", "{§CNN:")], "unknown-region"),
    ([("sources:\n  - {id: page,", "sources:\n  - {§idd: page,"), ("[page]", "[page]")],
     "unknown-key"),
]  # fmt: skip


def _found(text: str) -> list[tuple[int, int, str]]:
    sheet, problems = read_sheet(text, "f")
    assert (sheet is None) == bool(problems)
    return [(problem.place.line, problem.place.column, problem.kind.slug) for problem in problems]


def test_the_good_sheet_is_good() -> None:
    assert _found(GOOD_SHEET) == []


@pytest.mark.parametrize(("old", "new", "slugs"), CASES)
def test_one_mistake_is_one_problem(old: str, new: str, slugs: str) -> None:
    text, places = marked(changed(old, new))
    assert _found(text) == [(*place, slug) for place, slug in zip(places, slugs.split(), strict=True)]


@pytest.mark.parametrize(("edits", "slugs"), LARGER)
def test_larger_mistakes(edits: list[tuple[str, str]], slugs: str) -> None:
    text = GOOD_SHEET
    for old, new in edits:
        text = changed(old, new, text)
    text, places = marked(text)
    assert _found(text) == [(*place, slug) for place, slug in zip(places, slugs.split(), strict=True)]


def test_many_mistakes_are_reported_in_one_run() -> None:
    edits = [
        ("id: mps-intl ", "id: §MPS "),
        ("currency: USD", "currency: §usd"),
        ("2024-04-01T00:00:00+08:00", "§2024-04-01"),
        ('url: "https://example.com/b"', "url: §b"),
        ("cycle: hour", "cycle: §hours"),
        ("mode: down", "mode: §floor"),
        ("cn-shenzhen", "§Shenzhen"),
        ("HD: 1920x1080", "HD: §1080p"),
        ("family: transcoding", "family: §transcode"),
        ("minimum: 0.02", "minimum: §0.025"),
        ("0.0099", "§9.9e-3"),
        ("us-west-1", "§us-west-l"),
        ("[page]", "[§pages]"),
        ("{item: transcoding, times: 3}", "{item: transcoding, §time: 3}"),
        ("spec: Segmentation", "spec: §Segmentations"),
        ("    unit: minute\n    metering: {per: cycle", "    unit: §minuts\n    metering: {per: cycle"),
        ("10000.5: 0.09", "§300: 0.09"),
    ]
    text = GOOD_SHEET
    for old, new in edits:
        text = changed(old, new, text)
    text, places = marked(text)
    found = _found(text)
    assert len(edits) == 17
    assert [(line, column) for line, column, _ in found] == places


def test_a_wrong_unit_is_reported_once() -> None:
    text, places = marked(changed("unit: minute\n    metering: {per: c", "unit: §x\n    metering: {per: c"))
    assert _found(text) == [(*places[0], "unknown-unit")]


def test_messages_give_both_values_and_the_near_miss() -> None:
    cases = {
        ("us-west-1: 0.0225", "us-west-l: 0.0225"): ('unknown region or group "us-west-l"; did you mean "us-west-1"?'),
        ("us-west-1: 0.0225", "east: 0.0225"): (
            'cn-shanghai is in the groups mainland and east, and "H264.HD" has a price for both; remove the region from'
            " one of them"
        ),
        ("minimum: 0.02", "minimum: 0.025"): "the minimum 0.025 is not a multiple of the step 0.01",
        (
            "H264.HD:",
            "H264.FHD:",
        ): 'unknown resolution "FHD" of the set video in "H264.FHD"; expected one of LD, SD, HD, 2K or 4K',
        ("10000.5: 0.09", "10: 0.09"): "the bound 10 is not above 3000 before it; write bounds in ascending order",
        ("2024-04-01T00:00:00", "2024-04-01T00:30:00"): (
            "2024-04-01 00:30 at +08:00, the billing clock, is not the start of an hour;"
            " prices change between two billing cycles"
        ),
        ("{item: transcoding, ", "{item: segments, "): (
            '`spec` "{codec}.{resolution}.NarrowBandHDV1" and `spec` "Segmentation" of segments'
            " must have the same placeholders"
        ),
    }
    for (old, new), message in cases.items():
        _, problems = read_sheet(changed(old, new), "f")
        assert [problem.message for problem in problems] == [message]


def test_a_kind_is_known_wherever_the_module_defines_it(monkeypatch: pytest.MonkeyPatch) -> None:
    last = Kind("P299", "written-last")
    monkeypatch.setattr(kinds, "WRITTEN_LAST", last, raising=False)
    assert last in kinds.every_kind()


def test_every_kind_has_its_own_code_and_slug() -> None:
    all_kinds = [kind for kind in vars(kinds).values() if isinstance(kind, Kind)]
    assert len({kind.code for kind in all_kinds}) == len({kind.slug for kind in all_kinds}) == len(all_kinds)


def test_every_kind_of_a_sheet_is_shown_by_a_case() -> None:
    shown = {slug for *_, slugs in CASES for slug in slugs.split()} | {
        slug for _, slugs in LARGER for slug in slugs.split()
    }
    wanted = {kind.slug for kind in vars(kinds).values() if isinstance(kind, Kind) and "P2" <= kind.code < "P403"}
    assert wanted - shown == set()
