"""Each warning reports one oddity; sound price lists have no warnings; comments suppress a warning."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_bill.price_sheet.check_sheets import check
from mps_bill.price_sheet.load_sheets import LoadedSheet, load_text
from tests.invalid.gallery import GOOD as GOOD_FILE
from tests.kit import changed

GOOD = GOOD_FILE.read_text()
TODAY = "2026-11-23"


def sheet(text: str, name: str = "f") -> LoadedSheet:
    return load_text(text, name)


def found(*texts: str, today: str = TODAY) -> list[str]:
    """Return `line:column code` of every problem; for a second sheet, with its number in front."""
    sheets = [sheet(text, f"{number}") for number, text in enumerate(texts)]
    return [
        f"{f'{problem.place.file}:' if len(texts) > 1 else ''}{problem.place.line}:{problem.place.column}"
        f" {problem.kind.code}"
        for problem in check(sheets, today)
    ]


def message(text: str, today: str = TODAY) -> str:
    (problem,) = check([sheet(text)], today)
    return problem.message


def edited(*edits: tuple[str, str]) -> str:
    text = GOOD
    for old, new in edits:
        text = changed(old, new, text)
    return text


def test_the_good_sheet_has_no_warnings() -> None:
    assert found(GOOD) == []


# ---- Coverage --------------------------------------------------------------------------------------------------------


def test_a_missing_price_is_reported_at_the_spec_with_group_names() -> None:
    text = edited(("H265.SD: {mainland: 0.0248, asia: 0.0625}", "H265.SD: {cn-beijing: 0.0248}"))
    assert found(text) == ["31:7 P901"]
    assert message(text) == (
        'transcoding "H265.SD" has no price in asia and cn-shanghai, where other specs of the item have one'
    )


def test_a_price_for_every_region_is_complete_and_shows_specs_that_lack_it() -> None:
    assert found(edited(("H265.SD: {mainland: 0.0248, asia: 0.0625}", 'H265.SD: {mainland: 0.0248, "*": 0.0625}'))) == [
        "29:7 P901",
        "30:7 P901",
        "32:7 P901",
    ]
    everywhere = edited(("asia: 0.0125", '"*": 0.0125'), ("asia: 0.0250", '"*": 0.0250'),
                        ("asia: 0.0625", '"*": 0.0625'), ("asia: 0.1250", '"*": 0.1250'),
                        ("\n  asia: [ap-southeast-1, ap-northeast-1]", ""))  # fmt: skip
    assert found(everywhere) == []


def test_prices_from_another_item_are_not_reported_again() -> None:
    assert found(edited(("H264.HD: {mainland: 0.0099, asia", "H264.HD: {mainland: 0.0049, asia"))) == ["30:27 P904"]


def test_a_value_with_an_error_has_no_warning() -> None:
    assert found(edited(("0050, asia", "0050, asai"))) == ["29:35 P309"]
    assert found(edited(("0.0050, asia: 0.0125", "0.0050, asia: 0.0.125"))) == ["29:41 P211"]
    assert found(edited(("10000: 0.09", "300: 0.9"))) == ["54:71 P315"]


# ---- Prices and their neighbours ------------------------------------------------------------------------------------


H264 = "H264.SD: {mainland: 0.0050, asia: 0.0125}\n      H264.HD: {mainland: 0.0099, asia: 0.0250}"
H265 = "H265.SD: {mainland: 0.0248, asia: 0.0625}\n      H265.HD: {mainland: 0.0496, asia: 0.1250}"


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        # The decimal point is misplaced by one place, up and down: the wrong price is reported, not its neighbours.
        ("H265.HD: {mainland: 0.0496", "H265.HD: {mainland: 0.496", ["32:27 P906"]),
        ("H265.HD: {mainland: 0.0496, asia: 0.1250", "H265.HD: {mainland: 0.0496, asia: 0.0125", ["32:41 P904", "32:41 P905"]),
        ("H264.SD: {mainland: 0.0050", "H264.SD: {mainland: 0.0005", ["29:27 P906"]),
        ("H264.HD: {mainland: 0.0099", "H264.HD: {mainland: 0.00099", ["30:27 P904", "30:27 P906"]),
        # The decimal point is misplaced by two places.
        ("H265.SD: {mainland: 0.0248", "H265.SD: {mainland: 2.48", ["31:27 P906"]),
        # Less than eight times is possible; exactly ten times is a mistake in an equal price.
        ("H264.SD: {mainland: 0.0050, asia: 0.0125", "H264.SD: {mainland: 0.0016, asia: 0.0125", []),
        ("H264.SD: {mainland: 0.0050, asia: 0.0125", "H264.SD: {mainland: 0.00125, asia: 0.0125", ["29:27 P906"]),
        # A price of 0 is intended.
        ("H264.SD: {mainland: 0.0050", "H264.SD: {mainland: 0", []),
        ("H264.HD: {mainland: 0.0099", "H264.HD: {mainland: 0", ["30:27 P904"]),
        # Equal is not less.
        ("H264.HD: {mainland: 0.0099", "H264.HD: {mainland: 0.0050", []),
        (H265, H264.replace("H264", "H265"), []),
        # Tiers.
        ("10000: 0.09", "10000: 0.1", []),
        ("10000: 0.09", "10000: 0.11", ["54:78 P903"]),
        ("10000: 0.09, rest: 0.08", "10000: 0.009, rest: 0.008", ["54:66 P906"]),
        ("{3000: 0.1, 10000: 0.09", "{3000: 0, 10000: 0.09", []),
        ("{3000: 0.1, 10000: 0.09", "{3000: 0, 10000: 0", []),
    ],
)  # fmt: skip
def test_prices_are_compared_with_their_neighbours(old: str, new: str, codes: list[str]) -> None:
    assert found(edited((old, new))) == codes


def test_tiers_are_compared_tier_by_tier_if_their_bounds_are_equal() -> None:
    tiered = "{tiers: volume, per: month, up_to: {10: %s, rest: %s}}"
    rows = [
        ("H264.SD: {mainland: 0.0050", "H264.SD: {mainland: " + tiered % ("0.0050", "0.0040")),
        ("H264.HD: {mainland: 0.0099", "H264.HD: {mainland: " + tiered % ("0.0099", "0.0039")),
    ]
    text = edited(*rows)
    assert [line.split()[1] for line in found(text)] == ["P904"]
    other_bounds = text.replace("{10: 0.0050", "{20: 0.0050")
    assert found(other_bounds) == []


def test_a_region_pays_its_own_price_or_its_group_s() -> None:
    """A region's own price is compared with what the same region pays at the next resolution."""
    text = edited(("H264.SD: {mainland: 0.0050", "H264.SD: {cn-beijing: 0.0100, mainland: 0.0050"))
    assert found(text) == ["30:27 P904"]
    assert message(text) == (
        '"H264.HD" in mainland costs 0.0099, less than 0.0100 for "H264.SD" in cn-beijing, the price of a lower resolution'
    )


def test_the_message_of_an_outlier_names_the_neighbours() -> None:
    text = edited(("H265.HD: {mainland: 0.0496", "H265.HD: {mainland: 0.496"))
    assert message(text) == (
        '"H265.HD" in mainland costs 0.496, at least 8 times above or below 0.0248 for "H265.SD" in mainland;'
        " is the decimal point right?"
    )


@given(st.integers(1, 999), st.integers(1, 999), st.integers(1, 999), st.integers(1, 999))
def test_ratios_below_eight_are_not_reported(a: int, b: int, c: int, d: int) -> None:
    """No outlier is reported as long as every price is less than eight times any other."""
    prices = sorted(Decimal(1 + number % 7) / 100 for number in (a, b, c, d))
    text = edited(
        ("0.0050, asia: 0.0125", f"{prices[0]}, asia: {prices[0]}"),
        ("0.0099, asia: 0.0250", f"{prices[1]}, asia: {prices[1]}"),
        ("0.0248, asia: 0.0625", f"{prices[2]}, asia: {prices[2]}"),
        ("0.0496, asia: 0.1250", f"{prices[3]}, asia: {prices[3]}"),
    )
    assert found(text) == []


# ---- Time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read_on", "today", "stale"),
    [
        ("2025-11-23", "2026-11-23", False),
        ("2025-11-22", "2026-11-23", True),
        ("2024-02-29", "2025-02-28", False),
        ("2024-02-29", "2025-03-01", True),
        ("2026-11-24", "2026-11-23", False),
    ],
)
def test_a_source_grows_old_after_a_year(read_on: str, today: str, stale: bool) -> None:
    assert found(edited(("2026-11-23", read_on)), today=today) == (["8:60 P907"] if stale else [])


def test_a_sheet_of_the_future_by_the_billing_clock() -> None:
    text = edited(("2024-04-01T00:00:00+08:00", "2026-11-23T17:00:00Z"))
    assert found(text, today="2026-11-23") == ["6:17 P908", "6:17 P923"]
    assert found(text, today="2026-11-24") == ["6:17 P923"]


def test_gaps_between_versions_and_ids() -> None:
    start = "effective_from: 2024-04-01T00:00:00+08:00"

    def version(since: str, until: str = "", id_: str = "studio") -> str:
        end = f"\neffective_to: {until}-01T00:00:00+08:00" if until else ""
        return edited(("id: studio", f"id: {id_}"), (start, f"effective_from: {since}-01T00:00:00+08:00{end}"))

    assert found(version("2024-04", "2024-06"), version("2024-07")) == ["0:7:15 P902"]
    assert found(version("2024-04", "2024-06"), version("2024-06")) == []
    assert found(version("2024-04"), version("2024-07")) == []
    assert found(version("2024-04", "2024-06"), version("2024-07", id_="studio-new")) == ["0:7:15 P902"]
    assert found(version("2024-07"), version("2024-04", "2024-05"), version("2024-05", "2024-06")) == ["2:7:15 P902"]
    other_site = version("2024-07", id_="studio-china").replace("international", "china")
    assert found(version("2024-04", "2024-06"), other_site) == []


# ---- Comments that suppress a warning ---------------------------------------------------------------------------------

ODD = ("H264.HD: {mainland: 0.0099, asia: 0.0250}", "H264.HD: {mainland: 0.0049, asia: 0.0250}")


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("# mps-bill: ignore P904 (as published)", []),
        ("# as published; mps-bill: ignore P904 (see the page)", []),
        ("# mps-bill: ignore P904, P907 (as published)", []),
        ("# mps-bill: ignore cheaper-higher-resolution (as published)", []),
        ("# mps-bill: ignore cheaper-resolution (its former name)", []),
        ("# mps-bill: ignore stale-source, cheaper-resolution (as published)", []),
        ("# mps-bill: ignore cheaper-h265 (as published)", ["30:27 P904", "30:52 P909"]),
        ("# mps-bill: ignore P904, P905 (as published)", ["30:52 P909"]),
        ("# mps-bill: ignore P905 (as published)", ["30:27 P904", "30:52 P909"]),
        ("# mps-bill: ignore P904", ["30:27 P904", "30:52 P910"]),
        ("# mps-bill: ignore P904 ()", ["30:27 P904", "30:52 P910"]),
        ("# mps-bill: ignore P101 (an error)", ["30:27 P904", "30:52 P910"]),
        ("# mps-bill: ignore p904 (lower case)", ["30:27 P904", "30:52 P910"]),
        ("# mps-bill: ingore P904 (misspelt)", ["30:27 P904", "30:52 P910"]),
        ("# a note about mps-bill that is no comment for it", ["30:27 P904"]),
    ],
)
def test_a_comment_suppresses_a_warning(comment: str, codes: list[str]) -> None:
    assert found(edited((ODD[0], f"{ODD[1]}  {comment}"))) == codes


def test_a_comment_on_its_own_line_applies_to_the_next_value() -> None:
    lines = "      # mps-bill: ignore P904 (as published)\n      # and more\n\n      "
    assert found(edited((f"      {ODD[0]}", lines + ODD[1]))) == []


def test_a_comment_about_a_date_may_be_unused_for_now() -> None:
    text = edited(("T00:00:00+08:00\n", "T00:00:00+08:00  # mps-bill: ignore P908 (announced)\n"))
    assert found(text) == []
    assert found(text.replace("2026-11-23", "2022-11-23"), today="2023-01-01") == []


# ---- Several sheets -------------------------------------------------------------------------------------------------


def test_each_site_is_a_separate_run() -> None:
    china = edited(("id: studio", "id: studio-china"), ("site: international", "site: china"), ("USD", "CNY"))
    assert found(GOOD, china) == []
    same_site = edited(("id: studio", "id: studio-china"), ("USD", "CNY"))
    assert found(GOOD, same_site) == ["1:5:11 P408"]
    shared_id = edited(("site: international", "site: china"))
    assert found(GOOD, shared_id) == ["1:3:7 P409"]


def test_errors_and_warnings_of_a_sheet_are_reported_in_one_run() -> None:
    """None of sixteen mistakes (nine errors) hides another. A price that makes two others look cheap is one mistake."""
    text = edited(
        ("currency: USD", "currency: USD\ncurrency: CNY"),
        ("2024-04-01T", "2042-04-01T"),
        ("read_on: 2026-11-23", "read_on: 2024-11-23"),
        ("issue_after: 1h", "issue_after: 60"),
        ("mode: down", "mod: down"),
        ("[cn-beijing, cn-shanghai]", "[cn-beijing, cn-shanghai, cn-beijing]"),
        ("family: transcoding", "family: transcode"),
        ("minimum: 0.02", "minimum: 0.025"),
        ("H264.SD: {mainland: 0.0050, asia: 0.0125}", "H264.SD: {mainland: 0.0005, asia: 0.0260}"),
        ("H265.SD: {mainland: 0.0248, asia: 0.0625}", "H265.SD: {mainland: 0.0248, asia: 0.0250}"),
        ("H265.HD: {mainland: 0.0496, asia: 0.1250}", "H265.HD: {mainland: 0.0496}  # mps-bill: ignore P906"),
        ("sources: [page]", "sources: [pages]"),
        ("times: 3", "times: 0"),
        ("spec: Segmentation", "spec: Segments"),
        ("10000: 0.09", "10000: 0.19"),
    )
    assert found(text, today=TODAY) == [
        "6:1 P101",
        "7:17 P908",
        "9:60 P907",
        "13:16 P209",
        "15:25 P121",
        "17:39 P127",
        "24:13 P224",
        "28:69 P314",
        "30:27 P906",
        "30:41 P904",
        "33:7 P901",
        "33:38 P910",
        "34:15 P302",
        "41:45 P213",
        "46:11 P308",
        "55:78 P903",
    ]
