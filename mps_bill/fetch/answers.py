"""The files that answers are written to: JSON Lines, each line an answer with its request.

A file grows under the name `FILE.part`, one line for each answer as it arrives, and gets its own name when it is complete, so
that an interrupted run is never mistaken for the whole. A later run goes through the same requests again, and does not send
those whose answers are in the file.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from mps_bill.core.diagnostics import printable
from mps_bill.core.files import lock
from mps_bill.fetch.listings import Product
from mps_bill.fetch.paging import Answer, Ask, FetchFailed, Page, Request, decoded

if TYPE_CHECKING:
    from mps_bill.fetch.provider import Provider

PART = ".part"
_START, _MIDDLE, _END = '{"request": ', ', "response": ', "}"
#: A request as it was written to the file, and its answer.
Earlier = tuple[dict[str, Any], Answer]
_CHUNK = 1 << 20


class Answers:
    """The destination of a run's answers, and the answers of an earlier run that it resumes."""

    def __init__(
        self,
        stream: IO[str],
        described: Mapping[str, Any],
        earlier: Iterator[Earlier] | None = None,
        name: str = "standard output",
    ) -> None:
        """`described` has what all requests of the run share, such as region and time. `earlier` are the answers that are
        already in the stream; messages call the stream `name`."""
        self._stream, self._described, self._name = stream, described, name
        self._earlier = earlier or iter(())
        self._next = next(self._earlier, None)
        self._endpoint: Callable[[Product], str] = lambda product: product.name
        self.written = self.kept = 0

    def asking(self, provider: Provider) -> Ask:
        """Ask the provider, except for requests whose answers are already in the file."""
        self._endpoint = provider.endpoint

        def asked(request: Request) -> Answer:
            if self._next is None:
                return provider.ask(request)
            found, answer = self._next
            if _timeless(found) != _timeless(self._document(request)):
                raise FetchFailed(
                    f"{printable(self._name)}:{self.kept + 1}: this is the answer to another request"
                    f" ({found.get('action')}), but {request} is next; use the options of the first run or delete"
                    " the file"
                )
            return answer

        return asked

    def keep(self, page: Page) -> None:
        """Write a page, unless the file already has it."""
        if self._next is not None:
            self.kept += 1
            self._next = next(self._earlier, None)
            return
        request = json.dumps(self._document(page.request), ensure_ascii=False)
        # JSON may have line ends between its values, but not inside them.
        text = page.answer.text.strip("\ufeff \t\r\n").replace("\r", " ").replace("\n", " ")
        self._stream.write(f"{_START}{request}{_MIDDLE}{text}{_END}\n")
        self._stream.flush()
        self.written += 1

    def check_all_taken(self) -> None:
        """Refuse answers of the earlier run that belong to no request of this run."""
        if self._next is not None:
            raise FetchFailed(
                f"{printable(self._name)}:{self.kept + 1}: the answers from here on belong to another request; use the"
                " options of the first run or delete the file"
            )

    def _document(self, request: Request) -> dict[str, Any]:
        product = request.listing.product
        return {
            "action": request.listing.action,
            "product": product.name,
            "version": product.version,
            "parameters": dict(request.parameters),
            "page": request.page,
            "fetched_for": dict(request.query.purpose),
            "endpoint": self._endpoint(product),
            **self._described,
        }


def _timeless(document: Mapping[str, Any]) -> dict[str, Any]:
    """A request without the part that may differ in another run."""
    return {key: value for key, value in document.items() if key != "fetched_at"}


@contextmanager
def answer_file(path: str, described: Mapping[str, Any], *, resume: bool) -> Iterator[Answers]:
    """The answers that become the file at `path` when the context ends without an error; until then they are in `path.part`.

    Raises:
        FetchFailed: an earlier run has left answers and is not to be resumed, another run is writing the file, or the
            existing file does not contain answers.
        OSError: the file cannot be written.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    part = target + PART
    if not resume and os.path.lexists(part):
        raise FetchFailed(
            f"{printable(part)} contains answers of an interrupted run; continue with --resume or delete it"
        )
    with open(part, "a+b") as raw:
        if not lock(raw.fileno()):
            raise FetchFailed(f"{printable(part)} is being written by another run")
        try:
            earlier = _earlier(raw, _whole_lines(raw), part)
            with open(part, "a", encoding="utf-8", newline="") as stream:
                answers = Answers(stream, described, earlier, part)
                yield answers
                answers.check_all_taken()
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            if not os.path.getsize(part):
                os.unlink(part)
            raise
        if os.path.exists(target):
            os.fchmod(raw.fileno(), stat.S_IMODE(os.stat(target).st_mode))
        os.replace(part, target)


def _whole_lines(raw: BinaryIO) -> int:
    """Remove an incomplete last line, and return the number of bytes that are left."""
    end = raw.seek(0, os.SEEK_END)
    start = end
    while start:
        start = max(0, start - _CHUNK)
        raw.seek(start)
        found = raw.read(_CHUNK).rfind(b"\n")
        if found >= 0:
            start += found + 1
            break
    if start < end:
        raw.truncate(start)
    return start


def _earlier(raw: BinaryIO, end: int, name: str) -> Iterator[Earlier]:
    """The requests and answers in the first `end` bytes of a file, one by one, since together they may not fit into memory."""
    raw.seek(0)
    number = 0
    while raw.tell() < end:
        number += 1
        try:
            yield _read(raw.readline().decode("utf-8").removesuffix("\n"))
        except ValueError:
            raise FetchFailed(
                f"{printable(name)}:{number}: this line is not an answer that fetch has written; remove the file"
            ) from None


def _read(line: str) -> Earlier:
    """The request and the answer in a line."""
    request, end = json.JSONDecoder().raw_decode(line, len(_START))
    if not (line.startswith(_START) and line.startswith(_MIDDLE, end) and line.endswith(_END)):
        raise ValueError
    text = line[end + len(_MIDDLE) : -len(_END)]
    return request, Answer(text, decoded(text))
