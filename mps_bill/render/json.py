"""A document as indented JSON in UTF-8, written at once or with a long list whose members are written as they come.

Amounts, quantities and times are values in a document, and become text as in CSV."""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring as quoted
from typing import IO, Any

from mps_bill.render.cells import as_data

#: The beginning of a line with a member of a document, and with a member of one of its lists.
_MEMBER, _LISTED = "\n  ", "\n    "


def write(document: dict[str, Any], stream: IO[str]) -> None:
    """Write the document with a final line end."""
    _write_members("{", document, stream)
    stream.write("\n}\n")


def begin(head: dict[str, Any], key: str, stream: IO[str]) -> None:
    """Begin a document with `head` and, under `key`, a list of documents."""
    _write_members("{", head, stream)
    stream.write(f",{_MEMBER}{quoted(key)}: [")


def add(document: dict[str, Any], stream: IO[str], *, first: bool) -> None:
    """Add a document to the list."""
    stream.write(("" if first else ",") + _LISTED + _text(document, _LISTED))


def end(tail: dict[str, Any], stream: IO[str], *, empty: bool) -> None:
    """End the list and, with `tail`, the document."""
    stream.write("]" if empty else f"{_MEMBER}]")
    _write_members(",", tail, stream)
    stream.write("\n}\n")


def _write_members(start: str, members: Mapping[str, Any], stream: IO[str]) -> None:
    """Write members of a document. Lists can be long, so their members are written one by one."""
    for key, value in members.items():
        stream.write(f"{start}{_MEMBER}{quoted(key)}: ")
        if isinstance(value, list) and value:
            for number, one in enumerate(value):
                stream.write(("," if number else "[") + _LISTED + _text(one, _LISTED))
            stream.write(f"{_MEMBER}]")
        else:
            stream.write(_text(value, _MEMBER))
        start = ","


def _text(value: Any, line: str) -> str:
    """Return a value as JSON; `line` is a line end with the value's indentation."""
    if isinstance(value, str):
        return quoted(value)
    deeper = line + "  "
    if isinstance(value, dict):
        members = [f"{deeper}{quoted(key)}: {_text(member, deeper)}" for key, member in value.items()]
        return f"{{{','.join(members)}{line}}}" if members else "{}"
    if isinstance(value, list | tuple):
        members = [deeper + _text(member, deeper) for member in value]
        return f"[{','.join(members)}{line}]" if members else "[]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else quoted(as_data(value))
