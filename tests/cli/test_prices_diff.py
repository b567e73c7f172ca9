"""`prices diff --usage` reads usage as every other command does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mps_bill.cli import run
from mps_bill.profiles.profile_definition import load_profile
from tests import kit
from tests.cli.test_outputs import contents
from tests.cli.test_profile_notes import JOBS
from tests.invalid.gallery import GOOD
from tests.kit import changed

DEARER = kit.SHEET.replace("0.0651", "0.07").replace("id: test", "id: new")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "old.yaml").write_text(kit.SHEET)
    (tmp_path / "new.yaml").write_text(DEARER)
    (tmp_path / "usage.csv").write_text(kit.usage_text([kit.row(), kit.row(job_id="bad", quantity="ten")]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def diff(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> tuple[dict[str, Any], str]:
    assert run(["prices", "diff", "old.yaml", "new.yaml", "--format", "json", *words]) == code
    out, err = capsys.readouterr()
    return json.loads(out) if out else {}, err


@pytest.mark.parametrize("engine", kit.ENGINES)
def test_bad_rows_can_be_kept_out(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--usage", "usage.csv", "--engine", engine)
    assert "The usage cannot be billed under test@2023-11-01T00:00:00+08:00:" in diff(capsys, *words, code=3)[1]
    found, err = diff(capsys, *words, "--rejects", "rejects.csv", code=1)
    assert found["usage"]["list_amount"] == {"old": "0.651", "new": "0.7", "difference": "0.049"}
    assert found["usage"]["records"] == 1
    assert "usage.csv:3" in err
    assert len(Path("rejects.csv").read_text().splitlines()) == 2


def test_times_may_have_no_offset_and_columns_may_be_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{kit.row(completed_at='2023-11-10T11:20:00')},x"]
    Path("local.csv").write_text(kit.usage_text(rows, f"{kit.HEADER},remark"))
    words = ("--usage", "local.csv", "--timezone", "+08:00", "--ignore-extra-columns")
    assert diff(capsys, *words, code=1)[0]["usage"]["records"] == 1


def test_a_profile_reads_job_lists(capsys: pytest.CaptureFixture[str]) -> None:
    profile, _ = load_profile("mps-job-list")
    assert profile
    run(["prices", "diff", "mps-china", "mps-china", "--usage", JOBS, "--profile", "mps-job-list", "-f", "json"])
    out, err = capsys.readouterr()
    assert [line for line in err.splitlines() if line.startswith("Note: ")] == [f"Note: {n}" for n in profile.notes]
    assert int(json.loads(out)["usage"]["records"]) > 0


@pytest.mark.parametrize("path", ["usage.csv", "old.yaml", "new.yaml"])
@pytest.mark.parametrize("option", ["--output", "--rejects"])
def test_an_input_is_not_overwritten(option: str, path: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(folder)
    said = " ".join(diff(capsys, "--usage", "usage.csv", option, path, code=2)[1].split())
    assert f"{option}: {path} is also given as" in said
    assert contents(folder) == before


def test_a_sheet_is_not_overwritten_without_usage_either(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(folder)
    assert "is also given as --prices new.yaml" in " ".join(diff(capsys, "-o", "new.yaml", code=2)[1].split())
    assert contents(folder) == before


def test_sheets_of_two_products_are_compared_each_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.yaml").write_text(DEARER.replace("product: mps", "product: other"))
    Path("usage.csv").write_text(kit.usage_text([kit.row()]))
    assert diff(capsys, "--usage", "usage.csv", code=1)[0]["usage"]["payable"] == {
        "old": "0.65", "new": "0.7", "difference": "0.05"
    }  # fmt: skip


# ---- --fail-if-up ----------------------------------------------------------------------------------------------------


def test_changes_without_a_percentage_are_named_or_judged_on_usage(capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.yaml").write_text(kit.SHEET.replace("minimum: 0.02}", "minimum: 60}", 1))
    Path("usage.csv").write_text(kit.usage_text([kit.row(quantity="30")]))
    change = (
        'the metering of transcoding changes from "each record rounded half-up to 0.01 minutes, at least 0.02 minutes"'
        ' to "each record rounded half-up to 0.01 minutes, at least 60 minutes"'
    )
    assert diff(capsys, "--fail-if-up", "5", code=4)[1] == (
        f"A limit was crossed: {change}, which cannot be expressed as a percentage; --usage shows its effect\n"
    )
    assert diff(capsys, "--fail-if-up", "5", "--usage", "usage.csv", code=4)[1] == (
        "A limit was crossed: the list amount rises from 1.953 to 3.906 (+100 %), more than --fail-if-up 5 % allows\n"
        "A limit was crossed: the payable amount rises from 1.95 to 3.90 (+100 %), more than --fail-if-up 5 % allows\n"
        "A limit was crossed: the amount of transcoding rises from 1.953 to 3.906 (+100 %), more than --fail-if-up 5 %"
        " allows\n"
    )
    diff(capsys, "--fail-if-up", "100", "--usage", "usage.csv", code=1)
    Path("usage.csv").write_text(kit.usage_text([kit.usage_of("dna")]))
    assert diff(capsys, "--fail-if-up", "5", "--usage", "usage.csv", code=4)[1] == (
        f"A limit was crossed: {change}, which cannot be expressed as a percentage; the usage has no transcoding\n"
    )


def test_the_payable_amount_is_judged_and_not_the_list_amount_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("new.yaml").write_text(kit.SHEET.replace("mode: down", "mode: up"))
    Path("usage.csv").write_text(kit.usage_text([kit.row()]))
    assert diff(capsys, "--fail-if-up", "5", code=4)[1] == (
        'A limit was crossed: the rounding of a bill changes from "down to 2 decimal places" to "up to 2 decimal places",'
        " which cannot be expressed as a percentage; --usage shows its effect\n"
    )
    words = ("--fail-if-up", "1", "--usage", "usage.csv")
    assert diff(capsys, *words, code=4)[1] == (
        "A limit was crossed: the payable amount rises from 0.65 to 0.66 (~+1.54 %), more than --fail-if-up 1 % allows\n"
    )
    diff(capsys, "--fail-if-up", "2", "--usage", "usage.csv", code=1)


def _folders(text: str, folder: Path) -> None:
    for side in ("old", "new"):
        (folder / side).mkdir()
        (folder / side / "2023.yaml").write_text(text)
    later = text.replace("effective_from: 2023", "effective_from: 2024")
    (folder / "old" / "2024.yaml").write_text(later)


def test_a_last_version_that_is_deleted_is_a_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The end of its prices is in the sentence, in words and in the document, and crosses the limit; with usage, of its items."""
    ends = kit.SHEET.replace("\nsite: ", "\neffective_to: 2024-11-01T00:00:00+08:00\nsite: ", 1)
    assert ends != kit.SHEET
    _folders(ends, folder)
    (folder / "old" / "2024.yaml").write_text(kit.SHEET.replace("effective_from: 2023", "effective_from: 2024"))
    words = ["prices", "diff", "old", "new", "--fail-if-up", "5"]
    for form in ("table", "markdown"):
        assert run([*words, "--format", form]) == 4
        # A terminal may fold the sentences.
        out, err = (" ".join(text.split()) for text in capsys.readouterr())
        assert "1 sheet deleted" in out
        assert re.search(r"transcoding, audio, \w+ and \d+ more without a price from 2024-11-01 on", out)
        assert re.search(
            r"No sheet of mps \(international\) is in force from 2024-11-01 00:00 \+08:00 on: there is no price for \w",
            out,
        )
        assert "without a price from 2024-11-01 on, when no sheet is in force" in err
    assert run([*words, "--format", "json"]) == 4
    (ended,) = json.loads(capsys.readouterr()[0])["ended"]
    assert (ended["since"], ended["until"], ended["new"]) == ("2024-11-01T00:00:00+08:00", None, None)
    assert "transcoding" in ended["items"]
    assert "cn-shanghai" in ended["regions"]
    assert run(words[:4]) == 1
    # By usage it is judged where the usage has such an item.
    Path("usage.csv").write_text(kit.usage_text([kit.row()]))
    assert run([*words, "--usage", "usage.csv"]) == 4
    capsys.readouterr()
    # The first version may be cleared away: what has no price for some time is said, and no reason.
    (folder / "new" / "2023.yaml").write_text((folder / "old" / "2024.yaml").read_text())
    assert run(words) == 1
    out, err = (" ".join(text.split()) for text in capsys.readouterr())
    assert (
        "No sheet of mps (international) is in force from 2023-11-01 00:00 +08:00 until 2024-11-01 00:00 +08:00" in out
    )
    assert err == ""


def test_a_limit_that_two_sheets_cross_is_named_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With both sheets; and a price that follows another one is not named as well."""
    _folders(kit.SHEET, folder)
    for path in (folder / "old" / "2024.yaml", *(folder / "new").iterdir()):
        later = path.read_text()
        (folder / "new" / path.name).write_text(later.replace("0.0651", "0.07"))
    assert run(["prices", "diff", "old", "new", "--fail-if-up", "5", "--format", "markdown"]) == 4
    out, err = capsys.readouterr()
    crossed = [line for line in out.splitlines() if line.startswith("A limit was crossed")]
    assert len(crossed) == len(err.splitlines()) == len(set(crossed))
    (price,) = [line for line in crossed if "0.0651" in line]
    assert "in test@2023-11-01T00:00:00+08:00 and test@2024-11-01T00:00:00+08:00" in price


@pytest.mark.parametrize(("up", "down", "most"), [("0.1302", "0.0109", "+100 %"), ("0.0660", "0.00109", "-")])
def test_the_price_that_changed_most_is_named(
    up: str, down: str, most: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Up or down, in the sentence as in the document."""
    assert "0.3255" in kit.SHEET
    Path("new.yaml").write_text(kit.SHEET.replace("0.0651", up).replace("0.3255", down if most == "-" else "0.3000"))
    document, _ = diff(capsys, code=1)
    largest = document["summary"]["largest"]
    assert largest["spec"] == ("H265.HD" if most == "-" else "H264.HD")
    assert run(["prices", "diff", "old.yaml", "new.yaml"]) == 1
    assert (
        f"most: {largest['spec']} of transcoding in {largest['regions']} {largest['percent']}" in capsys.readouterr()[0]
    )


# ---- Usage that the new sheet cannot bill -----------------------------------------------------------------------------


@pytest.mark.parametrize("engine", kit.ENGINES)
def test_usage_without_a_price_any_more(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    dearer = DEARER.replace("      H265.HD: {mainland: 0.3255}\n", "")
    Path("new.yaml").write_text(dearer)
    rows = [kit.row(), kit.row(job_id="a", codec="H265"), kit.row(job_id="b", codec="H265", quantity="4")]
    Path("usage.csv").write_text(kit.usage_text(rows))
    found, err = diff(capsys, "--usage", "usage.csv", "--engine", engine, code=3)
    assert [rate["spec"] for rate in found["items"][0]["prices"]] == ["H264.HD", "H265.HD"]
    assert [{key: one[key] for key in one if key != "reason"} for one in found["unbilled"]] == [
        {"item": "transcoding", "spec": "H265.HD", "region": "cn-shanghai", "rows": 2, "amount": "4.557"}
    ]
    assert "usage" not in found
    assert "The usage cannot be billed under new@2023-11-01T00:00:00+08:00:" in err
    assert run(["prices", "diff", "old.yaml", "new.yaml", "--usage", "usage.csv"]) == 3
    assert "Usage that has no price under the new sheet" in capsys.readouterr().out


_LATER = kit.SHEET.replace("2023-11-01T00:00:00+08:00", "2025-01-01T00:00:00+08:00").replace("0.0651", "0.0300")


@pytest.mark.parametrize(
    "change",
    [
        # The cheaper version is put off by a year, deleted, or all versions get another id and one price rises.
        lambda new: (new / "b.yaml").write_text(_LATER.replace("2025-01-01", "2026-01-01")),
        lambda new: (new / "b.yaml").unlink(),
        lambda new: [
            path.write_text(path.read_text().replace("id: test", "id: other").replace("0.0651", "0.0940"))
            for path in new.iterdir()
        ],
    ],
    ids=["put-off", "deleted", "renamed"],
)
def test_prices_in_force_at_a_time_must_not_rise(change: Any, folder: Path) -> None:
    for name in ("before", "after"):
        (folder / name).mkdir()
        (folder / name / "a.yaml").write_text(kit.SHEET)
        (folder / name / "b.yaml").write_text(_LATER)
    assert run(["prices", "diff", "before", "after", "--fail-if-up", "0"]) == 0
    change(folder / "after")
    assert run(["prices", "diff", "before", "after", "--fail-if-up", "0"]) == 4


def test_a_dearer_time_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("before", "after"):
        (folder / name).mkdir()
        (folder / name / "a.yaml").write_text(kit.SHEET)
    (folder / "before" / "b.yaml").write_text(_LATER)
    assert run(["prices", "diff", "before", "after", "--fail-if-up", "0"]) == 4
    text = " ".join(capsys.readouterr().err.split())
    assert "rises from 0.0300 to 0.0651 from 2025-01-01 on, when test@2023-11-01T00:00:00+08:00 is in force" in text


def test_the_sentence_says_what_a_version_that_is_put_off_changes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, start in (("before", "2025-01-01"), ("after", "2026-01-01")):
        (folder / name).mkdir()
        (folder / name / "a.yaml").write_text(kit.SHEET)
        (folder / name / "b.yaml").write_text(_LATER.replace("2025-01-01", start))
    assert run(["prices", "diff", "before", "after"]) == 1
    first, last = "test@2023-11-01T00:00:00+08:00", "test@2025-01-01T00:00:00+08:00"
    sentence = f"from 2025-01-01 on, {first} is in force instead of {last}: 1 price up; most: H264.HD of transcoding"
    assert sentence in " ".join(capsys.readouterr().out.split())


# ---- The sentence, and the document ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "minimum: 0.02}",
            "minimum: 60}",
            '1 rule changed: metering of transcoding from "each record rounded half-up to 0.01 minutes, at least 0.02 minutes"'
            ' to "each record rounded half-up to 0.01 minutes, at least 60 minutes", dearer for some usage',
        ),
        ("HD: 1920x1080", "HD: 1920x1000", " at most"),
        ("mode: down", "mode: up", '1 rule changed: bill rounded of the sheet from "down to 2 decimal places"'),
        (
            "effective_from: 2023-11-01",
            "effective_from: 2024-11-01",
            "in force from is 2024-11-01 00:00 +08:00 instead of",
        ),
        (
            "      H265.HD: {mainland: 0.3255}\n",
            "",
            "H265.HD of transcoding in mainland without a price from 2023-11-01 on",
        ),
    ],
)
def test_the_sentence_leads_with_what_changed(
    old: str, new: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in kit.SHEET
    Path("new.yaml").write_text(kit.SHEET.replace(old, new, 1))
    assert run(["prices", "diff", "old.yaml", "new.yaml", "--format", "markdown"]) == 1
    said = capsys.readouterr()[0].split("\n\n")[2].replace("\\", "")
    assert sentence in said
    assert said.startswith("No price changed") == sentence.startswith("in force from")


def test_the_counts_of_the_sentence_are_those_of_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prices that follow another item are counted with those that moved by themselves, in both."""
    for name, price in (("old.yaml", "0.0099"), ("new.yaml", "0.0105")):
        (folder / name).write_text(GOOD.read_text().replace("0.0099", price))
    assert run(["prices", "diff", "old.yaml", "new.yaml", "--format", "markdown"]) == 1
    out = capsys.readouterr()[0]
    counts = "1 price up, 1 that follows another item"
    assert f"\n\n{counts}; most:" in out
    assert f"<summary>Prices: {counts}</summary>" in out


def test_specs_of_another_name_do_not_follow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "old.yaml").write_text(GOOD.read_text())
    (folder / "new.yaml").write_text(changed("{resolution}.Narrow", "{resolution}.Small", GOOD.read_text()))
    document, _ = diff(capsys, "--fail-if-up", "5", code=4)
    summary = document["summary"]
    assert [summary[key] for key in ("added", "removed", "following", "rules")] == [8, 8, 0, 1]
    assert run(["prices", "diff", "old.yaml", "new.yaml"]) == 1
    out = capsys.readouterr()[0]
    assert "because" not in out
    assert "8 prices added, 8 removed; 1 rule changed: spec of narrowband" in " ".join(out.split())


def test_reasons_and_changes_are_values_in_the_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = changed("minimum: 0.02", "minimum: 60", changed("0.0099", "0.0109", GOOD.read_text()))
    text = changed(
        "volume", "graduated", changed("    unit: minute\n    spec: Seg", "    unit: second\n    spec: Seg", text)
    )
    (folder / "old.yaml").write_text(GOOD.read_text())
    (folder / "new.yaml").write_text(changed("      H265.HD: {mainland: 0.0496, asia: 0.1250}\n", "", text))
    document, err = diff(capsys, "--fail-if-up", "5", code=4)
    reasons = document["limit"]["reasons"]
    assert [f"A limit was crossed: {one['text']}" for one in reasons] == err.splitlines()
    assert [one["text"] for one in reasons] == document["limit"]["crossed"]
    of_price = next(one["rises"][0] for one in reasons if one["rises"] and one["rises"][0]["spec"] == "H264.HD")
    assert of_price == {
        "what": "the price of H264.HD of transcoding in mainland", "item": "transcoding", "spec": "H264.HD",
        "regions": ["cn-beijing", "cn-shanghai"], "old": "0.0099", "new": "0.0109", "old_unit": None, "new_unit": None,
        "percent": "10.1", "exact": False,
    }  # fmt: skip
    per_second = next(one["rises"][0] for one in reasons if one["rises"] and one["rises"][0]["item"] == "transmuxing")
    wanted = ("old", "new", "old_unit", "new_unit", "percent", "exact")
    assert [per_second[key] for key in wanted] == ["0.0021", "0.0021", "minute", "second", "5900", True]
    (lost,) = (one["lost"] for one in reasons if one["lost"])
    gone = ["cn-beijing", "cn-shanghai", "ap-southeast-1", "ap-northeast-1"]
    assert lost[0] == {"item": "transcoding", "spec": "H265.HD", "regions": gone, "size": None}
    assert document["ended"][0]["prices"] == lost
    items = {one["item"]: one for one in document["items"]}
    metering = [items["transcoding"]["rules"][side]["metering"]["minimum"] for side in ("old", "new")]
    assert metering == ["0.02", "60"]
    (kind,) = items["review"]["kinds"]
    assert [kind[side]["tiers"] for side in ("old", "new")] == ["volume", "graduated"]
    assert document["billing"]["old"]["rounding"] == {"places": 2, "mode": "down"}


def test_bounds_of_tiers_are_numbers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "old.yaml").write_text(GOOD.read_text())
    (folder / "new.yaml").write_text(changed("3000: 0.1, 10000: 0.09", "3000: 0.2, 10000: 0.18", GOOD.read_text()))
    (item,) = diff(capsys, code=1)[0]["items"]
    bounds = [(one["tier_from"], one["tier_to"], one["change_percent"], one["change_exact"]) for one in item["prices"]]
    assert bounds == [("0", "3000", "100", True), ("3000", "10000", "100", True)]


def test_standard_input_is_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prices", "diff", "-", "-"]) == 2
    assert "both sheets cannot be read from standard input" in " ".join(capsys.readouterr().err.split())


def test_a_reason_names_the_sheet_by_its_own_start(capsys: pytest.CaptureFixture[str]) -> None:
    """Though it counts as if it had been in force all the time."""
    Path("new.yaml").write_text(changed("H265.HD: {mainland: 0.3255}", "H265.HD: {us-west-1: 0.3255}", kit.SHEET))
    Path("usage.csv").write_text(kit.usage_text([kit.row(codec="H265")]))
    document, err = diff(capsys, "--usage", "usage.csv", code=3)
    (one,) = document["unbilled"]
    assert "1969" not in one["reason"] + err
    assert "in test@2023-11-01T00:00:00+08:00" in one["reason"]


def test_usage_that_is_billed_has_lost_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Codec and size make the new name of a spec; the old one, which other usage may give, is a loss without `--usage`."""
    (folder / "old.yaml").write_text(GOOD.read_text())
    (folder / "new.yaml").write_text(changed("{resolution}.Narrow", "{resolution}.Small", GOOD.read_text()))
    Path("usage.csv").write_text(kit.usage_text([kit.row(item="narrowband")]))
    diff(capsys, "--fail-if-up", "5", code=4)
    assert diff(capsys, "--fail-if-up", "5", "--usage", "usage.csv", code=1)[0]["ended"]
