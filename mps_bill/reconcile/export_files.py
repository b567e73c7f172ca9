"""The contents of an export file: the file itself, or the members of a `.gz` or of the `.zip` of a subscription; and decoding."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from mps_bill.core.diagnostics import Kind, Place, Problem, printable, quoted
from mps_bill.core.files import MAX_BYTES_OF_DATA, read_whole
from mps_bill.metering.foreign_forms import WORKBOOK
from mps_bill.reconcile import export_problems as kinds

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
#: How files start that are named like an export but are something else.
_STARTS = {
    b"\xd0\xcf\x11\xe0": WORKBOOK,
    b"PAR1": "this is Parquet; give the CSV or the JSON answers",
    b"%PDF": "this is a PDF; give the CSV or the JSON answers",
    b"PK\x05\x06": "the archive is empty",
}
_SUFFIXES, _TEXTS = (".csv", ".csv.gz", ".json", ".jsonl"), (".txt",)
#: Other files that may contain bills, and so are not skipped.
_MAY_HOLD_BILLS = (".zip", ".xlsx", ".xls", ".xml", ".parquet")
#: Members that macOS adds to archives.
_EXTRAS = ("__MACOSX/", ".DS_Store")


class NotAnExport(Exception):
    """A file is not an export; the message says what it is."""

    def __init__(self, message: str, kind: Kind = kinds.UNREADABLE_FILE) -> None:
        super().__init__(message)
        self.kind = kind


def unpacked(data: bytes, name: str) -> Iterator[tuple[str, bytes | None]]:
    """Yield the exports in a file with their names (`bill.zip/detail.csv` in an archive), and the other members of an archive
    without their content.

    Raises:
        NotAnExport: the file is something else, damaged, encrypted, or too large.
    """
    for start, message in _STARTS.items():
        if data.startswith(start):
            raise NotAnExport(message)
    try:
        if data.startswith(_GZIP):
            with gzip.open(io.BytesIO(data)) as stream:
                yield from unpacked(read_whole(stream, MAX_BYTES_OF_DATA), name)  # type: ignore[arg-type]
        elif data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield from _members(archive, name)
        else:
            yield name, data
    except OSError as error:
        raise NotAnExport(f"it cannot be unpacked: {error.strerror or error}") from None
    except (EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise NotAnExport(f"it cannot be unpacked: {error}; download it again") from None


def _members(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, bytes | None]]:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.filename == "[Content_Types].xml" for info in members):
        raise NotAnExport(WORKBOOK)
    members = [info for info in members if not any(extra in info.filename for extra in _EXTRAS)]
    if not members:
        raise NotAnExport("the archive is empty")
    endings = [PurePosixPath(info.filename).name.lower() for info in members]
    # A text next to a bill explains it; alone it may be a bill.
    suffixes = next((known for known in (_SUFFIXES, _TEXTS) if any(ending.endswith(known) for ending in endings)), ())
    for info, ending in zip(members, endings, strict=True):
        inner = f"{name}/{printable(info.filename)}"
        if info.flag_bits & 1:
            raise NotAnExport("the archive is encrypted; unpack it first")
        if not suffixes or ending.endswith(_MAY_HOLD_BILLS):
            raise NotAnExport(f"{quoted(info.filename)} in the archive is not CSV or JSON; give the exports alone")
        if not ending.endswith(suffixes):
            yield inner, None
            continue
        with archive.open(info) as stream:
            yield from unpacked(read_whole(stream, MAX_BYTES_OF_DATA), inner)  # type: ignore[arg-type]


def decode_export(data: bytes, name: str) -> tuple[str, str, tuple[Problem, ...]]:
    """The text and its encoding, or a problem: a byte order mark decides, then strict UTF-8, then GB18030 (which includes GBK and
    GB2312), which the provider's console writes for Excel."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problem = Problem(Place(name), kinds.UNKNOWN_ENCODING, "the file is UTF-16; save it as UTF-8 or GB18030")
        return "", "", (problem,)
    if data.startswith(b"\xef\xbb\xbf"):
        encodings = [("utf-8-sig", "UTF-8 with a byte order mark")]
    else:
        encodings = [("utf-8", "UTF-8"), ("gb18030", "GB18030")]
    at = 0
    for encoding, called in encodings:
        try:
            return data.decode(encoding), called, ()
        except UnicodeDecodeError as error:
            # It is probably the encoding in which more can be read.
            at = max(at, error.start)
    line = data.count(b"\n", 0, at) + 1
    message = f"byte 0x{data[at]:02x} is neither UTF-8 nor GB18030; export the file again"
    return "", "", (Problem(Place(name, line), kinds.UNKNOWN_ENCODING, message),)
