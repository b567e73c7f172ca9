"""The shipped sheets that a sheet is laid beside, where it has items of theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mps_bill.core.files import read_file
from mps_bill.price_sheet.checks.spelling import nearest
from mps_bill.price_sheet.find import SheetFile, shipped_sheets
from mps_bill.price_sheet.load_sheets import LoadedSheet, load_file
from mps_bill.price_sheet.sheet_model import PriceSheet

_ITEM = re.compile(r"^  ([a-z][a-z0-9_]*):$", re.MULTILINE)


def shipped_references(sheets: Sequence[LoadedSheet]) -> dict[str, tuple[PriceSheet, ...]]:
    """For each sheet by its name the shipped ones that have an item of its own, or one whose code is nearly that: those of its
    site first, which have its regions, then those of its currency; others only for what these lack. The shipped sheets themselves
    have none, and none that nobody needs is read."""
    texts = {_text(file): file for file in shipped_sheets().values()}
    read = {sheet.text: sheet.draft.sheet for sheet in sheets if sheet.draft and sheet.text in texts}
    found: dict[str, tuple[PriceSheet, ...]] = {}
    for sheet in sheets:
        if sheet.draft is None or sheet.text in texts:
            continue
        own = sheet.draft.sheet
        left, head = set(own.items), (f"\nsite: {own.site}\n", f"\ncurrency: {own.currency}\n")
        for text in sorted(texts, key=lambda text: [line not in text for line in head]):
            codes = _ITEM.findall(text)
            met = {code for code in left if code in codes or nearest(code, codes, letters_only=True)}
            if met:
                left -= met
                if text not in read and (draft := load_file(texts[text]).draft):
                    read[text] = draft.sheet
                found[sheet.name] = (*found.get(sheet.name, ()), read[text])
    return found


def _text(file: SheetFile) -> str:
    try:
        return read_file(file.path).decode()
    except OSError:
        return ""
