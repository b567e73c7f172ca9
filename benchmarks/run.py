"""Compare mps-bill with its floor and its peers, as whole processes in turn (A B A B ...), and print ratios.

    python benchmarks/run.py [--rows 1e7] [--runs 3] [--small] [--only PATTERN] [--folder FOLDER] [--write FILE]

Nothing is stored unless --write names a file, to which the table is appended.

The times are processor seconds (user and system) and wall seconds as the operating system counts them for each finished
process. A ratio compares two neighbouring runs, so it remains valid if the speed of the machine drifts; the ratio of processor
times also remains valid if the machine is shared. Files are as warm as the previous run, or writing them, left them. The memory
peak is that of the process, but at least that of this one, from which it is forked. `peers.py` says what each peer does
and leaves out.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate import generate  # noqa: E402
from scales import scales  # noqa: E402

MPS_BILL = (sys.executable, "-c", "from mps_bill.cli import main; main()")
PRICES = ("-p", "mps-china")
#: The number of rows for the peer that would take minutes for all of them.
_SLOW_ROWS = 1_000_000


@dataclass(frozen=True)
class Run:
    """One finished process: processor and wall seconds, peak memory in MiB."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True)
class Pair:
    """A is compared with B. `goal` is the largest ratio A / B that is acceptable, for readers. `make` makes the files that
    only this pair needs."""

    name: str
    a: Sequence[str]
    b: Sequence[str]
    goal: str = ""
    make: Callable[[], None] = lambda: None


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
    pair.make()
    load = os.getloadavg()[0]
    both = [(measure(pair.a), measure(pair.b)) for _ in range(runs)]
    cpu, wall = ([getattr(a, figure) / getattr(b, figure) for a, b in both] for figure in ("cpu", "wall"))
    seconds = [
        statistics.median(figure) for figure in zip(*((a.cpu, b.cpu, a.wall, b.wall) for a, b in both), strict=True)
    ]
    peaks = (f"{max(run.peak for run in side):.0f}" for side in zip(*both, strict=True))
    cells = (
        pair.name,
        f"{load:.1f}",
        spread(cpu),
        spread(wall),
        *(f"{second:.2f}" for second in seconds),
        *peaks,
        pair.goal,
    )
    return f"| {' | '.join(cells)} |"


def spread(ratios: Sequence[float]) -> str:
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"


def make_files(folder: Path, rows: int, wanted: Sequence[Pair]) -> None:
    """Generate the files that the pairs read, and read a little, so that every library is warm."""
    named = {argument for pair in wanted for argument in (*pair.a, *pair.b)}
    for name in ("usage.csv", "usage.parquet", "usage.csv.gz", "usage.csv.zst"):
        if str(folder / name) in named:
            generate(rows, folder / name)
    if str(folder / "part.csv") in named:
        generate(min(rows, _SLOW_ROWS), folder / "part.csv")
    if str(folder / "repeats.csv") in named:
        generate(rows, folder / "repeats.csv", duplicates=1_000)
    if str(folder / "dirty.csv") in named:
        generate(rows, folder / "dirty.csv", dirty=1_000, duplicates=1_000)
    generate(100, folder / "few.csv")
    for name in ("duckdb-floor", "duckdb-strict", "polars", "csv-decimal", "typer-nothing", "typer-options"):
        measure(peer(name, folder / "few.csv"))
    for engine in ("duckdb", "python"):
        measure(check(folder / "few.csv", "--engine", engine))


def all_pairs(folder: Path, *, small: bool) -> list[Pair]:
    csv, parquet, dirty, repeats, part, few = (
        folder / name for name in ("usage.csv", "usage.parquet", "dirty.csv", "repeats.csv", "part.csv", "few.csv")
    )
    trusted = check(csv, "--trust-unique")
    bill_few = (*MPS_BILL, "bill", str(few), *PRICES)
    return [
        Pair("CSV, --trust-unique / floor", trusted, peer("duckdb-floor", csv), "1.3"),
        Pair("CSV / floor", check(csv), peer("duckdb-floor", csv), "1.8"),
        Pair("CSV, --trust-unique / strict scan", trusted, peer("duckdb-strict", csv), "1.25"),
        Pair("CSV / strict scan", check(csv), peer("duckdb-strict", csv), "2"),
        Pair("CSV / CSV, --trust-unique", check(csv), trusted),
        Pair("CSV, --trust-unique / unchecked Polars", trusted, peer("polars", csv), "1.35"),
        Pair("CSV / unchecked Polars", check(csv), peer("polars", csv), "1.9"),
        Pair("CSV / wc -l", check(csv), ("wc", "-l", str(csv))),
        Pair(f"CSV of at most {_SLOW_ROWS:,} rows / csv + Decimal", check(part), peer("csv-decimal", part)),
        Pair("Parquet / CSV", check(parquet), check(csv), "0.2"),
        Pair("Parquet / CSV, both --trust-unique", check(parquet, "--trust-unique"), trusted),
        Pair(
            "Parquet, --trust-unique / floor of it",
            check(parquet, "--trust-unique"),
            peer("duckdb-floor", parquet),
        ),
        Pair("Parquet / unchecked Polars", check(parquet), peer("polars", parquet)),
        *(Pair(f"CSV.{ending} / CSV", check(folder / f"usage.csv.{ending}"), check(csv)) for ending in ("gz", "zst")),
        Pair("CSV, 1 row in 1,000 a repeat / clean CSV", check(repeats), check(csv)),
        Pair(
            "CSV, 1 row in 1,000 bad and 1 a repeat, --rejects / clean CSV",
            check(dirty, "--rejects", str(folder / "rejects.csv")),
            check(csv),
            "1.5",
        ),
        Pair("100 rows / typer that does nothing", bill_few, peer("typer-nothing", few), "1.5"),
        Pair("100 rows / typer with as many options", bill_few, peer("typer-options", few)),
        *(
            Pair(one.name, one.a, one.b, one.goal, one.make)
            for one in scales(folder, MPS_BILL, share=100 if small else 1)
        ),
    ]


def settled_year(*arguments: str) -> list[str]:
    """Return what `settle_year.py` prints; it compares within one process."""
    command = (sys.executable, str(HERE / "settle_year.py"), *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


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
            f"{rows:,} rows, {runs} runs a pair; {machine()}; `python benchmarks/run.py {' '.join(sys.argv[1:])}`",
            "",
            "| A / B | load before | processor time: median (min to max) | wall time | A, cpu s | B, cpu s | A, wall s"
            " | B, wall s | A, peak MiB | B, peak MiB | goal |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        print("\n".join(lines), flush=True)
        wanted = [pair for pair in all_pairs(Path(folder), small=options.small) if re.search(options.only, pair.name)]
        make_files(Path(folder), rows, wanted)
        for pair in wanted:
            lines.append(compare(pair, runs))
            print(lines[-1], flush=True)
        if re.search(options.only, "a year settled"):
            hours = "300" if options.small else "8760"
            block = ["", "```", *settled_year("--hours", hours, "--runs", str(runs)), "```"]
            lines += block
            print("\n".join(block), flush=True)
    if options.write:
        with options.write.open("a", encoding="utf-8") as stream:
            stream.write("\n".join(["", *lines, ""]))


if __name__ == "__main__":
    main()
