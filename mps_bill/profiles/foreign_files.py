"""Foreign files before a profile reads them: whether they are CSV, JSON or XML, and the documents and answers in them."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem
from mps_bill.core.files import MAX_BYTES_OF_DATA, read_whole
from mps_bill.metering import kinds as usage_kinds
from mps_bill.metering.sources import UsageSource
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.json_records import Answer, Document, JsonError, is_there, read_answers, read_documents, value_at
from mps_bill.profiles.profile import Profile
from mps_bill.profiles.xml_documents import read_xml


def form_of(source: UsageSource) -> Literal["csv", "json", "xml"]:
    """What a file is by its first character; no header of CSV starts as JSON or XML does.

    Raises:
        InputRejected: the file is empty.
    """
    with source.open() as stream:
        start = stream.read(1024)
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise rejected(source, usage_kinds.EMPTY_FILE, "the file is empty")
    return "json" if start[:1] in (b"{", b"[") else "xml" if start[:1] == b"<" else "csv"


def documents_of(source: UsageSource, form: str) -> Iterator[Document]:
    """The documents of a file of JSON or XML.

    Raises:
        InputRejected: it is not valid; all that precedes has been read.
    """
    with rejecting(source, form), source.open() as binary:
        if form == "xml":
            yield from read_xml(read_whole(binary, MAX_BYTES_OF_DATA).removeprefix(codecs.BOM_UTF8))
        else:
            with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as stream:
                yield from read_documents(stream)


def answers_of(document: Document, profile: Profile) -> Iterator[Answer]:
    """The answers in a document as the profile reads them, and the records that stand by themselves.

    Raises:
        JsonError: a text in a wrapper is not valid JSON.
    """
    assert profile.records is not None
    return read_answers(
        document, profile.records, lambda value: lists(profile, value), lambda value: knows(profile, value)
    )


def knows(profile: Profile, members: Mapping[str, Any]) -> bool:
    """Whether an object has the fields that a record of the profile is known by."""
    return bool(profile.known_by) and all(is_there(value_at(members, path.steps)) for path in profile.known_by)


def lists(profile: Profile, members: Mapping[str, Any]) -> bool:
    """Whether an object is an answer that the profile knows beside those with records."""
    known = [one.field for one in profile.refuse if one.where is None or is_there(value_at(members, one.where.steps))]
    known += [profile.listing] if profile.listing else []
    return any(value_at(members, path.steps) is not None for path in known)


@contextmanager
def rejecting(source: UsageSource, form: str) -> Iterator[None]:
    """Turns what is wrong with the form of a file into its rejection."""
    try:
        yield
    except JsonError as error:
        kind = kinds.BAD_XML if form == "xml" else kinds.BAD_JSON
        raise rejected(source, kind, error.message, error.line, error.column) from None
    except UnicodeDecodeError as error:
        message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise rejected(source, kinds.NOT_UTF8, message) from None


def rejected(source: UsageSource, kind: Kind, message: str, line: int = 0, column: int = 0) -> InputRejected:
    """The rejection of a file for one reason."""
    return InputRejected([Problem(Place(source.name, line, column), kind, message)])
