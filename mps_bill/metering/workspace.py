"""The folder of a run for what does not fit into memory: made in the user's temporary folder, gone with the run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mps_bill.core.files import lock

#: Memory of an engine where the user names none: enough for any number of rows (measured), or a part of a small machine.
_DEFAULT_MEMORY = 600_000_000
_DEFAULT_SHARE = 4
_PREFIX = "mps-bill-run-"


@dataclass(frozen=True, slots=True)
class Resources:
    """What a run may use: bytes of memory and threads (None: what suits the machine), where it puts what spills, and the
    Spark cluster (None: this machine) for the engine that runs there."""

    memory: int | None = None
    threads: int | None = None
    temp_folder: str | None = None
    spark_master: str | None = None

    def memory_or_default(self) -> int:
        return self.memory or min(_DEFAULT_MEMORY, _machine_memory() // _DEFAULT_SHARE)


@contextmanager
def run_folder(parent: str | None = None) -> Iterator[Path]:
    """A new folder in `parent` (by default the system's temporary folder), removed at the end.

    A killed process cannot remove its folder, so every run removes those of dead ones: a run holds a lock on its folder for
    as long as it lives.
    """
    sweep(parent)
    while True:
        try:
            with (
                tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True) as folder,
                _locked(folder),
            ):
                # Another run may have swept it before it was locked.
                if os.path.exists(folder):
                    yield Path(folder)
                    return
        finally:
            # A thread of an engine that a signal ends may write while the folder is removed, which then stays.
            sweep(parent)


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        # Swept away already; or a system on which folders cannot be opened, and nothing is swept.
        yield
        return
    try:
        lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def sweep(parent: str | None = None) -> None:
    """Removes the folders of runs that have ended."""
    for folder in Path(parent or tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                if lock(descriptor):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _machine_memory() -> int:
    """Bytes of memory that this process may have: the machine's, or its control group's where that is less."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4 << 30
    with suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory
