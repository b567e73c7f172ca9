"""The format of price cases, and reading them. The cases of `NAME.yaml` are next to it in `NAME.cases.yaml`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from mps_bill.core.decimals import AMOUNT_PLACES
from mps_bill.core.diagnostics import InputRejected, Kind, Place, Problem, in_order, near_miss, quoted
from mps_bill.documents.fields import Field, Fields, Located, optional
from mps_bill.documents.read_document import Document, ReadDocument, read_document
from mps_bill.documents.shapes import ListOf, Object, Record, Unique
from mps_bill.documents.values import Text, decimal_of, decimal_pattern, format_field, moment, number
from mps_bill.metering import usage_problems as usage_kinds
from mps_bill.metering.usage_columns import RECORD_COLUMNS
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.book import PriceBook
from mps_bill.price_sheet.find import find_cases
from mps_bill.price_sheet.gather import gather
from mps_bill.price_sheet.load_sheets import load_file

FORMAT_NAME = "mps-bill/price-cases/1"

#: Every problem that a row of usage can have.
REFUSALS: tuple[Kind, ...] = tuple(kind for kind in vars(usage_kinds).values() if isinstance(kind, Kind))
#: The maximum digits of an amount before the point: quantities and prices have 12 each.
_WHOLE_DIGITS = 24
_LINE = r"[^\r\n]*"
_SIGNED = f"-?({decimal_pattern(AMOUNT_PLACES, whole_digits=_WHOLE_DIGITS)})"


def _one_line(text: str) -> str:
    if not re.fullmatch(_LINE, text):
        raise ValueError("the value must be on one line")
    return text


def _signed(text: str) -> Decimal:
    amount = decimal_of(AMOUNT_PLACES, whole_digits=_WHOLE_DIGITS)
    return -amount(text[1:]) if text.startswith("-") else amount(text)


def _refusal(text: str) -> Kind:
    named = next((kind for kind in REFUSALS if kind.is_named(text)), None)
    if named is None:
        names = [name for kind in REFUSALS for name in (kind.code, kind.slug)]
        one = usage_kinds.NO_PRICE
        hint = near_miss(text, names, priced=False) or f"; write one such as {one.slug} or {one.code}"
        raise ValueError(f"unknown problem of usage {quoted(text)}{hint}")
    return named


def _text(name: str) -> Text[str]:
    return Text(name, _one_line, _LINE, kinds.BAD_NAME)


def _decimal(name: str) -> Text[Decimal]:
    return number(name, kinds.BAD_AMOUNT, AMOUNT_PLACES, whole_digits=_WHOLE_DIGITS)


#: The meaning of each column of usage, and whether a row of a case must have it. A row without a job is a job of its own. A row
#: without a time was completed when the sheet comes into force. A failed row may omit what was used.
_USAGE_DOCS: dict[str, tuple[str, bool]] = {
    "job_id": ("the job; default: a job of its own for each row", False),
    "output": ("the output or part of the job", False),
    "completed_at": ("when the job completed, with an offset; default: when the sheet comes into force", False),
    "region": ("the region id, such as cn-shanghai", True),
    "item": ("the item code of the price sheet", True),
    "spec": ("the spec, if the item does not derive it", False),
    "codec": ("the codec, if the item derives its spec from it", False),
    "width": ("the width in pixels", False),
    "height": ("the height in pixels", False),
    "quantity": ("the used quantity, with at most 6 decimal places", False),
    "unit": ("the unit of the quantity, one that converts to the item's", False),
    "status": ("success (default) or failed", False),
}
USAGE_FIELDS = tuple(
    Field(column, _text(f"a usage row's {column}"), doc, required) for column, (doc, required) in _USAGE_DOCS.items()
)
USAGE_ROW: Object[dict[str, str | None]] = Object("a usage row", USAGE_FIELDS, make=dict)

#: Each field is compared with the value of the same name in a line of a bill.
LINE = Record(
    "an expected line",
    (
        optional("item", _text("an item"), "the line's item"),
        optional("spec", _text("a spec"), "the line's spec"),
        optional("region", _text("a region"), "the line's region"),
        optional("tier", _text("a tier"), "the line's tier, such as 0-3000"),
        optional("quantity", _decimal("a quantity"), "the line's quantity in the item's unit"),
        optional("unit_price", _decimal("a unit price"), "the line's price per unit"),
        optional("amount", _decimal("an amount"), "the line's exact amount"),
    ),
)

_BOUNDS = {"exclusiveMinimum": -(10**_WHOLE_DIGITS), "exclusiveMaximum": 10**_WHOLE_DIGITS}
#: Each field is compared with the value of the same name in the sums of the run.
AMOUNTS = (
    optional("list_amount", _decimal("a list amount"), "the sum of all lines, exact"),
    optional(
        "rounding_adjustment",
        Text("a rounding adjustment", _signed, _SIGNED, kinds.BAD_AMOUNT, _BOUNDS),
        "the amount added by rounding the bills to money; below zero if they are rounded down",
    ),
    optional("payable", _decimal("a payable amount"), "the amount to be paid for all bills"),
)
ISSUED_AT = optional(
    "issued_at",
    ListOf("the times of the bills", moment("a time", kinds.BAD_TIME)),
    "when each bill is issued, in order",
)
LINES = optional("lines", ListOf("the expected lines", LINE), "every line of every bill, in order")
_REFUSAL_NAMES = "|".join(name for kind in REFUSALS for name in (kind.slug, kind.code, kind.former) if name)
REFUSAL = optional(
    "refusal",
    Text("a refusal", _refusal, _REFUSAL_NAMES, kinds.UNKNOWN_REFUSAL),
    "the problem for which the usage is refused, by code or name",
)


def _check_expectation(expect: Fields) -> list[Problem]:
    if not expect.given:
        message = "the case expects nothing; name an amount, lines or a refusal"
        return [Problem(expect.place, kinds.EMPTY_EXPECTATION, message)]
    refusal = expect.get(REFUSAL)
    others = sorted(expect.given - {REFUSAL.key})
    if refusal and others:
        message = f"the case expects a refusal and also {others[0]}; usage that is refused makes no bill"
        return [Problem(refusal.place, kinds.MIXED_EXPECTATION, message)]
    return []


_EXPECTED = (*AMOUNTS, ISSUED_AT, LINES, REFUSAL)
EXPECTATION = Record(
    "an expectation", _EXPECTED, check=_check_expectation, any_of=tuple(field.key for field in _EXPECTED)
)

NAME = Field("name", _text("a case's name"), "what the case shows")
SOURCE = optional("source", _text("a source"), "where the example is from")
USAGE = Field("usage", ListOf("the usage", USAGE_ROW), "usage rows, with the columns of usage files")
EXPECT = Field("expect", EXPECTATION, "the expected result")
CASE = Record("a case", (NAME, SOURCE, USAGE, EXPECT))

FORMAT = format_field(FORMAT_NAME, kinds.UNKNOWN_FORMAT)
CASES = Field(
    "cases", ListOf("the cases", CASE, unique=Unique(kinds.DUPLICATE_CASE, (NAME.key,))), "the cases, run one by one"
)
PRICE_CASES = Record("a file of usage cases", (FORMAT, CASES))
DOCUMENT = Document("mps-bill price cases, version 1", PRICE_CASES, kinds.UNREADABLE_FILE)


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
        cases, case_problems = read_cases(read_document(DOCUMENT, cases_file.path, cases_file.name))
        found += case_problems
        book, _ = gather([sheet.draft] if sheet.draft else [])
        if book and not sheet.problems and not case_problems:
            files.append(CaseFile(cases_file.name, book, cases))
    if found:
        raise InputRejected(in_order(found))
    return tuple(files)


def read_cases(document: ReadDocument[Fields]) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """Return the cases of a document, and every problem."""
    cases = map(_case, document.fields.parts(CASES) if document.fields else ())
    return tuple(case for case in cases if case), document.problems


def _case(fields: Fields) -> Case | None:
    name, usage, expect = fields.get(NAME), fields.get(USAGE), fields.get(EXPECT)
    if not (name and usage and expect and fields.valid):
        return None
    return Case(
        name=name.value,
        place=name.place,
        source=fields.value_of(SOURCE, ""),
        rows=tuple(_row(row.value or {}, f"row-{index}") for index, row in enumerate(usage.parts, 1)),
        row_places=tuple(row.place for row in usage.parts),
        expect=expect,
        refusal=expect.get(REFUSAL),
    )


def _row(values: dict[str, str | None], job_id: str) -> tuple[str, ...]:
    """Return the values of a usage row by column. A row without a job is a job of its own."""
    return tuple(
        values.get(column) or (job_id if column == "job_id" and values.get(column) is None else "")
        for column in RECORD_COLUMNS
    )
