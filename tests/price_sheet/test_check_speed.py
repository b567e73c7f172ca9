"""Checking a large sheet takes about as long as loading it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from mps_bill.price_sheet.check_sheets import check
from mps_bill.price_sheet.load_sheets import load_price_book, load_sheets
from mps_bill.price_sheet.regions import REGIONS
from tests.invalid.gallery import GOOD

RESOLUTIONS = {"LD": "640x480", "SD": "1280x720", "HD": "1920x1080", "2K": "2560x1440", "4K": "3840x2160"}
ITEMS, CODECS, REGIONS_PRICED = 20, ("H264", "H265"), tuple(REGIONS)[:25]


def large_sheet() -> str:
    """Return a sheet of 5,000 prices: 20 items with 10 specs in 25 regions."""
    head, _, rest = GOOD.read_text().partition("items:\n")
    sizes = ", ".join(f"{name}: {size}" for name, size in RESOLUTIONS.items())
    before, _, after = head.partition("region_groups:\n")
    head = before + after[after.index("resolutions:") :]
    lines = [head.replace("{SD: 1280x720, HD: 1920x1080}", f"{{{sizes}}}"), "items:\n"]
    item = rest[rest.index("    name:") : rest.index("      H264.SD")]
    for number in range(ITEMS):
        lines += [f"  item_{number}:\n", item.replace("Standard transcoding", f"Transcoding {number}")]
        for factor, codec in zip((1, 5), CODECS, strict=True):
            for step, resolution in enumerate(RESOLUTIONS):
                micros = [factor * 2**step * (1000 + place) for place in range(len(REGIONS_PRICED))]
                cells = ", ".join(
                    f"{region}: 0.{price:06}" for region, price in zip(REGIONS_PRICED, micros, strict=True)
                )
                lines.append(f"      {codec}.{resolution}: {{{cells}}}\n")
    return "".join(lines)


def least_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of the fastest of five runs, which other work on the machine hardly affects."""
    times = []
    for _ in range(5):
        start = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - start)
    return min(times) / 1e9


def test_checking_takes_less_than_twice_as_long_as_loading(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text(large_sheet())
    book, problems = load_price_book([str(path)])
    assert book, problems
    assert sum(len(prices) for item in book.items for prices in item.prices.values()) == 5_000
    assert check(load_sheets([str(path)])[0], "2026-11-23") == ()
    loading = least_seconds(lambda: load_price_book([str(path)]))
    checking = least_seconds(lambda: check(load_sheets([str(path)])[0], "2026-11-23"))
    assert checking < 2 * loading, f"{checking:.3f} s to check, {loading:.3f} s to load"
