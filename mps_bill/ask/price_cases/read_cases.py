"""Reading price cases. The cases of `NAME.yaml` are next to it in `NAME.cases.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mps_bill.ask.price_cases import case_definition as d
from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem, in_order
from mps_bill.documents.read_document import ReadDocument, read_document
from mps_bill.documents.shapes import Fields, Located
from mps_bill.metering.usage_columns import RECORD_COLUMNS
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.find import find_cases
from mps_bill.price_sheet.gather import gather
from mps_bill.price_sheet.load_sheets import load_file


@dataclass(frozen=True, slots=True)
class Case:
    """Usage rows and the expected result. `rows` have a text for every column of usage files; `row_places` are their places.
    `refusal` is the expected problem, None if bills are expected."""

    name: str
    place: Place
    source: str
    rows: tuple[tuple[str, ...], ...]
    row_places: tuple[Place, ...]
    expect: Fields
    refusal: Located[Kind] | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of one file, and a book with the sheet that they test."""

    name: str
    book: PriceBook
    cases: tuple[Case, ...]


def load_cases(paths: Sequence[str]) -> tuple[CaseFile, ...]:
    """Return the case files that `paths` name (sheets, cases, folders, globs, ids of shipped sheets), each with its sheet.

    Raises:
        InputRejected: with every problem of the case files and their sheets.
    """
    pairs, problems = find_cases(paths)
    found = list(problems)
    files = []
    for sheet_file, cases_file in pairs:
        sheet = load_file(sheet_file)
        found += sheet.problems
        cases, case_problems = read_cases(read_document(d.DOCUMENT, cases_file.path, cases_file.name))
        found += case_problems
        book, _ = gather([sheet.draft] if sheet.draft else [])
        if book and not sheet.problems and not case_problems:
            files.append(CaseFile(cases_file.name, book, cases))
    if found:
        raise InputRejected(in_order(found))
    return tuple(files)


def read_cases(document: ReadDocument[Fields]) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """Return the cases of a document, and every problem."""
    cases = map(_case, document.fields.parts(d.CASES) if document.fields else ())
    return tuple(case for case in cases if case), document.problems


def _case(fields: Fields) -> Case | None:
    name, usage, expect = fields.get(d.NAME), fields.get(d.USAGE), fields.get(d.EXPECT)
    if not (name and usage and expect and fields.sound):
        return None
    return Case(
        name=name.value,
        place=name.place,
        source=fields.value_of(d.SOURCE, ""),
        rows=tuple(_row(row.value or {}, f"row-{index}") for index, row in enumerate(usage.parts, 1)),
        row_places=tuple(row.place for row in usage.parts),
        expect=expect,
        refusal=expect.get(d.REFUSAL),
    )


def _row(values: dict[str, str | None], job_id: str) -> tuple[str, ...]:
    """Return the values of a usage row by column. A row without a job is a job of its own."""
    return tuple(
        values.get(column) or (job_id if column == "job_id" and values.get(column) is None else "")
        for column in RECORD_COLUMNS
    )
