"""Small usage files and price sheets for tests, and the shortest ways to run the program on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from mps_bill.core.diagnostics import InputRejected, Problem, ProblemReport
from mps_bill.documents.read_document import read_text
from mps_bill.metering import EngineName
from mps_bill.metering.groups import Metered
from mps_bill.metering.meter import meter
from mps_bill.metering.meter_options import MeterOptions
from mps_bill.metering.sources import FORMATS, UsageSource
from mps_bill.pipeline import BillRun, bill_usage
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.gather import gather
from mps_bill.price_sheet.load_sheets import load_price_book, load_text
from mps_bill.price_sheet.sheet_model import PriceSheet
from mps_bill.profiles.profile_definition import DOCUMENT, profile_of
from mps_bill.profiles.profile_model import Profile

ENGINES: tuple[EngineName, ...] = ("python", "duckdb")


def sheet_of(
    items: str,
    *,
    before_items: str = "",
    id_: str = "",
    product: str = "mps",
    currency: str = "USD",
    effective_from: str = "2023-11-01T00:00:00+08:00",
    cycle: str = "hour",
    issue_after: str = "1h",
    settlement: str = "hourly",
    mode: str = "down",
) -> str:
    """Return a price sheet with these items, as text; its id is `test-` and the product unless given."""
    rounding = f"{{places: 2, mode: {mode}}}"
    return f"""\
format: mps-bill/price-sheet/1
id: {id_ or f"test-{product}"}
site: international
product: {product}
currency: {currency}
effective_from: {effective_from}
billing: {{cycle: {cycle}, timezone: "+08:00", issue_after: {issue_after}, settlement: {settlement}, rounding: {rounding}}}
{before_items}items:
{items}"""


#: An item of every kind: derived, constant and named specs; record, cycle and no rounding; tiers.
SHEET = sheet_of(
    id_="test",
    before_items="""\
region_groups:
  mainland: [cn-shanghai, cn-beijing]
resolutions:
  video: {LD: 640x480, SD: 1280x720, HD: 1920x1080, 2K: 2560x1440, 4K: 3840x2160}
  large: {HD: 1920x1080, 8K: 7680x4320}
""",
    items="""\
  transcoding:
    name: Standard transcoding
    family: transcoding
    unit: minute
    spec: "{codec}.{resolution}"
    resolutions: video
    metering: {per: record, step: 0.01, rounding: half-up, minimum: 0.02}
    prices:
      H264.4K: {mainland: 0.2800}
      H264.2K: {mainland: 0.1400}
      H264.HD: {mainland: 0.0651, us-west-1: 0.0225}
      H264.SD: {mainland: 0.0326}
      H264.LD: {mainland: 0.0217}
      H265.HD: {mainland: 0.3255}
  audio:
    name: Audio transcoding
    family: transcoding
    unit: minute
    spec: Audio
    metering: {per: record, step: 0.01, rounding: half-up, minimum: 0.02}
    prices: {Audio: {"*": 0.0056}}
  packaging:
    name: Packaging, each begun half minute
    family: transcoding
    unit: minute
    spec: Packaging
    metering: {per: record, step: 0.5, rounding: up}
    prices: {Packaging: {"*": 0.1}}
  clips:
    name: Clips, each whole minute
    family: transcoding
    unit: minute
    spec: Clips
    metering: {per: record, step: 1, rounding: down}
    prices: {Clips: {"*": 0.1}}
  captions:
    name: Captions, at least a minute
    family: video-ai
    unit: minute
    spec: Captions
    metering: {per: none, minimum: 1}
    prices: {Captions: {"*": 0.3}}
  review:
    name: Automated review
    family: video-ai
    unit: minute
    metering: {per: cycle, step: 1, rounding: down}
    prices:
      porn: {"*": {tiers: volume, per: month, up_to: {3000: 0.1, 10000: 0.09, rest: 0.07}}}
      terrorism: {"*": {tiers: volume, per: month, up_to: {3000: 0.1, 10000: 0.09, rest: 0.07}}}
  dna:
    name: Video DNA
    family: video-ai
    unit: minute
    spec: DNA
    prices: {DNA: {"*": 0.05}}
  sharpening:
    name: Sharpening
    family: enhancement
    unit: frame
    spec: "Sharp.{resolution}"
    resolutions: large
    prices:
      Sharp.HD: {mainland: 0.003255}
      Sharp.8K: {mainland: 0.049}
  storage:
    name: Storage
    family: related
    unit: GB-month
    spec: Storage
    prices: {Storage: {mainland: 0.12}}
  traffic:
    name: Traffic
    family: related
    unit: GB
    spec: Traffic
    prices: {Traffic: {"*": {tiers: graduated, per: month, up_to: {1024: 0.24, rest: 0.23}}}}
""",
)

#: A sheet with every key of the format, to make one mistake in.
GOOD_SHEET = """\
format: mps-bill/price-sheet/1
id: mps-intl                       # versions share an id
site: international
product: mps
currency: USD
effective_from: 2024-04-01T00:00:00+08:00
sources:
  - {id: page, url: "https://example.com/a", read_on: 2026-11-23, covers: "standard transcoding"}
  - {url: "https://example.com/b", read_on: 2026-11-24, covers: the rest, product: Sister}
billing:
  cycle: hour
  timezone: "+08:00"
  issue_after: 1h
  settlement: hourly
  rounding: {places: 2, mode: down}
region_groups:
  mainland: [cn-beijing, cn-hangzhou, cn-shanghai, cn-shenzhen, cn-newtown]
  east: [cn-shanghai, ap-southeast-1]
resolutions:
  video: {LD: 640x480, SD: 1280x720, HD: 1920x1080, 2K: 2560x1440, 4K: 3840x2160}
  small: {LD: 640x480, SD: 1280x720}
items:
  transcoding:
    name: Standard transcoding
    family: transcoding
    unit: minute
    spec: "{codec}.{resolution}"
    resolutions: video
    metering: {per: record, step: 0.01, rounding: half-up, minimum: 0.02}
    prices:
      H264.HD: {mainland: 0.0099, us-west-1: 0.0225}
      H264.LD: {mainland: 0.0330}
      Audio: {"*": 0.001, cn-newtown: 0}
    sources: [page]
  narrowband_hd_1:
    name: Narrowband HD 1.0
    family: transcoding
    unit: minute
    spec: "{codec}.{resolution}.NarrowBandHDV1"
    resolutions: video
    metering: {per: record, step: 0.01, rounding: half-up, minimum: 0.02}
    prices_from: {item: transcoding, times: 3}
  segments:
    name: Transmuxing
    family: transcoding
    unit: minute
    spec: Segmentation
    prices:
      Segmentation: {east: 0.002}
  review:
    name: Automated review
    family: video-ai
    unit: minute
    metering: {per: cycle, step: 1, rounding: down}
    prices:
      porn: {"*": {tiers: volume, per: month, up_to: {3000: 0.1, 10000.5: 0.09, rest: 0.07}}}
  review_plus:
    name: Review with a surcharge
    family: video-ai
    unit: minute
    prices_from: {item: review, times: 1.5}
"""
MARK = "§"

COLUMNS = ("job_id", "output", "completed_at", "region", "item", "spec", "codec", "width", "height", "quantity", "unit",
           "status", "tag_project")  # fmt: skip
HEADER = ",".join(COLUMNS)
GOOD: Mapping[str, str] = {
    "job_id": "j-1",
    "completed_at": "2023-11-10T11:20:00+08:00",
    "region": "cn-shanghai",
    "item": "transcoding",
    "codec": "H264",
    "width": "1920",
    "height": "1080",
    "quantity": "10",
    "unit": "minute",
}


def row(**values: str) -> str:
    """A good usage row with some of its values changed. Values are written as given, quotes included."""
    assert not values.keys() - set(COLUMNS), values
    cells = {**GOOD, **values}
    return ",".join(cells.get(name, "") for name in COLUMNS)


def usage_of(item: str, **values: str) -> str:
    """A row of an item that takes no codec and no size."""
    return row(**{"item": item, "codec": "", "width": "", "height": "", **values})


def usage_text(rows: Iterable[str], header: str = HEADER) -> str:
    return "".join(f"{line}\n" for line in (header, *rows))


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`text` without its marks, and the line and column of each."""
    places = []
    for number, line in enumerate(text.split("\n"), 1):
        for index, match in enumerate(re.finditer(MARK, line)):
            places.append((number, match.start() - index + 1))
    return text.replace(MARK, ""), places


def changed(old: str, new: str, text: str = GOOD_SHEET) -> str:
    """`text` with its first `old` replaced, which must be there."""
    assert old in text, old
    return text.replace(old, new, 1)


def read_sheet(text: str, name: str) -> tuple[PriceSheet | None, tuple[Problem, ...]]:
    """The price sheet that a text is, or None and every problem with it."""
    loaded = load_text(text, name)
    return (loaded.draft.sheet if loaded.draft and not loaded.problems else None), loaded.problems


@cache
def book(*texts: str) -> PriceBook:
    """The price book of some sheets, given as text."""
    read = [load_text(text, f"sheet-{number}.yaml") for number, text in enumerate(texts or (SHEET,))]
    found, problems = gather([sheet.draft for sheet in read if sheet.draft])
    problems = (*(problem for sheet in read for problem in sheet.problems), *problems)
    assert not problems, "\n".join(map(str, problems))
    assert found
    return found


@cache
def shipped(*names: str) -> PriceBook:
    """The price book of shipped sheets, or of sheet files."""
    found, problems = load_price_book(names)
    assert found, problems
    return found


def source(path: Path, content: str | bytes | None = None) -> UsageSource:
    """A usage file with this content (None: it is there already), called by its name alone."""
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    format_ = next(ending for ending in FORMATS if path.name.endswith("." + ending))
    return UsageSource(path.name, path, format_, path.stat().st_size)


def metered(
    sources: Iterable[UsageSource], prices: PriceBook | None = None, options: MeterOptions | None = None
) -> Metered:
    prices, options = prices or book(), options or MeterOptions(engine="python")
    return meter(tuple(sources), prices, options)


def problems_of(
    sources: Iterable[UsageSource], prices: PriceBook | None = None, options: MeterOptions | None = None
) -> ProblemReport:
    """The problems for which the sources are rejected; none where they are not."""
    try:
        return metered(sources, prices, replace(options or MeterOptions(engine="python"), max_errors=1000)).problems
    except InputRejected as rejected:
        return rejected.report


def places(report: ProblemReport) -> list[tuple[str, str]]:
    """Each problem as (place, code)."""
    return [(str(problem.place), problem.kind.code) for problem in report.shown]


def billed(
    folder: Path,
    text: str | bytes,
    *sheets: str,
    options: MeterOptions | None = None,
    as_of: int | None = None,
) -> BillRun:
    """Bills for one usage file."""
    options = options or MeterOptions(engine="python")
    return bill_usage([source(folder / "usage.csv", text)], book(*sheets), options, as_of)


def read_profile(text: str, name: str) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile that a text is, or every problem with it."""
    return profile_of(read_text(DOCUMENT, text, name))
