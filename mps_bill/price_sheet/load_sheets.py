"""Loading price sheets from files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from mps_bill.core.diagnostics import Problem, in_order
from mps_bill.core.files import MAX_BYTES, read_whole
from mps_bill.documents.read_document import read_document, read_text
from mps_bill.documents.yaml_tree import decode
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.find import SheetFile, find_sheets
from mps_bill.price_sheet.gather import gather
from mps_bill.price_sheet.sheet import SheetDraft, parts_of
from mps_bill.price_sheet.sheet_definition import DOCUMENT
from mps_bill.price_sheet.sheet_parts import SheetParts


@dataclass(frozen=True, slots=True)
class LoadedSheet:
    """A sheet file: its text (None if it cannot be read), the draft and readable parts of the sheet, and the problems."""

    name: str
    text: str | None
    draft: SheetDraft | None
    parts: SheetParts | None
    problems: tuple[Problem, ...]


def load_sheets(
    paths: Sequence[str], *, subfolders: bool = False
) -> tuple[tuple[LoadedSheet, ...], tuple[Problem, ...]]:
    """Load every sheet that `paths` name (files, folders, globs, ids of shipped sheets), each by itself, and return a problem for
    each path that names none. `subfolders` as in `find_sheets`."""
    files, problems = find_sheets(paths, subfolders=subfolders)
    return tuple(load_file(file) for file in files), problems


def load_price_book(paths: Sequence[str]) -> tuple[PriceBook | None, tuple[Problem, ...]]:
    """Load the price book of all sheets that `paths` name; None if there is any problem.

    The problems of all files and of the sheets together are returned at once, in order of place.
    """
    sheets, problems = load_sheets(paths)
    book, book_problems = gather([sheet.draft for sheet in sheets if sheet.draft])
    found = [*problems, *(problem for sheet in sheets for problem in sheet.problems), *book_problems]
    return (None if found else book), in_order(found)


def load_stream() -> LoadedSheet:
    """Load the sheet on standard input."""
    name = "<stdin>"
    text, problems = decode(read_whole(sys.stdin.buffer, MAX_BYTES), name)
    return LoadedSheet(name, None, None, None, problems) if text is None else load_text(text, name)


def load_text(text: str, name: str) -> LoadedSheet:
    """Load a sheet from its text; `name` is its name in messages."""
    return LoadedSheet(name, text, *parts_of(read_text(DOCUMENT, text, name)))


def load_file(file: SheetFile) -> LoadedSheet:
    """Load a single sheet file."""
    document = read_document(DOCUMENT, file.path, file.name)
    return LoadedSheet(file.name, document.text, *parts_of(document))
