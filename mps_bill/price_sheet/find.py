"""Finding price sheets: files, folders, and the sheets that are shipped with the program, by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mps_bill.core.diagnostics import Place, Problem, near_miss, one_of, quoted
from mps_bill.price_sheet import kinds

_SUFFIXES = (".yaml", ".yml")
#: Usage cases that stand beside a sheet, which are no sheets.
_CASES = ".cases.yaml"


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file to read, and its name in messages: as given, or `pricing/ID.yaml` for a shipped one."""

    path: Path
    name: str


def shipped_sheets() -> dict[str, SheetFile]:
    """Id to file of every sheet that comes with the program, by id."""
    package = Path(__file__).parent.parent
    # Installed, the folder lies in the package; in a checkout, beside it.
    folder = next((path for path in (package / "pricing", package.parent / "pricing") if path.is_dir()), None)
    if folder is None:
        return {}
    return {path.stem: SheetFile(path, f"pricing/{path.name}") for path in _sheets_in(folder)}


def find_sheets(paths: Sequence[str]) -> tuple[tuple[SheetFile, ...], tuple[Problem, ...]]:
    """The sheets that `paths` name, in their order, each once, and a problem for each path that names none."""
    files: list[SheetFile] = []
    problems: list[Problem] = []
    shipped = shipped_sheets()
    for name in paths:
        path = Path(name)
        if not name:
            # An empty name would be the current folder; it is more likely a variable that is not set.
            problems.append(_unknown(name, shipped))
        elif path.is_dir():
            found = [SheetFile(file, str(file)) for file in _sheets_in(path)]
            if not found:
                message = f"the folder holds no price sheet, a file that ends in {one_of(_SUFFIXES)}"
                problems.append(Problem(Place(name), kinds.NO_SHEETS, message))
            files += found
        elif path.exists():
            files.append(SheetFile(path, name))
        elif name in shipped:
            files.append(shipped[name])
        else:
            problems.append(_unknown(name, shipped))
    if not paths:
        message = f"no price sheet is given; name a file, a folder or a shipped sheet: {one_of(tuple(shipped))}"
        problems.append(Problem(Place("--prices"), kinds.NO_SHEETS, message))
    unique = {file.path.resolve(): file for file in reversed(files)}
    return tuple(file for file in files if unique[file.path.resolve()] is file), tuple(problems)


def _sheets_in(folder: Path) -> list[Path]:
    files = (file for file in folder.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    return sorted(file for file in files if not file.name.endswith(_CASES))


def _unknown(name: str, shipped: dict[str, SheetFile]) -> Problem:
    hint = near_miss(name, shipped) or (f"; shipped: {one_of(tuple(shipped))}" if shipped else "")
    message = f"{quoted(name)} is no file, no folder and no shipped price sheet{hint}"
    return Problem(Place(name), kinds.NO_SUCH_SHEET, message)
