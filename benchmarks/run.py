"""Pairs mps-bill with its floor and its peers, as whole processes in turn (A B A B ...), and prints ratios.

    python benchmarks/run.py [--rows 1e7] [--runs 3] [--small] [--folder FOLDER] [--write benchmarks/RESULTS.md]

The times are processor seconds (user and system) and wall seconds as the operating system counts them for each finished
process. A ratio is that of two neighbouring runs, so it holds when the speed of the machine drifts; the processor's ratio
also holds when other work shares the machine. `peers.py` says what each peer does and leaves out.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate import generate  # noqa: E402

MPS_BILL = (sys.executable, "-c", "from mps_bill.cli import main; main()")
PRICES = ("-p", "mps-china")


@dataclass(frozen=True)
class Run:
    """One finished process: processor and wall seconds, peak memory in MiB."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True)
class Pair:
    """A is compared with B; `goal` is the largest ratio A / B that is wanted, for people to read."""

    name: str
    a: Sequence[str]
    b: Sequence[str]
    goal: str = ""


def peer(name: str, argument: object) -> tuple[str, ...]:
    return (sys.executable, str(HERE / "peers.py"), name, str(argument))


def check(path: Path, *options: str) -> tuple[str, ...]:
    return (*MPS_BILL, "usage", "check", str(path), *PRICES, "-q", *options)


def measure(command: Sequence[str]) -> Run:
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode()}")
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def compare(pair: Pair, runs: int) -> str:
    """A row of the table of results."""
    measure(pair.a), measure(pair.b)
    both = [(measure(pair.a), measure(pair.b)) for _ in range(runs)]
    cpu, wall = ([getattr(a, figure) / getattr(b, figure) for a, b in both] for figure in ("cpu", "wall"))
    peak = max(a.peak for a, _ in both)
    seconds = statistics.median(a.wall for a, _ in both), statistics.median(b.wall for _, b in both)
    cells = (pair.name, spread(cpu), spread(wall), *(f"{second:.2f}" for second in seconds), f"{peak:.0f}", pair.goal)
    return f"| {' | '.join(cells)} |"


def spread(ratios: Sequence[float]) -> str:
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"


def make_files(folder: Path, rows: int, wanted: Sequence[Pair]) -> None:
    """Generates the files that the pairs read."""
    named = {argument for pair in wanted for argument in (*pair.a, *pair.b)}
    for name in ("usage.csv", "usage.parquet", "usage.csv.gz", "usage.csv.zst"):
        if str(folder / name) in named:
            generate(rows, folder / name)
    if str(folder / "dirty.csv") in named:
        generate(rows, folder / "dirty.csv", dirty=1_000, duplicates=1_000)
    if str(folder / "few.csv") in named:
        generate(100, folder / "few.csv")


def all_pairs(folder: Path, rows: int) -> list[Pair]:
    csv, parquet, dirty, few = (folder / name for name in ("usage.csv", "usage.parquet", "dirty.csv", "few.csv"))
    packed = {ending: folder / f"usage.csv.{ending}" for ending in ("gz", "zst")}
    strict = peer("duckdb-strict", csv)
    found = [
        Pair("CSV, --trust-unique / bare strict scan", check(csv, "--trust-unique"), strict, "1.25"),
        Pair("CSV / bare strict scan", check(csv), strict, "2"),
        Pair("CSV / unchecked Polars", check(csv), peer("polars", csv)),
        Pair("CSV / wc -l", check(csv), ("wc", "-l", str(csv))),
        Pair(
            "Parquet / CSV, both --trust-unique", check(parquet, "--trust-unique"), check(csv, "--trust-unique"), "0.33"
        ),
        Pair("Parquet / CSV", check(parquet), check(csv), "0.33"),
        Pair("Parquet / bare strict scan of it", check(parquet, "--trust-unique"), peer("duckdb-strict", parquet)),
        *(Pair(f"CSV.{ending} / CSV", check(path), check(csv)) for ending, path in packed.items()),
        Pair("CSV, 1 row in 1,000 bad / clean CSV", check(dirty, "--rejects", str(folder / "rejects.csv")), check(csv)),
        Pair(
            "100 rows / typer that does nothing",
            (*MPS_BILL, "bill", str(few), *PRICES),
            peer("typer-nothing", ""),
            "1.5",
        ),
    ]
    if rows <= 1_000_000:
        found.append(Pair("CSV / csv + Decimal", check(csv), peer("csv-decimal", csv)))
    return found


def machine() -> str:
    versions = [f"Python {platform.python_version()}"]
    for package in ("mps-bill", "duckdb", "polars", "typer"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    return f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}; {', '.join(versions)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="200,000 rows, one run: shows that every pair still works")
    parser.add_argument("--only", default="", metavar="PATTERN", help="the pairs whose names match")
    parser.add_argument(
        "--folder", type=Path, help="where to generate (about 250 bytes a row); by default a temporary one"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="add the table to the end of FILE")
    options = parser.parse_args()
    rows, runs = (200_000, 1) if options.small else (options.rows, options.runs)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        lines = [
            f"{rows:,} rows, {runs} runs a pair after a warm-up; {machine()}; `python benchmarks/run.py"
            f" {' '.join(sys.argv[1:])}`",
            "",
            "| A / B | processor time: median (min to max) | wall time | A, wall s | B, wall s | A, peak MiB | goal |",
            "|---|---|---|---|---|---|---|",
        ]
        print("\n".join(lines), flush=True)
        wanted = [pair for pair in all_pairs(Path(folder), rows) if re.search(options.only, pair.name)]
        make_files(Path(folder), rows, wanted)
        for pair in wanted:
            lines.append(compare(pair, runs))
            print(lines[-1], flush=True)
    if options.write:
        with options.write.open("a", encoding="utf-8") as stream:
            stream.write("\n".join(["", *lines, ""]))


if __name__ == "__main__":
    main()
