"""Foreign files before a profile reads them: their form (CSV, JSON or XML), and the documents and answers in them."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem, printable
from mps_bill.core.files import MAX_BYTES_OF_DATA, read_whole
from mps_bill.metering import usage_problems as usage_kinds
from mps_bill.metering.sources import UsageSource
from mps_bill.profiles import profile_problems as kinds
from mps_bill.profiles.json_documents import Document, JsonError, read_documents
from mps_bill.profiles.json_records import Answer, Obstacle, is_there, read_answers, value_at
from mps_bill.profiles.profile_model import EACH, Profile
from mps_bill.profiles.xml_documents import read_xml

_PASSING = re.compile(r"Throttling|ServiceUnavailable|SystemBusy|InternalError", re.IGNORECASE)
#: The headings and keys of the amounts on a bill.
_BILL = re.compile("应付金额|pretax ?(gross ?)?amount", re.IGNORECASE)
NO_USAGE = "this is a bill of the provider, not usage; give it to reconcile with --bill"
WEB_PAGE = "this is a web page, perhaps a login page"


def form_of(source: UsageSource) -> Literal["csv", "json", "xml"]:
    """The form of a file, by its first character; no CSV header starts like JSON or XML.

    Raises:
        InputRejected: the file is empty.
    """
    with source.open() as stream:
        start = stream.read(1024)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in start[:4]:
        raise rejected(source, kinds.NOT_UTF8, "the file is UTF-16, and must be UTF-8; save it as UTF-8")
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise rejected(source, usage_kinds.EMPTY_FILE, "the file is empty")
    if start[:1] == b"<" and b"html" in start[:200].lower():
        raise rejected(source, usage_kinds.UNREADABLE_FILE, f"{WEB_PAGE}; fetch the answer again")
    return "json" if start[:1] in (b"{", b"[") else "xml" if start[:1] == b"<" else "csv"


def documents_of(source: UsageSource, form: str) -> Iterator[Document]:
    """The documents of a JSON or XML file.

    Raises:
        InputRejected: a document is not valid; all documents before it have been yielded.
    """
    with rejecting(source, form), source.open() as binary:
        if form == "xml":
            yield from read_xml(read_whole(binary, MAX_BYTES_OF_DATA).removeprefix(codecs.BOM_UTF8))
        else:
            with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as stream:
                yield from read_documents(stream)


def answers_of(document: Document, profile: Profile) -> Iterator[Answer]:
    """The answers in a document as the profile reads them, and single records.

    Raises:
        JsonError: a text in a wrapper is not valid JSON.
    """
    assert profile.records is not None
    return read_answers(
        document, profile.records, lambda value: lists(profile, value), lambda value: knows(profile, value)
    )


def request_of(document: Document) -> Any:
    """The request that is stored with an answer; None if there is none."""
    return value_at(document.value, ("Request",)) if isinstance(document.value, dict) else None


def action_of(document: Document) -> str:
    """The action of the request that is stored with an answer; empty if there is none."""
    action = value_at(request_of(document), ("Action",))
    return action if isinstance(action, str) else ""


def error_in(value: Any, depth: int) -> str:
    """The provider's code and message if the value is an error or contains one, down to a depth; else empty."""
    if isinstance(value, dict):
        code, message = (value_at(value, (key,)) for key in ("Code", "Message"))
        if isinstance(code, str) and isinstance(message, str) and code and message:
            return f"{printable(code)}: {printable(message)}"
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next(filter(None, (error_in(member, depth - 1) for member in members if depth)), "")


def is_bill(text: str) -> bool:
    """Whether a text, the beginning of a file, has a heading that only the provider's bills have."""
    return _BILL.search(text) is not None


def is_passing(code: str) -> bool:
    """Whether an error of the provider may be gone when the request is repeated."""
    return _PASSING.match(code) is not None


def knows(profile: Profile, members: Mapping[str, Any]) -> bool:
    """Whether an object has the fields that identify a record of the profile."""
    return bool(profile.known_by) and all(is_there(value_at(members, path.steps)) for path in profile.known_by)


def begins(profile: Profile, members: Mapping[str, Any]) -> bool:
    """Whether an object is an answer for records of the profile, even if it has none."""
    steps = [step for step in profile.records or () if step != EACH]
    return len(steps) > 1 and value_at(members, steps) is not None


def lists(profile: Profile, members: Mapping[str, Any]) -> bool:
    """Whether an object is an answer that the profile knows in addition to those with records."""
    known = [one.field for one in profile.refuse if one.where is None or is_there(value_at(members, one.where.steps))]
    known += [profile.listing] if profile.listing else []
    found = (value_at(members, path.steps) for path in known)
    return any(value is not None and not isinstance(value, Obstacle) for value in found)


@contextmanager
def rejecting(source: UsageSource, form: str) -> Iterator[None]:
    """Turn an error in the form of a file into the rejection of the file."""
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
