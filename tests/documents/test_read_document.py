"""Another document is refused with one message; a typo in the format is not."""

from __future__ import annotations

import pytest

from mps_bill.documents.read_document import read_text
from mps_bill.price_sheet.sheet_definition import DOCUMENT


@pytest.mark.parametrize(
    ("format_", "problems"),
    [
        ("price-cases/1", 1),
        ("account/1", 1),
        # Another version of a price sheet may have other keys.
        ("price-sheet/2", 1),
        # A typo in the name: the other mistakes of the sheet are reported, too.
        ("price-shet/1", 7),
        ("Price-sheet/1", 7),
    ],
)
def test_another_document_is_one_problem(format_: str, problems: int) -> None:
    found = read_text(DOCUMENT, f"format: mps-bill/{format_}\nid: x\n", "f").problems
    assert len(found) == problems
    said = (f'unknown format "mps-bill/{format_}"', f'"mps-bill/{format_}" is not a price sheet')
    assert any(problem.message.startswith(said) for problem in found)
