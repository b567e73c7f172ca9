"""The usage files of a run: the files of names and globs, and standard input as a file that can be read more than once."""

from __future__ import annotations

import glob
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Literal

from mps_bill.core.diagnostics import InputRejected, Place, Problem, one_of, printable, quoted
from mps_bill.core.files import MAX_BYTES_OF_DATA, check_readable, near_file
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.csv_rows import MAX_ROW_BYTES, Row, last_row_is_overlong
from mps_bill.metering.foreign_forms import WORKBOOK, WORKBOOK_ENDINGS
from mps_bill.metering.workspace import run_folder

# fmt: off
Format = Literal[
    "csv", "csv.gz", "csv.zst", "parquet",
    "json", "json.gz", "json.zst", "jsonl", "jsonl.gz", "jsonl.zst", "xml", "xml.gz", "xml.zst",
]
# fmt: on
FORMATS: tuple[Format, ...] = ("csv", "csv.gz", "csv.zst", "parquet")
#: The formats that an import profile reads. The first character of a file then shows whether it is CSV, JSON or XML.
FOREIGN_FORMATS: tuple[Format, ...] = (
    *("csv", "csv.gz", "csv.zst"),
    *("json", "json.gz", "json.zst", "jsonl", "jsonl.gz", "jsonl.zst", "xml", "xml.gz", "xml.zst"),
)
STANDARD_INPUT = "-"
#: The first bytes of a pipe that is not plain CSV.
_MAGIC: dict[bytes, Format] = {b"\x1f\x8b": "csv.gz", b"\x28\xb5\x2f\xfd": "csv.zst", b"PAR1": "parquet"}
_OPEN_FILES = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
_CHUNK = 1 << 20
_ZSTD_FRAME = 0xFD2FB528
_ZSTD_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_RLE_BLOCK = 1
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class UsageSource:
    """A usage file: `name` is its name in messages, `path` the file itself, `size` its number of bytes.

    For a file that an import profile converted, `name` is that of the original, `path` is canonical CSV, and `rows` gives the
    same rows, the header first, with the places of the original.

    For a URL, `url` is the address without escapes, and there is no path: only Spark reads it. Its `rows` are refused until
    `spark_engine.with_urls_found` has replaced it by its files.
    """

    name: str
    path: Path
    format: Format
    size: int
    rows: Callable[[], Iterator[Row]] | None = None
    url: str = ""

    def open(self) -> BinaryIO:
        """The plain bytes of the file, unpacked as they are read.

        Raises:
            OSError, EOFError: it cannot be read, or is truncated (`read_errors` has all exceptions of later reading).
        """
        if self.format.endswith(".gz"):
            import gzip

            return gzip.open(self.path, "rb")  # type: ignore[return-value]
        if self.format.endswith(".zst"):
            import io

            import zstandard

            _check_zstd_ends(self.path)
            reader = zstandard.ZstdDecompressor().stream_reader(self.path.open("rb"), read_across_frames=True)
            return io.BufferedReader(reader)
        return self.path.open("rb")

    def column_folders(self) -> list[str]:
        """The folders directly around the file whose names are a column with a value, the outermost first."""
        *folders, _ = self.url.split("/") if self.url else os.path.abspath(self.path).split(os.sep)
        return list(takewhile(lambda folder: "=" in folder, reversed(folders)))[::-1]

    def suits_queries(self) -> bool:
        """Whether a CSV file can be unpacked to its end with the right checksums, which queries do not check, and its last row is
        not too long: DuckDB 2.0 silently loses a last row that fills its buffer."""
        if self.format == "parquet":
            return True
        try:
            with self.open() as stream:
                if self.format != "csv":
                    return not last_row_is_overlong(stream)
                # The row at the beginning of a part of a file is assumed to be too long.
                for size in (1 << 16, 2 * MAX_ROW_BYTES):
                    start = max(0, self.size - size)
                    stream.seek(start)
                    if not last_row_is_overlong(stream, begun=MAX_ROW_BYTES + 1 if start else 0):
                        return True
                return False
        except read_errors():
            return False


@contextmanager
def usage_sources(
    arguments: Sequence[str], temp_folder: str | None = None, formats: Sequence[Format] = FORMATS
) -> Iterator[tuple[tuple[UsageSource, ...], tuple[Problem, ...]]]:
    """The files that the arguments name, in the order of the arguments (those of a glob sorted by name), and their problems.

    `-` is CSV on standard input. It is first written to a temporary file, because a run may need to read its usage twice (to
    find the place of a bad row, say). The file is deleted when the context ends.
    """
    with run_folder(temp_folder) as folder:
        sources: list[UsageSource] = []
        problems: list[Problem] = []
        given: set[object] = set()
        for name in (name for argument in arguments for name in expanded(argument)):
            identity = _identity(name)
            if identity in given:
                # A pipe can be read only once, so a file that is given twice is not opened again.
                problems.append(Problem(Place(_shown(name)), kinds.REPEATED_FILE, "this file is given twice"))
                continue
            source = _source(name, folder / str(len(given)), formats)
            if isinstance(source, Problem):
                problems.append(source)
            else:
                sources.append(source)
                given.add(identity)
        yield tuple(sources), tuple(problems)


def expanded(argument: str) -> list[str]:
    """The names that an argument stands for: the files of a glob sorted by name, or the argument itself."""
    fixed = argument == STANDARD_INPUT or _URL.match(argument) or os.path.exists(argument)
    if glob.has_magic(argument) and not fixed:
        return sorted(glob.glob(argument, recursive=True)) or [argument]
    return [argument]


def format_of(name: str, formats: Sequence[Format] = FORMATS) -> Format | None:
    """The format of a file by the suffix of its name."""
    return next((ending for ending in formats if name.lower().endswith("." + ending)), None)


def endings(formats: Sequence[Format]) -> str:
    """The message for a file whose name has no such suffix."""
    return f"the name must end in {one_of(['.' + ending for ending in formats])}"


def _shown(name: str) -> str:
    return "<stdin>" if name == STANDARD_INPUT else printable(name)


def _identity(name: str) -> object:
    """A value that is equal for two names of the same file, pipe or URL."""
    if _URL.match(name):
        return name
    try:
        status = os.fstat(sys.stdin.fileno()) if name == STANDARD_INPUT else os.stat(name)
    except OSError:
        return name
    return status.st_dev, status.st_ino


def _source(name: str, spool: Path, formats: Sequence[Format]) -> UsageSource | Problem:
    """The file with this name; `spool` is the file to which a pipe is copied."""
    shown = _shown(name)
    if name == STANDARD_INPUT:
        return _spooled(shown, sys.stdin.buffer, spool, formats)
    if _URL.match(name):
        return _at_url(name, formats)
    path = Path(name)
    # The shell's names for open files lead to pipes, and to files under another name.
    if path.is_fifo() or (name.startswith(_OPEN_FILES) and path.exists() and not path.is_dir()):
        with path.open("rb") as pipe:
            return _spooled(shown, pipe, spool, formats)
    if path.is_dir():
        return Problem(
            Place(shown), kinds.NO_FILE, f"this is a folder; name its files, such as {quoted(name + '/*.csv')}"
        )
    format_ = format_of(name, formats)
    if format_ is None and path.exists():
        message = WORKBOOK if name.lower().endswith(WORKBOOK_ENDINGS) else endings(formats)
        return Problem(Place(shown), kinds.UNREADABLE_FILE, message)
    try:
        check_readable(path)
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError:
        what = "no file matches this pattern" if glob.has_magic(name) else f"there is no such file{near_file(path)}"
        return Problem(Place(shown), kinds.NO_FILE, what)
    except OSError as error:
        return Problem(Place(shown), kinds.UNREADABLE_FILE, f"it cannot be read: {error.strerror}")
    assert format_ is not None
    return UsageSource(shown, path, format_, size)


def _at_url(url: str, formats: Sequence[Format]) -> UsageSource | Problem:
    """The source for a URL, which may be a pattern or a folder; nothing is looked up here."""
    place = Place(printable(url))
    if "parquet" not in formats:
        return Problem(place, kinds.UNREADABLE_FILE, "a profile does not read URLs; copy the file to this machine")

    def refuse() -> Iterator[Row]:
        message = (
            "only Spark reads a URL: bill, settle or check it with --engine spark, or copy the file to this machine"
        )
        raise InputRejected([Problem(place, kinds.UNREADABLE_FILE, message)])

    return UsageSource(place.file, Path(), "csv", 0, refuse, url)


def _spooled(name: str, stream: BinaryIO, path: Path, formats: Sequence[Format]) -> UsageSource | Problem:
    """A pipe as a file that can be read again. It has no name with a suffix, so its first bytes determine its format."""
    start = stream.read(4)
    packed: Format = next((format_ for magic, format_ in _MAGIC.items() if start.startswith(magic)), "csv")
    format_: Format = packed if packed in formats else "csv"
    path = path.with_suffix("." + format_)
    try:
        with path.open("wb") as spool:
            spool.write(start)
            in_line = len(start)
            while chunk := stream.read(_CHUNK):
                ended = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
                in_line = len(chunk) - ended if ended else in_line + len(chunk)
                # A device such as /dev/zero never ends and would fill the disk.
                if format_ == "csv" and in_line > MAX_BYTES_OF_DATA:
                    message = f"a line is longer than {MAX_BYTES_OF_DATA:,} bytes, the maximum for a pipe"
                    return Problem(Place(name), kinds.OVERLONG_ROW, message)
                spool.write(chunk)
    except OSError as error:
        message = (
            f"it cannot be stored in {path.parent.parent}: {error.strerror}; choose another folder with --temp-dir"
        )
        return Problem(Place(name), kinds.NO_DISK, message)
    return UsageSource(name, path, format_, path.stat().st_size)


def read_errors() -> tuple[type[Exception], ...]:
    """The exceptions of reading a damaged or missing file; zstandard's is included only once that library is imported."""
    zstandard = sys.modules.get("zstandard")
    return (OSError, EOFError, zlib.error, *((zstandard.ZstdError,) if zstandard else ()))


def _check_zstd_ends(path: Path) -> None:
    """Follow the frames of a Zstandard file (RFC 8878) from header to header, without unpacking anything: an interrupted download
    must never be billed in part, and both libraries that unpack (zstandard 0.25, DuckDB 2.0) take the end of a truncated file as
    the end of its data.

    Raises:
        EOFError: the file ends inside a frame.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        while stream.tell() < size:
            if not _skip_frame(stream):
                return
            if stream.tell() > size:
                raise EOFError("the compressed file ends before its data does")


def _skip_frame(stream: BinaryIO) -> bool:
    """Move to the end of a frame, or beyond the end of a truncated file. False if there is no frame: reading reports that."""
    magic = _read_number(stream, 4)
    if magic in _ZSTD_SKIPPABLE:
        stream.seek(_read_number(stream, 4), 1)
        return True
    if magic != _ZSTD_FRAME:
        return False
    descriptor = _read_number(stream, 1)
    single_segment, checksum = descriptor & 0x20, descriptor & 0x04
    dictionary_bytes = (0, 1, 2, 4)[descriptor & 0x03]
    content_size_bytes = (1 if single_segment else 0, 2, 4, 8)[descriptor >> 6]
    stream.seek((0 if single_segment else 1) + dictionary_bytes + content_size_bytes, 1)
    last = 0
    while not last:
        header = _read_number(stream, 3)
        last, kind, length = header & 1, header >> 1 & 3, header >> 3
        stream.seek(1 if kind == _RLE_BLOCK else length, 1)
    stream.seek(4 if checksum else 0, 1)
    return True


def _read_number(stream: BinaryIO, length: int) -> int:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the compressed file ends before its data does")
    return int.from_bytes(data, "little")
