"""The usage files of a run: names and globs to files, and standard input to a file that can be read more than once."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from mps_bill.core.diagnostics import Place, Problem, one_of, printable, quoted
from mps_bill.metering import kinds

Format = Literal["csv", "csv.gz", "csv.zst", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "csv.gz", "csv.zst", "parquet")
STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class UsageSource:
    """A usage file: `name` is what messages call it, `path` where its bytes are, `size` how many there are."""

    name: str
    path: Path
    format: Format
    size: int

    def open(self) -> BinaryIO:
        """The plain CSV bytes of the file, unpacked as they are read."""
        if self.format == "csv.gz":
            import gzip

            return gzip.open(self.path, "rb")  # type: ignore[return-value]
        if self.format == "csv.zst":
            import io

            import zstandard

            reader = zstandard.ZstdDecompressor().stream_reader(self.path.open("rb"), read_across_frames=True)
            return io.BufferedReader(reader)
        return self.path.open("rb")


@contextmanager
def usage_sources(
    arguments: Sequence[str], temp_folder: str | None = None
) -> Iterator[tuple[tuple[UsageSource, ...], tuple[Problem, ...]]]:
    """The files that the arguments name, in their order (a glob's in order of name), and what is wrong with them.

    `-` is CSV on standard input. It is written to a temporary file first, because a run may need to read its usage twice
    (to name the place of a bad row, say); the file goes with the context.
    """
    with tempfile.TemporaryDirectory(prefix="mps-bill-", dir=temp_folder) as folder:
        sources: list[UsageSource] = []
        problems: list[Problem] = []
        for argument in arguments:
            for name in _expand(argument):
                source = _source(name, Path(folder))
                if isinstance(source, Problem):
                    problems.append(source)
                elif any(os.path.samefile(source.path, other.path) for other in sources):
                    problems.append(Problem(Place(source.name), kinds.REPEATED_FILE, "this file is given twice"))
                else:
                    sources.append(source)
        yield tuple(sources), tuple(problems)


def _expand(argument: str) -> list[str]:
    if argument != STANDARD_INPUT and glob.has_magic(argument) and not os.path.exists(argument):
        return sorted(glob.glob(argument, recursive=True)) or [argument]
    return [argument]


def _source(name: str, folder: Path) -> UsageSource | Problem:
    if name == STANDARD_INPUT:
        return _spooled("<stdin>", sys.stdin.buffer, folder / "standard-input.csv")
    shown = printable(name)
    path = Path(name)
    if path.is_fifo():
        with path.open("rb") as pipe:
            return _spooled(shown, pipe, folder / f"pipe-{path.name}.csv")
    if path.is_dir():
        return Problem(
            Place(shown), kinds.NO_FILE, f"this is a folder; name its files, such as {quoted(name + '/*.csv')}"
        )
    format_ = next((ending for ending in FORMATS if name.lower().endswith("." + ending)), None)
    if format_ is None and path.exists():
        message = f"the name must end in {one_of(['.' + ending for ending in FORMATS])}"
        return Problem(Place(shown), kinds.UNREADABLE_FILE, message)
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError:
        what = "no file matches this pattern" if glob.has_magic(name) else "there is no such file"
        return Problem(Place(shown), kinds.NO_FILE, what)
    except OSError as error:
        return Problem(Place(shown), kinds.UNREADABLE_FILE, f"it cannot be read: {error.strerror}")
    assert format_ is not None
    return UsageSource(shown, path, format_, size)


def _spooled(name: str, stream: BinaryIO, path: Path) -> UsageSource:
    """A pipe as a file that can be read again; a second mention of the same pipe finds the file."""
    if not path.exists():
        with path.open("wb") as spool:
            shutil.copyfileobj(stream, spool)
    return UsageSource(name, path, "csv", path.stat().st_size)


def read_errors() -> tuple[type[Exception], ...]:
    """What reading a file that is damaged or gone can raise; zstandard's error is only there once it is imported."""
    zstandard = sys.modules.get("zstandard")
    return (OSError, EOFError, zlib.error, *((zstandard.ZstdError,) if zstandard else ()))
