"""Finding price sheets: files, folders, globs, and shipped sheets by id."""

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
#: Files of usage cases, which are not sheets themselves.
_CASES = re.compile(r".+\.cases\.(ya?ml|YA?ML)")


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file to read, and its name in messages: as given, or `pricing/ID.yaml` for a shipped sheet."""

    path: Path
    name: str


def shipped_sheets() -> dict[str, SheetFile]:
    """Return the file of every shipped sheet by its id, in order of ids."""
    folder = shipped_folder("pricing")
    if folder is None:
        return {}
    return {path.stem: SheetFile(path, f"pricing/{path.name}") for path in _sheets_in(folder)}


def find_cases(paths: Sequence[str]) -> tuple[tuple[tuple[SheetFile, SheetFile], ...], tuple[Problem, ...]]:
    """Return each sheet that `paths` name and that has usage cases, with its cases; `paths` may also name the cases.

    There is a problem for each path without cases, and for cases without a sheet in the same folder.
    """
    pairs: dict[Path, tuple[SheetFile, SheetFile]] = {}
    problems: list[Problem] = []
    for name in paths:
        if _is_cases(Path(name)):
            if sheet := _sheet_of(Path(name)):
                pairs[sheet.path.resolve()] = (sheet, SheetFile(Path(name), name))
            else:
                problems.append(_orphaned(name))
            continue
        sheets, found = find_sheets([name], subfolders=True)
        orphans = orphaned_cases([name])
        problems += [*found, *orphans]
        with_cases = [(sheet, cases) for sheet in sheets if (cases := _sibling(sheet, f"{sheet.path.stem}.cases"))]
        if sheets and not with_cases and not orphans:
            message = "no usage cases found; the cases of NAME.yaml are expected in NAME.cases.yaml in the same folder"
            problems.append(Problem(Place(name), kinds.NO_CASES, message))
        pairs.update((sheet.path.resolve(), (sheet, cases)) for sheet, cases in with_cases)
    return tuple(pairs.values()), tuple(problems)


def orphaned_cases(paths: Sequence[str]) -> tuple[Problem, ...]:
    """Return a problem for each file of cases without its sheet, in the folders among `paths` and their subfolders."""
    folders = [Path(name) for name in paths if name and os.path.isdir(name)]
    return tuple(_orphaned(str(file)) for folder in folders for file in _cases_below(folder) if not _sheet_of(file))


def _cases_below(folder: Path) -> list[Path]:
    try:
        return [file for one in (folder, *_folders_below(folder)) for file in sorted(one.iterdir()) if _is_cases(file)]
    except OSError:
        # The search for sheets reports this.
        return []


def _is_cases(file: Path) -> bool:
    return _CASES.fullmatch(file.name) is not None and file.is_file()


def _orphaned(name: str) -> Problem:
    message = f"{_sheet_stem(Path(name))}.yaml, the sheet of these cases, is not in the same folder"
    return Problem(Place(name), kinds.CASES_WITHOUT_SHEET, message)


def _sheet_of(cases: Path) -> SheetFile | None:
    return _sibling(SheetFile(cases, str(cases)), _sheet_stem(cases))


def _sibling(file: SheetFile, stem: str) -> SheetFile | None:
    """Return the YAML file with this stem in the folder of another file."""
    paths = (file.path.with_name(stem + suffix) for suffix in (*_SUFFIXES, *map(str.upper, _SUFFIXES)))
    path = next(filter(Path.is_file, paths), None)
    return SheetFile(path, str(Path(file.name).with_name(path.name))) if path else None


def _sheet_stem(cases: Path) -> str:
    return cases.stem.removesuffix(".cases")


def find_sheets(paths: Sequence[str], *, subfolders: bool = False) -> tuple[tuple[SheetFile, ...], tuple[Problem, ...]]:
    """Return the sheets that `paths` name, in their order, each once, and a problem for each path that names none.

    With `subfolders`, a folder also names the sheets in its subfolders, except hidden ones.
    """
    files: list[SheetFile] = []
    problems: list[Problem] = []
    shipped = shipped_sheets()
    for name in paths:
        path = Path(name)
        if not name:
            # An empty name would be the current folder, but a variable that is not set is more likely.
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
                message = f"the folder contains no price sheet (a file ending in {one_of(_SUFFIXES)})"
                problems.append(Problem(Place(name), kinds.NO_SHEETS, message))
            files += found
        elif os.path.exists(name):
            files.append(SheetFile(path, name))
        elif name in shipped:
            files.append(shipped[name])
        elif glob.has_magic(name):
            # A glob may match files with any name, except usage cases.
            named = sorted(glob.glob(name, recursive=True))
            matches = [SheetFile(Path(one), one) for one in named if os.path.isfile(one) and not _CASES.fullmatch(one)]
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
    """Yield the sheets in subfolders, without other documents of the program (packs, accounts)."""
    for below in _folders_below(folder):
        yield from (file for file in _sheets_in(below) if not _is_other_document(file))


def _folders_below(folder: Path, seen: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the subfolders and links to folders, except hidden ones and links to a folder that contains them."""
    seen |= {folder.resolve()}
    for below in sorted(folder.iterdir()):
        if (
            below.is_dir()
            and not below.name.startswith(".")
            and not any(one.is_relative_to(below.resolve()) for one in seen)
        ):
            yield below
            yield from _folders_below(below, seen)


def _is_other_document(file: Path) -> bool:
    """Whether the file names another format. A file that cannot be read may be a sheet, and is reported as one."""
    from mps_bill.documents.read_document import is_other_format
    from mps_bill.price_sheet.sheet_definition import FORMAT_NAME

    try:
        match = _FORMAT.search(read_file(file))
    except OSError:
        return False
    return match is not None and is_other_format(match[1].decode("ascii", "replace"), FORMAT_NAME)


def _is_sheet(file: Path) -> bool:
    return file.suffix.lower() in _SUFFIXES and not _CASES.fullmatch(file.name) and file.is_file()


def _unknown(name: str, shipped: dict[str, SheetFile]) -> Problem:
    hint = (
        near_miss(name, shipped) or near_file(Path(name)) or (f"; shipped: {one_of(tuple(shipped))}" if shipped else "")
    )
    message = f"{quoted(name)} is not a file, a folder or a shipped price sheet{hint}"
    return Problem(Place(name), kinds.NO_SUCH_SHEET, message)
