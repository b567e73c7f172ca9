"""What every command that reads usage sets up around it: the files, the rejects file, the progress bar."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from mps_bill.cli import options
from mps_bill.cli.output import open_output
from mps_bill.core.diagnostics import InputRejected, Problem
from mps_bill.metering.meter import MeterOptions
from mps_bill.metering.sources import UsageSource, usage_sources
from mps_bill.metering.usage import TAG_PREFIX

if TYPE_CHECKING:
    from mps_bill.metering.csv_rows import Row
    from mps_bill.metering.exact_reader import Progress, Reject

#: Below this much input a read is over before a bar could be seen.
_BAR_FROM_BYTES = 20_000_000


@contextmanager
def metering(
    usage: Sequence[str],
    *,
    groupings: Sequence[str] = (),
    rejects: str | None,
    max_errors: int,
    timezone: str | None,
    ignore_extra_columns: bool,
    trust_unique: bool,
    engine: options.Engine,
    quiet: bool,
    set_aside: bool = False,
) -> Iterator[tuple[tuple[UsageSource, ...], MeterOptions]]:
    """The usage files and how to read them.

    Raises:
        InputRejected: a name stands for no file that can be read.
    """
    offset = options.offset_option(timezone)
    with ExitStack() as stack:
        sources, problems = stack.enter_context(usage_sources(usage))
        if problems:
            raise InputRejected(problems)
        reject = stack.enter_context(_rejects_file(rejects)) if rejects else None
        size = sum(source.size for source in sources)
        progress = stack.enter_context(_progress_bar(size)) if not quiet and size > _BAR_FROM_BYTES else None
        yield (
            sources,
            MeterOptions(
                tags=tuple(sorted(grouping for grouping in groupings if grouping.startswith(TAG_PREFIX))),
                assumed_offset=offset,
                ignore_extra_columns=ignore_extra_columns,
                max_errors=max_errors,
                engine=engine.value,
                trust_unique=trust_unique,
                set_aside=set_aside or reject is not None,
                reject=reject,
                progress=progress,
            ),
        )


@contextmanager
def _rejects_file(path: str) -> Iterator[Reject]:
    """A CSV of bad rows: where each stood, what is wrong with it, and the row to the letter."""
    with open_output(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "line", "problems", "row"))

        def reject(source: UsageSource, row: Row, problems: Sequence[Problem]) -> None:
            # Bytes that are not UTF-8 are written as \\xNN, because the file itself is UTF-8.
            said = "; ".join(f"{problem.message} [{problem.kind}]" for problem in problems)
            writer.writerow((source.name, row.line, said, row.raw.decode("utf-8", "backslashreplace")))

        yield reject


@contextmanager
def _progress_bar(size: int) -> Iterator[Progress | None]:
    """A bar on standard error, on a terminal only, told how many bytes are read."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("Reading usage"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("usage", total=size)
        yield lambda done: bar.update(task, completed=done)
