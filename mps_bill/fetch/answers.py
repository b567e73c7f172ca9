"""Answers as they are written down: JSON Lines, in which each answer stands with the request that it is to.

A file grows under the name `FILE.part`, an answer a line as they come, and takes its own name when it is complete, so that
what was broken off is never taken for the whole. A later run goes through the same requests again: those that the file has
an answer to are not sent.
"""

from __future__ import annotations

import errno
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, Protocol

from mps_bill.core.diagnostics import printable
from mps_bill.core.files import lock
from mps_bill.fetch.listings import Product
from mps_bill.fetch.paging import Answer, Ask, FetchFailed, Page, Request, decoded

PART = ".part"
_START, _MIDDLE, _END = '{"request": ', ', "response": ', "}"
#: What a request of another run may have otherwise.
_OF_A_RUN = "fetched_at"


class Asked(Protocol):
    """Who is asked, as far as answers need to know."""

    def endpoint(self, product: Product) -> str: ...

    def ask(self, request: Request) -> Answer: ...


class Answers:
    """Where the answers of a run go, and those of an earlier run that it goes on with."""

    def __init__(self, stream: IO[str], described: Mapping[str, Any], name: str = "standard output") -> None:
        """`described` is what every request of the run has in common, such as region and time."""
        self._stream, self._described, self._name = stream, described, name
        self._earlier: deque[tuple[dict[str, Any], str]] = deque()
        self._endpoint: Callable[[Product], str] = lambda product: product.name
        self.written = self.kept = 0

    def take(self, earlier: Iterable[tuple[dict[str, Any], str]]) -> None:
        """Goes on with the answers of an earlier run, which stand in the stream already."""
        self._earlier.extend(earlier)

    def asking(self, provider: Asked) -> Ask:
        """Asks the provider, but for the requests that an answer is there to."""
        self._endpoint = provider.endpoint

        def asked(request: Request) -> Answer:
            if not self._earlier:
                return provider.ask(request)
            found, text = self._earlier[0]
            if _timeless(found) != _timeless(self._document(request)):
                raise FetchFailed(
                    f"{printable(self._name)}:{self.kept + 1}: this is the answer to another request"
                    f" ({found.get('action')}), and {request} comes here; give the options that the file was begun"
                    " with, or remove it"
                )
            return Answer(text, decoded(text))

        return asked

    def keep(self, page: Page) -> None:
        """Writes a page down, unless it stands there."""
        if self._earlier:
            self._earlier.popleft()
            self.kept += 1
            return
        request = json.dumps(self._document(page.request), ensure_ascii=False)
        # Between its values JSON may have line ends, and inside them it has none.
        text = page.answer.text.strip("\ufeff \t\r\n").replace("\r", " ").replace("\n", " ")
        self._stream.write(f"{_START}{request}{_MIDDLE}{text}{_END}\n")
        self._stream.flush()
        self.written += 1

    def check_all_taken(self) -> None:
        """Refuses answers of the earlier run that no request of this one is about."""
        if self._earlier:
            raise FetchFailed(
                f"{printable(self._name)} has {len(self._earlier)} more answers than these options ask for; give those"
                " that it was begun with, or remove it"
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
    return {key: value for key, value in document.items() if key != _OF_A_RUN}


@contextmanager
def answer_file(path: str, described: Mapping[str, Any], *, resume: bool) -> Iterator[Answers]:
    """The answers that become the file at `path` when the context ends without an error; until then they are kept beside it.

    Raises:
        FetchFailed: an earlier run has left answers and is not to be resumed, another run writes the file, or what is there
            is not such a file.
        OSError: the file cannot be written.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    part = target + PART
    if not resume and os.path.lexists(part):
        raise FetchFailed(
            f"{printable(part)} has the answers of a run that was broken off; go on with it by --resume, or remove it"
        )
    with open(part, "a+b") as raw:
        if not lock(raw.fileno()):
            raise FetchFailed(f"{printable(part)} is being written by another run")
        earlier = list(_earlier(raw, part))
        try:
            with open(part, "a", encoding="utf-8", newline="") as stream:
                answers = Answers(stream, described, part)
                answers.take(earlier)
                yield answers
                answers.check_all_taken()
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            if not os.path.getsize(part):
                os.unlink(part)
            raise
        os.replace(part, target)


def _earlier(raw: BinaryIO, name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The requests and answers in a file. A last line that was broken off is taken away."""
    raw.seek(0)
    end = 0
    for number, line in enumerate(raw, start=1):
        if not line.endswith(b"\n"):
            raw.truncate(end)
            return
        end += len(line)
        try:
            yield _read(line.decode("utf-8").removesuffix("\n"))
        except ValueError:
            raise FetchFailed(
                f"{printable(name)}:{number}: this line is not an answer that fetch has written; remove the file"
            ) from None


def _read(line: str) -> tuple[dict[str, Any], str]:
    """The request and the text of the answer in a line."""
    request, end = json.JSONDecoder().raw_decode(line, len(_START))
    if not (line.startswith(_START) and line.startswith(_MIDDLE, end) and line.endswith(_END)):
        raise ValueError
    text = line[end + len(_MIDDLE) : -len(_END)]
    decoded(text)
    return request, text
