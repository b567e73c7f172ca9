"""Checking that a Zstandard file is complete: an interrupted download must never be billed in part.

Both libraries that unpack (zstandard 0.25, DuckDB 2.0) take the end of a truncated file as the end of its data.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_ZSTD_FRAME = 0xFD2FB528
_ZSTD_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_RLE_BLOCK = 1


def check_zstd_ends(path: Path) -> None:
    """Follow the frames of a Zstandard file (RFC 8878) from header to header, without unpacking anything.

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
    """Move to the end of a frame, or beyond the end of a truncated file. Return False if there is no frame, which the
    decompressor will report."""
    magic = _number(stream, 4)
    if magic in _ZSTD_SKIPPABLE:
        stream.seek(_number(stream, 4), 1)
        return True
    if magic != _ZSTD_FRAME:
        return False
    descriptor = _number(stream, 1)
    single_segment, checksum = descriptor & 0x20, descriptor & 0x04
    dictionary_bytes = (0, 1, 2, 4)[descriptor & 0x03]
    content_size_bytes = (1 if single_segment else 0, 2, 4, 8)[descriptor >> 6]
    stream.seek((0 if single_segment else 1) + dictionary_bytes + content_size_bytes, 1)
    last = 0
    while not last:
        header = _number(stream, 3)
        last, kind, length = header & 1, header >> 1 & 3, header >> 3
        stream.seek(1 if kind == _RLE_BLOCK else length, 1)
    stream.seek(4 if checksum else 0, 1)
    return True


def _number(stream: BinaryIO, length: int) -> int:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the compressed file ends before its data does")
    return int.from_bytes(data, "little")
