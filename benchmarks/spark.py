"""Compare `mps-bill usage check --engine spark` with DuckDB, and print a table row for each run.

    nice -n 10 python benchmarks/spark.py [--rows 1e7] [--only PATTERN] [--folder FOLDER] [--keep-log]

Spark runs on `local[2]`, and on a standalone cluster of a master and two workers of one core each, which are
separate processes on loopback. For Spark it shows:

* processor seconds of its tasks (`executorCpuTime` of the event log), and of all its processes including start, compiling and
  garbage collection (from /proc, some tenths of a second too few); rows per second and core are based on the former;
* bytes written to shuffles, and tasks; memory peaks of the driver (its JVM and Python) and of the largest executor.

The load is shown with each run, since the machine may be shared: quote processor seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate import COLUMNS, generate  # noqa: E402

MPS_BILL = (sys.executable, "-c", "from mps_bill.cli import main; main()", "usage", "check")
PORT = 17_077
_TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """Observe all child processes: their processor seconds, and memory peaks in MiB by part."""

    def __init__(self) -> None:
        self.cpu: dict[int, float] = {}
        self.peaks: dict[str, dict[int, float]] = {"driver": {}, "executor": {}}
        self._before = self._processes()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(0.1):
            for pid, seconds in self._processes().items():
                self.cpu[pid] = seconds - self._before.get(pid, 0.0)
                try:
                    command = Path(f"/proc/{pid}/cmdline").read_text()
                    peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
                except (OSError, ValueError):
                    continue
                part = "executor" if "CoarseGrainedExecutorBackend" in command else "driver"
                if peak and "deploy.worker" not in command and "deploy.master" not in command:
                    self.peaks[part][pid] = int(peak[1]) / 1024

    @staticmethod
    def _processes() -> dict[int, float]:
        """Return the processor seconds of each child process."""
        parents, seconds = {}, {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
            seconds[int(folder.name)] = (int(fields[11]) + int(fields[12])) / _TICKS
        ours = {os.getpid()}
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        return {pid: seconds[pid] for pid in ours - {os.getpid()} if pid in seconds}


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Start a master and two workers of one core each, and yield the address."""
    import pyspark

    home = Path(pyspark.__file__).parent
    start = [str(home / "bin" / "spark-class"), "org.apache.spark.deploy."]
    worker = ["worker.Worker", "--cores", "1", "--memory", "3g", "--host", "127.0.0.1", "--webui-port", "0"]
    daemons = [["master.Master", "--host", "127.0.0.1", "--port", str(PORT), "--webui-port", "0"]]
    daemons += [[*worker, "--work-dir", str(folder / f"work-{n}"), f"spark://127.0.0.1:{PORT}"] for n in range(2)]
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_NO_DAEMONIZE": "1", "SPARK_LOCAL_DIRS": str(folder)}
    running = []
    try:
        for class_, *arguments in daemons:
            with (folder / f"daemon-{len(running)}.log").open("wb") as log:
                command = [start[0], start[1] + class_, *arguments]
                running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            time.sleep(5)
        yield f"spark://127.0.0.1:{PORT}"
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()


def make(name: str, folder: Path, rows: int) -> Path:
    """Return the usage of a case; several files are a folder."""
    kind, _, shape = name.partition(" ")
    path = folder / f"{name.replace(' ', '-')}.{kind}"
    if path.exists():
        return path
    if shape == "small files":
        path.mkdir()
        whole = make(kind, folder, rows)
        # Each file has its header; names need no order.
        with whole.open("rb") as stream:
            header, lines = stream.readline(), rows // 10_000
            for number in range(10_000):
                with (path / f"{number}.csv").open("wb") as part:
                    part.write(header)
                    part.writelines(stream.readline() for _ in range(lines))
    elif shape == "skew":
        # Nine of ten rows fall into one hour.
        plain = make(kind, folder, rows)
        time_ = "CASE WHEN hash(job_id) % 10 < 9 THEN TIMESTAMPTZ '2023-11-11 05:30:00+08' ELSE completed_at END"
        columns = ", ".join(f"{time_} AS {name}" if name == "completed_at" else name for name in COLUMNS)
        duckdb.sql(f"COPY (SELECT {columns} FROM '{plain}') TO '{path}' (FORMAT parquet)")
    else:
        generate(rows, path, duplicates=int(shape.split()[-1]) if shape else 0)
    return path


def in_event_log(folder: Path) -> Counter[str]:
    """Return sums over all tasks of the log."""
    found: Counter[str] = Counter()
    for file in folder.rglob("events_*"):
        for line in file.open(encoding="utf-8"):
            if '"SparkListenerTaskEnd"' not in line[:60]:
                continue
            metrics = json.loads(line).get("Task Metrics") or {}
            found["tasks"] += 1
            found["cpu"] += metrics["Executor CPU Time"]
            found["gc"] += metrics["JVM GC Time"]
            found["shuffled"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
            found["spilled"] += metrics["Disk Bytes Spilled"]
    return found


def run(usage: Sequence[str], options: Sequence[str], folder: Path) -> tuple[float, Watch, Counter[str]]:
    log = folder / "events"
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir()
    settings = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file://{log}"}
    settings |= {"spark.eventLog.compress": "false", "spark.ui.enabled": "false", "spark.local.dir": str(folder)}
    settings |= {"spark.executor.memory": "2g"}
    (folder / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    environment = {**os.environ, "SPARK_CONF_DIR": str(folder)}
    command = [*MPS_BILL, *usage, "-p", "mps-china", "-q", *options]
    started = time.monotonic()
    with Watch() as watch:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        wall = time.monotonic() - started
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return wall, watch, in_event_log(log)


#: What is measured: the usage, and the options.
CASES = (
    ("parquet", ()),
    ("parquet", ("--trust-unique",)),
    ("csv", ()),
    ("csv", ("--trust-unique",)),
    ("parquet skew", ()),
    ("parquet repeats 10", ()),
    ("csv small files", ()),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=10_000_000)
    parser.add_argument("--only", default="", metavar="PATTERN", help='the runs that match, such as "cluster, csv$"')
    parser.add_argument("--folder", type=Path, help="where to generate (about 400 bytes a row); kept if it is given")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(exist_ok=True)
        print(
            f"{options.rows:,} rows; `python benchmarks/spark.py {' '.join(sys.argv[1:])}`\n\n"
            "| run | tasks, cpu s | all, cpu s | wall s | rows/s/core | shuffled MB | spilled MB | tasks | gc s"
            " | driver MiB | executor MiB | load |\n|---|---|---|---|---|---|---|---|---|---|---|---|",
            flush=True,
        )
        masters: dict[str, str] = {"local[2]": "local[2]"}
        for engine in ("duckdb", "local[2]", "cluster"):
            for case, more in CASES:
                name = ", ".join((engine, case, *more))
                if not re.search(options.only, name):
                    continue
                if engine == "cluster" and engine not in masters:
                    masters[engine] = stack.enter_context(cluster(folder))
                path = make(case, folder, options.rows)
                usage = [f"file://{path}"] if engine != "duckdb" and path.is_dir() else [str(path)]
                chosen = (
                    ["--engine", "duckdb"] if engine == "duckdb" else ["--engine", "spark", "--master", masters[engine]]
                )
                load = os.getloadavg()[0]
                wall, watch, found = run(usage, [*chosen, *more], folder)
                all_cpu, cpu = sum(watch.cpu.values()), found["cpu"] / 1e9
                executor = max(watch.peaks["executor"].values(), default=0)
                figures = (
                    f"{cpu:.1f}", f"{all_cpu:.1f}", f"{wall:.1f}", f"{options.rows / (cpu or all_cpu):,.0f}",
                    f"{found['shuffled'] / 1e6:.1f}", f"{found['spilled'] / 1e6:.1f}", found["tasks"],
                    f"{found['gc'] / 1e3:.1f}", f"{sum(watch.peaks['driver'].values()):.0f}", f"{executor:.0f}",
                    f"{load:.1f} to {os.getloadavg()[0]:.1f}",
                )  # fmt: skip
                print(f"| {' | '.join(map(str, (name, *figures)))} |", flush=True)


if __name__ == "__main__":
    main()
