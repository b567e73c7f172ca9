"""Usage for which a sheet states that it has no price is refused with the reason and the place for a price."""

from __future__ import annotations

from pathlib import Path

import pytest

from mps_bill.core.decimals import stripped
from mps_bill.metering import EngineName
from mps_bill.metering.meter_options import MeterOptions
from tests.kit import ENGINES, SHEET, billed, book, problems_of, row, sheet_of, source, usage_of, usage_text

NOTE = "the provider bills this, but its price is not published where we could read it"
UNPRICED = f"""\
unpriced:
  - {{items: [transcoding], specs: [H266, GIF, H265.8K, H265_8K], note: "{NOTE}"}}
  - {{items: [transcoding], specs: [H265], regions: [ap-southeast-1], note: "{NOTE}"}}
  - {{items: [digital_watermark, api_requests], note: "{NOTE}"}}
  - {{items: [mns_topic], regions: [cn-hongkong], note: "{NOTE}"}}
  - {{items: [mns_topic], regions: [ap-southeast-1], note: "not sold yet"}}
  - {{items: [sharpening], before: 2023-11-07T00:00:00+08:00, note: "sharpening was first charged on 2023-11-07"}}
  - {{items: [sharpening], specs: [Sharp.8K], before: 2023-12-20T00:00:00+08:00, note: "8K was first charged on 2023-12-20"}}
  - {{items: [audio], regions: [me-central-1, mainland], before: 2023-11-07T00:00:00+08:00, note: "Riyadh opened on 2023-11-07"}}
"""
PRICES = SHEET.replace("items:\n", UNPRICED + "items:\n", 1).replace(
    "    spec: Captions\n", "    spec: Captions\n    spec_aliases: {Captions.1080P: Captions}\n"
)
ADD = "; add it to your own sheet, "

#: (what is used, row, column that is named, message, code)
REFUSED = [
    ("a spec", row(spec="H266.HD", codec="", width="", height=""), "spec",
     f'transcoding "H266.HD" has no price in test@2023-11-01T00:00:00+08:00: {NOTE}{ADD}as a price of transcoding'
     " (sheet-0.yaml:23:3)", "U309"),
    ("a spec of another spelling", row(spec="H265_8K", codec="", width="", height=""), "spec",
     f'transcoding "H265_8K" has no price in test@2023-11-01T00:00:00+08:00: {NOTE}{ADD}as a price of transcoding', "U309"),
    ("a codec", row(codec="H266"), "codec",
     f'transcoding "H266" has no price in test@2023-11-01T00:00:00+08:00: {NOTE}{ADD}as a price of transcoding', "U309"),
    ("a size", row(codec="H265", width="7680", height="4320"), "width",
     "the picture, 7680x4320, is larger than 4K, the largest size of transcoding (3840x2160); it has no price"
     f"; H265.8K: {NOTE}{ADD}as a price of transcoding (sheet-0.yaml:23:3)", "U308"),
    ("a region", row(codec="H265", region="ap-southeast-1"), "region",
     f'transcoding "H265.HD" has no price in "ap-southeast-1" in test@2023-11-01T00:00:00+08:00: {NOTE}{ADD}as a price of'
     " transcoding (sheet-0.yaml:23:3)", "U309"),
    ("an item in a region", usage_of("mns_topic", region="cn-hongkong"), "item",
     f'item "mns_topic" has no price in "cn-hongkong" in test@2023-11-01T00:00:00+08:00: {NOTE}{ADD}with the other items'
     " of mps (sheet-0.yaml:17:5)", "U309"),
    ("an item of two entries", usage_of("mns_topic", region="ap-southeast-1"), "item",
     'item "mns_topic" has no price in "ap-southeast-1" in test@2023-11-01T00:00:00+08:00: not sold yet', "U309"),
    ("an item in a region that is not named", usage_of("mns_topic"), "item",
     'no price sheet of this run has item "mns_topic"; test@2023-11-01T00:00:00+08:00 has prices for it in other regions only',
     "U301"),
    ("an item", usage_of("api_requests", quantity="3", unit="request"), "item",
     f'item "api_requests" has no price in test@2023-11-01T00:00:00+08:00: {NOTE}{ADD}with the other items of mps'
     " (sheet-0.yaml:16:5)", "U309"),
    ("a price before its start",
     row(item="sharpening", spec="Sharp.8K", codec="", width="", height="", unit="frame",
         completed_at="2023-12-19T23:59:59.999+08:00"), "completed_at",
     'sharpening "Sharp.8K" has no price in "cn-shanghai" before 2023-12-20T00:00:00+08:00 in test@2023-11-01T00:00:00+08:00:'
     " 8K was first charged on 2023-12-20 (sheet-0.yaml:20:5)", "U309"),
    ("a region before it opened", usage_of("audio", region="me-central-1", completed_at="2023-11-06T23:00:00+08:00"),
     "completed_at", "Riyadh opened on 2023-11-07", "U309"),
    # Usage that the sheet does not mention is refused as usual.
    ("another codec", row(codec="H263"), "codec", 'codec "H263" has no price under transcoding; priced: H264 or H265', "U305"),
    ("another size", row(width="7680", height="4320"), "width", "(3840x2160); it has no price", "U308"),
    ("a spec that begins alike", row(spec="H2660.HD", codec="", width="", height=""), "spec",
     'unknown spec "H2660.HD" of transcoding', "U306"),
    ("another region", row(region="ap-southeast-1"), "region", "priced: mainland or us-west-1", "U309"),
    ("another item", usage_of("api_request"), "item", 'unknown item "api_request"; no price sheet of this run has it', "U301"),
]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("text", "column", "message", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_usage_without_a_price_is_refused_with_the_reason(
    engine: EngineName, text: str, column: str, message: str, code: str, tmp_path: Path
) -> None:
    usage = source(tmp_path / "usage.csv", usage_text([row(job_id="good"), text]))
    report = problems_of([usage], book(PRICES), MeterOptions(engine=engine))
    assert [problem.kind.code for problem in report.shown] == [code], report.shown
    (problem,) = report.shown
    assert message in problem.message
    header = usage_text([]).strip().split(",")
    assert problem.place.column == 1 + len(",".join(text.split(",")[: header.index(column)]) + ",")


@pytest.mark.parametrize("engine", ENGINES)
def test_usage_is_charged_from_the_start_of_its_price_on(engine: EngineName, tmp_path: Path) -> None:
    sharp = {"item": "sharpening", "spec": "Sharp.8K", "codec": "", "width": "", "height": "", "unit": "frame"}
    rows = [
        row(job_id="8k", completed_at="2023-12-20T00:00:00+08:00", **sharp),
        row(job_id="hd", completed_at="2023-11-10T00:00:00+08:00", **{**sharp, "spec": "Sharp.HD"}),
        usage_of("audio", job_id="riyadh", region="me-central-1", completed_at="2023-11-07T00:00:00+08:00"),
        usage_of("audio", job_id="elsewhere", region="us-west-1", completed_at="2023-11-06T23:00:00+08:00"),
    ]
    run = billed(tmp_path, usage_text(rows), PRICES, options=MeterOptions(engine=engine))
    assert [(line.spec, stripped(line.amount)) for bill in run.bills for line in bill.lines] == [
        ("Audio", "0.056"), ("Audio", "0.056"), ("Sharp.HD", "0.03255"), ("Sharp.8K", "0.49"),
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failed_job_without_a_price_is_free(engine: EngineName, tmp_path: Path) -> None:
    rows = [row(job_id="good"), usage_of("digital_watermark", status="failed")]
    run = billed(tmp_path, usage_text(rows), PRICES, options=MeterOptions(engine=engine))
    assert (run.control_totals.rows_billed, run.control_totals.rows_not_billable) == (1, 1)


@pytest.mark.parametrize("engine", ENGINES)
def test_another_spelling_of_a_spec_is_the_spec(engine: EngineName, tmp_path: Path) -> None:
    rows = [usage_of("captions", job_id=spec or "none", spec=spec) for spec in ("Captions.1080P", "Captions", "")]
    run = billed(tmp_path, usage_text(rows), PRICES, options=MeterOptions(engine=engine))
    ((line,),) = [bill.lines for bill in run.bills]
    assert (line.spec, line.records, stripped(line.amount)) == ("Captions", 3, "9")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("specs", [("Captions.1080P", "Captions"), ("Captions", "Captions.1080P", "Captions")])
@pytest.mark.parametrize("status", ["", "failed"])
def test_a_record_that_is_repeated_in_another_spelling_is_a_duplicate(
    engine: EngineName, specs: tuple[str, ...], status: str, tmp_path: Path
) -> None:
    rows = [usage_of("captions", spec=spec, status=status) for spec in specs]
    rows += [usage_of("captions", job_id="other", spec=specs[0])]
    run = billed(tmp_path, usage_text(rows), PRICES, options=MeterOptions(engine=engine))
    assert run.control_totals.rows_duplicate == len(specs) - 1
    ((line,),) = [bill.lines for bill in run.bills]
    assert (line.spec, line.records) == ("Captions", 1 if status else 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_record_that_is_repeated_with_another_value_too_is_rejected(engine: EngineName, tmp_path: Path) -> None:
    rows = [usage_of("captions", spec="Captions"), usage_of("captions", spec="Captions.1080P", quantity="11")]
    usage = source(tmp_path / "usage.csv", usage_text(rows))
    (problem,) = problems_of([usage], book(PRICES), MeterOptions(engine=engine)).shown
    assert problem.kind.code == "U401"
    assert '(quantity "11" here, "10" there)' in problem.message


@pytest.mark.parametrize("engine", ENGINES)
def test_the_comparison_treats_a_spelling_of_one_version_as_a_separate_spec(engine: EngineName, tmp_path: Path) -> None:
    """The word is a spec in one version of the item, and always a spec of another item."""
    end = "2023-12-01T00:00:00+08:00"
    old = 'prices: {Captions: {"*": 0.3}}'
    own = '{"*": 0.1}, Own2: {"*": 0.7}'
    assert old in SHEET
    other = SHEET.replace("2023-11-01T00:00:00+08:00", end, 1).replace(
        old, old.replace("{Captions", f"{{Own: {own}, Captions")
    )
    first = SHEET.replace("billing:", f"effective_to: {end}\nbilling:", 1)
    first = first.replace(old, 'spec_aliases: {Own2: Own}\n    prices: {Own: {"*": 0.1}, Captions: {"*": 0.3}}')
    first += f"  own: {{name: Own, family: related, unit: minute, prices: {{Own: {own}}}}}\n"
    times = ["2023-11-10T11:00:00+08:00", "2023-12-10T11:00:00+08:00"]
    rows = [usage_of("captions", job_id=at, completed_at=at, spec="Own2") for at in times]
    rows += [usage_of("own", completed_at=times[0], spec="Own2")]
    run = billed(tmp_path, usage_text(rows), first, other, options=MeterOptions(engine=engine))
    lines = [(line.item.code, line.spec, stripped(line.amount)) for bill in run.bills for line in bill.lines]
    assert lines == [("captions", "Own", "1"), ("own", "Own2", "7"), ("captions", "Own2", "7")]
    again = [usage_of("captions", job_id=times[0], completed_at=times[0], spec="Own")]
    again += [usage_of("own", completed_at=times[0], spec="Own")]
    usage = source(tmp_path / "u.csv", usage_text([*rows, *again]))
    report = problems_of([usage], book(first, other), MeterOptions(engine=engine))
    assert [problem.kind.code for problem in report.shown] == ["U401", "U401"]


def test_the_users_own_sheet_with_a_price_is_used(tmp_path: Path) -> None:
    item = "  api_requests: {name: API, family: related, unit: request, prices: {Call: {'*': 0.01}}}\n"
    own = sheet_of(item, product="own")
    rows = [usage_of("api_requests", spec="Call", quantity="3", unit="request")]
    run = billed(tmp_path, usage_text(rows), PRICES, own)
    assert [stripped(line.amount) for bill in run.bills for line in bill.lines] == ["0.03"]
