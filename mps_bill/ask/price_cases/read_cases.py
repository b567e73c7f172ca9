"""Usage cases from files. Cases of `NAME.yaml` stand beside it in `NAME.cases.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mps_bill.ask.price_cases import case_definition as d
from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem, in_order, quoted
from mps_bill.documents.shapes import Fields, Located, read
from mps_bill.documents.yaml_tree import read_tree
from mps_bill.metering.usage import RECORD_COLUMNS
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.find import SheetFile, find_cases
from mps_bill.price_sheet.gather import gather
from mps_bill.price_sheet.load_sheets import load_file, read_text


@dataclass(frozen=True, slots=True)
class Case:
    """Usage and what it must come to. `rows` have a text for every column of usage files, and `row_places` their places;
    `refusal` is the problem that must occur, with None where bills are expected."""

    name: str
    place: Place
    source: str
    rows: tuple[tuple[str, ...], ...]
    row_places: tuple[Place, ...]
    expect: Fields
    refusal: Located[Kind] | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of one file and the book of the one sheet that they are for."""

    name: str
    book: PriceBook
    cases: tuple[Case, ...]


def load_cases(paths: Sequence[str]) -> tuple[CaseFile, ...]:
    """The cases that `paths` name (sheets, cases, folders, globs, ids of shipped sheets), each file with its sheet.

    Raises:
        InputRejected: with every problem of every file of cases and of their sheets.
    """
    pairs, problems = find_cases(paths)
    found = list(problems)
    files = []
    for sheet_file, cases_file in pairs:
        sheet = load_file(sheet_file)
        found += sheet.problems
        cases, case_problems = _load(cases_file)
        found += case_problems
        book, _ = gather([sheet.draft] if sheet.draft else [])
        if book and not sheet.problems and not case_problems:
            files.append(CaseFile(cases_file.name, book, cases))
    if found:
        raise InputRejected(in_order(found))
    return tuple(files)


def _load(file: SheetFile) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    text, problems = read_text(file)
    return ((), problems) if text is None else read_cases(text, file.name)


def read_cases(text: str, file_name: str) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """The cases of a file's text, and every problem with it. `file_name` is for places only."""
    root, form_problems = read_tree(text, file_name)
    if root is None:
        return (), form_problems
    fields, shape_problems = read(d.PRICE_CASES, root)
    problems = [*form_problems, *shape_problems]
    found = fields.get(d.CASES) if fields else None
    cases: list[Case] = []
    for part in found.parts if found else ():
        case = _case(part, problems)
        if case:
            cases.append(case)
    first: dict[str, Case] = {}
    for case in cases:
        other = first.setdefault(case.name, case)
        if other is not case:
            message = f"the case {quoted(case.name)} stands already at line {other.place.line}; name them apart"
            problems.append(Problem(case.place, kinds.DUPLICATE_CASE, message))
    return tuple(cases), in_order(problems)


def _case(fields: Fields, problems: list[Problem]) -> Case | None:
    name, usage, expect = fields.get(d.NAME), fields.get(d.USAGE), fields.get(d.EXPECT)
    source = fields.get(d.SOURCE)
    if expect:
        problems += _check_expectation(expect)
    if not (name and usage and expect):
        return None
    return Case(
        name=name.value,
        place=name.place,
        source=source.value if source else "",
        rows=tuple(_row(row, f"row-{index}") for index, row in enumerate(usage.parts, 1)),
        row_places=tuple(row.place for row in usage.parts),
        expect=expect,
        refusal=expect.get(d.REFUSAL),
    )


def _check_expectation(expect: Fields) -> list[Problem]:
    if not expect.given:
        message = "the case expects nothing; name an amount, lines or a refusal"
        return [Problem(expect.place, kinds.EMPTY_EXPECTATION, message)]
    refusal = expect.get(d.REFUSAL)
    others = sorted(expect.given - {d.REFUSAL.key})
    if refusal and others:
        message = f"the case expects a refusal and also {others[0]}; usage that is refused makes no bill"
        return [Problem(refusal.place, kinds.MIXED_EXPECTATION, message)]
    return []


def _row(fields: Fields, job_id: str) -> tuple[str, ...]:
    """The values of a usage row by column; each row is a job of its own unless it says which."""
    given = {field.key: value.value for field in d.USAGE_FIELDS if (value := fields.get(field))}
    return tuple(given.get(column, job_id if column == "job_id" else "") for column in RECORD_COLUMNS)
