"""Finding price sheets: files, folders, globs, and the sheets that are shipped with the program, by id."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mps_bill.core.diagnostics import Place, Problem, near_miss, one_of, quoted
from mps_bill.core.files import near_file, read_file, shipped_folder
from mps_bill.price_sheet import sheet_problems as kinds

_SUFFIXES = (".yaml", ".yml")
_FORMAT = re.compile(rb"^format:[ ]*[\"']?([^\s\"'#]+)", re.MULTILINE)
#: Usage cases beside a sheet, which are not sheets themselves.
CASES_SUFFIX = ".cases.yaml"


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file to read, and its name in messages: as given, or `pricing/ID.yaml` for a shipped one."""

    path: Path
    name: str


def shipped_sheets() -> dict[str, SheetFile]:
    """Id to file of every sheet that comes with the program, by id."""
    folder = shipped_folder("pricing")
    if folder is None:
        return {}
    return {path.stem: SheetFile(path, f"pricing/{path.name}") for path in _sheets_in(folder)}


def find_cases(paths: Sequence[str]) -> tuple[tuple[tuple[SheetFile, SheetFile], ...], tuple[Problem, ...]]:
    """Each sheet that `paths` name and that has usage cases, with its cases; `paths` may also name the cases.

    A problem for each path that leads to no cases, and for cases that have no sheet beside them.
    """
    pairs: dict[Path, tuple[SheetFile, SheetFile]] = {}
    problems: list[Problem] = []
    for name in paths:
        if name.endswith(CASES_SUFFIX) and os.path.isfile(name):
            sheet = _sheet_of(Path(name))
            if sheet is None:
                problems.append(_orphaned(name))
            else:
                pairs[sheet.path.resolve()] = (sheet, SheetFile(Path(name), name))
            continue
        sheets, found = find_sheets([name], subfolders=True)
        orphans = orphaned_cases([name])
        problems += [*found, *orphans]
        with_cases = [(sheet, cases) for sheet in sheets if (cases := _cases_of(sheet))]
        if sheets and not with_cases and not orphans:
            message = "no usage cases found; the cases of NAME.yaml are expected beside it in NAME" + CASES_SUFFIX
            problems.append(Problem(Place(name), kinds.NO_CASES, message))
        pairs.update((sheet.path.resolve(), (sheet, cases)) for sheet, cases in with_cases)
    return tuple(pairs.values()), tuple(problems)


def orphaned_cases(paths: Sequence[str]) -> tuple[Problem, ...]:
    """A problem for each file of cases without its sheet, in the folders among `paths` and below them."""
    folders = [Path(name) for name in paths if name and os.path.isdir(name)]
    return tuple(_orphaned(str(file)) for folder in folders for file in _cases_below(folder) if not _sheet_of(file))


def _cases_below(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        # That is reported where its sheets are looked for.
        return
    yield from (file for file in entries if file.name.endswith(CASES_SUFFIX) and file.is_file())
    for below in entries:
        if _is_looked_into(below):
            yield from _cases_below(below)


def _orphaned(name: str) -> Problem:
    sheet = f"{Path(name).name.removesuffix(CASES_SUFFIX)}.yaml"
    message = f"{sheet}, the sheet of these cases, is not beside it"
    return Problem(Place(name), kinds.CASES_WITHOUT_SHEET, message)


def _cases_of(sheet: SheetFile) -> SheetFile | None:
    path = sheet.path.with_name(sheet.path.stem + CASES_SUFFIX)
    return SheetFile(path, str(Path(sheet.name).with_name(path.name))) if path.is_file() else None


def _sheet_of(cases: Path) -> SheetFile | None:
    stem = cases.name.removesuffix(CASES_SUFFIX)
    beside = (cases.with_name(stem + suffix) for suffix in _SUFFIXES)
    return next((SheetFile(path, str(path)) for path in beside if path.is_file()), None)


def find_sheets(paths: Sequence[str], *, subfolders: bool = False) -> tuple[tuple[SheetFile, ...], tuple[Problem, ...]]:
    """The sheets that `paths` name, in their order, each once, and a problem for each path that names none.

    With `subfolders`, a folder also names the sheets in the folders below it, but for hidden ones.
    """
    files: list[SheetFile] = []
    problems: list[Problem] = []
    shipped = shipped_sheets()
    for name in paths:
        path = Path(name)
        if not name:
            # An empty name would be the current folder; it is more likely a variable that is not set.
            problems.append(_unknown(name, shipped))
        elif os.path.isdir(name):
            try:
                in_folder = [*_sheets_in(path), *(_sheets_below(path) if subfolders else ())]
            except OSError as error:
                message = f"the folder cannot be read: {error.strerror}"
                problems.append(Problem(Place(str(error.filename)), kinds.UNREADABLE_FILE, message))
                continue
            found = [SheetFile(file, str(file)) for file in in_folder]
            if not found:
                message = f"the folder holds no price sheet, a file that ends in {one_of(_SUFFIXES)}"
                problems.append(Problem(Place(name), kinds.NO_SHEETS, message))
            files += found
        elif os.path.exists(name):
            files.append(SheetFile(path, name))
        elif name in shipped:
            files.append(shipped[name])
        elif glob.has_magic(name):
            matches = _matching(name)
            files += matches
            if not matches:
                problems.append(Problem(Place(name), kinds.NO_SHEETS, "no price sheet matches this pattern"))
        else:
            problems.append(_unknown(name, shipped))
    if not paths:
        message = f"no price sheet is given; name a file, a folder or a shipped sheet: {one_of(tuple(shipped))}"
        problems.append(Problem(Place("--prices"), kinds.NO_SHEETS, message))
    unique = {file.path.resolve(): file for file in reversed(files)}
    return tuple(file for file in files if unique[file.path.resolve()] is file), tuple(problems)


def _sheets_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if _is_sheet(file))


def _sheets_below(folder: Path) -> Iterator[Path]:
    """The sheets in the folders below. Other documents of the program (packs, accounts) that lie there are no sheets."""
    for below in sorted(filter(_is_looked_into, folder.iterdir())):
        yield from (file for file in _sheets_in(below) if not _is_other_document(file))
        yield from _sheets_below(below)


def _is_looked_into(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")


def _is_other_document(file: Path) -> bool:
    """Whether the file says that it is one. A file that cannot be read may be a sheet, and is reported as one."""
    from mps_bill.documents.read_document import is_other_format
    from mps_bill.price_sheet.sheet_definition import FORMAT_NAME

    try:
        match = _FORMAT.search(read_file(file))
    except OSError:
        return False
    return match is not None and is_other_format(match[1].decode("ascii", "replace"), FORMAT_NAME)


def _matching(pattern: str) -> list[SheetFile]:
    """The sheets that a glob names. A file that it names is taken whatever its name, except for usage cases."""
    names = sorted(glob.glob(pattern, recursive=True))
    return [SheetFile(Path(name), name) for name in names if os.path.isfile(name) and not name.endswith(CASES_SUFFIX)]


def _is_sheet(file: Path) -> bool:
    return file.suffix in _SUFFIXES and not file.name.endswith(CASES_SUFFIX) and file.is_file()


def _unknown(name: str, shipped: dict[str, SheetFile]) -> Problem:
    hint = (
        near_miss(name, shipped) or near_file(Path(name)) or (f"; shipped: {one_of(tuple(shipped))}" if shipped else "")
    )
    message = f"{quoted(name)} is not a file, a folder or a shipped price sheet{hint}"
    return Problem(Place(name), kinds.NO_SUCH_SHEET, message)
