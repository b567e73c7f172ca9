"""YAML text as a tree of nodes with places, read from the parser's events and never through YAML's types.

A scalar is its text: `012`, `1e-3`, `no` and `11:30` remain as typed. Constructs that make a document mean something other
than it shows (anchors, aliases, tags, merge keys, repeated keys, hidden characters) are refused, with their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mps_bill.core.diagnostics import Kind, Place, Problem, printable, quoted

DUPLICATE_KEY = Kind("P101", "duplicate-key")
NOT_UTF8 = Kind("P102", "not-utf-8")
HIDDEN_CHARACTER = Kind("P103", "hidden-character")
TAB = Kind("P104", "tab")
SYNTAX = Kind("P105", "yaml-syntax")
EMPTY_DOCUMENT = Kind("P106", "empty-document")
SEVERAL_DOCUMENTS = Kind("P107", "several-documents")
NOT_A_MAPPING = Kind("P108", "not-a-mapping")
COMPLEX_KEY = Kind("P109", "complex-key")
MERGE_KEY = Kind("P110", "merge-key")
ANCHOR = Kind("P111", "anchor")
ALIAS = Kind("P112", "alias")
TAG = Kind("P113", "tag")
TOO_DEEP = Kind("P114", "too-deep")

#: No document of the program nests deeper than eight levels; the limit keeps hostile input cheap.
MAX_LEVELS = 32

#: Control characters, line breaks that editors do not show, marks that reorder text on a screen, and non-characters.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value: its text as typed, without quotes and escapes. A missing value is unquoted and empty.

    The `end` of every node is the position just after it (and its quotes or brackets) in the text of the document without a
    byte order mark.
    """

    text: str
    quoted: bool
    place: Place
    end: int


@dataclass(frozen=True, slots=True)
class MapEntry:
    """A key of a mapping, and its value."""

    key: ScalarNode
    value: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """Keys and values in the order of the file, each key once. `whole` is False if a bad key was left out."""

    entries: tuple[MapEntry, ...]
    place: Place
    whole: bool
    end: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """The parts of a list in the order of the file."""

    parts: tuple[Node, ...]
    place: Place
    end: int


@dataclass(frozen=True, slots=True)
class BrokenNode:
    """A value that could not be read; its problem has been reported."""

    place: Place
    end: int


Node = ScalarNode | MapNode | ListNode | BrokenNode


def decode(data: bytes, file: str) -> tuple[str | None, tuple[Problem, ...]]:
    """Return the text of a UTF-8 file, or None and a problem at the first bad byte."""
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        place = Place(file, len(lines), len(lines[-1].removeprefix("\ufeff")) + 1)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        return None, (Problem(place, NOT_UTF8, message),)


def defined_at(first: Place) -> str:
    return f"first defined at line {first.line}, column {first.column}"


def lines_of(text: str) -> list[str]:
    """Return the lines of a document as places count them; other separators in the text do not end a line."""
    return _LINE_END.split(text)


def read_tree(text: str, file: str) -> tuple[MapNode | None, tuple[Problem, ...]]:
    """Read a YAML document that is a mapping, and return it with everything that is wrong with its form.

    The tree is returned along with problems as long as it can be trusted, so that its contents are checked in the same run;
    None if it cannot be (a syntax error, not a mapping).
    """
    text = text.removeprefix("\ufeff")
    problems, text, trusted = _check_characters(text, file)
    if not trusted:
        return None, tuple(problems)
    builder = _Builder(file, problems)
    root = builder.document(_events(text, file, problems))
    if root is None or isinstance(root, MapNode):
        return root, tuple(problems)
    if not isinstance(root, BrokenNode):
        problems.append(Problem(root.place, NOT_A_MAPPING, "the document must be a mapping, lines of `key: value`"))
    return None, tuple(problems)


def _check_characters(text: str, file: str) -> tuple[list[Problem], str, bool]:
    """Return the first refused character of each line, the text with blanks instead, and whether its indentation is reliable."""
    problems: list[Problem] = []
    trusted = True
    if not _REFUSED.search(text.replace("\n", "").replace("\r", "")):
        return problems, text, trusted
    lines: list[str] = []
    for number, match in enumerate(_LINE.finditer(text), 1):
        line, end = match.groups()
        if found := _REFUSED.search(line):
            trusted = trusted and bool(line[: found.start()].strip())
            problems.append(_refused(found.group(), Place(file, number, found.start() + 1)))
            line = _REFUSED.sub(" ", line)
        lines.append(line + end)
    return problems, "".join(lines), trusted


def _refused(char: str, place: Place) -> Problem:
    if char == "\t":
        return Problem(place, TAB, "tab character; use spaces")
    return Problem(place, HIDDEN_CHARACTER, f"the character U+{ord(char):04X} does not show on a screen; remove it")


def _events(text: str, file: str, problems: list[Problem]) -> Iterator[Any]:
    """Yield the parser's events. The first syntax error is added to `problems`, and None ends the events."""
    import yaml

    try:
        yield from yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The C parser says less about an error. Messages of the Python parser do not depend on what is installed.
        problem = _python_problem(text, file) or _syntax_problem(error, file)
        # On a line with a refused character, the blank that replaced it may be the only cause.
        if all(known.place.line != problem.place.line for known in problems if known.kind in (TAB, HIDDEN_CHARACTER)):
            problems.append(problem)
        yield None


def _python_problem(text: str, file: str) -> Problem | None:
    """Return the Python parser's problem. Its time grows with the square of the depth, so it stops at the maximum depth."""
    import yaml

    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_LEVELS:
                return _too_deep(file, event)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        return _syntax_problem(error, file)
    return None


def _too_deep(file: str, event: Any) -> Problem:
    mark = event.start_mark
    return Problem(Place(file, mark.line + 1, mark.column + 1), TOO_DEEP, f"nested deeper than {MAX_LEVELS} levels")


_REMEDIES = (
    ("mapping values are not allowed", 'check the indentation, and put text that holds ": " in quotes'),
    ("cannot start any token", "put the value in quotes"),
    ("expected ',' or", "a bracket is not closed, or a comma is missing"),
    ("<block end>", "the line is not indented like the lines around it"),
    ("could not find expected ':'", "the line needs `key: value`"),
    ("end of stream", "the quote is not closed"),
    ("document start", "a document has one block of lines; remove `...` and what follows"),
)


def _syntax_problem(error: Exception, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    opened = getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or str(error)
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    message = f"this cannot be read as YAML: {printable(reason)}"
    if opened and mark and (opened.line, opened.column) != (mark.line, mark.column):
        message += f", in the value that begins at line {opened.line + 1}, column {opened.column + 1}"
    remedy = next((remedy for sign, remedy in _REMEDIES if sign in reason), "")
    return Problem(place, SYNTAX, f"{message}; {remedy}" if remedy else message)


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been reached. `nodes` of a mapping are keys and values in turn."""

    place: Place
    is_map: bool
    in_brackets: bool
    nodes: list[Node]
    seen: dict[str, Place]
    whole: bool = True


class _Builder:
    """Builds nodes from events with its own stack, so that deep input never makes deep Python calls."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        self.stack: list[_Open] = []
        self.root: Node | None = None

    def document(self, events: Iterator[Any]) -> Node | None:
        """Return the root node of the first document; None if there is none or it is incomplete."""
        documents = 0
        for event in events:
            if event is None:
                return None
            name = type(event).__name__
            # Most events are scalars, so they take few calls.
            if name == "ScalarEvent":
                self._add(self._scalar(event))
            elif name in ("MappingStartEvent", "SequenceStartEvent"):
                if len(self.stack) == MAX_LEVELS:
                    self.problems.append(_too_deep(self.file, event))
                    return None
                self._check_properties(event)
                is_map = name == "MappingStartEvent"
                self.stack.append(_Open(self._place(event), is_map, bool(event.flow_style), [], {}))
            elif name in ("MappingEndEvent", "SequenceEndEvent"):
                self._add(_closed(self.stack.pop(), event))
            elif name == "AliasEvent":
                self._report(event, ALIAS, f"*{printable(event.anchor)} is an alias; write the value out")
                self._add(BrokenNode(self._place(event), event.end_mark.index))
            elif name == "DocumentStartEvent":
                documents += 1
                if documents == 2:
                    self._report(event, SEVERAL_DOCUMENTS, "a second document begins; put it in a file of its own")
                    return self.root
        if not documents:
            self.problems.append(Problem(Place(self.file), EMPTY_DOCUMENT, "the document is empty"))
        return self.root

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _report(self, event: Any, kind: Kind, message: str) -> None:
        self.problems.append(Problem(self._place(event), kind, message))

    def _scalar(self, event: Any) -> ScalarNode:
        if event.anchor or event.tag:
            self._check_properties(event)
        text = event.value
        # Only double quotes can contain an escaped character, and only block text contains line breaks.
        if event.style == '"' and (found := _REFUSED.search(text)):
            self._report(
                event, HIDDEN_CHARACTER, f"this escape is the invisible character U+{ord(found.group()):04X}; remove it"
            )
        return ScalarNode(text, bool(event.style), self._place(event), event.end_mark.index)

    def _check_properties(self, event: Any) -> None:
        if event.anchor:
            self._report(event, ANCHOR, f"&{printable(event.anchor)} is an anchor; remove it and write values out")
        if event.tag:
            self._report(event, TAG, f"{quoted(event.tag)} is a tag; remove it, values are read as they are written")

    def _add(self, node: Node) -> None:
        """Add `node` to the open mapping or list, as a key, value or part."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        is_key = top.is_map and len(top.nodes) % 2 == 0
        top.nodes.append(self._key(top, node) if is_key else node)

    def _key(self, top: _Open, node: Node) -> Node:
        """Return the key; a broken node if it is refused."""
        if isinstance(node, ScalarNode) and (node.quoted or node.text != "<<"):
            first = top.seen.setdefault(node.text, node.place)
            if first is node.place:
                return node
            message = f"duplicate key {quoted(node.text)}; {defined_at(first)}"
            self.problems.append(Problem(node.place, DUPLICATE_KEY, message))
        else:
            top.whole = False
            if isinstance(node, ScalarNode):
                self.problems.append(Problem(node.place, MERGE_KEY, "`<<` merges mappings; write the keys out instead"))
            elif not isinstance(node, BrokenNode):
                self.problems.append(Problem(node.place, COMPLEX_KEY, "a key must be a single value, not a collection"))
        return BrokenNode(node.place, node.end)


def _closed(top: _Open, event: Any) -> Node:
    """Return the closed mapping or list. Without brackets it ends with its last part, before any comments."""
    end = top.nodes[-1].end if top.nodes and not top.in_brackets else event.end_mark.index
    if not top.is_map:
        return ListNode(tuple(top.nodes), top.place, end)
    pairs = zip(top.nodes[::2], top.nodes[1::2], strict=True)
    entries = tuple(MapEntry(key, value) for key, value in pairs if isinstance(key, ScalarNode))
    return MapNode(entries, top.place, top.whole, end)
