"""The folder of a run for what does not fit into memory: made in the user's temporary folder, gone with the run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

#: Memory of an engine where the user names none: enough for any number of rows (measured), or a part of a small machine.
_DEFAULT_MEMORY = 600_000_000
_DEFAULT_SHARE = 4
_PREFIX = "mps-bill-run-"
_LOCK = "lock"


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

    A killed process cannot remove its folder, so every run removes those of dead ones: a run holds a lock on a file in its
    folder for as long as it lives.
    """
    sweep(parent)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True) as folder:
        lock = Path(folder, _LOCK)
        new = lock.with_suffix(".new")
        descriptor = os.open(new, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            # Another run must not see the file before it is locked, or it would take this run for a dead one.
            if _lock(descriptor):
                new.rename(lock)
            yield Path(folder)
        finally:
            os.close(descriptor)


def sweep(parent: str | None = None) -> None:
    """Removes the folders of runs that are no more."""
    for folder in Path(parent or tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder / _LOCK, os.O_RDWR)
            try:
                dead = _lock(descriptor)
            finally:
                os.close(descriptor)
            if dead:
                shutil.rmtree(folder, ignore_errors=True)


def _lock(descriptor: int) -> bool:
    """Locks an open file against other processes; False where another one has locked it or the system has no such locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _machine_memory() -> int:
    """Bytes of memory that this process may have: the machine's, or its control group's where that is less."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4 << 30
    with suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory
