"""XML answers as the JSON documents that say the same, with the places of the XML.

An element with elements in it is an object, elements of one name are a list, and an element with text is the text. Nothing
else is taken from XML: no document type and so no entity, and no text beside elements. Attributes are not read: of the
provider's, `list="true"` says only what the elements show.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NoReturn
from xml.parsers import expat

from mps_bill.core.diagnostics import printable, quoted
from mps_bill.profiles.json_records import Document, JsonError, decode

_MAX_DEPTH = 100


@dataclass(slots=True)
class _Element:
    """An element that is open: where it stands, and what is in it so far."""

    name: str
    line: int
    column: int
    start: int
    end: int = 0
    text: str = ""
    children: list[_Element] = field(default_factory=list)


#: Where a value starts in the JSON, and the elements that it is made of, from the first to the last.
_Mark = tuple[int, _Element, _Element]


@dataclass(frozen=True, slots=True)
class XmlDocument(Document):
    """A document of JSON that was made from XML."""

    marks: list[_Mark]
    xml: bytes

    def _mark(self, at: int) -> _Mark:
        return self.marks[max(0, bisect_right(self.marks, at, key=itemgetter(0)) - 1)]

    def position(self, at: int, earlier: tuple[int, int] | None = None) -> tuple[int, int]:  # noqa: ARG002
        _, first, _ = self._mark(at)
        return first.line, first.column

    def line_of(self, at: int, earlier: tuple[int, int]) -> int:  # noqa: ARG002 (an element knows its line)
        return self.position(at)[0]

    def written(self, start: int, end: int) -> bytes:  # noqa: ARG002 (an element knows its end)
        _, first, last = self._mark(start)
        return self.xml[first.start : last.end]


def read_xml(data: bytes) -> Iterator[Document]:
    """The XML documents of a file, one or several one behind another.

    Raises:
        JsonError: it is not well-formed XML in UTF-8, has a document type, or is nested too deeply; with the place.
    """
    start, line = 0, 1
    while data[start:].strip():
        skipped = len(data[start:]) - len(data[start:].lstrip())
        line += data.count(b"\n", start, start + skipped)
        start += skipped
        column = start - (data.rfind(b"\n", 0, start) + 1)
        root, end = _parsed(data[start:], line, column)
        marks: list[_Mark] = []
        pieces: list[str] = []
        _write(root, pieces, marks, 0)
        text = "".join(pieces)
        yield XmlDocument(text, root.line, root.column, decode(text, 0)[0], marks, data[start : start + end])
        line += data.count(b"\n", start, start + end)
        start += end


def _parsed(data: bytes, first_line: int, first_column: int) -> tuple[_Element, int]:
    """The root of the first document in the data, and where it ends; the places are those of the file."""
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    open_: list[_Element] = []
    closed: list[_Element] = []

    def place() -> tuple[int, int]:
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        return first_line + line - 1, column + (first_column if line == 1 else 0)

    def refuse(message: str) -> NoReturn:
        raise JsonError(*place(), message)

    def start(name: str, _: dict[str, str]) -> None:
        if len(open_) == _MAX_DEPTH:
            refuse("the document is nested too deeply")
        element = _Element(name, *place(), parser.CurrentByteIndex)
        if open_:
            open_[-1].children.append(element)
        open_.append(element)

    def end(name: str) -> None:
        element = open_.pop()
        if element.children and element.text.strip():
            refuse(f"the element {quoted(name)} has both text and elements; it is not clear which of them is the value")
        # Of an empty element the parser is behind its only tag, of others before the end tag.
        at = parser.CurrentByteIndex
        element.end = data.index(b">", at) + 1 if data.startswith(b"</", at) else at
        if not open_:
            closed.append(element)

    def text(content: str) -> None:
        if open_:
            open_[-1].text += content

    def document_type(*_: object) -> None:
        refuse("the document has a document type (DOCTYPE), which is not read; no answer of the provider has one")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, document_type
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        # What follows the first document is the next one, or refused as such.
        if not closed:
            line, column = first_line + error.lineno - 1, error.offset + 1 + (first_column if error.lineno == 1 else 0)
            message = f"this is not valid XML: {printable(expat.ErrorString(error.code))}"
            raise JsonError(line, column, message) from None
    (root,) = closed
    return root, root.end


def _write(element: _Element, pieces: list[str], marks: list[_Mark], at: int) -> int:
    """Writes the value of an element as JSON from the character `at` on, and returns where it ends."""

    def write(piece: str) -> None:
        nonlocal at
        pieces.append(piece)
        at += len(piece)

    marks.append((at, element, element))
    if not element.children:
        write(json.dumps(element.text, ensure_ascii=False))
        return at
    named: dict[str, list[_Element]] = {}
    for child in element.children:
        named.setdefault(child.name, []).append(child)
    for number, (name, children) in enumerate(named.items()):
        write(("," if number else "{") + json.dumps(name, ensure_ascii=False) + ":")
        if len(children) == 1:
            at = _write(children[0], pieces, marks, at)
            continue
        marks.append((at, children[0], children[-1]))
        for place, child in enumerate(children):
            write("," if place else "[")
            at = _write(child, pieces, marks, at)
        write("]")
    write("}")
    return at
