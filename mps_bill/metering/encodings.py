"""CSV in GB18030 (which GBK and GB2312 are part of), as Excel writes it in China: copied to UTF-8, which everything else reads.

Whether a file is UTF-8 shows only at its end. So an engine for large files starts reading, and asks here once it has met
something else.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from mps_bill.core.diagnostics import InputRejected, Place, Problem
from mps_bill.metering import kinds
from mps_bill.metering.sources import UsageSource, read_errors
from mps_bill.metering.workspace import run_folder

_CHUNK = 1 << 20
_CHARACTER = re.compile(rb"[\x81-\xfe](?:[\x30-\x39][\x81-\xfe][\x30-\x39]|[\x40-\xfe])")
_LETTERS = range(0x40, 0x7F)


class NotUtf8Error(Exception):
    """Some file is not UTF-8, and nobody has asked yet whether it is GB18030."""


@contextmanager
def in_utf8(
    sources: Sequence[UsageSource], temp_folder: str | None, tell: Callable[[str], None] | None
) -> Iterator[tuple[UsageSource, ...]]:
    """The sources; those in GB18030 as copies in UTF-8, which go with the context and are told of.

    Raises:
        InputRejected: a copy cannot be written.
    """
    with ExitStack() as stack:
        found = list(sources)
        folder: Path | None = None
        for number, source in enumerate(sources):
            if source.rows or source.url or source.format == "parquet" or not _is_gb18030(source):
                continue
            folder = folder or stack.enter_context(run_folder(temp_folder))
            found[number] = _copy(source, folder / f"{number}.csv")
            if tell:
                tell(f"{source.name}: read as GB18030, since it is not UTF-8")
        yield tuple(found)


def _is_gb18030(source: UsageSource) -> bool:
    """Whether a file is not UTF-8 and all of it is GB18030.

    Text of one byte a character, such as Latin-1, can by chance be that too: each letter with an accent makes a pair with the
    plain letter behind it. In Chinese few characters have a plain letter as their second byte.
    """
    try:
        with source.open() as stream:
            if _decodes(iter(lambda: stream.read(_CHUNK), b""), "utf-8"):
                return False
        characters = with_letter = 0
        with source.open() as stream:

            def chunks() -> Iterator[bytes]:
                nonlocal characters, with_letter
                while chunk := stream.read(_CHUNK):
                    seconds = [character[1] for character in _CHARACTER.findall(chunk)]
                    characters += len(seconds)
                    with_letter += sum(second in _LETTERS for second in seconds)
                    yield chunk

            return _decodes(chunks(), "gb18030") and 2 * with_letter <= characters
    except read_errors():
        # The reader says what is wrong with it.
        return False


def _decodes(chunks: Iterator[bytes], encoding: str) -> bool:
    try:
        for _ in codecs.iterdecode(chunks, encoding):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _copy(source: UsageSource, path: Path) -> UsageSource:
    try:
        with source.open() as stream, path.open("w", encoding="utf-8", newline="") as copy:
            copy.writelines(codecs.iterdecode(iter(lambda: stream.read(_CHUNK), b""), "gb18030"))
    except OSError as error:
        message = f"it cannot be copied to {path.parent.parent}: {error.strerror}; name another folder with --temp-dir"
        raise InputRejected([Problem(Place(source.name), kinds.NO_DISK, message)]) from error
    return replace(source, path=path, format="csv", size=path.stat().st_size)
