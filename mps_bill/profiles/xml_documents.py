"""XML answers as equivalent JSON documents, with the places of the XML.

An element with child elements becomes an object, elements of the same name become a list, and an element with text becomes the
text. Nothing else of XML is accepted: no document type, and so no entities, and no text next to elements. Attributes are not
read: the provider's only attribute, `list="true"`, repeats what the elements show.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from xml.parsers import expat

from mps_bill.core.diagnostics import printable, quoted
from mps_bill.profiles.json_documents import Document, JsonError, decode

_MAX_DEPTH = 100


@dataclass(slots=True)
class _Element:
    """An element: its place, and its contents so far."""

    name: str
    line: int
    column: int
    start: int
    end: int = 0
    text: str = ""
    children: list[_Element] = field(default_factory=list)


#: The start of a value in the JSON, and the first and the last element that it is made from.
_Mark = tuple[int, _Element, _Element]


@dataclass(frozen=True, slots=True)
class XmlDocument(Document):
    """A JSON document that was made from XML."""

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
    """The XML documents of a file: one, or several one after the other.

    Raises:
        JsonError: it is not well-formed XML in UTF-8, has a document type, or is nested too deeply; the error has the place.
    """
    start, line = 0, 1
    while data[start:].strip():
        skipped = len(data[start:]) - len(data[start:].lstrip())
        line += data.count(b"\n", start, start + skipped)
        start += skipped
        column = start - (data.rfind(b"\n", 0, start) + 1)
        root = _Parser(data[start:], line, column).root()
        marks: list[_Mark] = []
        pieces: list[str] = []
        _write(root, pieces, marks, 0)
        text = "".join(pieces)
        yield XmlDocument(text, root.line, root.column, decode(text, 0)[0], marks, data[start : start + root.end])
        line += data.count(b"\n", start, start + root.end)
        start += root.end


class _Parser:
    """Reads the first document in the data, which begins at this line and column of the file."""

    def __init__(self, data: bytes, line: int, column: int) -> None:
        self._data, self._line, self._column = data, line, column
        self._open: list[_Element] = []
        self._root: _Element | None = None
        self._expat = expat.ParserCreate("utf-8")
        self._expat.buffer_text = True
        self._expat.StartElementHandler, self._expat.EndElementHandler = self._start, self._end
        self._expat.CharacterDataHandler, self._expat.StartDoctypeDeclHandler = self._text, self._document_type

    def root(self) -> _Element:
        """The root of the document.

        Raises:
            JsonError: see `read_xml`.
        """
        try:
            self._expat.Parse(self._data, True)
        except expat.ExpatError as error:
            # What follows the first document is the next document, or is refused when it is read.
            if self._root is None:
                message = f"this is not valid XML: {printable(expat.ErrorString(error.code))}"
                raise JsonError(*self._place(error.lineno, error.offset), message) from None
        assert self._root is not None
        return self._root

    def _place(self, line: int, offset: int) -> tuple[int, int]:
        """The line and column in the file of a place in the data."""
        return self._line + line - 1, offset + 1 + (self._column if line == 1 else 0)

    def _here(self) -> tuple[int, int]:
        return self._place(self._expat.CurrentLineNumber, self._expat.CurrentColumnNumber)

    def _start(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) == _MAX_DEPTH:
            raise JsonError(*self._here(), "the document is nested too deeply")
        element = _Element(name, *self._here(), self._expat.CurrentByteIndex)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        if element.children and element.text.strip():
            message = (
                f"the element {quoted(name)} has both text and elements; it is not clear which of them is the value"
            )
            raise JsonError(*self._here(), message)
        # The parser is after the only tag of an empty element, and before the end tag of any other.
        at = self._expat.CurrentByteIndex
        element.end = self._data.index(b">", at) + 1 if self._data.startswith(b"</", at) else at
        if not self._open:
            self._root = element

    def _text(self, content: str) -> None:
        if self._open:
            self._open[-1].text += content

    def _document_type(self, *_: object) -> None:
        message = "the document has a document type (DOCTYPE), which is not read; no answer of the provider has one"
        raise JsonError(*self._here(), message)


def _write(element: _Element, pieces: list[str], marks: list[_Mark], at: int) -> int:
    """Write the value of an element as JSON, beginning at character `at`, and return its end."""

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
