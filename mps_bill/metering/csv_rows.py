"""CSV rows (RFC 4180) with their places.

The standard `csv` module does not know where a field is, and accepts stray quotes. Both matter for money, since a quote in the
wrong place can swallow the rows after it. So rows without a quote are split at their commas, and rows with a quote go through a
small tokenizer that knows the place of every field.

The following is accepted in addition to RFC 4180, because nothing is lost by it: any line end (LF, CRLF, CR), lines of nothing
but commas, spaces around a quoted field, and extra empty fields at the end of a row.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import compress, count, tee
from typing import BinaryIO

from mps_bill.core.diagnostics import Kind
from mps_bill.metering import usage_problems as kinds

#: A row longer than this is not usage; the limit keeps a file without line ends, or a lost quote, out of memory.
MAX_ROW_BYTES = 2_000_000

_CHUNK = 1 << 20
#: A quote that is not closed within this many bytes is a stray quote.
_MOST_AHEAD = 64_000_000
_BOM = b"\xef\xbb\xbf"
#: No usage value contains a control character, and a quote in a value that is not in quotes is a stray quote.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f"]')
#: Inside quotes, doubled quotes and line ends are part of the value.
_FORBIDDEN_IN_QUOTES = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
_NEEDS_QUOTES = re.compile(r'[",\r\n]')
_UNQUOTED = re.compile(r"[^,]*")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
#: A line with fewer fields may be ordinary text, and is not treated as a row.
_WIDE = 6
_OPENING = re.compile(r' *"')
#: Possessive, so that the first half of a doubled quote is never treated as the closing quote.
_QUOTED = re.compile(r' *"((?:[^"]|"")*+)" *')


@dataclass(frozen=True, slots=True)
class Flaw:
    """A problem with the form of a row: `line` and `column` count from 1 in the file."""

    line: int
    column: int
    kind: Kind
    message: str


@dataclass(slots=True)
class Row:
    """A row as it is in the file (`raw`, without its line end), the line it starts on, and its fields or its flaw.

    `forbidden` are the numbers of fields with characters that no usage value has, with the flaw of each. Such a row has its
    fields nevertheless, because ignored columns may contain anything. If a row is too long, `raw` is only its start, and `rest`
    gives the remainder in pieces, once and before the next row is requested.
    """

    line: int
    raw: bytes
    fields: list[str]
    flaw: Flaw | None = None
    forbidden: tuple[tuple[int, Flaw], ...] = ()
    rest: Iterable[bytes] = ()

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        return self.flaws_outside(frozenset())

    def flaws_outside(self, ignored: frozenset[int]) -> tuple[Flaw, ...]:
        """The flaws of the row, without those in the fields with these numbers."""
        if self.forbidden:
            return tuple(flaw for number, flaw in self.forbidden if number not in ignored)
        return (self.flaw,) if self.flaw else ()

    def position(self, index: int) -> tuple[int, int]:
        """Line and column of the start of field number `index`."""
        text = self.raw.decode("utf-8", "replace")
        if '"' not in text:
            # The fast way, for bad files with very many such rows.
            before = text.split(",", index)[:index]
            return self.line, min(sum(map(len, before)) + len(before), len(text)) + 1
        starts = _tokenize(text)[1]
        return _line_and_column(text, starts[index] if index < len(starts) else len(text), self.line)


def read_rows(stream: BinaryIO) -> Iterator[Row]:
    """Every row of a CSV stream in order, including flawed ones.

    A quoted field may contain line ends. If a quote is not closed, or only by a quote of a later row, the row is the line on
    which it was opened, and reading continues with the next line, so that one stray quote costs only one row.
    """
    lines = _Lines(stream)
    width = 0
    while (line := lines.next()) is not None:
        number = lines.number
        raw = line.rstrip(b"\r\n")
        # Excel writes commas for rows that were cleared.
        if not raw.strip(b","):
            continue
        if len(raw) > MAX_ROW_BYTES:
            rest = lines.rest_of(line)
            yield Row(number, raw, [], overlong(number), rest=rest)
            for _ in rest:
                pass
            continue
        row = row_from(number, raw)
        if row.flaw and row.flaw.kind is kinds.UNCLOSED_QUOTE:
            row = _closed(number, line, lines, width) or row
        width = width or len(row.fields)
        yield row


def rows_among(stream: BinaryIO, wanted: Iterator[bytes]) -> Iterator[Row]:
    """The rows of a stream that begin with the wanted lines. The wanted lines are in the order of the stream, the header first,
    without their line ends, and each stands for the next equal line. A row that takes several lines consists of wanted lines and
    blank lines. Every line of the stream must end in LF or CRLF.

    Raises:
        ValueError: a wanted line is not found.
    """
    lines = _Lines(stream)
    width = 0
    for target in wanted:
        line = lines.find(target)
        number = lines.number
        row = row_from(number, target.removeprefix(_BOM) if number == 1 else target)
        if row.flaw and row.flaw.kind is kinds.UNCLOSED_QUOTE and (whole := _closed(number, line, lines, width)):
            row = whole
            for inner in b"".join((row.raw, *row.rest)).split(b"\n")[1:]:
                if inner.strip(b"\r,") and next(wanted, None) != inner.rstrip(b"\r"):
                    raise ValueError("the lines of a row are not those that are wanted")
        width = width or len(row.fields)
        yield row


def lines_among(stream: BinaryIO, wanted: Set[bytes]) -> Iterator[tuple[int, bytes]]:
    """The wanted lines of a stream except its first line, with their numbers and without their ends, which are LF or CRLF."""
    ended = {line + end for line in wanted for end in (b"\n", b"\r\n", b"")}
    lines, again = tee(stream)
    # No Python code runs for each line: that would take as long as the whole query.
    found = compress(zip(count(1), again), map(ended.__contains__, lines))
    for number, line in found:
        if number > 1:
            yield number, line.rstrip(b"\r\n")


def has_lone_cr(stream: BinaryIO) -> bool:
    """Whether a line of a stream ends in CR alone."""
    while chunk := stream.read(_CHUNK):
        if b"\r" in chunk:
            # The chunk may end between CR and LF.
            chunk += stream.readline()
            if chunk.count(b"\r") > chunk.count(b"\r\n"):
                return True
    return False


def last_row_is_overlong(stream: BinaryIO, begun: int = 0) -> bool:
    """Whether the last line of a stream that is not blank is too long for a row. `begun` bytes of its first line came before.

    Raises:
        OSError, EOFError: the stream cannot be read to its end.
    """
    length, last = begun, 0
    while chunk := stream.read(_CHUNK):
        filled = chunk.rstrip(b"\r\n")
        start = max(filled.rfind(b"\n"), filled.rfind(b"\r")) + 1
        length = len(filled) - start + (0 if start else length)
        if len(filled) < len(chunk):
            length, last = 0, length or last
    return (length or last) > MAX_ROW_BYTES


class _Lines:
    """The lines of a stream, numbered, with their line ends; lines can be given back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ahead: deque[bytes] = deque()
        #: The lines after those, several joined in each piece.
        self._given_back: deque[bytes] = deque()
        #: The start of a line whose end is not read yet, in a file of lone carriage returns.
        self._begun = b""
        #: The number of the line that `next` returned last.
        self.number = 0

    def next(self) -> bytes | None:
        if not self._ahead and not self._read():
            return None
        self.number += 1
        return self._ahead.popleft()

    def _read(self) -> bool:
        """Read one line, or, if lines end in CR, all lines up to the next LF. Return False at the end of the stream."""
        if self._given_back:
            self._ahead.extend(_LINE.findall(self._given_back.popleft()))
            return True
        chunk = self._stream.readline(MAX_ROW_BYTES + 2)
        line = self._begun + chunk
        self._begun = b""
        if not line:
            return False
        if self.number == 0:
            line = line.removeprefix(_BOM)
        if b"\r" not in line or _LINE.fullmatch(line):
            self._ahead.append(line)
            return True
        self._ahead.extend(_LINE.findall(line))
        if chunk and not chunk.endswith(b"\n") and len(self._ahead) > 1:
            self._begun = self._ahead.pop()
        return True

    def find(self, wanted: bytes) -> bytes:
        """Move to the next line that is equal to `wanted`, which has no line end.

        Raises:
            ValueError: there is none.
        """
        while self._ahead or self._given_back:
            line = self.next()
            if line and line.rstrip(b"\r\n") == wanted:
                return line
        for line in self._stream:
            self.number += 1
            if line.rstrip(b"\r\n") == wanted or (self.number == 1 and _bare(line) == _bare(wanted)):
                return line
        raise ValueError("the lines are not those of the stream")

    def give_back(self, pieces: list[bytes], number: int) -> None:
        """Take back the lines after the one with this number, which are joined in pieces."""
        self._given_back.extendleft(reversed([piece for piece in (*pieces, *self._ahead) if piece]))
        self._ahead.clear()
        self.number = number

    def rest_of(self, line: bytes) -> Iterator[bytes]:
        """The remainder of a line that was read in part, without its line end; the stream is then at the next line."""
        while line and not line.endswith((b"\n", b"\r")):
            line = self._stream.readline(MAX_ROW_BYTES)
            yield line.rstrip(b"\r\n")


def _bare(line: bytes) -> bytes:
    return line.removeprefix(_BOM).rstrip(b"\r\n")


def _closed(number: int, line: bytes, lines: _Lines, width: int) -> Row | None:
    """The row that a line with an open quote makes together with the lines after it.

    None, with the lines given back, if the quote is never closed, if text follows the quote that would close it, or if the row
    does not have the `width` of the header (0: it is the header): then the closing quote opens a value of a later row. The same
    holds if one of the lines is by itself as wide as a row, since the value would then contain rows."""
    pieces: list[bytes] = []
    taken: list[bytes] = []
    size = joined = len(line)
    begun = len(_tokenize(line.decode("utf-8", "replace"))[1])
    while size <= _MOST_AHEAD and (following := lines.next()) is not None:
        taken.append(following)
        size += len(following)
        # The lines of a long value are joined, since many short lines take much more memory.
        if size - joined > _CHUNK:
            pieces.append(b"".join(taken))
            taken, joined = [], size
        if width >= _WIDE and _is_row(following, width):
            break
        # Only a line with a quote can close the field; a line that is too long is not part of a row.
        if b'"' not in following and len(following) <= MAX_ROW_BYTES:
            continue
        fields, starts, flaw = _tokenize('"' + following.rstrip(b"\r\n").decode("utf-8", "replace"))
        begun += len(starts) - 1
        if flaw is None and _fits(begun, fields, width):
            pieces = [line, *pieces, *taken]
            pieces[-1] = pieces[-1].rstrip(b"\r\n")
            if size > MAX_ROW_BYTES:
                return Row(number, pieces[0], [], overlong(number), rest=pieces[1:])
            return row_from(number, b"".join(pieces))
        if flaw is None or flaw[1] is not kinds.UNCLOSED_QUOTE or len(following) > MAX_ROW_BYTES:
            break
    lines.give_back([*pieces, b"".join(taken)], number)
    return None


def _is_row(line: bytes, width: int) -> bool:
    """Whether a line is by itself a row with this number of fields, none of which contains a quote."""
    commas = line.count(b",")
    if b'"' not in line or commas < width - 1:
        return commas == width - 1
    fields, _, flaw = _tokenize(line.rstrip(b"\r\n").decode("utf-8", "replace"))
    return flaw is None and len(fields) == width and not any('"' in field for field in fields)


def _fits(begun: int, last: list[str], width: int) -> bool:
    """Whether a row with `begun` fields, of which `last` are on its last line, is as wide as the header."""
    extra = begun - width
    return not width or extra == 0 or (0 < extra < len(last) and not any(last[-extra:]))


def wrong_width(fields: Sequence[str], width: int) -> tuple[Kind, str] | None:
    """The problem of a row that has fewer fields than the header, or more that are not empty."""
    if len(fields) == width or (len(fields) > width and not any(fields[width:])):
        return None
    kind = kinds.SHORT_ROW if len(fields) < width else kinds.LONG_ROW
    return kind, f"the row has {len(fields)} fields, and the header has {width}"


def overlong(line: int) -> Flaw:
    """The flaw of a row with more than `MAX_ROW_BYTES`."""
    return Flaw(line, 1, kinds.OVERLONG_ROW, f"the row is longer than {MAX_ROW_BYTES:,} bytes")


def row_from(number: int, raw: bytes) -> Row:
    """The row in `raw` (without its line end), which starts on line `number`."""
    if len(raw) > MAX_ROW_BYTES:
        return Row(number, raw, [], overlong(number))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        line, column = _line_and_column(before, len(before), number)
        message = f"the byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        return Row(number, raw, [], Flaw(line, column, kinds.NOT_UTF8, message))
    if '"' not in text and text.isprintable():
        return Row(number, raw, text.split(","))
    fields, starts, flaw = _tokenize(text)
    if flaw:
        at, kind, message = flaw
        return Row(number, raw, [], Flaw(*_line_and_column(text, at, number), kind, message))
    forbidden = tuple(
        (index, Flaw(*_line_and_column(text, start, number), *_forbidden(found[0])))
        for index, (field, start) in enumerate(zip(fields, starts, strict=True))
        if (found := (_FORBIDDEN_IN_QUOTES if _is_quoted(text, start) else _FORBIDDEN).search(field))
    )
    return Row(number, raw, fields, forbidden[0][1] if forbidden else None, forbidden)


def as_csv(fields: Sequence[str]) -> str:
    """The fields as a CSV row, from which the same fields can be read."""
    return ",".join('"' + field.replace('"', '""') + '"' if _NEEDS_QUOTES.search(field) else field for field in fields)


def _tokenize(text: str) -> tuple[list[str], list[int], tuple[int, Kind, str] | None]:
    """The fields, the start of each in `text`, and the first problem as (start, kind, message)."""
    fields: list[str] = []
    starts: list[int] = []
    at = 0
    while True:
        starts.append(at)
        if _is_quoted(text, at):
            match = _QUOTED.match(text, at)
            if not match:
                return (
                    fields,
                    starts,
                    (text.index('"', at), kinds.UNCLOSED_QUOTE, "this quote is never closed within its row"),
                )
            fields.append(match[1].replace('""', '"'))
        else:
            match = _UNQUOTED.match(text, at)
            assert match is not None
            fields.append(match[0])
        at = match.end()
        if at == len(text):
            return fields, starts, None
        if text[at] != ",":
            return fields, starts, (at, kinds.STRAY_QUOTE, "there is text after the closing quote of a field")
        at += 1


def _is_quoted(text: str, start: int) -> bool:
    """Whether the field that starts there is in quotes, perhaps after spaces."""
    return _OPENING.match(text, start) is not None


def _forbidden(char: str) -> tuple[Kind, str]:
    if char == '"':
        return kinds.STRAY_QUOTE, 'this value contains a quote; put the value in quotes and write the quote as ""'
    return kinds.CONTROL_CHARACTER, f"this value contains the control character U+{ord(char):04X}"


def _line_and_column(text: str, at: int, first_line: int) -> tuple[int, int]:
    before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
    return first_line + before.count("\n"), len(before) - (before.rfind("\n") + 1) + 1
