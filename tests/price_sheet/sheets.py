"""A sheet that is right, and the means to make one mistake in it."""

from __future__ import annotations

import re

GOOD = """\
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


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`text` without its marks, and the line and column of each."""
    places = []
    for number, line in enumerate(text.split("\n"), 1):
        for index, match in enumerate(re.finditer(MARK, line)):
            places.append((number, match.start() - index + 1))
    return text.replace(MARK, ""), places


def changed(old: str, new: str, text: str = GOOD) -> str:
    """`text` with its first `old` replaced, which must be there."""
    assert old in text, old
    return text.replace(old, new, 1)
