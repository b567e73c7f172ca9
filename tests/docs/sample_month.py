"""The sample month `samples/studio-2023-12.csv.gz`: 5,000 jobs of a studio, made with a fixed seed.

`python tests/docs/sample_month.py` rewrites it. 17 December is expensive, because a film was delivered in 4K that day.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "samples" / "studio-2023-12.csv.gz"
JOBS = 5_000
#: An hour of the month without any job, so that 743 hours have a bill.
_QUIET_HOUR = (24, 4)
_HEADER = "job_id,output,completed_at,region,item,spec,codec,width,height,quantity,unit,status,tag_project,tag_team"
#: Item, spec, codec, size, unit, the maximum of a job, and how often.
_KINDS = (
    ("transcoding", "", "H264", (1920, 1080), "minute", 30, 20),
    ("transcoding", "", "H264", (1280, 720), "minute", 30, 24),
    ("transcoding", "", "H264", (640, 360), "minute", 30, 18),
    ("transcoding", "", "H265", (1920, 1080), "minute", 4, 4),
    ("narrowband_hd_1", "", "H264", (1920, 1080), "minute", 6, 6),
    ("audio_transcoding", "", "", None, "minute", 40, 10),
    ("transmuxing", "", "", None, "minute", 60, 6),
    ("review", "porn", "", None, "minute", 20, 8),
    ("smart_tag", "", "", None, "second", 300, 2),
    ("video_dna", "", "", None, "second", 900, 2),
)
_PROJECTS = (("drama", "series"), ("news", "desk"), ("sports", "desk"), ("kids", "series"), ("", "uploads"))


def rows() -> Iterator[str]:
    """Yield the lines of the file, header first."""
    draw = random.Random(20231201)
    yield _HEADER
    hours = [(day, hour) for day in range(1, 32) for hour in range(24) if (day, hour) != _QUIET_HOUR]
    busy = [1 + 4 * (9 <= hour < 19) for _, hour in hours]
    # Every hour has a job; the others come when people work.
    slots = [*hours, *draw.choices(hours, busy, k=JOBS - len(hours))]
    weights = [kind[-1] for kind in _KINDS]
    for number, (day, hour) in enumerate(sorted(slots), 1):
        item, spec, codec, size, unit, most, _ = draw.choices(_KINDS, weights)[0]
        project, team = draw.choices(_PROJECTS, (30, 40, 15, 10, 5))[0]
        if (day, draw.random() < 0.25) == (17, True):
            item, spec, codec, size, unit, most = "transcoding", "", "H265", (3840, 2160), "minute", 20
            project, team = "film", "series"
        quantity = f"{draw.uniform(0.05, most):.2f}" if unit == "minute" else str(draw.randint(5, most))
        status = "failed" if draw.random() < 0.01 else "success"
        time = f"2023-12-{day:02}T{hour:02}:{draw.randrange(60):02}:{draw.randrange(60):02}+08:00"
        region = draw.choices(("cn-shanghai", "cn-beijing"), (4, 1))[0]
        width, height = size or ("", "")
        cells = (
            f"s-{number:05}",
            "",
            time,
            region,
            item,
            spec,
            codec,
            width,
            height,
            quantity,
            unit,
            status,
            project,
            team,
        )
        yield ",".join(map(str, cells))


def text() -> str:
    return "".join(f"{row}\n" for row in rows())


if __name__ == "__main__":
    FILE.write_bytes(gzip.compress(text().encode(), 9, mtime=0))
