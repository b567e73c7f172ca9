"""The folder of a run for data that does not fit into memory, in the user's temporary folder; it is deleted with the run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mps_bill.core.files import lock

#: The default memory of an engine: enough for any number of rows (measured), or a part of a small machine's memory.
_DEFAULT_MEMORY = 600_000_000
_DEFAULT_SHARE = 4
_PREFIX = "mps-bill-run-"


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources of a run: bytes of memory and threads (None: suitable for the machine), the folder for spilled data, and the
    Spark master (None: this machine)."""

    memory: int | None = None
    threads: int | None = None
    temp_folder: str | None = None
    spark_master: str | None = None

    def memory_or_default(self) -> int:
        return self.memory or min(_DEFAULT_MEMORY, _machine_memory() // _DEFAULT_SHARE)


@contextmanager
def run_folder(parent: str | None = None) -> Iterator[Path]:
    """A new folder in `parent` (by default the system's temporary folder), removed at the end.

    A killed process cannot remove its folder, so every run removes the folders of dead runs: a run holds a lock on its folder
    as long as it lives.
    """
    sweep(parent)
    while True:
        try:
            with (
                tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True) as folder,
                _locked(folder),
            ):
                # Another run may have removed it before it was locked.
                if os.path.exists(folder):
                    yield Path(folder)
                    return
        finally:
            # When a signal ends an engine, one of its threads may write during removal, and the folder remains.
            sweep(parent)


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        # The folder is already removed; or the system cannot open folders, and nothing is ever removed.
        yield
        return
    try:
        lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def sweep(parent: str | None = None) -> None:
    """Remove the folders of runs that have ended."""
    for folder in Path(parent or tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                if lock(descriptor):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _machine_memory() -> int:
    """The bytes of memory that this process may use: those of the machine, or of its control group if that is less."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4 << 30
    with suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory
