"""Finding and reading pack files: files, and those that come with the program, by id. The one place here that reads them."""

from __future__ import annotations

from pathlib import Path

from mps_bill.ask.advise import pack_problems as kinds
from mps_bill.ask.advise.pack_definition import DOCUMENT
from mps_bill.ask.advise.packs import PackList
from mps_bill.ask.advise.read_packs import packs_of
from mps_bill.core.diagnostics import Place, Problem, near_miss, one_of, printable, quoted
from mps_bill.core.files import near_file, shipped_folder
from mps_bill.documents.read_document import read_document
from mps_bill.price_sheet.book import PriceBook

#: Below the folder of the shipped price sheets, where nothing takes these files for sheets.
_FOLDER = "packs"


def shipped_packs() -> dict[str, Path]:
    """Id to file of every list of packs that comes with the program, by id."""
    folder = shipped_folder("pricing")
    return dict(sorted((path.stem, path) for path in (folder / _FOLDER).glob("*.yaml"))) if folder else {}


def load_packs(name: str, book: PriceBook) -> tuple[PackList | None, tuple[Problem, ...]]:
    """The packs in the file `name`, or in the shipped one of that id; or None and every problem with it."""
    shipped = shipped_packs()
    path, shown = Path(name), printable(name)
    if name in shipped and not path.is_file():
        path, shown = shipped[name], f"pricing/{_FOLDER}/{name}.yaml"
    if not path.exists():
        hint = near_miss(name, shipped, priced=False) or near_file(path) or f"; shipped: {one_of(tuple(shipped))}"
        message = f"{quoted(name)} is not a file or a shipped list of packs{hint}"
        return None, (Problem(Place("--packs"), kinds.NO_SUCH_PACKS, message),)
    return packs_of(read_document(DOCUMENT, path, shown), book)
