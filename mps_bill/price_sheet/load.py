"""Loading price sheets from files. This is the one place of the room that reads them."""

from __future__ import annotations

from collections.abc import Sequence

from mps_bill.core.diagnostics import Place, Problem, in_order
from mps_bill.core.yaml_tree import decode
from mps_bill.price_sheet import kinds
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.find import SheetFile, find_sheets
from mps_bill.price_sheet.gather import gather
from mps_bill.price_sheet.model import PriceSheet
from mps_bill.price_sheet.sheet import SheetDraft, read_draft, read_sheet

__all__ = ["load_price_book", "load_sheet", "read_sheet"]


def load_price_book(paths: Sequence[str]) -> tuple[PriceBook | None, tuple[Problem, ...]]:
    """The book of all sheets that `paths` name (files, folders, ids of shipped sheets).

    None where there is any problem; the problems of all files and of the sheets together come at once, by place.
    """
    files, problems = find_sheets(paths)
    found = list(problems)
    drafts: list[SheetDraft] = []
    for file in files:
        draft, sheet_problems = _load_draft(file)
        found += sheet_problems
        if draft:
            drafts.append(draft)
    book, book_problems = gather(drafts)
    found += book_problems
    return (None if found else book), in_order(found)


def load_sheet(path: str) -> tuple[PriceSheet | None, tuple[Problem, ...]]:
    """The one sheet that `path` names (a file, or the id of a shipped sheet), or None and every problem with it."""
    files, problems = find_sheets([path])
    if problems:
        return None, problems
    if len(files) > 1:
        message = f"the folder holds {len(files)} price sheets; name one of them"
        return None, (Problem(Place(path), kinds.NO_SUCH_SHEET, message),)
    draft, found = _load_draft(files[0])
    return (draft.sheet if draft and not found else None), found


def _load_draft(file: SheetFile) -> tuple[SheetDraft | None, tuple[Problem, ...]]:
    try:
        data = file.path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        return None, (Problem(Place(file.name), kinds.UNREADABLE_FILE, message),)
    text, problems = decode(data, file.name)
    return (None, problems) if text is None else read_draft(text, file.name)
