"""One mistake is one finding at its place, however many prices, items and versions it affects."""

from __future__ import annotations

import json
import re

import pytest

from mps_bill.price_sheet.find import shipped_sheets
from mps_bill.render import sarif
from mps_bill.view.findings_view import FindingsView
from tests.price_sheet.slips import TODAY, findings
from tests.render.runs import text

#: A contract at list prices in versions of 2025 and 2026, so that it is compared with the price list.
SHEETS = {
    name: re.sub(r"(?m)^effective_from: .*$", "effective_from: 2025-01-01T00:00:00+08:00", sheet.path.read_text())
    for name, sheet in shipped_sheets().items()
    if name in ("mps-china", "mps-intl")
}
SHEETS = {
    name: re.sub(
        r"(?m)^  - items: .*\n    (regions|specs): .*\n    before: .*\n.*\n|^  - items: .*\n    before: .*\n.*\n",
        "",
        text,
    )
    for name, text in SHEETS.items()
}
CHINA, INTL = "mps-china", "mps-intl"
METERING = "{per: record, step: 0.01, rounding: half-up, minimum: 0.02}"

#: (name, sheet, pattern, new text, number of replacements (0: all), code, text on its line); `next` is compared with the version
#: before.
MISTAKES: tuple[tuple[str, str, str, str, int, str, str], ...] = (
    ("a region in two groups", INTL, r"  hongkong_us_europe: \[", "  hongkong_us_europe: [cn-beijing, ", 1, "P310", "europe: ["),
    ("a region gone from a group", f"{CHINA} next", "cn-qingdao, ", "", 1, "P913", "  mainland: ["),
    ("a member misspelt", f"{CHINA} next", "cn-qingdao, ", "cn-quingdao, ", 1, "P916", "  mainland: ["),
    ("the minimum changed everywhere", f"{CHINA} next", "minimum: 0.02", "minimum: 1", 0, "P914", "minimum: 1}"),
    ("the step changed everywhere", f"{CHINA} next", r"step: 0\.01", "step: 0.02", 0, "P914", "step: 0.02"),
    ("the minimum of one item changed", f"{CHINA} next", "minimum: 0.02", "minimum: 1", 1, "P914", "minimum: 1}"),
    ("metering lost everywhere", f"{CHINA} next", f"    metering: {re.escape(METERING)}\n", "", 0, "P914", "  transcoding:"),
    ("h265 everywhere", CHINA, r"H265\.", "h265.", 0, "P915", "h265.4K: {mainland: 1.4000}"),
    ("h265 everywhere, beside the version before", f"{CHINA} next", r"H265\.", "h265.", 0, "P915", "h265.4K: {mainland: 1.4000}"),
    ("one h264.HD", CHINA, r"H264\.HD: \{mainland: 0.06", "h264.HD: {mainland: 0.06", 1, "P915", "h264.HD"),
    ("one h264.HD, beside", f"{CHINA} next", r"H264\.HD: \{mainland: 0.06", "h264.HD: {mainland: 0.06", 1, "P915", "h264.HD"),
    ("H246 for H264", f"{CHINA} next", r"      H264\.HD", "      H246.HD", 1, "P915", "H246.HD"),
    ("H264.FHD", CHINA, r"      H264\.HD", "      H264.FHD", 1, "P307", "H264.FHD"),
    ("H264.FHD, beside", f"{CHINA} next", r"      H264\.HD", "      H264.FHD", 1, "P307", "H264.FHD"),
    ("a size renamed in its set", CHINA, " HD: 1920x1080", " FHD: 1920x1080", 1, "P307", "H264.HD"),
    ("spec lost", CHINA, '    spec: "{codec}.{resolution}"\n', "", 1, "P306", "resolutions: video"),
    ("spec and sizes lost", CHINA, '    spec: "{codec}.{reso.*\n    resolutions: video\n', "", 1, "P321", "  transcoding:"),
    ("spec lost, beside", f"{CHINA} next", '    spec: "{codec}.{resolution}"\n', "", 1, "P306", "resolutions: video"),
    ("a constant spec lost", f"{CHINA} next", "    spec: Audio\n", "", 1, "P920", "  audio_transcoding:"),
    ("Smarttag", CHINA, "      SmartTag:", "      Smarttag:", 1, "P308", "spec: SmartTag"),
    ("Smarttag, beside", f"{CHINA} next", "      SmartTag:", "      Smarttag:", 1, "P308", "spec: SmartTag"),
    ("the wrong time zone", f"{CHINA} until", r'timezone: "\+08:00"', 'timezone: "+00:00"', 1, "P923", "timezone:"),
    ("half an hour too much", f"{CHINA} until", r'timezone: "\+08:00"', 'timezone: "+08:30"', 1, "P402", "effective_from"),
    ("the wrong time zone, beside", f"{CHINA} next", r'timezone: "\+08:00"', 'timezone: "+00:00"', 1, "P406", "billing:"),
    ("a start by another clock", f"{CHINA} next", r"(effective_from: 2026\S+)\+08:00", r"\1+00:00", 1, "P923", "effective_from"),
    ("a start long after", f"{CHINA} until next", "effective_from: 2026", "effective_from: 2062", 1, "P902", "effective_to"),
    ("transcoding to second", CHINA, "unit: minute", "unit: second", 1, "P322", "unit: second"),
    ("transcoding to second, beside", f"{CHINA} next", "unit: minute", "unit: second", 1, "P322", "unit: second"),
    ("editing to second", CHINA, r"(?s)(  editing_basic:.*?)unit: minute", r"\1unit: second", 1, "P911", "  editing_basic:"),
    ("its unit, beside", f"{CHINA} next", r"(?s)(editing_b.*?)unit: minute", r"\1unit: second", 1, "P914", "unit: second"),
    ("minutes everywhere", CHINA, "unit: minute", "unit: minutes", 0, "P225", "unit: minutes"),
    ("a code misspelt", f"{CHINA} next", "  audio_transcoding:", "  audio_transcodnig:", 1, "P924", "  audio_transcodnig:"),
    ("the code of the base misspelt", f"{CHINA} next", "  transcoding:", "  transcodnig:", 1, "P319", "prices_from"),
    ("an item lost", f"{CHINA} next", r"(?s)  audio_transcoding:.*?(?=  transmuxing:)", "", 1, "P913", "  transmuxing:"),
    ("three items lost", f"{CHINA} next", r"(?s)  dolby:.*?(?=  volume_normal)", "", 1, "P913", "  volume_normalisation_pro:"),
    ("a row lost", f"{CHINA} next", r"      H264\.HD: .*\n", "", 1, "P913", "H264.SD"),
    ("a region lost in a row", f"{INTL} next", r"(H264\.HD: .*), me-central-1: 0\.0300", r"\1", 1, "P913", "H264.HD"),
    ("a region lost in every row of an item", f"{INTL} next", r", me-central-1: [\d.]+", "", 0, "P913", "  transcoding:"),
    ("a group misspelt", CHINA, "  mainland: \\[", "  mainlnad: [", 1, "P309", "  mainlnad: ["),
    ("a source's id misspelt", CHINA, "id: vod-value-added", "id: vod-valu-added", 1, "P302", "vod-value-added]"),
    ("a comma for a point", CHINA, "mainland: 0.0651", "mainland: 0,0651", 1, "P125", "0,0651"),
    ("a comma for a point, beside", f"{CHINA} next", "mainland: 0.0651", "mainland: 0,0651", 1, "P125", "0,0651"),
    ("tiers the wrong way", CHINA, r"0\.1(, 10000: 0.09, 100000: 0.08, rest: )0.07", r"0.07\g<1>0.1", 1, "P903", "porn"),
    ("tiers counted otherwise everywhere", f"{CHINA} next", "tiers: volume", "tiers: graduated", 0, "P914", "porn"),
    ("two rows in each other's place", INTL, r"H264\.HD(: .*\n      )H264\.SD", r"H264.SD\1H264.HD", 1, "P911", "H264"),
    ("read next year", CHINA, "read_on: 2026-11-23", "read_on: 2027-11-23", 0, "P922", "2027"),
    ("a currency misspelt", CHINA, "currency: CNY", "currency: CYN", 1, "P921", "CYN"),
    ("the factor", CHINA, "times: 3", "times: 30", 1, "P911", "times: 30"),
    ("HEVC everywhere", f"{CHINA} next", r"H265\.", "HEVC.", 0, "P915", "HEVC"),
    ("a region misspelt everywhere", f"{INTL} next", "me-central-1", "me-centrl-1", 0, "P309", "me-centrl-1"),
    ("the sources lost", CHINA, r"(?s)sources:\n.*?billing:", "billing:", 1, "P302", "sources: ["),
    ("price for prices", CHINA, "    prices:", "    price:", 0, "P121", "    price:"),
    ("two regions in two groups", INTL, r"(  hongkong_us_europe: \[)", r"\1cn-beijing, cn-shanghai, ", 1, "P310", "europe: ["),
    ("another product", f"{CHINA} next", "product: mps", "product: msp", 1, "P409", "product: msp"),
    ("a template and its rows", f"{CHINA} next", r"(SuperResolution\.Standar)d", r"\1t", 0, "P915", "Standart.HD"),
    ("hours everywhere, beside", f"{CHINA} next", "unit: minute", "unit: hour", 0, "P914", "unit: hour"),
    ("rows lost in three items", f"{CHINA} next", r"      H264\.\w+: \{mainland: .*\n", "", 0, "P913", "H26"),
    ("another rounding of the bill", f"{CHINA} next", "mode: down", "mode: up", 1, "P914", "mode: up"),
)  # fmt: skip


def _versions(sheet: str, pattern: str, new: str, count: int) -> list[str]:
    """Return the sheet with the mistake, and the version before if there is one."""
    name, *how = sheet.split()
    text = SHEETS[name]
    before = text
    if "until" in how:
        before = text.replace(
            "00:00:00+08:00\nsources", "00:00:00+08:00\neffective_to: 2026-01-01T00:00:00+08:00\nsources"
        )
        text = text if "next" in how else before
    if "next" in how:
        text = text.replace("effective_from: 2025", "effective_from: 2026")
    wrong, found = re.subn(pattern, new, text, count=count)
    assert found, pattern
    return [wrong, before] if "next" in how else [wrong + "# a contract\n"]


@pytest.mark.parametrize(
    ("sheet", "pattern", "new", "count", "code", "line"),
    [row[1:] for row in MISTAKES],
    ids=[row[0] for row in MISTAKES],
)
def test_a_mistake_is_one_finding_at_its_place(
    sheet: str, pattern: str, new: str, count: int, code: str, line: str
) -> None:
    texts = _versions(sheet, pattern, new, count)
    found = findings(*texts)
    assert [problem.kind.code for problem in found] == [code], "\n".join(map(str, found))
    text = texts[0] if found[0].place.file == "f" else texts[1]
    assert line in text.split("\n")[found[0].place.line - 1]


def test_all_formats_agree() -> None:
    """All formats have the same findings at the same places, with the places of the problems that they include."""
    views = []
    for sheet, pattern, new, count, _, _ in (row[1:] for row in MISTAKES):
        texts = _versions(sheet, pattern, new, count)
        views.append(
            FindingsView(findings(*texts), dict(zip(("f", "before-0"), texts, strict=False)), TODAY, strict=True)
        )
    for view in views:
        (problem,) = view.problems
        place, code = problem.place, problem.kind.code
        (result,) = sarif.sarif(view)["runs"][0]["results"]
        (location,) = result["locations"]
        (case,) = (case for _, cases in view.suites().files for case in cases if case.failure)
        (entry,) = json.loads(text(view, "gitlab"))
        (row,) = view.document()["problems"]
        (command,) = text(view, "github").splitlines()
        (line,) = (line for line in view.lines() if problem.message in line)
        related = [one["physicalLocation"]["region"]["startLine"] for one in result.get("relatedLocations", [])]
        assert related == [one["line"] for one in row.get("also", [])] == [one.line for one in problem.also]
        assert {
            (place.line, code, problem.message),
            (location["physicalLocation"]["region"]["startLine"], result["ruleId"], result["message"]["text"]),
            (case.line, *case.failure[:2]),
            (entry["location"]["lines"]["begin"], entry["check_name"].split()[0], entry["description"]),
            (row["line"], row["code"], row["message"]),
        } == {(place.line, code, problem.message)}
        assert f"line={place.line}," in command
        assert f"title={code} " in command
        assert line.startswith(f"{place}: ")
    assert any(problem.also for view in views for problem in view.problems)
