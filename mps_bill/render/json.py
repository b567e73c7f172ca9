"""A document as indented JSON in UTF-8; whole, or with a long list that is written as its members come."""

from __future__ import annotations

import json
from textwrap import indent
from typing import IO, Any


def write(document: dict[str, Any], stream: IO[str]) -> None:
    """Writes the document, ending in a line end."""
    json.dump(document, stream, ensure_ascii=False, indent=2)
    stream.write("\n")


def begin(head: dict[str, Any], key: str, stream: IO[str]) -> None:
    """Begins a document with `head` and, under `key`, a list of documents."""
    stream.write(json.dumps({**head, key: []}, ensure_ascii=False, indent=2).removesuffix("]\n}"))


def add(document: dict[str, Any], stream: IO[str], *, first: bool) -> None:
    """Adds a document to the list."""
    # A line end inside a text is escaped in JSON, so every line here begins between two tokens.
    shown = indent(json.dumps(document, ensure_ascii=False, indent=2), "    ")
    stream.write(("\n" if first else ",\n") + shown)


def end(tail: dict[str, Any], stream: IO[str], *, empty: bool) -> None:
    """Ends the list and, with `tail`, the document."""
    closing = json.dumps(tail, ensure_ascii=False, indent=2).removeprefix("{")
    stream.write(("]" if empty else "\n  ]") + "," + closing + "\n")
