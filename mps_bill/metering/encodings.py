"""CSV in GB18030 (which includes GBK and GB2312), as Excel writes it in China: copied to UTF-8, which everything else reads.

Only at its end is it certain that a file is UTF-8. So an engine for large files starts reading, and the encoding is determined
here only when the engine finds bytes that are not UTF-8.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from mps_bill.core.diagnostics import InputRejected, Place, Problem
from mps_bill.metering import usage_problems as kinds
from mps_bill.metering.sources import UsageSource, read_errors
from mps_bill.metering.workspace import run_folder

_CHUNK = 1 << 20
_CHARACTER = re.compile(rb"[\x81-\xfe](?:[\x30-\x39][\x81-\xfe][\x30-\x39]|[\x40-\xfe])")
_LETTERS = range(0x40, 0x7F)
#: The first bytes of the punctuation in GB 2312, such as the full-width comma, and of its first-level characters.
_SIGNS, _FIRST_LEVEL = range(0xA1, 0xA4), range(0xB0, 0xD8)
#: Two adjacent characters: in languages with accents, three accented letters hardly ever follow each other.
_SIDE_BY_SIDE = re.compile(rb"[\x81-\xfe]{3}[\x40-\xfe]")


class NotUtf8Error(Exception):
    """A file is not UTF-8, and it has not been checked yet whether it is GB18030."""


@contextmanager
def in_utf8(
    sources: Sequence[UsageSource], temp_folder: str | None, notify: Callable[[str], None] | None
) -> Iterator[tuple[UsageSource, ...]]:
    """The sources; those in GB18030 as copies in UTF-8, which are reported, and deleted when the context ends.

    Raises:
        InputRejected: a copy cannot be written.
    """
    with ExitStack() as stack:
        found = list(sources)
        folder: Path | None = None
        for number, source in enumerate(sources):
            if source.rows or source.url or source.format == "parquet":
                continue
            is_gb18030 = _is_gb18030(source)
            if is_gb18030 is None and notify:
                notify(f"{source.name}: not UTF-8, and could be either Windows-1252 or GB18030; save it as UTF-8")
            if not is_gb18030:
                continue
            folder = folder or stack.enter_context(run_folder(temp_folder))
            found[number] = _copy(source, folder / f"{number}.csv")
            if notify:
                notify(f"{source.name}: read as GB18030, since it is not UTF-8")
        yield tuple(found)


def _is_gb18030(source: UsageSource) -> bool | None:
    """Whether a file is not UTF-8 but valid GB18030; None if it may also be in an encoding with one byte for each character.

    Text in Windows-1252, for example, can by chance be valid GB18030: two accented letters make a pair, and so does an accented
    letter with the plain letter after it. In Chinese, few characters have a plain letter as their second byte, most are in the
    first level of GB 2312, whose bytes come before the pairs of small accented letters, and some are adjacent.
    """
    try:
        with source.open() as stream:
            if _decodes(iter(lambda: stream.read(_CHUNK), b""), "utf-8"):
                return False
        characters = with_letter = common = side_by_side = 0
        with source.open() as stream:

            def chunks() -> Iterator[bytes]:
                nonlocal characters, with_letter, common, side_by_side
                while chunk := stream.read(_CHUNK):
                    found = _CHARACTER.findall(chunk)
                    characters += len(found)
                    with_letter += sum(character[1] in _LETTERS for character in found)
                    common += sum(character[0] in _SIGNS or character[0] in _FIRST_LEVEL for character in found)
                    side_by_side += len(_SIDE_BY_SIDE.findall(chunk))
                    yield chunk

            if not _decodes(chunks(), "gb18030"):
                return False
            return (2 * with_letter <= characters and 3 * common >= 2 * characters and side_by_side > 0) or None
    except read_errors():
        # The reader will report what is wrong with it.
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
        message = (
            f"it cannot be copied to {path.parent.parent}: {error.strerror}; choose another folder with --temp-dir"
        )
        raise InputRejected([Problem(Place(source.name), kinds.NO_DISK, message)]) from error
    return replace(source, path=path, format="csv", size=path.stat().st_size)
